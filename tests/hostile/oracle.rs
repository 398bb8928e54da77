//! What every write must keep, judged by the world and by what palisade was told; never by what palisade thought.
//!
//! Words: the *look* of a write is everything that was read since the environment's identity was last read before it. What
//! palisade *could see* is each state of the directory at one of the look's questions to it, with each list of roles that an
//! answer of the look told.
//!
//! The bound: facts may change after the last question. A write breaks a rule only if it does so in the world, and with
//! everything that palisade could see as well. Of a look whose answers lie, only lies that can be told from the truth aren't
//! believed: a list that isn't one tells nothing, and an answer that is merely old is what palisade could see.

use std::collections::BTreeSet;
use std::rc::Rc;

use palisade::emulator::World;
use uuid::Uuid;

use crate::declared::{Declared, Entry, INSTANCE, Named};
use crate::told::{Told, rank, resolve};
use crate::trouble::Kind;
use crate::wire::Exchanged;

/// What palisade could see.
pub(crate) struct Seen {
    pub(crate) directories: Vec<Rc<World>>,
    pub(crate) lists: Vec<Told>,
}

impl Seen {
    pub(crate) fn of(look: &[Exchanged]) -> Self {
        let mut directories: Vec<Rc<World>> = Vec::new();
        let mut lists: Vec<Told> = Vec::new();
        for one in look {
            if one.kind.is_directory() {
                for world in [Some(&one.before), Some(&one.after), one.earlier.as_ref()].into_iter().flatten() {
                    if !directories.iter().any(|known| Rc::ptr_eq(known, world)) {
                        directories.push(world.clone());
                    }
                }
            }
            lists.extend(one.told.as_ref().filter(|told| !lists.contains(told)).cloned());
        }
        Self { directories, lists }
    }

    /// Whether it could be seen that something holds.
    pub(crate) fn any(&self, holds: impl Fn(&World, &Told) -> bool) -> bool {
        self.directories.iter().any(|world| self.lists.iter().any(|list| holds(world, list)))
    }
}

/// The facts by which an environment is known.
pub(crate) fn identity(world: &World) -> Option<[String; 4]> {
    let metadata = &world.instances.get(&INSTANCE)?.metadata;
    let dataverse = metadata.cds_org_info.as_ref().map(|organisation| organisation.url.clone()).unwrap_or_default();
    Some([
        metadata.name.clone().unwrap_or_default(),
        metadata.provisioning_state.clone(),
        metadata.region.clone(),
        dataverse,
    ])
}

/// Everything that is wrong with the writes from a place in the log on. `planned` is what the plan saw.
pub(crate) fn writes(
    log: &[Exchanged],
    from: usize,
    declared: &Declared,
    planned: Option<&[String; 4]>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, write) in log.iter().enumerate().skip(from).filter(|(_, one)| one.kind.is_write()) {
        let begin = log[..index].iter().rposition(|one| one.kind == Kind::Instance).unwrap_or_default();
        let look = &log[begin..index];
        let mut say =
            |what: &str| wrong.push(format!("{:?} of {:?} (request {index}): {what}", write.kind, write.principal));
        // Tried again, it is still the write of its look; anything else that was written since is another one.
        let since = look.iter().filter(|one| one.kind.is_write());
        if since.clone().any(|one| (one.kind, one.principal) != (write.kind, write.principal)) {
            say("there was no look since the write before");
        }
        target(look, planned, &mut say);
        match write.kind {
            Kind::ApiSwitch => api(write, look, declared, &mut say),
            _ => role(write, &Seen::of(look), declared, &mut say),
        }
    }
    wrong
}

