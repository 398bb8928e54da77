//! The codes of `keyVault`.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    REPLACES_ITSELF "replaces-itself": "`keyVault.replaces` is the vault that is to be linked.";
}

notes! {
    VAULT_NOT_FOUND = refusal "vault-not-found": "Azure has no such vault.",
        "Azure Resource Manager answered, and there is no vault with the declared id. Names of vaults are unique in all of \
         Azure: whoever creates one of that name later would receive what is meant for yours.";
    VAULT_TENANT = refusal "vault-tenant": "The vault belongs to another tenant.",
        "A vault takes tokens of one tenant only. Customer Insights reads vaults of the environment's own tenant.";
    VAULT_GEOGRAPHY = refusal "vault-geography": "The vault isn't in the environment's geography.",
        "The product links only vaults in the environment's own Azure geography, such as Europe or the United Kingdom. The \
         environment's region stands under Settings > System > About.";
    VAULT_FIREWALL = refusal "vault-firewall": "The vault's firewall is on.",
        "Customer Insights reads linked vaults over the internet and isn't among the trusted services, so the product demands \
         that the firewall be off, and stay off: public network access on, default action Allow. Otherwise connections fail, some \
         time later. Keep in that vault nothing but the secrets of connections; that is what Microsoft recommends as well.";
    VAULT_SOFT_DELETE = refusal "vault-soft-delete": "Soft delete is off in the vault.",
        "A secret, or the whole vault, that is deleted by mistake stops every connection that uses it. Soft delete keeps it \
         for 7 to 90 days. It can be turned on at any time, and never off.";
    OTHER_VAULT_LINKED = refusal "other-vault-linked": "Another vault is linked than the declared one.",
        "Microsoft doesn't say what becomes of connections that use the former vault, so palisade replaces a linked vault \
         only if `keyVault.replaces` names it. Look at the connections first; take `replaces` out again when it is done.";
    SERVICE_PRINCIPAL_MISSING = refusal "service-principal-missing": "The directory doesn't know Customer Insights' own application.",
        "Customer Insights reads linked vaults as the application 0bfc4568-a4ba-4c58-bd3e-5d3e76bd7fff. Without its service \
         principal in the tenant, nobody can be given rights on the vault.";
    VAULT_SECRET_MISSING = finding "vault-secret-missing": "A connection names a secret that isn't in the vault.",
        "The vault is linked as declared; which secrets connections use isn't palisade's to declare. Somebody deleted or \
         renamed one.";
}
