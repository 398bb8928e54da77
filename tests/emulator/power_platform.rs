//! Power Platform: environments, gates, lists.

use serde_json::json;

use crate::platform::{ADMIN, ENVIRONMENT, PLATFORM, Scene, environment_of, refusal};
use crate::support::{ARM, Ask, Fixture, STRANGER};

const LIST: &str = "scopes/admin/environments";

#[tokio::test]
async fn a_seeded_environment_is_active_managed_and_bound_to_its_instance() {
    let s = Scene::start().await;
    let reply = s.ask("GET", &format!("{LIST}/{}", ENVIRONMENT.to_uppercase()), None).await;
    let body = reply.json();
    assert_eq!((&body["name"], &body["location"]), (&json!(ENVIRONMENT), &json!("europe")));
    let properties = &body["properties"];
    assert_eq!(properties["states"]["management"]["id"], "Ready");
    assert_eq!(properties["states"]["runtime"]["id"], "Enabled");
    assert_eq!(properties["governanceConfiguration"]["protectionLevel"], "Standard");
    assert!(properties["governanceConfiguration"]["settings"]["extendedSettings"]["limitSharingMode"].is_string());
    assert_eq!(properties["protectionStatus"]["keyManagedBy"], "Microsoft");
    assert_eq!(properties["enterprisePolicies"], json!(null));
    let address = s.f.emulator.world().instances.values().next().unwrap().metadata.cds_org_info.clone().unwrap().url;
    assert_eq!(properties["linkedEnvironmentMetadata"]["instanceUrl"], json!(format!("{address}/")));
    assert_eq!(properties["runtimeEndpoints"]["microsoft.BusinessAppPlatform"], json!(s.f.url("")));
    assert!(properties["createdTime"].as_str().unwrap().ends_with(".0000000Z"));
    let plain = s.ask("GET", &format!("environments/{ENVIRONMENT}"), None).await;
    assert_eq!(plain.json(), body);
    let published = s.publicly("GET", &format!("environments/{ENVIRONMENT}")).await.json();
    assert_eq!((&published["id"], &published["type"]), (&json!(ENVIRONMENT), &json!("Production")));
    assert_eq!((&published["enterprisePolicies"], &published["protectionLevel"]), (&json!({}), &json!("Standard")));
    assert_eq!(published["url"], json!(format!("{address}/")));
}

#[tokio::test]
async fn each_service_takes_its_own_tokens_and_names_the_correlation() {
    let s = Scene::start().await;
    let path = format!("/providers/Microsoft.BusinessAppPlatform/{LIST}?api-version=2023-06-01");
    let published = "/environmentmanagement/environments?api-version=2024-10-01";
    for (path, token, status) in [
        (path.as_str(), Some(&s.admin), 200),
        (path.as_str(), Some(&s.platform), 401),
        (path.as_str(), Some(&s.arm), 401),
        (path.as_str(), None, 401),
        (published, Some(&s.platform), 200),
        (published, Some(&s.admin), 401),
    ] {
        let ask = Ask { token: token.cloned(), ..Ask::default() };
        let reply = s.f.ask("GET", path, ask).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.header("x-ms-correlation-id").map(str::len), Some(36), "{path}");
    }
    let cases = [
        (path.replace("2023-06-01", "2014-01-01"), (400, "InvalidApiVersionParameter")),
        (path.replace("?api-version=2023-06-01", ""), (400, "MissingApiVersionParameter")),
        (path.replace("?", "?$expand=properties.capacity&"), (501, "NotServedByEmulator")),
        (path.replace("?", "?$filter=x&"), (501, "NotServedByEmulator")),
        (path.replace("scopes", "scope"), (501, "NotServedByEmulator")),
    ];
    for (path, (status, code)) in cases {
        let reply = s.f.get(&path, &s.admin).await;
        assert_eq!(refusal(&reply), (status, code.to_owned()), "{path}");
        assert!(reply.header("x-ms-correlation-id").is_some(), "{path}");
    }
    // The paths have no case.
    let lower = "/PROVIDERS/microsoft.businessappplatform/SCOPES/admin/Environments?API-version=2023-06-01";
    assert_eq!(s.f.get(lower, &s.admin).await.status, 200);
    assert_eq!(s.f.get("/EnvironmentManagement/ENVIRONMENTS?api-version=2024-10-01", &s.platform).await.status, 200);
    let expanded = "properties/billingPolicy,properties/copilotPolicies";
    assert_eq!(s.f.get(&path.replace('?', &format!("?$expand={expanded}&")), &s.admin).await.status, 200);
}

