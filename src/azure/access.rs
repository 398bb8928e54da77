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

use std::rc::Rc;

use super::call::{Answer, Call};
use super::error::CallError;
use super::operations::{Read, Write};
use super::transport::Transport;

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

    /// Waits, for clients whose services ask for patience inside an answer.
    pub(super) async fn pause(&self, wait: std::time::Duration) {
        self.transport.clock().sleep(wait).await;
    }

    /// The present instant, for clients that wait no longer than they were given.
    pub(super) fn now(&self) -> jiff::Timestamp {
        self.transport.clock().now()
    }
}

/// Sends writes.
pub struct Writer {
    reader: Reader,
}

impl Writer {
    /// A writer over a transport. Only applying a plan may make one.
    pub fn new(transport: Rc<Transport>) -> Self {
        Self { reader: Reader::new(transport) }
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
