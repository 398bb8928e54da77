//! `customerManagedKey` in the file: whose key encrypts the environment.
//!
//! Words: a *policy* is the enterprise policy that holds a reference to a key; environments are linked to policies, never to keys.
//!
//! Invariants: a policy stands for one key, in all environments that name it; the policy that an environment is to be linked to is
//! none of its former ones.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes;
use super::words::PolicyText;
use crate::config::words::Day;
use crate::config::{Diagnostic, Diagnostics, Located, Span, quoted};
use crate::settings::block::{self, Claim};
use crate::settings::encryption_keys::{KeyBlock, KeyRef, LiveKeyBlock, Upkeep, declare_key, declare_live_key};
use crate::terms::{Head, Place, ResourceId};

/// Whose key encrypts the environment: Microsoft's, or one of your own in a Key Vault, to which the environment is linked by an
/// enterprise policy. Without this block, palisade leaves that as it is.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CustomerManagedKey")]
pub struct Block {
    /// Who manages the key. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_by: Option<ManagedBy>,
    /// The Azure resource id of the enterprise policy (kind Encryption) that the environment is linked to. Required for
    /// `managedBy: customer`; it counts only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyText>,
    /// The key that the policy refers to. A policy keeps its key for good: for another key, name another policy. Required for
    /// `managedBy: customer`; it counts only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<LiveKeyBlock>,
    /// Whether palisade creates a missing policy and grants its identity the key, and brings back what was lost of them: `true` or
    /// `false`, without quotes. Otherwise all of it must be there. Palisade creates no vaults and no keys.
    #[serde(default)]
    provision: bool,
    /// Former policies of this environment. Their keys and grants are needed for backups and for what was written under them; palisade
    /// watches them and takes nothing away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retained: Vec<RetainedBlock>,
}

/// Who manages the key that encrypts an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ManagedBy {
    /// You do, in a Key Vault of your own.
    Customer,
    /// Microsoft does.
    Microsoft,
}

/// A policy that an environment was linked to.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RetainedPolicy")]
struct RetainedBlock {
    /// The policy's Azure resource id.
    policy: PolicyText,
    /// The key that it refers to.
    key: KeyBlock,
    /// The last day on which it is needed: 30 days after the change at least, 28 for a version of the same key.
    #[schemars(example = &"2027-01-31")]
    until: Day,
}

/// The customer's key that an environment is to be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// The policy.
    pub policy: ResourceId,
    /// Its key.
    pub key: KeyRef,
    /// How the key is kept up.
    pub upkeep: Upkeep,
    /// Whether what is missing is made, and what was lost is repaired.
    pub provision: bool,
}

/// Whose key the environment is to be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Microsoft's.
    Microsoft,
    /// The customer's.
    Customer(Protection),
}

/// A policy that an environment was linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// The policy.
    pub policy: ResourceId,
    /// Its key.
    pub key: KeyRef,
    /// The last day on which it is needed.
    pub until: Date,
    /// Where that is written.
    pub place: Place,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Whose key.
    pub wanted: Wanted,
    /// The former policies.
    pub retained: Vec<Retained>,
    /// What other environments must want alike.
    pub claims: Vec<Claim>,
    /// Where it is written.
    pub place: Place,
    /// Where policy and key are written.
    pub parts: [Place; 2],
}

impl Declared {
    /// The policies that the file names, each with its key: the one that is wanted first.
    pub fn policies(&self) -> impl Iterator<Item = (&ResourceId, &KeyRef)> {
        let wanted = match &self.wanted {
            Wanted::Customer(protection) => Some((&protection.policy, &protection.key)),
            Wanted::Microsoft => None,
        };
        wanted.into_iter().chain(self.retained.iter().map(|one| (&one.policy, &one.key)))
    }
}

impl block::Block for Block {
    const KEY: &'static str = "customerManagedKey";
    // None only after an error; a configuration with errors is never handed out.
    type Declared = Option<Declared>;
    type Saw = block::Readable;

