//! The Power Platform hosts of each cloud, and what their tokens are issued for.
//!
//! Taken from microsoft/terraform-provider-power-platform (`internal/constants`) and, where that disagrees with Microsoft's own
//! PowerShell modules, from the latter: they disagree about GCC and GCC High.
//!
//! Invariants: audiences are written without a slash at the end, since `/.default` follows; no cloud's hosts lie below
//! another's.

use crate::terms::Cloud;

/// The Power Platform hosts of one cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PowerPlatformHosts {
    /// Administration. Regions have hosts below it, such as `europe.api.bap.microsoft.com`.
    pub(super) admin: &'static str,
    /// The resource of its tokens.
    pub(super) admin_audience: &'static str,
    /// The Power Platform API. Tenants and environments have hosts below it.
    pub(super) api: &'static str,
    /// The resource of its tokens: the host itself.
    pub(super) api_audience: &'static str,
}

impl PowerPlatformHosts {
    /// Those of a cloud.
    pub(super) const fn of(cloud: Cloud) -> Self {
        let (admin, admin_audience, api_audience) = match cloud {
            Cloud::Public => {
                ("api.bap.microsoft.com", "https://service.powerapps.com", "https://api.powerplatform.com")
            }
            Cloud::Gcc => (
                "gov.api.bap.microsoft.us",
                "https://gov.service.powerapps.us",
                "https://api.gov.powerplatform.microsoft.us",
            ),
            Cloud::GccHigh => (
                "high.api.bap.microsoft.us",
                "https://high.service.powerapps.us",
                "https://api.high.powerplatform.microsoft.us",
            ),
            Cloud::Dod => {
                ("api.bap.appsplatform.us", "https://service.apps.appsplatform.us", "https://api.appsplatform.us")
            }
            Cloud::China => (
                "api.bap.partner.microsoftonline.cn",
                "https://service.powerapps.cn",
                "https://api.powerplatform.partner.microsoftonline.cn",
            ),
        };
        // After `https://`.
        let (_, api) = api_audience.split_at(8);
        Self { admin, admin_audience, api, api_audience }
    }
}
