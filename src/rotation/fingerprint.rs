//! Keyed fingerprints of key values: enough to compare, useless to guess.
//!
//! The key of the hash is derived from the tenant and the vault, so that one value has different fingerprints in
//! different tenants and a leaked plan can't be searched for values known from elsewhere. What must stay true: a value
//! goes in and only twelve hexadecimal digits come out.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Bytes of the hash that are kept.
const LENGTH: usize = 6;

/// What fingerprints of one vault are made with.
#[derive(Clone)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// The key for a tenant and the resource id of a vault. Both are compared without regard to case by the services,
    /// so they are here.
    pub fn derive(tenant: &str, vault: &str) -> Self {
        let mut hash = Sha256::new();
        for part in ["palisade/fingerprint/1", tenant, vault.trim_end_matches('/')] {
            // The length keeps two parts from flowing into each other.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.to_ascii_lowercase());
        }
        Self(hash.finalize().into())
    }

    /// The fingerprint of a value.
    pub fn fingerprint(&self, secret: &[u8]) -> Fingerprint {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new((&block).into());
        mac.update(secret);
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut kept = [0; LENGTH];
        kept.copy_from_slice(&digest[..LENGTH]);
        Fingerprint(kept)
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(…)")
    }
}

/// Stands for a value in facts, plans, tags and logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; LENGTH]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A text that isn't twelve lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is twelve hexadecimal digits")]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let digits = text.as_bytes();
        if digits.len() != 2 * LENGTH {
            return Err(NotAFingerprint);
        }
        let mut bytes = [0; LENGTH];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn digit(digit: u8) -> Result<u8, NotAFingerprint> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotAFingerprint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: &str = "/subscriptions/1/resourceGroups/a/providers/Microsoft.KeyVault/vaults/kv";

    #[test]
    fn equal_values_are_equal_within_one_tenant_and_vault_only() {
        let key = FingerprintKey::derive("t1", VAULT);
        assert_eq!(key.fingerprint(b"abc"), FingerprintKey::derive("T1", &VAULT.to_uppercase()).fingerprint(b"abc"));
        assert_ne!(key.fingerprint(b"abc"), key.fingerprint(b"abd"));
        assert_ne!(key.fingerprint(b"abc"), FingerprintKey::derive("t2", VAULT).fingerprint(b"abc"));
        assert_ne!(
            FingerprintKey::derive("a", "bc").fingerprint(b"x"),
            FingerprintKey::derive("ab", "c").fingerprint(b"x")
        );
    }

    #[test]
    fn the_form_is_fixed_and_shows_nothing_of_the_value() {
        let print = FingerprintKey::derive("t", "v").fingerprint(b"hunter2");
        assert_eq!(print.to_string().len(), 12);
        assert_eq!(print.to_string().parse(), Ok(print));
        assert_eq!(format!("{:?}", FingerprintKey::derive("t", "v")), "FingerprintKey(…)");
        for bad in ["", "0123456789a", "0123456789abc", "0123456789aG", "0123456789AB", "é23456789ab"] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(NotAFingerprint), "{bad}");
        }
    }
}
