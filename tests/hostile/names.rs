//! Who and what may be in a world: ids and names that files, worlds and the oracle share.

use uuid::Uuid;

pub(crate) const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
pub(crate) const OTHER_TENANT: Uuid = Uuid::from_u128(0x9999_9999_0000_4000_8000_0000_0000_00aa);
/// An instance that is in every world and in no file.
pub(crate) const OTHER_INSTANCE: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a0ff);
pub(crate) const ENVIRONMENTS: [&str; 3] = ["prod", "test", "dev"];
pub(crate) const PEOPLE: [&str; 6] = ["ada", "grace", "linus", "mallory", "bob", "eve"];
pub(crate) const GROUPS: usize = 4;
pub(crate) const APPS: usize = 2;

/// Where all declared resources lie.
pub(crate) const SUBSCRIPTION: Uuid = Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_aaaa);
/// Somebody else's, where a resource may be made anew under the same name.
pub(crate) const STRANGERS: Uuid = Uuid::from_u128(0x2222_0000_0000_4000_8000_0000_0000_bbbb);
/// Where Customer Insights keeps the endpoints of links, by the scale unit of all instances here.
pub(crate) const MICROSOFT: &str = "87859467-676b-4257-ae63-f853cb5c61fc";

/// Keys are published to the first one; the second and the third one are linked.
pub(crate) const VAULTS: [&str; 3] = ["kv-keys", "kv-connections", "kv-former"];
pub(crate) const KEYS_VAULT: usize = 0;
pub(crate) const LINKED: usize = 1;
pub(crate) const FORMER: usize = 2;

const BASE: u128 = 0x9d1e_7a55_0000_4000_8000_0000_0000_0000;

pub(crate) const fn instance(number: usize) -> Uuid {
    Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001 + number as u128)
}

pub(crate) const fn person(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xd000 + number as u128)
}

pub(crate) const fn group(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xc000 + number as u128)
}

pub(crate) const fn app(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xb000 + number as u128)
}

/// The application id of [`app`].
pub(crate) const fn client(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xe000 + number as u128)
}

/// An id of nobody.
pub(crate) const fn ghost(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xf000 + number as u128)
}

pub(crate) fn upn(number: usize) -> String {
    format!("{}@contoso.com", PEOPLE[number])
}

pub(crate) fn vault(number: usize) -> String {
    vault_in(SUBSCRIPTION, VAULTS[number])
}

pub(crate) fn vault_in(subscription: Uuid, name: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/{name}")
}

/// The secret that an environment's key is published as.
pub(crate) fn secret(environment: usize) -> String {
    format!("{}-api-key", ENVIRONMENTS[environment])
}

/// The storage accounts that an environment may have links to.
pub(crate) fn accounts(environment: usize) -> [String; 2] {
    ["lake", "raw"].map(|name| format!("{}{name}", ENVIRONMENTS[environment]))
}

pub(crate) fn account(name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/{name}")
}

/// The last segment of an Azure resource's id.
pub(crate) fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
