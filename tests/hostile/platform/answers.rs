//! What Power Platform told, and Azure of policies and keys, as far as it can be believed.

use serde_json::Value;

use super::hosted;
use crate::kind::Kind;
use crate::names::last;
use crate::wire::Exchanged;

/// An environment as administration told it.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) level: String,
    pub(crate) sku: String,
    pub(crate) link: Option<Link>,
}

#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) system_id: String,
    pub(crate) status: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn environment(one: &Exchanged) -> Option<Environment> {
    let answer = one.answer.as_ref().filter(|_| one.kind == Kind::Hosted)?;
    let asked = hosted(one.hosted?);
    let id = answer["name"].as_str().filter(|id| id.eq_ignore_ascii_case(&asked));
    let properties = id.map(|_| &answer["properties"]).filter(|properties| properties.is_object())?;
    let link = &properties["enterprisePolicies"]["customerManagedKeys"];
    let link = link.is_object().then(|| Link { system_id: text(&link["systemId"]), status: text(&link["linkStatus"]) });
    let level = text(&properties["governanceConfiguration"]["protectionLevel"]);
    Some(Environment { level, sku: text(&properties["environmentSku"]), link })
}

/// A lifecycle operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) kind: String,
    pub(crate) state: String,
}

fn operation(item: &Value, number: usize) -> Option<Operation> {
    let path = item["links"]["environment"]["path"].as_str();
    let ours = path.is_none_or(|path| path.is_empty() || last(path).eq_ignore_ascii_case(&hosted(number)));
    Some(Operation { kind: text(&item["type"]["id"]), state: item["state"]["id"].as_str()?.to_owned() })
        .filter(|_| ours)
}

fn lists(one: &Exchanged, number: usize) -> bool {
    one.kind == Kind::Operations && one.hosted == Some(number)
}

/// Where lists of an environment's operations begin.
pub(crate) fn begun(log: &[Exchanged], number: usize) -> impl DoubleEndedIterator<Item = usize> {
    let first = move |one: &Exchanged| lists(one, number) && !one.query.contains("skiptoken");
    (0..log.len()).filter(move |at| first(&log[*at]))
}

/// The operations of the list that begins there, newest first; none if any page is missing.
pub(crate) fn operations(log: &[Exchanged], number: usize, first: usize) -> Option<Vec<Operation>> {
    let (mut at, mut all) = (first, Vec::new());
    loop {
        let answer = log[at].answer.as_ref()?;
        let page = answer["value"].as_array()?;
        all.extend(page.iter().map(|item| operation(item, number)).collect::<Option<Vec<_>>>()?);
        let Some(next) = answer["nextLink"].as_str().filter(|next| !next.is_empty()) else { return Some(all) };
        let token = next.split("skiptoken=").nth(1)?;
        let token = token.split('&').next().unwrap_or_default();
        let goes_on = |one: &Exchanged| one.query.split('&').any(|part| part.ends_with(&format!("skiptoken={token}")));
        // A page that failed is asked for once more, before any other list is begun.
        let rest = log[at + 1..].iter().take_while(|one| !lists(one, number) || one.query.contains("skiptoken"));
        at += 1 + rest.into_iter().position(|one| lists(one, number) && goes_on(one) && one.answer.is_some())?;
    }
}

/// A policy as Azure told it.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) system_id: String,
    pub(crate) vault: String,
    pub(crate) key: String,
}

/// A policy; the inner `None` is that there is none.
pub(crate) fn policy(one: &Exchanged) -> Option<Option<Policy>> {
    if one.kind != Kind::EnterprisePolicy {
        return None;
    }
    if one.status == Some(404) && one.code.as_deref() == Some("ResourceNotFound") {
        return Some(None);
    }
    let answer = one.answer.as_ref()?;
    answer["id"].as_str().filter(|id| id.eq_ignore_ascii_case(&one.path))?;
    let properties = &answer["properties"];
    let named = &properties["encryption"]["keyVault"];
    let (vault, key) = (text(&named["id"]), text(&named["key"]["name"]));
    Some(Some(Policy { system_id: text(&properties["systemId"]), vault, key }))
}
