//! The api-versions that the services take, each with where it is known from.
//!
//! Words: a *table* is what one provider, or one part of one, takes; the newest stands last. Invariants: no version without a
//! source; a version that stands in no table is refused in the service's own words. Of the providers with private endpoint
//! connections the tables begin with the first version that has them, since older ones have other shapes.

/// What is taken, oldest first: api-version and source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table(&'static [(&'static str, &'static str)]);

impl Table {
    /// Whether a version is taken; case is of no matter.
    pub(crate) fn takes(&self, asked: &str) -> bool {
        self.versions().any(|known| known.eq_ignore_ascii_case(asked))
    }

    /// All of them, oldest first.
    pub(crate) fn versions(&self) -> impl DoubleEndedIterator<Item = &'static str> {
        self.0.iter().map(|(version, _)| *version)
    }

    /// The newest one.
    pub(crate) fn newest(&self) -> &'static str {
        self.versions().next_back().unwrap_or_default()
    }
}

/// `Microsoft.Storage`.
pub(crate) const STORAGE: Table = Table(&[
    ("2019-06-01", "azure-cli 2.91, network private-endpoint-connection"),
    ("2020-08-01-preview", "azure-mgmt-storage 21.2.1 (PyPI)"),
    ("2021-01-01", "azure-mgmt-storage 21.2.1 (PyPI)"),
    ("2021-02-01", "azure-mgmt-storage 21.2.1 (PyPI)"),
    ("2021-04-01", "azure-mgmt-storage 21.2.1 (PyPI)"),
    ("2021-06-01", "azure-mgmt-storage 21.2.1 (PyPI)"),
    ("2021-08-01", "azure-mgmt-storage 21.2.1 (PyPI)"),
    ("2021-09-01", "@azure/arm-storage 17.2.1 (npm)"),
    ("2022-05-01", "@azure/arm-storage 18.0.0 (npm)"),
    ("2022-09-01", "@azure/arm-storage 18.1.0 (npm)"),
    ("2023-01-01", "@azure/arm-storage 18.2.0 (npm)"),
    ("2023-04-01", "Azure/azure-rest-api-specs, Microsoft.Storage/stable/2023-04-01"),
    ("2023-05-01", "@azure/arm-storage 18.3.0 (npm)"),
    ("2024-01-01", "@azure/arm-storage 18.6.0 (npm)"),
    ("2025-01-01", "azure-mgmt-storage 23.1.0 (PyPI)"),
    ("2025-06-01", "@azure/arm-storage 19.1.0 (npm)"),
    ("2025-08-01", "@azure/arm-storage 20.0.0 (npm), azure-cli 2.91"),
    ("2026-04-01", "azure-mgmt-storage 25.1.0 (PyPI)"),
    ("2026-06-01", "@azure/arm-storage 20.2.0 (npm)"),
    ("2026-09-01", "azure-mgmt-storage 25.3.0 (PyPI)"),
]);

/// `Microsoft.KeyVault`.
pub(crate) const KEY_VAULT: Table = Table(&[
    ("2019-09-01", "azure-cli 2.91, network private-endpoint-connection"),
    ("2020-04-01-preview", "azure-mgmt-keyvault 10.3.1 (PyPI)"),
    ("2021-04-01-preview", "azure-mgmt-keyvault 10.3.1 (PyPI)"),
    ("2021-06-01-preview", "azure-mgmt-keyvault 10.3.1 (PyPI)"),
    ("2021-10-01", "@azure/arm-keyvault 2.0.0 (npm)"),
    ("2022-07-01", "azure-mgmt-keyvault 10.3.1 (PyPI)"),
    ("2022-11-01", "Azure/azure-rest-api-specs, Microsoft.KeyVault/stable/2022-11-01"),
    ("2023-02-01", "@azure/arm-keyvault 3.0.0 (npm)"),
    ("2023-07-01", "@azure/arm-keyvault 3.1.0 (npm)"),
    ("2024-04-01-preview", "Azure/azure-rest-api-specs, Microsoft.KeyVault/preview/2024-04-01-preview"),
    ("2024-11-01", "@azure/arm-keyvault 3.2.0 (npm)"),
    ("2025-05-01", "@azure/arm-keyvault 4.0.0 (npm)"),
    ("2026-02-01", "@azure/arm-keyvault 5.0.0 (npm), azure-cli 2.91"),
    ("2026-03-01-preview", "Azure/azure-rest-api-specs, Microsoft.KeyVault/KeyVault/examples/2026-03-01-preview"),
    ("2026-04-01-preview", "Azure/azure-rest-api-specs, Microsoft.KeyVault/KeyVault/examples/2026-04-01-preview"),
    ("2026-05-15", "azure-mgmt-keyvault 14.1.0 (PyPI)"),
]);

