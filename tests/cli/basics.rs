//! What works without any service: help, usage, files, `validate`, `schema`, `explain`, `completions`, `man`.

use std::process::Stdio;

use serde_json::json;

use crate::support::{EXACT, Scene, THREE};

/// A configuration of one environment of its own.
fn environment(key: &str, number: u8) -> String {
    format!(
        "version: 1\nenvironments:\n  {key}:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000a0{number:02}\n    \
         environmentId: 1bd6bd98-0000-4000-8000-00000000e0{number:02}\n    apiAccess: {{ enabled: true }}\n"
    )
}

const TENANT_FILE: &str = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\n";

#[test]
fn help_tells_every_exit_code_and_is_a_result() {
    let scene = Scene::bare();
    let help = scene.run(&["--help"]).ended(0);
    for code in 0..=6 {
        assert!(help.stdout.contains(&format!("\n  {code}  ")), "{code} is missing:\n{}", help.stdout);
    }
    assert_eq!(help.stderr, "");
    scene.run(&["--version"]).ended(0).says("palisade 0.");
    for command in ["plan", "apply", "drift", "validate", "explain", "schema", "completions", "man", "emulator"] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command} is missing:\n{}", help.stdout);
        scene.run(&[command, "--help"]).ended(0).says("Usage: palisade");
    }
}

#[test]
fn the_help_of_a_command_puts_its_options_under_fitting_headings() {
    let help = Scene::bare().run(&["apply", "--help"]).ended(0).stdout;
    let services = help.split("\nServices:\n").nth(1).expect("a heading for the services");
    assert!(services.contains("--emulator"), "{help}");
    for own in ["--yes", "--approved", "--accept-waiting", "--wait", "--format"] {
        assert!(!services.contains(own), "{own} has nothing to do with services:\n{help}");
    }
}

#[test]
fn wrong_usage_is_an_error_and_nothing_on_standard_output() {
    let scene = Scene::with(EXACT);
    let cases: [&[&str]; 13] = [
        &[],
        &["frobnicate"],
        &["plan", "--frobnicate"],
        &["plan", "--now", "yesterday"],
        &["plan", "--format", "xml"],
        &["plan", "--emulator=not a url"],
        &["plan", "--color", "sometimes"],
        &["apply", "plan.json", "--yes"],
        &["apply", "plan.json", "--approved", "sha256:0"],
        &["apply", "--yes", "--approved", "sha256:0"],
        &["apply", "--wait=-1s"],
        &["apply", "--approved", "sha256:0"],
        &["apply", "plan.json", "--only", "prod"],
    ];
    for arguments in cases {
        let run = scene.run(arguments).ended(1);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(run.stderr.contains("Usage:") || run.stderr.contains("error:"), "{arguments:?}:\n{}", run.stderr);
    }
    assert!(scene.journal().is_empty());
    let instant = "write date, time and offset, such as 2026-12-01T08:00:00Z";
    for arguments in [
        &["plan", "--now", "2026-12-01"][..],
        &["apply", "--approved", "sha256:0", "--approved-until", "2026-12-01"],
        &["emulator", "--now", "2026-12-01"],
    ] {
        scene.run(arguments).ended(1).complains(instant);
    }
}

#[test]
fn the_file_is_found_before_the_folder_and_missing_both_is_explained() {
    let scene = Scene::bare();
    scene.run(&["validate"]).ended(1).complains("neither `palisade.yaml` nor a folder `palisade`").complains("-f PATH");

    scene.write("palisade/tenant.yaml", TENANT_FILE);
    scene.write("palisade/a.yaml", &environment("a", 1));
    scene.write("palisade/b.yml", &environment("b", 2));
    scene.run(&["validate"]).ended(0).says("2 environments");
    scene.run(&["validate", "palisade"]).ended(0).says("2 environments");
    scene.run(&["validate", "absent.yaml"]).ended(1).complains("absent.yaml");

    scene.write("palisade.yaml", EXACT);
    scene.run(&["validate"]).ended(0).says("1 environment ");
}

#[test]
fn several_files_make_one_configuration_unless_they_disagree() {
    let scene = Scene::bare();
    scene.write("tenant.yaml", TENANT_FILE);
    scene.write("a.yaml", &environment("a", 1));
    scene.write("more/b.yaml", &environment("b", 2));
    scene.run(&["validate", "-f", "tenant.yaml", "-f", "a.yaml", "--file", "more"]).ended(0).says("2 environments");

    scene.write("again.yaml", &environment("a", 3));
    let run = scene.run(&["validate", "-f", "tenant.yaml", "-f", "a.yaml", "-f", "again.yaml"]).ended(1);
    assert!(run.stderr.contains("a.yaml:3:3") && run.stderr.contains("again.yaml:3:3"), "{}", run.stderr);
    scene.run(&["validate", "-f", "missing.yaml"]).ended(1).complains("missing.yaml");
}

