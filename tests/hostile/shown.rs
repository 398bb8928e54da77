//! Whether what was told shows a change to be done, and an environment to be as declared.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use crate::account::Run;
use crate::answers;
use crate::declared::{Environment, Links, Users};
use crate::kind::Kind;
use crate::names::{LINKED, VAULTS, last, vault};
use crate::oracle::{Seen, environment};
use crate::platform;
use crate::told::{Told, rank};
use crate::vaults::may_read;
use crate::wire::Exchanged;

fn of<'l>(environment: &Environment, look: &'l [Exchanged]) -> impl Iterator<Item = &'l Exchanged> + Clone {
    let id = environment.instance();
    look.iter().filter(move |one| one.instance.is_none_or(|of| of == id))
}

fn api(environment: &Environment, enabled: bool, look: &[Exchanged]) -> bool {
    of(environment, look).any(|one| answers::api(one) == Some(enabled))
}

/// Whether consumers were told to hold a key that works. Where only dates are read, a published version counts.
fn keys(environment: &Environment, look: &[Exchanged], dates: bool) -> bool {
    let secret = environment.secret();
    let ours = |one: &&Exchanged| one.path.split('/').nth(2) == Some(secret.as_str());
    if dates && of(environment, look).filter(ours).any(|one| one.kind == Kind::Versions && one.answer.is_some()) {
        return true;
    }
    let told: Vec<String> = of(environment, look).filter_map(answers::keys).flatten().collect();
    let mut held = of(environment, look).filter(ours).filter_map(answers::published);
    held.any(|value| told.iter().any(|key| key == value))
}

fn linked(environment: &Environment, look: &[Exchanged]) -> bool {
    let ours = |told: Option<(String, bool)>| told.is_some_and(|(id, _)| id.eq_ignore_ascii_case(&vault(LINKED)));
    of(environment, look).filter_map(answers::linked).any(ours)
}

fn rights(environment: &Environment, look: &[Exchanged]) -> bool {
    let read = of(environment, look).filter(|one| matches!(one.kind, Kind::Vault | Kind::Holders));
    read.flat_map(Exchanged::worlds).any(|world| may_read(world))
}

/// Whether a link was told to be there with all of its connections open, on both sides.
fn open(environment: &Environment, account: &str, look: &[Exchanged]) -> bool {
    let approved = |link: &answers::Link| {
        link.account == account && !link.endpoints.is_empty() && link.endpoints.iter().all(|(_, one)| one == "approved")
    };
    of(environment, look).filter_map(answers::links).any(|links| links.iter().any(approved))
}

fn no_others(environment: &Environment, links: &Links, look: &[Exchanged]) -> bool {
    let only = |told: Vec<answers::Link>| !links.exact || told.iter().all(|one| links.to(&one.account).is_some());
    of(environment, look).filter_map(answers::links).any(only)
}

/// Whether all that was told can be as declared.
pub(crate) fn whole(environment: &Environment, look: &[Exchanged]) -> bool {
    let Environment { users, api: access, vault, links, .. } = environment;
    let seen = Seen::of(look, environment.instance());
    let of_users = |users: &Users| seen.any(|world, list| list.is_as_declared(users, world));
    let dates = environment.keys().is_some_and(|keys| keys.metadata);
    users.as_ref().is_none_or(of_users)
        && access.as_ref().is_none_or(|access| api(environment, access.enabled, look))
        && (environment.keys().is_none() || keys(environment, look, dates))
        && (vault.is_none() || (linked(environment, look) && rights(environment, look)))
        && links.as_ref().is_none_or(|links| {
            no_others(environment, links, look) && links.links.iter().all(|one| open(environment, &one.account, look))
        })
        && platform::shown::whole(environment, look)
}

/// How much of an environment can be in sync at most, by what was told.
pub(crate) fn most(environment: &Environment, look: &[Exchanged]) -> u64 {
    let Environment { users, api: access, vault, links, .. } = environment;
    let seen = Seen::of(look, environment.instance());
    let held = |users: &Users| {
        let satisfied = |world: &_, list: &Told| users.entries.iter().filter(|one| list.satisfies(one, world)).count();
        let all = seen.directories.iter().flat_map(|world| seen.lists.iter().map(|list| satisfied(world, list)));
        all.max().unwrap_or_default()
    };
    let held = users.as_ref().map_or(0, held);
    let on = access.as_ref().is_some_and(|access| api(environment, access.enabled, look));
    let dates = environment.keys().is_some_and(|keys| keys.metadata);
    let published = environment.keys().is_some() && keys(environment, look, dates);
    let vaults = usize::from(vault.is_some() && linked(environment, look))
        + usize::from(vault.is_some() && rights(environment, look));
    let links = links.iter().flat_map(|links| &links.links).filter(|one| open(environment, &one.account, look)).count();
    let hosted = platform::shown::most(environment, look);
    (held + usize::from(on) + usize::from(published) + vaults + links + hosted) as u64
}

