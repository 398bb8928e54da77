//! Notes: what a person must know about a plan. An error refuses the plan; a warning and an information change nothing.

use serde::{Deserialize, Serialize};

use super::change::Address;

/// How serious a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The plan is refused.
    Error,
    /// Look twice.
    Warning,
    /// Good to know.
    Info,
}

macro_rules! note_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $summary:literal, $explanation:literal;)+) => {
        /// The codes of all notes. The kebab-case name is a promise: it never changes meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum NoteCode { $(#[doc = $summary] #[serde(rename = $name)] $variant),+ }

        impl NoteCode {
            /// All of them.
            pub const ALL: &[NoteCode] = &[$(NoteCode::$variant),+];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// One line.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),+ }
            }

            /// What it means, why it matters, what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation),+ }
            }
        }
    };
}

note_codes! {
    SelfLockout = "self-lockout", "The plan would take the role Admin from the identity that runs palisade.",
        "Palisade keeps its own access: with it gone, no later run could repair anything, and neither could this one \
         finish.\n\nDeclare the identity with the role Admin, or use `match: atLeast`. To retire an identity on purpose, run \
         palisade as another Admin. Where the caller is Admin through a group, no Admin group may lose its role, since \
         palisade can't tell which group carries it.";
    LastAdmin = "last-admin", "The plan would leave no other Admin than the identity that runs palisade.",
        "At least one other person must be able to administer the environment. Users count, and groups that are known to \
         have members; applications don't, since nobody can sign in as one. Whether the service itself refuses to remove \
         the last Admin isn't published.\n\nDeclare another Admin first; it is added before anybody is removed.";
    FewAdmins = "few-admins", "Fewer than two Admins besides the identity that runs palisade.",
        "Microsoft recommends two Admins at least: if the only one leaves, nobody can take over the environment.";
    BreakGlass = "break-glass", "The plan would remove or downgrade a principal that `breakGlass` protects.",
        "Principals under `users.breakGlass` are never removed or downgraded, whatever else the file says. Either declare \
         them with the role that they have, or take them off the list in a change of its own.";
    BreakGlassUnresolved = "break-glass-unresolved", "A principal under `breakGlass` could not be looked up.",
        "Palisade can't tell whether one of the principals that lose something is the protected one, so nobody loses \
         anything. Correct the name, or the rights that the look-up needs.";
    CallerUnknown = "caller-unknown", "It isn't known who the service takes palisade for.",
        "Without knowing its own identity palisade can't promise to keep its own access, so it takes nothing away from \
         anybody.";
    NotAdmin = "not-admin", "The identity that runs palisade isn't Admin of the environment.",
        "Only an Admin may change permissions, so applying would fail half-way. Give the identity the role Admin under \
         Settings > Permissions > Users.";
    PrincipalNotFound = "principal-not-found", "A declared principal isn't in the directory.",
        "The directory answered, and there is nobody of that name or id. A typing mistake here could later give somebody \
         else a role, so the plan is refused until it is corrected.";
    PrincipalMismatch = "principal-mismatch", "A declared name doesn't belong to the declared id.",
        "Names are for readers, ids decide. If the two disagree, the reader of the file and the service have different \
         principals in mind. Correct whichever is wrong.";
    PrincipalTwice = "principal-twice", "Two declarations are the same principal.",
        "Two names or ids lead to one directory object, with possibly different roles. Keep one of them.";
    RoleUnavailable = "role-unavailable", "The environment doesn't know a declared role.",
        "The role isn't among those that the environment lists. Marketing Contributor exists only where business unit \
         separation is on.";
    GrantsDataverseAdmin = "grants-dataverse-admin", "Granting Admin also grants System Administrator in Dataverse.",
        "Assigning the Customer Insights role Admin to a user also gives the user System Administrator in the linked \
         Dataverse environment (documented since September 2025). What removing the role does to it isn't published.";
    GroupReach = "group-reach", "A role for a group reaches all its members.",
        "Saving shares the environment with all members at once. The number counts members of nested groups.";
    LeftAlone = "left-alone", "Principals that aren't declared are left alone.",
        "Under `match: atLeast` palisade looks only at what is declared. The note says how many others there are, so that \
         nobody takes silence for control. `match: exact` would remove them.";
    CutsApiClients = "cuts-api-clients", "Turning API access off cuts off every client of the API.",
        "Both keys stop working for the whole environment. Turning it on again makes new keys; clients must be given them.";
    RotationSchedule = "rotation-schedule", "What holds for the API keys, and when something is due.",
        "Palisade keeps no state: which key consumers hold, how old it is and what comes next is worked out from the live \
         keys and the versions of the secret, each time anew. `palisade explain rotation` tells the whole story.";
    RotationWarning = "rotation-warning", "Something about the API keys that a person should know.",
        "Nothing is broken, but something disagrees or isn't known; the note says what. Equality of values decides which \
         key is live, whatever tags say.";
    ConsumersCutOff = "consumers-cut-off", "What consumers of the API key hold doesn't work.",
        "Somebody regenerated the published key, or disabled or deleted the secret, outside of palisade. Where palisade can \
         repair it, the plan publishes the key that works, without regenerating anything.";
    KeysInconsistent = "keys-inconsistent", "Both API keys have the same value.",
        "The service should never do that, and with equal keys no rotation can keep one of them alive. Nothing is done until \
         somebody regenerated one of them by hand.";
    StoreRight = "store-right", "Whether a new key could be stored in the vault.",
        "A key that was regenerated and can't be stored is lost to its consumers until somebody copies it by hand. So the \
         right to store is looked up first: missing, it refuses the plan; where it can't be looked up, the plan says that it \
         is unproved. The right to update the secret is proved by noting the intent before anything is regenerated.";
    ClockSkew = "clock-skew", "The vault's clock and this machine's differ by more than five minutes.",
        "When a key is due, and when nobody may hold its predecessor any more, is counted from instants of both clocks. With \
         clocks that disagree, nothing is regenerated. Set this machine's clock.";
    NameMismatch = "name-mismatch", "The live environment has another name than the configuration.",
        "`name` binds the configuration to one environment. Another name behind the same id means that somebody renamed \
         it, or that the id is of another environment. Nothing is changed until the two agree.";
    TenantMismatch = "tenant-mismatch", "The environment belongs to another tenant than the configuration.",
        "Nothing is changed in a tenant that the configuration doesn't name.";
    NotActive = "not-active", "The environment isn't active.",
        "Environments that are being created, updated, reset or deleted may lose what is written to them.";
    ExpiredAttestation = "expired-attestation", "An attestation is out of date.",
        "What no operation can read is taken from `attested` until `validFor` is over; from then on it is unknown. Look \
         again, and renew the entry.";
    RestsOnAttestation = "rests-on-attestation", "A setting counts as in sync because somebody attested it.",
        "No published operation can read it. Palisade repeats what the file says that somebody saw.";
}

impl std::fmt::Display for NoteCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Note {
    /// What kind of note.
    pub code: NoteCode,
    /// How serious.
    pub severity: Severity,
    /// What it is about.
    pub address: Address,
    /// What was found.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}
