//! Tokens and what is read before them.

use crate::support::{Ask, CI, Fixture, GRAPH, INSTANCE, TENANT, plain_client};
use palisade::emulator::{CLIENT_ID, CLIENT_SECRET};
use serde_json::json;

#[tokio::test]
async fn refusals_carry_entras_numbers() {
    let f = Fixture::start().await;
    let tenant = TENANT.to_string();
    let client = CLIENT_ID.to_string();
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_secret", CLIENT_SECRET),
        ("scope", "https://api.ci.ai.microsoft.com/.default"),
    ];
    let other = "00000000-0000-4000-8000-000000000009";
    let assertion = [("client_secret", ""), ("client_assertion", "a.b.c")];
    type Form<'a> = Vec<(&'a str, &'a str)>;
    let cases: Vec<(&str, Form<'_>, u16, u32, &str)> = vec![
        (other, vec![], 400, 90002, "invalid_request"),
        (&tenant, vec![("client_id", other)], 400, 700_016, "unauthorized_client"),
        (&tenant, vec![("client_secret", "wrong")], 401, 7_000_215, "invalid_client"),
        (&tenant, vec![("client_secret", "")], 401, 7_000_218, "invalid_client"),
        (&tenant, assertion.to_vec(), 401, 700_213, "invalid_client"),
        (&tenant, vec![("scope", "https://nowhere.example/.default")], 400, 500_011, "invalid_resource"),
        (&tenant, vec![("scope", "openid")], 400, 1_002_012, "invalid_scope"),
        (&tenant, vec![("grant_type", "nonsense")], 400, 70003, "unsupported_grant_type"),
        (&tenant, vec![("grant_type", "")], 400, 900_144, "invalid_request"),
    ];
    for (tenant, changes, status, number, error) in cases {
        let mut form: Form<'_> = good.iter().filter(|(n, _)| !changes.iter().any(|(c, _)| c == n)).copied().collect();
        form.extend(&changes);
        let reply = f.token_reply(tenant, &form).await;
        let body = reply.json();
        assert_eq!(reply.status, status, "{number}: {body}");
        assert_eq!(body["error_codes"], json!([number]));
        assert_eq!(body["error"], error);
        assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: ")));
        assert_eq!(body["timestamp"], "2026-11-20 12:00:00Z");
    }
}

/// What clients read in a token besides who it is for.
#[tokio::test]
async fn tokens_have_the_claims_of_an_application() {
    use base64::Engine as _;
    let f = Fixture::start().await;
    let claims = async || {
        let token = f.admin(GRAPH).await;
        let payload = token.split('.').nth(1).unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
    };
    let (one, other) = (claims().await, claims().await);
    assert_eq!((&one["nbf"], &one["sub"], &one["idp"]), (&one["iat"], &one["oid"], &one["iss"]));
    assert_eq!([&one["ver"], &one["idtyp"], &one["appidacr"]], ["1.0", "app", "1"]);
    assert_ne!(one["uti"], other["uti"]);
    assert_eq!(one["uti"].as_str().unwrap().len(), 22);
}

#[tokio::test]
async fn a_tenant_is_known_by_id_in_any_case_and_by_domain() {
    let f = Fixture::start().await;
    let client = CLIENT_ID.to_string().to_uppercase();
    for tenant in [TENANT.to_string().to_uppercase(), "Contoso.com".to_owned()] {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", CLIENT_SECRET),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let reply = f.token_reply(&tenant, &form).await;
        let body = reply.json();
        assert_eq!(
            (reply.status.as_u16(), &body["token_type"], &body["expires_in"]),
            (200, &json!("Bearer"), &json!(3599))
        );
    }
}

#[tokio::test]
async fn tokens_count_until_they_expire_for_one_audience_and_one_emulator() {
    let f = Fixture::start().await;
    let stranger = Fixture::start().await;
    let path = format!("/api/instances/{INSTANCE}");
    let token = f.admin(CI).await;
    let (signed, _) = token.rsplit_once('.').unwrap();
    let cases = [
        ("ours", Some(token.clone()), 200),
        ("none", None, 401),
        ("another audience", Some(f.admin(GRAPH).await), 401),
        ("another emulator", Some(stranger.admin(CI).await), 401),
        ("unsigned", Some(format!("{signed}.")), 401),
        ("nonsense", Some("a.b.c".to_owned()), 401),
    ];
    for (name, token, status) in cases {
        let reply = f.ask("GET", &path, Ask { token, ..Ask::default() }).await;
        assert_eq!(reply.status, status, "{name}");
        if status == 401 {
            assert_eq!((reply.header("www-authenticate"), reply.text.as_str()), (Some("Bearer"), ""), "{name}");
        }
    }
    f.clock.advance(std::time::Duration::from_secs(3598));
    assert_eq!(f.get(&path, &token).await.status, 200);
    f.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(f.get(&path, &token).await.status, 401);
}

#[tokio::test]
async fn the_openid_configuration_names_the_origin_that_was_asked() {
    let f = Fixture::start().await;
    let port = f.emulator.http().port().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{port}/{TENANT}/v2.0/.well-known/openid-configuration");
        // By name only through the header: resolving is the machine's business.
        let ask = Ask::default().header("host", &format!("{host}:{port}"));
        let body = f.ask("GET", &url.replace("localhost", "127.0.0.1"), ask).await.json();
        assert_eq!(body["token_endpoint"], format!("http://{host}:{port}/{TENANT}/oauth2/v2.0/token"));
        assert_eq!(body["issuer"], format!("http://{host}:{port}/{TENANT}/v2.0"));
    }
    let ask = Ask::default().header("host", "login.microsoftonline.com");
    let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let issuer = f.ask("GET", &path, ask).await.json()["issuer"].clone();
    assert_eq!(issuer, format!("http://127.0.0.1:{port}/{TENANT}/v2.0"));
    let unknown = f.ask("GET", "/nowhere.example/v2.0/.well-known/openid-configuration", Ask::default()).await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["error"]), (400, &json!("invalid_tenant")));
    let discovery = f.ask("GET", "/common/discovery/instance?api-version=1.1", Ask::default()).await.json();
    assert_eq!(discovery["metadata"][0]["aliases"], json!([format!("127.0.0.1:{port}")]));
}

#[tokio::test]
async fn https_works_with_the_written_certificate_only() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("emulator.pem");
    let mut options = crate::support::options(crate::support::world(), Vec::new());
    options.https = Some(([127, 0, 0, 1], 0).into());
    options.certificate = Some(certificate.clone());
    let f = Fixture::with(options).await;
    let pem = std::fs::read_to_string(f.emulator.certificate().unwrap()).unwrap();
    assert!(!pem.contains("PRIVATE"));
    let url = format!("{}_emulator", f.emulator.https().unwrap());
    assert!(plain_client().get(&url).send().await.is_err());
    let trusting = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(reqwest::Certificate::from_pem(pem.as_bytes()).unwrap())
        .build()
        .unwrap();
    assert_eq!(trusting.get(&url).send().await.unwrap().status(), 200);
}
