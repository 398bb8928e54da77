//! Breadth-first search through everything that can happen, with the properties that must hold on the way.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use palisade::rotation::{Move, Rules, Why, assess_under};

use super::blind::blind;
use super::people::Deed;
use super::runner::{Harm, Luck, Runner, State, broken_by_palisade};
use super::world::{Shelf, Value, World, now};
use palisade::terms::Slot;

/// Runs in a row after which nothing may be left to send.
const REST: usize = 5;

/// What is walked through.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub rules: Rules,
    /// Properties that are looked at; a walk for a counter-example looks at one.
    pub harms: &'static [Harm],
    /// What can happen to a runner.
    pub luck: &'static [Luck],
    /// Whether a person may store a value by hand between the reading and the sending of a run.
    pub hand_races: bool,
    /// Whether days pass.
    pub days: bool,
    /// States after which a walk gives up.
    pub limit: usize,
}

/// What a walk found.
#[derive(Default)]
pub struct Walk {
    pub states: usize,
    pub transitions: usize,
    /// States in which two runs were under way at once.
    pub interleaved: usize,
    /// Most complete runs until nothing was left to send.
    pub most_runs: usize,
    /// Most steps of runners during which consumers got a dead value: without, and with one death on the way.
    pub broken_steps: [usize; 2],
    pub counter_example: Option<(Harm, String)>,
}

/// A fast hash: states are many, and nobody attacks them.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// An event of a walk.
#[derive(Clone, Copy)]
enum Event {
    Start,
    Runner(usize, Luck),
    Deed(Deed),
    Tick,
}

struct Visited {
    state: Rc<State>,
    parent: usize,
    event: Event,
}

struct Walker {
    scope: Scope,
    seen: HashMap<Rc<State>, usize, BuildHasherDefault<Mix>>,
    visited: Vec<Visited>,
    /// Between states in which consumers get what palisade made die: from, to, what it costs.
    broken: Vec<(usize, usize, Cost)>,
    walk: Walk,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    Free,
    Step,
    Fault,
}

/// Walks from the given states.
pub fn walk(scope: Scope, starts: Vec<State>) -> Walk {
    let mut walker =
        Walker { scope, seen: HashMap::default(), visited: Vec::new(), broken: Vec::new(), walk: Walk::default() };
    for mut start in starts {
        start.canonical();
        walker.visit(start, usize::MAX, Event::Start);
    }
    let mut at = 0;
    while at < walker.visited.len() && walker.walk.counter_example.is_none() {
        assert!(
            walker.visited.len() < scope.limit,
            "the world is larger than it should be: {}",
            walker.walk.transitions
        );
        walker.expand(at);
        at += 1;
    }
    walker.walk.states = walker.visited.len();
    walker.walk.broken_steps = walker.longest_outage();
    walker.walk
}

impl Walker {
    fn visit(&mut self, state: State, parent: usize, event: Event) -> usize {
        if let Some(known) = self.seen.get(&state) {
            return *known;
        }
        let state = Rc::new(state);
        let number = self.visited.len();
        self.seen.insert(Rc::clone(&state), number);
        self.visited.push(Visited { state, parent, event });
        number
    }

    fn expand(&mut self, at: usize) {
        let state = Rc::clone(&self.visited[at].state);
        let busy = state.runners.iter().filter(|runner| **runner != Runner::Idle).count();
        self.walk.interleaved += usize::from(busy > 1);
        if let Some((harm, what)) = self.judge(&state)
            && self.scope.harms.contains(&harm)
        {
            let trace = self.trace(at) + &what;
            self.walk.counter_example = Some((harm, trace));
            return;
        }
        let mut events = Vec::new();
        for runner in 0..state.runners.len() {
            // Runners are alike: which of two idle ones starts makes no difference.
            if state.runners[..runner].contains(&state.runners[runner]) {
                continue;
            }
            events.extend(self.scope.luck.iter().map(|luck| Event::Runner(runner, *luck)));
        }
        // Between its reading and the end of its sending a run acts on what it read.
        let acting = state.runners.iter().any(|runner| matches!(runner, Runner::Send { .. } | Runner::Read { .. }));
        if state.people > 0 {
            let races = |deed: &Deed| self.scope.hand_races || !acting || !matches!(deed, Deed::StoreByHand { .. });
            events.extend(Deed::ALL.into_iter().filter(races).map(Event::Deed));
        }
        // That takes less than a day. Days pass while a run stands still, not while two do at once.
        if self.scope.days && !acting && busy < 2 {
            events.push(Event::Tick);
        }
        for event in events {
            self.happen(at, &state, event);
        }
    }

