//! From YAML files to checked declarations.
//!
//! The way in: `files` → one located [`tree`] per file (`yaml`) → checked against the [`schema`] → put together and
//! merged with `base` (`merge`) → typed and checked ([`Configuration`]). Words: a *node* is a value with its place; a
//! *diagnostic* is one mistake with a stable code; a *block* is a setting's part of an environment. What must stay true:
//! every mistake of a run is reported at once, in file order, with file, line and column; what is wrong in one place is
//! dropped and hides nothing elsewhere; nothing here prints, or touches the network or the clock.

mod codes;
mod complaint;
mod configuration;
mod diagnostic;
pub(crate) mod entry;
mod fields;
mod files;
mod merge;
mod nearest;
mod scalar;
pub mod schema;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod texts;
pub mod tree;
pub(crate) mod words;
mod yaml;
mod yaml_errors;

use std::path::PathBuf;

pub use codes::Code;
pub(crate) use configuration::typed;
pub use configuration::{Attestation, Configuration, Environment, Tenant};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, quoted};
pub use fields::{FieldHelp, Lookup, field_help};
pub use shape::{Policy, UnpublishedOperations};
pub use source::{Source, Sources, Span};
pub use tree::{Located, Node};

/// What reading files gave.
#[derive(Debug)]
pub struct Loaded {
    /// The files that were read, for showing diagnostics.
    pub sources: Sources,
    /// What is wrong or worth a look, in file order.
    pub diagnostics: Diagnostics,
    /// The configuration, if no mistake refuses it.
    pub configuration: Option<Configuration>,
}

/// Reads files, and all `.yaml` and `.yml` files in and below folders, as one configuration.
pub fn load(paths: &[PathBuf]) -> Loaded {
    let mut diagnostics = Diagnostics::default();
    if paths.is_empty() {
        diagnostics.push(Diagnostic {
            span: None,
            ..Diagnostic::error(Code::MissingFile, Span::start_of(0), "no file or folder was given")
        });
        return Loaded { sources: Sources::default(), diagnostics, configuration: None };
    }
    let files = files::read(paths, &mut diagnostics);
    read(files.sources, &files.readable, diagnostics)
}

/// Reads texts that are already in memory as one configuration, for checking what was just written.
pub fn load_sources(sources: Vec<Source>) -> Loaded {
    if sources.is_empty() {
        return load(&[]);
    }
    let readable = vec![true; sources.len()];
    read(sources, &readable, Diagnostics::default())
}

fn read(sources: Vec<Source>, readable: &[bool], mut diagnostics: Diagnostics) -> Loaded {
    let sources = Sources::new(sources);
    let checker = schema::Checker::new();
    let mut roots = Vec::new();
    for (file, (source, readable)) in sources.iter().zip(readable).enumerate() {
        if *readable && let Some(root) = document(file, source, &sources, &checker, &mut diagnostics) {
            roots.push(root);
        }
    }
    let whole = roots.len() == readable.len();
    let combined = merge::combine(roots, &sources, &mut diagnostics);
    let configuration = configuration::build(&combined, whole, &sources, &mut diagnostics);
    diagnostics.finish();
    let configuration = configuration.filter(|_| !diagnostics.has_errors());
    Loaded { sources, diagnostics, configuration }
}

/// One file's tree, without what the schema check complained about.
fn document(
    file: usize,
    source: &Source,
    sources: &Sources,
    checker: &schema::Checker,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let before = diagnostics.len();
    let root = yaml::read(file, &source.text, diagnostics);
    let Some(root) = root.filter(|root| !matches!(root.value, tree::Value::Null)) else {
        if diagnostics.len() == before {
            diagnostics.push(
                Diagnostic::error(Code::EmptyFile, Span::start_of(file), "the file is empty, or holds only comments")
                    .help("write `version: 1`, `tenant:` and `environments:`, or remove the file"),
            );
        }
        return None;
    };
    if let Some(version) = root.child("version").filter(|version| is_of_another_version(version)) {
        diagnostics.push(
            Diagnostic::error(
                Code::WrongVersion,
                version.span,
                format!("this palisade reads version 1 of the file format, not {}", quoted(sources.text(version.span))),
            )
            .help("write `version: 1`; a file for a newer version needs a newer palisade"),
        );
        return None;
    }
    texts::check_placeholders(&root, sources, diagnostics);
    let root = checker.check(root, sources, diagnostics);
    texts::check_quotes(&root, "", sources, diagnostics);
    Some(root)
}

/// A whole number other than 1: everything else in the file may rightly look different, so it isn't checked.
fn is_of_another_version(version: &Node) -> bool {
    matches!(version.value, tree::Value::Integer(number) if number != 1)
}
