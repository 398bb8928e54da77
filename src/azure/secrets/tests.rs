use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::*;
use crate::azure::operations::{
    ALL, ENTRA_TOKEN, GET_SECRET, LIST_API_KEYS, LIST_SECRET_VERSIONS, SET_SECRET, TRY_API_KEY,
};
use crate::azure::refusal::status_failure;
use crate::azure::{CallError, Failure};

fn held(secrets: &[&str]) -> Held {
    let held = Held::default();
    secrets.iter().for_each(|secret| held.note(secret));
    held
}

/// So many of them are no Base64.
const PLAIN: usize = 10;

/// All ways in which a service may write what it was sent.
fn ways(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let quoted = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let again = serde_json::to_string(&quoted).unwrap();
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let unicode: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&#34;").replace('\'', "&#x27;");
    let mut ways = vec![
        secret.to_owned(),
        percent.clone(),
        secret.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        percent.replace('%', "%25"),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        again[1..again.len() - 1].to_owned(),
        quoted.replace('/', "\\/"),
        quoted,
        unicode,
        html,
    ];
    assert_eq!(ways.len(), PLAIN);
    for user in ["", "a", "ab:", "user:"] {
        let pair = format!("{user}{secret}");
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            ways.push(engine.encode(&pair));
            ways.push(engine.encode(format!("{pair}&scope=x")));
        }
    }
    ways
}

/// Whether a text shows more of a secret than chance would: any six characters of it, in any of its forms.
fn shows(text: &str, secret: &str) -> bool {
    let own = (0..3).map(|before| base64(secret.as_bytes(), before).to_string());
    let plain = ways(secret).into_iter().take(PLAIN).filter(|way| !way.is_empty());
    own.chain(plain).any(|way| {
        let way: Vec<char> = way.chars().collect();
        way.windows(6).any(|part| text.contains(&part.iter().collect::<String>()))
    })
}

/// Words that hold no six characters of any secret that the test makes.
const WORDS: &str = "No - it is «»";

