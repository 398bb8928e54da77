//! Operations that go on after their answer, for up to days: lifecycle operations, and how the Power Platform API tells them.
//!
//! Invariants: a handle's address is asked only on hosts of the service, whichever region's; that it isn't found there is no
//! success ([`Polled::Gone`]): the environment and its list of operations say what became of it; a state that isn't known is
//! not an end; an operation's own success isn't an effect yet.

use std::time::Duration;

use http::StatusCode;
use http::header::{DATE, LOCATION, RETRY_AFTER};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::words::words;
use super::{EnvironmentId, Paging, list as pages};
use crate::azure::access::Reader;
use crate::azure::call::{Answer, Call};
use crate::azure::error::CallError;
use crate::azure::operations::{
    ADMIN_GET_LIFECYCLE_OPERATION, ADMIN_LIST_LIFECYCLE_OPERATIONS, PLATFORM_GET_OPERATION, PLATFORM_LIST_OPERATIONS,
    Service,
};
use crate::azure::retry;
use crate::azure::wait::{Pause, Seen, Waited, wait_until};
use wire::{Published, Wire};

mod wire;

/// What Microsoft's own modules wait where the service names no time.
const DEFAULT_WAIT: Duration = Duration::from_secs(15);
/// So that a service that names no time at all isn't asked without end.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

words! {
    /// What an operation does.
    Kind {
        /// Links an environment that is on Microsoft's key to an encryption policy.
        NewCustomerManagedKey = "NewCustomerManagedKey",
        /// Links an environment to an encryption policy over another one.
        RotateCustomerManagedKey = "RotateCustomerManagedKey",
        /// Unlinks an environment from its encryption policy.
        RevertToMicrosoftKey = "RevertToMicrosoftKey",
        /// Makes an environment a managed one.
        EnableGovernanceConfiguration = "EnableGovernanceConfiguration",
        /// Changes the settings of a managed environment.
        UpdateGovernanceConfiguration = "UpdateGovernanceConfiguration",
        /// Makes an environment an ordinary one.
        DisableGovernanceConfiguration = "DisableGovernanceConfiguration",
        /// Brings an environment back that was disabled.
        Enable = "Enable",
        /// Empties an environment, which puts it back on a key of Microsoft's.
        Reset = "Reset",
        /// Deletes an environment.
        Delete = "Delete",
        /// Changes who manages the key of an environment, in the way that came before enterprise policies.
        UpdateProtectionStatus = "UpdateProtectionStatus",
    }
}

words! {
    /// How far an operation, or a stage of one, is.
    State {
        /// It waits for its turn.
        NotStarted = "NotStarted",
        /// It is going on.
        Running = "Running",
        /// It ended well.
        Succeeded = "Succeeded",
        /// It ended badly.
        Failed = "Failed",
        /// It was ended.
        Canceled = "Canceled",
    }
}

impl State {
    /// Whether it has ended. A state that isn't known hasn't, as far as is known.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// Whether it surely hasn't.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::NotStarted | Self::Running)
    }
}

/// An operation on an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// What it does.
    pub kind: Option<Kind>,
    /// How far it is.
    pub state: State,
    /// The environment; none if the service doesn't say.
    pub environment: Option<EnvironmentId>,
    /// When it was asked for.
    pub created: Option<Timestamp>,
    /// When something happened to it last, or when it ended.
    pub last_action: Option<Timestamp>,
    /// Who asked for it, by the best name that the service has.
    pub requested_by: Option<String>,
    /// Its stages, in their order; of one that failed, the list may end with the stage that did.
    pub stages: Vec<Stage>,
    /// Why it failed.
    pub error: Option<Reason>,
}

/// A stage of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name, such as `Validate`, `Prepare`, `Run`, `Finalize`.
    pub name: String,
    /// How far it is.
    pub state: State,
}

/// Why an operation failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// The service's code.
    pub code: Option<String>,
    /// The service's words.
    pub message: Option<String>,
}

