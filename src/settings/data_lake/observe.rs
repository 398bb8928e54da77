//! What Azure says of the lake, of its key, and of who may use that.

use std::rc::Rc;

use super::block::Declared;
use crate::azure::Look;
use crate::azure::storage::{Account, Encryption, Identity};
use crate::settings::encryption_keys::observe::{granted, see};
use crate::settings::encryption_keys::{Granted, KeyRef, Seen};
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::Observing;
use crate::terms::{ObjectId, ResourceId};

/// Everything that comparing needs.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The account; none if Azure has none.
    pub account: Observation<Option<Rc<Account>>>,
    /// The declared key; none where none of the customer's is declared.
    pub key: Option<Key>,
}

/// What Azure says of the declared key.
#[derive(Debug, Clone)]
pub struct Key {
    /// What Azure says of it.
    pub seen: Seen,
    /// What the holder may do with it.
    pub granted: Granted,
}

/// Asks for all of it.
pub(super) async fn observe(declared: Option<&Declared>, observing: &Observing<'_>) -> Observed {
    let Some(declared) = declared else { return Observed { account: Ok(None), key: None } };
    let look = observing.look;
    let account = look.account(&declared.account).await.map_err(Unreadable::from);
    let key = match (declared.key(), &account) {
        (Some(wanted), Ok(Some(account))) => Some(key(look, wanted, account).await),
        _ => None,
    };
    Observed { account, key }
}

async fn key(look: &Look, wanted: &KeyRef, account: &Account) -> Key {
    let identity = principal(account);
    let (seen, granted) = tokio::join!(see(look, wanted), granted(look, wanted.clone(), identity, true));
    Key { seen, granted }
}

/// Whether the account is encrypted with a key as it is declared. Names of vaults are unique in all of Azure.
pub(super) fn uses(live: &Encryption, wanted: &KeyRef) -> bool {
    let KeyRef { vault, name, version } = wanted;
    let Some(key) = &live.key else { return false };
    let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    };
    live.source() == crate::azure::storage::KeySource::KeyVault
        && key.vault().is_some_and(|live| live.eq_ignore_ascii_case(vault.name()))
        && same(key.name(), Some(name))
        && same(key.pinned(), version.as_deref())
}

/// Whose identity uses the account's key, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// The account's own, which it may not have yet.
    Account,
    /// A user-assigned one that the encryption names.
    Given(ResourceId),
    /// One that can't be granted anything here, and why.
    Unfit(String),
}

/// Whose identity uses the account's key. One that is in use is kept.
pub(super) fn holder(account: &Account) -> Holder {
    let Some(encryption) = &account.encryption else { return Holder::Account };
    let acting = encryption.identity.as_ref();
    if let Some(application) = acting.and_then(|acting| acting.federated_identity_client_id.as_deref()) {
        let application = crate::terms::text::brief(application);
        return Holder::Unfit(format!(
            "{} reaches its key through the application {application} of another tenant",
            account.id.name()
        ));
    }
    let Some(named) = encryption.acting() else { return Holder::Account };
    // As the list of identities spells it.
    let given = account.identity.user_assigned_identities.keys().find(|known| known.eq_ignore_ascii_case(named));
    match given.map(|known| known.parse::<ResourceId>()) {
        Some(Ok(id)) => Holder::Given(id),
        _ => {
            let name = crate::terms::text::brief(named.rsplit('/').next().unwrap_or(named));
            Holder::Unfit(format!("{} uses its key as the identity {name}, which it doesn't have", account.id.name()))
        }
    }
}

/// The holder's object id, if it has one that the service names.
pub(super) fn principal(account: &Account) -> Option<ObjectId> {
    let identity: &Identity = &account.identity;
    match holder(account) {
        Holder::Account => identity.principal_id.filter(|_| identity.has_own()),
        Holder::Given(id) => identity.given(id.as_str()).and_then(|given| given.principal_id),
        Holder::Unfit(_) => None,
    }
}
