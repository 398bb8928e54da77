//! Declared against observed, for the Key Vault link. Pure.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::block::{Block, Declared, Saw};
use super::observe::{Link, Observed};
use super::steps::LinkVault;
use super::{grants, notes, risks};
use crate::azure::customer_insights::{AccessState, KeyVaultLink};
use crate::azure::operations::{GET_KEY_VAULT, PUT_KEY_VAULT};
use crate::azure::vaults::Vault;
use crate::plan::{
    Action, Address, Direction, Findings, Impact, ManualStep, Mode, Note, Outline, Planned, Step, Waiting, WaitingFor,
    Work,
};
use crate::settings::attestation::{self, Doubt, Moment, Statement, Trace, Verdict};
use crate::settings::block::{self, Block as _};
use crate::settings::consent::Consent;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::settings::vault_grants;
use crate::terms::VaultId;

/// Whether the service principal can read the vault.
enum Rights {
    /// It can.
    Held,
    /// Planned; the link has to wait for this change.
    Planned(Address),
    /// Somebody else has to grant, or it isn't known.
    Missing,
}

/// Compares.
pub(super) fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let address = comparing.address(Block::KEY);
    let mut findings = Findings::default();
    findings.notes.extend(declared.consent.check(&address, comparing.now));
    let vault = match &observed.vault {
        Ok(Some(vault)) => vault,
        Ok(None) => {
            findings.notes.push(notes::not_found(&address, &declared.vault));
            return findings;
        }
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            return findings;
        }
    };
    findings.notes.extend(notes::demands(&address, vault, comparing));
    let rights = compare_rights(declared, observed, vault, comparing, &mut findings);
    if let Err(unreadable) = comparing.instance {
        findings.unknown.push(unreadable.at(address));
        return findings;
    }
    match &observed.link {
        Link::NotAsked => {
            let past = Past {
                without_rights: has_no_rights(observed, vault),
                held_since: observed.held.as_ref().ok().and_then(|held| grants::held_since(vault, held)),
            };
            unread(declared, comparing, &rights, past, &mut findings);
        }
        Link::Read(Err(unreadable)) => findings.unknown.push(unreadable.at(address)),
        Link::Read(Ok(None)) => link(declared, comparing, Former::None, &rights, &mut findings),
        Link::Read(Ok(Some(live))) if live.vault == declared.vault => linked(live, &address, &rights, &mut findings),
        Link::Read(Ok(Some(live))) if declared.replaces.as_ref() == Some(&live.vault) => {
            link(declared, comparing, Former::Read(&live.vault), &rights, &mut findings);
        }
        Link::Read(Ok(Some(live))) => findings.notes.push(notes::other_linked(&address, declared, &live.vault)),
    }
    findings
}

/// What Customer Insights may do in the vault, and what is done about what it may not.
fn compare_rights(
    declared: &Declared,
    observed: &Observed,
    vault: &Vault,
    comparing: &Comparing<'_>,
    findings: &mut Findings,
) -> Rights {
    let address = comparing.address(Block::KEY).part("rights");
    let service = match &observed.service {
        Ok(Some(service)) => service,
        Ok(None) => {
            findings.notes.push(notes::service_missing(&address));
            return Rights::Missing;
        }
        Err(reason) => {
            let reason = format!("the service principal of Customer Insights could not be looked up: {reason}");
            findings.unknown.push(Unreadable::because(reason).at(address));
            return Rights::Missing;
        }
    };
    let held = match &observed.held {
        Ok(held) => held,
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(address));
            return Rights::Missing;
        }
    };
    let setting = comparing.address(Block::KEY);
    findings.in_effect.extend(grants::held_parts(vault, service, held).map(|part| setting.part(&part)));
    if !grants::any_missing(vault, service, held) {
        findings.in_sync += 1;
        return Rights::Held;
    }
    let why = match &observed.granting {
        Some(Ok(holding)) => match holding.lacking() {
            Some(why) => why,
            None => {
                let planned = grants::plan(declared, vault, service, held, comparing);
                let last = planned.last().map(|last| last.change.address.clone());
                findings.changes.extend(planned.into_iter().map(|one| one.in_doubt(holding)));
                return last.map_or(Rights::Missing, Rights::Planned);
            }
        },
        Some(Err(unreadable)) => {
            findings.unknown.push(unreadable.at(address));
            return Rights::Missing;
        }
        None => "this identity's rights were not read".to_owned(),
    };
    let role = vault_grants::operation(vault).needs.role().map(|role| format!(" with the role {role}"));
    let detail = format!(
        "somebody{} on {} has to give Customer Insights (object id {}) {}; {why}",
        role.unwrap_or_default(),
        declared.vault,
        service.id,
        grants::words(vault, held),
    );
    findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Person, since: None, detail });
    Rights::Missing
}

