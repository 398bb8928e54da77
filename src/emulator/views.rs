//! Questions that the services ask of a world, and the two writes that leave a trace of what was before.
//!
//! What must stay true: all of it depends on the world and the instant given, so that a question has one answer; earlier
//! states are kept as long as a knob lets somebody see them, and no longer.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::world::{ApiSubscription, Application, Assignment, Behaviour, Earlier, Group, Instance, User, World};

/// What was true at `instant`, from the present value and the earlier ones (oldest first).
pub(crate) fn as_of<'a, T>(earlier: &'a [Earlier<T>], present: &'a T, instant: Timestamp) -> &'a T {
    earlier.iter().find(|e| e.until > instant).map_or(present, |e| &e.was)
}

/// The instant `ago` before `now`.
pub(crate) fn before(now: Timestamp, ago: SignedDuration) -> Timestamp {
    now.checked_sub(ago).unwrap_or(Timestamp::MIN)
}

/// A principal of the directory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Principal<'a> {
    User(Uuid, &'a User),
    Group(Uuid, &'a Group),
    Application(Uuid, &'a Application),
}

impl World {
    /// The principal with this object id.
    pub(crate) fn principal(&self, id: Uuid) -> Option<Principal<'_>> {
        let user = self.users.get(&id).map(|u| Principal::User(id, u));
        let group = || self.groups.get(&id).map(|g| Principal::Group(id, g));
        let application = || self.applications.get(&id).map(|a| Principal::Application(id, a));
        user.or_else(group).or_else(application)
    }

    /// The service principal of an application id.
    pub(crate) fn application(&self, app_id: Uuid) -> Option<(Uuid, &Application)> {
        self.applications.iter().find(|(_, a)| a.app_id == app_id).map(|(id, a)| (*id, a))
    }

    /// The groups that hold `id` directly or through other groups, in id order.
    pub(crate) fn groups_of(&self, id: Uuid) -> BTreeSet<Uuid> {
        let mut found = BTreeSet::new();
        let mut open = vec![id];
        while let Some(member) = open.pop() {
            for (group, _) in self.groups.iter().filter(|(_, g)| g.members.contains(&member)) {
                if found.insert(*group) {
                    open.push(*group);
                }
            }
        }
        found
    }

    /// All members of a group, through nested groups, in id order. The group itself is not among them.
    pub(crate) fn members_of(&self, group: Uuid) -> BTreeSet<Uuid> {
        let mut found = BTreeSet::new();
        let mut open = vec![group];
        while let Some(group) = open.pop() {
            for member in self.groups.get(&group).into_iter().flat_map(|g| &g.members) {
                if self.principal(*member).is_some() && found.insert(*member) {
                    open.push(*member);
                }
            }
        }
        found.remove(&group);
        found
    }

    /// The roles that `principal` holds in `instance` for authorisation at `now`: its own and those of its groups. A
    /// union, and through nested groups, is UNDOCUMENTED; `roles` being an array suggests it.
    pub(crate) fn effective_roles(&self, instance: &Instance, principal: Uuid, now: Timestamp) -> BTreeSet<String> {
        let mut holders = self.groups_of(principal);
        holders.insert(principal);
        let counted = before(now, self.behaviour.role_write_propagation);
        as_of(&instance.earlier_assignments, &instance.assignments, counted)
            .iter()
            .filter(|a| Uuid::parse_str(&a.principal_id).is_ok_and(|id| holders.contains(&id)))
            .flat_map(|a| a.roles.iter().cloned())
            .collect()
    }

    /// Whether the gateway takes `key` for a live one of an instance: so it was when the keys that it goes by were made, and
    /// API access hasn't been switched off since.
    pub(crate) fn accepts_key(&self, instance: &Instance, key: &str, now: Timestamp) -> bool {
        let counted = before(now, self.behaviour.api_key_propagation);
        let earlier = &instance.earlier_api_subscriptions;
        let seen = as_of(earlier, &instance.api_subscription, counted);
        let since = earlier.iter().filter(|e| e.until > counted).map(|e| &e.was);
        let on = since.chain([&instance.api_subscription]).all(|s| s.is_subscribed);
        on && [&seen.primary_key, &seen.secondary_key].into_iter().flatten().any(|live| live.expose() == key)
    }

    /// How long earlier states must be kept.
    fn memory(&self) -> SignedDuration {
        let Behaviour { role_write_propagation, stale_reads, api_key_propagation, .. } = self.behaviour;
        role_write_propagation.max(stale_reads).max(api_key_propagation)
    }

    /// Replaces the role assignments of an instance and remembers the earlier ones as long as somebody may see them.
    pub(crate) fn set_assignments(&mut self, instance: Uuid, assignments: Vec<Assignment>, now: Timestamp) {
        let horizon = before(now, self.memory());
        if let Some(instance) = self.instances.get_mut(&instance) {
            let was = std::mem::replace(&mut instance.assignments, assignments);
            remember(&mut instance.earlier_assignments, was, now, horizon);
        }
    }

    /// Replaces the API subscription of an instance and remembers the earlier one as long as somebody may see it.
    pub(crate) fn set_api_subscription(&mut self, instance: Uuid, subscription: ApiSubscription, now: Timestamp) {
        let horizon = before(now, self.memory());
        if let Some(instance) = self.instances.get_mut(&instance) {
            let was = std::mem::replace(&mut instance.api_subscription, subscription);
            remember(&mut instance.earlier_api_subscriptions, was, now, horizon);
        }
    }
}

fn remember<T>(earlier: &mut Vec<Earlier<T>>, was: T, now: Timestamp, horizon: Timestamp) {
    earlier.push(Earlier { until: now, was });
    earlier.retain(|e| e.until > horizon);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_earlier_state_shows_until_it_was_replaced_and_not_a_moment_longer() {
        let earlier = [Earlier { until: at(10), was: "a" }, Earlier { until: at(20), was: "b" }];
        for (second, expected) in [(0, "a"), (9, "a"), (10, "b"), (19, "b"), (20, "c"), (99, "c")] {
            assert_eq!(*as_of(&earlier, &"c", at(second)), expected, "at {second}");
        }
    }

    #[test]
    fn membership_is_transitive_and_survives_cycles() {
        let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let mut world = World::new(None);
        let user = User::new("a@example.com", "a");
        world.users.insert(ids[0], user);
        let group = |members: &[Uuid]| Group { display_name: "g".into(), members: members.iter().copied().collect() };
        world.groups.insert(ids[1], group(&[ids[0], ids[2]]));
        world.groups.insert(ids[2], group(&[ids[1]]));
        assert_eq!(world.groups_of(ids[0]), BTreeSet::from([ids[1], ids[2]]));
        assert_eq!(
            world.members_of(ids[2]),
            BTreeSet::from([ids[0], ids[1], ids[2]]).into_iter().filter(|i| *i != ids[2]).collect()
        );
    }
}
