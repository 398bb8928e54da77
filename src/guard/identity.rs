//! Right target: name, region and Dataverse organisation behind an id are those that the plan saw.

use super::codes;
use crate::plan::{Address, Identity, Note, Observed};
use crate::terms::Scope;

/// Checks one environment.
pub(super) fn check(scope: &Scope, planned: &Identity, live: &Observed) -> Option<Note> {
    let (name, region, dataverse) = match planned {
        Identity::Environment { instance_id: _, environment_id: _, name, region, dataverse } => {
            (name, region, dataverse)
        }
        // Its id is in the token and in every address that is called.
        Identity::Tenant { tenant_id: _ } => return None,
    };
    let facts = [
        (codes::NAME_MISMATCH, "name", name, &live.name),
        (codes::ENVIRONMENT_MISMATCH, "region", region, &live.region),
        (codes::ENVIRONMENT_MISMATCH, "Dataverse organisation", dataverse, &live.dataverse),
    ];
    let (code, what, planned, live) = facts.into_iter().find(|(_, _, planned, live)| planned != live)?;
    let shown = |fact: &Option<String>| fact.as_ref().map_or_else(|| "none".to_owned(), |fact| format!("`{fact}`"));
    let message =
        format!("the {what} of the environment was {} in the plan and is {} now", shown(planned), shown(live));
    let help = "find out who changed it, and whether the id is still the right one; then plan again";
    Some(Note::refusal(code, Address::scope(scope), message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(name: &str, region: &str, dataverse: Option<&str>) -> Observed {
        Observed {
            name: Some(name.to_owned()),
            region: Some(region.to_owned()),
            dataverse: dataverse.map(str::to_owned),
        }
    }

    #[test]
    fn another_name_region_or_organisation_behind_the_id_refuses() {
        let url = "https://contoso.crm4.dynamics.com";
        let Observed { name, region, dataverse } = observed("Contoso prod", "europe", Some(url));
        let planned =
            Identity::Environment { instance_id: Some("i".into()), environment_id: None, name, region, dataverse };
        let table = [
            (observed("Contoso prod", "europe", Some(url)), None),
            (observed("Contoso test", "europe", Some(url)), Some(codes::NAME_MISMATCH)),
            (observed("Contoso prod", "france", Some(url)), Some(codes::ENVIRONMENT_MISMATCH)),
            (observed("Contoso prod", "europe", None), Some(codes::ENVIRONMENT_MISMATCH)),
            (Observed::default(), Some(codes::NAME_MISMATCH)),
        ];
        for (live, expected) in table {
            let note = check(&Scope::environment("prod"), &planned, &live);
            assert_eq!(note.is_some(), expected.is_some(), "{live:?}");
            assert!(note.zip(expected).is_none_or(|(note, code)| note.code == code && note.refuses()), "{live:?}");
        }
    }
}
