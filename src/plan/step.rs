//! A step: one write of a change, and how to see that it took effect.

use async_trait::async_trait;
use jiff::Timestamp;
use thiserror::Error;

use super::binds::Binds;
use super::hold::Hold;
use crate::azure::operations::Facts;
use crate::azure::{CallError, Reader, Writer};
use crate::terms::ResourceId;

/// Why a step didn't get done.
#[derive(Debug, Clone, Error)]
pub enum StepError {
    /// A call failed; whether it took effect all the same, the call's error tells.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A look just before the write showed that it must not be sent.
    #[error("not sent: {0}")]
    Stopped(String),
    /// A look just before the write could not be read, so nothing was sent: whether it should be isn't known.
    #[error("not sent: {0}")]
    Unread(String),
    /// Something was written, and then it ended elsewhere than planned.
    #[error("{0}")]
    Ended(String),
    /// An effect was waited for, and didn't show in time; a later run goes on from there.
    #[error("{reason}")]
    Late {
        /// What was waited for.
        reason: String,
        /// Whether something had been written.
        wrote: bool,
    },
}

/// What a read after a write shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadBack {
    /// The desired state.
    Shown,
    /// The desired state, and something that a person should know about it.
    ShownBut(String),
    /// What this write could bring about; what is left for the desired state is done by others, or by a later plan.
    LeftToOthers(String),
    /// Something else still, in words; it may come true by waiting.
    NotYet(String),
    /// That the service accepted the write and works on it, for hours or days. The run leaves it at once, unless it was told how
    /// long to wait for such operations; the next one sees it as waiting, by what it observes.
    UnderWay {
        /// Since when, if the service tells.
        since: Option<Timestamp>,
        /// What goes on, in words.
        detail: String,
    },
    /// Nothing, since something could not be read, in words; it may be read by waiting.
    Unread(String),
    /// Something else, in words, that waiting won't change.
    Gone(String),
}

/// One write. Its settings module makes it while comparing; only the apply engine carries it out.
#[async_trait(?Send)]
pub trait Step {
    /// What it does, as an imperative: `give ada@contoso.com the role Admin`.
    fn title(&self) -> String;

    /// The operation that writes.
    fn operation(&self) -> &'static Facts;

    /// All operations that it may send; the rights that it takes follow from them.
    fn operations(&self) -> Vec<&'static Facts> {
        vec![self.operation()]
    }

    /// The Azure resource on which rights for it are needed; none where they aren't Azure's.
    fn on(&self) -> Option<ResourceId> {
        None
    }

    /// Every id that the write depends on: whom, what and where. An implementation takes the step apart in full, so that a
    /// new field can't be left out by mistake.
    fn binds(&self) -> Binds;

    /// What the write must have to itself: no other change, of whichever environment, writes to it meanwhile.
    fn holds(&self) -> Vec<Hold> {
        Vec::new()
    }

    /// The Azure resources that whoever hangs on them loses by it, or loses the use of. A write that deletes something, takes a right
    /// away, disables something or closes a network names them; the guards refuse it where an environment couldn't live without one.
    fn takes(&self) -> Vec<ResourceId> {
        Vec::new()
    }

    /// Whether it runs even after a step that didn't get done, because it leaves things safe.
    fn closes(&self) -> bool {
        false
    }

    /// Whether it sends nothing that changes anything, and its read-back is all there is to it.
    fn only_looks(&self) -> bool {
        false
    }

    /// Sends the write. Success means that the service took it, not that it took effect.
    async fn write(&self, writer: &Writer) -> Result<(), StepError>;

    /// Reads, freshly, whether the desired state shows.
    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError>;
}
