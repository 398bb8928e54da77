//! The saved plan: an approval, not a program.
//!
//! `apply PLAN` never carries out what a file says. It derives the plan afresh, and asks whether the file approved that.
//!
//! Invariants: a file that differs in one byte from what palisade wrote is refused; so is one that is too old, or for another
//! target or another configuration.

use jiff::{SignedDuration, Timestamp};
use similar::{ChangeTag, TextDiff};
use thiserror::Error;

use super::document::{FORMAT, Plan, Target};
use crate::terms::text::json;

/// How long a saved plan is accepted.
pub const VALIDITY: SignedDuration = SignedDuration::from_hours(24);

/// How far the clocks of two machines may be apart before a plan counts as made in the future.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Why a file doesn't approve what would be done now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not a plan at all, or of another format.
    #[error("this isn't a plan as this version of palisade writes it: {0}")]
    NotAPlan(String),
    /// A plan that somebody or something changed.
    #[error("the plan file was changed after palisade wrote it: {0}")]
    Tampered(&'static str),
    /// Too old.
    #[error("the plan expired at {0}")]
    Expired(Timestamp),
    /// Made in the future.
    #[error("the plan was made at {0}, which is in the future: the clocks of two machines disagree")]
    FromTheFuture(Timestamp),
    /// For something else.
    #[error("the plan is for {planned}, but this run works on {present}")]
    OtherTarget {
        /// What the file is for.
        planned: Target,
        /// What this run works on.
        present: Target,
    },
    /// The configuration isn't the one that was planned with.
    #[error("the configuration was changed after the plan was made")]
    OtherConfiguration,
    /// Something else would be done now than was approved.
    #[error("the plan no longer matches what was approved")]
    OtherIntent,
}

/// A plan as text: the same for `plan --format json` and `--out`.
pub fn render(plan: &Plan) -> Result<String, serde_json::Error> {
    json(plan)
}

/// Whether a text is a plan, of whatever format, and however it was changed.
pub fn is_plan(text: &str) -> bool {
    let document: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let format = document.as_ref().and_then(|document| document.get("format")).and_then(serde_json::Value::as_str);
    format.is_some_and(|format| format.starts_with("palisade.plan/"))
}

/// Reads a plan back and makes sure that it is what palisade wrote.
pub fn parse(text: &str) -> Result<Plan, Refusal> {
    let format = serde_json::from_str::<serde_json::Value>(text)
        .map_err(|error| {
            Refusal::NotAPlan(match (text.trim().is_empty(), error.is_eof()) {
                (true, _) => "it is empty".to_owned(),
                (false, true) => format!("it is cut off in line {}", error.line()),
                (false, false) => "it isn't JSON".to_owned(),
            })
        })?
        .get("format")
        .and_then(|format| format.as_str().map(str::to_owned))
        .ok_or_else(|| Refusal::NotAPlan("it has no `format`".to_owned()))?;
    if format != FORMAT {
        let why = match format.starts_with("palisade.plan/") {
            true => format!("it is of the format `{format}`, this version of palisade takes `{FORMAT}`"),
            false => format!("its format isn't `{FORMAT}`"),
        };
        return Err(Refusal::NotAPlan(why));
    }
    let plan: Plan =
        serde_json::from_str(text).map_err(|_| Refusal::Tampered("a field is missing, added or of another shape"))?;
    if render(&plan).ok().as_deref() != Some(text) {
        return Err(Refusal::Tampered("its bytes aren't in the form that palisade writes"));
    }
    if plan.computed_seal() != plan.seal {
        return Err(Refusal::Tampered("its content doesn't match its seal"));
    }
    if !plan.digests_hold() || plan.computed_intent_digest() != plan.intent_digest {
        return Err(Refusal::Tampered("its changes don't match its intent digest"));
    }
    let expected_end = plan.created_at.saturating_add(VALIDITY).unwrap_or(Timestamp::MAX);
    if plan.expires_at != expected_end || plan.assumed_now != plan.created_at {
        return Err(Refusal::Tampered("its instants don't belong together"));
    }
    Ok(plan)
}

impl Plan {
    /// Whether this plan can approve anything of what `fresh` would do, at `now`.
    pub(super) fn is_for(&self, fresh: &Plan, now: Timestamp) -> Result<(), Refusal> {
        if now >= self.expires_at {
            return Err(Refusal::Expired(self.expires_at));
        }
        if self.created_at.duration_since(now) > CLOCK_SKEW {
            return Err(Refusal::FromTheFuture(self.created_at));
        }
        if self.target != fresh.target {
            return Err(Refusal::OtherTarget { planned: self.target.clone(), present: fresh.target.clone() });
        }
        if self.config_digest != fresh.config_digest {
            return Err(Refusal::OtherConfiguration);
        }
        Ok(())
    }
}

/// What two plans would do differently, one line a difference: `-` was approved and wouldn't be done, `+` would be done
/// and wasn't approved.
pub fn differences(approved: &Plan, fresh: &Plan) -> Vec<String> {
    let (approved, fresh) = (intent_lines(approved), intent_lines(fresh));
    let diff = TextDiff::from_lines(&approved, &fresh);
    diff.iter_all_changes()
        .filter_map(|change| {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => return None,
            };
            Some(format!("{sign} {}", change.value().trim_end()))
        })
        .collect()
}

fn intent_lines(plan: &Plan) -> String {
    let mut lines = String::new();
    for scope in plan.scopes.iter().filter(|scope| !scope.changes.is_empty()) {
        lines += &format!("{} is {}\n", scope.scope, scope.identity);
        for change in &scope.changes {
            lines += &format!("{}\n", change.line());
        }
    }
    lines
}