/// The declared vault is linked.
fn linked(live: &KeyVaultLink, address: &Address, rights: &Rights, findings: &mut Findings) {
    let refused = findings.notes.iter().any(Note::refuses);
    match &live.access {
        AccessState::Accessible => findings.settled(address.clone()),
        // It is linked, which is all that the file declares; the secret is somebody else's.
        AccessState::SecretMissing => {
            findings.notes.push(notes::secret_missing(address));
            findings.settled(address.clone());
        }
        // What stands in the way was found already, and is being changed or reported.
        _ if refused || !matches!(rights, Rights::Held) => {}
        other => {
            let detail =
                format!("Customer Insights can't use the vault yet: {other}; in Azure nothing stands in the way");
            let address = address.clone();
            findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Service, since: None, detail });
        }
    }
}

/// Whether it was read that the service principal may do nothing of what it needs. Rights that aren't known rule out nothing.
fn has_no_rights(observed: &Observed, vault: &Vault) -> bool {
    match (&observed.service, &observed.held) {
        (Ok(Some(service)), Ok(held)) => grants::none_held(vault, service, held),
        _ => false,
    }
}

/// What the rights on the vault tell of a link that no operation may read.
struct Past {
    /// None of them is held.
    without_rights: bool,
    /// Since when any of them is held, if that is known.
    held_since: Option<Timestamp>,
}

/// No operation may read the link. Rights on the vault don't prove it, since palisade itself grants them; without any, the
/// vault can't be in use. What people attest decides.
fn unread(declared: &Declared, comparing: &Comparing<'_>, rights: &Rights, past: Past, findings: &mut Findings) {
    let address = comparing.address(Block::KEY);
    let moment = Moment::of(comparing);
    let vault = Some(declared.vault.clone());
    let Past { without_rights, held_since } = past;
    let trace = match without_rights {
        true => Trace::RulesOut(
            vault.clone(),
            format!("Customer Insights has none of its rights on {}, so it can't use the vault", declared.vault.name()),
        ),
        false => Trace::Nothing,
    };
    let statements = statements(declared, comparing, held_since);
    match attestation::judge(&vault, &trace, &statements, moment) {
        Verdict::InSync(evidence) => {
            findings.notes.push(attestation::evidence(&evidence, address.clone(), moment));
            findings.settled(address);
        }
        Verdict::Differs { live, evidence } => {
            let seen = attestation::seen(&evidence, std::slice::from_ref(declared.vault.resource()), moment);
            if let Some(other) = live.as_ref().filter(|live| declared.replaces.as_ref() != Some(*live)) {
                findings.notes.push(notes::other_linked(&address, declared, other));
            }
            link(declared, comparing, Former::Attested(live.as_ref(), seen), rights, findings);
        }
        Verdict::Unknown(doubt) => {
            let possible = trace.possible(&vault).flatten();
            let look = attestation::Look {
                address,
                subject: subject(declared),
                what: "which vault is linked",
                values: values(declared),
                declared: value(&declared.vault),
                as_declared: possible == vault,
                saw: Saw::of_vault(possible),
                operation: GET_KEY_VAULT.facts(),
                source: declared.place.clone(),
            };
            let asked = attestation::look::<Block>(look, &doubt, comparing);
            *findings = std::mem::take(findings).and(asked);
        }
    }
}

/// What people say of the link. Who saw the vault linked before Customer Insights had any of its rights didn't see what is
/// there now: the rights that a later run grants don't renew an entry.
fn statements<'a>(
    declared: &Declared,
    comparing: &Comparing<'a>,
    held_since: Option<Timestamp>,
) -> Vec<Statement<'a, Option<VaultId>>> {
    let since = held_since.map(attestation::day);
    let statement = |all: &Statement<'a, Saw>| {
        let seen = all.saw.vault()?;
        let mut statement = all.about(|_| seen);
        if let Some(since) = since
            && statement.entry.on < since
            && statement.saw.as_ref() == Some(&declared.vault)
        {
            let name = declared.vault.name();
            let how =
                format!("Customer Insights has its rights on {name} only since {since}, so it couldn't use the vault");
            statement.flaw = Some(Doubt::Contradicted(statement.entry, how));
        }
        Some(statement)
    };
    attestation::statements::<Saw>(comparing.attested, Block::KEY).iter().filter_map(statement).collect()
}

