//! A small world: two key slots, a vault, the consumers, and a clock that ticks once a day.
//!
//! Values have no contents here: a value is the one that lives in a slot, or a dead one with whoever made it die. So two
//! worlds that differ only in the spelling of keys are one world. Instants are ages in ticks, held at the scale's cap, beyond
//! which no rule tells ages apart; so time has no end and the number of worlds has.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use palisade::rotation::{
    Access, Content, Facts, Fingerprint, FingerprintKey, Intent, Looked, Published, Purpose, Retire, Retired, Rotation,
    Secret, Slots, Tags, VaultClock, Version, to_read_at_most,
};
use palisade::terms::Slot;

/// How long things take, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale {
    /// Age from which keys are due, and the greatest age that is told apart.
    pub cap: u8,
    /// For how long consumers may use what they read, which is what `grace` covers.
    pub cache: u8,
    /// What is declared to happen to a replaced key: `retire: keep`.
    pub keeps: bool,
    /// What is declared about looking: `verify: metadata`.
    pub dates: bool,
    /// Values of former versions that a look reads at most: usually, and before a regeneration. All of them, needed or not,
    /// if none.
    pub reads: Option<[u8; 2]>,
}

/// The greatest cap that a scale may have.
const MOST: u8 = 6;

const NOW: &str = "2026-11-20T12:00:00Z";
const INSTANCE: &str = "6f2b1c34-0000-4000-8000-00000000a001";

/// Who made a value die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    Person,
    Palisade,
}

/// A key value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    Live(Slot),
    Dead(u8, By),
}

/// The tags that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Notes {
    pub slot: Option<Slot>,
    pub issued: Option<u8>,
    pub intent: Option<(Purpose, Slot, Value, u8)>,
    pub retired: Option<(Value, u8)>,
    /// That API access is about to be switched on, and whether the keys were made right after that.
    pub begun: Option<(u8, bool)>,
    /// What a look showed.
    pub looked: Option<Look>,
}

/// What a look showed: issued, published, replaced, the standby's issue.
pub type Look = (Option<u8>, u8, Option<u8>, Option<u8>);

/// A version of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stored {
    pub value: Value,
    pub age: u8,
    pub notes: Notes,
    /// It holds no key, and nobody can read it.
    pub reserved: bool,
}

/// How the secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shelf {
    Present,
    Disabled,
    Deleted,
}

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub scale: Scale,
    pub access: bool,
    pub shelf: Shelf,
    /// Newest first; empty is an absent secret.
    pub versions: Vec<Stored>,
    /// What consumers may hold though no version says so any more, and for how long it was so.
    pub lingering: Vec<(Value, u8)>,
    /// Whether there are consumers with keys of their own, until `adoptedOn`.
    pub own_keys: bool,
    /// Ticks since `adoptedOn`; -1 before, and [`UNDECLARED`].
    pub adopted: i8,
    /// Whether palisade switched API access on, and no person had a hand in it since.
    pub ours: bool,
    /// Slots whose keys are those that were made when API access was switched on.
    pub from_switch: [bool; 2],
    /// Ticks since `rotatedAfter`, if it is declared.
    pub rotated_after: Option<u8>,
    /// Ticks since palisade last regenerated each slot.
    pub regenerated: [u8; 2],
    /// Slots that palisade regenerated and neither published nor noted as retired.
    pub loose: [bool; 2],
}

/// Nobody says when consumers were moved to the secret.
pub const UNDECLARED: i8 = -2;

pub fn index(slot: Slot) -> usize {
    usize::from(slot == Slot::Secondary)
}

impl World {
    /// What consumers get who ask now.
    pub fn current(&self) -> Option<Value> {
        self.versions.first().filter(|version| !version.reserved).map(|version| version.value)
    }

    /// Whether a run of palisade closed the secret until there is a key.
    pub fn is_reserved(&self) -> bool {
        self.versions.first().is_some_and(|version| version.reserved)
    }

    /// Whether consumers who ask now get something dead.
    pub fn is_broken(&self) -> bool {
        self.shelf == Shelf::Present && matches!(self.current(), Some(Value::Dead(..)))
    }

    /// Whether somebody may use a value that palisade made die.
    pub fn holds_what_palisade_killed(&self) -> bool {
        let killed = |value: &Value| matches!(value, Value::Dead(_, By::Palisade));
        let cached = self.versions.windows(2).filter(|pair| pair[0].age < self.scale.cache && !pair[1].reserved);
        let cached = cached.map(|pair| &pair[1].value);
        self.current().iter().chain(cached).any(killed) || self.lingering.iter().any(|(value, _)| killed(value))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let versions = self.versions.iter_mut().flat_map(|version| {
            let Stored { value, notes, age: _, reserved: _ } = version;
            std::iter::once(value).chain(notes.values_mut())
        });
        versions.chain(self.lingering.iter_mut().map(|(value, _)| value))
    }

    /// Notes as they arrive. One about switching on that another run was quicker with was written down before the switch.
    pub fn landed(&self, notes: Notes) -> Notes {
        let proved = self.access && self.ours && self.from_switch == [true; 2];
        Notes { begun: notes.begun.map(|(age, before)| (age, before || proved && age == 0)), ..notes }
    }

