//! The catalogue of Azure Resource Manager.
//!
//! Names are the operation ids of the published OpenAPI documents below `specification/` of Azure/azure-rest-api-specs, led by
//! the provider. What must stay true: paths are spelled as those documents spell them, and the versions are ones for which
//! they are published, so that the contract tests can compare.

use super::super::rights::{Action, Need, Needs, Right};
use super::{Effect, Facts, Operation, Read, Service, Write, documented};

const fn arm(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    source: &'static str,
    api_version: &'static str,
    needs: Needs,
) -> Facts {
    Facts { api_version: Some(api_version), ..documented(Service::Arm, source, name, method, path, needs) }
}

const fn storage(name: &'static str, method: &'static str, path: &'static str, needs: Needs) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, storage.json of Microsoft.Storage 2023-05-01",
        "2023-05-01",
        needs,
    )
}

const fn synapse(name: &'static str, method: &'static str, path: &'static str, needs: Needs) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, workspace.json and privateEndpointConnections.json of Microsoft.Synapse 2021-06-01",
        "2021-06-01",
        needs,
    )
}

const fn key_vault(name: &'static str, method: &'static str, path: &'static str, needs: Needs) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, keyvault.json of Microsoft.KeyVault 2023-07-01",
        "2023-07-01",
        needs,
    )
}

const fn authorization(name: &'static str, method: &'static str, path: &'static str, needs: Needs) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, authorization-*.json of Microsoft.Authorization 2022-04-01",
        "2022-04-01",
        needs,
    )
}

const fn resource_graph(name: &'static str, method: &'static str, path: &'static str, needs: Needs) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, resourcegraph.json of Microsoft.ResourceGraph 2022-10-01",
        "2022-10-01",
        needs,
    )
}

/// Approving is a decision about the resource. The product's page promises that the right to make it does, next to reading the
/// account; Azure's own list of actions has the right to write connections for it as well.
const APPROVE_STORAGE: Needs = Needs::All(&[
    Need::Right(Right::Azure(Action::STORAGE_APPROVE)),
    Need::Disputed(Right::Azure(Action::STORAGE_WRITE_CONNECTIONS)),
]);
/// No page promises less than both for the other providers.
const APPROVE_SYNAPSE: Needs = Needs::All(&[
    Need::Right(Right::Azure(Action::SYNAPSE_APPROVE)),
    Need::Right(Right::Azure(Action::SYNAPSE_WRITE_CONNECTIONS)),
]);
const APPROVE_VAULT: Needs = Needs::All(&[
    Need::Right(Right::Azure(Action::VAULT_APPROVE)),
    Need::Right(Right::Azure(Action::VAULT_WRITE_CONNECTIONS)),
]);

/// One storage account, with its private endpoint connections.
pub const STORAGE_GET_ACCOUNT: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/StorageAccounts_GetProperties",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}",
    Needs::azure(Action::STORAGE_READ),
));

/// The storage accounts of a resource group, with their private endpoint connections.
pub const STORAGE_LIST_IN_GROUP: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/StorageAccounts_ListByResourceGroup",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts",
    Needs::azure(Action::STORAGE_READ),
));

/// The storage accounts of a subscription, with their private endpoint connections.
pub const STORAGE_LIST: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/StorageAccounts_List",
    "GET",
    "/subscriptions/{subscriptionId}/providers/Microsoft.Storage/storageAccounts",
    Needs::azure(Action::STORAGE_READ),
));

/// Changes members of a storage account; what is left out stays.
pub const STORAGE_UPDATE_ACCOUNT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..storage(
        "Microsoft.Storage/StorageAccounts_Update",
        "PATCH",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}",
        Needs::azure(Action::STORAGE_WRITE),
    )
});

/// The private endpoint connections of a storage account.
pub const STORAGE_LIST_CONNECTIONS: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/PrivateEndpointConnections_List",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections",
    Needs::azure(Action::STORAGE_READ_CONNECTIONS),
));

