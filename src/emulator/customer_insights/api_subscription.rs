//! API access, in the style of the product's published operations. No such endpoint of the product is known.
//!
//! What must stay true: keys are made when access is switched on and are dead the moment it is switched off; keys never
//! come back, as the version that they are made from only grows; regenerating touches one slot only.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::ApiError;
use super::{Answer, Visit};
use crate::emulator::views::{as_of, before};
use crate::emulator::world::{ApiSubscription, Masked};

/// The state, without keys; 404 when off.
pub(super) fn get(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (id, instance) = visit.admin(world, id)?;
        let seen = before(visit.now, world.behaviour.stale_reads);
        let seen = as_of(&instance.earlier_api_subscriptions, &instance.api_subscription, seen);
        if !seen.is_subscribed {
            return Err(not_found());
        }
        Ok(Answer::ok(json!({
            "instanceId": id,
            "isSubscribed": true,
            "primaryKeyRegeneratedUtc": seen.primary_key_regenerated_utc,
            "secondaryKeyRegeneratedUtc": seen.secondary_key_regenerated_utc,
            "version": seen.version,
        })))
    })
}

/// A key's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Primary,
    Secondary,
}

impl Slot {
    const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// Both keys, in the form that API Management has for them. Shows them again and again, as the product does.
pub(super) fn list_secrets(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (_, instance) = visit.admin(world, id)?;
        let seen = before(visit.now, world.behaviour.stale_reads);
        let seen = as_of(&instance.earlier_api_subscriptions, &instance.api_subscription, seen);
        if !seen.is_subscribed {
            return Err(not_found());
        }
        let text = |key: &Option<Masked>| key.as_ref().map(|k| k.expose().to_owned());
        Ok(Answer::ok(json!({ "primaryKey": text(&seen.primary_key), "secondaryKey": text(&seen.secondary_key) })))
    })
}

/// Makes a new key in one slot. The answer has no body, as in API Management: whoever wants the key reads again.
pub(super) fn regenerate(visit: &Visit<'_>, id: &str, slot: Slot) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let world_id = world.world;
        let (id, instance) = visit.admin(world, id)?;
        if !instance.api_subscription.is_subscribed {
            return Err(not_found());
        }
        let mut next = instance.api_subscription.clone();
        next.version += 1;
        let made = Some(key(world_id, id, slot.name(), next.version));
        let (place, instant) = match slot {
            Slot::Primary => (&mut next.primary_key, &mut next.primary_key_regenerated_utc),
            Slot::Secondary => (&mut next.secondary_key, &mut next.secondary_key_regenerated_utc),
        };
        *place = made;
        *instant = Some(visit.now);
        world.set_api_subscription(id, next, visit.now);
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    })
}

/// Switches on. Where it is on already, nothing changes: making new keys would cut off every client.
pub(super) fn activate(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let world_id = world.world;
        let (id, instance) = visit.admin(world, id)?;
        let ApiSubscription { is_subscribed, primary_key, version, .. } = &instance.api_subscription;
        if !is_subscribed {
            // Kept over the time without access, if that is how this world behaves.
            let next = match primary_key {
                Some(_) => {
                    ApiSubscription { is_subscribed: true, version: version + 1, ..instance.api_subscription.clone() }
                }
                None => switched_on(world_id, id, version + 1, visit.now),
            };
            world.set_api_subscription(id, next, visit.now);
        }
        Ok(Answer::ok(Value::Bool(true)))
    })
}

/// Switches off. Where it is off already there is no subscription to end.
pub(super) fn deactivate(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.change(|world| {
        let (id, instance) = visit.admin(world, id)?;
        if !instance.api_subscription.is_subscribed {
            return Err(not_found());
        }
        let version = instance.api_subscription.version + 1;
        let next = match world.behaviour.api_keys_outlive_access {
            true => ApiSubscription { is_subscribed: false, version, ..instance.api_subscription.clone() },
            false => ApiSubscription { version, ..ApiSubscription::default() },
        };
        world.set_api_subscription(id, next, visit.now);
        Ok(Answer::ok(Value::Bool(true)))
    })
}

fn not_found() -> ApiError {
    let message = "API access is not enabled for this environment.";
    ApiError::new(StatusCode::NOT_FOUND, "apiSubscriptionNotFound", message)
}

fn switched_on(world: Uuid, instance: Uuid, version: i64, now: Timestamp) -> ApiSubscription {
    ApiSubscription {
        is_subscribed: true,
        primary_key: Some(key(world, instance, "primary", version)),
        secondary_key: Some(key(world, instance, "secondary", version)),
        primary_key_regenerated_utc: Some(now),
        secondary_key_regenerated_utc: Some(now),
        version,
    }
}

/// 32 lower-case hex characters. Derived, so that a run against one world can be repeated.
fn key(world: Uuid, instance: Uuid, slot: &str, version: i64) -> Masked {
    let digest = Sha256::new()
        .chain_update(world.as_bytes())
        .chain_update(instance.as_bytes())
        .chain_update(slot.as_bytes())
        .chain_update(version.to_be_bytes())
        .finalize();
    Masked::new(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
}
