//! What writes in Power Platform, and those about keys in Azure, must keep.
//!
//! Invariants that are looked for: one operation on the key per environment and run; none beside another one, after two failures, or
//! where the list of operations wasn't read whole; only what is declared, and only what was told before; nothing is taken away.

use palisade::emulator::World;
use serde_json::Value;

use super::declared::Key;
use super::{
    ENCRYPTION_USER, KEY_VAULTS, POLICIES, answers, hosted, identity, key, key_vault, may_use, policy, vault_of,
    version,
};
use crate::declared::{Declared, Environment};
use crate::kind::Kind;
use crate::names::last;
use crate::wire::Exchanged;

/// A write in the log, and what the run knew before it.
struct Write<'a> {
    one: &'a Exchanged,
    declared: &'a Declared,
    /// Everything of the run before it; the plan isn't in it.
    run: &'a [Exchanged],
}

/// The vault of a policy's key that a request names.
fn vault(one: &Exchanged) -> Option<&'static str> {
    let name = one.path.split('/').nth(8)?;
    let here = one.path.starts_with("/subscriptions/") && one.path.contains("/Microsoft.KeyVault/");
    KEY_VAULTS.into_iter().find(|known| here && known.eq_ignore_ascii_case(name))
}

/// Whether a write is about Power Platform, or a key that its environments use.
pub(crate) fn is_about(one: &Exchanged) -> bool {
    match one.kind {
        Kind::LinkKey | Kind::UnlinkKey | Kind::EnableManaged | Kind::CreatePolicy | Kind::EnableKey => true,
        Kind::Grant | Kind::Policy => vault(one).is_some(),
        _ => false,
    }
}

pub(crate) fn judge(log: &[Exchanged], from: usize, index: usize, declared: &Declared, say: &mut impl FnMut(&str)) {
    let write = Write { one: &log[index], declared, run: &log[from..index] };
    match write.one.kind {
        Kind::CreatePolicy => create(&write, say),
        Kind::Grant | Kind::Policy => grant(&write, say),
        Kind::EnableKey => enable(&write, say),
        _ => begin(&write, say),
    }
}

/// Nothing is ever taken away, by whatever write.
pub(crate) fn kept(one: &Exchanged, say: &mut impl FnMut(&str)) {
    let (before, after) = (&one.before, &one.after);
    if !before.role_assignments.iter().all(|held| after.role_assignments.contains(held)) {
        say("a role assignment is gone");
    }
    for (id, found) in before.enterprise_policies.iter() {
        match after.enterprise_policies.get(id) {
            None => say(&format!("the policy {id} is gone")),
            Some(now) if now != found => say(&format!("the policy {id} was changed")),
            Some(_) => {}
        }
    }
    for name in KEY_VAULTS {
        let (Some(before), Some(after)) = (before.vaults.get(name), after.vaults.get(name)) else { continue };
        let lost = before.access_policies.iter().any(|held| {
            let now = after.access_policies.iter().filter(|now| now.object_id == held.object_id);
            let now: Vec<String> = now.flat_map(|now| &now.permissions.keys).map(|word| word.to_lowercase()).collect();
            !held.permissions.keys.iter().all(|word| now.contains(&word.to_lowercase()))
        });
        if lost {
            say(&format!("an access policy of {name} is gone, or allows less"));
        }
        if one.kind != Kind::EnableKey && before.keys != after.keys {
            say(&format!("a key in {name} was changed"));
        }
    }
}

fn declared_key(environment: &Environment) -> Option<&Key> {
    environment.hosted.as_ref()?.key.as_ref()
}

/// How many operations on an environment a world knows.
fn count(world: &World, number: usize) -> usize {
    world.lifecycle_operations.values().filter(|one| one.environment == hosted(number)).count()
}

