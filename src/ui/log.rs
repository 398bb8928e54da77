//! The log, on standard error and only with `-v`: `-v` tells what palisade does, `-vv` each request, `-vvv` all there is.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    let lines = tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_writer(std::io::stderr);
    // A second call, as in tests, keeps the first log.
    let _ = tracing_subscriber::registry().with(own).with(lines).try_init();
}