#[test]
fn environments_can_be_chosen_and_strangers_are_named() {
    let scene = Scene::with(THREE);
    let plan = scene.emulated(&["plan", "-e", "dev", "-e", "prod", "--format", "json"]).ended(0).json();
    let scopes: Vec<_> = plan["scopes"].as_array().unwrap().iter().map(|scope| scope["scope"].clone()).collect();
    assert_eq!(scopes, ["prod", "dev"], "in the file's order, whatever the order of the arguments");
    for command in ["plan", "drift"] {
        let run = scene.emulated(&[command, "-e", "prdo"]).ended(1);
        run.complains("no environment `prdo`").complains("prod, test, dev");
    }
    scene.emulated(&["apply", "--yes", "-e", "prdo"]).ended(1).complains("no environment `prdo`");
    assert!(scene.journal().is_empty());
}

#[test]
fn validate_reports_every_mistake_with_its_place_in_text_and_in_json() {
    let scene = Scene::bare();
    let text = EXACT.replace("match: exact", "match: exactly").replace("role: Admin", "role: Owner");
    scene.write("palisade.yaml", &text);
    let run = scene.run(&["validate"]).ended(1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("palisade.yaml:9:14"), "{}", run.stderr);
    // The first diagnostic is a warning; what ended the run is an error.
    let plan = scene.run(&["plan"]).ended(1);
    assert!(plan.stderr.contains("`palisade explain unknown-value` says more"), "{}", plan.stderr);

    let run = scene.run(&["validate", "--format", "json"]).ended(1);
    let found = run.json();
    let found = found.as_array().unwrap();
    assert!(found.len() >= 4, "{found:?}");
    for diagnostic in found {
        for field in ["code", "severity", "message", "file", "line", "column", "help"] {
            assert!(diagnostic.get(field).is_some(), "{field} is missing: {diagnostic}");
        }
    }
    let lines: Vec<_> = found.iter().map(|diagnostic| diagnostic["line"].as_u64().unwrap()).collect();
    assert!(lines.is_sorted(), "{lines:?}");

    // Names can move to other people, so an Admin by name only is worth a warning.
    scene.write("palisade.yaml", EXACT);
    let found = scene.run(&["validate", "--format", "json"]).ended(0).json();
    let codes: Vec<_> = found.as_array().unwrap().iter().map(|one| (&one["code"], &one["severity"])).collect();
    assert_eq!(codes, [(&json!("admin-without-id"), &json!("warning")); 2]);
    let user = "9d1e7a55-0000-4000-8000-00000000d00";
    let with_ids = EXACT
        .replace("ada@contoso.com,", &format!("ada@contoso.com, id: {user}1,"))
        .replace("grace@contoso.com,", &format!("grace@contoso.com, id: {user}2,"));
    scene.write("palisade.yaml", &with_ids);
    assert_eq!(scene.run(&["validate", "--format", "json"]).ended(0).stdout.trim(), "[]");
}

#[test]
fn a_configuration_with_mistakes_is_neither_planned_nor_applied() {
    let scene = Scene::with(EXACT);
    scene.write("palisade.yaml", &EXACT.replace("match: exact", "match: exactly"));
    for arguments in [&["plan"] as &[&str], &["apply", "--yes"], &["drift"]] {
        scene.emulated(arguments).ended(1).complains("palisade.yaml:9:14").complains("nothing was done");
    }
    assert!(scene.journal().is_empty());
}

#[test]
fn explain_knows_codes_and_fields_offline() {
    let scene = Scene::bare();
    scene.run(&["explain", "last-admin"]).ended(0).says("no other Admin");
    scene.run(&["explain", "duplicate-key"]).ended(0).says("duplicate-key");
    scene.run(&["explain", "users.match"]).ended(0).says("exact").says("atLeast");
    scene.run(&["explain", "attested"]).ended(0).says("environments.*.attested").says("tenant.attested");
    scene.run(&["explain", "users.macth"]).ended(1).complains("users.match");
    scene.run(&["explain", "last-admim"]).ended(1).complains("last-admin");
}

#[test]
fn the_schema_is_json_and_names_the_settings() {
    let schema = Scene::bare().run(&["schema"]).ended(0).json();
    let text = schema.to_string();
    assert!(text.contains("apiAccess") && text.contains("breakGlass"), "{text}");
}

#[test]
fn completions_and_the_manual_page_are_made_from_the_commands() {
    let scene = Scene::bare();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        scene.run(&["completions", shell]).ended(0).says("palisade").says("accept-waiting");
    }
    scene.run(&["man"]).ended(0).says(".TH").says("drift").says("Exit codes");
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let scene = Scene::with(EXACT);
    assert!(!scene.emulated(&["plan"]).ended(0).stdout.contains('\u{1b}'));
    assert!(scene.emulated(&["plan", "--color", "always"]).ended(0).stdout.contains('\u{1b}'));
    assert!(!scene.emulated(&["plan", "--format", "json", "--color", "always"]).ended(0).stdout.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_is_quiet_and_a_full_disk_is_not() {
    let scene = Scene::with(EXACT);
    for arguments in [&["schema"] as &[&str], &["--help"], &["plan", "--emulator", "--format", "json"], &["man"]] {
        // The reading end is gone before the program starts.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = scene.command(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");

        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = scene.command(arguments).stdout(full).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("standard output"), "{arguments:?}: {stderr}");
    }
}
