//! What the documents say is what the program does.
//!
//! With `PALISADE_BLESS=1`, pages that are made from the code are rewritten instead of compared.

#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use palisade::config::Source;
use palisade::settings::registry::Registered;
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
    for name in palisade::settings::registry::SETTINGS.iter().map(Registered::key) {
        assert!(page.contains(&format!("`{name}`")), "what `{name}` binds isn't written down");
    }
}

/// The pages for people who change palisade.
const PAGES: [&str; 3] = ["CONTRIBUTING.md", "docs/architecture.md", "docs/threat-model.md"];

fn page(path: &str) -> String {
    fs::read_to_string(path).unwrap()
}

fn rust_files(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *text += &fs::read_to_string(path).unwrap();
        }
    }
}

/// What stands in backticks outside of fenced blocks.
fn in_backticks(page: &str) -> Vec<String> {
    let prose: String = page.split("```").step_by(2).collect();
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Files, tests and types that the pages name are there; so none of them is about a house that was rebuilt since.
#[test]
fn the_pages_for_contributors_name_what_there_is() {
    let mut sources = String::new();
    rust_files(Path::new("src"), &mut sources);
    let words: std::collections::BTreeSet<&str> = sources.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let (mut files, mut tests, mut types) = (0, 0, 0);
    for name in PAGES {
        for token in in_backticks(&page(name)) {
            let root = token.split('/').next().unwrap_or_default();
            if ["src", "tests", "docs", "schema", "examples", ".ci"].contains(&root) && token.contains('/') {
                let (path, test) = token.split_once("::").unwrap_or((&token, ""));
                assert!(Path::new(path).exists(), "{name} names `{path}`, which isn't there");
                files += 1;
                if !test.is_empty() {
                    let there = fs::read_to_string(path).unwrap().contains(&format!("fn {test}("));
                    assert!(there, "{name} names the test `{test}`, which isn't in {path}");
                    tests += 1;
                }
            } else if token.starts_with(char::is_uppercase) && token.split("::").all(is_word) {
                let types_only = token.split("::").filter(|word| word.chars().any(char::is_lowercase));
                for word in types_only {
                    assert!(words.contains(word), "{name} names `{token}`, which isn't in src/");
                    types += 1;
                }
            }
        }
    }
    assert!(files > 60 && tests > 40 && types > 20, "{files} files, {tests} tests, {types} types: too few were found");
}

/// The code that the page about contributing shows is code that compiles.
#[test]
fn the_example_of_a_setting_is_the_one_that_is_tested() {
    let mut example = String::new();
    rust_files(Path::new("src/settings/example"), &mut example);
    let contributing = page("CONTRIBUTING.md");
    let blocks: Vec<&str> =
        contributing.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 5);
    for block in blocks {
        assert!(example.contains(block), "this isn't in src/settings/example:\n{block}");
    }
}

/// What is to be run before a change lands is what is run.
#[test]
fn the_page_for_contributors_runs_what_ci_runs() {
    let run = page(".ci/run");
    let contributing = page("CONTRIBUTING.md");
    let commands = contributing.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    for command in commands.lines().map(|line| line.trim_start_matches("$ ")) {
        assert!(run.lines().any(|line| line.trim() == command), ".ci/run doesn't run `{command}`");
    }
    for name in PAGES {
        assert!(page("README.md").contains(&format!("({name})")), "README.md doesn't link {name}");
    }
}

/// Every option of `palisade emulator` that the page about it names is one, and README.md and the help lead to the page.
#[test]
fn the_page_about_the_emulator_names_what_there_is() {
    let page = page("docs/emulator.md");
    let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args(["emulator", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands: Vec<&str> = page.lines().filter(|line| line.starts_with("$ palisade emulator")).collect();
    assert!(!commands.is_empty());
    for option in commands.iter().flat_map(|line| line.split_whitespace()).filter(|word| word.starts_with('-')) {
        assert!(
            help.contains(&format!("{option} ")) || help.contains(&format!("{option},")),
            "`{option}` is no option"
        );
    }
    let example = commands[0].split_whitespace().find(|word| word.ends_with(".yaml")).unwrap();
    let example = fs::read_to_string(example).unwrap();
    for name in ["rg-lake", "contosolake", "rg-ci", "kv-ci-connections", "7b1f0c52-0000-4000-8000-0000000000aa"] {
        assert!(page.contains(name) && example.contains(name), "`{name}` isn't in both");
    }
    for id in [palisade::emulator::CLIENT_ID.to_string().as_str(), palisade::emulator::CLIENT_SECRET] {
        assert!(page.contains(id) && help.contains(id), "{id}");
    }
    assert!(
        help.contains("docs/emulator.md")
            && std::fs::read_to_string("README.md").unwrap().contains("(docs/emulator.md)")
    );
}

/// What a page shows as a whole configuration is one.
#[test]
fn configurations_in_pages_are_valid() {
    let mut seen = 0;
    for entry in fs::read_dir("docs").unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        for block in blocks.filter(|block| block.starts_with("version: 1\n")) {
            let loaded = palisade::declared::load_sources(vec![Source::new(path.to_string_lossy(), block.to_owned())]);
            let wrong: Vec<String> = loaded.diagnostics.iter().map(|it| it.message.clone()).collect();
            assert!(wrong.is_empty() && loaded.configuration.is_some(), "{}: {wrong:?}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 3, "only {seen} found");
}