/// `Microsoft.Synapse`.
pub(crate) const SYNAPSE: Table = Table(&[
    ("2019-06-01-preview", "azure-cli 2.91, network private-endpoint-connection"),
    ("2021-03-01", "azure-mgmt-synapse 2.0.0 (PyPI)"),
    ("2021-06-01-preview", "azure-cli 2.91"),
    ("2021-06-01", "azure-mgmt-synapse 2.1.0b7 (PyPI), azure-cli 2.91"),
]);

/// `Microsoft.Authorization`: role assignments, role definitions and permissions.
pub(crate) const AUTHORIZATION: Table = Table(&[
    ("2015-07-01", "azure-mgmt-authorization 4.0.0 (PyPI)"),
    ("2018-01-01-preview", "azure-mgmt-authorization 4.0.0 (PyPI)"),
    ("2018-09-01-preview", "azure-mgmt-authorization 4.0.0 (PyPI)"),
    ("2020-04-01-preview", "azure-mgmt-authorization 4.0.0 (PyPI)"),
    ("2022-04-01", "azure-mgmt-authorization 4.0.0 (PyPI), azure-cli 2.91"),
    ("2022-05-01-preview", "azure-mgmt-authorization 4.0.0 (PyPI), azure-cli 2.91"),
]);

/// `Microsoft.ResourceGraph`.
pub(crate) const RESOURCE_GRAPH: Table = Table(&[
    ("2021-03-01", "azure-mgmt-resourcegraph 8.0.1 (PyPI)"),
    ("2022-10-01", "MicrosoftDocs/azure-docs, articles/governance/resource-graph"),
    ("2024-04-01", "MicrosoftDocs/azure-docs, articles/governance/resource-graph"),
]);

/// What ARM itself says that it takes, in a refusal that is quoted in ansible-collections/azure#1739.
const OWN_WORDS: &str = "ARM's own list in ansible-collections/azure#1739";

/// Subscriptions, tenants, resource groups, resources and providers.
pub(crate) const RESOURCES: Table = Table(&[
    ("2014-04-01-preview", OWN_WORDS),
    ("2014-04-01", OWN_WORDS),
    ("2015-01-01", OWN_WORDS),
    ("2015-11-01", OWN_WORDS),
    ("2016-02-01", OWN_WORDS),
    ("2016-06-01", OWN_WORDS),
    ("2016-07-01", OWN_WORDS),
    ("2016-09-01", OWN_WORDS),
    ("2017-03-01", OWN_WORDS),
    ("2017-05-01", OWN_WORDS),
    ("2017-05-10", OWN_WORDS),
    ("2017-06-01", OWN_WORDS),
    ("2017-08-01", OWN_WORDS),
    ("2017-12-01", OWN_WORDS),
    ("2018-01-01", OWN_WORDS),
    ("2018-02-01", OWN_WORDS),
    ("2018-05-01", OWN_WORDS),
    ("2018-06-01", OWN_WORDS),
    ("2018-07-01", OWN_WORDS),
    ("2018-08-01", OWN_WORDS),
    ("2018-09-01", OWN_WORDS),
    ("2018-11-01", OWN_WORDS),
    ("2019-03-01", OWN_WORDS),
    ("2019-05-01", OWN_WORDS),
    ("2019-05-10", OWN_WORDS),
    ("2019-06-01", OWN_WORDS),
    ("2019-07-01", OWN_WORDS),
    ("2019-08-01", OWN_WORDS),
    ("2019-09-01", OWN_WORDS),
    ("2019-10-01", OWN_WORDS),
    ("2019-11-01", OWN_WORDS),
    ("2020-01-01", OWN_WORDS),
    ("2020-05-01", OWN_WORDS),
    ("2020-06-01", OWN_WORDS),
    ("2020-07-01", OWN_WORDS),
    ("2020-08-01", OWN_WORDS),
    ("2020-09-01", OWN_WORDS),
    ("2020-10-01", OWN_WORDS),
    ("2021-01-01", OWN_WORDS),
    ("2021-04-01", OWN_WORDS),
    ("2022-01-01", OWN_WORDS),
    ("2022-03-01-preview", OWN_WORDS),
    ("2022-05-01", OWN_WORDS),
    ("2022-06-01", OWN_WORDS),
    ("2022-09-01", OWN_WORDS),
    ("2022-11-01-preview", OWN_WORDS),
    ("2022-12-01", OWN_WORDS),
    ("2023-03-01-preview", OWN_WORDS),
    ("2023-07-01-preview", OWN_WORDS),
    ("2023-07-01", OWN_WORDS),
    ("2024-03-01", OWN_WORDS),
    ("2024-06-01-preview", OWN_WORDS),
    ("2024-07-01", "azure-cli 2.91"),
    ("2024-08-01", OWN_WORDS),
    ("2024-11-01", "azure-cli 2.91"),
    ("2025-03-01", "azure-cli 2.91"),
    ("2025-04-01", "azure-mgmt-resource 26.0.0 (PyPI)"),
]);

