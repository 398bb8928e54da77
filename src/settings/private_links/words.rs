//! Words of `privateLinks`.

use super::codes;
use crate::config::quoted;
use crate::config::words::{Wrong, words, wrong};
use crate::settings::names;
use crate::settings::pasted::{Wanted, wrong as not_the_id};
use crate::settings::words::resource_id;
use crate::terms::{ResourceId, pasted, resource_kinds};

words! {
    /// The Azure resource id of a storage account or a Synapse workspace.
    LinkResource(ResourceId), called "the id of a storage account or a Synapse workspace",
        { "pattern": LINK_RESOURCE, "examples": ["/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/contosolake"] }, parse_link_resource;
}

/// Ids of Azure resources, in any spelling: patterns have no flag for that. `${environment}` may stand in names.
const LINK_RESOURCE: &str = r"^/[Ss][Uu][Bb][Ss][Cc][Rr][Ii][Pp][Tt][Ii][Oo][Nn][Ss]/[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}/[Rr][Ee][Ss][Oo][Uu][Rr][Cc][Ee][Gg][Rr][Oo][Uu][Pp][Ss]/([0-9A-Za-z_(]|\$\{environment\})([0-9A-Za-z_.()-]|\$\{environment\})*/[Pp][Rr][Oo][Vv][Ii][Dd][Ee][Rr][Ss]/([Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Ss][Tt][Oo][Rr][Aa][Gg][Ee]/[Ss][Tt][Oo][Rr][Aa][Gg][Ee][Aa][Cc][Cc][Oo][Uu][Nn][Tt][Ss]|[Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Ss][Yy][Nn][Aa][Pp][Ss][Ee]/[Ww][Oo][Rr][Kk][Ss][Pp][Aa][Cc][Ee][Ss])/([0-9A-Za-z-]|\$\{environment\})+$";

const PORTAL: &str = "copy the id in the portal: the resource's page, Settings > Endpoints or Properties > Resource ID";

const RESOURCE: Wanted = Wanted {
    code: codes::BAD_LINK_RESOURCE,
    kinds: &[resource_kinds::STORAGE_ACCOUNT, resource_kinds::SYNAPSE_WORKSPACE],
    called: "a storage account or a Synapse workspace",
};

fn parse_link_resource(text: &str) -> Result<ResourceId, Wrong> {
    match resource_id(text) {
        Some(id) if id.is_kind(resource_kinds::STORAGE_ACCOUNT) || id.is_kind(resource_kinds::SYNAPSE_WORKSPACE) => {
            names::spelled(id, text)
        }
        Some(id) if id.is_kind(resource_kinds::VAULT) => wrong(
            codes::BAD_LINK_RESOURCE,
            "must be the id of a storage account or a Synapse workspace, not of a Key Vault",
            "private links of Customer Insights don't lead to vaults; a vault is linked by the block `keyVault`, with its \
             firewall off",
        ),
        Some(id) if pasted::resource_in(text, RESOURCE.kinds).is_none() => wrong(
            codes::BAD_LINK_RESOURCE,
            format!("must be the id of a storage account or a Synapse workspace, not of {}", quoted(&id.kind())),
            PORTAL,
        ),
        _ => Err(not_the_id(text, RESOURCE)),
    }
}
