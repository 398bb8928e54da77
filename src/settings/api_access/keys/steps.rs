//! The steps of a move, each of which looks again before it acts.
//!
//! The decisions are [`Run::check`]'s; here its requests are sent.
//!
//! Invariants:
//!
//! - a step sends what the check on its own fresh look names, and nothing else;
//! - a step that sees that consumers hold a dead key publishes a live one before anything else;
//! - the closing comparison runs even after a step that didn't get done;
//! - what shows late is waited for as long as the caller has patience, a new key that doesn't work yet included;
//! - what could not be read ends as "could not be read", never as a refusal.

#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::look::{Live, Look, Observed};
use crate::azure::customer_insights::{self as ci, KeyCheck};
use crate::azure::key_vault::{self as kv, Changes, Labels};
use crate::azure::operations::{
    ACTIVATE_API_SUBSCRIPTION, Facts as Operation, GET_SECRET, RECOVER_SECRET, REGENERATE_PRIMARY_KEY,
    REGENERATE_SECONDARY_KEY, SET_SECRET, TRY_API_KEY, UPDATE_SECRET,
};
use crate::azure::{CallError, Pause, Reader, Seen, Waited, Writer, wait_until};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::rotation::{
    Access, Check, Facts, Fingerprint, Move, Request, Resolved, Rotation, Run, Secret, State, StepKind, Verify, assess,
    resolve, steps,
};
use crate::terms::{ResourceId, Slot};

/// What a version holds, disabled, before there is a key. Nobody can read it.
const NO_KEY: &str = "palisade: no key was published yet";

/// How far apart a move that is carried out in one go looks for an effect.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// The steps that carry out a move. `retires` says whether a retirement was planned.
pub(super) fn of(observed: &Observed, planned: Move, retires: bool) -> Vec<Rc<dyn Step>> {
    let carrier = Carrier::new(&observed.look);
    if planned == Move::Resolve {
        return vec![Rc::new(Resolve { carrier, retires })];
    }
    let mut kinds = steps(&planned).iter().copied().peekable();
    let mut made: Vec<Rc<dyn Step>> = Vec::new();
    while let Some(kind) = kinds.next() {
        // A kind that only looks at the effect of the one before it is that one's read-back.
        let seen_by = kinds.next_if(|next| matches!(next, StepKind::ReadBackChanged | StepKind::ReadVaultBack));
        made.push(Rc::new(KeyStep { carrier: carrier.clone(), planned, kind, seen_by }));
    }
    made
}

/// Sends what checks name.
#[derive(Clone)]
struct Carrier {
    look: Look,
    /// What is declared; values are always looked at when something is done.
    rotation: Rotation,
}

/// One step of a move.
struct KeyStep {
    carrier: Carrier,
    planned: Move,
    kind: StepKind,
    seen_by: Option<StepKind>,
}

/// `verify: metadata`: reads the values now, finds out what they ask for, and does it.
struct Resolve {
    carrier: Carrier,
    /// Whether plans showed it as a retirement.
    retires: bool,
}

impl Carrier {
    fn new(look: &Look) -> Self {
        let rotation = Rotation { verify: Verify::Values, ..look.keys.rotation.clone() };
        Self { look: look.clone(), rotation }
    }

    /// Which keys and which secret are meant. What is due stands in the change; the slot, and what was compared, is found
    /// out afresh by each step.
    fn binds(&self) -> Binds {
        let Self { look, rotation: _ } = self;
        let place = &look.keys.publish_to;
        Binds::none().and("instance", look.instance.id).and("vault", &place.vault).and("secret", &place.secret)
    }

