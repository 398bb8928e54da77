//! Codes that several settings use, and those about an environment as a whole.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    BAD_VAULT_ID "bad-vault-id": "A vault isn't given by its Azure resource id.";
    BAD_RESOURCE_NAME "bad-resource-name": "The name in a resource id is one that Azure doesn't allow.";
    MISSING_CONSENT "missing-consent": "Nobody has agreed to the data privacy terms of a link.";
}

notes! {
    TOKEN_TENANT = refusal "token-tenant": "A token was issued by another tenant than the configured one.",
        "What such a token may read or change belongs to another tenant, so nothing is planned or changed. Sign in to the \
         tenant under `tenant.id`, or correct that id.";
    TENANT_MISMATCH = refusal "tenant-mismatch": "The environment belongs to another tenant than the configuration.",
        "Nothing is changed in a tenant that the configuration doesn't name.";
    NOT_ACTIVE = refusal "not-active": "The environment isn't active.",
        "Environments that are being created, updated, reset or deleted may lose what is written to them.";
    CONSENT_AHEAD = refusal "consent-ahead": "A consent is dated in the future.",
        "Palisade sends a consent to the data privacy terms only for somebody who gave it. Nobody has agreed tomorrow.";
    REGION_MISMATCH = finding "region-mismatch": "A resource isn't in the environment's region, or that can't be told.",
        "Storage of Customer Insights must be in the environment's region. Palisade compares geographies by a table of its own; \
         a region that isn't in it is said to be unknown, never taken for right.";
}

/// For tests: the code of a note.
#[cfg(test)]
pub(in crate::settings) fn of(note: &crate::plan::Note) -> crate::plan::NoteCode {
    use super::registry::{Registered, SETTINGS};

    let shared =
        [NOTES, super::attestation::codes::NOTES, super::encryption_keys::codes::NOTES, crate::guard::codes::NOTES];
    let mut all = SETTINGS.iter().map(Registered::notes).chain(shared).flatten();
    *all.find(|code| note.code == **code).unwrap()
}
