//! The built-in roles of Azure that Microsoft prints, in brief: the same in every tenant.
//!
//! What must stay true: only what Microsoft prints of a role stands here; what it leaves out, a role doesn't grant. That
//! Contributor can read a vault and nothing in it is the point of the two planes. Where Microsoft prints `vaults/*/read` among
//! a role's actions, `vaults/read` stands beside it: chosen, since whether that star may stand for nothing isn't documented,
//! and these roles are meant for people who find vaults.

use uuid::Uuid;

/// A role that is the same in every tenant.
pub(crate) struct BuiltIn {
    pub(crate) id: Uuid,
    pub(crate) name: &'static str,
    pub(crate) actions: &'static [&'static str],
    pub(crate) not_actions: &'static [&'static str],
    pub(crate) data_actions: &'static [&'static str],
}

/// Owner.
pub(crate) const OWNER: Uuid = Uuid::from_u128(0x8e3a_f657_a8ff_443c_a75c_2fe8_c4bc_b635);
/// Contributor.
pub(crate) const CONTRIBUTOR: Uuid = Uuid::from_u128(0xb249_88ac_6180_42a0_ab88_20f7_382d_d24c);
/// Reader.
pub(crate) const READER: Uuid = Uuid::from_u128(0xacdd_72a7_3385_48ef_bd42_f606_fba8_1ae7);
/// User Access Administrator.
pub(crate) const USER_ACCESS_ADMINISTRATOR: Uuid = Uuid::from_u128(0x18d7_d88d_d35e_4fb5_a5c3_7773_c20a_72d9);
/// Role Based Access Control Administrator.
pub(crate) const RBAC_ADMINISTRATOR: Uuid = Uuid::from_u128(0xf583_10d9_a9f6_439a_9e8d_f62e_7b41_a168);
/// Storage Account Contributor.
pub(crate) const STORAGE_ACCOUNT_CONTRIBUTOR: Uuid = Uuid::from_u128(0x17d1_049b_9a84_46fb_8f53_8698_81c3_d3ab);
/// Storage Blob Data Reader.
pub(crate) const STORAGE_BLOB_DATA_READER: Uuid = Uuid::from_u128(0x2a2b_9908_6ea1_4ae2_8e65_a410_df84_e7d1);
/// Storage Blob Data Contributor.
pub(crate) const STORAGE_BLOB_DATA_CONTRIBUTOR: Uuid = Uuid::from_u128(0xba92_f5b4_2d11_453d_a403_e96b_0029_c9fe);
/// Storage Blob Data Owner.
pub(crate) const STORAGE_BLOB_DATA_OWNER: Uuid = Uuid::from_u128(0xb7e6_dc6d_f1e8_4753_8033_0f27_6bb0_955b);
/// Key Vault Administrator.
pub(crate) const KEY_VAULT_ADMINISTRATOR: Uuid = Uuid::from_u128(0x0048_2a5a_887f_4fb3_b363_3b7f_e8e7_4483);
/// Key Vault Contributor.
pub(crate) const KEY_VAULT_CONTRIBUTOR: Uuid = Uuid::from_u128(0xf25e_0fa2_a7c8_4377_a976_5494_3a77_a395);
/// Key Vault Reader.
pub(crate) const KEY_VAULT_READER: Uuid = Uuid::from_u128(0x2109_0545_7ca7_4776_b22c_e363_652d_74d2);
/// Key Vault Secrets User.
pub(crate) const KEY_VAULT_SECRETS_USER: Uuid = Uuid::from_u128(0x4633_458b_17de_408a_b874_0445_c86b_69e6);
/// Key Vault Secrets Officer.
pub(crate) const KEY_VAULT_SECRETS_OFFICER: Uuid = Uuid::from_u128(0xb86a_8fe4_44ce_4948_aee5_eccb_2c15_5cd7);
/// Key Vault Crypto Officer.
pub(crate) const KEY_VAULT_CRYPTO_OFFICER: Uuid = Uuid::from_u128(0x14b4_6e9e_c2b7_41b4_b07b_48a6_ebf6_0603);
/// Key Vault Crypto Service Encryption User.
pub(crate) const KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER: Uuid =
    Uuid::from_u128(0xe147_488a_f6f5_4113_8e2d_b224_65e6_5bf6);

