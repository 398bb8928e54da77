//! What seeding added to the emulator's world, for people: a line for each kind, since a real tenant has none of it by itself.

use crate::emulator::{Added, Thing};
use crate::terms::text::printable;

/// How many names a line has at most.
const LONGEST: usize = 8;

/// A line for each kind of thing that was added; none if nothing was.
pub fn lines(added: &Added) -> Vec<String> {
    added.things().map(|(thing, names)| line(thing, names)).collect()
}

fn line(thing: Thing, names: &[String]) -> String {
    let count = names.len();
    let list = list(names);
    let kind = match thing {
        Thing::OwnApplication => return format!("emulator: registered its own apps in its world: {list}"),
        Thing::Role => return granted(count, &format!("palisade {}", roles(count)), &list),
        Thing::IdentityRole => return granted(count, &roles(count), &list),
        Thing::PowerPlatformAdministrator => {
            return format!(
                "emulator: registered {list} as a Power Platform administrator in its world; a real tenant has no such \
                 registration unless you make it"
            );
        }
        Thing::User => "user",
        Thing::Group => "group",
        Thing::Application => "app",
        Thing::Environment => "environment",
        Thing::PowerPlatformEnvironment => "Power Platform environment",
        Thing::Subscription => "Azure subscription",
        Thing::ResourceGroup => "resource group",
        Thing::Vault => "key vault",
        Thing::Key => "key",
        Thing::StorageAccount => "storage account",
        Thing::SynapseWorkspace => "Synapse workspace",
        Thing::EnterprisePolicy => "enterprise policy",
    };
    if count == 1 {
        return format!(
            "emulator: added {kind} {list} to its world; a real tenant has no such {kind} unless you make it"
        );
    }
    let kinds = match thing {
        Thing::EnterprisePolicy => "enterprise policies".to_owned(),
        _ => format!("{kind}s"),
    };
    format!("emulator: added {count} {kinds} to its world: {list}; a real tenant has them only if you make them")
}

/// How roles are counted.
fn roles(count: usize) -> String {
    if count == 1 { "the Azure role".to_owned() } else { format!("{count} Azure roles") }
}

fn granted(count: usize, what: &str, list: &str) -> String {
    match count {
        1 => format!("emulator: granted {what} {list}; a real tenant has no such grant unless you make it"),
        _ => format!("emulator: granted {what}: {list}; a real tenant has them only if you grant them"),
    }
}

fn list(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(LONGEST).map(|name| printable(name)).collect();
    if names.len() > LONGEST {
        shown.push(format!("and {} more", names.len() - LONGEST));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("u{number}@contoso.com")).collect()
    }

    #[test]
    fn one_thing_is_named_and_many_are_counted() {
        let cases = [
            (
                Thing::User,
                vec!["gracce@contoso.com".to_owned()],
                "emulator: added user gracce@contoso.com to its world; a real tenant has no such user unless you make it",
            ),
            (
                Thing::User,
                names(2),
                "emulator: added 2 users to its world: u1@contoso.com, u2@contoso.com; a real tenant has them only if you \
                 make them",
            ),
            (
                Thing::Role,
                vec!["Owner on rg-ci".to_owned()],
                "emulator: granted palisade the Azure role Owner on rg-ci; a real tenant has no such grant unless you make it",
            ),
            (
                Thing::Role,
                vec!["Owner on rg-ci".to_owned(), "Reader on kv-ci".to_owned()],
                "emulator: granted palisade 2 Azure roles: Owner on rg-ci, Reader on kv-ci; a real tenant has them only if \
                 you grant them",
            ),
            (
                Thing::IdentityRole,
                vec!["Reader on kv-ci to the identity of cmk".to_owned()],
                "emulator: granted the Azure role Reader on kv-ci to the identity of cmk; a real tenant has no such grant \
                 unless you make it",
            ),
            (
                Thing::Key,
                vec!["disk in kv-ci".to_owned(), "mail in kv-ci".to_owned()],
                "emulator: added 2 keys to its world: disk in kv-ci, mail in kv-ci; a real tenant has them only if you make \
                 them",
            ),
            (
                Thing::EnterprisePolicy,
                vec!["cmk-europe".to_owned(), "cmk-uk".to_owned()],
                "emulator: added 2 enterprise policies to its world: cmk-europe, cmk-uk; a real tenant has them only if you \
                 make them",
            ),
        ];
        for (thing, names, expected) in cases {
            assert_eq!(line(thing, &names), expected);
        }
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let line = line(Thing::User, &names(800));
        assert!(line.starts_with("emulator: added 800 users to its world: u1@contoso.com, "), "{line}");
        assert!(line.contains("u8@contoso.com, and 792 more; "), "{line}");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert!(!line(Thing::Group, &["a\u{1b}[2J".to_owned()]).contains('\u{1b}'));
    }
}
