//! What the YAML parser stumbled over, in a person's terms.

use std::collections::BTreeSet;

use serde_yaml::granit_parser::ErrorKind;

use super::diagnostic::{Diagnostic, quoted};
use super::layout;
use super::source::Span;
use super::yaml::{DEPTH, VALUES};
use crate::config::codes;

/// Values nested deeper than anybody writes.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(codes::NESTED_TOO_DEEP, span, format!("values are nested more than {DEPTH} levels deep here"))
        .help("a configuration needs about six levels; look for a run of brackets")
}

/// More values than anybody writes.
pub(super) fn too_many(span: Span) -> Diagnostic {
    Diagnostic::error(codes::TOO_MANY_VALUES, span, format!("the file holds more than {VALUES} values"))
        .help("aliases count each time they repeat a value; split the configuration into several files")
}

/// Turns the parser's finding at byte `at` into a diagnostic; `keys` are those that a file may have.
pub(super) fn describe(kind: &ErrorKind, file: usize, at: usize, text: &str, keys: &BTreeSet<&str>) -> Diagnostic {
    use ErrorKind as K;
    // Where the text ended too early, point at its last line rather than behind it.
    let at = if at >= text.len() { text.trim_end().len() } else { at };
    let tab = matches!(
        kind,
        K::TabNotAllowed
            | K::TabInBlockIndentation
            | K::TabInIndentation
            | K::TabAtBlockScalarStart
            | K::TabInPlainScalar
    );
    if tab {
        return layout::tab(file, at, text);
    }
    if *kind == K::RecursionLimitExceeded {
        return too_deep(mark(file, at, text));
    }
    if let Some(explained) = explained(kind, file, at, text, keys) {
        return explained;
    }
    let (message, help) = brackets(kind).or_else(|| quotes(kind)).unwrap_or_else(|| layout(kind, at, text));
    Diagnostic::error(codes::YAML_SYNTAX, mark(file, at, text), message).help(help)
}

/// What the lines around the mistake explain.
fn explained(kind: &ErrorKind, file: usize, at: usize, text: &str, keys: &BTreeSet<&str>) -> Option<Diagnostic> {
    use ErrorKind as K;
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    match kind {
        K::MappingValueNotAllowed | K::MappingKeyNotAllowed | K::InvalidColonPlacement
            if text[start..at].contains(": ") =>
        {
            layout::misspelt(file, at, text, keys)
        }
        K::UnclosedQuotedScalar | K::InvalidQuotedScalarIndent | K::DocumentIndicatorInQuotedScalar => {
            layout::unclosed_quote(file, at, text)
        }
        K::MappingValueNotAllowed
        | K::MappingKeyNotAllowed
        | K::InvalidColonPlacement
        | K::InvalidSimpleKey
        | K::SimpleKeyExpected
        | K::ExpectedBlockMappingKey
        | K::InvalidIndentation
        | K::ExpectedBlockSequenceEntry
        | K::BlockSequenceEntryNotAllowed => layout::explain(file, at, text, keys, false),
        K::CommentInterceptedScalar => layout::explain(file, at, text, keys, true),
        _ => None,
    }
}

/// The character at `at`.
fn mark(file: usize, at: usize, text: &str) -> Span {
    let character = text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n' && *c != '\r');
    Span { file, start: at, end: at + character.map_or(0, char::len_utf8) }
}

