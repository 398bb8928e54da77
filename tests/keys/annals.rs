//! A year in the life of one environment: a run every day, by the calendar.
//!
//! Every evening consumers must hold a live key; what was replaced must work for the whole of its grace and be dead soon
//! afterwards. People do what people do: one regenerates the published key in the portal, one deletes the secret, and one
//! day the run is killed. What happened is kept in `annals.txt`, for review; `PALISADE_BLESS=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use crate::live::Moment;
use crate::moves::{json_instants, untouched};
use crate::room::{DECLARED, Held, Room, secret_mut, slots};

const FIRST_DAY: &str = "2026-11-20T12:00:00Z";
const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The days on which somebody does something before the run.
const REGENERATED_BY_HAND: u32 = 30;
const DELETED: u32 = 100;
const STANDBY_BY_HAND: u32 = 140;
/// On this day a rotation is due, and the run dies right after its regeneration took effect.
const POWER_CUT: u32 = 184;

/// What became of each value.
#[derive(Default)]
struct Lives {
    /// `P1`, `P2` …, in the order in which they came.
    names: BTreeMap<String, String>,
    /// Since when a value that consumers held is no longer the published one.
    replaced: BTreeMap<String, Timestamp>,
    held: Option<String>,
    /// What people killed; no grace can hold for it.
    killed: Vec<String>,
}

impl Lives {
    fn name(&mut self, slot: usize, value: &str) -> String {
        let letter = ["P", "S"][slot];
        let next = self.names.values().filter(|name| name.starts_with(letter)).count() + 1;
        self.names.entry(value.to_owned()).or_insert_with(|| format!("{letter}{next}")).clone()
    }

    /// The names of what is alive, and of what consumers hold.
    fn look(&mut self, room: &Room) -> (String, String) {
        let world = room.live.world();
        let Some(slots) = slots(&world) else { return ("-".to_owned(), "nothing".to_owned()) };
        let names = [self.name(0, &slots[0]), self.name(1, &slots[1])];
        let holds = match room.held() {
            Held::Primary => names[0].clone(),
            Held::Secondary => names[1].clone(),
            Held::Dead => "a dead key".to_owned(),
            Held::Blocked | Held::Nothing => "nothing".to_owned(),
        };
        (names.join(" "), holds)
    }

    /// Checks one evening, after the run.
    fn check(&mut self, room: &Room, day: u32) {
        let slots = slots(&room.live.world()).unwrap();
        let holding = room.held();
        assert!(holding.is_live(), "day {day}: {holding:?}");
        let now = slots[usize::from(holding == Held::Secondary)].clone();
        if let Some(before) = self.held.replace(now.clone()).filter(|before| *before != now) {
            self.replaced.insert(before, room.now);
        }
        self.replaced.remove(&now);
        for (value, since) in &self.replaced {
            let age = room.now.duration_since(*since);
            let (alive, name) = (slots.contains(value), &self.names[value]);
            let in_grace = age < GRACE && !self.killed.contains(value);
            assert!(alive || !in_grace, "day {day}: {name} died {} hours after it was replaced", age.as_hours());
            assert!(age < GRACE + DAY || !alive, "day {day}: {name} outlived its grace");
        }
    }
}

/// What people do on a day, in words.
fn deed(mut room: Room, lives: &mut Lives, day: u32) -> (Room, Option<&'static str>) {
    let mut by_hand = |room: &Room, held: bool| {
        let primary = (room.held() == Held::Primary) == held;
        let keys = slots(&room.live.world()).unwrap();
        lives.killed.push(keys[usize::from(!primary)].clone());
        room.regenerate_by_hand(if primary { "primary" } else { "secondary" });
    };
    let words = match day {
        REGENERATED_BY_HAND => {
            by_hand(&room, true);
            "somebody regenerates the published key in the portal"
        }
        STANDBY_BY_HAND => {
            by_hand(&room, false);
            "somebody regenerates the standby key in the portal"
        }
        DELETED => {
            let deletion = json_instants(&room.now.to_string(), &(room.now + DAY * 90).to_string());
            room = room.changed(|world| secret_mut(world).deleted = Some(deletion));
            "somebody deletes the secret"
        }
        POWER_CUT => "the run is killed as soon as it has regenerated a key",
        _ => return (room, None),
    };
    (room, Some(words))
}

/// The day's run. Tells what plan and apply said.
fn run(room: &Room, day: u32) -> (String, String) {
    if day == POWER_CUT {
        let hold = room.live.hold(Moment::After, "POST", "key");
        let running = room.begin(&["apply", "--yes"]);
        hold.arrived();
        running.kill();
        return ("(killed)".to_owned(), "note the intent, regenerate the standby key".to_owned());
    }
    let run = room.apply().ended(0);
    let steps = run.stderr.lines().filter_map(|line| line.split_once(": ")).map(|(_, step)| step);
    let steps: Vec<&str> = steps.filter(|step| *step != "done").map(|step| step.split(" (").next().unwrap()).collect();
    let reason = |line: &str| {
        let (_, reason) = line.split_once("published as ci-api-key in kv-ci-prod: ")?;
        Some(reason.split(" (palisade.yaml:").next().unwrap().to_owned())
    };
    let plan = run.stdout.lines().find_map(reason).unwrap_or_default();
    (plan, steps.join(", "))
}

#[test]
fn a_year_in_the_life_of_an_environment() {
    let mut room = Room::at(FIRST_DAY, DECLARED, untouched());
    let mut lives = Lives::default();
    let mut table = "day  date        alive  consumers held\n".to_owned();
    let (mut quiet, mut regenerated) = (0, [0, 0]);
    for day in 0..365 {
        let (_, yesterday) = lives.look(&room);
        let (changed, words) = deed(room, &mut lives, day);
        room = changed;
        let (_, before) = lives.look(&room);
        let so_far = room.regenerated();
        let (plan, did) = run(&room, day);
        let today = room.regenerated();
        let new = [today[0] - so_far[0], today[1] - so_far[1]];
        assert!(new[0] + new[1] <= 1, "day {day}: more than one slot in a run");
        regenerated = [regenerated[0] + new[0], regenerated[1] + new[1]];
        let (alive, after) = lives.look(&room);
        lives.check(&room, day);
        if did.is_empty() && words.is_none() {
            quiet += 1;
        } else {
            let way = if yesterday == before { vec![before, after] } else { vec![yesterday, before, after] };
            let _ = writeln!(table, "{day:>3}  {}  {alive:<5}  {}", &room.now.to_string()[..10], way.join(" -> "));
            let said = if plan.is_empty() { "nothing to do".to_owned() } else { plan };
            let lines = [("people", words.unwrap_or_default()), ("plan", said.as_str()), ("apply", did.as_str())];
            for (who, what) in lines.into_iter().filter(|(_, what)| !what.is_empty()) {
                let _ = writeln!(table, "       {who:<7} {what}");
            }
        }
        room.later(24);
    }
    let [primary, secondary] = regenerated;
    let _ = writeln!(
        table,
        "{quiet} other days: nothing to do. Regenerated: primary {primary} times, secondary {secondary} times."
    );
    println!("{table}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/annals.txt");
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), table, "if it should be so: PALISADE_BLESS=1");
}
