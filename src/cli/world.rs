//! The embedded emulator's world: opened, seeded, told, and shared with other runs.
//!
//! A run that only reads has the world to itself while it creates and seeds it, and then serves a copy. If another run has
//! the world, such as an apply that waits at its prompt, the copy is taken from that run's files, and what is missing in it
//! is added to the copy alone.
//!
//! Invariants: two runs on a fresh folder end with one world; a run that reads doesn't wait for one that writes; a run that
//! writes has the world to itself until it ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::error::CommandError;
use super::seed::wanted;
use super::session::Intent;
use crate::clock::Clock;
use crate::declared::Configuration;
use crate::emulator::{self, Added, SeedError, Store, StoreError};
use crate::report::seeded;

/// How long to wait for another run that has the world.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often to look whether it has ended.
const PAUSE: Duration = Duration::from_millis(25);

/// Which world is wanted, and what for.
pub(super) struct Asked<'a> {
    pub(super) path: &'a Path,
    /// The option that names the path.
    pub(super) option: &'static str,
    /// What the world is to be given.
    pub(super) configuration: Option<&'a Configuration>,
    /// Whether it is given no more than a tenant.
    pub(super) strict: bool,
    pub(super) intent: Intent,
}

impl Asked<'_> {
    /// Opens the world, gives it what it lacks, and tells what that was.
    pub(super) async fn open(&self, clock: &Clock, tell: impl Fn(&str)) -> Result<Store, CommandError> {
        let (store, is_own) = self.find().await?;
        if let Some(configuration) = self.configuration {
            let added = self.seed(&store, configuration, clock)?;
            seeded::lines(&added).iter().for_each(|line| tell(line));
            if self.strict && store.read(|world| world.instances.is_empty()) {
                tell(
                    "emulator: its world has no environments, and --emulator-strict adds none; leave the option out once to \
                     add what the configuration names",
                );
            }
        }
        if is_own && self.intent == Intent::Read {
            store.let_go().context("the emulator's world can't be kept")?;
        }
        Ok(store)
    }

    /// The world itself, or, for reading, a copy of one that another run has.
    async fn find(&self) -> Result<(Store, bool), CommandError> {
        // Another process ends in real time, whatever this run takes for now.
        let clock = Clock::system();
        let mut left = PATIENCE;
        loop {
            match Store::file(self.path) {
                Ok(store) => return Ok((store, true)),
                Err(StoreError::InUse(path)) => {
                    if self.intent == Intent::Read
                        && let Some(copy) = Store::copy_of(&path).map_err(anyhow::Error::from)?
                    {
                        tracing::info!("another process has the emulator's world; this run serves a copy of it");
                        return Ok((copy, false));
                    }
                    if left.is_zero() {
                        return Err(self.in_use(path));
                    }
                }
                Err(error) => return Err(anyhow::Error::from(error).into()),
            }
            clock.sleep(PAUSE).await;
            left = left.saturating_sub(PAUSE);
        }
    }

    fn in_use(&self, path: PathBuf) -> CommandError {
        let error = anyhow::Error::from(StoreError::InUse(path));
        CommandError::new(format!("{error}; waited {} s for it", PATIENCE.as_secs()))
            .hint(format!("run this again when the other one has ended, or use another world: `{} FILE`", self.option))
    }

    fn seed(&self, store: &Store, configuration: &Configuration, clock: &Clock) -> Result<Added, CommandError> {
        let wanted = wanted(configuration);
        let added: Result<Added, SeedError> = store.change(|world| {
            if self.strict { emulator::bind(world, &wanted) } else { emulator::seed(world, &wanted, clock.now()) }
        });
        Ok(added.map_err(anyhow::Error::from)?)
    }
}
