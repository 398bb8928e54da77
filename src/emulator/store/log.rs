//! The log beside a world file: one line for each change since that file was written.
//!
//! The first line names the world file that the log continues, by digest; each further line holds the patches of one change.
//! Before the world file is rewritten, a last line names the file that will take its place.
//!
//! Words: a log *continues* a world file if it begins with that file's digest, and is *contained* in one if it ends with it;
//! a *torn* line has no end, since its writer was killed.
//!
//! Invariants: a torn line is ignored, since its change was never answered; a log is applied only to the file that it
//! continues, and dropped only if it is contained in the file that is there; any other one is refused.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::emulator::world::Patch;

/// The format number of the log; one with another is refused.
const FORMAT: &str = "palisade.world-log/1";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Head {
    format: String,
    /// Digest of the world file that it continues.
    continues: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    /// A change.
    Change(Vec<Patch>),
    /// Digest of the world file in which everything so far is contained.
    ContainedIn(String),
}

/// What a log means for the world file that is there.
#[derive(Debug, PartialEq)]
pub(super) enum Log {
    /// There is none, or it holds no whole line.
    Empty,
    /// It goes on where the file ends.
    Continues {
        /// The changes to make, in this order.
        patches: Vec<Patch>,
        /// How many bytes are whole lines.
        length: u64,
    },
    /// All of it is in the file already.
    Contained,
}

/// The beginning of a log that continues this world file.
pub(super) fn head(base: &str) -> serde_json::Result<Vec<u8>> {
    line(&Head { format: FORMAT.to_owned(), continues: base.to_owned() })
}

/// The line of a change.
pub(super) fn change(patches: Vec<Patch>) -> serde_json::Result<Vec<u8>> {
    line(&Line::Change(patches))
}

/// The line that says which world file everything before it is contained in.
pub(super) fn contained_in(base: &str) -> serde_json::Result<Vec<u8>> {
    line(&Line::ContainedIn(base.to_owned()))
}

fn line(content: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(content)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads a log for the world file with this digest. The error says why it isn't that file's log.
pub(super) fn read(log: &[u8], base: &str) -> Result<Log, String> {
    let end = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (whole, torn) = log.split_at(end);
    let mut lines = whole.strip_suffix(b"\n").into_iter().flat_map(|whole| whole.split(|byte| *byte == b'\n'));
    let Some(first) = lines.next() else {
        // A writer killed within the first line; anything else isn't ours.
        let head = head(base).map_err(|e| e.to_string())?;
        return if head.starts_with(torn) { Ok(Log::Empty) } else { Err("it isn't a log of changes".to_owned()) };
    };
    let Head { format, continues } = serde_json::from_slice(first).map_err(|e| format!("line 1: {e}"))?;
    if format != FORMAT {
        return Err(format!("its format is `{format}`, this version knows `{FORMAT}`"));
    }
    let (mut patches, mut contained_in) = (Vec::new(), None);
    for (number, line) in (2..).zip(lines) {
        contained_in = match serde_json::from_slice(line).map_err(|e| format!("line {number}: {e}"))? {
            Line::Change(change) => {
                patches.extend(change);
                None
            }
            Line::ContainedIn(digest) => Some(digest),
        };
    }
    if continues == base {
        Ok(Log::Continues { patches, length: end as u64 })
    } else if contained_in.as_deref() == Some(base) {
        Ok(Log::Contained)
    } else {
        Err("it belongs to another state of the world file than the one that is there".to_owned())
    }
}

/// Makes changes to a document.
pub(super) fn replay(document: &mut Value, patches: Vec<Patch>) -> Result<(), String> {
    patches.into_iter().try_for_each(|patch| patch.apply(document)).map_err(|misfit| misfit.to_string())
}
