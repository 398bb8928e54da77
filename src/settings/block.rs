//! What a setting's block in the file has to offer.
//!
//! A *block* is the value of a setting's key in an environment, such as `users:`. What a person *saw* of a setting is in the
//! words of its block.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::{Code, Diagnostic, Diagnostics, Located, Span, codes};
use crate::terms::Head;

/// A setting's block in the file.
pub trait Block: DeserializeOwned + Serialize + JsonSchema + 'static {
    /// The block's key in an environment, in camelCase.
    const KEY: &'static str;
    /// What the block says once it is checked.
    type Declared: std::fmt::Debug + PartialEq + 'static;
    /// What a person sees of it who looks where no operation can; [`Readable`] where operations read it everywhere.
    type Saw: Saw;

    /// Checks the block and says what it declares. `at` is the block's own value in the file, or a merge of it with
    /// `base`. After an error the result is only a stand-in; a configuration with errors is never handed out.
    fn declare(self, at: Located<'_>, head: &Head, diagnostics: &mut Diagnostics) -> Self::Declared;

    /// What only one environment may have.
    fn claims(_declared: &Self::Declared) -> Vec<Claim> {
        Vec::new()
    }

    /// What a look shows where everything is as declared; none where operations read it.
    fn to_see(_declared: &Self::Declared) -> Option<Self::Saw> {
        None
    }
}

/// What a person saw of a setting, in the words of its block. `attested` holds it, and the schema and the setting itself check it.
pub trait Saw: DeserializeOwned + Serialize + JsonSchema {
    /// Where a person looks. None where operations read the setting, which then can't be attested.
    const PLACE: Option<&'static str>;
    /// How it is written where nothing better is known.
    const EXAMPLE: &'static str;

    /// Checks what the schema can't. `at` is what stands under `saw`.
    fn check(&self, at: Located<'_>, diagnostics: &mut Diagnostics);
}

/// What is seen of a setting that operations read: nothing that anybody could attest.
#[derive(Debug, Serialize, Deserialize)]
pub enum Readable {}

impl JsonSchema for Readable {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Readable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        false.into()
    }
}

impl Saw for Readable {
    const PLACE: Option<&'static str> = None;
    const EXAMPLE: &'static str = "";

    fn check(&self, _: Located<'_>, _: &mut Diagnostics) {
        match *self {}
    }
}

/// Something that only one environment may have, such as a secret that it publishes to, or that all of them must want alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Equal for equal things.
    pub what: String,
    /// For a person: `the secret ci-api-key of the vault kv-ci-prod`.
    pub called: String,
    /// What is done with it: `published to`.
    pub how: &'static str,
    /// What it is to be like: environments that want it alike may share it. None if only one may have it.
    pub value: Option<String>,
    /// The code of the mistake that two environments claim it.
    pub code: Code,
    /// What to do then.
    pub help: &'static str,
    /// Where it is written.
    pub span: Span,
}

/// Reports a key that a block needs, unless it was written and reported. The schema can't ask for it, since `base` may
/// supply it.
pub fn missing(at: Located<'_>, block: &str, key: &str, help: &str, diagnostics: &mut Diagnostics) {
    if !diagnostics.lost(at.span(), block, key) {
        let message = format!("`{block}` has no `{key}`");
        diagnostics.push(Diagnostic::error(codes::MISSING_KEY, at.spot(), message).help(help));
    }
}
