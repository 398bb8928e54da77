//! Directory objects on the wire.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Key;
use crate::emulator::call::guid;
use crate::emulator::views::Principal;
use crate::emulator::world::{Application, Group, User, World};

/// The kinds that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Group,
    ServicePrincipal,
}

impl Kind {
    const ALL: [Self; 3] = [Self::User, Self::Group, Self::ServicePrincipal];

    pub(super) fn from_collection(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.collection().eq_ignore_ascii_case(name))
    }

    pub(super) const fn collection(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Group => "groups",
            Self::ServicePrincipal => "servicePrincipals",
        }
    }

    pub(super) const fn type_name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::ServicePrincipal => "servicePrincipal",
        }
    }
}

/// A member of users that is given only where it is selected; service principals always have it.
pub(super) const ON_REQUEST: &str = "accountEnabled";

/// An object of the directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'a>(Principal<'a>);

impl Object<'_> {
    pub(super) fn id(&self) -> Uuid {
        match self.0 {
            Principal::User(id, _) | Principal::Group(id, _) | Principal::Application(id, _) => id,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.0 {
            Principal::User(..) => Kind::User,
            Principal::Group(..) => Kind::Group,
            Principal::Application(..) => Kind::ServicePrincipal,
        }
    }

    /// All members that are served.
    pub(super) fn json(&self) -> Map<String, Value> {
        let value = match self.0 {
            Principal::User(id, User { user_principal_name, display_name, account_enabled }) => json!({
                "id": id, "displayName": display_name, "userPrincipalName": user_principal_name,
                ON_REQUEST: account_enabled,
            }),
            Principal::Group(id, Group { display_name, members: _ }) => json!({
                "id": id, "displayName": display_name, "securityEnabled": true, "mailEnabled": false, "groupTypes": [],
            }),
            Principal::Application(id, Application { app_id, display_name, client: _ }) => json!({
                "id": id, "appId": app_id, "displayName": display_name, "appDisplayName": display_name,
                "servicePrincipalType": "Application", "accountEnabled": true, "servicePrincipalNames": [app_id],
            }),
        };
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// The same with `@odata.type`, as collections of mixed kinds have it.
    pub(super) fn json_with_type(&self) -> Map<String, Value> {
        let name = format!("#microsoft.graph.{}", self.kind().type_name());
        let mut map = Map::from_iter([("@odata.type".to_owned(), Value::String(name))]);
        map.extend(self.json());
        map
    }
}

/// What is given where nothing is selected.
pub(super) fn unselected(mut object: Map<String, Value>) -> Map<String, Value> {
    if object.contains_key("userPrincipalName") {
        object.remove(ON_REQUEST);
    }
    object
}

/// The `@odata.context` of a collection.
pub(super) fn context(collection: &str) -> String {
    format!("https://graph.microsoft.com/v1.0/$metadata#{collection}")
}

/// All objects of a kind, in id order.
pub(super) fn all(world: &World, kind: Kind) -> Vec<Object<'_>> {
    match kind {
        Kind::User => world.users.iter().map(|(id, u)| Object(Principal::User(*id, u))).collect(),
        Kind::Group => world.groups.iter().map(|(id, g)| Object(Principal::Group(*id, g))).collect(),
        Kind::ServicePrincipal => {
            world.applications.iter().map(|(id, a)| Object(Principal::Application(*id, a))).collect()
        }
    }
}

/// The object with this id, of whatever kind.
pub(super) fn by_id(world: &World, id: Uuid) -> Option<Object<'_>> {
    world.principal(id).map(Object)
}

/// One object of a kind.
pub(super) fn find<'w>(world: &'w World, kind: Kind, key: &Key) -> Option<Object<'w>> {
    match key {
        Key::AppId(app_id) => {
            let (id, _) = world.application(guid(app_id)?)?;
            by_id(world, id)
        }
        Key::Id(text) => {
            let id = match guid(text) {
                Some(id) => Some(id),
                None if kind == Kind::User => {
                    let mut users = world.users.iter();
                    users.find(|(_, u)| u.user_principal_name.eq_ignore_ascii_case(text)).map(|(id, _)| *id)
                }
                None => None,
            };
            by_id(world, id?).filter(|o| o.kind() == kind)
        }
    }
}
