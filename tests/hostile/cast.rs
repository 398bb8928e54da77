//! The world at the beginning: an odd directory and an odd list of roles.

use std::collections::BTreeSet;

use palisade::emulator::{Access, Application, Assignment, CLIENT_ID, Group, PrincipalType, User, World};
use uuid::Uuid;

use crate::declared::Declared;
use crate::dice::Dice;
use crate::names::{APPS, GROUPS, OTHER_INSTANCE, PEOPLE, app, client, ghost, group, instance, person, upn};
use crate::resources;

const ROLES: [(usize, &str); 4] = [(45, "Admin"), (20, "Contributor"), (30, "Viewer"), (5, "Supervisor")];

pub(crate) fn caller(world: &World) -> Uuid {
    *world.applications.iter().find(|(_, application)| application.app_id == CLIENT_ID).unwrap().0
}

/// Replaces what seeding gave.
pub(crate) fn furnish(world: &mut World, declared: &Declared, wild: bool, dice: &mut Dice) {
    let caller = caller(world);
    people(world, wild, dice);
    for number in 0..APPS {
        let display_name = format!("app-{}", client(number).simple());
        let application = Application { app_id: client(number), display_name, client: None };
        world.applications.remove(&app(number));
        let known: Vec<Uuid> =
            world.applications.iter().filter(|(_, one)| one.app_id == client(number)).map(|(id, _)| *id).collect();
        for id in known {
            world.applications.remove(&id);
        }
        if !wild || dice.chance(92) {
            world.applications.insert(app(number), application);
        }
    }
    // The name that files give it.
    world.applications.get_mut(&caller).unwrap().display_name = format!("app-{}", CLIENT_ID.simple());
    world.groups.clear();
    for number in 0..GROUPS {
        if !wild || dice.chance(90) {
            let display_name = if !wild || dice.chance(90) { format!("group{number}") } else { "group0".to_owned() };
            world.groups.insert(group(number), Group { display_name, members: members(dice, number, caller) });
        }
    }
    if wild && dice.chance(6) {
        let client = world.applications.get_mut(&caller).unwrap().client.as_mut().unwrap();
        client.graph = Access::Denied;
    }
    let mut other = world.instances[&instance(0)].clone();
    other.metadata.name = Some("Contoso elsewhere".to_owned());
    world.instances.insert(OTHER_INSTANCE, other);
    for id in declared.environments.iter().map(|one| one.instance()).chain([OTHER_INSTANCE]) {
        let list = list(world, wild && id != OTHER_INSTANCE, dice, caller);
        world.instances.get_mut(&id).unwrap().assignments = list;
    }
    for environment in &declared.environments {
        world.instances.get_mut(&environment.instance()).unwrap().metadata.name =
            Some(format!("Contoso {}", environment.key()));
    }
    resources::furnish(world, declared, wild, dice);
    let behaviour = &mut world.behaviour;
    behaviour.refuse_last_admin = dice.chance(8);
    behaviour.refuse_owner_removal = dice.chance(5);
    if dice.chance(10) {
        behaviour.stale_reads = jiff::SignedDuration::from_secs(i64::try_from(1 + dice.roll(40)).unwrap());
    }
    if dice.chance(5) {
        behaviour.role_write_propagation = jiff::SignedDuration::from_secs(30);
    }
    if dice.chance(45) {
        behaviour.api_key_propagation = jiff::SignedDuration::from_secs(dice.pick(&[3, 15, 90]));
    }
    if dice.chance(10) {
        behaviour.private_link_removal_leaves_connections = true;
    }
    if dice.chance(8) {
        behaviour.api_keys_outlive_access = true;
    }
}

fn people(world: &mut World, wild: bool, dice: &mut Dice) {
    world.users.clear();
    for (number, name) in PEOPLE.into_iter().enumerate() {
        let mut user = User::new(upn(number), name);
        match dice.roll(100) {
            0..=69 => {}
            70..=81 if wild || (number > 1 && dice.chance(60)) => user.account_enabled = false,
            _ if !wild => {}
            70..=88 => continue,
            89..=92 => user.user_principal_name = format!("{}-old@contoso.com", name),
            93..=96 => {
                // The name was given to another person.
                user.user_principal_name = format!("{}-old@contoso.com", name);
                world.users.insert(person(number + 50), User::new(upn(number), "somebody else"));
            }
            _ => {
                world.users.insert(person(number + 70), User::new(upn(number), name));
            }
        }
        world.users.insert(person(number), user);
    }
}

