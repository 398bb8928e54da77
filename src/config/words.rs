//! The words of the file format: texts with a form of their own, such as a GUID or a duration.
//!
//! Each word is written once, here: its type, the pattern that editors check, and the parser that says in a person's
//! terms what is wrong. What must stay true: what the pattern (and the format) accepts, the parser accepts, so that an editor and
//! `palisade validate` agree.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;

use super::codes::Code;
use super::diagnostic::quoted;
use super::entry;
use super::texts::ENVIRONMENT;
use crate::azure::{storage, synapse};
use crate::rotation::Window;
use crate::settings::blocks;
use crate::terms::ResourceId;

/// Why a text isn't the word that belongs there. The message continues a sentence that starts with the field's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// What kind of mistake.
    pub(crate) code: Code,
    /// For example "must be a GUID, not `prod`".
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: String,
}

pub(super) fn wrong<T>(code: Code, message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { code, message: message.into(), help: help.into() })
}

/// A word as the schema check sees it.
pub(super) struct Word {
    /// Its name among the schema's definitions.
    pub(super) name: &'static str,
    /// What a person calls it: "a GUID".
    pub(super) called: &'static str,
    /// What is wrong with a text, if anything is.
    pub(super) check: fn(&str) -> Option<Wrong>,
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident($type:ty), called $called:literal, { $($keywords:tt)+ }, $parse:path;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub(crate) struct $name(pub(crate) $type);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    $parse(&text).map(Self).map_err(|wrong| de::Error::custom(wrong.message))
                }
            }

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", "description": concat!($($doc),+).trim(), $($keywords)+ })
                }
            }
        )+

        /// All words.
        pub(super) const WORDS: &[Word] = &[
            $(Word { name: stringify!($name), called: $called, check: |text| $parse(text).err() }),+
        ];
    };
}

