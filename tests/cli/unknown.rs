//! Unknown is not absent, for every read and every way to fail.

use serde_json::{Value as Json, json};

use crate::live::Live;
use crate::support::{API_ON, EXACT, NOW, PROD, Run, Scene, changes, give, roles};

/// The ways in which an answer can fail to say anything. Waits pass on the simulated clock.
const WAYS: [(&str, &str); 12] = [
    ("forbidden", "{ status: { code: 403 } }"),
    ("unauthorised", "{ status: { code: 401 } }"),
    ("not found, which may mean not Admin", "{ status: { code: 404 } }"),
    ("throttled for longer than anybody waits", "{ status: { code: 429, headers: { Retry-After: '3600' } } }"),
    ("throttled again and again", "{ status: { code: 429, headers: { Retry-After: '1' } } }"),
    ("broken", "{ status: { code: 500 } }"),
    ("moved", "{ status: { code: 302, headers: { Location: 'http://127.0.0.1:9/' } } }"),
    ("reset", "reset"),
    ("truncated", "truncate"),
    ("not JSON", "{ status: { code: 200, body: '<html>' } }"),
    ("of another shape", "{ status: { code: 200, body: { value: 7 } } }"),
    ("empty", "{ status: { code: 200 } }"),
];

/// Everybody in this world is as declared, apart from zoe, who would be removed.
fn scene() -> Scene {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| give(world, PROD, "zoe@contoso.com", "Viewer"));
    std::fs::remove_file(scene.path(".palisade/journal.jsonl")).unwrap();
    scene
}

fn unknown(plan: &Json) -> Vec<String> {
    let scopes = plan["scopes"].as_array().unwrap().iter();
    let unknown = scopes.flat_map(|scope| scope["unknown"].as_array().unwrap());
    unknown.map(|unknown| unknown["address"].as_str().unwrap().to_owned()).collect()
}

/// Under `match: exact`, a list that can't be read removes nobody, gives nobody anything, and isn't "in sync".
#[test]
fn a_list_of_assignments_that_fails_in_any_way_changes_nothing() {
    let scene = scene();
    let before = scene.world();
    for (way, action) in WAYS {
        let rules = format!("- {{ operation: GET */rbac/assignments, action: {action} }}");
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
        assert_eq!(changes(&plan), [""; 0], "{way}");
        assert_eq!(unknown(&plan), ["prod/users"], "{way}");
        assert_eq!((&plan["summary"]["unknown"], &plan["summary"]["inSync"]), (&json!(1), &json!(1)), "{way}");
        scene.faulty(&rules, &["drift"]).ended(3);
        let report = scene.faulty(&rules, &["apply", "--yes", "--format", "json"]).ended(3);
        assert_eq!(report.outcomes(), [], "{way}");
        assert_eq!(scene.world(), before, "{way}");
        assert!(scene.journal().is_empty(), "{way}");
    }
}

/// Whoever may ask has a role, and whoever is listed has one: an answer without them isn't the list.
#[test]
fn a_list_that_leaves_something_out_changes_nothing() {
    let scene = scene();
    let before = scene.world();
    let id = "3b0c2c6e-0000-4000-8000-00000000f001";
    for body in ["[]".to_owned(), format!("[{{ principalId: {id}, principalType: user }}]")] {
        let rules =
            format!("- {{ operation: GET */rbac/assignments, action: {{ status: {{ code: 200, body: {body} }} }} }}");
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
        assert_eq!((changes(&plan), unknown(&plan)), (Vec::new(), vec!["prod/users".to_owned()]), "{body}");
        scene.faulty(&rules, &["apply", "--yes"]).ended(3);
        assert_eq!(scene.world(), before, "{body}");
    }
}

#[test]
fn api_access_that_cannot_be_read_is_neither_on_nor_off() {
    let scene = scene();
    for (way, action) in WAYS {
        let rules = format!("- {{ operation: GET */manage/apisubscription, action: {action} }}");
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
        assert_eq!(unknown(&plan), ["prod/apiAccess"], "{way}");
        assert_eq!(changes(&plan), ["delete prod/users/zoe@contoso.com"], "{way}: what could be read is still planned");
        scene.faulty(&rules, &["drift"]).ended(3);
    }
}

