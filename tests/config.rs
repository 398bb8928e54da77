//! The configuration's samples: each file (or folder) under `tests/config` with what palisade says about it.
//!
//! `PALISADE_BLESS=1 cargo test --test config` rewrites the expectations. Read them afterwards, as a user would.

#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use palisade::azure::hosts::Hosts;
use palisade::config::{self, Code};
use palisade::declared::{self, Loaded};
use palisade::report::diagnostics::{self, Style};
use palisade::terms::Cloud;
use proptest::prelude::*;
use similar::TextDiff;

fn samples(folder: &str) -> Vec<PathBuf> {
    let mut samples: Vec<PathBuf> = fs::read_dir(Path::new("tests/config").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|ending| ending != "expected"))
        .collect();
    samples.sort();
    samples
}

fn load(path: &Path) -> Loaded {
    declared::load(&[path.to_owned()])
}

fn rendered(loaded: &Loaded) -> String {
    diagnostics::text(&loaded.sources, &loaded.diagnostics, Style::Plain)
}

/// Compares with the file, or rewrites it.
fn expect(path: &Path, actual: &str) -> Result<(), String> {
    if env::var_os("PALISADE_BLESS").is_some() {
        fs::write(path, actual).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    let diff = TextDiff::from_lines(expected.as_str(), actual).unified_diff().header("expected", "actual").to_string();
    Err(format!("{}:\n{diff}", path.display()))
}

fn expected_of(sample: &Path) -> PathBuf {
    let mut name = sample.file_stem().unwrap().to_owned();
    name.push(".expected");
    sample.with_file_name(name)
}

#[test]
fn invalid_samples_are_refused_with_the_expected_diagnostics() {
    let mut failures = Vec::new();
    for sample in samples("invalid") {
        let loaded = load(&sample);
        assert!(loaded.configuration.is_none(), "{} is accepted", sample.display());
        assert!(loaded.diagnostics.has_errors(), "{} is refused without a reason", sample.display());
        failures.extend(expect(&expected_of(&sample), &rendered(&loaded)).err());
    }
    assert!(failures.is_empty(), "{}\nrewrite with PALISADE_BLESS=1", failures.join("\n"));
}

#[test]
fn valid_samples_are_accepted() {
    let mut failures = Vec::new();
    for sample in samples("valid") {
        let loaded = load(&sample);
        let shown = rendered(&loaded);
        let Some(configuration) = &loaded.configuration else { panic!("{} is refused:\n{shown}", sample.display()) };
        let mut actual = shown;
        actual.push_str(&format!("{configuration:#?}\n"));
        failures.extend(expect(&expected_of(&sample), &actual).err());
    }
    assert!(failures.is_empty(), "{}\nrewrite with PALISADE_BLESS=1", failures.join("\n"));
}

#[test]
fn the_example_is_accepted() {
    let loaded = load(Path::new("examples/contoso.yaml"));
    assert!(loaded.diagnostics.is_empty(), "{}", rendered(&loaded));
    assert_eq!(loaded.configuration.unwrap().environments.len(), 3);
}

#[test]
fn the_kept_schema_is_the_derived_one() {
    let kept = fs::read_to_string("schema/palisade.schema.json").unwrap_or_default();
    let derived = format!("{:#}\n", declared::format().schema());
    let diff = TextDiff::from_lines(kept.as_str(), derived.as_str());
    assert!(
        kept == derived,
        "{}\nrewrite it with: cargo run -- schema > schema/palisade.schema.json",
        diff.unified_diff().header("kept", "derived")
    );
}

/// A folder that holds one file.
fn folder_with(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn codes(loaded: &Loaded) -> Vec<Code> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// The codes for one file with this content, which must come quickly whatever the content is.
fn codes_of(content: &[u8]) -> Vec<Code> {
    let (_folder, path) = folder_with("palisade.yaml", content);
    let start = Instant::now();
    let loaded = load(&path);
    let text = rendered(&loaded);
    // Far above any slow machine: what is looked for is work that never ends.
    assert!(start.elapsed() < Duration::from_secs(120), "took {:?}", start.elapsed());
    assert!(loaded.configuration.is_none());
    assert!(!text.contains('\u{1b}'), "an escape sequence reaches the terminal");
    codes(&loaded)
}

/// Files that are made to exhaust whoever reads them; too large, or too odd, to be kept as samples.
fn hostile() -> Vec<(&'static str, Vec<u8>, Code)> {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..=9 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let deep: String = (0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let mut deep_aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..=100 {
        deep_aliases.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let mistakes: String = (0..90_000).map(|index| format!("unknown{index}: 1\n")).collect();
    let mistakes = format!("version: 1\nbase: {{}}\n{mistakes}");
    vec![
        ("50 MB", vec![b'#'; 50 * 1024 * 1024], config::codes::FILE_TOO_LARGE),
        ("alias bomb", bomb.into_bytes(), config::codes::TOO_MANY_VALUES),
        ("brackets", "[".repeat(100_000).into_bytes(), config::codes::NESTED_TOO_DEEP),
        ("braces", "{a: ".repeat(100_000).into_bytes(), config::codes::NESTED_TOO_DEEP),
        ("indentation", deep.into_bytes(), config::codes::NESTED_TOO_DEEP),
        ("nested aliases", deep_aliases.into_bytes(), config::codes::NESTED_TOO_DEEP),
        ("a million items", format!("[{}]", "a,".repeat(1_000_000)).into_bytes(), config::codes::TOO_MANY_VALUES),
        ("90000 mistakes", mistakes.into_bytes(), config::codes::TOO_MANY_MISTAKES),
    ]
}

#[test]
fn hostile_files_are_refused_quickly() {
    for (name, content, code) in hostile() {
        let codes = codes_of(&content);
        assert!(codes.contains(&code), "{name}: {codes:?}");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_named() {
    let loaded = load(Path::new("tests/config/nowhere.yaml"));
    assert_eq!(codes(&loaded), [config::codes::MISSING_FILE]);
    assert!(rendered(&loaded).contains("there is no file or folder `tests/config/nowhere.yaml`"));
}

#[test]
fn a_device_is_read_no_further_than_a_file_may_be_long() {
    assert_eq!(codes(&load(Path::new("/dev/zero"))), [config::codes::FILE_TOO_LARGE]);
}

#[test]
fn a_folder_of_far_too_many_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..=500 {
        fs::write(folder.path().join(format!("{index}.yaml")), "").unwrap();
    }
    assert_eq!(codes(&load(folder.path())), [config::codes::TOO_MANY_FILES]);
}

#[cfg(unix)]
#[test]
fn what_can_not_be_read_is_named_and_links_do_not_run_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    symlink(folder.path(), folder.path().join("again")).unwrap();
    symlink(folder.path().join("self.yaml"), folder.path().join("self.yaml")).unwrap();
    assert_eq!(codes(&load(folder.path())), [config::codes::UNREADABLE_FILE]);
}

/// A pipe in a folder would be waited for. One that is named is what a shell makes of `<(…)`.
#[cfg(unix)]
#[test]
fn what_is_found_in_a_folder_is_read_if_it_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("palisade.yaml")).unwrap();
    let loaded = load(folder.path());
    assert_eq!(codes(&loaded), [config::codes::UNREADABLE_FILE]);
    assert!(rendered(&loaded).contains("isn't a regular file"), "{}", rendered(&loaded));
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let path = PathBuf::from("tests/config/valid/smallest.yaml");
    let loaded = declared::load(&[path.clone(), PathBuf::from("tests/config/valid/../valid/smallest.yaml"), path]);
    assert!(loaded.configuration.is_some(), "{}", rendered(&loaded));
}

