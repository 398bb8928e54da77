//! What one scope declares: the tenant, or an environment.

use uuid::Uuid;

use super::attestation::Attestation;
use super::blocks::Blocks;
use super::setting::Elsewhere;
use crate::azure::power_platform::EnvironmentId;
use crate::plan::{Address, Places};
use crate::terms::Head;

/// One scope: what it is, and what is declared of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Its names and ids.
    pub head: Head,
    /// What people saw of settings that no operation can read.
    pub attested: Vec<Attestation>,
    /// What it declares.
    pub blocks: Blocks,
    /// The Azure resources that others declare: what shows on one of them may be theirs.
    pub elsewhere: Vec<Elsewhere>,
    /// The instances that other environments of the configuration are.
    pub instances_elsewhere: Vec<Uuid>,
    /// The Power Platform environments that other scopes of the configuration are.
    pub environments_elsewhere: Vec<EnvironmentId>,
    /// `sha256:…` over its merged data, without what people attest: what an approval of its changes rests on.
    pub digest: String,
}

impl Declaration {
    /// Where it is written, with its settings and their parts.
    pub fn places(&self) -> Places {
        let scope = self.head.scope();
        let whole = (Address::scope(&scope), self.head.place().clone());
        std::iter::once(whole).chain(self.blocks.places(&scope)).collect()
    }
}
