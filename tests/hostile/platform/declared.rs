//! What the file says of an environment in Power Platform.

use std::fmt::Write as _;

use super::{POLICIES, key, key_vault, policy, vault_of, version};
use crate::dice::Dice;

/// What is declared in Power Platform.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosted {
    /// The file names no instance.
    pub(crate) alone: bool,
    /// Whether it is to be a Managed Environment.
    pub(crate) managed: Option<bool>,
    pub(crate) key: Option<Key>,
}

/// Whose key is declared.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// None is Microsoft's.
    pub(crate) policy: Option<usize>,
    pub(crate) provision: bool,
    /// Former policies, each with whether it is still needed.
    pub(crate) retained: Vec<(usize, bool)>,
    /// The policies whose keys are pinned to a version; the same in all of a file.
    pub(crate) pinned: [bool; POLICIES],
}

impl Hosted {
    /// What each environment of a file declares there.
    pub(crate) fn generate(count: usize, dice: &mut Dice) -> Vec<Option<Self>> {
        let pinned = [(); POLICIES].map(|()| dice.chance(15));
        let shared = dice.roll(2);
        (0..count).map(|_| dice.chance(88).then(|| Self::one(pinned, shared, dice))).collect()
    }

    fn one(pinned: [bool; POLICIES], shared: usize, dice: &mut Dice) -> Self {
        let key = dice.chance(85).then(|| Key::generate(pinned, shared, dice));
        let managed = match &key {
            None => Some(dice.chance(80)),
            Some(key) if key.policy.is_some() => dice.chance(60).then_some(true),
            Some(_) => dice.weighted(&[(50, None), (40, Some(true)), (10, Some(false))]),
        };
        Self { alone: dice.chance(40), managed, key }
    }

    pub(crate) fn yaml(&self, text: &mut String) {
        if let Some(managed) = self.managed {
            let _ = writeln!(text, "    managedEnvironment: {{ enabled: {managed} }}");
        }
        let Some(key) = &self.key else { return };
        let who = if key.policy.is_some() { "customer" } else { "microsoft" };
        let _ = writeln!(text, "    customerManagedKey:\n      managedBy: {who}");
        if let Some(number) = key.policy {
            let _ = writeln!(text, "      policy: {}\n      key: {}", policy(number), key.of(number));
            if key.provision {
                *text += "      provision: true\n";
            }
        }
        if !key.retained.is_empty() {
            *text += "      retained:\n";
        }
        for (number, needed) in &key.retained {
            let until = if *needed { "2027-01-31" } else { "2026-11-01" };
            let _ =
                writeln!(text, "        - {{ policy: {}, key: {}, until: {until} }}", policy(*number), key.of(*number));
        }
    }
}

impl Key {
    fn generate(pinned: [bool; POLICIES], shared: usize, dice: &mut Dice) -> Self {
        let policy = dice.chance(80).then(|| if dice.chance(75) { shared } else { dice.roll(2) });
        let others = (0..POLICIES).filter(|number| Some(*number) != policy);
        let retained = others.filter(|_| dice.chance(22)).collect::<Vec<_>>();
        let retained = retained.into_iter().map(|number| (number, dice.chance(75))).collect();
        Self { policy, provision: dice.chance(72), retained, pinned }
    }

    /// The key of a policy, as the file says it.
    fn of(&self, number: usize) -> String {
        let version = if self.pinned[number] { format!(", version: {}", version(number)) } else { String::new() };
        format!("{{ vault: {}, name: {}{version} }}", key_vault(vault_of(number)), key(number))
    }

    /// The policies that the file names.
    pub(crate) fn policies(&self) -> impl Iterator<Item = usize> {
        self.policy.into_iter().chain(self.retained.iter().map(|(number, _)| *number))
    }
}
