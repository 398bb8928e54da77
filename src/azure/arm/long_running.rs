//! Writes that go on after their answer.
//!
//! What must stay true: asking is bounded by the patience given; a status address that is gone, closed to the caller, or
//! outside of ARM leads to the next signal, never to a conclusion; only a terminal word ends it.

use std::time::Duration;

use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use serde::{Deserialize, Serialize};
use url::Url;

use super::super::access::Reader;
use super::super::call::{Answer, Call};
use super::super::error::{CallError, Failure};
use super::super::operations::GET_OPERATION_STATUS;
use super::super::wait::{Pause, Seen, Waited, wait_until};

/// What Microsoft's own libraries wait where the service names no time.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
/// So that a service that names no time at all isn't asked without end.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// A write that was accepted and goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LongRunning {
    status: Option<Url>,
    location: Option<Url>,
    wait: Option<Duration>,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Under way; worth asking again after this long.
    Running(Duration),
    /// Done. A success is not yet an effect: read back.
    Done,
    /// It failed or was cancelled.
    Failed {
        /// The service's code, if it had one.
        code: Option<String>,
        /// The service's words, if it had some.
        message: Option<String>,
    },
}

#[derive(Deserialize)]
struct Status {
    status: String,
    error: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: Option<String>,
    message: Option<String>,
}

impl LongRunning {
    /// What the answer to a write says about its going on. Also answers with status 200 may have the headers.
    pub(in super::super) fn of(answer: &Answer) -> Self {
        let address = |name: &str| answer.headers.get(name)?.to_str().ok()?.parse::<Url>().ok();
        Self { status: address("azure-asyncoperation"), location: address(LOCATION.as_str()), wait: asked_wait(answer) }
    }

    /// How far it is, by the first signal that speaks: the status address, then the result's, then what `body` reads as the
    /// resource's `provisioningState` (`None`: there is no such resource, or it has no state).
    pub async fn progress(
        &mut self,
        reader: &Reader,
        body: impl AsyncFn(&Reader) -> Result<Option<String>, CallError>,
    ) -> Result<Progress, CallError> {
        if let Some(address) = self.status.clone() {
            match ask(reader, address).await? {
                Some(answer) => return self.by_status(&answer),
                None => self.status = None,
            }
        }
        if let Some(address) = self.location.clone() {
            match ask(reader, address).await? {
                Some(answer) if answer.status == StatusCode::ACCEPTED => {
                    self.wait = asked_wait(&answer).or(self.wait);
                    return Ok(Progress::Running(self.wait()));
                }
                Some(_) => return Ok(Progress::Done),
                None => self.location = None,
            }
        }
        let state = body(reader).await?;
        Ok(self.by_word(state.as_deref().unwrap_or("Succeeded"), None))
    }

    fn by_status(&mut self, answer: &Answer) -> Result<Progress, CallError> {
        let Status { status, error } = answer.json()?;
        self.wait = asked_wait(answer).or(self.wait);
        let words = |text: Option<String>| text.map(|text| answer.words(&text));
        let error = error.map(|Reason { code, message }| Reason { code: words(code), message: words(message) });
        Ok(self.by_word(&status, error))
    }

    fn by_word(&self, word: &str, error: Option<Reason>) -> Progress {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" | "ready" => Progress::Done,
            "failed" | "canceled" | "cancelled" => {
                let (code, message) = error.map(|e| (e.code, e.message)).unwrap_or_default();
                Progress::Failed { code: code.or(Some(word.to_owned())), message }
            }
            _ => Progress::Running(self.wait()),
        }
    }

    fn wait(&self) -> Duration {
        self.wait.unwrap_or(DEFAULT_WAIT)
    }
}

/// Asks until the operation has ended, or for as long as `patience` lasts; then it is still [`Progress::Running`].
pub async fn wait(
    reader: &Reader,
    operation: &mut LongRunning,
    patience: Duration,
    body: impl AsyncFn(&Reader) -> Result<Option<String>, CallError>,
) -> Result<Progress, CallError> {
    let mut before_the_first = operation.wait.filter(|wait| !wait.is_zero());
    let look = async || {
        let wait = match before_the_first.take() {
            Some(wait) => wait,
            None => match operation.progress(reader, &body).await? {
                Progress::Running(asked) => asked.max(SHORTEST_WAIT),
                ended => return Ok(Seen::Shown(ended)),
            },
        };
        Ok(Seen::NotYet(wait, Pause::Asked(wait)))
    };
    Ok(match wait_until(reader, patience, look).await? {
        Waited::Shown(ended) => ended,
        Waited::Late(wait) | Waited::Stopped(wait) => Progress::Running(wait),
    })
}

fn asked_wait(answer: &Answer) -> Option<Duration> {
    let text = answer.headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The answer of an address that a header named; none where it leads nowhere, out of ARM, or to what the caller may not see.
async fn ask(reader: &Reader, address: Url) -> Result<Option<Answer>, CallError> {
    match reader.send(Call::of(&GET_OPERATION_STATUS).link(address)).await {
        Ok(answer) => Ok(Some(answer)),
        Err(CallError { failure: Failure::HostRefused { .. }, .. }) => Ok(None),
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(None),
        Err(error) => Err(error),
    }
}
