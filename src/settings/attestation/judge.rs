//! What an entry is worth: declared, seen and observed against each other. Pure.

use jiff::civil::Date;

use super::entry::Attestation;

/// When it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::settings) struct Moment {
    /// Today, in UTC.
    pub(in crate::settings) today: Date,
    /// The day on which the environment came into being, if the service tells.
    pub(in crate::settings) created: Option<Date>,
}

/// One entry, as far as it is about the thing that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::settings) struct Statement<'a, T> {
    pub(in crate::settings) entry: &'a Attestation,
    pub(in crate::settings) saw: T,
    /// Why the entry is worth nothing, if it is wrong about another part: whoever was wrong about one may be wrong about all.
    pub(in crate::settings) flaw: Option<Doubt<'a>>,
}

/// What the services show of a thing that no operation reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::settings) enum Trace<T> {
    /// Nothing.
    Nothing,
    /// What it is; with what shows it, as a sentence.
    Shows(T, String),
    /// What it isn't, whatever else it may be; with what shows it, as a sentence.
    RulesOut(T, String),
}

impl<T: PartialEq + Clone> Trace<T> {
    /// What a look may still show: the declared value, unless something else is seen; none if only the declared value is ruled
    /// out.
    pub(in crate::settings) fn possible(&self, declared: &T) -> Option<T> {
        match self {
            Self::Nothing => Some(declared.clone()),
            Self::Shows(live, _) => Some(live.clone()),
            Self::RulesOut(value, _) => (value != declared).then(|| declared.clone()),
        }
    }
}

