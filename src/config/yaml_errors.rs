//! What the YAML parser stumbled over, in a person's terms.

use serde_yaml::granit_parser::ErrorKind;

use super::codes::Code;
use super::diagnostic::{Diagnostic, quoted};
use super::source::Span;
use super::yaml::{DEPTH, VALUES};

/// Values nested deeper than anybody writes.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(Code::NestedTooDeep, span, format!("values are nested more than {DEPTH} levels deep here"))
        .help("a configuration needs about six levels; look for a run of brackets")
}

/// More values than anybody writes.
pub(super) fn too_many(span: Span) -> Diagnostic {
    Diagnostic::error(Code::TooManyValues, span, format!("the file holds more than {VALUES} values"))
        .help("aliases count each time they repeat a value; split the configuration into several files")
}

/// Turns the parser's finding at byte `at` into a diagnostic.
pub(super) fn describe(kind: &ErrorKind, file: usize, at: usize, text: &str) -> Diagnostic {
    use ErrorKind as K;
    // Where the text ended too early, point at its last line rather than behind it.
    let at = if at >= text.len() { text.trim_end().len() } else { at };
    let end = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(at, |c| if c == '\n' { at } else { at + c.len_utf8() });
    let span = Span { file, start: at, end };
    let syntax = |message: &str, help: &str| Diagnostic::error(Code::YamlSyntax, span, message).help(help);
    match kind {
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart
        | K::TabInPlainScalar => {
            Diagnostic::error(Code::TabIndentation, span, "a tab stands where YAML takes only spaces")
                .help("indent with two spaces per level; most editors can convert tabs")
        }
        K::RecursionLimitExceeded => too_deep(span),
        K::UnclosedQuotedScalar => syntax("a quoted text isn't closed", "add the closing quote"),
        K::UnclosedFlowCollection { open } => syntax(
            &format!("the `{open}` isn't closed"),
            if *open == '{' { "add the closing `}`" } else { "add the closing `]`" },
        ),
        K::UnexpectedEofFlowSequence | K::ExpectedFlowSequenceSeparator => {
            syntax("a list in brackets isn't continued or closed", "separate its items with `,` and end it with `]`")
        }
        K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping | K::ExpectedFlowMappingSeparator => {
            syntax("a map in braces isn't continued or closed", "separate its keys with `,` and end it with `}`")
        }
        K::MismatchedFlowCollectionEnd { open, close } => syntax(
            &format!("`{close}` can't close `{open}`"),
            "close brackets and braces in the order they were opened",
        ),
        K::MisplacedFlowCollectionEnd => {
            syntax("nothing is open that this could close", "remove it, or put the text in quotes")
        }
        K::MappingValueNotAllowed | K::MappingKeyNotAllowed | K::InvalidColonPlacement => syntax(
            "a second `: ` on one line can't be read",
            "put text that contains `: ` in quotes, or give the key a line of its own",
        ),
        K::InvalidSimpleKey | K::SimpleKeyExpected | K::ExpectedBlockMappingKey => syntax(
            "a `key: value` belongs here",
            "check the indentation, and that the key is followed by a colon and a space",
        ),
        K::InvalidIndentation
        | K::ExpectedBlockSequenceEntry
        | K::BlockSequenceEntryNotAllowed
        | K::InvalidBlockScalarIndent => syntax(
            "the indentation doesn't fit the lines above",
            "keys of one map and items of one list start in the same column",
        ),
        K::UnexpectedCharacter { character } => {
            syntax(&format!("a value can't start with {}", quoted(&character.to_string())), "put the text in quotes")
        }
        K::UnknownQuotedScalarEscape | K::InvalidQuotedScalarHexEscape | K::InvalidUnicodeEscape => syntax(
            "there is no such escape in a text in double quotes",
            "double the backslash, or use single quotes, where backslashes mean themselves",
        ),
        K::InvalidTrailingDoubleQuotedScalar | K::InvalidTrailingSingleQuotedScalar => {
            syntax("text follows a closed quote", "quote the whole value, and double a quote inside single quotes")
        }
        K::MissingDocumentEndBeforeDirective | K::ExpectedDocumentStart | K::InvalidDocumentEnd => {
            syntax("something follows the end of the document", "a file holds one document; remove what follows `...`")
        }
        K::DuplicateVersionDirective
        | K::UnsupportedYamlMajorVersion
        | K::DuplicateTagDirective
        | K::DirectiveDisallowed => syntax("this directive can't be read", "remove the line that starts with `%`"),
        _ => syntax("this isn't valid YAML", "check indentation, quotes and brackets on this line and the one above"),
    }
}
