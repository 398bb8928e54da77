//! What happens to the world: requests that take effect, keys that die, days that pass; and the one form that all states
//! have that nothing can tell apart.

use super::runner::{Harm, Runner, Sending, State};
use super::world::{By, Notes, Shelf, Stored, Value, World, index};
use palisade::terms::Slot;

impl State {
    /// A request takes effect. What the service would refuse has none.
    pub fn world_effect(&mut self, request: &Sending) -> Option<Harm> {
        match *request {
            Sending::EnableAccess if !self.world.access => self.world.switched_on(By::Palisade),
            Sending::Tag { back, notes } if self.world.shelf == Shelf::Present => {
                let notes = self.world.landed(notes);
                if let Some(version) = self.world.versions.get_mut(usize::from(back)) {
                    version.notes = notes;
                    if notes.retired.is_some() {
                        self.world.loose = [false; 2];
                    }
                }
            }
            Sending::Regenerate(slot) if self.world.access => return self.regenerate(slot),
            Sending::Publish { value, notes } if self.world.shelf != Shelf::Deleted => {
                self.store(value, notes);
                // What is noted is noted on the current version, so a new one is a new beginning for both slots.
                self.world.loose = [false; 2];
            }
            Sending::Reserve(notes) if self.world.shelf != Shelf::Deleted => {
                self.store_version(Stored { value: Value::Dead(0, By::Person), age: 0, notes, reserved: true })
            }
            Sending::Recover if self.world.shelf == Shelf::Deleted => self.world.shelf = Shelf::Present,
            _ => {}
        }
        None
    }

    fn regenerate(&mut self, slot: Slot) -> Option<Harm> {
        let world = &mut self.world;
        let harm = if world.regenerated[index(slot.other())] < world.scale.cache {
            Some(Harm::BothSlots)
        } else if world.own_keys && world.adopted < world.scale.cache as i8 {
            Some(Harm::Cut)
        } else if world.loose[index(slot)] {
            Some(Harm::Again)
        } else {
            None
        };
        world.regenerated[index(slot)] = 0;
        world.loose[index(slot)] = true;
        self.kill(slot, By::Palisade);
        harm
    }

    /// A new version becomes the current one.
    pub fn store(&mut self, value: Value, notes: Notes) {
        self.store_version(Stored { value, age: 0, notes, reserved: false });
    }

    fn store_version(&mut self, stored: Stored) {
        self.world.versions.insert(0, stored);
        self.world.shelf = Shelf::Present;
        for runner in &mut self.runners {
            if let Runner::Send { request: Sending::Tag { back, .. }, .. } = runner {
                *back += 1;
            }
        }
    }

    /// The value in a slot dies, wherever it is held, and another one takes its place.
    pub fn kill(&mut self, slot: Slot, by: By) {
        self.world.from_switch[index(slot)] = false;
        self.world.ours &= by == By::Palisade;
        let mut used = 0;
        self.values(|value| {
            if let Value::Dead(id, _) = value {
                used = used.max(*id + 1);
            }
        });
        self.values(|value| {
            if *value == Value::Live(slot) {
                *value = Value::Dead(used, by);
            }
        });
    }

    /// Every place that holds a value, in a fixed order.
    fn values(&mut self, mut visit: impl FnMut(&mut Value)) {
        self.world.values_mut().for_each(&mut visit);
        for runner in &mut self.runners {
            match runner {
                Runner::Read { slots, .. } => slots.iter_mut().for_each(&mut visit),
                Runner::Send { request: Sending::Publish { value, notes }, .. } => {
                    visit(value);
                    notes.values_mut().for_each(&mut visit);
                }
                Runner::Send { request: Sending::Tag { notes, .. } | Sending::Reserve(notes), .. } => {
                    notes.values_mut().for_each(&mut visit)
                }
                Runner::Send { request: Sending::Probe(value), .. } => visit(value),
                _ => {}
            }
        }
    }

    /// One day passes.
    pub fn tick(&mut self) {
        self.world.tick();
    }

