//! Managed Environments, and the Power Platform environment behind a configuration's `environmentId`.

use jiff::SignedDuration;
use palisade::emulator::World;

use crate::support::{EXACT, NOW, PROD, Run, Scene, changes, roles};

/// After the operations of a run have ended by the world's clock, which each run begins anew.
const LATER: &str = "2026-11-20T13:00:00Z";

const ID: &str = "1bd6bd98-0000-4000-8000-00000000e001";

const MANAGED: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    name: Contoso prod
    managedEnvironment: { enabled: true }
";

/// The same without an instance.
fn alone() -> String {
    MANAGED.replace("    instanceId: 6f2b1c34-0000-4000-8000-00000000a001\n", "")
}

/// A scene whose environment isn't managed, in a world that is changed further.
fn scene(configuration: &str, change: impl FnOnce(&mut World)) -> Scene {
    let scene = Scene::with(configuration);
    scene.change_world(|world| {
        world.power_platform_environments.get_mut(ID).unwrap().protection_level = "Basic".to_owned();
        change(world);
    });
    scene
}

fn is_managed(scene: &Scene) -> bool {
    scene.world().power_platform_environments[ID].protection_level == "Standard"
}

/// How many writes the journal has.
fn writes(scene: &Scene) -> usize {
    let journal = scene.journal();
    let begun = journal.iter().filter(|entry| entry["moment"] == "started");
    begun.filter(|entry| entry["operation"] == "platform-enable-managed").count()
}

#[test]
fn it_is_switched_on_once_and_then_in_sync() {
    for configuration in [MANAGED.to_owned(), alone()] {
        let scene = scene(&configuration, |_| {});
        let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
        assert_eq!(changes(&plan), ["enable prod/managedEnvironment"]);
        scene.emulated(&["apply", "--yes"]).ended(0).says("1 done");
        scene.emulated_at(LATER, &["plan", "--detailed-exitcode"]).ended(0).says("1 in sync");
        assert!(is_managed(&scene));
        let settings = &scene.world().power_platform_environments[ID].extended_settings;
        assert_eq!(settings["limitSharingMode"], "noLimit", "what wasn't asked for stays");
    }
}

/// It is begun once, left with 6, found again by the next run, and neither repeated nor alarmed about.
#[test]
fn an_operation_of_days_is_left_and_found_again() {
    let scene = scene(MANAGED, |world| world.behaviour.lifecycle_operation_time = SignedDuration::from_hours(96));
    scene.emulated(&["apply", "--yes"]).ended(6).says("it is still under way (EnableGovernanceConfiguration");
    assert_eq!(writes(&scene), 1);
    let later = "2026-11-22T12:00:00Z";
    let plan = scene.emulated_at(later, &["plan", "--format", "json"]).ended(0).json();
    assert_eq!(changes(&plan), [""; 0]);
    let waiting = &plan["scopes"][0]["waiting"][0];
    assert_eq!(
        (waiting["address"].as_str(), waiting["for"].as_str()),
        (Some("prod/managedEnvironment"), Some("service"))
    );
    assert!(waiting["detail"].as_str().unwrap().contains("for 2 days"), "{waiting}");
    assert!(waiting["since"].as_str().unwrap().starts_with(&NOW[..16]), "{waiting}");
    scene.emulated_at(later, &["plan", "--detailed-exitcode"]).ended(6);
    scene.emulated_at(later, &["apply", "--yes"]).ended(6);
    assert_eq!(writes(&scene), 1);
    scene.emulated_at("2026-11-25T12:00:00Z", &["plan", "--detailed-exitcode"]).ended(0).says("1 in sync");
}

#[test]
fn what_failed_is_tried_once_more_and_then_left_to_a_person() {
    let scene = scene(MANAGED, |world| world.behaviour.lifecycle_operations_fail = true);
    for (now, before) in [
        (NOW, "declared on, currently off"),
        ("2026-11-21T12:00:00Z", "it was tried before and failed: EnableGovernanceConfiguration failed"),
    ] {
        scene.emulated_at(now, &["plan"]).ended(0).says(before);
        scene.emulated_at(now, &["apply", "--yes"]).ended(5).says("but then EnableGovernanceConfiguration failed");
    }
    let now = "2026-11-22T12:00:00Z";
    scene.emulated_at(now, &["plan", "--detailed-exitcode"]).ended(6).says("failed 2 times in a row");
    scene.emulated_at(now, &["apply", "--yes"]).ended(6);
    assert!(!is_managed(&scene));
}

