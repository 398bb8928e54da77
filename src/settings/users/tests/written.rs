//! What a step sends, and what a read-back takes for done.

use serde_json::{Value as Json, json};

use super::*;
use crate::azure::testing::{Answers, reader_over, writer_over};
use crate::plan::{ReadBack, Step};
use crate::settings::users::steps::{GiveRole, Subject, TakeRoles};

const NAMELESS: &str = "not an id";

fn subject() -> Subject {
    let listed_as = BTreeSet::from([object_id(ADA)]);
    Subject {
        id: object_id(ADA),
        listed_as,
        spellings: BTreeSet::from([id(ADA).to_string()]),
        witnesses: BTreeSet::new(),
        label: "ada".into(),
    }
}

fn instance() -> Instance {
    Instance { id: id(99), scale_unit: None }
}

/// What a step makes of a list of principals with their roles.
async fn seen(step: &dyn Step, list: &[(String, &[&str])]) -> ReadBack {
    let entries = list.iter().map(|(id, roles)| json!({ "principalId": id, "principalType": "user", "roles": roles }));
    let body: Json = entries.collect();
    step.read_back(&reader_over(Answers::by(move |_| (200, body.clone())))).await.unwrap()
}

/// An entry that can't be told to be of anybody may be of the one who was removed.
#[tokio::test]
async fn a_removal_is_done_if_a_list_without_nameless_entries_lacks_the_principal() {
    let step = TakeRoles { instance: instance(), subject: subject() };
    let admin: &[&str] = &["Admin"];
    let grace = || (id(GRACE).to_string(), admin);
    assert_eq!(seen(&step, &[grace()]).await, ReadBack::Shown);
    for more in [(NAMELESS.to_owned(), admin), (String::new(), admin), (id(ADA).to_string().to_uppercase(), admin)] {
        let seen = seen(&step, &[grace(), more.clone()]).await;
        assert!(matches!(seen, ReadBack::NotYet(_)), "{more:?}: {seen:?}");
    }
    let without_roles: &[&str] = &[];
    assert!(matches!(seen(&step, &[grace(), (id(ADA).to_string(), without_roles)]).await, ReadBack::NotYet(_)));
}

#[tokio::test]
async fn a_grant_is_done_if_the_principal_has_the_role_and_no_other() {
    let step = GiveRole {
        instance: instance(),
        subject: subject(),
        principal_type: "user",
        role: Role::Viewer.name().into(),
        reach: None,
    };
    let table: [(&[&str], bool); 5] =
        [(&["Viewer"], true), (&["VIEWER"], true), (&["Admin"], false), (&["Viewer", "Admin"], false), (&[], false)];
    for (roles, done) in table {
        let seen = seen(&step, &[(id(ADA).to_string(), roles), (NAMELESS.to_owned(), &["Admin"])]).await;
        assert_eq!(seen == ReadBack::Shown, done, "{roles:?}: {seen:?}");
    }
    let seen = seen(&step, &[(NAMELESS.to_owned(), &["Viewer"])]).await;
    assert!(matches!(seen, ReadBack::NotYet(_)), "{seen:?}");
}

/// A list without the caller, by whose role it was read, shows neither that somebody is gone nor that somebody has a role.
#[tokio::test]
async fn a_list_that_lacks_who_reads_it_shows_nothing() {
    let witnesses = || BTreeSet::from([object_id(PALISADE), ObjectId::from(app_id(PALISADE))]);
    let subject = || Subject { witnesses: witnesses(), ..subject() };
    let take = TakeRoles { instance: instance(), subject: subject() };
    let role = Role::Viewer.name();
    let (kind, give) = ("user", subject());
    let give = GiveRole { instance: instance(), subject: give, principal_type: kind, role: role.into(), reach: None };
    let admin: &'static [&'static str] = &["Admin"];
    let viewer: &'static [&'static str] = &["Viewer"];
    let (grace, ada) = (|| (id(GRACE).to_string(), admin), || (id(ADA).to_string(), viewer));
    for (caller, done) in [(None, false), (Some(id(PALISADE)), true), (Some(app_id(PALISADE)), true)] {
        let caller: Vec<_> = caller.into_iter().map(|id| (id.to_string(), admin)).collect();
        let taken = seen(&take, &[caller.clone(), vec![grace()]].concat()).await;
        assert_eq!(taken == ReadBack::Shown, done, "{taken:?}");
        let given = seen(&give, &[caller, vec![grace(), ada()]].concat()).await;
        assert_eq!(given == ReadBack::Shown, done, "{given:?}");
    }
}

/// The service must be asked by its own spellings, by each of them, and by the id where it lists none.
#[tokio::test]
async fn a_principal_is_written_by_every_spelling_under_which_it_is_listed() {
    let upper = id(ADA).to_string().to_uppercase();
    let path = |spelling: &str| format!("/api/instances/{}/rbac/principals/{spelling}/assignment", id(99));
    let both = BTreeSet::from([id(ADA).to_string(), upper.clone()]);
    for (spellings, expected) in
        [(both, vec![id(ADA).to_string(), upper.clone()]), (BTreeSet::new(), vec![id(ADA).to_string()])]
    {
        let give = GiveRole {
            instance: instance(),
            subject: Subject { spellings: spellings.clone(), ..subject() },
            principal_type: "user",
            role: "Viewer".into(),
            reach: None,
        };
        let take = TakeRoles { instance: instance(), subject: Subject { spellings: spellings.clone(), ..subject() } };
        assert_eq!((give.title().as_str(), take.title().as_str()), ("give ada the role Viewer", "remove ada"));
        let gone = if spellings.is_empty() { Vec::new() } else { expected.clone() };
        for (step, method, spelled) in [(&give as &dyn Step, "PUT", expected), (&take, "DELETE", gone)] {
            let services = Answers::by(|_| (200, json!([])));
            step.write(&writer_over(services.clone())).await.unwrap();
            let mut sent = services.writes();
            sent.sort();
            let mut wanted: Vec<String> = spelled.iter().map(|one| format!("{method} {}", path(one))).collect();
            wanted.sort();
            assert_eq!(sent, wanted);
        }
    }
}

/// What doesn't show yet is told by what does.
#[tokio::test]
async fn what_the_service_still_shows_is_told() {
    let not_yet = |seen: ReadBack| match seen {
        ReadBack::NotYet(why) => why,
        other => format!("{other:?}"),
    };
    let take = TakeRoles { instance: instance(), subject: subject() };
    let give = GiveRole {
        instance: instance(),
        subject: subject(),
        principal_type: "user",
        role: Role::Viewer.name().into(),
        reach: None,
    };
    let ada = |roles: &'static [&'static str]| (id(ADA).to_string(), roles);
    let table: [(&'static [&'static str], &str); 2] = [(&["Viewer", "Admin"], "Admin and Viewer"), (&[], "no role")];
    for (roles, told) in table {
        assert_eq!(not_yet(seen(&take, &[ada(roles)]).await), format!("the service still shows {told} for it"));
        assert_eq!(not_yet(seen(&give, &[ada(roles)]).await), format!("the service shows {told} for it"));
    }
}
