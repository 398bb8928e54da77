//! The survey: asks everything about all environments, side by side, and compares it with what is declared.
//!
//! What must stay true: an environment that can't be looked at hides none of the others; before any setting is looked at,
//! the environment behind the id must be the one that the configuration means; accounts come in the configuration's order,
//! whichever answer came first.

use std::cell::RefCell;
use std::collections::HashMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::declaration::Declaration;
use super::observation::Unreadable;
use super::setting::{Comparing, Observing};
use super::surface::Surface;
use super::users;
use crate::azure::customer_insights::{self as ci, Instance, InstanceInfo, InstanceMetadata};
use crate::azure::directory::Directory;
use crate::azure::operations::LIST_INSTANCES;
use crate::azure::{CallError, Reader};
use crate::plan::{Account, Address, Findings, Note, Observed};
use crate::settings::codes;
use crate::terms::{EnvironmentHead, ObjectId};

/// The state in which an environment takes changes.
const ACTIVE: &str = "active";

/// Environments looked at side by side. Enough to keep all requests busy that the transport allows at a time; more would
/// only hold more answers in memory.
const SIDE_BY_SIDE: usize = 16;

/// What one run knows and remembers while it asks.
pub struct Survey {
    reader: Reader,
    tenant: Uuid,
    caller: Option<ObjectId>,
    surface: Surface,
    directory: Directory,
    instances: OnceCell<Result<Vec<InstanceInfo>, CallError>>,
    /// What was read of environments that never changes.
    origins: RefCell<HashMap<Uuid, Origin>>,
}

/// Where an environment is, and since when.
#[derive(Debug, Clone, Default)]
struct Origin {
    region: Option<String>,
    created: Option<Timestamp>,
}

