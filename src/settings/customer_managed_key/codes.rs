//! The codes of `customerManagedKey`.

use crate::config::codes::codes;
use crate::plan::notes;
pub use crate::settings::encryption_keys::codes::{
    CMK_GRANT_MISSING, CMK_KEY_EXPIRES, CMK_KEY_NOT_FOUND, CMK_KEY_UNFIT, CMK_LOCATION, CMK_VAULT_NOT_FOUND,
    CMK_VAULT_UNFIT,
};

codes! {
    BAD_POLICY_ID "bad-policy-id": "An enterprise policy isn't given by its Azure resource id.";
    POLICY_WITH_TWO_KEYS "policy-with-two-keys": "An enterprise policy is declared with different keys.";
    RETAINED_IN_USE "retained-in-use": "A policy under `retained` isn't a former one, or is listed twice.";
}

notes! {
    CMK_ENVIRONMENT = refusal "cmk-environment": "The environment can't have a customer-managed key.",
        "Trial environments and those of Dataverse for Teams can't be linked to an enterprise policy, nor can an environment without \
         Dataverse. An environment that is disabled takes no operation until it is enabled again.";
    CMK_NOT_MANAGED = refusal "cmk-not-managed": "A customer-managed key needs a Managed Environment.",
        "Customer-managed keys work in Managed Environments only. Declare `managedEnvironment: { enabled: true }` beside it: the \
         plan then makes the environment a managed one first.";
    CMK_POLICY_NOT_FOUND = refusal "cmk-policy-not-found": "Azure has no such enterprise policy.",
        "The declared policy doesn't exist, and the file doesn't ask palisade to create it. With `provision: true` it does, with an \
         identity of its own and the declared key.";
    CMK_POLICY_UNFIT = refusal "cmk-policy-unfit": "The enterprise policy isn't one for customer-managed keys.",
        "Only a policy of the kind Encryption with a system-assigned identity can hold a customer-managed key. A policy's kind can't be \
         changed.";
    CMK_POLICY_KEY = refusal "cmk-policy-key": "The enterprise policy refers to another key than the declared one.",
        "Environments that are linked to a policy are encrypted with its key, so palisade never changes the key of a policy. Another \
         key, or another version of a pinned one, takes a new policy that is linked over the old one; the old policy, its key and its \
         grant stay, under `retained`, for as long as backups need them.";
    CMK_PROVIDER = refusal "cmk-provider": "The subscription hasn't registered Power Platform's resource provider.",
        "Enterprise policies are resources of the provider Microsoft.PowerPlatform, which a subscription must register once.";
    CMK_AT_RISK = finding "cmk-at-risk": "Something that keeps an environment alive is missing.",
        "An environment whose key can't be reached is shut down. A production environment is deleted 30 days after that, a sandbox \
         after 7; for other types no time is documented.";
    CMK_LOCKED = finding "cmk-locked": "An environment is shut down, as far as can be told because it can't reach its key.",
        "An environment that is linked to a customer-managed key and is disabled, while no operation goes on there, is taken for locked. A \
         production environment is deleted 30 days after it was locked, a sandbox after 7; for other types no time is documented. Bring \
         back the key and the grant, then re-enable the environment in the Power Platform admin center.";
    CMK_UNWATCHED = finding "cmk-unwatched": "What keeps an environment alive could not be read.",
        "Palisade looks at the key, the vault, the policy and the grant of every environment with an `environmentId` that is on a \
         customer-managed key, whether or not the file declares `customerManagedKey`. It needs to read the environment in Power Platform, \
         and Reader on the policy and on the vault in Azure.";
    CMK_HEALTH = finding "cmk-health": "Azure doesn't say how an enterprise policy is.",
        "A policy in Azure has a health: Healthy, Unhealthy, Warning or Undetermined. What each stands for isn't documented. Palisade reads \
         key, vault and grant itself; of the policy's own word, only Unhealthy counts.";
    CMK_NO_LONGER_FIT = finding "cmk-no-longer-fit": "A linked environment isn't one that could be linked today.",
        "Customer-managed keys work in Managed Environments with Dataverse, and neither in trials nor in Dataverse for Teams. What \
         becomes of a linked environment that stops being one isn't documented.";
    CMK_OVERDUE = finding "cmk-overdue": "An operation takes longer than the documented four days.",
        "Microsoft documents up to four days for a change of the key. Look at the environment's history in the Power Platform admin \
         center, and open a support request.";
    CMK_DEFAULT_ENVIRONMENT = finding "cmk-default-environment": "Whether a default environment can have a customer-managed key is disputed.",
        "Microsoft's page excludes trial environments and those of Dataverse for Teams only; a record of 2022 shows that the service \
         refused it for a default environment. What the service says beforehand is a hint.";
    CMK_PINNED = finding "cmk-pinned": "The key is pinned to one version.",
        "A policy with a version never follows a new one. Another version takes another policy, and locks users out for up to four \
         days. Without `version`, a new version is picked up within about a day, without an outage.";
    CMK_FORMER_UNWATCHED = finding "cmk-former-unwatched": "A policy that is replaced isn't under `retained`.",
        "Backups and what was written before a change stay encrypted with the former key for a while. Under `retained`, palisade watches \
         the former policy, its key and its grant until nothing needs them any more.";
    CMK_RETIRABLE = finding "cmk-retirable": "A former policy and its key are no longer needed.",
        "Former keys and policies are needed for 30 days after a change, former versions for 28. After that, they can be taken away by \
         hand; palisade never does it.";
    CMK_RETAINED = finding "cmk-retained": "A former key that is still needed is missing, or is kept too short.",
        "For 30 days after a change (28 for a version of the same key), backups need the former policy, its key and its grant.";
    CMK_SERVICES = finding "cmk-services": "Whether every service of the environment uses the customer's key can't be read.",
        "A service such as Power Automate may stay on Microsoft's key after the environment was linked. Only the Power Platform admin \
         center shows that, as a warning.";
    CMK_CONNECTIONS = finding "cmk-connections": "Tokens of connections stay on a Microsoft-managed key.",
        "Power Platform keeps the tokens of all connections, of exports and enrichments in Customer Insights as well, under a key that \
         Microsoft manages, whatever the environment's key is. For the connections that support it, a linked Key Vault (`keyVault`) \
         holds the secrets instead.";
}
