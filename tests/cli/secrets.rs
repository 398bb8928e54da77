//! Secrets stay inside, tokens go nowhere else.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use crate::live::Live;
use crate::support::{API_ON, EXACT, NOW, PROD, Run, Scene};

const SECRET: &str = "palisade-emulator-only";

/// Everything that somebody could see, apart from the world, which is the emulator's own.
fn seen(scene: &Scene, runs: &[Run]) -> String {
    let mut all = String::new();
    for run in runs {
        all += &run.stdout;
        all += &run.stderr;
    }
    for entry in walk(scene.folder()) {
        if !entry.ends_with(".palisade/emulator.json") {
            all += &String::from_utf8_lossy(&std::fs::read(&entry).unwrap());
        }
    }
    all
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn no_secret_is_in_anything_that_is_printed_or_kept() {
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    let odd = "- { operation: PUT */assignment, nth: 1, action: { status: { code: 500 } } }\n\
               - { operation: PUT */assignment, nth: 3, action: loseAnswer }\n\
               - { operation: GET */rbac/assignments, nth: 3, action: truncate }\n\
               - { operation: GET */apisubscription, nth: 2, action: reset }\n\
               - { operation: POST /v1.0/$batch, nth: 1, action: { status: { code: 429, headers: { Retry-After: '2' } } } }\n";
    let runs = [
        scene.emulated(&["plan", "-vvv", "--out", "plan.json"]).ended(0),
        scene.faulty(odd, &["plan", "-vvv", "--format", "json"]),
        scene.faulty(odd, &["apply", "-vvv", "--yes", "--format", "json"]),
        scene.emulated(&["apply", "-vvv", "--yes"]).ended(0),
        scene.emulated(&["drift", "-vvv"]).ended(0),
        scene.faulty("- { operation: POST */token, action: { status: { code: 500 } } }", &["plan", "-vvv"]).ended(1),
        scene.faulty("- { operation: POST */token, action: truncate }", &["plan", "-vvv"]).ended(1),
    ];
    let all = seen(&scene, &runs);
    let world = scene.world();
    let keys = &world.instances[&PROD].api_subscription;
    let keys = [keys.primary_key.as_ref().unwrap(), keys.secondary_key.as_ref().unwrap()];
    // `eyJ` is how every JSON web token begins.
    let secrets = [SECRET, "eyJ", "Bearer ", keys[0].expose(), keys[1].expose()];
    for secret in secrets {
        assert!(!all.contains(secret), "`{secret}` got out");
    }
    assert!(runs[0].stderr.contains("Get-all-role-assignments -> 200"), "the log was on: {}", runs[0].stderr);
}

#[test]
fn a_wrong_secret_is_refused_without_repeating_it() {
    let scene = Scene::with(EXACT);
    for value in ["not-the-secret-at-all", "with\nnewline"] {
        let mut command = scene.command(&["plan", "-vvv", "--emulator", "--now", NOW]);
        command.env("PALISADE_EMULATOR_CLIENT_SECRET", value);
        let run = Run::of(&command.output().unwrap()).ended(1).complains("AADSTS7000215");
        assert!(!seen(&scene, &[run]).contains(value));
    }
    let mut command = scene.command(&["plan", "--emulator", "--now", NOW]);
    command.env("PALISADE_EMULATOR_CLIENT_ID", "99999999-0000-4000-8000-000000000001");
    Run::of(&command.output().unwrap()).ended(1).complains("PALISADE_EMULATOR_CLIENT_ID");
}

/// Real credentials in the environment are nobody's business while an emulator is talked to.
#[test]
fn the_real_credentials_of_the_environment_are_not_sent_to_an_emulator() {
    let scene = Scene::with(EXACT);
    let mut command = scene.command(&["plan", "--emulator", "--now", NOW]);
    command.env("AZURE_CLIENT_ID", "99999999-0000-4000-8000-000000000001").env("AZURE_CLIENT_SECRET", "real");
    command.env("AZURE_TENANT_ID", "99999999-0000-4000-8000-000000000002");
    Run::of(&command.output().unwrap()).ended(0);
}

/// Hangs up on whoever calls, and tells who did.
struct Ear {
    address: SocketAddr,
    callers: Receiver<SocketAddr>,
}

impl Ear {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (heard, callers) = channel();
        // Ends with the ear: then nobody is there to be told.
        std::thread::spawn(move || {
            while let Ok((_, caller)) = listener.accept() {
                if heard.send(caller).is_err() {
                    return;
                }
            }
        });
        Self { address, callers }
    }

    /// Makes sure that nobody called before this very moment: calls are heard in order, so our own must be the first.
    #[track_caller]
    fn heard_nobody(&self) {
        let own = TcpStream::connect(self.address).unwrap().local_addr().unwrap();
        assert_eq!(self.callers.recv().unwrap(), own, "somebody called");
    }
}

