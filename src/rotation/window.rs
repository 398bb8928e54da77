//! Maintenance windows: when rotation and retirement may happen.
//!
//! A window is written `Mon-Thu 08:00-15:00 Europe/Berlin`: days, the wall clock, an IANA time zone. One whose end is
//! not after its start goes over midnight and belongs to the day on which it starts. Daylight saving time: a time that
//! the clocks skip counts as the same distance after the gap, one that they show twice counts as the first of the two.
//! What must stay true: the zones come from the database in the binary, so that a bare machine gives the same answer.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// A span of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    text: String,
    /// By weekday, Monday first.
    days: [bool; 7],
    start: Time,
    /// None is midnight at the end of the day.
    end: Option<Time>,
    zone: TimeZone,
}

/// Why a text isn't a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowProblem {
    /// It doesn't have the three parts.
    #[error("a window is days, hours and a time zone, such as `Mon-Thu 08:00-15:00 Europe/Berlin`")]
    Form,
    /// A day that isn't one.
    #[error(
        "`{0}` isn't a day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun, ranges such as Mon-Thu, or a list with commas"
    )]
    Day(String),
    /// A time that isn't one.
    #[error("`{0}` isn't a time of the day: write 08:00 to 23:59, or 24:00 for the end of a day")]
    Time(String),
    /// It starts when it ends.
    #[error("a window that ends when it starts is either never or always open; leave `windows` out for always")]
    Empty,
    /// A zone that isn't one.
    #[error("`{0}` isn't a time zone: write an IANA name such as Europe/Berlin, or UTC")]
    Zone(String),
}

impl FromStr for Window {
    type Err = WindowProblem;

    fn from_str(text: &str) -> Result<Self, WindowProblem> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let &[days, hours, zone] = parts.as_slice() else { return Err(WindowProblem::Form) };
        let (start, end) = hours.split_once('-').ok_or(WindowProblem::Form)?;
        let (start, end) = (parse_start(start)?, parse_end(end)?);
        if end == Some(start) {
            return Err(WindowProblem::Empty);
        }
        let zone = TimeZoneDatabase::bundled().get(zone).map_err(|_| WindowProblem::Zone(zone.to_owned()))?;
        Ok(Self { text: parts.join(" "), days: parse_days(days)?, start, end, zone })
    }
}

fn parse_days(text: &str) -> Result<[bool; 7], WindowProblem> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_day(first)?, parse_day(last)?);
        // `Fri-Mon` goes over the end of the week.
        let length = (last + 7 - first) % 7;
        (0..=length).for_each(|offset| days[(first + offset) % 7] = true);
    }
    Ok(days)
}

fn parse_day(text: &str) -> Result<usize, WindowProblem> {
    DAYS.iter().position(|(name, _)| *name == text).ok_or_else(|| WindowProblem::Day(text.to_owned()))
}

fn parse_start(text: &str) -> Result<Time, WindowProblem> {
    let bad = || WindowProblem::Time(text.to_owned());
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i8>().ok().filter(|_| digits)
    };
    let (hour, minute) = text.split_once(':').ok_or_else(bad)?;
    let (hour, minute) = (two_digits(hour).ok_or_else(bad)?, two_digits(minute).ok_or_else(bad)?);
    Time::new(hour, minute, 0, 0).map_err(|_| bad())
}

fn parse_end(text: &str) -> Result<Option<Time>, WindowProblem> {
    if text == "24:00" { Ok(None) } else { parse_start(text).map(Some) }
}

impl Window {
    /// Whether it is open.
    pub fn contains(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(self.zone.clone()).date();
        // Yesterday's may still be open; a gap of a whole day (Samoa skipped one) can push one a day further.
        (-2..=1).any(|offset| self.on(today, offset).is_some_and(|(start, end)| start <= now && now < end))
    }

