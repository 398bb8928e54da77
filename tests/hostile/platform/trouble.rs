//! What goes wrong in Power Platform, and in Azure where its keys are.

use super::declared::Hosted;
use super::events::Beyond;
use crate::dice::Dice;
use crate::kind::Kind;
use crate::lies::Lie;

pub(crate) const KINDS: &[Kind] = &[
    Kind::Hosted,
    Kind::Hosted,
    Kind::Operations,
    Kind::Operations,
    Kind::EnterprisePolicy,
    Kind::CreatePolicy,
    Kind::Grant,
    Kind::LinkKey,
    Kind::UnlinkKey,
    Kind::EnableManaged,
    Kind::Vault,
];

pub(crate) fn event(number: usize, declared: &Hosted, dice: &mut Dice) -> Beyond {
    let policies: Vec<usize> = declared.key.iter().flat_map(|key| key.policies()).collect();
    let one = if policies.is_empty() { 0 } else { dice.pick(&policies) };
    let other = dice.roll(3);
    let seconds = dice.pick(&[10, 90, 4000]);
    dice.weighted(&[
        (8, Beyond::Link(number, other)),
        (8, Beyond::Begin(number, other)),
        (6, Beyond::Begin(number, one)),
        (7, Beyond::Revert(number)),
        (9, Beyond::Backup(number, seconds)),
        (5, Beyond::Unmanage(number)),
        (3, Beyond::Rename(number)),
        (3, Beyond::Rehost(number)),
        (2, Beyond::Retype(number)),
        (2, Beyond::Lost(number)),
        (6, Beyond::CreatePolicy(one)),
        (6, Beyond::DeletePolicy(one)),
        (6, Beyond::AnotherPolicy(one)),
        (5, Beyond::AnotherKey(one)),
        (7, Beyond::Ungrant(one)),
        (4, Beyond::DisableKey(one)),
    ])
}

/// Where an event comes too late for all looks but the last one, or for that one as well.
pub(crate) fn sharpest(event: &Beyond) -> (Kind, usize, bool) {
    match event {
        Beyond::DeletePolicy(_) | Beyond::AnotherPolicy(_) | Beyond::AnotherKey(_) => {
            (Kind::EnterprisePolicy, 2, false)
        }
        Beyond::Ungrant(_) | Beyond::DisableKey(_) => (Kind::Vault, 1, true),
        _ => (Kind::Operations, 1, true),
    }
}

/// What the settings ask for, and how often a lie is about it.
pub(crate) fn kinds(declared: &Hosted) -> Vec<(usize, Kind)> {
    let mut kinds = vec![(16, Kind::Hosted), (18, Kind::Operations)];
    if declared.managed == Some(true) {
        kinds.push((8, Kind::EnableManaged));
    }
    let Some(key) = &declared.key else { return kinds };
    kinds.extend([(12, Kind::EnterprisePolicy), (3, Kind::PublishedHosted)]);
    if key.policy.is_some() {
        kinds.extend([(10, Kind::LinkKey), (6, Kind::VaultKey), (3, Kind::VaultKeyVersions), (5, Kind::Vault)]);
        kinds.extend([(5, Kind::Holders), (4, Kind::Rights)]);
    } else {
        kinds.push((10, Kind::UnlinkKey));
    }
    if key.provision {
        kinds.extend([(6, Kind::CreatePolicy), (3, Kind::Provider), (6, Kind::Grant), (3, Kind::Policy)]);
    }
    kinds
}

/// A lie that is made for an answer; none if any will do.
pub(crate) fn lie_about(kind: Kind, dice: &mut Dice) -> Option<Lie> {
    use Lie::{Item, NextElsewhere, NoStates, OtherInstance, OtherResource, Renamed, Stale, Twice, UnknownWord};
    let own: &[Lie] = match kind {
        Kind::Hosted => &[OtherInstance, OtherInstance, Renamed, Stale, UnknownWord],
        Kind::Operations => {
            &[OtherInstance, Renamed, Stale, UnknownWord, NextElsewhere, NextElsewhere, NoStates, Twice]
        }
        Kind::EnterprisePolicy | Kind::VaultKey | Kind::VaultKeyVersions => &[OtherResource, Stale],
        Kind::Provider => &[UnknownWord, Item(0)],
        _ => return None,
    };
    dice.chance(60).then(|| dice.pick(own))
}
