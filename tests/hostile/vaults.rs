//! What writes about the linked vault must keep.

use std::collections::BTreeSet;

use palisade::emulator::World;

use crate::answers;
use crate::kind::Kind;
use crate::names::{LINKED, VAULTS, vault};
use crate::oracle::Write;
use crate::resources::{READING, service};

/// Whether Customer Insights may read the vault.
pub(crate) fn may_read(world: &World) -> bool {
    let Some(service) = service(world) else { return false };
    let Some(found) = world.vaults.get(VAULTS[LINKED]).filter(|found| found.id == vault(LINKED)) else { return false };
    if found.enable_rbac_authorization == Some(true) {
        let held = |role: &uuid::Uuid| {
            world.role_assignments.iter().any(|one| {
                let here = found.id.to_lowercase().starts_with(&one.scope.to_lowercase());
                one.principal_id == service && one.role_definition == *role && here
            })
        };
        return READING.iter().all(held);
    }
    let own = |one: &&palisade::emulator::AccessPolicy| one.object_id == service && one.application_id.is_none();
    let mut lists: [BTreeSet<String>; 3] = Default::default();
    for policy in found.access_policies.iter().filter(own) {
        let permissions = &policy.permissions;
        for (list, more) in lists.iter_mut().zip([&permissions.keys, &permissions.secrets, &permissions.certificates]) {
            list.extend(more.iter().map(|one| one.to_lowercase()));
        }
    }
    lists.iter().all(|list| list.contains("all") || ["get", "list"].iter().all(|one| list.contains(*one)))
}

pub(crate) fn judge(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let Some(replaces) = &write.environment.vault else { return say("no vault is declared") };
    let there = |world: &World| world.vaults.get(VAULTS[LINKED]).is_some_and(|one| one.id == vault(LINKED));
    let mut seen = write.read(Kind::Vault).flat_map(|one| one.worlds());
    if !there(&write.one.before) && !seen.any(|world| there(world)) {
        say("the declared vault isn't there");
    }
    if write.one.kind == Kind::LinkVault { link(write, replaces.as_deref(), say) } else { grant(write, say) }
}

fn link(write: &Write<'_>, replaces: Option<&str>, say: &mut impl FnMut(&str)) {
    let sent = write.one.sent.as_ref();
    if sent.is_none_or(|sent| sent["keyVaultName"] != VAULTS[LINKED] || sent["consentAccepted"] != true) {
        say("another vault than the declared one is linked");
    }
    // A link replaces the one before, so what counts is what was told last.
    let told = write.since(Kind::Linked).filter_map(|one| answers::linked(one)).last();
    let Some(told) = told else { return say("which vault is linked wasn't read before") };
    let (ours, may_go) = (vault(LINKED), replaces.map(str::to_lowercase));
    let fits = told.is_none_or(|(linked, _)| {
        linked.eq_ignore_ascii_case(&ours) || may_go.as_deref() == Some(linked.to_lowercase().as_str())
    });
    if !fits {
        say("a vault is replaced that the file doesn't name");
    }
    let mut seen = write.look.iter().filter(|one| matches!(one.kind, Kind::Vault | Kind::Holders));
    if !may_read(&write.one.before) && !seen.any(|one| one.worlds().any(|world| may_read(world))) {
        say("a vault is linked that Customer Insights may not read");
    }
}

/// One right more, for Customer Insights, on the declared vault; nobody else's is touched.
fn grant(write: &Write<'_>, say: &mut impl FnMut(&str)) {
    let (before, after) = (&write.one.before, &write.one.after);
    let Some(service) = service(before) else { return say("there is nobody to grant something to") };
    let kept = before.role_assignments.iter().all(|one| after.role_assignments.contains(one));
    let new = after.role_assignments.iter().filter(|one| !before.role_assignments.contains(one));
    let fits = |one: &palisade::emulator::RoleAssignment| {
        let here = one.scope.eq_ignore_ascii_case(&vault(LINKED));
        one.principal_id == service && READING.contains(&one.role_definition) && here
    };
    if !kept || !new.into_iter().all(fits) {
        say("another right was granted than the one that is needed");
    }
    let others = |world: &World| {
        let policies = world.vaults.get(VAULTS[LINKED]).map(|vault| vault.access_policies.clone()).unwrap_or_default();
        policies.into_iter().filter(|one| one.object_id != service).collect::<Vec<_>>()
    };
    if others(before) != others(after) {
        say("the rights of somebody else were touched");
    }
    let names = write.one.path.split('/').nth(8).is_some_and(|name| name.eq_ignore_ascii_case(VAULTS[LINKED]));
    if !names {
        say("something is granted elsewhere than on the declared vault");
    }
}
