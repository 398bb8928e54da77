//! Before each write the environment's identity is read again: name, tenant, state, region and organisation.

use palisade::apply::Status;

use crate::scene::{PROD, Scene, everything};

/// From the nth time on, an operation answers with this.
fn from(nth: u32, operation: &str, body: &str) -> String {
    let rule = |nth| {
        format!("- {{ operation: {operation}, nth: {nth}, action: {{ status: {{ code: 200, body: {body} }} }} }}\n")
    };
    (nth..nth + 30).map(rule).collect()
}

/// The plan reads the instance once; everything after that is a look before, or after, a write.
#[tokio::test]
async fn an_environment_that_changed_since_the_plan_gets_no_write() {
    let metadata = |more: &str| format!("{{ instanceId: {PROD}, {more} }}");
    let instance = format!("GET /api/instances/{PROD}");
    let active = "provisioningState: active, region: europe";
    let table = [
        (instance.as_str(), metadata(&format!("name: fabrikam, {active}")), "name-mismatch"),
        (&instance, metadata("name: prod, provisioningState: deleting, region: europe"), "not-active"),
        (&instance, metadata("name: prod, provisioningState: active, region: moon"), "environment-mismatch"),
        (
            &instance,
            metadata(&format!("name: prod, {active}, bapEnvironmentId: 1bd6bd98-0000-4000-8000-00000000e00f")),
            "environment-mismatch",
        ),
        (
            "GET /api/instances",
            format!("[{{ instanceId: {PROD}, tenantId: 99999999-0000-4000-8000-0000000000aa }}]"),
            "tenant-mismatch",
        ),
    ];
    for (operation, body, code) in table {
        let scene = Scene::with(&everything(), |_| {}, &from(2, operation, &body), None).await;
        let before = scene.emulator.world();
        let plan = scene.plan().await;
        assert!(plan.summary.changes > 3 && plan.summary.refused == 0, "{code}: {:?}", plan.notes);
        let report = scene.apply(&plan).await;
        let refused = report.changes.iter().filter(|applied| applied.status == Status::Refused);
        let reasons: Vec<_> = refused.map(|applied| applied.reason.as_str()).collect();
        assert!(reasons.len() > 2 && reasons.iter().all(|reason| reason.starts_with(code)), "{code}: {reasons:?}");
        // The others require one of them, or would take something away after it.
        let not_started = report.changes.iter().filter(|applied| applied.status == Status::NotStarted).count();
        assert_eq!(reasons.len() + not_started, report.changes.len(), "{code}: {report:?}");
        assert_eq!(scene.emulator.world(), before, "{code}");
    }
}

/// One that can't be read any more gets no write either, not even in Azure.
#[tokio::test]
async fn an_environment_that_can_not_be_read_again_gets_no_write() {
    for operation in ["GET /api/instances".to_owned(), format!("GET /api/instances/{PROD}")] {
        let faults: String = (2..40)
            .map(|nth| format!("- {{ operation: {operation}, nth: {nth}, action: {{ status: {{ code: 403 }} }} }}\n"))
            .collect();
        let scene = Scene::with(&everything(), |_| {}, &faults, None).await;
        let before = scene.emulator.world();
        let plan = scene.plan().await;
        let report = scene.apply(&plan).await;
        assert!(!report.changes.is_empty());
        assert!(
            report.changes.iter().all(|applied| applied.unread || applied.status == Status::NotStarted),
            "{report:?}"
        );
        assert_eq!(scene.emulator.world(), before);
    }
}

/// Every write is preceded by reads of its own: a run of n changes reads the instance at least n times more than its plan.
#[tokio::test]
async fn each_write_has_a_look_of_its_own() {
    let scene = Scene::of(&everything()).await;
    let plan = scene.plan().await;
    assert_eq!(scene.count("GET", &format!("/instances/{PROD}")), 1);
    let report = scene.apply(&plan).await;
    let done = report.changes.iter().filter(|applied| applied.status == Status::Done).count();
    assert!(done > 3, "{report:?}");
    assert!(scene.count("GET", &format!("/instances/{PROD}")) > report.changes.len(), "{report:?}");
    assert!(scene.count("GET", "/api/instances") > report.changes.len(), "{report:?}");
}

/// A fresh look says when it began, and remembers nothing of the one before.
#[tokio::test]
async fn fresh_facts_carry_their_instant() {
    let scene = Scene::of(&everything()).await;
    let (survey, environment) = (scene.survey().await, &scene.configuration.environments[0]);
    let first = survey.setting(environment, "users").await.unwrap();
    scene.clock.advance(std::time::Duration::from_secs(60));
    let second = survey.setting(environment, "users").await.unwrap();
    assert_eq!(second.at().duration_since(first.at()).as_secs(), 60);
    assert_eq!(scene.count("GET", "/rbac/assignments"), 2);
    assert_eq!(scene.count("POST", "/$batch"), 2);
}

/// Who is who is asked once for all additions, but for the one that is being made: the look-ups of a plan grow with its users, and
/// not with their square.
#[tokio::test]
async fn additions_do_not_look_everybody_up_again() {
    let asked = async |users: usize| {
        let list: String =
            (0..users).map(|number| format!("        - {{ user: u{number}@contoso.com, role: Viewer }}\n")).collect();
        let text =
            everything().replace("      match: exact\n      assignments:\n", &format!("      assignments:\n{list}"));
        let scene = Scene::of(&text).await;
        let plan = scene.plan().await;
        let before = scene.count("POST", "/$batch");
        let report = scene.apply(&plan).await;
        assert_eq!((report.summary.failed, report.summary.not_started), (0, 0), "{report:?}");
        (
            report.changes.iter().filter(|applied| applied.address.as_str().contains("/users/")).count(),
            scene.count("POST", "/$batch") - before,
        )
    };
    let (few, many) = (asked(20).await, asked(60).await);
    assert_eq!(many.0 - few.0, 40);
    // One batch for each user more, and the first look's: four for sixty users in place of two for twenty, and some for the others.
    assert!(many.1 - few.1 <= 40 + 8, "{few:?} {many:?}");
}

/// What is remembered of others is nothing that a removal may rest on, and grows old.
#[tokio::test]
async fn what_is_remembered_is_for_additions_only_and_not_for_long() {
    let scene = Scene::of(&everything()).await;
    let (survey, environment) = (scene.survey().await, &scene.configuration.environments[0]);
    let address = palisade::plan::Address::written("prod/users/ada@contoso.com");
    // Without a look before, everything is read.
    assert!(survey.addition(environment, "users", &address).await.unwrap().fresh().is_some());
    let batches = scene.count("POST", "/$batch");
    assert!(survey.addition(environment, "users", &address).await.unwrap().fresh().is_none());
    assert_eq!(scene.count("POST", "/$batch") - batches, 1, "the principal itself is looked up again");
    // A setting that names no principal at the address, and an address of none, are read as a whole.
    for (setting, at) in [("apiAccess", "prod/apiAccess"), ("users", "prod/users/creator@contoso.com")] {
        let read = survey.addition(environment, setting, &palisade::plan::Address::written(at)).await.unwrap();
        assert!(read.fresh().is_some(), "{at}");
    }
    scene.clock.advance(std::time::Duration::from_secs(301));
    assert!(survey.addition(environment, "users", &address).await.unwrap().fresh().is_some());
}
