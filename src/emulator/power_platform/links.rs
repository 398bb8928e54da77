//! Linking an environment to an encryption policy, unlinking it, and what is said beforehand.
//!
//! What must stay true: links go by the system id, and linking over a link is the way to another policy; what a document says
//! of the environment is refused at once, what has to do with policy and key is found by the operation, and fails it. The codes
//! of such failures are ours.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::error::PlatformError;
use super::{Visit, keys, only};
use crate::emulator::call::Answer;
use crate::emulator::rights::Plane;
use crate::emulator::unserved::NotServed;
use crate::emulator::world::{
    EnterprisePolicy, LifecycleFailure, LifecycleWork, LinkKind, PlatformEnvironment, PolicyLink, World,
};

const NEW: &str = "NewCustomerManagedKey";
const ROTATE: &str = "RotateCustomerManagedKey";
const REVERT: &str = "RevertToMicrosoftKey";
/// The environments that can't have a customer-managed key.
const REFUSED: [&str; 3] = ["Trial", "SubscriptionBasedTrial", "Teams"];
/// The geography that policies call otherwise than environments do.
const RENAMED: (&str, &str) = ("unitedkingdom", "uk");
/// Geographies of environments and of policies that fit although they differ.
const EXCEPTIONS: [(&str, &str); 2] = [RENAMED, ("unitedstates", "unitedstateseuap")];

/// Where the policies lie that fit environments in this geography.
pub(crate) fn policy_geography(environment: &str) -> &str {
    let (own, policies) = RENAMED;
    if environment.eq_ignore_ascii_case(own) { policies } else { environment }
}

/// `POST …/environments/{id}/enterprisePolicies/{kind}/link|unlink`
pub(super) fn change(visit: &Visit<'_>, id: &str, kind: &str, verb: &str) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::POST])?;
    // The other kinds of policies can be in the world, and aren't linked here.
    if kind != "encryption" {
        return Err(NotServed::part(visit.call, &format!("policies of the kind {kind}")).into());
    }
    if visit.call.media_type().as_deref() != Some("application/json") {
        return Err(PlatformError::media_type());
    }
    let system_id = system_id(visit)?;
    visit.change(|world| {
        let environment = visit.find(world, id)?.clone();
        visit.require_idle(world, &environment.id)?;
        let current = environment.links.get(&LinkKind::Encryption).cloned();
        match verb {
            "link" => link(visit, world, &environment, current.as_ref(), &system_id),
            _ => unlink(visit, world, &environment, current.as_ref(), &system_id),
        }
    })
}

/// `{"SystemId": "…"}`, in any case.
fn system_id(visit: &Visit<'_>) -> Result<String, PlatformError> {
    let body = visit.body()?;
    if let Some(other) = body.keys().find(|name| !name.eq_ignore_ascii_case("systemId")) {
        let message = format!("Could not find member '{other}' on object of type 'EnterprisePolicyLinkRequest'.");
        return Err(PlatformError::bad_request("InvalidRequestContent", message));
    }
    let sent = body.values().next().and_then(Value::as_str).unwrap_or_default();
    if sent.to_ascii_lowercase().starts_with("/regions/") {
        return Ok(sent.to_owned());
    }
    let message = format!("The system id '{sent}' is not valid.");
    Err(PlatformError::bad_request("EmulatedInvalidSystemId", message))
}

/// The policy with this system id, if the caller may read it in Azure.
fn policy<'w>(visit: &Visit<'_>, world: &'w World, system_id: &str) -> Result<&'w EnterprisePolicy, PlatformError> {
    let mut policies = world.enterprise_policies.values();
    let found = policies.find(|policy| policy.system_id().eq_ignore_ascii_case(system_id));
    let found = found.ok_or_else(|| {
        PlatformError::bad_request("EmulatedPolicyNotFound", format!("There is no enterprise policy '{system_id}'."))
    })?;
    let read = "Microsoft.PowerPlatform/enterprisePolicies/read";
    if !world.azure_allows(visit.caller.oid, Plane::Management, read, &found.id, visit.now) {
        let message = "The caller does not have read access to the enterprise policy.";
        return Err(PlatformError::new(StatusCode::FORBIDDEN, "Forbidden", message));
    }
    match found.kind.as_str() {
        "Encryption" => Ok(found),
        kind => {
            let message = format!("An enterprise policy of the kind '{kind}' can't be linked as 'Encryption'.");
            Err(PlatformError::bad_request("EmulatedPolicyKindMismatch", message))
        }
    }
}

