//! The Key Vault link where no operation may read it: what a person saw against what is declared.

use serde_json::{Value as Json, json};

use super::{Scene, VAULT, codes, id, place};
use crate::azure::authorization::RoleAssignment;
use crate::plan::{Action, Mode, Severity};
use crate::settings::attestation;
use crate::settings::attestation::Attestation;
use crate::settings::key_vault::observe::Link;
use crate::settings::observation::Unreadable;
use crate::settings::surface::Surface;

fn seen(saw: Json, on: &str) -> Attestation {
    Attestation {
        setting: "keyVault".into(),
        saw,
        by: "ada@contoso.com".into(),
        on: on.parse().unwrap(),
        valid_for: jiff::SignedDuration::from_hours(24 * 90),
        place: place(),
    }
}

/// Where no operation may read the link.
fn unread() -> Scene {
    let mut scene = Scene::usual();
    scene.surface = Surface::cloud(Mode::Automatic);
    scene.observed.link = Link::NotAsked;
    scene
}

/// Palisade grants the rights itself, so that they are there proves no link: only a person's word does.
#[test]
fn where_the_link_may_not_be_read_a_person_looks_and_records() {
    let findings = unread().findings();
    assert_eq!(findings.unknown.len(), 1);
    let planned = &findings.changes[0];
    let (change, steps) = (&planned.change, planned.steps());
    assert_eq!(
        (change.action, change.mode(), change.address.as_str()),
        (Action::Update, Mode::Manual, "prod/keyVault")
    );
    assert!(steps.is_empty());
    let manual = change.manual().unwrap();
    assert_eq!(manual.place, "Settings > Permissions > Key Vault");
    assert_eq!(manual.values["Key vault"], "kv-ci");
    let record = format!(
        "- {{ setting: keyVault, saw: {{ id: {VAULT} }}, by: you@example.com, on: 2026-11-20, validFor: 90d }}"
    );
    assert_eq!(manual.record.as_deref(), Some(record.as_str()));
}

