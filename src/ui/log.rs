//! The log, on standard error and only with `-v`: `-v` tells what palisade does, `-vv` each request, `-vvv` all there is.
//!
//! Invariants: an event is one line, whatever it quotes, and nothing in it can steer a terminal.

use std::io::{self, Write};

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::terms::text::printable;

/// Starts logging. Without `-v` there is no log at all.
#[expect(clippy::disallowed_methods, reason = "this is the place that prints")]
pub fn start_log(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => Level::INFO,
        2 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let own = Targets::new().with_target("palisade", level).with_default(LevelFilter::OFF);
    let writer = || Lines(io::stderr());
    let lines = tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_writer(writer);
    // A second call, as in tests, keeps the first log.
    let _ = tracing_subscriber::registry().with(own).with(lines).try_init();
}

/// Writes each event as one printable line. The layer hands over an event at a time, with the end of its line.
struct Lines<W>(W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').map_or_else(|| printable(&text), |line| printable(line) + "\n");
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_that_steers_nothing() {
        let mut written = Vec::new();
        let event = "INFO the tenant calls it a\nERROR forged\u{1b}[2J\u{202e}\n";
        Lines(&mut written).write_all(event.as_bytes()).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written, "INFO the tenant calls it a\u{fffd}ERROR forged\u{fffd}[2J\u{fffd}\n");
    }
}
