//! `dataLake` in the file: the environment's own storage account.
//!
//! Invariants: environments that name one account say the same of it; what Dataverse shares is never declared closed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes;
use super::words::StorageAccountText;
use crate::config::{Code, Diagnostic, Diagnostics, Located, Span, quoted};
use crate::settings::block::{self, Claim};
use crate::settings::customer_managed_key::ManagedBy;
use crate::settings::encryption_keys::{KeyBlock, KeyRef, declare_key};
use crate::settings::names;
use crate::terms::{Head, Place, ResourceId};

/// The storage account in which the environment keeps its data, where that is an account of your own. Without this block, palisade
/// leaves the account as it is.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DataLake")]
pub struct Block {
    /// The account's Azure resource id. Required. Which account an environment uses can't be read, so make sure that it is this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_account: Option<StorageAccountText>,
    /// Whether the account is reached over the internet. Access is closed only once the private links of all environments that name the
    /// account are approved. Without it, palisade leaves that as it is; firewall rules stay in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_network_access: Option<Access>,
    /// Whether the environment shares this account with Dataverse: `true` or `false`, without quotes. Palisade can't read that. A
    /// shared account doesn't work behind a firewall, so it can't be declared `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_with_dataverse: Option<bool>,
    /// Whose key encrypts the account. Without it, palisade leaves that as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_managed_key: Option<LakeKey>,
}

/// Whether an account is reached over the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PublicNetworkAccess")]
pub enum Access {
    /// Only over private endpoints.
    Disabled,
    /// Over the internet as well, subject to the account's firewall.
    Enabled,
}

impl Access {
    /// As the file writes it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
        }
    }
}

/// Whose key encrypts an account: Microsoft's, or one of your own in a Key Vault.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LakeKey {
    /// Who manages the key. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_by: Option<ManagedBy>,
    /// The key. Required for `managedBy: customer`; it counts only there. Another key is set in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyBlock>,
}

/// Whose key the account is to be encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Microsoft's.
    Microsoft,
    /// The customer's.
    Customer(KeyRef),
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The account.
    pub account: ResourceId,
    /// Whether it is reached over the internet; none if that isn't declared.
    pub access: Option<Access>,
    /// Whose key; none if that isn't declared.
    pub wanted: Option<Wanted>,
    /// What other environments must say alike.
    pub claims: Vec<Claim>,
    /// Where it is written.
    pub place: Place,
    /// Where the key and the access are written.
    pub parts: [Place; 2],
}

impl Declared {
    /// The customer's key, if one is declared.
    pub fn key(&self) -> Option<&KeyRef> {
        match &self.wanted {
            Some(Wanted::Customer(key)) => Some(key),
            Some(Wanted::Microsoft) | None => None,
        }
    }
}

impl block::Block for Block {
    const KEY: &'static str = "dataLake";
    // None only after an error; a configuration with errors is never handed out.
    type Declared = Option<Declared>;
    type Saw = block::Readable;

    fn declare(self, at: Located<'_>, _: &Head, diagnostics: &mut Diagnostics) -> Option<Declared> {
        let Self {
            storage_account,
            public_network_access: access,
            shared_with_dataverse: shared,
            customer_managed_key,
        } = self;
        if storage_account.is_none() {
            let help =
                "name the account: `storageAccount: /subscriptions/…/providers/Microsoft.Storage/storageAccounts/NAME`";
            block::missing(at, Self::KEY, "storageAccount", help, diagnostics);
        }
        if shared == Some(true) && access == Some(Access::Disabled) {
            diagnostics.push(
                Diagnostic::error(
                    codes::LAKE_SHARED,
                    at.at(&["publicNetworkAccess"]).span(),
                    "public network access is to be disabled on a lake that is shared with Dataverse",
                )
                .related(at.at(&["sharedWithDataverse"]).span(), "shared here")
                .help("a shared lake doesn't work behind a firewall: remove one of the two"),
            );
        }
        let wanted = customer_managed_key.map(|key| declare_wanted(key, at.at(&["customerManagedKey"]), diagnostics));
        let StorageAccountText(account) = storage_account?;
        names::check(&account, at.at(&["storageAccount"]).span(), diagnostics);
        let span = |key: &str| at.at(&[key]).span();
        let key = wanted.as_ref().and_then(Option::as_ref).map(|wanted| match wanted {
            Wanted::Microsoft => "Microsoft's".to_owned(),
            Wanted::Customer(key) => key.to_string(),
        });
        let closed = |it: Option<Access>| it == Some(Access::Disabled);
        let sharing = shared.or(closed(access).then_some(false)).map(|shared| {
            let span = span(if closed(access) { "publicNetworkAccess" } else { "sharedWithDataverse" });
            (if shared { "shared with Dataverse" } else { "for Customer Insights alone" }.to_owned(), span)
        });
        let of = Claims { account: &account };
        let claims = [
            access.map(|access| of.access(access, span("publicNetworkAccess"))),
            sharing.map(|(value, span)| of.sharing(value, span)),
            key.map(|value| of.key(value, span("customerManagedKey"))),
        ];
        let claims = claims.into_iter().flatten().collect();
        let wanted = match wanted {
            Some(wanted) => Some(wanted?),
            None => None,
        };
        let parts = ["customerManagedKey", "publicNetworkAccess"].map(|part| at.key_place(part));
        Some(Declared { account, access, wanted, claims, place: at.place(), parts })
    }

    fn claims(declared: &Option<Declared>) -> Vec<Claim> {
        declared.iter().flat_map(|declared| declared.claims.iter().cloned()).collect()
    }
}

fn declare_wanted(key: LakeKey, at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<Wanted> {
    const KEY: &str = "customerManagedKey";
    let LakeKey { managed_by, key } = key;
    match managed_by {
        None => {
            let help = "write `managedBy: customer` or `managedBy: microsoft`";
            block::missing(at, KEY, "managedBy", help, diagnostics);
            None
        }
        Some(ManagedBy::Microsoft) => Some(Wanted::Microsoft),
        Some(ManagedBy::Customer) => {
            if key.is_none() {
                let help = "write `key: { vault: /subscriptions/…/vaults/NAME, name: NAME }`";
                block::missing(at, KEY, "key", help, diagnostics);
            }
            declare_key(key?, at, diagnostics).map(Wanted::Customer)
        }
    }
}

/// What environments that name one account must say alike. Names of accounts are unique in all of Azure.
struct Claims<'a> {
    account: &'a ResourceId,
}

impl Claims<'_> {
    fn of(&self, member: &str, called: &str, how: &'static str, value: String, span: Span) -> Claim {
        const CODE: Code = codes::LAKE_DECLARED_TWICE;
        let name = self.account.name();
        Claim {
            what: format!("lake {}: {member}", name.to_lowercase()),
            called: format!("{called} {}", quoted(name)),
            how,
            value: Some(value),
            code: CODE,
            help: "an account is one for all environments that use it: say the same of it in each, or name it in one only",
            span,
        }
    }

    fn access(&self, access: Access, span: Span) -> Claim {
        let value = access.word().to_owned();
        self.of("access", "public network access to the storage account", "declared", value, span)
    }

    fn sharing(&self, value: String, span: Span) -> Claim {
        self.of("sharing", "the storage account", "taken to be", value, span)
    }

    fn key(&self, value: String, span: Span) -> Claim {
        self.of("key", "the key of the storage account", "declared to be", value, span)
    }
}
