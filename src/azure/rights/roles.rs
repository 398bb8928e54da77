//! Built-in roles of Azure that palisade grants, looks for, or names as the ones that have a right.
//!
//! Invariants: an id is the same in every tenant; the ids and names are those that Microsoft prints.

use std::fmt;

use uuid::Uuid;

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role {
    /// The id of its definition.
    pub id: Uuid,
    /// Its display name.
    pub name: &'static str,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn role(name: &'static str, id: u128) -> Role {
    Role { id: Uuid::from_u128(id), name }
}

/// Reads everything of the management plane.
pub const READER: Role = role("Reader", 0xacdd_72a7_3385_48ef_bd42_f606_fba8_1ae7);
/// Changes everything but who may do what.
pub const CONTRIBUTOR: Role = role("Contributor", 0xb249_88ac_6180_42a0_ab88_20f7_382d_d24c);
/// Decides who may do what.
pub const USER_ACCESS_ADMINISTRATOR: Role =
    role("User Access Administrator", 0x18d7_d88d_d35e_4fb5_a5c3_7773_c20a_72d9);
/// Changes storage accounts, and approves connections to them.
pub const STORAGE_ACCOUNT_CONTRIBUTOR: Role =
    role("Storage Account Contributor", 0x17d1_049b_9a84_46fb_8f53_8698_81c3_d3ab);
/// Changes vaults, and who may do what in those that go by access policies.
pub const KEY_VAULT_CONTRIBUTOR: Role = role("Key Vault Contributor", 0xf25e_0fa2_a7c8_4377_a976_5494_3a77_a395);
/// Does everything with what is in a vault.
pub const KEY_VAULT_ADMINISTRATOR: Role = role("Key Vault Administrator", 0x0048_2a5a_887f_4fb3_b363_3b7f_e8e7_4483);
/// Reads what is in a vault, without values.
pub const KEY_VAULT_READER: Role = role("Key Vault Reader", 0x2109_0545_7ca7_4776_b22c_e363_652d_74d2);
/// Reads the values of secrets.
pub const KEY_VAULT_SECRETS_USER: Role = role("Key Vault Secrets User", 0x4633_458b_17de_408a_b874_0445_c86b_69e6);
/// Does everything with secrets.
pub const KEY_VAULT_SECRETS_OFFICER: Role =
    role("Key Vault Secrets Officer", 0xb86a_8fe4_44ce_4948_aee5_eccb_2c15_5cd7);
/// Uses keys to wrap and unwrap other keys, as services do that encrypt with them.
pub const KEY_VAULT_CRYPTO_ENCRYPTION_USER: Role =
    role("Key Vault Crypto Service Encryption User", 0xe147_488a_f6f5_4113_8e2d_b224_65e6_5bf6);
/// Uses keys.
pub const KEY_VAULT_CRYPTO_USER: Role = role("Key Vault Crypto User", 0x1233_8af0_0e69_4776_bea7_57ae_8d29_7424);
/// Does everything with keys.
pub const KEY_VAULT_CRYPTO_OFFICER: Role = role("Key Vault Crypto Officer", 0x14b4_6e9e_c2b7_41b4_b07b_48a6_ebf6_0603);
