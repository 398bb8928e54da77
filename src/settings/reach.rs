//! Reaching an environment: finding its instance and its Power Platform environment, and making sure that they are those that
//! are meant.
//!
//! Words: the *binding* is that the instance and the Power Platform environment of a configuration belong together.
//!
//! Invariants: an instance of another tenant is never asked about anything; two ids are taken for bound only where a service
//! says so: two absent addresses aren't equal; what isn't known of an instance refuses nothing, and proves nothing; where both
//! ids are given and it isn't known that they belong together, nothing is planned for Power Platform.

use std::rc::Rc;

use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use super::codes;
use super::hosting::{self, Hosting};
use super::moved;
use super::observation::{Observation, Unreadable};
use super::surface::Surface;
use crate::azure::customer_insights::{Instance, InstanceMetadata};
use crate::azure::operations::LIST_INSTANCES;
use crate::azure::power_platform::environments::Environment;
use crate::azure::{CallError, Look};
use crate::guard;
use crate::plan::{Address, Note, Observed};
use crate::terms::EnvironmentHead;

/// The state in which an environment takes changes.
const ACTIVE: &str = "active";

/// An instance that answered.
#[derive(Debug, Clone)]
pub struct Reached {
    /// How to reach it.
    pub instance: Instance,
    /// What it says of itself.
    pub metadata: Rc<InstanceMetadata>,
}

impl Reached {
    /// Where it is, as far as the service says.
    pub fn region(&self) -> Option<&str> {
        self.metadata.azure_region.as_deref().or(self.metadata.region.as_deref())
    }

    /// When it came into being, if the service tells.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata.created()
    }

    /// What plans show of it.
    pub fn observed(&self) -> Observed {
        Observed {
            name: self.metadata.name.clone(),
            region: self.metadata.region.clone(),
            dataverse: self.metadata.dataverse().map(organisation),
        }
    }
}

/// What came of reaching an environment.
pub struct Arrival {
    /// Its instance.
    pub instance: Observation<Reached>,
    /// Its Power Platform environment, if it was asked for.
    pub hosting: Observation<Hosting>,
    /// Why it must not be touched.
    pub refusals: Vec<Note>,
}

impl Arrival {
    /// What plans show of it: what the instance says, and without one, what Power Platform says.
    pub fn observed(&self) -> Option<Observed> {
        match (&self.instance, &self.hosting) {
            (Ok(reached), _) => Some(reached.observed()),
            // Beside an instance that isn't known to be its own, it says nothing about the environment.
            (Err(_), Ok(hosting)) if hosting.unbound.is_none() => Some(hosting.observed()),
            (Err(_), _) => None,
        }
    }
}

/// What is to be reached.
pub struct Destination<'a> {
    /// The environment.
    pub head: &'a EnvironmentHead,
    /// The tenant that it must belong to.
    pub tenant: Uuid,
    /// The instances of other environments.
    pub elsewhere: &'a [Uuid],
    /// Whether Power Platform is asked as well, and by which operations.
    pub hosting: Option<Surface>,
}

/// What came of looking for an instance.
pub(super) struct Found(Result<Reached, Missing>);

impl Found {
    /// The instance, or why nothing is known of it.
    pub(super) fn instance(&self) -> Observation<Reached> {
        match &self.0 {
            Ok(reached) => Ok(reached.clone()),
            Err(Missing::Unknown(unreadable)) => Err(unreadable.clone()),
            Err(Missing::Refused(note)) => Err(Unreadable::because(note.message.clone())),
        }
    }
}

/// Reaches an environment, and checks that it is the one that is meant.
pub async fn reach(look: &Look, destination: &Destination<'_>) -> Arrival {
    let (found, environment) = tokio::join!(instance(look, destination), environment(look, destination));
    arrive(destination, found, environment)
}

/// Looks for the instance.
pub(super) async fn instance(look: &Look, destination: &Destination<'_>) -> Found {
    Found(found(look, destination).await)
}

/// Reads the Power Platform environment, where that is asked for.
pub(super) async fn environment(look: &Look, destination: &Destination<'_>) -> Observation<Rc<Environment>> {
    match destination.hosting {
        Some(surface) => hosting::read(look, destination.head, surface).await,
        None => Err(Unreadable::because("Power Platform was not asked")),
    }
}

/// What both of them come to. Pure.
pub(super) fn arrive(
    destination: &Destination<'_>,
    found: Found,
    environment: Observation<Rc<Environment>>,
) -> Arrival {
    let head = destination.head;
    let hosted = environment.as_deref().map_err(Clone::clone).and_then(hosting::hosted);
    let instance = found.instance();
    let mut refusals = match found.0 {
        Ok(reached) => identity(head, &reached.metadata, &hosted),
        Err(Missing::Unknown(_)) => Vec::new(),
        Err(Missing::Refused(note)) => vec![note],
    };
    let unbound = match (&instance, &head.environment_id) {
        _ if head.instance_id.is_none() => None,
        (Err(unreadable), _) => Some(not_known(&unreadable.reason)),
        (Ok(reached), Some(declared)) => match binding(declared, &reached.metadata, &hosted) {
            Binding::Bound => None,
            Binding::Mismatch(_) => Some("`instanceId` and `environmentId` don't belong together".to_owned()),
            Binding::Unknown(why) => Some(not_known(&why)),
        },
        (Ok(_), None) => None,
    };
    let hosting = environment.map(|live| Hosting { live, unbound });
    if let Ok(hosting) = &hosting {
        refusals.extend(hosting.another_tenant(head, destination.tenant));
        refusals.extend(hosting.another_name(head).filter(|_| head.instance_id.is_none()));
    }
    Arrival { instance, hosting, refusals }
}

