//! Whether what was told of Power Platform shows a change to be done, and an environment to be as declared.

use jiff::Timestamp;
use palisade::emulator::{LinkKind, World};
use serde_json::Value;

use super::declared::Key;
use super::{active, answers, hosted, identity, key, key_vault, may_use, policy, vault_of};
use crate::declared::Environment;
use crate::kind::Kind;
use crate::names::last;
use crate::wire::Exchanged;

/// What the kinds of operations have in their names that change the key, and those that change whether it is managed.
const KEY: &str = "Key";
const GOVERNANCE: &str = "Governance";

/// Successful answers of a kind about one environment, or about a resource.
fn read<'l>(
    look: &'l [Exchanged],
    kind: Kind,
    environment: &Environment,
) -> impl Iterator<Item = &'l Exchanged> + Clone {
    let number = environment.number;
    look.iter()
        .filter(move |one| one.kind == kind && one.answer.is_some() && one.hosted.is_none_or(|hosted| hosted == number))
}

/// Whether a list was read to its end while nothing went on that has to do with this word.
fn at_rest(environment: &Environment, word: &str, look: &[Exchanged]) -> bool {
    let number = environment.number;
    let rests = |world: &World, at: Timestamp| active(world, number, at).is_none_or(|one| !one.kind.contains(word));
    let mut whole = answers::begun(look, number).filter(|first| answers::operations(look, number, *first).is_some());
    whole.any(|first| look[first].worlds().any(|world| rests(world, look[first].at)))
}

fn is_managed(environment: &Environment, wanted: bool, look: &[Exchanged]) -> bool {
    let is = |world: &World| {
        let found = world.power_platform_environments.get(&hosted(environment.number));
        found.is_some_and(|found| {
            let shown = found.stale.as_ref().map_or(&found.protection_level, |stale| &stale.protection_level);
            [&found.protection_level, shown].into_iter().any(|level| (level == "Standard") == wanted)
        })
    };
    read(look, Kind::Hosted, environment).any(|one| one.worlds().any(|world| is(world)))
}

/// Whether the environment is on the declared key, in a world that was read.
fn is_linked(environment: &Environment, wanted: Option<usize>, look: &[Exchanged]) -> bool {
    let is = |world: &World| {
        let Some(found) = world.power_platform_environments.get(&hosted(environment.number)) else { return false };
        let links = found.stale.iter().map(|stale| &stale.links).chain([&found.links]);
        links.map(|links| links.get(&LinkKind::Encryption)).any(|link| match (wanted, link) {
            (None, link) => link.is_none(),
            (Some(wanted), Some(link)) => link.in_force && link.status == "Linked" && link.policy == policy(wanted),
            (Some(_), None) => false,
        })
    };
    read(look, Kind::Hosted, environment).any(|one| one.worlds().any(|world| is(world)))
}

/// Whether the policy was read to refer to the declared key, and whether the key was read to be usable by it.
fn is_sound(environment: &Environment, wanted: usize, look: &[Exchanged]) -> bool {
    let refers = |world: &World| {
        let found = world.enterprise_policies.get(&policy(wanted).to_lowercase());
        found.and_then(|found| found.encryption.as_ref()).is_some_and(|one| {
            let vault = one.vault.eq_ignore_ascii_case(&key_vault(vault_of(wanted)));
            vault && one.name.eq_ignore_ascii_case(&key(wanted))
        })
    };
    let of = |kind: Kind, name: &'static str| {
        read(look, kind, environment).filter(move |one| one.path.to_lowercase().contains(&format!("/{name}")))
    };
    let own = read(look, Kind::EnterprisePolicy, environment);
    let mut own = own.filter(|one| one.path.eq_ignore_ascii_case(&policy(wanted)));
    let vault = vault_of(wanted);
    let safe = |world: &World| {
        world.vaults.get(vault).is_some_and(|found| found.enable_purge_protection && found.enable_soft_delete)
    };
    let enabled = |world: &World| {
        let found = world.vaults.get(vault).and_then(|found| found.keys.get(&key(wanted)));
        found.is_some_and(|key| key.versions.iter().any(|one| one.attributes.enabled))
    };
    let granted = |world: &World| identity(world, wanted).is_some_and(|identity| may_use(world, identity, vault));
    let mut keys = of(Kind::VaultKey, vault).chain(of(Kind::VaultKeyVersions, vault));
    let mut rights =
        of(Kind::Holders, vault).chain(of(Kind::Vault, vault)).chain(read(look, Kind::EnterprisePolicy, environment));
    own.any(|one| one.worlds().any(|world| refers(world)))
        && of(Kind::Vault, vault).any(|one| one.worlds().any(|world| safe(world)))
        && keys.any(|one| one.worlds().any(|world| enabled(world)))
        && rights.any(|one| one.worlds().any(|world| granted(world)))
}

/// Whether a key is declared, and everything that was told can be as declared.
fn on_key(environment: &Environment, key: &Key, look: &[Exchanged]) -> bool {
    is_linked(environment, key.policy, look)
        && at_rest(environment, KEY, look)
        && key.policy.is_none_or(|wanted| is_sound(environment, wanted, look))
}