/// What is linked instead, and how that is known.
enum Former<'a> {
    /// Nothing; the service said so.
    None,
    /// This vault; the service said so.
    Read(&'a VaultId),
    /// This vault, or nothing; a person said so, in this sentence.
    Attested(Option<&'a VaultId>, String),
}

/// The vault has to be linked, perhaps in place of another one.
fn link(declared: &Declared, comparing: &Comparing<'_>, former: Former<'_>, rights: &Rights, findings: &mut Findings) {
    let instance = match comparing.instance {
        Ok(instance) => instance,
        Err(unreadable) => {
            findings.unknown.push(unreadable.at(comparing.address(Block::KEY)));
            return;
        }
    };
    let operation = PUT_KEY_VAULT.facts();
    let mode = comparing.surface.mode(operation.provenance);
    let requires = match rights {
        Rights::Held => None,
        Rights::Planned(address) => Some(address.clone()),
        // Linked without rights, it would fail later, in a connection. What is missing is said elsewhere, and a person who
        // links by hand can be told both.
        Rights::Missing if mode == Mode::Manual => None,
        Rights::Missing => return,
    };
    let instead_of = match former {
        Former::None => None,
        Former::Read(vault) => Some(vault),
        Former::Attested(vault, _) => vault,
    };
    let outline = Outline {
        address: comparing.address(Block::KEY),
        setting: Block::KEY,
        subject: subject(declared),
        action: Action::Link,
        // Linking opens nothing: the rights on the vault do, and they are changes of their own.
        direction: Direction::Neutral,
        risk: if instead_of.is_some() { risks::REPLACE } else { risks::LINK },
        impact: if instead_of.is_some() { Impact::Interrupts } else { Impact::None },
        before: instead_of.map_or(Json::Null, value),
        after: value(&declared.vault),
        reason: reason(declared, &former),
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let step: Rc<dyn Step> = Rc::new(LinkVault {
        instance: instance.clone(),
        vault: declared.vault.clone(),
        instead_of: instead_of.cloned(),
    });
    findings.changes.push(
        Planned::new(outline, Work::of(mode, vec![step], || by_hand(declared, instead_of, comparing)))
            .taking_away(instead_of.is_some())
            .requiring(requires),
    );
}

fn reason(declared: &Declared, former: &Former<'_>) -> String {
    let Consent { agreed_by, agreed_on } = &declared.consent;
    let agreed = format!("{agreed_by} agreed on {agreed_on} to its data privacy terms");
    let replaced = |old: &VaultId| {
        format!(
            "it takes the place of {}; what that does to connections that use the former vault isn't known",
            old.name()
        )
    };
    match former {
        Former::None => format!("declared, and no vault is linked; {agreed}"),
        Former::Read(old) => replaced(old),
        Former::Attested(None, seen) => format!("declared, and no vault is linked: {seen}; {agreed}"),
        Former::Attested(Some(old), seen) => {
            format!("declared, but another vault is linked: {seen}; {}", replaced(old))
        }
    }
}

fn subject(declared: &Declared) -> String {
    format!("the vault {}", declared.vault.name())
}

/// A vault as plans show it.
fn value(vault: &VaultId) -> Json {
    json!({ "status": vault.name(), "vault": vault })
}

/// What the page shows of the declared vault.
fn values(declared: &Declared) -> BTreeMap<String, String> {
    let vault = &declared.vault;
    let values = [
        ("Subscription", vault.subscription().to_string()),
        ("Resource group", vault.resource_group().to_owned()),
        ("Key vault", vault.name().to_owned()),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

fn by_hand(declared: &Declared, instead_of: Option<&VaultId>, comparing: &Comparing<'_>) -> ManualStep {
    let Declared { vault, replaces: _, consent, place: _ } = declared;
    let look = instead_of.map(|old| format!("look at the connections that use {}: they may stop", old.name()));
    let actions = look.into_iter().chain([
        format!("choose the vault {}", vault.name()),
        format!("agree to the data privacy terms, as {} did on {}", consent.agreed_by, consent.agreed_on),
        "record under `attested` that you saw it linked".to_owned(),
    ]);
    ManualStep {
        place: <Saw as block::Saw>::PLACE.unwrap_or_default().to_owned(),
        actions: actions.collect(),
        values: values(declared),
        shown_by: "the page shows the vault, and the entry says so".to_owned(),
        record: Some(attestation::entry::<Block>(&Saw::of(declared), comparing)),
    }
}
