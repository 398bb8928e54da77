//! Where the configuration comes from and which environments are meant: `-f -`, `-e a,b`, and files that are something else.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{API_ON, EXACT, NOW, Run, Scene, THREE};

/// Runs with this text on standard input.
fn fed(scene: &Scene, arguments: &[&str], text: &str) -> Run {
    let mut command = scene.command(arguments);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses at once doesn't read it.
    drop(child.stdin.take().unwrap().write_all(text.as_bytes()));
    Run::of(&child.wait_with_output().unwrap())
}

#[test]
fn a_configuration_is_read_from_standard_input() {
    let scene = Scene::with(EXACT);
    for arguments in [&["validate", "-f", "-"][..], &["validate", "-"], &["validate", "-f", "-", "-f", "-"]] {
        fed(&scene, arguments, EXACT).ended(0).says("The configuration is valid");
    }
    let plan = ["plan", "-f", "-", "--format", "json", "--emulator", "--now", NOW];
    let plan = fed(&scene, &plan, &format!("{EXACT}{API_ON}")).json();
    assert_eq!(plan["scopes"][0]["changes"][0]["source"]["file"], "<stdin>");
}

#[test]
fn a_mistake_on_standard_input_is_shown_with_its_line() {
    let wrong = EXACT.replace("match: exact", "match: exactly");
    fed(&Scene::bare(), &["validate", "-f", "-"], &wrong).ended(1).complains("--> <stdin>:9:14");
    fed(&Scene::bare(), &["validate", "-f", "-"], "").ended(1).complains("the file is empty");
}

#[test]
fn standard_input_and_files_make_one_configuration() {
    let scene = Scene::bare();
    let (head, environments) = THREE.split_at(THREE.find("environments:").unwrap());
    scene.write("environments.yaml", &format!("version: 1\n{environments}"));
    fed(&scene, &["validate", "-f", "environments.yaml", "-f", "-"], head).ended(0).says("3 environments");
}

#[test]
fn standard_input_serves_one_purpose() {
    let scene = Scene::with(EXACT);
    let words = "`-f -` takes standard input for the configuration";
    fed(&scene, &["apply", "-f", "-", "--emulator"], EXACT).ended(1).complains(words).complains("the confirmation");
    fed(&scene, &["apply", "-", "-f", "-", "--emulator"], "").ended(1).complains(words).complains("the plan");
    for command in [&["publish", "prod", "primary"][..], &["revoke", "prod"]] {
        let arguments = [&["keys"][..], command, &["-f", "-", "--emulator"]].concat();
        fed(&scene, &arguments, EXACT).ended(1).complains(words).complains("nothing was done");
    }
    let applied = format!("{EXACT}{API_ON}");
    fed(&scene, &["apply", "-f", "-", "--yes", "--emulator"], &applied).says("prod");
}

#[test]
fn environments_are_listed_with_commas() {
    let scene = Scene::with(THREE);
    let scopes = |selection: &[&str]| -> Vec<String> {
        let plan = scene.emulated(&[&["plan", "--format", "json"][..], selection].concat()).json();
        let scopes = plan["scopes"].as_array().unwrap().iter();
        scopes.map(|scope| scope["scope"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(scopes(&["-e", "test,prod"]), ["prod", "test"]);
    assert_eq!(scopes(&["-e", "test,prod"]), scopes(&["-e", "prod", "-e", "test"]));
    assert_eq!(scopes(&["-e", "prod,test", "-e", "dev"]), ["prod", "test", "dev"]);
    assert_eq!(scopes(&["-e", "prod, test"]), ["prod", "test"]);
    for nameless in ["", " ", "prod,", "prod,,test"] {
        scene.emulated(&["plan", "-e", nameless]).ended(1).complains("an environment without a name; write `-e prod`");
    }
}

#[test]
fn an_unknown_environment_names_the_nearest() {
    let scene = Scene::with(THREE);
    let run = scene.emulated(&["plan", "-e", "prod,tst"]).ended(1).complains("no environment `tst`");
    run.complains("did you mean `test`? environments: prod, test, dev");
    let far = scene.emulated(&["plan", "-e", "production-eu"]).ended(1);
    assert!(!far.stderr.contains("did you mean"), "{}", far.stderr);
}

#[test]
fn a_configuration_is_no_plan_and_a_plan_no_configuration() {
    let scene = Scene::with(EXACT);
    let run =
        scene.emulated(&["apply", "palisade.yaml"]).complains("palisade.yaml is a configuration, not a saved plan");
    run.complains("`palisade apply -f palisade.yaml`");
    scene.emulated(&["plan", "--out", "plan.json"]);
    let run = scene.emulated(&["plan", "-f", "plan.json"]).ended(1).complains("not-a-configuration");
    assert_eq!(run.stderr.matches("error[").count(), 1, "{}", run.stderr);
}
