//! The registry of settings, and what a setting's block in the file has to offer.
//!
//! A *block* is the value of a setting's key in an environment, such as `users:`. What a person *saw* of a setting is in the
//! words of its block.
//!
//! Invariants: the line in `settings!` is the only place outside a setting's own folder that knows its name.

use futures_util::future::{LocalBoxFuture, join_all};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::setting::{Comparing, Observing, Setting};
use super::users::PrincipalRef;
use super::{api_access, key_vault, private_links, users};
use crate::config::{self, Code, Diagnostic, Diagnostics, Located, Span};
use crate::plan::{Findings, Rated};
use crate::terms::{EnvironmentHead, ResourceId};

/// A setting's block in the file.
pub trait Block: DeserializeOwned + JsonSchema {
    /// The block's key in an environment, in camelCase.
    const KEY: &'static str;
    /// What the block says once it is checked.
    type Declared;
    /// What a person sees of it who looks where no operation can; [`Readable`] where operations read it everywhere.
    type Saw: Saw;

    /// Checks the block and says what it declares. `at` is the block's own value in the file, or a merge of it with
    /// `base`. After an error the result is only a stand-in; a configuration with errors is never handed out.
    fn declare(self, at: Located<'_>, environment: &EnvironmentHead, diagnostics: &mut Diagnostics) -> Self::Declared;

    /// What only one environment may have.
    fn claims(_declared: &Self::Declared) -> Vec<Claim> {
        Vec::new()
    }

    /// What a look shows where everything is as declared; none where operations read it.
    fn to_see(_declared: &Self::Declared) -> Option<Self::Saw> {
        None
    }
}

/// What a person saw of a setting, in the words of its block. `attested` holds it, and the schema and [`check_saw`] check it.
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

/// Something that only one environment may have, such as a secret that it publishes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Equal for equal things.
    pub what: String,
    /// For a person.
    pub called: String,
    /// Where it is written.
    pub span: Span,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $block:path,)+) => {
        /// The blocks that an environment can have, for the schema.
        #[derive(Debug, JsonSchema)]
        #[schemars(rename_all = "camelCase")]
        pub struct Blocks {
            $($(#[doc = $doc])+ pub $field: Option<$block>),+
        }

        /// What an environment declares; `None` is "not managed".
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct DeclaredBlocks {
            $($(#[doc = $doc])+ pub $field: Option<<$block as Block>::Declared>),+
        }

        /// The names of all settings, as they stand in files.
        pub const NAMES: &[&str] = &[$(<$block as Block>::KEY),+];

        /// How bad the changes of each setting would be as mistakes.
        pub const RISKS: &[(&str, &[Rated])] = &[$((<$block as Block>::KEY, <$block as Setting>::RISKS)),+];

        /// The names of the settings that people attest.
        pub fn attestable() -> Vec<&'static str> {
            let all = [$((<$block as Block>::KEY, <$block as Block>::Saw::PLACE)),+];
            all.into_iter().filter(|(_, place)| place.is_some()).map(|(key, _)| key).collect()
        }

        /// Adds to a schema what can be seen of each setting.
        pub fn define_saws(generator: &mut SchemaGenerator) {
            $(if <$block as Block>::Saw::PLACE.is_some() {
                generator.subschema_for::<<$block as Block>::Saw>();
            })+
        }

        /// The name that the schema gives to what can be seen of each setting.
        pub fn saw_definitions() -> Vec<(&'static str, String)> {
            let mut definitions = Vec::new();
            $(if <$block as Block>::Saw::PLACE.is_some() {
                definitions.push((<$block as Block>::KEY, <$block as Block>::Saw::schema_name().into_owned()));
            })+
            definitions
        }

        /// Checks what an entry says that was seen of a setting; what was seen, if it can be read.
        pub fn check_saw(setting: &str, at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<Json> {
            $(if setting == <$block as Block>::KEY {
                return saw::<<$block as Block>::Saw>(at, diagnostics);
            })+
            None
        }

        /// Where a person looks at a setting, and what an entry about it looks like.
        pub fn look_at(setting: &str) -> Option<(&'static str, &'static str)> {
            $(if setting == <$block as Block>::KEY {
                return <$block as Block>::Saw::PLACE.map(|place| (place, <$block as Block>::Saw::EXAMPLE));
            })+
            None
        }

        impl DeclaredBlocks {
            /// Reads and checks each block that the environment at `at` has.
            pub fn declare(at: Located<'_>, environment: &EnvironmentHead, diagnostics: &mut Diagnostics) -> Self {
                Self { $($field: declare::<$block>(at, environment, diagnostics)),+ }
            }

            /// What only this environment may have.
            pub fn claims(&self) -> Vec<Claim> {
                let mut claims = Vec::new();
                $(claims.extend(self.$field.iter().flat_map(<$block as Block>::claims));)+
                claims
            }

            /// What a look at a setting shows where everything is as declared; none if the setting isn't declared.
            pub fn to_see(&self, setting: &str) -> Option<Json> {
                $(if let Some(declared) = &self.$field && setting == <$block as Block>::KEY {
                    return <$block as Block>::to_see(declared).and_then(|saw| serde_json::to_value(saw).ok());
                })+
                None
            }

            /// The principals that the declared settings name.
            pub fn principals(&self) -> Vec<PrincipalRef> {
                let mut principals = Vec::new();
                $(principals.extend(self.$field.iter().flat_map(<$block as Setting>::principals));)+
                principals
            }

            /// The Azure resources that the declared settings name.
            pub fn resources(&self) -> Vec<ResourceId> {
                let mut resources = Vec::new();
                $(resources.extend(self.$field.iter().flat_map(<$block as Setting>::resources));)+
                resources
            }

            /// Observes and compares the declared settings side by side, or only the one that `only` names. Findings come
            /// in the order of the registry.
            pub async fn review(&self, observing: &Observing<'_>, comparing: &Comparing<'_>, only: Option<&str>) -> Vec<Findings> {
                let mut reviews: Vec<LocalBoxFuture<'_, Findings>> = Vec::new();
                $(if let Some(declared) = &self.$field && only.is_none_or(|key| key == <$block as Block>::KEY) {
                    reviews.push(Box::pin(review::<$block>(declared, observing, comparing)));
                })+
                join_all(reviews).await
            }
        }
    };
}

settings! {
    /// Who may use the instance, and in which role. Without this block, palisade leaves users and roles as they are.
    users: users::Block,
    /// Access to the instance's API. Without this block, palisade leaves API access as it is.
    api_access: api_access::Block,
    /// The Key Vault whose secrets connections may use. Without this block, palisade leaves the link as it is.
    key_vault: key_vault::Block,
    /// Private links from the environment to storage accounts and Synapse workspaces. Without this block, palisade leaves
    /// private links as they are.
    private_links: private_links::Block,
}

async fn review<S: Setting>(declared: &S::Declared, observing: &Observing<'_>, comparing: &Comparing<'_>) -> Findings {
    let observed = S::observe(declared, observing).await;
    S::compare(declared, &observed, comparing)
}

fn declare<B: Block>(
    at: Located<'_>,
    environment: &EnvironmentHead,
    diagnostics: &mut Diagnostics,
) -> Option<B::Declared> {
    at.node.entry(B::KEY)?;
    let at = at.at(&[B::KEY]);
    let block: B = config::typed(at, diagnostics)?;
    Some(block.declare(at, environment, diagnostics))
}

fn saw<S: Saw>(at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<Json> {
    let saw: S = config::typed(at, diagnostics)?;
    saw.check(at, diagnostics);
    serde_json::to_value(saw).ok()
}

/// Reports a key that a block needs. The schema can't ask for it, since `base` may supply it.
pub fn missing(at: Located<'_>, block: &str, key: &str, help: &str, diagnostics: &mut Diagnostics) {
    if !diagnostics.error_within(at.span()) {
        let message = format!("`{block}` has no `{key}`");
        diagnostics.push(Diagnostic::error(Code::MissingKey, at.spot(), message).help(help));
    }
}
