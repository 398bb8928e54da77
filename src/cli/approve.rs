//! What approves an apply: a saved plan, a digest, a list of digests, `--yes`, or an answer on a terminal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;

use super::error::CommandError;
use super::files;
use super::inputs::{Connection, Files, LimitArgs, Selection, apply_command, instant};
use super::observe::{Budget, Limits};
use crate::config::is_stream;
use crate::plan::{Approval, Clearance, Plan, Refusal, Verdict, differences, parse};
use crate::report;
use crate::report::difference::of_plans;
use crate::terms::Scope;
use crate::terms::text::printable;
use crate::ui::Ui;

/// How an apply is approved.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Approval")]
pub(super) struct Approve {
    /// A plan that `palisade plan --out FILE` saved (`-` reads it from standard input): an approval of what it says, and of
    /// nothing else
    #[arg(value_name = "PLAN")]
    pub(super) plan: Option<PathBuf>,
    /// Approve whatever the plan turns out to be, apart from what is critical, an outage, or loses data
    #[arg(long)]
    yes: bool,
    /// Approve the intent with this digest, as printed below a plan, or the changes whose digests this file lists
    #[arg(long, value_name = "DIGEST|FILE", conflicts_with = "yes", requires = "approved_until")]
    approved: Option<String>,
    /// Until when `--approved` holds (RFC 3339)
    #[arg(long, value_name = "INSTANT", requires = "approved", value_parser = instant)]
    approved_until: Option<Timestamp>,
}

impl Approve {
    /// A saved plan is an approval, and says itself what it is limited to: a flag beside it that says the same, or something
    /// else, is a misunderstanding to be cleared up before anything is done.
    pub(super) fn alone(
        &self,
        limits: &LimitArgs,
        selection: &Selection,
        files: &Files,
        connection: &Connection,
    ) -> Result<(), CommandError> {
        let Some(plan) = &self.plan else { return Ok(()) };
        let command = apply_command(plan, files, connection);
        let without = |flag: &str| format!("run it without `{flag}`: `{command}`");
        let error = |message: String, flag: &str| Err(CommandError::new(message).hint(without(flag)));
        if self.yes {
            return error("a saved plan is an approval already, so `--yes` has nothing to approve".to_owned(), "--yes");
        }
        if self.approved.is_some() {
            return error(
                "a saved plan is an approval already; `--approved` is for runs without one".to_owned(),
                "--approved",
            );
        }
        match limits.given().into_iter().chain(selection.is_given().then_some("-e")).next() {
            Some(flag) => error(
                format!("a saved plan says itself what it covers; `{flag}` belongs to `palisade plan --out FILE`"),
                flag,
            ),
            None => Ok(()),
        }
    }

    /// Reads what the arguments name; none if a person is to be asked.
    pub(super) fn read(&self) -> Result<Option<Approval>, CommandError> {
        match (&self.plan, &self.approved, self.yes) {
            (Some(path), ..) => Ok(Some(Approval::Saved(Box::new(read_plan(path)?)))),
            (None, Some(text), _) if text.is_empty() || text.starts_with("sha256:") => {
                Ok(Some(Approval::Intent(text.clone())))
            }
            (None, Some(path), _) => Ok(Some(Approval::Changes(read_digests(Path::new(path))?))),
            (None, None, true) => Ok(Some(Approval::Unseen)),
            (None, None, false) => Ok(None),
        }
    }

    /// What is read from standard input, if anything is.
    pub(super) fn reads_input(&self) -> Option<&'static str> {
        match self {
            Self { plan: Some(path), .. } => is_stream(path).then_some("the plan"),
            Self { plan: None, approved: None, yes: false, .. } => Some("the confirmation"),
            Self { .. } => None,
        }
    }

    /// An approval by digest holds until the instant that it was given with.
    pub(super) fn still_holds(&self, now: Timestamp) -> Result<(), CommandError> {
        match self.approved_until.filter(|until| now >= *until) {
            Some(until) => Err(CommandError::refused(format!("the approval expired at {until}; nothing was done"))
                .hint("review a new plan, and approve its digest")),
            None => Ok(()),
        }
    }
}

/// What a saved plan was limited to; a run that it approves is limited to the same.
pub(super) fn limits_of(approval: Option<&Approval>, given: Limits) -> Limits {
    match approval {
        Some(Approval::Saved(plan)) => {
            Limits { budget: plan.allow_removals.map_or(Budget::Usual, Budget::AskedFor), only: plan.only.clone() }
        }
        _ => given,
    }
}

