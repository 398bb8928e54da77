//! Readers and writers over an exchange of a test's own.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value as Json;

use super::exchange::{Broken, Exchange, Request, Response};
use super::hosts::Hosts;
use super::retry::Limits;
use super::{Quiet, Reader, Settings, Token, TokenError, TokenSource, Transport, Writer};
use crate::clock::Clock;
use crate::terms::{Cloud, Face};

struct AnyToken;

#[async_trait(?Send)]
impl TokenSource for AnyToken {
    async fn token(&self, transport: &Transport, _: &'static str) -> Result<Token, TokenError> {
        let expires = transport.clock().now() + SignedDuration::from_hours(1);
        Ok(Token::new(SecretString::from("a token"), expires))
    }
}

/// Reads from `http://localhost`, with a token that means nothing.
pub(crate) fn reader_over(exchange: Rc<dyn Exchange>) -> Reader {
    Reader::new(transport_over(exchange))
}

/// Writes to the same.
pub(crate) fn writer_over(exchange: Rc<dyn Exchange>) -> Writer {
    Writer::new(transport_over(exchange), "")
}

/// Writes to the public cloud, as far as addresses go: the exchange has what is sent.
pub(crate) fn writer_in_cloud(exchange: Rc<dyn Exchange>) -> Writer {
    Writer::new(transport_to(Hosts::cloud(Cloud::Public).unwrap(), exchange), "")
}

fn transport_over(exchange: Rc<dyn Exchange>) -> Rc<Transport> {
    let origin = "http://localhost/".parse().unwrap();
    transport_to(Hosts::emulator(&origin).unwrap(), exchange)
}

fn transport_to(hosts: Hosts, exchange: Rc<dyn Exchange>) -> Rc<Transport> {
    let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    Rc::new(Transport::new(Settings {
        hosts,
        exchange,
        face: Face::ScaleUnit,
        subscription_key: None,
        tokens: Box::new(AnyToken),
        clock: Clock::simulated(start),
        limits: Limits::default(),
        per_host: 8,
        notices: Rc::new(Quiet),
    }))
}

/// Services that answer by a rule: what is asked, such as `GET /subscriptions`, leads to a status and a body.
pub(crate) struct Answers<F> {
    rule: F,
    /// What they were asked, in order.
    pub(crate) asked: RefCell<Vec<String>>,
    sent: RefCell<Vec<Json>>,
}

impl<F: Fn(&str) -> (u16, Json)> Answers<F> {
    pub(crate) fn by(rule: F) -> Rc<Self> {
        Rc::new(Self { rule, asked: RefCell::default(), sent: RefCell::default() })
    }

    /// The bodies that were sent, in order.
    pub(crate) fn bodies(&self) -> Vec<Json> {
        self.sent.borrow().clone()
    }

    /// The requests that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.asked.borrow().iter().filter(|asked| !asked.starts_with("GET ")).cloned().collect()
    }
}

#[async_trait(?Send)]
impl<F: Fn(&str) -> (u16, Json)> Exchange for Answers<F> {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        let asked = format!("{} {}", request.method, request.url.path());
        let (status, body) = (self.rule)(&asked);
        self.asked.borrow_mut().push(asked);
        self.sent.borrow_mut().extend(request.body.as_ref().and_then(|body| serde_json::from_slice(body).ok()));
        let status = http::StatusCode::from_u16(status).unwrap();
        Ok(Response { status, headers: http::HeaderMap::new(), body: body.to_string().into_bytes().into() })
    }
}
