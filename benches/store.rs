//! What a write to the emulator's world costs in a small world and in a large one: `cargo bench --bench store`.
//!
//! What matters is the ratio: a write is to cost what it changes, so that it should stay near 1.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark prints, and may fail loudly")]

use std::io::Write as _;
use std::time::Instant;

use palisade::emulator::{Assignment, PrincipalType, Store, StoreError, Wanted, WantedEnvironment, World, seed};
use uuid::Uuid;

const WRITES: u128 = 2000;
const SIZES: [u128; 3] = [1, 100, 10_000];

fn world(environments: u128) -> World {
    let environment = |number: u128| WantedEnvironment {
        key: format!("e{number}"),
        instance_id: Some(Uuid::from_u128(number + 1)),
        environment_id: String::new(),
        name: None,
        business_units: false,
        principals: Vec::new(),
    };
    let wanted = Wanted {
        tenant: Uuid::from_u128(7),
        environments: (0..environments).map(environment).collect(),
        ..Wanted::default()
    };
    let mut world = World::new(None);
    seed(&mut world, &wanted, "2026-11-20T12:00:00Z".parse().unwrap()).unwrap();
    world
}

/// Microseconds of one write: a role is given and taken, so that the world stays as large as it is.
fn cost(store: &Store) -> f64 {
    let id = Uuid::from_u128(1);
    let begun = Instant::now();
    for number in 0..WRITES {
        let written: Result<(), StoreError> = store.change(|world| {
            let assignments = &mut world.instances.get_mut(&id).unwrap().assignments;
            if number % 2 == 0 {
                assignments.push(Assignment {
                    principal_id: Uuid::from_u128(number).to_string(),
                    principal_type: PrincipalType::User,
                    roles: vec!["Viewer".to_owned()],
                });
            } else {
                assignments.pop();
            }
            Ok(())
        });
        written.unwrap();
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(WRITES).unwrap())
}

fn main() {
    let mut out = std::io::stdout();
    let mut report = |kind: &str, costs: &[f64]| {
        for (size, cost) in SIZES.iter().zip(costs) {
            let ratio = cost / costs[0];
            writeln!(out, "{kind:6} {size:>6} environments  {cost:8.1} µs a write  {ratio:5.2} times the smallest")
                .unwrap();
        }
    };
    report("memory", &SIZES.map(|size| cost(&Store::memory(world(size)))));
    let folder = tempfile::tempdir().unwrap();
    let on_file = |size: u128| {
        let path = folder.path().join(format!("{size}.json"));
        std::fs::write(&path, serde_json::to_vec(&world(size)).unwrap()).unwrap();
        cost(&Store::file(path).unwrap())
    };
    report("file", &SIZES.map(on_file));
}
