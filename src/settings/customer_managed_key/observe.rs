//! What the services say: Power Platform about the environment and what goes on in it, Azure about policies, vaults and keys.
//!
//! Words: a *chain* is a policy with the vault and the key that it refers to; the *former* chain is that of the policy which is linked
//! now and is neither declared nor retained.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::block::{Declared, Protection, Wanted};
use super::steps::{Link as Linking, NEW};
use crate::azure::Look;
use crate::azure::keys::RotationPolicy;
use crate::azure::operations::{ADMIN_GET_ENFORCEMENT, PUT_ENTERPRISE_POLICY};
use crate::azure::power_platform::environments::Environment;
use crate::azure::power_platform::policies::{self, Hint, Policy, Registration};
use crate::azure::power_platform::{Link, LinkStatus, environments};
use crate::azure::rights::Holding;
use crate::plan::Mode;
use crate::settings::encryption_keys::observe::{granted, see};
use crate::settings::encryption_keys::{Granted, KeyRef, Seen, same_key};
use crate::settings::lifecycle::{self, Course};
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Observing;
use crate::terms::{ResourceId, VaultId};

/// Everything that comparing needs, besides the environment itself.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What goes on in the environment.
    pub course: Observation<Course>,
    /// Why the link failed, by the only contract that tells; asked only of a failed one, and none if it doesn't say.
    pub error: Option<Observation<Option<String>>>,
    /// The policy that is to be linked; none where Microsoft's key is wanted.
    pub wanted: Option<Chain>,
    /// The policy that is linked, if it is another one than those that the file names, or refers to another key than the file says.
    pub former: Option<Chain>,
    /// The retained policies, in the file's order.
    pub retained: Vec<Chain>,
    /// What the identity of the wanted policy may do with each key that it needs.
    pub grants: Vec<Granted>,
    /// When the wanted key rotates by itself; asked only where the file says when.
    pub rotation: Option<Observation<Rc<RotationPolicy>>>,
    /// What else decides whether a policy can be created; asked only where one is to be.
    pub creation: Option<Creation>,
    /// What the environment says beforehand of linking; asked only of a default environment.
    pub hint: Option<Observation<Hint>>,
}

/// A policy and its key.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The policy's id.
    pub id: ResourceId,
    /// The policy; none if Azure has none.
    pub policy: Observation<Option<Rc<Policy>>>,
    /// The key that is meant: the declared one, or, of a policy that the file doesn't name, its own. None if it names none.
    pub key: Option<KeyRef>,
    /// What Azure says of the key.
    pub seen: Seen,
    /// What the policy's own identity may do with the key; asked of policies that something is encrypted with.
    pub own: Option<Granted>,
}

/// What decides whether a policy can be created.
#[derive(Debug, Clone)]
pub struct Creation {
    /// Whether the subscription has registered the provider, and where policies can be.
    pub provider: Observation<Registration>,
    /// Whether the caller may create policies in the resource group; none if there is no such group.
    pub creating: Observation<Option<Holding>>,
}

/// Asks all of them.
pub(super) async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
    let live = match observing.hosting {
        Ok(hosting) => hosting.live.clone(),
        Err(unreadable) => return nothing(unreadable),
    };
    let look = observing.look;
    let linked = live.links.encryption.as_ref();
    let linking = Linking::of(declared.map(|declared| &declared.wanted), linked);
    let protection = declared.and_then(protection);
    let wanted = async {
        let protection = protection?;
        Some(chain(look, &protection.policy, Some(protection.key.clone())).await)
    };
    let former = async {
        let policy = linked?.policy.as_ref()?;
        let named = declared.is_some_and(|declared| declared.policies().any(|(named, _)| named == policy));
        if named { None } else { Some(former_chain(look, policy, None).await) }
    };
    let retained = async {
        let all = declared.iter().flat_map(|declared| &declared.retained);
        futures_util::future::join_all(all.map(|one| former_chain(look, &one.policy, Some(one.key.clone())))).await
    };
    let (course, error, wanted, former, retained) = tokio::join!(
        lifecycle::course(observing, &live.id, linking.family()),
        error(observing, &live, linked),
        wanted,
        former,
        retained
    );
    let former = match former {
        None => other_key(look, wanted.iter().chain(&retained), linked).await,
        former => former,
    };
    let grants = match (protection, &wanted) {
        (Some(protection), Some(wanted)) => grants(look, protection, wanted, former.as_ref(), &retained).await,
        _ => Vec::new(),
    };
    let rotation = match (protection, &wanted) {
        (Some(protection), Some(wanted)) => rotation(look, protection, &wanted.seen).await,
        _ => None,
    };
    let missing = wanted.as_ref().is_some_and(|wanted| matches!(wanted.policy, Ok(None)));
    let creation = match protection.filter(|protection| protection.provision && missing) {
        Some(protection) => Some(creation(look, &protection.policy).await),
        None => None,
    };
    let hint = hint(observing, &live, protection.is_some()).await;
    Observed { course, error, wanted, former, retained, grants, rotation, creation, hint }
}

