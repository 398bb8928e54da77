//! Notes: what a person must know about a plan.
//!
//! Words: a *refusal* is a guard's word that something must not be touched; a *finding* tells something about the live state
//! that needs attention.
//!
//! Invariants: the kind belongs to the code, so that no message can be a refusal here and a remark there; a refusal stops its
//! own scope, and no other; a finding never stops anything.

use serde::{Deserialize, Serialize};

use super::change::Address;

/// How serious a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Wrong: a refusal, or a finding that has to be put right.
    Error,
    /// Look twice.
    Warning,
    /// Good to know.
    Info,
}

/// What a note does to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoteKind {
    /// Stops its scope, in plan and apply.
    Refusal,
    /// Stops nothing. Of severity error, it counts as pending.
    Finding,
}

macro_rules! note_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident, $summary:literal, $explanation:literal;)+) => {
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

            /// What notes of this code do to a plan.
            pub fn kind(self) -> NoteKind {
                match self { $(Self::$variant => NoteKind::$kind),+ }
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
    SelfLockout = "self-lockout", Refusal, "The plan would take the role Admin from the identity that runs palisade.",
        "Palisade keeps its own access: with it gone, no later run could repair anything, and neither could this one \
         finish.\n\nDeclare the identity with the role Admin, or use `match: atLeast`. To retire an identity on purpose, run \
         palisade as another Admin. Where the caller is Admin through a group, no Admin group may lose its role, since \
         palisade can't tell which group carries it.";
    LastAdmin = "last-admin", Refusal, "The plan would leave no other Admin than the identity that runs palisade.",
        "At least one other person must be able to administer the environment: a user whom the directory shows and whose \
         account is enabled, or such a user in a group with the role Admin. Apps don't count, since nobody can sign in as \
         one; what could not be read doesn't count either. Whether the service itself refuses to remove \
         the last Admin isn't published.\n\nDeclare another Admin first; it is added before anybody is removed.";
    RemovalBudget = "removal-budget", Refusal, "The plan removes more at once than its budget allows.",
        "More than half of a collection of two or more, or more than 20 members in one run, is more often a mistake in the file \
         than an intention: a list that was cut short, a merge that went wrong. Losing the role Admin counts as a removal.\n\n\
         If it is meant, pass `--allow-removals N` with the number of removals of the run, to `plan` and to `apply`. The number \
         is part of what is approved.";
    FewAdmins = "few-admins", Finding, "Fewer than two Admins besides the identity that runs palisade.",
        "Microsoft recommends two Admins at least: if the only one leaves, nobody can take over the environment.";
    BreakGlass = "break-glass", Refusal, "The plan would lower the role of a principal that `breakGlass` protects.",
        "No change lowers the effective role of a principal under `users.breakGlass`, be it its own or one that it has \
         through a group. Either declare the role that it has, or take the entry out of `breakGlass` in a change of its \
         own. A role that another change of the same plan would give doesn't count yet: apply that one first.";
    BreakGlassUnresolved = "break-glass-unresolved", Refusal, "Whether a loss touches a principal under `breakGlass` can't be told.",
        "The principal isn't in the directory, or it, or the members of a group, could not be read. Palisade can't tell whether \
         one of those that lose something is the protected one, so nothing is taken from anybody. Correct the entry, or \
         grant the rights that the look-up needs.";
    BreakGlassNotFound = "break-glass-not-found", Finding, "A principal under `breakGlass` isn't in the directory.",
        "The directory answered, and there is no such principal: an entry that leads to nobody protects nobody. Correct the \
         name, or write the object id. Until then nothing is taken from anybody in the environment.";
    BreakGlassNotAdmin = "break-glass-not-admin", Finding, "A principal under `breakGlass` isn't Admin.",
        "An account for an emergency must be able to give roles back when nobody else can. This one has less than Admin, \
         neither by itself nor through a group. Declare it with the role Admin, or grant it Admin under Settings > \
         Permissions > Users.";
    CallerUnknown = "caller-unknown", Refusal, "Which principal runs palisade isn't known.",
        "Palisade keeps its own access, and for that it must know its own identity: the object id in its tokens, the \
         application id in tokens of an app, and the principal whose role Customer Insights takes for its own. If a token \
         names no principal, if the tokens for two services name different ones, or if Customer Insights names another one \
         that isn't a group holding it by the directory's word, nothing is taken from anybody.";
    TokenTenant = "token-tenant", Refusal, "A token was issued by another tenant than the configured one.",
        "What such a token may read or change belongs to another tenant, so nothing is planned or changed. Sign in to the \
         tenant under `tenant.id`, or correct that id.";
    NotAdmin = "not-admin", Refusal, "The identity that runs palisade isn't Admin of the environment.",
        "Only an Admin may change permissions, so applying would fail half-way. Give the identity the role Admin under \
         Settings > Permissions > Users.";
    PrincipalNotFound = "principal-not-found", Refusal, "A declared principal isn't in the directory.",
        "The directory answered, and there is nobody of that name or id. A typing mistake here could later give somebody \
         else a role, so the plan is refused until it is corrected.";
    PrincipalMismatch = "principal-mismatch", Refusal, "A declared name doesn't belong to the declared id.",
        "Names are for readers, ids decide. If the two disagree, the reader of the file and the service have different \
         principals in mind: the name was given to another person, or somebody was renamed. Correct whichever is wrong.";
    PrincipalTwice = "principal-twice", Refusal, "Two declarations are the same principal.",
        "Two names or ids lead to one directory object, with possibly different roles. Keep one of them.";
    RoleUnavailable = "role-unavailable", Refusal, "The environment doesn't know a declared role.",
        "The role isn't among those that the environment lists. Marketing Contributor exists only where business unit \
         separation is on.";
    GrantsDataverseAdmin = "grants-dataverse-admin", Finding, "Granting Admin also grants System Administrator in Dataverse.",
        "Assigning the Customer Insights role Admin to a user also gives the user System Administrator in the linked \
         Dataverse environment (documented since September 2025). What removing the role does to it isn't published.";
    GroupReach = "group-reach", Finding, "A role for a group reaches all its members.",
        "Saving shares the environment with all members at once. The number counts members of nested groups.";
    LeftAlone = "left-alone", Finding, "Principals that aren't declared are left alone.",
        "Under `match: atLeast` palisade looks only at what is declared. The note says how many others there are, so that \
         nobody takes silence for control. `match: exact` would remove them.";
    CutsApiClients = "cuts-api-clients", Finding, "Turning API access off cuts off every client of the API.",
        "Both keys stop working for the whole environment. Turning it on again makes new keys; clients must be given them.";
    RotationSchedule = "rotation-schedule", Finding, "What holds for the API keys, and when something is due.",
        "Palisade keeps no state: which key consumers hold, how old it is and what comes next is worked out from the live \
         keys and the versions of the secret, each time anew. `palisade explain rotation` tells the whole story.";
    RotationWarning = "rotation-warning", Finding, "Something about the API keys that a person should know.",
        "Nothing is broken, but something disagrees or isn't known; the note says what. Equality of values decides which \
         key is live, whatever tags say.";
    ValuesNotLookedAt = "values-not-looked-at", Finding, "Whether consumers hold an API key that works was not looked at.",
        "Under `verify: metadata` planning reads ages and tags only, never values. A key that somebody regenerated outside of \
         palisade isn't noticed.";
    ConsumersCutOff = "consumers-cut-off", Finding, "What consumers of the API key hold doesn't work.",
        "Somebody regenerated the published key, or disabled or deleted the secret, outside of palisade. Where palisade can \
         repair it, the plan publishes the key that works, without regenerating anything.";
    KeysInconsistent = "keys-inconsistent", Refusal, "Both API keys have the same value.",
        "The service should never do that, and with equal keys no rotation can keep one of them alive. Nothing is done until \
         somebody regenerated one of them by hand.";
    StoreRight = "store-right", Refusal, "Whether a new key could be stored in the vault.",
        "A key that was regenerated and can't be stored is lost to its consumers until somebody copies it by hand. So the \
         right to store is looked up first: missing, it refuses the plan; where it can't be looked up, the plan says that it \
         is unproved. The right to update the secret is proved by noting the intent before anything is regenerated.";
    StoreRightUnproved = "store-right-unproved", Finding, "Whether a new key could be stored in the vault could not be proved.",
        "Palisade looks up the right to store before a key is regenerated. Where the look-up isn't allowed, or doesn't tell, it \
         says so and goes on: noting the intent on the secret proves the right to write to it before anything is regenerated.";
    ClockSkew = "clock-skew", Finding, "The vault's clock and this machine's differ by more than five minutes.",
        "When a key is due, and when nobody may hold its predecessor any more, is counted from instants of both clocks. With \
         clocks that disagree, nothing is regenerated. Set this machine's clock.";
    NameMismatch = "name-mismatch", Refusal, "The live environment has another name than the configuration.",
        "`name` binds the configuration to one environment. Another name behind the same id means that somebody renamed \
         it, or that the id is of another environment. Nothing is changed until the two agree.";
    TenantMismatch = "tenant-mismatch", Refusal, "The environment belongs to another tenant than the configuration.",
        "Nothing is changed in a tenant that the configuration doesn't name.";
    NotActive = "not-active", Refusal, "The environment isn't active.",
        "Environments that are being created, updated, reset or deleted may lose what is written to them.";
    ExpiredAttestation = "expired-attestation", Finding, "An entry under `attested` has expired.",
        "What no operation can read is taken from `attested` until `validFor` is over; from then on it is unknown. Look \
         again, and write what you see. The plan prints the entry.";
    VoidAttestation = "void-attestation", Finding, "An entry under `attested` is older than the environment.",
        "What was seen on that day was another environment: this one was created later, or reset. The entry is ignored, as if it \
         weren't there. Look at the environment as it is now, and write what you see.";
    AttestationAhead = "attestation-ahead", Finding, "An entry under `attested` is dated in the future.",
        "Nobody has seen anything tomorrow, so the entry is ignored until its day has come (UTC).";
    AttestationsDisagree = "attestations-disagree", Finding, "Two entries under `attested` contradict each other.",
        "Of several entries about one setting the newest valid one counts. Where two of the same day say different things, or an \
         older one is still valid after a newer one that said something else has expired, nobody can tell which is true. Look \
         again, write what you see, and remove the old entries.";
    AttestationContradicted = "attestation-contradicted", Finding, "An entry under `attested` says what observing rules out.",
        "What is observed wins: connections on the Azure side, a key that works, rights on the vault. Either the live state has \
         changed since a person looked, or the entry was never right. Look again, and write what you see.";
    RestsOnAttestation = "rests-on-attestation", Finding, "A setting is in sync because a person saw it as declared.",
        "No published operation can read it, so palisade compares what is declared with what a person saw on a day (`saw`). The \
         note says who saw what, when, and until when that counts. If the declaration changes, the entry no longer matches it, and \
         the plan says what a person has to change.";
    RestsOnInference = "rests-on-inference", Finding, "A setting counts as in sync because of what shows elsewhere.",
        "No published operation can read it, but its traces can be read: the private endpoint connections of a resource, say. \
         Palisade concludes from them under the names that the product's documentation shows.";
    ConsentAhead = "consent-ahead", Refusal, "A consent is dated in the future.",
        "Palisade sends a consent to the data privacy terms only for somebody who gave it. Nobody has agreed tomorrow.";
    LinkTargetMissing = "link-target-missing", Refusal, "Azure has no such resource.",
        "Azure Resource Manager answered, and there is no resource with the declared id. A typing mistake here could later let \
         somebody else's resource in, so the plan is refused until it is corrected.";
    LinkLeadsElsewhere = "link-leads-elsewhere", Refusal, "A live private link leads to another resource of the same name.",
        "Names of storage accounts and workspaces are unique in all of Azure, so the live link and the file mean different \
         subscriptions or resource groups: one of them is wrong, or the resource was moved. Nothing is changed until they agree.";
    AmbiguousConnection = "ambiguous-connection", Refusal, "Several connections could be one endpoint of a private link.",
        "Anyone who knows a resource's id can ask for a private endpoint connection to it, under any name. Where two have the \
         name of one endpoint, a name doesn't tell which one is Customer Insights', and approving the wrong one lets a stranger \
         into the resource. So none is approved.\n\nCompare the full endpoint ids, and find out whose each \
         of them is before you touch any: where several environments use one resource, each of them may be needed. What is a \
         stranger's, remove in Azure. `approveFromSubscription` settles it for good: endpoints from elsewhere don't count \
         then.";
    LookAlikeConnection = "look-alike-connection", Finding, "A connection is named like an endpoint of a private link, and isn't it.",
        "Somebody asks for a connection under a name that a reviewer would expect. Palisade never approves it. Find out who \
         it is, and remove it in Azure.";
    EndpointsApart = "endpoints-apart", Finding, "The endpoints of one private link lie in several subscriptions.",
        "Anyone can ask for a connection under a familiar name, and while Customer Insights' own request hasn't arrived, a \
         stranger's is the only one by that name. Endpoints in different subscriptions may be a sign of that. Compare the \
         full ids in the plan before you approve it.";
    ConnectionEnded = "connection-ended", Finding, "A connection of a private link was rejected or cut off.",
        "Both are final: Azure refuses to approve such a connection later, and a new one must be asked for, which Customer \
         Insights does only for a new link. Under `match: exact`, where the file alone decides what is there, palisade removes \
         the link and makes it anew. Under `match: atLeast` a person has to remove it, since somebody with rights on the \
         resource said no.";
    PublicBesidePrivateLink = "public-beside-private-link", Finding, "A resource with a private link still allows public access.",
        "Private links work only while public network access to the account is off; and what is open to the internet isn't \
         protected by a private way in. Close public access once every connection is approved, and never before. To open it \
         again, remove the private link first.";
    OtherPrivateEndpoints = "other-private-endpoints", Finding, "A resource has private endpoint connections of others.",
        "They belong to other consumers of the resource; palisade leaves them alone. As soon as an account has any private \
         endpoint, Customer Insights reaches it over a private link only, whatever its network settings.";
    ConnectionsLeftBehind = "connections-left-behind", Finding, "Connections on the Azure side belong to no private link of the environment.",
        "They are named like those of Customer Insights. Whether removing a link removes its connections isn't published, so \
         they may be left behind; or another environment uses the same resource. An approved connection that nobody needs is \
         an open door: remove it in Azure.";
    UndocumentedResourceType = "undocumented-resource-type", Finding, "The product's documentation doesn't offer private links to this type of resource.",
        "Synapse workspaces appear only in a pull request to the documentation that was never merged, and the page about \
         Synapse says that workspaces behind a firewall aren't supported. Palisade does what the file says, and says so.";
    RegionMismatch = "region-mismatch", Finding, "A resource isn't in the environment's region, or that can't be told.",
        "Storage of Customer Insights must be in the environment's region. Palisade compares geographies by a table of its own; \
         a region that isn't in it is said to be unknown, never taken for right.";
    VaultNotFound = "vault-not-found", Refusal, "Azure has no such vault.",
        "Azure Resource Manager answered, and there is no vault with the declared id. Names of vaults are unique in all of \
         Azure: whoever creates one of that name later would receive what is meant for yours.";
    VaultTenant = "vault-tenant", Refusal, "The vault belongs to another tenant.",
        "A vault takes tokens of one tenant only. Customer Insights reads vaults of the environment's own tenant.";
    VaultGeography = "vault-geography", Refusal, "The vault isn't in the environment's geography.",
        "The product links only vaults in the environment's own Azure geography, such as Europe or the United Kingdom. The \
         environment's region stands under Settings > System > About.";
    VaultFirewall = "vault-firewall", Refusal, "The vault's firewall is on.",
        "Customer Insights reads linked vaults over the internet and isn't among the trusted services, so the product demands \
         that the firewall be off, and stay off: public network access on, default action Allow. Otherwise connections fail, some \
         time later. Keep in that vault nothing but the secrets of connections; that is what Microsoft recommends as well.";
    VaultSoftDelete = "vault-soft-delete", Refusal, "Soft delete is off in the vault.",
        "A secret, or the whole vault, that is deleted by mistake stops every connection that uses it. Soft delete keeps it \
         for 7 to 90 days. It can be turned on at any time, and never off.";
    OtherVaultLinked = "other-vault-linked", Refusal, "Another vault is linked than the declared one.",
        "Microsoft doesn't say what becomes of connections that use the former vault, so palisade replaces a linked vault \
         only if `keyVault.replaces` names it. Look at the connections first; take `replaces` out again when it is done.";
    ServicePrincipalMissing = "service-principal-missing", Refusal, "The directory doesn't know Customer Insights' own application.",
        "Customer Insights reads linked vaults as the application 0bfc4568-a4ba-4c58-bd3e-5d3e76bd7fff. Without its service \
         principal in the tenant, nobody can be given rights on the vault.";
    VaultSecretMissing = "vault-secret-missing", Finding, "A connection names a secret that isn't in the vault.",
        "The vault is linked as declared; which secrets connections use isn't palisade's to declare. Somebody deleted or \
         renamed one.";
    LinksLeftAlone = "links-left-alone", Finding, "Private links that aren't declared are left alone.",
        "Under `match: atLeast` palisade looks only at what is declared. The note says how many others there are, so that \
         nobody takes silence for control. `match: exact` would remove them.";
}

impl NoteCode {
    /// Whether something counts as declared although it wasn't read.
    pub fn rests_on_less(self) -> bool {
        matches!(self, Self::RestsOnAttestation | Self::RestsOnInference | Self::ValuesNotLookedAt)
    }
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
    /// Which note.
    pub code: NoteCode,
    /// What it does to the plan: what its code says.
    pub kind: NoteKind,
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

impl Note {
    /// A guard's word that something must not be touched.
    pub fn refusal(code: NoteCode, address: Address, message: impl Into<String>) -> Self {
        Self::of(code, Severity::Error, address, message)
    }

    /// Something that needs attention.
    pub fn finding(code: NoteCode, severity: Severity, address: Address, message: impl Into<String>) -> Self {
        Self::of(code, severity, address, message)
    }

    // The code decides, whichever of the two was called: what is meant to stop a plan must never pass as a remark.
    fn of(code: NoteCode, severity: Severity, address: Address, message: impl Into<String>) -> Self {
        let kind = code.kind();
        let severity = if kind == NoteKind::Refusal { Severity::Error } else { severity };
        Self { code, kind, severity, address, message: message.into(), help: None }
    }

    /// The same note with what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Whether it stops something.
    pub fn refuses(&self) -> bool {
        self.kind == NoteKind::Refusal
    }
}
