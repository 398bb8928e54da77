//! What people write where the Azure resource id of a resource belongs: its address, its name, or the id with more around it.
//!
//! Invariants: every word that names a resource says what is wrong in these terms, so an address is understood wherever it is
//! pasted; an id that is suggested is one that the word takes.

use crate::config::words::Wrong;
use crate::config::{Code, quoted};
use crate::terms::names::RULES;
use crate::terms::{ResourceId, pasted};

/// Which resources a word takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The code of the mistake.
    pub(super) code: Code,
    /// Their full types.
    pub(super) kinds: &'static [&'static str],
    /// What a person calls them: `a Key Vault`.
    pub(super) called: &'static str,
}

/// What is wrong with a text that isn't the id of a wanted resource.
pub(super) fn wrong(text: &str, wanted: Wanted) -> Wrong {
    let Wanted { code, kinds, called } = wanted;
    let of = format!("must be the Azure resource id of {called}");
    if let Some(id) = pasted::resource_in(text, kinds) {
        let message = match text.contains("://") {
            true => format!("{of}, not the address {}", quoted(text)),
            false => format!("{of} and nothing else, not {}", quoted(text)),
        };
        return Wrong::new(code, message, "").meaning(id.to_string());
    }
    if let Some((kind, name)) = pasted::resource_of_host(text).filter(|(kind, _)| kinds.contains(kind)) {
        let message = format!("{of}, not the address {}", quoted(text));
        return Wrong::new(code, message, where_to_find(kind, name));
    }
    if let Some((kind, name)) = bare_name(text, kinds) {
        return Wrong::new(code, format!("{of}, not the name {}", quoted(text)), where_to_find(kind, name));
    }
    let looks = match kinds {
        [kind, ..] => format!("it looks like `/subscriptions/GUID/resourceGroups/GROUP/providers/{kind}/NAME`"),
        [] => String::new(),
    };
    Wrong::new(code, format!("{of}, not {}", quoted(text)), looks)
}

/// A text that is the name of a resource of the first of these types.
fn bare_name<'a>(text: &'a str, kinds: &[&'static str]) -> Option<(&'static str, &'a str)> {
    let kind = kinds.first()?;
    let id = format!("/subscriptions/{}/resourceGroups/g/providers/{kind}/{text}", uuid::Uuid::from_u128(1));
    let id: ResourceId = id.parse().ok()?;
    let known = RULES.iter().any(|rule| rule.kind == *kind);
    (known && id.is_kind(kind) && crate::terms::names::broken_by(&id).is_none()).then_some((*kind, text))
}

fn where_to_find(kind: &str, name: &str) -> String {
    format!(
        "write the id that ends in `/providers/{kind}/{name}`; `az resource list --name {name} --resource-type {kind} \
         --query '[].id' --output tsv` prints it"
    )
}
