//! Readers and writers over an exchange of a test's own.

use std::rc::Rc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::exchange::Exchange;
use super::hosts::Hosts;
use super::retry::Limits;
use super::{Quiet, Reader, Settings, Token, TokenError, TokenSource, Transport};
use crate::clock::Clock;
use crate::terms::Face;

struct AnyToken;

#[async_trait(?Send)]
impl TokenSource for AnyToken {
    async fn token(&self, transport: &Transport, _: &'static str) -> Result<Token, TokenError> {
        let expires = transport.clock().now() + SignedDuration::from_hours(1);
        Ok(Token::new(SecretString::from("a token"), expires))
    }
}

/// Reads from `http://localhost`, with a token that means nothing.
pub(super) fn reader_over(exchange: Rc<dyn Exchange>) -> Reader {
    let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let origin = "http://localhost/".parse().unwrap();
    Reader::new(Rc::new(Transport::new(Settings {
        hosts: Hosts::emulator(&origin).unwrap(),
        exchange,
        face: Face::ScaleUnit,
        subscription_key: None,
        tokens: Box::new(AnyToken),
        clock: Clock::simulated(start),
        limits: Limits::default(),
        per_host: 8,
        notices: Rc::new(Quiet),
    })))
}
