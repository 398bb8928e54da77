//! The registry of settings, and what a setting's block in the file has to offer.
//!
//! A *block* is what stands under a setting's key in an environment, such as `users:`. What must stay true: the line in
//! `settings!` is the only place outside a setting's own folder that knows its name.

use futures_util::future::{LocalBoxFuture, join_all};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::setting::{Comparing, Observing, Setting};
use super::users::PrincipalRef;
use super::{api_access, key_vault, private_links, users};
use crate::azure::arm::ResourceId;
use crate::config::{self, Code, Diagnostic, Diagnostics, EnvironmentHead, Located, Span};
use crate::plan::{Findings, Rated};

/// A setting's block in the file.
pub trait Block: DeserializeOwned + JsonSchema {
    /// The block's key in an environment, in camelCase.
    const KEY: &'static str;
    /// What the block says once it is checked.
    type Declared;

    /// Checks the block and says what it declares. `at` is the block's own value in the file, or a merge of it with
    /// `base`. After an error the result is only a stand-in; a configuration with errors is never handed out.
    fn declare(self, at: Located<'_>, environment: &EnvironmentHead, diagnostics: &mut Diagnostics) -> Self::Declared;

    /// What only one environment may have.
    fn claims(_declared: &Self::Declared) -> Vec<Claim> {
        Vec::new()
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

/// Reports a key that a block needs. The schema can't ask for it, since `base` may supply it.
pub fn missing(at: Located<'_>, block: &str, key: &str, help: &str, diagnostics: &mut Diagnostics) {
    if !diagnostics.error_within(at.span()) {
        let message = format!("`{block}` has no `{key}`");
        diagnostics.push(Diagnostic::error(Code::MissingKey, at.spot(), message).help(help));
    }
}