words! {
    /// A GUID: 32 hexadecimal digits in five groups. Not the one of zeros only, which services use for "none".
    Guid(Uuid), called "a GUID",
        { "pattern": r"^(?!0{8}-0{4}-0{4}-0{4}-0{12}$)[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$", "examples": ["6f2b1c34-0000-4000-8000-00000000a001"] }, parse_guid;

    /// The id of a Power Platform environment: a GUID, or `Default-` and the tenant's GUID for the default environment.
    EnvironmentId(String), called "an environment id",
        { "pattern": r"^([Dd]efault-)?(?!0{8}-0{4}-0{4}-0{4}-0{12}$)[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$", "examples": ["1bd6bd98-0000-4000-8000-00000000e001"] }, parse_environment_id;

    /// A user principal name: the name that a person signs in with.
    UserName(String), called "a user principal name",
        { "pattern": r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$", "examples": ["ada@contoso.com"] }, parse_user_name;

    /// A user principal name or an object id.
    PrincipalName(PrincipalText), called "a user principal name or an object id",
        { "pattern": r"^([^@\s]+@[^@\s.]+(\.[^@\s.]+)+|(?!0{8}-0{4}-0{4}-0{4}-0{12}$)[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})$", "examples": ["ada@contoso.com"] }, parse_principal;

    /// A length of time: a number and `d` (days), `h` (hours) or `m` (minutes).
    Duration(SignedDuration), called "a duration",
        { "pattern": "^[1-9][0-9]{0,4}[dhm]$", "examples": ["90d"] }, parse_duration;

    /// How long an attestation holds: a number and `d` (days), `h` (hours) or `m` (minutes), at most 180 days.
    AttestedFor(SignedDuration), called "a duration of at most 180 days",
        { "pattern": "^(([1-9][0-9]?|1[0-7][0-9]|180)d|([1-9][0-9]{0,2}|[1-3][0-9]{3}|4[0-2][0-9]{2}|43[01][0-9]|4320)h|[1-9][0-9]{0,4}m)$", "examples": ["90d"] }, entry::parse_valid_for;

    /// The name of a setting that no operation can read on a real tenant.
    AttestedSetting(String), called "the name of a setting that can be attested",
        { "enum": blocks::attestable() }, entry::parse_setting;

    /// The name of a tenant setting that no operation can read. There is none yet.
    AttestedTenantSetting(String), called "the name of a tenant setting that can be attested",
        { "pattern": "^(?!)" }, entry::parse_tenant_setting;

    /// A day, written year-month-day.
    Day(Date), called "a date",
        { "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", "examples": ["2026-10-01"], "format": "date" }, parse_date;

    /// An instant: date, time and offset, as in RFC 3339.
    Instant(Timestamp), called "an instant",
        { "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$", "examples": ["2026-09-01T00:00:00Z"], "format": "date-time" }, parse_instant;

    /// Days of the week, hours of the day and a time zone.
    WindowText(Window), called "a time window",
        { "pattern": r"^[A-Za-z,-]+ [0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9] [A-Za-z0-9_/+-]+$", "format": "time-window", "examples": ["Mon-Thu 08:00-15:00 Europe/Berlin"] }, parse_window;

    /// The name of a secret in a Key Vault: letters, digits and hyphens.
    SecretName(String), called "the name of a secret",
        { "pattern": r"^([0-9A-Za-z-]|\$\{environment\}){1,127}$", "examples": ["ci-api-key"] }, parse_secret_name;

    /// The Azure resource id of a storage account or a Synapse workspace.
    LinkResource(ResourceId), called "the id of a storage account or a Synapse workspace",
        { "pattern": LINK_RESOURCE, "examples": ["/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-lake/providers/Microsoft.Storage/storageAccounts/contosolake"] }, parse_link_resource;

    /// The Azure resource id of a Key Vault.
    VaultId(ResourceId), called "the id of a Key Vault",
        { "pattern": VAULT_ID, "examples": ["/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-ci-connections"] }, parse_vault_id;

    /// A text of at least one visible character.
    Text(String), called "text",
        { "pattern": r"\S", "examples": ["Contoso prod"] }, parse_text;
}

/// Words whose pattern alone doesn't say everything, by the format that the schema gives them. Editors know the first two.
pub(super) const FORMATS: &[(&str, &str)] = &[("date", "Day"), ("date-time", "Instant"), ("time-window", "WindowText")];

/// The type of key vaults.
pub(crate) const VAULT: &str = "Microsoft.KeyVault/vaults";

/// Ids of Azure resources, in any spelling: patterns have no flag for that. `${environment}` may stand in names.
const LINK_RESOURCE: &str = r"^/[Ss][Uu][Bb][Ss][Cc][Rr][Ii][Pp][Tt][Ii][Oo][Nn][Ss]/[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}/[Rr][Ee][Ss][Oo][Uu][Rr][Cc][Ee][Gg][Rr][Oo][Uu][Pp][Ss]/([0-9A-Za-z_(]|\$\{environment\})([0-9A-Za-z_.()-]|\$\{environment\})*/[Pp][Rr][Oo][Vv][Ii][Dd][Ee][Rr][Ss]/([Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Ss][Tt][Oo][Rr][Aa][Gg][Ee]/[Ss][Tt][Oo][Rr][Aa][Gg][Ee][Aa][Cc][Cc][Oo][Uu][Nn][Tt][Ss]|[Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Ss][Yy][Nn][Aa][Pp][Ss][Ee]/[Ww][Oo][Rr][Kk][Ss][Pp][Aa][Cc][Ee][Ss])/([0-9A-Za-z-]|\$\{environment\})+$";
const VAULT_ID: &str = r"^/[Ss][Uu][Bb][Ss][Cc][Rr][Ii][Pp][Tt][Ii][Oo][Nn][Ss]/[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}/[Rr][Ee][Ss][Oo][Uu][Rr][Cc][Ee][Gg][Rr][Oo][Uu][Pp][Ss]/([0-9A-Za-z_(]|\$\{environment\})([0-9A-Za-z_.()-]|\$\{environment\})*/[Pp][Rr][Oo][Vv][Ii][Dd][Ee][Rr][Ss]/[Mm][Ii][Cc][Rr][Oo][Ss][Oo][Ff][Tt]\.[Kk][Ee][Yy][Vv][Aa][Uu][Ll][Tt]/[Vv][Aa][Uu][Ll][Tt][Ss]/([0-9A-Za-z-]|\$\{environment\})+$";

/// What stands in a list of principals: a person's sign-in name, or an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalText {
    /// A user principal name.
    User(String),
    /// An object id.
    Id(Uuid),
}

