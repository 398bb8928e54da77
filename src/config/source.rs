//! The files of a configuration, and places in them.

use std::sync::Arc;

use crate::terms::Place;

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

impl Span {
    /// The first byte of a file: where a complaint about the file as a whole points.
    pub fn start_of(file: usize) -> Self {
        Self { file, start: 0, end: 0 }
    }

    /// Whether `other` lies inside this span.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// One file's name and text.
#[derive(Debug)]
pub struct Source {
    /// The name to show.
    pub name: String,
    /// The text, without a byte order mark; empty if the file couldn't be read.
    pub text: String,
    /// Where each line starts. Kept so that asking for thousands of places doesn't scan the text each time.
    line_starts: Vec<usize>,
}

impl Source {
    /// A file called `name` that holds `text`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts =
            std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1));
        Self { name: name.into(), line_starts: line_starts.collect(), text }
    }

    /// The line, from 0, that byte `at` lies in.
    pub fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// The bytes of a line counted from 0, without its line end.
    pub fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let end = if self.text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.line_starts.len()
    }
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

    /// What is written at `span`, quotes included.
    pub fn text(&self, span: Span) -> &str {
        self.source(span).text.get(span.start..span.end).unwrap_or_default()
    }

    /// Line and column of the start of `span`.
    pub fn place(&self, span: Span) -> Place {
        let source = self.source(span);
        let line = source.line_of(span.start);
        let before = source.line_range(line).start..span.start;
        Place {
            file: source.name.clone(),
            line: line + 1,
            column: source.text.get(before).map_or(0, |text| text.chars().count()) + 1,
        }
    }
}
