//! What goes wrong, and when: facts that change between two requests, and answers that lie.

use palisade::emulator::{Assignment, Instance, PrincipalType, World};
use uuid::Uuid;

use crate::cast::caller;
use crate::declared::{GROUPS, INSTANCE, PEOPLE, app, group, person, upn};
use crate::dice::Dice;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Token,
    Instances,
    Instance,
    Roles,
    MyRole,
    List,
    Batch,
    ByIds,
    Members,
    Put,
    Delete,
    Api,
    ApiSwitch,
    Other,
}

impl Kind {
    pub(crate) fn of(method: &str, path: &str) -> Self {
        let has = |end: &str| path.ends_with(end);
        match method {
            _ if has("/oauth2/v2.0/token") => Self::Token,
            "GET" if has("/api/instances") => Self::Instances,
            "GET" if has("/rbac/roles") => Self::Roles,
            "GET" if has("/rbac/myrole") => Self::MyRole,
            "GET" if has("/rbac/assignments") => Self::List,
            "GET" if has("/manage/apisubscription") => Self::Api,
            "GET" if path.contains("/transitiveMembers") => Self::Members,
            "GET" if path.contains("/api/instances/") && path.matches('/').count() == 3 => Self::Instance,
            "POST" if has("/$batch") => Self::Batch,
            "POST" if has("/getByIds") => Self::ByIds,
            "PUT" if has("/assignment") => Self::Put,
            "DELETE" if has("/assignment") => Self::Delete,
            "PUT" if has("/activate") || has("/deactivate") => Self::ApiSwitch,
            _ => Self::Other,
        }
    }

    pub(crate) fn is_write(self) -> bool {
        matches!(self, Self::Put | Self::Delete | Self::ApiSwitch)
    }

    pub(crate) fn is_directory(self) -> bool {
        matches!(self, Self::Batch | Self::ByIds | Self::Members)
    }
}

/// A fact that others change.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Strip(usize),
    StripAllBut(usize),
    Grant(usize, &'static str),
    Disable(usize),
    DisableAllBut(usize),
    DeleteUser(usize),
    MoveName(usize, usize),
    Empty(usize),
    EmptyAll,
    Join(usize, usize),
    StripGroup(usize),
    DeleteApp,
    DemoteCaller,
    Rename,
    State(&'static str),
    Region,
    Dataverse,
    Tenant,
    Gone,
    SwitchApi,
}

/// An answer that isn't the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// This status, and nothing is done.
    Status(u16),
    /// Done, and then this status.
    StatusAfter(u16),
    /// Nothing is done, and a success is told.
    Pretend,
    Reset,
    LoseAnswer,
    Truncate,
    OtherInstance,
    Empty,
    Null,
    Html,
    NoRoles,
    NoId,
    Twice,
    /// What the same request was answered with before.
    Stale,
    /// An error that quotes the whole request.
    Echo(u16),
    /// A member less somewhere.
    LessAMember,
    /// Ids of two principals exchanged.
    Swapped,
    /// One element of a list less, and it says that there is more elsewhere.
    Elsewhere,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Event(Event),
    Lie(Lie),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// The nth of all requests.
    Nth(usize),
    /// The nth of a kind.
    OfKind(Kind, usize),
    /// From the nth of a kind on, always.
    From(Kind, usize),
}

#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) when: When,
    /// An event comes after the request is handled, and before its answer arrives.
    pub(crate) after: bool,
    pub(crate) what: What,
}

pub(crate) fn generate(dice: &mut Dice) -> Vec<Trouble> {
    let events = dice.weighted(&[(30, 0), (35, 1), (25, 2), (10, 4)]);
    let lies = dice.weighted(&[(35, 0), (35, 1), (20, 2), (10, 4)]);
    let mut troubles = Vec::new();
    for _ in 0..events {
        let when = when(dice);
        let after = dice.chance(50);
        troubles.push(Trouble { when, after, what: What::Event(event(dice)) });
    }
    for _ in 0..lies {
        let (kind, lie) = lie(dice);
        let nth = 1 + dice.roll(6);
        let when = if dice.chance(35) { When::From(kind, nth) } else { When::OfKind(kind, nth) };
        troubles.push(Trouble { when, after: false, what: What::Lie(lie) });
    }
    troubles
}

fn when(dice: &mut Dice) -> When {
    if dice.chance(40) {
        return When::Nth(4 + dice.roll(70));
    }
    let kind = dice.pick(&[
        Kind::Put,
        Kind::Delete,
        Kind::Delete,
        Kind::List,
        Kind::Batch,
        Kind::ByIds,
        Kind::Members,
        Kind::Instance,
        Kind::Instances,
        Kind::MyRole,
        Kind::ApiSwitch,
    ]);
    When::OfKind(kind, 1 + dice.roll(8))
}

fn event(dice: &mut Dice) -> Event {
    let (one, other, set) = (dice.roll(PEOPLE.len()), dice.roll(PEOPLE.len()), dice.roll(GROUPS));
    let role = dice.pick(&["Admin", "Viewer", "Contributor"]);
    let state = dice.pick(&["deleting", "updating", "deleted"]);
    dice.weighted(&[
        (10, Event::Strip(one)),
        (12, Event::StripAllBut(one)),
        (8, Event::Grant(one, role)),
        (8, Event::Disable(one)),
        (12, Event::DisableAllBut(one)),
        (6, Event::DeleteUser(one)),
        (8, Event::MoveName(one, other)),
        (6, Event::Empty(set)),
        (8, Event::EmptyAll),
        (4, Event::Join(set, one)),
        (4, Event::StripGroup(set)),
        (2, Event::DeleteApp),
        (3, Event::DemoteCaller),
        (4, Event::Rename),
        (4, Event::State(state)),
        (3, Event::Region),
        (3, Event::Dataverse),
        (4, Event::Tenant),
        (2, Event::Gone),
        (4, Event::SwitchApi),
    ])
}

