//! What people do with keys by hand: looking at one, [publishing](super::publish) one that they pasted,
//! [revoking](super::revoke) both.
//!
//! What must stay true: nothing here is reached by planning or applying; a secret that isn't this environment's, or that a
//! person closed, is never written; each write has a record of its own; who stops part-way says so.

use std::time::Duration;

use secrecy::SecretString;

use super::look::{Live, Look};
use crate::azure::key_vault::{self as kv, Labels, Lookup};
use crate::azure::operations::SET_SECRET;
use crate::azure::rights::Holding;
use crate::azure::{Pause, Reader, Seen, Waited, Writer, customer_insights as ci, wait_until};
use crate::rotation::{Content, Facts, Fingerprint, Published, Rotation, Secret, State, Tags, Verify, assess};
use crate::terms::Slot;

/// How long, and how far apart, an effect is looked for.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Stands by while something is done by hand.
pub trait Witness {
    /// Hears what is being done, as it is done.
    fn tell(&self, what: &str);

    /// Records that a write begins. What can't be recorded isn't done.
    fn begins(&self, step: &str, operation: &'static str) -> Result<(), String>;

    /// Records how it ended.
    fn ended(&self, step: &str, operation: &'static str, outcome: Result<(), &str>);
}

/// Why something that is done by hand ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// What was seen forbids it; nothing was written.
    Refused(String),
    /// It didn't work; nothing was written.
    Failed(String),
    /// Something was written, or may have been.
    PartWay(String),
}

impl Ended {
    /// Why.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused(reason) | Self::Failed(reason) | Self::PartWay(reason) => reason,
        }
    }

    /// The same after something was written: what then holds belongs to it.
    pub(super) fn after(self, holds: &str) -> Self {
        Self::PartWay(format!("{}; {holds}", self.reason()))
    }
}

impl Look {
    /// A key as the service shows it, with its fingerprint.
    pub async fn show(&self, reader: &Reader, slot: Slot) -> Result<(SecretString, Fingerprint), String> {
        let keys = ci::list_keys(reader, &self.instance).await.map_err(|error| error.to_string())?;
        let key = keys.ok_or("API access is off, so there are no keys")?.get(slot).clone();
        let fingerprint = self.fingerprint(&key);
        Ok((key, fingerprint))
    }

    /// Makes sure that a version of the secret may be stored: that nobody closed it, that it belongs to this environment,
    /// and that the right isn't known to be missing.
    pub(super) async fn admits(&self, reader: &Reader, live: &Live, witness: &dyn Witness) -> Result<(), Ended> {
        open(&live.facts.secret).map_err(Ended::Refused)?;
        if let Secret::Present(published) = &live.facts.secret {
            self.own(published, &live.facts, reader).map_err(Ended::Refused)?;
        }
        let vault = self.keys.publish_to.vault.name();
        match self.may_store(reader, live).await {
            Holding::Held => Ok(()),
            Holding::Lacking(_) => {
                let role = SET_SECRET.facts().needs.role().map(|role| format!("; give it the role {role} there"));
                Err(Ended::Refused(format!(
                    "palisade's identity may not store secrets in the vault {vault}{}",
                    role.unwrap_or_default()
                )))
            }
            Holding::Unproved(doubt) => {
                witness
                    .tell(&format!("whether a secret may be stored in the vault {vault} isn't proved: {}", doubt.why));
                Ok(())
            }
        }
    }

    /// Whether a secret that is there belongs to this environment. Where the values can't tell, its tags must.
    fn own(&self, published: &Published, facts: &Facts, reader: &Reader) -> Result<(), String> {
        let rotation = Rotation { verify: Verify::Values, ..self.keys.rotation.clone() };
        let assessment = assess(&rotation, facts, reader.now());
        let current = &published.current;
        let instance = &rotation.instance;
        let foreign = match assessment.state {
            State::Foreign => true,
            State::Unknown if facts.active().is_none() => {
                !published.is_ours(instance) || current.tags.name_another_instance(instance)
            }
            _ => false,
        };
        if !foreign {
            return Ok(());
        }
        let name = &self.keys.publish_to.secret;
        Err(match current.tags.instance.as_ref().filter(|_| current.tags.name_another_instance(instance)) {
            Some(other) => format!("the secret {name} belongs to the instance {other}; publish to another secret"),
            None => format!(
                "the secret {name} holds something that isn't known to be a key of this environment; publish to another \
                 secret, or, if this one is meant, give its current version the tag palisade-instance={instance}"
            ),
        })
    }

