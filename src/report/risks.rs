//! The table of risks, made from what each setting says of its changes.

use std::fmt::Write as _;

use super::colour::{DANGER, DIM, HEADING, WARNING, paint};
use crate::plan::{Rated, Risk};
use crate::settings::registry::SETTINGS;

const INTRODUCTION: &str = "\
How bad a change would be if it were a mistake. The plan marks what is high or critical. `apply --yes` approves nothing that is
critical, is an outage, or loses data: those need a saved plan, `--approved`, or an answer on a terminal.
";

/// The table, worst first.
pub fn text() -> String {
    let mut page = format!("{}\n{INTRODUCTION}", paint(HEADING, "risk"));
    for (risk, style) in [(Risk::Critical, DANGER), (Risk::High, WARNING), (Risk::Elevated, HEADING), (Risk::Low, DIM)]
    {
        let _ = writeln!(page, "\n{}", paint(style, risk));
        for setting in SETTINGS.iter() {
            for Rated { what, .. } in setting.risks().iter().filter(|row| row.risk == risk) {
                let _ = writeln!(page, "  {:<14} {what}", setting.key());
            }
        }
    }
    page
}
