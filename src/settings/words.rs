//! Words of the file format that several settings use.

use super::pasted::{Wanted, wrong as not_the_id};
use super::{codes, names};
use crate::config::quoted;
use crate::config::texts::ENVIRONMENT;
use crate::config::words::{Wrong, words, wrong};
use crate::terms::{ResourceId, pasted, resource_kinds};

words! {
    /// The Azure resource id of a Key Vault.
    VaultText(ResourceId), called "the id of a Key Vault",
        { "pattern": VAULT_ID, "examples": ["/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-ci-connections"] }, parse_vault_id;
}

/// Ids of Azure resources, in any spelling: patterns have no flag for that. `${environment}` may stand in names,
/// so the name itself is judged once that is filled in: see [`super::names`].
const VAULT_ID: &str = r"^/[Ss][Uu][Bb][Ss][Cc][Rr][Ii][Pp][Tt][Ii][Oo][Nn][Ss]/[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}/[Rr][Ee][Ss][Oo][Uu][Rr][Cc][Ee][Gg][Rr][Oo][Uu][Pp][Ss]/([0-9A-Za-z_(]|\$\{environment\})([0-9A-Za-z_.()-]|\$\{environment\})*/[Pp][Rr][Oo][Vv][Ii][Dd][Ee][Rr][Ss]/[Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Kk][Ee][Yy][Vv][Aa][Uu][Ll][Tt]/[Vv][Aa][Uu][Ll][Tt][Ss]/([0-9A-Za-z-]|\$\{environment\})+$";

/// The resource with this id. `${environment}` is judged as if it were a short word; it is filled in before anybody uses the id.
pub(super) fn resource_id(text: &str) -> Option<ResourceId> {
    text.replace(ENVIRONMENT, "env").parse().ok()
}

const VAULT: Wanted = Wanted { code: codes::BAD_VAULT_ID, kinds: &[resource_kinds::VAULT], called: "a Key Vault" };

fn parse_vault_id(text: &str) -> Result<ResourceId, Wrong> {
    match resource_id(text) {
        Some(id) if id.is_kind(resource_kinds::VAULT) => names::spelled(id, text),
        Some(id) if id.is_kind(resource_kinds::MANAGED_HSM) => wrong(
            codes::BAD_VAULT_ID,
            "must be the id of a Key Vault, not of a managed HSM",
            "Azure Resource Manager doesn't tell the keys of a managed HSM, nor who may use them, so palisade can't check \
             them; keep the key in a Key Vault (one of the SKU premium for keys that are protected by an HSM)",
        ),
        Some(id) if pasted::resource_in(text, VAULT.kinds).is_none() => wrong(
            codes::BAD_VAULT_ID,
            format!("must be the id of a Key Vault, not of {}", quoted(&id.kind())),
            "copy the vault's id: in the portal, Key Vault > Properties > Resource ID",
        ),
        _ => Err(not_the_id(text, VAULT)),
    }
}
