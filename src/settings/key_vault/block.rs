//! `keyVault` in the file: the vault whose secrets the environment's connections use.
//!
//! What must stay true: nothing is linked without a recorded consent; a vault that is linked is replaced only if the file names
//! that very vault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Diagnostic, Diagnostics, Located, Span, quoted};
use crate::settings;
use crate::settings::attestation;
use crate::settings::block;
use crate::settings::consent::{Consent, ConsentBlock};
use crate::settings::key_vault::codes;
use crate::settings::words::VaultId;
use crate::terms::{Head, Place, ResourceId};

/// The Key Vault whose secrets connections may use. Without this block, palisade leaves the link as it is; it never unlinks a
/// vault.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "KeyVault")]
pub struct Block {
    /// The vault's Azure resource id. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<VaultId>,
    /// The vault that may be replaced, by its Azure resource id. What a relink does to connections that use the former vault
    /// isn't known, so palisade replaces no other vault than this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<VaultId>,
    /// Who agreed to the data privacy terms of this link, and when. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_privacy_consent: Option<ConsentBlock>,
}

/// What a person sees of the link: the vault, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "KeyVaultSaw")]
pub struct Saw {
    /// The Azure resource id of the vault that the page shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<VaultId>")]
    pub(super) id: Option<ResourceId>,
    /// `false`, if the page shows that no vault is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = false)]
    pub(super) linked: Option<bool>,
}

impl Saw {
    /// What a look shows if the declared vault is linked.
    pub(super) fn of(declared: &Declared) -> Self {
        Self::of_vault(Some(declared.vault.clone()))
    }

    /// What a look shows if this vault is linked, or none.
    pub(super) fn of_vault(vault: Option<ResourceId>) -> Self {
        let linked = vault.is_none().then_some(false);
        Self { id: vault, linked }
    }
}

impl block::Saw for Saw {
    const PLACE: Option<&'static str> = Some("Settings > Permissions > Key Vault");
    const EXAMPLE: &'static str = "{ linked: false }";

    fn check(&self, at: Located<'_>, diagnostics: &mut Diagnostics) {
        let Self { id, linked } = self;
        if diagnostics.error_within(at.span()) {
            return;
        }
        let message = match (id, linked) {
            (Some(id), None) => return check_name(id, at.at(&["id"]).span(), diagnostics),
            (None, Some(false)) => return,
            (Some(_), Some(_)) => "`id` names the linked vault, so `linked` says nothing more, or the contrary",
            (None, Some(true)) => "`linked: true` doesn't say which vault is linked",
            (None, None) => "`saw` says neither which vault is linked nor that none is",
        };
        diagnostics.push(
            Diagnostic::error(attestation::codes::BAD_SAW, at.spot(), message)
                .help("write `saw: { id: /subscriptions/…/vaults/NAME }` or `saw: { linked: false }`"),
        );
    }
}

/// What the file says about the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The vault.
    pub vault: ResourceId,
    /// The vault that it may replace.
    pub replaces: Option<ResourceId>,
    /// Who agreed.
    pub consent: Consent,
    /// Where the block is written.
    pub place: Place,
}

impl block::Block for Block {
    const KEY: &'static str = "keyVault";
    // None only after an error; a configuration with errors is never handed out.
    type Declared = Option<Declared>;
    type Saw = Saw;

    fn declare(self, at: Located<'_>, _: &Head, diagnostics: &mut Diagnostics) -> Option<Declared> {
        let Self { id, replaces, data_privacy_consent } = self;
        if id.is_none() {
            let help = "name the vault: `id: /subscriptions/…/providers/Microsoft.KeyVault/vaults/NAME`";
            block::missing(at, Self::KEY, "id", help, diagnostics);
        }
        if let Some(id) = &id {
            check_name(&id.0, at.at(&["id"]).span(), diagnostics);
        }
        if let Some(replaces) = &replaces {
            let span = at.at(&["replaces"]).span();
            check_name(&replaces.0, span, diagnostics);
            if id.as_ref().is_some_and(|id| id.0 == replaces.0) {
                diagnostics.push(
                    Diagnostic::error(codes::REPLACES_ITSELF, span, "a vault can't replace itself")
                        .related(at.at(&["id"]).span(), "the same vault")
                        .help("name the vault that is linked now, or remove `replaces`"),
                );
            }
        }
        let consent = Consent::declare(data_privacy_consent, "`keyVault`", at, diagnostics);
        Some(Declared { vault: id?.0, replaces: replaces.map(|id| id.0), consent: consent?, place: at.place() })
    }

    fn to_see(declared: &Option<Declared>) -> Option<Saw> {
        declared.as_ref().map(Saw::of)
    }
}

fn check_name(vault: &ResourceId, span: Span, diagnostics: &mut Diagnostics) {
    let name = vault.name();
    let fits = (3..=24).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !fits {
        let message = format!("{} can't be the name of a Key Vault", quoted(name));
        let help = "vaults have 3 to 24 letters, digits and hyphens, and begin with a letter; `${environment}` is filled in \
                    before it is checked";
        diagnostics.push(Diagnostic::error(settings::codes::BAD_RESOURCE_NAME, span, message).help(help));
    }
}
