//! The reference page of operations and of the rights that they take, made from the catalogue.

use std::fmt::Write as _;

use crate::azure::Provenance;
use crate::azure::operations::{ALL, Effect, Facts};
use crate::azure::rights::Right;

/// The page as Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Operations\n\nEvery call that palisade's clients know how to make. This page is made from the operation \
         catalogue; a test compares the two. No command of this version deletes a connection, a role assignment, an access \
         policy or a Key Vault link, updates a resource or a vault, asks for a private link to be validated, reads \
         connections apart from their resource, queries Resource Graph, or calls Power Platform and its policies; their entries \
         wait for settings that do.\n\n*Documented*: Microsoft publishes it. *Observed*: seen in public code only. *Undocumented*: no operation \
         is known; the emulator serves one in the product's own style, and on a real tenant a person does it.\n\n\
         | operation | service | route | effect | provenance | right that it needs | source |\n|---|---|---|---|---|---|---|\n",
    );
    for facts in ALL {
        let Facts { name, service, method, path, api_version, effect, repeatable, provenance, source, needs, .. } =
            facts;
        let version = api_version.map(|version| format!("?api-version={version}")).unwrap_or_default();
        let effect = match (effect, repeatable) {
            (Effect::Read, _) => "read",
            (Effect::Write, true) => "write",
            (Effect::Write, false) => "write, never replayed",
            (Effect::Destructive, true) => "destructive",
            (Effect::Destructive, false) => "destructive, never replayed",
        };
        let provenance = match provenance {
            Provenance::Documented => "documented",
            Provenance::Observed => "observed",
            Provenance::Undocumented => "undocumented",
        };
        let _ = writeln!(
            page,
            "| `{name}` | {service} | `{method} {path}{version}` | {effect} | {provenance} | {needs} | {source} |"
        );
    }
    rights(&mut page);
    page
}

/// Every right that an operation names: where it is needed, which role has it, where to look it up.
fn rights(page: &mut String) {
    page.push_str(
        "\n## Rights\n\nEach right by the name that plans write under `permissions`. The role is the least one built into Azure \
         that has it; a custom role with the right alone does as well. *Disputed* above: sources disagree whether it is \
         needed, so palisade tries without it.\n\n\
         | right | where | by access policies | role | granted by | source |\n|---|---|---|---|---|---|\n",
    );
    let mut rights: Vec<Right> = ALL.iter().flat_map(|facts| facts.needs.rights()).collect();
    rights.sort_by_key(|right| (right.place(), right.id(), *right));
    rights.dedup();
    for right in rights {
        let policy = match right {
            Right::Vault(right) => format!("{} on {}", right.permission(), right.objects()),
            _ => String::new(),
        };
        let role = right.role().map(|role| role.to_string()).unwrap_or_default();
        let (id, place, source) = (right.id(), right.place(), right.source());
        let by = place.granted_by();
        let _ = writeln!(page, "| `{id}` | {place} | {policy} | {role} | {by} | {source} |");
    }
}
