//! The steps of a move, each of which looks again before it acts.
//!
//! The decisions are [`Run::check`]'s; here its requests are sent. What must stay true: a step sends what the check on
//! its own fresh look names, and nothing else; whoever sees that consumers hold a dead key publishes a live one before
//! anything else; the closing comparison runs even after a step that didn't get done.

use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;

use super::look::{Live, Look, Observed};
use crate::azure::customer_insights::{self as ci, KeyCheck};
use crate::azure::key_vault::{self as kv, Changes, Labels};
use crate::azure::operations::{
    ACTIVATE_API_SUBSCRIPTION, Facts as Operation, GET_SECRET, RECOVER_SECRET, REGENERATE_PRIMARY_KEY,
    REGENERATE_SECONDARY_KEY, SET_SECRET, TRY_API_KEY, UPDATE_SECRET,
};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, ReadBack, Step, StepError};
use crate::rotation::{
    Access, Check, Facts, Move, Request, Rotation, Run, Secret, Slot, StepKind, Verify, assess, steps,
};

/// How often, and how far apart, a move that is carried out in one go looks for an effect.
const LOOKS: u32 = 30;
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
            Request::Nothing => {}
            Request::EnableAccess => ci::activate_api_access(writer, instance).await?,
            Request::Regenerate { slot } => {
                live.agree_on_time(writer.reader().now()).map_err(StepError::Stopped)?;
                ci::regenerate_key(writer, instance, slot).await?;
            }
            Request::Tag { version, tags } => {
                let changes = Changes { tags: Some(tags.render()), ..Changes::default() };
                kv::update_properties(writer, &place, &version, &changes).await?;
            }
            Request::Publish { slot, value, tags } => {
                let key = self.key(live, slot, value)?;
                let labels = Labels { tags: tags.render(), ..Labels::default() };
                kv::set_secret(writer, &place, key, &labels).await?;
            }
            Request::Recover => kv::recover(writer, &place).await?,
            Request::Probe { slot, value } => {
                let key = self.key(live, slot, value)?;
                match ci::check_key(writer.reader(), key).await {
                    KeyCheck::Accepted => {}
                    KeyCheck::Refused => return Err(stopped("the service refuses the new key")),
                    KeyCheck::Unknown(error) => {
                        return Err(stopped(&format!("whether the service accepts the new key isn't known: {error}")));
                    }
                }
            }
        }
        Ok(())
    }

    fn key<'a>(
        &self,
        live: &'a Live,
        slot: Slot,
        value: crate::rotation::Fingerprint,
    ) -> Result<&'a secrecy::SecretString, StepError> {
        let key = live.keys.as_ref().map(|keys| keys.get(slot));
        key.filter(|key| self.look.fingerprint(key) == value).ok_or_else(|| stopped("the keys could not be read"))
    }

    /// Carries out a whole move in one go: to heal, or because what is to be done shows only now.
    async fn carry(&self, writer: &Writer, planned: Move) -> Result<(), StepError> {
        let mut wrote = false;
        self.carry_on(writer, planned, &mut wrote).await.map_err(|error| match error {
            StepError::Stopped(reason) if wrote => StepError::Ended(reason),
            other => other,
        })
    }

    async fn carry_on(&self, writer: &Writer, planned: Move, wrote: &mut bool) -> Result<(), StepError> {
        for kind in steps(&planned) {
            let mut looks = 0;
            loop {
                let live = self.live(writer.reader()).await;
                match self.check(planned, *kind, &live.facts, writer.reader(), writer.approval()) {
                    Check::Continue(request) => {
                        let writes = !matches!(request, Request::Nothing | Request::Probe { .. });
                        self.send(writer, request, &live).await?;
                        *wrote |= writes;
                        break;
                    }
                    Check::Wait(why) if looks == LOOKS => return Err(stopped(&why)),
                    Check::Wait(_) => writer.reader().pause(BETWEEN_LOOKS).await,
                    Check::Abort(reason) => return Err(StepError::Stopped(reason)),
                    // Only a repair heals, and what a repair needs is never healed by another one: this ends.
                    Check::Heal(heal) if heal == planned => return Err(stopped("somebody else is changing the keys")),
                    Check::Heal(heal) => return Err(Box::pin(self.heal(writer, heal)).await),
                }
                looks += 1;
            }
        }
        Ok(())
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
            (StepKind::TagIntent | StepKind::TagRetired, _) => UPDATE_SECRET.facts(),
            (StepKind::Regenerate, Some(Slot::Secondary)) => REGENERATE_SECONDARY_KEY.facts(),
            (StepKind::Regenerate, _) => REGENERATE_PRIMARY_KEY.facts(),
            (StepKind::Publish, _) => SET_SECRET.facts(),
            (StepKind::Recover, _) => RECOVER_SECRET.facts(),
            (StepKind::Probe, _) => TRY_API_KEY.facts(),
            (StepKind::ReadBackChanged | StepKind::ReadVaultBack | StepKind::CompareAgain, _) => GET_SECRET.facts(),
        }
    }

    fn binds(&self) -> Binds {
        let Self { carrier, planned: _, kind: _, seen_by: _ } = self;
        carrier.binds()
    }

    fn closes(&self) -> bool {
        self.kind == StepKind::CompareAgain
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let live = self.carrier.live(writer.reader()).await;
        match self.carrier.check(self.planned, self.kind, &live.facts, writer.reader(), writer.approval()) {
            Check::Continue(request) => self.carrier.send(writer, request, &live).await,
            // Nothing to send; reading back is what waits.
            Check::Wait(_) => Ok(()),
            Check::Abort(reason) => Err(StepError::Stopped(reason)),
            Check::Heal(heal) => Err(self.carrier.heal(writer, heal).await),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Live { facts, .. } = self.carrier.live(reader).await;
        let noted = |retired: bool| match &facts.secret {
            Secret::Present(published) if retired => published.current.tags.retired.is_some(),
            Secret::Present(published) => published.current.tags.intent.is_some(),
            _ => false,
        };
        let shown = match (self.kind, self.seen_by) {
            (_, Some(by)) => return Ok(self.seen(by, &facts, reader)),
            (StepKind::Probe, None) => true,
            (StepKind::EnableAccess, None) => facts.access == Access::On,
            // A note that went to a version which is no longer the current one never shows: then the check says so.
            (kind @ (StepKind::TagIntent | StepKind::TagRetired), None) if !noted(kind == StepKind::TagRetired) => {
                return Ok(match self.seen(kind, &facts, reader) {
                    ReadBack::Shown => ReadBack::NotYet("the vault doesn't show the note yet".to_owned()),
                    other => other,
                });
            }
            (StepKind::TagIntent | StepKind::TagRetired, None) => true,
            (_, None) => return Ok(self.seen(StepKind::CompareAgain, &facts, reader)),
        };
        Ok(if shown { ReadBack::Shown } else { ReadBack::NotYet("the service doesn't show it yet".to_owned()) })
    }
}

