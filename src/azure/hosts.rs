//! Which hosts there are, and which of them may see a token.
//!
//! A service's answers name further addresses (scale units, next pages, operation status). What must stay true: a token
//! goes only over https to hosts of the configured cloud whose name ends, at a dot, with a suffix of that token's own
//! audience; with an emulator, only to that emulator's very origin, and a vault's token only to `NAME.vault.localhost` on
//! that origin's scheme and port.

mod power_platform;

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

use super::operations::Service;
use crate::terms::names::{VAULT_NAMES, is_vault_name};
use crate::terms::{Cloud, Face};
use power_platform::PowerPlatformHosts;

/// Where calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// A cloud of Microsoft's.
    Cloud(CloudHosts),
    /// An emulator on this machine.
    Emulator {
        /// Scheme, host and port; no path.
        origin: Url,
    },
}

/// The hosts of one cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloudHosts {
    entra: &'static str,
    graph: &'static str,
    /// The suffix of all Customer Insights hosts: `api.` (gateway), `global.api.` (locator), `{scale unit}.api.`
    customer_insights: &'static str,
    arm: &'static str,
    /// What follows a vault's name.
    key_vault: &'static str,
    power_platform: PowerPlatformHosts,
}

/// An address that palisade doesn't talk to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HostRefused {
    /// Microsoft prints no Customer Insights host for this cloud.
    #[error(
        "Microsoft publishes no Customer Insights host for the cloud `{0}`, so palisade can't know where it would send a token"
    )]
    CloudUnknown(&'static str),
    /// The emulator must be on this machine.
    #[error(
        "`{0}` can't be an emulator's address: palisade reaches one over http on loopback (127.0.0.1, [::1] or localhost), without a path"
    )]
    NotLoopback(String),
    /// Not a name that a vault can have.
    #[error("`{0}` can't be the name of a key vault: {VAULT_NAMES}")]
    VaultName(String),
    /// Outside of the cloud or the emulator.
    #[error("`{host}` is not a host of {service} here; nothing is sent to it")]
    Foreign {
        /// The scheme and host that an answer or a setting named.
        host: String,
        /// The service that was meant.
        service: Service,
    },
}

/// The public cloud. The operation catalogue names the sources.
const PUBLIC: CloudHosts = CloudHosts {
    entra: "login.microsoftonline.com",
    graph: "graph.microsoft.com",
    customer_insights: "ci.ai.dynamics.com",
    arm: "management.azure.com",
    key_vault: "vault.azure.net",
    power_platform: PowerPlatformHosts::of(Cloud::Public),
};

/// What follows a vault's name on an emulator. It resolves nowhere by itself; [`Loopback`] knows where it leads.
const LOCAL_VAULTS: &str = "vault.localhost";

impl Hosts {
    /// The hosts of a cloud. Only the public cloud's Customer Insights hosts are published.
    pub fn cloud(cloud: Cloud) -> Result<Self, HostRefused> {
        match cloud {
            Cloud::Public => Ok(Self::Cloud(PUBLIC)),
            Cloud::Gcc => Err(HostRefused::CloudUnknown("gcc")),
            Cloud::GccHigh => Err(HostRefused::CloudUnknown("gccHigh")),
            Cloud::Dod => Err(HostRefused::CloudUnknown("dod")),
            Cloud::China => Err(HostRefused::CloudUnknown("china")),
        }
    }

    /// An emulator; must be plain http on loopback.
    pub fn emulator(address: &Url) -> Result<Self, HostRefused> {
        let refused = || HostRefused::NotLoopback(address.to_string());
        let bare = address.path() == "/" && address.query().is_none() && address.username().is_empty();
        if address.scheme() != "http" || !bare || !address.host().is_some_and(|host| is_loopback(&host)) {
            return Err(refused());
        }
        Ok(Self::Emulator { origin: address.clone() })
    }

    /// The base that a service's paths are joined to.
    pub fn base(&self, service: Service, face: Face) -> String {
        let gateway = service == Service::Gateway || service == Service::CustomerInsights && face == Face::Gateway;
        let prefix = match service {
            Service::Graph => "/v1.0",
            Service::CustomerInsights | Service::ScaleUnit | Service::Gateway if gateway => "/v1",
            Service::CustomerInsights | Service::ScaleUnit | Service::Gateway => "/api",
            Service::Entra
            | Service::Arm
            | Service::PowerPlatformAdmin
            | Service::PowerPlatform
            | Service::KeyVault
            | Service::Emulator => "",
        };
        match self {
            Self::Emulator { origin } => format!("{}{prefix}", origin.as_str().trim_end_matches('/')),
            Self::Cloud(hosts) => {
                let name = match service {
                    Service::Entra => hosts.entra.to_owned(),
                    Service::Graph => hosts.graph.to_owned(),
                    Service::Arm => hosts.arm.to_owned(),
                    Service::PowerPlatformAdmin => hosts.power_platform.admin.to_owned(),
                    Service::PowerPlatform => hosts.power_platform.api.to_owned(),
                    Service::CustomerInsights | Service::ScaleUnit | Service::Gateway if gateway => {
                        format!("api.{}", hosts.customer_insights)
                    }
                    Service::CustomerInsights | Service::ScaleUnit | Service::Gateway => {
                        format!("global.api.{}", hosts.customer_insights)
                    }
                    // Each vault has a host of its own, and there is no emulator in a cloud: `check` refuses both.
                    Service::KeyVault => hosts.key_vault.to_owned(),
                    Service::Emulator => String::new(),
                };
                format!("https://{name}{prefix}")
            }
        }
    }