/// Whether a request writes for a change.
fn is_for(one: &Exchanged, change: &Value, environment: &Environment) -> bool {
    if !one.kind.is_write() || one.instance.is_some_and(|id| id != environment.instance()) {
        return false;
    }
    if platform::shown::is_setting(change) {
        return platform::shown::is_for(one, change, environment);
    }
    let binds = &change["binds"];
    let account = || one.path.split('/').nth(8).unwrap_or_default().to_lowercase();
    let resource = || last(binds["resource"].as_str().unwrap_or_default()).to_lowercase();
    match (change["setting"].as_str().unwrap_or_default(), one.kind) {
        ("users", Kind::Put | Kind::Delete) => is_of(one, principal(change)),
        ("apiAccess", Kind::ApiOn | Kind::ApiOff) => change["address"] == format!("{}/apiAccess", environment.key()),
        ("apiAccess", Kind::Regenerate) => binds["secret"].is_string(),
        ("apiAccess", Kind::SetSecret | Kind::Tag | Kind::Recover) => {
            binds["secret"].is_string() && one.path.split('/').nth(2) == Some(environment.secret().as_str())
        }
        ("keyVault", Kind::LinkVault) => binds["instance"].is_string(),
        ("keyVault", Kind::Grant) => {
            let role = one.sent.as_ref().and_then(|sent| sent["properties"]["roleDefinitionId"].as_str());
            binds["role"].as_str().is_some_and(|id| role.is_some_and(|role| role.ends_with(id)))
        }
        ("keyVault", Kind::Policy) => binds["principal"].is_string() && binds["role"].is_null(),
        ("privateLinks", Kind::Approve) if binds["connection"].is_string() => {
            binds["connection"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(last(&one.path)))
        }
        ("privateLinks", Kind::Approve) => account() == resource(),
        ("privateLinks", Kind::RemoveLink) => {
            binds["link"].as_str().is_some_and(|links| links.contains(last(&one.path)))
        }
        ("privateLinks", Kind::AddLink) => {
            let name = one.sent.as_ref().and_then(|sent| sent["resourceName"].as_str());
            binds["connection"].is_null() && name.is_some_and(|name| name.to_lowercase() == resource())
        }
        _ => false,
    }
}

fn principal(change: &Value) -> Option<Uuid> {
    change["binds"]["principal"].as_str()?.parse().ok()
}

fn is_of(one: &Exchanged, id: Option<Uuid>) -> bool {
    let alias = id.and_then(|id| one.before.applications.get(&id)).map(|application| application.app_id);
    one.principal.is_some() && (one.principal == id || one.principal == alias)
}

/// Nothing is done that wasn't read back, and nothing was sent unless the report says so.
pub(crate) fn outcome(run: &Run<'_>, change: &Value, applied: &Value) -> Vec<String> {
    let Run { declared, log, looked, from, .. } = run;
    let address = &change["address"];
    let Some(environment) = declared.environments.iter().find(|one| applied["scope"] == one.key()) else {
        return vec![format!("{address} is of no environment")];
    };
    let mut wrong = Vec::new();
    let mine = log.iter().enumerate().skip(*from).filter(|(_, one)| is_for(one, change, environment));
    let last = mine.map(|(index, _)| index).next_back();
    // Rights on a vault that several environments use are granted once.
    let shared = change["setting"] == "keyVault" || platform::shown::is_shared(change);
    let shared = shared && declared.environments.len() > 1;
    let open = last.is_some_and(|last| platform::shown::is_turned_down(&log[last]));
    if last.is_some() != (applied["wrote"] == true) && !shared && !open {
        wrong.push(format!("{address}: sent {}, told {}", last.is_some(), applied["wrote"]));
    }
    if applied["status"] != "done" {
        return wrong;
    }
    let since = &log[last.map_or(*looked, |last| last + 1)..];
    // Where only dates are read, they tell that there is nothing to do; what is done is looked at by values.
    let dates = last.is_none() && environment.keys().is_some_and(|keys| keys.metadata);
    if !shows(change, environment, since, dates) {
        wrong.push(format!("{address} is done by the report, and nothing shows it: {}", applied["reason"]));
    }
    let id = principal(change).filter(|_| change["setting"] == "users");
    wrong.extend(id.zip(last).and_then(|(id, last)| nobody_left(address, id, last, run, environment)));
    wrong
}