#[test]
fn what_was_seen_is_compared_with_what_is_declared() {
    let (same, other) =
        (json!({ "id": VAULT.replace("kv-ci", "KV-CI") }), json!({ "id": VAULT.replace("kv-ci", "kv-old") }));
    let none = json!({ "linked": false });
    // What was seen, when, what `replaces` allows; then: in sync (the rights are always), actions, unknown, refused.
    type Expected = (usize, &'static [Action], usize, bool);
    let cases: [(&Json, &str, Option<&str>, Expected); 7] = [
        (&same, "2026-11-01", None, (2, &[], 0, false)),
        (&same, "2026-08-01", None, (1, &[Action::Update], 1, false)),
        (&same, "2026-11-21", None, (1, &[Action::Update], 1, false)),
        (&none, "2026-11-01", None, (1, &[Action::Link], 0, false)),
        (&other, "2026-11-01", None, (1, &[Action::Link], 0, true)),
        (&other, "2026-11-01", Some("kv-older"), (1, &[Action::Link], 0, true)),
        (&other, "2026-11-01", Some("kv-old"), (1, &[Action::Link], 0, false)),
    ];
    for (saw, on, replaces, expected) in cases {
        let mut scene = unread();
        scene.attested = vec![seen(saw.clone(), on)];
        scene.declared.replaces = replaces.map(id);
        let findings = scene.findings();
        let actions: Vec<Action> = findings.changes.iter().map(|planned| planned.change.action).collect();
        let refused = findings.notes.iter().any(|note| note.code == codes::OTHER_VAULT_LINKED);
        let found = (findings.in_sync, actions.as_slice(), findings.unknown.len(), refused);
        assert_eq!(found, expected, "{saw} on {on}, replaces {replaces:?}");
        for planned in &findings.changes {
            assert_eq!((planned.change.mode(), planned.steps().len()), (Mode::Manual, 0));
            assert!(planned.change.manual().unwrap().record.is_some());
        }
    }
}

/// Without any right the vault can't be in use, whatever a person saw.
#[test]
fn rights_that_are_gone_contradict_what_was_seen() {
    let mut scene = unread().ungranted();
    scene.attested = vec![seen(json!({ "id": VAULT }), "2026-11-01")];
    let findings = scene.findings();
    assert_eq!((findings.in_sync, findings.unknown.len()), (0, 1));
    assert_eq!(scene.changes().len(), 3, "{:?}", scene.changes());
    assert!(codes(&findings).contains(&(attestation::codes::ATTESTATION_CONTRADICTED, Severity::Warning)));
    // What was just ruled out isn't what is to be written.
    let record = findings.changes.iter().find_map(|planned| planned.change.manual()?.record.clone());
    let entry = "- { setting: keyVault, saw: { linked: false }, by: ada@contoso.com, on: 2026-11-20, validFor: 90d }";
    assert_eq!(record.as_deref(), Some(entry));
    // Rights that aren't known rule out nothing, and are unknown themselves.
    scene.observed.held = Err(Unreadable::because("503"));
    let findings = scene.findings();
    assert_eq!((findings.in_sync, findings.unknown.len(), findings.changes.len()), (1, 1, 0));
}

/// Two vaults of one name can only be told apart by their full ids.
#[test]
fn a_namesake_of_the_declared_vault_is_told_by_its_full_id() {
    let elsewhere = VAULT.replace("rg-ci", "rg-other");
    let mut scene = unread();
    scene.declared.replaces = Some(elsewhere.parse().unwrap());
    scene.attested = vec![seen(json!({ "id": elsewhere }), "2026-11-01")];
    let findings = scene.findings();
    let reason = &findings.changes[0].change.reason;
    assert!(reason.contains(&format!("`{{ id: {elsewhere} }}`")), "{reason}");
    scene.attested = vec![seen(json!({ "id": VAULT }), "2026-11-01"), seen(json!({ "id": elsewhere }), "2026-11-01")];
    let reason = &scene.findings().unknown[0].reason;
    assert!(reason.contains(VAULT) && reason.contains(&elsewhere), "{reason}");
}

/// Rights that were granted after somebody looked: what was seen then wasn't a vault in use.
#[test]
fn an_entry_older_than_the_rights_is_contradicted() {
    let granted = |on: &str, held: &[RoleAssignment]| -> Vec<RoleAssignment> {
        held.iter().map(|one| RoleAssignment { created: on.parse().ok(), ..one.clone() }).collect()
    };
    let usual = unread().observed.held.unwrap();
    let cases = [
        ("2026-11-02T00:00:01Z", false),
        // On the same day nobody can tell which came first.
        ("2026-11-01T23:59:59Z", true),
        ("2026-10-01T00:00:00Z", true),
        ("not told", true),
    ];
    for (on, counts) in cases {
        let mut scene = unread();
        scene.observed.held = Ok(granted(on, &usual).into());
        scene.attested = vec![seen(json!({ "id": VAULT }), "2026-11-01")];
        let findings = scene.findings();
        let expected = if counts { (2, 0, 0) } else { (1, 1, 1) };
        assert_eq!((findings.in_sync, findings.unknown.len(), findings.changes.len()), expected, "{on}");
        let contradicted =
            codes(&findings).contains(&(attestation::codes::ATTESTATION_CONTRADICTED, Severity::Warning));
        assert_eq!(contradicted, !counts, "{on}");
        if !counts {
            let record = findings.changes[0].change.manual().unwrap().record.clone().unwrap();
            assert!(record.contains(VAULT), "{record}");
        }
        // That nothing or another vault was linked, rights don't contradict; one that is there longer is enough.
        scene.attested = vec![seen(json!({ "linked": false }), "2026-11-01")];
        assert_eq!(scene.findings().unknown.len(), 0, "{on}");
        scene.attested = vec![seen(json!({ "id": VAULT }), "2026-11-01")];
        scene.observed.held =
            Ok([granted(on, &usual[..1]), granted("2026-10-01T00:00:00Z", &usual[1..])].concat().into());
        assert_eq!(scene.findings().unknown.len(), 0, "{on}");
    }
}