impl Survey {
    /// A survey of `environments` in `tenant`. `caller` is the object id that the token names.
    pub fn new<'a>(
        reader: Reader,
        tenant: Uuid,
        caller: Option<ObjectId>,
        surface: Surface,
        environments: impl IntoIterator<Item = &'a Declaration>,
    ) -> Self {
        let directory = directory(environments);
        Self { reader, tenant, caller, surface, directory, instances: OnceCell::new(), origins: RefCell::default() }
    }

    /// Looks at all environments.
    pub async fn accounts(&self, environments: &[&Declaration], now: Timestamp) -> Vec<Account> {
        let accounts = stream::iter(environments).map(|environment| self.account(environment, now));
        accounts.buffered(SIDE_BY_SIDE).collect().await
    }

    /// Looks at one environment.
    pub async fn account(&self, environment: &Declaration, now: Timestamp) -> Account {
        let head = environment.head.clone();
        let address = Address::scope(&head.key);
        let mut account = Account {
            head,
            declaration: environment.digest.clone(),
            observed: None,
            unknown: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
        };
        let instance = match self.instance(&account.head).await {
            Ok(instance) => instance,
            Err(Missing::Unknown(unreadable)) => {
                account.unknown.push(unreadable.at(address));
                return account;
            }
            Err(Missing::Refused(note)) => {
                account.notes.push(note);
                return account;
            }
        };
        match ci::get_instance(&self.reader, &instance).await {
            Err(error) => account.unknown.push(Unreadable::from(error).at(address)),
            Ok(metadata) => {
                account.notes.extend(identity(&account.head, &metadata));
                let region = metadata.azure_region.clone().or_else(|| metadata.region.clone());
                let origin = Origin { region, created: metadata.created() };
                self.origins.borrow_mut().insert(instance.id, origin);
                account.observed = Some(Observed {
                    name: metadata.name,
                    region: metadata.region,
                    dataverse: metadata.cds_org_info.and_then(|organisation| organisation.url),
                });
                account.findings = self.review(environment, (&instance, &self.directory), now, None).await;
            }
        }
        account
    }

    /// Looks at one setting again, freshly.
    pub async fn setting(&self, environment: &Declaration, setting: &str, now: Timestamp) -> Result<Findings, String> {
        let instance = self.reach(environment).await?;
        // Who is who may have changed since the plan was made, so that is asked afresh, too.
        let directory = directory([environment]);
        let mut findings = self.review(environment, (&instance, &directory), now, Some(setting)).await;
        findings.pop().ok_or_else(|| format!("`{setting}` isn't declared"))
    }

    /// How to reach an environment, if it is there and in the right tenant.
    pub async fn reach(&self, environment: &Declaration) -> Result<Instance, String> {
        self.instance(&environment.head).await.map_err(|missing| match missing {
            Missing::Unknown(unreadable) => unreadable.reason,
            Missing::Refused(note) => note.message,
        })
    }

    /// What is wrong with the identity that runs palisade, whatever the environment: it stops everything. Complete only
    /// after looking, since each service's token is obtained when it is needed.
    pub fn caller_notes(&self) -> Vec<Note> {
        let stranger = self.reader.bearers().stranger(self.tenant);
        let note = stranger.map(|(audience, found)| {
            let message = format!(
                "the token for {audience} was issued by the tenant {found}, the configuration is for {}; nothing is done",
                self.tenant
            );
            Note::refusal(codes::TOKEN_TENANT, Address::caller(), message)
                .help("sign in to the configured tenant, or correct `tenant.id`")
        });
        note.into_iter().collect()
    }

    async fn review(
        &self,
        environment: &Declaration,
        (instance, directory): (&Instance, &Directory),
        now: Timestamp,
        only: Option<&str>,
    ) -> Vec<Findings> {
        let observing = Observing {
            reader: &self.reader,
            instance,
            tenant: self.tenant,
            directory,
            caller: self.caller,
            surface: self.surface,
        };
        let Origin { region, created } = self.origins.borrow().get(&instance.id).cloned().unwrap_or_default();
        let comparing = Comparing {
            head: &environment.head,
            instance,
            tenant: self.tenant,
            region: region.as_deref(),
            created,
            attested: &environment.attested,
            elsewhere: &environment.elsewhere,
            surface: self.surface,
            now,
        };
        environment.blocks.review(&observing, &comparing, only).await
    }

    /// Finds the environment in the list of those that the caller sees. The list is read once a run.
    async fn instance(&self, head: &EnvironmentHead) -> Result<Instance, Missing> {
        let listed = self.instances.get_or_init(|| ci::list_instances(&self.reader)).await;
        let listed = listed.as_ref().map_err(|error| Missing::Unknown(error.clone().into()))?;
        let Some(info) = listed.iter().find(|info| info.instance_id == Some(head.instance_id)) else {
            let reason = format!(
                "no environment with the instance id {} is among the {} that this identity sees: it may be gone, reset (which \
                 gives it a new id), or not shared with this identity",
                head.instance_id,
                listed.len()
            );
            return Err(Missing::Unknown(Unreadable::from_operation(LIST_INSTANCES.facts(), reason)));
        };
        if let Some(tenant) = info.tenant_id.filter(|tenant| *tenant != self.tenant) {
            let message =
                format!("the environment belongs to the tenant {tenant}, the configuration is for {}", self.tenant);
            let note = Note::refusal(codes::TENANT_MISMATCH, Address::scope(&head.key), message);
            return Err(Missing::Refused(note.help("correct `instanceId`, or `tenant.id`")));
        }
        Ok(Instance { id: head.instance_id, scale_unit: info.scale_unit_uri.clone() })
    }
}

/// A directory that will be asked for whomever these environments name.
fn directory<'a>(environments: impl IntoIterator<Item = &'a Declaration>) -> Directory {
    let principals = environments.into_iter().flat_map(|environment| environment.blocks.principals());
    Directory::expecting(principals.map(|principal| users::name(&principal)))
}

enum Missing {
    Unknown(Unreadable),
    Refused(Note),
}

/// Whether the environment behind the id is the one that is meant, and takes changes.
fn identity(head: &EnvironmentHead, live: &InstanceMetadata) -> Vec<Note> {
    let address = Address::scope(&head.key);
    let mut notes = Vec::new();
    if let Some(declared) = &head.name
        && live.name.as_ref() != Some(declared)
    {
        let found = live.name.as_deref().unwrap_or("without a name");
        let message = format!("the live environment is called `{found}`, the configuration says `{declared}`");
        notes.push(
            Note::refusal(codes::NAME_MISMATCH, address.clone(), message)
                .help("make sure that `instanceId` is right, then correct `name`"),
        );
    }
    if live.provisioning_state.as_deref() != Some(ACTIVE) {
        let state = live.provisioning_state.as_deref().unwrap_or("unknown");
        let message = format!("the environment is in the state `{state}`; only `{ACTIVE}` ones are changed");
        notes.push(Note::refusal(codes::NOT_ACTIVE, address, message).help("wait until it is active, then plan again"));
    }
    notes
}
