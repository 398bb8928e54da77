//! The moves of the rotation, each as a world in which it comes next.
//!
//! Worlds are made by the binary itself, one from another, so that nothing here knows what palisade writes into a vault.

use std::sync::OnceLock;

use palisade::emulator::{Deletion, Seen, World};

use crate::live::Moment;
use crate::room::{DECLARED, Held, Room, held, secret_mut};
use crate::support::NOW;

/// When the first key falls due, with the jitter of this environment.
pub(crate) const DUE: &str = "2027-02-10T12:00:00Z";
/// When the grace of the replaced one is over.
pub(crate) const RETIRABLE: &str = "2027-02-18T12:00:00Z";

/// A move that comes next in a world.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) now: &'static str,
    pub(crate) configuration: String,
    pub(crate) world: World,
    /// What a plan calls it.
    pub(crate) planned: &'static str,
    /// How often it regenerates each slot, however often it is interrupted.
    pub(crate) regenerates: [usize; 2],
    /// Whether something outside had broken what consumers hold, or nothing was there yet.
    pub(crate) broken: bool,
    /// What they hold in the end.
    pub(crate) ends: Held,
}

/// Before palisade ever ran: API access is off.
pub(crate) fn untouched() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| Room::fresh_world(DECLARED)).clone()
}

/// Palisade switched API access on and published primary.
pub(crate) fn published() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| applied(NOW, untouched())).clone()
}

/// Secondary was regenerated and published; primary is in grace.
pub(crate) fn rotated() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| applied(DUE, published())).clone()
}

/// API access was switched on by somebody else, and nothing is published.
pub(crate) fn in_use() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    let only_access = || {
        let keys = DECLARED.find("      keys:").unwrap();
        let room = Room::at(NOW, &DECLARED[..keys], untouched());
        room.apply().ended(0);
        room.live.world()
    };
    WORLD.get_or_init(only_access).clone()
}

/// A run ended right after it had the standby slot regenerated.
fn interrupted(now: &str, world: World, end: &str) -> World {
    let room = Room::at(now, DECLARED, world);
    let regenerated = room.live.hold(Moment::After, "POST", end);
    let run = room.begin(&["apply", "--yes"]);
    regenerated.arrived();
    run.kill();
    room.live.world()
}

fn applied(now: &str, world: World) -> World {
    let room = Room::at(now, DECLARED, world);
    room.apply().ended(0);
    room.live.world()
}

/// A day on which nothing is due.
const QUIET: &str = "2026-12-01T12:00:00Z";

impl Case {
    fn of(name: &'static str, now: &'static str, world: World, planned: &'static str) -> Self {
        let broken = !held(&world).is_live();
        let configuration = DECLARED.to_owned();
        Self { name, now, configuration, world, planned, regenerates: [0, 0], broken, ends: Held::Primary }
    }

    pub(crate) fn first_publication_with_access_off() -> Self {
        Self::of("first publication, API access off", NOW, untouched(), "enable prod/apiAccess")
    }

    pub(crate) fn first_publication_with_access_on() -> Self {
        Self::of("first publication, API access on", QUIET, in_use(), "publish prod/apiAccess/keys/primary")
    }

    pub(crate) fn rotation() -> Self {
        let case = Self::of("rotation", DUE, published(), "rotate prod/apiAccess/keys/secondary");
        Self { regenerates: [0, 1], ends: Held::Secondary, ..case }
    }

    pub(crate) fn rotation_by_metadata() -> Self {
        let configuration = format!("{DECLARED}        verify: metadata\n");
        let case = Self::of("rotation, verify: metadata", DUE, published(), "rotate prod/apiAccess/keys");
        Self { regenerates: [0, 1], ends: Held::Secondary, configuration, ..case }
    }

    pub(crate) fn retirement() -> Self {
        let case = Self::of("retirement", RETIRABLE, rotated(), "retire prod/apiAccess/keys/primary");
        Self { regenerates: [1, 0], ends: Held::Secondary, ..case }
    }