#[tokio::test]
async fn who_does_not_administer_is_told_that_there_is_no_environment() {
    let f = Fixture::start().await;
    let (admin, platform) = (f.token(STRANGER, ADMIN).await, f.token(STRANGER, PLATFORM).await);
    let base = "/providers/Microsoft.BusinessAppPlatform";
    let version = "?api-version=2019-10-01";
    for path in [
        format!("{base}/{LIST}/{ENVIRONMENT}{version}"),
        format!("{base}/environments/{ENVIRONMENT}{version}"),
        format!("{base}/environments/{ENVIRONMENT}/lifecycleOperationsEnforcement{version}"),
        format!("{base}/lifecycleOperations{version}&$filter=environment eq '{ENVIRONMENT}'"),
    ] {
        assert_eq!(refusal(&f.get(&path, &admin).await), (404, "EnvironmentNotFound".into()), "{path}");
    }
    let path = format!("/environmentmanagement/environments/{ENVIRONMENT}?api-version=2024-10-01");
    assert_eq!(refusal(&f.get(&path, &platform).await), (404, "EnvironmentNotFound".into()));
    let list = f.get(&format!("{base}/{LIST}{version}"), &admin).await;
    assert_eq!(refusal(&list), (403, "Forbidden".into()));
    assert!(list.text.contains("does not have permission to access the path"), "{}", list.text);
    let link = format!("{base}/environments/{ENVIRONMENT}/enterprisePolicies/Encryption/link{version}");
    let body = json!({ "SystemId": "/regions/europe/providers/Microsoft.PowerPlatform/enterprisePolicies/x" });
    let reply = f.ask("POST", &link, Ask::token(&admin).json(&body)).await;
    assert_eq!(refusal(&reply), (404, "EnvironmentNotFound".into()));
    // An administrator is told the same of what isn't there.
    let missing = f.get(&format!("{base}/{LIST}/none{version}"), &f.admin(ADMIN).await).await;
    assert_eq!(refusal(&missing), (404, "EnvironmentNotFound".into()));
    assert_eq!(f.get(&format!("{base}/{LIST}{version}"), &f.admin(ARM).await).await.status, 401);
}

#[tokio::test]
async fn lists_go_on_in_pages_each_by_its_own_word() {
    let s = Scene::with(|world| {
        world.behaviour.power_platform_page = 2;
        let first = environment_of(world).clone();
        for number in 2..=5 {
            let id = format!("1bd6bd98-0000-4000-8000-00000000e00{number}");
            world
                .power_platform_environments
                .insert(id.clone(), palisade::emulator::PlatformEnvironment { id, ..first.clone() });
        }
    })
    .await;
    for (token, first, word) in [
        (&s.admin, format!("/providers/Microsoft.BusinessAppPlatform/{LIST}?api-version=2023-06-01"), "nextLink"),
        (&s.platform, "/environmentmanagement/environments?api-version=2024-10-01".to_owned(), "@odata.nextlink"),
    ] {
        let (mut path, mut sizes) = (Some(first), Vec::new());
        while let Some(next) = path.take() {
            let page = s.f.get(&next, token).await.json();
            sizes.push(page["value"].as_array().unwrap().len());
            path = page[word].as_str().map(str::to_owned);
            assert!(page.as_object().unwrap().keys().all(|key| key == "value" || key == word), "{page}");
        }
        assert_eq!(sizes, [2, 2, 1], "{word}");
    }
    for round in 0..3 {
        let verb = if round % 2 == 0 { "disableManaged" } else { "enableManaged" };
        let path = format!("environments/{ENVIRONMENT}/governanceSetting/{verb}");
        assert_eq!(s.publicly("POST", &path).await.status, 202);
        s.advance(2);
    }
    let path = format!("environments/{ENVIRONMENT}/operations");
    let page = s.publicly("GET", &path).await.json();
    assert_eq!((page["collection"].as_array().unwrap().len(), &page["continuationToken"]), (2, &json!("2")));
    let last = s.publicly("GET", &format!("{path}?continuationToken=2")).await.json();
    assert_eq!((last["collection"].as_array().unwrap().len(), &last["continuationToken"]), (1, &json!(null)));
    let newest = &page["collection"][0];
    assert_eq!((&newest["name"], &newest["status"]), (&json!("DisableGovernanceConfiguration"), &json!("Succeeded")));
}

#[tokio::test]
async fn a_default_environment_has_an_id_that_is_no_guid() {
    let id = "Default-7b1f0c52-0000-4000-8000-0000000000aa";
    let s = Scene::with(|world| {
        let default = palisade::emulator::PlatformEnvironment {
            id: id.to_owned(),
            sku: "Default".into(),
            ..environment_of(world).clone()
        };
        world.power_platform_environments.insert(id.to_lowercase(), default);
    })
    .await;
    for path in [format!("{LIST}/{id}"), format!("{LIST}/{}", id.to_lowercase()), format!("{LIST}/~default")] {
        let body = s.ask("GET", &path, None).await.json();
        assert_eq!((&body["name"], &body["properties"]["isDefault"]), (&json!(id), &json!(true)), "{path}");
    }
}
