//! From YAML files to checked declarations.
//!
//! The way in: `files` → one located [`tree`] per file (`yaml`) → checked against the [`Format`] that is handed in → put
//! together and merged with `base` (`merge`). Which blocks there are, and what they mean, is decided above. Words: a *node* is a value with its place; a
//! *diagnostic* is one mistake with a stable code; a *block* is a setting's part of an environment. What must stay true:
//! every mistake of a run is reported at once, in file order, with file, line and column; what is wrong in one place is
//! dropped and hides nothing elsewhere; nothing here prints, or touches the network or the clock.

mod aliases;
pub mod codes;
mod complaint;
mod diagnostic;
mod duration;
mod fields;
mod files;
mod foreign;
mod format;
mod homes;
mod layout;
pub(crate) mod merge;
pub(crate) mod nearest;
mod scalar;
mod source;
#[cfg(test)]
mod tests;
pub(crate) mod texts;
pub mod tree;
mod typed;
pub(crate) mod words;
mod yaml;
mod yaml_errors;

use std::path::PathBuf;

pub(crate) use aliases::{Alias, Meant, Statement, Stranger, Vocabulary, key as meant};
pub use codes::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Severity, quoted};
pub use fields::{FieldHelp, Lookup};
pub(crate) use files::is_stream;
pub use format::Format;
pub(crate) use merge::Combined;
pub use source::{Source, Sources, Span};
pub use tree::{Located, Node};
pub(crate) use typed::typed;
pub use words::{Word, Wrong};

/// What files say, put together but not yet judged.
#[derive(Debug)]
pub(crate) struct Document {
    /// The files that were read, for showing diagnostics.
    pub(crate) sources: Sources,
    /// What is wrong so far.
    pub(crate) diagnostics: Diagnostics,
    /// Tenant, base and environments.
    pub(crate) combined: Combined,
    /// Whether every file could be read; otherwise what seems to be missing may well be in one of them.
    pub(crate) whole: bool,
}

/// Reads files, and all `.yaml` and `.yml` files in and below folders.
pub(crate) fn read(paths: &[PathBuf], format: &Format) -> Document {
    let mut diagnostics = Diagnostics::default();
    if paths.is_empty() {
        diagnostics.push(Diagnostic {
            span: None,
            ..Diagnostic::error(codes::MISSING_FILE, Span::start_of(0), "no file or folder was given")
        });
        return Document { sources: Sources::default(), diagnostics, combined: Combined::default(), whole: false };
    }
    let files = files::read(paths, &mut diagnostics);
    documents(files.sources, &files.readable, format, diagnostics)
}

/// Reads texts that are already in memory.
pub(crate) fn read_sources(sources: Vec<Source>, format: &Format) -> Document {
    let readable = vec![true; sources.len()];
    documents(sources, &readable, format, Diagnostics::default())
}

fn documents(sources: Vec<Source>, readable: &[bool], format: &Format, mut diagnostics: Diagnostics) -> Document {
    let sources = Sources::new(sources);
    let mut roots = Vec::new();
    for (file, (source, readable)) in sources.iter().zip(readable).enumerate() {
        if *readable && let Some(root) = document(file, source, &sources, format, &mut diagnostics) {
            roots.push(root);
        }
    }
    let whole = roots.len() == readable.len();
    let combined = merge::combine(roots, &sources, &mut diagnostics);
    Document { sources, diagnostics, combined, whole }
}

/// One file's tree, without what the schema check complained about.
fn document(
    file: usize,
    source: &Source,
    sources: &Sources,
    format: &Format,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let before = diagnostics.len();
    if let Some(foreign) = foreign::of_text(file, &source.text) {
        diagnostics.push(foreign);
        return None;
    }
    let root = yaml::read(file, &source.text, &format.keys(), diagnostics);
    let Some(root) = root.filter(|root| !matches!(root.value, tree::Value::Null)) else {
        if diagnostics.len() == before {
            diagnostics.push(
                Diagnostic::error(codes::EMPTY_FILE, Span::start_of(file), "the file is empty, or holds only comments")
                    .help("write `version: 1`, `tenant:` and `environments:`, or remove the file"),
            );
        }
        return None;
    };
    if let Some(foreign) = foreign::of_tree(&root, format.fields()) {
        diagnostics.push(foreign);
        return None;
    }
    if let Some(version) = root.child("version").filter(|version| is_of_another_version(version)) {
        diagnostics.push(
            Diagnostic::error(
                codes::WRONG_VERSION,
                version.span,
                format!("this palisade reads version 1 of the file format, not {}", quoted(sources.text(version.span))),
            )
            .help("write `version: 1`; a file for a newer version needs a newer palisade"),
        );
        return None;
    }
    texts::check_placeholders(&root, sources, diagnostics);
    let root = format.check(root, sources, diagnostics);
    texts::check_quotes(&root, sources, diagnostics);
    Some(root)
}

/// A whole number other than 1: everything else in the file may rightly look different, so it isn't checked.
fn is_of_another_version(version: &Node) -> bool {
    matches!(version.value, tree::Value::Integer(number) if number != 1)
}
