//! What Azure allows as the name of a resource.
//!
//! Invariants: there is one rule for each type, whoever asks; a name that fits can be one label of a host.

use super::resource_id::ResourceId;
use super::resource_kinds::{STORAGE_ACCOUNT, SYNAPSE_WORKSPACE, VAULT};

/// The rule for the names of one type of resources.
#[derive(Debug)]
pub struct NameRule {
    /// The full type.
    pub kind: &'static str,
    /// What a person calls such a resource: `a Key Vault`.
    pub called: &'static str,
    /// The rule, for a person.
    pub words: &'static str,
    fits: fn(&str) -> bool,
}

/// The rule for vaults, for a person.
pub const VAULT_NAMES: &str =
    "vaults have 3 to 24 letters, digits and hyphens, begin with a letter, and end with a letter or digit";

/// The rules for all types whose resources a file can name.
pub const RULES: [NameRule; 3] = [
    NameRule { kind: VAULT, called: "a Key Vault", words: VAULT_NAMES, fits: is_vault_name },
    NameRule {
        kind: STORAGE_ACCOUNT,
        called: "a storage account",
        words: "storage accounts have 3 to 24 lower-case letters and digits",
        fits: |name| (3..=24).contains(&name.len()) && name.chars().all(plain),
    },
    NameRule {
        kind: SYNAPSE_WORKSPACE,
        called: "a Synapse workspace",
        words: "Synapse workspaces have 1 to 50 letters, digits and hyphens",
        fits: |name| (1..=50).contains(&name.len()) && name.chars().all(plain_or_hyphen),
    },
];

/// The rule that the resource's name breaks; none for types that aren't known here.
pub fn broken_by(resource: &ResourceId) -> Option<&'static NameRule> {
    RULES.iter().find(|rule| resource.is_kind(rule.kind)).filter(|rule| !(rule.fits)(resource.name()))
}

/// The rule for a resource whose name has a character that no rule allows, wherever it stands.
pub fn foreign_to(resource: &ResourceId) -> Option<&'static NameRule> {
    RULES.iter().find(|rule| resource.is_kind(rule.kind)).filter(|_| !resource.name().chars().all(plain_or_hyphen))
}

/// Whether a vault can have this name.
pub fn is_vault_name(name: &str) -> bool {
    (3..=24).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.ends_with(plain)
        && name.chars().all(plain_or_hyphen)
}

// Letters of both cases, also where Azure has only lower-case ones: ids are compared without regard to case.
fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn plain_or_hyphen(c: char) -> bool {
    plain(c) || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: &str, name: &str) -> ResourceId {
        let group = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg";
        format!("{group}/providers/{kind}/{name}").parse().unwrap()
    }

    fn fits(kind: &str, name: &str) -> bool {
        broken_by(&id(kind, name)).is_none()
    }

    #[test]
    fn each_type_has_its_own_rule() {
        let long = |length: usize| "a".repeat(length);
        for (kind, right, wrong) in [
            (
                VAULT,
                vec!["kv1", "KV-ci", "k-1", &long(24)],
                vec!["kv", "1kv", "-kv", "kv-ci-conn-", "kv_ci", "kv.ci", "kvé", &long(25)],
            ),
            (STORAGE_ACCOUNT, vec!["abc", "1lake", "ContosoLake", &long(24)], vec!["ab", "contoso-lake", &long(25)]),
            (SYNAPSE_WORKSPACE, vec!["s", "syn-ci", &long(50)], vec!["syn_ci", &long(51)]),
        ] {
            for name in right {
                assert!(fits(kind, name) && fits(&kind.to_uppercase(), name), "{kind} {name}");
            }
            for name in wrong {
                assert!(!fits(kind, name) && !fits(&kind.to_lowercase(), name), "{kind} {name}");
            }
        }
        assert!(fits("Microsoft.Compute/virtualMachines", "x"));
    }

    #[test]
    fn what_is_foreign_to_a_name_breaks_its_rule() {
        for kind in [VAULT, STORAGE_ACCOUNT, SYNAPSE_WORKSPACE] {
            for character in ['_', '.', '(', ')', '~', '@', '+', ',', 'é'] {
                let id = id(kind, &format!("ab{character}cd"));
                assert!(foreign_to(&id).is_some() && broken_by(&id).is_some(), "{id}");
            }
            assert!(foreign_to(&id(kind, "-1-")).is_none());
        }
    }
}
