//! Locks: environments whose key is lost, and what becomes of those that stay locked.
//!
//! Words: an environment is *locked* from the first request on at which its key can't be used; it is *over* once it has been locked
//! for as long as environments of its type are kept. Invariants: a lock is never taken back by itself, only by enabling the
//! environment or by another link; only production and sandbox environments are ever over
//! (learn.microsoft.com/power-platform/admin/cmk-lock-unlock); what is over isn't brought back by a configuration.

use jiff::{SignedDuration, Timestamp};

use super::{keys, lifecycle};
use crate::emulator::world::{LinkKind, PlatformEnvironment, PolicyLink, World};

const KEPT: [(&str, SignedDuration); 2] =
    [("Production", SignedDuration::from_hours(30 * 24)), ("Sandbox", SignedDuration::from_hours(7 * 24))];

/// Whether anything is to be locked, or is over.
pub(super) fn pending(world: &World, now: Timestamp) -> bool {
    !losing(world, now).is_empty() || !over(world, now).is_empty()
}

/// Locks what has lost its key, and deletes what is over.
pub(super) fn settle(world: &mut World, now: Timestamp) {
    for key in losing(world, now) {
        if let Some(environment) = world.power_platform_environments.get_mut(&key) {
            environment.locked = true;
            environment.locked_since = Some(now);
        }
    }
    for (key, at) in over(world, now) {
        world.power_platform_environments.remove(&key);
        world.deleted_environments.insert(key, at);
    }
}

/// The environments that are encrypted with a key that can't be used, and aren't locked yet; those too of which a world file
/// doesn't say since when they are.
fn losing(world: &World, now: Timestamp) -> Vec<String> {
    let lost = |environment: &PlatformEnvironment| {
        let link = environment.links.get(&LinkKind::Encryption).filter(|link| link.in_force);
        link.is_some_and(|link| in_force_policy_lost(world, environment, link, now))
    };
    let open = |environment: &PlatformEnvironment| match environment.locked {
        true => environment.locked_since.is_none(),
        false => lost(environment),
    };
    let found = world.power_platform_environments.iter().filter(|(_, environment)| open(environment));
    found.map(|(key, _)| key.clone()).collect()
}

/// While a link is being replaced, the policy that is in force is the one before.
fn in_force_policy_lost(world: &World, environment: &PlatformEnvironment, link: &PolicyLink, now: Timestamp) -> bool {
    let before = lifecycle::active(world, &environment.id, now).and_then(|operation| operation.before.as_ref());
    let id = before.unwrap_or(link).policy.to_lowercase();
    world.enterprise_policies.get(&id).is_none_or(|policy| keys::goes_on(world, policy, now).is_err())
}

/// The environments whose time is over, and since when.
fn over(world: &World, now: Timestamp) -> Vec<(String, Timestamp)> {
    let environments = world.power_platform_environments.iter();
    environments.filter_map(|(key, it)| Some((key.clone(), ends(it).filter(|end| *end <= now)?))).collect()
}

/// When a locked environment is deleted; none if it isn't locked, or never is.
fn ends(environment: &PlatformEnvironment) -> Option<Timestamp> {
    let (_, kept) = KEPT.iter().find(|(sku, _)| environment.sku.eq_ignore_ascii_case(sku))?;
    environment.locked_since.filter(|_| environment.locked)?.checked_add(*kept).ok()
}
