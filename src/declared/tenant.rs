//! For tests: a setting of the tenant, from the file to the plan.

use std::rc::Rc;

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Loaded, format_with, judge};
use crate::azure::exchange::Http;
use crate::azure::hosts::Hosts;
use crate::azure::operations::GET_INSTANCE;
use crate::azure::retry::Limits;
use crate::azure::{ClientCredentials, Quiet, Reader, Settings, Transport};
use crate::clock::Clock;
use crate::config::{self, Code, Diagnostics, Located, Source};
use crate::plan::{
    Action, Derivation, Direction, Findings, Impact, ManualStep, NoteCode, Only, Outline, Plan, Planned, Rated, Risk,
    Target, Work, derive,
};
use crate::settings::block;
use crate::settings::registry::{Entry, Registry};
use crate::settings::setting::{Comparing, Need, Observing, Setting};
use crate::settings::surface::Surface;
use crate::settings::survey::Survey;
use crate::terms::{Face, Head, Place, Scope, ScopeKind};

static WITH_BANNER: Registry = Registry::of(&[&Entry::<Banner>::NEW]);

/// A banner that the whole tenant sees.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Banner {
    /// Whether it is shown. Required.
    shown: bool,
    /// Whether its key is due while the tenant is being changed as a whole.
    #[serde(default)]
    rotates: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Declared {
    shown: bool,
    rotates: bool,
    place: Place,
}

/// What a person sees of it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BannerSaw")]
struct Saw {
    /// Whether the page shows it. Required.
    shown: bool,
}

impl block::Saw for Saw {
    const PLACE: Option<&'static str> = Some("Tenant settings");
    const EXAMPLE: &'static str = "{ shown: true }";

    fn check(&self, _: Located<'_>, _: &mut Diagnostics) {}
}

impl block::Block for Banner {
    const KEY: &'static str = "banner";
    type Declared = Declared;
    type Saw = Saw;

    fn declare(self, at: Located<'_>, _: &Head, _: &mut Diagnostics) -> Declared {
        Declared { shown: self.shown, rotates: self.rotates, place: at.place() }
    }
}

const SHOW: Rated = Rated { what: "show a banner", risk: Risk::Low };

#[async_trait(?Send)]
impl Setting for Banner {
    type Observed = bool;

    const RISKS: &'static [Rated] = &[SHOW];
    const CODES: &'static [Code] = &[];
    const NOTES: &'static [NoteCode] = &[];
    const SCOPE: ScopeKind = ScopeKind::Tenant;
    const NEEDS: &'static [Need] = &[];

    fn places(declared: &Declared) -> Vec<(String, Place)> {
        vec![(String::new(), declared.place.clone())]
    }

    async fn observe(_: Option<&Declared>, _: &Observing<'_>) -> bool {
        false
    }

