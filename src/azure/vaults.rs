//! Key vaults as Azure Resource Manager knows them: settings, not contents. The operation catalogue names the sources.
//!
//! No member of the answer is required, so all are optional here; what a conclusion needs and misses makes it unknown. What
//! must stay true: only Resource Manager's own word proves that a vault isn't there, and "there is no such subscription" is
//! no such word, since it also hides what the caller may not see; an answer about another vault is refused; a vault isn't among
//! the deleted ones only if it isn't in the whole list of its subscription.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use url::Url;
use uuid::Uuid;

use super::access::{Reader, Writer};
use super::arm;
use super::call::Call;
use super::error::CallError;
use super::operations::{
    GET_VAULT, LIST_DELETED_VAULTS, RECOVER_VAULT, VAULT_REMOVE_ACCESS_POLICY, VAULT_UPDATE, VAULT_UPDATE_ACCESS_POLICY,
};
use crate::terms::{ObjectId, VaultId, object_id};

/// A vault.
#[derive(Debug, Clone, Deserialize)]
pub struct Vault {
    /// ARM id, as its creator spelled it.
    pub id: Option<String>,
    /// Azure region.
    pub location: Option<String>,
    /// Its settings.
    #[serde(default)]
    pub properties: Properties,
}

/// The settings of a vault.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Properties {
    /// The tenant whose tokens it takes.
    pub tenant_id: Option<Uuid>,
    /// Its address.
    pub vault_uri: Option<Url>,
    /// `Succeeded`, `RegisteringDns`.
    pub provisioning_state: Option<String>,
    /// Whether deleted objects can be recovered.
    pub enable_soft_delete: Option<bool>,
    /// For how many days.
    pub soft_delete_retention_in_days: Option<u32>,
    /// Whether nobody can purge. Missing when off, never `false`: see [`Properties::purge_protected`].
    pub enable_purge_protection: Option<bool>,
    /// Whether Azure roles decide about its contents. Missing on old vaults, which go by access policies.
    pub enable_rbac_authorization: Option<bool>,
    /// Who may do what where Azure roles don't decide.
    #[serde(deserialize_with = "null_is_none")]
    pub access_policies: Vec<AccessPolicy>,
    /// The firewall; missing is open.
    pub network_acls: Option<NetworkAcls>,
    /// `Enabled`, `Disabled`, `SecuredByPerimeter`, in any case; missing is enabled.
    pub public_network_access: Option<String>,
}

impl Properties {
    /// Whether purge protection is on.
    pub fn purge_protected(&self) -> bool {
        self.enable_purge_protection == Some(true)
    }

    /// Whether Azure roles decide about its contents, instead of access policies.
    pub fn goes_by_roles(&self) -> bool {
        self.enable_rbac_authorization == Some(true)
    }
}

/// What one principal may do in a vault.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessPolicy {
    /// The principal's tenant.
    pub tenant_id: Option<Uuid>,
    /// The principal's object id; none if what stands there isn't an id.
    #[serde(default, deserialize_with = "object_id::principal")]
    pub object_id: Option<ObjectId>,
    /// Only through this application.
    pub application_id: Option<Uuid>,
    /// What is allowed; compare without regard to case.
    #[serde(default, deserialize_with = "null_is_none")]
    pub permissions: Permissions,
}

/// Permissions by kind of object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// On keys.
    #[serde(deserialize_with = "null_is_none")]
    pub keys: Vec<String>,
    /// On secrets.
    #[serde(deserialize_with = "null_is_none")]
    pub secrets: Vec<String>,
    /// On certificates.
    #[serde(deserialize_with = "null_is_none")]
    pub certificates: Vec<String>,
}

/// A vault's firewall.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkAcls {
    /// `AzureServices` or `None`.
    pub bypass: Option<String>,
    /// `Allow` or `Deny`.
    pub default_action: Option<String>,
    /// Addresses that are let in.
    #[serde(deserialize_with = "null_is_none")]
    pub ip_rules: Vec<IpRule>,
    /// Subnets that are let in.
    #[serde(deserialize_with = "null_is_none")]
    pub virtual_network_rules: Vec<SubnetRule>,
}

/// An address that is let in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IpRule {
    /// Address or range.
    pub value: String,
}

/// A subnet that is let in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SubnetRule {
    /// ARM id.
    pub id: String,
}

/// Reads null like a member that is missing. A vault that goes by Azure roles may have `accessPolicies: null`.
fn null_is_none<'de, D, T>(member: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(member).map(Option::unwrap_or_default)
}

