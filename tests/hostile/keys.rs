//! What writes of keys must keep: whoever reads the published secret holds a key that works.
//!
//! Words: the *published* value is the current version's of the declared secret; a *slot* holds one of the two keys.

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::{ApiSubscription, World};

use crate::answers;
use crate::declared::GRACE;
use crate::kind::Kind;
use crate::names::{KEYS_VAULT, TENANT, VAULTS, vault};
use crate::oracle::Write;

/// The values of the two slots.
fn slots(api: &ApiSubscription) -> [Option<&str>; 2] {
    [&api.primary_key, &api.secondary_key].map(|key| key.as_ref().map(|key| key.expose()))
}

fn of_world<'w>(write: &Write<'_>, world: &'w World) -> [Option<&'w str>; 2] {
    world.instances.get(&write.environment.instance()).map_or([None, None], |one| slots(&one.api_subscription))
}

/// The versions of the declared secret, oldest first: value, whether it can be read, and since when it is there.
fn versions<'w>(write: &Write<'_>, world: &'w World) -> Vec<(&'w str, bool, Timestamp)> {
    let secret = world.vaults.get(VAULTS[KEYS_VAULT]).and_then(|vault| vault.secrets.get(&write.environment.secret()));
    let versions = secret.filter(|secret| secret.deleted.is_none()).into_iter().flat_map(|secret| &secret.versions);
    versions.map(|one| (one.value.expose(), one.attributes.enabled, one.attributes.created)).collect()
}

fn published<'w>(write: &Write<'_>, world: &'w World) -> Option<&'w str> {
    versions(write, world).last().filter(|(_, enabled, _)| *enabled).map(|(value, _, _)| *value)
}

/// Where API access is switched on with its keys, the vault has taken a note of it before.
pub(crate) fn noted(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let noted = |world: &World| !versions(write, world).is_empty();
    let seen = write.since(Kind::Secret).chain(write.since(Kind::Versions));
    if !noted(&write.one.before) && !seen.flat_map(|one| one.worlds()).any(|world| noted(world)) {
        say("API access is switched on, and the vault knows nothing of it");
    }
}

pub(crate) fn judge(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    if write.environment.keys().is_none() {
        return say("no keys are declared");
    }
    match write.one.kind {
        Kind::Regenerate => regenerate(write, say),
        kind => {
            place(write, say);
            if kind == Kind::SetSecret {
                publish(write, say);
            }
        }
    }
}

/// What is written goes to the declared vault of the tenant, and not to one that has its name.
fn place(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let declared = |world: &World| {
        let found = world.vaults.get(VAULTS[KEYS_VAULT]);
        found.is_some_and(|found| found.id == vault(KEYS_VAULT) && found.tenant_id == TENANT)
    };
    let mut seen = write.since(Kind::Vault).flat_map(|one| one.worlds());
    if !declared(&write.one.before) && !seen.any(|world| declared(world)) {
        say("the vault under that name isn't the declared one");
    }
    if write.since(Kind::Vault).all(|one| one.answer.is_none()) {
        say("nothing was read of the vault before");
    }
}

fn regenerate(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let slot = usize::from(write.one.path.ends_with("/regeneratesecondarykey"));
    if write
        .run
        .iter()
        .any(|one| one.kind == Kind::Regenerate && of_world(write, &one.before) != of_world(write, &one.after))
    {
        say("a second key is regenerated in one run");
    }
    if !write.since(Kind::Api).any(|one| answers::api(one) == Some(true)) {
        say("nothing told that API access of this environment is on");
    }
    let told: Vec<[String; 2]> = write.since(Kind::Keys).filter_map(|one| answers::keys(one)).collect();
    let held: Vec<&str> = write.since(Kind::Secret).filter_map(|one| answers::published(one)).collect();
    if told.is_empty() || held.is_empty() {
        return say("the keys and what is published weren't read before");
    }
    if told.iter().all(|keys| held.iter().all(|value| keys[slot] == *value)) {
        say("the key that was told to be in use dies");
    }
    if told.iter().all(|keys| held.iter().all(|value| !keys.iter().any(|key| key == value))) {
        say("a key dies while consumers were told to hold none that works");
    }
    let before = &write.one.before;
    let dies = of_world(write, before)[slot];
    if dies.is_some() && dies == published(write, before) {
        let seen = write.since(Kind::Secret).chain(write.since(Kind::Keys));
        let otherwise = |world: &World| of_world(write, world)[slot] != published(write, world);
        if !seen.flat_map(|one| one.worlds()).any(|world| otherwise(world)) {
            say("the key in use dies");
        }
    }
    in_grace(write, slot, say);
}

/// Nobody may still hold what dies: it was replaced long enough ago.
fn in_grace(write: &Write<'_>, slot: usize, say: &mut impl FnMut(&str)) {
    let now = write.now();
    let grace = SignedDuration::from_hours(24 * GRACE);
    let too_early = |world: &World| {
        let all = versions(write, world);
        let Some(dies) = of_world(write, world)[slot] else { return false };
        let followed = all.windows(2).filter(|pair| pair[0].0 == dies && pair[0].1);
        followed.map(|pair| pair[1].2).max().is_some_and(|since| now.duration_since(since) < grace)
    };
    let mut seen = write.since(Kind::Versions).flat_map(|one| one.worlds());
    if too_early(&write.one.before) && !seen.any(|world| !too_early(world)) {
        say("a key dies that consumers may still use");
    }
}

/// What is published is a live key of the environment, and one that was made in this run was tried before.
fn publish(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Some(sent) = &write.one.sent else { return say("nothing was published") };
    let Some(value) = sent["value"].as_str() else { return say("no value was published") };
    if sent["attributes"]["enabled"].as_bool() == Some(false) {
        // A place for a key that is to come. Nobody can read it, so it must hide nothing.
        let hides =
            |world: &World| published(write, world).is_some_and(|value| of_world(write, world).contains(&Some(value)));
        let mut seen = write.since(Kind::Secret).flat_map(|one| one.worlds());
        if hides(&write.one.before) && seen.all(|world| hides(world)) {
            say("a key that works is hidden from its consumers");
        }
        return;
    }
    let told: Vec<[String; 2]> = write.since(Kind::Keys).filter_map(|one| answers::keys(one)).collect();
    if !told.iter().flatten().any(|key| key == value) {
        say("what is published wasn't told to be a key");
    }
    let new = write.run.iter().rposition(|one| {
        let was = of_world(write, &one.before).contains(&Some(value));
        one.kind == Kind::Regenerate && !was && of_world(write, &one.after).contains(&Some(value))
    });
    let tried = |from: usize| {
        write.run[from..]
            .iter()
            .any(|one| one.kind == Kind::Try && one.key.as_deref() == Some(value) && one.status == Some(200))
    };
    // What consumers hold is dead: any key that may work is better.
    let held: Vec<&str> = write.since(Kind::Secret).filter_map(|one| answers::published(one)).collect();
    let dead = told.iter().any(|keys| held.iter().any(|value| !keys.iter().any(|key| key == value)));
    if !dead && new.is_some_and(|new| !tried(new)) {
        say("a new key is published that the gateway hasn't accepted");
    }
}
