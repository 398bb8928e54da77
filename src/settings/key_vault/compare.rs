//! Declared against observed, for the Key Vault link. Pure.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::block::{Block, Declared};
use super::observe::{Link, Observed};
use super::steps::LinkVault;
use super::{grants, notes, risks};
use crate::azure::arm::ResourceId;
use crate::azure::customer_insights::{AccessState, KeyVaultLink};
use crate::azure::operations::PUT_KEY_VAULT;
use crate::azure::vaults::Vault;
use crate::plan::{
    Action, Address, Direction, Findings, Impact, ManualStep, Mode, Note, Outline, Planned, Step, Waiting, WaitingFor,
};
use crate::settings::attestation;
use crate::settings::blocks::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;

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
    match &observed.link {
        Link::NotAsked => unseen(declared, comparing, &rights, &mut findings),
        Link::Read(Err(unreadable)) => findings.unknown.push(unreadable.at(address)),
        Link::Read(Ok(None)) => link(declared, comparing, None, &rights, &mut findings),
        Link::Read(Ok(Some(live))) if live.vault == declared.vault => linked(live, &address, &rights, &mut findings),
        Link::Read(Ok(Some(live))) if declared.replaces.as_ref() == Some(&live.vault) => {
            link(declared, comparing, Some(&live.vault), &rights, &mut findings);
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
    if !grants::any_missing(vault, service, held) {
        findings.in_sync += 1;
        return Rights::Held;
    }
    match &observed.lacking {
        Some(Ok(None)) => {
            let planned = grants::plan(declared, vault, service, held, comparing);
            let last = planned.last().map(|last| last.change.address.clone());
            findings.changes.extend(planned);
            last.map_or(Rights::Missing, Rights::Planned)
        }
        Some(Err(unreadable)) => {
            findings.unknown.push(unreadable.at(address));
            Rights::Missing
        }
        lacking => {
            let why = match lacking {
                Some(Ok(Some(why))) => why.as_str(),
                _ => "this identity's rights were not read",
            };
            let detail = format!(
                "somebody with the role {} on {} has to give Customer Insights (object id {}) {}; {why}",
                grants::granting_role(vault),
                declared.vault,
                service.id,
                grants::words(vault, held),
            );
            findings.waiting.push(Waiting { address, waiting_for: WaitingFor::Person, since: None, detail });
            Rights::Missing
        }
    }
}

/// The declared vault is linked.
fn linked(live: &KeyVaultLink, address: &Address, rights: &Rights, findings: &mut Findings) {
    let refused = findings.notes.iter().any(Note::refuses);
    match &live.access {
        AccessState::Accessible => findings.in_sync += 1,
        // It is linked, which is all that the file declares; the secret is somebody else's.
        AccessState::SecretMissing => {
            findings.notes.push(notes::secret_missing(address));
            findings.in_sync += 1;
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

/// No operation may read the link. Rights on the vault don't prove it, since palisade itself grants them; a person's word does.
fn unseen(declared: &Declared, comparing: &Comparing<'_>, rights: &Rights, findings: &mut Findings) {
    match attestation::valid(comparing.attested, Block::KEY, comparing.now) {
        Some(attestation) => {
            findings.notes.push(attestation::note(attestation, comparing.address(Block::KEY), comparing.now));
            findings.in_sync += 1;
        }
        None => {
            let address = comparing.address(Block::KEY);
            findings.notes.extend(attestation::lapsed(comparing.attested, Block::KEY, address, comparing.now));
            link(declared, comparing, None, rights, findings);
        }
    }
}

/// The vault has to be linked, perhaps in place of another one.
fn link(
    declared: &Declared,
    comparing: &Comparing<'_>,
    instead_of: Option<&ResourceId>,
    rights: &Rights,
    findings: &mut Findings,
) {
    let requires = match rights {
        Rights::Held => None,
        Rights::Planned(address) => Some(address.clone()),
        // Linked without rights, it would fail later, in a connection. What is missing is said elsewhere.
        Rights::Missing => return,
    };
    let operation = PUT_KEY_VAULT.facts();
    let mode = comparing.surface.mode(operation.provenance);
    let value = |vault: &ResourceId| json!({ "status": vault.name(), "vault": vault });
    let before = instead_of.map_or(Json::Null, value);
    let reason = match instead_of {
        None if mode == Mode::Manual => {
            "Microsoft publishes no operation that links a vault, or tells which one is linked".to_owned()
        }
        None => format!(
            "declared, and no vault is linked; {} agreed on {} to its data privacy terms",
            declared.consent.agreed_by, declared.consent.agreed_on
        ),
        Some(old) => format!(
            "`replaces` allows to link it in place of {}; what that does to connections that use the former vault isn't known",
            old.name()
        ),
    };
    let outline = Outline {
        address: comparing.address(Block::KEY),
        setting: Block::KEY,
        subject: format!("the vault {}", declared.vault.name()),
        action: Action::Link,
        // Linking opens nothing: the rights on the vault do, and they are changes of their own.
        direction: Direction::Neutral,
        risk: if instead_of.is_some() { risks::REPLACE } else { risks::LINK },
        impact: if instead_of.is_some() { Impact::Interrupts } else { Impact::None },
        before,
        after: value(&declared.vault),
        reason,
        source: declared.place.clone(),
        operations: vec![operation],
    };
    let step: Rc<dyn Step> = Rc::new(LinkVault {
        instance: comparing.instance.clone(),
        vault: declared.vault.clone(),
        instead_of: instead_of.cloned(),
    });
    findings.changes.push(
        Planned::new(outline, mode, vec![step])
            .taking_away(instead_of.is_some())
            .requiring(requires)
            .by_hand(|| by_hand(declared)),
    );
}

fn by_hand(declared: &Declared) -> ManualStep {
    let Declared { vault, replaces: _, consent, place: _ } = declared;
    let values = [
        ("Subscription", vault.subscription().to_string()),
        ("Resource group", vault.resource_group().to_owned()),
        ("Key vault", vault.name().to_owned()),
    ];
    ManualStep {
        place: "Settings > Permissions > Key Vault".to_owned(),
        actions: vec![
            "choose the vault".to_owned(),
            format!("agree to the data privacy terms, as {} did on {}", consent.agreed_by, consent.agreed_on),
        ],
        values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        shown_by: "the page shows the vault; record it under `attested`".to_owned(),
        record: None,
    }
}