    /// The vault that they are published to.
    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.look.keys.publish_to.vault.resource())]
    }

    async fn live(&self, reader: &Reader) -> Live {
        self.look.live(reader, Verify::Values).await
    }

    fn check(&self, planned: Move, kind: StepKind, facts: &Facts, reader: &Reader, approval: &str) -> Check {
        Run::new(&self.rotation, planned, approval).check(kind, facts, reader.now())
    }

    /// Sends the one request that a check names. What it stores is what was just read.
    async fn send(&self, writer: &Writer, request: Request, live: &Live) -> Result<(), StepError> {
        let (instance, place) = (&self.look.instance, self.look.address());
        match request {
            Request::Nothing | Request::Probe { .. } => {}
            Request::EnableAccess => ci::activate_api_access(writer, instance).await?,
            Request::Reserve { tags } => {
                let labels = Labels { tags: tags.render(), disabled: true, ..Labels::default() };
                kv::set_secret(writer, &place, &SecretString::from(NO_KEY.to_owned()), &labels).await?;
            }
            Request::Regenerate { slot } => ci::regenerate_key(writer, instance, slot).await?,
            Request::Tag { version, tags } => {
                let changes = Changes { tags: Some(tags.render()), ..Changes::default() };
                kv::update_properties(writer, &place, &version, &changes).await?;
            }
            Request::Publish { slot, value, tags } => {
                let key = self.key(live, slot, value).map_err(StepError::Unread)?;
                let labels = Labels { tags: tags.render(), ..Labels::default() };
                kv::set_secret(writer, &place, key, &labels).await?;
            }
            Request::Recover => kv::recover(writer, &place).await?,
        }
        Ok(())
    }

    /// Whether the service accepts the key of a probe; other requests have no such question.
    async fn tried(&self, reader: &Reader, request: &Request, live: &Live) -> ReadBack {
        let Request::Probe { slot, value } = *request else { return ReadBack::Shown };
        let key = match self.key(live, slot, value) {
            Ok(key) => key,
            Err(reason) => return ReadBack::Unread(reason),
        };
        match ci::check_key(reader, key).await {
            KeyCheck::Accepted => ReadBack::Shown,
            KeyCheck::Refused => ReadBack::NotYet("the service doesn't accept the new key yet".to_owned()),
            KeyCheck::Unknown(error) => {
                ReadBack::Unread(format!("whether the service accepts the new key isn't known: {error}"))
            }
        }
    }

    fn key<'a>(&self, live: &'a Live, slot: Slot, value: Fingerprint) -> Result<&'a SecretString, String> {
        let key = live.keys.as_ref().map(|keys| keys.get(slot));
        key.filter(|key| self.look.fingerprint(key) == value).ok_or_else(|| "the keys could not be read".to_owned())
    }

    /// Carries out a whole move in one go: to heal, or because what is to be done shows only now.
    async fn carry(&self, writer: &Writer, planned: Move) -> Result<(), StepError> {
        let mut wrote = false;
        self.carry_on(writer, planned, &mut wrote).await.map_err(|error| match error {
            StepError::Stopped(reason) | StepError::Unread(reason) if wrote => StepError::Ended(reason),
            StepError::Late { reason, wrote: _ } => StepError::Late { reason, wrote },
            other => other,
        })
    }

    async fn carry_on(&self, writer: &Writer, planned: Move, wrote: &mut bool) -> Result<(), StepError> {
        for kind in steps(&planned) {
            self.carry_step(writer, planned, *kind, wrote).await?;
        }
        Ok(())
    }

    async fn carry_step(
        &self,
        writer: &Writer,
        planned: Move,
        kind: StepKind,
        wrote: &mut bool,
    ) -> Result<(), StepError> {
        let reader = writer.reader();
        let look = async || {
            let live = self.live(reader).await;
            let not_yet = match self.check(planned, kind, &live.facts, reader, writer.approval()) {
                Check::Continue(request) => match self.tried(reader, &request, &live).await {
                    ReadBack::Shown => {
                        let writes = !matches!(request, Request::Nothing | Request::Probe { .. });
                        self.send(writer, request, &live).await?;
                        *wrote |= writes;
                        return Ok(Seen::Shown(()));
                    }
                    ReadBack::NotYet(why) => StepError::Late { reason: why, wrote: false },
                    ReadBack::Unread(why) => StepError::Unread(why),
                    _ => return Err(stopped("the new key can't be tried")),
                },
                Check::Wait(why) => StepError::Late { reason: why, wrote: false },
                // Before the first write nothing is lost by ending; after it, what can't be read may be read in a moment.
                Check::Unread(why) if *wrote => StepError::Unread(why),
                Check::Unread(why) => return Err(StepError::Unread(why)),
                Check::Abort(reason) => return Err(StepError::Stopped(reason)),
                // Only a repair heals, and what a repair needs is never healed by another one: this ends.
                Check::Heal(heal) if heal == planned => return Err(stopped("another run is changing the keys")),
                Check::Heal(heal) => return Err(Box::pin(self.heal(writer, heal)).await),
            };
            Ok(Seen::NotYet(not_yet, Pause::Chosen(BETWEEN_LOOKS)))
        };
        match wait_until(reader, writer.patience(), look).await? {
            Waited::Shown(()) => Ok(()),
            Waited::Late(not_yet) | Waited::Stopped(not_yet) => Err(not_yet),
        }
    }

    /// Puts a live key where a dead one is, and ends the change: what was planned rested on something else.
    async fn heal(&self, writer: &Writer, heal: Move) -> StepError {
        match self.carry(writer, heal).await {
            Ok(()) => StepError::Ended(
                "consumers held a key that doesn't work any more; a live one was published, and the change ended there"
                    .to_owned(),
            ),
            Err(error) => error,
        }
    }
}

