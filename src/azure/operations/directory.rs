//! Microsoft Entra ID and Microsoft Graph.

use super::super::rights::{GraphPermission, Need, Needs, Right};
use super::{Facts, Operation, Read, Secrets, Service, documented};

const GRAPH_DOCS: &str = "learn.microsoft.com/graph/api (v1.0)";
const GRANT_DOCS: &str = "learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow";

const USERS: Need = Need::OneOf(&[Right::Graph(GraphPermission::Users), Right::Graph(GraphPermission::Directory)]);
const MEMBERS: Need =
    Need::OneOf(&[Right::Graph(GraphPermission::GroupMembers), Right::Graph(GraphPermission::Directory)]);
const READ_USERS: Needs = Needs::All(&[USERS]);
const READ_MEMBERS: Needs = Needs::All(&[MEMBERS]);
/// Members by name, not only by number.
const LIST_MEMBERS: Needs = Needs::All(&[MEMBERS, USERS]);
const READ_APPLICATIONS: Needs = Needs::All(&[Need::OneOf(&[
    Right::Graph(GraphPermission::Applications),
    Right::Graph(GraphPermission::Directory),
])]);

const fn graph(name: &'static str, method: &'static str, path: &'static str, needs: Needs) -> Facts {
    documented(Service::Graph, GRAPH_DOCS, name, method, path, needs)
}

/// Up to twenty look-ups in one request. Palisade puts only reads into a batch.
pub const GRAPH_BATCH: Operation<Read> = Operation::read(graph("batch", "POST", "/$batch", Needs::OfItsLookUps));

/// Directory objects by object id; unknown ids are missing from the answer.
pub const GRAPH_GET_BY_IDS: Operation<Read> = Operation::read(graph(
    "directoryobject-getbyids",
    "POST",
    "/directoryObjects/getByIds",
    Needs::One(Right::Graph(GraphPermission::Directory)),
));

/// A user by user principal name or object id.
pub const GRAPH_GET_USER: Operation<Read> =
    Operation::read(graph("user-get", "GET", "/users/{userPrincipalName}", READ_USERS));

/// The service principal of an application, by application id.
pub const GRAPH_GET_SERVICE_PRINCIPAL: Operation<Read> =
    Operation::read(graph("serviceprincipal-get", "GET", "/servicePrincipals(appId='{appId}')", READ_APPLICATIONS));

/// How many principals a group reaches, nested groups included.
pub const GRAPH_COUNT_MEMBERS: Operation<Read> = Operation::read(graph(
    "group-count-transitivemembers",
    "GET",
    "/groups/{groupId}/transitiveMembers/$count",
    READ_MEMBERS,
));

/// Whom a group reaches, nested groups included.
pub const GRAPH_LIST_MEMBERS: Operation<Read> =
    Operation::read(graph("group-list-transitivemembers", "GET", "/groups/{groupId}/transitiveMembers", LIST_MEMBERS));

/// A token for one audience, for an application with a secret.
pub const ENTRA_TOKEN: Operation<Read> = Operation::read(
    documented(
        Service::Entra,
        GRANT_DOCS,
        "client-credentials-token",
        "POST",
        "/{tenant}/oauth2/v2.0/token",
        Needs::Nothing,
    )
    .with_secrets(Secrets::Both),
);
