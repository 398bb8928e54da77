//! `palisade explain`

use std::rc::Rc;

use super::error::CommandError;
use super::exit::Exit;
use crate::config::{FieldHelp, Lookup};
use crate::declared;
use crate::report;
use crate::report::colour::{DIM, HEADING, paint};
use crate::rotation;
use crate::ui::Ui;

/// The topics that are neither a code nor a field, and what they are about.
const TOPICS: [(&str, &str); 2] = [
    ("risk", "How bad each change would be if it were a mistake"),
    ("rotation", "How API keys are replaced without cutting anybody off"),
];

/// Explain a code, a field of the configuration, or a topic, offline
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A code in brackets, such as `last-admin`, a field such as `users.match`, `risk`, or `rotation`; without it, a list of
    /// what there is
    #[arg(value_name = "CODE|FIELD|TOPIC")]
    topic: Option<String>,
}

pub(super) fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    let Some(topic) = &args.topic else {
        ui.result(&contents());
        return Ok(Exit::Done);
    };
    let topic = topic.trim();
    let written = match topic {
        "rotation" => Some(rotation::page::explanation()),
        "risk" => Some(report::risks::text()),
        _ => None,
    };
    if let Some(written) = written {
        ui.result(&written);
        return Ok(Exit::Done);
    }
    let mistake = declared::mistakes().find(|code| code.name() == topic);
    let note = declared::notes().find(|code| code.name() == topic);
    let page = match (mistake, note) {
        (Some(code), _) => page(code.name(), code.summary(), code.explanation()),
        (None, Some(code)) => page(code.name(), code.summary(), code.explanation()),
        (None, None) => match declared::format().field_help(topic) {
            Lookup::Found(help) => field(&help),
            Lookup::Ambiguous(all) => all.iter().map(field).collect::<Vec<_>>().join("\n"),
            Lookup::Unknown(nearest) => return Err(unknown(topic, nearest)),
        },
    };
    ui.result(&page);
    Ok(Exit::Done)
}

/// What can be explained.
fn contents() -> String {
    let mut page = format!("{}\n", paint(HEADING, "Topics"));
    for (topic, about) in TOPICS {
        page += &format!("  {topic:<30} {}\n", paint(DIM, about));
    }
    page += &format!("\n{}\n", paint(HEADING, "Codes of plans"));
    for code in declared::notes() {
        page += &format!("  {:<30} {}\n", code.name(), paint(DIM, code.summary()));
    }
    page += &format!("\n{}\n", paint(HEADING, "Codes of the configuration"));
    for code in declared::mistakes() {
        page += &format!("  {:<30} {}\n", code.name(), paint(DIM, code.summary()));
    }
    page + "\nFields of the configuration are named by their path, such as `users.match`.\n"
}

fn page(name: &str, summary: &str, explanation: &str) -> String {
    format!("{}\n{summary}\n\n{}\n", paint(HEADING, name), explanation.trim_end())
}

fn field(help: &FieldHelp) -> String {
    let FieldHelp { path, description, kind, values, default, example, fields } = help;
    let mut page = format!("{} {}\n{description}\n", paint(HEADING, path), paint(DIM, format!("({kind})")));
    if !values.is_empty() {
        page += "\nValues:\n";
        for (value, meaning) in values {
            page += &format!("  {value}  {}\n", paint(DIM, meaning));
        }
    }
    for (title, value) in [("Default", default), ("Example", example)] {
        if let Some(value) = value {
            page += &format!("\n{title}: {value}\n");
        }
    }
    if !fields.is_empty() {
        page += &format!("\nFields: {}\n", fields.join(", "));
    }
    page
}

fn unknown(topic: &str, nearest: Vec<String>) -> CommandError {
    let codes = declared::mistakes().map(|code| code.name()).chain(declared::notes().map(|code| code.name()));
    let close = codes.filter(|name| strsim::jaro_winkler(name, topic) > 0.85).map(str::to_owned);
    let candidates: Vec<String> = close.chain(nearest).collect();
    let error = CommandError::new(format!("no code or field named `{topic}`"));
    match candidates.is_empty() {
        true => error.hint("codes stand in brackets in palisade's messages; fields are written like `users.match`"),
        false => error.hint(format!("near it: {}", candidates.join(", "))),
    }
}
