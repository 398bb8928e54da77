//! What comparing notices about a lake.

use jiff::Timestamp;

use super::codes;
use crate::azure::storage::Account;
use crate::plan::{Address, Note, NoteCode, Severity};
use crate::settings::encryption_keys::KeyRef;
use crate::settings::encryption_keys::demands::{Fault, Onset};
use crate::settings::private_links;
use crate::settings::setting::Comparing;
use crate::terms::ResourceId;
use crate::terms::text::brief;

fn finding(code: NoteCode, severity: Severity, address: &Address, message: impl Into<String>) -> Note {
    Note::finding(code, severity, address.clone(), message)
}

pub(super) fn not_found(address: &Address, account: &ResourceId) -> Note {
    let message =
        format!("Azure has no storage account {} in the resource group {}", account.name(), account.resource_group());
    Note::refusal(codes::LAKE_NOT_FOUND, address.clone(), message)
        .help("correct `storageAccount`; an environment's data lake can't be replaced by another account")
}

/// What is observed and told, and never changed.
pub(super) fn facts(address: &Address, account: &Account, comparing: &Comparing<'_>) -> Vec<Note> {
    let name = account.id.name();
    let mut notes: Vec<Note> =
        private_links::region(address, name, &account.location, comparing.region).into_iter().collect();
    if !account.is_hns_enabled {
        let message = format!("{name} has no hierarchical namespace, so it is no data lake");
        let note = finding(codes::LAKE_NOT_HIERARCHICAL, Severity::Error, address, message);
        notes.push(note.help(
            "make sure that this is the environment's account: the namespace is chosen when an account is created",
        ));
    }
    match account.minimum_tls_version.as_deref() {
        Some("TLS1_2" | "TLS1_3") => {}
        word => {
            let accepts = word.map_or_else(
                || "names no minimum TLS version, so it accepts TLS 1.0".to_owned(),
                |word| format!("accepts {}", brief(&word.replacen("TLS", "TLS ", 1).replace('_', "."))),
            );
            let help = format!("raise it: {}", update(&account.id, "--min-tls-version TLS1_2"));
            notes.push(
                finding(codes::LAKE_WEAK_TLS, Severity::Warning, address, format!("{name} {accepts}")).help(help),
            );
        }
    }
    if account.allow_shared_key_access != Some(false) {
        let message = format!("{name} can be opened with its account keys, whatever roles are granted");
        notes.push(finding(codes::LAKE_SHARED_KEYS, Severity::Info, address, message));
    }
    if account.allow_blob_public_access != Some(false) {
        let message = format!("containers of {name} can be opened to anonymous readers");
        notes.push(finding(codes::LAKE_BLOB_ACCESS, Severity::Info, address, message));
    }
    notes
}

/// A change of the account for a person.
pub(super) fn update(account: &ResourceId, flags: &str) -> String {
    format!(
        "`az storage account update --name {} --resource-group {} --subscription {} {flags}`",
        account.name(),
        account.resource_group(),
        account.subscription()
    )
}

pub(super) fn unreadable(address: &Address, account: &ResourceId) -> Note {
    let message = format!(
        "whether {} is the environment's data lake, and whether Dataverse shares it, can't be read; palisade takes the file's word for it",
        account.name()
    );
    finding(codes::LAKE_UNREADABLE, Severity::Info, address, message)
}

/// What is wrong keeps the lake from being encrypted with the key.
pub(super) fn refused(address: &Address, Fault { code, what, help, .. }: Fault) -> Note {
    Note::refusal(code, address.clone(), what).help(help)
}

