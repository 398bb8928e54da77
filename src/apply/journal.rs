//! The journal: a record of every write, for people and reports.
//!
//! One JSON object a line. A step has a line before its write and a line after it, each on disk before palisade goes on:
//! if the first has no second, palisade died in between. What must stay true: no decision ever rests on it; it holds no
//! secret; the file belongs to its owner alone, and symbolic links are refused.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use super::report::Status;
use crate::plan::{Address, Target};
use crate::terms::text::json_line;

/// Why the journal can't be kept.
#[derive(Debug, Error)]
pub enum JournalError {
    /// A run that was to write nothing tried to.
    #[error("no journal is open, so nothing may be written")]
    Closed,
    /// The path leads elsewhere.
    #[error("the journal {} is a symbolic link; palisade writes it only into a file of its own", .0.display())]
    Symlink(PathBuf),
    /// Its folder leads elsewhere.
    #[error("the folder of the journal, {}, is a symbolic link; palisade keeps its journal in a folder of its own", .0.display())]
    FolderSymlink(PathBuf),
    /// The file has other names.
    #[error("the journal {} has another name as well (a hard link); palisade writes it only into a file of its own", .0.display())]
    HardLink(PathBuf),
    /// Something else has the name.
    #[error("the journal {} isn't a file", .0.display())]
    NoFile(PathBuf),
    /// Reading or writing failed.
    #[error("the journal {} can't be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// When an entry was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// Before the write.
    Started,
    /// After the read-back.
    Ended,
}

/// One line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<'a> {
    /// When.
    pub at: Timestamp,
    /// Tells the lines of one run together.
    pub run: &'a str,
    /// What is written to.
    pub target: &'a Target,
    /// The change.
    pub address: &'a Address,
    /// What the step does.
    pub step: &'a str,
    /// The operation that writes.
    pub operation: &'static str,
    /// Before or after.
    pub moment: Moment,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Option<Mutex<File>>,
}

impl Journal {
    /// Opens the journal at `path` for appending, and makes it if there is none.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(io)?;
            if fs::symlink_metadata(folder).map_err(io)?.is_symlink() {
                return Err(JournalError::FolderSymlink(folder.to_owned()));
            }
        }
        match fs::symlink_metadata(path).map(|found| found.file_type()) {
            Ok(found) if found.is_symlink() => return Err(JournalError::Symlink(path.to_owned())),
            // Opening a pipe would wait for a reader, for ever.
            Ok(found) if !found.is_file() => return Err(JournalError::NoFile(path.to_owned())),
            _ => {}
        }
        let mut options = File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(io)?;
        #[cfg(unix)]
        refuse_exchanged(path, &file)?;
        Ok(Self { path: path.to_owned(), file: Some(Mutex::new(file)) })
    }

    /// A journal for a run that writes nothing: an attempt is refused.
    pub fn closed() -> Self {
        Self { path: PathBuf::new(), file: None }
    }

    /// Appends a line and waits until it is on disk.
    pub fn write(&self, entry: &Entry<'_>) -> Result<(), JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        let line = json_line(entry).map_err(|error| io(error.into()))? + "\n";
        let file = self.file.as_ref().ok_or(JournalError::Closed)?;
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(io)
    }
}

/// Between the look at the path and the opening somebody may have put a link there: what was opened must be what the path
/// itself is, and nothing else may lead to it. An older journal that others could read is closed to them; until it is known to
/// be ours, nothing about the file is changed.
#[cfg(unix)]
fn refuse_exchanged(path: &Path, file: &File) -> Result<(), JournalError> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let io = |source| JournalError::Io { path: path.to_owned(), source };
    let (named, opened) = (fs::symlink_metadata(path).map_err(io)?, file.metadata().map_err(io)?);
    if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
        return Err(JournalError::Symlink(path.to_owned()));
    }
    if opened.nlink() != 1 {
        return Err(JournalError::HardLink(path.to_owned()));
    }
    if opened.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(io)?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_journal_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/journal.jsonl");
        drop(Journal::open(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        drop(Journal::open(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_symbolic_link_is_refused_and_its_target_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("precious"), folder.path().join("journal.jsonl"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(Journal::open(&link), Err(JournalError::Symlink(_))));
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }

    /// What was opened is compared with what the path is then: who swaps the two in between gets nothing written.
    #[test]
    fn a_file_that_was_swapped_between_the_look_and_the_opening_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, precious) = (folder.path().join("journal.jsonl"), folder.path().join("precious"));
        for file in [&path, &precious] {
            fs::write(file, "").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let opened = File::options().append(true).open(&precious).unwrap();
        assert!(matches!(refuse_exchanged(&path, &opened), Err(JournalError::Symlink(_))), "another file");
        fs::remove_file(&path).unwrap();
        assert!(matches!(refuse_exchanged(&path, &opened), Err(JournalError::Io { .. })), "nothing");
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        assert!(matches!(refuse_exchanged(&path, &opened), Err(JournalError::Symlink(_))), "a link to it");
        assert_eq!(fs::metadata(&precious).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_file_with_another_name_is_refused_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("precious"), folder.path().join("journal.jsonl"));
        fs::write(&target, "precious").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
        fs::hard_link(&target, &link).unwrap();
        assert!(matches!(Journal::open(&link), Err(JournalError::HardLink(_))));
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_folder_that_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (elsewhere, link) = (folder.path().join("elsewhere"), folder.path().join(".palisade"));
        fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        assert!(matches!(Journal::open(&link.join("journal.jsonl")), Err(JournalError::FolderSymlink(_))));
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        fs::create_dir(&path).unwrap();
        assert!(matches!(Journal::open(&path), Err(JournalError::NoFile(_))));
    }
}
