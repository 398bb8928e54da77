//! What lies in Azure at the beginning, and what environments have to do with it: vaults, published keys, links.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::{
    AccessPolicy, ApiSubscription, Attributes, AzurePrincipalType, Connection, ConnectionStatus, LinkEndpoint, Masked,
    PolicyPermissions, PrivateLink, RoleAssignment, SERVICE_APP, Secret, SecretVersion, Vault, World,
};
use uuid::Uuid;

use crate::declared::{Declared, Environment};
use crate::dice::Dice;
use crate::events::{link, strangers};
use crate::names::{FORMER, KEYS_VAULT, LINKED, MICROSOFT, OTHER_INSTANCE, TENANT, VAULTS, account, accounts, vault};

/// The instant at which worlds begin.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

/// Key Vault Reader and Key Vault Secrets User: what Customer Insights needs on a linked vault.
pub(crate) const READING: [Uuid; 2] = [
    Uuid::from_u128(0x2109_0545_7ca7_4776_b22c_e363_652d_74d2),
    Uuid::from_u128(0x4633_458b_17de_408a_b874_0445_c86b_69e6),
];

fn ago(days: i64) -> Timestamp {
    let now: Timestamp = NOW.parse().unwrap();
    now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap()
}

pub(crate) fn service(world: &World) -> Option<Uuid> {
    world.applications.iter().find(|(_, application)| application.app_id == SERVICE_APP).map(|(id, _)| *id)
}

pub(crate) fn furnish(world: &mut World, declared: &Declared, wild: bool, dice: &mut Dice) {
    for environment in &declared.environments {
        let id = environment.instance();
        let api = match environment.api {
            Some(_) => keys(world, environment, dice),
            None => switched(dice.chance(40), environment.number),
        };
        world.instances.get_mut(&id).unwrap().api_subscription = api;
        if environment.vault.is_some() {
            let linked = dice.weighted(&[(55, None), (15, Some(LINKED)), (25, Some(FORMER)), (5, Some(KEYS_VAULT))]);
            if let Some(linked) = linked {
                link(world.instances.get_mut(&id).unwrap(), vault(linked));
            }
        }
        if environment.links.is_some() {
            links(world, environment, wild, dice);
        }
    }
    if world.vaults.contains_key(VAULTS[LINKED]) {
        rights(world, dice);
    }
    let other = world.instances.get_mut(&OTHER_INSTANCE).unwrap();
    other.api_subscription = switched(dice.chance(60), 9);
    if dice.chance(50) {
        link(other, vault(FORMER));
    }
    let (made, _) = private_link(7, "elsewhere", ConnectionStatus::Approved);
    other.private_links = vec![made];
}

fn switched(on: bool, number: usize) -> ApiSubscription {
    let key = |slot: &str| on.then(|| Masked::new(format!("{slot}-key-at-the-beginning-{number:04}")));
    ApiSubscription {
        is_subscribed: on,
        primary_key: key("primary"),
        secondary_key: key("secondary"),
        primary_key_regenerated_utc: on.then(|| ago(300)),
        secondary_key_regenerated_utc: on.then(|| ago(300)),
        version: 1,
    }
}

/// A version of a secret that holds a key, made so many days ago.
fn version(number: usize, value: &str, days: i64, tags: &[(&str, String)]) -> SecretVersion {
    let created = ago(days);
    let attributes = Attributes { enabled: true, not_before: None, expires: None, created, updated: created };
    let tags: BTreeMap<String, String> = tags.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let (version, tags) = (format!("{number:032x}"), (!tags.is_empty()).then_some(tags));
    SecretVersion { version, value: Masked::new(value), content_type: None, attributes, tags }
}

/// Where the keys of an environment stand, and what is published.
fn keys(world: &mut World, environment: &Environment, dice: &mut Dice) -> ApiSubscription {
    let number = environment.number;
    if environment.keys().is_none() {
        return switched(dice.chance(50), number);
    }
    let on = switched(true, number);
    let (primary, secondary) = ("primary", "secondary");
    let value = |slot: &str| format!("{slot}-key-at-the-beginning-{number:04}");
    let ours = |slot: &str, days: i64| {
        vec![
            ("palisade-slot", slot.to_owned()),
            ("palisade-issued", ago(days).to_string()),
            ("palisade-instance", environment.instance().to_string()),
        ]
    };
    let story = dice.weighted(&[
        (18, "off"),
        (14, "unpublished"),
        (14, "fresh"),
        (28, "due"),
        (12, "replaced"),
        (7, "dead"),
        (3, "foreign"),
        (4, "untagged"),
    ]);
    let versions = match story {
        "off" => return switched(false, number),
        "unpublished" => return on,
        "fresh" => vec![version(1, &value(primary), 20, &ours(primary, 20))],
        "due" => vec![version(1, &value(primary), 95, &ours(primary, 95))],
        "replaced" => {
            let days = dice.pick(&[3, 8, 30]);
            let first = version(1, &value(secondary), 90, &ours(secondary, 90));
            vec![first, version(2, &value(primary), days, &ours(primary, days))]
        }
        "dead" => vec![version(1, "a-key-that-died-long-ago", 40, &ours(primary, 40))],
        "foreign" => vec![version(1, "something-else-altogether", 40, &[])],
        _ => vec![version(1, &value(secondary), 120, &[])],
    };
    let name = environment.secret();
    if let Some(vault) = world.vaults.get_mut(VAULTS[KEYS_VAULT]) {
        vault.secrets.insert(name.clone(), Secret { name, versions, deleted: None });
    }
    on
}