    /// Keys are made. People who switch API access on hand them to consumers, unless these are said to read the secret.
    pub fn switched_on(&mut self, by: By) {
        self.access = true;
        self.own_keys = by == By::Person && self.adopted < self.scale.cache as i8;
        self.ours = by == By::Palisade;
        self.from_switch = [true; 2];
        for (age, proved) in self.versions.iter_mut().filter_map(|version| version.notes.begun.as_mut()) {
            *proved = by == By::Palisade && *age == 0;
        }
    }

    pub fn tick(&mut self) {
        let Scale { cap, cache, .. } = self.scale;
        let older = |age: &mut u8| *age = (*age + 1).min(cap);
        for version in &mut self.versions {
            older(&mut version.age);
            version.notes.ages_mut().for_each(older);
        }
        self.lingering.iter_mut().for_each(|(_, age)| older(age));
        self.lingering.retain(|(_, age)| *age < cache);
        self.regenerated.iter_mut().for_each(|age| *age = (*age + 1).min(cache));
        if self.adopted != UNDECLARED {
            self.adopted = (self.adopted + 1).min(cache as i8);
        }
        // From here on nobody has a key of their own.
        self.own_keys &= self.adopted < cache as i8;
        // A demand this old is met by age alone; the file drops it.
        self.rotated_after = self.rotated_after.map(|age| age + 1).filter(|age| *age < cap);
    }

    /// What is declared in this world.
    pub fn declared(&self) -> Rc<Rotation> {
        type Declared = (Scale, i8, Option<u8>);
        thread_local!(static KNOWN: RefCell<HashMap<Declared, Rc<Rotation>>> = RefCell::default());
        let declared = (self.scale, self.adopted, self.rotated_after);
        KNOWN.with_borrow_mut(|known| Rc::clone(known.entry(declared).or_insert_with(|| Rc::new(self.rotation()))))
    }

    fn rotation(&self) -> Rotation {
        let Scale { cap, cache, keeps, dates: _, reads: _ } = self.scale;
        let days = |days: u8| SignedDuration::from_hours(24 * i64::from(days));
        let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
        Rotation {
            // With the jitter, which is less than a day here, due at the first tick of age `cap`.
            max_age: days(cap + 1),
            renew_before: days(2),
            // A vault tells whole seconds, so the last one counts for grace anyway.
            grace: days(cache) - SignedDuration::from_secs(1),
            retire: if keeps { Retire::Keep } else { Retire::AfterGrace },
            rotated_after: self.rotated_after.map(ago),
            adopted_on: (self.adopted != UNDECLARED).then(|| today - (i64::from(self.adopted) + 1).days()),
            ..Rotation::new(INSTANCE)
        }
    }

    /// What a run reads. The slots may have been read a little earlier than the rest.
    pub fn facts(&self, slots: [Value; 2]) -> Facts {
        let mut facts = self.unread(slots);
        let Some(most) = self.scale.reads else {
            self.fill(&mut facts, |_| true);
            return facts;
        };
        let most = most.map(usize::from);
        loop {
            let ids = to_read_at_most(most, &self.declared(), &facts, now());
            if ids.is_empty() {
                return facts;
            }
            self.fill(&mut facts, |id| ids.iter().any(|wanted| wanted == id));
        }
    }

    /// Reads the values of some former versions.
    fn fill(&self, facts: &mut Facts, wanted: impl Fn(&str) -> bool) {
        let Secret::Present(published) = &mut facts.secret else { return };
        let versions = published.history.iter_mut().flatten().zip(self.versions.iter().skip(1));
        for (version, stored) in versions.filter(|(version, stored)| !stored.reserved && wanted(&version.id)) {
            version.content = Content::Read(fingerprint(stored.value));
        }
    }

    /// What a run reads that looks at dates only.
    pub fn dates(&self) -> Facts {
        let mut facts = self.unread([Value::Live(Slot::Primary), Value::Live(Slot::Secondary)]);
        facts.slots = Slots::NotRead;
        if let Secret::Present(published) = &mut facts.secret
            && matches!(published.current.content, Content::Read(_))
        {
            published.current.content = Content::NotRead;
        }
        facts
    }

    /// The current value, and of the history no value.
    fn unread(&self, slots: [Value; 2]) -> Facts {
        let secret = match (self.versions.split_first(), self.shelf) {
            (None, _) => Secret::Absent,
            (Some(_), Shelf::Deleted) => Secret::SoftDeleted,
            (Some((stored, history)), shelf) => {
                let content = match shelf == Shelf::Disabled || stored.reserved {
                    true => Content::Disabled,
                    false => Content::Read(fingerprint(stored.value)),
                };
                let current = Version { content, ..self.version(stored, 0) };
                let history = history.iter().enumerate().map(|(back, stored)| self.version(stored, back + 1)).collect();
                Secret::Present(Box::new(Published { current, history: Ok(history) }))
            }
        };
        let proved = |stored: &Stored| stored.notes.begun.filter(|(_, proved)| *proved).map(|(age, _)| ago(age));
        Facts {
            access: if self.access { Access::On } else { Access::Off },
            made: self.versions.iter().find_map(proved).into_iter().flat_map(|made| [made; 2]).collect(),
            slots: Slots::Read { primary: fingerprint(slots[0]), secondary: fingerprint(slots[1]) },
            secret,
            clock: VaultClock::Agrees,
        }
    }

