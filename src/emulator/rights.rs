//! Azure's roles: who may do what on which scope (azure-api.md, sections 5.3 and 5.4).
//!
//! What must stay true: a right comes only from an assignment on the scope or above it, to the caller or to one of its
//! groups, whose role grants the action and doesn't take it out again in the same entry; the other plane's rights count for
//! nothing. Deny assignments aren't in the world.

use jiff::Timestamp;
use uuid::Uuid;

use super::faults::wildcard;
use super::views::before;
use super::world::{Permission, RoleAssignment, World};

/// Which of its two kinds of actions a role is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plane {
    /// Azure Resource Manager.
    Management,
    /// The data of a resource.
    Data,
}

/// A role that is the same in every tenant. Only what this emulator asks for is listed of its actions.
struct BuiltIn {
    id: Uuid,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data_actions: &'static [&'static str],
}

const fn role(
    id: u128,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data_actions: &'static [&'static str],
) -> BuiltIn {
    BuiltIn { id: Uuid::from_u128(id), actions, not_actions, data_actions }
}

/// Owner.
pub(crate) const OWNER: Uuid = Uuid::from_u128(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635);
/// Contributor.
pub(crate) const CONTRIBUTOR: Uuid = Uuid::from_u128(0xb249_88ac_6180_42a0_ab88_20f7_382d_d24c);
/// Reader.
pub(crate) const READER: Uuid = Uuid::from_u128(0xacdd_72a7_3385_48ef_bd42_f606_fba8_1ae7);
/// Key Vault Administrator.
pub(crate) const KEY_VAULT_ADMINISTRATOR: Uuid = Uuid::from_u128(0x0048_2a5a_887f_4fb3_b363_3b7f_e8e7_4483);
/// Key Vault Secrets Officer.
pub(crate) const KEY_VAULT_SECRETS_OFFICER: Uuid = Uuid::from_u128(0xb86a_8fe4_44ce_4948_aee5_eccb_2c15_5cd7);
/// Key Vault Secrets User.
pub(crate) const KEY_VAULT_SECRETS_USER: Uuid = Uuid::from_u128(0x4633_458b_17de_408a_b874_0445_c86b_69e6);
/// Key Vault Reader.
pub(crate) const KEY_VAULT_READER: Uuid = Uuid::from_u128(0x2109_0545_7ca7_4776_b22c_e363_652d_74d2);
/// Key Vault Crypto Officer.
pub(crate) const KEY_VAULT_CRYPTO_OFFICER: Uuid = Uuid::from_u128(0x14b4_6e9e_c2b7_41b4_b07b_48a6_ebf6_0603);
/// Key Vault Contributor.
pub(crate) const KEY_VAULT_CONTRIBUTOR: Uuid = Uuid::from_u128(0xf25e_0fa2_a7c8_4377_a976_5494_3a77_a395);

