//! The catalogue of Azure Resource Manager.
//!
//! Names are the operation ids of the published OpenAPI documents below `specification/` of Azure/azure-rest-api-specs, led by
//! the provider. What must stay true: paths are spelled as those documents spell them, and the versions are ones for which
//! they are published, so that the contract tests can compare.

use super::{Effect, Facts, Operation, Read, Service, Write, documented};

const fn arm(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    source: &'static str,
    api_version: &'static str,
    permission: &'static str,
) -> Facts {
    Facts { api_version: Some(api_version), ..documented(Service::Arm, source, name, method, path, permission) }
}

const fn storage(name: &'static str, method: &'static str, path: &'static str, permission: &'static str) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, storage.json of Microsoft.Storage 2023-05-01",
        "2023-05-01",
        permission,
    )
}

const fn synapse(name: &'static str, method: &'static str, path: &'static str, permission: &'static str) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, workspace.json and privateEndpointConnections.json of Microsoft.Synapse 2021-06-01",
        "2021-06-01",
        permission,
    )
}

const fn key_vault(name: &'static str, method: &'static str, path: &'static str, permission: &'static str) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, keyvault.json of Microsoft.KeyVault 2023-07-01",
        "2023-07-01",
        permission,
    )
}

const fn authorization(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    permission: &'static str,
) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, authorization-*.json of Microsoft.Authorization 2022-04-01",
        "2022-04-01",
        permission,
    )
}

const fn resource_graph(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    permission: &'static str,
) -> Facts {
    arm(
        name,
        method,
        path,
        "Azure/azure-rest-api-specs, resourcegraph.json of Microsoft.ResourceGraph 2022-10-01",
        "2022-10-01",
        permission,
    )
}

/// One storage account, with its private endpoint connections.
pub const STORAGE_GET_ACCOUNT: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/StorageAccounts_GetProperties",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}",
    "Azure: Microsoft.Storage/storageAccounts/read",
));

/// The storage accounts of a resource group, with their private endpoint connections.
pub const STORAGE_LIST_IN_GROUP: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/StorageAccounts_ListByResourceGroup",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts",
    "Azure: Microsoft.Storage/storageAccounts/read",
));

/// The storage accounts of a subscription, with their private endpoint connections.
pub const STORAGE_LIST: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/StorageAccounts_List",
    "GET",
    "/subscriptions/{subscriptionId}/providers/Microsoft.Storage/storageAccounts",
    "Azure: Microsoft.Storage/storageAccounts/read",
));

/// Changes members of a storage account; what is left out stays.
pub const STORAGE_UPDATE_ACCOUNT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..storage(
        "Microsoft.Storage/StorageAccounts_Update",
        "PATCH",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}",
        "Azure: Microsoft.Storage/storageAccounts/write",
    )
});

/// The private endpoint connections of a storage account.
pub const STORAGE_LIST_CONNECTIONS: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/PrivateEndpointConnections_List",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections",
    "Azure: Microsoft.Storage/storageAccounts/privateEndpointConnections/read",
));

/// One private endpoint connection of a storage account.
pub const STORAGE_GET_CONNECTION: Operation<Read> = Operation::read(storage(
    "Microsoft.Storage/PrivateEndpointConnections_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections/{privateEndpointConnectionName}",
    "Azure: Microsoft.Storage/storageAccounts/privateEndpointConnections/read",
));

/// Approves a pending connection. Not repeatable: the service refuses to approve what is approved.
pub const STORAGE_PUT_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..storage(
        "Microsoft.Storage/PrivateEndpointConnections_Put",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections/{privateEndpointConnectionName}",
        "Azure: Microsoft.Storage/storageAccounts/privateEndpointConnections/write and Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action",
    )
});

/// Cuts a private endpoint connection off.
pub const STORAGE_DELETE_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..storage(
        "Microsoft.Storage/PrivateEndpointConnections_Delete",
        "DELETE",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/privateEndpointConnections/{privateEndpointConnectionName}",
        "Azure: Microsoft.Storage/storageAccounts/privateEndpointConnections/delete",
    )
});

/// One Synapse workspace, with its private endpoint connections.
pub const SYNAPSE_GET_WORKSPACE: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/Workspaces_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}",
    "Azure: Microsoft.Synapse/workspaces/read",
));

/// The Synapse workspaces of a resource group.
pub const SYNAPSE_LIST_IN_GROUP: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/Workspaces_ListByResourceGroup",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces",
    "Azure: Microsoft.Synapse/workspaces/read",
));

/// The Synapse workspaces of a subscription.
pub const SYNAPSE_LIST: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/Workspaces_List",
    "GET",
    "/subscriptions/{subscriptionId}/providers/Microsoft.Synapse/workspaces",
    "Azure: Microsoft.Synapse/workspaces/read",
));

/// Changes members of a Synapse workspace; what is left out stays. Long-running.
pub const SYNAPSE_UPDATE_WORKSPACE: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..synapse(
        "Microsoft.Synapse/Workspaces_Update",
        "PATCH",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}",
        "Azure: Microsoft.Synapse/workspaces/write",
    )
});

/// The private endpoint connections of a Synapse workspace.
pub const SYNAPSE_LIST_CONNECTIONS: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/PrivateEndpointConnections_List",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections",
    "Azure: Microsoft.Synapse/workspaces/privateEndpointConnections/read",
));

/// One private endpoint connection of a Synapse workspace.
pub const SYNAPSE_GET_CONNECTION: Operation<Read> = Operation::read(synapse(
    "Microsoft.Synapse/PrivateEndpointConnections_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections/{privateEndpointConnectionName}",
    "Azure: Microsoft.Synapse/workspaces/privateEndpointConnections/read",
));

