//! The rooms of the house depend in one direction, as the architecture page says.
//!
//! The table of `docs/architecture.md` lists the rooms, lowest first. What is checked here is checked on the text of the
//! sources, so that test code and paths in the middle of a line count as well.

#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use palisade::settings::registry::{Registered, SETTINGS};

/// The files of the root, which hold the rooms together and are rooms of none.
const ROOT: [&str; 2] = ["lib", "main"];

/// Rooms that know no setting, and so may not name one.
const NAME_NO_SETTING: [&str; 6] = ["config", "plan", "guard", "apply", "report", "declared"];

/// Imports that are forbidden although they lead down.
const KEPT_APART: [(&str, &str, &str); 3] = [
    ("azure", "config", "clients of services are used without any file"),
    ("config", "settings", "names and schemas are handed in"),
    ("config", "azure", "reading files touches no service"),
];

/// Where a room that knows no setting names one all the same, and why.
const NAMED: [(&str, &str, &str); 2] = [
    ("src/plan/only.rs", "apiAccess", "an example for people in a message of usage; it decides nothing"),
    ("src/guard/codes.rs", "users", "an explanation says where people read on; it decides nothing"),
];

const LONGEST_FILE: usize = 400;
const LONGEST_TEST: usize = 450;

/// A source file: its path, and the room that it is in.
struct Source {
    path: PathBuf,
    room: String,
    text: String,
}

impl Source {
    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether the whole file is test code.
    fn is_test(&self) -> bool {
        self.path.components().any(|part| part.as_os_str() == "tests") || self.path.ends_with("tests.rs")
    }