enum Missing {
    Unknown(Unreadable),
    Refused(Note),
}

impl From<Unreadable> for Missing {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unknown(unreadable)
    }
}

impl From<CallError> for Missing {
    fn from(error: CallError) -> Self {
        Self::Unknown(error.into())
    }
}

fn not_known(why: &str) -> String {
    format!("it isn't known whether `instanceId` and `environmentId` belong together: {why}")
}

async fn found(look: &Look, destination: &Destination<'_>) -> Result<Reached, Missing> {
    let &Destination { head, tenant, elsewhere, hosting: _ } = destination;
    let Some(id) = head.instance_id else {
        return Err(Unreadable::because("the configuration names no `instanceId`").into());
    };
    let listed = look.instances().await?;
    let Some(info) = listed.iter().find(|info| info.instance_id == Some(id)) else {
        let mut reason = format!(
            "no environment with the instance id {id} is among the {} that this identity sees: it may be gone, reset (which \
             gives it a new id), or not shared with this identity",
            listed.len()
        );
        let free = listed.iter().filter(|info| info.instance_id.is_some_and(|id| !elsewhere.contains(&id)));
        let free = free.filter(|info| info.tenant_id.is_none_or(|found| found == tenant));
        if let Some(candidates) = moved::told(look, head, free, &not_asked()).await {
            reason += &format!("; {candidates}");
        }
        return Err(Unreadable::from_operation(LIST_INSTANCES.facts(), reason).into());
    };
    if let Some(found) = info.tenant_id.filter(|found| *found != tenant) {
        let message = format!("the environment belongs to the tenant {found}, the configuration is for {tenant}");
        let note = Note::refusal(codes::TENANT_MISMATCH, Address::scope(&head.scope()), message);
        return Err(Missing::Refused(note.help("correct `instanceId`, or `tenant.id`")));
    }
    let instance = Instance { id, scale_unit: info.scale_unit_uri.clone() };
    let metadata = look.instance(&instance).await?;
    Ok(Reached { instance, metadata })
}

/// Whether the environment behind the id is the one that is meant, and takes changes.
fn identity(head: &EnvironmentHead, live: &InstanceMetadata, hosted: &Observation<Hosted>) -> Vec<Note> {
    let address = Address::scope(&head.scope());
    let mut notes = Vec::new();
    if let Some(declared) = &head.name
        && live.name.as_ref() != Some(declared)
    {
        let found = live.name.as_deref().unwrap_or("without a name");
        let message = format!("the live environment is called `{found}`, the configuration says `{declared}`");
        notes.push(
            Note::refusal(guard::codes::NAME_MISMATCH, address.clone(), message)
                .help("make sure that `instanceId` is right, then correct `name`"),
        );
    }
    if let Some(declared) = &head.environment_id
        && let Binding::Mismatch(message) = binding(declared, live, hosted)
    {
        notes.push(
            Note::refusal(guard::codes::ENVIRONMENT_MISMATCH, address.clone(), message)
                .help("find out which of `instanceId` and `environmentId` is right, and correct the other"),
        );
    }
    if live.provisioning_state.as_deref() != Some(ACTIVE) {
        let state = live.provisioning_state.as_deref().unwrap_or("unknown");
        let message = format!("the environment is in the state `{state}`; only `{ACTIVE}` ones are changed");
        notes.push(Note::refusal(codes::NOT_ACTIVE, address, message).help("wait until it is active, then plan again"));
    }
    notes
}

/// Where an instance with another id is looked for, nothing of Power Platform is known yet.
fn not_asked() -> Observation<Hosted> {
    Err(Unreadable::because("Power Platform was not asked"))
}

/// What a Power Platform environment says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosted {
    /// Address of its Dataverse organisation; none if it has none.
    pub dataverse: Option<String>,
}

/// Whether an instance and a Power Platform environment belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// They do; a service says so.
    Bound,
    /// They don't; in words.
    Mismatch(String),
    /// It isn't known; why.
    Unknown(String),
}

