//! From paths to texts.
//!
//! Invariants: no file is read further than [`LARGEST`], whatever it is (a pipe, a device, a file that grows); nothing but a
//! regular file is read unless it was named; the order of files depends on their names only; standard input is read once;
//! links to folders aren't followed, so no walk runs in circles.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::codes::Code;
use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::source::{Source, Span};
use crate::config::codes;

/// The largest file that is read, in bytes.
pub(super) const LARGEST: usize = 4 * 1024 * 1024;
/// The most files in one configuration.
const MOST_FILES: usize = 500;
/// The deepest folder that is looked into.
const DEEPEST: usize = 16;

/// What standard input is called where a file has a name.
const STANDARD_INPUT: &str = "<stdin>";

/// Whether a path stands for standard input, or for standard output where something is written.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// One entry of the list of files: what was read, or what was said about it.
pub(super) struct Files {
    /// Every file that was named or found, also those that couldn't be read (with an empty text).
    pub(super) sources: Vec<Source>,
    /// For each of them, whether its text can be parsed.
    pub(super) readable: Vec<bool>,
}

/// Reads the files named by `paths`, and those in the folders named by them. A file that is named twice is read once.
pub(super) fn read(paths: &[PathBuf], diagnostics: &mut Diagnostics) -> Files {
    let mut files = Files { sources: Vec::new(), readable: Vec::new() };
    let mut seen = HashSet::new();
    for path in paths {
        if is_stream(path) {
            if seen.insert(path.clone()) {
                files.add(Path::new(STANDARD_INPUT), standard_input(), diagnostics);
            }
            continue;
        }
        match found(path) {
            Ok(found) => {
                for file in found {
                    if seen.insert(fs::canonicalize(&file).unwrap_or_else(|_| file.clone())) {
                        let text = if file == *path { text(&file) } else { regular(&file) };
                        files.add(&file, text, diagnostics);
                    }
                }
            }
            Err(problem) => files.add(path, Err((String::new(), problem)), diagnostics),
        }
    }
    files
}

/// What is wrong with a file, and where in it.
struct Problem {
    code: Code,
    message: String,
    help: String,
    at: usize,
}

fn problem(code: Code, message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem { code, message: message.into(), help: help.into(), at: 0 }
}

impl Files {
    fn add(&mut self, path: &Path, text: Result<String, (String, Problem)>, diagnostics: &mut Diagnostics) {
        let file = self.sources.len();
        let name = path.display().to_string();
        self.readable.push(text.is_ok());
        match text {
            Ok(text) => self.sources.push(Source::new(name, text)),
            Err((text, problem)) => {
                let span = Span { file, start: problem.at, end: problem.at };
                diagnostics.push(Diagnostic::error(problem.code, span, problem.message).help(problem.help));
                self.sources.push(Source::new(name, text));
            }
        }
    }
}

/// The file itself, or the YAML files of the folder in the order of their names.
fn found(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    walk(path, 0, &mut files).map_err(|error| unreadable(path, &error))?;
    files.sort();
    let shown = quoted(&path.display().to_string());
    match files.len() {
        0 => Err(problem(
            codes::EMPTY_FOLDER,
            format!("there is no YAML file in {shown}"),
            "put files that end in `.yaml` or `.yml` there; hidden files don't count",
        )),
        count if count > MOST_FILES => Err(problem(
            codes::TOO_MANY_FILES,
            format!("there are more than {MOST_FILES} YAML files in {shown}"),
            "name the folder that holds the configuration and nothing else",
        )),
        _ => Ok(files),
    }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') || files.len() > MOST_FILES {
            continue;
        }
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if depth < DEEPEST {
                walk(&path, depth + 1, files)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") && !path.is_dir() {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let shown = quoted(&path.display().to_string());
    match error.kind() {
        ErrorKind::NotFound => problem(
            codes::MISSING_FILE,
            format!("there is no file or folder {shown}"),
            "check the path; it is relative to where palisade runs",
        ),
        ErrorKind::PermissionDenied => problem(
            codes::UNREADABLE_FILE,
            format!("{shown} can't be read: permission denied"),
            "let the account that runs palisade read it",
        ),
        kind => {
            problem(codes::UNREADABLE_FILE, format!("{shown} can't be read: {kind}"), "check the path and the disk")
        }
    }
}

/// The text of a file without its byte order mark; or what there is of it, and what is wrong.
fn text(path: &Path) -> Result<String, (String, Problem)> {
    File::open(path).and_then(bounded).map_err(|error| (String::new(), unreadable(path, &error))).and_then(whole)
}

/// The same of a file that was found and not named: a pipe or a device in a folder isn't waited for. One that was named is
/// read, since a shell passes `<(…)` on as a pipe.
fn regular(path: &Path) -> Result<String, (String, Problem)> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let message = format!("{} isn't a regular file", quoted(&path.display().to_string()));
        let help = "a folder of the configuration holds files; name a pipe with `-f`, if it is meant to be read";
        return Err((String::new(), problem(codes::UNREADABLE_FILE, message, help)));
    }
    text(path)
}

fn standard_input() -> Result<String, (String, Problem)> {
    let read = bounded(io::stdin().lock());
    read.map_err(|error| (String::new(), unreadable(Path::new(STANDARD_INPUT), &error))).and_then(whole)
}

/// What can be read, and no more than one byte above what a file may have.
fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn whole(bytes: Vec<u8>) -> Result<String, (String, Problem)> {
    if bytes.len() > LARGEST {
        let message = format!("the file is larger than {} MB, the most that is read", LARGEST / 1024 / 1024);
        return Err((
            String::new(),
            problem(codes::FILE_TOO_LARGE, message, "a configuration is a few kilobytes; is this the right file?"),
        ));
    }
    decode(bytes)
}

fn decode(mut bytes: Vec<u8>) -> Result<String, (String, Problem)> {
    const UTF8: &str = "save it as UTF-8; most editors offer this when saving";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err((String::new(), problem(codes::NOT_UTF8, "the file is encoded as UTF-16", UTF8)));
    }
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        bytes.drain(..3);
    }
    if bytes.contains(&0) {
        return Err((
            String::new(),
            problem(codes::BINARY_FILE, "the file isn't text: it contains NUL bytes", "is this the right file?"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        (
            text,
            Problem {
                at,
                ..problem(codes::NOT_UTF8, "the file isn't encoded as UTF-8; this byte can't be read", UTF8)
            },
        )
    })
}
