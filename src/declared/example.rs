//! The example is a setting like any other: the registry takes it, files declare it, comparing brings a change.

use uuid::Uuid;

use super::{Loaded, format_with, judge};
use crate::azure::customer_insights::Instance;
use crate::config::{self, Source};
use crate::plan::Findings;
use crate::settings::block::Block as _;
use crate::settings::example::{Block, Observed};
use crate::settings::observation::Unreadable;
use crate::settings::registry::{Entry, Registered, Registry, SETTINGS};
use crate::settings::setting::{Comparing, Setting as _};
use crate::settings::surface::Surface;

static WITH_EXAMPLE: Registry = Registry::of(&[&Entry::<Block>::NEW]);

const FILE: &str = "\
version: 1
tenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }
environments:
  prod:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a001
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
    title: { text: Contoso prod }
";

fn loaded(text: &str) -> Loaded {
    let format = format_with(WITH_EXAMPLE);
    judge(config::read_sources(vec![Source::new("palisade.yaml", text)], &format), &format, WITH_EXAMPLE)
}

fn findings(observed: &Observed) -> Findings {
    let configuration = loaded(FILE).configuration.unwrap();
    let environment = &configuration.environments[0];
    let comparing = Comparing {
        head: &environment.head,
        instance: Ok(&Instance { id: Uuid::from_u128(1), scale_unit: None }),
        hosting: Err(&crate::settings::hosting::not_asked()),
        tenant: configuration.tenant.id,
        region: None,
        created: None,
        attested: &[],
        elsewhere: &[],
        beside: &crate::settings::blocks::Blocks::default(),
        surface: Surface::EMULATOR,
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
    };
    Block::compare(environment.blocks.of::<Block>().unwrap(), observed, &comparing)
}

#[test]
fn what_agrees_is_in_sync_and_what_is_unknown_is_no_change() {
    assert_eq!(findings(&Ok(Some("Contoso prod".to_owned()))).in_sync, 1);
    let unknown = findings(&Err(Unreadable::because("it answered 500")));
    assert_eq!((unknown.unknown.len(), unknown.changes.len(), unknown.in_sync), (1, 0, 0));
}

#[test]
fn a_difference_is_a_change_at_the_line_that_declares_it() {
    let findings = findings(&Ok(Some("Contoso".to_owned())));
    let change = &findings.changes[0].change;
    assert_eq!((change.address.as_str(), change.source.line), ("prod/title", 7));
    assert_eq!(change.manual().unwrap().values["Name"], "Contoso prod");
    assert_eq!(findings.notes[0].code.to_string(), "title-is-shown");
}

#[test]
fn a_mistake_is_told_with_its_code() {
    let wrong = FILE.replace("Contoso prod", "\"Contoso\\nprod\"");
    let loaded = loaded(&wrong);
    let codes: Vec<&str> = loaded.diagnostics.iter().map(|found| found.code.name()).collect();
    assert_eq!(codes, ["title-with-controls"]);
}

#[test]
fn no_program_has_the_example() {
    assert_eq!(SETTINGS.iter().find(|setting| setting.key() == Block::KEY).map(Registered::key), None);
}
