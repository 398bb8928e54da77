//! Azure Resource Manager: what all of its providers share.
//!
//! Words: lists and role assignments are at an [`AzureScope`](crate::terms::AzureScope); a [`LongRunning`] write was accepted
//! and goes on, and is asked about until it is [`Progress::Done`]. What must stay true: ids are compared without
//! regard to case and shown as they were written; a list is whole or an error; only ARM's own words for it prove that
//! something isn't there; addresses in answers are followed only to hosts that may see the token.

mod long_running;

use serde::Deserialize;

use super::access::Reader;
use super::call::{Answer, Call};
use super::error::CallError;
use super::operations::Read;
use super::pages;

pub use long_running::{LongRunning, Progress, wait};

/// What ARM reads and writes.
pub(super) const JSON: &str = "application/json";

/// The most pages of one list; more are taken for a service that goes round in circles.
const MOST_PAGES: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    value: Vec<T>,
    next_link: Option<String>,
}

/// All items of a list, page by page: the whole list or an error.
pub(super) async fn list<T: serde::de::DeserializeOwned>(
    reader: &Reader,
    first: Call<Read>,
) -> Result<Vec<T>, CallError> {
    let turn = pages::by_link(&first);
    let read = |answer: &Answer| {
        let Page { value: items, next_link: next } = answer.json()?;
        Ok(pages::Page { items, next })
    };
    Ok(pages::whole(reader, first, MOST_PAGES, turn, read).await?.0)
}

/// The answer, or none if ARM says that there is no such resource. A bare 404 says nothing.
pub(super) fn found(outcome: Result<Answer, CallError>) -> Result<Option<Answer>, CallError> {
    match outcome {
        Err(error) if is_absent(&error) => Ok(None),
        other => other.map(Some),
    }
}

/// Whether ARM says that there is no such thing.
pub(super) fn is_absent(error: &CallError) -> bool {
    error.status() == Some(404) && error.code().is_some_and(proves_absence)
}

/// The published codes. `SubscriptionNotFound` isn't among them: ARM says so, too, to those who may not look into it.
fn proves_absence(code: &str) -> bool {
    ["ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "RoleAssignmentNotFound"]
        .iter()
        .any(|known| code.eq_ignore_ascii_case(known))
}