/// What is known in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::settings) enum Verdict<'a, T> {
    /// It is as declared.
    InSync(Evidence<'a>),
    /// It is something else.
    Differs { live: T, evidence: Evidence<'a> },
    /// Nobody can tell.
    Unknown(Doubt<'a>),
}

impl<'a, T> Verdict<'a, T> {
    /// Why it isn't known, if it isn't.
    pub(in crate::settings) fn doubt(self) -> Option<Doubt<'a>> {
        match self {
            Self::InSync(_) | Self::Differs { .. } => None,
            Self::Unknown(doubt) => Some(doubt),
        }
    }
}

/// How something is known that no operation reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::settings) enum Evidence<'a> {
    /// A person saw it.
    Attested(&'a Attestation),
    /// The services show it elsewhere, as this sentence says.
    Inferred(String),
}

/// Why something isn't known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::settings) enum Doubt<'a> {
    /// There is no entry about it.
    Missing,
    /// The newest entry isn't valid any more.
    Expired(&'a Attestation),
    /// The newest entry is older than the environment, which was created on this day.
    Void(&'a Attestation, Date),
    /// The newest entry is dated in the future.
    Ahead(&'a Attestation),
    /// Two entries disagree, and none of them is newer and valid.
    Disputed(&'a Attestation, &'a Attestation),
    /// A valid entry says what observing rules out, as this sentence says.
    Contradicted(&'a Attestation, String),
}

/// Whether a thing that no operation reads is as declared. The one rule for all settings:
///
/// - What is observed wins over what is attested; where the two disagree, nothing is known.
/// - The newest valid entry counts, and only for what it says was seen: equal to what is declared, the thing is in sync;
///   otherwise it differs.
/// - An entry that is wrong about another part of the setting says nothing about this one either.
/// - Without a valid entry nothing is known.
pub(in crate::settings) fn judge<'a, T: PartialEq + Clone>(
    declared: &T,
    trace: &Trace<T>,
    statements: &[Statement<'a, T>],
    moment: Moment,
) -> Verdict<'a, T> {
    let decided = |live: &T, evidence| match live == declared {
        true => Verdict::InSync(evidence),
        false => Verdict::Differs { live: live.clone(), evidence },
    };
    match (trace, word(statements, moment)) {
        (Trace::Shows(live, how), Ok(word)) if word.saw != *live => {
            Verdict::Unknown(Doubt::Contradicted(word.entry, how.clone()))
        }
        (Trace::RulesOut(value, how), Ok(word)) if word.saw == *value => {
            Verdict::Unknown(Doubt::Contradicted(word.entry, how.clone()))
        }
        (Trace::Shows(live, how), _) => decided(live, Evidence::Inferred(how.clone())),
        (Trace::Nothing | Trace::RulesOut(..), Ok(word)) => match &word.flaw {
            Some(flaw) => Verdict::Unknown(flaw.clone()),
            None => decided(&word.saw, Evidence::Attested(word.entry)),
        },
        (Trace::Nothing | Trace::RulesOut(..), Err(doubt)) => Verdict::Unknown(doubt),
    }
}

/// Makes what is wrong about one part of a setting count for all of its parts: `doubts` are those about each part by itself.
pub(in crate::settings) fn spread<'a, S>(
    statements: &mut [Statement<'a, S>],
    doubts: impl IntoIterator<Item = Doubt<'a>>,
) {
    for doubt in doubts {
        let wrong: &[&Attestation] = match &doubt {
            Doubt::Contradicted(entry, _) => &[entry],
            Doubt::Disputed(one, other) => &[one, other],
            // These go by dates, which are the same for every part.
            Doubt::Missing | Doubt::Expired(_) | Doubt::Void(..) | Doubt::Ahead(_) => &[],
        };
        let about = statements.iter_mut().filter(|one| wrong.iter().any(|entry| std::ptr::eq(*entry, one.entry)));
        about.for_each(|one| one.flaw = Some(doubt.clone()));
    }
}

/// What an entry is worth by its dates alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Valid,
    Expired,
    Void(Date),
    Ahead,
}

fn standing(entry: &Attestation, moment: Moment) -> Standing {
    let Moment { today, created } = moment;
    match created {
        _ if entry.on > today => Standing::Ahead,
        Some(created) if entry.on < created => Standing::Void(created),
        _ if last_day(entry) < today => Standing::Expired,
        _ => Standing::Valid,
    }
}

/// The last day on which an entry counts.
pub(super) fn last_day(entry: &Attestation) -> Date {
    entry.on.checked_add(entry.valid_for).unwrap_or(Date::MAX)
}

/// The newest valid statement. A newer one that is expired outlives its validity in one respect: an older one that says
/// something else was overtaken by it.
fn word<'s, 'a, T: PartialEq>(
    statements: &'s [Statement<'a, T>],
    moment: Moment,
) -> Result<&'s Statement<'a, T>, Doubt<'a>> {
    let stands = |one: &&Statement<'a, T>, wanted: Standing| standing(one.entry, moment) == wanted;
    let newest = statements.iter().filter(|one| stands(one, Standing::Valid)).max_by_key(|one| one.entry.on);
    let Some(newest) = newest else { return Err(without_word(statements, moment)) };
    let overtakes = |one: &&Statement<'a, T>| {
        one.entry.on >= newest.entry.on
            && one.saw != newest.saw
            && matches!(standing(one.entry, moment), Standing::Valid | Standing::Expired)
    };
    match statements.iter().find(overtakes) {
        Some(other) => Err(Doubt::Disputed(newest.entry, other.entry)),
        None => Ok(newest),
    }
}

/// Why no statement counts: what is wrong with the newest one that isn't from the future.
fn without_word<'a, T>(statements: &[Statement<'a, T>], moment: Moment) -> Doubt<'a> {
    let key = |one: &&Statement<'a, T>| (standing(one.entry, moment) != Standing::Ahead, one.entry.on);
    let Some(newest) = statements.iter().max_by_key(key).map(|one| one.entry) else { return Doubt::Missing };
    match standing(newest, moment) {
        Standing::Ahead => Doubt::Ahead(newest),
        Standing::Void(created) => Doubt::Void(newest, created),
        Standing::Valid | Standing::Expired => Doubt::Expired(newest),
    }
}
