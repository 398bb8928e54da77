//! Whatever requires whatever: nothing is written too early, nobody waits for ever, and everything is accounted for.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::terms::Scope;

/// What one change is like: scope, setting, how it ends, what it takes to itself, whether it takes away, and which of those
/// before it are required.
type Sketch = (usize, usize, usize, Option<usize>, bool, Vec<usize>);

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let one = (
        0..5_usize,
        0..2_usize,
        0..8_usize,
        proptest::option::of(0..2_usize),
        any::<bool>(),
        proptest::collection::vec(0..32_usize, 0..3),
    );
    proptest::collection::vec(one, 1..16)
}

/// Requirements lead to changes earlier in the list, which is in no order of scopes: there is no circle. The tenant, which goes
/// first, requires nothing of environments.
fn items(sketches: &[Sketch], troubles: bool) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (number, (scope, setting, does, hold, takes_away, requires)) in sketches.iter().enumerate() {
        let scope = ["tenant", "a", "b", "c", "d"][*scope];
        let name = format!("{scope}/{}/{number}", ["s", "t"][*setting]);
        let does = match does {
            0 if troubles => Does::Fail,
            1 if troubles => Does::Refuse,
            2 if troubles => Does::StartWork,
            3 if troubles => Does::NeedAPerson,
            _ => Does::Succeed,
        };
        let mut one = Item { takes_away: *takes_away, ..item(&name).does(does) };
        one.holds = hold.iter().map(crate::plan::Hold::named).collect();
        for required in requires.iter().filter_map(|at| items.get(at % number.max(1))) {
            if scope != "tenant" || required.address.belongs_to(&Scope::Tenant) {
                one.requires.push(required.address.clone());
            }
        }
        items.push(one);
    }
    items
}

fn applied(world: &Rc<World>, side_by_side: usize, stop_after: usize) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let fleet = Fleet { side_by_side, stop_after, ..Fleet::default() };
    runtime.block_on(async { Shop::with(fleet).run(world).await })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_trouble_everything_gets_done_in_any_number_of_places(sketches in sketches(), places in 1..5_usize) {
        let world = World::of(items(&sketches, false));
        let report = applied(&world, places, 3);
        prop_assert_eq!(report.summary.done, world.items.len(), "{:?}", statuses(&report));
        prop_assert_eq!(&*world.wrongs.borrow(), &Vec::<String>::new());
        prop_assert!(world.most_at_once.get() <= places);
    }

    #[test]
    fn whatever_goes_wrong_nothing_is_written_too_early_and_all_is_accounted_for(
        sketches in sketches(),
        places in 1..5_usize,
        stop_after in 1..4_usize,
    ) {
        let world = World::of(items(&sketches, true));
        let report = applied(&world, places, stop_after);
        prop_assert_eq!(&*world.wrongs.borrow(), &Vec::<String>::new());
        let told: BTreeSet<_> = report.changes.iter().map(|applied| &applied.address).collect();
        prop_assert_eq!(told.len(), report.changes.len(), "each once");
        prop_assert_eq!(told.len(), world.items.len(), "each of them");
        let writes: BTreeSet<String> = world.writes().into_iter().collect();
        prop_assert_eq!(writes.len(), world.writes().len(), "nothing is sent twice");
        for applied in &report.changes {
            prop_assert!(applied.status != Status::Done || writes.contains(applied.address.as_str()));
            prop_assert_eq!(applied.status == Status::Done, world.state(&applied.address) == State::There);
        }
    }
}