    pub(crate) fn retirement_by_metadata() -> Self {
        let configuration = format!("{DECLARED}        verify: metadata\n");
        let case = Self::of("retirement, verify: metadata", RETIRABLE, rotated(), "retire prod/apiAccess/keys");
        Self { regenerates: [1, 0], ends: Held::Secondary, configuration, ..case }
    }

    pub(crate) fn repair() -> Self {
        let room = Room::at(RETIRABLE, DECLARED, rotated());
        room.regenerate_by_hand("secondary");
        let case = Self::of("repair", QUIET, room.live.world(), "publish prod/apiAccess/keys/primary");
        Self { now: RETIRABLE, ..case }
    }

    pub(crate) fn finish_of_a_rotation() -> Self {
        let world = interrupted(DUE, published(), "/regeneratesecondarykey");
        let case = Self::of("finish of a rotation", DUE, world, "publish prod/apiAccess/keys/secondary");
        Self { ends: Held::Secondary, ..case }
    }

    pub(crate) fn finish_of_a_retirement() -> Self {
        let world = interrupted(RETIRABLE, rotated(), "/regenerateprimarykey");
        let case = Self::of("finish of a retirement", RETIRABLE, world, "resume prod/apiAccess/keys/primary");
        Self { ends: Held::Secondary, ..case }
    }

    pub(crate) fn recovery() -> Self {
        let mut world = published();
        let deletion = json_instants("2026-11-30T12:00:00Z", "2027-02-28T12:00:00Z");
        secret_mut(&mut world).deleted = Some(deletion);
        Self::of("recovery of a deleted secret", QUIET, world, "recover prod/apiAccess/keys")
    }

    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        vec![
            Self::first_publication_with_access_off(),
            Self::first_publication_with_access_on(),
            Self::rotation(),
            Self::rotation_by_metadata(),
            Self::retirement(),
            Self::retirement_by_metadata(),
            Self::repair(),
            Self::finish_of_a_rotation(),
            Self::finish_of_a_retirement(),
            Self::recovery(),
        ]
    }

    pub(crate) fn room(&self) -> Room {
        self.faulty("[]")
    }

    /// The same with things going wrong.
    pub(crate) fn faulty(&self, rules: &str) -> Room {
        Room::faulty(self.now, &self.configuration, self.world.clone(), rules)
    }
}

impl Case {
    /// The move without a disturbance: what all others are compared with. Tells its requests.
    pub(crate) fn undisturbed(&self) -> Vec<Seen> {
        let room = self.room();
        assert_eq!(room.planned(), [self.planned], "{}", self.name);
        let planning = room.live.requests().len();
        room.apply().ended(self.exit());
        let requests = room.live.requests().split_off(planning);
        assert_eq!(room.regenerated(), self.regenerates, "{}", self.name);
        self.ends_well(&room);
        requests
    }

    /// Whether something still waits once the move is made.
    pub(crate) fn waits(&self) -> bool {
        self.name == "repair"
    }

    /// How the run ends that makes the move: as a plan at the same instant would.
    pub(crate) fn exit(&self) -> i32 {
        if self.waits() { 6 } else { 0 }
    }

    /// Consumers hold what they should, a further plan is empty, and a further run sends nothing.
    pub(crate) fn ends_well(&self, room: &Room) {
        assert_eq!(room.held(), self.ends, "{}", self.name);
        let writes = room.live.writes();
        // What is overdue already when a repair has ended still has to wait for grace.
        let end = room.apply();
        match self.waits() {
            true => end.ended(6).says("waiting apiAccess/keys (for the service)"),
            false => end.ended(0).says("No changes"),
        };
        assert_eq!(room.live.writes(), writes, "{}: at a fixed point nothing is sent", self.name);
    }
}

pub(crate) fn json_instants(deleted: &str, scheduled_purge: &str) -> Deletion {
    Deletion { deleted: deleted.parse().unwrap(), scheduled_purge: scheduled_purge.parse().unwrap() }
}