    fn compare(declared: &Declared, live: &bool, comparing: &Comparing<'_>) -> Findings {
        let address = comparing.address("banner");
        let going_on = declared.rotates.then(|| "it is being moved".to_owned());
        let mut findings = Findings { under_way: going_on, ..Findings::default() };
        if declared.shown == *live {
            findings.settled(address);
            return findings;
        }
        let outline = Outline {
            address,
            setting: "banner",
            subject: format!("the banner of {}", comparing.head.label()),
            action: if declared.rotates { Action::Rotate } else { Action::Enable },
            direction: Direction::Neutral,
            risk: SHOW,
            impact: Impact::None,
            before: json!({ "shown": live }),
            after: json!({ "shown": declared.shown }),
            reason: "declared".to_owned(),
            source: declared.place.clone(),
            operations: vec![GET_INSTANCE.facts()],
        };
        let by_hand = ManualStep {
            place: "Tenant settings".to_owned(),
            actions: vec!["show the banner".to_owned()],
            values: [].into(),
            shown_by: "the page shows it".to_owned(),
            record: None,
        };
        findings.changes.push(Planned::new(outline, Work::person(by_hand)));
        findings
    }
}

const FILE: &str = "\
version: 1
tenant:
  id: 7b1f0c52-0000-4000-8000-0000000000aa
  banner: { shown: true }
  attested: [{ setting: banner, saw: { shown: false }, by: ada@contoso.com, on: 2026-11-01, validFor: 90d }]
environments:
  prod:
    environmentId: 1bd6bd98-0000-4000-8000-00000000e001
";

fn loaded(text: &str) -> Loaded {
    let format = format_with(WITH_BANNER);
    judge(config::read_sources(vec![Source::new("palisade.yaml", text)], &format), &format, WITH_BANNER)
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A survey without any service: what is asked about the environment gets no answer.
fn survey(tenant: Uuid) -> Survey {
    let hosts = Hosts::emulator(&"http://127.0.0.1:9".parse().unwrap()).unwrap();
    let transport = Transport::new(Settings {
        exchange: Rc::new(Http::new(&hosts)),
        hosts,
        face: Face::ScaleUnit,
        subscription_key: None,
        tokens: Box::new(ClientCredentials::new("t", "c", SecretString::from("never used"))),
        clock: Clock::simulated(now()),
        limits: Limits::default(),
        per_host: 1,
        notices: Rc::new(Quiet),
    });
    Survey::new(Reader::new(Rc::new(transport)), tenant, None, Surface::EMULATOR)
}

fn waited_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn plan(text: &str) -> Plan {
    let configuration = loaded(text).configuration.unwrap();
    let scopes: Vec<_> = configuration.scopes().collect();
    let accounts = waited_for(survey(configuration.tenant.id).accounts(&scopes, now()));
    let derivation = Derivation {
        config_digest: configuration.digest.clone(),
        target: Target::Emulator { world: "w".into(), tenant: configuration.tenant.id.to_string() },
        now: now(),
        allow_removals: None,
        only: Only::default(),
    };
    derive(&derivation, &accounts, Vec::new())
}

#[test]
fn the_tenant_has_an_account_of_its_own_and_comes_first() {
    let plan = plan(FILE);
    let scopes: Vec<&Scope> = plan.scopes.iter().map(|scope| &scope.scope).collect();
    assert_eq!(scopes, [&Scope::Tenant, &Scope::environment("prod")]);
    let document = serde_json::to_value(&plan.scopes[0]).unwrap();
    let identity = json!({ "kind": "tenant", "tenantId": "7b1f0c52-0000-4000-8000-0000000000aa" });
    assert_eq!((&document["scope"], &document["identity"]), (&json!("tenant"), &identity));
    let change = &plan.scopes[0].changes[0];
    assert_eq!((change.address.as_str(), change.source.line), ("tenant/banner", 4));
    assert_eq!(serde_json::from_value::<Plan>(serde_json::to_value(&plan).unwrap()).unwrap(), plan);
}

#[test]
fn no_key_is_rotated_while_a_setting_says_that_its_scope_is_being_changed() {
    let file = FILE.replace("banner: { shown: true }", "banner: { shown: true, rotates: true }");
    let plan = plan(&file);
    let tenant = &plan.scopes[0];
    assert_eq!((tenant.changes.len(), tenant.waiting.len()), (0, 1));
    assert!(tenant.waiting[0].detail.contains("while the environment is being changed: it is being moved"));
    // Nor does a look before a write find one.
    let configuration = loaded(&file).configuration.unwrap();
    let scope = configuration.scopes().next().unwrap();
    let fresh = waited_for(async {
        let Ok(fresh) = survey(configuration.tenant.id).setting(scope, "banner").await else { panic!("unread") };
        (fresh.value().findings.changes.len(), fresh.value().findings.waiting.len())
    });
    assert_eq!(fresh, (0, 1));
}

#[test]
fn what_the_tenant_does_not_declare_is_no_scope() {
    let plan = plan(&FILE.replace("  banner: { shown: true }\n", ""));
    assert_eq!(plan.scopes.len(), 1);
}

#[test]
fn an_approval_of_the_tenant_does_not_hang_on_what_people_attest_or_on_environments() {
    let digest = |text: &str| plan(text).scopes[0].declaration.clone();
    let other = [FILE.replace("90d", "80d"), FILE.replace("  prod:", "  test:")];
    assert!(other.iter().all(|text| digest(text) == digest(FILE)));
    assert_ne!(digest(&FILE.replace("id: 7b1f", "id: 8b1f")), digest(FILE));
}

#[test]
fn each_setting_and_each_entry_belongs_to_its_own_scope() {
    let codes =
        |text: &str| -> Json { loaded(text).diagnostics.iter().map(|found| json!([found.code, found.help])).collect() };
    assert_eq!(codes(FILE), json!([]));
    let strayed = FILE.replace("  prod:\n", "  prod:\n    banner: { shown: true }\n");
    assert_eq!(codes(&strayed), json!([["unknown-key", "move it below `tenant:`"]]));
    let entry = "{ setting: banner, saw: { shown: false }, by: ada@contoso.com, on: 2026-11-01, validFor: 90d }";
    let strayed = FILE.replace("  prod:\n", &format!("  prod:\n    attested: [{entry}]\n"));
    assert_eq!(codes(&strayed), json!([["not-attestable", "move the entry to `tenant.attested`"]]));
    let wrong = FILE.replace("saw: { shown: false }", "saw: { shown: 7 }");
    assert_eq!(codes(&wrong)[0][0], "not-a-boolean");
}