/// What is wrong, and what to do.
type Advice = (String, &'static str);

fn brackets(kind: &ErrorKind) -> Option<Advice> {
    use ErrorKind as K;
    Some(match kind {
        K::UnclosedFlowCollection { open: '{' } => ("the `{` isn't closed".into(), "add the closing `}`"),
        K::UnclosedFlowCollection { open } => (format!("the `{open}` isn't closed"), "add the closing `]`"),
        K::UnexpectedEofFlowSequence | K::ExpectedFlowSequenceSeparator => {
            ("a list in brackets isn't continued or closed".into(), "separate its items with `,` and end it with `]`")
        }
        K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping | K::ExpectedFlowMappingSeparator => {
            ("a map in braces isn't continued or closed".into(), "separate its keys with `,` and end it with `}`")
        }
        K::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{close}` can't close `{open}`"), "close brackets and braces in the order they were opened")
        }
        K::MisplacedFlowCollectionEnd => {
            ("nothing is open that this could close".into(), "remove it, or put the text in quotes")
        }
        _ => return None,
    })
}

fn quotes(kind: &ErrorKind) -> Option<Advice> {
    use ErrorKind as K;
    Some(match kind {
        K::UnclosedQuotedScalar => ("a quoted text isn't closed".into(), "add the closing quote"),
        K::InvalidQuotedScalarIndent | K::DocumentIndicatorInQuotedScalar => {
            ("a quoted text goes on in this line".into(), "add the closing quote that is missing above")
        }
        K::UnknownQuotedScalarEscape | K::InvalidQuotedScalarHexEscape | K::InvalidUnicodeEscape => (
            "there is no such escape in a text in double quotes".into(),
            "double the backslash, or use single quotes, where backslashes mean themselves",
        ),
        K::InvalidTrailingDoubleQuotedScalar | K::InvalidTrailingSingleQuotedScalar => {
            ("text follows a closed quote".into(), "quote the whole value; inside single quotes, write a quote twice")
        }
        K::UnexpectedCharacter { character } if character.is_control() => (
            "a control character stands here; YAML doesn't allow it".into(),
            "remove it, or write it as an escape in double quotes",
        ),
        K::UnexpectedCharacter { character: '`' } => {
            ("a value can't start with a backtick".into(), "put the text in quotes")
        }
        K::UnexpectedCharacter { character } => {
            (format!("a value can't start with {}", quoted(&character.to_string())), "put the text in quotes")
        }
        K::MissingAnchorOrAliasName => (
            "a value that starts with `*` or `&` repeats or marks another, and the name is missing".into(),
            "put the text in quotes",
        ),
        _ => return None,
    })
}

/// Colons, indentation and documents: the kinds alone don't say enough, so the line is looked at.
fn layout(kind: &ErrorKind, at: usize, text: &str) -> Advice {
    use ErrorKind as K;
    const FIT: &str = "the indentation doesn't fit the lines above";
    const COLUMNS: &str = "keys of one map and items of one list start in the same column";
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    match kind {
        K::MappingValueNotAllowed | K::MappingKeyNotAllowed | K::InvalidColonPlacement => {
            if text[start..at].contains(": ") {
                (
                    "a second `: ` on one line can't be read".into(),
                    "put text that contains `: ` in quotes, or give the key a line of its own",
                )
            } else {
                ("a key can't start here".into(), "look above for a bracket, a brace or a quote that isn't closed")
            }
        }
        K::InvalidSimpleKey | K::SimpleKeyExpected | K::ExpectedBlockMappingKey => {
            let line = text[start..end].trim_end();
            if line.contains(": ") || line.ends_with(':') {
                (FIT.into(), COLUMNS)
            } else {
                ("a `key: value` belongs here".into(), "follow the key by a colon and a space")
            }
        }
        K::InvalidIndentation
        | K::ExpectedBlockSequenceEntry
        | K::BlockSequenceEntryNotAllowed
        | K::InvalidBlockScalarIndent => (FIT.into(), COLUMNS),
        K::MissingDocumentEndBeforeDirective | K::ExpectedDocumentStart | K::InvalidDocumentEnd => {
            ("something follows the end of the document".into(), "a file holds one document; remove what follows `...`")
        }
        K::DuplicateVersionDirective
        | K::UnsupportedYamlMajorVersion
        | K::DuplicateTagDirective
        | K::DirectiveDisallowed => ("this directive can't be read".into(), "remove the line that starts with `%`"),
        _ => ("this isn't valid YAML".into(), "check indentation, quotes and brackets on this line and the one above"),
    }
}
