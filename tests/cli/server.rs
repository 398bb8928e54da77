//! `palisade emulator`: ready file, https, faults, signals; and the world that only one process may have.

use crate::process::Running;
use crate::support::{EXACT, NOW, Scene, TENANT};
use serde_json::Value as Json;

/// Starts an emulator in a scene and waits until it says that it listens.
fn serve(scene: &Scene, arguments: &[&str]) -> (Running, Json) {
    let fixed = ["emulator", "--ready-file", "ready.json", "--world", "world.json", "--now", NOW];
    let mut running = Running::start(scene.command(&[&fixed[..], arguments].concat()));
    running.says("The emulator listens on http://127.0.0.1:");
    let ready = serde_json::from_str(&scene.read("ready.json")).unwrap();
    (running, ready)
}

#[test]
fn it_serves_another_palisade_and_ends_quietly_when_asked_to() {
    for signal in ["TERM", "INT"] {
        let scene = Scene::with(EXACT);
        let (running, ready) = serve(&scene, &["-f", "palisade.yaml"]);
        assert_eq!((&ready["https"], &ready["certificate"]), (&Json::Null, &Json::Null));
        let argument = format!("--emulator={}", ready["http"].as_str().unwrap());
        scene.run(&["apply", "--yes", "--now", NOW, &argument]).ended(0).says("3 done");
        scene.run(&["plan", "--detailed-exitcode", "--now", NOW, &argument]).ended(0);
        running.signal(signal);
        running.end().ended(0).complains("the emulator stopped");
        assert!(scene.read("world.json").contains("ada@contoso.com"), "the world stays");
        scene.run(&["plan", "--now", NOW, &argument]).ended(1).complains("no palisade emulator answers");
    }
}

/// What another client needs is in the ready file, in the help, and told at the start; and it is true.
#[cfg(unix)]
#[test]
fn the_ready_file_says_how_another_client_signs_in() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::with(EXACT);
    let (mut running, ready) = serve(&scene, &["-f", "palisade.yaml"]);
    let (id, secret) = (palisade::emulator::CLIENT_ID.to_string(), palisade::emulator::CLIENT_SECRET);
    running.says(&format!("as {id}, with the secret {secret}"));
    let mode = std::fs::metadata(scene.path("ready.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!((&ready["clientId"], &ready["clientSecret"]), (&Json::from(id.as_str()), &Json::from(secret)));
    assert_eq!(ready["authority"], ready["http"], "there is no https");
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    assert_eq!(text(&ready["tokenEndpoint"]), format!("{}/{TENANT}/oauth2/v2.0/token", text(&ready["authority"])));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut help = scene.run(&["emulator", "--help"]).ended(0);
    help = help.says(&id).says(secret).says("docs/emulator.md");
    for (_, scope) in ready["scopes"].as_object().unwrap() {
        let scope = text(scope);
        let form =
            [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", secret), ("scope", &scope)];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = client.post(text(&ready["tokenEndpoint"])).body(body);
        let status = runtime.block_on(async { request.send().await.unwrap().status() });
        assert_eq!(status, 200, "{scope}");
        help = help.says(&scope);
    }
    // The page names every field, and no other.
    let page = std::fs::read_to_string("docs/emulator.md").unwrap();
    let fields = ready.as_object().unwrap();
    assert!(fields.keys().all(|field| page.contains(&format!("`{field}`"))), "{fields:?}");
    let used = page.split("ready.").skip(1).chain(page.split("ready[\"").skip(1));
    let used: Vec<&str> = used.map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap()).collect();
    assert!(used.len() > 8 && used.iter().all(|name| *name == "json" || fields.contains_key(*name)), "{used:?}");
    running.signal("TERM");
    running.end().ended(0);

    // A world that nothing was put into has nobody to sign in as.
    let scene = Scene::with(EXACT);
    let (running, ready) = serve(&scene, &[]);
    assert_eq!((&ready["tenant"], &ready["clientSecret"]), (&Json::Null, &Json::Null));
    running.signal("TERM");
    running.end().ended(0);
}

#[test]
fn it_can_be_ended_as_soon_as_it_says_that_it_listens() {
    let scene = Scene::with(EXACT);
    for _ in 0..10 {
        let (running, _) = serve(&scene, &[]);
        running.signal("TERM");
        running.end().ended(0);
    }
}

#[test]
fn https_comes_with_a_certificate_that_a_client_can_trust() {
    let scene = Scene::with(EXACT);
    let arguments = ["-f", "palisade.yaml", "--https", "127.0.0.1:0", "--certificate", "emulator.pem"];
    let (running, ready) = serve(&scene, &arguments);
    assert_eq!(ready["certificate"], scene.path("emulator.pem").to_str().unwrap(), "a client may run elsewhere");
    let pem = scene.read("emulator.pem");
    assert!(!pem.contains("PRIVATE"), "{pem}");
    let url = format!("{}/_emulator", ready["https"].as_str().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(async {
        // Fails if another test was first, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
        let client = reqwest::Client::builder().no_proxy().add_root_certificate(certificate).build().unwrap();
        client.get(url).send().await.unwrap().text().await.unwrap()
    });
    let about: Json = serde_json::from_str(&answer).unwrap();
    assert_eq!(about["now"], NOW);
    running.signal("TERM");
    running.end().ended(0);
}

#[test]
fn it_takes_faults_and_refuses_wrong_ones() {
    let scene = Scene::with(EXACT);
    scene.write("faults.yaml", "- { operation: GET */rbac/assignments, action: { status: { code: 403 } } }");
    let (running, ready) = serve(&scene, &["-f", "palisade.yaml", "--faults", "faults.yaml"]);
    let argument = format!("--emulator={}", ready["http"].as_str().unwrap());
    scene.run(&["drift", "--now", NOW, &argument]).ended(3);
    let run = scene.run(&["drift", "--now", NOW, "--emulator-faults", "faults.yaml", &argument]).ended(1);
    run.complains("`--emulator-faults` is for the embedded emulator");
    running.signal("INT");
    running.end().ended(0);

    scene.write("faults.yaml", "- { operation: nonsense, action: reset }");
    scene.run(&["emulator", "--world", "w.json", "--faults", "faults.yaml"]).ended(1).complains("rule 1");
    scene.run(&["emulator", "--world", "w.json", "--http", "0.0.0.0:0"]).ended(1).complains("loopback");
    scene.run(&["emulator", "-f", "missing.yaml"]).ended(1).complains("missing.yaml");
}

#[test]
fn a_world_has_one_server() {
    let scene = Scene::with(EXACT);
    let (running, _) = serve(&scene, &["-f", "palisade.yaml"]);
    let run = scene.run(&["emulator", "--world", "world.json"]).ended(1);
    run.complains("world.json is in use by another process").complains("`--world FILE`");
    scene.emulated(&["plan", "--emulator-state", "world.json"]).ended(0);
    running.signal("TERM");
    running.end().ended(0).complains("emulator: added environment Contoso prod to its world");
}

#[test]
fn a_file_that_is_no_world_is_left_alone() {
    let scene = Scene::with(EXACT);
    scene.write("world.json", "{\"precious\": true}");
    for arguments in
        [&["plan", "--emulator", "--emulator-state", "world.json"] as &[&str], &["emulator", "--world", "world.json"]]
    {
        scene.run(arguments).ended(1).complains("is not a world of the emulator");
        assert_eq!(scene.read("world.json"), "{\"precious\": true}");
    }
}