    /// The resource that a token must be issued for; `None` for services that take no token.
    ///
    /// An emulator takes tokens for the resources of the public cloud.
    pub fn audience(&self, service: Service) -> Option<&'static str> {
        let power_platform = match self {
            Self::Cloud(hosts) => hosts.power_platform,
            Self::Emulator { origin: _ } => PUBLIC.power_platform,
        };
        match service {
            // Microsoft's own samples and connector ask for this resource.
            Service::CustomerInsights | Service::ScaleUnit | Service::Gateway => {
                Some("https://api.ci.ai.microsoft.com")
            }
            Service::Arm => Some("https://management.azure.com"),
            Service::PowerPlatformAdmin => Some(power_platform.admin_audience),
            Service::PowerPlatform => Some(power_platform.api_audience),
            Service::KeyVault => Some("https://vault.azure.net"),
            Service::Graph => Some("https://graph.microsoft.com"),
            Service::Entra | Service::Emulator => None,
        }
    }

    /// The address of a vault, without a slash at the end.
    pub fn vault(&self, name: &str) -> Result<String, HostRefused> {
        if !is_vault_name(name) {
            return Err(HostRefused::VaultName(name.to_owned()));
        }
        let name = name.to_ascii_lowercase();
        Ok(match self {
            Self::Cloud(hosts) => format!("https://{name}.{}", hosts.key_vault),
            Self::Emulator { origin } => {
                let port = origin.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}://{name}.{LOCAL_VAULTS}{port}", origin.scheme())
            }
        })
    }

    /// Whether a request to `service`, with its token, may go to `address`.
    pub fn check(&self, service: Service, address: &Url) -> Result<(), HostRefused> {
        let allowed = match self {
            Self::Emulator { origin } if service == Service::KeyVault => {
                address.scheme() == origin.scheme()
                    && address.port_or_known_default() == origin.port_or_known_default()
                    && matches!(address.host(), Some(Host::Domain(name)) if one_label_before(name, LOCAL_VAULTS))
            }
            Self::Emulator { origin } => address.origin() == origin.origin(),
            Self::Cloud(hosts) => {
                let default_port = address.port().is_none();
                address.scheme() == "https"
                    && default_port
                    && matches!(address.host(), Some(Host::Domain(name)) if hosts.serve(service, name))
            }
        };
        if allowed && address.username().is_empty() && address.password().is_none() {
            return Ok(());
        }
        let host = format!("{}://{}", address.scheme(), address.host_str().unwrap_or_default());
        Err(HostRefused::Foreign { host, service })
    }
}

impl CloudHosts {
    /// Whether `name` is a host of `service`.
    fn serve(&self, service: Service, name: &str) -> bool {
        match service {
            Service::Entra => within(name, self.entra),
            Service::Graph => within(name, self.graph),
            Service::CustomerInsights | Service::ScaleUnit | Service::Gateway => within(name, self.customer_insights),
            Service::Arm => name == self.arm,
            // Each region has a host of its own below the cloud's.
            Service::PowerPlatformAdmin => within(name, self.power_platform.admin),
            Service::PowerPlatform => within(name, self.power_platform.api),
            Service::KeyVault => one_label_before(name, self.key_vault),
            Service::Emulator => false,
        }
    }
}

/// Resolves the names of an emulator to its own address, without asking anybody: `localhost`, and the vaults below it.
/// Every other name stays unresolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loopback(pub(super) IpAddr);

impl Loopback {
    /// The address of an emulator's origin.
    pub(super) fn of(origin: &Url) -> Self {
        Self(match origin.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) | None => IpAddr::from([127, 0, 0, 1]),
        })
    }
}

impl Resolve for Loopback {
    fn resolve(&self, name: Name) -> Resolving {
        let known = name.as_str() == "localhost" || one_label_before(name.as_str(), LOCAL_VAULTS);
        // Port 0 stands for the URL's own.
        let address = SocketAddr::new(self.0, 0);
        Box::pin(std::future::ready(match known {
            true => Ok(Box::new(std::iter::once(address)) as Addrs),
            false => Err(format!("`{}` is not a name of the emulator", name.as_str()).into()),
        }))
    }
}

/// `name` is exactly one label, then a dot, then `suffix`.
fn one_label_before(name: &str, suffix: &str) -> bool {
    let label = name.strip_suffix(suffix).and_then(|front| front.strip_suffix('.'));
    label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
}

/// `name` is `suffix` or ends with it at a dot: `evil-ci.ai.dynamics.com` is not within `ci.ai.dynamics.com`.
fn within(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests;
