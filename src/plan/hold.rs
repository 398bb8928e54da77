//! What a change must have to itself while it is made.

use std::fmt;

use crate::terms::ResourceId;

/// Something to which one change at a time may write, across all scopes. Ordered, so that holds can be taken in one order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hold(String);

impl Hold {
    /// An Azure resource, however its id is spelt.
    pub fn resource(id: &ResourceId) -> Self {
        Self(id.as_str().to_lowercase())
    }

    /// Anything else with a name that stays the same.
    pub fn named(name: impl fmt::Display) -> Self {
        Self(name.to_string())
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_azure_resource_is_one_however_it_is_spelt() {
        let hold = |group: &str| {
            let id = format!(
                "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/v"
            );
            Hold::resource(&id.parse().unwrap())
        };
        assert_eq!(hold("RG"), hold("rg"));
        assert_ne!(hold("rg"), hold("other"));
    }
}
