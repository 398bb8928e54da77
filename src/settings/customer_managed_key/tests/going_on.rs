//! What is done while something goes on in the environment, and after it failed.

use jiff::SignedDuration;

use super::*;
use crate::azure::power_platform::operations::Kind;
use crate::settings::customer_managed_key::codes;
use crate::settings::lifecycle::UnderWay;

fn under_way(hours: i64) -> UnderWay {
    UnderWay {
        what: "NewCustomerManagedKey".into(),
        stage: Some("Run Running".into()),
        since: Some(now() - SignedDuration::from_hours(hours)),
    }
}

#[test]
fn while_it_is_being_changed_nothing_is_begun_and_nothing_is_in_sync() {
    for scene in [Scene::ready(), Scene::bare(), Scene::linked(), Scene::swapping()] {
        let scene = scene.with(|scene| scene.observed.course = Ok(Course::UnderWay(under_way(2))));
        let findings = scene.findings();
        assert_eq!((findings.changes.len(), findings.in_sync, findings.waiting.len()), (0, 0, 1), "{}", scene.told());
        assert!(findings.under_way.is_some());
        let detail = &findings.waiting[0].detail;
        assert!(
            detail.contains("stage Run Running, for 2 hours") && detail.contains("users are locked out"),
            "{detail}"
        );
    }
    // What stands of an approved chain shows all the same, so that the approval holds.
    let ready = Scene::ready().with(|scene| scene.observed.course = Ok(Course::UnderWay(under_way(2))));
    let shown: Vec<String> = ready.findings().in_effect.iter().map(|it| it.within_scope().to_owned()).collect();
    for address in ["policy", "key/vault", "key/recovered", "grants/kv-cmk"] {
        assert!(shown.contains(&format!("customerManagedKey/{address}")), "{address}: {shown:?}");
    }
}

#[test]
fn it_is_no_alarm_before_the_documented_limit() {
    let codes_at =
        |hours| Scene::ready().with(|scene| scene.observed.course = Ok(Course::UnderWay(under_way(hours)))).codes();
    assert!(!codes_at(96).contains(&codes::CMK_OVERDUE));
    assert!(codes_at(97).contains(&codes::CMK_OVERDUE));
}

#[test]
fn what_may_be_changing_it_leaves_it_unknown() {
    let scene =
        Scene::linked().with(|scene| scene.observed.course = Ok(Course::Unclear("an operation goes on".into())));
    assert_eq!(scene.told(), "unknown customerManagedKey");
}

#[test]
fn another_operation_is_waited_for_by_the_write_and_changes_nothing_of_what_is_in_sync() {
    let elsewhere = |scene: &mut Scene| {
        scene.observed.course = Ok(Course::Elsewhere(UnderWay { what: "Backup".into(), ..under_way(1) }));
        scene.live.runtime = Some(Runtime::Disabled);
    };
    assert_eq!(Scene::linked().with(elsewhere).told(), "in sync");
    let scene = Scene::ready().with(elsewhere);
    assert_eq!(scene.told(), "link customerManagedKey");
    let reason = scene.findings().changes[0].change.reason.clone();
    assert!(reason.contains("it has to wait: ") && reason.contains("Backup"), "{reason}");
}

#[test]
fn what_failed_is_tried_once_more_and_then_left_to_a_person() {
    let failed = |times| {
        let course = Course::Failed { times, why: "NewCustomerManagedKey failed".into() };
        Scene::ready().with(|scene| scene.observed.course = Ok(course))
    };
    assert_eq!(failed(1).told(), "link customerManagedKey");
    assert_eq!(failed(2).told(), "waits customerManagedKey Person");
    assert_eq!(failed(1).findings().changes[0].change.intent(), Scene::ready().findings().changes[0].change.intent());
}

#[test]
fn a_success_that_shows_late_is_waited_for() {
    const LATE: &str = "waits customerManagedKey Service";
    let succeeded = |scene: Scene, what: Kind, minutes| {
        let at = Some(now() - SignedDuration::from_mins(minutes));
        scene.with(|scene| scene.observed.course = Ok(Course::Succeeded { what, at })).told()
    };
    let (new, swap, back) = (Kind::NewCustomerManagedKey, Kind::RotateCustomerManagedKey, Kind::RevertToMicrosoftKey);
    assert_eq!(succeeded(Scene::ready(), new.clone(), 5), LATE);
    assert_eq!(succeeded(Scene::ready(), swap.clone(), 5), LATE);
    assert_eq!(succeeded(Scene::ready(), new.clone(), 120), "link customerManagedKey");
    assert_eq!(succeeded(Scene::ready(), new.clone(), -600), "link customerManagedKey", "by a clock that is far ahead");
    let microsoft = |scene: &mut Scene| scene.declared.wanted = Wanted::Microsoft;
    assert_eq!(succeeded(Scene::ready().with(microsoft), new.clone(), 5), LATE, "it may be about to show a link");
    assert_eq!(succeeded(Scene::ready().with(microsoft), back.clone(), 5), "in sync");
    assert_eq!(succeeded(Scene::ready(), back.clone(), 5), "link customerManagedKey", "what shows is what it led to");
    assert_eq!(succeeded(Scene::swapping(), swap.clone(), 5), LATE);
    assert_eq!(succeeded(Scene::swapping(), new, 5), "link customerManagedKey", "what shows is what it led to");
    // What is linked may be about to show as unlinked.
    assert_eq!(succeeded(Scene::linked(), back.clone(), 5), LATE);
    assert_eq!(succeeded(Scene::linked(), back, 120), "in sync");
    assert_eq!(succeeded(Scene::linked(), swap, 5), "in sync");
}

/// An environment that is disabled while nothing goes on has lost its key, as far as can be told.
#[test]
fn a_linked_environment_that_is_disabled_is_locked() {
    let disabled = |scene: &mut Scene| scene.live.runtime = Some(Runtime::Disabled);
    let told = "resume customerManagedKey/runtime; finding cmk-locked at customerManagedKey/runtime; in sync";
    assert_eq!(Scene::linked().with(disabled).told(), told);
    // That is told from what is being changed.
    let busy = Course::Elsewhere(UnderWay { what: "Backup".into(), stage: None, since: None });
    let busy = Scene::linked().with(disabled).with(|scene| scene.observed.course = Ok(busy));
    assert_eq!(busy.told(), "in sync");
    let back = Scene::linked().with(disabled).with(|scene| scene.declared.wanted = Wanted::Microsoft);
    assert_eq!(back.told(), "refused cmk-environment at customerManagedKey");
}

/// On a real cloud, a role that was just granted doesn't count yet.
#[test]
fn a_new_grant_is_waited_for() {
    let granted = |seconds| {
        Scene::ready().with(|scene| {
            scene.surface = Surface::cloud(crate::plan::Mode::Automatic);
            let created = Some(now() - SignedDuration::from_secs(seconds));
            scene.observed.grants[0].held = Ok([RoleAssignment { created, ..assignment() }].into());
        })
    };
    let reason = |seconds| granted(seconds).findings().changes[0].change.reason.clone();
    assert!(
        reason(299).contains("it has to wait: the grant on kv-cmk may take until 2026-11-20T12:00:01Z"),
        "{}",
        reason(299)
    );
    assert!(!reason(300).contains("wait"), "{}", reason(300));
}
