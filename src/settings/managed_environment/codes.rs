//! The codes of `managedEnvironment`.

use crate::plan::notes;

notes! {
    MANAGED_IN_USE = refusal "managed-in-use": "An environment can't stop being a Managed Environment while it uses what only those have.",
        "A customer-managed key, a virtual network and the enforcement of Customer Lockbox work in Managed Environments only. \
         Before an environment becomes an ordinary one, none of them may be in use, and palisade must be able to read that. Whether \
         Customer Lockbox is on can't be read by any published operation, so palisade never makes an environment an ordinary one: \
         do that in the Power Platform admin center, where a person sees the rest.";
    MANAGED_BY_GROUP = finding "managed-by-group": "An environment group owns the detailed settings of the environment.",
        "The rules of an environment group apply to all environments in it, make them managed, and can't be overridden in one of \
         them. Whether the environment is managed is decided there.";
}
