//! Unknown is not absent: what happens to a decision when one of the facts behind it is hidden.

use palisade::rotation::{
    Access, Check, Content, Facts, Move, Published, Request, Rules, Run, Secret, Slots, VaultClock, assess_under,
    steps_under,
};

use super::runner::{Runner, State, Task};
use super::world::{Value, now};
use palisade::terms::Slot;

/// What hiding a fact must keep a run from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forbids {
    /// Regenerating and publishing.
    Both,
    /// Regenerating, and publishing unless consumers hold nothing that works.
    AllButRepair,
    /// Regenerating.
    Regenerating,
}

/// What a run would do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Regenerate,
    Publish,
}

/// Hides one thing after the other and looks whether something is sent all the same.
pub fn blind(rules: &Rules, state: &State) -> Option<String> {
    let slots = match &state.runners[0] {
        Runner::Read { slots, .. } => *slots,
        Runner::Idle => [Value::Live(Slot::Primary), Value::Live(Slot::Secondary)],
        _ => return None,
    };
    for (what, forbids, facts) in hidden(&state.world.facts(slots)) {
        let act = match &state.runners[0] {
            Runner::Read { task: Task::Step { planned, step, .. }, .. } => acts(rules, state, *planned, *step, &facts),
            _ => assess_under(rules, &state.world.declared(), &facts, now()).next.and_then(|next| match next {
                Move::AskPerson(_) | Move::RecoverSecret | Move::FinishRetirement { .. } => None,
                // Switching on is not a publication: the step that publishes has to read the keys that came.
                Move::PublishNewKeys { .. } => None,
                next if next.regenerates() => Some(Act::Regenerate),
                _ => Some(Act::Publish),
            }),
        };
        let harmless = match forbids {
            Forbids::Both => false,
            Forbids::AllButRepair => act == Some(Act::Publish) && !works(&facts),
            Forbids::Regenerating => act == Some(Act::Publish),
        };
        if act.is_some() && !harmless {
            return Some(format!("\n  although {what}"));
        }
    }
    None
}

/// Whether what consumers get is a live key.
fn works(facts: &Facts) -> bool {
    facts.active().is_some()
}

fn acts(rules: &Rules, state: &State, planned: Move, step: u8, facts: &Facts) -> Option<Act> {
    let declared = state.world.declared();
    let kind = steps_under(rules, &planned).get(usize::from(step))?;
    let run = Run { declared: &declared, planned, plan: "", rules: *rules };
    match run.check(*kind, facts, now()) {
        Check::Continue(Request::Regenerate { .. }) => Some(Act::Regenerate),
        Check::Continue(Request::Publish { .. }) | Check::Heal(Move::Repair { .. }) => Some(Act::Publish),
        _ => None,
    }
}

/// The facts with one thing hidden.
fn hidden(facts: &Facts) -> Vec<(&'static str, Forbids, Facts)> {
    let reason = || "403".to_owned();
    let (secret, clock) = (Secret::Unknown(reason()), VaultClock::Unproved(reason()));
    let mut all = vec![
        ("API access is unknown", Forbids::Both, Facts { access: Access::Unknown(reason()), ..facts.clone() }),
        ("the secret is unknown", Forbids::Both, Facts { secret, ..facts.clone() }),
        ("the vault's clock is unknown", Forbids::Regenerating, Facts { clock, ..facts.clone() }),
        (
            "the vault's clock is wrong",
            Forbids::Regenerating,
            Facts { clock: VaultClock::Apart { minutes: 6 }, ..facts.clone() },
        ),
    ];
    if !matches!(facts.secret, Secret::SoftDeleted) {
        let slots = Slots::Unknown(reason());
        all.push(("the slots are unknown", Forbids::Both, Facts { slots, ..facts.clone() }));
        all.push(("the slots were not read", Forbids::Both, Facts { slots: Slots::NotRead, ..facts.clone() }));
    }
    if let Secret::Present(published) = &facts.secret {
        let mut with = |what, forbids, change: &dyn Fn(&mut Published)| {
            let mut published = published.clone();
            change(&mut published);
            all.push((what, forbids, Facts { secret: Secret::Present(published), ..facts.clone() }));
        };
        with("the versions can't be listed", Forbids::AllButRepair, &|published| published.history = Err(reason()));
        with("the current version is unreadable", Forbids::Both, &|published| {
            published.current.content = Content::Unreadable(reason())
        });
        for index in 0..published.history.as_ref().map_or(0, Vec::len) {
            with("a former version is unreadable", Forbids::AllButRepair, &|published| {
                if let Ok(history) = &mut published.history {
                    history[index].content = Content::Unreadable(reason());
                }
            });
        }
    }
    all
}
