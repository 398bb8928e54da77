//! Whom a name means: names move between people, and the directory may answer about somebody else.

use palisade::emulator::{User, World};
use serde_json::json;
use uuid::Uuid;

use crate::support::{EXACT, NOW, PROD, Scene, changes, give, roles};

/// Somebody else than ada.
const TWIN: Uuid = Uuid::from_u128(0x7717_0000_0000_4000_8000_0000_0000_0001);

fn user(world: &World, upn: &str) -> Uuid {
    *world.users.iter().find(|(_, user)| user.user_principal_name == upn).unwrap().0
}

/// Gives ada's name to another person, as after a departure.
fn move_name(world: &mut World) {
    let ada = user(world, "ada@contoso.com");
    world.users.get_mut(&ada).unwrap().user_principal_name = "ada.lovelace@contoso.com".to_owned();
    world.users.insert(TWIN, User::new("ada@contoso.com", "ada"));
}

fn held(world: &World, id: Uuid) -> Vec<String> {
    let held = world.instances[&PROD].assignments.iter().filter(|held| held.principal_id == id.to_string());
    held.flat_map(|held| held.roles.clone()).collect()
}

/// The one who has the name when the plan is applied isn't the one who had it when it was approved.
#[test]
fn a_name_that_moved_after_the_plan_was_saved_gives_nobody_a_role() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    scene.change_world(move_name);
    let before = scene.world();
    scene.emulated(&["apply", "plan.json"]).ended(4);
    assert_eq!(scene.world(), before);
}

/// The same while the run is under way: before each write, the directory is asked again.
#[test]
fn a_name_that_moves_during_the_run_gives_nobody_a_role() {
    let scene = Scene::with(EXACT);
    let world = scene.world();
    let object =
        |id: Uuid, upn: &str| json!({ "id": id, "displayName": "x", "userPrincipalName": upn, "accountEnabled": true });
    let palisade = json!({ "id": world.applications.iter().find(|(_, app)| app.app_id == palisade::emulator::CLIENT_ID).unwrap().0,
                           "displayName": "palisade", "appId": palisade::emulator::CLIENT_ID });
    // In the order in which palisade asks: users by name, then apps.
    let found =
        [object(TWIN, "ada@contoso.com"), object(user(&world, "grace@contoso.com"), "grace@contoso.com"), palisade];
    let responses: Vec<_> = found
        .iter()
        .enumerate()
        .map(|(index, body)| json!({ "id": index.to_string(), "status": 200, "headers": {}, "body": body }))
        .collect();
    let body = json!({ "responses": responses });
    // The first look is the plan's.
    let rules: String = (2..20)
        .map(|nth| {
            format!(
                "- {{ operation: POST */$batch, nth: {nth}, action: {{ status: {{ code: 200, body: {body} }} }} }}\n"
            )
        })
        .collect();
    let run = scene.faulty(&rules, &["apply", "--yes", "--format", "json"]);
    let (address, status) = &run.outcomes()[0];
    assert_eq!((address.as_str(), status.as_str()), ("prod/users/ada@contoso.com", "refused"), "{}", run.stdout);
    assert!(held(&scene.world(), TWIN).is_empty());
    assert!(roles(&scene.world(), PROD, "ada@contoso.com").is_empty());
    assert_eq!(roles(&scene.world(), PROD, "creator@contoso.com"), ["Admin"], "nothing is taken away after a refusal");
}

/// With `id`, the plan itself is refused.
#[test]
fn an_id_beside_a_user_holds_the_name_to_its_person() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    let ada = user(&scene.world(), "ada@contoso.com");
    let with_id = EXACT.replace("ada@contoso.com,", &format!("ada@contoso.com, id: {ada},"));
    scene.write("palisade.yaml", &with_id);
    scene.emulated(&["drift"]).ended(0);
    scene.change_world(move_name);
    let before = scene.world();
    for command in [&["plan"] as &[&str], &["drift"], &["apply", "--yes"]] {
        scene.emulated(command).ended(4).says("error[principal-mismatch]").says("ada.lovelace@contoso.com");
    }
    assert_eq!(scene.world(), before);
    // Whom the id means decides, whoever has the name.
    scene.write("palisade.yaml", &with_id.replace("user: ada@", "user: ada.lovelace@"));
    scene.emulated(&["drift"]).ended(0);
}

