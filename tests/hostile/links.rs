//! What writes about private links must keep: nobody is let in whom no plan showed.

use serde_json::Value;

use crate::answers::{self, Connection, Link};
use crate::declared::Links;
use crate::kind::Kind;
use crate::names::{MICROSOFT, last};
use crate::oracle::Write;

pub(crate) fn judge(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Some(declared) = &write.environment.links else { return say("no private links are declared") };
    let told: Vec<Vec<Link>> = write.look.iter().filter_map(|one| answers::links(one)).collect();
    if told.is_empty() {
        return say("no list of private links was read before");
    }
    match write.one.kind {
        Kind::AddLink => add(write, declared, &told, say),
        Kind::RemoveLink => remove(write, declared, &told, say),
        _ => approve(write, declared, &told, say),
    }
}

fn add(write: &Write<'_>, declared: &Links, told: &[Vec<Link>], say: &mut impl FnMut(&str)) {
    let sent = write.one.sent.as_ref().unwrap_or(&Value::Null);
    let name = sent["resourceName"].as_str().unwrap_or_default().to_lowercase();
    if declared.to(&name).is_none() || sent["consentAccepted"] != true {
        say("a link is added that isn't declared");
    }
    let removed = write.run.iter().any(|one| one.kind == Kind::RemoveLink);
    if !removed && !told.iter().any(|links| links.iter().all(|link| link.account != name)) {
        say("a link is added that was told to be there");
    }
}

fn remove(write: &Write<'_>, declared: &Links, told: &[Vec<Link>], say: &mut impl FnMut(&str)) {
    if !declared.exact {
        say("a link is removed, and the list is declared as `atLeast`");
    }
    let id = last(&write.one.path);
    let known: Vec<&Link> = told.iter().flatten().filter(|link| link.id == id).collect();
    let Some(link) = known.last() else { return say("a link is removed that was never told of") };
    if declared.to(&link.account).is_none() {
        return;
    }
    // Rejected is final: only then a declared link goes, to come again.
    let ended = |status: &str| matches!(status, "rejected" | "disconnected");
    let azure = write.look.iter().filter_map(|one| answers::connections(one));
    let azure = azure.filter(|(account, _)| *account == link.account).flat_map(|(_, connections)| connections);
    let seen = known.iter().flat_map(|link| &link.endpoints).map(|(_, status)| status.clone());
    if !seen.chain(azure.map(|one| one.status.to_lowercase())).any(|status| ended(&status)) {
        say("a declared link is removed, and none of its connections has ended");
    }
}

/// Whether a private endpoint could be the one that Customer Insights calls so: anyone can give a name.
fn could_be(endpoint: &str, name: &str) -> bool {
    let (found, name) = (last(endpoint).to_lowercase(), name.to_lowercase());
    found.strip_suffix(&name).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

fn approve(write: &Write<'_>, declared: &Links, told: &[Vec<Link>], say: &mut impl FnMut(&str)) {
    let account = write.one.path.split('/').nth(8).unwrap_or_default().to_lowercase();
    let name = last(&write.one.path);
    let Some(link) = declared.to(&account) else { return say("a connection of an undeclared link is approved") };
    if !link.approve {
        say("a connection is approved, and the file leaves that to others");
    }
    let looks = write.look.iter().filter_map(|one| answers::connections(one));
    let looks: Vec<Vec<Connection>> = looks.filter(|(found, _)| *found == account).map(|(_, list)| list).collect();
    let named = |list: &'_ [Connection]| list.iter().find(|one| one.name.eq_ignore_ascii_case(name)).cloned();
    // It is read once more right before.
    let Some(connection) = looks.last().and_then(|list| named(list)) else {
        return say("a connection is approved that wasn't read before");
    };
    let endpoint = &connection.endpoint;
    let ours = endpoint.to_lowercase().contains(&format!("/subscriptions/{MICROSOFT}/"));
    let listed = write.plan.to_string().to_lowercase().contains(&format!("\"{}\"", endpoint.to_lowercase()));
    if !(listed || (link.from_subscription && ours)) {
        say(&format!("{endpoint} is let in, and no plan listed it"));
    }
    if link.from_subscription && !ours {
        say(&format!("{endpoint} is let in from another subscription than the file names"));
    }
    let candidates = |list: &[Connection], of: &str| {
        let here = |one: &&Connection| {
            !link.from_subscription || one.endpoint.to_lowercase().contains(&format!("/subscriptions/{MICROSOFT}/"))
        };
        list.iter().filter(here).filter(|one| could_be(&one.endpoint, of)).count()
    };
    let pending = told.iter().flatten().filter(|one| one.account == account).flat_map(|link| &link.endpoints);
    let pending = pending.filter(|(name, status)| status == "pending" && could_be(endpoint, name));
    let alone = |(of, _): &(String, String)| looks.iter().any(|list| candidates(list, of) == 1);
    if !pending.clone().any(alone) {
        let why = if pending.count() == 0 { "no endpoint of a link asks so" } else { "two connections have its name" };
        say(&format!("{endpoint} is let in, and {why}"));
    }
}
