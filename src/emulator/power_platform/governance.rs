//! Managed environments: administration's configuration with its settings, the published switch, and enabling an environment
//! again that was locked.
//!
//! What must stay true: settings are texts, and those that aren't sent stay; nothing is begun that is already so; a group owns
//! the settings of its environments; what only managed environments have must be gone before one becomes an ordinary one.

use std::collections::BTreeMap;

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

use super::error::PlatformError;
use super::links::require_unlocked;
use super::{Visit, keys, only};
use crate::emulator::call::Answer;
use crate::emulator::world::{LifecycleFailure, LifecycleWork, LinkKind, PlatformEnvironment, World};

const MANAGED: &str = "Standard";
const ORDINARY: &str = "Basic";

/// `POST …/environments/{id}/governanceConfiguration`
pub(super) fn configure(visit: &Visit<'_>, id: &str) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::POST])?;
    let body = Value::Object(visit.body()?);
    let level = body["protectionLevel"].as_str().filter(|level| [MANAGED, ORDINARY].contains(level));
    let level = level.ok_or_else(|| PlatformError::bad_request("BadRequest", "The protection level is invalid."))?;
    let settings = match &body["settings"]["extendedSettings"] {
        Value::Null => BTreeMap::new(),
        sent => serde_json::from_value::<BTreeMap<String, String>>(sent.clone())
            .map_err(|_| PlatformError::bad_request("InvalidRequestContent", "The extended settings must be texts."))?,
    };
    visit.change(|world| {
        let environment = visit.find(world, id)?.clone();
        let changes = settings.iter().any(|(name, value)| environment.extended_settings.get(name) != Some(value));
        if environment.protection_level == level && !changes {
            // Seen for "nothing to do"; with no settings at all, the service was seen to answer 409.
            return match settings.is_empty() && level == MANAGED {
                true => Err(already(level)),
                false => Ok(Answer::empty(StatusCode::NO_CONTENT)),
            };
        }
        begin(visit, world, &environment, level, settings)
    })
}

/// `POST …/environments/{id}/governanceSetting/enableManaged|disableManaged`. Trying without doing isn't served.
pub(super) fn switch(visit: &Visit<'_>, id: &str, on: bool) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::POST])?;
    let level = if on { MANAGED } else { ORDINARY };
    visit
        .change(|world| {
            let environment = visit.find(world, id)?.clone();
            if environment.protection_level == level {
                return Err(already(level));
            }
            begin(visit, world, &environment, level, BTreeMap::new())
        })
        .map_err(PlatformError::of_an_operation)
}

/// The code is ours; only the status is known.
fn already(level: &str) -> PlatformError {
    let word = if level == MANAGED { "already" } else { "not" };
    PlatformError::new(StatusCode::CONFLICT, "EmulatedAlreadyGoverned", format!("The environment is {word} managed."))
}

fn begin(
    visit: &Visit<'_>,
    world: &mut World,
    environment: &PlatformEnvironment,
    level: &str,
    settings: BTreeMap<String, String>,
) -> Result<Answer, PlatformError> {
    let kind = match (level, environment.protection_level.as_str()) {
        (MANAGED, MANAGED) => "UpdateGovernanceConfiguration",
        (MANAGED, _) => "EnableGovernanceConfiguration",
        _ => "DisableGovernanceConfiguration",
    };
    visit.require_idle(world, &environment.id)?;
    require_unlocked(environment, kind)?;
    if environment.dataverse.is_none() {
        return Err(PlatformError::not_permitted_here(kind, "it has no Dataverse"));
    }
    if environment.group.is_some() {
        let message = "The environment is governed by the environment group that it is in.";
        return Err(PlatformError::new(StatusCode::CONFLICT, "EmulatedGovernedByGroup", message));
    }
    let in_use = |kind: &LinkKind| environment.links.contains_key(kind);
    if level == ORDINARY && [LinkKind::Encryption, LinkKind::NetworkInjection].iter().any(in_use) {
        let message = "The environment uses features of managed environments.";
        return Err(PlatformError::new(StatusCode::CONFLICT, "EmulatedManagedFeaturesInUse", message));
    }
    visit.accept(world, &environment.id, (kind, LifecycleWork::Govern(level.to_owned(), settings)), None)
}

/// `POST …/scopes/admin/environments/{id}/enable`: back from a lock, once the key can be used again. The admin center does it by
/// a route that isn't known; this one is ours.
pub(super) fn enable(visit: &Visit<'_>, id: &str) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::POST])?;
    let answer = visit.change(|world| {
        let environment = visit.find(world, id)?.clone();
        if !environment.locked {
            return Ok(Answer::empty(StatusCode::NO_CONTENT));
        }
        visit.require_idle(world, &environment.id)?;
        let link = environment.links.get(&LinkKind::Encryption);
        let policy = link.and_then(|link| world.enterprise_policies.get(&link.policy.to_lowercase()));
        let lost = policy.map_or_else(
            || Some(("EmulatedPolicyNotFound", "The enterprise policy is gone.".to_owned())),
            |policy| keys::goes_on(world, policy, visit.now).err(),
        );
        let failure =
            lost.map(|(code, message)| LifecycleFailure { stage: "Validate".into(), code: code.into(), message });
        visit.accept(world, &environment.id, ("Enable", LifecycleWork::Enable), failure)
    })?;
    let surface = HeaderName::from_static("x-emulated-surface");
    Ok(answer.with(surface, HeaderValue::from_static("undocumented")))
}
