//! What the documents say is what the program does.
//!
//! With `PALISADE_BLESS=1`, pages that are made from the code are rewritten instead of compared.

#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn palisade(arguments: &[&str], state: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(arguments)
        .arg("--emulator-state")
        .arg(state)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .output()
        .unwrap()
}

/// The text between the fences of the `index`th `text` block of the README.
fn readme_block(index: usize) -> String {
    let readme = fs::read_to_string("README.md").unwrap();
    let block = readme.split("```text\n").nth(index + 1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

fn without_world(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        let line = line.split_once(" world ").map_or(line.to_owned(), |(front, _)| format!("{front} world …"));
        masked += &format!("{line}\n");
    }
    masked
}

#[test]
fn the_readme_shows_the_plan_that_a_fresh_clone_prints() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("world.json");
    let output = palisade(&["plan", "-f", "examples/contoso.yaml", "--emulator"], &state);
    assert_eq!(output.status.code(), Some(0));
    let printed = without_world(&String::from_utf8(output.stdout).unwrap());
    let shown = without_world(&readme_block(0));
    assert!(shown.lines().count() > 10);
    assert!(printed.starts_with(&shown), "the README shows\n{shown}\nthe program prints\n{printed}");
}

#[test]
fn the_readme_shows_a_real_diagnostic() {
    let shown = readme_block(1);
    let sample = Path::new("tests/config/invalid/group-twice.expected");
    let expected = fs::read_to_string(sample).unwrap();
    assert!(expected.starts_with(shown.trim_end()), "the README shows\n{shown}\nthe sample expects\n{expected}");
}

#[test]
fn the_page_of_operations_is_made_from_the_catalogue() {
    let (path, made) = ("docs/operations.md", palisade::report::operations::markdown());
    if std::env::var_os("PALISADE_BLESS").is_some() {
        fs::write(path, &made).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(kept, made, "docs/operations.md is out of date: run `PALISADE_BLESS=1 cargo test --test documents`");
}

#[test]
fn every_example_is_valid_and_plans_against_a_fresh_world() {
    let mut examples = 0;
    for entry in fs::read_dir("examples").unwrap() {
        let path = entry.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["plan", "-f", path.to_str().unwrap(), "--emulator"];
        let output = palisade(&arguments, &folder.path().join("world.json"));
        assert_eq!(output.status.code(), Some(0), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        examples += 1;
    }
    assert!(examples >= 2);
}

/// Every option that the page about approvals names is one of `plan` or `apply`, and every setting is one that there is.
#[test]
fn the_page_about_approvals_names_what_there_is() {
    let page = fs::read_to_string("docs/approvals.md").unwrap();
    let help = |command: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args([command, "--help"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let help = help("plan") + &help("apply");
    let options: Vec<&str> = page
        .split("--")
        .skip(1)
        .map(|rest| rest.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap())
        .collect();
    assert!(options.len() > 10);
    for option in options.into_iter().filter(|option| option.starts_with(|c: char| c.is_ascii_lowercase())) {
        assert!(help.contains(&format!("--{option}")), "`--{option}` is no option");
    }
    for name in palisade::settings::registry::SETTINGS.names() {
        assert!(page.contains(&format!("`{name}`")), "what `{name}` binds isn't written down");
    }
}