fn stopped(reason: &str) -> StepError {
    StepError::Stopped(reason.to_owned())
}

#[async_trait(?Send)]
impl Step for KeyStep {
    fn title(&self) -> String {
        match self.planned.slot() {
            Some(slot) => format!("{} ({slot})", self.kind.name()),
            None => self.kind.name().to_owned(),
        }
    }

    fn operation(&self) -> &'static Operation {
        match (self.kind, self.planned.slot()) {
            (StepKind::EnableAccess, _) => ACTIVATE_API_SUBSCRIPTION.facts(),
            (StepKind::TagIntent | StepKind::TagRetired | StepKind::NoteLook, _) => UPDATE_SECRET.facts(),
            (StepKind::Regenerate, Some(Slot::Secondary)) => REGENERATE_SECONDARY_KEY.facts(),
            (StepKind::Regenerate, _) => REGENERATE_PRIMARY_KEY.facts(),
            (StepKind::Publish | StepKind::NoteSwitch, _) => SET_SECRET.facts(),
            (StepKind::Recover, _) => RECOVER_SECRET.facts(),
            (StepKind::Probe, _) => TRY_API_KEY.facts(),
            (StepKind::ReadBackChanged | StepKind::ReadVaultBack | StepKind::CompareAgain, _) => GET_SECRET.facts(),
        }
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.carrier.look.keys.publish_to.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { carrier, planned: _, kind: _, seen_by: _ } = self;
        carrier.binds()
    }

    fn holds(&self) -> Vec<Hold> {
        self.carrier.holds()
    }

    fn closes(&self) -> bool {
        self.kind == StepKind::CompareAgain
    }

    fn only_looks(&self) -> bool {
        matches!(self.kind, StepKind::Probe | StepKind::CompareAgain)
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let live = self.carrier.live(writer.reader()).await;
        match self.carrier.check(self.planned, self.kind, &live.facts, writer.reader(), writer.approval()) {
            Check::Continue(request) => self.carrier.send(writer, request, &live).await,
            // Nothing to send; reading back is what waits.
            Check::Wait(_) => Ok(()),
            Check::Abort(reason) => Err(StepError::Stopped(reason)),
            Check::Unread(reason) => Err(StepError::Unread(reason)),
            Check::Heal(heal) => Err(self.carrier.heal(writer, heal).await),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let live = self.carrier.live(reader).await;
        let facts = &live.facts;
        if let Some(by) = self.seen_by {
            return Ok(self.seen(by, facts, reader));
        }
        Ok(match self.kind {
            StepKind::Probe => match self.carrier.check(self.planned, self.kind, facts, reader, "") {
                Check::Continue(request) => self.carrier.tried(reader, &request, &live).await,
                other => seen(other),
            },
            StepKind::EnableAccess => match &facts.access {
                Access::On => ReadBack::Shown,
                Access::Off => ReadBack::NotYet("the service still says that API access is off".to_owned()),
                Access::Unknown(reason) => ReadBack::Unread(reason.clone()),
            },
            // A note that went to a version which is no longer the current one never shows: then the check says so.
            kind if kind.notes() && !noted(kind, &facts.secret) => match self.seen(kind, facts, reader) {
                ReadBack::Shown => ReadBack::NotYet("the vault doesn't show the note yet".to_owned()),
                other => other,
            },
            kind if kind.notes() => ReadBack::Shown,
            _ => self.seen(StepKind::CompareAgain, facts, reader),
        })
    }
}