    fn name(&self, back: usize) -> String {
        format!("v{}", self.versions.len() - back)
    }

    fn version(&self, stored: &Stored, back: usize) -> Version {
        // At the cap ages no longer tell versions apart, though their instants would.
        let depth = if stored.age == self.scale.cap { i64::try_from(back).unwrap() } else { 0 };
        Version {
            id: self.name(back),
            created: ago(stored.age) - SignedDuration::from_mins(depth),
            content: if stored.reserved { Content::Disabled } else { Content::NotRead },
            tags: stored.notes.tags(self.name(back)),
            previous: (back + 1 < self.versions.len()).then(|| self.name(back + 1)),
        }
    }
}

impl Notes {
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let intent = self.intent.iter_mut().map(|(_, _, value, _)| value);
        intent.chain(self.retired.iter_mut().map(|(value, _)| value))
    }

    fn ages_mut(&mut self) -> impl Iterator<Item = &mut u8> {
        let intent = self.intent.iter_mut().map(|(_, _, _, age)| age);
        let begun = self.begun.iter_mut().map(|(age, _)| age);
        let looked = self.looked.iter_mut().flat_map(|(issued, published, replaced, standby)| {
            std::iter::once(published).chain(issued).chain(replaced).chain(standby)
        });
        let retired = self.retired.iter_mut().map(|(_, age)| age);
        intent.chain(retired).chain(self.issued.iter_mut()).chain(begun).chain(looked)
    }

    fn tags(&self, version: String) -> Tags {
        Tags {
            slot: self.slot,
            issued: self.issued.map(ago),
            intent: self.intent.map(|(purpose, slot, replaces, age)| Intent {
                purpose,
                slot,
                replaces: fingerprint(replaces),
                at: ago(age),
            }),
            retired: self.retired.map(|(value, age)| Retired { standby: fingerprint(value), at: ago(age) }),
            begun: self.begun.map(|(at, _)| ago(at)),
            looked: self.looked.map(|(issued, published, replaced, standby)| {
                Box::new(Looked {
                    version,
                    issued: issued.map(ago),
                    published: ago(published),
                    replaced: replaced.map(ago),
                    standby: standby.map(ago),
                })
            }),
            instance: (self.slot.is_some() || self.begun.is_some()).then(|| INSTANCE.to_owned()),
            ..Tags::default()
        }
    }

    /// What a run wrote, as this world keeps it.
    pub fn from_tags(tags: &Tags) -> Self {
        let Tags { slot, issued, intent, retired, begun, looked, .. } = tags;
        Self {
            slot: *slot,
            issued: issued.map(age),
            intent: intent.map(|intent| (intent.purpose, intent.slot, value(intent.replaces), age(intent.at))),
            retired: retired.map(|retired| (value(retired.standby), age(retired.at))),
            begun: begun.map(|at| (age(at), false)),
            looked: looked.as_ref().map(|looked| {
                let Looked { version: _, issued, published, replaced, standby } = looked.as_ref();
                (issued.map(age), age(*published), replaced.map(age), standby.map(age))
            }),
        }
    }
}

pub fn now() -> Timestamp {
    ago(0)
}

pub fn ago(age: u8) -> Timestamp {
    static INSTANTS: OnceLock<Vec<Timestamp>> = OnceLock::new();
    let instants = INSTANTS.get_or_init(|| {
        let now: Timestamp = NOW.parse().unwrap();
        (0..=i64::from(MOST)).map(|age| now - SignedDuration::from_hours(24 * age)).collect()
    });
    instants[usize::from(age)]
}

fn age(instant: Timestamp) -> u8 {
    (0..=MOST).find(|age| ago(*age) <= instant).unwrap_or(MOST)
}

const DEAD: u8 = 12;

struct Names {
    prints: Vec<Fingerprint>,
    values: HashMap<Fingerprint, Value>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let key = FingerprintKey::derive("tenant", "vault");
        let all = [Value::Live(Slot::Primary), Value::Live(Slot::Secondary)]
            .into_iter()
            .chain((0..DEAD).flat_map(|id| [By::Person, By::Palisade].map(|by| Value::Dead(id, by))));
        let named: Vec<_> = all.map(|value| (key.fingerprint(format!("{value:?}").as_bytes()), value)).collect();
        Names { prints: named.iter().map(|(print, _)| *print).collect(), values: named.into_iter().collect() }
    })
}

pub fn fingerprint(value: Value) -> Fingerprint {
    let index = match value {
        Value::Live(slot) => index(slot),
        Value::Dead(id, by) => 2 + 2 * usize::from(id) + usize::from(by == By::Palisade),
    };
    names().prints[index]
}

pub fn value(print: Fingerprint) -> Value {
    names().values[&print]
}
