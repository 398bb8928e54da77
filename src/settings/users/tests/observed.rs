//! Whom observing asks the directory about: as much as the guards need to know, and no more.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::*;
use crate::azure::Look;
use crate::azure::exchange::{Broken, Exchange, Request, Response};
use crate::azure::testing::reader_over;
use crate::settings::setting::Observing;
use crate::settings::users::observe;

/// Listed by the service, declared nowhere.
const STRANGER: u128 = 6;
const OTHERS: u128 = 7;

/// A directory with everybody in it, and an environment with this list.
struct Tenant {
    list: Vec<Json>,
    /// Whether the directory answers a look-up of many ids.
    by_ids: Cell<bool>,
    asked: RefCell<Vec<String>>,
}

fn listed(id: impl ToString, kind: Option<&str>, role: &str) -> Json {
    json!({ "principalId": id.to_string(), "principalType": kind, "roles": [role] })
}

/// What the directory says about somebody whom it was asked for by key; it may leave out whether the account is enabled.
fn shown(number: u128, account: bool) -> Json {
    let object = match number {
        OTHERS => DirectoryObject { id: object_id(OTHERS), ..super::object(GROUP) },
        number => super::object(number),
    };
    json!({
        "id": object.id,
        "@odata.type": object.odata_type.filter(|_| !account),
        "displayName": object.display_name,
        "userPrincipalName": object.user_principal_name,
        "appId": object.app_id,
        "accountEnabled": account.then_some(number != LINUS),
    })
}

impl Tenant {
    fn of(list: Vec<Json>) -> Rc<Self> {
        Rc::new(Self { list, by_ids: Cell::new(true), asked: RefCell::default() })
    }

    fn everybody() -> [u128; 7] {
        [ADA, GRACE, LINUS, GROUP, PALISADE, STRANGER, OTHERS]
    }

    fn looked_up(&self, url: &str) -> Option<Json> {
        self.asked.borrow_mut().push(url.split('?').next().unwrap_or_default().to_owned());
        let named = |number: &u128| {
            let object = shown(*number, true);
            let of = |member: &str| object[member].as_str().map(str::to_lowercase);
            let names = [of("id"), of("userPrincipalName"), of("appId")];
            names.iter().flatten().any(|name| url.to_lowercase().contains(name))
        };
        Self::everybody().iter().find(|number| named(number)).map(|number| shown(*number, true))
    }

    fn answer(&self, path: &str, body: &Json) -> (u16, Json) {
        match path.rsplit('/').next().unwrap() {
            "assignments" => (200, json!(self.list)),
            "roles" => (200, json!([{ "roleName": "Admin" }, { "roleName": "Viewer" }])),
            "myrole" => (200, json!({ "principalId": id(PALISADE), "principalType": "app", "roles": ["Admin"] })),
            "$batch" => {
                let requests = body["requests"].as_array().unwrap().iter();
                let missing = json!({ "error": { "code": "Request_ResourceNotFound", "message": "nobody" } });
                let answers = requests.map(|request| match self.looked_up(request["url"].as_str().unwrap()) {
                    Some(found) => json!({ "id": request["id"], "status": 200, "body": found }),
                    None => json!({ "id": request["id"], "status": 404, "body": missing }),
                });
                (200, json!({ "responses": answers.collect::<Vec<_>>() }))
            }
            "getByIds" if !self.by_ids.get() => (403, json!({})),
            "getByIds" => {
                let asked: Vec<&str> = body["ids"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
                let shown = Self::everybody().map(|number| shown(number, false));
                let found = shown.into_iter().filter(|one| asked.contains(&one["id"].as_str().unwrap()));
                (200, json!({ "value": found.collect::<Vec<_>>() }))
            }
            "$count" => (200, json!(7)),
            "transitiveMembers" => (200, json!({ "value": [shown(ADA, true)] })),
            other => panic!("{other} of {path}"),
        }
    }
}

#[async_trait(?Send)]
impl Exchange for Tenant {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        let path = request.url.path().to_owned();
        self.asked.borrow_mut().push(path.clone());
        let body = request.body.map(|body| serde_json::from_slice(&body).unwrap()).unwrap_or_default();
        let (status, body) = self.answer(&path, &body);
        let status = http::StatusCode::from_u16(status).unwrap();
        Ok(Response { status, headers: http::HeaderMap::new(), body: body.to_string().into_bytes().into() })
    }
}