/// All of them.
pub(crate) const ROLES: &[BuiltIn] = &[
    BuiltIn { id: OWNER, name: "Owner", actions: &["*"], not_actions: &[], data_actions: &[] },
    BuiltIn {
        id: CONTRIBUTOR,
        name: "Contributor",
        actions: &["*"],
        not_actions: &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ],
        data_actions: &[],
    },
    BuiltIn { id: READER, name: "Reader", actions: &["*/read"], not_actions: &[], data_actions: &[] },
    BuiltIn {
        id: USER_ACCESS_ADMINISTRATOR,
        name: "User Access Administrator",
        actions: &["*/read", "Microsoft.Authorization/*"],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: RBAC_ADMINISTRATOR,
        name: "Role Based Access Control Administrator",
        actions: &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: STORAGE_ACCOUNT_CONTRIBUTOR,
        name: "Storage Account Contributor",
        actions: &[
            "Microsoft.Storage/storageAccounts/*",
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: STORAGE_BLOB_DATA_READER,
        name: "Storage Blob Data Reader",
        actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/read"],
        not_actions: &[],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
    },
    BuiltIn {
        id: STORAGE_BLOB_DATA_CONTRIBUTOR,
        name: "Storage Blob Data Contributor",
        actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
        ],
        not_actions: &[],
        data_actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/move/action",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
        ],
    },
    BuiltIn {
        id: STORAGE_BLOB_DATA_OWNER,
        name: "Storage Blob Data Owner",
        actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/*"],
        not_actions: &[],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"],
    },
    BuiltIn {
        id: KEY_VAULT_ADMINISTRATOR,
        name: "Key Vault Administrator",
        actions: &[
            "Microsoft.KeyVault/vaults/read",
            "Microsoft.KeyVault/locations/*/read",
            "Microsoft.Authorization/*/read",
        ],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*"],
    },
    BuiltIn {
        id: KEY_VAULT_CONTRIBUTOR,
        name: "Key Vault Contributor",
        actions: &["Microsoft.KeyVault/*", "Microsoft.Authorization/*/read"],
        not_actions: &["Microsoft.KeyVault/locations/deletedVaults/purge/action"],
        data_actions: &[],
    },
    BuiltIn {
        id: KEY_VAULT_READER,
        name: "Key Vault Reader",
        actions: &[
            "Microsoft.KeyVault/vaults/*/read",
            "Microsoft.KeyVault/vaults/read",
            "Microsoft.Authorization/*/read",
        ],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
    },
    BuiltIn {
        id: KEY_VAULT_SECRETS_USER,
        name: "Key Vault Secrets User",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    },
    BuiltIn {
        id: KEY_VAULT_SECRETS_OFFICER,
        name: "Key Vault Secrets Officer",
        actions: &[
            "Microsoft.KeyVault/vaults/read",
            "Microsoft.KeyVault/locations/*/read",
            "Microsoft.Authorization/*/read",
        ],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/secrets/*"],
    },
    BuiltIn {
        id: KEY_VAULT_CRYPTO_OFFICER,
        name: "Key Vault Crypto Officer",
        actions: &[
            "Microsoft.KeyVault/vaults/read",
            "Microsoft.KeyVault/locations/*/read",
            "Microsoft.Authorization/*/read",
        ],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/keys/*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"],
    },
    BuiltIn {
        id: KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER,
        name: "Key Vault Crypto Service Encryption User",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.KeyVault/vaults/keys/read",
            "Microsoft.KeyVault/vaults/keys/wrap/action",
            "Microsoft.KeyVault/vaults/keys/unwrap/action",
        ],
    },
];
