//! Which hosts there are, and which of them may see a token.
//!
//! A service's answers name further addresses (scale units, next pages, operation status). What must stay true: a token
//! goes only over https to hosts of the configured cloud whose name ends, at a dot, with a suffix of that token's own
//! audience; with an emulator, only to that emulator's very origin.

use std::net::IpAddr;

use thiserror::Error;
use url::{Host, Url};

use super::operations::Service;
use crate::config::{Cloud, Face};

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
    /// Azure Resource Manager; its regions have names below it.
    arm: &'static str,
    /// The suffix of all Customer Insights hosts: `api.` (gateway), `global.api.` (locator), `{scale unit}.api.`
    customer_insights: &'static str,
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
    #[error("`{0}` is not a loopback address; an emulator is reached over http on 127.0.0.1, [::1] or localhost only")]
    NotLoopback(String),
    /// Outside of the cloud or the emulator.
    #[error("`{host}` is not a host of {service} here; nothing is sent to it")]
    Foreign {
        /// The scheme and host that an answer or a setting named.
        host: String,
        /// The service that was meant.
        service: Service,
    },
}

/// The public cloud. Source: customer-insights reference 2.1, azure reference 7.12.
const PUBLIC: CloudHosts = CloudHosts {
    entra: "login.microsoftonline.com",
    graph: "graph.microsoft.com",
    arm: "management.azure.com",
    customer_insights: "ci.ai.dynamics.com",
};

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
        let gateway = service == Service::CustomerInsights && face == Face::Gateway;
        let (host, prefix) = match service {
            Service::Entra => ("entra", ""),
            Service::Graph => ("graph", "/v1.0"),
            Service::Arm => ("arm", ""),
            Service::CustomerInsights | Service::ScaleUnit if gateway => ("gateway", "/v1"),
            Service::CustomerInsights | Service::ScaleUnit => ("locator", "/api"),
            Service::Emulator => ("emulator", ""),
        };
        match self {
            Self::Emulator { origin } => format!("{}{prefix}", origin.as_str().trim_end_matches('/')),
            Self::Cloud(hosts) => {
                let name = match host {
                    "entra" => hosts.entra.to_owned(),
                    "graph" => hosts.graph.to_owned(),
                    "arm" => hosts.arm.to_owned(),
                    "gateway" => format!("api.{}", hosts.customer_insights),
                    _ => format!("global.api.{}", hosts.customer_insights),
                };
                format!("https://{name}{prefix}")
            }
        }
    }

    /// Whether a request to `service`, with its token, may go to `address`.
    pub fn check(&self, service: Service, address: &Url) -> Result<(), HostRefused> {
        let allowed = match self {
            Self::Emulator { origin } => address.origin() == origin.origin(),
            Self::Cloud(hosts) => {
                let suffix = match service {
                    Service::Entra => hosts.entra,
                    Service::Graph => hosts.graph,
                    Service::Arm => hosts.arm,
                    Service::CustomerInsights | Service::ScaleUnit => hosts.customer_insights,
                    Service::Emulator => "",
                };
                let default_port = address.port().is_none();
                address.scheme() == "https"
                    && default_port
                    && !suffix.is_empty()
                    && matches!(address.host(), Some(Host::Domain(name)) if within(name, suffix))
            }
        };
        if allowed && address.username().is_empty() && address.password().is_none() {
            return Ok(());
        }
        let host = format!("{}://{}", address.scheme(), address.host_str().unwrap_or_default());
        Err(HostRefused::Foreign { host, service })
    }
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
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn in_a_cloud_each_audience_has_its_own_dot_bounded_hosts() {
        let hosts = Hosts::cloud(Cloud::Public).unwrap();
        let allowed = [
            (Service::CustomerInsights, "https://api.ci.ai.dynamics.com/v1/instances"),
            (Service::CustomerInsights, "https://global.api.ci.ai.dynamics.com/api/instances"),
            (Service::ScaleUnit, "https://prod-weu-01.api.ci.ai.dynamics.com/api/instances"),
            (Service::Graph, "https://graph.microsoft.com/v1.0/users"),
            (Service::Entra, "https://login.microsoftonline.com/t/oauth2/v2.0/token"),
        ];
        for (service, address) in allowed {
            assert_eq!(hosts.check(service, &url(address)), Ok(()), "{address}");
        }
        let refused = [
            (Service::CustomerInsights, "https://evil-ci.ai.dynamics.com/"),
            (Service::CustomerInsights, "https://ci.ai.dynamics.com.evil.example/"),
            (Service::CustomerInsights, "https://graph.microsoft.com/"),
            (Service::Graph, "https://api.ci.ai.dynamics.com/"),
            (Service::Graph, "http://graph.microsoft.com/"),
            (Service::Graph, "https://graph.microsoft.com:8443/"),
            (Service::Graph, "https://user@graph.microsoft.com/"),
            (Service::Graph, "https://127.0.0.1/"),
            (Service::Graph, "http://localhost/"),
            (Service::Graph, "https://[::1]/"),
            (Service::Emulator, "https://graph.microsoft.com/_emulator"),
        ];
        for (service, address) in refused {
            assert!(hosts.check(service, &url(address)).is_err(), "{address}");
        }
    }

    #[test]
    fn with_an_emulator_only_its_very_origin_is_talked_to() {
        let hosts = Hosts::emulator(&url("http://127.0.0.1:8123")).unwrap();
        assert_eq!(hosts.check(Service::Graph, &url("http://127.0.0.1:8123/v1.0/users")), Ok(()));
        for other in [
            "http://127.0.0.1:8124/",
            "https://127.0.0.1:8123/",
            "http://localhost:8123/",
            "https://graph.microsoft.com/",
            "http://127.0.0.2:8123/",
        ] {
            assert!(hosts.check(Service::Graph, &url(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn an_emulator_is_on_this_machine() {
        for fine in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
            assert!(Hosts::emulator(&url(fine)).is_ok(), "{fine}");
        }
        for foreign in [
            "http://10.0.0.1:1",
            "http://0.0.0.0:1",
            "https://127.0.0.1:1",
            "http://localhost.evil.example:1",
            "http://127.0.0.1:1/api",
            "http://user@127.0.0.1:1",
        ] {
            assert!(Hosts::emulator(&url(foreign)).is_err(), "{foreign}");
        }
    }

    #[test]
    fn where_microsoft_prints_no_host_nothing_is_guessed() {
        for cloud in [Cloud::Gcc, Cloud::GccHigh, Cloud::Dod, Cloud::China] {
            assert!(Hosts::cloud(cloud).is_err());
        }
    }
}