/// One vault; `None` if Resource Manager says that there is none.
/// `GET /subscriptions/{s}/resourceGroups/{rg}/providers/Microsoft.KeyVault/vaults/{name}`
pub async fn get(reader: &Reader, id: &VaultId) -> Result<Option<Vault>, CallError> {
    let call = named(Call::of(&GET_VAULT), id);
    let answer = match reader.send(call).await {
        Err(error)
            if error.status() == Some(404)
                && matches!(error.code(), Some("ResourceNotFound" | "ResourceGroupNotFound")) =>
        {
            return Ok(None);
        }
        other => other?,
    };
    let vault: Vault = answer.json()?;
    match vault.id.as_deref().map(str::parse::<VaultId>) {
        Some(Ok(found)) if found == *id => {}
        _ => return Err(answer.unreadable("it describes another vault")),
    }
    // Its own address, if it says one, begins with its name, in every cloud.
    match vault.properties.vault_uri.as_ref().map(|address| address.host_str().unwrap_or_default()) {
        Some(host) if host.split('.').next().is_none_or(|name| !name.eq_ignore_ascii_case(id.name())) => {
            Err(answer.unreadable(&format!("it has the address of another vault, `{host}`")))
        }
        _ => Ok(Some(vault)),
    }
}

/// A deleted vault that can be recovered. Its name can't be used until then, or until it is purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedVault {
    /// The id that it had.
    pub id: VaultId,
    /// Azure region, which recovering it needs.
    pub location: String,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// When the service purges it.
    pub purged: Option<Timestamp>,
    /// Whether it can't be purged before.
    pub purge_protected: Option<bool>,
}

#[derive(Deserialize)]
struct DeletedWire {
    properties: DeletedProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeletedProperties {
    vault_id: VaultId,
    location: String,
    deletion_date: Option<Timestamp>,
    scheduled_purge_date: Option<Timestamp>,
    purge_protection_enabled: Option<bool>,
}

impl From<DeletedWire> for DeletedVault {
    fn from(wire: DeletedWire) -> Self {
        let DeletedProperties {
            vault_id: id,
            location,
            deletion_date: deleted,
            scheduled_purge_date: purged,
            purge_protection_enabled: purge_protected,
        } = wire.properties;
        Self { id, location, deleted, purged, purge_protected }
    }
}

/// The deleted vaults of a subscription, in no order: the whole list or an error.
/// `GET /subscriptions/{s}/providers/Microsoft.KeyVault/deletedVaults`
///
/// One that doesn't say which vault it was could be any, so it makes the list an error.
pub async fn list_deleted(reader: &Reader, subscription: Uuid) -> Result<Vec<DeletedVault>, CallError> {
    let call = Call::of(&LIST_DELETED_VAULTS).path("subscriptionId", &subscription.to_string());
    let wires: Vec<DeletedWire> = arm::list(reader, call).await?;
    let all: Vec<DeletedVault> = wires.into_iter().map(DeletedVault::from).collect();
    let mut seen: Vec<&VaultId> = Vec::with_capacity(all.len());
    for DeletedVault { id, .. } in &all {
        if seen.contains(&id) {
            return Err(CallError::unreadable(LIST_DELETED_VAULTS.facts(), "it lists a vault twice"));
        }
        seen.push(id);
    }
    Ok(all)
}

/// The vault among the deleted ones of its subscription; `None` if it isn't in the list.
pub async fn deleted(reader: &Reader, id: &VaultId) -> Result<Option<DeletedVault>, CallError> {
    Ok(list_deleted(reader, id.subscription()).await?.into_iter().find(|vault| vault.id == *id))
}

/// Brings a deleted vault back with its settings and all that is in it. `PUT …/vaults/{name}` with `createMode: recover`
///
/// Its region must be the one that it had. The published model requires a `sku`; as with Azure's own command line, it is always the standard one.
pub async fn recover(writer: &Writer, id: &VaultId, location: &str, tenant: Uuid) -> Result<(), CallError> {
    let sku = json!({ "family": "A", "name": "standard" });
    let properties = json!({ "tenantId": tenant, "sku": sku, "createMode": "recover" });
    let call = named(Call::of(&RECOVER_VAULT), id);
    writer.send(call.json(arm::JSON, &json!({ "location": location, "properties": properties }))).await.map(|_| ())
}

/// What one principal is to have in a vault, or to lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEntry {
    /// The principal's tenant.
    pub tenant_id: Uuid,
    /// The principal's object id.
    pub object_id: ObjectId,
    /// What is allowed.
    pub permissions: Permissions,
}