/// Approves a pending connection. Long-running, and not repeatable: nobody says what a second approval does.
pub const SYNAPSE_PUT_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..synapse(
        "Microsoft.Synapse/PrivateEndpointConnections_Create",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections/{privateEndpointConnectionName}",
        "Azure: Microsoft.Synapse/workspaces/privateEndpointConnections/write and Microsoft.Synapse/workspaces/PrivateEndpointConnectionsApproval/action",
    )
});

/// Cuts a private endpoint connection off. Long-running.
pub const SYNAPSE_DELETE_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..synapse(
        "Microsoft.Synapse/PrivateEndpointConnections_Delete",
        "DELETE",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Synapse/workspaces/{workspaceName}/privateEndpointConnections/{privateEndpointConnectionName}",
        "Azure: Microsoft.Synapse/workspaces/privateEndpointConnections/delete",
    )
});

/// Changes members of a vault; what is left out stays.
pub const VAULT_UPDATE: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..key_vault(
        "Microsoft.KeyVault/Vaults_Update",
        "PATCH",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}",
        "Azure: Microsoft.KeyVault/vaults/write",
    )
});

/// Adds to, replaces or removes access policies of single principals; all others stay.
pub const VAULT_UPDATE_ACCESS_POLICY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..key_vault(
        "Microsoft.KeyVault/Vaults_UpdateAccessPolicy",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/accessPolicies/{operationKind}",
        "Azure: Microsoft.KeyVault/vaults/accessPolicies/write",
    )
});

/// The same route, for taking permissions away.
pub const VAULT_REMOVE_ACCESS_POLICY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..key_vault(
        "Microsoft.KeyVault/Vaults_UpdateAccessPolicy (remove)",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/accessPolicies/remove",
        "Azure: Microsoft.KeyVault/vaults/accessPolicies/write",
    )
});

/// The private endpoint connections of a vault.
pub const VAULT_LIST_CONNECTIONS: Operation<Read> = Operation::read(key_vault(
    "Microsoft.KeyVault/PrivateEndpointConnections_ListByResource",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections",
    "Azure: Microsoft.KeyVault/vaults/privateEndpointConnections/read",
));

/// One private endpoint connection of a vault.
pub const VAULT_GET_CONNECTION: Operation<Read> = Operation::read(key_vault(
    "Microsoft.KeyVault/PrivateEndpointConnections_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections/{privateEndpointConnectionName}",
    "Azure: Microsoft.KeyVault/vaults/privateEndpointConnections/read",
));

/// Approves a pending connection. Not repeatable: nobody says what a second approval does.
pub const VAULT_PUT_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..key_vault(
        "Microsoft.KeyVault/PrivateEndpointConnections_Put",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections/{privateEndpointConnectionName}",
        "Azure: Microsoft.KeyVault/vaults/privateEndpointConnections/write and Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action",
    )
});

/// Cuts a private endpoint connection off. Long-running.
pub const VAULT_DELETE_CONNECTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..key_vault(
        "Microsoft.KeyVault/PrivateEndpointConnections_Delete",
        "DELETE",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/privateEndpointConnections/{privateEndpointConnectionName}",
        "Azure: Microsoft.KeyVault/vaults/privateEndpointConnections/delete",
    )
});

/// The role assignments that hold at a scope, narrowed by a filter.
pub const LIST_ROLE_ASSIGNMENTS: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/RoleAssignments_ListForScope",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/roleAssignments",
    "Azure: Microsoft.Authorization/roleAssignments/read",
));

/// One role assignment.
pub const GET_ROLE_ASSIGNMENT: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/RoleAssignments_Get",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    "Azure: Microsoft.Authorization/roleAssignments/read",
));

/// Grants a role to a principal at a scope. Repeatable: its name says what it is.
pub const CREATE_ROLE_ASSIGNMENT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..authorization(
        "Microsoft.Authorization/RoleAssignments_Create",
        "PUT",
        "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        "Azure: Microsoft.Authorization/roleAssignments/write",
    )
});

/// Takes a role assignment away.
pub const DELETE_ROLE_ASSIGNMENT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..authorization(
        "Microsoft.Authorization/RoleAssignments_Delete",
        "DELETE",
        "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        "Azure: Microsoft.Authorization/roleAssignments/delete",
    )
});

/// The roles that can be granted at a scope, narrowed by a filter.
pub const LIST_ROLE_DEFINITIONS: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/RoleDefinitions_List",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/roleDefinitions",
    "Azure: Microsoft.Authorization/roleDefinitions/read",
));

/// The caller's own rights on a resource group or a resource. The documents print one path for each; below the group the
/// resource's is its id, which is how they are one here.
pub const LIST_PERMISSIONS: Operation<Read> = Operation::read(authorization(
    "Microsoft.Authorization/Permissions_ListForResource",
    "GET",
    "/{scope}/providers/Microsoft.Authorization/permissions",
    "Azure: Microsoft.Authorization/permissions/read",
));

/// Finds resources across subscriptions. Behind the services by seconds to minutes: for discovery only.
pub const QUERY_RESOURCE_GRAPH: Operation<Read> = Operation::read(resource_graph(
    "Microsoft.ResourceGraph/Resources",
    "POST",
    "/providers/Microsoft.ResourceGraph/resources",
    "read rights on what it is to find",
));

/// How far a long-running operation is; at the address that its `Azure-AsyncOperation` or `Location` header named.
pub const GET_OPERATION_STATUS: Operation<Read> = Operation::read(Facts {
    api_version: None,
    ..arm(
        "Arm/Azure-AsyncOperation",
        "GET",
        "/subscriptions/{subscriptionId}/{operation}",
        "Azure/azure-resource-manager-rpc, v1.0/Addendum.md",
        "none",
        "the rights of the operation itself",
    )
});
