//! Who runs palisade: however a service spells it, and whoever else it names, the caller stays Admin.

use palisade::emulator::{CLIENT_ID, World};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::support::{EXACT, PROD, Scene, changes, give, roles};

/// The line that declares palisade itself in [`EXACT`].
const SELF: &str = "        - { app: palisade, id: 8f14e45f-0000-4000-8000-0000000000c1, role: Admin }\n";

/// The service principal of palisade in a world.
fn palisade(world: &World) -> Uuid {
    *world.applications.iter().find(|(_, application)| application.app_id == CLIENT_ID).unwrap().0
}

/// Spellings of one id that a service may use.
fn spellings(id: Uuid) -> Vec<String> {
    vec![
        id.to_string(),
        id.to_string().to_uppercase(),
        format!("{{{id}}}"),
        format!("{{{}}}", id.simple().to_string().to_uppercase()),
        id.simple().to_string(),
        format!("  {id}\t"),
        format!("\n{{ {id} }} "),
        id.urn().to_string(),
        format!("({id})"),
        format!("\u{feff}{id}\u{a0}"),
    ]
}

/// Everybody is as declared, apart from zoe, who is to be removed.
fn scene(configuration: &str) -> Scene {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| give(world, PROD, "zoe@contoso.com", "Viewer"));
    scene.write("palisade.yaml", configuration);
    scene
}

/// Whether palisade is Admin in the world, by whichever spelling the world keeps.
#[track_caller]
fn stays_admin(scene: &Scene, case: &str) {
    let world = scene.world();
    let id = palisade(&world).simple().to_string();
    let digits = |text: &str| text.to_lowercase().chars().filter(char::is_ascii_hexdigit).collect::<String>();
    let own = world.instances[&PROD].assignments.iter().filter(|held| digits(&held.principal_id).ends_with(&id));
    let roles: Vec<&String> = own.flat_map(|held| &held.roles).collect();
    assert_eq!(roles, ["Admin"], "{case}: palisade took its own role");
}

fn my_role(id: &Json, kind: &str) -> String {
    let body = json!({ "principalId": id, "principalType": kind, "roles": ["Admin"], "instanceId": PROD });
    format!("- {{ operation: GET */rbac/myrole, action: {{ status: {{ code: 200, body: {body} }} }} }}\n")
}

/// `myrole` names the caller in any spelling, or something else: palisade is never removed, declared or not.
#[test]
fn whatever_myrole_says_the_caller_stays_admin() {
    let undeclared = EXACT.replace(SELF, "");
    let own = palisade(&scene(EXACT).world());
    let known = spellings(own).into_iter().map(|text| (json!(text), true));
    let application = spellings(CLIENT_ID).into_iter().map(|text| (json!(text), true));
    let others = [
        json!(""),
        json!("   "),
        json!(null),
        json!(Uuid::nil()),
        json!("palisade"),
        json!("3b0c2c6e-0000-4000-8000-00000000c001"),
        json!("99990000-0000-4000-8000-000000000001"),
    ];
    for (id, is_caller) in known.chain(application).chain(others.map(|id| (id, false))) {
        for kind in ["app", "group", "user"] {
            let case = format!("{id} as {kind}");
            let scene = scene(&undeclared);
            scene.faulty(&my_role(&id, kind), &["apply", "--yes"]).ended(4);
            stays_admin(&scene, &case);
            assert_eq!(roles(&scene.world(), PROD, "zoe@contoso.com"), ["Viewer"], "{case}");
            if kind == "app" {
                scene.write("palisade.yaml", EXACT);
                let run = scene.faulty(&my_role(&id, kind), &["apply", "--yes"]);
                run.ended(if is_caller { 0 } else { 4 });
                stays_admin(&scene, &case);
            }
        }
    }
}

/// The list names the caller in any spelling: no plan touches it.
#[test]
fn however_the_list_spells_the_caller_it_stays_admin() {
    let undeclared = EXACT.replace(SELF, "");
    let own = palisade(&scene(EXACT).world());
    for text in spellings(own).into_iter().chain(spellings(CLIENT_ID)) {
        let scene = scene(EXACT);
        let world = scene.world();
        let list = world.instances[&PROD].assignments.iter().map(|held| {
            let mut held = json!(held);
            if held["principalId"] == json!(own) {
                held["principalId"] = json!(text);
            }
            held
        });
        let body: Json = list.collect();
        let rules =
            format!("- {{ operation: GET */rbac/assignments, action: {{ status: {{ code: 200, body: {body} }} }} }}\n");
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(0).json();
        assert_eq!(changes(&plan), ["delete prod/users/zoe@contoso.com"], "{text:?}");
        scene.faulty(&rules, &["apply", "--yes", "--wait", "1s"]);
        stays_admin(&scene, &text);
        scene.write("palisade.yaml", &undeclared);
        scene.faulty(&rules, &["apply", "--yes"]).ended(4);
        stays_admin(&scene, &text);
    }
}

/// A list without the caller contradicts the service, which names the caller's role: nobody is added or removed by it.
#[test]
fn a_list_that_lacks_the_caller_is_not_believed() {
    let scene = scene(EXACT);
    let world = scene.world();
    let own = palisade(&world).to_string();
    let others = world.instances[&PROD].assignments.iter().filter(|held| held.principal_id != own);
    let body: Json = others.map(|held| json!(held)).collect();
    let rules =
        format!("- {{ operation: GET */rbac/assignments, action: {{ status: {{ code: 200, body: {body} }} }} }}\n");
    let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
    assert_eq!(changes(&plan), [""; 0]);
    assert_eq!(plan["scopes"][0]["unknown"][0]["address"], "prod/users");
    scene.faulty(&rules, &["apply", "--yes"]).ended(3);
    assert_eq!(roles(&scene.world(), PROD, "zoe@contoso.com"), ["Viewer"]);
}

/// The world itself keeps odd spellings; what is written uses the service's own.
#[test]
fn what_a_service_spells_oddly_is_removed_by_its_own_spelling() {
    for spell in
        [|id: Uuid| format!("{{{id}}}"), |id: Uuid| id.simple().to_string(), |id: Uuid| id.to_string().to_uppercase()]
    {
        let scene = scene(EXACT);
        scene.change_world(|world| {
            for held in &mut world.instances.get_mut(&PROD).unwrap().assignments {
                held.principal_id = spell(held.principal_id.parse().unwrap());
            }
        });
        let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
        assert_eq!(changes(&plan), ["delete prod/users/zoe@contoso.com"]);
        scene.emulated(&["apply", "--yes"]).ended(0);
        stays_admin(&scene, "odd spelling in the world");
        assert_eq!(scene.world().instances[&PROD].assignments.len(), 3);
        scene.emulated(&["drift"]).ended(0);
    }
}
