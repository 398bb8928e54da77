//! From a checked node to a value of Rust.

use serde::de::DeserializeOwned;

use super::codes;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::tree::Located;

/// Reads a value whose shape the schema check has looked at. Returns none only together with an error: a value that is
/// neither read nor reported would be taken for one that isn't declared.
pub(crate) fn typed<T: DeserializeOwned>(at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<T> {
    let read = serde_json::from_value(at.node.to_json()).ok();
    if read.is_none() && !diagnostics.has_errors() {
        diagnostics.push(
            Diagnostic::error(codes::WRONG_TYPE, at.spot(), "something in here can't be read")
                .help("`palisade explain FIELD` describes each field"),
        );
    }
    read
}
