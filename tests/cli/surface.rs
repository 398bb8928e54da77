//! Clouds and clocks.

use crate::live::Live;
use crate::support::{API_ON, EXACT, NOW, Scene};

fn attested(on: &str) -> String {
    format!(
        "{EXACT}{API_ON}    attested:\n      - {{ setting: apiAccess, saw: {{ enabled: true }}, by: ada@contoso.com, on: {on}, validFor: 90d }}\n"
    )
}

#[test]
fn without_an_emulator_it_says_that_it_can_not_sign_in_yet() {
    let scene = Scene::with(EXACT);
    for command in [&["plan"] as &[&str], &["drift"], &["apply", "--yes"]] {
        scene.run(command).ended(1).complains("can't sign in to a cloud").complains("--emulator");
    }
    assert!(scene.journal().is_empty());
}

#[test]
fn an_assumed_instant_is_refused_when_writing_to_a_cloud() {
    let scene = Scene::with(EXACT);
    scene.run(&["apply", "--yes", "--now", NOW]).ended(4).complains("`--now` is refused when applying to a cloud");
    scene.run(&["plan", "--now", NOW]).ended(1);
    assert!(scene.journal().is_empty());
}

/// Time is an input: nothing that is printed depends on when it is printed.
#[test]
fn the_journal_and_the_plan_take_the_assumed_instant() {
    let scene = Scene::with(EXACT);
    scene.emulated_at("2031-01-02T03:04:05Z", &["apply", "--yes"]).ended(0);
    for line in scene.journal() {
        assert_eq!(line["at"], "2031-01-02T03:04:05Z");
    }
}

#[test]
fn an_undocumented_operation_is_not_called_where_it_is_left_to_people() {
    let scene = Scene::with(&attested("2026-10-01"));
    let live = Live::serving(scene.fresh_world());
    scene.run(&["apply", "--yes", "--as-cloud", "--now", NOW, &live.argument()]).ended(0).says("3 done");
    assert!(!live.requests().iter().any(|seen| seen.path.contains("/manage/")), "{:#?}", live.requests());
    assert!(!live.world().instances[&crate::support::PROD].api_subscription.is_subscribed);
}

#[test]
fn a_world_of_another_tenant_is_refused() {
    let scene = Scene::with(EXACT);
    let other = EXACT.replace("7b1f0c52", "99999999");
    scene.write("other.yaml", &other);
    scene.emulated(&["plan", "-f", "other.yaml"]).ended(1).complains("tenant 7b1f0c52").complains("--emulator-state");
    let live = Live::serving(scene.fresh_world());
    scene.run(&["plan", "-f", "other.yaml", "--now", NOW, &live.argument()]).ended(1).complains("tenant 7b1f0c52");
    scene.emulated(&["plan", "-f", "other.yaml", "--emulator-state", "other/world.json"]).ended(0);
}
