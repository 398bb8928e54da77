//! What goes wrong, and when: facts that change between two requests, and answers that lie.

use palisade::emulator::ConnectionStatus;

use crate::declared::{Declared, Environment};
use crate::dice::Dice;
use crate::events::{Beside, Event, Inside};
use crate::kind::Kind;
use crate::lies::Lie;
use crate::names::{FORMER, GROUPS, KEYS_VAULT, LINKED, PEOPLE};
use crate::platform::{self, events::Beyond};

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
    /// Each time the nth of a kind since the last write: what reads it back, what looks before the next one.
    SinceWrite(Kind, usize),
    /// The nth of a kind since an environment's identity was read for a write.
    InLook(Kind, usize),
}

#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) when: When,
    /// An event comes after the request is handled, and before its answer arrives.
    pub(crate) after: bool,
    pub(crate) what: What,
}

pub(crate) fn generate(declared: &Declared, dice: &mut Dice) -> Vec<Trouble> {
    let events = dice.weighted(&[(30, 0), (35, 1), (25, 2), (10, 4)]);
    let lies = dice.weighted(&[(30, 0), (38, 1), (22, 2), (10, 4)]);
    let mut troubles = Vec::new();
    for _ in 0..events {
        troubles.push(happening(declared, dice));
    }
    for _ in 0..lies {
        let environment = dice.pick(&declared.environments);
        let (kind, lie) = lie(&environment, dice);
        let nth = dice.weighted(&[(45, 1), (20, 2), (15, 3), (12, 4), (8, 7)]);
        let when = match dice.roll(100) {
            0..=34 => When::From(kind, nth),
            35..=59 if !kind.is_write() => When::SinceWrite(kind, 1 + dice.roll(2)),
            _ => When::OfKind(kind, nth),
        };
        troubles.push(Trouble { when, after: false, what: What::Lie(lie) });
    }
    troubles
}

/// What people did between two runs.
pub(crate) fn drift(declared: &Declared, dice: &mut Dice) -> Vec<Event> {
    (0..1 + dice.roll(3)).map(|_| event(&dice.pick(&declared.environments), dice).0).filter(is_mild).collect()
}

fn is_mild(event: &Event) -> bool {
    use Inside::{Dataverse, DemoteCaller, Region, State, StripAdmins, StripAllBut};
    !matches!(
        event,
        Event::Tenant
            | Event::Gone(_)
            | Event::DeleteVault(_)
            | Event::DisableAllBut(_)
            | Event::AnotherVault(..)
            | Event::Beyond(Beyond::Rehost(_) | Beyond::Retype(_) | Beyond::Lost(_))
            | Event::In(_, State(_) | Region | Dataverse | DemoteCaller | StripAdmins | StripAllBut(_))
    )
}

/// An event, at a moment at which it matters most of the time.
fn happening(declared: &Declared, dice: &mut Dice) -> Trouble {
    let (event, kinds) = event(&dice.pick(&declared.environments), dice);
    if let Some((kind, nth, after)) = sharpest(&event).filter(|_| dice.chance(45)) {
        // A look at several resources reads each of them.
        let nth = nth + dice.weighted(&[(80, 0), (20, 1)]);
        return Trouble { when: When::InLook(kind, nth), after, what: What::Event(event) };
    }
    let when = match dice.roll(100) {
        0..=14 => When::Nth(4 + dice.roll(90)),
        15..=29 => When::OfKind(dice.pick(&[Kind::Instances, Kind::Instance]), 1 + dice.roll(6)),
        30..=69 => When::InLook(dice.pick(kinds), dice.weighted(&[(50, 1), (40, 2), (10, 3)])),
        _ => When::OfKind(dice.pick(kinds), dice.weighted(&[(45, 1), (30, 2), (15, 3), (10, 4)])),
    };
    Trouble { when, after: dice.chance(50), what: What::Event(event) }
}

/// Where an event comes too late for all looks but the last one, or for that one as well.
fn sharpest(event: &Event) -> Option<(Kind, usize, bool)> {
    match event {
        Event::In(_, Inside::StripAdmins | Inside::StripAllBut(_)) => Some((Kind::Delete, 1, true)),
        Event::In(_, Inside::LinkVault(_)) => Some((Kind::Linked, 2, false)),
        Event::In(_, Inside::Regenerate(_) | Inside::SwitchApi) => Some((Kind::Keys, 2, false)),
        Event::Publish(_) => Some((Kind::Secret, 2, false)),
        Event::At(_, _, Beside::Repoint) => Some((Kind::Account, 2, false)),
        Event::At(_, _, Beside::Ask | Beside::Twin) => Some((Kind::Account, 1, false)),
        Event::MoveName(..) => Some((Kind::Batch, 1, false)),
        Event::Beyond(beyond) => Some(platform::trouble::sharpest(beyond)),
        _ => None,
    }
}

