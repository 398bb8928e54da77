//! An environment that isn't listed under its instance id: which listed instance may be the same one under another id.
//!
//! A reset gives an environment a new instance id. Nothing but its name and its Dataverse organisation tells that two ids are
//! one environment, and anyone can give a name: so a candidate is named for a person to check, and never used.
//!
//! Invariants: an instance that contradicts the file in anything that could be read is no candidate; nothing is asked where
//! the file names nothing to compare; an instance that doesn't answer is passed over.

use futures_util::stream::{self, StreamExt as _};
use uuid::Uuid;

use super::observation::Observation;
use super::reach::{Binding, Hosted, binding};
use crate::azure::Look;
use crate::azure::customer_insights::{Instance, InstanceInfo, InstanceMetadata};
use crate::terms::EnvironmentHead;

/// Instances that are looked at for one that is missing. More would be a scan of somebody's fleet.
const LOOKED_AT: usize = 50;
const SIDE_BY_SIDE: usize = 8;

/// An instance that may be the one that is missing.
struct Candidate {
    id: Uuid,
    name: String,
    dataverse: Option<String>,
    /// Whether a service says that it belongs to the declared Power Platform environment.
    bound: bool,
}

/// What to tell about those of the `listed` instances that may be the missing one; none if there is none.
pub(super) async fn told(
    look: &Look,
    head: &EnvironmentHead,
    listed: impl Iterator<Item = &InstanceInfo>,
    hosted: &Observation<Hosted>,
) -> Option<String> {
    if head.name.is_none() && head.environment_id.is_none() {
        return None;
    }
    // The list may leave a name out; a name that it tells saves asking.
    let may_be = |info: &&InstanceInfo| match (&head.name, &info.name) {
        (Some(declared), Some(found)) => declared == found,
        _ => true,
    };
    let instances = listed
        .filter(may_be)
        .filter_map(|info| Some(Instance { id: info.instance_id?, scale_unit: info.scale_unit_uri.clone() }));
    let asked = stream::iter(instances.take(LOOKED_AT)).map(async |instance| {
        let metadata = look.instance(&instance).await.ok()?;
        judged(head, instance.id, &metadata, hosted)
    });
    let found: Vec<Option<Candidate>> = asked.buffered(SIDE_BY_SIDE).collect().await;
    words(&found.into_iter().flatten().collect::<Vec<_>>())
}

/// Whether an instance may be the missing one, by everything that could be read.
fn judged(
    head: &EnvironmentHead,
    id: Uuid,
    live: &InstanceMetadata,
    hosted: &Observation<Hosted>,
) -> Option<Candidate> {
    let same_name = head.name.as_ref().map(|declared| live.name.as_ref() == Some(declared));
    let binding = head.environment_id.as_ref().map(|declared| binding(declared, live, hosted));
    let bound = match binding {
        Some(Binding::Mismatch(_)) => return None,
        Some(Binding::Bound) => true,
        Some(Binding::Unknown(_)) | None => false,
    };
    let fits = same_name.unwrap_or(bound);
    fits.then(|| Candidate {
        id,
        name: live.name.clone().unwrap_or_else(|| "without a name".to_owned()),
        dataverse: live.dataverse().map(str::to_owned),
        bound,
    })
}

fn words(candidates: &[Candidate]) -> Option<String> {
    let described = |Candidate { id, name, dataverse, bound: _ }: &Candidate| {
        let dataverse = dataverse.as_ref().map(|url| format!(", Dataverse {url}")).unwrap_or_default();
        format!("`{name}` with the instance id {id}{dataverse}")
    };
    match candidates {
        [] => None,
        [one] => {
            let sure = match one.bound {
                true => "it belongs to the declared Power Platform environment",
                false => "check that its Dataverse address is the right one",
            };
            Some(format!(
                "listed is {}: if the environment was reset, {sure}, then write `instanceId: {}`",
                described(one),
                one.id
            ))
        }
        several => {
            let several: Vec<String> = several.iter().map(described).collect();
            Some(format!("several listed environments may be it: {}", several.join("; ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::observation::Unreadable;
    use crate::terms::Place;

    const ENVIRONMENT: &str = "1bd6bd98-0000-4000-8000-00000000e001";
    const CONTOSO: &str = "https://contoso.crm4.dynamics.com";

    fn head(name: Option<&str>, environment: Option<&str>) -> EnvironmentHead {
        EnvironmentHead {
            key: "prod".into(),
            instance_id: Some(Uuid::from_u128(1)),
            environment_id: environment.map(str::to_owned),
            name: name.map(str::to_owned),
            business_units: false,
            place: Place { file: "f.yaml".into(), line: 1, column: 1 },
        }
    }

    fn live(name: &str, environment: Option<&str>) -> InstanceMetadata {
        let organisation = json!({ "url": CONTOSO });
        let live = json!({ "name": name, "bapEnvironmentId": environment, "cdsOrgInfo": organisation });
        serde_json::from_value(live).unwrap()
    }

    #[test]
    fn an_instance_is_a_candidate_if_all_that_is_known_agrees() {
        let unread = || Err(Unreadable::because("403"));
        let hosted = |url: &str| Ok(Hosted { dataverse: Some(url.to_owned()) });
        let other = "1bd6bd98-0000-4000-8000-00000000e002";
        let table = [
            (head(Some("Contoso"), None), live("Contoso", None), unread(), Some(false)),
            (head(Some("Contoso"), None), live("Fabrikam", None), unread(), None),
            (head(Some("Contoso"), Some(ENVIRONMENT)), live("Contoso", None), unread(), Some(false)),
            (head(Some("Contoso"), Some(ENVIRONMENT)), live("Contoso", None), hosted(CONTOSO), Some(true)),
            (head(Some("Contoso"), Some(ENVIRONMENT)), live("Fabrikam", None), hosted(CONTOSO), None),
            (head(Some("Contoso"), Some(ENVIRONMENT)), live("Contoso", None), hosted("https://a.example.com"), None),
            (head(Some("Contoso"), Some(ENVIRONMENT)), live("Contoso", Some(other)), unread(), None),
            (head(None, Some(ENVIRONMENT)), live("Contoso", Some(ENVIRONMENT)), unread(), Some(true)),
            // What nobody tells proves nothing.
            (head(None, Some(ENVIRONMENT)), live("Contoso", None), unread(), None),
        ];
        for (head, live, hosted, expected) in table {
            let found = judged(&head, Uuid::from_u128(2), &live, &hosted).map(|candidate| candidate.bound);
            assert_eq!(found, expected, "{head:?} {live:?} {hosted:?}");
        }
    }
}
