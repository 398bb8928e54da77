//! What the writes of a change take, and where: the one source of its permissions and of what is looked up before the first
//! write.
//!
//! Invariants: follows from operations, never from words; reads demand nothing here.

use std::rc::Rc;

use super::step::Step;
use crate::azure::operations::{Effect, Facts};
use crate::azure::rights::Needs;
use crate::terms::ResourceId;

/// Rights that are needed on an Azure resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Which.
    pub needs: Needs,
    /// Where.
    pub on: ResourceId,
}

/// What steps demand of Azure resources, each once.
pub(super) fn demands(steps: &[Rc<dyn Step>]) -> Vec<Demand> {
    let mut demands: Vec<Demand> = Vec::new();
    for step in steps {
        let Some(on) = step.on() else { continue };
        for operation in writes(step.operations()).filter(|operation| operation.needs.in_azure()) {
            let demand = Demand { needs: operation.needs, on: on.clone() };
            if !demands.contains(&demand) {
                demands.push(demand);
            }
        }
    }
    demands
}

/// The stable names of the rights that `operations` and the operations of `steps` take to write, each once.
pub(super) fn permissions(operations: &[&'static Facts], steps: &[Rc<dyn Step>]) -> Vec<String> {
    let of_steps = steps.iter().flat_map(|step| step.operations());
    let mut permissions: Vec<String> = Vec::new();
    for id in writes(operations.iter().copied().chain(of_steps)).flat_map(|operation| operation.needs.ids()) {
        if !permissions.contains(&id) {
            permissions.push(id);
        }
    }
    permissions
}

fn writes(operations: impl IntoIterator<Item = &'static Facts>) -> impl Iterator<Item = &'static Facts> {
    operations.into_iter().filter(|operation| operation.effect != Effect::Read)
}
