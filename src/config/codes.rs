//! Codes of mistakes, for `palisade explain`.
//!
//! Each room has the codes of its own mistakes, made by `codes!`; these are the ones of any YAML file of this format.
//!
//! Invariants: a code's kebab-case name never changes its meaning, every code has a page under `codes/` beside it, and every
//! code is raised by at least one sample or unit test.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

/// What kind of mistake.
#[derive(Clone, Copy)]
pub struct Code(&'static Page);

/// What the documentation says of a code.
pub(crate) struct Page {
    /// The stable name, in kebab-case.
    pub(crate) name: &'static str,
    /// The mistake in one line.
    pub(crate) summary: &'static str,
    /// What it means, why it matters, and an example of wrong and right. Markdown.
    pub(crate) explanation: &'static str,
}

impl Code {
    /// The code of a page. Only `codes!` makes one, so that each is listed.
    pub(crate) const fn new(page: &'static Page) -> Self {
        Self(page)
    }

    /// The stable name, in kebab-case.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The mistake in one line.
    pub const fn summary(self) -> &'static str {
        self.0.summary
    }

    /// What it means, why it matters, and an example of wrong and right. Markdown.
    pub const fn explanation(self) -> &'static str {
        self.0.explanation
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Code {}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name.cmp(other.0.name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

/// Declares the codes of a room, and `CODES` with all of them. Each has its page in `codes/NAME.md` beside the caller.
macro_rules! codes {
    ($($name:ident $kebab:literal: $summary:literal;)+) => {
        $(
            #[doc = $summary]
            pub const $name: $crate::config::Code = $crate::config::Code::new(&$crate::config::codes::Page {
                name: $kebab,
                summary: $summary,
                explanation: include_str!(concat!("codes/", $kebab, ".md")),
            });
        )+

        /// All of them, in the order in which the documentation lists them.
        pub const CODES: &[$crate::config::Code] = &[$($name),+];
    };
}

pub(crate) use codes;

codes! {
    // Files
    MISSING_FILE "missing-file": "A file or folder that was named doesn't exist.";
    UNREADABLE_FILE "unreadable-file": "A file or folder can't be read.";
    EMPTY_FOLDER "empty-folder": "A folder holds no `.yaml` or `.yml` file.";
    TOO_MANY_FILES "too-many-files": "A folder holds more files than a configuration ever needs.";
    FILE_TOO_LARGE "file-too-large": "A file is larger than a configuration ever is.";
    BINARY_FILE "binary-file": "A file isn't text.";
    NOT_UTF8 "not-utf8": "A file isn't encoded as UTF-8.";
    NOT_A_CONFIGURATION "not-a-configuration": "A file is something else, such as a saved plan or a Kubernetes manifest.";
    EMPTY_FILE "empty-file": "A file holds nothing, or only comments.";

    // YAML
    YAML_SYNTAX "yaml-syntax": "The text isn't valid YAML.";
    TAB_INDENTATION "tab-indentation": "A line is indented with a tab.";
    SEVERAL_DOCUMENTS "several-documents": "A file holds more than one YAML document.";
    NESTED_TOO_DEEP "nested-too-deep": "Values are nested deeper than a configuration ever is.";
    TOO_MANY_VALUES "too-many-values": "A file holds more values than a configuration ever does, counting repeated ones.";
    UNKNOWN_ANCHOR "unknown-anchor": "An alias (`*name`) has no anchor (`&name`) before it.";
    BAD_MERGE_KEY "bad-merge-key": "A merge key (`<<`) is followed by something that isn't a map.";
    UNSUPPORTED_TAG "unsupported-tag": "A YAML tag such as `!include` was used.";
    BAD_KEY "bad-key": "A key of a map isn't a plain text.";
    DUPLICATE_KEY "duplicate-key": "The same key is defined twice in one map.";

    // Shape
    WRONG_VERSION "wrong-version": "The file's format version isn't one that this palisade reads.";
    UNKNOWN_KEY "unknown-key": "A key that palisade doesn't know at this spot.";
    MISSING_KEY "missing-key": "A key that is needed isn't there.";
    NO_VALUE "no-value": "A key has no value.";
    WRONG_TYPE "wrong-type": "A value is of the wrong type, such as a list where a map belongs.";
    NOT_ABOOLEAN "not-a-boolean": "Only `true` and `false`, without quotes, switch something on or off.";
    UNQUOTED_TEXT "unquoted-text": "Text that YAML readers take for something else must be in quotes.";
    UNKNOWN_VALUE "unknown-value": "A value that isn't one of those allowed here.";
    BAD_GUID "bad-guid": "An id isn't a GUID.";
    ZERO_GUID "zero-guid": "An id is the GUID of zeros only.";
    BAD_ENVIRONMENT_ID "bad-environment-id": "An environment id is neither a GUID nor `Default-` and a GUID.";
    BAD_USER_NAME "bad-user-name": "A user isn't given by user principal name.";
    BAD_PRINCIPAL "bad-principal": "A principal is neither a user principal name nor an object id.";
    BAD_DURATION "bad-duration": "A duration isn't a number with `d`, `h` or `m`.";
    BAD_DATE "bad-date": "A date isn't a day of the calendar written year-month-day.";
    BAD_INSTANT "bad-instant": "An instant isn't written as in RFC 3339.";
    EMPTY_TEXT "empty-text": "A text is empty.";
    BAD_ENVIRONMENT_KEY "bad-environment-key": "An environment's key has characters that aren't allowed in it.";

    // The configuration as a whole
    DUPLICATE_TENANT "duplicate-tenant": "`tenant` is defined in two files.";
    DUPLICATE_BASE "duplicate-base": "`base` is defined in two files.";
    DUPLICATE_ENVIRONMENT "duplicate-environment": "The same environment is defined in two files.";
    UNKNOWN_PLACEHOLDER "unknown-placeholder": "A `${…}` other than `${environment}`.";
    UNMANAGED_BUT_DECLARED "unmanaged-but-declared": "An environment declares a block and lists it as unmanaged.";
    UNMANAGED_NOT_IN_BASE "unmanaged-not-in-base": "An environment leaves out a block that `base` doesn't have.";

    // The end
    TOO_MANY_MISTAKES "too-many-mistakes": "There are more mistakes than are worth listing.";
}