/// What Customer Insights may do in the vault that is declared to be linked.
fn rights(world: &mut World, dice: &mut Dice) {
    let Some(service) = service(world) else { return };
    let by_roles = dice.chance(65);
    let held = dice.weighted(&[(45, 0), (15, 1), (40, 2)]);
    let found: &mut Vault = world.vaults.get_mut(VAULTS[LINKED]).unwrap();
    found.enable_rbac_authorization = Some(by_roles);
    if by_roles {
        for (number, role_definition) in READING.into_iter().enumerate().take(held) {
            let (scope, principal_type) = (vault(LINKED), AzurePrincipalType::ServicePrincipal);
            let name = Uuid::from_u128(0x0bfc_1111_0000_4000_8000_0000_0000_0000 + number as u128);
            let created_on = ago(30);
            world.role_assignments.push(RoleAssignment {
                name,
                scope,
                role_definition,
                principal_id: service,
                principal_type,
                description: None,
                created_on,
            });
        }
        return;
    }
    let list = |wanted: bool| if wanted { vec!["Get".to_owned(), "List".to_owned()] } else { Vec::new() };
    let permissions = PolicyPermissions {
        keys: list(held > 1),
        secrets: list(held > 0),
        certificates: list(held > 1),
        ..PolicyPermissions::default()
    };
    let mut policies = vec![AccessPolicy {
        tenant_id: TENANT,
        object_id: Uuid::from_u128(77),
        application_id: None,
        permissions: PolicyPermissions { secrets: vec!["all".to_owned()], ..PolicyPermissions::default() },
    }];
    if held > 0 {
        policies.push(AccessPolicy { tenant_id: TENANT, object_id: service, application_id: None, permissions });
    }
    found.access_policies = policies;
}

const ENDPOINTS: [(&str, &str, bool); 4] = [
    ("blob", "blob", false),
    ("blobforsynapse", "blobForSynapse", true),
    ("dfs", "dfs", false),
    ("dfsforsynapse", "dfsForSynapse", true),
];

/// A link as Customer Insights would have made it, with its connections.
fn private_link(number: usize, name: &str, status: ConnectionStatus) -> (PrivateLink, Vec<Connection>) {
    let endpoint = |(index, (suffix, kind, by_synapse)): (usize, (&str, &str, bool))| {
        let own = format!("pe-{name}-{suffix}");
        let (group, full) = match by_synapse {
            true => ("prod-weu-01-synapse01-network", format!("prod-weu-01-synapse01.{own}")),
            false => ("prod-weu-01-privatelinks", own.clone()),
        };
        LinkEndpoint {
            name: own,
            sub_resource_type: kind.to_owned(),
            private_endpoint: format!(
                "/subscriptions/{MICROSOFT}/resourceGroups/{group}/providers/Microsoft.Network/privateEndpoints/{full}"
            ),
            connection: format!("{name}.seeded{index}"),
        }
    };
    let endpoints: Vec<LinkEndpoint> = ENDPOINTS.into_iter().enumerate().map(endpoint).collect();
    let connection = |endpoint: &LinkEndpoint| Connection {
        name: endpoint.connection.clone(),
        private_endpoint: endpoint.private_endpoint.clone(),
        status,
        description: String::new(),
        decided: None,
        change: None,
    };
    let connections = endpoints.iter().map(connection).collect();
    let link = PrivateLink {
        id: Uuid::from_u128(0x0bfc_2222_0000_4000_8000_0000_0000_0000 + number as u128),
        resource: account(name),
        is_validated: false,
        endpoints,
        version: 1,
        created_by: "ada@contoso.com".to_owned(),
        created_utc: ago(30),
    };
    (link, connections)
}

fn links(world: &mut World, environment: &Environment, wild: bool, dice: &mut Dice) {
    use ConnectionStatus::{Approved, Pending, Rejected};
    for (index, name) in accounts(environment.number).into_iter().enumerate() {
        let Some(status) = dice.weighted(&[(45, None), (33, Some(Pending)), (16, Some(Approved)), (6, Some(Rejected))])
        else {
            continue;
        };
        let number = environment.number * 10 + index;
        let (mut link, mut connections) = private_link(number, &name, status);
        if dice.chance(8) {
            // Decided in part.
            connections[0].status = Approved;
        }
        if dice.chance(if wild { 20 } else { 4 }) {
            let mut stranger = connections[0].clone();
            (stranger.name, stranger.private_endpoint) =
                (format!("{name}.before"), strangers(&stranger.private_endpoint));
            stranger.status = Pending;
            connections.push(stranger);
        }
        if wild && dice.chance(8) {
            link.resource = link.resource.to_uppercase().replace("/SUBSCRIPTIONS/", "/subscriptions/");
        }
        if let Some(found) = world.storage_accounts.get_mut(&name) {
            found.connections = connections;
        }
        let links = &mut world.instances.get_mut(&environment.instance()).unwrap().private_links;
        if dice.chance(4) {
            let mut second = link.clone();
            second.id = Uuid::from_u128(second.id.as_u128() + 5);
            links.push(second);
        }
        links.push(link);
    }
}