/// Enterprise policies of Power Platform.
pub(crate) const ENTERPRISE_POLICIES: Table = Table(&[
    ("2020-10-30-preview", "azure-mgmt-powerplatform 1.0.0b1 (PyPI)"),
    ("2020-10-30", "microsoft/PowerPlatform-EnterprisePolicies"),
]);

/// Power Platform administration. Its clients send one version or another to one and the same route.
pub(crate) const PLATFORM_ADMIN: Table = Table(&[
    ("2016-11-01", "microsoft/PowerPlatform-EnterprisePolicies"),
    ("2019-10-01", "microsoft/PowerPlatform-EnterprisePolicies"),
    ("2020-10-01", "MicrosoftDocs/power-platform, list-environments"),
    ("2021-04-01", "microsoft/terraform-provider-power-platform"),
    ("2023-06-01", "microsoft/terraform-provider-power-platform"),
    ("2024-05-01", "d365collaborative/d365bap.tools"),
]);

/// The Power Platform API.
pub(crate) const PLATFORM: Table = Table(&[
    ("2022-03-01-preview", "microsoft/terraform-provider-power-platform"),
    ("2024-10-01", "MicrosoftDocs/power-platform"),
]);

/// The addresses of a cloud, in an array with the first one, in an object with the others.
pub(crate) const CLOUD_METADATA: Table = Table(&[
    ("2019-05-01", "azure-cli 2.91, azure/cli/core/cloud.py"),
    ("2022-09-01", "azure-cli 2.91, azure/cli/command_modules/cloud/custom.py"),
]);

/// A vault's secrets.
pub(crate) const SECRETS: Table = Table(&[
    ("2016-10-01", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("7.0", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("7.1", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("7.2", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("7.3", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("7.4", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("7.5", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("7.6-preview.2", "@azure/keyvault-secrets 4.11.2 (npm)"),
    ("7.6", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("2025-06-01", "Azure/azure-rest-api-specs, keyvault/data-plane"),
    ("2025-07-01", "azure-keyvault-secrets 4.12.0 (PyPI)"),
    ("2026-04-01", "azure-keyvault-secrets 4.12.0 (PyPI)"),
]);

/// A vault's keys.
pub(crate) const KEYS: Table = Table(&[
    ("2016-10-01", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("7.0", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("7.1", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("7.2", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("7.3", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("7.4", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("7.5", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("7.6-preview.2", "@azure/keyvault-keys 4.10.2 (npm)"),
    ("7.6", "azure-keyvault-keys 4.11.3 (PyPI)"),
    ("2025-06-01", "Azure/azure-rest-api-specs, keyvault/data-plane"),
    ("2025-07-01", "azure-keyvault-keys 4.11.3 (PyPI)"),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_stands_once_in_its_place_and_has_a_source() {
        let tables = [
            STORAGE,
            KEY_VAULT,
            SYNAPSE,
            AUTHORIZATION,
            RESOURCE_GRAPH,
            RESOURCES,
            ENTERPRISE_POLICIES,
            PLATFORM_ADMIN,
            PLATFORM,
            CLOUD_METADATA,
            SECRETS,
            KEYS,
        ];
        // A date, and whether it is none of a preview; the data plane had numbers in between.
        let dated = |version: &'static str| {
            let (day, preview) = version.split_once("-preview").map_or((version, false), |(day, _)| (day, true));
            (day.len() == 10).then_some((day, !preview))
        };
        for table in tables {
            for ((version, source), (next, _)) in table.0.iter().zip(table.0.iter().skip(1)) {
                assert!(table.versions().filter(|v| v == version).count() == 1 && source.len() > 10, "{version}");
                assert!(dated(version).zip(dated(next)).is_none_or(|(one, other)| one < other), "{version} {next}");
            }
            assert!(table.takes(table.newest()) && !table.takes("2014-01-01") && !table.takes(""));
        }
        assert!(STORAGE.takes("2020-08-01-PREVIEW"));
    }
}
