//! The files of a world: the world itself, its lock, and how it is replaced.
//!
//! Invariants: only regular files are read, up to a limit; the world file is replaced by renaming a finished sibling over it;
//! symbolic links aren't followed; what is written is for its owner alone (mode 0600).

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::StoreError;

/// Fails an action on a file.
pub(super) fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path: path.clone(), source }
}

/// The most that is read of a file. A world of a thousand environments has a few megabytes.
const LARGEST: u64 = 512 << 20;

/// The content of a file; none if there is no such file. A pipe would be waited for, and a device never ends.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    refuse_symlink(path)?;
    let read = |named: fs::Metadata| {
        let wrong = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if !named.is_file() {
            return wrong("it isn't a regular file");
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST { wrong("it is too large for a world") } else { Ok(bytes) }
    };
    match fs::metadata(path).and_then(read) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed("read", path)(e)),
    }
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Writes a sibling of the file, which is yet to take its place (mode 0600, which is how `tempfile` creates it).
pub(super) fn prepare(path: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(&leftover_prefix(path)).suffix(".tmp").tempfile_in(folder(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Puts a finished sibling in the file's place.
pub(super) fn replace(path: &Path, finished: NamedTempFile) -> Result<(), StoreError> {
    refuse_symlink(path)?;
    finished.persist(path).map_err(|e| failed("write", path)(e.error))?;
    // So that the rename survives a power cut, too. From here on the new world is the one that counts, so a failure can't be
    // one of the write. Elsewhere than on Unix a folder can't be opened as a file.
    #[cfg(unix)]
    let _ = File::open(folder(path)).and_then(|f| f.sync_all());
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn leftover_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Removes what a crash left between writing and renaming. Called under the lock; failing to tidy up is no failure.
pub(super) fn remove_leftovers(path: &Path) {
    let prefix = leftover_prefix(path);
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".tmp") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

pub(super) fn refuse_symlink(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(m) if m.file_type().is_symlink() => Err(StoreError::Symlink(path.to_owned())),
        _ => Ok(()),
    }
}

pub(super) fn create_parent(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder(path)).map_err(failed("create the folder of", path))
}

/// The path of a file that belongs to the world, such as its lock.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(extension);
    PathBuf::from(name)
}

/// Options that create a file for its owner alone.
pub(super) fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes the lock of a world, or says that another process has it.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = beside(path, ".lock");
    refuse_symlink(&beside)?;
    let io = failed("lock", path);
    let file = private().truncate(false).read(true).write(true).open(&beside).map_err(&io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(fs::TryLockError::Error(e)) => Err(io(e)),
    }
}
