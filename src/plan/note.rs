//! Notes: what a person must know about a plan.
//!
//! Words: a *refusal* is a guard's word that something must not be touched; a *finding* tells something about the live state
//! that needs attention.
//!
//! Invariants: the kind belongs to the code, so that no message can be a refusal here and a remark there; a refusal stops its
//! own scope, and no other; a finding never stops anything.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::change::Address;
use crate::terms::{Place, ResourceId};

/// How serious a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Wrong: a refusal, or a finding that has to be put right.
    Error,
    /// Look twice.
    Warning,
    /// Good to know.
    Info,
}

/// What a note does to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoteKind {
    /// Stops its scope, in plan and apply.
    Refusal,
    /// Stops nothing. Of severity error, it counts as pending.
    Finding,
}

/// What a note is about: a code that `palisade explain` knows. The kebab-case name is a promise: it never changes meaning.
#[derive(Clone, Copy)]
pub struct NoteCode {
    name: &'static str,
    kind: NoteKind,
    weaker_evidence: bool,
    needs_eyes: bool,
    summary: &'static str,
    explanation: &'static str,
}

impl NoteCode {
    /// A code whose notes stop their scope. Only `notes!` makes one, so that each is listed.
    pub(crate) const fn refusal(name: &'static str, summary: &'static str, explanation: &'static str) -> Self {
        Self { name, kind: NoteKind::Refusal, weaker_evidence: false, needs_eyes: false, summary, explanation }
    }

    /// A code whose notes stop nothing.
    pub(crate) const fn finding(name: &'static str, summary: &'static str, explanation: &'static str) -> Self {
        Self { kind: NoteKind::Finding, ..Self::refusal(name, summary, explanation) }
    }

    /// Its notes say that something counts as declared although it wasn't read.
    pub(crate) const fn with_weaker_evidence(self) -> Self {
        Self { weaker_evidence: true, ..self }
    }

    /// What its notes are about is only for a person to approve who has seen it.
    pub(crate) const fn that_needs_eyes(self) -> Self {
        Self { needs_eyes: true, ..self }
    }

    /// The stable name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What notes of this code do to a plan.
    pub const fn kind(self) -> NoteKind {
        self.kind
    }

    /// One line.
    pub const fn summary(self) -> &'static str {
        self.summary
    }

    /// What it means, why it matters, what to do.
    pub const fn explanation(self) -> &'static str {
        self.explanation
    }
}

impl PartialEq for NoteCode {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for NoteCode {}

impl PartialOrd for NoteCode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NoteCode {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl fmt::Debug for NoteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for NoteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

/// Declares the codes of a room's notes, and `NOTES` with all of them.
macro_rules! notes {
    (@flag weaker evidence, $code:expr) => { $code.with_weaker_evidence() };
    (@flag needs eyes, $code:expr) => { $code.that_needs_eyes() };
    (@flag, $code:expr) => { $code };
    ($($name:ident = $kind:ident $kebab:literal$(, $flag:ident $more:ident)?: $summary:literal, $explanation:literal;)+) => {
        $(
            #[doc = $summary]
            pub const $name: $crate::plan::NoteCode = $crate::plan::notes!(
                @flag $($flag $more)?, $crate::plan::NoteCode::$kind($kebab, $summary, $explanation)
            );
        )+

        /// All of them, in the order in which `palisade explain` lists them.
        pub const NOTES: &[$crate::plan::NoteCode] = &[$($name),+];
    };
}

pub(crate) use notes;

/// The name of a note's code, as a document holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeName(Cow<'static, str>);

impl PartialEq<NoteCode> for CodeName {
    fn eq(&self, code: &NoteCode) -> bool {
        self.0 == code.name
    }
}

impl fmt::Display for CodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Note {
    /// Which note.
    pub code: CodeName,
    /// What it does to the plan: what its code says.
    pub kind: NoteKind,
    /// How serious.
    pub severity: Severity,
    /// Whether it says that something counts as declared although it wasn't read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weaker_evidence: bool,
    /// Whether only a person who has seen it may approve what it is about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_eyes: bool,
    /// What it is about.
    pub address: Address,
    /// What was found.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where it is declared; none if no file says anything of it. Filled in when the plan is derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Place>,
    /// What the run makes of it. Not written down: it is found out with the note.
    #[serde(skip)]
    pub bearing: Bearing,
}

/// What a run makes of a note.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bearing {
    /// The resource at fault, where others may hang on it as well: their names are added to the message before the plan is made.
    pub about: Option<ResourceId>,
    /// Whether it says that nothing needs that resource any more: it isn't told where something does.
    pub unless_needed: bool,
    /// What is down already, by the name that people know it by: it comes before all others.
    pub first: Option<String>,
    /// The change that puts it right.
    pub repaired_by: Option<Address>,
    /// Whether it is about something that the configuration doesn't declare, so that it changes no exit code of `apply`.
    pub aside: bool,
}

impl Note {
    /// A guard's word that something must not be touched.
    pub fn refusal(code: NoteCode, address: Address, message: impl Into<String>) -> Self {
        Self::of(code, Severity::Error, address, message)
    }

    /// Something that needs attention.
    pub fn finding(code: NoteCode, severity: Severity, address: Address, message: impl Into<String>) -> Self {
        Self::of(code, severity, address, message)
    }

    // The code decides, whichever of the two was called: what is meant to stop a plan must never pass as a remark.
    fn of(code: NoteCode, severity: Severity, address: Address, message: impl Into<String>) -> Self {
        let NoteCode { name, kind, weaker_evidence, needs_eyes, summary: _, explanation: _ } = code;
        let severity = if kind == NoteKind::Refusal { Severity::Error } else { severity };
        let code = CodeName(Cow::Borrowed(name));
        Self {
            code,
            kind,
            severity,
            weaker_evidence,
            needs_eyes,
            address,
            message: message.into(),
            help: None,
            source: None,
            bearing: Bearing::default(),
        }
    }

    /// The same note with what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same note, with the resource at fault.
    #[must_use]
    pub fn about(mut self, about: Option<ResourceId>) -> Self {
        self.bearing.about = about;
        self
    }

    /// The same note, which says that nothing needs this resource any more.
    #[must_use]
    pub fn unless_needed(mut self, resource: ResourceId) -> Self {
        (self.bearing.about, self.bearing.unless_needed) = (Some(resource), true);
        self
    }

    /// The same note, with the name of what its address has only an id of.
    #[must_use]
    pub fn of_one_called(self, name: &str) -> Self {
        let first = self.bearing.first.map(|_| name.to_owned());
        Self { message: format!("{name}: {}", self.message), bearing: Bearing { first, ..self.bearing }, ..self }
    }

    /// The same note, before all others: something by this name is down already.
    #[must_use]
    pub fn first(mut self, called: impl Into<String>) -> Self {
        self.bearing.first = Some(called.into());
        self
    }

    /// The same note, which a change puts right.
    #[must_use]
    pub fn repaired_by(mut self, change: Option<&Address>) -> Self {
        self.bearing.repaired_by = change.cloned();
        self
    }

    /// The same note, about something that the configuration doesn't declare.
    #[must_use]
    pub fn aside(mut self) -> Self {
        self.bearing.aside = true;
        self
    }

    /// Whether it stops something.
    pub fn refuses(&self) -> bool {
        self.kind == NoteKind::Refusal
    }
}
