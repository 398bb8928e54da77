//! Customer Insights - Data.

use super::super::rights::{CustomerInsightsRole, Needs, Right};
use super::{Effect, Facts, HOUSE_STYLE, Operation, Provenance, Read, Secrets, Service, Write, documented};

const CI_LIBRARY: &str =
    "microsoft/Dynamics365-CustomerInsights-Client-Libraries, src/client_libraries/python/code-model-v1 (1.0.8)";
const CI_ADMIN: Needs = Needs::One(Right::CustomerInsights(CustomerInsightsRole::Admin));
const CI_MEMBER: Needs = Needs::One(Right::CustomerInsights(CustomerInsightsRole::Any));

const fn customer_insights(name: &'static str, method: &'static str, path: &'static str, needs: Needs) -> Facts {
    documented(Service::CustomerInsights, CI_LIBRARY, name, method, path, needs)
}

const fn unpublished(name: &'static str, method: &'static str, path: &'static str) -> Facts {
    Facts {
        service: Service::ScaleUnit,
        provenance: Provenance::Undocumented,
        source: HOUSE_STYLE,
        ..customer_insights(name, method, path, CI_ADMIN)
    }
}

/// All environments that the caller can see.
pub const LIST_INSTANCES: Operation<Read> =
    Operation::read(customer_insights("Get-all-instances", "GET", "/instances", CI_MEMBER));

/// One environment.
pub const GET_INSTANCE: Operation<Read> =
    Operation::read(customer_insights("Get-instance-metadata", "GET", "/instances/{instanceId}", CI_MEMBER));

/// The roles that the environment knows.
pub const LIST_ROLES: Operation<Read> = Operation::read(customer_insights(
    "Get-all-role-definitions",
    "GET",
    "/instances/{instanceId}/rbac/roles",
    CI_ADMIN,
));

/// The caller's own role.
pub const GET_MY_ROLE: Operation<Read> = Operation::read(customer_insights(
    "Get-current-user-role",
    "GET",
    "/instances/{instanceId}/rbac/myrole",
    CI_MEMBER,
));

/// Everybody's roles. A bare array: the service documents no paging, so a well-formed answer is the whole list.
pub const LIST_ASSIGNMENTS: Operation<Read> = Operation::read(customer_insights(
    "Get-all-role-assignments",
    "GET",
    "/instances/{instanceId}/rbac/assignments",
    CI_ADMIN,
));

/// Gives a principal a role, or another role.
pub const PUT_ASSIGNMENT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..customer_insights(
        "Update-a-role-assignment",
        "PUT",
        "/instances/{instanceId}/rbac/principals/{principalId}/assignment",
        CI_ADMIN,
    )
});

/// Takes a principal's roles away.
pub const DELETE_ASSIGNMENT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..customer_insights(
        "Deletes-a-role-assignment",
        "DELETE",
        "/instances/{instanceId}/rbac/principals/{principalId}/assignment",
        CI_ADMIN,
    )
});

/// Whether API access is on.
pub const GET_API_SUBSCRIPTION: Operation<Read> =
    Operation::read(unpublished("apisubscription-get", "GET", "/instances/{instanceId}/manage/apisubscription"));

/// Turns API access on. Not repeatable: it creates keys, and nobody says what a second call does to them.
pub const ACTIVATE_API_SUBSCRIPTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    secrets: Secrets::Answer,
    ..unpublished("apisubscription-activate", "PUT", "/instances/{instanceId}/manage/apisubscription/activate")
});

/// Turns API access off; the keys stop at once.
pub const DEACTIVATE_API_SUBSCRIPTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    repeatable: false,
    ..unpublished("apisubscription-deactivate", "PUT", "/instances/{instanceId}/manage/apisubscription/deactivate")
});

/// Both API keys. Sent as a POST, and reads all the same: in the product they can be shown at any time.
pub const LIST_API_KEYS: Operation<Read> = Operation::read(
    unpublished("apisubscription-listsecrets", "POST", "/instances/{instanceId}/manage/apisubscription/listsecrets")
        .with_secrets(Secrets::Answer),
);

/// Makes a new primary key; the old one dies. A second call would make the first one's key die, too.
pub const REGENERATE_PRIMARY_KEY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    repeatable: false,
    secrets: Secrets::Answer,
    ..unpublished(
        "apisubscription-regenerateprimarykey",
        "POST",
        "/instances/{instanceId}/manage/apisubscription/regenerateprimarykey",
    )
});

/// Makes a new secondary key; the old one dies. A second call would make the first one's key die, too.
pub const REGENERATE_SECONDARY_KEY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    repeatable: false,
    secrets: Secrets::Answer,
    ..unpublished(
        "apisubscription-regeneratesecondarykey",
        "POST",
        "/instances/{instanceId}/manage/apisubscription/regeneratesecondarykey",
    )
});

/// The harmless call that tells whether an API key works: the list of environments, on the gateway, which asks for a key
/// whatever face the configuration names.
pub const TRY_API_KEY: Operation<Read> = Operation::read(Facts {
    service: Service::Gateway,
    secrets: Secrets::Request,
    ..customer_insights("Get-all-instances, with an API key", "GET", "/instances", CI_MEMBER)
});

/// The Key Vault that an environment is linked to.
pub const GET_KEY_VAULT: Operation<Read> =
    Operation::read(unpublished("keyvault-get", "GET", "/instances/{instanceId}/manage/keyvault"));

/// Links a Key Vault, in place of the one before if there was one.
pub const PUT_KEY_VAULT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..unpublished("keyvault-put", "PUT", "/instances/{instanceId}/manage/keyvault")
});

/// Ends the link to a Key Vault. What becomes of the connections that use it isn't known.
pub const DELETE_KEY_VAULT: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..unpublished("keyvault-delete", "DELETE", "/instances/{instanceId}/manage/keyvault")
});

/// All private links of an environment.
pub const LIST_PRIVATE_LINKS: Operation<Read> =
    Operation::read(unpublished("privatelinks-list", "GET", "/instances/{instanceId}/manage/privatelinks"));

/// Adds a private link, which asks for connections on the Azure side. Not repeatable: nobody says what a second call does.
pub const ADD_PRIVATE_LINK: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..unpublished("privatelinks-add", "POST", "/instances/{instanceId}/manage/privatelinks")
});

/// One private link.
pub const GET_PRIVATE_LINK: Operation<Read> = Operation::read(unpublished(
    "privatelinks-get",
    "GET",
    "/instances/{instanceId}/manage/privatelinks/{privateLinkId}",
));

/// Removes a private link.
pub const DELETE_PRIVATE_LINK: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    ..unpublished("privatelinks-delete", "DELETE", "/instances/{instanceId}/manage/privatelinks/{privateLinkId}")
});

/// Has a private link checked end to end; true only if all of its connections are approved.
pub const VALIDATE_PRIVATE_LINK: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    ..unpublished(
        "privatelinks-validate",
        "POST",
        "/instances/{instanceId}/manage/privatelinks/{privateLinkId}/validate",
    )
});