impl KeyStep {
    fn seen(&self, by: StepKind, facts: &Facts, reader: &Reader) -> ReadBack {
        match self.carrier.check(self.planned, by, facts, reader, "") {
            Check::Continue(_) => ReadBack::Shown,
            Check::Wait(why) => ReadBack::NotYet(why),
            Check::Abort(reason) => ReadBack::Gone(reason),
            Check::Heal(_) => ReadBack::Gone("consumers hold a key that doesn't work any more".to_owned()),
        }
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

    fn binds(&self) -> Binds {
        let Self { carrier, retires: _ } = self;
        carrier.binds()
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let live = self.carrier.live(writer.reader()).await;
        let assessment = assess(&self.carrier.rotation, &live.facts, writer.reader().now());
        match assessment.next {
            None | Some(Move::Resolve) => Err(StepError::Stopped(assessment.reason)),
            Some(Move::AskPerson(_)) => Err(StepError::Stopped(assessment.reason)),
            Some(Move::Retire { slot }) if !self.retires => Err(stopped(&format!(
                "the keys ask for {slot} to be retired, which takes a key away; the plan showed a replacement"
            ))),
            Some(next) => self.carrier.carry(writer, next).await,
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let Live { facts, .. } = self.carrier.live(reader).await;
        let assessment = assess(&self.carrier.rotation, &facts, reader.now());
        Ok(match assessment.active {
            Some(_) if !assessment.critical => ReadBack::Shown,
            _ => ReadBack::NotYet(assessment.reason),
        })
    }
}
