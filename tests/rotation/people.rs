//! What people do from outside, at any moment.

use super::runner::{Runner, Sending, State};
use super::world::{By, Notes, Shelf, Value};
use palisade::terms::Slot;

/// What people do from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    RegenerateInPortal(Slot),
    /// Stores a slot's value by hand, with the former version's tags or with none.
    StoreByHand {
        slot: Slot,
        copies_tags: bool,
    },
    Disable,
    Enable,
    Delete,
    Purge,
    SwitchAccessOff,
    SwitchAccessOn,
    DeclareRotatedAfter,
}

impl Deed {
    pub const ALL: [Self; 13] = [
        Self::RegenerateInPortal(Slot::Primary),
        Self::RegenerateInPortal(Slot::Secondary),
        Self::StoreByHand { slot: Slot::Primary, copies_tags: true },
        Self::StoreByHand { slot: Slot::Secondary, copies_tags: true },
        Self::StoreByHand { slot: Slot::Primary, copies_tags: false },
        Self::StoreByHand { slot: Slot::Secondary, copies_tags: false },
        Self::Disable,
        Self::Enable,
        Self::Delete,
        Self::Purge,
        Self::SwitchAccessOff,
        Self::SwitchAccessOn,
        Self::DeclareRotatedAfter,
    ];
}

impl State {
    /// Somebody interferes; none if that deed can't be done here.
    pub fn interfere(&self, deed: Deed) -> Option<Self> {
        let mut next = self.clone();
        let world = &mut next.world;
        let there = !world.versions.is_empty();
        match deed {
            Deed::RegenerateInPortal(slot) if world.access => next.kill(slot, By::Person),
            Deed::StoreByHand { slot, copies_tags } if world.access && world.shelf != Shelf::Deleted => {
                // What a look showed names the version that it is about.
                let copied = world.versions.first().filter(|version| copies_tags && !version.reserved);
                let copied = copied.map(|version| Notes { looked: None, ..version.notes });
                if copies_tags && copied.is_none() {
                    return None;
                }
                next.store(Value::Live(slot), copied.unwrap_or_default());
            }
            Deed::Disable if there && world.shelf == Shelf::Present && !world.is_reserved() => {
                world.shelf = Shelf::Disabled;
            }
            // What it holds is no key.
            Deed::Enable if world.shelf == Shelf::Present && world.is_reserved() => world.versions[0].reserved = false,
            Deed::Enable if world.shelf == Shelf::Disabled => world.shelf = Shelf::Present,
            Deed::Delete if there && world.shelf == Shelf::Present => world.shelf = Shelf::Deleted,
            Deed::Purge if world.shelf == Shelf::Deleted => next.purge(),
            Deed::SwitchAccessOff if world.access => {
                world.access = false;
                next.kill(Slot::Primary, By::Person);
                next.kill(Slot::Secondary, By::Person);
            }
            Deed::SwitchAccessOn if !world.access => world.switched_on(By::Person),
            Deed::DeclareRotatedAfter if world.rotated_after.is_none() => world.rotated_after = Some(0),
            _ => return None,
        }
        // What a person did since may be why a run does something again.
        next.world.loose = [false; 2];
        next.canonical();
        Some(next)
    }

    fn purge(&mut self) {
        let world = &mut self.world;
        let (mut superseded, cache) = (0, world.scale.cache);
        world.ours = false;
        for version in &world.versions {
            if !version.reserved && superseded < cache && !world.lingering.contains(&(version.value, superseded)) {
                world.lingering.push((version.value, superseded));
            }
            superseded = version.age;
        }
        world.versions.clear();
        world.shelf = Shelf::Present;
        for runner in &mut self.runners {
            if let Runner::Send { request: Sending::Tag { back, .. }, .. } = runner {
                *back = u8::MAX / 2;
            }
        }
    }
}