/// One private endpoint connection of a storage account.
pub const STORAGE_GET_CONNECTION: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/PrivateEndpointConnections_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections/{privateEndpointConnectionName}",
    Needs::azure(Action::STORAGE_READ_CONNECTIONS),
));

/// Approves a pending connection. Not repeatable: the service refuses to approve what is approved.
pub const STORAGE_PUT_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..storage(
        "Microsoft.Storage/PrivateEndpointConnections_Put",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections/{privateEndpointConnectionName}",
        APPROVE_STORAGE,
    )
});

/// Cuts a private endpoint connection off.
pub const STORAGE_DELETE_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..storage(
        "Microsoft.Storage/PrivateEndpointConnections_Delete",
        "DELETE",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections/{privateEndpointConnectionName}",
        Needs::azure(Action::STORAGE_DELETE_CONNECTIONS),
    )
});

/// One Synapse workspace, with its private endpoint connections.
pub const SYNAPSE_GET_WORKSPACE: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/Workspaces_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}",
    Needs::azure(Action::SYNAPSE_READ),
));

/// The Synapse workspaces of a resource group.
pub const SYNAPSE_LIST_IN_GROUP: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/Workspaces_ListByResourceGroup",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces",
    Needs::azure(Action::SYNAPSE_READ),
));

/// The Synapse workspaces of a subscription.
pub const SYNAPSE_LIST: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/Workspaces_List",
    "GET",
    "/subscriptions/{subscriptionId}/providers/Microsoft.Synapse/workspaces",
    Needs::azure(Action::SYNAPSE_READ),
));

/// Changes members of a Synapse workspace; what is left out stays. Long-running.
pub const SYNAPSE_UPDATE_WORKSPACE: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..synapse(
        "Microsoft.Synapse/Workspaces_Update",
        "PATCH",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}",
        Needs::azure(Action::SYNAPSE_WRITE),
    )
});

/// The private endpoint connections of a Synapse workspace.
pub const SYNAPSE_LIST_CONNECTIONS: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/PrivateEndpointConnections_List",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections",
    Needs::azure(Action::SYNAPSE_READ_CONNECTIONS),
));

/// One private endpoint connection of a Synapse workspace.
pub const SYNAPSE_GET_CONNECTION: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/PrivateEndpointConnections_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections/{privateEndpointConnectionName}",
    Needs::azure(Action::SYNAPSE_READ_CONNECTIONS),
));

/// Approves a pending connection. Long-running, and not repeatable: nobody says what a second approval does.
pub const SYNAPSE_PUT_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..synapse(
        "Microsoft.Synapse/PrivateEndpointConnections_Create",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections/{privateEndpointConnectionName}",
        APPROVE_SYNAPSE,
    )
});

/// Cuts a private endpoint connection off. Long-running.
pub const SYNAPSE_DELETE_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..synapse(
        "Microsoft.Synapse/PrivateEndpointConnections_Delete",
        "DELETE",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections/{privateEndpointConnectionName}",
        Needs::azure(Action::SYNAPSE_DELETE_CONNECTIONS),
    )
});

/// Changes members of a vault; what is left out stays.
pub const VAULT_UPDATE: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..key_vault(
        "Microsoft.KeyVault/Vaults_Update",
        "PATCH",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}",
        Needs::azure(Action::VAULT_WRITE),
    )
});

/// Adds to, replaces or removes access policies of single principals; all others stay.
pub const VAULT_UPDATE_ACCESS_POLICY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..key_vault(
        "Microsoft.KeyVault/Vaults_UpdateAccessPolicy",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/accessPolicies/{operationKind}",
        Needs::azure(Action::VAULT_WRITE_POLICIES),
    )
});

/// The same route, for taking permissions away.
pub const VAULT_REMOVE_ACCESS_POLICY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..key_vault(
        "Microsoft.KeyVault/Vaults_UpdateAccessPolicy (remove)",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/accessPolicies/remove",
        Needs::azure(Action::VAULT_WRITE_POLICIES),
    )
});