    /// Stores a key as the current version, with the tags of others that its predecessor has, and waits until the vault
    /// answers it.
    pub(super) async fn store(
        &self,
        writer: &Writer,
        key: &SecretString,
        tags: Tags,
        live: &Live,
        witness: &dyn Witness,
    ) -> Result<(), Ended> {
        let others = match &live.facts.secret {
            Secret::Present(published) => published.current.tags.others_that_fit(),
            _ => Default::default(),
        };
        let instance = Some(self.keys.rotation.instance.clone());
        let tags = Tags { instance, plan: Some(writer.approval().to_owned()), others, ..tags };
        let step = tags.slot.map_or("publish a key".to_owned(), |slot| format!("publish the {slot} key"));
        recorded(witness, &step, SET_SECRET.facts().name, self.stored(writer, key, &tags)).await
    }

    async fn stored(&self, writer: &Writer, key: &SecretString, tags: &Tags) -> Result<(), Ended> {
        let labels = Labels { tags: tags.render(), ..Labels::default() };
        if let Err(error) = kv::set_secret(writer, &self.address(), key, &labels).await
            && !error.is_ambiguous()
        {
            return Err(Ended::Failed(format!("the key was not published: {error}")));
        }
        let look = async || {
            let seen = match kv::get_current(writer.reader(), &self.address()).await {
                Ok(Lookup::Found(secret)) if self.fingerprint(&secret.value) == self.fingerprint(key) => {
                    return Ok::<_, Ended>(Seen::Shown(()));
                }
                Ok(Lookup::Found(_)) => "another value".to_owned(),
                Ok(Lookup::Absent) => "that there is no secret".to_owned(),
                Ok(Lookup::Disabled) => "that the version is disabled".to_owned(),
                Ok(Lookup::SoftDeleted(_)) => "that the secret was deleted".to_owned(),
                Ok(Lookup::Forbidden(error) | Lookup::Firewall(error)) | Err(error) => error.to_string(),
            };
            Ok(Seen::NotYet(seen, Pause::Chosen(BETWEEN_LOOKS)))
        };
        match wait_until(writer.reader(), PATIENCE, look).await? {
            Waited::Shown(()) => Ok(()),
            Waited::Late(seen) | Waited::Stopped(seen) => Err(Ended::PartWay(format!(
                "whether the key was published isn't known; the vault still answers: {seen}"
            ))),
        }
    }
}

/// Whether a secret takes a new version that consumers then get. Who disabled or deleted it had a reason.
pub(super) fn open(secret: &Secret) -> Result<(), String> {
    match secret {
        Secret::Absent => Ok(()),
        Secret::Unknown(reason) => Err(format!("the secret can't be read: {reason}")),
        Secret::SoftDeleted => Err("the secret was deleted; recover it first: plan, and apply".to_owned()),
        Secret::Present(published) => match &published.current.content {
            Content::Read(_) | Content::NotRead => Ok(()),
            Content::Disabled => {
                Err("the current version of the secret is disabled, which a person did on purpose; enable it first"
                    .to_owned())
            }
            Content::Unreadable(reason) => Err(format!("the secret can't be read: {reason}")),
        },
    }
}

/// Does a write with a line in the record before and after it.
pub(super) async fn recorded<T>(
    witness: &dyn Witness,
    step: &str,
    operation: &'static str,
    act: impl Future<Output = Result<T, Ended>>,
) -> Result<T, Ended> {
    witness.begins(step, operation).map_err(Ended::Failed)?;
    let outcome = act.await;
    witness.ended(step, operation, outcome.as_ref().map(|_| ()).map_err(Ended::reason));
    outcome
}