/// The emulator seeds the user that the configuration means.
#[test]
fn a_user_with_an_id_is_seeded_with_it() {
    let with_id = EXACT.replace("ada@contoso.com,", &format!("ada@contoso.com, id: {TWIN},"));
    let scene = Scene::with(&with_id);
    scene.emulated(&["apply", "--yes"]).ended(0);
    assert_eq!(held(&scene.world(), TWIN), ["Admin"]);
    assert_eq!(scene.world().users[&TWIN].user_principal_name, "ada@contoso.com");
}

/// An answer about somebody else than the one asked about is no answer.
#[test]
fn an_answer_about_somebody_else_is_no_answer() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| give(world, PROD, "zoe@contoso.com", "Viewer"));
    let world = scene.world();
    let (ada, zoe) = (user(&world, "ada@contoso.com"), user(&world, "zoe@contoso.com"));
    let before = scene.world();
    let answer =
        |body: serde_json::Value| json!({ "responses": [{ "id": "0", "status": 200, "headers": {}, "body": body }] });
    let others = [
        json!({ "id": zoe, "displayName": "ada", "userPrincipalName": "zoe@contoso.com" }),
        json!({ "id": ada, "displayName": "ada" }),
        json!({ "id": ada, "displayName": "ada", "userPrincipalName": null }),
    ];
    for body in others {
        let body = answer(body);
        let rules = format!("- {{ operation: POST */$batch, action: {{ status: {{ code: 200, body: {body} }} }} }}\n");
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
        assert_eq!(changes(&plan), [""; 0], "{body}");
        scene.faulty(&rules, &["plan"]).ended(3).says("when asked about ada@contoso.com");
        scene.faulty(&rules, &["apply", "--yes"]).ended(3);
    }
    // Object ids that weren't asked for, or twice.
    let typed =
        |id: Uuid| json!({ "@odata.type": "#microsoft.graph.user", "id": id, "userPrincipalName": "ada@contoso.com" });
    for list in [json!([typed(TWIN)]), json!([typed(ada), typed(ada)])] {
        let rules = format!(
            "- {{ operation: POST */getByIds, action: {{ status: {{ code: 200, body: {{ value: {list} }} }} }} }}\n"
        );
        scene.faulty(&rules, &["plan"]).says("delete users/");
        assert_eq!(scene.world(), before);
    }
}

/// A list of assignments that contradicts itself is no list.
#[test]
fn a_list_that_contradicts_itself_is_unknown() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| give(world, PROD, "zoe@contoso.com", "Viewer"));
    let world = scene.world();
    let ada = user(&world, "ada@contoso.com");
    let with = |second: serde_json::Value| {
        let mut list: Vec<_> = world.instances[&PROD].assignments.iter().map(|held| json!(held)).collect();
        list.push(second);
        let body = json!(list);
        format!("- {{ operation: GET */rbac/assignments, action: {{ status: {{ code: 200, body: {body} }} }} }}\n")
    };
    let entry = |spelling: String, kind: &str, roles: &[&str]| json!({ "principalId": spelling, "principalType": kind, "roles": roles });
    let other = with(entry(format!("{{{ada}}}"), "user", &["Viewer"]));
    let other_kind = with(entry(ada.simple().to_string(), "group", &["Admin"]));
    let elsewhere =
        with(json!({ "principalId": TWIN, "principalType": "user", "roles": ["Viewer"], "instanceId": TWIN }));
    for rules in [other, other_kind, elsewhere] {
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
        assert_eq!(changes(&plan), [""; 0], "{rules}");
        scene.faulty(&rules, &["apply", "--yes"]).ended(3);
        assert_eq!(scene.world(), world, "{rules}");
    }
    // The same said twice is no contradiction.
    let same = with(entry(format!(" {ada} "), "User", &["ADMIN"]));
    let plan = scene.faulty(&same, &["plan", "--format", "json"]).ended(0).json();
    assert_eq!(changes(&plan), ["delete prod/users/zoe@contoso.com"]);
    // An entry of nobody: who is missing from the list isn't certain.
    for nobody in ["", "  ", "ada", "00000000-0000-0000-0000-000000000000"] {
        let rules = with(entry(nobody.to_owned(), "user", &["Viewer"]));
        scene.faulty(&rules, &["plan"]).ended(3).says("can't be told to be of any principal");
    }
}

/// Ada is under `breakGlass`; others may be there.
const PROTECTED: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    name: Contoso prod
    users:
      match: atLeast
      assignments:
        - { user: grace@contoso.com, role: Admin }
        - { user: linus@contoso.com, role: Viewer }
      breakGlass: [ada@contoso.com]
