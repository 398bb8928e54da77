//! Text from elsewhere, made safe to show.
//!
//! Names, messages and file contents come from people and services that may mean harm. What must stay true: whatever is
//! shown to a person goes through [`printable`], so that it can neither steer a terminal nor reorder a line.

/// Stands in for characters that would move the cursor, start an escape sequence or reorder the line.
pub fn visible(character: char) -> char {
    let reorders = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if character.is_control() || reorders { '\u{fffd}' } else { character }
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
    fn nothing_steers_a_terminal_or_reorders_a_line() {
        let hostile = "a\u{1b}[31mb\u{202e}c\nd\u{7}\u{2067}e";
        assert_eq!(printable(hostile), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\u{fffd}\u{fffd}e");
        assert_eq!(printable("Zoë 李 👩"), "Zoë 李 👩");
        assert_eq!(brief(" two\nlines. "), "two lines");
        assert_eq!(brief(&"x".repeat(400)).chars().count(), 301);
    }
}
