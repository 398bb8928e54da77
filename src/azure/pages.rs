//! Lists that come in pages.
//!
//! Invariants: a list is whole or an error; a page may be empty and lead on; an empty word for the next page ends the list
//! like none at all; pages that lead back to one that was read, or that go on for longer than any real list, are an error;
//! links are followed verbatim, only on the host that gave them, which the transport sees to, and only if a filter that they
//! have is about what was asked for.

use std::collections::BTreeSet;

use url::Url;

use super::access::Reader;
use super::call::{Answer, Call};
use super::error::CallError;
use super::operations::Read;

/// One page.
pub(super) struct Page<T> {
    /// What it holds.
    pub(super) items: Vec<T>,
    /// The service's word for the next page: a link, or a token.
    pub(super) next: Option<String>,
}

/// All items of a list of at most `most` pages, and the answer with the last of them. `turn` makes the call for the next
/// page from the service's word for it, or says why that can't be one.
pub(super) async fn whole<T>(
    reader: &Reader,
    first: Call<Read>,
    most: usize,
    turn: impl Fn(&str) -> Result<Call<Read>, &'static str>,
    mut read: impl FnMut(&Answer) -> Result<Page<T>, CallError>,
) -> Result<(Vec<T>, Answer), CallError> {
    let (mut items, mut turned) = (Vec::new(), BTreeSet::new());
    let mut call = first;
    loop {
        let answer = reader.send(call).await?;
        let page = read(&answer)?;
        items.extend(page.items);
        let Some(next) = page.next.filter(|next| !next.is_empty()) else { return Ok((items, answer)) };
        call = turn(&next).map_err(|why| answer.unreadable(&format!("its link to the next page {why}")))?;
        if !turned.insert(next) || turned.len() >= most {
            return Err(answer.unreadable("its pages don't end"));
        }
    }
}

/// Turns pages by links: the same call at another address.
pub(super) fn by_link(first: &Call<Read>) -> impl Fn(&str) -> Result<Call<Read>, &'static str> + use<> {
    let first = first.clone();
    move |link| {
        let link: Url = link.parse().map_err(|_| "is no address")?;
        match filters_the_same(&first, &link) {
            true => Ok(first.clone().link(link)),
            false => Err("leads to a list of something else"),
        }
    }
}

/// What a filter is called in queries.
const FILTER: &str = "$filter";

/// Whether the filter of a link, if it has one, names everything in quotes that the filter of the first page names. Services spell
/// the rest of it as they like.
fn filters_the_same(first: &Call<Read>, link: &Url) -> bool {
    let theirs = link.query_pairs().find(|(name, _)| name.eq_ignore_ascii_case(FILTER));
    let Some(theirs) = theirs.map(|(_, value)| value.to_lowercase()) else { return true };
    let own = first.query.iter().filter(|(name, _)| *name == FILTER).map(|(_, value)| value.to_lowercase());
    own.into_iter().all(|own| own.split('\'').skip(1).step_by(2).all(|named| theirs.contains(named)))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::Value as Json;

    use super::*;
    use crate::azure::exchange::{Broken, Exchange, Request, Response};
    use crate::azure::operations::LIST_PERMISSIONS;
    use crate::azure::testing::reader_over;

    /// Page n is at `?page=n` and leads to what stands there.
    struct Book(Vec<&'static str>);

    #[async_trait::async_trait(?Send)]
    impl Exchange for Book {
        async fn exchange(&self, request: Request) -> Result<Response, Broken> {
            let page = request.url.query_pairs().find(|(name, _)| name == "page");
            let page: usize = page.map_or(0, |(_, number)| number.parse().unwrap());
            let body = serde_json::json!({ "value": page, "next": self.0[page] }).to_string();
            let (status, headers) = (http::StatusCode::OK, http::HeaderMap::new());
            Ok(Response { status, headers, body: body.into_bytes().into() })
        }
    }

    async fn read(pages: &[&'static str], most: usize) -> Result<Vec<u64>, String> {
        let reader = reader_over(Rc::new(Book(pages.to_vec())));
        let first = Call::of(&LIST_PERMISSIONS).subpath("scope", "x").query(FILTER, "of 'x'");
        let turn = by_link(&first);
        let page = |answer: &Answer| {
            let json: Json = answer.json()?;
            let next = json["next"].as_str().map(str::to_owned);
            Ok(Page { items: json["value"].as_u64().into_iter().collect(), next })
        };
        let read = whole(&reader, first, most, turn, page).await;
        read.map(|(items, _)| items).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_list_is_whole_or_an_error() {
        let [one, two] = ["http://localhost/a?page=1", "http://localhost/a?page=2"];
        assert_eq!(read(&[""], 9).await, Ok(vec![0]));
        assert_eq!(read(&[one, two, ""], 9).await, Ok(vec![0, 1, 2]));
        assert_eq!(read(&[one, two, ""], 3).await, Ok(vec![0, 1, 2]));
        let same = "http://localhost/a?page=1&$FILTER=of+'X'+and+more";
        assert_eq!(read(&[same, ""], 9).await, Ok(vec![0, 1]), "spelt in another way");
        for (pages, most, why) in [
            (&[one, two, ""][..], 2, "don't end"),
            (&[one, two, one], 9, "don't end"),
            (&[one, one], 9, "don't end"),
            (&["page two"], 9, "no address"),
            (&["http://localhost:1/a?page=1", ""], 9, "another host"),
            (&["http://localhost/a?page=1&$filter=of%20'y'", ""], 9, "a list of something else"),
        ] {
            let error = read(pages, most).await.unwrap_err();
            assert!(error.contains(why), "{pages:?}: {error}");
        }
    }
}
