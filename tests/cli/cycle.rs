//! Plan, apply, plan again; what a plan looks like, for people and for programs.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use crate::live::Live;
use crate::support::{API_ON, EXACT, NOW, PROD, Scene, TENANT, THREE, WORLD, changes, give, roles};

#[test]
fn plan_then_apply_then_plan_shows_no_changes() {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    scene.emulated(&["plan"]).ended(0).says("Plan: 4 changes");
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(2);
    scene.emulated(&["drift"]).ended(2).says("Drift: 4 changes");
    let report = scene.emulated(&["apply", "--yes", "--format", "json"]).ended(0).json();
    assert_eq!(
        report["summary"],
        json!({ "done": 4, "inEffect": 0, "unknown": 0, "failed": 0, "notStarted": 0, "waiting": 0, "refused": 0 })
    );
    let world = scene.world();
    assert_eq!(roles(&world, PROD, "ada@contoso.com"), ["Admin"]);
    assert_eq!(roles(&world, PROD, "creator@contoso.com"), [""; 0]);
    assert!(world.instances[&PROD].api_subscription.is_subscribed);

    for detailed in [&["plan"] as &[&str], &["plan", "--detailed-exitcode"], &["drift"]] {
        scene.emulated(detailed).ended(0).says("No changes: everything declared was read and is in sync");
    }
    let again = scene.emulated(&["apply", "--yes", "--format", "json"]).ended(0).json();
    assert_eq!(again["changes"], json!([]));
    let journal = scene.journal();
    assert_eq!(journal.len(), 8, "a line before and after each of the four writes");
}

#[test]
fn planning_and_looking_for_drift_send_no_write() {
    let scene = Scene::with(&format!("{THREE}{API_ON}"));
    let live = Live::serving(scene.fresh_world());
    for arguments in [&["plan", "--out", "plan.json"] as &[&str], &["plan", "--format", "json"], &["drift"]] {
        let run = scene.run(&[arguments, &[&live.argument()]].concat());
        assert!(matches!(run.status, Some(0 | 2)), "{}", run.stderr);
    }
    assert_eq!(live.writes(), [""; 0]);
    assert_eq!(live.world(), scene.fresh_world());
    let lists = live.requests().iter().filter(|seen| seen.path.ends_with("/rbac/assignments")).count();
    assert_eq!(lists, 9, "each of three environments was read once by each of three runs");
    let tokens = live.requests().iter().filter(|seen| seen.path.ends_with("/token")).count();
    assert_eq!(tokens, 9, "a run asks once for each of three audiences");
}

#[test]
fn without_an_approval_nothing_is_applied() {
    let scene = Scene::with(EXACT);
    let live = Live::serving(scene.fresh_world());
    scene
        .run(&["apply", &live.argument()])
        .ended(1)
        .complains("can't ask for confirmation: no terminal")
        .complains("--approved");
    assert_eq!(live.writes(), [""; 0]);
    assert!(scene.journal().is_empty());
}

/// The names that programs rely on.
#[test]
fn the_plan_as_json_has_the_promised_fields() {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    let rules = "- { operation: GET */apisubscription, action: { status: { code: 500 } } }";
    let plan = scene.faulty(rules, &["plan", "--format", "json"]).ended(3).json();
    let has = |value: &Json, fields: &[&str]| {
        for field in fields {
            assert!(value.get(field).is_some(), "`{field}` is missing in {value:#}");
        }
    };
    has(&plan, &["format", "tool", "intentDigest", "configDigest", "createdAt", "assumedNow", "expiresAt", "target"]);
    has(&plan, &["scopes", "notes", "summary"]);
    assert_eq!(plan["format"], "palisade.plan/2");
    assert_eq!(plan["tool"], json!({ "name": "palisade", "version": env!("CARGO_PKG_VERSION") }));
    assert_eq!(plan["target"], json!({ "kind": "emulator", "world": WORLD, "tenant": TENANT }));
    assert_eq!((&plan["createdAt"], &plan["assumedNow"]), (&json!(NOW), &json!(NOW)));
    let scope = &plan["scopes"][0];
    has(scope, &["scope", "identity", "declaration", "inSync", "changes", "unknown", "waiting"]);
    let change = &scope["changes"][0];
    has(
        change,
        &["address", "setting", "action", "direction", "risk", "impact", "provenance", "mode", "before", "after"],
    );
    has(change, &["preimage", "binds", "reason", "permissions", "source", "digest"]);
    has(&scope["identity"], &["kind", "instanceId", "environmentId", "name"]);
    assert_eq!(change["address"], "prod/users/ada@contoso.com");
    assert_eq!(change["after"], json!({ "role": "Admin" }));
    assert_eq!(change["source"], json!({ "file": "palisade.yaml", "line": 11, "column": 11 }));
    has(&scope["unknown"][0], &["address", "reason", "operation"]);
    has(&plan["notes"][0], &["code", "kind", "severity", "address", "message"]);
    let counts =
        ["changes", "hardens", "weakens", "neutral", "manual", "unknown", "waiting", "refused", "findings", "inSync"];
    has(&plan["summary"], &counts);
    for digest in [&plan["intentDigest"], &plan["configDigest"], &change["preimage"], &change["digest"]] {
        assert!(digest.as_str().unwrap().starts_with("sha256:"), "{digest}");
    }
}