    /// The first instant from `now` on at which it is open.
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        if self.contains(now) {
            return Some(now);
        }
        let today = now.to_zoned(self.zone.clone()).date();
        // A shift of the clocks can swallow one window, never those of two weeks.
        (-1..=15)
            .filter_map(|offset| self.on(today, offset))
            .filter(|(start, end)| *start >= now && start < end)
            .map(|(start, _)| start)
            .min()
    }

    /// Start and end of the window that starts `offset` days from `today`, if there is one.
    fn on(&self, today: Date, offset: i32) -> Option<(Timestamp, Timestamp)> {
        let day = today.checked_add(offset.days()).ok()?;
        let index = usize::try_from(day.weekday().to_monday_zero_offset()).ok()?;
        if !self.days.get(index).copied().unwrap_or(false) {
            return None;
        }
        let (last, end) = match self.end {
            Some(end) if end > self.start => (day, end),
            Some(end) => (day.tomorrow().ok()?, end),
            None => (day.tomorrow().ok()?, Time::midnight()),
        };
        let instant = |date: Date, time: Time| {
            date.to_datetime(time).to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
        };
        Some((instant(day, self.start)?, instant(last, end)?))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_hours_and_zone_bound_it() {
        let office = window("Mon-Thu 08:00-15:00 Europe/Berlin");
        // 2026-11-20 is a Friday; Berlin is one hour ahead of UTC in winter.
        assert!(office.contains(at("2026-11-19T07:00:00Z")));
        assert!(!office.contains(at("2026-11-19T06:59:59Z")));
        assert!(!office.contains(at("2026-11-19T14:00:00Z")));
        assert!(!office.contains(at("2026-11-20T09:00:00Z")));
        assert_eq!(office.opens(at("2026-11-20T09:00:00Z")), Some(at("2026-11-23T07:00:00Z")));
        assert_eq!(office.opens(at("2026-11-19T09:00:00Z")), Some(at("2026-11-19T09:00:00Z")));
        // Summer: two hours ahead.
        assert!(office.contains(at("2026-07-01T06:00:00Z")));
    }

    #[test]
    fn over_midnight_it_belongs_to_the_day_on_which_it_starts() {
        let night = window("Fri 22:00-04:00 UTC");
        assert!(night.contains(at("2026-11-20T23:00:00Z")));
        assert!(night.contains(at("2026-11-21T03:59:59Z")));
        assert!(!night.contains(at("2026-11-20T03:00:00Z")));
        assert!(!night.contains(at("2026-11-21T04:00:00Z")));
        let late = window("Sun 22:00-24:00 UTC");
        assert!(late.contains(at("2026-11-22T23:59:59Z")));
        assert!(!late.contains(at("2026-11-23T00:00:00Z")));
    }

    #[test]
    fn ranges_wrap_and_lists_add_up() {
        let long = window("Sat-Mon,Wed 10:00-11:00 UTC");
        let open: Vec<bool> = (16..23).map(|day| long.contains(at(&format!("2026-11-{day}T10:30:00Z")))).collect();
        assert_eq!(open, [true, false, true, false, false, true, true]);
    }

    #[test]
    fn clocks_that_jump_shift_it_or_count_once() {
        // On 2026-03-29 Berlin goes from 02:00 to 03:00: the window inside the gap opens as late after it.
        let gap = window("Sun 02:15-02:45 Europe/Berlin");
        assert_eq!(gap.opens(at("2026-03-29T00:00:00Z")), Some(at("2026-03-29T01:15:00Z")));
        assert!(gap.contains(at("2026-03-29T01:44:59Z")));
        assert!(!gap.contains(at("2026-03-29T01:45:00Z")));
        // On 2026-10-25 Berlin shows 02:00 to 03:00 twice: only the first counts.
        let fold = window("Sun 02:15-02:45 Europe/Berlin");
        assert!(fold.contains(at("2026-10-25T00:30:00Z")));
        assert!(!fold.contains(at("2026-10-25T01:30:00Z")));
        // One around the fold is an hour longer than its clock says.
        let around = window("Sun 01:00-04:00 Europe/Berlin");
        assert!(around.contains(at("2026-10-25T02:59:59Z")));
        assert!(!around.contains(at("2026-10-25T03:00:00Z")));
    }

    #[test]
    fn a_day_that_a_zone_skipped_loses_its_window_or_moves_it() {
        // Samoa had no 2011-12-30, a Friday.
        let friday = window("Fri 10:00-11:00 Pacific/Apia");
        let opens = friday.opens(at("2011-12-29T22:00:00Z")).unwrap();
        assert!(friday.contains(opens));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let problem = |text: &str| text.parse::<Window>().unwrap_err();
        assert_eq!(problem("Mon 08:00-15:00"), WindowProblem::Form);
        assert_eq!(problem("Mon 08:00 15:00"), WindowProblem::Form);
        assert_eq!(problem("Mo-Thu 08:00-15:00 UTC"), WindowProblem::Day("Mo".into()));
        assert_eq!(problem("Mon, 08:00-15:00 UTC"), WindowProblem::Day(String::new()));
        assert_eq!(problem("Mon 8:00-15:00 UTC"), WindowProblem::Time("8:00".into()));
        assert_eq!(problem("Mon 24:00-15:00 UTC"), WindowProblem::Time("24:00".into()));
        assert_eq!(problem("Mon +8:00-15:00 UTC"), WindowProblem::Time("+8:00".into()));
        assert_eq!(problem("Mon 08:00-08:00 UTC"), WindowProblem::Empty);
        assert_eq!(problem("Mon 08:00-15:00 Europe/Berlim"), WindowProblem::Zone("Europe/Berlim".into()));
    }

    proptest::proptest! {
        #[test]
        fn what_opens_is_open_and_was_not_before(seconds in 1_700_000_000_i64..1_900_000_000) {
            let now = Timestamp::from_second(seconds).unwrap();
            for text in ["Mon-Thu 08:00-15:00 Europe/Berlin", "Fri 22:00-04:00 America/New_York", "Sun 02:15-02:45 Europe/Berlin"] {
                let window = window(text);
                let opens = window.opens(now).unwrap();
                proptest::prop_assert!(window.contains(opens));
                proptest::prop_assert!(opens == now || !window.contains(now));
                proptest::prop_assert!(opens == now || !window.contains(opens - jiff::SignedDuration::from_secs(1)));
            }
        }
    }
}
