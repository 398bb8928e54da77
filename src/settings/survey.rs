//! The survey: asks everything about the tenant and all environments, side by side, and compares it with what is declared.
//!
//! Invariants: an environment that can't be looked at hides none of the others, and a service that doesn't answer hides
//! nothing that another one tells; while it isn't known which instance is behind an id, nothing is planned for it; accounts
//! come in the configuration's order, whichever answer came first; what a write rests on is a look of its own, the identity
//! of the environment included. Only who the other principals are is remembered for writes that add something: one look-up
//! of all of them per write would make a plan of n users cost n² look-ups.

use std::cell::RefCell;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::blocks::Reviewed;
use super::codes;
use super::declaration::Declaration;
use super::held_back;
use super::hosting::Hosting;
use super::lifelines;
use super::observation::{Observation, Unreadable};
use super::reach::{self, Arrival, Destination, Reached};
use super::registry::{Registered, SETTINGS};
use super::setting::{Comparing, Need, Observing};
use super::surface::Surface;
use super::users;
use crate::azure::directory::Remembered;
use crate::azure::{Anew, Fresh, Look, Reader, Recent};
use crate::plan::{Account, Address, Findings, Note, Sighting};
use crate::terms::{EnvironmentHead, Head, ObjectId, ScopeKind};

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
        let mut accounts: Vec<Account> = accounts.buffered(SIDE_BY_SIDE).collect().await;
        lifelines::name(&mut accounts, scopes);
        accounts
    }

    async fn account(&self, look: &Look, scope: &Declaration, now: Timestamp) -> Account {
        let (arrival, mut reviewed, watched) = match &scope.head {
            Head::Environment(head) => self.both(look, scope, head, now).await,
            Head::Tenant(_) => {
                let arrival = tenant();
                let seen = (&arrival.instance, &arrival.hosting);
                let reviewed = self.review(look, scope, seen, now, |_, _| true).await;
                (arrival, reviewed, Vec::new())
            }
        };
        reviewed.sort_by_key(|reviewed| reviewed.place);
        let mut account = Account {
            head: scope.head.clone(),
            places: scope.places(),
            declaration: scope.digest.clone(),
            observed: arrival.observed(),
            unknown: Vec::new(),
            notes: arrival.refusals,
            findings: Vec::new(),
        };
        held_back::told(&mut account, reviewed, &arrival.instance, &arrival.hosting);
        held_back::freeze(&mut account.findings);
        // Whatever is refused: what dies is told.
        account.findings.extend(watched);
        account
    }

    /// An environment in both of its places. The settings of each are looked at as soon as it answers, so that a slow service keeps
    /// nothing of the other back; whether the two belong together is judged at the end.
    async fn both(
        &self,
        look: &Look,
        scope: &Declaration,
        head: &EnvironmentHead,
        now: Timestamp,
    ) -> (Arrival, Vec<Reviewed>, Vec<Findings>) {
        let destination = self.destination(scope, head, None);
        let unasked = || Unreadable::because("it has no part in this setting");
        let in_platform = |needs: &[Need]| needs.contains(&Need::Environment);
        let instance = async {
            let found = reach::instance(look, &destination).await;
            let seen = (&found.instance(), &Err(unasked()));
            let reviewed = self.review(look, scope, seen, now, |_, needs| !in_platform(needs)).await;
            (found, reviewed)
        };
        let environment = async {
            let environment = reach::environment(look, &destination).await;
            let hosting = environment.clone().map(|live| Hosting { live, unbound: None });
            let seen = (&Err(unasked()), &hosting);
            let reviewed = self.review(look, scope, seen, now, |_, needs| in_platform(needs)).await;
            (environment, reviewed, self.watch(look, scope, seen, now).await)
        };
        let ((found, mut reviewed), (environment, others, watched)) = tokio::join!(instance, environment);
        reviewed.extend(others);
        (reach::arrive(&destination, found, environment), reviewed, watched)
    }

    /// The settings that look at this environment although it doesn't declare them.
    fn watchers(scope: &Declaration) -> impl Iterator<Item = &'static dyn Registered> {
        let has_id = scope.head.environment().is_some_and(|head| head.environment_id.is_some());
        let settings = SETTINGS.in_scope(ScopeKind::Environment).filter(|setting| setting.watches());
        settings.filter(move |setting| has_id && !scope.blocks.keys().any(|declared| declared == setting.key()))
    }

    async fn watch(
        &self,
        look: &Look,
        scope: &Declaration,
        seen: (&Observation<Reached>, &Observation<Hosting>),
        now: Timestamp,
    ) -> Vec<Findings> {
        let ask = async |observing: &Observing<'_>, comparing: &Comparing<'_>| {
            join_all(Self::watchers(scope).map(|setting| setting.watch(observing, comparing))).await
        };
        self.view(look, scope, seen, now, ask).await
    }

    /// Power Platform is asked where a setting can't do without it or watches it, or where there is nothing else to know the
    /// environment by.
    fn destination<'a>(
        &self,
        scope: &'a Declaration,
        head: &'a EnvironmentHead,
        setting: Option<&str>,
    ) -> Destination<'a> {
        let watched = setting.is_none() && Self::watchers(scope).next().is_some();
        let hosting = head.instance_id.is_none() || scope.blocks.need(Need::Environment, setting) || watched;
        let (elsewhere, hosting) = (&*scope.instances_elsewhere, hosting.then_some(self.surface));
        Destination { head, tenant: self.tenant, elsewhere, hosting }
    }

    async fn arrive(&self, look: &Look, scope: &Declaration, setting: Option<&str>) -> Arrival {
        match &scope.head {
            Head::Environment(head) => reach::reach(look, &self.destination(scope, head, setting)).await,
            Head::Tenant(_) => tenant(),
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
        let arrival = self.arrive(look, scope, Some(setting)).await;
        let observed = arrival.observed();
        if !arrival.refusals.is_empty() {
            let findings = Findings { notes: arrival.refusals, ..Findings::default() };
            return Ok(Sighting { observed, findings });
        }
        if scope.blocks.need(Need::Instance, Some(setting))
            && let Err(unreadable) = &arrival.instance
        {
            return Err(unreadable.reason.clone());
        }
        if scope.blocks.need(Need::Environment, Some(setting)) {
            held_back::obstacle(&arrival.hosting).map_or(Ok(()), Err)?;
        }
        let seen = (&arrival.instance, &arrival.hosting);
        let mut reviewed = self.review(look, scope, seen, look.began(), |key, _| key == setting).await;
        self.names.borrow_mut().take_in(look.directory(), look.began());
        let mut reviewed = reviewed.pop().ok_or_else(|| format!("`{setting}` isn't declared"))?;
        held_back::freeze(std::slice::from_mut(&mut reviewed.findings));
        Ok(Sighting { observed, findings: reviewed.findings })
    }

    /// How to reach an environment's instance for something that is done by hand, and why nothing must be done there.
    pub async fn reach(&self, environment: &Declaration) -> Fresh<Arrival> {
        Fresh::look(&self.reader, async |look| self.arrive(&look, environment, None).await).await
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
        seen: (&Observation<Reached>, &Observation<Hosting>),
        now: Timestamp,
        wanted: impl Fn(&str, &[Need]) -> bool,
    ) -> Vec<Reviewed> {
        let ask = async |observing: &Observing<'_>, comparing: &Comparing<'_>| {
            scope.blocks.review(observing, comparing, wanted).await
        };
        self.view(look, scope, seen, now, ask).await
    }

    /// Asks settings about a scope, with all that they may use.
    async fn view<T>(
        &self,
        look: &Look,
        scope: &Declaration,
        (reached, hosting): (&Observation<Reached>, &Observation<Hosting>),
        now: Timestamp,
        ask: impl AsyncFnOnce(&Observing<'_>, &Comparing<'_>) -> T,
    ) -> T {
        let reached = reached.as_ref();
        let instance = reached.map(|reached| &reached.instance);
        let hosting: Result<&Hosting, &Unreadable> = hosting.as_ref();
        let (tenant, caller, surface) = (self.tenant, self.caller, self.surface);
        let declared = &*scope.environments_elsewhere;
        let observing = Observing { look, instance, hosting, tenant, caller, declared, surface };
        let comparing = Comparing {
            head: &scope.head,
            instance,
            hosting,
            tenant,
            region: reached.ok().and_then(Reached::region),
            created: reached.ok().and_then(Reached::created),
            attested: &scope.attested,
            elsewhere: &scope.elsewhere,
            beside: &scope.blocks,
            surface,
            now,
        };
        ask(&observing, &comparing).await
    }
}

/// The tenant has no instance to be reached, and nothing to be taken for another one: its id is in every token.
fn tenant() -> Arrival {
    Arrival {
        instance: Err(Unreadable::because("the tenant is no instance of Customer Insights")),
        hosting: Err(Unreadable::because("the tenant is no environment of Power Platform")),
        refusals: Vec::new(),
    }
}