/// No write to an instance whose name, tenant, state, region or organisation isn't what the plan saw at the look before it.
fn target(look: &[Exchanged], planned: Option<&[String; 4]>, say: &mut impl FnMut(&str)) {
    let Some(read) = look.iter().rfind(|one| one.kind == Kind::Instance) else {
        return say("nothing was read of its environment before");
    };
    let now = identity(&read.before);
    if now.as_ref() != planned {
        say(&format!("the environment is {now:?}, and was {planned:?} in the plan"));
    }
    if now.is_none_or(|[_, state, _, _]| state != "active") {
        say("the environment isn't active");
    }
    if look.iter().all(|one| one.moved) {
        say("the environment belongs to another tenant");
    }
}

fn api(write: &Exchanged, look: &[Exchanged], declared: &Declared, say: &mut impl FnMut(&str)) {
    let on = |world: &World| world.instances.get(&INSTANCE).is_some_and(|one| one.api_subscription.is_subscribed);
    let (was, is) = (on(&write.before), on(&write.after));
    if was != is && declared.api != Some(is) {
        say("API access isn't declared so");
    }
    if !look.iter().any(|one| one.api.is_some_and(|told| Some(told) != declared.api)) {
        say("API access wasn't read to differ");
    }
}

/// What a write did to the list: the principal, with the roles that it has now.
struct Effect<'a> {
    before: Told,
    after: Told,
    id: Uuid,
    roles: Option<&'a BTreeSet<String>>,
}

fn role(write: &Exchanged, seen: &Seen, declared: &Declared, say: &mut impl FnMut(&str)) {
    let Some(id) = write.principal else { return say("the principal isn't an id") };
    let (before, after) = (Told::of(&write.before), Told::of(&write.after));
    if write.before.instances.get(&INSTANCE).map(|one| &one.assignments)
        == write.after.instances.get(&INSTANCE).map(|one| &one.assignments)
    {
        return;
    }
    if seen.lists.is_empty() {
        return say("no list of roles was read before");
    }
    let roles = after.held.get(&id).cloned();
    let effect = Effect { before, after, id, roles: roles.as_ref() };
    wanted(write, &effect, seen, declared, say);
    let had = effect.before.held.get(&id).cloned().unwrap_or_default();
    let left = effect.roles.cloned().unwrap_or_default();
    if had.iter().all(|role| left.contains(role)) {
        return;
    }
    admins(write, &effect, seen, say);
    for named in &declared.break_glass {
        protected(named, write, &effect, seen, say);
    }
    let lost = |world: &World| declared.break_glass.iter().any(|named| resolve(named, world).is_none());
    if seen.directories.iter().all(|world| lost(world)) && rank(&left) < rank(&had) {
        say("something is taken away although nobody knows who an entry of breakGlass is");
    }
}

/// Roles are given as declared, and taken only from those who aren't.
fn wanted(write: &Exchanged, effect: &Effect<'_>, seen: &Seen, declared: &Declared, say: &mut impl FnMut(&str)) {
    let of = |world: &World, named: &Named| {
        let id = resolve(named, world);
        let alias = id.and_then(|id| world.applications.get(&id)).map(|application| application.app_id);
        id == Some(effect.id) || alias == Some(effect.id)
    };
    match write.kind {
        Kind::Put => {
            let asked = |world: &World| {
                let gives = |entry: &Entry| write.role.as_deref() == Some(entry.role);
                declared.entries.iter().any(|entry| of(world, &entry.named) && gives(entry))
            };
            if !seen.directories.iter().any(|world| asked(world)) {
                say("nobody declares that role for that principal");
            }
        }
        _ => {
            if !declared.exact {
                say("something is removed, and the list is declared as `atLeast`");
            }
            let declares = |world: &World| declared.entries.iter().any(|entry| of(world, &entry.named));
            if seen.directories.iter().all(|world| declares(world)) {
                say("a declared principal is removed");
            }
            // Whom a name means isn't known, so anybody may be meant.
            let doubtful = |world: &World| declared.entries.iter().any(|entry| resolve(&entry.named, world).is_none());
            if seen.directories.iter().all(|world| doubtful(world)) {
                say("somebody is removed although the directory doesn't know everybody who is declared");
            }
        }
    }
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
