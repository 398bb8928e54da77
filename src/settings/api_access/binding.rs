//! What the approval of each step hangs on.

use std::rc::Rc;

use super::steps::Switch;
use crate::azure::operations::{
    ACTIVATE_API_SUBSCRIPTION, GET_API_SUBSCRIPTION, RECOVER_SECRET, REGENERATE_PRIMARY_KEY, REGENERATE_SECONDARY_KEY,
    SET_SECRET, UPDATE_SECRET,
};
use crate::plan::Mode;
use crate::settings::binding::{each_input_counts, instance};
use crate::settings::surface::Surface;

#[test]
fn switching_access() {
    let step = |number: u128, enable: bool| Switch { instance: instance(number), enable };
    each_input_counts(
        Rc::new(step(1, true)),
        vec![("instance", Rc::new(step(2, true))), ("position", Rc::new(step(1, false)))],
        vec![],
    );
}

/// Keys are compared only where their operations may be used, so no change of them has words for a person.
#[test]
fn where_keys_are_looked_at_palisade_has_steps() {
    let surfaces = [Surface::EMULATOR, Surface { observed: Mode::Manual, ..Surface::EMULATOR }];
    let looked_at = |surface: &Surface| surface.mode(GET_API_SUBSCRIPTION.facts().provenance) == Mode::Automatic;
    let operations = [
        REGENERATE_PRIMARY_KEY.facts(),
        REGENERATE_SECONDARY_KEY.facts(),
        ACTIVATE_API_SUBSCRIPTION.facts(),
        SET_SECRET.facts(),
        UPDATE_SECRET.facts(),
        RECOVER_SECRET.facts(),
    ];
    for surface in surfaces.into_iter().filter(looked_at) {
        for operation in operations {
            assert_eq!(surface.mode(operation.provenance), Mode::Automatic, "{}", operation.name);
        }
    }
    assert!(!looked_at(&Surface::cloud(Mode::Automatic)));
}
