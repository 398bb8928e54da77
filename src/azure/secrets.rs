//! The secrets that a run holds, and the words of services without them: the second line of defence.
//!
//! A service may quote what it was sent: a vault the request that it refuses, a gateway the key, Entra the form. Of operations
//! that carry secrets only codes are told anyway; but a token goes with every call, and a key that one service knows may be
//! quoted by another.
//!
//! Words: a secret is *noted* when it is sent or received; a text is *scrubbed* when no noted secret can be read from it,
//! whether it stands there plain, percent-encoded, escaped as in JSON or HTML, or in Base64 with whatever stands before it. Of a
//! JSON Web Token the claims and the signature are secrets by themselves.
//!
//! Invariants: secrets are noted from requests and answers as they pass, so that no client has to; a text is scrubbed before
//! it is cut short; the memory of what is noted is wiped; answers that succeed aren't scrubbed, since a vault's secret that
//! reads `Admin` would change what they say.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use self::forms::Span;
use super::exchange::Request;
use super::operations::Facts;

mod forms;
mod noticing;

/// Stands in for a secret.
const MASK: &str = "***";
/// A shorter secret may be part of a word by chance: it is one only where a word is.
const LONG: usize = 8;
/// No words of a service are longer; what goes on is cut off.
const MOST: usize = 4 * 1024;
/// So much at the end of what was cut off may be a secret too short to be told.
const RAGGED: usize = 256;
/// In Base64, fewer bytes make too few characters that are theirs alone.
const LONG_IN_BASE64: usize = 5;

/// What was noted.
#[derive(Default)]
pub(super) struct Held(RefCell<Vec<SecretString>>);

impl Held {
    /// Notes the secrets of a request: headers that are marked as sensitive, and what its body carries.
    pub(super) fn note_request(&self, request: &Request) {
        let sensitive = request.headers.values().filter(|value| value.is_sensitive());
        for text in sensitive.filter_map(|value| value.to_str().ok()) {
            self.note(text.strip_prefix("Bearer ").unwrap_or(text));
        }
        if let Some(body) = request.body.as_ref().filter(|_| request.operation.secrets.in_request()) {
            self.extend(noticing::secrets(body));
        }
    }

    /// Notes the secrets of an answer.
    pub(super) fn note_answer(&self, operation: &Facts, body: &[u8]) {
        if operation.secrets.in_answer() {
            self.extend(noticing::secrets(body));
        }
    }

    fn extend(&self, secrets: Vec<SecretString>) {
        secrets.iter().for_each(|secret| self.note(secret.expose_secret()));
    }

    fn note(&self, secret: &str) {
        // White space around a value is lost first where it is quoted.
        let (secret, held) = (secret.trim(), &mut *self.0.borrow_mut());
        if !secret.is_empty() && !held.iter().any(|known| known.expose_secret() == secret) {
            held.push(SecretString::from(secret));
            held.extend(token_parts(secret).map(SecretString::from));
        }
    }

    /// A text without the secrets.
    pub(super) fn scrub(&self, text: &str) -> String {
        let head = text.get(..text.floor_char_boundary(MOST)).unwrap_or(text);
        if head.len() == text.len() {
            return self.scrub_up_to(text, text.len());
        }
        self.scrub_up_to(head, head.floor_char_boundary(MOST - RAGGED)) + "…"
    }

    fn scrub_up_to(&self, text: &str, until: usize) -> String {
        let mut spans: Vec<Span> = Vec::new();
        for secret in &*self.0.borrow() {
            let secret = secret.expose_secret();
            spans.extend(forms::plain(text, secret, secret.chars().count() < LONG));
            for form in written(secret).iter().filter(|form| form.len() >= LONG_IN_BASE64) {
                for before in 0..3 {
                    spans.extend(forms::base64(text, &base64(form.as_bytes(), before)));
                }
            }
        }
        spans.sort_unstable_by_key(|span| span.start);
        let (mut clean, mut at) = (String::with_capacity(text.len()), 0);
        for Span { start, end } in spans.into_iter().filter(|span| span.start < until) {
            if start >= at {
                clean.push_str(text.get(at..start).unwrap_or_default());
                clean.push_str(MASK);
            }
            at = at.max(end);
        }
        clean + text.get(at..until).unwrap_or_default()
    }

    /// The same, where there may be a text.
    pub(super) fn scrub_all(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.scrub(&text))
    }
}

/// What follows the header of a JSON Web Token: who checks one may quote its claims or its signature alone. Nothing of any other
/// text. The header is the same for all tokens of an issuer.
fn token_parts(secret: &str) -> impl Iterator<Item = &str> {
    let parts = secret.split_once('.').filter(|(header, rest)| {
        let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
        header.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(&header).is_ok() && rest.contains('.')
    });
    parts.into_iter().flat_map(|(_, rest)| rest.split('.')).filter(|part| part.len() >= LONG)
}

/// A secret as it stands in requests, each of which may be encoded as a whole.
fn written(secret: &str) -> Vec<Zeroizing<String>> {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let mut forms = vec![
        Zeroizing::new(secret.to_owned()),
        Zeroizing::new(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()),
        Zeroizing::new(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()),
        Zeroizing::new(json.trim_matches('"').to_owned()),
    ];
    forms.dedup();
    forms
}

/// The characters that a secret has for itself in the Base64 of a text where so many bytes, modulo three, stand before it.
fn base64(secret: &[u8], before: usize) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(vec![0; before]);
    bytes.extend_from_slice(secret);
    let whole = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
    // Characters that hold bits of the neighbours as well.
    let first = [0, 2, 3].get(before).copied().unwrap_or_default();
    let last = whole.len() - usize::from(!bytes.len().is_multiple_of(3));
    Zeroizing::new(whole.get(first..last).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
