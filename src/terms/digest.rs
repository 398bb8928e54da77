//! Hashes of data, independent of how the data is written down.

use std::fmt::Write as _;

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

/// `sha256:` and the hash of a value in canonical form: no white space, keys of maps sorted by their bytes.
pub fn of_json(value: &Json) -> String {
    let mut canonical = String::new();
    write_canonical(value, &mut canonical);
    of_bytes(canonical.as_bytes())
}

/// `sha256:` and the hash of bytes.
pub fn of_bytes(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

// serde_json sorts keys or keeps their order depending on what another crate in the build switches on; a digest that
// people compare across versions must not.
fn write_canonical(value: &Json, out: &mut String) {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Json::from(key.as_str()));
                write_canonical(value, out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_and_the_order_of_items_does() {
        let one: Json = serde_json::from_str(r#"{"a": 1, "b": [1, 2], "é": {"y": null, "x": true}}"#).unwrap();
        let two: Json = serde_json::from_str(r#"{"é": {"x": true, "y": null}, "b": [1, 2], "a": 1}"#).unwrap();
        assert_eq!(of_json(&one), of_json(&two));
        assert_ne!(of_json(&json!([1, 2])), of_json(&json!([2, 1])));
        assert_ne!(of_json(&json!("1")), of_json(&json!(1)));
    }

    #[test]
    fn the_form_is_fixed() {
        assert_eq!(of_json(&json!({})), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
