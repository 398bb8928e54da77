//! Counts over worlds.

use std::collections::BTreeMap;
use std::fmt;

/// What came of worlds.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) worlds: usize,
    pub(crate) environments: usize,
    /// Files that weren't accepted.
    pub(crate) rejected: usize,
    pub(crate) requests: usize,
    pub(crate) events: usize,
    pub(crate) lies: usize,
    /// Plans that were to be carried out, by how they ended.
    pub(crate) plans: usize,
    pub(crate) in_sync: usize,
    pub(crate) unknown: usize,
    pub(crate) waiting: usize,
    /// Refused in every environment, or in some.
    pub(crate) refused: usize,
    pub(crate) refused_in_part: usize,
    /// After which something was written.
    pub(crate) wrote: usize,
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) stopped: usize,
    pub(crate) left: usize,
    /// Writes by kind.
    pub(crate) writes: BTreeMap<String, usize>,
    /// What refused plans, and how often.
    pub(crate) codes: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        let Self {
            worlds,
            environments,
            rejected,
            requests,
            events,
            lies,
            plans,
            in_sync,
            unknown,
            waiting,
            refused,
            refused_in_part,
            wrote,
            done,
            failed,
            stopped,
            left,
            writes,
            codes,
        } = other;
        let pairs = [
            (&mut self.worlds, worlds),
            (&mut self.environments, environments),
            (&mut self.rejected, rejected),
            (&mut self.requests, requests),
            (&mut self.events, events),
            (&mut self.lies, lies),
            (&mut self.plans, plans),
            (&mut self.in_sync, in_sync),
            (&mut self.unknown, unknown),
            (&mut self.waiting, waiting),
            (&mut self.refused, refused),
            (&mut self.refused_in_part, refused_in_part),
            (&mut self.wrote, wrote),
            (&mut self.done, done),
            (&mut self.failed, failed),
            (&mut self.stopped, stopped),
            (&mut self.left, left),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
        for (all, more) in [(&mut self.writes, writes), (&mut self.codes, codes)] {
            for (name, count) in more {
                *all.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// How many writes there were.
    pub(crate) fn written(&self) -> usize {
        self.writes.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |count: usize| format!("{count} ({}%)", count * 100 / self.plans.max(1));
        let Self { worlds, environments, rejected, requests, events, lies, plans, .. } = self;
        writeln!(f, "{worlds} worlds with {environments} environments, {rejected} files not accepted")?;
        writeln!(f, "{requests} requests, {} writes, {events} events, {lies} lies", self.written())?;
        writeln!(
            f,
            "{plans} plans carried out: {} led to writes, {} in sync, {} refused everywhere, {} in part, {} unknown, {} waiting",
            share(self.wrote),
            share(self.in_sync),
            share(self.refused),
            share(self.refused_in_part),
            share(self.unknown),
            share(self.waiting)
        )?;
        let Self { done, failed, stopped, left, .. } = self;
        writeln!(f, "changes: {done} done, {failed} failed, {stopped} refused or not started, {left} waiting")?;
        for (what, counts) in [("writes", &self.writes), ("refused by", &self.codes)] {
            let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            writeln!(f, "{what}: {}", counts.join(", "))?;
        }
        Ok(())
    }
}