#[test]
fn nothing_of_a_secret_gets_out_of_the_errors_of_any_operation() {
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::with_cases(6) }, seed);
    let secret = proptest::collection::vec(
        prop_oneof![8 => proptest::char::range('!', '~'), 1 => Just(' '), 1 => Just('é'), 1 => Just('🔑')],
        10..90,
    );
    let chosen = (secret, 0..ALL.len());
    let outcome = runner.run(&chosen, |(secret, operation)| {
        let secret: String = secret.into_iter().collect::<String>().trim().to_owned();
        prop_assume!(secret.chars().count() >= 10);
        let (held, operation) = (held(&["another-secret", &secret]), ALL[operation]);
        for way in ways(&secret) {
            let bodies = [
                json!({ "error": { "code": &way, "message": format!("{WORDS} {way} {WORDS}"), "innererror": { "code": &way } } }),
                json!({ "error": &way, "error_description": format!("{WORDS}{way}") }),
                json!({ "errorCode": format!("x{way}"), "message": format!("{}{way}", "- ".repeat(140)) }),
            ];
            for body in bodies {
                let failure = status_failure(operation, 400, body.to_string().as_bytes()).scrubbed(&held);
                let debug = format!("{failure:?}");
                let error = CallError { operation, failure, attempts: 1, correlation: None };
                prop_assert!(!shows(&error.to_string(), &secret), "{way}: {error}");
                prop_assert!(!shows(&debug, &secret), "{way}: {debug}");
            }
            let details: [fn(String) -> Failure; 5] = [
                |detail| Failure::NotSent { detail },
                |detail| Failure::Unsendable { detail },
                |detail| Failure::NoAnswer { detail },
                |detail| Failure::Unreadable { detail },
                |detail| Failure::HostRefused { detail },
            ];
            for failure in details.map(|make| make(format!("{WORDS} {way}")).scrubbed(&held)) {
                prop_assert!(!shows(&format!("{failure:?}"), &secret), "{failure:?}");
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn what_surrounds_a_secret_stays_and_short_ones_are_words() {
    let held = held(&["hunter2hunter2", "no", "\"", ""]);
    for (text, clean) in [
        ("the key hunter2hunter2 is bad", "the key *** is bad"),
        ("hunter2hunter2 hunter2hunter2hunter2", "*** ***"),
        ("nothing is known", "nothing is known"),
        ("no, value=no", "***, value=***"),
        ("say \"x", "say \"x"),
        ("cut: hunter2hun", "cut: hunter2hun"),
    ] {
        assert_eq!(held.scrub(text), clean, "{text}");
    }
    // A text longer than anybody reads is cut short, and no secret with it.
    for long in ["- ".repeat(MOST / 2 - 4), "no ".repeat(MOST), "hunter2hunter2".repeat(MOST)] {
        let clean = held.scrub(&format!("{long}hunter2hunter2 and more {}", "x ".repeat(MOST)));
        assert!(!clean.contains("hunt") && clean.ends_with('…') && clean.len() < 2 * MOST);
    }
    // A service that cuts short shows a beginning.
    let long = "abcdefghijklmnopqrstuvwxyz";
    assert_eq!(super::tests::held(&[long]).scrub("key abcdefghijklmnopqrst…"), "key ***…");
}

/// Who checks a token quotes what it checked: the claims, the signature, or both, without what stands before them.
#[test]
fn a_token_is_no_more_readable_in_parts() {
    let (header, payload) = ("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9", "eyJvaWQiOiJhIiwidGlkIjoiYiIsImFwcGlkIjoiYyJ9");
    let signature = "c2lnbmF0dXJlLXRoYXQtcHJvdmVzLWl0-_8";
    let held = held(&[&format!("{header}.{payload}.{signature}")]);
    for (text, clean) in [
        (format!("{header}.{payload}.{signature} is bad"), "*** is bad"),
        (format!("the part {payload}.{signature} is bad"), "the part ***.*** is bad"),
        (format!("bad claims {payload}"), "bad claims ***"),
        (format!("signature={signature}!"), "signature=***!"),
        (format!("signature {}…", &signature[..20]), "signature ***…"),
        (signature.replace('-', "%2D"), "***"),
        (STANDARD_NO_PAD.encode(signature), "***"),
        // A long beginning counts like the whole.
        (format!("the header {header}, of three"), "the header ***, of three"),
    ] {
        assert_eq!(held.scrub(&text), clean, "{text}");
    }
    // What has dots and isn't a token stays in one piece.
    let plain = super::tests::held(&["one.second-part.third-part-of-it", "eyJ.only-two-parts"]);
    assert_eq!(
        plain.scrub("second-part third-part-of-it only-two-parts"),
        "second-part third-part-of-it only-two-parts"
    );
}

/// Each operation with secrets, with a request and an answer as they are.
#[test]
fn secrets_are_noted_as_they_pass() {
    let request = |operation, body: &str, header: Option<&str>| {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        if let Some(text) = header {
            let mut value = HeaderValue::from_str(text).unwrap();
            value.set_sensitive(true);
            headers.insert("x", value);
        }
        let held = Held::default();
        let (method, url) = (Method::GET, "https://kv.vault.azure.net".parse().unwrap());
        held.note_request(&Request { operation, method, url, headers, body: Some(body.as_bytes().to_vec().into()) });
        held
    };
    let answer = |operation, body: &str| {
        let held = Held::default();
        held.note_answer(operation, body.as_bytes());
        held
    };
    let noted = |held: Held| held.0.take().iter().map(|one| one.expose_secret().to_owned()).collect::<Vec<_>>();
    let form = "grant_type=client_credentials&client_id=me&client_secret=s%2B1+x&scope=all";
    assert_eq!(noted(request(ENTRA_TOKEN.facts(), form, None)), ["s+1 x"]);
    let put = r#"{"value":" v\"1\n","tags":{"key":"primary"},"contentType":"text/plain"}"#;
    assert_eq!(noted(request(SET_SECRET.facts(), put, Some("Bearer t.1"))), ["t.1", "v\"1"]);
    assert_eq!(noted(request(TRY_API_KEY.facts(), "", Some("k1"))), ["k1"]);
    assert_eq!(noted(request(LIST_API_KEYS.facts(), r#"{"value":"no secret"}"#, None)), [""; 0]);
    let keys = r#"{"instanceId":"i","primaryKey":"k1","secondaryKey":"k2"}"#;
    assert_eq!(noted(answer(LIST_API_KEYS.facts(), keys)), ["k1", "k2"]);
    assert_eq!(noted(answer(LIST_API_KEYS.facts(), "\"k3\"")), ["k3"]);
    let bundle = r#"{"id":"https://kv/secrets/a/b","value":"v1","attributes":{"enabled":true},"n":[1,null,2.5,-1]}"#;
    assert_eq!(noted(answer(GET_SECRET.facts(), bundle)), ["v1"]);
    let token = r#"{"access_token":"t1","token_type":"Bearer","expires_in":3599,"refresh_token":"t2"}"#;
    assert_eq!(noted(answer(ENTRA_TOKEN.facts(), token)), ["t1", "t2"]);
    assert_eq!(noted(answer(LIST_SECRET_VERSIONS.facts(), r#"{"value":[{"id":"x"}]}"#)), [""; 0]);
    // A body that breaks off shows what came before.
    assert_eq!(noted(answer(GET_SECRET.facts(), r#"{"value":"v1","id""#)), ["v1"]);
}