/// Why an environment doesn't take an operation: a reason type, and words.
fn unfit(environment: &PlatformEnvironment, kind: &str) -> Option<(&'static str, &'static str)> {
    let linked = environment.links.get(&LinkKind::Encryption).is_some_and(|link| link.in_force);
    if REFUSED.iter().any(|sku| sku.eq_ignore_ascii_case(&environment.sku)) {
        return Some(("EnvironmentSkuType", "its type is not supported"));
    }
    if environment.dataverse.is_none() {
        return Some(("CdsLink", "it has no Dataverse"));
    }
    if kind != REVERT && environment.protection_level != "Standard" {
        return Some(("GovernanceConfig", "it is not a managed environment"));
    }
    match (kind, linked) {
        (ROTATE | REVERT, false) => Some(("EnvironmentCmkLinked", "it has no customer-managed key")),
        (NEW, true) => Some(("EnvironmentCmkLinked", "it has a customer-managed key")),
        _ => None,
    }
}

fn link(
    visit: &Visit<'_>,
    world: &mut World,
    environment: &PlatformEnvironment,
    current: Option<&PolicyLink>,
    system_id: &str,
) -> Result<Answer, PlatformError> {
    let policy = policy(visit, world, system_id)?.clone();
    // The same policy again is a swap, as well.
    let kind = if current.is_some_and(|link| link.in_force) { ROTATE } else { NEW };
    require_unlocked(environment, kind)?;
    if let Some((_, why)) = unfit(environment, kind) {
        return Err(PlatformError::not_permitted_here(kind, why));
    }
    let failure = failure(visit, world, environment, &policy);
    visit.accept(world, &environment.id, (kind, LifecycleWork::Link(policy.id)), failure)
}

/// What the operation finds that can't be told before.
fn failure(
    visit: &Visit<'_>,
    world: &World,
    environment: &PlatformEnvironment,
    policy: &EnterprisePolicy,
) -> Option<LifecycleFailure> {
    let same = environment.location.eq_ignore_ascii_case(&policy.location);
    let fits = |(own, other): &(&str, &str)| {
        own.eq_ignore_ascii_case(&environment.location) && other.eq_ignore_ascii_case(&policy.location)
    };
    if !same && !EXCEPTIONS.iter().any(fits) {
        let message = format!(
            "The environment is in '{}' and the enterprise policy in '{}'.",
            environment.location, policy.location
        );
        return Some(LifecycleFailure { stage: "Validate".into(), code: "EmulatedRegionMismatch".into(), message });
    }
    let (code, message) = keys::usable(world, policy, visit.now).err()?;
    Some(LifecycleFailure { stage: "Prepare".into(), code: code.into(), message })
}

fn unlink(
    visit: &Visit<'_>,
    world: &mut World,
    environment: &PlatformEnvironment,
    current: Option<&PolicyLink>,
    system_id: &str,
) -> Result<Answer, PlatformError> {
    require_unlocked(environment, REVERT)?;
    let Some(current) = current.filter(|link| link.in_force) else {
        return Err(PlatformError::not_permitted_here(REVERT, "it has no customer-managed key"));
    };
    if !current.system_id.eq_ignore_ascii_case(system_id) {
        let message = "The environment is linked to another enterprise policy.";
        return Err(PlatformError::bad_request("EmulatedPolicyNotLinked", message));
    }
    // The policy may be gone; what names it is enough.
    visit.accept(world, &environment.id, (REVERT, LifecycleWork::Unlink), None)
}

/// A locked environment takes nothing until it is enabled again. The code is the one of other operations that aren't permitted.
pub(super) fn require_unlocked(environment: &PlatformEnvironment, operation: &str) -> Result<(), PlatformError> {
    match environment.locked {
        true => Err(PlatformError::not_permitted_here(operation, "it is disabled, since its key can't be reached")),
        false => Ok(()),
    }
}

/// `GET …/environments/{id}/lifecycleOperationsEnforcement`: a hint.
pub(super) fn enforcement(visit: &Visit<'_>, id: &str) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::GET])?;
    visit.read(|world| {
        let environment = visit.find(world, id)?;
        let (mut allowed, mut disallowed) = (Vec::new(), Vec::new());
        for kind in [NEW, ROTATE, REVERT] {
            match unfit(environment, kind) {
                None => allowed.push(json!({ "type": { "id": kind } })),
                Some((reason, why)) => {
                    let message = format!("The operation '{kind}' is not permitted on the environment: {why}.");
                    disallowed
                        .push(json!({ "type": { "id": kind }, "reason": { "message": message, "type": reason } }));
                }
            }
        }
        Ok(Answer::ok(json!({ "allowedOperations": allowed, "disallowedOperations": disallowed })))
    })
}
