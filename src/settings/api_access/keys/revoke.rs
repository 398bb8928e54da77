//! Revoking both keys: for one that leaked.
//!
//! Consumers are cut off from the moment in which the key that they hold dies until they read the secret again. What must
//! stay true: nothing is regenerated that couldn't be published; the second key dies only after the first one's successor
//! was proved to work and is what the vault answers; whoever stops in between hears what then holds.

use std::time::Duration;

use secrecy::SecretString;

use super::emergency::{BETWEEN_LOOKS, Ended, PATIENCE, Witness, open, recorded};
use super::look::{Live, Look};
use crate::azure::customer_insights::{self as ci, KeyCheck};
use crate::azure::operations::{REGENERATE_PRIMARY_KEY, REGENERATE_SECONDARY_KEY};
use crate::azure::{Pause, Reader, Seen, Waited, Writer, wait_until};
use crate::rotation::{Access, Facts, Fingerprint, Secret, Slots, Tags, Verify};
use crate::terms::Slot;

const SOMEBODY_ELSE: &str = "somebody else is changing the keys or the secret";

impl Look {
    /// Makes both keys die, and publishes a new one in between.
    pub async fn revoke(&self, writer: &Writer, witness: &dyn Witness) -> Result<(), Ended> {
        let reader = writer.reader();
        let live = self.live(reader, Verify::Values).await;
        let old = both(&live.facts).map_err(Ended::Refused)?;
        self.admits(reader, &live, witness).await?;
        let active = live.facts.active();
        let first = active.map_or(Slot::Secondary, Slot::other);
        let second = first.other();
        let standing = if active.is_some() { "is standby" } else { "isn't what the vault holds" };
        witness.tell(&format!("regenerating {first}, which {standing}"));
        let regenerated = self.regenerate(writer, first, old.value(first), witness).await;
        let key = regenerated.map_err(|ended| match ended {
            Ended::PartWay(_) => ended.after(&format!("{second} was not: run `palisade keys revoke` again")),
            nothing_written => nothing_written,
        })?;
        self.hand_over(writer, first, &key, &live, witness).await.map_err(|ended| {
            ended.after(&format!(
                "{first} is new, {second} still works and may be the key that leaked: run `palisade keys revoke` again"
            ))
        })?;
        witness.tell(&format!("regenerating {second}: from now on only the published key works"));
        self.end(writer, second, &key, witness).await.map_err(|ended| {
            ended.after(&format!(
                "the new {first} was published, {second} may still work and may be the key that leaked: run \
                 `palisade keys revoke` again"
            ))
        })?;
        match self.holds(reader, first, self.fingerprint(&key)).await {
            Ok(_) => Ok(()),
            Err(reason) => Err(Ended::PartWay(format!(
                "{reason}; both keys are new, but what consumers hold may not be one of them: plan, and apply"
            ))),
        }
    }

    /// Publishes the new key once the service accepts it.
    async fn hand_over(
        &self,
        writer: &Writer,
        slot: Slot,
        key: &SecretString,
        before: &Live,
        witness: &dyn Witness,
    ) -> Result<(), Ended> {
        let reader = writer.reader();
        witness.tell(&format!("trying the new {slot}"));
        accepted(reader, key).await.map_err(|reason| Ended::Failed(format!("{reason}; it was not published")))?;
        let live = self.live(reader, Verify::Values).await;
        open(&live.facts.secret)
            .map_err(|reason| Ended::Failed(format!("{reason}; the new {slot} was not published")))?;
        if live.facts.slots.value(slot) != Some(self.fingerprint(key)) || version(&live) != version(before) {
            return Err(Ended::Failed(format!("{SOMEBODY_ELSE}; the new {slot} was not published")));
        }
        witness.tell(&format!("publishing the new {slot}"));
        let tags = Tags { slot: Some(slot), issued: Some(before.began(reader)), ..Tags::default() };
        self.store(writer, key, tags, &live, witness).await
    }

    /// Regenerates the other slot, if the published key is still what it should be.
    async fn end(
        &self,
        writer: &Writer,
        slot: Slot,
        published: &SecretString,
        witness: &dyn Witness,
    ) -> Result<(), Ended> {
        let facts = self.holds(writer.reader(), slot.other(), self.fingerprint(published)).await;
        let facts = facts.map_err(Ended::Failed)?;
        self.regenerate(writer, slot, facts.slots.value(slot), witness).await.map(drop)
    }

