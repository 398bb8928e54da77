//! Operations on the wire, in the two shapes that they have.
//!
//! Invariants: the states of the Power Platform API are told as those of administration; what has no counterpart stays a word of
//! its own.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Kind, Operation, Reason, Stage, State};
use crate::azure::power_platform::EnvironmentId;

/// A lifecycle operation of administration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    id: String,
    state: Id<State>,
    #[serde(rename = "type")]
    kind: Option<Id<Kind>>,
    links: Option<Links>,
    created_date_time: Option<String>,
    last_action_date_time: Option<String>,
    requested_by: Option<Requester>,
    stages: Option<Vec<WireStage>>,
    error: Option<WireReason>,
}

#[derive(Deserialize)]
struct Id<T> {
    id: T,
}

#[derive(Deserialize)]
struct Links {
    environment: Option<Path>,
}

#[derive(Deserialize)]
struct Path {
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Requester {
    id: Option<String>,
    #[serde(alias = "userId")]
    user: Option<String>,
    display_name: Option<String>,
}

impl Requester {
    fn name(self) -> Option<String> {
        [self.display_name, self.id, self.user].into_iter().flatten().find(|name| !name.is_empty())
    }
}

#[derive(Deserialize)]
struct WireStage {
    id: Option<String>,
    name: Option<String>,
    state: Option<Id<State>>,
}

#[derive(Deserialize)]
struct WireReason {
    code: Option<String>,
    message: Option<String>,
}

impl Wire {
    pub(super) fn read(self) -> Operation {
        let path = self.links.and_then(|links| links.environment).and_then(|link| link.path);
        // Of an environment that wasn't made, the path is empty.
        let environment = path.and_then(|path| EnvironmentId::new(path.rsplit('/').next()?).ok());
        let stage = |WireStage { id, name, state }: WireStage| Stage {
            name: id.or(name).unwrap_or_default(),
            state: state.map_or(State::NotStarted, |state| state.id),
        };
        Operation {
            id: self.id,
            kind: self.kind.map(|kind| kind.id),
            state: self.state.id,
            environment,
            created: instant(self.created_date_time),
            last_action: instant(self.last_action_date_time),
            requested_by: self.requested_by.and_then(Requester::name),
            stages: self.stages.unwrap_or_default().into_iter().map(stage).collect(),
            error: self.error.map(|WireReason { code, message }| Reason { code, message }),
        }
    }
}

/// The same as the Power Platform API has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Published {
    operation_id: String,
    name: Option<Kind>,
    status: String,
    start_time: Option<String>,
    end_time: Option<String>,
    error_detail: Option<Detail>,
    requested_by: Option<Requester>,
    stage_statuses: Option<Vec<PublishedStage>>,
    updated_environment: Option<Updated>,
}

#[derive(Deserialize)]
struct Detail {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct PublishedStage {
    name: Option<String>,
    status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    environment_id: Option<EnvironmentId>,
}

/// A state of the Power Platform API, in administration's words. That there was nothing to do is a success.
fn state(word: &str) -> State {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    match word {
        _ if is("Queued") => State::NotStarted,
        _ if is("InProgress") => State::Running,
        _ if is("NoOperation") => State::Succeeded,
        _ if is("ValidationFailed") => State::Failed,
        other => State::read(other),
    }
}

impl Published {
    pub(super) fn read(self) -> Operation {
        let stage = |PublishedStage { name, status }: PublishedStage| Stage {
            name: name.unwrap_or_default(),
            state: status.map_or(State::NotStarted, |word| state(&word)),
        };
        Operation {
            id: self.operation_id,
            kind: self.name,
            state: state(&self.status),
            environment: self.updated_environment.and_then(|updated| updated.environment_id),
            created: instant(self.start_time),
            last_action: instant(self.end_time),
            requested_by: self.requested_by.and_then(Requester::name),
            stages: self.stage_statuses.unwrap_or_default().into_iter().map(stage).collect(),
            error: self.error_detail.map(|Detail { code, message }| Reason { code, message }),
        }
    }
}

fn instant(text: Option<String>) -> Option<Timestamp> {
    text?.parse().ok()
}