fn begin(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Write { one, declared, run } = write;
    let environment = one.hosted.and_then(|number| declared.environments.iter().find(|one| one.number == number));
    let Some((environment, platform)) = environment.and_then(|one| Some((one, one.hosted.as_ref()?))) else {
        return say("no environment of the file asks for that");
    };
    let number = environment.number;
    let of = |other: &&Exchanged| other.hosted == Some(number);
    once(write, number, say);
    let told = run.iter().filter(of).filter_map(answers::environment).next_back();
    let Some(told) = told else { return say("the environment wasn't read before") };
    let begins = |other: &Exchanged| {
        other.hosted == Some(number) && matches!(other.kind, Kind::LinkKey | Kind::UnlinkKey | Kind::EnableManaged)
    };
    // Tried again, it is still the same write.
    let before = run.iter().rposition(|other| begins(other) && other.path != one.path);
    let first = answers::begun(run, number).next_back();
    let list = first.and_then(|first| Some((first, answers::operations(run, number, first)?)));
    let family: &[&str] = match one.kind {
        Kind::EnableManaged => &["EnableGovernanceConfiguration"],
        Kind::UnlinkKey => &["RevertToMicrosoftKey"],
        _ if told.link.is_none() => &["NewCustomerManagedKey"],
        _ => &["NewCustomerManagedKey", "RotateCustomerManagedKey"],
    };
    match list {
        None => say("the list of operations wasn't read whole before"),
        Some((at, _)) if before.is_some_and(|before| at < before) => say("nothing was read since the write before"),
        Some((_, all)) => {
            let over = |one: &answers::Operation| ["Succeeded", "Failed", "Canceled"].contains(&one.state.as_str());
            if let Some(active) = all.iter().find(|one| !over(one)) {
                say(&format!("{} was told to be {}, and another operation is asked for", active.kind, active.state));
            }
            let own = all.iter().filter(|one| family.contains(&one.kind.as_str()));
            let since: Vec<_> = own.take_while(|one| one.state != "Succeeded").collect();
            if since.iter().filter(|one| one.state == "Failed").count() > 1 {
                say("it failed twice, and is asked for once more");
            }
        }
    }
    if !platform.alone && !belongs(write, environment) {
        say("the environment isn't known to belong to the instance");
    }
    match (one.kind, platform.key.as_ref()) {
        (Kind::EnableManaged, _) if platform.managed != Some(true) => say("it isn't declared to be managed"),
        (Kind::EnableManaged, _) if told.level != "Basic" => say("it wasn't told to be an ordinary environment"),
        (Kind::EnableManaged, _) => {}
        (Kind::LinkKey, Some(Key { policy: Some(wanted), .. })) => link(write, *wanted, &told, say),
        (Kind::UnlinkKey, Some(Key { policy: None, .. })) => {
            let sent = system_id(one);
            let is_sent = |link: &answers::Link| sent.is_some_and(|sent| sent.eq_ignore_ascii_case(&link.system_id));
            let ended = |link: &answers::Link| matches!(link.status.as_str(), "Linked" | "Failed");
            if !told.link.as_ref().is_some_and(ended) || !told.link.as_ref().is_some_and(is_sent) {
                say("another policy is unlinked than the one that was told, or what became of its link wasn't told");
            }
        }
        _ => say("the file doesn't ask for that"),
    }
}

/// An operation of days is begun once in a run; that it began may show only later.
fn once(write: &Write<'_>, number: usize, say: &mut impl FnMut(&str)) {
    let same = |other: &&Exchanged| {
        let begins = match write.one.kind {
            Kind::EnableManaged => other.kind == Kind::EnableManaged,
            _ => matches!(other.kind, Kind::LinkKey | Kind::UnlinkKey),
        };
        begins && other.hosted == Some(number)
    };
    for other in write.run.iter().filter(same) {
        if count(&other.before, number) < count(&other.after, number) {
            say("a second operation is asked for in one run");
        }
        if other.status != Some(429) {
            say(&format!("it is sent once more after {}", other.status.unwrap_or_default()));
        }
    }
}

fn belongs(write: &Write<'_>, environment: &Environment) -> bool {
    let bound = |world: &World| {
        let instance = world.instances.get(&environment.instance())?.metadata.cds_org_info.as_ref()?;
        let hosted = world.power_platform_environments.get(&hosted(environment.number))?.dataverse.as_ref()?;
        Some(instance.url.trim_end_matches('/') == hosted.instance_url.trim_end_matches('/'))
    };
    let seen = write.run.iter().filter(|one| matches!(one.kind, Kind::Hosted | Kind::Instance));
    seen.flat_map(Exchanged::worlds).any(|world| bound(world) == Some(true))
}

fn system_id(one: &Exchanged) -> Option<String> {
    let sent = one.sent.as_ref()?.as_object()?;
    sent.iter().find(|(name, _)| name.eq_ignore_ascii_case("systemId"))?.1.as_str().map(str::to_owned)
}

