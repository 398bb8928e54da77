//! What must hold for the whole catalogue.

use super::*;

#[test]
fn the_catalogue_holds_every_operation_once() {
    let files = [
        include_str!("mod.rs"),
        include_str!("arm.rs"),
        include_str!("customer_insights.rs"),
        include_str!("directory.rs"),
        include_str!("key_vault.rs"),
        include_str!("power_platform.rs"),
    ];
    // All but `ALL` itself.
    let declared = files.iter().map(|file| file.matches("\npub const ").count()).sum::<usize>() - 1;
    assert_eq!(ALL.len(), declared, "an operation is missing from ALL");
    let mut names: Vec<_> = ALL.iter().map(|facts| facts.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len(), "two operations share a name");
}

/// Secrets of a vault, everything that makes or shows API keys or sends one, and tokens: these, and no others.
#[test]
fn operations_with_secrets_are_marked() {
    let keys = ["listsecrets", "regenerateprimarykey", "regeneratesecondarykey", "activate"]
        .map(|verb| format!("/apisubscription/{verb}"));
    for facts in ALL {
        let shows_no_value = [LIST_SECRET_VERSIONS.facts().name, GET_DELETED_SECRET.facts().name];
        let of_a_vault = facts.service == Service::KeyVault && facts.path.contains("secrets/");
        let in_answer = (of_a_vault || facts.service == Service::Entra) && !shows_no_value.contains(&facts.name)
            || keys.iter().any(|key| facts.path.ends_with(key));
        let in_request = [SET_SECRET.facts().name, TRY_API_KEY.facts().name, ENTRA_TOKEN.facts().name];
        assert_eq!(facts.secrets.in_answer(), in_answer, "{}", facts.name);
        assert_eq!(facts.secrets.in_request(), in_request.contains(&facts.name), "{}", facts.name);
    }
}

/// What goes on may say so with 202 where it is asked about, and only there.
#[test]
fn reads_that_may_be_answered_by_more_than_200_are_these() {
    let more = |facts: &&&Facts| facts.effect == Effect::Read && (201..300).any(|other| facts.is_answered_by(other));
    let found: Vec<_> = ALL.iter().filter(more).map(|facts| (facts.name, facts.statuses)).collect();
    let known: [(_, &[u16]); 4] = [
        (VAULT_GET_CONNECTION.facts().name, &[204]),
        (GET_OPERATION_STATUS.facts().name, &[201, 202, 204]),
        (ADMIN_GET_LIFECYCLE_OPERATION.facts().name, &[202]),
        (PLATFORM_GET_OPERATION.facts().name, &[202]),
    ];
    assert_eq!(found, known);
    assert!(ALL.iter().all(|facts| facts.is_answered_by(200)));
}

#[test]
fn what_is_not_published_is_never_called_documented() {
    for facts in ALL {
        assert_eq!(facts.source == HOUSE_STYLE, facts.provenance == Provenance::Undocumented, "{}", facts.name);
        assert!(facts.path.starts_with('/'), "{}", facts.name);
    }
}
