//! Whether the caller holds what an operation needs.
//!
//! Invariants: *lacking* rests on a complete list that shows no grant; whatever else isn't plainly held is *unproved*, and
//! unproved is tried. A list that doesn't show what the caller has just used is not complete, whatever it says of itself.

use std::fmt;

use super::granted::{Grade, Granted};
use super::{Action, Need, Needs, Place, Right, VaultObjects, VaultRight};
use crate::azure::vaults::{AccessPolicy, Properties};
use crate::terms::ObjectId;

/// What is known about the caller and a set of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// All of them are held.
    Held,
    /// These aren't: a complete read shows that nothing grants them.
    Lacking(Vec<Right>),
    /// That they are held can't be seen.
    Unproved(Doubt),
}

/// Why a right can't be seen to be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Which ones.
    pub rights: Vec<Right>,
    /// Why.
    pub why: String,
}

impl Holding {
    /// Nothing is known about any of them, because.
    pub fn unproved(needs: &Needs, why: impl Into<String>) -> Self {
        Self::Unproved(Doubt { rights: needs.rights(), why: why.into() })
    }

    /// Why the rights aren't held; none if they are, or may be.
    pub fn lacking(&self) -> Option<String> {
        match self {
            Self::Lacking(rights) => Some(format!("this identity lacks {}", names(rights))),
            Self::Held | Self::Unproved(_) => None,
        }
    }

    /// What to say beside something that is tried without proof; none if there is proof.
    pub fn doubt(&self) -> Option<&Doubt> {
        match self {
            Self::Unproved(doubt) => Some(doubt),
            Self::Held | Self::Lacking(_) => None,
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rights, why } = self;
        write!(f, "could not confirm that this identity has {}: {why}", names(rights))
    }
}

fn names(rights: &[Right]) -> String {
    rights.iter().map(|right| right.id()).collect::<Vec<_>>().join(" and ")
}

/// What the caller's list on a resource says about `needs`. `used` is what the caller has just used there with success.
pub fn by_list(needs: &Needs, list: &Granted, used: Option<Action>) -> Holding {
    let (mut missing, mut conditional, mut disputed) = (Vec::new(), Vec::new(), Vec::new());
    let mut elsewhere = Vec::new();
    for need in needs.items() {
        let (rights, is_disputed) = match need {
            Need::Right(right) => (vec![right], false),
            Need::OneOf(rights) => (rights.to_vec(), false),
            Need::Disputed(right) => (vec![right], true),
        };
        if rights.iter().all(|right| !matches!(right.place(), Place::Resource | Place::Vault)) {
            elsewhere.extend(rights);
            continue;
        }
        let grade = rights.iter().map(|right| list.grade(*right)).max().unwrap_or(Grade::Absent);
        match (grade, is_disputed) {
            (Grade::Plain, _) => {}
            (Grade::Conditional, false) => conditional.extend(rights),
            (Grade::Absent, false) => missing.extend(rights),
            (Grade::Conditional | Grade::Absent, true) => disputed.extend(rights),
        }
    }
    let unseen = used.filter(|action| !list.allows(*action));
    let doubt = |rights, why: String| Holding::Unproved(Doubt { rights, why });
    match (missing.is_empty(), unseen) {
        (false, None) => Holding::Lacking(missing),
        (false, Some(action)) => doubt(
            missing,
            format!("the list of its rights isn't complete: it doesn't show {}, which was just used", action.name()),
        ),
        (true, _) if !conditional.is_empty() => doubt(conditional, "it is granted under a condition".to_owned()),
        (true, _) if !elsewhere.is_empty() => {
            doubt(elsewhere, "it isn't a right in Azure, so no list of Azure's shows it".to_owned())
        }
        (true, _) if !disputed.is_empty() => {
            doubt(disputed, "it isn't granted, and sources disagree whether it is needed".to_owned())
        }
        (true, _) => Holding::Held,
    }
}

