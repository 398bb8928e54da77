//! Where a world is kept: in memory, or in a file that one process owns.
//!
//! What must stay true: a change is either complete, on disk and visible, or it never happened; the file is replaced by
//! renaming a finished sibling over it, so that a crash at any point leaves a whole world, the old or the new one; a file
//! that isn't a world is never overwritten; two processes never write one file.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tempfile::NamedTempFile;

use super::world::{FORMAT, World};

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
    #[error("the emulator's world {} is in use by another process; wait for it, or give this one another --emulator-state", .0.display())]
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
}

/// A world and the place where it is kept.
#[derive(Debug)]
pub struct Store {
    world: Mutex<World>,
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// Held for as long as the store lives; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl Store {
    /// A world that is forgotten at the end.
    pub fn memory(world: World) -> Self {
        Self { world: Mutex::new(world), place: None }
    }

    /// Opens the world in `path`, or creates one without a tenant (seeding binds it).
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        create_parent(&path)?;
        let lock = lock(&path)?;
        refuse_symlink(&path)?;
        remove_leftovers(&path);
        let place = Place { path, _lock: lock };
        let world = match fs::read_to_string(&place.path) {
            Ok(text) => parse(&place.path, &text)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let world = World::new(None);
                write(&place.path, &world)?;
                world
            }
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                return Err(StoreError::Foreign { path: place.path, reason: "it is not UTF-8 text".to_owned() });
            }
            Err(source) => return Err(StoreError::Io { action: "read", path: place.path, source }),
        };
        Ok(Self { world: Mutex::new(world), place: Some(place) })
    }

    /// Looks at the world.
    pub fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.lock_world())
    }

    /// Changes the world. If `change` fails, or the file can't be written, nothing has happened.
    pub fn change<R, E: From<StoreError>>(&self, change: impl FnOnce(&mut World) -> Result<R, E>) -> Result<R, E> {
        let mut world = self.lock_world();
        let mut next = world.clone();
        let result = change(&mut next)?;
        if next != *world {
            if let Some(place) = &self.place {
                write(&place.path, &next)?;
            }
            *world = next;
        }
        Ok(result)
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.place.as_ref().map(|p| p.path.as_path())
    }

    // A panic elsewhere can't leave a half-changed world: changes are made on a copy.
    fn lock_world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a world from the text of a file.
pub(crate) fn parse(path: &Path, text: &str) -> Result<World, StoreError> {
    let foreign = |reason: String| StoreError::Foreign { path: path.to_owned(), reason };
    let value: Value = serde_json::from_str(text).map_err(|e| foreign(e.to_string()))?;
    match value.get("format").and_then(Value::as_str) {
        Some(FORMAT) => {}
        Some(other) => return Err(foreign(format!("its format is `{other}`, this version knows `{FORMAT}`"))),
        None => return Err(foreign(format!("it has no `format: {FORMAT}`"))),
    }
    // From the text again, since only then the error has a line and a column.
    serde_json::from_str(text).map_err(|e| foreign(e.to_string()))
}

fn write(path: &Path, world: &World) -> Result<(), StoreError> {
    let io = |source| StoreError::Io { action: "write", path: path.to_owned(), source };
    refuse_symlink(path)?;
    let finished = prepare(path, world).map_err(io)?;
    finished.persist(path).map_err(|e| io(e.error))?;
    // So that the rename survives a power cut, too. From here on the new world is the one that counts, so a failure can't be
    // one of the write. Elsewhere than on Unix a folder can't be opened as a file.
    #[cfg(unix)]
    let _ = File::open(folder(path)).and_then(|f| f.sync_all());
    Ok(())
}

/// Writes the whole world to a sibling of the file (mode 0600, which is how `tempfile` creates it) and syncs it.
fn prepare(path: &Path, world: &World) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(&leftover_prefix(path)).suffix(".tmp").tempfile_in(folder(path))?;
    serde_json::to_writer_pretty(&mut file, world)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn leftover_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Removes what a crash left between writing and renaming. Called under the lock; failing to tidy up is no failure.
fn remove_leftovers(path: &Path) {
    let prefix = leftover_prefix(path);
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".tmp") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn refuse_symlink(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(m) if m.file_type().is_symlink() => Err(StoreError::Symlink(path.to_owned())),
        _ => Ok(()),
    }
}

fn create_parent(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let source = match builder.create(folder(path)) {
        Ok(()) => return Ok(()),
        Err(e) => e,
    };
    Err(StoreError::Io { action: "create the folder of", path: path.to_owned(), source })
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    refuse_symlink(&beside)?;
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let io = |source| StoreError::Io { action: "lock", path: path.to_owned(), source };
    let file = options.open(&beside).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(fs::TryLockError::Error(e)) => Err(io(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::world::Tenant;
    use uuid::Uuid;

    fn bind(world: &mut World) -> Result<(), StoreError> {
        world.tenant = Some(Tenant { id: Uuid::from_u128(7), domain: "example.com".into(), name: "Example".into() });
        Ok(())
    }

    #[test]
    fn a_world_survives_closing_and_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/world.json");
        let store = Store::file(&path).unwrap();
        store.change(bind).unwrap();
        let before = store.read(World::clone);
        drop(store);
        assert_eq!(Store::file(&path).unwrap().read(World::clone), before);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_crash_before_the_rename_leaves_the_old_world() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let store = Store::file(&path).unwrap();
        let old = store.read(World::clone);
        let mut next = old.clone();
        bind(&mut next).unwrap();
        // Kept on disk, as a crashed process would.
        let (_, leftover) = prepare(&path, &next).unwrap().keep().unwrap();
        drop(store);
        let reopened = Store::file(&path).unwrap();
        assert_eq!(reopened.read(World::clone), old);
        assert!(!leftover.exists());
    }

    #[test]
    fn a_failed_change_changes_nothing() {
        let store = Store::memory(World::new(None));
        let failed: Result<(), StoreError> = store.change(|world| {
            bind(world)?;
            Err(StoreError::InUse(PathBuf::new()))
        });
        assert!(failed.is_err());
        assert_eq!(store.read(|w| w.tenant.clone()), None);
    }

    #[test]
    fn foreign_files_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let cases = [
            ("", "EOF"),
            ("[1]", "no `format"),
            (r#"{"format":"palisade.world/9"}"#, "palisade.world/9"),
            (r#"{"format":"palisade.world/1","world":7}"#, "line 1"),
            (
                r#"{"format":"palisade.world/1","world":"00000000-0000-4000-8000-000000000001","tenant":null,"x":1}"#,
                "`x`",
            ),
        ];
        for (text, reason) in cases {
            fs::write(&path, text).unwrap();
            let error = Store::file(&path).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_world_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let first = Store::file(&path).unwrap();
        assert!(matches!(Store::file(&path), Err(StoreError::InUse(_))));
        drop(first);
        assert!(Store::file(&path).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target.json");
        fs::write(&target, "{}").unwrap();
        let link = folder.path().join("world.json");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(Store::file(&link), Err(StoreError::Symlink(_))));
    }
}
