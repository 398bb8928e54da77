//! The words of the file format: texts with a form of their own, such as a GUID or a duration.
//!
//! Each word is declared once, by `words!`: its type, the pattern that editors check, and the parser that says in a
//! person's terms what is wrong. These are the words of any file; settings declare their own.
//!
//! Invariants: what the pattern (and the format) accepts, the parser accepts, so that an editor and `palisade validate`
//! agree; a word is written as it is read.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::codes::{self, Code};
use super::diagnostic::quoted;
pub(crate) use super::duration::parse_duration;
use crate::terms::ResourceId;
use crate::terms::pasted::{self, FoundGuid};

/// Why a text isn't the word that belongs there. The message continues a sentence that starts with the field's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What kind of mistake.
    pub code: Code,
    /// For example "must be a GUID, not `prod`".
    pub message: String,
    /// What to do.
    pub help: String,
    /// The text that was meant, where the wrong one tells.
    pub meant: Option<String>,
}

impl Wrong {
    /// Why a text isn't the word, and what to do.
    pub(crate) fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into(), meant: None }
    }

    /// With the text that was meant.
    pub(crate) fn meaning(self, meant: impl Into<String>) -> Self {
        Self { meant: Some(meant.into()), ..self }
    }

    /// What to do, complete enough to copy: with the key that the text is the value of.
    pub(crate) fn advice(&self, key: Option<&str>) -> String {
        let write = self.meant.as_ref().map(|meant| match key {
            Some(key) => format!("write `{key}: {meant}`"),
            None => format!("write `{meant}`"),
        });
        match (write, self.help.as_str()) {
            (None, help) => help.to_owned(),
            (Some(write), "") => write,
            (Some(write), help) => format!("{write}; {help}"),
        }
    }
}

pub(crate) fn wrong<T>(code: Code, message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::new(code, message, help))
}

/// A word as the schema check sees it.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// Its name among the schema's definitions.
    pub name: &'static str,
    /// What a person calls it: "a GUID".
    pub called: &'static str,
    /// What is wrong with a text, if anything is.
    pub check: fn(&str) -> Option<Wrong>,
}

/// How the value of a word is written in a file.
pub(crate) trait Written {
    /// The text that is read as this value.
    fn written(&self) -> String;
}

macro_rules! written_as_displayed {
    ($($type:ty),+) => {
        $(impl Written for $type {
            fn written(&self) -> String {
                self.to_string()
            }
        })+
    };
}

written_as_displayed!(String, Uuid, Date, Timestamp, ResourceId);

/// Declares the words of a room, and `WORDS` with all of them. Each is a type around its value, the schema that editors
/// check, and the parser that says in a person's terms what is wrong.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident($type:ty), called $called:literal, { $($keywords:tt)+ }, $parse:path;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub(crate) struct $name(pub(crate) $type);

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                    $parse(&text).map(Self).map_err(|wrong| serde::de::Error::custom(wrong.message))
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(&$crate::config::words::Written::written(&self.0))
                }
            }

            impl schemars::JsonSchema for $name {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({
                        "type": "string", "description": concat!($($doc),+).trim(), $($keywords)+
                    })
                }
            }
        )+

        /// All of them.
        pub(crate) const WORDS: &[$crate::config::words::Word] = &[
            $($crate::config::words::Word {
                name: stringify!($name), called: $called, check: |text| $parse(text).err()
            }),+
        ];
    };
}

pub(crate) use words;

