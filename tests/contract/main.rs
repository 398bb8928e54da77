//! What palisade sends and what its emulator answers, compared with Microsoft's OpenAPI documents.
//!
//! Needs the feature `contract-documents`, and `PALISADE_SPECS` with the folder that holds `specification/`. Clients and probes
//! talk to the emulator through a recorder; each exchange is compared with the operation that is published for it. The
//! report says what was covered, and what no document describes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may fail loudly")]

mod check;
mod clients;
mod documents;
mod probes;
mod recorder;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod walk;

use std::path::Path;
use std::sync::{Arc, Mutex};

use check::Report;
use documents::Documents;
use palisade::emulator::World;
use recorder::{Exchange, Recorder};
use support::Services;
use url::Url;

/// An emulator with a recorder before it.
struct Stage {
    services: Services,
    address: Url,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Stage {
    async fn with(exchanges: &Arc<Mutex<Vec<Exchange>>>, change: impl FnOnce(&mut World)) -> Self {
        let services = Services::with(change, "").await;
        let address = Recorder::start(services.emulator.http(), Arc::clone(exchanges)).await;
        Self { services, address, exchanges: Arc::clone(exchanges) }
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the report is for whoever runs this test")]
async fn requests_and_answers_are_as_published() {
    let folder = std::env::var_os("PALISADE_SPECS")
        .unwrap_or_else(|| panic!("set PALISADE_SPECS to the folder that holds `specification/`"));
    let documents = Documents::load(Path::new(&folder));
    let exchanges = Arc::default();
    clients::run(&exchanges).await;
    probes::run(&exchanges).await;
    let mut report = Report::default();
    let exchanges = exchanges.lock().unwrap().clone();
    for exchange in &exchanges {
        report.add(&documents, exchange);
    }
    report.compare_catalogue(&exchanges);
    println!("{}", report.text());
    assert!(report.violations.is_empty(), "{} violations of the published documents", report.violations.len());
}
