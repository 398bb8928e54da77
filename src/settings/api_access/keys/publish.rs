//! Publishing a key that a person pasted, since no operation shows it.
//!
//! What must stay true: what is stored is a key that the service accepts; where the slots can be read, it is the key in
//! the slot that was named; where they can't, the person hears what wasn't checked.

use secrecy::{ExposeSecret, SecretString};

use super::emergency::{Ended, Witness};
use super::look::Look;
use crate::azure::customer_insights::{self as ci, KeyCheck};
use crate::azure::{Reader, Writer};
use crate::rotation::{Access, Facts, Fingerprint, Slots, Tags, Verify};
use crate::terms::Slot;

/// What became of a pasted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pasted {
    /// The key's.
    pub fingerprint: Fingerprint,
    /// Whether it was stored; otherwise it had been published already.
    pub stored: bool,
    /// Whether the key was compared with the environment's own.
    pub compared: bool,
}

impl Look {
    /// Publishes a pasted key. `shown` tells whether an operation shows the keys; where none does, none is called.
    pub async fn publish_pasted(
        &self,
        writer: &Writer,
        slot: Slot,
        key: &SecretString,
        shown: bool,
        witness: &dyn Witness,
    ) -> Result<Pasted, Ended> {
        let key = tidy(key).map_err(Ended::Refused)?;
        let reader = writer.reader();
        let live = match shown {
            true => self.live(reader, Verify::Values).await,
            false => self.vault_alone(reader).await,
        };
        self.admits(reader, &live, witness).await?;
        tried(reader, &key).await?;
        let fingerprint = self.fingerprint(&key);
        if shown {
            is_in(slot, fingerprint, &live.facts).map_err(Ended::Refused)?;
        }
        let stored = live.facts.published() != Some(fingerprint);
        if stored {
            let tags = Tags { slot: Some(slot), ..Tags::default() };
            self.store(writer, &key, tags, &live, witness).await?;
        }
        Ok(Pasted { fingerprint, stored, compared: shown })
    }
}

pub(super) async fn tried(reader: &Reader, key: &SecretString) -> Result<(), Ended> {
    match ci::check_key(reader, key).await {
        KeyCheck::Accepted => Ok(()),
        KeyCheck::Refused => Err(Ended::Refused(
            "the service refuses this key; nothing was published: copy it again from Settings > Permissions > APIs"
                .to_owned(),
        )),
        KeyCheck::Unknown(error) => Err(Ended::Failed(format!(
            "whether the service accepts this key isn't known, so nothing was published: {error}"
        ))),
    }
}

/// The service accepts the keys of every environment; only the slots tell whose key one is.
pub(super) fn is_in(slot: Slot, pasted: Fingerprint, facts: &Facts) -> Result<(), String> {
    match (&facts.access, &facts.slots) {
        (Access::Off, _) => return Err("API access is off, so there are no keys; nothing was published".to_owned()),
        (Access::Unknown(reason), _) | (_, Slots::Unknown(reason)) => {
            return Err(format!("the environment's keys can't be read, so nothing was published: {reason}"));
        }
        (Access::On, Slots::Read { .. } | Slots::NotRead) => {}
    }
    if facts.slots.value(slot) == Some(pasted) {
        return Ok(());
    }
    let other = slot.other();
    Err(match facts.slots.value(other) == Some(pasted) {
        true => format!("that is the {other} key, not the {slot} one; nothing was published"),
        false => "the service accepts this key, but it is no key of this environment; nothing was published".to_owned(),
    })
}

/// A pasted key without the white space around it. Keys have 32 hexadecimal digits.
fn tidy(key: &SecretString) -> Result<SecretString, String> {
    let text = key.expose_secret().trim();
    if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(SecretString::from(text.to_owned()));
    }
    Err("that isn't a key: keys have 32 hexadecimal digits, without dashes; nothing was published".to_owned())
}
