//! What the approval of each step hangs on.

use std::rc::Rc;

use super::steps::Switch;
use crate::settings::binding::{each_input_counts, instance};

#[test]
fn switching_access() {
    let step = |number: u128, enable: bool| Switch { instance: instance(number), enable };
    each_input_counts(
        Rc::new(step(1, true)),
        vec![("instance", Rc::new(step(2, true))), ("position", Rc::new(step(1, false)))],
        vec![],
    );
}