/// What the access policies of a vault say about `needs`. Never lacking: a policy may name a group that the caller is in.
pub fn by_policies(needs: &Needs, vault: &Properties, caller: Option<ObjectId>) -> Holding {
    let Some(caller) = caller else {
        return Holding::unproved(needs, "the token doesn't name the identity that runs palisade");
    };
    // A policy with an application counts only for tokens that a person got through it.
    let own = |policy: &&AccessPolicy| policy.object_id == Some(caller) && policy.application_id.is_none();
    let own: Vec<&AccessPolicy> = vault.access_policies.iter().filter(own).collect();
    let lists = |right: VaultRight| {
        let words = own.iter().flat_map(|policy| match right.objects() {
            VaultObjects::Secrets => &policy.permissions.secrets,
            VaultObjects::Keys => &policy.permissions.keys,
        });
        let wanted = right.permission();
        words.into_iter().any(|word| word.eq_ignore_ascii_case(wanted) || word.eq_ignore_ascii_case("all"))
    };
    let allows = |right: &Right| matches!(right, Right::Vault(right) if lists(*right));
    let unseen: Vec<Right> = needs.rights().into_iter().filter(|right| !allows(right)).collect();
    match unseen.is_empty() {
        true => Holding::Held,
        false => {
            let why = "no access policy of the vault gives it to the identity itself; one may name a group".to_owned();
            Holding::Unproved(Doubt { rights: unseen, why })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    const APPROVE: Needs = Needs::All(&[
        Need::Right(Right::Azure(Action::STORAGE_APPROVE)),
        Need::Disputed(Right::Azure(Action::STORAGE_WRITE_CONNECTIONS)),
    ]);
    const READ: &str = "Microsoft.Storage/storageAccounts/read";
    const APPROVAL: &str = "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action";
    const USED: Option<Action> = Some(Action::STORAGE_READ);

    fn list(entries: Json) -> Granted {
        serde_json::from_value(entries).unwrap()
    }

    #[test]
    fn the_products_minimal_role_is_tried_and_a_reader_lacks() {
        let minimal = by_list(&APPROVE, &list(json!([{ "actions": [READ, APPROVAL] }])), USED);
        assert_eq!(
            minimal.doubt().unwrap().to_string(),
            "could not confirm that this identity has \
             Microsoft.Storage/storageAccounts/privateEndpointConnections/write: it isn't granted, and sources disagree \
             whether it is needed"
        );
        let reader = by_list(&APPROVE, &list(json!([{ "actions": ["*/read"] }])), USED);
        assert_eq!(reader.lacking(), Some(format!("this identity lacks {APPROVAL}")));
        let whole = by_list(&APPROVE, &list(json!([{ "actions": ["Microsoft.Storage/storageAccounts/*"] }])), USED);
        assert_eq!(whole, Holding::Held);
        // The read that led here isn't in the list, so the list isn't all there is.
        let partial = by_list(&APPROVE, &list(json!([])), USED);
        assert!(partial.doubt().unwrap().why.contains("isn't complete"), "{partial:?}");
        // A right that isn't Azure's is neither held nor lacking by what Azure says.
        const LINK: Needs = Needs::All(&[
            Need::Right(Right::PowerPlatformAdministrator),
            Need::Right(Right::Azure(Action::STORAGE_READ)),
        ]);
        let link = by_list(&LINK, &list(json!([{ "actions": ["*"] }])), USED);
        assert_eq!(link.doubt().unwrap().rights, [Right::PowerPlatformAdministrator]);
        let lacking = by_list(&LINK, &list(json!([{ "actions": ["Microsoft.KeyVault/*"] }])), None);
        assert_eq!(lacking.lacking(), Some(format!("this identity lacks {READ}")));
        let entry = json!([{ "actions": ["*"], "condition": "@Resource[…]" }, { "actions": [READ] }]);
        assert!(by_list(&APPROVE, &list(entry), USED).doubt().unwrap().why.contains("under a condition"));
    }

    #[test]
    fn access_policies_prove_what_they_give_to_the_caller_itself() {
        const SET: Needs = Needs::One(Right::Vault(VaultRight::SetSecret));
        let caller = ObjectId::from(uuid::Uuid::from_u128(7));
        let vault = |object: u128, secrets: &[&str], application: Option<u128>| -> Properties {
            let ids = (uuid::Uuid::from_u128(object), application.map(uuid::Uuid::from_u128));
            serde_json::from_value(json!({ "accessPolicies": [{ "objectId": ids.0, "applicationId": ids.1,
                "permissions": { "secrets": secrets } }] }))
            .unwrap()
        };
        for (properties, held) in [
            (vault(7, &["Get", "SET"], None), true),
            (vault(7, &["all"], None), true),
            (vault(7, &["get"], None), false),
            (vault(8, &["set"], None), false),
            (vault(7, &["set"], Some(9)), false),
        ] {
            let found = by_policies(&SET, &properties, Some(caller));
            assert_eq!(found == Holding::Held, held, "{properties:?}");
            assert!(held || found.doubt().is_some(), "never lacking: {found:?}");
            assert!(by_policies(&SET, &properties, None).doubt().is_some());
        }
        // A permission on keys is none on secrets, nor the other way round.
        const ROTATE: Needs = Needs::One(Right::Vault(VaultRight::RotateKey));
        let policy = json!({ "objectId": uuid::Uuid::from_u128(7), "permissions": { "keys": ["Rotate", "set"] } });
        let on_keys: Properties = serde_json::from_value(json!({ "accessPolicies": [policy] })).unwrap();
        assert_eq!(by_policies(&ROTATE, &on_keys, Some(caller)), Holding::Held);
        assert!(by_policies(&SET, &on_keys, Some(caller)).doubt().is_some());
        assert!(by_policies(&ROTATE, &vault(7, &["rotate", "all"], None), Some(caller)).doubt().is_some());
    }

    /// A second reading of the rules: patterns are matched from the end, and the three answers are derived from sets.
    mod model {
        use super::*;

        pub(super) fn fits(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.split_last(), text.split_last()) {
                (None, None) => true,
                (None, Some(_)) => false,
                (Some((b'*', front)), None) => fits(front, text),
                (Some((b'*', front)), Some((_, shorter))) => fits(front, text) || fits(pattern, shorter),
                (Some((_, _)), None) => false,
                (Some((a, front)), Some((b, shorter))) => a.eq_ignore_ascii_case(b) && fits(front, shorter),
            }
        }

        fn listed(entry: &Json, member: &str, action: &str) -> bool {
            let words = entry[member].as_array().into_iter().flatten().filter_map(Json::as_str);
            words.into_iter().any(|word| fits(word.as_bytes(), action.as_bytes()))
        }

        /// Whether a list grants an action: plainly, and at all.
        fn grants(entries: &[Json], action: &str) -> (bool, bool) {
            let granting: Vec<&Json> = entries
                .iter()
                .filter(|entry| listed(entry, "actions", action) && !listed(entry, "notActions", action))
                .collect();
            (granting.iter().any(|entry| entry["condition"].is_null()), !granting.is_empty())
        }

        pub(super) fn answer(entries: &[Json]) -> &'static str {
            const WRITE: &str = "Microsoft.Storage/storageAccounts/privateEndpointConnections/write";
            let ((plain, at_all), (read, _), (write, _)) =
                (grants(entries, APPROVAL), grants(entries, READ), grants(entries, WRITE));
            match (plain, at_all, read) {
                (true, ..) if write => "held",
                (false, false, true) => "lacking",
                _ => "unproved",
            }
        }
    }

    fn entry() -> impl Strategy<Value = Json> {
        let pattern = prop::sample::select(vec![
            "*",
            "*/read",
            "*/action",
            "*/write",
            "microsoft.storage/*",
            "Microsoft.Storage/storageAccounts/*/action",
            "Microsoft.Storage/storageAccounts/privateEndpointConnections/*",
            "Microsoft.Storage/*/PrivateEndpointConnectionsApproval/*",
            "Microsoft.Storage/storageAccounts",
            "Microsoft.KeyVault/*",
            READ,
            APPROVAL,
        ]);
        let patterns = || prop::option::of(prop::collection::vec(pattern.clone(), 0..3));
        let condition = prop::option::weighted(0.2, Just("@Resource[…]"));
        (patterns(), patterns(), condition).prop_map(|(actions, not_actions, condition)| {
            json!({ "actions": actions, "notActions": not_actions, "condition": condition })
        })
    }

    proptest! {
        #[test]
        fn the_three_answers_are_those_of_a_second_reading(entries in prop::collection::vec(entry(), 0..5)) {
            let expected = model::answer(&entries);
            let found = match by_list(&APPROVE, &list(Json::Array(entries)), USED) {
                Holding::Held => "held",
                Holding::Lacking(_) => "lacking",
                Holding::Unproved(_) => "unproved",
            };
            prop_assert_eq!(found, expected);
        }
    }
}
