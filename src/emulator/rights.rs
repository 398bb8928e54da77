//! Azure's roles: who may do what on which scope.
//!
//! What must stay true: a right comes only from an assignment on the scope or above it, to the caller or to one of its
//! groups, whose role grants the action and doesn't take it out again in the same entry; the other plane's rights count for
//! nothing. Deny assignments aren't in the world.

use jiff::Timestamp;
use uuid::Uuid;

use super::built_in_roles::{self, BuiltIn};
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
        self.roles_held(principal, scope, now).any(|role| self.role_grants(role, plane, &action))
    }

    /// The roles that count for `principal` on `scope` at `now`, its own and those of its groups.
    pub(crate) fn roles_held(&self, principal: Uuid, scope: &str, now: Timestamp) -> impl Iterator<Item = Uuid> {
        let mut holders = self.groups_of(principal);
        holders.insert(principal);
        let counted = before(now, self.behaviour.azure_role_propagation);
        self.role_assignments.iter().filter_map(move |assignment| {
            let RoleAssignment { scope: granted, role_definition, principal_id, created_on, .. } = assignment;
            let counts = holders.contains(principal_id) && *created_on <= counted && covers(granted, scope);
            counts.then_some(*role_definition)
        })
    }

    /// Whether any role counts for `principal` at `now` on something below `scope`.
    pub(crate) fn roles_below(&self, principal: Uuid, scope: &str, now: Timestamp) -> bool {
        let mut holders = self.groups_of(principal);
        holders.insert(principal);
        let counted = before(now, self.behaviour.azure_role_propagation);
        let counts = |a: &RoleAssignment| holders.contains(&a.principal_id) && a.created_on <= counted;
        self.role_assignments.iter().any(|assignment| counts(assignment) && covers(scope, &assignment.scope))
    }

    fn role_grants(&self, role: Uuid, plane: Plane, action: &str) -> bool {
        let built_in = built_in_roles::ROLES.iter().find(|b| b.id == role);
        if let Some(BuiltIn { id: _, name: _, actions, not_actions, data_actions }) = built_in {
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
    use super::built_in_roles::*;
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