/// Whether all that was told can be as declared.
pub(crate) fn whole(environment: &Environment, look: &[Exchanged]) -> bool {
    let Some(declared) = &environment.hosted else { return true };
    let managed = |wanted: bool| is_managed(environment, wanted, look) && at_rest(environment, GOVERNANCE, look);
    declared.managed.is_none_or(managed) && declared.key.as_ref().is_none_or(|key| on_key(environment, key, look))
}

/// How much can be in sync at most.
pub(crate) fn most(environment: &Environment, look: &[Exchanged]) -> usize {
    let Some(declared) = &environment.hosted else { return 0 };
    // What is at risk is told beside it.
    let linked = declared.key.as_ref().is_some_and(|key| is_linked(environment, key.policy, look));
    let managed = declared.managed.is_some_and(|wanted| is_managed(environment, wanted, look));
    usize::from(linked && at_rest(environment, KEY, look))
        + usize::from(managed && at_rest(environment, GOVERNANCE, look))
}

/// Whether a request was refused in a way by which nothing was begun, so that a run may say that it wrote nothing.
pub(crate) fn is_turned_down(one: &Exchanged) -> bool {
    match one.kind {
        Kind::EnableManaged | Kind::LinkKey | Kind::UnlinkKey => one.status == Some(409),
        Kind::Grant => one.code.as_deref() == Some("PrincipalNotFound"),
        _ => false,
    }
}

/// Whether a setting is one of Power Platform's.
pub(crate) fn is_setting(change: &Value) -> bool {
    matches!(change["setting"].as_str(), Some("managedEnvironment" | "customerManagedKey"))
}

fn binds<'v>(change: &'v Value, name: &str) -> &'v str {
    change["binds"][name].as_str().unwrap_or_default()
}

/// Whether a request writes for a change.
pub(crate) fn is_for(one: &Exchanged, change: &Value, environment: &Environment) -> bool {
    let own = one.hosted == Some(environment.number);
    let action = change["action"].as_str().unwrap_or_default();
    let vault = || last(binds(change, "vault")).to_lowercase();
    match (change["setting"].as_str().unwrap_or_default(), one.kind) {
        ("managedEnvironment", Kind::EnableManaged) => own,
        ("customerManagedKey", Kind::LinkKey) => own && action == "link",
        ("customerManagedKey", Kind::UnlinkKey) => own && action == "unlink",
        ("customerManagedKey", Kind::CreatePolicy) => {
            action == "create" && one.path.eq_ignore_ascii_case(binds(change, "policy"))
        }
        ("customerManagedKey", Kind::EnableKey) => {
            action == "enable" && one.path.to_lowercase().ends_with(&format!("/{}", binds(change, "version")))
        }
        ("customerManagedKey", Kind::Grant | Kind::Policy) => {
            action == "grant" && one.path.split('/').nth(8).is_some_and(|name| name.to_lowercase() == vault())
        }
        _ => false,
    }
}

/// Whether others of the same file may have written it.
pub(crate) fn is_shared(change: &Value) -> bool {
    change["setting"] == "customerManagedKey"
        && matches!(change["action"].as_str(), Some("create" | "grant" | "enable"))
}

/// Whether a change shows.
pub(crate) fn shows(change: &Value, environment: &Environment, since: &[Exchanged]) -> bool {
    let wanted = environment.hosted.as_ref().and_then(|one| one.key.as_ref()).and_then(|key| key.policy);
    match (change["setting"].as_str(), change["action"].as_str()) {
        (Some("managedEnvironment"), _) => is_managed(environment, true, since),
        (_, Some("link")) => is_linked(environment, wanted, since),
        (_, Some("unlink")) => is_linked(environment, None, since),
        (_, Some("enable")) => {
            let (vault, name) = (last(binds(change, "vault")).to_lowercase(), binds(change, "key"));
            let enabled = |world: &World| {
                let key = world.vaults.get(&vault).and_then(|found| found.keys.get(name));
                let version =
                    key.and_then(|key| key.versions.iter().find(|one| one.version == binds(change, "version")));
                version.is_some_and(|one| one.attributes.enabled)
            };
            let read = since.iter().filter(|one| matches!(one.kind, Kind::VaultKey | Kind::VaultKeyVersions));
            read.flat_map(Exchanged::worlds).any(|world| enabled(world))
        }
        (_, Some("create")) => {
            let mut read = read(since, Kind::EnterprisePolicy, environment);
            read.any(|one| one.path.eq_ignore_ascii_case(binds(change, "policy")))
        }
        _ => {
            let vault = last(binds(change, "vault")).to_lowercase();
            let holds = |world: &World| {
                wanted.and_then(|wanted| identity(world, wanted)).is_some_and(|one| may_use(world, one, &vault))
            };
            let read = since.iter().filter(|one| matches!(one.kind, Kind::Vault | Kind::Holders));
            read.flat_map(Exchanged::worlds).any(|world| holds(world))
        }
    }
}