async fn observed(tenant: &Rc<Tenant>, declared: &Declared) -> Observed {
    let (instance, look) = (Instance { id: id(99), scale_unit: None }, Look::begin(&reader_over(tenant.clone()), []));
    let (surface, caller) = (Surface::EMULATOR, None);
    let not_asked = crate::settings::hosting::not_asked();
    let hosting = Err(&not_asked);
    let observing =
        Observing { look: &look, instance: Ok(&instance), hosting, tenant: id(98), caller, declared: &[], surface };
    observe::observe(Some(declared), &observing).await
}

fn declared(matching: Match, assignments: Vec<Assignment>) -> Declared {
    Declared { matching, assignments, break_glass: Vec::new(), place: place() }
}

/// A principal that is declared by its object id only.
fn by_id(number: u128, role: Role) -> Assignment {
    Assignment { principal: PrincipalRef::Principal { id: id(number) }, role, place: place() }
}

fn groups(observed: &Observed) -> Vec<ObjectId> {
    observed.members.keys().copied().collect()
}

/// Whether an Admin may sign in must be known of all that stay or become Admin, and of nobody else.
#[tokio::test]
async fn the_accounts_of_admins_that_stay_are_looked_up() {
    let list = || vec![listed(id(STRANGER), Some("user"), "Admin"), listed(id(LINUS), Some("user"), "Viewer")];
    let assignments = || vec![assignment(ADA, Role::Admin), by_id(GRACE, Role::Admin), by_id(LINUS, Role::Viewer)];
    for (matching, stays) in [(Match::Exact, false), (Match::AtLeast, true)] {
        let observed = observed(&Tenant::of(list()), &declared(matching, assignments())).await;
        let mut expected = BTreeMap::from([(object_id(ADA), true), (object_id(GRACE), true)]);
        expected.extend(stays.then_some((object_id(STRANGER), true)));
        assert_eq!(observed.enabled, expected, "{matching:?}");
    }
    // Told once is enough; and of two answers the worse one counts.
    let tenant = Tenant::of(list());
    let both = vec![assignment(LINUS, Role::Admin), by_id(LINUS, Role::Admin)];
    let observed = observed(&tenant, &declared(Match::Exact, both)).await;
    assert_eq!(observed.enabled, BTreeMap::from([(object_id(LINUS), false)]));
    assert!(!tenant.asked.borrow().contains(&format!("/users/{}", id(LINUS))), "{:?}", tenant.asked);
}

/// The service may list an app by its application id; only what may be one is looked up as one.
#[tokio::test]
async fn an_app_that_is_listed_by_its_application_id_is_found_and_folded() {
    for (kind, asked) in [(Some("app"), true), (None, true), (Some("user"), false)] {
        let tenant = Tenant::of(vec![listed(app_id(PALISADE), kind, "Admin")]);
        let observed = observed(&tenant, &declared(Match::AtLeast, Vec::new())).await;
        let list = observed.assignments.unwrap();
        let under = if asked { object_id(PALISADE) } else { ObjectId::from(app_id(PALISADE)) };
        assert_eq!(list.held.keys().copied().collect::<Vec<_>>(), [under], "{kind:?}");
        let as_app = tenant.asked.borrow().iter().any(|url| url.contains("servicePrincipals"));
        assert_eq!(as_app, asked, "{kind:?}");
        let app = Name::Key(crate::azure::graph::Key::App(app_id(PALISADE)));
        assert_eq!(observed.directory.contains_key(&app), asked, "what was found is told");
    }
}

