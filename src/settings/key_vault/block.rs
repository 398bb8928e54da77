//! `keyVault` in the file: the vault whose secrets the environment's connections use.
//!
//! What must stay true: nothing is linked without a recorded consent; a vault that is linked is replaced only if the file names
//! that very vault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Diagnostic, Diagnostics, Located};
use crate::settings::attestation;
use crate::settings::block;
use crate::settings::consent::{Consent, ConsentBlock};
use crate::settings::key_vault::codes;
use crate::settings::names;
use crate::settings::words::VaultText;
use crate::terms::{Head, Place, VaultId};

/// The Key Vault whose secrets connections may use. Without this block, palisade leaves the link as it is; it never unlinks a
/// vault.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "KeyVault")]
pub struct Block {
    /// The vault's Azure resource id. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<VaultText>,
    /// The vault that may be replaced, by its Azure resource id. What a relink does to connections that use the former vault
    /// isn't known, so palisade replaces no other vault than this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<VaultText>,
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
    pub(super) id: Option<VaultText>,
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
    pub(super) fn of_vault(vault: Option<VaultId>) -> Self {
        let linked = vault.is_none().then_some(false);
        Self { id: vault.map(|vault| VaultText(vault.into())), linked }
    }

    /// The vault that was seen linked, or that none was. None if what was written is no vault's id, which is an error.
    pub(super) fn vault(&self) -> Option<Option<VaultId>> {
        self.id.clone().map(|VaultText(id)| id.try_into()).transpose().ok()
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
            (Some(word), None) => {
                names::vault(word.clone(), at.at(&["id"]).span(), diagnostics);
                return;
            }
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
    pub vault: VaultId,
    /// The vault that it may replace.
    pub replaces: Option<VaultId>,
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
        let mut vault_at = |key: &str, word: VaultText| names::vault(word, at.at(&[key]).span(), diagnostics);
        let vault = id.and_then(|word| vault_at("id", word));
        let replaces = replaces.and_then(|word| vault_at("replaces", word));
        if vault.is_some() && vault == replaces {
            diagnostics.push(
                Diagnostic::error(codes::REPLACES_ITSELF, at.at(&["replaces"]).span(), "a vault can't replace itself")
                    .related(at.at(&["id"]).span(), "the same vault")
                    .help("name the vault that is linked now, or remove `replaces`"),
            );
        }
        let consent = Consent::declare(data_privacy_consent, (Self::KEY, "`keyVault`"), at, diagnostics);
        Some(Declared { vault: vault?, replaces, consent: consent?, place: at.place() })
    }

    fn to_see(declared: &Option<Declared>) -> Option<Saw> {
        declared.as_ref().map(Saw::of)
    }
}
