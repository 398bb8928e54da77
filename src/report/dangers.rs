//! What a person must have read before saying yes: the counts of a summary don't tell an outage from a new reader.

use std::collections::BTreeSet;

use crate::plan::{Change, Impact};
use crate::terms::Scope;
use crate::terms::text::short;

/// What happens, and to whom: `Gains Admin` and `ada (user), grace (user)`; where several scopes are concerned, each with its
/// scopes. What hurts people most comes first.
pub fn dangers<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<(String, String)> {
    let changes: Vec<&Change> = changes.collect();
    let scopes: BTreeSet<Option<Scope>> = changes.iter().map(|change| change.address.in_scope()).collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for change in &changes {
        for danger in &change.dangers {
            let known = groups.iter().position(|group| group.what == danger.what);
            let at = known.unwrap_or(groups.len());
            if known.is_none() {
                groups.push(Group { what: &danger.what, impact: change.impact, who: Vec::new() });
            }
            let group = &mut groups[at];
            group.impact = group.impact.max(change.impact);
            group.add(&danger.who, change.address.in_scope());
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.impact));
    groups.into_iter().map(|group| (short(group.what), group.text(scopes.len() > 1))).collect()
}

/// All to whom the same happens.
struct Group<'a> {
    what: &'a str,
    impact: Impact,
    who: Vec<(&'a str, BTreeSet<Scope>)>,
}

impl<'a> Group<'a> {
    fn add(&mut self, who: &'a str, scope: Option<Scope>) {
        match self.who.iter_mut().find(|(known, _)| *known == who) {
            Some((_, scopes)) => scopes.extend(scope),
            None => self.who.push((who, scope.into_iter().collect())),
        }
    }

    fn text(&self, several: bool) -> String {
        let one = |(who, scopes): &(&str, BTreeSet<Scope>)| {
            let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
            if several { format!("{} ({})", short(who), scopes.join(", ")) } else { short(who) }
        };
        self.who.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}