fn parse_guid(text: &str) -> Result<Uuid, Wrong> {
    const FORM: &str = "a GUID looks like `6f2b1c34-0000-4000-8000-00000000a001`";
    let bare = text.trim().trim_start_matches('{').trim_end_matches('}');
    match (Uuid::try_parse(text), Uuid::try_parse(bare)) {
        (Ok(id), _) if id.is_nil() => wrong(
            Code::ZeroGuid,
            "is the GUID of zeros only, which services use for \"none\"",
            "copy the real id from the service",
        ),
        // The parser also takes 32 digits in a row, braces and `urn:uuid:`; the file has one form.
        (Ok(id), _) if text.len() == 36 => Ok(id),
        (_, Ok(id)) | (Ok(id), _) => wrong(
            Code::BadGuid,
            format!("must be a bare GUID, not {}", quoted(text)),
            format!("write `{}`", id.as_hyphenated()),
        ),
        _ => wrong(Code::BadGuid, format!("must be a GUID, not {}", quoted(text)), FORM),
    }
}

fn parse_environment_id(text: &str) -> Result<String, Wrong> {
    let guid = text.strip_prefix("Default-").or_else(|| text.strip_prefix("default-")).unwrap_or(text);
    match parse_guid(guid) {
        Ok(_) => Ok(text.to_owned()),
        Err(wrong) if wrong.code == Code::ZeroGuid || wrong.message.contains("bare") => Err(wrong),
        Err(_) => wrong(
            Code::BadEnvironmentId,
            format!("must be the id of a Power Platform environment, not {}", quoted(text)),
            "write the environment's GUID, or `Default-` and the tenant's GUID for the default environment",
        ),
    }
}

fn is_user_name(text: &str) -> bool {
    let mut halves = text.splitn(2, '@');
    let (Some(name), Some(domain)) = (halves.next(), halves.next()) else {
        return false;
    };
    let labels: Vec<&str> = domain.split('.').collect();
    !name.is_empty()
        && !text.contains(char::is_whitespace)
        && !domain.contains('@')
        && labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
}

fn parse_user_name(text: &str) -> Result<String, Wrong> {
    if is_user_name(text) {
        return Ok(text.to_owned());
    }
    let help = if Uuid::try_parse(text).is_ok() {
        format!("for an object id write `principal: {text}` instead of `user`")
    } else {
        "write the name the person signs in with, such as `ada@contoso.com`".to_owned()
    };
    wrong(Code::BadUserName, format!("must be a user principal name, not {}", quoted(text)), help)
}

fn parse_principal(text: &str) -> Result<PrincipalText, Wrong> {
    if is_user_name(text) {
        return Ok(PrincipalText::User(text.to_owned()));
    }
    match parse_guid(text) {
        Ok(id) => Ok(PrincipalText::Id(id)),
        Err(wrong) if wrong.code == Code::ZeroGuid || wrong.message.contains("bare") => Err(wrong),
        Err(_) => wrong(
            Code::BadPrincipal,
            format!("must be a user principal name or an object id, not {}", quoted(text)),
            "names of groups and apps aren't unique: write `ada@contoso.com` or the object id",
        ),
    }
}

