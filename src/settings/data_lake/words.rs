//! Words of `dataLake`.

use super::codes;
use crate::config::quoted;
use crate::config::words::{Wrong, words, wrong};
use crate::settings::names;
use crate::settings::pasted::{Wanted, wrong as not_the_id};
use crate::settings::words::resource_id;
use crate::terms::{ResourceId, pasted, resource_kinds};

words! {
    /// The Azure resource id of a storage account.
    StorageAccountText(ResourceId), called "the id of a storage account",
        { "pattern": STORAGE_ACCOUNT_ID, "examples": ["/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/contosolake"] }, parse_account_id;
}

/// Ids of storage accounts, in any spelling: patterns have no flag for that. `${environment}` may stand in names.
const STORAGE_ACCOUNT_ID: &str = r"^/[Ss][Uu][Bb][Ss][Cc][Rr][Ii][Pp][Tt][Ii][Oo][Nn][Ss]/[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}/[Rr][Ee][Ss][Oo][Uu][Rr][Cc][Ee][Gg][Rr][Oo][Uu][Pp][Ss]/([0-9A-Za-z_(]|\$\{environment\})([0-9A-Za-z_.()-]|\$\{environment\})*/[Pp][Rr][Oo][Vv][Ii][Dd][Ee][Rr][Ss]/[Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Ss][Tt][Oo][Rr][Aa][Gg][Ee]/[Ss][Tt][Oo][Rr][Aa][Gg][Ee][Aa][Cc][Cc][Oo][Uu][Nn][Tt][Ss]/([0-9A-Za-z-]|\$\{environment\})+$";

const ACCOUNT: Wanted =
    Wanted { code: codes::BAD_STORAGE_ACCOUNT, kinds: &[resource_kinds::STORAGE_ACCOUNT], called: "a storage account" };

fn parse_account_id(text: &str) -> Result<ResourceId, Wrong> {
    match resource_id(text) {
        Some(id) if id.is_kind(resource_kinds::STORAGE_ACCOUNT) => names::spelled(id, text),
        Some(id) if pasted::resource_in(text, ACCOUNT.kinds).is_none() => wrong(
            codes::BAD_STORAGE_ACCOUNT,
            format!("must be the id of a storage account, not of {}", quoted(&id.kind())),
            "copy the id in the portal: the account's page, Settings > Endpoints > Storage account resource ID",
        ),
        _ => Err(not_the_id(text, ACCOUNT)),
    }
}
