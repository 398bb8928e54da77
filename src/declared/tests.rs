//! Properties that no sample can show: what holds for all texts, and for all codes.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Loaded, format, load_sources, mistakes, notes};
use serde_json::Value as Json;

use crate::config::{self, FieldHelp, Located, Lookup, Source};
use crate::plan::{Address, Note, NoteKind, Severity};
use crate::settings::aliases::VOCABULARY;
use crate::settings::registry::SETTINGS;

fn loaded(text: &str) -> Loaded {
    load_sources(vec![Source::new("palisade.yaml", text)])
}

/// A word that leads to a key that no file has would be a hint to nowhere.
#[test]
fn what_people_may_mean_is_in_the_schema() {
    let fields = format().fields();
    let is_key = |key: &str| fields.keys().any(|path| path.rsplit('.').next() == Some(key)) || key == "saw";
    for alias in VOCABULARY.keys {
        for meant in alias.meant {
            assert!(is_key(meant.key), "{} for {:?}", meant.key, alias.words);
            assert!(meant.form.is_none_or(|form| form.contains("{}")), "{:?}", meant.form);
        }
    }
    for stranger in VOCABULARY.values {
        let values = &format().schema()["$defs"][stranger.of];
        assert!(values.to_string().contains(&format!("\"const\":\"{}\"", stranger.meant)), "{values}");
    }
}

/// A refusal must come with a reason, and an acceptance without an error.
fn consistent(text: &str) {
    let loaded = loaded(text);
    assert_eq!(loaded.configuration.is_none(), loaded.diagnostics.has_errors(), "{text}");
}

/// Pieces that configurations and mistakes in them are made of.
const PIECES: &[&str] = &[
    "version: 1\n",
    "tenant:\n",
    "  id: 7b1f0c52-0000-4000-8000-0000000000aa\n",
    "base:\n",
    "environments:\n",
    "  prod:\n",
    "  prod: &p\n",
    "    instanceId: 6f2b1c34-0000-4000-8000-00000000a001\n",
    "    environmentId: 1bd6bd98-0000-4000-8000-00000000e001\n",
    "    users:\n",
    "      assignments:\n",
    "        - { user: ada@contoso.com, role: Admin }\n",
    "        - role: Viewer\n",
    "      match: exact\n",
    "      breakGlass: [ada@contoso.com]\n",
    "    apiAccess: { enabled: true }\n",
    "    apiAccess:\n",
    "      enabled: no\n",
    "    unmanaged: [users]\n",
    "    attested:\n",
    "      - { setting: users, on: 2026-02-30, validFor: 9d }\n",
    "    <<: *p\n",
    "    <<: [*p, {a: 1}]\n",
    "*p",
    "&p ",
    "---\n",
    "...\n",
    "# comment\n",
    "\n",
    "\r\n",
    "\t",
    " ",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "|\n",
    ">\n",
    "!!str ",
    "!x ",
    "? ",
    "${environment}",
    "${x",
    "~",
    "ä",
    "\u{202e}",
    "%YAML 1.2\n",
    "\u{feff}",
    "@",
    "`",
    "0x1F",
    ".inf",
    "1e9",
    "\\x",
    "null",
];

fn yamlish() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_loader_panic(text in ".{0,200}") {
        consistent(&text);
    }

    #[test]
    fn no_mixture_of_yaml_makes_the_loader_panic(text in yamlish()) {
        consistent(&text);
    }

    #[test]
    fn no_damage_to_an_example_makes_the_loader_panic(at in any::<prop::sample::Index>(), length in 0_usize..40, piece in yamlish()) {
        let mut text: Vec<char> = include_str!("../../examples/contoso.yaml").chars().collect();
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        text.splice(at..end, piece.chars().take(60));
        consistent(&text.into_iter().collect::<String>());
    }

    #[test]
    fn what_a_pattern_accepts_the_parser_accepts(text in word()) {
        let schema = format().schema();
        for word in format().words() {
            let keywords = &schema["$defs"][word.name];
            let date = keywords.get("format").is_some();
            let accepted = jsonschema::is_valid(keywords, &serde_json::Value::from(text.as_str()));
            let parsed = (word.check)(&text).is_none();
            prop_assert!(accepted == parsed || (date && accepted), "{} and {text:?}: {accepted}, {parsed}", word.name);
        }
    }
}

