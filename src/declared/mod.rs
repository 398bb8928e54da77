//! The whole configuration: tenant, base and environments, read from files and checked.
//!
//! The format that [`config`] reads by is made here, from the file's own shape and from the blocks of the
//! settings; what the files say together becomes one [`Configuration`].
//!
//! Invariants: a configuration exists only without mistakes; all mistakes of a run are reported, in file order.

mod attested;
pub mod codes;
mod configuration;
#[cfg(test)]
mod example;
mod schema;
mod shape;
#[cfg(test)]
mod tenant;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;
use std::sync::LazyLock;

pub use configuration::{Configuration, Tenant};
pub use shape::{Policy, UnpublishedOperations};

use crate::config::{self, Code, Diagnostics, Document, Format, Source, Sources};
use crate::plan::NoteCode;
use crate::settings::aliases::VOCABULARY;
use crate::settings::registry::{Registry, SETTINGS};
use crate::terms::ScopeKind;
use crate::{guard, plan, settings};

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
    judge(config::read(paths, format()), format(), SETTINGS)
}

/// Reads texts that are already in memory as one configuration, for checking what was just written.
pub fn load_sources(sources: Vec<Source>) -> Loaded {
    judge(config::read_sources(sources, format()), format(), SETTINGS)
}

/// The format of files.
pub fn format() -> &'static Format {
    static FORMAT: LazyLock<Format> = LazyLock::new(|| format_with(SETTINGS));
    &FORMAT
}

/// The codes of all mistakes, in the order in which the documentation lists them.
pub fn mistakes() -> impl Iterator<Item = Code> {
    let shared = [
        config::codes::CODES,
        codes::CODES,
        settings::codes::CODES,
        settings::attestation::codes::CODES,
        settings::encryption_keys::codes::CODES,
    ];
    shared.into_iter().chain(SETTINGS.iter().map(|setting| setting.codes())).flatten().copied()
}

/// The codes of all notes, in the order in which the documentation lists them.
pub fn notes() -> impl Iterator<Item = NoteCode> {
    let shared = [
        guard::codes::NOTES,
        plan::codes::NOTES,
        settings::codes::NOTES,
        settings::attestation::codes::NOTES,
        settings::encryption_keys::codes::NOTES,
    ];
    shared.into_iter().chain(SETTINGS.iter().map(|setting| setting.notes())).flatten().copied()
}

fn format_with(settings: Registry) -> Format {
    let words = settings
        .iter()
        .flat_map(|setting| setting.words())
        .chain(words::WORDS)
        .chain(settings::encryption_keys::WORDS)
        .copied();
    Format::new(schema::schema(settings), words, settings.names(ScopeKind::Environment), VOCABULARY)
}

fn judge(mut document: Document, format: &Format, settings: Registry) -> Loaded {
    let configuration = configuration::build(&mut document, format, settings);
    let Document { sources, mut diagnostics, .. } = document;
    diagnostics.finish();
    let configuration = configuration.filter(|_| !diagnostics.has_errors());
    Loaded { sources, diagnostics, configuration }
}
