//! Private endpoint connections as the world keeps them, whatever they lead to.
//!
//! Words: a connection is *decided* when the owner of the resource has approved or rejected it; a *change* is a decision or a
//! removal that the service is still at work on. What must stay true: what a connection looks like depends on the world and
//! the instant alone, so that a change needs nobody to finish it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A private endpoint connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connection {
    /// Its name, unique within its resource.
    pub name: String,
    /// Full ARM id of the private endpoint that asked for it.
    pub private_endpoint: String,
    /// Where it stands, apart from what `change` is about to do.
    pub status: ConnectionStatus,
    /// Words of its maker, or of whoever decided.
    #[serde(default)]
    pub description: String,
    /// When it was approved or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Timestamp>,
    /// What the service is at work on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ConnectionChange>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionStatus {
    /// Nobody has decided.
    Pending,
    /// Open.
    Approved,
    /// Refused, for good.
    Rejected,
    /// Cut off.
    Disconnected,
}

impl ConnectionStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
            Self::Disconnected => "Disconnected",
        }
    }
}

/// A decision or a removal under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionChange {
    /// The long-running operation that does it.
    pub operation: Uuid,
    /// What is to come; none is the removal.
    pub to: Option<Decision>,
    /// When it ends.
    pub ends: Timestamp,
    /// Whether it ends in failure, which leaves the connection as it was.
    #[serde(default)]
    pub fails: bool,
}

/// What the owner decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decision {
    /// Approved or rejected.
    pub status: ConnectionStatus,
    /// In whose words.
    pub description: String,
}

/// A long-running operation of a resource provider. Kept for good, so that it can be asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArmOperation {
    /// ARM id of what it works on.
    pub target: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// Whether it ends in failure.
    #[serde(default)]
    pub fails: bool,
}

/// What a connection looks like at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look<'a> {
    pub(crate) status: ConnectionStatus,
    pub(crate) description: &'a str,
    pub(crate) work: Work,
    pub(crate) decided: Option<Timestamp>,
}

/// What the service is doing with a connection. Providers have their own words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Rests,
    Decides,
    Removes,
    Failed,
}

impl Connection {
    /// What it looks like at `now`; none if it has been removed by then. While a decision is under way it shows already, as in
    /// the published example of Synapse.
    pub(crate) fn at(&self, now: Timestamp) -> Option<Look<'_>> {
        let Self { name: _, private_endpoint: _, status, description, decided, change } = self;
        let as_it_is = |work| Look { status: *status, description, work, decided: *decided };
        let Some(ConnectionChange { operation: _, to, ends, fails }) = change else {
            return Some(as_it_is(Work::Rests));
        };
        let over = now >= *ends;
        match to {
            _ if over && *fails => Some(as_it_is(Work::Failed)),
            None if over => None,
            None => Some(as_it_is(Work::Removes)),
            Some(Decision { status, description }) => {
                let work = if over { Work::Rests } else { Work::Decides };
                Some(Look { status: *status, description, work, decided: Some(*ends) })
            }
        }
    }

    /// The same with everything that is over by `now` made part of it; none if it has been removed by then.
    pub(crate) fn settled(mut self, now: Timestamp) -> Option<Self> {
        let Look { status, description, work, decided } = self.at(now)?;
        if matches!(work, Work::Rests) {
            let description = description.to_owned();
            (self.status, self.description, self.decided, self.change) = (status, description, decided, None);
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_takes_place_by_the_clock_alone() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let decision = Decision { status: ConnectionStatus::Approved, description: "fine".into() };
        let cases = [
            (Some(decision.clone()), false, 5, Some((ConnectionStatus::Approved, Work::Decides))),
            (Some(decision.clone()), false, 10, Some((ConnectionStatus::Approved, Work::Rests))),
            (Some(decision), true, 10, Some((ConnectionStatus::Pending, Work::Failed))),
            (None, false, 5, Some((ConnectionStatus::Pending, Work::Removes))),
            (None, false, 10, None),
            (None, true, 10, Some((ConnectionStatus::Pending, Work::Failed))),
        ];
        for (to, fails, second, expected) in cases {
            let change = ConnectionChange { operation: Uuid::nil(), to, ends: at(10), fails };
            let connection = Connection {
                name: "c".into(),
                private_endpoint: "/e".into(),
                status: ConnectionStatus::Pending,
                description: String::new(),
                decided: None,
                change: Some(change),
            };
            assert_eq!(connection.at(at(second)).map(|look| (look.status, look.work)), expected);
            let settled = connection.clone().settled(at(second));
            assert_eq!(settled.as_ref().and_then(|c| c.at(at(second))), connection.at(at(second)));
        }
    }
}
