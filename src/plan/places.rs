//! Where what a scope declares is written, so that whatever is said about it can lead there.

use std::collections::BTreeMap;

use super::change::Address;
use crate::terms::Place;

/// The places of a scope, of its settings, and of their parts.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<Address, Place>);

impl Places {
    /// Where what is at an address is written, or the nearest thing around it: an undeclared principal is found through the
    /// list that doesn't name it. None for what is in another scope.
    pub fn nearest(&self, address: &Address) -> Option<&Place> {
        let mut whole = Some(address.clone());
        while let Some(one) = whole {
            if let Some(place) = self.0.get(&one) {
                return Some(place);
            }
            whole = one.around();
        }
        None
    }
}

impl FromIterator<(Address, Place)> for Places {
    fn from_iter<T: IntoIterator<Item = (Address, Place)>>(places: T) -> Self {
        // Of two that share an address, as where a list is given twice, the first one counts.
        let mut all = BTreeMap::new();
        for (address, place) in places {
            all.entry(address).or_insert(place);
        }
        Self(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_declared_itself_is_found_through_what_is_around_it() {
        let place = |line| Place { file: "f.yaml".into(), line, column: 1 };
        let written = [("prod", 1), ("prod/users", 2), ("prod/users/ada@contoso.com", 3), ("prod/users", 9)];
        let places: Places = written.into_iter().map(|(at, line)| (Address::written(at), place(line))).collect();
        let line = |at: &str| places.nearest(&Address::written(at)).map(|place| place.line);
        assert_eq!(line("prod/users/ada@contoso.com"), Some(3));
        assert_eq!(line("prod/users/creator@contoso.com"), Some(2));
        assert_eq!(line("prod/apiAccess/keys/primary"), Some(1));
        assert_eq!(line("prod"), Some(1));
        assert_eq!((line("test/users"), line("production"), line("(caller)")), (None, None, None));
    }
}
