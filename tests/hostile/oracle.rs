//! What every write must keep, judged by the world and by what palisade was told; never by what palisade thought.
//!
//! Words: the *look* of a write is everything that was read for its environment since the environment's identity was last read
//! before it. What palisade *could see* is each state of the directory at one of the look's questions to it, with each list of
//! roles that an answer of the look told.
//!
//! The bound: facts may change after the last question. A write breaks a rule only if it does so in the world, and with
//! everything that palisade could see as well. Of a look whose answers lie, only lies that can be told from the truth aren't
//! believed: a list that isn't one tells nothing, and an answer that is merely old is what palisade could see.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;
use palisade::emulator::World;
use serde_json::Value;
use uuid::Uuid;

use crate::answers;
use crate::declared::{Declared, Entry, Environment, Named, Users};
use crate::kind::{Kind, Setting};
use crate::names::{KEYS_VAULT, VAULTS, upn};
use crate::told::{Told, rank, resolve};
use crate::wire::Exchanged;
use crate::{keys, links, platform, vaults};

/// What palisade could see.
pub(crate) struct Seen {
    pub(crate) directories: Vec<Rc<World>>,
    pub(crate) lists: Vec<Told>,
}

impl Seen {
    pub(crate) fn of<'a>(look: impl IntoIterator<Item = &'a Exchanged>, instance: Uuid) -> Self {
        let mut directories: Vec<Rc<World>> = Vec::new();
        let mut lists: Vec<Told> = Vec::new();
        for one in look {
            if one.kind.is_directory() {
                for world in one.worlds() {
                    if !directories.iter().any(|known| Rc::ptr_eq(known, world)) {
                        directories.push(world.clone());
                    }
                }
            }
            let told = one.told.as_ref().filter(|_| one.instance == Some(instance));
            lists.extend(told.filter(|told| !lists.contains(told)).cloned());
        }
        Self { directories, lists }
    }

    /// Whether it could be seen that something holds.
    pub(crate) fn any(&self, holds: impl Fn(&World, &Told) -> bool) -> bool {
        self.directories.iter().any(|world| self.lists.iter().any(|list| holds(world, list)))
    }
}

/// The facts by which an environment is known.
pub(crate) fn identity(world: &World, instance: Uuid) -> Option<[String; 4]> {
    let metadata = &world.instances.get(&instance)?.metadata;
    let dataverse = metadata.cds_org_info.as_ref().map(|organisation| organisation.url.clone()).unwrap_or_default();
    Some([
        metadata.name.clone().unwrap_or_default(),
        metadata.provisioning_state.clone(),
        metadata.region.clone(),
        dataverse,
    ])
}

/// What every environment was when the plan saw it.
pub(crate) fn identities(log: &[Exchanged]) -> BTreeMap<Uuid, [String; 4]> {
    let read = log.iter().filter(|one| one.kind == Kind::Instance);
    read.filter_map(|one| Some((one.instance?, identity(&one.before, one.instance?)?))).collect()
}

/// One write, with everything that it is judged by.
pub(crate) struct Write<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) one: &'a Exchanged,
    /// Everything that was read for its environment since its identity was.
    pub(crate) look: Vec<&'a Exchanged>,
    /// The list of environments that was read before it.
    pub(crate) listed: Option<&'a Exchanged>,
    /// Everything of its environment since the run began, the look included.
    pub(crate) run: Vec<&'a Exchanged>,
    /// The plan that was carried out, as printed for programs.
    pub(crate) plan: &'a Value,
}

impl Write<'_> {
    /// What was read of a kind since the environment's last write; all of the look, if there was none in it.
    pub(crate) fn since(&self, kind: Kind) -> impl Iterator<Item = &&Exchanged> {
        // Tried again, it is still the same write.
        let again = |one: &&Exchanged| (one.kind, &one.path) == (self.one.kind, &self.one.path);
        let tries = self.run.iter().rev().take_while(|one| again(one)).count();
        let before = &self.run[..self.run.len() - tries];
        let from = before.iter().rposition(|one| one.kind.is_write()).map_or(0, |last| last + 1);
        self.run[from..].iter().filter(move |one| one.kind == kind)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.one.at
    }

    pub(crate) fn read(&self, kind: Kind) -> impl Iterator<Item = &&Exchanged> {
        self.look.iter().filter(move |one| one.kind == kind)
    }
}

/// The environment that a write is of, if it can be of one only.
pub(crate) fn environment<'a>(one: &Exchanged, declared: &'a Declared) -> Option<&'a Environment> {
    let mut all = declared.environments.iter();
    if platform::oracle::is_about(one) {
        return None;
    }
    match (one.instance, one.kind) {
        (Some(id), _) => declared.of(id),
        (None, Kind::Approve) => {
            let account = one.path.split('/').nth(8)?;
            all.find(|environment| {
                environment.links.as_ref().is_some_and(|links| links.to(&account.to_lowercase()).is_some())
            })
        }
        (None, Kind::Grant | Kind::Policy) => all.find(|environment| environment.vault.is_some()),
        (None, _) => {
            let name = one.path.split('/').nth(2)?;
            let ours = one.host == format!("{}.vault.localhost", VAULTS[KEYS_VAULT]);
            all.find(|environment| ours && environment.keys().is_some() && environment.secret() == name)
        }
    }
}