";

/// An account for an emergency that couldn't do its work is told, and stops nothing.
#[test]
fn a_break_glass_account_below_admin_is_drift_and_stops_nothing() {
    let scene = Scene::with(PROTECTED);
    scene.run(&["validate"]).ended(0);
    scene.emulated(&["plan"]).ended(0).says("error[break-glass-not-admin]").says("it has no role");
    scene.emulated(&["apply", "--yes"]);
    assert_eq!(roles(&scene.world(), PROD, "grace@contoso.com"), ["Admin"]);
    scene.change_world(|world| give(world, PROD, "ada@contoso.com", "Contributor"));
    scene.emulated(&["drift"]).ended(2).says("it has Contributor");
    scene.emulated(&["plan"]).ended(0);
    scene.change_world(|world| give(world, PROD, "ada@contoso.com", "Admin"));
    scene.emulated(&["drift"]).ended(0);
}

/// A mistyped entry protects nobody: that is told, and nothing is taken from anybody.
#[test]
fn a_mistyped_break_glass_entry_is_told_and_refuses_losses() {
    let scene = Scene::with(&PROTECTED.replace("ada@", "adda@"));
    scene.emulated(&["apply", "--yes"]);
    scene.change_world(|world| {
        let id = user(world, "adda@contoso.com");
        world.users.remove(&id);
        let typed = world.instances.get_mut(&PROD).unwrap();
        typed.assignments.retain(|held| held.principal_id != id.to_string());
        give(world, PROD, "linus@contoso.com", "Contributor");
    });
    // The embedded emulator would seed what the file names, so the directory is asked to answer as it would without.
    let world = scene.world();
    let grace = json!({ "id": user(&world, "grace@contoso.com"), "userPrincipalName": "grace@contoso.com", "accountEnabled": true });
    let linus = json!({ "id": user(&world, "linus@contoso.com"), "userPrincipalName": "linus@contoso.com", "accountEnabled": true });
    let missing = json!({ "error": { "code": "Request_ResourceNotFound", "message": "does not exist" } });
    let item = |id: usize, status: u16, body: &serde_json::Value| json!({ "id": id.to_string(), "status": status, "body": body });
    let body = json!({ "responses": [item(0, 404, &missing), item(1, 200, &grace), item(2, 200, &linus)] });
    let rules = format!("- {{ operation: POST */$batch, action: {{ status: {{ code: 200, body: {body} }} }} }}\n");
    let plan = scene.faulty(&rules, &["plan"]).ended(4);
    let plan = plan.says("error[break-glass-not-found]").says("error[break-glass-unresolved]");
    plan.says("users/breakGlass/adda@contoso.com");
    scene.faulty(&rules, &["apply", "--yes"]).ended(4);
    assert_eq!(roles(&scene.world(), PROD, "linus@contoso.com"), ["Contributor"]);
    scene.change_world(|world| give(world, PROD, "linus@contoso.com", "Viewer"));
    scene.faulty(&rules, &["plan"]).ended(0).says("error[break-glass-not-found]");
    scene.faulty(&rules, &["drift"]).ended(2);
}

/// Of two people who could administer, one can't sign in any more: the other one stays.
#[test]
fn a_disabled_account_is_not_another_admin() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| {
        let grace = user(world, "grace@contoso.com");
        world.users.get_mut(&grace).unwrap().account_enabled = false;
    });
    scene.write("palisade.yaml", &EXACT.replace("        - { user: ada@contoso.com, role: Admin }\n", ""));
    scene.emulated(&["apply", "--yes"]).ended(4).says("error[last-admin]");
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), ["Admin"]);
}

/// The id decides, and the person who has the name is not taken for one that the file doesn't know.
#[test]
fn a_user_whose_id_nobody_has_is_no_stranger() {
    let scene = Scene::with(EXACT);
    scene.emulated(&["apply", "--yes"]).ended(0);
    let user = "{ user: grace@contoso.com, role: Admin }";
    let with_id = "{ user: grace@contoso.com, id: 00000000-0000-4000-8000-0000000000ff, role: Admin }";
    scene.write("palisade.yaml", &EXACT.replace(user, with_id));
    let run = scene.run(&["plan", "--emulator", "--emulator-strict", "--now", NOW]).ended(4);
    let run = run.says("error[principal-mismatch]").says("grace@contoso.com has the id");
    assert!(run.stdout.contains("(palisade.yaml:12:11)") && !run.stdout.contains("- delete"), "{}", run.stdout);
}
