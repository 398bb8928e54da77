//! Which hosts are talked to, and which are refused.

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
        (Service::Gateway, "https://api.ci.ai.dynamics.com/v1/instances"),
        (Service::Arm, "https://management.azure.com/subscriptions/s"),
        (Service::PowerPlatformAdmin, "https://api.bap.microsoft.com/providers/x"),
        (Service::PowerPlatformAdmin, "https://europe.api.bap.microsoft.com/providers/x"),
        (Service::PowerPlatform, "https://api.powerplatform.com/environmentmanagement/environments"),
        (Service::KeyVault, "https://kv-ci-prod.vault.azure.net/secrets/x"),
        // As the service writes its links.
        (Service::KeyVault, "https://kv-ci-prod.vault.azure.net:443/secrets/x"),
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
        (Service::Arm, "https://evil.management.azure.com/"),
        (Service::Arm, "https://management.azure.com.evil.example/"),
        (Service::Arm, "https://kv-ci-prod.vault.azure.net/"),
        (Service::PowerPlatformAdmin, "https://evilapi.bap.microsoft.com/"),
        (Service::PowerPlatformAdmin, "https://europe.api.bap.microsoft.com.evil.example/"),
        (Service::PowerPlatformAdmin, "https://europe.api.bap.microsoft.us/"),
        (Service::PowerPlatformAdmin, "https://bap.microsoft.com/"),
        (Service::PowerPlatformAdmin, "https://api.powerplatform.com/"),
        (Service::PowerPlatformAdmin, "http://europe.api.bap.microsoft.com/"),
        (Service::PowerPlatformAdmin, "https://management.azure.com/"),
        (Service::PowerPlatform, "https://api.bap.microsoft.com/"),
        (Service::PowerPlatform, "https://api.preprod.powerplatform.com/"),
        (Service::Arm, "https://api.bap.microsoft.com/"),
        (Service::KeyVault, "https://management.azure.com/"),
        (Service::KeyVault, "https://vault.azure.net/"),
        (Service::KeyVault, "https://a.b.vault.azure.net/"),
        (Service::KeyVault, "https://evilvault.azure.net/"),
        (Service::KeyVault, "https://kv-ci-prod.vault.azure.net.evil.example/"),
        (Service::KeyVault, "https://kv-ci-prod.vault.azure.net:8443/"),
        (Service::KeyVault, "http://kv-ci-prod.vault.azure.net/"),
        (Service::KeyVault, "https://kv-ci-prod.vault.localhost/"),
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
fn a_vault_of_an_emulator_is_one_label_on_its_very_port() {
    let hosts = Hosts::emulator(&url("http://127.0.0.1:8123")).unwrap();
    assert_eq!(hosts.vault("kv-CI").as_deref(), Ok("http://kv-ci.vault.localhost:8123"));
    assert_eq!(hosts.check(Service::KeyVault, &url("http://kv-ci.vault.localhost:8123/secrets/x")), Ok(()));
    for other in [
        "http://127.0.0.1:8123/secrets/x",
        "http://kv-ci.vault.localhost:8124/",
        "https://kv-ci.vault.localhost:8123/",
        "http://a.kv-ci.vault.localhost:8123/",
        "http://vault.localhost:8123/",
        "http://kv-ci.localhost:8123/",
        "http://user@kv-ci.vault.localhost:8123/",
        "https://kv-ci.vault.azure.net/",
    ] {
        assert!(hosts.check(Service::KeyVault, &url(other)).is_err(), "{other}");
    }
    for service in [Service::Graph, Service::Arm, Service::Gateway, Service::Entra] {
        assert!(hosts.check(service, &url("http://kv-ci.vault.localhost:8123/")).is_err(), "{service:?}");
    }
}

#[test]
fn no_host_is_made_from_what_is_no_name_of_a_vault() {
    let hosts = Hosts::cloud(Cloud::Public).unwrap();
    assert_eq!(hosts.vault("kv-ci-prod").as_deref(), Ok("https://kv-ci-prod.vault.azure.net"));
    let long = "k".repeat(25);
    for name in ["", "kv", "1kv", "kv.evil", "kv/evil", "kv@evil", "kv-", "kv#evil", "kv:1", "kv evil", &long] {
        assert_eq!(hosts.vault(name), Err(HostRefused::VaultName(name.to_owned())), "{name}");
    }
}

