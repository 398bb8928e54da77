//! Tokens: where they come from.
//!
//! What must stay true: a token's text leaves this module only into a request header; everything else sees a mask.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::Mutex;

use super::call::Call;
use super::error::CallError;
use super::identity::Claims;
use super::operations::ENTRA_TOKEN;
use super::transport::Transport;

/// A bearer token for one audience.
#[derive(Debug, Clone)]
pub struct Token {
    pub(super) secret: SecretString,
    expires: Timestamp,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct TokenError {
    /// Why.
    pub reason: String,
    /// Whether the service refused what it was shown; else it may be asked again later.
    pub refused: bool,
}

impl From<CallError> for TokenError {
    fn from(error: CallError) -> Self {
        let refused = error.status().is_some_and(|status| (400..500).contains(&status) && status != 429);
        Self { reason: error.to_string(), refused }
    }
}

/// Gets tokens.
#[async_trait(?Send)]
pub trait TokenSource {
    /// A token for `audience` that is good for some minutes at least.
    async fn token(&self, transport: &Transport, audience: &'static str) -> Result<Token, TokenError>;
}

impl Token {
    /// A token and its end, from wherever it was got.
    pub fn new(secret: SecretString, expires: Timestamp) -> Self {
        Self { secret, expires }
    }

    /// What the token says about its bearer; `None` if it is opaque.
    pub(super) fn claims(&self) -> Option<Claims> {
        Claims::of(self.secret.expose_secret())
    }
}

/// An application with a secret, asking Entra for tokens (client credentials grant), each kept until shortly before its
/// end.
pub struct ClientCredentials {
    tenant: String,
    client_id: String,
    client_secret: SecretString,
    kept: Mutex<HashMap<&'static str, Token>>,
}

/// A token is renewed so long before its end that no request of a run meets the end on its way.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    expires_in: u64,
}

impl ClientCredentials {
    /// The credentials of one application in one tenant.
    pub fn new(tenant: impl Into<String>, client_id: impl Into<String>, client_secret: SecretString) -> Self {
        Self { tenant: tenant.into(), client_id: client_id.into(), client_secret, kept: Mutex::default() }
    }

    async fn fetch(&self, transport: &Transport, audience: &'static str) -> Result<Token, TokenError> {
        let scope = format!("{audience}/.default");
        let call = Call::of(&ENTRA_TOKEN).path("tenant", &self.tenant).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("scope", &scope),
        ]);
        let issued = transport.clock().now();
        let answer = transport.send(&call).await?;
        let TokenAnswer { access_token, expires_in } = answer.json()?;
        let expires = issued.saturating_add(Duration::from_secs(expires_in)).unwrap_or(Timestamp::MAX);
        Ok(Token::new(access_token, expires))
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, client_id, client_secret: _, kept: _ } = self;
        f.debug_struct("ClientCredentials")
            .field("tenant", tenant)
            .field("client_id", client_id)
            .finish_non_exhaustive()
    }
}

#[async_trait(?Send)]
impl TokenSource for ClientCredentials {
    async fn token(&self, transport: &Transport, audience: &'static str) -> Result<Token, TokenError> {
        // Held over the request on purpose: requests that start together share one token.
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.get(audience)
            && token.expires.duration_since(transport.clock().now()) > MARGIN
        {
            return Ok(token.clone());
        }
        let token = self.fetch(transport, audience).await?;
        kept.insert(audience, token.clone());
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::error::Failure;

    /// Credentials that were refused stay refused; whatever else stands in the way may be gone in a moment.
    #[test]
    fn only_a_refusal_of_the_credentials_is_final() {
        let refused = |failure: Failure| {
            TokenError::from(CallError { operation: ENTRA_TOKEN.facts(), failure, attempts: 1, correlation: None })
                .refused
        };
        for (status, expected) in
            [(400, true), (401, true), (404, true), (499, true), (429, false), (500, false), (503, false), (302, false)]
        {
            let failure = Failure::Status { status, code: None, inner: None, message: None };
            assert_eq!(refused(failure), expected, "{status}");
        }
        assert!(!refused(Failure::OutOfTime));
    }

    #[test]
    fn credentials_show_whose_they_are_and_no_secret() {
        let credentials = ClientCredentials::new("contoso", "palisade", SecretString::from("hidden"));
        let shown = format!("{credentials:?}");
        assert!(shown.contains("contoso") && shown.contains("palisade") && !shown.contains("hidden"), "{shown}");
    }
}