/// Whatever shows now: what is being changed isn't in sync, and nor is what may be.
#[test]
fn what_is_being_switched_off_is_not_in_sync() {
    let list = |state: &str, kind: &str| {
        let operation = format!("{{ id: o, type: {{ id: {kind} }}, state: {{ id: {state} }} }}");
        format!(
            "- {{ operation: GET */lifecycleOperations, action: {{ status: {{ code: 200, body: {{ value: [{operation}] }} }} }} }}"
        )
    };
    let scene = Scene::with(MANAGED);
    let off = list("Running", "DisableGovernanceConfiguration");
    scene.faulty(&off, &["drift"]).ended(6).says("DisableGovernanceConfiguration");
    scene.faulty(&off, &["apply", "--yes"]).ended(6);
    scene.faulty(&list("Paused", "DisableGovernanceConfiguration"), &["drift"]).ended(3).says("in the state `Paused`");
    let unread = "- { operation: GET */lifecycleOperations, action: { status: { code: 403 } } }";
    scene.faulty(unread, &["drift"]).ended(3);
    // What goes on elsewhere changes nothing of it.
    scene.faulty(&list("Running", "Backup"), &["drift"]).ended(0);
}

/// Something else goes on: the change is wanted, isn't made, and comes later.
#[test]
fn another_operation_is_waited_for() {
    let scene = scene(MANAGED, |_| {});
    let operation = "{ id: o, type: { id: Backup }, state: { id: Running } }";
    let rule = format!(
        "- {{ operation: GET */lifecycleOperations, action: {{ status: {{ code: 200, body: {{ value: [{operation}] }} }} }} }}"
    );
    scene
        .faulty(&rule, &["drift"])
        .ended(2)
        .says("it has to wait: Power Platform is at work on the environment (Backup");
    scene.faulty(&rule, &["apply", "--yes"]).ended(6).says("Backup");
    assert!(!is_managed(&scene));
    let deleting = "linkedEnvironmentMetadata: null, governanceConfiguration: { protectionLevel: Basic }, states: { management: { id: Deleting } }";
    let body = format!("{{ name: {ID}, properties: {{ displayName: Contoso prod, {deleting} }} }}");
    let rule = format!(
        "- {{ operation: GET */scopes/admin/environments/*, action: {{ status: {{ code: 200, body: {body} }} }} }}"
    );
    scene.write("palisade.yaml", &alone());
    scene.faulty(&rule, &["apply", "--yes"]).ended(6).says("its management state is `Deleting`");
    assert!(!is_managed(&scene));
}

/// An operation that succeeded shows late: it is waited for, and not begun again.
#[test]
fn a_success_that_shows_late_is_neither_repeated_nor_reported_as_a_failure() {
    let scene = scene(MANAGED, |world| {
        world.behaviour.lifecycle_operation_time = SignedDuration::from_secs(1);
        world.behaviour.lifecycle_stale_reads = 500;
    });
    scene
        .emulated(&["apply", "--yes", "--wait", "5s"])
        .ended(6)
        .says("the operation succeeded, and its effect doesn't show yet");
    let later = "2026-11-20T12:02:00Z";
    scene.emulated_at(later, &["plan", "--detailed-exitcode"]).ended(6).says("says that switching it on succeeded");
    let run = scene.emulated_at(later, &["apply", "--yes", "-vv"]).ended(6);
    assert!(!run.stderr.contains("POST platform-enable-managed"), "{}", run.stderr);
}

/// An environment of another tenant is refused, whichever contract tells.
#[test]
fn an_environment_of_another_tenant_is_refused() {
    let scene = scene(&alone(), |_| {});
    let tenant = "tenantId: 99999999-0000-4000-8000-0000000000aa";
    let body = format!("{{ name: {ID}, properties: {{ displayName: Contoso prod, {tenant} }} }}");
    let rule = format!(
        "- {{ operation: GET */scopes/admin/environments/*, action: {{ status: {{ code: 200, body: {body} }} }} }}"
    );
    scene.faulty(&rule, &["plan"]).ended(4).says("error[tenant-mismatch]");
}

