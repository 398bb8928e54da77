//! Microsoft Entra ID and Microsoft Graph.

use super::{Facts, Operation, Read, Service, documented};

const GRAPH_DOCS: &str = "learn.microsoft.com/graph/api (v1.0)";
const GRANT_DOCS: &str = "learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow";

const fn graph(name: &'static str, method: &'static str, path: &'static str, permission: &'static str) -> Facts {
    documented(Service::Graph, GRAPH_DOCS, name, method, path, permission)
}

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

/// A user by user principal name or object id.
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
    "group-count-transitivemembers",
    "GET",
    "/groups/{groupId}/transitiveMembers/$count",
    "Microsoft Graph GroupMember.Read.All",
));

/// Whom a group reaches, nested groups included.
pub const GRAPH_LIST_MEMBERS: Operation<Read> = Operation::read(graph(
    "group-list-transitivemembers",
    "GET",
    "/groups/{groupId}/transitiveMembers",
    "Microsoft Graph GroupMember.Read.All and User.Read.All",
));

/// A token for one audience, for an application with a secret.
pub const ENTRA_TOKEN: Operation<Read> = Operation::read(documented(
    Service::Entra,
    GRANT_DOCS,
    "client-credentials-token",
    "POST",
    "/{tenant}/oauth2/v2.0/token",
    "none",
));