/// Wherever an answer points, a listener there hears nothing.
#[test]
fn no_token_leaves_the_emulators_origin() {
    let ear = Ear::open();
    let port = ear.address.port();
    let scene = Scene::with(EXACT);
    let instance = "6f2b1c34-0000-4000-8000-00000000a001";
    for elsewhere in [
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        "https://evil.example".to_owned(),
        "http://weu.api.ci.ai.dynamics.com".to_owned(),
    ] {
        let unit = format!(
            "- {{ operation: GET /api/instances, action: {{ status: {{ code: 200, body: [ {{ instanceId: {instance}, \
             scaleUnitUri: '{elsewhere}' }} ] }} }} }}"
        );
        let run = scene.faulty(&unit, &["plan"]).ended(3);
        ear.heard_nobody();
        assert!(run.stdout.contains("nothing is sent to it"), "{}", run.stdout);
        let redirect = format!(
            "- {{ operation: GET *, action: {{ status: {{ code: 307, headers: {{ Location: '{elsewhere}/x' }} }} }} }}"
        );
        scene.faulty(&redirect, &["plan"]).ended(3);
        ear.heard_nobody();
    }
}

#[test]
fn no_proxy_stands_between_palisade_and_an_emulator() {
    let ear = Ear::open();
    let proxy = format!("http://{}", ear.address);
    let scene = Scene::with(EXACT);
    let mut command = scene.command(&["plan", "--emulator", "--now", NOW]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, &proxy);
    }
    Run::of(&command.output().unwrap()).ended(0);
    ear.heard_nobody();
}

/// Names come from a directory that many can write to, and messages from services.
#[test]
fn a_name_with_escape_codes_does_not_steer_the_terminal() {
    const EVIL: &str = "Eve\u{1b}[2J\r\u{9b}31m\u{202e}";
    let nameless = EXACT.replace("    name: Contoso prod\n", "");
    let scene = Scene::with(&nameless);
    scene.emulated(&["plan", "--out", "plan.json"]).ended(0);
    scene.change_world(|world| {
        world.instances.get_mut(&PROD).unwrap().metadata.name = Some(EVIL.to_owned());
        for user in world.users.values_mut() {
            user.display_name = EVIL.to_owned();
        }
    });
    // YAML takes such characters only in this form.
    let evil: String = EVIL.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect();
    let rules = format!(
        "- {{ operation: PUT */assignment, action: {{ status: {{ code: 400, body: {{ errorCode: \"{evil}\", message: \
         \"{evil}\" }} }} }} }}"
    );
    scene.write("named.yaml", EXACT);
    let runs = [
        scene.emulated(&["plan", "--color", "always"]).ended(0),
        scene.emulated(&["plan", "-vvv"]).ended(0),
        scene.emulated(&["apply", "plan.json", "--color", "always"]).ended(4).complains("+ prod is Eve"),
        scene.emulated(&["apply", "-f", "named.yaml", "--yes", "--color", "always"]).ended(4).complains("called `Eve"),
        scene.faulty(&rules, &["apply", "--yes", "--color", "always"]).ended(5).says("answered 400 Eve"),
        scene.emulated(&["apply", "--yes", "--color", "always", "-vvv"]).ended(0).complains("give Eve"),
    ];
    for run in runs {
        for text in [&run.stdout, &run.stderr] {
            for code in ["\u{1b}[2J", "\r", "\u{9b}", "\u{202e}"] {
                assert!(!text.contains(code), "{code:?} in {text:?}");
            }
        }
    }
}

#[test]
fn the_gateway_asks_for_a_key_and_a_wrong_one_makes_everything_unknown() {
    let gateway = EXACT.replace(
        "tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }",
        "tenant:\n  id: 7b1f0c52-0000-4000-8000-0000000000aa\n  customerInsights: { face: gateway }",
    );
    let scene = Scene::with(&format!("{EXACT}{API_ON}"));
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene.write("palisade.yaml", &gateway);
    let live = Live::serving(scene.world());
    let key = scene.world().instances[&PROD].api_subscription.primary_key.as_ref().unwrap().expose().to_owned();
    let with_key = |key: Option<&str>| {
        let mut command = scene.command(&["drift", "-vvv", "--now", NOW, &live.argument()]);
        if let Some(key) = key {
            command.env("PALISADE_SUBSCRIPTION_KEY", key);
        }
        Run::of(&command.output().unwrap())
    };
    let right = with_key(Some(&key)).ended(0);
    assert!(live.requests().iter().any(|seen| seen.path == "/v1/instances"), "through the gateway");
    let wrong = with_key(Some("0123456789abcdef0123456789abcdef")).ended(3);
    assert!(wrong.stdout.contains("answered 401"), "{}", wrong.stdout);
    for none in [None, Some("")] {
        with_key(none).ended(1).complains("PALISADE_SUBSCRIPTION_KEY").complains("scaleUnit");
    }
    let all = seen(&scene, &[right, wrong]);
    assert!(!all.contains(&key) && !all.contains("0123456789abcdef0123456789abcdef"));
}