/// With and without a body, a conflict is neither success nor a reason to send it again.
#[test]
fn a_conflict_is_decided_by_what_is_there() {
    for body in ["", ", body: { errorDetail: { code: OperationNotStartable } }"] {
        let scene = scene(MANAGED, |_| {});
        let rules = format!("- {{ operation: POST */enableManaged, action: {{ status: {{ code: 409{body} }} }} }}");
        let run = scene.faulty(&rules, &["apply", "--yes"]);
        assert!(matches!(run.status, Some(4 | 5)), "{run:?}");
        run.says("Power Platform refused it (409");
        assert!(!is_managed(&scene));
    }
}

/// One world after another in which the two ids aren't known to belong together.
#[test]
fn nothing_is_changed_in_an_environment_that_may_be_another_one() {
    let environment = |world: &mut World, change: fn(&mut palisade::emulator::PlatformEnvironment)| {
        change(world.power_platform_environments.get_mut(ID).unwrap());
    };
    let run = |change: &dyn Fn(&mut World)| -> (Run, Run) {
        let scene = scene(MANAGED, change);
        let ends = (scene.emulated(&["plan"]), scene.emulated(&["apply", "--yes"]));
        assert!(!is_managed(&scene));
        ends
    };
    let (plan, apply) = run(&|world| {
        environment(world, |live| {
            live.dataverse.as_mut().unwrap().instance_url = "https://fabrikam.crm4.dynamics.com/".into()
        });
    });
    plan.ended(4).says("error[environment-mismatch]").says("https://fabrikam.crm4.dynamics.com");
    apply.ended(4);
    let (plan, apply) = run(&|world| environment(world, |live| live.dataverse = None));
    plan.ended(4).says("has none");
    apply.ended(4);
    let (plan, apply) = run(&|world| world.instances.get_mut(&PROD).unwrap().metadata.cds_org_info = None);
    plan.ended(3).says("it isn't known whether `instanceId` and `environmentId` belong together");
    apply.ended(3);
    // An organisation whose address isn't told is neither the instance's nor none.
    let metadata =
        "linkedEnvironmentMetadata: { friendlyName: Contoso }, governanceConfiguration: { protectionLevel: Basic }";
    let body = format!("{{ name: {ID}, properties: {{ {metadata} }} }}");
    let rule = format!(
        "- {{ operation: GET */scopes/admin/environments/*, action: {{ status: {{ code: 200, body: {body} }} }} }}"
    );
    scene(MANAGED, |_| {}).faulty(&rule, &["plan"]).ended(3).says("doesn't tell the address");
    // To a caller that may not administer it, the service says that there is none.
    let (plan, apply) = run(&|world| world.admin_applications.clear());
    plan.ended(3).says("or this identity may not administer it");
    apply.ended(3);
}

/// One service that doesn't answer leaves what others hold alone.
#[test]
fn users_are_changed_although_power_platform_shows_nothing() {
    let scene = scene(&format!("{EXACT}    managedEnvironment: {{ enabled: true }}\n"), |world| {
        world.admin_applications.clear();
    });
    let plan = scene.emulated(&["plan", "--format", "json"]).ended(3).json();
    assert!(changes(&plan).contains(&"create prod/users/ada@contoso.com".to_owned()));
    assert_eq!(plan["summary"]["unknown"], 1);
    scene.emulated(&["apply", "--yes"]).ended(3);
    assert_eq!(roles(&scene.world(), PROD, "ada@contoso.com"), ["Admin"]);
    assert!(!is_managed(&scene));
}

