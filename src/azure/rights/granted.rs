//! A list of rights as Azure tells it: entries that add up.
//!
//! Invariants: an entry grants what one of its patterns fits and none of its own exceptions does; what stands under a condition
//! is no plain grant, since when it counts isn't known here.

use serde::Deserialize;

use super::{Action, Right};

/// What a role grants, or what the caller may do on a scope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Granted(Vec<Entry>);

/// One entry of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Entry {
    actions: Option<Vec<String>>,
    not_actions: Option<Vec<String>>,
    data_actions: Option<Vec<String>>,
    not_data_actions: Option<Vec<String>>,
    condition: Option<String>,
}

/// How a list grants a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// Not at all.
    Absent,
    /// Only under a condition.
    Conditional,
    /// Plainly.
    Plain,
}

impl Granted {
    /// Whether an action of the management plane is plainly granted. Deny assignments aren't in such lists.
    pub fn allows(&self, action: Action) -> bool {
        self.grade(Right::Azure(action)) == Grade::Plain
    }

    /// How a right is granted. Rights that aren't Azure's never are.
    pub(super) fn grade(&self, right: Right) -> Grade {
        let grades = self.0.iter().map(|entry| {
            let grants = match right {
                Right::Azure(action) => fits_less(&entry.actions, &entry.not_actions, action.name()),
                Right::Vault(right) => fits_less(&entry.data_actions, &entry.not_data_actions, right.data_action()),
                Right::CustomerInsights(_) | Right::Graph(_) | Right::PowerPlatformAdministrator => false,
            };
            match (grants, entry.condition.as_deref().is_none_or(|text| text.trim().is_empty())) {
                (false, _) => Grade::Absent,
                (true, false) => Grade::Conditional,
                (true, true) => Grade::Plain,
            }
        });
        grades.max().unwrap_or(Grade::Absent)
    }
}

impl FromIterator<Entry> for Granted {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

fn fits_less(patterns: &Option<Vec<String>>, exceptions: &Option<Vec<String>>, action: &str) -> bool {
    any(patterns, action) && !any(exceptions, action)
}

fn any(patterns: &Option<Vec<String>>, action: &str) -> bool {
    patterns.iter().flatten().any(|pattern| fits(&pattern.to_lowercase(), &action.to_lowercase()))
}

/// Whether a text fits a pattern in which `*` stands for any run of characters, slashes included.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((front, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(front) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| fits(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::VaultRight;
    use super::*;

    #[test]
    fn a_right_is_granted_if_an_entry_grants_it_and_does_not_take_it_out_again() {
        let granted: Granted = serde_json::from_value(json!([
            { "actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"] },
            { "actions": ["Microsoft.Storage/storageAccounts/*"], "dataActions": ["*/READMETADATA/action"] },
            { "actions": ["Microsoft.Authorization/roleAssignments/*"], "condition": "@Request[…]", "conditionVersion": "2.0" },
            { "dataActions": ["Microsoft.KeyVault/vaults/secrets/update/*"], "condition": " " },
            {},
        ]))
        .unwrap();
        let table = [
            (Right::Azure(Action::STORAGE_WRITE_CONNECTIONS), Grade::Plain),
            (Right::Azure(Action::WRITE_ASSIGNMENTS), Grade::Conditional),
            (Right::Azure(Action::READ_ASSIGNMENTS), Grade::Plain),
            (Right::Vault(VaultRight::ListVersions), Grade::Plain),
            (Right::Vault(VaultRight::UpdateSecret), Grade::Plain),
            (Right::Vault(VaultRight::GetSecret), Grade::Absent),
        ];
        for (right, grade) in table {
            assert_eq!(granted.grade(right), grade, "{right}");
        }
        assert!(!granted.allows(Action::WRITE_ASSIGNMENTS) && granted.allows(Action::VAULT_READ));
        assert!(!Granted::default().allows(Action::VAULT_READ));
    }
}