fn read_plan(path: &Path) -> Result<Plan, CommandError> {
    let (text, name) = match is_stream(path) {
        true => (files::standard_input(), "<stdin>".to_owned()),
        false => (files::text(path), path.display().to_string()),
    };
    let text = text
        .context("the plan can't be read")
        .map_err(|error| CommandError::from(error).hint("save one with `palisade plan --out FILE`"))?;
    if is_configuration(&text) {
        return Err(CommandError::refused(format!("{name} is a configuration, not a saved plan"))
            .before_anything_was_done()
            .hint(format!("give a configuration with `-f`: `palisade apply -f {name}`"))
            .hint("save a plan of it with `palisade plan --out FILE`, and apply that with `palisade apply FILE`"));
    }
    parse(&text).with_context(|| name.clone()).map_err(|refusal| {
        CommandError::from(refusal)
            .refusing()
            .before_anything_was_done()
            .hint("make a new plan with `palisade plan --out FILE`, and review it")
    })
}

/// Whether a text is a configuration, which has its parts at the start of lines.
fn is_configuration(text: &str) -> bool {
    text.lines().any(|line| ["version:", "tenant:", "base:", "environments:"].iter().any(|key| line.starts_with(key)))
}

/// One digest a line, with the address of its change, if it is said. Lines that begin with `#` are for readers.
fn read_digests(path: &Path) -> Result<BTreeMap<String, Option<String>>, CommandError> {
    let digests = files::text(path).and_then(|text| digests(&text));
    digests.with_context(|| format!("the list of approved changes {} can't be used", path.display())).map_err(|error| {
        CommandError::from(error)
            .hint("one digest a line, as in `digest` of each change of `palisade plan --format json`")
    })
}

fn digests(text: &str) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let digests = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(number, line)| {
        let mut words = line.split_whitespace();
        let digest = words.next().unwrap_or_default();
        let address = words.next().map(|word| word.trim_matches('"').to_owned()).filter(|word| word.contains('/'));
        let hex = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
        match hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            true => Ok((digest.to_ascii_lowercase(), address)),
            false => Err(anyhow::anyhow!("line {number} doesn't begin with a digest")),
        }
    });
    digests.collect()
}

/// Why nothing at all is approved.
pub(super) fn not_approved(refusal: &Refusal, approval: &Approval, fresh: &Plan) -> CommandError {
    let mut message = format!("{refusal}; nothing was done");
    let mut error = match approval {
        Approval::Saved(saved) if *refusal == Refusal::OtherConfiguration => {
            let lines = differences(saved, fresh);
            for line in &lines {
                message += &format!("\n  {}", printable(line));
            }
            let error = CommandError::refused(message).showing(of_plans(saved, fresh, |_| true));
            match lines.is_empty() {
                true => error,
                false => error.hint("`-` approved, no longer needed; `+` needed, not approved"),
            }
        }
        Approval::Intent(approved) => CommandError::refused(format!(
            "what would be done now has the intent {}, approved is {approved}; nothing was done",
            fresh.intent_digest
        )),
        _ => CommandError::refused(message),
    };
    error = match approval {
        Approval::Intent(_) => error.hint(
            "review the plan above, and approve its intent if it is what you want; to finish an interrupted run, approve a \
             list of changes instead",
        ),
        _ => error.hint("make a new plan with `palisade plan --out FILE`, and review it"),
    };
    error
}

/// Asks the person at the terminal about what the scopes that proceed would do.
pub(super) fn confirm(ui: &Ui, plan: &Plan, clearances: &[Clearance]) -> Result<(), CommandError> {
    let proceeds = |scope: &Scope| {
        clearances.iter().any(|clearance| clearance.scope == *scope && clearance.verdict == Verdict::Proceeds)
    };
    let (go, stay): (Vec<_>, Vec<_>) =
        plan.scopes.iter().filter(|scope| !scope.changes.is_empty()).partition(|scope| proceeds(&scope.scope));
    let changes: usize = go.iter().map(|scope| scope.changes.len()).sum();
    let changes = match changes {
        0 => return Ok(()),
        1 => "this change".to_owned(),
        several => format!("these {several} changes"),
    };
    let names = |scopes: &[&crate::plan::ScopePlan]| {
        scopes.iter().map(|scope| scope.scope.to_string()).collect::<Vec<_>>().join(", ")
    };
    let dangers = report::dangers::dangers(go.iter().flat_map(|scope| &scope.changes));
    let mut about: Vec<String> = dangers.into_iter().map(|(what, who)| format!("{what}: {who}")).collect();
    if !stay.is_empty() {
        about.push(format!("leaves out {}, which is refused", names(&stay)));
    }
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join("; ")) };
    let question = format!("Apply {changes} to {} on {}{about}? Only `yes` is accepted:", names(&go), plan.target);
    match ui.ask(&question) {
        Some(answer) if answer == "yes" => Ok(()),
        Some(_) => Err(CommandError::new("not confirmed; nothing was done")),
        None => Err(CommandError::new("can't ask for confirmation: no terminal; nothing was done").hint(
            "approve it with a saved plan (`palisade apply PLAN`), with `--approved DIGEST --approved-until INSTANT`, or \
             with `--yes`",
        )),
    }
}
