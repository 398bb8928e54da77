//! Reads that fail while a plan is being applied: whatever is reported as done must be so.

use crate::links::{APPROVE, LAKE};
use crate::support::{Run, Scene, changes};

/// Applies with each of the first reads of an operation refused once, from the same world again and again.
fn refused_once(scene: &Scene, operations: [&str; 3], reads: std::ops::RangeInclusive<usize>) {
    let world = scene.world();
    let mut held_up = 0;
    for (operation, nth) in operations.iter().flat_map(|operation| reads.clone().map(move |nth| (operation, nth))) {
        scene.keep_world(&world);
        let rule = format!("- {{ operation: {operation}, nth: {nth}, action: {{ status: {{ code: 403 }} }} }}");
        let run = scene.faulty(&rule, &["apply", "--yes", "--format", "json"]);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        let left = changes(&scene.emulated(&["plan", "--format", "json"]).json());
        for (address, status) in run.outcomes() {
            let again = left.iter().any(|change| change.split_once(' ').unwrap().1 == address);
            assert!(
                status != "done" || !again,
                "{operation} {nth}: {address} is done, and planned again\n{}",
                run.stdout
            );
        }
        held_up += usize::from(unfinished(&run));
    }
    assert!(held_up > 3, "{held_up} refusals held anything up");
}

fn unfinished(run: &Run) -> bool {
    run.outcomes().iter().any(|(_, status)| status != "done")
}

#[test]
fn an_approval_that_can_not_be_looked_at_again_is_not_done() {
    let scene = Scene::with(&crate::links::configuration("exact", &[(LAKE, APPROVE)]));
    scene.emulated(&["apply", "--yes"]).ended(6);
    refused_once(&scene, ["GET */permissions", "GET */privatelinks", "GET */storageAccounts/*"], 2..=7);
}

#[test]
fn a_link_to_a_vault_that_can_not_be_looked_at_again_is_not_done() {
    let scene = Scene::with(&crate::vault::configuration(""));
    scene.emulated(&["plan"]).ended(0);
    refused_once(&scene, ["GET */roleAssignments", "GET */vaults/*", "GET */manage/keyvault"], 2..=7);
}

#[test]
fn a_role_that_can_not_be_looked_at_again_is_not_done() {
    let scene = Scene::with(&format!("{}{}", crate::support::EXACT, crate::support::API_ON));
    scene.emulated(&["plan"]).ended(0);
    refused_once(&scene, ["GET */rbac/assignments", "GET */rbac/roles", "GET */apisubscription"], 1..=6);
}

/// Who is left after a removal is part of its success; a look that fails is no good news.
#[test]
fn a_removal_after_which_nobody_could_look_is_not_done() {
    let scene = Scene::with(&format!("{}{}", crate::support::EXACT, crate::support::API_ON));
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.change_world(|world| crate::support::give(world, crate::support::PROD, "zoe@contoso.com", "Viewer"));
    let world = scene.world();
    let mut unseen = 0;
    for nth in 1..=6 {
        scene.keep_world(&world);
        let rule =
            format!("- {{ operation: GET */rbac/assignments, nth: {nth}, action: {{ status: {{ code: 403 }} }} }}");
        let run = scene.faulty(&rule, &["apply", "--yes"]);
        if run.stdout.contains("who is left could not be read") {
            run.ended(5).says("1 failed");
            unseen += 1;
        }
    }
    assert_eq!(unseen, 1, "one of the looks is the one after the removal");
}