/// Everything that is wrong with the writes from a place in the log on. `planned` is what the plan saw.
pub(crate) fn writes(
    log: &[Exchanged],
    from: usize,
    declared: &Declared,
    planned: &BTreeMap<Uuid, [String; 4]>,
    plan: &Value,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, one) in log.iter().enumerate().skip(from).filter(|(_, one)| one.kind.is_write()) {
        let mut say = |what: &str| wrong.push(format!("{:?} of {} (request {index}): {what}", one.kind, one.path));
        platform::oracle::kept(one, &mut say);
        if platform::oracle::is_about(one) {
            platform::oracle::judge(log, from, index, declared, &mut say);
            continue;
        }
        // Of several that declare the vault, the one that was looked at last.
        let looked_at = |read: &Exchanged| {
            let mut all = declared.environments.iter().filter(|environment| environment.vault.is_some());
            all.find(|environment| read.kind == Kind::Instance && read.instance == Some(environment.instance()))
        };
        let granted = matches!(one.kind, Kind::Grant | Kind::Policy);
        let latest = granted.then(|| log[..index].iter().rev().find_map(looked_at)).flatten();
        let Some(environment) = latest.or_else(|| environment(one, declared)) else {
            say("no environment of the file asks for that");
            continue;
        };
        let id = environment.instance();
        // What no instance is named in may have been asked for any of them.
        let concerns = |one: &&Exchanged| match one.instance {
            Some(instance) => instance == id,
            None => !one.kind.is_write() || self::environment(one, declared).is_some_and(|of| of.instance() == id),
        };
        let begin = log[..index].iter().rposition(|one| one.kind == Kind::Instance && one.instance == Some(id));
        let look = log[begin.unwrap_or_default()..index].iter().filter(concerns).collect();
        let run = log[from..index].iter().filter(concerns).collect();
        let listed = log[..begin.unwrap_or_default()].iter().rfind(|one| one.kind == Kind::Instances);
        let write = Write { environment, one, look, listed, run, plan };
        judge(&write, planned.get(&id), &mut say);
    }
    wrong
}

fn judge(write: &Write<'_>, planned: Option<&[String; 4]>, say: &mut impl FnMut(&str)) {
    let one = write.one;
    target(write, planned, say);
    // Tried again, it is still the write of its look; anything else that was written since is another one.
    let others = write.look.iter().filter(|other| other.kind.is_write());
    let another = others.clone().any(|other| (other.kind, other.principal) != (one.kind, one.principal));
    // Whose grant it is doesn't show, where several environments use the vault.
    let alone = !matches!(one.kind.writes(), Some(Setting::Keys | Setting::PrivateLinks))
        && !matches!(one.kind, Kind::Grant | Kind::Policy);
    if another && alone && !(one.kind == Kind::ApiOn && write.environment.keys().is_some()) {
        say("there was no look since the write before");
    }
    match one.kind.writes() {
        Some(Setting::Users) => match &write.environment.users {
            Some(users) => role(write, users, say),
            None => say("no users are declared"),
        },
        Some(Setting::Api) => api(write, say),
        Some(Setting::Keys) => keys::judge(write, say),
        Some(Setting::KeyVault) => vaults::judge(write, say),
        Some(Setting::PrivateLinks) => links::judge(write, say),
        Some(Setting::Hosted) | None => say("nothing here ever asks for that"),
    }
}

/// No write to an instance whose name, tenant, state, region or organisation isn't what the plan saw at the look before it.
fn target(write: &Write<'_>, planned: Option<&[String; 4]>, say: &mut impl FnMut(&str)) {
    let Some(read) = write.read(Kind::Instance).last() else {
        return say("nothing was read of its environment before");
    };
    let now = identity(&read.before, write.environment.instance());
    if now.as_ref() != planned {
        say(&format!("the environment is {now:?}, and was {planned:?} in the plan"));
    }
    if now.is_none_or(|[_, state, _, _]| state != "active") {
        say("the environment isn't active");
    }
    if write.look.iter().all(|one| one.moved) && write.listed.is_none_or(|one| one.moved) {
        say("the environment belongs to another tenant");
    }
}

fn api(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Write { environment, one, .. } = write;
    let Some(api) = &environment.api else { return say("no API access is declared") };
    let asked = one.kind == Kind::ApiOn;
    if api.enabled != asked {
        say("API access isn't declared so");
    }
    if !write.since(Kind::Api).filter_map(|one| answers::api(one)).any(|told| told != api.enabled) {
        say("API access wasn't read to differ");
    }
    if asked && api.keys.is_some() {
        keys::noted(write, say);
    }
}

/// What a write did to the list: the principal, with the roles that it has now.
struct Effect<'a> {
    before: Told,
    after: Told,
    id: Uuid,
    roles: Option<&'a BTreeSet<String>>,
}