    fn declare(self, at: Located<'_>, _: &Head, diagnostics: &mut Diagnostics) -> Option<Declared> {
        let Self { managed_by, policy, key, provision, retained } = self;
        let mut claims = Vec::new();
        let wanted = match managed_by {
            None => {
                let help = "write `managedBy: customer` or `managedBy: microsoft`";
                block::missing(at, Self::KEY, "managedBy", help, diagnostics);
                None
            }
            Some(ManagedBy::Microsoft) => Some(Wanted::Microsoft),
            Some(ManagedBy::Customer) => customer(policy, key, provision, at, &mut claims, diagnostics),
        };
        let list = at.at(&["retained"]);
        let retained = retained.into_iter().enumerate().map(|(index, one)| {
            let at = list.at(&[&index.to_string()]);
            let RetainedBlock { policy: PolicyText(policy), key, until: Day(until) } = one;
            let key = declare_key(key, at, diagnostics)?;
            claims.push(claim(&policy, &key, at.at(&["policy"]).span()));
            Some(Retained { policy, key, until, place: at.place() })
        });
        let retained: Option<Vec<Retained>> = retained.collect::<Vec<_>>().into_iter().collect();
        let parts = ["policy", "key"].map(|part| at.key_place(part));
        let declared = Declared { wanted: wanted?, retained: retained?, claims, place: at.place(), parts };
        check_twice(&declared, list, diagnostics);
        Some(declared)
    }

    fn claims(declared: &Option<Declared>) -> Vec<Claim> {
        declared.iter().flat_map(|declared| declared.claims.iter().cloned()).collect()
    }
}

fn customer(
    policy: Option<PolicyText>,
    key: Option<LiveKeyBlock>,
    provision: bool,
    at: Located<'_>,
    claims: &mut Vec<Claim>,
    diagnostics: &mut Diagnostics,
) -> Option<Wanted> {
    const KEY: &str = <Block as block::Block>::KEY;
    if policy.is_none() {
        let help = "name the enterprise policy: `policy: /subscriptions/…/providers/Microsoft.PowerPlatform/enterprisePolicies/NAME`";
        block::missing(at, KEY, "policy", help, diagnostics);
    }
    if key.is_none() {
        block::missing(at, KEY, "key", "write `key: { vault: /subscriptions/…/vaults/NAME, name: NAME }`", diagnostics);
    }
    let (key, upkeep) = key.and_then(|key| declare_live_key(key, at, claims, diagnostics))?;
    let PolicyText(policy) = policy?;
    claims.push(claim(&policy, &key, at.at(&["policy"]).span()));
    Some(Wanted::Customer(Protection { policy, key, upkeep, provision }))
}

/// A policy refers to one key. Whoever names it means that one.
fn claim(policy: &ResourceId, key: &KeyRef, span: Span) -> Claim {
    Claim {
        what: format!("{policy}").to_lowercase(),
        called: format!("the enterprise policy {}", quoted(policy.name())),
        how: "declared with the key",
        value: Some(key.to_string()),
        code: codes::POLICY_WITH_TWO_KEYS,
        help: "a policy has one key for all environments that are linked to it: name a policy for each key",
        span,
    }
}

/// A policy that is listed as a former one must be another than the present one, and is listed once.
fn check_twice(declared: &Declared, list: Located<'_>, diagnostics: &mut Diagnostics) {
    let present = match &declared.wanted {
        Wanted::Customer(protection) => Some(&protection.policy),
        Wanted::Microsoft => None,
    };
    for (index, one) in declared.retained.iter().enumerate() {
        let span = list.at(&[&index.to_string(), "policy"]).span();
        let name = quoted(one.policy.name());
        if present == Some(&one.policy) {
            diagnostics.push(
                Diagnostic::error(
                    codes::RETAINED_IN_USE,
                    span,
                    format!("{name} is the policy to be linked, not a former one"),
                )
                .help("name the new policy under `policy`, and the one that is linked now here"),
            );
        } else if declared.retained.iter().take(index).any(|other| other.policy == one.policy) {
            diagnostics.push(
                Diagnostic::error(codes::RETAINED_IN_USE, span, format!("{name} is listed twice"))
                    .help("keep one of the two entries"),
            );
        }
    }
}
