//! The operation catalogue: every call that palisade can make, as data.
//!
//! Words: an operation's *effect* is what it does to the service; it is *repeatable* if sending it twice leaves what
//! sending it once leaves, so that it may be replayed when its answer got lost; its *provenance* is how far Microsoft has
//! published it. What must stay true: the marker type of an [`Operation`] agrees with its effect (checked when the
//! constant is compiled), and every constant is among [`all`] (checked by a test).

pub mod arm;

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

/// A service with hosts and an audience of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Microsoft Entra ID: tokens.
    Entra,
    /// Microsoft Graph: who a principal is.
    Graph,
    /// Customer Insights - Data, on whichever face the configuration names.
    CustomerInsights,
    /// Customer Insights - Data on its scale unit, where its own user interface calls it.
    ScaleUnit,
    /// Azure Resource Manager.
    Arm,
    /// Palisade's emulator about itself.
    Emulator,
}

impl Service {
    /// The resource that a token must be issued for; `None` for services that take no token.
    ///
    /// Customer Insights: Microsoft's own samples and connector ask for this resource (reference 2.2).
    pub fn audience(self) -> Option<&'static str> {
        match self {
            Service::CustomerInsights | Service::ScaleUnit => Some("https://api.ci.ai.microsoft.com"),
            Service::Graph => Some("https://graph.microsoft.com"),
            // What the official libraries ask for (azure reference 7.12).
            Service::Arm => Some("https://management.azure.com"),
            Service::Entra | Service::Emulator => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Service::Entra => "Microsoft Entra ID",
            Service::Graph => "Microsoft Graph",
            Service::CustomerInsights | Service::ScaleUnit => "Customer Insights",
            Service::Arm => "Azure Resource Manager",
            Service::Emulator => "emulator",
        })
    }
}

/// How far an operation is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provenance {
    /// Microsoft publishes it.
    Documented,
    /// Seen only in public code.
    Observed,
    /// The product does it, but no operation is known; served by the emulator in the product's house style.
    Undocumented,
}

/// What an operation does to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing.
    Read,
    /// Changes something.
    Write,
    /// Takes something away.
    Destructive,
}

/// Marks operations that only read.
#[derive(Debug, Clone, Copy)]
pub enum Read {}

/// Marks operations that write.
#[derive(Debug, Clone, Copy)]
pub enum Write {}

/// What is known about one operation.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Its name: the service's own operation id where it has one.
    pub name: &'static str,
    /// The service.
    pub service: Service,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the service's base, parameters in braces.
    pub path: &'static str,
    /// What is sent as `api-version`, where the service asks for one. Pinned: a new version is a change of palisade.
    pub api_version: Option<&'static str>,
    /// What it does.
    pub effect: Effect,
    /// Whether it may be replayed when its answer got lost.
    pub repeatable: bool,
    /// How far it is public.
    pub provenance: Provenance,
    /// Where that can be looked up.
    pub source: &'static str,
    /// The right that a caller needs.
    pub permission: &'static str,
}

/// An entry of the catalogue, marked [`Read`] or [`Write`].
pub struct Operation<E> {
    facts: Facts,
    effect: PhantomData<E>,
}

impl Operation<Read> {
    /// An operation that only reads; refuses to compile for facts that say otherwise.
    #[expect(clippy::panic, reason = "evaluated by the compiler: a wrong entry is a build error")]
    const fn read(facts: Facts) -> Self {
        match facts.effect {
            Effect::Read => Self { facts, effect: PhantomData },
            Effect::Write | Effect::Destructive => panic!("this operation writes"),
        }
    }
}

impl Operation<Write> {
    /// An operation that writes; refuses to compile for facts that say otherwise.
    #[expect(clippy::panic, reason = "evaluated by the compiler: a wrong entry is a build error")]
    const fn write(facts: Facts) -> Self {
        match facts.effect {
            Effect::Write | Effect::Destructive => Self { facts, effect: PhantomData },
            Effect::Read => panic!("this operation only reads"),
        }
    }
}

impl<E> Operation<E> {
    /// What is known about it.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl<E> fmt::Debug for Operation<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.facts.method, self.facts.path)
    }
}

const CI_LIBRARY: &str =
    "microsoft/Dynamics365-CustomerInsights-Client-Libraries, src/client_libraries/python/code-model-v1 (1.0.8)";
const HOUSE_STYLE: &str = "none: Microsoft publishes no operation; the emulator serves it in the product's house style";
const GRAPH_DOCS: &str = "learn.microsoft.com/graph/api (v1.0)";
const CI_ADMIN: &str = "Customer Insights role Admin in the environment";
const CI_MEMBER: &str = "any Customer Insights role in the environment";

const fn customer_insights(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    permission: &'static str,
) -> Facts {
    Facts {
        name,
        service: Service::CustomerInsights,
        method,
        path,
        api_version: None,
        effect: Effect::Read,
        repeatable: true,
        provenance: Provenance::Documented,
        source: CI_LIBRARY,
        permission,
    }
}