/// Nor does one that takes longer than the run has time for, whichever it is.
#[test]
fn a_slow_service_keeps_nothing_of_the_other_back() {
    let scene = scene(&format!("{EXACT}    managedEnvironment: {{ enabled: true }}\n"), |_| {});
    let planned = |slow: &str| {
        let rule = format!("- {{ operation: {slow}, action: {{ delay: {{ by: PT25S }} }} }}");
        let plan = scene.faulty(&rule, &["plan", "--timeout", "3s", "--format", "json"]).ended(3).json();
        let unknown = plan["scopes"][0]["unknown"].as_array().unwrap().iter();
        (changes(&plan), unknown.map(|one| one["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let (changed, unknown) = planned("GET /providers/Microsoft.BusinessAppPlatform/*");
    assert!(changed.contains(&"create prod/users/ada@contoso.com".to_owned()), "{changed:?}");
    assert_eq!(unknown, ["prod/managedEnvironment"]);
    // Without the instance, whose Power Platform environment it is isn't known.
    let (changed, unknown) = planned("GET /api/instances");
    assert_eq!(changed, [""; 0]);
    assert_eq!(unknown, ["prod", "prod/managedEnvironment"]);
}

/// By the published contract alone, where operations that only Microsoft's modules call are left to people.
#[test]
fn it_is_switched_on_by_published_operations_alone() {
    let published = MANAGED.replace("0aa }", "0aa, unpublishedOperations: { observed: manual } }");
    let scene = scene(&published, |_| {});
    // What would have to be asked otherwise fails.
    let rules = "- { operation: '*/providers/Microsoft.BusinessAppPlatform/*', action: { status: { code: 500 } } }";
    scene.write("faults.yaml", rules);
    let cloud = |now: &str, command: &[&str]| {
        scene.emulated_at(now, &[command, &["--as-cloud", "--emulator-faults", "faults.yaml"]].concat())
    };
    cloud(NOW, &["plan"]).ended(0).says("enable managedEnvironment");
    cloud(NOW, &["apply", "--yes"]).ended(0).says("1 done");
    cloud(LATER, &["plan", "--detailed-exitcode"]).ended(0);
    assert!(is_managed(&scene));
}

#[test]
fn without_an_instance_the_name_is_that_of_the_power_platform_environment() {
    let scene = scene(&alone().replace("Contoso prod", "Contoso test"), |world| {
        world.power_platform_environments.get_mut(ID).unwrap().display_name = "Contoso prod".to_owned();
    });
    scene.emulated(&["plan"]).ended(4).says("error[name-mismatch]").says("called `Contoso prod`");
    scene.emulated(&["apply", "--yes"]).ended(4);
    assert!(!is_managed(&scene));
}

/// What a run could not read can't prove that nothing requires a Managed Environment.
#[test]
fn it_is_never_switched_off() {
    let scene = Scene::with(&MANAGED.replace("enabled: true", "enabled: false"));
    scene.emulated(&["plan"]).ended(4).says("error[managed-in-use]").says("Customer Lockbox");
    scene.emulated(&["apply", "--yes"]).ended(4);
    assert!(is_managed(&scene));
}

#[test]
fn the_example_manages_all_environments_but_one() {
    let scene = Scene::with(include_str!("../../examples/managed-environment.yaml"));
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0).says("2 in sync");
    scene.change_world(|world| {
        let ids: Vec<String> = world.power_platform_environments.keys().cloned().collect();
        assert_eq!(ids.len(), 3);
        ids.iter().for_each(|id| {
            world.power_platform_environments.get_mut(id).unwrap().protection_level = "Basic".to_owned();
        });
    });
    let plan = scene.emulated(&["plan", "--format", "json"]).ended(0).json();
    assert_eq!(changes(&plan), ["enable prod/managedEnvironment", "enable sandbox/managedEnvironment"]);
    scene.emulated(&["apply", "--yes"]).ended(0).says("2 done");
    scene.emulated_at(LATER, &["drift"]).ended(0);
}

/// An instance that is seeded for an environment of before is that environment's.
#[test]
fn an_instance_that_is_named_later_belongs_to_the_environment_that_was_there() {
    let head = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nenvironments:\n  prod:\n";
    let hosted = "    environmentId: 1bd6bd98-0000-4000-8000-00000000e001\n    managedEnvironment: { enabled: true }\n";
    let scene = Scene::with(&format!("{head}{hosted}"));
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
    let instance = "    instanceId: 6f2b1c34-0000-4000-8000-00000000a001\n";
    scene.write("palisade.yaml", &format!("{head}{instance}{hosted}"));
    scene.emulated(&["plan", "--detailed-exitcode"]).ended(0);
}