const ROLES: &[Kind] =
    &[Kind::Put, Kind::Delete, Kind::Delete, Kind::List, Kind::Batch, Kind::ByIds, Kind::Members, Kind::MyRole];
const KEYS: &[Kind] = &[
    Kind::Api,
    Kind::Keys,
    Kind::Secret,
    Kind::Versions,
    Kind::Regenerate,
    Kind::SetSecret,
    Kind::Tag,
    Kind::Try,
    Kind::ApiOn,
    Kind::ApiOff,
];
const VAULT: &[Kind] =
    &[Kind::Linked, Kind::Linked, Kind::LinkVault, Kind::Vault, Kind::Holders, Kind::Grant, Kind::Policy];
const LINKS: &[Kind] =
    &[Kind::Links, Kind::AddLink, Kind::RemoveLink, Kind::Account, Kind::Account, Kind::Approve, Kind::Rights];

/// Something that may matter to an environment, and the requests around which it does.
fn event(environment: &Environment, dice: &mut Dice) -> (Event, &'static [Kind]) {
    let Environment { number, users, api, vault, links, hosted, .. } = environment;
    let number = *number;
    let mut choices: Vec<(usize, u8)> = Vec::new();
    choices.extend(users.iter().map(|_| (30, 0)));
    choices.extend(api.iter().map(|_| (25, 1)));
    choices.extend(vault.iter().map(|_| (20, 2)));
    choices.extend(links.iter().map(|_| (25, 3)));
    choices.extend(hosted.iter().map(|_| (60, 5)));
    choices.push((6, 4));
    match dice.weighted(&choices) {
        0 => (about_users(number, dice), ROLES),
        1 => (about_keys(number, dice), KEYS),
        2 => (about_vault(number, dice), VAULT),
        3 => (about_links(number, dice), LINKS),
        5 => {
            let declared = hosted.clone().unwrap_or_default();
            (Event::Beyond(platform::trouble::event(number, &declared, dice)), platform::trouble::KINDS)
        }
        _ => (about_identity(number, dice), ROLES),
    }
}

fn about_identity(number: usize, dice: &mut Dice) -> Event {
    let state = dice.pick(&["deleting", "updating", "deleted"]);
    dice.weighted(&[
        (4, Event::In(number, Inside::Rename)),
        (4, Event::In(number, Inside::State(state))),
        (3, Event::In(number, Inside::Region)),
        (3, Event::In(number, Inside::Dataverse)),
        (4, Event::Tenant),
        (2, Event::Gone(number)),
        (3, Event::In(number, Inside::DemoteCaller)),
    ])
}

fn about_users(number: usize, dice: &mut Dice) -> Event {
    let (one, other, set) = (dice.roll(PEOPLE.len()), dice.roll(PEOPLE.len()), dice.roll(GROUPS));
    let role = dice.pick(&["Admin", "Viewer", "Contributor"]);
    let inside = |inside: Inside| Event::In(number, inside);
    dice.weighted(&[
        (10, inside(Inside::Strip(one))),
        (8, inside(Inside::StripAllBut(one))),
        (14, inside(Inside::StripAdmins)),
        (8, inside(Inside::Grant(one, role))),
        (6, Event::Disable(one)),
        (10, Event::DisableAllBut(one)),
        (5, Event::DeleteUser(one)),
        (8, Event::MoveName(one, other)),
        (4, Event::Empty(set)),
        (6, Event::EmptyAll),
        (4, Event::Join(set, one)),
        (4, inside(Inside::StripGroup(set))),
        (2, Event::DeleteApp),
    ])
}

fn about_keys(number: usize, dice: &mut Dice) -> Event {
    let first = dice.chance(50);
    let here = dice.chance(50);
    dice.weighted(&[
        (8, Event::In(number, Inside::SwitchApi)),
        (14, Event::In(number, Inside::Regenerate(first))),
        (4, Event::AnotherVault(KEYS_VAULT, here)),
        (2, Event::DeleteVault(KEYS_VAULT)),
        (2, Event::Revoke(KEYS_VAULT)),
        (4, Event::DeleteSecret(number)),
        (4, Event::Publish(number)),
    ])
}

fn about_vault(number: usize, dice: &mut Dice) -> Event {
    let here = dice.chance(50);
    let other = dice.pick(&[KEYS_VAULT, KEYS_VAULT, FORMER, LINKED]);
    dice.weighted(&[
        (22, Event::In(number, Inside::LinkVault(other))),
        (4, Event::In(number, Inside::Unlink)),
        (6, Event::AnotherVault(LINKED, here)),
        (3, Event::DeleteVault(LINKED)),
        (6, Event::Revoke(LINKED)),
    ])
}

