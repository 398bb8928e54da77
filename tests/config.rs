//! The configuration's samples: each file (or folder) under `tests/config` with what palisade says about it.
//!
//! `PALISADE_BLESS=1 cargo test --test config` rewrites the expectations. Read them afterwards, as a user would.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use palisade::config::{self, Loaded};
use palisade::report::diagnostics::{self, Style};
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
    config::load(&[path.to_owned()])
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
    let diff = TextDiff::from_lines(expected.as_str(), actual)
        .unified_diff()
        .header("expected", "actual")
        .to_string();
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
        assert!(
            loaded.configuration.is_none(),
            "{} is accepted",
            sample.display()
        );
        assert!(
            loaded.diagnostics.has_errors(),
            "{} is refused without a reason",
            sample.display()
        );
        failures.extend(expect(&expected_of(&sample), &rendered(&loaded)).err());
    }
    assert!(
        failures.is_empty(),
        "{}\nrewrite with PALISADE_BLESS=1",
        failures.join("\n")
    );
}

#[test]
fn valid_samples_are_accepted() {
    let mut failures = Vec::new();
    for sample in samples("valid") {
        let loaded = load(&sample);
        let shown = rendered(&loaded);
        let Some(configuration) = &loaded.configuration else {
            panic!("{} is refused:\n{shown}", sample.display())
        };
        let mut actual = shown;
        actual.push_str(&format!("{configuration:#?}\n"));
        failures.extend(expect(&expected_of(&sample), &actual).err());
    }
    assert!(
        failures.is_empty(),
        "{}\nrewrite with PALISADE_BLESS=1",
        failures.join("\n")
    );
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
    let derived = format!("{:#}\n", config::schema::schema());
    let diff = TextDiff::from_lines(kept.as_str(), derived.as_str());
    assert!(
        kept == derived,
        "{}\nrewrite it with: cargo run -- schema > schema/palisade.schema.json",
        diff.unified_diff().header("kept", "derived")
    );
}