/// What is wrong may make the lake unreadable.
pub(super) fn at_risk(address: &Address, fault: &Fault, now: Timestamp) -> Note {
    let consequence = match fault.onset {
        Onset::Never => "an account that can't use its key answers every read and write with an error",
        Onset::At(at) | Onset::Within(at) if at > now => "the account answers every read and write with an error then",
        Onset::Untold | Onset::At(_) | Onset::Within(_) => {
            "the account can't use its key, and answers every read and write with an error"
        }
    };
    let message = format!("{}; {consequence}", fault.what);
    finding(codes::LAKE_AT_RISK, Severity::Error, address, message).help(fault.to_keep()).about(fault.about.clone())
}

/// Nobody looks at the key that the account uses now.
pub(super) fn unwatched(address: &Address, account: &ResourceId, key: &str) -> Note {
    let message = format!(
        "{} is encrypted with {key}, which the file doesn't declare: nothing watches that key, without which the account answers every \
         read and write with an error",
        account.name(),
    );
    finding(codes::LAKE_KEY_UNWATCHED, Severity::Warning, address, message)
        .help("declare it under `customerManagedKey` for as long as the account uses it")
}

/// The lake is closed, and not every environment that names it has a private way in.
pub(super) fn without_path(address: &Address, account: &ResourceId, users: &[&str], complete: usize) -> Note {
    let message = format!(
        "{} isn't reached over the internet, and {complete} of {} complete sets of private endpoints are approved for the environments that \
         name it ({}): one without a private link can't reach its data",
        account.name(),
        users.len(),
        users.join(", ")
    );
    finding(codes::LAKE_WITHOUT_PATH, Severity::Error, address, message)
        .help("declare a private link to it for each of them under `privateLinks`, and approve its four endpoints")
}

pub(super) fn unfit_holder(address: &Address, why: &str) -> Note {
    Note::refusal(codes::LAKE_IDENTITY, address.clone(), why)
        .help("palisade leaves that to a person: set the key in the Azure portal, then declare what is there")
}

pub(super) fn pinned(address: &Address, version: &str) -> Note {
    let message = format!("the key is pinned to the version {version}: new versions are never picked up");
    finding(codes::LAKE_KEY_PINNED, Severity::Warning, address, message)
        .help("leave `version` out to follow the newest version; that is set in place")
}

pub(super) fn behind(address: &Address, key: &KeyRef, (used, newest): (&str, &str), since: Timestamp) -> Note {
    let message = format!(
        "the account uses the version {} of {key}, and the newest one that can be used is {}, of {since:.0}: storage should have found it \
         within a day",
        brief(used),
        brief(newest)
    );
    let help =
        format!("keep the version {} enabled; look at the vault's network and at the account's grant", brief(used));
    finding(codes::LAKE_KEY_BEHIND, Severity::Warning, address, message).help(help)
}

/// `declared` is what the file wants; none if it says nothing.
pub(super) fn perimeter(address: &Address, account: &ResourceId, declared: Option<&str>) -> Note {
    let name = account.name();
    let (severity, message) = match declared {
        Some(word) => (
            Severity::Error,
            format!(
                "public network access to {name} is declared {word}, and a network security perimeter decides about it"
            ),
        ),
        None => (Severity::Info, format!("a network security perimeter decides about access to {name}")),
    };
    let note = finding(codes::LAKE_PERIMETER, severity, address, message);
    match declared {
        Some(_) => note.help(
            "palisade never changes it: take the account out of the perimeter, or leave `publicNetworkAccess` out",
        ),
        None => note,
    }
}

pub(super) fn still_linked(address: &Address, account: &ResourceId, endpoints: &[String]) -> Note {
    let count = match endpoints.len() {
        1 => "1 private endpoint of Customer Insights leads".to_owned(),
        several => format!("{several} private endpoints of Customer Insights lead"),
    };
    let message =
        format!("{count} to {}, which works only while public access is off: {}", account.name(), endpoints.join(", "));
    Note::refusal(codes::LAKE_PRIVATE_ENDPOINTS, address.clone(), message)
        .help("remove the private link first, under Settings > Permissions > Private Links, or declare `publicNetworkAccess: disabled`")
}
