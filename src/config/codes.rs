//! The codes of all mistakes, for `palisade explain`.
//!
//! What must stay true: a code's kebab-case name never changes its meaning, every code has a page under `codes/`, and
//! every code is raised by at least one sample or unit test.

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($name:ident $kebab:literal: $summary:literal;)+) => {
        /// What kind of mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $name),+
        }

        impl Code {
            /// All codes, in the order in which the documentation lists them.
            pub const ALL: &[Code] = &[$(Code::$name),+];

            /// The stable name, in kebab-case.
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => $kebab),+ }
            }

            /// The mistake in one line.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$name => $summary),+ }
            }

            /// What it means, why it matters, and an example of wrong and right. Markdown.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$name => include_str!(concat!("codes/", $kebab, ".md"))),+ }
            }
        }
    };
}

codes! {
    // Files
    MissingFile "missing-file": "A file or folder that was named doesn't exist.";
    UnreadableFile "unreadable-file": "A file or folder can't be read.";
    EmptyFolder "empty-folder": "A folder holds no `.yaml` or `.yml` file.";
    TooManyFiles "too-many-files": "A folder holds more files than a configuration ever needs.";
    FileTooLarge "file-too-large": "A file is larger than a configuration ever is.";
    BinaryFile "binary-file": "A file isn't text.";
    NotUtf8 "not-utf8": "A file isn't encoded as UTF-8.";
    EmptyFile "empty-file": "A file holds nothing, or only comments.";

    // YAML
    YamlSyntax "yaml-syntax": "The text isn't valid YAML.";
    TabIndentation "tab-indentation": "A line is indented with a tab.";
    SeveralDocuments "several-documents": "A file holds more than one YAML document.";
    NestedTooDeep "nested-too-deep": "Values are nested deeper than a configuration ever is.";
    TooManyValues "too-many-values": "A file holds more values than a configuration ever does, counting repeated ones.";
    UnknownAnchor "unknown-anchor": "An alias (`*name`) has no anchor (`&name`) before it.";
    BadMergeKey "bad-merge-key": "A merge key (`<<`) is followed by something that isn't a map.";
    UnsupportedTag "unsupported-tag": "A YAML tag such as `!include` was used.";
    BadKey "bad-key": "A key of a map isn't a plain text.";
    DuplicateKey "duplicate-key": "The same key stands twice in one map.";

    // Shape
    WrongVersion "wrong-version": "The file's format version isn't one that this palisade reads.";
    UnknownKey "unknown-key": "A key that palisade doesn't know at this spot.";
    MissingKey "missing-key": "A key that is needed isn't there.";
    NoValue "no-value": "A key has no value.";
    WrongType "wrong-type": "A value is of the wrong type, such as a list where a map belongs.";
    NotABoolean "not-a-boolean": "Only `true` and `false`, without quotes, switch something on or off.";
    UnquotedText "unquoted-text": "Text that YAML readers take for something else must be in quotes.";
    UnknownValue "unknown-value": "A value that isn't one of those allowed here.";
    BadGuid "bad-guid": "An id isn't a GUID.";
    ZeroGuid "zero-guid": "An id is the GUID of zeros only.";
    BadEnvironmentId "bad-environment-id": "An environment id is neither a GUID nor `Default-` and a GUID.";
    BadUserName "bad-user-name": "A user isn't given by user principal name.";
    BadPrincipal "bad-principal": "A principal is neither a user principal name nor an object id.";
    BadDuration "bad-duration": "A duration isn't a number with `d`, `h` or `m`.";
    BadDate "bad-date": "A date isn't a day of the calendar written year-month-day.";
    BadInstant "bad-instant": "An instant isn't written as in RFC 3339.";
    BadSecretName "bad-secret-name": "The name of a secret has characters that Key Vault doesn't allow.";
    BadLinkResource "bad-link-resource": "A private link leads to neither a storage account nor a Synapse workspace.";
    BadVaultId "bad-vault-id": "A vault isn't given by its Azure resource id.";
    BadResourceName "bad-resource-name": "The name in a resource id is one that Azure doesn't allow.";
    EmptyText "empty-text": "A text is empty.";
    BadEnvironmentKey "bad-environment-key": "An environment's key has characters that aren't allowed in it.";

    // The configuration as a whole
    MissingTenant "missing-tenant": "No file says which tenant this is.";
    NoEnvironments "no-environments": "No file declares an environment.";
    DuplicateTenant "duplicate-tenant": "`tenant` stands in two files.";
    DuplicateBase "duplicate-base": "`base` stands in two files.";
    DuplicateEnvironment "duplicate-environment": "The same environment stands in two files.";
    DuplicateInstanceId "duplicate-instance-id": "Two environments have the same `instanceId`.";
    DuplicateEnvironmentId "duplicate-environment-id": "Two environments have the same `environmentId`.";
    UnknownPlaceholder "unknown-placeholder": "A `${…}` other than `${environment}`.";
    UnmanagedButDeclared "unmanaged-but-declared": "An environment declares a block and lists it as unmanaged.";
    UnmanagedNotInBase "unmanaged-not-in-base": "An environment leaves out a block that `base` doesn't have.";
    NotAttestable "not-attestable": "An attestation is about something that nobody can attest there.";
    MissingSaw "missing-saw": "An attestation doesn't say what was seen.";
    BadSaw "bad-saw": "What an attestation says was seen can't be so.";
    ValidTooLong "valid-too-long": "An attestation is to hold for more than 180 days.";

    // Users and roles
    UnclearPrincipal "unclear-principal": "An assignment doesn't name exactly one of `user`, `group`, `app`, `principal`.";
    MissingPrincipalId "missing-principal-id": "A group or an app has no `id`.";
    SurplusPrincipalId "surplus-principal-id": "A principal given by object id has an `id` besides.";
    AdminWithoutId "admin-without-id": "An Admin is given by user principal name only.";
    DuplicatePrincipal "duplicate-principal": "The same principal stands twice in one list.";
    SameName "same-name": "Two groups or apps with different ids have the same name.";
    ExactWithoutAssignments "exact-without-assignments": "`match: exact` with an empty list would remove everybody.";
    ExactWithoutAdmin "exact-without-admin": "`match: exact` without an Admin would lock everybody out.";
    BreakGlassNotDeclared "break-glass-not-declared": "`match: exact` leaves a principal under `breakGlass` no role of its own.";
    BreakGlassBelowAdmin "break-glass-below-admin": "A principal under `breakGlass` is declared with less than Admin.";
    MarketingContributorUnavailable "marketing-contributor-unavailable": "The role Marketing Contributor needs business unit separation.";

    // API keys
    KeysWithoutAccess "keys-without-access": "API keys are declared where API access is declared as off.";
    BadRotation "bad-rotation": "The times of a key rotation can't all be kept.";
    BadWindow "bad-window": "A time window isn't days, hours and a time zone.";
    DuplicateConsumer "duplicate-consumer": "Two consumers have the same name.";
    SharedSecret "shared-secret": "Two environments publish to the same secret.";

    // Private links and the Key Vault link
    MissingConsent "missing-consent": "Nobody has agreed to the data privacy terms of a link.";
    DuplicateLink "duplicate-link": "Two private links lead to the same resource.";
    SubscriptionWithoutApproval "subscription-without-approval": "`approveFromSubscription` stands beside `approve: false`.";
    ReplacesItself "replaces-itself": "`keyVault.replaces` is the vault that is to be linked.";

    // The end
    TooManyMistakes "too-many-mistakes": "There are more mistakes than are worth listing.";
}

impl Code {
    /// The code with this name.
    pub fn named(name: &str) -> Option<Code> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
