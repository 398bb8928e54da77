//! Both keys of an environment, for a person.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use crate::report::colour::{DIM, GOOD, HEADING, paint};
use crate::settings::api_access::keys::{Age, Overview, SlotView, Standing};
use crate::terms::text::printable;

/// The overview as text, with escape codes for colour.
pub(super) fn text(environment: &str, overview: &Overview, now: Timestamp) -> String {
    let Overview { published_as, slots, now: holds, rotation_due, retirement_due, incomplete: _ } = overview;
    let mut out = format!("{} API keys, published as {published_as}\n", paint(HEADING, environment));
    for SlotView { slot, standing, age, fingerprint } in slots {
        let standing = match standing {
            Standing::InUse => paint(GOOD, format!("{:<7}", "in use")),
            Standing::Standby => "standby".to_owned(),
            Standing::Unknown => "unknown".to_owned(),
        };
        let short: String = fingerprint.to_string().chars().take(12).collect();
        let fingerprint = paint(DIM, format!("fingerprint {short}"));
        let _ = writeln!(out, "  {:<9}  {standing}  {:<38}  {fingerprint}", slot.name(), aged(*age, now));
    }
    let _ = writeln!(out, "Now: {}", printable(holds));
    for (what, due) in [("Next rotation", rotation_due), ("Retirement of the standby key", retirement_due)] {
        if let Some(due) = due {
            // As the dates are counted, from one day to the other.
            let ahead = (days_of(*due) - days_of(now)).max(0);
            let ahead = if ahead == 1 { "1 day".to_owned() } else { format!("{ahead} days") };
            let _ = writeln!(out, "{what}: {} (in {ahead})", day(*due));
        }
    }
    out
}

fn aged(age: Age, now: Timestamp) -> String {
    let old = |since: Timestamp| days(now.duration_since(since));
    match age {
        Age::NotBefore(issued) => format!("{} old", old(issued)),
        Age::Published(since) => format!("at least {} old", old(since)),
        Age::PublishedUntil(until) => format!("age unknown, in use until {}", day(until)),
        Age::Unknown => "age unknown".to_owned(),
    }
}

fn days(duration: SignedDuration) -> String {
    match duration.as_hours() / 24 {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// Days since the epoch, in UTC.
fn days_of(instant: Timestamp) -> i64 {
    instant.as_second().div_euclid(24 * 60 * 60)
}

fn day(instant: Timestamp) -> impl std::fmt::Display {
    instant.strftime("%-d %B %Y")
}