/// Texts close to the words of the format.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9A-Fa-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "([dD]efault-)?0{8}-0{4}-0{4}-0{4}-0{11}[01]",
        "\\{?[0-9a-f]{32}\\}?",
        "[a-z@. ]{0,12}",
        "[a-z]{1,3}@[a-z]{0,3}\\.{0,2}[a-z]{0,3}",
        "[0-9]{0,6}[dhms]?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "\\PC{0,4}",
    ]
}

fn found(path: &str) -> FieldHelp {
    match format().field_help(path) {
        Lookup::Found(help) => *help,
        other => unreachable!("{path}: {other:?}"),
    }
}

#[test]
fn a_field_is_found_by_any_end_of_its_path_that_only_it_has() {
    for path in ["environments.*.users.match", "users.match"] {
        assert_eq!(found(path).path, "environments.*.users.match");
    }
    let help = found("users.match");
    assert_eq!(help.values.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), ["exact", "atLeast"]);
    assert_eq!(help.default.as_deref(), Some("atLeast"));
    assert_eq!(found("users").fields, ["assignments", "breakGlass", "match"]);
    assert_eq!(found("apiAccess.enabled").kind, "`true` or `false`");
    assert_eq!(found("environments.*.instanceId").example.as_deref(), Some("6f2b1c34-0000-4000-8000-00000000a001"));
    assert_eq!(found("breakGlass").path, "environments.*.users.breakGlass");
    assert_eq!(found("assignments.role").path, "environments.*.users.assignments.role");
}

#[test]
fn a_path_that_several_fields_end_with_or_none_gives_candidates() {
    let Lookup::Ambiguous(candidates) = format().field_help("id") else { unreachable!("`id` is one field") };
    let candidates: Vec<String> = candidates.into_iter().map(|field| field.path).collect();
    assert_eq!(candidates, ["environments.*.keyVault.id", "environments.*.users.assignments.id", "tenant.id"]);
    let near = ["environments.*.privateLinks.match", "environments.*.users.match"].map(str::to_owned).to_vec();
    assert_eq!(format().field_help("users.mach"), Lookup::Unknown(near));
    assert_eq!(
        format().field_help("users.breakGlas"),
        Lookup::Unknown(vec!["environments.*.users.breakGlass".to_owned()])
    );
    assert_eq!(format().field_help("zzzzzz"), Lookup::Unknown(Vec::new()));
}

#[test]
fn every_field_is_described() {
    for field in format().fields().values() {
        assert!(!field.description.is_empty(), "{} has no description", field.path);
    }
}

#[test]
fn the_schema_itself_is_sound() {
    assert!(jsonschema::options().should_validate_formats(true).build(format().schema()).is_ok());
}

#[test]
fn no_files_are_a_mistake_too() {
    let loaded = super::load(&[]);
    assert!(loaded.configuration.is_none());
    let codes: Vec<_> = loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [config::codes::MISSING_FILE]);
}

