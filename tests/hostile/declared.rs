//! What the file says: generated, as YAML and as the oracle reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use palisade::emulator::CLIENT_ID;
use uuid::Uuid;

use crate::dice::Dice;

pub(crate) const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
pub(crate) const INSTANCE: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a001);
pub(crate) const OTHER_INSTANCE: Uuid = Uuid::from_u128(0x6f2b_1c34_0000_4000_8000_0000_0000_a0ff);
pub(crate) const PEOPLE: [&str; 6] = ["ada", "grace", "linus", "mallory", "bob", "eve"];
pub(crate) const GROUPS: usize = 4;
pub(crate) const APPS: usize = 2;

const BASE: u128 = 0x9d1e_7a55_0000_4000_8000_0000_0000_0000;

pub(crate) const fn person(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xd000 + number as u128)
}

pub(crate) const fn group(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xc000 + number as u128)
}

pub(crate) const fn app(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xb000 + number as u128)
}

/// The application id of [`app`].
pub(crate) const fn client(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xe000 + number as u128)
}

/// An id of nobody.
pub(crate) const fn ghost(number: usize) -> Uuid {
    Uuid::from_u128(BASE + 0xf000 + number as u128)
}

pub(crate) fn upn(number: usize) -> String {
    format!("{}@contoso.com", PEOPLE[number])
}

/// A principal as the file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// By name only: whoever has it.
    User(usize),
    /// By name and id: the id decides.
    Person(usize),
    Group(usize),
    /// By application id.
    App(Uuid),
    Bare(Uuid),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) named: Named,
    pub(crate) role: &'static str,
}

#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) exact: bool,
    pub(crate) entries: Vec<Entry>,
    pub(crate) break_glass: Vec<Named>,
    pub(crate) api: Option<bool>,
    named: bool,
}

impl Declared {
    pub(crate) fn generate(wild: bool, dice: &mut Dice) -> Self {
        let exact = dice.chance(75);
        let mut entries: Vec<Entry> = Vec::new();
        let mut taken: BTreeSet<Uuid> = BTreeSet::new();
        for _ in 0..1 + dice.roll(6) {
            let (named, id) = principal(wild, dice);
            if taken.insert(id) {
                let role = dice.weighted(&[(55, "Admin"), (20, "Contributor"), (25, "Viewer")]);
                entries.push(Entry { named, role });
            }
        }
        if exact && dice.chance(if wild { 60 } else { 92 }) {
            entries
                .push(Entry { named: Named::App(CLIENT_ID), role: if dice.chance(95) { "Admin" } else { "Viewer" } });
        }
        if exact && !entries.iter().any(|entry| entry.role == "Admin") {
            entries[0].role = "Admin";
        }
        let mut break_glass = Vec::new();
        if dice.chance(40) {
            for _ in 0..1 + dice.roll(2) {
                let number = if wild { dice.roll(PEOPLE.len()) } else { dice.roll(2) };
                let named = if dice.chance(60) { Named::User(number) } else { Named::Bare(person(number)) };
                if exact && !wild && dice.chance(80) {
                    entries
                        .retain(|entry| !matches!(entry.named, Named::User(one) | Named::Person(one) if one == number));
                    entries.retain(|entry| entry.named != Named::Bare(person(number)));
                    entries.push(Entry { named: named.clone(), role: "Admin" });
                }
                if !break_glass.contains(&named) {
                    break_glass.push(named);
                }
            }
        }
        let api = dice.chance(40).then(|| dice.chance(60));
        Self { exact, entries, break_glass, api, named: dice.chance(50) }
    }

    pub(crate) fn yaml(&self) -> String {
        let Self { exact, entries, break_glass, api, named } = self;
        let mut text = format!(
            "version: 1\ntenant: {{ id: {TENANT} }}\nenvironments:\n  prod:\n    instanceId: {INSTANCE}\n    environmentId: \
             1bd6bd98-0000-4000-8000-00000000e001\n"
        );
        if *named {
            text += "    name: Contoso prod\n";
        }
        let _ =
            writeln!(text, "    users:\n      match: {}\n      assignments:", if *exact { "exact" } else { "atLeast" });
        for Entry { named, role } in entries {
            let who = match named {
                Named::User(number) => format!("user: {}", upn(*number)),
                Named::Person(number) => format!("user: {}, id: {}", upn(*number), person(*number)),
                Named::Group(number) => format!("group: group{number}, id: {}", group(*number)),
                Named::App(id) => format!("app: app-{}, id: {id}", id.simple()),
                Named::Bare(id) => format!("principal: {id}"),
            };
            let _ = writeln!(text, "        - {{ {who}, role: {role} }}");
        }
        if !break_glass.is_empty() {
            let names: Vec<String> = break_glass
                .iter()
                .map(|named| match named {
                    Named::User(number) | Named::Person(number) => upn(*number),
                    Named::Group(number) => group(*number).to_string(),
                    Named::App(id) | Named::Bare(id) => id.to_string(),
                })
                .collect();
            let _ = writeln!(text, "      breakGlass: [{}]", names.join(", "));
        }
        if let Some(enabled) = api {
            let _ = writeln!(text, "    apiAccess: {{ enabled: {enabled} }}");
        }
        text
    }
}

/// A principal, and an id under which no second entry may name it.
fn principal(wild: bool, dice: &mut Dice) -> (Named, Uuid) {
    match dice.roll(10) {
        0..=3 => {
            let number = dice.roll(PEOPLE.len());
            (Named::User(number), person(number))
        }
        4..=5 => {
            let number = dice.roll(PEOPLE.len());
            (Named::Person(number), person(number))
        }
        6..=7 => {
            let number = dice.roll(GROUPS);
            (Named::Group(number), group(number))
        }
        8 => {
            let number = dice.roll(APPS);
            (Named::App(client(number)), client(number))
        }
        _ => {
            let id = dice.pick(&[person(0), person(3), group(1), app(0), if wild { ghost(0) } else { group(2) }]);
            (Named::Bare(id), id)
        }
    }
}
