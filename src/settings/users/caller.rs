//! Who runs palisade, as the service sees it.
//!
//! Words: the *caller* is known by a set of ids: those that its tokens name, and the one that the service names for its
//! role. All of them are protected.
//!
//! Invariants: what tokens and service say must agree, or the service must name a group that the directory shows to hold the
//! caller; a service that can't be asked must at least list the caller as Admin; in every other case the caller is unknown. A
//! list that shows nothing by which a known caller could have read it contradicts the service, and isn't one.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::assignments::Assignments;
use crate::azure::directory::Members;
use crate::azure::operations::LIST_ASSIGNMENTS;
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

/// The ids of which a list must hold at least one, since only Admins may read it: the caller's own where it is listed itself,
/// else those of Admin groups that hold it, or may hold it. `members` are those of all listed Admins that may be groups.
pub(super) fn witnesses(
    list: &Assignments,
    caller: &BTreeSet<ObjectId>,
    members: &BTreeMap<ObjectId, Members>,
) -> BTreeSet<ObjectId> {
    if !list.under(caller).is_empty() {
        return caller.clone();
    }
    // An app has an application id beside its object id, and Graph's list of members leaves apps out where its rollout hasn't
    // reached (github.com/Azure/azure-powershell/issues/16698): that an app isn't among them proves nothing.
    let app = caller.len() > 1;
    let holds = |group: &ObjectId| match members.get(group) {
        Some(Ok(members)) => app || caller.iter().any(|id| members.contains_key(id)),
        Some(Err(_)) => true,
        None => false,
    };
    list.held.iter().filter(|(id, held)| held.is_admin() && holds(id)).map(|(id, _)| *id).collect()
}

/// Whether a list can be what the service says it is. An entry that can't be told to be of anybody may be the caller's.
pub(super) fn vouched(list: &Assignments, witnesses: &BTreeSet<ObjectId>) -> Result<(), Unreadable> {
    if list.nameless > 0 || !list.under(witnesses).is_empty() {
        return Ok(());
    }
    Err(Unreadable::from_operation(
        LIST_ASSIGNMENTS.facts(),
        "the service's list has neither the identity that runs palisade nor an Admin group that holds it, although the service \
         names its role there, so it isn't certain who has which role",
    ))
}