fn link(write: &Write<'_>, wanted: usize, environment: &answers::Environment, say: &mut impl FnMut(&str)) {
    if environment.level != "Standard" {
        say("it wasn't told to be a Managed Environment");
    }
    if ["Trial", "SubscriptionBasedTrial", "Teams"].contains(&environment.sku.as_str()) {
        say("an environment of that type is linked");
    }
    let own = |one: &&Exchanged| one.path.eq_ignore_ascii_case(&policy(wanted));
    let told = write.run.iter().filter(own).filter_map(answers::policy).next_back().flatten();
    let Some(told) = told else { return say("the policy wasn't told to be there") };
    if !system_id(write.one).is_some_and(|sent| sent.eq_ignore_ascii_case(&told.system_id)) {
        say("another policy is linked than the declared one");
    }
    let vault = vault_of(wanted);
    if !told.vault.eq_ignore_ascii_case(&key_vault(vault)) || !told.key.eq_ignore_ascii_case(&key(wanted)) {
        say("a policy is linked that refers to another key");
    }
    let seen: Vec<&World> = write.run.iter().flat_map(Exchanged::worlds).map(AsRef::as_ref).collect();
    let seen = || seen.iter().copied().chain([write.one.before.as_ref()]);
    if !seen().any(|world| identity(world, wanted).is_some_and(|identity| may_use(world, identity, vault))) {
        say("a policy is linked whose identity may not use the key");
    }
    if !seen().any(|world| world.vaults.get(vault).is_some_and(|one| one.enable_purge_protection)) {
        say("the vault of the key has no purge protection");
    }
    let enabled = |world: &World| {
        let found = world.vaults.get(vault).and_then(|found| found.keys.get(&key(wanted)));
        found.is_some_and(|key| key.versions.iter().any(|one| one.attributes.enabled))
    };
    if !seen().any(enabled) {
        say("the key isn't there, or is disabled");
    }
}

fn create(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Write { one, declared, run } = write;
    let Some(number) = (0..POLICIES).find(|number| one.path.eq_ignore_ascii_case(&policy(*number))) else {
        return say("a policy is created that the file doesn't name");
    };
    let asks = |key: &&Key| key.provision && key.policy == Some(number);
    let Some(asked) = declared.environments.iter().filter_map(declared_key).find(asks) else {
        return say("a policy is created, and no environment asks for it");
    };
    let again = |other: &&Exchanged| other.kind == Kind::CreatePolicy && other.path == one.path;
    let first = run.iter().position(|other| again(&other)).unwrap_or(run.len());
    let own = |other: &&Exchanged| other.path.eq_ignore_ascii_case(&one.path);
    let told = run[..first].iter().filter(own).filter_map(answers::policy).next_back();
    if !matches!(told, Some(None)) {
        say("the policy wasn't told to be missing");
    }
    // With several environments, requests of others may come between the last look and the write.
    let there = |world: &World| world.enterprise_policies.get(&policy(number).to_lowercase()).is_some();
    let looked = run[..first].iter().rposition(|other| other.kind == Kind::EnterprisePolicy && own(&other));
    let idle = run[looked.map_or(0, |looked| looked + 1)..first].iter().any(|other| there(&other.after));
    if idle && there(&one.before) && declared.environments.len() == 1 {
        say("the policy is there by now, and wasn't looked for right before");
    }
    let sent = one.sent.as_ref().unwrap_or(&Value::Null);
    let named = &sent["properties"]["encryption"]["keyVault"];
    let is = |value: &Value, wanted: &str| value.as_str().is_some_and(|found| found.eq_ignore_ascii_case(wanted));
    let pinned = match asked.pinned[number] {
        true => is(&named["key"]["version"], &version(number)),
        false => named["key"]["version"].is_null(),
    };
    if !is(&named["id"], &key_vault(vault_of(number))) || !is(&named["key"]["name"], &key(number)) || !pinned {
        say("a policy is created with another key");
    }
    if sent["kind"] != "Encryption" || sent["identity"]["type"] != "SystemAssigned" {
        say("a policy is created without an identity, or of another kind");
    }
    // Tried again, it finds what it made itself; what others made meanwhile is never replaced.
    if first < run.len() && there(&one.before) {
        say("a policy that is there is created again");
    }
}