    /// Brings a state into the one form that all states of its kind have. What nothing can tell apart any more is made
    /// equal: notes that only the current version's count for, dead values that nobody remembers, dead old versions.
    pub fn canonical(&mut self) {
        self.faulted &= !self.idle() || self.world.is_broken();
        self.forget();
        let mut remembered: Vec<u8> = Vec::new();
        for runner in &self.runners {
            let Runner::Read { slots, .. } = runner else { continue };
            for value in slots {
                if let Value::Dead(id, _) = value
                    && !remembered.contains(id)
                {
                    remembered.push(*id);
                }
            }
        }
        self.values(|value| {
            if let Value::Dead(id, _) = value {
                let place = remembered.iter().position(|known| known == id);
                *id = place.map_or(0, |place| u8::try_from(place + 1).unwrap());
            }
        });
    }

    fn forget(&mut self) {
        // Where all values are read, only who takes keys for compromised asks how old the standby key is.
        let World { rotated_after, scale, .. } = &self.world;
        let matters = self.people > 0 || rotated_after.is_some() || scale.reads.is_some() || scale.dates;
        let World { scale, versions, adopted, own_keys, from_switch, ours, .. } = &mut self.world;
        if !from_switch.contains(&true) {
            // Nothing tells any more when the keys were made.
            versions
                .iter_mut()
                .filter_map(|version| version.notes.begun.as_mut())
                .for_each(|(_, proved)| *proved = false);
        }
        // Once no consumer can have a key of its own, it no longer matters who issued the keys.
        let adopted = *adopted >= scale.cache as i8 && !*own_keys;
        *ours &= !adopted;
        let issued = |version: &Stored| version.notes.issued.is_some() && version.notes.slot.is_some();
        let ours_anyway = versions.first().is_some_and(issued);
        for version in versions.iter_mut().skip(1) {
            let Notes { intent, retired, begun, looked, .. } = &mut version.notes;
            (*intent, *looked) = (None, None);
            // A note about a dead value is about nothing, and one about a switch that made other keys as well.
            *retired = retired.filter(|(value, _)| matters && matches!(value, Value::Live(_)));
            if !version.reserved {
                *begun = begun.filter(|(_, proved)| *proved);
            }
            if (adopted || ours_anyway) && matches!(version.value, Value::Dead(..)) {
                version.notes.issued = None;
            }
        }
        for (_, _, replaces, _) in versions.iter_mut().filter_map(|version| version.notes.intent.as_mut()) {
            if let Value::Dead(_, by) = replaces {
                *by = By::Person;
            }
        }
        if self.runners.iter().any(|runner| matches!(runner, Runner::Send { request: Sending::Tag { .. }, .. })) {
            return;
        }
        // A dead version counts only for what its consumers still hold. One made in the same tick as its successor
        // says nothing about when its predecessor was superseded.
        let forgotten = |at: usize, versions: &[Stored]| {
            matches!(versions[at].value, Value::Dead(..))
                && (versions[at - 1].age >= scale.cache || self.runners.len() > 1)
                && (at + 1 == versions.len() || versions[at].age == versions[at - 1].age)
        };
        // Of a value that was stored three times in a row, the first tells its age and the last until when it counted.
        let repeated = |at: usize, versions: &[Stored]| {
            at + 1 < versions.len()
                && versions[at].value == versions[at - 1].value
                && versions[at].value == versions[at + 1].value
                && versions[at].notes.slot == versions[at + 1].notes.slot
        };
        // A note counts on whichever version it is.
        let mut at = 2;
        while at < versions.len() {
            let tells_nothing = adopted || ours_anyway || !issued(&versions[at]);
            match tells_nothing && (forgotten(at, versions) || repeated(at, versions)) {
                true => {
                    let Notes { retired, begun, .. } = versions.remove(at).notes;
                    let kept = &mut versions[at - 1].notes;
                    kept.retired = kept.retired.or(retired);
                    kept.begun = kept.begun.or(begun.filter(|(_, proved)| *proved));
                }
                false => at += 1,
            }
        }
    }
}
