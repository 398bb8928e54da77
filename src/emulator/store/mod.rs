//! Where a world is kept: in memory, or in a file that one process owns.
//!
//! On file a world is one readable document, and beside it, while a process changes it, a log with a line for each change
//! ([`log`]). A change is in the log before its answer leaves; the document is rewritten when the log outgrows it and at a
//! clean end, which leaves no log. So a write costs what it changes, not what there is. Opening makes the changes of a log
//! that a killed process left.
//!
//! A line of the log is handed to the operating system and not forced to the disk: that survives the end of the process,
//! however it comes, and not a power cut, after which the latest changes may be missing.
//!
//! Invariants: a change is either complete, on file and visible, or it never happened; at any point a crash leaves a whole
//! world, with every change that was answered; a file that isn't a world, and a log that isn't this world's, is never
//! overwritten; two processes never write one file; a process that may not write gets a whole world all the same.

mod files;
mod log;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use self::files::failed;
use self::log::Log;
use super::world::{Change, FORMAT, Patch, World};
use crate::terms::digest;

/// A log shorter than this is never worth rewriting the world for.
const SHORT_LOG: u64 = 256 * 1024;

/// How often a copy is tried while another process rewrites the files; each time it must have done so again.
const COPIES: usize = 100;

/// What can go wrong with a world file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("cannot {action} the emulator's world {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("the emulator's world {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The path is a symbolic link.
    #[error("{} is a symbolic link; the emulator keeps its world only in a file of its own", .0.display())]
    Symlink(PathBuf),
    /// The file is something else.
    #[error("{} is not a world of the emulator: {reason}. It was left as it is; move it away, or give another --emulator-state", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What doesn't fit.
        reason: String,
    },
    /// The log is something else.
    #[error("{} is not the log of the emulator's world beside it: {reason}. Both were left as they are; move the log away to go on without its changes", path.display())]
    ForeignLog {
        /// The log.
        path: PathBuf,
        /// What doesn't fit.
        reason: String,
    },
}

/// A world and the place where it is kept.
#[derive(Debug)]
pub struct Store(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    world: World,
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    log_path: PathBuf,
    /// Digest of the world file.
    base: String,
    /// Length of the world file.
    base_length: u64,
    /// Length of the log; 0 if nothing is in it that isn't in the world file.
    log_length: u64,
    /// Held for as long as the store lives; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl Store {
    /// A world that is forgotten at the end.
    pub fn memory(world: World) -> Self {
        Self::of(world, None)
    }

    fn of(mut world: World, place: Option<Place>) -> Self {
        world.settle();
        Self(Mutex::new(Kept { world, place }))
    }

    /// Opens the world in `path`, or creates one without a tenant (seeding binds it).
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        files::create_parent(&path)?;
        let lock = files::lock(&path)?;
        files::remove_leftovers(&path);
        let log_path = files::beside(&path, ".log");
        let (base, log) = (files::read(&path)?, files::read(&log_path)?);
        let found = base.as_deref().map(|base| Found::of(&path, base, log.as_deref())).transpose()?;
        if found.is_none() && log.is_some_and(|log| !log.is_empty()) {
            return Err(StoreError::ForeignLog { path: log_path, reason: "the world file is gone".to_owned() });
        }
        let mut place = Place { path, log_path, base: String::new(), base_length: 0, log_length: 0, _lock: lock };
        let world = match found {
            Some(Found { base, base_length, world, log_length }) => {
                (place.base, place.base_length) = (base, base_length);
                match log_length {
                    Some(length) => place.take_up(length, &world)?,
                    None => files::remove(&place.log_path).map_err(failed("remove the log of", &place.path))?,
                }
                world
            }
            None => {
                let world = World::new(None);
                place.rewrite(&world)?;
                world
            }
        };
        Ok(Self::of(world, Some(place)))
    }

    /// A copy, in memory, of the world that another process keeps in `path`, with every change that it has answered; none
    /// if there is no file yet.
    pub fn copy_of(path: &Path) -> Result<Option<Self>, StoreError> {
        let log_path = files::beside(path, ".log");
        let mut refused = None;
        for _ in 0..COPIES {
            let Some(base) = files::read(path)? else { return Ok(None) };
            let log = files::read(&log_path)?;
            match Found::of(path, &base, log.as_deref()) {
                // The file was the same before and after, so the log that was there in between says what to make of it.
                Ok(found) if files::read(path)?.as_ref() == Some(&base) => return Ok(Some(Self::memory(found.world))),
                Ok(_) => {}
                Err(error @ StoreError::ForeignLog { .. }) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| StoreError::InUse(path.to_owned())))
    }

    /// Looks at the world.
    pub fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.lock().world)
    }

    /// Changes the world. If `change` fails, or what it did can't be kept, nothing has happened.
    pub fn change<R, E: From<StoreError>>(&self, change: impl FnOnce(&mut World) -> Result<R, E>) -> Result<R, E> {
        let mut kept = self.lock();
        let Kept { world, place } = &mut *kept;
        let mut under_way = Change::of(world);
        let result = change(under_way.world())?;
        if let Some(place) = place {
            let differences = under_way.differences().map_err(|e| failed("write", &place.path)(e.into()))?;
            if !differences.is_empty() {
                place.append(differences)?;
            }
        }
        under_way.complete();
        if let Some(place) = place.as_mut().filter(|place| place.log_length > place.base_length.max(SHORT_LOG)) {
            // The change is in the log: that the world can't be rewritten now is no failure of it. The next change tries again.
            let _ = place.rewrite(world);
        }
        Ok(result)
    }

    /// Writes the world file, so that it has everything and there is no log.
    pub fn save(&self) -> Result<(), StoreError> {
        let mut kept = self.lock();
        let Kept { world, place } = &mut *kept;
        match place {
            Some(place) if place.log_length > 0 => place.rewrite(world),
            _ => Ok(()),
        }
    }

    /// Writes the world file and leaves it to other processes. What is changed from now on is forgotten at the end.
    pub fn let_go(&self) -> Result<(), StoreError> {
        self.save()?;
        self.lock().place = None;
        Ok(())
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<PathBuf> {
        self.lock().place.as_ref().map(|p| p.path.clone())
    }

    // A panic elsewhere can't leave a half-changed world: an unfinished change is undone.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clean end leaves the world file alone. If it can't be written, the log stays, and nothing is lost.
impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.save();
    }
}

