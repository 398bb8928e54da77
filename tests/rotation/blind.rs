//! Unknown is not absent: what happens to a decision when one of the facts behind it is hidden.

use palisade::rotation::{
    Access, Check, Content, Facts, Move, Published, Request, Rules, Run, Secret, Slot, Slots, assess_under, steps_under,
};

use super::runner::{Planned, Runner, State, Task};
use super::world::{Value, now};

/// Hides one thing after the other and looks whether something is sent all the same.
pub fn blind(rules: &Rules, state: &State) -> Option<String> {
    let world = &state.world;
    let declared = world.declared();
    let slots = match &state.runners[0] {
        Runner::Read { slots, .. } => *slots,
        Runner::Idle => [Value::Live(Slot::Primary), Value::Live(Slot::Secondary)],
        _ => return None,
    };
    for (what, facts) in hidden(&world.facts(slots)) {
        let acts = match &state.runners[0] {
            Runner::Read { task: Task::Step { planned, step, .. }, .. } => acts(rules, state, *planned, *step, &facts),
            // Switching on is not a publication: the step that publishes has to read the keys that came.
            _ => assess_under(rules, &declared, &facts, now()).next.is_some_and(|next| match next {
                Move::AskPerson(_) | Move::RecoverSecret => false,
                Move::PublishNewKeys { .. } => !matches!(facts.slots, Slots::Unknown(_) | Slots::NotRead),
                _ => true,
            }),
        };
        if acts {
            return Some(format!("\n  although {what}"));
        }
    }
    None
}

fn acts(rules: &Rules, state: &State, planned: Planned, step: u8, facts: &Facts) -> bool {
    let declared = state.world.declared();
    let Some(kind) = steps_under(rules, &planned.get()).get(usize::from(step)) else { return false };
    let run = Run { declared: &declared, planned: planned.get(), plan: "", rules: *rules };
    matches!(
        run.check(*kind, facts, now()),
        Check::Continue(Request::Regenerate { .. } | Request::Publish { .. }) | Check::Heal(Move::Repair { .. })
    )
}

/// The facts with one thing hidden.
fn hidden(facts: &Facts) -> Vec<(&'static str, Facts)> {
    let reason = || "403".to_owned();
    let mut all = vec![
        ("API access is unknown", Facts { access: Access::Unknown(reason()), ..facts.clone() }),
        ("the secret is unknown", Facts { secret: Secret::Unknown(reason()), ..facts.clone() }),
    ];
    if !matches!(facts.secret, Secret::SoftDeleted) {
        all.push(("the slots are unknown", Facts { slots: Slots::Unknown(reason()), ..facts.clone() }));
        all.push(("the slots were not read", Facts { slots: Slots::NotRead, ..facts.clone() }));
    }
    if let Secret::Present(published) = &facts.secret {
        let mut with = |what, change: &dyn Fn(&mut Published)| {
            let mut published = published.clone();
            change(&mut published);
            all.push((what, Facts { secret: Secret::Present(published), ..facts.clone() }));
        };
        with("the list of versions is cut off", &|published| published.complete = false);
        with("the current version is unreadable", &|published| {
            published.current.content = Content::Unreadable(reason())
        });
        for index in 0..published.history.len() {
            with("a former version is unreadable", &|published| {
                published.history[index].content = Content::Unreadable(reason());
            });
        }
    }
    all
}
