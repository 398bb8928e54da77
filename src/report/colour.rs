//! Colours by meaning. Reports use them freely; whoever prints strips them where they can't be shown.

use anstyle::{AnsiColor, Style};

/// Takes something away, fails, or refuses.
pub const DANGER: Style = AnsiColor::Red.on_default().bold();
/// Opens something, or needs a second look.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Is as it should be, or gets better.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What to do.
pub const HINT: Style = AnsiColor::Cyan.on_default();
/// The name of a part.
pub const HEADING: Style = Style::new().bold();
/// Of lesser weight.
pub const DIM: Style = Style::new().dimmed();

/// Text in a style.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