    /// What holds, if a key is in its slot and in the vault.
    async fn holds(&self, reader: &Reader, slot: Slot, key: Fingerprint) -> Result<Facts, String> {
        let Live { facts, .. } = self.live(reader, Verify::Values).await;
        if let Slots::Unknown(reason) = &facts.slots {
            return Err(format!("the keys can't be read: {reason}"));
        }
        open(&facts.secret)?;
        match facts.slots.value(slot) == Some(key) && facts.published() == Some(key) {
            true => Ok(facts),
            false => Err(SOMEBODY_ELSE.to_owned()),
        }
    }

    /// Regenerates a slot, and waits until it shows another value than `old`.
    async fn regenerate(
        &self,
        writer: &Writer,
        slot: Slot,
        old: Option<Fingerprint>,
        witness: &dyn Witness,
    ) -> Result<SecretString, Ended> {
        let operation = match slot {
            Slot::Primary => REGENERATE_PRIMARY_KEY.facts(),
            Slot::Secondary => REGENERATE_SECONDARY_KEY.facts(),
        };
        let step = format!("regenerate the {slot} key");
        recorded(witness, &step, operation.name, self.regenerated(writer, slot, old)).await
    }

    async fn regenerated(&self, writer: &Writer, slot: Slot, old: Option<Fingerprint>) -> Result<SecretString, Ended> {
        if let Err(error) = ci::regenerate_key(writer, &self.instance, slot).await
            && !error.is_ambiguous()
        {
            return Err(Ended::Failed(format!("{slot} was not regenerated: {error}")));
        }
        let look = async || {
            let seen = match self.show(writer.reader(), slot).await {
                Ok((key, fingerprint)) if Some(fingerprint) != old => return Ok::<_, Ended>(Seen::Shown(key)),
                Ok(_) => "its former value".to_owned(),
                Err(reason) => reason,
            };
            Ok(Seen::NotYet(seen, Pause::Chosen(BETWEEN_LOOKS)))
        };
        match wait_until(writer.reader(), PATIENCE, look).await? {
            Waited::Shown(key) => Ok(key),
            Waited::Late(seen) | Waited::Stopped(seen) => Err(Ended::PartWay(format!(
                "whether {slot} was regenerated isn't known; the service still answers: {seen}"
            ))),
        }
    }
}

/// Both slots, if there is something to revoke.
fn both(facts: &Facts) -> Result<&Slots, String> {
    match (&facts.access, &facts.slots) {
        (Access::Off, _) => Err("API access is off, so there are no keys to revoke".to_owned()),
        (Access::Unknown(reason), _) | (_, Slots::Unknown(reason)) => {
            Err(format!("the keys can't be read, so nothing was regenerated: {reason}"))
        }
        (Access::On, Slots::NotRead) => Err("the keys were not read, so nothing was regenerated".to_owned()),
        (Access::On, slots @ Slots::Read { .. }) => Ok(slots),
    }
}

fn version(live: &Live) -> Option<&str> {
    match &live.facts.secret {
        Secret::Present(published) => Some(&published.current.id),
        _ => None,
    }
}

/// How long a new key is tried that doesn't work yet. A run that gives up too early would, repeated, make another key and
/// give up again.
const PATIENCE_WITH_A_KEY: Duration = Duration::from_secs(900);
/// How often nobody may be able to tell whether it works.
const UNKNOWNS: u32 = 60;

/// Waits until the service accepts a key that it has just made.
async fn accepted(reader: &Reader, key: &SecretString) -> Result<(), String> {
    let mut unknown = 0;
    let look = async || {
        match ci::check_key(reader, key).await {
            KeyCheck::Accepted => return Ok(Seen::Shown(())),
            KeyCheck::Refused => {}
            KeyCheck::Unknown(error) if unknown == UNKNOWNS => {
                return Err(format!("whether the service accepts the new key isn't known: {error}"));
            }
            KeyCheck::Unknown(_) => unknown += 1,
        }
        Ok(Seen::NotYet((), Pause::Chosen(BETWEEN_LOOKS)))
    };
    match wait_until(reader, PATIENCE_WITH_A_KEY, look).await? {
        Waited::Shown(()) => Ok(()),
        Waited::Late(()) | Waited::Stopped(()) => Err("the service refuses the new key".to_owned()),
    }
}