impl Operation {
    /// The stage that it failed at, or is at: of one that failed, the last that did, else the last that the list has.
    pub fn stage(&self) -> Option<&Stage> {
        let last = |state: &State| self.stages.iter().rfind(|stage| stage.state == *state);
        match self.state {
            State::Failed => last(&State::Failed).or(self.stages.last()),
            State::Succeeded | State::Canceled => self.stages.last(),
            _ => last(&State::Running).or_else(|| self.stages.iter().find(|stage| !stage.state.is_over())),
        }
    }

    fn scrubbed(mut self, answer: &Answer) -> Self {
        let words = |text: Option<String>| text.map(|text| answer.words(&text));
        self.error = self.error.map(|Reason { code, message }| Reason { code: words(code), message: words(message) });
        self
    }
}

/// What leads back to an operation that was started, also in another run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handle {
    /// Where it is told; none if the answer named no address of an operation.
    address: Option<Url>,
    /// Whether that is the Power Platform API's.
    published: bool,
    wait: Option<Duration>,
}

impl Handle {
    /// What the answer that accepted an operation says about it, in either of its two headers.
    pub(super) fn of(answer: &Answer) -> Self {
        let header = |name: &str| answer.headers.get(name)?.to_str().ok()?.parse::<Url>().ok();
        let address = header("operation-location").or_else(|| header(LOCATION.as_str()));
        let published = answer.operation.service == Service::PowerPlatform;
        Self { address, published, wait: asked_wait(answer) }
    }

    /// The operation's id; none if the service named no address for it, and only the list of the environment's operations leads
    /// to it.
    pub fn operation_id(&self) -> Option<String> {
        let mut segments = self.address.as_ref()?.path_segments()?.rev();
        let (id, parent) = (segments.next()?, segments.next()?);
        let known = ["lifecycleOperations", "operations"].iter().any(|known| parent.eq_ignore_ascii_case(known));
        (known && !id.is_empty()).then(|| id.to_owned())
    }

    /// How long to wait before it is worth asking.
    pub fn wait(&self) -> Duration {
        self.wait.unwrap_or(DEFAULT_WAIT).max(SHORTEST_WAIT)
    }
}

/// What asking about an operation brought.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// The operation.
    Seen(Operation),
    /// It goes on, and nothing more is said: the answer was 202, or 409 as if something else were in the way.
    Running,
    /// The service doesn't find it. That it succeeded doesn't follow: read the environment, and the list of its operations.
    Gone,
    /// The service named no address, so there is nothing to ask: find it in the list of the environment's operations.
    NoAddress,
}

/// Asks about an operation once. `GET {address}`
pub async fn poll(reader: &Reader, handle: &mut Handle) -> Result<Polled, CallError> {
    let (Some(address), Some(id)) = (handle.address.clone(), handle.operation_id()) else {
        return Ok(Polled::NoAddress);
    };
    let entry = if handle.published { &PLATFORM_GET_OPERATION } else { &ADMIN_GET_LIFECYCLE_OPERATION };
    match reader.send(Call::of(entry).path("operationId", &id).at(address)).await {
        Ok(answer) => {
            handle.wait = asked_wait(&answer).or(handle.wait);
            match answer.status {
                StatusCode::ACCEPTED if answer.is_empty() => Ok(Polled::Running),
                _ => parsed(&answer, handle.published).map(Polled::Seen),
            }
        }
        Err(error) if error.status() == Some(404) => Ok(Polled::Gone),
        Err(error) if error.status() == Some(409) => Ok(Polled::Running),
        Err(error) => Err(error),
    }
}

/// How waiting for an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It has ended, well or not.
    Ended(Operation),
    /// It can't be asked about any more; see [`Polled::Gone`] and [`Polled::NoAddress`].
    Lost,
    /// Patience ran out; what was seen of it last.
    Running(Option<Operation>),
}