fn shows(change: &Value, environment: &Environment, since: &[Exchanged], dates: bool) -> bool {
    if platform::shown::is_setting(change) {
        return platform::shown::shows(change, environment, since);
    }
    let binds = &change["binds"];
    let address = change["address"].as_str().unwrap_or_default();
    let action = change["action"].as_str().unwrap_or_default();
    let account = last(binds["resource"].as_str().unwrap_or_default()).to_lowercase();
    match change["setting"].as_str().unwrap_or_default() {
        "users" => since.iter().any(|one| shows_role(one, change, environment)),
        "apiAccess" if binds["secret"].is_string() => keys(environment, since, dates),
        "apiAccess" => api(environment, action == "enable", since),
        "keyVault" if binds["instance"].is_string() => {
            let ours = |(id, usable): (String, bool)| usable && id.eq_ignore_ascii_case(&vault(LINKED));
            of(environment, since).filter_map(answers::linked).flatten().any(ours)
        }
        "keyVault" => {
            let read = since.iter().filter(|one| matches!(one.kind, Kind::Vault | Kind::Holders));
            read.flat_map(Exchanged::worlds).any(|world| may_hold(world, binds["role"].as_str()))
        }
        _ if binds["connection"].is_string() => {
            let name = binds["connection"].as_str().unwrap_or_default();
            let told = since.iter().filter_map(answers::connections).filter(|(found, _)| *found == account);
            let mut told = told.flat_map(|(_, list)| list);
            told.any(|one| one.name.eq_ignore_ascii_case(name) && one.status == "Approved")
        }
        _ if action == "delete" => {
            let gone = |told: Vec<answers::Link>| {
                told.iter().all(|one| binds["link"].as_str().is_none_or(|ids| !ids.contains(&one.id)))
            };
            of(environment, since).filter_map(answers::links).any(gone)
        }
        _ => {
            let name = address.rsplit('/').next().unwrap_or_default();
            open(environment, name, since)
        }
    }
}

/// Whether one right shows; all of them, where access policies decide.
fn may_hold(world: &palisade::emulator::World, role: Option<&str>) -> bool {
    let Some(role) = role.and_then(|role| role.parse::<Uuid>().ok()) else { return may_read(world) };
    let service = crate::resources::service(world);
    let named = |scope: &str| scope.eq_ignore_ascii_case(&vault(LINKED)) || last(scope) != VAULTS[LINKED];
    world
        .role_assignments
        .iter()
        .any(|one| Some(one.principal_id) == service && one.role_definition == role && named(&one.scope))
}

fn shows_role(one: &Exchanged, change: &Value, environment: &Environment) -> bool {
    let Some(id) = principal(change) else { return false };
    if one.instance != Some(environment.instance()) {
        return false;
    }
    let role = change["after"]["role"].as_str();
    let role = role.map(|role| BTreeSet::from([role.to_lowercase().replace(' ', "")]));
    let alias = one.before.applications.get(&id).map(|application| application.app_id);
    let ids: BTreeSet<Uuid> = [Some(id), alias].into_iter().flatten().collect();
    one.told.as_ref().is_some_and(|told| {
        let held: Vec<_> = ids.iter().filter_map(|id| told.held.get(id)).collect();
        match &role {
            None => held.is_empty() && told.nameless == 0,
            Some(role) => !held.is_empty() && held.iter().all(|roles| *roles == role),
        }
    })
}

/// What takes something away, and after which nobody else is Admin for as long as anybody looks, must not stay quiet.
fn nobody_left(address: &Value, id: Uuid, last: usize, run: &Run<'_>, of: &Environment) -> Option<String> {
    let (write, instance) = (&run.log[last], of.instance());
    let roles = |world: &_| Told::of(world, instance).held.get(&id).cloned().unwrap_or_default();
    let (had, left) = (roles(&write.before), roles(&write.after));
    let took = rank(&left) < rank(&had);
    let later = &run.log[last + 1..];
    let concerns = |one: &&Exchanged| one.instance == Some(instance) || environment(one, run.declared).is_none();
    let nobody = |one: &Exchanged| {
        [&one.before, &one.after].into_iter().all(|world| Told::of(world, instance).others(world) == 0)
    };
    let seen = Seen::of(later, instance);
    let quiet = took && later.iter().filter(concerns).all(nobody) && !seen.any(|world, list| list.others(world) > 0);
    quiet.then(|| format!("{address} is done by the report, and no other Admin is left"))
}
