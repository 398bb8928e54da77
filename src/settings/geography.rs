//! Where Azure regions and environments are: the geographies, as data.
//!
//! A Key Vault must be in the environment's geography (customer-insights reference 8.3). Azure tells a vault's region, Customer
//! Insights the environment's. What must stay true: what isn't in the table is unknown, never taken for the same.

/// A geography: its name, the Azure regions in it, and the words that Customer Insights may have for it.
struct Geography {
    name: &'static str,
    regions: &'static [&'static str],
    words: &'static [&'static str],
}

/// learn.microsoft.com/azure/reliability/regions-list; the words of environments aren't published, so all likely ones.
const GEOGRAPHIES: &[Geography] = &[
    Geography { name: "Europe", regions: &["northeurope", "westeurope"], words: &["europe", "eu", "emea"] },
    Geography {
        name: "United States",
        regions: &[
            "centralus", "eastus", "eastus2", "northcentralus", "southcentralus", "westcentralus", "westus", "westus2",
            "westus3",
        ],
        words: &["unitedstates", "us", "usa", "northamerica", "america"],
    },
    Geography {
        name: "US Government",
        regions: &["usgovarizona", "usgovtexas", "usgovvirginia", "usdodcentral", "usdodeast"],
        words: &["usgovernment", "usgov", "gcc", "gcchigh", "dod"],
    },
    Geography {
        name: "Asia Pacific",
        regions: &["eastasia", "southeastasia"],
        words: &["asiapacific", "asia", "apac"],
    },
    Geography {
        name: "Australia",
        regions: &["australiaeast", "australiasoutheast", "australiacentral", "australiacentral2"],
        words: &["australia", "oceania"],
    },
    Geography { name: "Brazil", regions: &["brazilsouth", "brazilsoutheast"], words: &["brazil", "southamerica"] },
    Geography { name: "Canada", regions: &["canadacentral", "canadaeast"], words: &["canada"] },
    Geography {
        name: "China",
        regions: &["chinaeast", "chinaeast2", "chinaeast3", "chinanorth", "chinanorth2", "chinanorth3"],
        words: &["china"],
    },
    Geography { name: "France", regions: &["francecentral", "francesouth"], words: &["france"] },
    Geography { name: "Germany", regions: &["germanywestcentral", "germanynorth"], words: &["germany"] },
    Geography {
        name: "India",
        regions: &["centralindia", "southindia", "westindia", "jioindiawest", "jioindiacentral"],
        words: &["india"],
    },
    Geography { name: "Italy", regions: &["italynorth"], words: &["italy"] },
    Geography { name: "Japan", regions: &["japaneast", "japanwest"], words: &["japan"] },
    Geography { name: "Korea", regions: &["koreacentral", "koreasouth"], words: &["korea"] },
    Geography { name: "Norway", regions: &["norwayeast", "norwaywest"], words: &["norway"] },
    Geography { name: "Poland", regions: &["polandcentral"], words: &["poland"] },
    Geography { name: "South Africa", regions: &["southafricanorth", "southafricawest"], words: &["southafrica"] },
    Geography { name: "Spain", regions: &["spaincentral"], words: &["spain"] },
    Geography { name: "Sweden", regions: &["swedencentral", "swedensouth"], words: &["sweden"] },
    Geography { name: "Switzerland", regions: &["switzerlandnorth", "switzerlandwest"], words: &["switzerland"] },
    Geography { name: "UAE", regions: &["uaenorth", "uaecentral"], words: &["uae", "unitedarabemirates"] },
    Geography {
        name: "United Kingdom",
        regions: &["uksouth", "ukwest"],
        words: &["unitedkingdom", "uk", "greatbritain"],
    },
];

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

/// Compares an Azure region with what Customer Insights says about the environment.
pub fn agreement(region: &str, environment: Option<&str>) -> Agreement {
    let Some(environment) = environment else {
        return Agreement::Unknown("the environment's region isn't known".to_owned());
    };
    let there = find(region);
    let here = find(environment);
    match (there, here) {
        (Some(there), Some(here)) if there.name == here.name => Agreement::Same,
        (Some(there), Some(here)) => Agreement::Other { resource: there.name, environment: here.name },
        (None, _) => Agreement::Unknown(format!("`{region}` isn't a region that palisade knows")),
        (_, None) => Agreement::Unknown(format!("`{environment}` isn't a region that palisade knows")),
    }
}

/// The geography of an Azure region, or of a word for an environment's region: `West Europe`, `westeurope`, `europe`.
fn find(word: &str) -> Option<&'static Geography> {
    let plain: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    GEOGRAPHIES.iter().find(|one| one.regions.contains(&plain.as_str()) || one.words.contains(&plain.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_compared_by_geography_and_what_is_unknown_is_never_the_same() {
        for (region, environment) in [("westeurope", "europe"), ("North Europe", "West Europe"), ("uksouth", "unitedKingdom")] {
            assert_eq!(agreement(region, Some(environment)), Agreement::Same, "{region} {environment}");
        }
        let other = Agreement::Other { resource: "United States", environment: "Europe" };
        assert_eq!(agreement("eastus", Some("europe")), other);
        for (region, environment) in [("moonbase1", Some("europe")), ("westeurope", Some("moon")), ("westeurope", None)] {
            assert!(matches!(agreement(region, environment), Agreement::Unknown(_)), "{region} {environment:?}");
        }
        assert!(matches!(agreement("moon", Some("moon")), Agreement::Unknown(_)));
    }

    #[test]
    fn no_word_stands_for_two_geographies() {
        let mut words: Vec<&str> = GEOGRAPHIES.iter().flat_map(|one| one.regions.iter().chain(one.words)).copied().collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
