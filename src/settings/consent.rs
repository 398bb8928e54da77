//! Consent to the data privacy terms of a link: who agreed, and when.
//!
//! The product asks for an "I agree" whenever a Key Vault is linked or a private link is added.
//! What must stay true: palisade never agrees by itself; what it sends stands for an entry of a file.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::words::{Day, UserName};
use crate::config::{Diagnostic, Diagnostics, Located};
use crate::plan::{Address, Note};
use crate::settings::codes;

/// Who agreed to the data privacy terms of this link, and when. Linking lets data, possibly personal data, leave the service
/// on an administrator's instruction; the product asks for consent, and palisade sends it only if it stands here.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DataPrivacyConsent")]
pub(crate) struct ConsentBlock {
    /// Who agreed, by user principal name. Required.
    #[schemars(example = &"WHO")]
    agreed_by: UserName,
    /// The day on which they agreed. Required.
    #[schemars(example = &"YYYY-MM-DD")]
    agreed_on: Day,
}

/// A recorded consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Who agreed.
    pub agreed_by: String,
    /// When.
    pub agreed_on: Date,
}

impl Consent {
    /// The consent of `link`, which stands at `at` in a block. Without one nothing may be linked, so its absence is a mistake of the file.
    pub(super) fn declare(
        written: Option<ConsentBlock>,
        (block, link): (&str, &str),
        at: Located<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let Some(ConsentBlock { agreed_by, agreed_on }) = written else {
            if !diagnostics.lost(at.span(), block, "dataPrivacyConsent") {
                let message = format!("{link} has no `dataPrivacyConsent`: its data privacy terms aren't agreed to");
                let help = "read the terms on the product's page, and write who agreed and when: \
                            `dataPrivacyConsent: { agreedBy: WHO, agreedOn: YYYY-MM-DD }`";
                diagnostics.push(Diagnostic::error(codes::MISSING_CONSENT, at.spot(), message).help(help));
            }
            return None;
        };
        Some(Self { agreed_by: agreed_by.0, agreed_on: agreed_on.0 })
    }

    /// Refuses a consent that nobody can have given yet. A day ahead is somewhere in the world already.
    pub(super) fn check(&self, address: &Address, now: Timestamp) -> Option<Note> {
        let tomorrow = now.to_zoned(TimeZone::UTC).date().tomorrow().unwrap_or(Date::MAX);
        (self.agreed_on > tomorrow).then(|| {
            let message = format!("{} is said to agree on {}, which is in the future", self.agreed_by, self.agreed_on);
            Note::refusal(codes::CONSENT_AHEAD, address.clone(), message).help("write the day on which they agreed")
        })
    }
}
