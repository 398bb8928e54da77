//! The survey: asks everything about the tenant and all environments, side by side, and compares it with what is declared.
//!
//! Invariants: an environment that can't be looked at hides none of the others, and a service that doesn't answer hides
//! nothing that another one tells; while it isn't known which instance is behind an id, nothing is planned for it; accounts
//! come in the configuration's order, whichever answer came first; what a write rests on is a look of its own, the identity
//! of the environment included. Only who the other principals are is remembered for writes that add something: one look-up
//! of all of them per write would make a plan of n users cost n² look-ups.

use std::cell::RefCell;

use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::codes;
use super::declaration::Declaration;
use super::observation::{Observation, Unreadable};
use super::reach::{Arrival, Reached, reach};
use super::setting::{Comparing, Observing};
use super::surface::Surface;
use super::users;
use crate::azure::directory::Remembered;
use crate::azure::{Anew, Fresh, Look, Reader, Recent};
use crate::plan::{Account, Address, Findings, Note, Planned, Sighting, Unknown};
use crate::terms::{EnvironmentHead, Head, ObjectId};

/// Environments looked at side by side. Enough to keep all requests busy that the transport allows at a time; more would
/// only hold more answers in memory.
const SIDE_BY_SIDE: usize = 16;

/// How long it is remembered who is who.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);

/// How to look at environments of a tenant.
pub struct Survey {
    reader: Reader,
    tenant: Uuid,
    caller: Option<ObjectId>,
    surface: Surface,
    /// Whom the looks for writes found.
    names: RefCell<Remembered>,
}

impl Survey {
    /// A survey in `tenant`. `caller` is the object id that the token names.
    pub fn new(reader: Reader, tenant: Uuid, caller: Option<ObjectId>, surface: Surface) -> Self {
        Self { reader, tenant, caller, surface, names: RefCell::default() }
    }

    /// Looks at all scopes, in one observation.
    pub async fn accounts(&self, scopes: &[&Declaration], now: Timestamp) -> Vec<Account> {
        let principals = scopes.iter().flat_map(|scope| scope.blocks.principals());
        let look = Look::begin(&self.reader, principals.map(|principal| users::name(&principal)));
        let accounts = stream::iter(scopes).map(|scope| self.account(&look, scope, now));
        accounts.buffered(SIDE_BY_SIDE).collect().await
    }

    async fn account(&self, look: &Look, scope: &Declaration, now: Timestamp) -> Account {
        let Arrival { instance, refusals } = self.arrive(look, scope).await;
        let findings = self.review(look, scope, &instance, now, None).await;
        let mut account = Account {
            head: scope.head.clone(),
            places: scope.places(),
            declaration: scope.digest.clone(),
            observed: instance.as_ref().ok().map(Reached::observed),
            unknown: Vec::new(),
            notes: refusals,
            findings,
        };
        if let (Err(unreadable), Head::Environment(head)) = (instance, &scope.head) {
            tell_once(&mut account, head, &unreadable);
        }
        account
    }

    /// The tenant has no instance to be reached, and nothing to be taken for another one: its id is in every token.
    async fn arrive(&self, look: &Look, scope: &Declaration) -> Arrival {
        match &scope.head {
            Head::Environment(head) => reach(look, head, self.tenant, &scope.instances_elsewhere).await,
            Head::Tenant(_) => {
                let instance = Err(Unreadable::because("the tenant is no instance of Customer Insights"));
                Arrival { instance, refusals: Vec::new() }
            }
        }
    }

    /// Looks at one setting again, for a write: at the identity of its environment first, and at nothing more where that
    /// refuses it. An error says what could not be read.
    pub async fn setting(&self, scope: &Declaration, setting: &str) -> Result<Fresh<Sighting>, String> {
        let sighting = Fresh::look(&self.reader, async |look| self.sighting(&look, scope, setting).await);
        sighting.await.transpose()
    }

    /// The same for a change that adds what is at an address: who others are may be remembered from a look of the last minutes.
    pub async fn addition(
        &self,
        scope: &Declaration,
        setting: &str,
        address: &Address,
    ) -> Result<Anew<Sighting>, String> {
        let since = self.reader.now().saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        let names = scope.blocks.names_of(address);
        let remembered = names.map(|names| self.names.borrow().since(since, &names)).unwrap_or_default();
        if remembered.is_empty() {
            return self.setting(scope, setting).await.map(Anew::All);
        }
        let read = async |look: Look| self.sighting(&look, scope, setting).await;
        Recent::look(&self.reader, remembered, read).await.transpose().map(Anew::Own)
    }