/// The kind of a code is a promise: what refused in the first version refuses for good.
#[test]
fn the_kind_of_each_code_is_pinned() {
    let refusals: Vec<_> = notes().filter(|code| code.kind() == NoteKind::Refusal).map(|code| code.name()).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r"
    self-lockout
    last-admin
    removal-budget
    break-glass
    break-glass-unresolved
    would-go-dark
    caller-unknown
    not-admin
    name-mismatch
    environment-mismatch
    requirement-circle
    token-tenant
    tenant-mismatch
    not-active
    consent-ahead
    cmk-location
    cmk-vault-not-found
    cmk-vault-unfit
    cmk-key-not-found
    cmk-key-unfit
    cmk-grant-missing
    cmk-rotation-policy
    principal-not-found
    principal-mismatch
    principal-twice
    role-unavailable
    keys-inconsistent
    store-right
    vault-not-found
    vault-tenant
    vault-geography
    vault-firewall
    vault-soft-delete
    other-vault-linked
    service-principal-missing
    link-target-missing
    link-leads-elsewhere
    ambiguous-connection
    managed-in-use
    cmk-environment
    cmk-not-managed
    cmk-policy-not-found
    cmk-policy-unfit
    cmk-policy-key
    cmk-provider
    lake-not-found
    lake-identity
    lake-private-endpoints
    ");
    for code in notes() {
        let note = Note::finding(code, Severity::Info, Address::written("prod"), "");
        assert_eq!(note.refuses(), note.severity == Severity::Error, "{code}");
        assert_eq!(Note::refusal(code, Address::written("prod"), "").kind, code.kind(), "{code}");
    }
}

/// A setting is looked at together with the place where it lives, without the other one.
#[test]
fn each_setting_lives_in_one_place() {
    for setting in SETTINGS.iter() {
        assert!(setting.needs().len() <= 1, "{}", setting.key());
    }
}

#[test]
fn codes_are_unique_and_explained() {
    let explained: Vec<(&str, &str, &str)> = notes()
        .map(|code| (code.name(), code.summary(), code.explanation()))
        .chain(mistakes().map(|code| (code.name(), code.summary(), code.explanation())))
        .collect();
    let names: BTreeSet<_> = explained.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names.len(), explained.len(), "two codes share a name");
    for (name, summary, explanation) in explained {
        assert!(explanation.len() > summary.len(), "{name} needs a real explanation");
    }
}

/// Whether data holds all that other data says; defaults may have been added.
fn holds(data: &Json, other: &Json) -> bool {
    match (data, other) {
        (Json::Object(data), Json::Object(other)) => {
            other.iter().all(|(key, value)| data.get(key).is_some_and(|data| holds(data, value)))
        }
        (Json::Array(data), Json::Array(other)) => {
            data.len() == other.len() && data.iter().zip(other).all(|(data, other)| holds(data, other))
        }
        _ => data == other,
    }
}

#[test]
fn a_block_is_written_as_it_was_read() {
    let mut written = BTreeSet::new();
    for text in [
        include_str!("../../examples/contoso.yaml"),
        include_str!("../../examples/key-rotation.yaml"),
        include_str!("../../examples/private-link.yaml"),
        include_str!("../../examples/managed-environment.yaml"),
        include_str!("../../examples/customer-managed-key.yaml"),
        include_str!("../../examples/data-lake.yaml"),
        include_str!("../../tests/config/valid/all-fields.yaml"),
        include_str!("../../tests/config/valid/keys.yaml"),
        include_str!("../../tests/config/valid/links.yaml"),
    ] {
        // One length of time has one form when it is written.
        let text = text.replace("24h", "1d");
        let document = config::read_sources(vec![Source::new("palisade.yaml", text)], format());
        let base = document.combined.base.as_ref().map(|base| &base.value);
        let environments = document.combined.environments.iter().map(|entry| config::merge::environment(base, entry));
        let tenant = document.combined.tenant.iter().map(|entry| entry.value.clone());
        for node in environments.chain(tenant) {
            for setting in SETTINGS.iter() {
                let Some(block) = setting.rewritten(Located::new(&node, &document.sources)) else { continue };
                let read = node.child(setting.key()).map(config::Node::to_json).unwrap();
                assert!(holds(&block, &read), "{block:#} was written for {read:#}");
                written.insert(setting.key());
            }
        }
    }
    assert_eq!(written.len(), SETTINGS.iter().count(), "{written:?}");
}