const fn unpublished(name: &'static str, method: &'static str, path: &'static str) -> Facts {
    Facts {
        service: Service::ScaleUnit,
        provenance: Provenance::Undocumented,
        source: HOUSE_STYLE,
        ..customer_insights(name, method, path, CI_ADMIN)
    }
}

const fn graph(name: &'static str, method: &'static str, path: &'static str, permission: &'static str) -> Facts {
    Facts { service: Service::Graph, source: GRAPH_DOCS, ..customer_insights(name, method, path, permission) }
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
    ..unpublished("apisubscription-activate", "PUT", "/instances/{instanceId}/manage/apisubscription/activate")
});

/// Turns API access off; the keys stop at once.
pub const DEACTIVATE_API_SUBSCRIPTION: Operation<Write> = Operation::write(Facts {
    effect: Effect::Destructive,
    repeatable: false,
    ..unpublished("apisubscription-deactivate", "PUT", "/instances/{instanceId}/manage/apisubscription/deactivate")
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

/// Up to twenty look-ups in one request. Palisade puts only reads into a batch.
pub const GRAPH_BATCH: Operation<Read> =
    Operation::read(graph("batch", "POST", "/$batch", "Microsoft Graph: the rights of the look-ups inside"));

/// Directory objects by object id; unknown ids are missing from the answer.
pub const GRAPH_GET_BY_IDS: Operation<Read> = Operation::read(graph(
    "directoryobject-getbyids",
    "POST",
    "/directoryObjects/getByIds",
    "Microsoft Graph Directory.Read.All",
));

/// A user by user principal name.
pub const GRAPH_GET_USER: Operation<Read> =
    Operation::read(graph("user-get", "GET", "/users/{userPrincipalName}", "Microsoft Graph User.Read.All"));

/// The service principal of an application, by application id.
pub const GRAPH_GET_SERVICE_PRINCIPAL: Operation<Read> = Operation::read(graph(
    "serviceprincipal-get",
    "GET",
    "/servicePrincipals(appId='{appId}')",
    "Microsoft Graph Application.Read.All",
));

/// How many principals a group reaches, nested groups included.
pub const GRAPH_COUNT_MEMBERS: Operation<Read> = Operation::read(graph(
    "group-list-transitivemembers",
    "GET",
    "/groups/{groupId}/transitiveMembers/$count",
    "Microsoft Graph GroupMember.Read.All",
));

/// A token for one audience, for an application with a secret.
pub const ENTRA_TOKEN: Operation<Read> = Operation::read(Facts {
    service: Service::Entra,
    source: "learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow",
    ..customer_insights("client-credentials-token", "POST", "/{tenant}/oauth2/v2.0/token", "none")
});

/// Which world an emulator serves.
pub const EMULATOR_ABOUT: Operation<Read> = Operation::read(Facts {
    service: Service::Emulator,
    source: "palisade's own emulator",
    ..customer_insights("emulator-about", "GET", "/_emulator", "none")
});

/// The whole catalogue.
pub fn all() -> impl Iterator<Item = &'static Facts> {
    ALL.iter().chain(arm::ALL).copied()
}

/// Everything but [`arm::ALL`].
const ALL: &[&Facts] = &[
    LIST_INSTANCES.facts(),
    GET_INSTANCE.facts(),
    LIST_ROLES.facts(),
    GET_MY_ROLE.facts(),
    LIST_ASSIGNMENTS.facts(),
    PUT_ASSIGNMENT.facts(),
    DELETE_ASSIGNMENT.facts(),
    GET_API_SUBSCRIPTION.facts(),
    ACTIVATE_API_SUBSCRIPTION.facts(),
    DEACTIVATE_API_SUBSCRIPTION.facts(),
    GET_KEY_VAULT.facts(),
    PUT_KEY_VAULT.facts(),
    DELETE_KEY_VAULT.facts(),
    LIST_PRIVATE_LINKS.facts(),
    ADD_PRIVATE_LINK.facts(),
    GET_PRIVATE_LINK.facts(),
    DELETE_PRIVATE_LINK.facts(),
    VALIDATE_PRIVATE_LINK.facts(),
    GRAPH_BATCH.facts(),
    GRAPH_GET_BY_IDS.facts(),
    GRAPH_GET_USER.facts(),
    GRAPH_GET_SERVICE_PRINCIPAL.facts(),
    GRAPH_COUNT_MEMBERS.facts(),
    ENTRA_TOKEN.facts(),
    EMULATOR_ABOUT.facts(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_holds_every_operation_once() {
        let declared = |source: &str| source.matches("\npub const ").count();
        assert_eq!(ALL.len(), declared(include_str!("mod.rs")), "an operation is missing from ALL");
        assert_eq!(arm::ALL.len(), declared(include_str!("arm.rs")) - 1, "an operation is missing from arm::ALL");
        let mut names: Vec<_> = all().map(|facts| facts.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "two operations share a name");
    }

    #[test]
    fn what_is_not_published_is_never_called_documented() {
        for facts in all() {
            assert_eq!(facts.source == HOUSE_STYLE, facts.provenance == Provenance::Undocumented, "{}", facts.name);
            assert!(facts.path.starts_with('/') && !facts.permission.is_empty(), "{}", facts.name);
        }
    }
}