#[tokio::test]
async fn names_of_an_emulator_lead_to_loopback_and_no_others_anywhere() {
    let loopback = Loopback::of(&url("http://127.0.0.1:8123"));
    for name in ["localhost", "kv-ci.vault.localhost"] {
        let found: Vec<_> = loopback.resolve(name.parse().unwrap()).await.unwrap().collect();
        assert_eq!(found, [SocketAddr::from(([127, 0, 0, 1], 0))], "{name}");
    }
    for name in ["graph.microsoft.com", "kv-ci.vault.azure.net", "a.b.vault.localhost", "evil.localhost"] {
        assert!(loopback.resolve(name.parse().unwrap()).await.is_err(), "{name}");
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

/// A subscription key goes with the gateway's own path; the scale unit has another one.
#[test]
fn each_service_has_its_own_base() {
    let (cloud, origin) = (Hosts::Cloud(PUBLIC), "http://127.0.0.1:9");
    let emulator = Hosts::emulator(&url(origin)).unwrap();
    let (unit, gateway) = ("global.api.ci.ai.dynamics.com/api", "api.ci.ai.dynamics.com/v1");
    for (service, face, expected) in [
        (Service::CustomerInsights, Face::ScaleUnit, unit),
        (Service::CustomerInsights, Face::Gateway, gateway),
        (Service::ScaleUnit, Face::ScaleUnit, unit),
        (Service::ScaleUnit, Face::Gateway, unit),
        (Service::Gateway, Face::ScaleUnit, gateway),
        (Service::Gateway, Face::Gateway, gateway),
        (Service::Graph, Face::Gateway, "graph.microsoft.com/v1.0"),
        (Service::Arm, Face::Gateway, "management.azure.com"),
        (Service::PowerPlatformAdmin, Face::Gateway, "api.bap.microsoft.com"),
        (Service::PowerPlatform, Face::ScaleUnit, "api.powerplatform.com"),
    ] {
        assert_eq!(cloud.base(service, face), format!("https://{expected}"), "{service}");
        let path = expected.find('/').map_or("", |at| &expected[at..]);
        assert_eq!(emulator.base(service, face), format!("{origin}{path}"), "{service}");
    }
}

#[test]
fn credentials_in_an_address_and_names_without_a_label_are_refused() {
    let cloud = Hosts::Cloud(PUBLIC);
    for text in ["https://graph.microsoft.com/", "https://ada@graph.microsoft.com/", "https://:pw@graph.microsoft.com/"]
    {
        assert_eq!(cloud.check(Service::Graph, &url(text)).is_ok(), !text.contains('@'), "{text}");
    }
    for text in ["http://127.0.0.1:9/", "http://127.0.0.1:9/?x=1", "http://ada@127.0.0.1:9/", "http://127.0.0.1:9/x"] {
        assert_eq!(Hosts::emulator(&url(text)).is_ok(), text == "http://127.0.0.1:9/", "{text}");
    }
    for (name, fits) in [("kv.vault.net", true), (".vault.net", false), ("a.kv.vault.net", false), ("vault.net", false)]
    {
        assert_eq!(one_label_before(name, "vault.net"), fits, "{name}");
    }
}

#[test]
fn the_power_platform_of_a_cloud_is_no_other_clouds() {
    let clouds = [Cloud::Public, Cloud::Gcc, Cloud::GccHigh, Cloud::Dod, Cloud::China];
    let all = clouds.map(PowerPlatformHosts::of);
    for (index, one) in all.iter().enumerate() {
        assert_eq!(one.api_audience, format!("https://{}", one.api));
        for name in [one.admin_audience, one.api_audience] {
            assert!(name.starts_with("https://") && !name.ends_with('/'), "{name}");
        }
        for (other, _) in all.iter().zip(0..).filter(|(_, at)| *at != index) {
            assert!(!within(one.admin, other.admin) && !within(one.api, other.api), "{one:?} {other:?}");
            assert_ne!(one.admin_audience, other.admin_audience);
        }
    }
    let hosts = Hosts::cloud(Cloud::Public).unwrap();
    let emulator = Hosts::emulator(&url("http://127.0.0.1:8123")).unwrap();
    for (service, audience) in [
        (Service::PowerPlatformAdmin, "https://service.powerapps.com"),
        (Service::PowerPlatform, "https://api.powerplatform.com"),
    ] {
        assert_eq!((hosts.audience(service), emulator.audience(service)), (Some(audience), Some(audience)));
    }
}