fn lie(dice: &mut Dice) -> (Kind, Lie) {
    use Lie::*;
    let kind = dice.weighted(&[
        (4, Kind::Instances),
        (6, Kind::Instance),
        (4, Kind::Roles),
        (5, Kind::MyRole),
        (25, Kind::List),
        (12, Kind::Batch),
        (8, Kind::ByIds),
        (10, Kind::Members),
        (14, Kind::Put),
        (12, Kind::Delete),
        (4, Kind::Api),
        (4, Kind::ApiSwitch),
    ]);
    let broken = [
        Status(403),
        Status(404),
        Status(500),
        Status(429),
        Reset,
        Truncate,
        Html,
        Null,
        Empty,
        Echo(400),
        Echo(403),
        LessAMember,
    ];
    let lie = match kind {
        Kind::Put | Kind::Delete | Kind::ApiSwitch => dice.pick(&[
            Pretend,
            Pretend,
            Status(409),
            Status(500),
            Status(404),
            Status(412),
            StatusAfter(500),
            StatusAfter(409),
            StatusAfter(404),
            Reset,
            LoseAnswer,
            Echo(400),
            OtherInstance,
            Html,
        ]),
        Kind::List if dice.chance(65) => dice.pick(&[OtherInstance, Empty, NoRoles, NoId, Twice, Stale, Stale]),
        // Exchanged in the others, they would be lies that nobody can tell from the truth.
        Kind::Batch if dice.chance(30) => Swapped,
        Kind::ByIds | Kind::Members | Kind::Batch if dice.chance(50) => dice.pick(&[Elsewhere, LessAMember, Stale]),
        Kind::Instance | Kind::MyRole | Kind::Api if dice.chance(40) => OtherInstance,
        _ => dice.pick(&broken),
    };
    (kind, lie)
}

/// Makes an event happen. The tenant that the service names is no part of the world.
pub(crate) fn happen(event: &Event, world: &mut World) {
    let us = caller(world);
    match event {
        Event::Tenant => {}
        Event::Disable(one) => disable(world, |id| id == person(*one)),
        Event::DisableAllBut(one) => disable(world, |id| id != person(*one)),
        Event::DeleteUser(one) => drop(world.users.remove(&person(*one))),
        Event::MoveName(one, other) if one != other => {
            for (number, name) in [(*one, format!("{}-old@contoso.com", PEOPLE[*one])), (*other, upn(*one))] {
                if let Some(user) = world.users.get_mut(&person(number)) {
                    user.user_principal_name = name;
                }
            }
        }
        Event::MoveName(..) => {}
        Event::Empty(one) => {
            if let Some(group) = world.groups.get_mut(&group(*one)) {
                group.members.clear();
            }
        }
        Event::EmptyAll => world.groups.values_mut().for_each(|group| group.members.retain(|member| *member == us)),
        Event::Join(set, one) => {
            if let Some(group) = world.groups.get_mut(&group(*set)) {
                group.members.insert(person(*one));
            }
        }
        Event::DeleteApp => drop(world.applications.remove(&app(0))),
        Event::Gone => drop(world.instances.remove(&INSTANCE)),
        _ => {
            if let Some(instance) = world.instances.get_mut(&INSTANCE) {
                happen_inside(event, instance, us);
            }
        }
    }
}

fn is(one: &Assignment, id: Uuid) -> bool {
    Uuid::parse_str(&one.principal_id) == Ok(id)
}

/// The events that are about the environment itself.
fn happen_inside(event: &Event, instance: &mut Instance, us: Uuid) {
    let list = &mut instance.assignments;
    match event {
        Event::Strip(one) => list.retain(|held| !is(held, person(*one))),
        Event::StripAllBut(one) => list.retain(|held| is(held, person(*one)) || is(held, us)),
        Event::StripGroup(one) => list.retain(|held| !is(held, group(*one))),
        Event::DemoteCaller => {
            for held in list.iter_mut().filter(|held| is(held, us)) {
                held.roles = vec!["Viewer".to_owned()];
            }
        }
        Event::Grant(one, role) => {
            list.retain(|held| !is(held, person(*one)));
            let (principal_id, roles) = (person(*one).to_string(), vec![(*role).to_owned()]);
            list.push(Assignment { principal_id, principal_type: PrincipalType::User, roles });
        }
        Event::Rename => instance.metadata.name = Some("Fabrikam".to_owned()),
        Event::State(state) => instance.metadata.provisioning_state = (*state).to_owned(),
        Event::Region => instance.metadata.region = "moon".to_owned(),
        Event::Dataverse => {
            let organisation = instance.metadata.cds_org_info.as_mut().unwrap();
            organisation.url = "https://fabrikam.crm4.dynamics.com".to_owned();
        }
        Event::SwitchApi => {
            let api = &mut instance.api_subscription;
            api.is_subscribed = !api.is_subscribed;
            let key = |text: &str| api.is_subscribed.then(|| palisade::emulator::Masked::new(text));
            (api.primary_key, api.secondary_key) =
                (key("primary-key-of-others-0003"), key("secondary-key-of-others-0004"));
        }
        _ => {}
    }
}

fn disable(world: &mut World, whom: impl Fn(Uuid) -> bool) {
    let ids: Vec<Uuid> = world.users.keys().copied().filter(|id| whom(*id)).collect();
    for id in ids {
        world.users.get_mut(&id).unwrap().account_enabled = false;
    }
}
