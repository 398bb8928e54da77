//! Who runs palisade, as the service sees it.
//!
//! Words: the *caller* is known by a set of ids: those that its tokens name, and the one that the service names for its
//! role. All of them are protected.
//!
//! Invariants: what tokens and service say must agree, or the service must name a group that the directory shows to hold the
//! caller; a service that can't be asked must at least list the caller as Admin; in every other case the caller is unknown.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::assignments::Assignments;
use crate::azure::directory::Members;
use crate::azure::{Bearers, Identity};
use crate::settings::observation::{Observation, Unreadable};
use crate::terms::ObjectId;

/// Whose role the service takes for the caller's: an id, or a text that isn't one.
pub(super) type Named = Observation<Result<ObjectId, String>>;

/// Who the tokens of this run name.
pub(super) fn identity(bearers: &Bearers, tenant: Uuid) -> Result<Identity, String> {
    match bearers.stranger(tenant) {
        Some((audience, other)) => Err(format!("the token for {audience} was issued by another tenant, {other}")),
        None => bearers.identity(),
    }
}

/// The id that leads to the caller only if it is a group's that holds the caller.
pub(super) fn doubtful(identity: &Result<Identity, String>, named: &Named) -> Option<ObjectId> {
    match (identity, named) {
        (Ok(identity), Ok(Ok(id))) if !identity.ids().contains(id) => Some(*id),
        _ => None,
    }
}

/// All ids of the caller. `members` are those of the group that the service names, if it may be one; `list` is who has
/// which role.
pub(super) fn ids(
    identity: Result<Identity, String>,
    named: Named,
    members: Option<&Members>,
    list: Option<&Assignments>,
) -> Observation<BTreeSet<ObjectId>> {
    let identity = identity.map_err(Unreadable::because)?;
    let mut ids = identity.ids();
    let named = match named {
        // The list itself shows that the service knows the caller by the id of its token.
        Err(_) if list.is_some_and(|list| list.under(&ids).iter().any(|held| held.is_admin())) => return Ok(ids),
        named => named?,
    };
    let named = match named {
        Ok(named) => named,
        Err(text) if text.is_empty() => {
            return Err(Unreadable::because("the service doesn't say which principal's role is the caller's"));
        }
        Err(text) => {
            return Err(Unreadable::because(format!("the service names `{text}` as the caller, which isn't an id")));
        }
    };
    if ids.contains(&named) {
        return Ok(ids);
    }
    let other = format!("the token names the principal {}, the service the principal {named}", identity.object_id);
    match members {
        Some(Ok(members)) if members.contains_key(&identity.object_id) => {
            ids.insert(named);
            Ok(ids)
        }
        Some(Err(reason)) => Err(Unreadable::because(format!(
            "{other}; whether that is a group which holds it could not be read: {reason}"
        ))),
        Some(Ok(_)) => {
            Err(Unreadable::because(format!("{other}, a group which the directory doesn't show to hold it")))
        }
        None => Err(Unreadable::because(other)),
    }
}
