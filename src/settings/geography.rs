//! Whether a resource is where an environment is.
//!
//! A linked Key Vault must be in the environment's geography, and storage in its region.
//! Azure tells a resource's region; Customer Insights the environment's, or a word for where it is. What must stay true: what
//! isn't known is never taken for the same.

use crate::terms::geographies;

/// Whether a resource and an environment are in one geography.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// They are.
    Same,
    /// They aren't.
    Other {
        /// The resource's geography.
        resource: &'static str,
        /// The environment's geography.
        environment: &'static str,
    },
    /// It can't be told; why.
    Unknown(String),
}

/// Words for where an environment is that aren't the name of a geography. Microsoft doesn't publish them; these can mean nothing
/// else.
const WORDS: &[(&str, &str)] = &[
    ("asia", "asiapacific"),
    ("apac", "asiapacific"),
    ("emea", "europe"),
    ("eu", "europe"),
    ("uk", "unitedkingdom"),
    ("unitedarabemirates", "uae"),
    ("us", "unitedstates"),
    ("usa", "unitedstates"),
    ("northamerica", "unitedstates"),
    ("southamerica", "brazil"),
];

/// Compares an Azure region with what Customer Insights says about the environment.
pub fn agreement(region: &str, environment: Option<&str>) -> Agreement {
    let Some(environment) = environment else {
        return Agreement::Unknown("the environment's region isn't known".to_owned());
    };
    let here = geographies::of(environment).or_else(|| geography(environment));
    match (geographies::of(region), here) {
        (Some(there), Some(here)) if there == here => Agreement::Same,
        (Some(resource), Some(environment)) => Agreement::Other { resource, environment },
        (None, _) => Agreement::Unknown(format!("`{region}` isn't a region that palisade knows")),
        (_, None) => Agreement::Unknown(format!("`{environment}` isn't a region that palisade knows")),
    }
}

/// The geography that a word means: its own name, or one of [`WORDS`].
fn geography(word: &str) -> Option<&'static str> {
    let plain: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let meant = WORDS.iter().find(|(known, _)| *known == plain).map_or(plain.as_str(), |(_, meant)| meant);
    geographies::named(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_compared_by_geography_and_what_is_unknown_is_never_the_same() {
        for (region, environment) in
            [("westeurope", "europe"), ("North Europe", "West Europe"), ("uksouth", "unitedKingdom"), ("eastus", "US")]
        {
            assert_eq!(agreement(region, Some(environment)), Agreement::Same, "{region} {environment}");
        }
        let other = Agreement::Other { resource: "unitedstates", environment: "europe" };
        assert_eq!(agreement("eastus", Some("europe")), other);
        for (region, environment) in
            [("moonbase1", Some("europe")), ("westeurope", Some("moon")), ("moon", Some("moon")), ("westeurope", None)]
        {
            assert!(matches!(agreement(region, environment), Agreement::Unknown(_)), "{region} {environment:?}");
        }
    }

    #[test]
    fn every_word_means_a_geography() {
        for (word, _) in WORDS {
            assert!(geography(word).is_some(), "{word}");
        }
    }
}