    fn happen(&mut self, at: usize, state: &State, event: Event) {
        let Some((mut next, harm)) = after(&self.scope.rules, state, event) else { return };
        self.walk.transitions += 1;
        let outage = broken_by_palisade(&state.world) && broken_by_palisade(&next.world);
        if next.runners.len() > 1 {
            next.world.loose = [false; 2];
            next.runners.sort_unstable();
            next.canonical();
        }
        if let Some(harm) = harm.filter(|harm| self.scope.harms.contains(harm)) {
            // The state may be an old acquaintance; what is wrong is the way that led to it this time.
            let last = line(&told(&self.scope.rules, state, event), &next);
            self.walk.counter_example.get_or_insert((harm, self.trace(at) + "\n" + &last));
        }
        let to = self.visit(next, at, event);
        if outage {
            let cost = match event {
                Event::Runner(_, Luck::Fine) => Cost::Step,
                Event::Tick | Event::Start => Cost::Free,
                Event::Runner(..) | Event::Deed(_) => Cost::Fault,
            };
            self.broken.push((at, to, cost));
        }
    }

    /// How a state came about, one event per line.
    fn trace(&self, mut at: usize) -> String {
        let mut lines = Vec::new();
        while at != usize::MAX {
            let Visited { state, parent, event } = &self.visited[at];
            let what = match self.visited.get(*parent) {
                Some(before) => told(&self.scope.rules, &before.state, *event),
                None => "at first".to_owned(),
            };
            lines.push(line(&what, state));
            at = *parent;
        }
        lines.reverse();
        lines.join("\n")
    }

    /// What must hold in each state.
    fn judge(&mut self, state: &State) -> Option<(Harm, String)> {
        let alone = state.runners.len() == 1;
        if alone && state.world.holds_what_palisade_killed() {
            return Some((Harm::Cut, String::new()));
        }
        if alone && let Some(what) = blind(&self.scope.rules, state) {
            return Some((Harm::Blind, what));
        }
        if state.idle() { self.complete_runs(state) } else { None }
    }

    /// From an idle state, runs that nothing disturbs.
    fn complete_runs(&mut self, state: &State) -> Option<(Harm, String)> {
        let mut at = state.clone();
        for run in 0..REST {
            let (after, sent) = complete_run(&self.scope.rules, &at);
            let World { access, shelf, .. } = state.world;
            if run == 0 && (state.world.is_broken() || state.world.is_reserved() || !access || shelf == Shelf::Deleted)
            {
                let open = after.world.shelf == Shelf::Present && !after.world.is_reserved();
                let repaired = after.world.access && !after.world.is_broken() && open;
                let regenerated = sent.iter().any(|sent| sent.contains("Regenerate"));
                if (!repaired || regenerated) && !only_a_person_can(&self.scope.rules, state) {
                    return Some((Harm::NotRepaired, format!("\n  then a complete run does: {sent:?}")));
                }
            }
            if sent.is_empty() {
                self.walk.most_runs = self.walk.most_runs.max(run);
                return at.unrest(&self.scope.rules);
            }
            at = after;
        }
        Some((Harm::Restless, String::new()))
    }

    /// The longest way through states in which consumers get what palisade made die, in steps of runners.
    fn longest_outage(&self) -> [usize; 2] {
        let mut edges: HashMap<usize, Vec<(usize, Cost)>> = HashMap::new();
        for (from, to, cost) in &self.broken {
            if from != to {
                edges.entry(*from).or_default().push((*to, *cost));
            }
        }
        let mut known = HashMap::new();
        let starts: Vec<usize> =
            (0..self.visited.len()).filter(|at| broken_by_palisade(&self.visited[*at].state.world)).collect();
        [0, 1].map(|faults| starts.iter().map(|at| longest(*at, faults, &edges, &mut known)).max().unwrap_or(0))
    }
}