#[test]
fn every_code_is_raised_by_a_sample_or_a_test_here() {
    let mut raised: BTreeSet<Code> =
        [config::codes::MISSING_FILE, config::codes::UNREADABLE_FILE, config::codes::TOO_MANY_FILES]
            .into_iter()
            .collect();
    raised.extend(hostile().into_iter().map(|(_, _, code)| code));
    for sample in samples("invalid").into_iter().chain(samples("valid")) {
        raised.extend(codes(&load(&sample)));
    }
    let silent: Vec<&str> =
        declared::mistakes().filter(|code| !raised.contains(code)).map(|code| code.name()).collect();
    assert!(silent.is_empty(), "no sample for {silent:?}");
}

#[test]
fn every_code_has_an_own_name_and_an_explanation_with_both_examples() {
    let mut names = BTreeSet::new();
    for code in declared::mistakes() {
        assert!(names.insert(code.name()), "{} stands for two codes", code.name());
        for part in ["\nWrong:\n", "\nRight:\n"] {
            assert!(code.explanation().contains(part), "{} lacks {}", code.name(), part.trim());
        }
    }
}

#[test]
fn codes_keep_their_names() {
    let listed: String = declared::mistakes().map(|code| format!("{}: {}\n", code.name(), code.summary())).collect();
    expect(Path::new("tests/config/codes.expected"), &listed).unwrap();
}

#[test]
fn diagnostics_are_in_file_order_and_have_a_place_as_json() {
    for sample in samples("invalid") {
        let loaded = load(&sample);
        let json = diagnostics::json(&loaded.sources, &loaded.diagnostics);
        let places: Vec<_> = json
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                for key in ["code", "severity", "message", "file", "line", "column", "help"] {
                    assert!(!one[key].is_null(), "{}: {key} is missing in {one}", sample.display());
                }
                (one["file"].to_string(), one["line"].as_u64(), one["column"].as_u64())
            })
            .collect();
        assert!(places.is_sorted(), "{}: {places:?}", sample.display());
    }
}

