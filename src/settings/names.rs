//! The names in resource ids, judged once `${environment}` is filled in.
//!
//! A word of the file is checked as it is written, where a placeholder may stand in the name; what the name becomes shows only
//! in the environment's own block.
//!
//! Invariants: what no resource of its type can be called is an error at its place in the file, in whichever block it stands.

use super::codes;
use super::words::VaultText;
use crate::config::words::{Wrong, wrong};
use crate::config::{Diagnostic, Diagnostics, Span, quoted};
use crate::terms::{BadVaultId, ResourceId, VaultId, names};

/// The vault that a word names. None after an error.
pub(super) fn vault(word: VaultText, span: Span, diagnostics: &mut Diagnostics) -> Option<VaultId> {
    let VaultText(id) = word;
    check(&id, span, diagnostics);
    // The word has seen to form and type. Whatever else is wrong is an error, too, and never a vault that isn't there.
    match id.try_into() {
        Ok(vault) => Some(vault),
        Err(bad) if !diagnostics.error_within(span) => {
            diagnostics.push(Diagnostic::error(codes::BAD_VAULT_ID, span, BadVaultId::to_string(&bad)));
            None
        }
        Err(_) => None,
    }
}

/// Refuses a name with a character that no placeholder could turn into a good one.
pub(super) fn spelled(id: ResourceId, written: &str) -> Result<ResourceId, Wrong> {
    match names::foreign_to(&id) {
        None => Ok(id),
        Some(rule) => {
            let name = written.rsplit('/').next().unwrap_or_default();
            let message = format!("names {}, which can't be the name of {}", quoted(name), rule.called);
            wrong(codes::BAD_RESOURCE_NAME, message, rule.words)
        }
    }
}

/// Reports a name that Azure doesn't allow.
pub(super) fn check(resource: &ResourceId, span: Span, diagnostics: &mut Diagnostics) {
    if let Some(rule) = names::broken_by(resource) {
        let message = format!("{} can't be the name of {}", quoted(resource.name()), rule.called);
        let help = format!("{}; `${{environment}}` is filled in before it is checked", rule.words);
        diagnostics.push(Diagnostic::error(codes::BAD_RESOURCE_NAME, span, message).help(help));
    }
}