/// Who is in a group matters where the group is, or becomes, Admin; where somebody is protected, in any group with a role.
#[tokio::test]
async fn the_members_of_groups_that_matter_are_read() {
    let list = |role: &str| vec![listed(id(GROUP), Some("group"), role), listed(id(ADA), Some("user"), "Admin")];
    let nothing = || declared(Match::AtLeast, Vec::new());
    let group = object_id(GROUP);
    assert_eq!(groups(&observed(&Tenant::of(list("Admin")), &nothing()).await), [group]);
    assert_eq!(groups(&observed(&Tenant::of(list("Viewer")), &nothing()).await), []);
    let mut protects = nothing();
    protects.break_glass.push(BreakGlass { principal: reference(ADA), place: place() });
    assert_eq!(groups(&observed(&Tenant::of(list("Viewer")), &protects).await), [group]);
    for (role, expected) in [(Role::Admin, vec![object_id(OTHERS)]), (Role::Viewer, vec![])] {
        let becomes = declared(Match::AtLeast, vec![by_id(OTHERS, role), assignment(ADA, Role::Admin)]);
        let found = observed(&Tenant::of(list("Viewer")), &becomes).await;
        assert_eq!(groups(&found), expected, "{role}");
        // How many it reaches is told by its members, or else asked for.
        assert_eq!(found.counts.keys().copied().collect::<Vec<_>>(), [object_id(OTHERS)]);
        assert_eq!(found.counts[&object_id(OTHERS)], Ok(if role == Role::Admin { 1 } else { 7 }), "{role}");
    }
}

/// In an outage of the directory the service's own word says what may be a group.
#[tokio::test]
async fn what_can_not_be_looked_up_may_be_a_group_if_the_service_does_not_say_otherwise() {
    for (kind, read) in [(Some("group"), true), (None, true), (Some("user"), false), (Some("app"), false)] {
        let tenant = Tenant::of(vec![listed(id(GROUP), kind, "Admin")]);
        tenant.by_ids.set(false);
        let found = observed(&tenant, &declared(Match::AtLeast, Vec::new())).await;
        assert_eq!(!found.members.is_empty(), read, "{kind:?}");
    }
    // What the directory says that it hasn't is no group.
    let gone = Tenant::of(vec![listed(id(77), Some("group"), "Admin")]);
    assert_eq!(groups(&observed(&gone, &declared(Match::AtLeast, Vec::new())).await), []);
}

/// What words of the service and of the directory stand for.
#[test]
fn a_principal_is_what_the_service_or_the_directory_says() {
    for (word, kind) in [
        (Some("user"), Kind::User),
        (Some("USER"), Kind::User),
        (Some("group"), Kind::Group),
        (Some("app"), Kind::App),
        (Some("device"), Kind::Unknown),
        (None, Kind::Unknown),
    ] {
        assert_eq!(principal::kind_of_wire(word), kind, "{word:?}");
    }
    let untyped = |number| DirectoryObject { odata_type: None, ..object(number) };
    for (number, kind) in [(ADA, Kind::User), (PALISADE, Kind::App), (GROUP, Kind::Unknown)] {
        assert_eq!(principal::kind_of(&untyped(number)), kind, "{number}");
    }
    let ada = DirectoryObject { user_principal_name: Some("Ada@Contoso.com".into()), ..object(ADA) };
    assert_eq!(principal::Principal::of(&ada, None).part, "ada@contoso.com");
    let written = PrincipalRef::User { upn: "Ada@Contoso.com".into(), id: None };
    assert_eq!(principal::name(&written), Name::Key(crate::azure::graph::Key::User("ada@contoso.com".into())));
    assert_eq!(principal::declared_ids(&reference(PALISADE)), Some(ObjectId::from(app_id(PALISADE))));
    let mut block = declared(Match::Exact, vec![assignment(ADA, Role::Admin)]);
    block.break_glass.push(BreakGlass { principal: reference(GRACE), place: place() });
    assert_eq!(principal::names(&block), [reference(ADA), reference(GRACE)].map(|one| principal::name(&one)));
}