/// A line of a trace: what happened, and what the vault holds then, newest first.
fn line(what: &str, state: &State) -> String {
    let versions: Vec<_> = state.world.versions.iter().map(|version| format!("{:?}", version.value)).collect();
    format!("  {what:<65} vault: {}", versions.join(", "))
}

/// What an event leads to; none if it can't happen.
fn after(rules: &Rules, state: &State, event: Event) -> Option<(State, Option<Harm>)> {
    match event {
        Event::Start => None,
        Event::Runner(runner, luck) => state.advance(rules, runner, luck).map(|(next, _, harm)| (next, harm)),
        Event::Deed(deed) => state.interfere(deed).map(|next| (State { people: state.people - 1, ..next }, None)),
        Event::Tick => {
            let mut next = state.clone();
            next.tick();
            next.canonical();
            Some((next, None))
        }
    }
}

/// An event in words.
fn told(rules: &Rules, state: &State, event: Event) -> String {
    match event {
        Event::Start => String::new(),
        Event::Deed(deed) => format!("somebody: {deed:?}"),
        Event::Tick => "a day passes".to_owned(),
        Event::Runner(runner, luck) => {
            let what = state.advance(rules, runner, luck).map(|(_, what, _)| what.to_string()).unwrap_or_default();
            // Runners are sorted in each state, so only what one is about tells it from the other.
            format!("run {what}")
        }
    }
}

/// Steps from a broken state on, the one that repairs it included.
fn longest(
    at: usize,
    faults: usize,
    edges: &HashMap<usize, Vec<(usize, Cost)>>,
    known: &mut HashMap<(usize, usize), Option<usize>>,
) -> usize {
    match known.get(&(at, faults)) {
        Some(Some(length)) => return *length,
        Some(None) => panic!("consumers may get a dead value for ever"),
        None => {}
    }
    known.insert((at, faults), None);
    let mut most = 1;
    for (to, cost) in edges.get(&at).map_or(&[][..], Vec::as_slice) {
        let length = match cost {
            Cost::Free => longest(*to, faults, edges, known),
            Cost::Step => 1 + longest(*to, faults, edges, known),
            Cost::Fault if faults > 0 => 1 + longest(*to, faults - 1, edges, known),
            Cost::Fault => continue,
        };
        most = most.max(length);
    }
    known.insert((at, faults), Some(most));
    most
}

/// One run without trouble, with what it sent.
fn complete_run(rules: &Rules, state: &State) -> (State, Vec<String>) {
    let mut at = state.clone();
    let mut sent = Vec::new();
    loop {
        let (next, what, _) = at.advance(rules, 0, Luck::Fine).unwrap();
        if matches!(at.runners[0], Runner::Send { .. }) {
            sent.push(what.to_string());
        }
        at = next;
        if at.idle() {
            return (at, sent);
        }
    }
}

/// Whether what is wrong is nothing that palisade may put right.
fn only_a_person_can(rules: &Rules, state: &State) -> bool {
    let world = &state.world;
    let facts = world.facts([Value::Live(Slot::Primary), Value::Live(Slot::Secondary)]);
    match assess_under(rules, &world.declared(), &facts, now()).next {
        Some(Move::AskPerson(Why::VersionDisabled)) => world.shelf == Shelf::Disabled,
        // A secret that doesn't bear a single mark of ours may be anybody's.
        Some(Move::AskPerson(Why::SecretForeign)) => world.versions.iter().all(|version| version.notes.slot.is_none()),
        // A secret that was recovered may turn out to be disabled, or another's: one thing at a time.
        Some(Move::RecoverSecret) => world.versions.iter().all(|version| version.notes.slot.is_none()) || !world.access,
        _ => false,
    }
}

/// Numbers for a person.
pub fn summary(name: &str, walk: &Walk, seconds: f64) -> String {
    let Walk { states, transitions, interleaved, most_runs, broken_steps, counter_example } = walk;
    let mut text = format!(
        "{name}: {states} states, {transitions} transitions, {interleaved} with two runs under way, {seconds:.1} s; at rest after \
         {most_runs} runs at most; outage of {} steps at most, {} if a runner dies\n",
        broken_steps[0], broken_steps[1],
    );
    if let Some((harm, trace)) = counter_example {
        let _ = writeln!(text, "{harm:?} after:\n{trace}");
    }
    text
}
