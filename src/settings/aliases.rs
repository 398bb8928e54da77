//! What people write for the keys and values of the file: the services' own words, and those of neighbouring programs.
//!
//! One table for all blocks: a word counts wherever a map knows one of the keys that it can mean.
//!
//! Invariants: every key and value that is meant is one that the file has; nothing is read differently because of this table.

use crate::config::{Alias, Meant, Statement, Stranger, Vocabulary, meant};

/// What people write for keys and values.
pub(crate) const VOCABULARY: Vocabulary = Vocabulary { keys: KEYS, values: VALUES, statements: STATEMENTS };

const STATEMENTS: &[Statement] = &[Statement {
    keys: &["dataPrivacyConsent", "agreedBy", "agreedOn"],
    blanks: &["…", "WHO", "YYYY-MM-DD"],
    ask: "a person must have read the terms on the product's page: write who agreed, and on which day",
}];

/// What says that an id beside it is that of a principal with a name.
const NAMED: &[&str] =
    &["user", "group", "app", "email", "mail", "upn", "userPrincipalName", "name", "displayName", "groupName"];
const APP: &[&str] = &["app", "user", "group", "application", "appName", "servicePrincipal", "name", "displayName"];

const fn beside(key: &'static str, others: &'static [&'static str]) -> Meant {
    Meant { key, beside: others, form: None }
}

const KEYS: &[Alias] = &[
    // Who has a role
    Alias {
        words: &[
            "email",
            "mail",
            "eMailAddress",
            "upn",
            "userPrincipalName",
            "signInName",
            "userName",
            "login",
            "account",
            "person",
        ],
        meant: &[meant("user")],
    },
    Alias {
        words: &["name", "displayName", "title"],
        meant: &[
            beside("app", &["appId", "clientId", "applicationId"]),
            meant("user"),
            meant("group"),
            meant("app"),
            meant("secret"),
            meant("name"),
            meant("id"),
        ],
    },
    Alias { words: &["groupName", "securityGroup", "team"], meant: &[meant("group")] },
    Alias {
        words: &["application", "appName", "servicePrincipal", "enterpriseApplication", "identity"],
        meant: &[meant("app")],
    },
    Alias {
        words: &["objectId", "oid", "entraId", "aadObjectId", "principalId"],
        meant: &[beside("id", NAMED), meant("principal")],
    },
    Alias { words: &["userId", "groupId"], meant: &[beside("id", NAMED), meant("principal")] },
    Alias {
        words: &["appId", "clientId", "applicationId"],
        meant: &[beside("id", APP), Meant { key: "app", beside: &[], form: Some("app: NAME, id: {}") }],
    },
    Alias {
        words: &["roleName", "permission", "access", "accessLevel", "roleDefinition", "roleId"],
        meant: &[meant("role")],
    },
    Alias { words: &["members", "list", "entries", "principals", "roleAssignments"], meant: &[meant("assignments")] },
    Alias { words: &["mode", "matching", "strategy"], meant: &[meant("match")] },
    // Resources
    Alias {
        words: &[
            "vault",
            "vaultId",
            "vaultUri",
            "vaultUrl",
            "vaultName",
            "keyVault",
            "keyVaultId",
            "keyVaultUri",
            "keyVaultName",
        ],
        meant: &[meant("vault"), meant("id")],
    },
    Alias {
        words: &["resource", "resourceId", "uri", "url", "link", "armId", "azureId", "target"],
        meant: &[meant("resource"), meant("vault"), meant("id")],
    },
    Alias {
        words: &["id"],
        meant: &[meant("resource"), meant("vault"), meant("instanceId"), meant("environmentId"), meant("principal")],
    },
    Alias {
        words: &[
            "storageAccount",
            "storageAccountId",
            "storage",
            "account",
            "workspace",
            "workspaceId",
            "synapse",
            "lake",
            "endpoint",
        ],
        meant: &[meant("resource")],
    },
    Alias { words: &["secretName", "secretId", "secretUri", "key", "keyName"], meant: &[meant("secret")] },
    Alias {
        words: &["resources", "endpoints", "connections", "privateEndpoints"],
        meant: &[meant("links"), meant("privateLinks")],
    },
    // Who agreed, who looked, and when
    Alias { words: &["consent", "privacyConsent", "dataConsent", "agreement"], meant: &[meant("dataPrivacyConsent")] },
    Alias {
        words: &["by", "who", "user", "author", "agreed", "attestedBy", "seenBy"],
        meant: &[meant("agreedBy"), meant("by")],
    },
    Alias {
        words: &["on", "date", "when", "at", "day", "agreedAt", "attestedOn", "seenOn"],
        meant: &[meant("agreedOn"), meant("on"), meant("enabled")],
    },
    Alias { words: &["seen", "observed", "value", "state"], meant: &[meant("saw")] },
    Alias { words: &["expires", "until", "validity", "ttl", "expiresIn"], meant: &[meant("validFor")] },
    // API access
    Alias { words: &["active", "state", "isEnabled", "allowed"], meant: &[meant("enabled")] },
    Alias { words: &["publish", "publishedTo", "destination"], meant: &[meant("publishTo")] },
    Alias {
        words: &["rotateAfter", "rotationPeriod", "rotateEvery", "lifetime", "age", "ttl", "expiresIn"],
        meant: &[meant("maxAge")],
    },
    Alias { words: &["cache", "cacheFor", "cacheTtl", "ttl"], meant: &[meant("maxCache")] },
    Alias { words: &["gracePeriod"], meant: &[meant("grace")] },
    // Environments and their blocks
    Alias { words: &["instance", "customerInsightsInstanceId", "ciInstanceId"], meant: &[meant("instanceId")] },
    Alias {
        words: &["environment", "envId", "powerPlatformEnvironmentId", "bapEnvironmentId"],
        meant: &[meant("environmentId"), meant("environments")],
    },
    Alias { words: &["envs", "instances"], meant: &[meant("environments")] },
    Alias { words: &["defaults", "default", "common", "shared", "global"], meant: &[meant("base")] },
    Alias { words: &["api", "apis", "apiKeys"], meant: &[meant("apiAccess")] },
    Alias { words: &["permissions", "access", "rbac", "userAccess", "roleAssignments"], meant: &[meant("users")] },
    Alias { words: &["privateEndpoint", "networking", "network"], meant: &[meant("privateLinks")] },
    Alias { words: &["attestations", "attest"], meant: &[meant("attested")] },
    Alias { words: &["tenantId", "directoryId"], meant: &[meant("id"), meant("tenant")] },
];

/// Who may do what is from the product's page about user roles, the roles of Dataverse are those into which it mirrors its own.
const VALUES: &[Stranger] = &[
    Stranger {
        of: "Role",
        values: &[
            "Administrator",
            "Environment Admin",
            "Power Platform Administrator",
            "Dynamics 365 Administrator",
            "Global Administrator",
            "Company Administrator",
        ],
        meant: "Admin",
        why: "the role that may do every operation is called Admin here",
    },
    Stranger {
        of: "Role",
        values: &["System Administrator"],
        meant: "Admin",
        why: "that is a role of Dataverse, which the role Admin brings with it",
    },
    Stranger {
        of: "Role",
        values: &["Owner"],
        meant: "Admin",
        why: "the owner of an environment is one of its Admins, not a role",
    },
    Stranger {
        of: "Role",
        values: &["User Access Administrator"],
        meant: "Admin",
        why: "that is a role of Azure; the role of Customer Insights that may give roles is Admin",
    },
    Stranger {
        of: "Role",
        values: &["Reader", "Read", "ReadOnly", "Guest", "Auditor"],
        meant: "Viewer",
        why: "the role of Customer Insights that configures nothing is Viewer",
    },
    Stranger {
        of: "Role",
        values: &[
            "Editor",
            "Writer",
            "Write",
            "ReadWrite",
            "System Customizer",
            "Environment Maker",
            "Maker",
            "Author",
        ],
        meant: "Contributor",
        why: "the role of Customer Insights that may change data and configuration, but not give roles, is Contributor",
    },
    Stranger {
        of: "Role",
        values: &["Marketing", "Marketer", "Marketing Professional"],
        meant: "Marketing Contributor",
        why: "Marketing Contributor exists only where business unit separation is on, which `businessUnits: true` says",
    },
];