#[test]
fn messages_are_ours_and_not_those_of_a_library() {
    let foreign = [
        "invalid type",
        "unknown variant",
        "missing field",
        "is not of type",
        "expected",
        "did not find",
        "::",
        "$defs",
    ];
    for sample in samples("invalid") {
        for diagnostic in load(&sample).diagnostics.iter() {
            let text = format!("{} {}", diagnostic.message, diagnostic.help.as_deref().unwrap_or_default());
            let found = foreign.iter().find(|words| text.contains(*words));
            assert!(found.is_none(), "{}: {text}", sample.display());
        }
    }
}

#[test]
fn the_digest_looks_at_data_only() {
    let digest = |text: &str| {
        let (_folder, path) = folder_with("palisade.yaml", text.as_bytes());
        load(&path).configuration.unwrap().digest
    };
    let one = fs::read_to_string("tests/config/valid/base.yaml").unwrap();
    let commented: String = one.lines().map(|line| format!("{line}   # comment\n\n")).collect();
    let reordered = {
        let tenant = "tenant:\n  id: 7b1f0c52-0000-4000-8000-0000000000aa\n";
        format!("{}{tenant}", one.replace(tenant, ""))
    };
    assert_ne!(reordered, one);
    assert_eq!(digest(&one), digest(&commented));
    assert_eq!(digest(&one), digest(&reordered));
    assert_eq!(digest(&one), digest(&one.replace('\n', "\r\n")));
    assert_ne!(digest(&one), digest(&one.replace("match: atLeast", "match: exact")));
    assert_ne!(digest(&one), digest(&one.replace("  prod:", "  live:")));
}

#[test]
fn one_file_is_validated_in_milliseconds() {
    let start = Instant::now();
    load(Path::new("examples/contoso.yaml"));
    // A debug build on a busy machine; a release build needs about two milliseconds.
    assert!(start.elapsed() < Duration::from_millis(500), "took {:?}", start.elapsed());
}

#[test]
fn an_attestation_to_write_is_taken_when_it_is_copied() {
    let mut copied = 0;
    for sample in ["attested-incomplete", "attested-without-saw"] {
        let path = PathBuf::from(format!("tests/config/invalid/{sample}.yaml"));
        for diagnostic in load(&path).diagnostics.iter().filter(|found| found.code.name() == "missing-saw") {
            let help = diagnostic.help.as_deref().unwrap();
            let entry = help.split("`- ").nth(1).unwrap().trim_end_matches('`');
            let file = format!(
                "version: 1\ntenant: {{ id: 7b1f0c52-0000-4000-8000-0000000000aa }}\nenvironments:\n  prod:\n    \
                 instanceId: 6f2b1c34-0000-4000-8000-00000000a001\n    attested:\n      - {entry}\n"
            );
            let (_folder, path) = folder_with("palisade.yaml", file.as_bytes());
            let loaded = load(&path);
            assert!(loaded.diagnostics.is_empty(), "{}", rendered(&loaded));
            copied += 1;
        }
    }
    assert!(copied >= 4, "{copied}");
}

/// A file that names vaults in one of the places where it can, and nothing else that could be wrong.
fn naming_a_vault(place: usize, vault: &str) -> String {
    let id = |name: &str| {
        format!(
            "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}"
        )
    };
    let consent = "dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }";
    let block = match place {
        0 => format!("keyVault: {{ id: \"{}\", {consent} }}", id(vault)),
        1 => format!("keyVault: {{ id: \"{}\", replaces: \"{}\", {consent} }}", id("kv-other-one"), id(vault)),
        2 => {
            format!("apiAccess: {{ enabled: true, keys: {{ publishTo: {{ vault: \"{}\", secret: s }} }} }}", id(vault))
        }
        _ => format!(
            "attested: [{{ setting: keyVault, saw: {{ id: \"{}\" }}, by: ada@contoso.com, on: 2026-03-02, validFor: 9d }}]",
            id(vault)
        ),
    };
    format!(
        "version: 1\ntenant: {{ id: 7b1f0c52-0000-4000-8000-0000000000aa }}\nenvironments:\n  prod:\n    \
         instanceId: 6f2b1c34-0000-4000-8000-00000000a001\n    \
         environmentId: 1bd6bd98-0000-4000-8000-00000000e001\n    {block}\n"
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Wherever a file names a vault: what is accepted has a host, and what has none is an error with its own code.
    #[test]
    fn a_vault_is_accepted_where_a_host_can_be_made_of_its_name(
        name in r"[-_0-9a-zA-Z]{1,4}([-.a-z]{1,4}|\$\{environment\}){0,5}[-_0-9a-zA-Z]?", place in 0..4_usize,
    ) {
        let (_folder, path) = folder_with("palisade.yaml", naming_a_vault(place, &name).as_bytes());
        let loaded = load(&path);
        let host = Hosts::cloud(Cloud::Public).unwrap().vault(&name.replace("${environment}", "prod"));
        let expected = if host.is_ok() { vec![] } else { vec!["bad-resource-name"] };
        let found: Vec<_> = codes(&loaded).iter().map(|code| code.name()).collect();
        prop_assert_eq!(found, expected, "{}", name);
        prop_assert_eq!(loaded.configuration.is_some(), host.is_ok(), "{}", name);
    }
}
