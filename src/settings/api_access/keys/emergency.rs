//! What people do with keys by hand: looking at one, publishing one that they pasted, revoking both.
//!
//! What must stay true: nothing here is reached by planning or applying; revoking stops at the first step that fails and
//! says what then holds; a pasted key is published only if the service accepts it.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::look::{Live, Look};
use crate::azure::customer_insights::{self as ci, KeyCheck};
use crate::azure::key_vault::{self as kv, Labels, Lookup};
use crate::azure::{Reader, Writer};
use crate::rotation::{Access, Fingerprint, Secret, Slot, Tags, Verify, assess};

/// How often, and how far apart, an effect is looked for.
const LOOKS: u32 = 60;
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Tells what is being done, as it is done.
pub type Tell<'a> = &'a dyn Fn(&str);

impl Look {
    /// Both keys as the service shows them, with their fingerprints.
    pub async fn show(&self, reader: &Reader, slot: Slot) -> Result<(SecretString, Fingerprint), String> {
        let keys = ci::list_keys(reader, &self.instance).await.map_err(|error| error.to_string())?;
        let key = keys.ok_or("API access is off, so there are no keys")?.get(slot).clone();
        let fingerprint = self.fingerprint(&key);
        Ok((key, fingerprint))
    }

    /// Publishes a key that a person pasted, since no operation shows it.
    pub async fn publish_pasted(&self, writer: &Writer, slot: Slot, key: &SecretString) -> Result<Fingerprint, String> {
        let key = tidy(key)?;
        let reader = writer.reader();
        match ci::check_key(reader, &key).await {
            KeyCheck::Accepted => {}
            KeyCheck::Refused => return Err("the service refuses this key; nothing was published".to_owned()),
            KeyCheck::Unknown(error) => {
                return Err(format!(
                    "whether the service accepts this key isn't known, so nothing was published: {error}"
                ));
            }
        }
        self.right_vault(reader).await?;
        let fingerprint = self.fingerprint(&key);
        if self.published(reader).await? == Some(fingerprint) {
            return Ok(fingerprint);
        }
        let instance = Some(self.keys.rotation.instance.clone());
        let tags = Tags { slot: Some(slot), instance, plan: Some(writer.approval().to_owned()), ..Tags::default() };
        self.store(writer, &key, &tags).await?;
        Ok(fingerprint)
    }

    /// Makes both keys die, and publishes a new one in between: for a key that leaked. Consumers are cut off from the
    /// moment in which the key that they hold dies until they read the secret again.
    pub async fn revoke(&self, writer: &Writer, tell: Tell<'_>) -> Result<(), String> {
        let reader = writer.reader();
        let live = self.live(reader, Verify::Values).await;
        let facts = &live.facts;
        if facts.access != Access::On {
            return Err("API access isn't known to be on; there are no keys to revoke".to_owned());
        }
        if let Secret::Unknown(reason) = &facts.secret {
            return Err(format!("the secret can't be read, so the new key could not be published: {reason}"));
        }
        let active = assess(&self.keys.rotation, facts, reader.now()).active;
        let first = active.map_or(Slot::Secondary, Slot::other);
        tell(&format!("regenerating {first}, which {}", if active.is_some() { "is standby" } else { "may be in use" }));
        let key = self.regenerate(writer, first, &live).await?;
        tell(&format!("publishing the new {first}"));
        let tags = Tags {
            slot: Some(first),
            issued: Some(live.began(reader)),
            instance: Some(self.keys.rotation.instance.clone()),
            plan: Some(writer.approval().to_owned()),
            ..Tags::default()
        };
        self.store(writer, &key, &tags).await.map_err(|reason| {
            format!(
                "{reason}; {first} is new and not published, {} still works: it may be the one that leaked",
                first.other()
            )
        })?;
        let second = first.other();
        tell(&format!("regenerating {second}: from now on only the published key works"));
        let live = self.live(reader, Verify::Values).await;
        self.regenerate(writer, second, &live).await?;
        match self.published(reader).await? {
            Some(published) if published == self.fingerprint(&key) => Ok(()),
            _ => Err("somebody else published another key meanwhile: plan, and apply".to_owned()),
        }
    }

    /// Regenerates a slot, and waits until it shows another value.
    async fn regenerate(&self, writer: &Writer, slot: Slot, before: &Live) -> Result<SecretString, String> {
        let old = before.facts.slots.value(slot).ok_or("the keys could not be read; nothing was regenerated")?;
        let sent = ci::regenerate_key(writer, &self.instance, slot).await;
        for _ in 0..LOOKS {
            if let Ok((key, fingerprint)) = self.show(writer.reader(), slot).await
                && fingerprint != old
            {
                return Ok(key);
            }
            if let Err(error) = &sent
                && !error.is_ambiguous()
            {
                return Err(format!("{slot} was not regenerated: {error}"));
            }
            writer.reader().pause(BETWEEN_LOOKS).await;
        }
        Err(format!("{slot} still shows its former value; plan, and look again"))
    }

    /// Stores a key as the current version, and waits until the vault answers it.
    async fn store(&self, writer: &Writer, key: &SecretString, tags: &Tags) -> Result<(), String> {
        let labels = Labels { tags: tags.render(), ..Labels::default() };
        let sent = kv::set_secret(writer, &self.address(), key, &labels).await;
        for _ in 0..LOOKS {
            if self.published(writer.reader()).await == Ok(Some(self.fingerprint(key))) {
                return Ok(());
            }
            if let Err(error) = &sent
                && !error.is_ambiguous()
            {
                return Err(format!("the key was not published: {error}"));
            }
            writer.reader().pause(BETWEEN_LOOKS).await;
        }
        Err("the vault doesn't answer the new key".to_owned())
    }

    /// The value that consumers hold, if there is one.
    async fn published(&self, reader: &Reader) -> Result<Option<Fingerprint>, String> {
        match kv::get_current(reader, &self.address()).await.map_err(|error| error.to_string())? {
            Lookup::Found(secret) => Ok(Some(self.fingerprint(&secret.value))),
            Lookup::Absent | Lookup::Disabled => Ok(None),
            Lookup::SoftDeleted(_) => Err("the secret is deleted; recover it first: plan, and apply".to_owned()),
            Lookup::Forbidden(error) | Lookup::Firewall(error) => Err(error.to_string()),
        }
    }
}

/// A pasted key without the white space around it. Keys have 32 hexadecimal digits (reference 2.3).
fn tidy(key: &SecretString) -> Result<SecretString, String> {
    let text = key.expose_secret().trim();
    if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(SecretString::from(text.to_owned()));
    }
    Err("that isn't a key: keys have 32 hexadecimal digits, without dashes".to_owned())
}