/// Before any setting is read, the environment itself has to be found.
#[test]
fn an_environment_that_cannot_be_found_is_unknown_as_a_whole() {
    let scene = scene();
    for path in ["GET /api/instances", "GET /api/instances/6f2b1c34-0000-4000-8000-00000000a001"] {
        for (way, action) in WAYS {
            let rules = format!("- {{ operation: {path}, action: {action} }}");
            let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
            assert_eq!((unknown(&plan), changes(&plan)), (vec!["prod".to_owned()], vec![]), "{way} {path}");
        }
    }
    let nobody = "- { operation: GET /api/instances, action: { status: { code: 200, body: [] } } }";
    let plan = scene.faulty(nobody, &["plan", "--format", "json"]).ended(3).json();
    assert_eq!((unknown(&plan), changes(&plan)), (vec!["prod".to_owned()], vec![]));
}

/// Whoever can't be looked up may be the very one who would be removed.
#[test]
fn a_directory_that_fails_removes_nobody_and_adds_nobody() {
    let scene = scene();
    for (way, action) in WAYS {
        let rules = format!("- {{ operation: POST /v1.0/$batch, action: {action} }}");
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
        assert_eq!(changes(&plan), [""; 0], "{way}");
        assert!(unknown(&plan).len() >= 3, "{way}: {plan:#}");
    }
    // Without the names of those who are there, removal still goes by their ids.
    let rules = "- { operation: POST /v1.0/directoryObjects/getByIds, action: { status: { code: 403 } } }";
    let plan = scene.faulty(rules, &["plan", "--format", "json"]).ended(0).json();
    assert_eq!(changes(&plan).len(), 1, "{plan:#}");
    assert!(changes(&plan)[0].starts_with("delete prod/users/add0"), "{plan:#}");
}

#[test]
fn roles_that_cannot_be_read_leave_what_needs_them_unknown() {
    let scene = scene();
    scene.change_world(|world| give(world, PROD, "ada@contoso.com", "Viewer"));
    for (way, action) in WAYS {
        let rules = format!("- {{ operation: GET */rbac/roles, action: {action} }}");
        let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
        assert_eq!(unknown(&plan), ["prod/users/ada@contoso.com"], "{way}");
    }
}

/// A caller whose own identity isn't told is still known from its token.
#[test]
fn the_callers_own_role_is_not_needed_while_the_token_names_it() {
    let scene = scene();
    let rules = "- { operation: GET */rbac/myrole, action: { status: { code: 500 } } }";
    scene.faulty(rules, &["plan"]).ended(0).says("delete users/zoe@contoso.com");
}

/// The list fails only when it is read again, just before the removal.
#[test]
fn a_fresh_look_that_fails_stops_the_removal() {
    for (way, action) in WAYS {
        let scene = scene();
        let rules = format!("- {{ operation: GET */rbac/assignments, nth: 2, action: {action} }}");
        // Where a failure is repeated, all repetitions fail as well.
        let rules =
            (2..12).fold(String::new(), |all, nth| all + &rules.replace("nth: 2", &format!("nth: {nth}")) + "\n");
        let run = scene.faulty(&rules, &["apply", "--yes", "--format", "json"]).ended(3);
        assert_eq!(run.outcomes(), [("prod/users/zoe@contoso.com".to_owned(), "notStarted".to_owned())], "{way}");
        assert!(run.stdout.contains("not sent"), "{way}: {}", run.stdout);
        assert_eq!(roles(&scene.world(), PROD, "zoe@contoso.com"), ["Viewer"], "{way}");
    }
}

