//! The only place that prints.
//!
//! Results go to standard output, everything else to standard error: *status* (what happens now; silenced by `-q`),
//! *hints*, *warnings*, *errors*. What must stay true: colour means something and everything can be read without it; a
//! closed pipe ends the output quietly; escape codes are stripped wherever they can't be shown.

mod log;
mod progress;

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

use crate::report::colour::{DANGER, HINT, WARNING, paint};
use crate::terms::text::printable;

pub use log::start_log;
pub use progress::Progress;

/// How to talk to the person.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// When to use colour.
    pub colour: ColorChoice,
    /// Whether to keep quiet about what happens.
    pub quiet: bool,
    /// How much of the log to show.
    pub verbosity: u8,
}

/// The person's side of palisade.
pub struct Ui {
    out: RefCell<AutoStream<io::Stdout>>,
    err: RefCell<AutoStream<io::Stderr>>,
    quiet: bool,
    /// A closed pipe, or the first other error on standard output.
    broken: Cell<Option<io::ErrorKind>>,
    animated: bool,
}

impl Ui {
    /// Talks to the standard streams.
    #[expect(clippy::disallowed_methods, reason = "this is the place that prints")]
    pub fn new(manner: Manner) -> Self {
        Self {
            out: RefCell::new(AutoStream::new(io::stdout(), manner.colour)),
            err: RefCell::new(AutoStream::new(io::stderr(), manner.colour)),
            quiet: manner.quiet,
            broken: Cell::new(None),
            // Bars and log lines would write over each other.
            animated: !manner.quiet && manner.verbosity == 0 && io::stderr().is_terminal(),
        }
    }

    /// A result: what the person asked for.
    pub fn result(&self, text: &str) {
        if self.broken.get().is_some() {
            return;
        }
        let mut out = self.out.borrow_mut();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            self.broken.set(Some(error.kind()));
        }
    }

    /// What happens now: one line, whatever it quotes.
    pub fn status(&self, text: &str) {
        if !self.quiet {
            self.line(&printable(text));
        }
    }

    /// How something ended, in a word.
    pub fn ended(&self, what: &str, style: Style, word: &str) {
        if !self.quiet {
            self.line(&format!("{}: {}", printable(what), paint(style, word)));
        }
    }

    /// What a person should look at.
    pub fn warning(&self, text: &str) {
        self.line(&format!("{} {}", paint(WARNING, "warning:"), lines(text)));
    }

    /// What went wrong.
    pub fn error(&self, text: &str) {
        self.line(&format!("{} {}", paint(DANGER, "error:"), lines(text)));
    }

    /// What to do about it: one line, whatever it quotes.
    pub fn hint(&self, text: &str) {
        self.line(&format!("{} {}", paint(HINT, "hint:"), printable(text)));
    }

    /// Text that belongs to none of the above, such as code frames.
    pub fn message(&self, text: &str) {
        self.line(text.trim_end());
    }

    /// Asks a question; `None` if nobody can answer.
    pub fn ask(&self, question: &str) -> Option<String> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let mut err = self.err.borrow_mut();
        let _ = write!(err, "{} ", printable(question)).and_then(|()| err.flush());
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }

    /// Asks for a secret without showing it; `None` if nobody can answer.
    pub fn ask_secret(&self, question: &str) -> Option<String> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let _ = write!(self.err.borrow_mut(), "{} ", printable(question));
        rpassword::read_password().ok()
    }

    /// Whether a person watches, so that something may move on the screen.
    pub fn is_animated(&self) -> bool {
        self.animated
    }

    /// What is wrong with standard output, unless its reader merely left.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.broken.get().filter(|kind| *kind != io::ErrorKind::BrokenPipe)
    }

    fn line(&self, text: &str) {
        // Nowhere is left to complain when standard error is gone.
        let _ = writeln!(self.err.borrow_mut(), "{text}");
    }
}

/// Several lines, each without what could steer the terminal: they may quote a service.
fn lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}
