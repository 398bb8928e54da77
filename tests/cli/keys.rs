//! `palisade keys`: looking at a key, publishing a pasted one, and who may not revoke.

use std::io::Write as _;
use std::process::Stdio;

use insta::assert_snapshot;
use palisade::emulator::{Deletion, Masked, SecretVersion, World};

use crate::live::Live;
use crate::support::{EXACT, NOW, PROD, Run, Scene, TEST};

const KEYS: &str = "    apiAccess:
      enabled: true
      keys:
        publishTo:
          vault: /subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-secrets/providers/Microsoft.KeyVault/vaults/kv-ci-prod
          secret: ci-api-key
";
/// Another environment, whose keys are nobody's business here.
const OTHER: &str = "  test:
    instanceId: 6f2b1c34-0000-4000-8000-00000000a002
    environmentId: 1bd6bd98-0000-4000-8000-00000000e002
    apiAccess: { enabled: true }
";
const NO_KEY: &str = "0123456789abcdef0123456789abcdef";

/// A scene in which the primary key is published.
fn published() -> Scene {
    let scene = Scene::with(&format!("{EXACT}{KEYS}{OTHER}"));
    scene.emulated(&["apply", "--yes"]).ended(0);
    scene
}

fn key(world: &World, instance: uuid::Uuid, slot: &str) -> String {
    let keys = &world.instances[&instance].api_subscription;
    let key = if slot == "primary" { &keys.primary_key } else { &keys.secondary_key };
    key.as_ref().unwrap().expose().to_owned()
}

fn versions(world: &World) -> Vec<SecretVersion> {
    world.vaults["kv-ci-prod"].secrets["ci-api-key"].versions.clone()
}

/// What consumers get.
fn held(world: &World) -> String {
    world.vaults["kv-ci-prod"].secrets["ci-api-key"].current().unwrap().value.expose().to_owned()
}

fn change_current(scene: &Scene, change: impl FnOnce(&mut SecretVersion)) {
    scene.change_world(|world| {
        let secret = world.vaults.get_mut("kv-ci-prod").unwrap().secrets.get_mut("ci-api-key").unwrap();
        change(secret.versions.last_mut().unwrap());
    });
}

