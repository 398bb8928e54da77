//! What the file says: generated, as YAML and as the oracle reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use palisade::emulator::CLIENT_ID;
use uuid::Uuid;

use crate::dice::Dice;
use crate::names::{
    APPS, ENVIRONMENTS, FORMER, GROUPS, KEYS_VAULT, LINKED, MICROSOFT, PEOPLE, TENANT, account, accounts, app, client,
    ghost, group, instance, person, secret, upn, vault,
};
use crate::platform::{self, declared::Hosted};

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

#[derive(Debug, Clone, Default)]
pub(crate) struct Users {
    pub(crate) exact: bool,
    pub(crate) entries: Vec<Entry>,
    pub(crate) break_glass: Vec<Named>,
}

#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Dates only, or values.
    pub(crate) metadata: bool,
    pub(crate) keep: bool,
    pub(crate) adopted: bool,
    /// Keys issued before today are compromised.
    pub(crate) compromised: bool,
}

/// Days for which a replaced key stays valid.
pub(crate) const GRACE: i64 = 7;

#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) enabled: bool,
    pub(crate) keys: Option<Keys>,
}

#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The name of a storage account.
    pub(crate) account: String,
    pub(crate) approve: bool,
    pub(crate) from_subscription: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Links {
    pub(crate) exact: bool,
    pub(crate) links: Vec<Link>,
}

#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) number: usize,
    named: bool,
    pub(crate) users: Option<Users>,
    pub(crate) api: Option<Api>,
    /// The vault that may be replaced, where a link is declared.
    pub(crate) vault: Option<Option<String>>,
    pub(crate) links: Option<Links>,
    /// What is declared in Power Platform.
    pub(crate) hosted: Option<Hosted>,
}

#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) environments: Vec<Environment>,
}

impl Declared {
    pub(crate) fn generate(wild: bool, dice: &mut Dice) -> Self {
        let count = dice.weighted(&[(68, 1), (22, 2), (10, 3)]);
        let environments = (0..count).map(|number| Environment::generate(number, wild, dice)).collect();
        Self { environments }
    }

    /// Declares something in Power Platform as well, or instead.
    pub(crate) fn host(&mut self, dice: &mut Dice) {
        let all = Hosted::generate(self.environments.len(), dice);
        for (environment, hosted) in self.environments.iter_mut().zip(all) {
            let Some(hosted) = hosted else { continue };
            if hosted.alone || dice.chance(45) {
                *environment = Environment { users: None, api: None, vault: None, links: None, ..environment.clone() };
            }
            environment.hosted = Some(hosted);
        }
    }

    pub(crate) fn yaml(&self) -> String {
        let mut text = format!("version: 1\ntenant: {{ id: {TENANT} }}\nenvironments:\n");
        for environment in &self.environments {
            environment.yaml(&mut text);
        }
        text
    }

    pub(crate) fn of(&self, instance: Uuid) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.instance() == instance)
    }
}

impl Environment {
    fn generate(number: usize, wild: bool, dice: &mut Dice) -> Self {
        let mut users = dice.chance(62).then(|| Users::generate(wild, dice));
        let api = dice.chance(50).then(|| Api::generate(dice));
        let vault = dice.chance(28).then(|| dice.chance(60).then(|| vault(FORMER)));
        let links = dice.chance(32).then(|| Links::generate(number, dice));
        if users.is_none() && api.is_none() && vault.is_none() && links.is_none() {
            users = Some(Users::generate(wild, dice));
        }
        Self { number, named: dice.chance(50), users, api, vault, links, hosted: None }
    }

    pub(crate) fn key(&self) -> &'static str {
        ENVIRONMENTS[self.number]
    }

    pub(crate) fn instance(&self) -> Uuid {
        instance(self.number)
    }

    /// Its keys, where they are declared.
    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.api.as_ref().and_then(|api| api.keys.as_ref())
    }

    pub(crate) fn secret(&self) -> String {
        secret(self.number)
    }

    fn yaml(&self, text: &mut String) {
        let Self { number, named, users, api, vault: linked, links, hosted } = self;
        let _ = writeln!(text, "  {}:", self.key());
        if !hosted.as_ref().is_some_and(|hosted| hosted.alone) {
            let _ = writeln!(text, "    instanceId: {}", self.instance());
        }
        let _ = writeln!(text, "    environmentId: {}", platform::hosted(*number));
        if *named {
            let _ = writeln!(text, "    name: Contoso {}", self.key());
        }
        if let Some(hosted) = hosted {
            hosted.yaml(text);
        }
        if let Some(users) = users {
            users.yaml(text);
        }
        if let Some(api) = api {
            api.yaml(&self.secret(), text);
        }
        let consent = "dataPrivacyConsent: { agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }";
        if let Some(replaces) = linked {
            let _ = writeln!(text, "    keyVault:\n      id: {}\n      {consent}", vault(LINKED));
            if let Some(replaces) = replaces {
                let _ = writeln!(text, "      replaces: {replaces}");
            }
        }
        if let Some(Links { exact, links }) = links {
            let _ = writeln!(text, "    privateLinks:\n      match: {}\n      links:", word(*exact));
            for Link { account: name, approve, from_subscription } in links {
                let _ = writeln!(text, "        - resource: {}\n          {consent}", account(name));
                if *approve {
                    *text += "          approve: true\n";
                }
                if *from_subscription {
                    let _ = writeln!(text, "          approveFromSubscription: {MICROSOFT}");
                }
            }
        }
    }
}