words! {
    /// A GUID: 32 hexadecimal digits in five groups. Not the one of zeros only, which services use for "none".
    Guid(Uuid), called "a GUID",
        { "pattern": r"^(?!0{8}-0{4}-0{4}-0{4}-0{12}$)[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$", "examples": ["6f2b1c34-0000-4000-8000-00000000a001"] }, parse_guid;

    /// The id of a Power Platform environment: a GUID, or `Default-` and the tenant's GUID for the default environment.
    EnvironmentId(String), called "an environment id",
        { "pattern": r"^([Dd]efault-)?(?!0{8}-0{4}-0{4}-0{4}-0{12}$)[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$", "examples": ["1bd6bd98-0000-4000-8000-00000000e001"] }, parse_environment_id;

    /// A user principal name: the name that a person signs in with.
    UserName(String), called "a user principal name",
        { "pattern": r"^[^@\s:<>]+@[^@\s.]+(\.[^@\s.]+)+$", "examples": ["ada@contoso.com"] }, parse_user_name;

    /// A user principal name or an object id.
    PrincipalName(PrincipalText), called "a user principal name or an object id",
        { "pattern": r"^([^@\s:<>]+@[^@\s.]+(\.[^@\s.]+)+|(?!0{8}-0{4}-0{4}-0{4}-0{12}$)[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})$", "examples": ["ada@contoso.com"] }, parse_principal;

    /// A length of time: a number and `d` (days), `h` (hours) or `m` (minutes).
    Duration(SignedDuration), called "a duration",
        { "pattern": "^[1-9][0-9]{0,4}[dhm]$", "examples": ["90d"] }, parse_duration;

    /// A day, written year-month-day.
    Day(Date), called "a date",
        { "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", "examples": ["2026-10-01"], "format": "date" }, parse_date;

    /// An instant: date, time and offset, as in RFC 3339.
    Instant(Timestamp), called "an instant",
        { "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$", "examples": ["2026-09-01T00:00:00Z"], "format": "date-time" }, parse_instant;

    /// A text of at least one visible character.
    Text(String), called "text",
        { "pattern": r"\S", "examples": ["Contoso prod"] }, parse_text;
}

impl Written for PrincipalText {
    fn written(&self) -> String {
        match self {
            Self::User(name) => name.clone(),
            Self::Id(id) => id.to_string(),
        }
    }
}

/// What stands in a list of principals: a person's sign-in name, or an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalText {
    /// A user principal name.
    User(String),
    /// An object id.
    Id(Uuid),
}

fn parse_guid(text: &str) -> Result<Uuid, Wrong> {
    const FORM: &str = "a GUID looks like `01234567-89ab-cdef-0123-456789abcdef`";
    let bare = text.trim().trim_start_matches('{').trim_end_matches('}');
    match (Uuid::try_parse(text), Uuid::try_parse(bare)) {
        (Ok(id), _) if id.is_nil() => wrong(
            codes::ZERO_GUID,
            "is the GUID of zeros only, which services use for \"none\"",
            "copy the real id from the service",
        ),
        // The parser also takes 32 digits in a row, braces and `urn:uuid:`; the file has one form.
        (Ok(id), _) if text.len() == 36 => Ok(id),
        (_, Ok(id)) | (Ok(id), _) => {
            let message = format!("must be a bare GUID, not {}", quoted(text));
            Err(Wrong::new(codes::BAD_GUID, message, "").meaning(id.as_hyphenated().to_string()))
        }
        _ => {
            let message = format!("must be a GUID, not {}", quoted(text));
            let address = format!("must be a bare GUID, not the address {}", quoted(text));
            Err(match pasted::guid_in(text) {
                FoundGuid::Id(id) => Wrong::new(codes::BAD_GUID, address, "").meaning(id.to_string()),
                FoundGuid::OfEnvironment(id) => {
                    let help = format!("the id in it is a Power Platform environment's: `environmentId: {id}`; {FORM}");
                    Wrong::new(codes::BAD_GUID, address, help)
                }
                FoundGuid::Unclear => Wrong::new(codes::BAD_GUID, message, FORM),
            })
        }
    }
}