pub(super) fn parse_duration(text: &str) -> Result<SignedDuration, Wrong> {
    let (number, unit) = text.split_at(text.len().saturating_sub(text.chars().next_back().map_or(0, char::len_utf8)));
    let hours = match unit {
        "d" => Some(24 * 60),
        "h" => Some(60),
        "m" => Some(1),
        _ => None,
    };
    let digits = (1..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    match (hours, number.parse::<i64>()) {
        (Some(minutes), Ok(count)) if digits && !number.starts_with('0') => {
            Ok(SignedDuration::from_mins(count * minutes))
        }
        _ => wrong(
            Code::BadDuration,
            format!("must be a duration, not {}", quoted(text)),
            "write a number and a unit: `90d` for days, `12h` for hours, `30m` for minutes",
        ),
    }
}

fn parse_date(text: &str) -> Result<Date, Wrong> {
    match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => Ok(date),
        _ => wrong(
            Code::BadDate,
            format!("must be a day of the calendar, not {}", quoted(text)),
            "write year-month-day, such as `2026-10-01`",
        ),
    }
}

fn parse_text(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return wrong(Code::EmptyText, "must not be empty", "write the text, or remove the key");
    }
    Ok(text.to_owned())
}

fn parse_instant(text: &str) -> Result<Timestamp, Wrong> {
    // The parser also takes a space for the `T`, and leaves out seconds; the file has one form.
    let whole = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
    text.parse::<Timestamp>().ok().filter(|_| whole).ok_or_else(|| Wrong {
        code: Code::BadInstant,
        message: format!("must be an instant, not {}", quoted(text)),
        help: "write date, time and offset, such as `2026-09-01T00:00:00Z`".to_owned(),
    })
}

/// The resource with this id. `${environment}` is judged as if it were a short word; it is filled in before anybody uses the id.
fn resource_id(text: &str) -> Option<ResourceId> {
    text.replace(ENVIRONMENT, "env").parse().ok()
}

const PORTAL: &str = "copy the id in the portal: the resource's page, Settings > Endpoints or Properties > Resource ID";

fn parse_link_resource(text: &str) -> Result<ResourceId, Wrong> {
    match resource_id(text) {
        Some(id) if id.is_kind(storage::KIND) || id.is_kind(synapse::KIND) => Ok(id),
        Some(id) if id.is_kind(VAULT) => wrong(
            Code::BadLinkResource,
            "must be the id of a storage account or a Synapse workspace, not of a Key Vault",
            "private links of Customer Insights don't lead to vaults; a vault is linked by the block `keyVault`, with its \
             firewall off",
        ),
        Some(id) => wrong(
            Code::BadLinkResource,
            format!("must be the id of a storage account or a Synapse workspace, not of {}", quoted(&id.kind())),
            PORTAL,
        ),
        None => wrong(
            Code::BadLinkResource,
            format!("must be the Azure resource id of a storage account or a Synapse workspace, not {}", quoted(text)),
            "it looks like `/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/NAME`",
        ),
    }
}

fn parse_vault_id(text: &str) -> Result<ResourceId, Wrong> {
    match resource_id(text) {
        Some(id) if id.is_kind(VAULT) => Ok(id),
        Some(id) => wrong(
            Code::BadVaultId,
            format!("must be the id of a Key Vault, not of {}", quoted(&id.kind())),
            "copy the vault's id: in the portal, Key Vault > Properties > Resource ID",
        ),
        None => wrong(
            Code::BadVaultId,
            format!("must be the Azure resource id of a Key Vault, not {}", quoted(text)),
            "it looks like `/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.KeyVault/vaults/NAME`",
        ),
    }
}

fn parse_secret_name(text: &str) -> Result<String, Wrong> {
    let name = text.replace(ENVIRONMENT, "env");
    if (1..=127).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(text.to_owned());
    }
    wrong(
        Code::BadSecretName,
        format!("must be the name of a secret, not {}", quoted(text)),
        "names of secrets have 1 to 127 letters, digits and hyphens",
    )
}

fn parse_window(text: &str) -> Result<Window, Wrong> {
    text.parse::<Window>().map_err(|problem| Wrong {
        code: Code::BadWindow,
        message: format!("must be a time window, not {}: {problem}", quoted(text)),
        help: "write days, hours and a time zone, such as `Mon-Thu 08:00-15:00 Europe/Berlin`".to_owned(),
    })
}

impl SecretName {
    /// What is wrong with a name whose placeholders are filled in, if anything is.
    pub(crate) fn check(text: &str) -> Option<Wrong> {
        parse_secret_name(text).err()
    }
}