/// What an environment that was told to be linked is encrypted with is enabled, where the file says that palisade keeps it up, and was
/// told to be disabled. Nothing else about any key changes.
fn enable(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Write { one, declared, run } = write;
    let mut path = one.path.split('/').skip(2);
    let (Some(name), Some(version)) = (path.next(), path.next()) else {
        return say("a key without a version is changed");
    };
    let vault = one.host.split('.').next().unwrap_or_default();
    if one.sent != Some(serde_json::json!({ "attributes": { "enabled": true } })) {
        say("something else of a key is changed than whether it is enabled");
    }
    let asks = |environment: &&Environment| {
        let Some(Key { policy: Some(wanted), provision: true, .. }) = declared_key(environment) else { return false };
        let mut told =
            run.iter().filter(|other| other.hosted == Some(environment.number)).filter_map(answers::environment);
        let linked = told.next_back().and_then(|told| told.link).is_some_and(|link| link.status == "Linked");
        linked && key(*wanted).eq_ignore_ascii_case(name) && vault_of(*wanted).eq_ignore_ascii_case(vault)
    };
    if !declared.environments.iter().any(|environment| asks(&environment)) {
        say("a key is enabled, and no environment that is linked asks for it");
    }
    let disabled = |world: &World| {
        let key = world.vaults.get(vault).and_then(|found| found.keys.get(&name.to_lowercase()));
        let found = key.and_then(|key| key.versions.iter().find(|one| one.version.eq_ignore_ascii_case(version)));
        found.is_some_and(|version| !version.attributes.enabled)
    };
    if !run.iter().flat_map(Exchanged::worlds).any(|world| disabled(world)) && !disabled(&one.before) {
        say("a version is enabled that wasn't told to be disabled");
    }
    for name in KEY_VAULTS {
        let keys = |world: &World| {
            let mut keys = world.vaults.get(name).map(|found| found.keys.clone()).unwrap_or_default();
            for version in keys.values_mut().flat_map(|key| &mut key.versions).filter(|one| one.version == version) {
                version.attributes.enabled = true;
                version.attributes.updated = one.at;
            }
            keys
        };
        if keys(&one.before) != keys(&one.after) {
            say(&format!("another key in {name} was changed"));
        }
    }
}

/// The identity of a declared policy gets the use of a key, and nobody loses or gains anything else.
fn grant(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Write { one, declared, run } = write;
    let (before, after) = (&one.before, &one.after);
    let Some(name) = vault(one) else { return };
    let sent = one.sent.as_ref().unwrap_or(&Value::Null);
    let to = match one.kind {
        Kind::Grant => &sent["properties"]["principalId"],
        _ => &sent["properties"]["accessPolicies"][0]["objectId"],
    };
    let Some(to) = to.as_str().and_then(|id| id.parse::<uuid::Uuid>().ok()) else {
        return say("nobody is named to whom something is granted");
    };
    let worlds: Vec<&World> = run.iter().flat_map(Exchanged::worlds).map(AsRef::as_ref).collect();
    let worlds = || worlds.iter().copied().chain([before.as_ref()]);
    let needs = |environment: &Environment| {
        let Some(key) = declared_key(environment).filter(|key| key.provision) else { return false };
        let Some(wanted) = key.policy else { return false };
        let named = key.policies().any(|policy| vault_of(policy) == name);
        let own = hosted(environment.number);
        let linked = |world: &World| {
            // What is over may show late: until then, the links of before are told.
            let found = world.power_platform_environments.get(&own);
            let links = found.into_iter().flat_map(|found| {
                found.links.values().chain(found.stale.iter().flat_map(|stale| stale.links.values()))
            });
            let told = links.map(|link| link.policy.to_lowercase());
            let keys = told.filter_map(|id| world.enterprise_policies.get(&id)?.encryption.clone()).collect::<Vec<_>>();
            keys.iter().any(|key| last(&key.vault).eq_ignore_ascii_case(name))
        };
        let ours = worlds().any(|world| identity(world, wanted) == Some(to));
        ours && (named || worlds().any(linked))
    };
    if !declared.environments.iter().any(needs) {
        say("something is granted to another principal, or in another vault, than the file asks for");
    }
    let mut new = after.role_assignments.iter().filter(|one| !before.role_assignments.contains(one));
    if !new.all(|one| one.principal_id == to && one.role_definition == ENCRYPTION_USER) {
        say("another role is granted than the one that is needed");
    }
    let policies = |world: &World| {
        let all = world.vaults.get(name).map(|found| found.access_policies.clone()).unwrap_or_default();
        all.into_iter().filter(|one| one.object_id != to).collect::<Vec<_>>()
    };
    if policies(before) != policies(after) {
        say("the rights of another principal were touched");
    }
    let own = after.vaults.get(name).into_iter().flat_map(|found| &found.access_policies);
    let mut own = own.filter(|one| one.object_id == to).map(|one| &one.permissions);
    if one.kind == Kind::Policy && own.any(|all| !all.secrets.is_empty() || !all.certificates.is_empty()) {
        say("more is granted than the use of keys");
    }
}