/// An entry without a principal makes the list prove nothing about who is missing from it.
#[test]
fn a_list_with_an_entry_that_names_nobody_proves_no_absence() {
    let scene = scene();
    let world = scene.world();
    let mut list: Vec<Json> = world.instances[&PROD].assignments.iter().map(|held| json!(held)).collect();
    list.retain(|held| !held["principalId"].to_string().contains("add0"));
    let ada = world.users.iter().find(|(_, user)| user.user_principal_name == "ada@contoso.com").unwrap().0.to_string();
    for held in &mut list {
        if held["principalId"] == json!(ada) {
            held["principalId"] = Json::Null;
        }
    }
    let body = json!(list).to_string();
    let rules =
        format!("- {{ operation: GET */rbac/assignments, action: {{ status: {{ code: 200, body: {body} }} }} }}");
    let plan = scene.faulty(&rules, &["plan", "--format", "json"]).ended(3).json();
    assert_eq!(changes(&plan), [""; 0], "ada may well be there");
    assert!(unknown(&plan).contains(&"prod/users/ada@contoso.com".to_owned()), "{plan:#}");
}

#[test]
fn unknown_stands_out_in_the_plan() {
    let scene = scene();
    let rules = "- { operation: GET */rbac/assignments, action: { status: { code: 403, body: \
                 { errorCode: userIsNotInstanceAdministrator, message: No. } } } }";
    let plan = scene.faulty(rules, &["plan"]).ended(3).stdout;
    insta::assert_snapshot!(plan, @r"
    Target: tenant 7b1f0c52-0000-4000-8000-0000000000aa in the emulator's world 00000000-0000-4000-8000-000000000001

    prod (Contoso prod, europe, instance 6f2b1c34-0000-4000-8000-00000000a001)
      ? unknown users (palisade.yaml:9:7)
          Customer Insights answered 403 userIsNotInstanceAdministrator to GET /instances/{instanceId}/rbac/assignments: No (needs: Customer Insights role Admin in the environment) [Get-all-role-assignments]
      1 in sync

    Incomplete: 1 setting could not be read; there may be changes that palisade can't see; 1 in sync.
    ");
}

/// The same against an emulator of its own process, so that its log shows that no write was sent.
#[test]
fn a_forbidden_list_sends_no_write() {
    let scene = scene();
    let rules = "- { operation: GET */rbac/assignments, action: { status: { code: 403 } } }";
    let live = Live::faulty(scene.world(), rules);
    let run: Run = scene.run(&["apply", "--yes", "--now", NOW, &live.argument()]).ended(3);
    assert_eq!(live.writes(), [""; 0], "{}", run.stderr);
}

/// Who decides from the report sees what wasn't read, whatever else was done, and whatever is planned again.
#[test]
fn the_end_of_an_apply_names_what_could_not_be_read() {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    let rules = "- { operation: GET */rbac/assignments, action: { status: { code: 403 } } }";
    let run = scene.faulty(rules, &["apply", "--yes"]).ended(3);
    let run = run.says("not read     prod/users\n").says("Apply: 1 done; could not be read: prod/users.");
    assert!(run.stdout.contains("Customer Insights answered 403"), "{}", run.stdout);
    let report = scene.faulty(rules, &["apply", "--yes", "--format", "json"]).ended(3).json();
    assert_eq!(report["summary"]["unknown"], 1);
    scene.faulty(rules, &["apply", "--yes"]).ended(3).says("Apply: nothing was done; could not be read: prod/users.");
}

/// An outage is nobody's mistake.
#[test]
fn a_sign_in_that_fails_says_whose_turn_it_is() {
    let scene = Scene::with(EXACT);
    let down = "- { operation: POST */token, action: { status: { code: 503 } } }";
    let run = scene.faulty(down, &["plan"]).ended(1).complains("once Entra answers");
    assert!(!run.stderr.contains("PALISADE_EMULATOR_CLIENT_ID"), "{}", run.stderr);
    let wrong = "- { operation: POST */token, action: { status: { code: 401, body: { error: invalid_client } } } }";
    scene.faulty(wrong, &["plan"]).ended(1).complains("check PALISADE_EMULATOR_CLIENT_ID");
}
