//! The files of a configuration, and places in them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A position that a person can go to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file, as it was named on the command line or found in the folder.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A stretch of bytes in one of the [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Index of the file in its [`Sources`]; files are in the order in which they were given.
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// One file's name and text.
#[derive(Debug)]
pub struct Source {
    /// The name to show.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: String,
}

/// All files of one configuration. Clones share the texts.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<Vec<Source>>);

impl Sources {
    /// Takes the files in the order in which diagnostics are to be listed.
    pub fn new(files: Vec<Source>) -> Self {
        Self(Arc::new(files))
    }

    /// The file that `span` lies in.
    pub fn source(&self, span: Span) -> &Source {
        &self.0[span.file]
    }

    /// The files, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// Line and column of the start of `span`.
    pub fn place(&self, span: Span) -> Place {
        let source = self.source(span);
        let before = source.text.get(..span.start).unwrap_or(&source.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            file: source.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}