impl Place {
    /// Adds a change to the log.
    fn append(&mut self, differences: Vec<Patch>) -> Result<(), StoreError> {
        let failed = failed("write the log of", &self.path);
        files::refuse_symlink(&self.log_path)?;
        let line = log::change(differences).map_err(|e| failed(e.into()))?;
        self.append_bytes(line).map_err(failed)
    }

    fn append_bytes(&mut self, line: Vec<u8>) -> std::io::Result<()> {
        let begins = self.log_length == 0;
        let (mut file, bytes) = if begins {
            // What may lie there is contained in the world file.
            let mut bytes = log::head(&self.base)?;
            bytes.extend(line);
            (files::private().truncate(true).write(true).open(&self.log_path)?, bytes)
        } else {
            // Opened anew each time, so that a log that was taken away isn't written into the void.
            (File::options().append(true).open(&self.log_path)?, line)
        };
        if file.metadata()?.len() != self.log_length {
            return Err(std::io::Error::other("another program has changed it"));
        }
        let written = file.write_all(&bytes);
        if let Err(error) = written {
            // Else the next line would be glued to half of this one. If this fails, too, the length tells it then.
            let _ = file.set_len(self.log_length);
            return Err(error);
        }
        self.log_length += bytes.len() as u64;
        Ok(())
    }

    /// Writes the whole world anew, without a log.
    fn rewrite(&mut self, world: &World) -> Result<(), StoreError> {
        let failed = failed("write", &self.path);
        let mut content = serde_json::to_vec_pretty(world).map_err(|e| failed(e.into()))?;
        content.push(b'\n');
        let base = digest::of_bytes(&content);
        let finished = files::prepare(&self.path, &content).map_err(&failed)?;
        if self.log_length > 0 {
            let line = log::contained_in(&base).map_err(|e| failed(e.into()))?;
            self.append_bytes(line).map_err(&failed)?;
        }
        files::replace(&self.path, finished)?;
        (self.base, self.base_length, self.log_length) = (base, content.len() as u64, 0);
        // If it stays, it is contained in the file, and says so itself.
        let _ = files::remove(&self.log_path);
        Ok(())
    }

    /// Ends a log that another process left, of which so much is whole and `world` came.
    fn take_up(&mut self, whole: u64, world: &World) -> Result<(), StoreError> {
        let log = File::options().write(true).open(&self.log_path);
        log.and_then(|log| log.set_len(whole)).map_err(failed("read the log of", &self.path))?;
        self.log_length = whole;
        self.rewrite(world)
    }
}

/// What lies in a place.
struct Found {
    base: String,
    base_length: u64,
    world: World,
    /// How much of the log is whole, if it continues the world file.
    log_length: Option<u64>,
}

impl Found {
    fn of(path: &Path, base: &[u8], log: Option<&[u8]>) -> Result<Self, StoreError> {
        let text = std::str::from_utf8(base);
        let text = text.map_err(|_| foreign(path, "it is not UTF-8 text"))?;
        let digest = digest::of_bytes(base);
        let foreign_log = |reason| StoreError::ForeignLog { path: files::beside(path, ".log"), reason };
        let mut world = parse(path, text)?;
        let log = log.map_or(Ok(Log::Empty), |log| log::read(log, &digest)).map_err(foreign_log)?;
        let mut log_length = None;
        if let Log::Continues { patches, length } = log {
            let mut document = serde_json::to_value(&world).map_err(|e| foreign(path, e))?;
            log::replay(&mut document, patches).map_err(foreign_log)?;
            world = serde_json::from_value(document).map_err(|e| foreign_log(e.to_string()))?;
            log_length = Some(length);
        }
        Ok(Self { base: digest, base_length: base.len() as u64, world, log_length })
    }
}

fn foreign(path: &Path, reason: impl ToString) -> StoreError {
    StoreError::Foreign { path: path.to_owned(), reason: reason.to_string() }
}

/// Reads a world from the text of a file.
pub(crate) fn parse(path: &Path, text: &str) -> Result<World, StoreError> {
    let value: Value = serde_json::from_str(text).map_err(|e| foreign(path, e))?;
    match value.get("format").and_then(Value::as_str) {
        Some(FORMAT) => {}
        Some(other) => return Err(foreign(path, format!("its format is `{other}`, this version knows `{FORMAT}`"))),
        None => return Err(foreign(path, format!("it has no `format: {FORMAT}`"))),
    }
    // From the text again, since only then the error has a line and a column.
    serde_json::from_str(text).map_err(|e| foreign(path, e))
}