/// Adds permissions to those that a principal has; everybody else's stay.
/// `PUT …/vaults/{name}/accessPolicies/add`
///
/// Counts only in a vault that goes by access policies, and only after a while.
pub async fn add_policy(writer: &Writer, id: &VaultId, entry: &PolicyEntry) -> Result<(), CallError> {
    let call = named(Call::of(&VAULT_UPDATE_ACCESS_POLICY), id).path("operationKind", "add");
    writer.send(call.json(arm::JSON, &policies(entry))).await.map(|_| ())
}

/// Takes permissions away from a principal. What becomes of those that aren't named isn't documented: read back.
/// `PUT …/vaults/{name}/accessPolicies/remove`
pub async fn remove_policy(writer: &Writer, id: &VaultId, entry: &PolicyEntry) -> Result<(), CallError> {
    let call = named(Call::of(&VAULT_REMOVE_ACCESS_POLICY), id);
    writer.send(call.json(arm::JSON, &policies(entry))).await.map(|_| ())
}

/// What is changed in a vault; what is `None` stays. Access policies aren't among it: a PATCH would replace them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// `Enabled` or `Disabled`.
    pub public_network_access: Option<String>,
    /// What the firewall does with those that no rule names, with all of its rules: those that are left out are gone.
    pub network_acls: Option<NetworkAcls>,
    /// Turns soft delete on, for good.
    pub soft_delete: bool,
    /// Turns purge protection on, for good.
    pub purge_protection: bool,
}

/// Changes a vault. `PATCH …/vaults/{name}`
pub async fn update(writer: &Writer, id: &VaultId, change: &Change) -> Result<(), CallError> {
    let Change { public_network_access, network_acls, soft_delete, purge_protection } = change;
    let mut properties = serde_json::Map::new();
    let mut set = |member: &str, value: Json| properties.insert(member.to_owned(), value);
    if let Some(word) = public_network_access {
        set("publicNetworkAccess", json!(word));
    }
    if let Some(NetworkAcls { bypass, default_action, ip_rules, virtual_network_rules }) = network_acls {
        let addresses: Vec<Json> = ip_rules.iter().map(|rule| json!({ "value": rule.value })).collect();
        let subnets: Vec<Json> = virtual_network_rules.iter().map(|rule| json!({ "id": rule.id })).collect();
        let acls = json!({ "bypass": bypass, "defaultAction": default_action, "ipRules": addresses,
                           "virtualNetworkRules": subnets });
        set("networkAcls", acls);
    }
    if *soft_delete {
        set("enableSoftDelete", json!(true));
    }
    if *purge_protection {
        set("enablePurgeProtection", json!(true));
    }
    let call = named(Call::of(&VAULT_UPDATE), id).json(arm::JSON, &json!({ "properties": properties }));
    writer.send(call).await.map(|_| ())
}

fn named<E>(call: Call<E>, id: &VaultId) -> Call<E> {
    call.path("subscriptionId", &id.subscription().to_string())
        .path("resourceGroupName", id.resource_group())
        .path("vaultName", id.name())
}

fn policies(entry: &PolicyEntry) -> Json {
    let PolicyEntry { tenant_id, object_id, permissions: Permissions { keys, secrets, certificates } } = entry;
    let permissions = json!({ "keys": keys, "secrets": secrets, "certificates": certificates });
    json!({ "properties": { "accessPolicies": [
        { "tenantId": tenant_id, "objectId": object_id, "permissions": permissions },
    ] } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_members_read_as_the_service_means_them() {
        let vault: Vault = serde_json::from_str(r#"{ "id": "x", "properties": { "vaultUri": null } }"#).unwrap();
        assert!(!vault.properties.purge_protected() && !vault.properties.goes_by_roles());
        let vault: Vault = serde_json::from_str(r#"{ "id": "x" }"#).unwrap();
        assert!(vault.properties.network_acls.is_none());
    }

    /// Names of vaults are global: a record that leads to another address than the vault's own is not believed.
    #[tokio::test]
    async fn a_vault_is_at_its_own_address() {
        use crate::azure::testing::{Answers, reader_over};

        let group = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg";
        let id: VaultId = format!("{group}/providers/Microsoft.KeyVault/vaults/kv-prod").parse().unwrap();
        for (address, fine) in [
            (json!("https://kv-prod.vault.azure.net/"), true),
            (json!("https://KV-Prod.vault.azure.cn"), true),
            (Json::Null, true),
            (json!("https://kv-evil.vault.azure.net/"), false),
            (json!("https://evil.net/kv-prod.vault.azure.net/"), false),
        ] {
            let body = json!({ "id": id.to_string(), "properties": { "vaultUri": address.clone() } });
            let read = get(&reader_over(Answers::by(move |_| (200, body.clone()))), &id).await;
            assert_eq!(read.is_ok(), fine, "{address}: {read:?}");
        }
    }
}