#[test]
fn two_plans_of_the_same_things_differ_only_in_their_instants_and_the_seal_over_them() {
    let scene = Scene::with(THREE);
    let plan = |now: &str| scene.emulated_at(now, &["plan", "--format", "json"]).ended(0).stdout;
    let (one, two) = (plan(NOW), plan(NOW));
    assert_eq!(one, two);
    let mut early: Json = serde_json::from_str(&one).unwrap();
    let mut late: Json = serde_json::from_str(&plan("2026-11-20T21:31:07.5Z")).unwrap();
    assert_eq!(late["createdAt"], "2026-11-20T21:31:07Z");
    for field in ["createdAt", "assumedNow", "expiresAt", "seal"] {
        assert_ne!(early[field], late[field]);
        late[field] = early[field].take();
        early[field] = late[field].clone();
    }
    assert_eq!(early, late);
}

#[test]
fn the_time_zone_and_the_language_of_the_machine_do_not_matter() {
    let scene = Scene::with(EXACT);
    let plain = scene.emulated(&["plan", "--format", "json"]).ended(0).stdout;
    let mut odd = scene.command(&["plan", "--emulator", "--now", NOW, "--format", "json"]);
    odd.env("TZ", "Pacific/Chatham").env("LANG", "tr_TR.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
    let output = odd.output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), plain);
}

#[test]
fn a_saved_plan_is_what_json_prints() {
    let scene = Scene::with(EXACT);
    let run = scene.emulated(&["plan", "--format", "json", "--out", "plan.json"]).ended(0);
    assert_eq!(run.stdout, scene.read("plan.json"));
    scene
        .emulated(&["plan", "--out", "other.json"])
        .ended(0)
        .says("Plan: 3 changes")
        .complains("saved to other.json")
        .complains("apply it with: palisade apply other.json --emulator --now 2026-11-20T12:00:00Z\n");
    assert_eq!(scene.read("other.json"), scene.read("plan.json"));
    let quiet = scene.emulated(&["plan", "-q", "--out", "third.json"]).ended(0);
    assert_eq!(quiet.stderr, "");
    scene.emulated(&["plan", "--out", "no/such/folder/plan.json"]).ended(1).complains("can't be written");
}

#[test]
fn environments_are_printed_in_the_files_order() {
    let scene = Scene::with(THREE);
    let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
    let ada = |environment| format!("create {environment}/users/ada@contoso.com");
    let found: Vec<_> = changes(&plan).into_iter().filter(|change| change.contains("ada@")).collect();
    assert_eq!(found, ["prod", "test", "dev"].map(ada));
}

/// What adds comes before what takes away.
#[test]
fn nobody_is_removed_before_everybody_was_added() {
    let scene = Scene::with(&format!("{EXACT}    apiAccess: {{ enabled: false }}\n"));
    let mut world = scene.fresh_world();
    give(&mut world, PROD, "ada@contoso.com", "Contributor");
    give(&mut world, PROD, "zoe@contoso.com", "Viewer");
    world.instances.get_mut(&PROD).unwrap().api_subscription.is_subscribed = true;
    let live = Live::serving(world);
    // An outage isn't for `--yes`.
    scene
        .run(&["apply", "--yes", &live.argument()])
        .ended(4)
        .complains("disable of prod/apiAccess, which is an outage");
    assert_eq!(live.writes().len(), 0);
    scene.run(&["plan", "--out", "plan.json", &live.argument()]).ended(0);
    scene.run(&["apply", "plan.json", &live.argument()]).ended(0);
    let writes: Vec<_> = live.writes().iter().map(|write| write.split(' ').next().unwrap().to_owned()).collect();
    let off = live.writes().iter().position(|write| write.ends_with("/deactivate")).unwrap();
    assert_eq!(writes.len(), 5);
    assert_eq!(writes.iter().filter(|method| *method == "DELETE").count(), 2);
    let last_grant = live.writes().iter().rposition(|write| write.starts_with("PUT") && write.ends_with("/assignment"));
    let first_loss = writes.iter().position(|method| method == "DELETE").unwrap();
    assert!(last_grant.unwrap() < first_loss.min(off), "{:#?}", live.writes());
}

