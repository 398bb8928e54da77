//! No value ever leaves, in any form, through anything that palisade prints or keeps.
//!
//! Every key that was ever alive or published in the world is looked for, and every bearer token that went over the wire,
//! in all bytes that runs print and leave behind, and in what the system shows of the running process: as they are, in
//! hexadecimal and in base64, whichever way they are cut.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use palisade::emulator::CLIENT_SECRET;

use crate::live::Moment;
use crate::moves::{Case, DUE, published};
use crate::process::Running;
use crate::room::{DECLARED, Room};
use crate::support::Run;

/// Stands between the binary and the emulator, and keeps what the binary sends.
struct Wire {
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    fn to(room: &Room) -> Self {
        let target = room.live.origin().replace("http://", "");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = sent.clone();
        // Ends with the process: nothing here waits for it.
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(&target) else { continue };
                let (near2, far2, kept) = (near.try_clone().unwrap(), far.try_clone().unwrap(), kept.clone());
                std::thread::spawn(move || pass(near, far, Some(&kept)));
                std::thread::spawn(move || pass(far2, near2, None));
            }
        });
        Self { port, sent }
    }

    /// The bearer tokens that went by.
    fn tokens(&self) -> BTreeSet<String> {
        let sent = self.sent.lock().unwrap();
        let text = String::from_utf8_lossy(&sent);
        let bearer = text.split("earer ").skip(1).map(|rest| rest.split(['\r', '\n']).next().unwrap_or_default());
        bearer.filter(|token| token.len() > 20).map(str::to_owned).collect()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: Option<&Mutex<Vec<u8>>>) {
    let mut bytes = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if let Some(kept) = kept {
            kept.lock().unwrap().extend_from_slice(&bytes[..length]);
        }
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A room whose binary speaks over a wire.
struct Tapped {
    room: Room,
    wire: Wire,
    bytes: Vec<u8>,
}

impl Tapped {
    fn over(room: Room) -> Self {
        let wire = Wire::to(&room);
        Self { room, wire, bytes: Vec::new() }
    }

    fn begin(&self, arguments: &[&str]) -> Running {
        let (now, emulator) = (self.room.now.to_string(), format!("--emulator=http://127.0.0.1:{}", self.wire.port));
        let arguments = [arguments, &["--now", now.as_str(), emulator.as_str()]].concat();
        let mut command = self.room.scene.command(&arguments);
        command.env("RUST_BACKTRACE", "full");
        Running::start(command)
    }

    fn run(&mut self, arguments: &[&str]) -> Run {
        let run = self.begin(arguments).end();
        self.keep(&run);
        run
    }

    fn keep(&mut self, run: &Run) {
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        self.bytes.extend(run.stdout.bytes());
        self.bytes.extend(run.stderr.bytes());
    }

    /// Looks for everything secret in everything that was kept. Tells how many secrets, and in how many bytes.
    fn search(self) -> (usize, usize) {
        // What went over the wire is where values are found, or this looks for the wrong thing.
        let sent = self.wire.sent.lock().unwrap().clone();
        assert!(self.room.values().iter().any(|value| holds(&sent, value.as_bytes())) || holds(&sent, b"listsecrets"));
        self.search_all()
    }

    /// The same for runs that may have ended before any key was read.
    fn search_all(mut self) -> (usize, usize) {
        for file in files(self.room.scene.folder()) {
            self.bytes.extend(fs::read(file).unwrap());
        }
        let (values, tokens) = (self.room.values(), self.wire.tokens());
        assert!(values.len() >= 2 && !tokens.is_empty(), "{} values, {} tokens", values.len(), tokens.len());
        let mut forms: BTreeSet<Vec<u8>> = [b"eyJ".to_vec()].into();
        forms.extend(forms_of(CLIENT_SECRET));
        values.iter().for_each(|value| forms.extend(forms_of(value)));
        for token in &tokens {
            forms.extend(token.split('.').map(|part| part.as_bytes()[..part.len().min(24)].to_vec()));
        }
        for form in &forms {
            assert!(!holds(&self.bytes, form), "`{}` got out", String::from_utf8_lossy(form));
        }
        (values.len() + tokens.len(), self.bytes.len())
    }
}

/// A value as it is, its first half, in hexadecimal, and in base64 at each of the three cuts.
fn forms_of(value: &str) -> Vec<Vec<u8>> {
    let bytes = value.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![bytes.to_vec(), bytes[..bytes.len() / 2].to_vec(), hex.to_uppercase().into(), hex.into()];
    for cut in 0..3 {
        let whole = (bytes.len() - cut) / 3 * 3;
        let inner = &bytes[cut..cut + whole];
        forms.push(STANDARD.encode(inner).into());
        forms.push(URL_SAFE_NO_PAD.encode(inner).into());
    }
    forms
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn no_key_and_no_token_is_in_anything_that_a_run_prints_or_keeps() {
    let (mut secrets, mut bytes) = (0, 0);
    for case in Case::all() {
        let mut tapped = Tapped::over(case.room());
        tapped.run(&["plan", "-vvv", "--out", "plan.json"]).ended(0);
        tapped.run(&["plan", "--format", "json"]).ended(0);
        // A repaired key that is overdue has to wait for grace.
        let end = case.exit();
        tapped.run(&["apply", "-vvv", "plan.json"]).ended(end);
        tapped.run(&["apply", "-vvv", "--yes", "--format", "json"]).ended(end);
        tapped.run(&["drift", "-vvv"]).ended(end);
        assert!(tapped.room.scene.path(".palisade/journal.jsonl").exists());
        let (found, searched) = tapped.search();
        secrets += found;
        bytes += searched;
    }
    println!("{secrets} keys and tokens looked for in {bytes} bytes");
}

/// Answers that can't be parsed, are cut, or repeat what was sent: errors quote services.
#[test]
fn nor_is_it_in_an_error() {
    let echo = "ffffffffffffffffffffffffffffffff";
    let rules = [
        "- { operation: POST */listsecrets, nth: 3, action: truncate }",
        "- { operation: POST */listsecrets, action: truncate }",
        "- { operation: GET /secrets/ci-api-key, action: truncate }",
        "- { operation: PUT /secrets/ci-api-key, action: truncate }",
        "- { operation: PUT /secrets/ci-api-key, action: { status: { code: 403, body: { error: { code: Forbidden } } } } }",
        "- { operation: PATCH /secrets/*, action: { status: { code: 500 } } }",
        "- { operation: POST */regeneratesecondarykey, action: loseAnswer }",
        "- { operation: GET /v1/instances, action: { status: { code: 401, body: { message: 'wrong subscription key' } } } }",
    ];
    for rule in rules {
        let mut tapped = Tapped::over(Case::rotation().faulty(rule));
        tapped.run(&["plan", "-vvv"]);
        tapped.run(&["apply", "-vvv", "--yes", "--format", "json"]);
        tapped.run(&["apply", "-vvv", "--yes"]);
        assert!(!holds(&tapped.bytes, echo.as_bytes()));
        tapped.search();
    }
}

/// A service, or what stands before it, that says what it was sent: every credential and every value that went with the call.
#[test]
fn nor_is_it_in_the_words_of_a_service_that_quotes_a_request() {
    let calls = [
        "POST */oauth2/v2.0/token, nth: 1",
        "GET /v1/instances",
        "GET */instances/*",
        "POST */listsecrets",
        "POST */regeneratesecondarykey",
        "GET /secrets/*",
        "PUT /secrets/*",
        "GET /subscriptions/*",
    ];
    for (call, code) in calls.into_iter().zip([400, 403].into_iter().cycle()) {
        let rule = format!("- {{ operation: {call}, action: {{ quote: {{ code: {code} }} }} }}");
        let mut tapped = Tapped::over(Case::rotation().faulty(&rule));
        let run = tapped.run(&["apply", "-vvv", "--yes", "--format", "json"]);
        assert_ne!(run.status, Some(0), "{call}: {run:?}");
        tapped.run(&["plan", "-vvv"]);
        tapped.search_all();
    }
}

/// A body of another shape whose members hold a key: a parser that quotes what it met would print it.
#[test]
fn nor_is_it_in_the_words_of_a_parser() {
    let key = "0123456789abcdef0123456789abcdef";
    let answers = [
        format!(
            "POST */listsecrets, action: {{ status: {{ code: 200, body: {{ primaryKey: [{key}x], secondaryKey: 1 }} }} }}"
        ),
        format!("POST */listsecrets, action: {{ status: {{ code: 200, body: {key}x }} }}"),
        format!("GET /secrets/ci-api-key, action: {{ status: {{ code: 200, body: {{ value: {{ x: {key}x }} }} }} }}"),
        format!(
            "GET /secrets/ci-api-key, action: {{ status: {{ code: 200, body: {{ value: {key}x, id: {key}x, attributes: {key}x }} }} }}"
        ),
        format!(
            "PUT /secrets/ci-api-key, action: {{ status: {{ code: 200, body: {{ value: {key}x, id: {key}x }} }} }}"
        ),
    ];
    for answer in answers {
        let mut tapped = Tapped::over(Case::rotation().faulty(&format!("- {{ operation: {answer} }}")));
        tapped.run(&["plan", "-vvv"]);
        tapped.run(&["apply", "-vvv", "--yes"]);
        assert!(!holds(&tapped.bytes, key.as_bytes()), "{answer}: {}", String::from_utf8_lossy(&tapped.bytes));
    }
}

/// What `ps` shows, and what is left when the process dies in the middle of handling keys.
#[test]
fn the_system_shows_no_key_of_a_running_process_and_none_is_left_of_a_killed_one() {
    let moments = [("POST", "/regeneratesecondarykey"), ("GET", "/v1/instances"), ("PUT", "/secrets/ci-api-key")];
    for (method, path) in moments {
        for kill in [false, true] {
            let mut tapped = Tapped::over(Room::at(DUE, DECLARED, published()));
            let hold = tapped.room.live.hold(Moment::After, method, path);
            let running = tapped.begin(&["apply", "-vvv", "--yes"]);
            hold.arrived();
            for shown in ["cmdline", "environ", "comm"] {
                tapped.bytes.extend(fs::read(format!("/proc/{}/{shown}", running.id())).unwrap());
            }
            assert!(holds(&tapped.bytes, b"apply"), "the command line was read");
            if kill {
                running.kill();
            } else {
                hold.release();
                let run = running.end().ended(0);
                tapped.keep(&run);
            }
            tapped.search();
        }
    }
}
