//! Text from elsewhere, made safe to show.
//!
//! Names, messages and file contents come from people and services that may mean harm.
//!
//! Invariants: whatever is shown to a person goes through [`printable`], and whatever is written as JSON through [`json`], so
//! that it can neither steer a terminal nor reorder a line.

use serde::Serialize;

/// Stands in for characters that would move the cursor, start an escape sequence or reorder the line.
pub fn visible(character: char) -> char {
    let reorders = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if character.is_control() || reorders { '\u{fffd}' } else { character }
}

/// A value as JSON for people and programs, on several lines. JSON allows the characters that [`visible`] replaces to stand
/// for themselves; here they are escaped, so that a program gets each as it was, and a terminal none.
pub fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value).map(|text| escaped(&text) + "\n")
}

/// The same on one line, without its end.
pub fn json_line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(|text| escaped(&text))
}

/// Outside of its texts, JSON has none of these characters, apart from the ends of lines.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || visible(character) == character {
            out.push(character);
        } else {
            // All of them lie in the first plane.
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    out
}

/// The text with every such character replaced.
pub fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// The same on one line and not too long: a service's words as part of a message.
pub fn brief(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut line: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { visible(c) }).take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_without_characters_that_steer() {
        let hostile = "a\u{1b}[31m\u{9b}b\u{202e}c\nd\u{7f}\u{2067}e\u{85} Zoë 李 \"\\ \u{fffd}";
        for text in [json(&hostile).unwrap(), json_line(&hostile).unwrap()] {
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
            assert_eq!(printable(text.trim_end()), text.trim_end(), "{text}");
        }
        let object = json(&serde_json::json!({ "name": hostile, "other": [1, null] })).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&object).unwrap()["name"], hostile);
        assert_eq!(object.lines().count(), 7, "{object}");
    }

    #[test]
    fn nothing_steers_a_terminal_or_reorders_a_line() {
        let hostile = "a\u{1b}[31mb\u{202e}c\nd\u{7}\u{2067}e";
        assert_eq!(printable(hostile), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\u{fffd}\u{fffd}e");
        assert_eq!(printable("Zoë 李 👩"), "Zoë 李 👩");
        assert_eq!(brief(" two\nlines. "), "two lines");
        assert_eq!(brief(&"x".repeat(400)).chars().count(), 301);
    }
}
