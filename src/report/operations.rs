//! The reference page of operations, made from the catalogue.

use std::fmt::Write as _;

use crate::azure::Provenance;
use crate::azure::operations::{ALL, Effect, Facts};

/// The page as Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Operations\n\nEvery call that palisade's clients know how to make. This page is made from the operation \
         catalogue; a test compares the two. No command of this version deletes a connection, a role assignment, an access \
         policy or a Key Vault link, updates a resource or a vault, asks for a private link to be validated, or queries \
         Resource Graph; their entries wait for settings that do.\n\n*Documented*: Microsoft publishes it. *Observed*: seen in public code only. *Undocumented*: no operation \
         is known; the emulator serves one in the product's own style, and on a real tenant a person does it.\n\n\
         | operation | service | route | effect | provenance | right that it needs | source |\n|---|---|---|---|---|---|---|\n",
    );
    for facts in ALL {
        let Facts { name, service, method, path, api_version, effect, repeatable, provenance, source, permission } =
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
            "| `{name}` | {service} | `{method} {path}{version}` | {effect} | {provenance} | {permission} | {source} |"
        );
    }
    page
}
