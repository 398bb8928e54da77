//! Who may send what.
//!
//! [`Reader`] is what observing gets; it takes only operations that the catalogue marks as reads. [`Writer`] is what
//! applying gets. A reader can't be turned into a writer.
//!
//! ```
//! use palisade::azure::{Call, Reader, operations};
//! async fn look(reader: &Reader) {
//!     let _ = reader.send(Call::of(&operations::LIST_ASSIGNMENTS)).await;
//! }
//! ```
//!
//! The same with a write doesn't compile:
//!
//! ```compile_fail
//! use palisade::azure::{Call, Reader, operations};
//! async fn look(reader: &Reader) {
//!     let _ = reader.send(Call::of(&operations::PUT_ASSIGNMENT)).await;
//! }
//! ```
//!
//! Nor does making a writer from a reader, while the other way round does:
//!
//! ```
//! use palisade::azure::{Reader, Writer};
//! fn demote(writer: &Writer) -> &Reader {
//!     writer.reader()
//! }
//! ```
//!
//! ```compile_fail
//! use palisade::azure::{Reader, Writer};
//! fn promote(reader: &Reader) -> &Writer {
//!     reader.writer()
//! }
//! ```

use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::call::{Answer, Call};
use super::error::CallError;
use super::identity::Bearers;
use super::operations::{Read, Write};
use super::transport::Transport;
use super::wait::Waits;

/// Sends reads.
#[derive(Clone)]
pub struct Reader {
    transport: Rc<Transport>,
}

impl Reader {
    /// A reader over a transport.
    pub fn new(transport: Rc<Transport>) -> Self {
        Self { transport }
    }

    /// Sends a read and waits for its whole answer.
    pub async fn send(&self, call: Call<Read>) -> Result<Answer, CallError> {
        self.transport.send(&call).await
    }

    /// The tokens that this run obtained so far.
    pub fn bearers(&self) -> Bearers {
        self.transport.bearers()
    }

    /// What time it is for whoever reads.
    pub fn now(&self) -> Timestamp {
        self.transport.clock().now()
    }
}

/// For a service that asks for patience inside an answer, or whose effects show late.
impl Waits for Reader {
    fn now(&self) -> Timestamp {
        self.now()
    }

    async fn pause(&self, wait: Duration) -> ControlFlow<()> {
        self.transport.clock().pause(wait).await
    }
}

/// Sends writes.
pub struct Writer {
    reader: Reader,
    approval: String,
    patience: Duration,
}

/// How long effects are waited for unless the caller says otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

impl Writer {
    /// A writer over a transport. Only applying a plan may make one; `approval` is the intent digest that was approved.
    pub fn new(transport: Rc<Transport>, approval: impl Into<String>) -> Self {
        Self { reader: Reader::new(transport), approval: approval.into(), patience: PATIENCE }
    }

    /// The same for a caller with this patience.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How long a step that carries out several writes may wait for the effect of each.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The intent digest under which this writer writes.
    pub fn approval(&self) -> &str {
        &self.approval
    }

    /// Sends a write and waits for its answer. A success is not yet an effect: read back.
    pub async fn send(&self, call: Call<Write>) -> Result<Answer, CallError> {
        self.reader.transport.send(&call).await
    }

    /// The same services, for reading.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}
