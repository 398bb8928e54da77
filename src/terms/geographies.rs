//! Azure's geographies: which regions belong together.
//!
//! Source: Microsoft's page of Azure geographies and regions. Customer Insights wants a linked Key Vault in the same geography as the
//! environment. What must stay true: a region that isn't listed has no geography, which is
//! not the same as a different one.

/// Geographies with their regions' names.
const GEOGRAPHIES: &[(&str, &[&str])] = &[
    ("asiapacific", &["eastasia", "southeastasia"]),
    ("australia", &["australiaeast", "australiasoutheast", "australiacentral", "australiacentral2"]),
    ("brazil", &["brazilsouth", "brazilsoutheast"]),
    ("canada", &["canadacentral", "canadaeast"]),
    ("europe", &["northeurope", "westeurope"]),
    ("france", &["francecentral", "francesouth"]),
    ("germany", &["germanywestcentral", "germanynorth"]),
    ("india", &["centralindia", "southindia", "westindia"]),
    ("israel", &["israelcentral"]),
    ("italy", &["italynorth"]),
    ("japan", &["japaneast", "japanwest"]),
    ("korea", &["koreacentral", "koreasouth"]),
    ("mexico", &["mexicocentral"]),
    ("newzealand", &["newzealandnorth"]),
    ("norway", &["norwayeast", "norwaywest"]),
    ("poland", &["polandcentral"]),
    ("qatar", &["qatarcentral"]),
    ("southafrica", &["southafricanorth", "southafricawest"]),
    ("spain", &["spaincentral"]),
    ("sweden", &["swedencentral", "swedensouth"]),
    ("switzerland", &["switzerlandnorth", "switzerlandwest"]),
    ("uae", &["uaenorth", "uaecentral"]),
    ("unitedkingdom", &["uksouth", "ukwest"]),
    (
        "unitedstates",
        &[
            "centralus",
            "eastus",
            "eastus2",
            "northcentralus",
            "southcentralus",
            "westcentralus",
            "westus",
            "westus2",
            "westus3",
        ],
    ),
    ("usgovernment", &["usgovarizona", "usgovtexas", "usgovvirginia"]),
];

/// The geography of a region, by its name with or without spaces and in any case; none if the region isn't known here.
pub fn of(region: &str) -> Option<&'static str> {
    let name: String = region.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    GEOGRAPHIES.iter().find(|(_, regions)| regions.contains(&name.as_str())).map(|(geography, _)| *geography)
}

/// The geography of this name, spelled as in the table.
pub fn named(name: &str) -> Option<&'static str> {
    GEOGRAPHIES.iter().map(|(geography, _)| *geography).find(|geography| *geography == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_belong_to_geographies_and_unknown_ones_to_none() {
        assert_eq!((of("West Europe"), of("northeurope")), (Some("europe"), Some("europe")));
        assert_eq!((of("westus3"), of("uksouth")), (Some("unitedstates"), Some("unitedkingdom")));
        assert_eq!(of("atlantis"), None);
    }
}