/// The policy that is linked, by the key that it refers to itself, if the file names it with another one: the environment is encrypted
/// with its own.
async fn other_key(look: &Look, named: impl Iterator<Item = &Chain>, linked: Option<&Link>) -> Option<Chain> {
    let linked = linked?.policy.as_ref()?;
    let chain = named.into_iter().find(|chain| chain.id == *linked)?;
    let (own, declared) = (own_key(chain.policy.as_ref().ok()?.as_deref()?)?, chain.key.as_ref()?);
    let differs = !same_key(&own, declared) || own.version != declared.version;
    if differs { Some(former_chain(look, linked, None).await) } else { None }
}

pub(super) fn protection(declared: &Declared) -> Option<&Protection> {
    match &declared.wanted {
        Wanted::Customer(protection) => Some(protection),
        Wanted::Microsoft => None,
    }
}

/// Where the environment itself could not be read, nothing else says anything.
fn nothing(unreadable: &Unreadable) -> Observed {
    Observed {
        course: Err(unreadable.clone()),
        error: None,
        wanted: None,
        former: None,
        retained: Vec::new(),
        grants: Vec::new(),
        rotation: None,
        creation: None,
        hint: None,
    }
}

async fn error(
    observing: &Observing<'_>,
    live: &Environment,
    linked: Option<&Link>,
) -> Option<Observation<Option<String>>> {
    linked.filter(|link| link.status == Some(LinkStatus::Failed))?;
    let published = environments::get_published(observing.look.reader(), &live.id).await;
    let error = |links: crate::azure::power_platform::Links| links.encryption.and_then(|link| link.error);
    Some(published.map(|published| error(published.links)).map_err(Unreadable::from))
}

/// A default environment is the one of which it is disputed whether it takes a customer's key.
async fn hint(observing: &Observing<'_>, live: &Environment, wanted: bool) -> Option<Observation<Hint>> {
    let asked = wanted && live.links.encryption.is_none() && super::demands::is_default(live);
    if !asked || observing.surface.mode(ADMIN_GET_ENFORCEMENT.facts().provenance) == Mode::Manual {
        return None;
    }
    let said = policies::enforcement(observing.look.reader(), &live.id).await;
    Some(said.map(|said| said.says(&NEW)).map_err(Unreadable::from))
}

async fn chain(look: &Look, id: &ResourceId, key: Option<KeyRef>) -> Chain {
    let policy = look.policy(id).await.map_err(Unreadable::from);
    let key = key.or_else(|| own_key(policy.as_ref().ok()?.as_deref()?));
    let seen = match &key {
        Some(key) => see(look, key).await,
        None => Seen::nothing(),
    };
    Chain { id: id.clone(), policy, key, seen, own: None }
}

/// A chain that something is encrypted with, and the rights of its own identity.
async fn former_chain(look: &Look, id: &ResourceId, key: Option<KeyRef>) -> Chain {
    let chain = chain(look, id, key).await;
    let identity = chain.policy.as_ref().ok().and_then(|policy| policy.as_ref()?.principal);
    let own = match (identity, &chain.key) {
        (Some(_), Some(key)) => Some(granted(look, key.clone(), identity, false).await),
        _ => None,
    };
    Chain { own, ..chain }
}

/// The key that a policy itself refers to.
pub(super) fn own_key(policy: &Policy) -> Option<KeyRef> {
    let key = policy.key.as_ref()?;
    let vault: VaultId = key.vault.clone()?.try_into().ok()?;
    Some(KeyRef { vault, name: key.name.clone()?, version: key.version.as_ref().map(|it| it.to_lowercase()) })
}

/// The rights on every key that the wanted policy's identity needs: its own, and those of the policies that came before it.
async fn grants(
    look: &Look,
    protection: &Protection,
    wanted: &Chain,
    former: Option<&Chain>,
    retained: &[Chain],
) -> Vec<Granted> {
    let identity = wanted.policy.as_ref().ok().and_then(|policy| policy.as_ref()?.principal);
    let mut keys: BTreeMap<(VaultId, String), KeyRef> = BTreeMap::new();
    let others = retained.iter().chain(former).filter_map(|chain| chain.key.clone());
    for key in std::iter::once(protection.key.clone()).chain(others) {
        keys.entry((key.vault.clone(), key.name.to_lowercase())).or_insert(key);
    }
    let asked = keys.into_values().map(|key| granted(look, key, identity, protection.provision));
    futures_util::future::join_all(asked).await
}

async fn rotation(look: &Look, protection: &Protection, seen: &Seen) -> Option<Observation<Rc<RotationPolicy>>> {
    protection.upkeep.rotation?;
    let KeyRef { vault, name, version: _ } = &protection.key;
    let is_there = matches!((&seen.vault, &seen.version), (Ok(Some(_)), Ok(Some(_))));
    if !is_there {
        return None;
    }
    Some(look.rotation_policy(vault, name).await.map_err(Unreadable::from))
}

async fn creation(look: &Look, policy: &ResourceId) -> Creation {
    let (provider, creating) = tokio::join!(
        policies::registration(look.reader(), policy.subscription()),
        look.holding_in_group(policy, &PUT_ENTERPRISE_POLICY.facts().needs)
    );
    Creation { provider: provider.map_err(Unreadable::from), creating: creating.map_err(Unreadable::from) }
}