/// Runs `keys publish prod SLOT` with a key on standard input.
fn publish(scene: &Scene, slot: &str, key: &str, arguments: &[&str]) -> Run {
    let arguments = [&["keys", "publish", "prod", slot, "--now", NOW, "-vvv"], arguments].concat();
    let mut command = scene.command(&arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(key.as_bytes()).unwrap();
    let run = Run::of(&child.wait_with_output().unwrap());
    if key.len() > 8 {
        assert!(!run.stdout.contains(key.trim()) && !run.stderr.contains(key.trim()), "{run:?}");
    }
    run
}

/// Nothing was stored, and no write was recorded since the scene was made.
#[track_caller]
fn untouched(scene: &Scene, before: &[SecretVersion], lines: usize) {
    assert_eq!(versions(&scene.world()), before);
    assert_eq!(scene.journal().len(), lines);
}

#[test]
fn a_key_is_masked_unless_it_is_to_be_revealed() {
    let scene = published();
    for slot in ["primary", "secondary"] {
        let key = key(&scene.world(), PROD, slot);
        let run = scene.emulated(&["keys", "show", "prod", slot, "-vvv"]).ended(0);
        let run = run.says(&format!("prod/apiAccess/keys/{slot}: ******** (fingerprint "));
        assert!(!run.stdout.contains(&key) && !run.stderr.contains(&key), "{run:?}");
        let run = scene.emulated(&["keys", "show", "prod", slot, "--reveal", "-vvv"]).ended(0);
        assert_eq!(run.stdout, format!("{key}\n"));
        assert!(!run.stderr.contains(&key), "{run:?}");
    }
    scene.emulated(&["keys", "show", "nowhere", "primary"]).ended(1).complains("no environment `nowhere`");
    scene.emulated(&["keys", "show", "test", "primary"]).ended(1).complains("declares no `apiAccess.keys`");
    scene.emulated(&["keys", "show", "prod", "primary", "--as-cloud"]).ended(1).complains("Permissions > APIs");
    let text = scene.read(".palisade/journal.jsonl");
    assert!(["primary", "secondary"].iter().all(|slot| !text.contains(&key(&scene.world(), PROD, slot))));
}

#[test]
fn without_a_slot_both_keys_are_shown_with_what_is_next() {
    let scene = published();
    let world = scene.world();
    let run = scene.emulated(&["keys", "show", "prod", "-vvv"]).ended(0);
    for slot in ["primary", "secondary"] {
        let key = key(&world, PROD, slot);
        assert!(!run.stdout.contains(&key) && !run.stderr.contains(&key), "{run:?}");
    }
    assert_snapshot!(mask(&run.stdout), @r"
    prod API keys, published as ci-api-key in kv-ci-prod
      primary    in use   0 days old
      secondary  standby  age unknown
    Now: nothing is due
    Next rotation: 4 February 2027 (in 76 days)
    ");
    // Ninety days on, the published key has been replaced, and the former one is in grace.
    scene.emulated_at("2027-02-20T12:00:00Z", &["apply", "--yes"]).ended(0);
    let run = scene.emulated_at("2027-02-21T12:00:00Z", &["keys", "show", "prod"]).ended(0);
    assert_snapshot!(mask(&run.stdout), @r"
    prod API keys, published as ci-api-key in kv-ci-prod
      primary    standby  93 days old
      secondary  in use   1 day old
    Now: nothing is due
    Next rotation: 7 May 2027 (in 75 days)
    Retirement of the standby key: 27 February 2027 (in 6 days)
    ");
    // On a cloud only the vault tells.
    let run = scene.emulated_at("2027-02-21T12:00:00Z", &["keys", "show", "prod", "--as-cloud"]).ended(0);
    assert_snapshot!(mask(&run.stdout), @r"
    prod API keys, published as ci-api-key in kv-ci-prod
    Now: the key published as ci-api-key in kv-ci-prod is 1 day old, as far as its vault tells, and reaches `maxAge` on 21 May 2027. Which slot is in use can't be told: Microsoft publishes no operation that shows the keys
    ");
    // What can't be read is no success.
    let rules = "- { operation: GET /secrets/*, action: { status: { code: 500 } } }";
    scene.faulty(rules, &["keys", "show", "prod"]).ended(3).says("unknown  age unknown");
    scene.emulated(&["keys", "show", "prod", "--reveal"]).ended(1).complains("<SLOT>");
}

/// Fingerprints hang on the world's id.
fn mask(text: &str) -> String {
    text.lines().map(|line| line.split("fingerprint ").next().unwrap().trim_end().to_owned() + "\n").collect()
}

#[test]
fn the_named_slots_key_is_published_once_and_keeps_the_tags_of_others() {
    let scene = published();
    change_current(&scene, |version| {
        version.tags.get_or_insert_default().insert("cost-center".into(), "42".into());
    });
    let (before, lines) = (held(&scene.world()), scene.journal().len());
    let secondary = key(&scene.world(), PROD, "secondary");
    let run = publish(&scene, "secondary", &format!("  {secondary}\n"), &["--emulator"]).ended(0);
    let run = run.says("prod/apiAccess/keys/secondary: published (fingerprint ");
    assert!(!run.stdout.contains("couldn't be checked"), "{run:?}");
    assert_ne!(before, secondary);
    assert_eq!(held(&scene.world()), secondary);
    let versions_now = versions(&scene.world());
    let tags = versions_now.iter().find(|version| version.value.expose() == secondary).unwrap().tags.clone().unwrap();
    assert_eq!((tags["cost-center"].as_str(), tags["palisade-slot"].as_str()), ("42", "secondary"));
    assert_eq!(tags["palisade-instance"], PROD.to_string());
    let journal = scene.journal().split_off(lines);
    let seen: Vec<_> = journal.iter().map(|line| (line["moment"].as_str(), line["status"].as_str())).collect();
    assert_eq!(seen, [(Some("started"), None), (Some("ended"), Some("done"))]);
    assert!(journal.iter().all(|line| line["step"] == "publish the secondary key"), "{journal:#?}");
    assert_eq!(journal[0]["operation"], palisade::azure::operations::SET_SECRET.facts().name);

    publish(&scene, "secondary", &secondary, &["--emulator"]).ended(0).says("was published already");
    untouched(&scene, &versions_now, lines + 2);
}

#[test]
fn what_is_no_key_of_the_named_slot_is_refused() {
    let scene = published();
    let (before, lines) = (versions(&scene.world()), scene.journal().len());
    let world = scene.world();
    for (pasted, words) in [
        (key(&world, PROD, "primary"), "that is the primary key, not the secondary one"),
        (key(&world, TEST, "primary"), "the service accepts this key, but it is no key of this environment"),
        (NO_KEY.to_owned(), "the service refuses this key"),
        ("correct horse battery staple".to_owned(), "that isn't a key: keys have 32 hexadecimal digits"),
        (String::new(), "that isn't a key"),
    ] {
        publish(&scene, "secondary", &pasted, &["--emulator"]).ended(4).complains(words);
        untouched(&scene, &before, lines);
    }
}

#[test]
fn a_secret_that_is_not_ours_or_that_somebody_closed_is_left_alone() {
    type Change = fn(&mut SecretVersion);
    let cases: [(Change, &str); 3] = [
        (
            |version| {
                version.value = Masked::new("somebody's password");
                version.tags = None;
            },
            "isn't known to be a key of this environment",
        ),
        (
            |version| {
                version.value = Masked::new("ffffffffffffffffffffffffffffffff");
                version.tags = Some([("palisade-instance".to_owned(), TEST.to_string())].into());
            },
            "belongs to the instance 6f2b1c34-0000-4000-8000-00000000a002",
        ),
        (|version| version.attributes.enabled = false, "the current version of the secret is disabled"),
    ];
    for (change, words) in cases {
        let scene = published();
        change_current(&scene, change);
        let (before, lines) = (versions(&scene.world()), scene.journal().len());
        let pasted = key(&scene.world(), PROD, "secondary");
        for arguments in [&["--emulator"] as &[&str], &["--emulator", "--as-cloud"]] {
            publish(&scene, "secondary", &pasted, arguments).ended(4).complains(words);
            untouched(&scene, &before, lines);
        }
    }
}

#[test]
fn a_deleted_secret_and_a_missing_right_are_said_before_anything_is_stored() {
    type Change = fn(&mut World);
    let cases: [(Change, &str); 2] = [
        (
            |world| {
                let secret = world.vaults.get_mut("kv-ci-prod").unwrap().secrets.get_mut("ci-api-key").unwrap();
                let (deleted, scheduled_purge) = ("2026-11-19T12:00:00Z", "2027-02-17T12:00:00Z");
                secret.deleted = Some(Deletion {
                    deleted: deleted.parse().unwrap(),
                    scheduled_purge: scheduled_purge.parse().unwrap(),
                });
            },
            "the secret was deleted; recover it first",
        ),
        (
            |world| {
                // Key Vault Secrets User
                for assignment in world.role_assignments.iter_mut().filter(|it| it.scope.contains("/vaults/")) {
                    assignment.role_definition = "4633458b-17de-408a-b874-0445c86b69e6".parse().unwrap();
                }
            },
            "palisade's identity may not store secrets in the vault kv-ci-prod",
        ),
    ];
    for (change, words) in cases {
        let scene = published();
        scene.change_world(change);
        let (before, lines) = (versions(&scene.world()), scene.journal().len());
        let pasted = key(&scene.world(), PROD, "secondary");
        for arguments in [&["--emulator"] as &[&str], &["--emulator", "--as-cloud"]] {
            publish(&scene, "secondary", &pasted, arguments).ended(4).complains(words);
            untouched(&scene, &before, lines);
        }
    }
}

#[test]
fn where_no_operation_shows_the_keys_none_is_called_and_the_gap_is_told() {
    let scene = published();
    let live = Live::serving(scene.world());
    let secondary = key(&scene.world(), PROD, "secondary");
    let run = publish(&scene, "secondary", &secondary, &["--as-cloud", &live.argument()]).ended(0);
    run.says("published (fingerprint ").says("whether it is a key of prod couldn't be checked");
    assert_eq!(held(&live.world()), secondary);
    assert!(!live.requests().iter().any(|seen| seen.path.contains("/manage/")), "{:#?}", live.requests());
    publish(&scene, "primary", NO_KEY, &["--as-cloud", &live.argument()]).ended(4).complains("refuses this key");
    assert_eq!(held(&live.world()), secondary);
}

/// An answer that got lost is looked at; a refusal of the vault is an error, with nothing written.
#[test]
fn failures_of_the_vault_end_as_what_they_left() {
    for (action, status, words) in [
        ("loseAnswer", 0, ""),
        ("{ status: { code: 403 } }", 1, "the key was not published"),
        ("{ status: { code: 500 } }", 5, "whether the key was published isn't known"),
    ] {
        let scene = published();
        let rules = format!("- {{ operation: PUT /secrets/ci-api-key, action: {action} }}");
        scene.write("faults.yaml", &rules);
        let secondary = key(&scene.world(), PROD, "secondary");
        let run = publish(&scene, "secondary", &secondary, &["--emulator", "--emulator-faults", "faults.yaml"]);
        run.ended(status).complains(words);
        assert_eq!(held(&scene.world()) == secondary, status == 0, "{action}");
    }
}

#[test]
fn only_a_person_may_revoke() {
    let scene = published();
    let (keys, lines) = (["primary", "secondary"].map(|slot| key(&scene.world(), PROD, slot)), scene.journal().len());
    for name in ["CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"] {
        let mut command = scene.command(&["keys", "revoke", "prod", "--emulator", "--now", NOW]);
        let run = Run::of(&command.env(name, "True").output().unwrap()).ended(4);
        run.complains("`keys revoke` is refused in CI").complains(name);
    }
    scene
        .emulated(&["keys", "revoke", "prod"])
        .ended(4)
        .complains("can't ask for confirmation: no terminal; nothing was done");
    scene.emulated(&["keys", "revoke", "prod", "--as-cloud"]).ended(4).complains("Permissions > APIs");
    assert_eq!(["primary", "secondary"].map(|slot| key(&scene.world(), PROD, slot)), keys);
    assert_eq!(scene.journal().len(), lines);
}

/// Runs `keys revoke prod` on a terminal of its own, where a person types this.
#[cfg(target_os = "linux")]
fn revoke(scene: &Scene, typed: &str, arguments: &[&str]) -> Run {
    let arguments = [&["keys", "revoke", "prod", "--emulator", "--now", NOW], arguments].concat().join(" ");
    let mut command = std::process::Command::new("script");
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_palisade"));
    command.args(["-qec", &line, "/dev/null"]).current_dir(scene.folder()).env_clear();
    command.env("HOME", scene.folder()).env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("`script`, of util-linux");
    child.stdin.take().unwrap().write_all(format!("{typed}\n").as_bytes()).unwrap();
    Run::of(&child.wait_with_output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_who_types_the_environments_name_revokes_both_keys() {
    let scene = published();
    let both = || ["primary", "secondary"].map(|slot| key(&scene.world(), PROD, slot));
    let (old, lines) = (both(), scene.journal().len());
    revoke(&scene, "test", &[]).ended(4).says("that isn't the environment's name; nothing was done");
    assert_eq!((both(), scene.journal().len()), (old.clone(), lines));

    scene.write("faults.yaml", "- { operation: PUT /secrets/ci-api-key, action: { status: { code: 403 } } }");
    let run = revoke(&scene, "prod", &["--emulator-faults", "faults.yaml"]).ended(5);
    run.says("the key was not published").says("secondary is new, primary still works").says("journal.jsonl says");
    assert_eq!((both()[0] == old[0], both()[1] == old[1], held(&scene.world()) == old[0]), (true, false, true));
    let lines = lines + 4;
    assert_eq!(scene.journal().len(), lines, "two writes were begun");

    let run = revoke(&scene, "prod", &[]).ended(0).says("both keys were regenerated, and the published one works");
    assert!(both().iter().all(|key| !run.stdout.contains(key) && !old.contains(key)), "{run:?}");
    assert!(both().contains(&held(&scene.world())));
    let journal = scene.journal().split_off(lines);
    let steps: Vec<_> = journal.iter().map(|line| line["step"].as_str().unwrap()).collect();
    let (secondary, publish, primary) =
        ("regenerate the secondary key", "publish the secondary key", "regenerate the primary key");
    assert_eq!(steps, [secondary, secondary, publish, publish, primary, primary]);
    assert!(journal.iter().all(|line| line["run"] == journal[0]["run"]));
}