/// The private endpoint connections of a vault.
pub const VAULT_LIST_CONNECTIONS: Operation<Read> = Operation::read(key_vault(
    "Microsoft.KeyVault/PrivateEndpointConnections_ListByResource",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections",
    Needs::azure(Action::VAULT_READ_CONNECTIONS),
));

/// One private endpoint connection of a vault.
pub const VAULT_GET_CONNECTION: Operation<Read> = Operation::read(Facts {
    // Its way of saying that there is none.
    statuses: &[204],
    ..key_vault(
        "Microsoft.KeyVault/PrivateEndpointConnections_Get",
        "GET",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections/{privateEndpointConnectionName}",
        Needs::azure(Action::VAULT_READ_CONNECTIONS),
    )
});

/// Approves a pending connection. Not repeatable: nobody says what a second approval does.
pub const VAULT_PUT_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..key_vault(
        "Microsoft.KeyVault/PrivateEndpointConnections_Put",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections/{privateEndpointConnectionName}",
        APPROVE_VAULT,
    )
});

/// Cuts a private endpoint connection off. Long-running.
pub const VAULT_DELETE_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..key_vault(
        "Microsoft.KeyVault/PrivateEndpointConnections_Delete",
        "DELETE",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections/{privateEndpointConnectionName}",
        Needs::azure(Action::VAULT_DELETE_CONNECTIONS),
    )
});

/// The role assignments that hold at a scope, narrowed by a filter.
pub const LIST_ROLE_ASSIGNMENTS: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/RoleAssignments_ListForScope",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/roleAssignments",
    Needs::azure(Action::READ_ASSIGNMENTS),
));

/// One role assignment.
pub const GET_ROLE_ASSIGNMENT: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/RoleAssignments_Get",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    Needs::azure(Action::READ_ASSIGNMENTS),
));

/// Grants a role to a principal at a scope. Repeatable: its name says what it is.
pub const CREATE_ROLE_ASSIGNMENT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..authorization(
        "Microsoft.Authorization/RoleAssignments_Create",
        "PUT",
        "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        Needs::azure(Action::WRITE_ASSIGNMENTS),
    )
});

/// Takes a role assignment away.
pub const DELETE_ROLE_ASSIGNMENT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..authorization(
        "Microsoft.Authorization/RoleAssignments_Delete",
        "DELETE",
        "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        Needs::azure(Action::DELETE_ASSIGNMENTS),
    )
});

/// The roles that can be granted at a scope, narrowed by a filter.
pub const LIST_ROLE_DEFINITIONS: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/RoleDefinitions_List",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/roleDefinitions",
    Needs::azure(Action::READ_DEFINITIONS),
));

/// The caller's own rights on a resource group or a resource. The documents print one path for each; below the group the
/// resource's is its id, which is how they are one here.
pub const LIST_PERMISSIONS: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/Permissions_ListForResource",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/permissions",
    Needs::azure(Action::READ_PERMISSIONS),
));

/// Finds resources across subscriptions. Behind the services by seconds to minutes: for discovery only.
pub const QUERY_RESOURCE_GRAPH: Operation<Read> = Operation::read(resource_graph(
    "Microsoft.ResourceGraph/Resources",
    "POST",
    "/providers/Microsoft.ResourceGraph/resources",
    Needs::ToReadWhatItFinds,
));

/// How far a long-running operation is; at the address that its `Azure-AsyncOperation` or `Location` header named.
pub const GET_OPERATION_STATUS: Operation<Read> = Operation::read(Facts {
    api_version: None,
    // 202 while it goes on, then what the operation itself would have been answered with.
    statuses: &[201, 202, 204],
    ..arm(
        "Arm/Azure-AsyncOperation",
        "GET",
        "/subscriptions/{subscriptionId}/{operation}",
        "Azure/azure-resource-manager-rpc, v1.0/Addendum.md",
        "none",
        Needs::OfItsOperation,
    )
});
