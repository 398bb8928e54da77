//! Text from elsewhere, made safe to show.
//!
//! Names, messages and file contents come from people and services that may mean harm.
//!
//! Invariants: whatever is shown to a person goes through [`printable`], and whatever is written as JSON through [`json`], so
//! that it can neither steer a terminal nor reorder a line.

use serde::Serialize;

/// Stands in for characters that would move the cursor, start an escape sequence, reorder the line, or be there unseen.
pub fn visible(character: char) -> char {
    let reorders =
        matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let unseen = matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    );
    if character.is_control() || reorders || unseen { '\u{fffd}' } else { character }
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
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// The text with every such character replaced.
pub fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// A name or an address as part of a line: of what is longer than any that a person would read, the beginning.
pub fn short(name: &str) -> String {
    const LONGEST: usize = 200;
    let mut short: String = name.chars().map(visible).take(LONGEST).collect();
    if name.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
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
        let hostile =
            "a\u{1b}[31m\u{9b}b\u{202e}c\nd\u{7f}\u{2067}e\u{85} Zoë 李 \"\\ \u{fffd} \u{61c}\u{e0041}\u{feff}";
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
        for unseen in ['\u{61c}', '\u{ad}', '\u{2060}', '\u{3164}', '\u{feff}', '\u{e0041}', '\u{e0100}'] {
            assert_eq!(printable(&format!("Admin{unseen}s")), "Admin\u{fffd}s", "{:x}", u32::from(unseen));
        }
        assert_eq!(brief(" two\nlines. "), "two lines");
        assert_eq!(brief(&"x".repeat(400)).chars().count(), 301);
        assert_eq!(short("prod/a\u{1b}\nb"), "prod/a\u{fffd}\u{fffd}b");
        assert_eq!(short(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(short(&"x".repeat(201)), "x".repeat(200) + "…");
    }
}