    async fn sighting(&self, look: &Look, scope: &Declaration, setting: &str) -> Result<Sighting, String> {
        let Arrival { instance, refusals } = self.arrive(look, scope).await;
        let observed = instance.as_ref().ok().map(Reached::observed);
        if !refusals.is_empty() {
            let findings = Findings { notes: refusals, ..Findings::default() };
            return Ok(Sighting { observed, findings });
        }
        if let (Err(unreadable), Head::Environment(_)) = (&instance, &scope.head) {
            return Err(unreadable.reason.clone());
        }
        let mut findings = self.review(look, scope, &instance, look.began(), Some(setting)).await;
        self.names.borrow_mut().take_in(look.directory(), look.began());
        let findings = findings.pop().ok_or_else(|| format!("`{setting}` isn't declared"))?;
        Ok(Sighting { observed, findings })
    }

    /// How to reach an environment's instance for something that is done by hand, and why nothing must be done there.
    pub async fn reach(&self, environment: &Declaration) -> Fresh<Arrival> {
        Fresh::look(&self.reader, async |look| self.arrive(&look, environment).await).await
    }

    /// What is wrong with the identity that runs palisade, whatever the environment: it stops everything. Complete only
    /// after looking, since each service's token is obtained when it is needed.
    pub fn caller_notes(&self) -> Vec<Note> {
        let stranger = self.reader.bearers().stranger(self.tenant);
        let note = stranger.map(|(audience, found)| {
            let message = format!(
                "the token for {audience} was issued by the tenant {found}, the configuration is for {}; nothing is done",
                self.tenant
            );
            Note::refusal(codes::TOKEN_TENANT, Address::caller(), message)
                .help("sign in to the configured tenant, or correct `tenant.id`")
        });
        note.into_iter().collect()
    }

    async fn review(
        &self,
        look: &Look,
        scope: &Declaration,
        reached: &Observation<Reached>,
        now: Timestamp,
        only: Option<&str>,
    ) -> Vec<Findings> {
        let instance = reached.as_ref().map(|reached| &reached.instance);
        let observing = Observing { look, instance, tenant: self.tenant, caller: self.caller, surface: self.surface };
        let comparing = Comparing {
            head: &scope.head,
            instance,
            tenant: self.tenant,
            region: reached.as_ref().ok().and_then(Reached::region),
            created: reached.as_ref().ok().and_then(Reached::created),
            attested: &scope.attested,
            elsewhere: &scope.elsewhere,
            surface: self.surface,
            now,
        };
        scope.blocks.review(&observing, &comparing, only).await
    }
}

/// The instance could not be read: that is told once, for the environment, with the settings that it leaves unknown. What
/// else was seen stays; but nothing is planned for an environment that may be another one than the file means.
fn tell_once(account: &mut Account, head: &EnvironmentHead, unreadable: &Unreadable) {
    let is_cause = |unknown: &Unknown| unknown.reason == unreadable.reason && unknown.operation == unreadable.operation;
    let mut settings: Vec<String> = Vec::new();
    for findings in &mut account.findings {
        let (same, others) = std::mem::take(&mut findings.unknown).into_iter().partition(is_cause);
        let name = |unknown: &Unknown| unknown.address.within_scope().split('/').next().map(str::to_owned);
        let same: Vec<Unknown> = same;
        settings.extend(same.iter().filter_map(name));
        findings.unknown = others;
        findings.unknown.extend(std::mem::take(&mut findings.changes).into_iter().map(held_back));
    }
    settings.dedup();
    if account.notes.is_empty() {
        let mut whole = unreadable.at(Address::scope(&head.scope()));
        if !settings.is_empty() {
            whole.reason = format!("{} (not read for this reason: {})", whole.reason, settings.join(", "));
        }
        account.unknown.push(whole);
    }
}

fn held_back(planned: Planned) -> Unknown {
    let change = planned.change;
    let reason = format!("nothing is planned while the instance can't be read; seen elsewhere: {}", change.reason);
    Unreadable::because(reason).at(change.address)
}