/// Whether the current version bears the note of a step.
fn noted(kind: StepKind, secret: &Secret) -> bool {
    let Secret::Present(published) = secret else { return false };
    let tags = &published.current.tags;
    match kind {
        StepKind::NoteSwitch => tags.begun.is_some(),
        StepKind::TagRetired => tags.retired.is_some() && tags.intent.is_none(),
        StepKind::NoteLook => tags.looked.is_some(),
        _ => tags.intent.is_some(),
    }
}

/// What a check means for what was sent before it.
fn seen(check: Check) -> ReadBack {
    match check {
        Check::Continue(_) => ReadBack::Shown,
        Check::Wait(why) => ReadBack::NotYet(why),
        Check::Unread(reason) => ReadBack::Unread(reason),
        Check::Abort(reason) => ReadBack::Gone(reason),
        Check::Heal(_) => ReadBack::Gone("consumers hold a key that doesn't work any more".to_owned()),
    }
}

impl KeyStep {
    fn seen(&self, by: StepKind, facts: &Facts, reader: &Reader) -> ReadBack {
        seen(self.carrier.check(self.planned, by, facts, reader, ""))
    }
}

#[async_trait(?Send)]
impl Step for Resolve {
    fn title(&self) -> String {
        "read the keys, and do what they ask for".to_owned()
    }

    fn operation(&self) -> &'static Operation {
        self.carrier.look.read
    }

    /// Which slot it is shows only then.
    fn operations(&self) -> Vec<&'static Operation> {
        let regenerate = [REGENERATE_PRIMARY_KEY.facts(), REGENERATE_SECONDARY_KEY.facts()];
        [UPDATE_SECRET.facts()].into_iter().chain(regenerate).chain([SET_SECRET.facts()]).collect()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.carrier.look.keys.publish_to.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { carrier, retires: _ } = self;
        carrier.binds()
    }

    fn holds(&self) -> Vec<Hold> {
        self.carrier.holds()
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let live = self.carrier.live(writer.reader()).await;
        match resolve(&self.carrier.rotation, &live.facts, self.retires, writer.reader().now()) {
            Resolved::Do(planned) => self.carrier.carry(writer, planned).await,
            Resolved::Person(reason) => Err(StepError::Stopped(reason)),
            Resolved::Unread(reason) => Err(StepError::Unread(reason)),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Live { facts, .. } = self.carrier.live(reader).await;
        let assessment = assess(&self.carrier.rotation, &facts, reader.now());
        Ok(match assessment.active {
            Some(_) if !assessment.critical => ReadBack::Shown,
            _ if assessment.state == State::Unknown => ReadBack::Unread(assessment.reason),
            _ => ReadBack::NotYet(assessment.reason),
        })
    }
}
