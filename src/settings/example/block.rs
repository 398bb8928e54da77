//! `title` in the file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes;
use crate::config::{Diagnostic, Diagnostics, Located};
use crate::settings::block::{self, Readable};
use crate::terms::{Head, Place};

/// The display name of the environment. Without this block, palisade leaves it as it is.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Title")]
pub(crate) struct Block {
    /// The text. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// What the file says about the title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(super) text: String,
    pub(super) place: Place,
}

impl block::Block for Block {
    const KEY: &'static str = "title";
    type Declared = Declared;
    // Operations read it everywhere, so nobody attests it.
    type Saw = Readable;

    fn declare(self, at: Located<'_>, _: &Head, diagnostics: &mut Diagnostics) -> Declared {
        let text = self.text.unwrap_or_else(|| {
            block::missing(at, Self::KEY, "text", "write `title: { text: Contoso prod }`", diagnostics);
            String::new()
        });
        if text.chars().any(char::is_control) {
            let error = Diagnostic::error(codes::TITLE_WITH_CONTROLS, at.at(&["text"]).span(), "a title is one line");
            diagnostics.push(error.help("remove line breaks and other control characters"));
        }
        Declared { text, place: at.place() }
    }
}