    /// The lines with their numbers; without those of test code if `only_program`.
    fn lines(&self, only_program: bool) -> impl Iterator<Item = (usize, &str)> {
        let end = match self.text.find("#[cfg(test)]\nmod tests {").or_else(|| self.text.find("\nmod tests {")) {
            _ if only_program && self.is_test() => 0,
            Some(at) if only_program => at,
            _ => self.text.len(),
        };
        (1..).zip(self.text[..end].lines())
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    files_below(Path::new("src"), &mut found);
    let source = |path: PathBuf| {
        let room = path.iter().nth(1).unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        Source { path, room, text }
    };
    found.into_iter().map(source).collect()
}

/// The rooms in the order of the page's table, lowest first.
fn rooms() -> Vec<String> {
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let table = page.split("\n## The rooms\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split_once('`').unwrap().0.to_owned()).collect()
}

/// The rooms that a line speaks of by a path from the crate's root: `crate::room`, `crate::{room, …}`, `palisade::room`.
fn imports(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for root in ["crate::", "palisade::"] {
        for (at, _) in line.match_indices(root) {
            // `other_crate::room` isn't ours.
            if line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &line[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(list) => found.extend(first_words_of(list)),
                None => found.push(word(rest)),
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first word of each entry of a list in braces, nested lists left out.
fn first_words_of(list: &str) -> Vec<String> {
    let (mut depth, mut entry, mut words) = (0, String::new(), Vec::new());
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => words.push(word(&std::mem::take(&mut entry))),
            other if depth == 0 => entry.push(other),
            _ => {}
        }
    }
    words.push(word(&entry));
    words
}

/// All imports of a file, each with its line. A list that goes over several lines is read as one.
fn all_imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in source.lines(false) {
        let (start, text) = match open.take() {
            Some((start, begun)) => (start, begun + line.trim_start()),
            None => (number, line.to_owned()),
        };
        if text.contains("crate::{") && text.matches('{').count() > text.matches('}').count() {
            open = Some((start, text));
            continue;
        }
        found.extend(imports(&text).into_iter().map(|room| (start, room)));
    }
    found
}

/// `super::` as often as leads to the crate's root, before a room's name: an import by another way.
fn climbs_out(source: &Source, rooms: &[String]) -> Vec<usize> {
    let depth = source.path.iter().count() - if source.path.ends_with("mod.rs") { 2 } else { 1 };
    let out = "super::".repeat(depth);
    let leads_out = |line: &str| {
        line.match_indices(&out).any(|(at, _)| {
            !line[..at].ends_with("super::") && rooms.contains(&word(&line[at + out.len()..])) && !line.starts_with(' ')
        })
    };
    source.lines(false).filter(|(_, line)| leads_out(line)).map(|(number, _)| number).collect()
}

#[test]
fn the_table_lists_every_room_and_no_other() {
    let listed: BTreeSet<String> = rooms().into_iter().collect();
    assert_eq!(listed.len(), rooms().len(), "a room is listed twice");
    let there: BTreeSet<String> =
        sources().into_iter().map(|source| source.room).filter(|room| !ROOT.contains(&room.as_str())).collect();
    assert_eq!(listed, there, "the table of docs/architecture.md (left) isn't what is in src/ (right)");
}

#[test]
fn no_room_imports_from_a_room_above_it() {
    let rooms = rooms();
    let height = |room: &str| rooms.iter().position(|one| one == room);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in sources() {
        let Some(own) = height(&source.room) else { continue };
        for (line, import) in all_imports(&source) {
            seen += 1;
            if height(&import).is_some_and(|above| above > own) {
                wrong.push(format!("{}:{line}: `{}` imports from `{import}` above it", source.shown(), source.room));
            }
            if let Some((.., why)) = KEPT_APART.iter().find(|(from, to, _)| *from == source.room && *to == import) {
                wrong.push(format!("{}:{line}: `{}` imports from `{import}`: {why}", source.shown(), source.room));
            }
        }
        for line in climbs_out(&source, &rooms) {
            wrong.push(format!("{}:{line}: leaves the room with `super::`; write `crate::`", source.shown()));
        }
    }
    assert!(seen > 500, "only {seen} imports were found: the test looks in the wrong place");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `apiAccess` is `api_access` as a module.
fn module(key: &str) -> String {
    key.chars().fold(String::new(), |mut name, character| {
        if character.is_uppercase() {
            name.push('_');
        }
        name.extend(character.to_lowercase());
        name
    })
}

/// The parts of a line that stand in quotes.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

/// Whether a line speaks of a setting: in a string as a name or as a part of an address, or in a path as a module.
fn names(line: &str, key: &str) -> bool {
    let as_text = |text: &str| text.split(['/', '`', ' ', '.']).any(|part| part == key);
    // `users` is also an English word: in a sentence it is only taken for the setting if it stands in backticks.
    let in_text = |text: &str| match text.contains(' ') {
        true => text.split('`').skip(1).step_by(2).any(as_text),
        false => as_text(text),
    };
    let path = [format!("{}::", module(key)), format!("::{}", module(key))];
    let in_path = path.iter().any(|path| {
        line.match_indices(path.as_str()).any(|(at, _)| {
            let before = line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            let after = word(&line[at + path.len()..]);
            if path.starts_with("::") { after.is_empty() } else { !before }
        })
    });
    quoted(line).any(in_text) || in_path
}

#[test]
fn rooms_that_know_no_setting_name_none() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| NAME_NO_SETTING.contains(&source.room.as_str())) {
        // Tests of these rooms may be about any setting: what they show is shown on real addresses.
        for (number, line) in source.lines(true).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for key in SETTINGS.iter().map(Registered::key).filter(|key| names(line, key)) {
                found.push((source.shown(), key, number));
            }
        }
    }
    let mut known = NAMED.to_vec();
    let mut wrong = Vec::new();
    for (file, key, line) in &found {
        match known.iter().position(|(path, named, _)| path == file && named == key) {
            Some(at) => drop(known.remove(at)),
            None => wrong.push(format!("{file}:{line}: names the setting `{key}`")),
        }
    }
    wrong.extend(
        known.iter().map(|(file, key, _)| format!("{file} doesn't name `{key}` any more: take it out of NAMED")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_enough_to_be_read_at_once() {
    let mut tests = Vec::new();
    files_below(Path::new("tests"), &mut tests);
    let sources = sources();
    let (of_tests, of_program): (Vec<&Source>, Vec<&Source>) = sources.iter().partition(|source| source.is_test());
    let program = of_program.into_iter().map(|source| (source.path.clone(), LONGEST_FILE));
    let tests = tests.into_iter().chain(of_tests.into_iter().map(|source| source.path.clone()));
    let all = program.chain(tests.map(|path| (path, LONGEST_TEST)));
    let too_long = all.filter_map(|(path, longest)| {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        (lines > longest).then(|| format!("{}: {lines} lines, at most {longest}", path.display()))
    });
    let too_long: Vec<String> = too_long.collect();
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
}

#[test]
fn imports_are_found_wherever_they_stand() {
    assert_eq!(imports("use crate::plan::{Note, Only};"), ["plan"]);
    assert_eq!(imports("use crate::{guard, settings::users, plan::{Note, Only}};"), ["guard", "settings", "plan"]);
    assert_eq!(imports("    let x = crate::cli::main(palisade::ui::Ui::new());"), ["cli", "ui"]);
    assert_eq!(imports("use other_crate::plan; // of another"), [""; 0]);
    assert!(names(r#"Address::setting(scope, "users")"#, "users"));
    assert!(names(r#"text("write `prod/apiAccess/keys` here")"#, "apiAccess"));
    assert!(names("use crate::settings::key_vault::Block;", "keyVault"));
    assert!(!names(r#"text("all users of the vault")"#, "users"));
    assert!(!names("use super::azure_key_vault::X;", "keyVault"));
}
