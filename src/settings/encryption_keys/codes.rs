//! The codes of keys that encrypt something.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    BAD_KEY_ROTATION "bad-key-rotation": "The rotation of a key is one that Key Vault doesn't take, or has no effect.";
    KEY_WITH_TWO_ROTATIONS "key-with-two-rotations": "A key is declared with different rotations.";
    BAD_KEY_NAME "bad-key-name": "A text isn't the name of a key.";
    BAD_KEY_VERSION "bad-key-version": "A text isn't a version of a key.";
}

notes! {
    CMK_LOCATION = refusal "cmk-location": "Environment, enterprise policy and vault aren't in one geography.",
        "An environment can be linked only to an enterprise policy of its own geography, and the policy's key must be in a vault of \
         that geography.";
    CMK_VAULT_NOT_FOUND = refusal "cmk-vault-not-found": "Azure has no vault for the declared key.",
        "Palisade creates no vaults: what is lost with a vault is the data of every environment whose key it holds. Create it with soft \
         delete and purge protection, which can't be turned off again.";
    CMK_VAULT_UNFIT = refusal "cmk-vault-unfit": "The vault of the key doesn't meet what customer-managed keys demand.",
        "The vault must belong to the tenant, keep deleted keys (soft delete), let nobody purge them (purge protection), and let \
         trusted Microsoft services in if its network is closed. Otherwise the environment can lose its key, and with it its data.";
    CMK_PERIMETER = finding "cmk-perimeter": "A network security perimeter decides who reaches the vault of a key.",
        "The perimeter's rules come before the vault's own. Make sure that they let in who encrypts with the key, before the perimeter is \
         enforced: what can't reach its key is shut down.";
    CMK_KEY_NOT_FOUND = refusal "cmk-key-not-found": "The vault has no such key.",
        "Palisade creates no keys. Create an RSA key of 2048 or 3072 bits.";
    CMK_KEY_UNFIT = refusal "cmk-key-unfit": "The key can't encrypt an environment.",
        "A customer-managed key is an RSA or RSA-HSM key of 2048 or 3072 bits that is enabled, within its dates, and may wrap and unwrap \
         keys.";
    CMK_GRANT_MISSING = refusal "cmk-grant-missing": "The policy's identity may not use the key.",
        "Power Platform uses the key as the system-assigned identity of the enterprise policy. With `provision: true` palisade grants it \
         the role Key Vault Crypto Service Encryption User on the vault, or get, wrapKey and unwrapKey where the vault goes by access \
         policies.";
    CMK_KEY_EXPIRES = finding "cmk-key-expires": "A key that something is encrypted with expires soon.",
        "What is encrypted with an expired key can't be read any more: an environment is shut down, and later deleted. Make a new version \
         in time, or set a later date. How long before that palisade says so is `warnBefore` of the key, 30 days unless the file says \
         otherwise.";
    CMK_ROTATION_POLICY = refusal "cmk-rotation-policy": "The key's rotation policy can't be what the file says.",
        "A version is needed for 28 days after it is replaced. The key's rotation policy has an expiry of its own that is too \
         short for the declared `rotateAfter`. Declare `expireAfter` as well, or rotate sooner.";
    CMK_VERSIONS_EXPIRE = finding "cmk-versions-expire": "New versions of the key expire.",
        "An expired key locks the environments that are encrypted with it. If the vault doesn't rotate in time, because the key's rotation \
         policy is changed or the vault can't be reached, the last version expires. Without `expireAfter`, versions don't expire.";
}
