//! Power Platform: environments, the lifecycle operations that change them, and the enterprise policies that protect them.
//!
//! [`environments`] reads them and makes them managed, [`operations`] follows what goes on, [`policies`] makes policies and
//! links environments to them. Words: *administration* is the service of links and lifecycle operations, the *Power Platform
//! API* the published one; an operation that was [`Started`] goes on for up to days, and is [polled](operations::poll) by its
//! [`Handle`], or found in the list of its environment.
//!
//! Invariants: ids are compared without regard to case and shown as they were written; an id of an environment is any text; a
//! word that isn't known stays what it is (`Other`) and counts as nothing else; a list is whole or an error; that the
//! service doesn't find an environment proves nothing, since it says the same to callers without a right
//! ([`may_be_hidden`]); what starts an operation is sent once, and a conflict is an answer of its own, since it means "busy" as
//! well as "already so": read again, then decide.

pub mod environments;
pub mod ids;
pub mod links;
pub mod operations;
pub mod policies;
mod words;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::access::{Reader, Writer};
use super::call::{Answer, Call};
use super::error::{CallError, Failure};
use super::operations::{Read, Write};
use super::pages;
use operations::Handle;

pub use ids::{EnvironmentId, SystemId};
pub use links::{Link, LinkStatus, Links};

/// What Power Platform reads and writes. Linking without it is refused with 415.
const JSON: &str = "application/json";

/// The most pages of one list; more are taken for a service that goes round in circles.
const MOST_PAGES: usize = 1000;

/// What became of starting an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It was accepted and goes on. That is no effect yet: it may fail, and the environment shows a success late.
    Accepted(Handle),
    /// The service says that there is nothing to do (204). Read back.
    Nothing,
    /// Nothing was begun.
    Conflict(Conflict),
}

/// The service's 409, with or without a body: another operation is going on, or the environment is already as wished. Which of
/// the two, only a fresh read tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The service's code, if its body had one.
    pub code: Option<String>,
    /// The service's words, if its body had some.
    pub message: Option<String>,
}

impl Conflict {
    /// Whether the service says that another operation is going on. A conflict without a body says nothing.
    pub fn is_busy(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case("OperationNotStartable"))
    }
}

/// Whether a failed read says that there is no such environment, which it also says to a caller who may not see it: neither
/// absence nor a missing right is proved.
pub fn may_be_hidden(error: &CallError) -> bool {
    let hidden = |code: &str| {
        ["EnvironmentNotFound", "ServiceToServiceEnvironmentNotFound"]
            .iter()
            .any(|known| code.eq_ignore_ascii_case(known))
    };
    error.status() == Some(404) && error.code().is_some_and(hidden)
}

/// Sends what starts an operation, once.
async fn start(writer: &Writer, call: Call<Write>) -> Result<Started, CallError> {
    match writer.send(call).await {
        Ok(answer) if answer.status == http::StatusCode::NO_CONTENT => Ok(Started::Nothing),
        Ok(answer) => Ok(Started::Accepted(Handle::of(&answer))),
        Err(CallError { failure: Failure::Status { status: 409, code, message, .. }, .. }) => {
            Ok(Started::Conflict(Conflict { code, message }))
        }
        Err(error) => Err(error),
    }
}

/// By what a service names the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paging {
    /// `nextLink`, or `@odata.nextlink` in all lower case.
    Links,
    /// `continuationToken`, which goes into the query.
    Tokens,
}

/// A page of any of Power Platform's lists.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default = "Option::default")]
    value: Option<Vec<T>>,
    #[serde(default = "Option::default")]
    collection: Option<Vec<T>>,
    next_link: Option<String>,
    #[serde(rename = "@odata.nextlink", alias = "@odata.nextLink")]
    odata_next_link: Option<String>,
    continuation_token: Option<String>,
}

/// All items of a list, page by page, and the answer with the last of them: the whole list or an error.
async fn list<T: DeserializeOwned>(
    reader: &Reader,
    first: Call<Read>,
    paging: Paging,
) -> Result<(Vec<T>, Answer), CallError> {
    let by_link = pages::by_link(&first);
    let again = first.clone();
    let turn = move |next: &str| match paging {
        Paging::Links => by_link(next),
        Paging::Tokens => Ok(again.clone().query("continuationToken", next)),
    };
    let read = |answer: &Answer| {
        let page: Page<T> = answer.json()?;
        let words = [page.next_link, page.odata_next_link, page.continuation_token];
        let mut words = words.into_iter().map(|word| word.filter(|word| !word.is_empty()));
        let (link, odata, token) = (words.next().flatten(), words.next().flatten(), words.next().flatten());
        let next = match (paging, link, odata, token) {
            (Paging::Links, link, None, None) | (Paging::Links, None, link, None) => link,
            (Paging::Tokens, None, None, token) => token,
            // What isn't followed would be missing, and of two words only one can be followed.
            _ => return Err(answer.unreadable("how its next page is found can't be told")),
        };
        match (page.value, page.collection) {
            (Some(items), None) | (None, Some(items)) => Ok(pages::Page { items, next }),
            (None, None) => Err(answer.unreadable("it is no list")),
            (Some(_), Some(_)) => Err(answer.unreadable("it is two lists")),
        }
    };
    pages::whole(reader, first, MOST_PAGES, turn, read).await
}

#[cfg(test)]
mod tests;