fn role(write: &Write<'_>, users: &Users, say: &mut impl FnMut(&str)) {
    let Write { environment, one, look, .. } = write;
    let instance = environment.instance();
    let Some(id) = one.principal else { return say("the principal isn't an id") };
    let seen = Seen::of(look.iter().copied(), instance);
    if seen.lists.is_empty() {
        return say("no list of roles was read before");
    }
    let (before, after) = (Told::of(&one.before, instance), Told::of(&one.after, instance));
    let roles = after.held.get(&id).cloned();
    let effect = Effect { before, after, id, roles: roles.as_ref() };
    wanted(write, &effect, &seen, users, say);
    if effect.before == effect.after {
        return;
    }
    let had = effect.before.held.get(&id).cloned().unwrap_or_default();
    let left = effect.roles.cloned().unwrap_or_default();
    if had.iter().all(|role| left.contains(role)) {
        return;
    }
    admins(one, &effect, &seen, say);
    for named in &users.break_glass {
        protected(named, one, &effect, &seen, say);
    }
    let lost = |world: &World| users.break_glass.iter().any(|named| resolve(named, world).is_none());
    if seen.directories.iter().all(|world| lost(world)) && rank(&left) < rank(&had) {
        say("something is taken away although nobody knows who an entry of breakGlass is");
    }
}

/// Roles are given as declared, and taken only from those who aren't.
fn wanted(write: &Write<'_>, effect: &Effect<'_>, seen: &Seen, users: &Users, say: &mut impl FnMut(&str)) {
    let of = |world: &World, named: &Named| Told::ids(named, world).contains(&effect.id);
    match write.one.kind {
        Kind::Put => {
            let asked = |world: &World| {
                let gives = |entry: &Entry| write.one.role() == Some(entry.role);
                users.entries.iter().any(|entry| of(world, &entry.named) && gives(entry))
            };
            if !seen.directories.iter().any(|world| asked(world)) {
                say("nobody declares that role for that principal");
            }
            let ids = |world: &World| {
                let alias = world.applications.get(&effect.id).map(|application| application.app_id);
                [Some(effect.id), alias].into_iter().flatten().collect::<BTreeSet<Uuid>>()
            };
            if !seen.any(|world, list| list.may_lack(&ids(world))) {
                say("it may be one of those that the list doesn't name, and counts as missing");
            }
        }
        _ => {
            if !users.exact {
                say("something is removed, and the list is declared as `atLeast`");
            }
            let declares = |world: &World| users.entries.iter().any(|entry| of(world, &entry.named));
            if seen.directories.iter().all(|world| declares(world)) {
                say("a declared principal is removed");
            }
            // Whom a name means isn't known, so anybody may be meant.
            let doubtful = |world: &World| users.entries.iter().any(|entry| resolve(&entry.named, world).is_none());
            if seen.directories.iter().all(|world| doubtful(world)) {
                say("somebody is removed although the directory doesn't know everybody who is declared");
            }
            for entry in users.entries.iter().filter(|entry| !looked_up(&entry.named, &write.look)) {
                say(&format!("somebody is removed, and nothing told who {:?} is", entry.named));
            }
        }
    }
}

/// Whether an answer told whom a name means, or that it means nobody. Where the file says the id, that is known.
fn looked_up(named: &Named, look: &[&Exchanged]) -> bool {
    let name = match named {
        Named::User(number) => upn(*number),
        Named::App(id) => id.to_string(),
        Named::Person(_) | Named::Group(_) | Named::Bare(_) => return true,
    };
    look.iter().filter(|one| one.kind == Kind::Batch).any(|one| answers::looked_up(one, &name))
}

fn admins(write: &Exchanged, effect: &Effect<'_>, seen: &Seen, say: &mut impl FnMut(&str)) {
    let after = |list: &Told| list.with(effect.id, effect.roles);
    let kept = effect.after.caller_is_admin(&write.after) || !effect.before.caller_is_admin(&write.before);
    if !kept && !seen.any(|world, list| after(list).caller_is_admin(world)) {
        say("the caller isn't Admin any more");
    }
    let took = effect.before.is_admin(effect.id) && !effect.after.is_admin(effect.id);
    if took && effect.after.others(&write.after) == 0 && !seen.any(|world, list| after(list).others(world) > 0) {
        say("no other Admin is left");
    }
}

fn protected(named: &Named, write: &Exchanged, effect: &Effect<'_>, seen: &Seen, say: &mut impl FnMut(&str)) {
    let lowers = |world: &World, before: &Told, after: &Told| {
        resolve(named, world).is_some_and(|id| rank(&after.effective(world, id)) < rank(&before.effective(world, id)))
    };
    let in_sight = seen.any(|world, list| !lowers(world, list, &list.with(effect.id, effect.roles)));
    if lowers(&write.before, &effect.before, &effect.after) && !in_sight {
        say(&format!("{named:?} is under breakGlass, and has less now"));
    }
}