/// The roles as Microsoft prints them, in brief. That Contributor can read a vault and nothing in it is the point of the two
/// planes. Where Microsoft prints `vaults/*/read` among a role's actions, `vaults/read` stands beside it: chosen, since
/// whether that star may stand for nothing isn't documented, and these roles are meant for people who find vaults.
const BUILT_IN: &[BuiltIn] = &[
    role(OWNER.as_u128(), &["*"], &[], &[]),
    role(
        CONTRIBUTOR.as_u128(),
        &["*"],
        &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ],
        &[],
    ),
    role(READER.as_u128(), &["*/read"], &[], &[]),
    role(
        KEY_VAULT_ADMINISTRATOR.as_u128(),
        &["Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/locations/*/read", "Microsoft.Authorization/*/read"],
        &[],
        &["Microsoft.KeyVault/vaults/*"],
    ),
    role(
        KEY_VAULT_SECRETS_OFFICER.as_u128(),
        &["Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/locations/*/read", "Microsoft.Authorization/*/read"],
        &[],
        &["Microsoft.KeyVault/vaults/secrets/*"],
    ),
    role(
        KEY_VAULT_SECRETS_USER.as_u128(),
        &[],
        &[],
        &[
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    ),
    role(
        KEY_VAULT_READER.as_u128(),
        &["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/read", "Microsoft.Authorization/*/read"],
        &[],
        &["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
    ),
    role(
        KEY_VAULT_CRYPTO_OFFICER.as_u128(),
        &["Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/locations/*/read", "Microsoft.Authorization/*/read"],
        &[],
        &["Microsoft.KeyVault/vaults/keys/*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"],
    ),
    role(
        KEY_VAULT_CONTRIBUTOR.as_u128(),
        &["Microsoft.KeyVault/*", "Microsoft.Authorization/*/read"],
        &["Microsoft.KeyVault/locations/deletedVaults/purge/action"],
        &[],
    ),
];

/// Whether `scope` is `id` or lies above it.
pub(crate) fn covers(scope: &str, id: &str) -> bool {
    let scope = scope.trim_end_matches('/').to_ascii_lowercase();
    let id = id.to_ascii_lowercase();
    id.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn any<T: AsRef<str>>(patterns: &[T], action: &str) -> bool {
    patterns.iter().any(|p| wildcard(&p.as_ref().to_ascii_lowercase(), action))
}

impl World {
    /// Whether `principal` may do `action` on `scope` at `now`.
    pub(crate) fn azure_allows(
        &self,
        principal: Uuid,
        plane: Plane,
        action: &str,
        scope: &str,
        now: Timestamp,
    ) -> bool {
        let action = action.to_ascii_lowercase();
        let mut holders = self.groups_of(principal);
        holders.insert(principal);
        let counted = before(now, self.behaviour.azure_role_propagation);
        self.role_assignments.iter().any(|assignment| {
            let RoleAssignment { scope: granted, role_definition, principal_id, created_on, .. } = assignment;
            holders.contains(principal_id)
                && *created_on <= counted
                && covers(granted, scope)
                && self.role_grants(*role_definition, plane, &action)
        })
    }

    fn role_grants(&self, role: Uuid, plane: Plane, action: &str) -> bool {
        if let Some(BuiltIn { id: _, actions, not_actions, data_actions }) = BUILT_IN.iter().find(|b| b.id == role) {
            return match plane {
                Plane::Management => any(actions, action) && !any(not_actions, action),
                Plane::Data => any(data_actions, action),
            };
        }
        let entries = self.custom_roles.get(&role).map(|role| role.permissions.as_slice()).unwrap_or_default();
        entries.iter().any(|Permission { actions, not_actions, data_actions, not_data_actions }| match plane {
            Plane::Management => any(actions, action) && !any(not_actions, action),
            Plane::Data => any(data_actions, action) && !any(not_data_actions, action),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_lies_below_it_at_a_slash() {
        let id = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv";
        for scope in ["/", "/subscriptions/s", "/subscriptions/S/resourcegroups/RG", id] {
            assert!(covers(scope, id), "{scope}");
        }
        for scope in ["/subscriptions/S/resourceGroups/r", "/subscriptions/T", &format!("{id}/secrets/x")] {
            assert!(!covers(scope, id), "{scope}");
        }
    }

    #[test]
    fn roles_grant_on_their_own_plane() {
        let world = World::new(None);
        let get = "Microsoft.KeyVault/vaults/secrets/getSecret/action".to_ascii_lowercase();
        let metadata = "Microsoft.KeyVault/vaults/secrets/readMetadata/action".to_ascii_lowercase();
        let read = "Microsoft.KeyVault/vaults/read".to_ascii_lowercase();
        let write = "Microsoft.Authorization/roleAssignments/write".to_ascii_lowercase();
        let cases = [
            (OWNER, [false, false, true, true]),
            (CONTRIBUTOR, [false, false, true, false]),
            (READER, [false, false, true, false]),
            (KEY_VAULT_READER, [false, true, true, false]),
            (KEY_VAULT_SECRETS_USER, [true, true, false, false]),
            (KEY_VAULT_SECRETS_OFFICER, [true, true, true, false]),
            (KEY_VAULT_ADMINISTRATOR, [true, true, true, false]),
            (KEY_VAULT_CRYPTO_OFFICER, [false, false, true, false]),
            (KEY_VAULT_CONTRIBUTOR, [false, false, true, false]),
        ];
        for (role, expected) in cases {
            let found = [
                world.role_grants(role, Plane::Data, &get),
                world.role_grants(role, Plane::Data, &metadata),
                world.role_grants(role, Plane::Management, &read),
                world.role_grants(role, Plane::Management, &write),
            ];
            assert_eq!(found, expected, "{role}");
        }
    }
}
