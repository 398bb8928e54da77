//! The digest of a configuration: the same for the same data, however it is written.

use std::fmt::Write as _;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// `sha256:` and the hash of the data as JSON with sorted keys.
pub(super) fn of(data: &Json) -> String {
    let mut canonical = String::new();
    write(data, &mut canonical);
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(canonical.as_bytes()) {
        // Writing to a string can't fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// Doesn't rely on the order of `serde_json`'s maps: any crate in the build can switch that.
fn write(data: &Json, out: &mut String) {
    match data {
        Json::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push(':');
                write(&map[key], out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