fn parse_environment_id(text: &str) -> Result<String, Wrong> {
    if let Some(id) = Some(text).filter(|text| pasted::is_address(text)).and_then(pasted::environment_id_in) {
        let message = format!("must be the bare id of an environment, not the address {}", quoted(text));
        return Err(Wrong::new(codes::BAD_ENVIRONMENT_ID, message, "").meaning(id));
    }
    let guid = text.strip_prefix("Default-").or_else(|| text.strip_prefix("default-")).unwrap_or(text);
    match parse_guid(guid) {
        Ok(_) => Ok(text.to_owned()),
        Err(wrong) if wrong.code == codes::ZERO_GUID || (wrong.meant.is_some() && !pasted::is_address(text)) => {
            Err(wrong)
        }
        Err(_) => wrong(
            codes::BAD_ENVIRONMENT_ID,
            format!("must be the id of a Power Platform environment, not {}", quoted(text)),
            "write the environment's GUID, or `Default-` and the tenant's GUID for the default environment; the Power \
             Platform admin center shows it as Environment ID",
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
        && !name.contains([':', '<', '>'])
        && !text.contains(char::is_whitespace)
        && !domain.contains('@')
        && labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
}

/// The name in what mail programs make of it: `mailto:ada@contoso.com`, `Ada <ada@contoso.com>`.
fn mailed(text: &str) -> Option<&str> {
    let inner = text.strip_suffix('>').and_then(|text| text.split_once('<')).map(|(_, name)| name);
    inner.or_else(|| text.strip_prefix("mailto:")).filter(|name| is_user_name(name))
}

fn parse_user_name(text: &str) -> Result<String, Wrong> {
    if is_user_name(text) {
        return Ok(text.to_owned());
    }
    if let Some(name) = mailed(text) {
        let message = format!("must be a user principal name and nothing else, not {}", quoted(text));
        return Err(Wrong::new(codes::BAD_USER_NAME, message, "").meaning(name));
    }
    let help = if Uuid::try_parse(text).is_ok() {
        format!("for an object id write `principal: {text}` instead of `user`")
    } else {
        "write the name the person signs in with, such as `ada@contoso.com`".to_owned()
    };
    wrong(codes::BAD_USER_NAME, format!("must be a user principal name, not {}", quoted(text)), help)
}

fn parse_principal(text: &str) -> Result<PrincipalText, Wrong> {
    if is_user_name(text) {
        return Ok(PrincipalText::User(text.to_owned()));
    }
    if mailed(text).is_some() {
        return parse_user_name(text).map(PrincipalText::User);
    }
    match parse_guid(text) {
        Ok(id) => Ok(PrincipalText::Id(id)),
        Err(wrong) if wrong.code == codes::ZERO_GUID || wrong.meant.is_some() => Err(wrong),
        Err(_) => wrong(
            codes::BAD_PRINCIPAL,
            format!("must be a user principal name or an object id, not {}", quoted(text)),
            "names of groups and apps aren't unique: write `ada@contoso.com` or the object id",
        ),
    }
}

fn parse_date(text: &str) -> Result<Date, Wrong> {
    match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => Ok(date),
        _ => wrong(
            codes::BAD_DATE,
            format!("must be a day of the calendar, not {}", quoted(text)),
            "write year-month-day, such as `2026-10-01`",
        ),
    }
}

fn parse_text(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return wrong(codes::EMPTY_TEXT, "must not be empty", "write the text, or remove the key");
    }
    Ok(text.to_owned())
}

fn parse_instant(text: &str) -> Result<Timestamp, Wrong> {
    // The parser also takes a space for the `T`, and leaves out seconds; the file has one form.
    let whole = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
    text.parse::<Timestamp>().ok().filter(|_| whole).ok_or_else(|| {
        let message = format!("must be an instant, not {}", quoted(text));
        let example = match text.parse::<jiff::civil::Date>() {
            Ok(date) if text.len() == 10 => format!("{date}T00:00:00Z"),
            _ => "2026-09-01T00:00:00Z".to_owned(),
        };
        Wrong::new(codes::BAD_INSTANT, message, format!("write date, time and offset, such as `{example}`"))
    })
}