/// Whether the instance belongs to the Power Platform environment that is `declared` with it.
pub fn binding(declared: &str, instance: &InstanceMetadata, environment: &Observation<Hosted>) -> Binding {
    let named = instance.bap_environment_id.as_deref().map(str::trim).filter(|named| !named.is_empty());
    if let Some(named) = named.filter(|named| !named.eq_ignore_ascii_case(declared)) {
        return Binding::Mismatch(format!(
            "the instance belongs to the Power Platform environment {named}, the configuration says {declared}"
        ));
    }
    let hosted = match environment {
        Ok(hosted) => hosted,
        Err(_) if named.is_some() => return Binding::Bound,
        Err(unreadable) => return Binding::Unknown(unreadable.reason.clone()),
    };
    match (instance.dataverse(), hosted.dataverse.as_deref()) {
        (Some(ours), Some(theirs)) => match (host(ours), host(theirs)) {
            (Some(one), Some(other)) if one == other => Binding::Bound,
            (Some(_), Some(_)) => Binding::Mismatch(format!(
                "the instance is linked to the Dataverse organisation {ours}, the Power Platform environment {declared} has \
                 {theirs}"
            )),
            _ => Binding::Unknown(format!("an address of Dataverse can't be understood: {ours}, {theirs}")),
        },
        (Some(ours), None) => Binding::Mismatch(format!(
            "the instance is linked to the Dataverse organisation {ours}, the Power Platform environment {declared} has none"
        )),
        _ if named.is_some() => Binding::Bound,
        (None, _) => {
            Binding::Unknown("the instance doesn't say which Dataverse organisation it is linked to".to_owned())
        }
    }
}

/// The address of a Dataverse organisation in one spelling, which makes no other organisation.
pub(super) fn organisation(address: &str) -> String {
    host(address).map_or_else(|| address.to_owned(), |host| format!("https://{host}"))
}

/// The host of an address in one spelling: with or without scheme, final dot, or the `api` of an organisation's API.
fn host(address: &str) -> Option<String> {
    let address = address.trim();
    let whole = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    let url: Url = whole.parse().ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    let mut labels: Vec<&str> = host.split('.').collect();
    if labels.len() > 3 && labels.get(1) == Some(&"api") {
        labels.remove(1);
    }
    (labels.len() > 1).then(|| labels.join("."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DECLARED: &str = "1bd6bd98-0000-4000-8000-00000000e001";
    const OTHER: &str = "1bd6bd98-0000-4000-8000-00000000e002";
    const CONTOSO: &str = "https://contoso.crm4.dynamics.com";

    fn instance(environment: Option<&str>, dataverse: Option<&str>) -> InstanceMetadata {
        let organisation = dataverse.map(|url| json!({ "url": url }));
        serde_json::from_value(json!({ "bapEnvironmentId": environment, "cdsOrgInfo": organisation })).unwrap()
    }

    fn environment(dataverse: Option<&str>) -> Observation<Hosted> {
        Ok(Hosted { dataverse: dataverse.map(str::to_owned) })
    }

    fn verdict(instance: &InstanceMetadata, environment: &Observation<Hosted>) -> &'static str {
        match binding(DECLARED, instance, environment) {
            Binding::Bound => "bound",
            Binding::Mismatch(_) => "mismatch",
            Binding::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn ids_belong_together_only_where_a_service_says_so() {
        let unread = || Err(Unreadable::because("403"));
        let table = [
            (instance(None, Some(CONTOSO)), unread(), "unknown"),
            (instance(None, None), unread(), "unknown"),
            (instance(Some(""), None), unread(), "unknown"),
            (instance(Some(DECLARED), None), unread(), "bound"),
            (instance(Some(&DECLARED.to_uppercase()), None), unread(), "bound"),
            (instance(Some(OTHER), None), unread(), "mismatch"),
            (instance(Some(OTHER), Some(CONTOSO)), environment(Some(CONTOSO)), "mismatch"),
            (instance(None, Some(CONTOSO)), environment(Some(CONTOSO)), "bound"),
            (instance(None, Some(CONTOSO)), environment(Some("https://fabrikam.crm4.dynamics.com")), "mismatch"),
            (
                instance(Some(DECLARED), Some(CONTOSO)),
                environment(Some("https://fabrikam.crm4.dynamics.com")),
                "mismatch",
            ),
            (instance(None, Some(CONTOSO)), environment(None), "mismatch"),
            (instance(None, None), environment(Some(CONTOSO)), "unknown"),
            (instance(None, None), environment(None), "unknown"),
            (instance(None, Some("")), environment(Some("")), "unknown"),
        ];
        for (instance, environment, expected) in table {
            assert_eq!(verdict(&instance, &environment), expected, "{instance:?} {environment:?}");
        }
    }

    #[test]
    fn one_host_has_many_spellings() {
        for same in [
            "https://contoso.crm4.dynamics.com/",
            "HTTPS://Contoso.CRM4.dynamics.com./api/data",
            "contoso.crm4.dynamics.com",
            "https://contoso.api.crm4.dynamics.com",
        ] {
            assert_eq!(verdict(&instance(None, Some(CONTOSO)), &environment(Some(same))), "bound", "{same}");
        }
        for other in ["https://contoso.crm.dynamics.com", "https://api.crm4.dynamics.com", "https://contoso.example"] {
            assert_eq!(verdict(&instance(None, Some(CONTOSO)), &environment(Some(other))), "mismatch", "{other}");
        }
        assert_eq!(verdict(&instance(None, Some(CONTOSO)), &environment(Some("no address"))), "unknown");
    }
}