fn word(exact: bool) -> &'static str {
    if exact { "exact" } else { "atLeast" }
}

impl Api {
    fn generate(dice: &mut Dice) -> Self {
        let enabled = dice.chance(75);
        let keys = (enabled && dice.chance(70)).then(|| Keys {
            metadata: dice.chance(15),
            keep: dice.chance(15),
            adopted: dice.chance(60),
            compromised: dice.chance(12),
        });
        Self { enabled, keys }
    }

    fn yaml(&self, secret: &str, text: &mut String) {
        let Self { enabled, keys } = self;
        let _ = writeln!(text, "    apiAccess:\n      enabled: {enabled}");
        let Some(Keys { metadata, keep, adopted, compromised }) = keys else { return };
        let _ = write!(
            text,
            "      keys:\n        publishTo: {{ vault: {}, secret: {secret} }}\n        grace: {GRACE}d\n",
            vault(KEYS_VAULT)
        );
        for (said, line) in [
            (*metadata, "verify: metadata"),
            (*keep, "retire: keep"),
            (*adopted, "adoptedOn: 2026-10-01"),
            (*compromised, "rotatedAfter: 2026-11-20T00:00:00Z"),
        ] {
            if said {
                let _ = writeln!(text, "        {line}");
            }
        }
    }
}

impl Links {
    fn generate(number: usize, dice: &mut Dice) -> Self {
        let exact = dice.chance(45);
        let [lake, raw] = accounts(number);
        let names = dice.weighted(&[(60, vec![lake.clone()]), (20, vec![lake, raw]), (20, Vec::new())]);
        let link = |account: String, dice: &mut Dice| {
            let approve = dice.chance(85);
            Link { account, approve, from_subscription: approve && dice.chance(45) }
        };
        let mut links: Vec<Link> = names.into_iter().map(|name| link(name, dice)).collect();
        if links.is_empty() && !exact {
            links.push(link(accounts(number)[0].clone(), dice));
        }
        Self { exact, links }
    }

    pub(crate) fn to(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.account == name)
    }
}

impl Users {
    fn generate(wild: bool, dice: &mut Dice) -> Self {
        let exact = dice.chance(70);
        let mut entries: Vec<Entry> = Vec::new();
        let mut taken: BTreeSet<Uuid> = BTreeSet::new();
        let mut add = |named: Named, id: Uuid, role: &'static str, entries: &mut Vec<Entry>| {
            if taken.insert(id) {
                entries.push(Entry { named, role });
            }
        };
        // Somebody must be left who administers, or every plan is refused.
        for number in 0..2 {
            if dice.chance(if wild { 30 } else { 93 }) {
                let named = if dice.chance(60) { Named::User(number) } else { Named::Person(number) };
                add(named, person(number), "Admin", &mut entries);
            }
        }
        for _ in 0..1 + dice.roll(5) {
            let (named, id) = principal(wild, dice);
            let role = dice.weighted(&[(45, "Admin"), (25, "Contributor"), (30, "Viewer")]);
            add(named, id, role, &mut entries);
        }
        if exact && dice.chance(if wild { 60 } else { 97 }) {
            let role = if dice.chance(97) { "Admin" } else { "Viewer" };
            entries.push(Entry { named: Named::App(CLIENT_ID), role });
        }
        if exact && !entries.iter().any(|entry| entry.role == "Admin") {
            entries[0].role = "Admin";
        }
        let mut users = Self { exact, entries, break_glass: Vec::new() };
        if dice.chance(if wild { 50 } else { 25 }) {
            users.protect(wild, dice);
        }
        users
    }

    fn protect(&mut self, wild: bool, dice: &mut Dice) {
        for _ in 0..1 + dice.roll(2) {
            let number = if wild { dice.roll(PEOPLE.len()) } else { dice.roll(2) };
            let named = if dice.chance(60) { Named::User(number) } else { Named::Bare(person(number)) };
            if self.exact && !wild {
                self.entries
                    .retain(|entry| !matches!(entry.named, Named::User(one) | Named::Person(one) if one == number));
                self.entries.retain(|entry| entry.named != Named::Bare(person(number)));
                self.entries.push(Entry { named: named.clone(), role: "Admin" });
            }
            if !self.break_glass.contains(&named) {
                self.break_glass.push(named);
            }
        }
    }

    fn yaml(&self, text: &mut String) {
        let Self { exact, entries, break_glass } = self;
        let _ = writeln!(text, "    users:\n      match: {}\n      assignments:", word(*exact));
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
