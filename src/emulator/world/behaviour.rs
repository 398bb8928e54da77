//! How the services behave where the real ones leave it open, are slow, or are stale.
//!
//! What must stay true: the default of every knob is the service at its best: at once, unlimited, never stale; what never ends
//! at once takes seconds, and what the service does once a day it does once a day.

use std::net::{IpAddr, Ipv4Addr};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Knobs for what the real services leave open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Behaviour {
    /// Refuse to remove or downgrade the last Admin. Whether the service does is UNDOCUMENTED.
    pub refuse_last_admin: bool,
    /// Refuse to remove or downgrade the owner. Whether the service does is UNDOCUMENTED.
    pub refuse_owner_removal: bool,
    /// A role write is listed at once but counts for authorisation only after this long (documented: up to 15 minutes).
    pub role_write_propagation: SignedDuration,
    /// Reads of role assignments and of the API subscription show the earlier state for this long after a write.
    pub stale_reads: SignedDuration,
    /// How long an access token lives.
    pub token_lifetime: SignedDuration,
    /// The gateway goes by the API keys of this long ago: so long a regenerated key's old value still works and its new
    /// one doesn't yet. What the service does is UNDOCUMENTED. Switching API access off works at once all the same.
    pub api_key_propagation: SignedDuration,
    /// Keys outlive switching API access off, and are the same when it is switched on again. What the service does is
    /// UNDOCUMENTED.
    pub api_keys_outlive_access: bool,
    /// An Azure role assignment counts only this long after it was made (documented: minutes).
    pub azure_role_propagation: SignedDuration,
    /// A deleted object of a vault is to be had under `/deleted…` only after this long; until then its name is in
    /// transition (documented: seconds).
    pub vault_deletion_delay: SignedDuration,
    /// How many calls a vault takes; no limit if none. Microsoft's number is 4000 in ten seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault_throttle: Option<Bucket>,
    /// The resource that a vault's challenge names.
    pub vault_challenge: ChallengeResource,
    /// Lists of ARM and of vaults begin with an empty page that has a `nextLink`, as the real ones may.
    pub empty_first_pages: bool,
    /// How long Synapse and Key Vault are at work on a private endpoint connection. Storage isn't at all.
    pub connection_work: SignedDuration,
    /// That work ends in failure.
    pub connection_work_fails: bool,
    /// Long-running operations name only a `Location`, no `Azure-AsyncOperation`.
    pub location_only: bool,
    /// Azure Resource Manager refuses calls beyond its token buckets instead of only counting them, and
    /// Azure Resource Graph those beyond its quota.
    pub arm_throttling: bool,
    /// Azure Resource Graph shows the state of this long ago (documented: no bound).
    pub resource_graph_lag: SignedDuration,
    /// Adding a private link asks for the right to approve its connections, too. The product's page lists that right for the
    /// person who does both; whether adding alone needs it is UNDOCUMENTED.
    pub private_link_needs_approval_right: bool,
    /// Approving a connection of a storage account asks for the right to write connections, too. The product's page promises
    /// that the right to approve does, next to reading the account; Azure's list of actions has both.
    pub approval_needs_write_right: bool,
    /// The list of the caller's own rights asks for the right to read it. Azure lists such a right; whether it is asked for is
    /// UNDOCUMENTED.
    pub permissions_need_right: bool,
    /// Removing a private link leaves its connections behind on the Azure side. What the service does is UNDOCUMENTED.
    pub private_link_removal_leaves_connections: bool,
    /// A private link is found to work only this long after the last of its connections was approved (documented: minutes).
    pub private_link_propagation: SignedDuration,
    /// How long a lifecycle operation of Power Platform takes that doesn't encrypt anything anew.
    pub lifecycle_operation_time: SignedDuration,
    /// How long linking an environment to an encryption policy takes, or unlinking it (documented: up to four days, `PT96H`).
    pub encryption_operation_time: SignedDuration,
    /// Lifecycle operations end in failure, at the stage `Run`.
    pub lifecycle_operations_fail: bool,
    /// For how many reads an environment shows what it was before an operation succeeded.
    pub lifecycle_stale_reads: u32,
    /// Power Platform administration answers a conflict with no body, as it sometimes does.
    pub empty_conflicts: bool,
    /// How many items a page of Power Platform's lists has.
    pub power_platform_page: u32,
    /// How long Azure's roles don't know the new identity of an enterprise policy or a storage account (documented: minutes).
    pub policy_identity_replication: SignedDuration,
    /// How long after it was made a storage account uses the new version of a key that it follows (documented: it looks daily).
    pub storage_key_check: SignedDuration,
    /// The address that a vault's firewall takes every caller for; all calls really come from loopback.
    pub client_address: IpAddr,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            refuse_last_admin: false,
            refuse_owner_removal: false,
            role_write_propagation: SignedDuration::ZERO,
            stale_reads: SignedDuration::ZERO,
            token_lifetime: SignedDuration::from_secs(3599),
            api_key_propagation: SignedDuration::ZERO,
            api_keys_outlive_access: false,
            azure_role_propagation: SignedDuration::ZERO,
            vault_deletion_delay: SignedDuration::ZERO,
            vault_throttle: None,
            vault_challenge: ChallengeResource::Azure,
            empty_first_pages: false,
            connection_work: SignedDuration::ZERO,
            connection_work_fails: false,
            location_only: false,
            arm_throttling: false,
            resource_graph_lag: SignedDuration::ZERO,
            private_link_needs_approval_right: false,
            approval_needs_write_right: false,
            permissions_need_right: false,
            private_link_removal_leaves_connections: false,
            private_link_propagation: SignedDuration::ZERO,
            lifecycle_operation_time: SignedDuration::from_secs(2),
            encryption_operation_time: SignedDuration::from_secs(5),
            lifecycle_operations_fail: false,
            lifecycle_stale_reads: 0,
            empty_conflicts: false,
            power_platform_page: 100,
            policy_identity_replication: SignedDuration::ZERO,
            storage_key_check: SignedDuration::from_hours(24),
            client_address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
        }
    }
}

/// A bucket of calls that fills up again all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bucket {
    /// Calls that it holds.
    pub calls: u32,
    /// How long until it is full again.
    pub per: SignedDuration,
}

/// The resource that a vault names in its challenge. Official clients ask for a token for it, and by default only where the
/// vault's host lies below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChallengeResource {
    /// `https://vault.azure.net`, as the real service; a client must be told not to compare it with the host.
    Azure,
    /// `https://vault.localhost:PORT`, below which the emulator's vaults lie, so that the comparison holds.
    Local,
}
