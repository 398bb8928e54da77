//! What a failed try leads to: for the call itself, and for the others to the same host.

use async_trait::async_trait;
use http::HeaderMap;

use super::*;
use crate::azure::operations::{DEACTIVATE_API_SUBSCRIPTION, GET_OPERATION_STATUS, LIST_INSTANCES, TRY_API_KEY};
use crate::azure::retry::{Decision, Limits, Try, decide};
use crate::azure::testing::{Answers, reader_over, writer_over};

/// A write that can't be repeated is sent again only if the first try certainly reached nobody.
#[test]
fn what_broke_decides_whether_a_write_is_sent_again() {
    let all: [fn(String) -> Broken; 6] =
        [Broken::Unsendable, Broken::NotConnected, Broken::TimedOut, Broken::Reset, Broken::Truncated, |_| {
            Broken::TooLong
        }];
    for broken in all.map(|make| make("it broke".to_owned())) {
        let ambiguous = broken.sent() != Sent::No;
        let again = matches!(broken, Broken::NotConnected(_));
        let failure = failure(broken.clone());
        let attempt = Try {
            failure: &failure,
            retry_after: None,
            repeatable: false,
            number: 1,
            elapsed: Duration::ZERO,
            jitter: 0,
        };
        let waits = matches!(decide(&attempt, Limits::default()), Decision::Wait(_));
        assert_eq!(waits, again, "{broken:?}");
        let error = CallError {
            operation: crate::azure::operations::SET_SECRET.facts(),
            failure,
            attempts: 1,
            correlation: None,
        };
        assert_eq!(error.is_ambiguous(), ambiguous, "{broken:?}");
    }
}

/// Throttles one operation so many times; another one gets this answer each time.
struct Busy {
    throttled: Cell<u32>,
    retry_after: Option<&'static str>,
    other: u16,
    status: u16,
}

#[async_trait(?Send)]
impl Exchange for Busy {
    async fn exchange(&self, request: Request) -> Result<Response, Broken> {
        let answer = |status: u16, body: &str| {
            let mut headers = HeaderMap::new();
            if let Some(wait) = self.retry_after.filter(|_| status == self.status) {
                headers.insert(RETRY_AFTER, wait.parse().unwrap());
            }
            let status = http::StatusCode::from_u16(status).unwrap();
            Ok(Response { status, headers, body: body.as_bytes().to_vec().into() })
        };
        if request.operation.name == LIST_INSTANCES.facts().name {
            return answer(self.other, "[]");
        }
        match self.throttled.get() {
            0 => answer(200, "{}"),
            left => {
                self.throttled.set(left - 1);
                answer(self.status, "{}")
            }
        }
    }
}

/// Where nobody gets through, being told to slow down again and again is a failure in the end, and its answer can be found.
#[tokio::test]
async fn being_told_to_slow_down_fails_where_nobody_gets_through() {
    for retry_after in [Some("1"), None] {
        let busy = Rc::new(Busy { throttled: Cell::new(12), retry_after, other: 200, status: 429 });
        let error = reader_over(busy.clone()).send(Call::of(&TRY_API_KEY)).await.unwrap_err();
        assert_eq!(
            (error.status(), error.attempts, busy.throttled.get()),
            (Some(429), 6, 6),
            "{retry_after:?}: {error}"
        );
        assert!(error.correlation.is_some());
    }
    let impatient = Rc::new(Busy { throttled: Cell::new(1), retry_after: Some("1000"), other: 200, status: 429 });
    let error = reader_over(impatient).send(Call::of(&TRY_API_KEY)).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Throttled { status: 429, seconds: 1000 }), "{error}");
    assert!(error.correlation.is_some());
}

/// Only a 429 is about all calls: a service that is out of order for one of them keeps none of the others waiting.
#[tokio::test]
async fn a_service_that_is_out_of_order_pauses_no_other_call() {
    for (status, others_wait) in [(503, false), (429, true)] {
        let busy = Busy { throttled: Cell::new(1), retry_after: Some("60"), other: 200, status };
        let reader = reader_over(Rc::new(busy));
        let began = reader.now();
        let other = async {
            // After the first answer to the other call.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            reader.send(Call::of(&LIST_INSTANCES)).await.map(|_| reader.now().duration_since(began).as_secs())
        };
        let (first, other) = tokio::join!(reader.send(Call::of(&TRY_API_KEY)), other);
        assert!(first.is_ok(), "{first:?}");
        assert_eq!(other.unwrap() >= 60, others_wait, "{status}");
    }
}

/// Part of a list isn't the list, and what a proxy made of an answer isn't the answer: only statuses that an operation is known
/// to be answered with are believed.
#[tokio::test]
async fn an_answer_with_any_other_success_status_is_not_believed() {
    let reads = [(&LIST_INSTANCES, &[200][..]), (&TRY_API_KEY, &[200]), (&GET_OPERATION_STATUS, &[200, 201, 202, 204])];
    let judge = |outcome: Result<Answer, CallError>, status: u16| match outcome {
        Ok(answer) => answer.status == status,
        Err(error) => {
            // Unknown: neither a refusal, nor proof that nothing was done.
            assert!(error.is_ambiguous() && error.status().is_none(), "{error:?}");
            assert!(error.to_string().contains(&format!("its status, {status}, isn't")), "{error}");
            false
        }
    };
    for status in 200..300 {
        let service = Answers::by(move |_| (status, serde_json::json!([])));
        let reader = reader_over(service.clone());
        for (operation, known) in reads {
            let believed = judge(reader.send(Call::of(operation)).await, status);
            assert_eq!(believed, known.contains(&status), "{status} to {operation:?}");
        }
        let written = writer_over(service.clone()).send(Call::of(&DEACTIVATE_API_SUBSCRIPTION)).await;
        assert_eq!(judge(written, status), [200, 201, 202, 204].contains(&status), "{status} to a write");
        assert_eq!(service.asked.borrow().len(), reads.len() + 1, "{status}: nothing is asked again");
    }
}