fn about_links(number: usize, dice: &mut Dice) -> Event {
    let status = dice.pick(&[ConnectionStatus::Approved, ConnectionStatus::Rejected, ConnectionStatus::Disconnected]);
    let one = dice.weighted(&[(75, 0), (25, 1)]);
    let at = |beside: Beside| Event::At(number, one, beside);
    dice.weighted(&[
        (14, at(Beside::Repoint)),
        (8, at(Beside::Ask)),
        (6, at(Beside::Twin)),
        (8, at(Beside::Decide(status))),
        (2, at(Beside::Gone)),
        (5, Event::In(number, Inside::RemoveLinks)),
    ])
}

/// A lie in an answer that an environment's settings rest on.
fn lie(environment: &Environment, dice: &mut Dice) -> (Kind, Lie) {
    let kind = dice.weighted(&kinds(environment));
    (kind, platform::trouble::lie_about(kind, dice).unwrap_or_else(|| lie_about(kind, dice)))
}

/// What an environment's settings ask for, and how often a lie is about it.
fn kinds(environment: &Environment) -> Vec<(usize, Kind)> {
    let Environment { users, api, vault, links, hosted, .. } = environment;
    let mut kinds = vec![(3, Kind::Instances), (4, Kind::Instance)];
    if users.is_some() {
        kinds.extend([(2, Kind::Roles), (4, Kind::MyRole), (30, Kind::List), (16, Kind::Batch), (7, Kind::ByIds)]);
        kinds.extend([(7, Kind::Members), (10, Kind::Put), (8, Kind::Delete)]);
    }
    if api.is_some() {
        kinds.extend([(12, Kind::Api), (3, Kind::ApiOn), (3, Kind::ApiOff)]);
    }
    if environment.keys().is_some() {
        kinds.extend([(6, Kind::Keys), (6, Kind::Secret), (6, Kind::Versions), (3, Kind::Version), (5, Kind::Try)]);
        kinds.extend([(6, Kind::Regenerate), (6, Kind::SetSecret), (4, Kind::Tag), (3, Kind::Vault)]);
    }
    if vault.is_some() {
        kinds.extend([(10, Kind::Linked), (5, Kind::LinkVault), (4, Kind::Vault), (4, Kind::Holders)]);
        kinds.extend([(3, Kind::Grant), (2, Kind::Policy)]);
    }
    if links.is_some() {
        kinds.extend([(12, Kind::Links), (10, Kind::Account), (4, Kind::AddLink), (3, Kind::RemoveLink)]);
        kinds.extend([(8, Kind::Approve), (3, Kind::Rights)]);
    }
    kinds.extend(hosted.iter().flat_map(platform::trouble::kinds));
    kinds
}

fn lie_about(kind: Kind, dice: &mut Dice) -> Lie {
    use Lie::*;
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
    match kind {
        kind if kind.is_write() => dice.pick(&[
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
            Renamed,
            Html,
        ]),
        Kind::List if dice.chance(80) => dice.pick(&[
            OtherInstance,
            OtherInstance,
            Renamed,
            Empty,
            Empty,
            NoRoles,
            NoId,
            NoId,
            NoId,
            NoId,
            Twice,
            Stale,
        ]),
        // Exchanged in the others, they would be lies that nobody can tell from the truth.
        Kind::Batch if dice.chance(60) => dice.pick(&[Swapped, Item(403), Item(403), Item(500), Item(404)]),
        Kind::ByIds | Kind::Members | Kind::Batch if dice.chance(50) => dice.pick(&[Elsewhere, LessAMember, Stale]),
        Kind::Api if dice.chance(75) => dice.pick(&[OtherInstance, OtherInstance, Renamed, Stale]),
        Kind::Instance | Kind::MyRole if dice.chance(40) => OtherInstance,
        Kind::Keys if dice.chance(50) => dice.pick(&[Stale, HalfAKey]),
        Kind::Linked if dice.chance(60) => dice.pick(&[OtherInstance, Renamed, Stale]),
        Kind::Links if dice.chance(70) => dice.pick(&[OtherInstance, Renamed, Stale, SecondLink, SecondLink]),
        Kind::Account if dice.chance(60) => dice.pick(&[NoConnections, Stale, OtherResource]),
        Kind::Vault | Kind::Secret | Kind::Versions if dice.chance(40) => dice.pick(&[Stale, OtherResource]),
        Kind::Try => dice.pick(&[Status(401), Status(403), Status(500), Reset, Echo(401)]),
        _ => dice.pick(&broken),
    }
}
