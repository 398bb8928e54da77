//! What happens right now: a moving line on a terminal, plain lines elsewhere.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Ui;
use crate::apply::{Event, Listener, Status};
use crate::azure::{Failure, Notices, Waiting};
use crate::report::colour::{DANGER, GOOD, WARNING};

/// Shows progress until it is dropped.
pub struct Progress {
    ui: std::rc::Rc<Ui>,
    bar: RefCell<Option<ProgressBar>>,
}

impl Progress {
    /// Shows that `what` is under way.
    pub fn new(ui: std::rc::Rc<Ui>, what: &str) -> Self {
        let progress = Self { ui, bar: RefCell::default() };
        progress.begin(what);
        progress
    }

    /// Shows that something else is under way now.
    pub fn begin(&self, what: &str) {
        if !self.ui.is_animated() {
            return;
        }
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bar.replace(Some(bar));
    }

    /// Takes the moving line away.
    pub fn end(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// A status line that stays, above the moving one.
    pub fn status(&self, text: &str) {
        self.above(|| self.ui.status(text));
    }

    fn above(&self, tell: impl FnOnce()) {
        match &*self.bar.borrow() {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

impl Notices for Progress {
    fn waiting(&self, waiting: &Waiting<'_>) {
        let Waiting { service, failure, wait } = waiting;
        let why = match failure {
            Failure::Status { status: 429, .. } => "asked to slow down".to_owned(),
            Failure::Status { status, .. } => format!("answered {status}"),
            Failure::NotSent { .. } => "can't be reached".to_owned(),
            _ => "gave no whole answer".to_owned(),
        };
        self.status(&format!("waiting {:.1} s: {service} {why}", wait.as_secs_f64()));
    }
}

impl Listener for Progress {
    fn hear(&self, event: &Event<'_>) {
        match event {
            Event::Started { address, title } => self.status(&format!("{address}: {title}")),
            Event::Waiting { address, detail, wait } => {
                self.status(&format!("{address}: waiting {} s, since {detail}", wait.as_secs()));
            }
            Event::Ended { address, outcome } => {
                let (style, word) = match outcome.status {
                    Status::Done => (GOOD, "done"),
                    Status::Waiting => (WARNING, "waiting"),
                    Status::Failed => (DANGER, "failed"),
                    Status::Refused => (DANGER, "refused"),
                    Status::NotStarted => (WARNING, "not started"),
                };
                self.above(|| self.ui.ended(&address.to_string(), style, word));
            }
        }
    }
}