fn members(dice: &mut Dice, number: usize, caller: Uuid) -> BTreeSet<Uuid> {
    let next = group((number + 1) % GROUPS);
    match dice.roll(10) {
        0 => BTreeSet::new(),
        1 => BTreeSet::from([caller]),
        2 => BTreeSet::from([app(0), app(1)]),
        // In a circle, if all roll this.
        3 | 4 => BTreeSet::from([next]),
        5 => BTreeSet::from([caller, person(dice.roll(PEOPLE.len()))]),
        _ => (0..1 + dice.roll(3))
            .map(|_| dice.pick(&[person(0), person(1), person(2), person(4), next, app(0)]))
            .collect(),
    }
}

fn list(world: &World, wild: bool, dice: &mut Dice, caller: Uuid) -> Vec<Assignment> {
    let mut list = Vec::new();
    let mut put = |dice: &mut Dice, id: Uuid, kind: PrincipalType, role: &str| {
        let roles = if dice.chance(2) { Vec::new() } else { vec![role.to_owned()] };
        list.push(Assignment { principal_id: spelt(dice, id), principal_type: kind, roles });
        if dice.chance(2) {
            let role = if dice.chance(50) { role } else { "Viewer" };
            list.push(Assignment {
                principal_id: id.simple().to_string(),
                principal_type: kind,
                roles: vec![role.to_owned()],
            });
        }
    };
    for number in 0..PEOPLE.len() {
        if number < 2 && !wild && dice.chance(70) {
            put(dice, person(number), PrincipalType::User, "Admin");
        } else if dice.chance(50) {
            let role = dice.weighted(&ROLES);
            put(dice, person(number), PrincipalType::User, role);
        }
    }
    for number in 0..GROUPS {
        if dice.chance(40) {
            let role = dice.weighted(&ROLES);
            put(dice, group(number), PrincipalType::Group, role);
        }
    }
    for number in 0..APPS {
        if dice.chance(35) {
            let id = if dice.chance(80) { app(number) } else { client(number) };
            let role = dice.weighted(&ROLES);
            put(dice, id, PrincipalType::App, role);
        }
    }
    if dice.chance(20) {
        let kind = dice.pick(&[PrincipalType::User, PrincipalType::Group, PrincipalType::App]);
        let role = dice.weighted(&ROLES);
        put(dice, ghost(0), kind, role);
    }
    if dice.chance(2) {
        for number in 0..20 {
            list.push(Assignment {
                principal_id: ghost(100 + number).to_string(),
                principal_type: PrincipalType::User,
                roles: vec!["Viewer".to_owned()],
            });
        }
    }
    own(world, wild, dice, caller, &mut list);
    list
}

/// Gives the caller what it needs to be heard, mostly.
fn own(world: &World, wild: bool, dice: &mut Dice, caller: Uuid, list: &mut Vec<Assignment>) {
    let own = |role: &str| Assignment {
        principal_id: caller.to_string(),
        principal_type: PrincipalType::App,
        roles: vec![role.to_owned()],
    };
    match dice.roll(100) {
        0..=84 => list.push(own("Admin")),
        95.. if !wild => list.push(own("Admin")),
        85..=94 => {
            // Admin through a group, if any group is Admin and holds it.
            let holder = world.groups.iter().find(|(_, group)| group.members.contains(&caller));
            if let Some((id, _)) = holder {
                list.retain(|one| Uuid::parse_str(&one.principal_id) != Ok(*id));
                let roles = vec!["Admin".to_owned()];
                list.push(Assignment { principal_id: id.to_string(), principal_type: PrincipalType::Group, roles });
                if dice.chance(30) {
                    list.push(own("Viewer"));
                }
            } else {
                list.push(own("Admin"));
            }
        }
        95..=97 => list.push(own("Contributor")),
        _ => {}
    }
}

fn spelt(dice: &mut Dice, id: Uuid) -> String {
    match dice.roll(25) {
        0..=1 => id.to_string().to_uppercase(),
        2 => format!("{{{id}}}"),
        3 => id.simple().to_string(),
        _ => id.to_string(),
    }
}
