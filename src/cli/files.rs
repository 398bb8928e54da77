//! Reading the files that arguments name, apart from the configuration.
//!
//! Invariants: only regular files are read, since a pipe would be waited for and a device never ends; no more of them is read
//! than a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context as _, bail};

/// The most that is read of a file: a plan for thousands of environments stays below it.
const LARGEST: u64 = 64 << 20;

/// The text of a regular file.
pub(super) fn text(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    // Before it is opened, too: opening a pipe waits for somebody who writes into it.
    let named = std::fs::metadata(path).with_context(|| format!("{shown} can't be read"))?;
    if !named.is_file() {
        bail!("{shown} isn't a regular file");
    }
    let file = File::open(path).with_context(|| format!("{shown} can't be read"))?;
    if !file.metadata().is_ok_and(|opened| opened.is_file()) {
        bail!("{shown} isn't a regular file");
    }
    whole(file).with_context(|| format!("{shown} can't be read"))
}

/// What comes through standard input.
pub(super) fn standard_input() -> anyhow::Result<String> {
    whole(io::stdin()).context("standard input can't be read")
}

fn whole(file: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LARGEST {
        bail!("it is longer than {} MiB", LARGEST >> 20);
    }
    Ok(text)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_limited_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (link, long, short) = (folder.path().join("link"), folder.path().join("long"), folder.path().join("short"));
        std::fs::write(&short, "text").unwrap();
        std::os::unix::fs::symlink(&short, &link).unwrap();
        assert_eq!((text(&short).unwrap(), text(&link).unwrap()), ("text".to_owned(), "text".to_owned()));
        File::create(&long).unwrap().set_len(LARGEST + 1).unwrap();
        for (path, why) in [
            (long.as_path(), "longer than 64 MiB"),
            (folder.path(), "isn't a regular file"),
            (Path::new("/dev/zero"), "isn't a regular file"),
            (Path::new("/nowhere"), "can't be read"),
        ] {
            let error = format!("{:#}", text(path).unwrap_err());
            assert!(error.contains(why) && error.contains(&path.display().to_string()), "{error}");
        }
    }
}
