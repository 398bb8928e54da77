//! What the caller may do in Azure (azure reference 5.4).
//!
//! What must stay true: the answer is about the caller's own token and nobody else; deny assignments aren't in it, so a right
//! that shows here may still be refused.

use serde::Deserialize;

use super::access::Reader;
use super::arm::{self, ResourceId};
use super::call::Call;
use super::error::CallError;
use super::operations::LIST_PERMISSIONS;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Permission {
    actions: Vec<String>,
    not_actions: Vec<String>,
}

/// Those of `actions` that the caller may not do on a resource. `GET /{scope}/providers/Microsoft.Authorization/permissions`
pub async fn missing(reader: &Reader, id: &ResourceId, actions: &[String]) -> Result<Vec<String>, CallError> {
    let call = Call::of(&LIST_PERMISSIONS).subpath("scope", id.as_str());
    let held: Vec<Permission> = arm::list(reader, call).await?;
    let may = |action: &str| {
        held.iter().any(|entry| {
            let covers = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
            covers(&entry.actions) && !covers(&entry.not_actions)
        })
    };
    Ok(actions.iter().filter(|action| !may(action)).cloned().collect())
}

/// Whether a pattern with `*`, which spans anything, covers an action. Letter case doesn't count.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_spans_anything_and_letter_case_does_not_count() {
        let action = "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action";
        for pattern in ["*", "microsoft.storage/*", "*/action", "Microsoft.Storage/*/action", action] {
            assert!(matches(pattern, action), "{pattern}");
        }
        for pattern in ["", "*/read", "Microsoft.Storage/storageAccounts", "Microsoft.Synapse/*", "*/Approval/*/action"] {
            assert!(!matches(pattern, action), "{pattern}");
        }
    }
}