/// Asks until the operation has ended, for as long as `patience` lasts.
pub async fn wait(reader: &Reader, handle: &mut Handle, patience: Duration) -> Result<Settled, CallError> {
    let mut first = handle.wait.filter(|wait| !wait.is_zero());
    let look = async || {
        if let Some(wait) = first.take() {
            return Ok(Seen::NotYet(None, Pause::Asked(wait)));
        }
        Ok(match poll(reader, handle).await? {
            Polled::Seen(operation) if operation.state.is_over() => Seen::Shown(Settled::Ended(operation)),
            Polled::Seen(operation) => Seen::NotYet(Some(operation), Pause::Asked(handle.wait())),
            Polled::Running => Seen::NotYet(None, Pause::Asked(handle.wait())),
            Polled::Gone | Polled::NoAddress => Seen::Shown(Settled::Lost),
        })
    };
    Ok(match wait_until(reader, patience, look).await? {
        Waited::Shown(settled) => settled,
        Waited::Late(seen) | Waited::Stopped(seen) => Settled::Running(seen),
    })
}

/// One lifecycle operation. `GET …/lifecycleOperations/{id}`
pub async fn get(reader: &Reader, id: &str) -> Result<Operation, CallError> {
    parsed(&reader.send(Call::of(&ADMIN_GET_LIFECYCLE_OPERATION).path("operationId", id)).await?, false)
}

/// The lifecycle operations of an environment, newest first: the whole list or an error. `GET …/lifecycleOperations`
pub async fn list(reader: &Reader, environment: &EnvironmentId) -> Result<Vec<Operation>, CallError> {
    let filter = format!("environment eq '{}'", environment.as_str().replace('\'', "''"));
    let first = Call::of(&ADMIN_LIST_LIFECYCLE_OPERATIONS).query("$filter", filter);
    let (wires, answer) = pages::<Wire>(reader, first, Paging::Links).await?;
    of(environment, wires.into_iter().map(Wire::read).collect(), &answer)
}

/// The operations of an environment by the published contract, newest first: the whole list or an error.
/// `GET /environmentmanagement/environments/{id}/operations`
pub async fn list_published(reader: &Reader, environment: &EnvironmentId) -> Result<Vec<Operation>, CallError> {
    let first = super::environments::named(Call::of(&PLATFORM_LIST_OPERATIONS), environment);
    let (wires, answer) = pages::<Published>(reader, first, Paging::Tokens).await?;
    of(environment, wires.into_iter().map(Published::read).collect(), &answer)
}

/// Checks a list of operations, and sorts it.
fn of(environment: &EnvironmentId, all: Vec<Operation>, answer: &Answer) -> Result<Vec<Operation>, CallError> {
    if let Some(other) = all.iter().filter_map(|one| one.environment.as_ref()).find(|one| *one != environment) {
        return Err(answer.unreadable(&format!("it lists an operation on another environment, {other}")));
    }
    let mut ids: Vec<String> = all.iter().map(|one| one.id.to_lowercase()).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(answer.unreadable(&format!("it lists the operation {} twice", pair[0])));
    }
    let mut all: Vec<Operation> = all.into_iter().map(|one| one.scrubbed(answer)).collect();
    // The service lists them like that. If it doesn't tell when each began, its order is all there is.
    if all.iter().all(|one| one.created.is_some()) {
        all.sort_by_key(|one| std::cmp::Reverse(one.created));
    }
    Ok(all)
}

fn parsed(answer: &Answer, published: bool) -> Result<Operation, CallError> {
    let operation = if published { answer.json::<Published>()?.read() } else { answer.json::<Wire>()?.read() };
    Ok(operation.scrubbed(answer))
}

fn asked_wait(answer: &Answer) -> Option<Duration> {
    let text = |name: http::header::HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let (value, date) = (text(RETRY_AFTER)?, text(DATE));
    // A date is worth nothing without the service's clock.
    let in_seconds = value.trim_start().starts_with(|c: char| c.is_ascii_digit());
    if in_seconds || date.is_some() { retry::retry_after(value, date, Timestamp::UNIX_EPOCH) } else { None }
}