#[test]
fn a_person_can_read_the_plan() {
    let group = "        - { group: Admins, id: 3b0c2c6e-0000-4000-8000-00000000c001, role: Admin }\n";
    let scene = Scene::with(&format!("{EXACT}{group}    apiAccess: {{ enabled: false }}\n"));
    scene.change_world(|world| {
        give(world, PROD, "ada@contoso.com", "Contributor");
        give(world, PROD, "grace@contoso.com", "Admin");
        give(world, PROD, "zoe@contoso.com", "Viewer");
        world.instances.get_mut(&PROD).unwrap().api_subscription.is_subscribed = true;
    });
    assert_snapshot!(scene.emulated(&["plan"]).ended(0).stdout, @r"
    Target: tenant 7b1f0c52-0000-4000-8000-0000000000aa in the emulator's world 00000000-0000-4000-8000-000000000001

    prod (Contoso prod, europe, instance 6f2b1c34-0000-4000-8000-00000000a001)
      ~ update  users/ada@contoso.com                             Contributor -> Admin  weakens, high risk
          ada (user): declared as Admin, and has Contributor (palisade.yaml:11:11)
          warning[grants-dataverse-admin] the role Admin also makes it System Administrator in the linked Dataverse environment
      + create  users/group:3b0c2c6e-0000-4000-8000-00000000c001  Admin                 weakens, high risk
          Admins (group): declared, and not in the environment (palisade.yaml:14:11)
          warning[grants-dataverse-admin] the role Admin also makes every member System Administrator in the linked Dataverse environment
          note[group-reach] reaches 2 members, those of nested groups included
      - delete  users/creator@contoso.com                         Admin                 hardens, high risk, interrupts
          creator (user): not declared, and `match: exact` removes everybody else (palisade.yaml:9:7)
      - delete  users/zoe@contoso.com                             Viewer                hardens, interrupts
          zoe (user): not declared, and `match: exact` removes everybody else (palisade.yaml:9:7)
      - disable apiAccess                                         on -> off             hardens, CRITICAL, OUTAGE, undocumented operation
          API access for every client of the environment: declared off, currently on (palisade.yaml:15:18)
          warning[cuts-api-clients] cuts off every API client of the environment: neither key works while API access is off
            help: whether the keys outlive that isn't published; expect new keys, which every client must be given, once access is switched on again
      2 in sync

    Plan: 5 changes (3 hardening, 2 weakening); 2 in sync.
    Goes down: API access for every client of the environment
    Loses Admin: creator (user)
    Loses access: zoe (user)
    Gains Admin: ada (user), Admins (group)
    Intent sha256:7a3de1d78cbad6fd781775027e05030f61243042224bb6505919e8176ff61c41
    ");
}

#[test]
fn a_person_can_read_the_report() {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    scene.emulated(&["plan"]).says("Opens: API access for every client of the environment\n");
    let rules = "- { operation: PUT */assignment, nth: 2, action: { status: { code: 400, body: \
                 { errorCode: invalidApiParameter, message: Not today. } } } }";
    let run = scene.faulty(rules, &["apply", "--yes"]).ended(5);
    let (_, report) = run.stdout.split_once("Intent ").unwrap();
    let (_, report) = report.split_once('\n').unwrap();
    assert_snapshot!(report.trim_start(), @"
    failed       create prod/users/grace@contoso.com: grace (user)
                 Customer Insights answered 400 invalidApiParameter to PUT /instances/{instanceId}/rbac/principals/{principalId}/assignment: Not today
    not started  delete prod/users/creator@contoso.com: creator (user)
                 nothing is taken away in this environment after an earlier change in it failed
    done         enable prod/apiAccess: API access for every client of the environment
    done         create prod/users/ada@contoso.com: ada (user)

    Apply: 2 done, 1 failed, 1 not started.
    Completed changes are kept. Run `palisade plan` to see what remains.
    ");
    assert_snapshot!(run.stderr, @r"
    prod/apiAccess: turn API access on
    prod/apiAccess: done
    prod/users/ada@contoso.com: give ada (user) the role Admin
    prod/users/ada@contoso.com: done
    prod/users/grace@contoso.com: give grace (user) the role Admin
    prod/users/grace@contoso.com: failed
    prod/users/creator@contoso.com: not started
    ");
}
