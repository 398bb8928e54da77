//! Sends a call: host check, token, tries and waits, request log.
//!
//! Everything here is the same whatever carries the requests: that lies below, behind the [`Exchange`].
//!
//! Invariants: nothing secret is logged, and no failure holds words of a service that a secret can be read from; an answer is
//! believed only with a status that its operation may be answered with; the number of requests in flight to one host is capped; a
//! pause that a host asks one call for holds for all calls to it; while a request is under way, no simulated time passes unless its
//! service takes it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::header::{DATE, HeaderName, RETRY_AFTER};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

use super::call::{Answer, Call};
use super::error::{CallError, Failure};
use super::exchange::{Broken, Exchange, Request, Response, Sent};
use super::hosts::Hosts;
use super::identity::{Bearers, Claims};
use super::operations::{Effect, Facts, Service};
use super::pace::Pace;
use super::refusal::status_failure;
use super::retry::{self, Decision, Limits, Try};
use super::secrets::Held;
use super::subject;
use super::token::{Token, TokenError, TokenSource};
use crate::clock::Clock;
use crate::terms::Face;

/// The target of the request log.
pub const REQUEST_LOG: &str = "palisade::requests";

/// Somebody who wants to know why nothing happens.
pub trait Notices {
    /// A call waits before its next try.
    fn waiting(&self, waiting: &Waiting<'_>);
}

/// A wait between two tries.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// The service that is called.
    pub service: Service,
    /// Why the last try failed.
    pub failure: &'a Failure,
    /// How long the wait takes.
    pub wait: Duration,
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Notices for Quiet {
    fn waiting(&self, _: &Waiting<'_>) {}
}

/// How a transport behaves.
pub struct Settings {
    /// Where calls go.
    pub hosts: Hosts,
    /// What carries them there.
    pub exchange: Rc<dyn Exchange>,
    /// The face of Customer Insights that documented operations use.
    pub face: Face,
    /// The subscription key that the gateway face demands.
    pub subscription_key: Option<SecretString>,
    /// Gets tokens.
    pub tokens: Box<dyn TokenSource>,
    /// Time.
    pub clock: Clock,
    /// Bounds of one call.
    pub limits: Limits,
    /// Requests in flight to one host.
    pub per_host: usize,
    /// Hears about waits.
    pub notices: Rc<dyn Notices>,
}

/// The one way to the services.
pub struct Transport {
    pub(super) settings: Settings,
    hosts: RefCell<HashMap<String, Rc<Host>>>,
    bearers: RefCell<Bearers>,
    /// When questions end.
    deadline: Cell<Option<Timestamp>>,
    /// The secrets that were sent and received.
    held: Rc<Held>,
}

/// What all calls to one host share.
struct Host {
    /// Places for requests in flight.
    places: Semaphore,
    pace: RefCell<Pace>,
}

impl Transport {
    /// A transport; makes no connection yet.
    pub fn new(settings: Settings) -> Self {
        let held = Rc::default();
        Self { settings, hosts: RefCell::default(), bearers: RefCell::default(), deadline: Cell::default(), held }
    }

    /// The transport's clock.
    pub fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// From this instant on no question is asked or waited for; none to lift that. Writes aren't concerned: one that was sent is
    /// seen through.
    pub fn ask_until(&self, deadline: Option<Timestamp>) {
        self.deadline.set(deadline);
    }

    /// Signs in to Customer Insights, so that a mistake in the credentials shows before anything else does, and says what
    /// that token names; nothing if it is opaque.
    pub async fn caller(&self) -> Result<Option<Claims>, TokenError> {
        let Some(audience) = self.settings.hosts.audience(Service::CustomerInsights) else { return Ok(None) };
        Ok(self.token(audience).await?.claims())
    }

    /// The tokens that this run obtained so far.
    pub fn bearers(&self) -> Bearers {
        self.bearers.borrow().clone()
    }

    /// The only way to a token: each is taken note of.
    pub(super) async fn token(&self, audience: &'static str) -> Result<Token, TokenError> {
        let token = self.settings.tokens.token(self, audience).await;
        let scrubbed = |TokenError { reason, refused }| TokenError { reason: self.held.scrub(&reason), refused };
        let token = token.map_err(scrubbed)?;
        self.bearers.borrow_mut().note(audience, token.claims());
        Ok(token)
    }

    /// Sends a call until there is an answer, a refusal, or no patience left.
    pub(super) async fn send<E>(&self, call: &Call<E>) -> Result<Answer, CallError> {
        let facts = call.facts();
        let failed = |failure: Failure, attempts, correlation| {
            let failure = failure.scrubbed(&self.held);
            CallError { operation: facts, failure, attempts, correlation }
        };
        let url = self.address(call).map_err(|detail| failed(Failure::HostRefused { detail }, 0, None))?;
        let host = self.host(&url);
        let mut started = self.clock().now();
        let mut number = 0;
        loop {
            number += 1;
            let correlation = self.clock().new_id();
            let progress = host.pace.borrow().progress();
            let (failure, retry_after) = match self.attempt(call, &url, &host, correlation).await {
                Ok(answer) => return Ok(answer),
                Err((failure, retry_after)) => (failure.scrubbed(&self.held), retry_after),
            };
            let now = self.clock().now();
            // Told to slow down while others got through, a call hasn't failed: its turn is still to come.
            if failure.is_throttling() && host.pace.borrow().progress() > progress {
                (number, started) = (number - 1, now);
            }
            let attempt = Try {
                failure: &failure,
                retry_after,
                repeatable: facts.repeatable,
                number: number.max(1),
                elapsed: Duration::try_from(now.duration_since(started)).unwrap_or_default(),
                jitter: correlation.as_bytes()[0],
            };
            let decision = retry::decide(&attempt, self.settings.limits);
            match decision {
                Decision::Wait(wait) if self.is_over(facts, wait) => {
                    return Err(failed(Failure::OutOfTime, number, Some(correlation.to_string())));
                }
                Decision::Wait(wait) => {
                    if failure.is_throttling() {
                        host.pace.borrow_mut().throttled(now, wait);
                    }
                    self.settings.notices.waiting(&Waiting { service: facts.service, failure: &failure, wait });
                    self.clock().sleep(wait).await;
                }
                Decision::Stop => return Err(failed(failure, number, Some(correlation.to_string()))),
                Decision::Impatient(asked) => {
                    let status = match failure {
                        Failure::Status { status, .. } => status,
                        _ => 0,
                    };
                    let throttled = Failure::Throttled { status, seconds: asked.as_secs() };
                    return Err(failed(throttled, number, Some(correlation.to_string())));
                }
            }
        }
    }

    /// Whether a question can't be answered in time any more, if it waits this long first.
    fn is_over(&self, facts: &Facts, wait: Duration) -> bool {
        self.left(facts).is_some_and(|left| left <= wait)
    }

    /// How long a question may still take; none if it may take as long as it likes.
    fn left(&self, facts: &Facts) -> Option<Duration> {
        let deadline = self.deadline.get().filter(|_| facts.effect == Effect::Read)?;
        Some(Duration::try_from(deadline.duration_since(self.clock().now())).unwrap_or_default())
    }

    /// One try, logged.
    async fn attempt<E>(
        &self,
        call: &Call<E>,
        url: &Url,
        host: &Host,
        correlation: Uuid,
    ) -> Result<Answer, (Failure, Option<Duration>)> {
        // First the token, then a place in the queue: fetching a token may need a place at the same host, and whoever
        // waits for the token must not keep that place taken.
        let request = self.request(call, url, correlation).await;
        let _place = host.places.acquire().await;
        loop {
            let wait = host.pace.borrow_mut().take(self.clock().now());
            match wait {
                None => break,
                Some(wait) if self.is_over(call.facts(), wait) => return Err((Failure::OutOfTime, None)),
                Some(wait) => self.clock().sleep(wait).await,
            }
        }
        let began = Instant::now();
        let outcome = match request {
            Ok(_) if self.is_over(call.facts(), Duration::ZERO) => Err((Failure::OutOfTime, None)),
            Ok(request) => self.exchange(call, request, correlation).await,
            Err(failure) => Err((failure, None)),
        };
        let got_through = |failure: &Failure| failure.status().is_some_and(|status| status != 429 && status < 500);
        if outcome.as_ref().map_or_else(|(failure, _)| got_through(failure), |_| true) {
            host.pace.borrow_mut().answered();
        }
        let status = match &outcome {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err((Failure::Status { status, .. }, _)) => status.to_string(),
            Err((failure, _)) => format!("{failure:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned(),
        };
        let Facts { name, method, .. } = *call.facts();
        tracing::debug!(
            target: REQUEST_LOG,
            "{method} {name} -> {status} in {} ms, correlation {correlation}",
            began.elapsed().as_millis()
        );
        outcome
    }

    async fn exchange<E>(
        &self,
        call: &Call<E>,
        request: Request,
        correlation: Uuid,
    ) -> Result<Answer, (Failure, Option<Duration>)> {
        let under_way = self.clock().under_way();
        let url = request.url.clone();
        self.held.note_request(&request);
        let answer = self.settings.exchange.exchange(request);
        let outcome = match self.left(call.facts()) {
            // While a request is under way, a simulated clock stands still.
            Some(left) if !self.clock().is_simulated() => {
                tokio::select! {
                    outcome = answer => outcome,
                    () = self.clock().sleep(left) => return Err((Failure::OutOfTime, None)),
                }
            }
            _ => answer.await,
        };
        drop(under_way);
        let Response { status, headers, body } = outcome.map_err(|broken| (failure(broken), None))?;
        if status.is_success() {
            self.held.note_answer(call.facts(), &body);
            if !call.facts().is_answered_by(status.as_u16()) {
                let detail = format!("its status, {}, isn't that of a whole answer", status.as_u16());
                return Err((Failure::Unreadable { detail }, None));
            }
            let about = subject::check(call.facts(), &call.path, &url, &body);
            about.map_err(|detail| (Failure::Unreadable { detail }, None))?;
            let correlation = Some(correlation.to_string());
            let held = self.held.clone();
            return Ok(Answer { operation: call.facts(), status, headers, body, correlation, held });
        }
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let wait = text(RETRY_AFTER).and_then(|value| retry::retry_after(value, text(DATE), self.clock().now()));
        Err((status_failure(call.facts(), status.as_u16(), &body), wait))
    }

    fn host(&self, url: &Url) -> Rc<Host> {
        let host = url.authority().to_owned();
        let new = || Rc::new(Host { places: Semaphore::new(self.settings.per_host.max(1)), pace: RefCell::default() });
        self.hosts.borrow_mut().entry(host).or_insert_with(new).clone()
    }
}

/// What a broken exchange means for the call: whether the service may have acted decides.
fn failure(broken: Broken) -> Failure {
    let detail = broken.to_string();
    match broken {
        Broken::Unsendable(_) => Failure::Unsendable { detail },
        Broken::TooLong => Failure::Unreadable { detail },
        _ if broken.sent() == Sent::No => Failure::NotSent { detail },
        _ => Failure::NoAnswer { detail },
    }
}

#[cfg(test)]
mod tests;
