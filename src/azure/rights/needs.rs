//! What an operation needs: a set of rights, perhaps with alternatives.

use std::fmt;

use super::{Action, Place, Right, roles::Role};

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// No right at all.
    Nothing,
    /// One right.
    One(Right),
    /// Each of these.
    All(&'static [Need]),
    /// Those of the look-ups that it carries.
    OfItsLookUps,
    /// Those of the operation that it asks about.
    OfItsOperation,
    /// To read what it is to find: what the caller may not read, it doesn't find.
    ToReadWhatItFinds,
}

/// One item of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// This right.
    Right(Right),
    /// One of these.
    OneOf(&'static [Right]),
    /// Sources disagree whether this one is needed, so that lacking it proves nothing.
    Disputed(Right),
}

impl Needs {
    /// An action on an Azure resource.
    pub const fn azure(action: Action) -> Self {
        Self::One(Right::Azure(action))
    }

    /// The items of the set; none where it isn't one of its own.
    pub fn items(&self) -> Vec<Need> {
        match self {
            Self::One(right) => vec![Need::Right(*right)],
            Self::All(needs) => needs.to_vec(),
            Self::Nothing | Self::OfItsLookUps | Self::OfItsOperation | Self::ToReadWhatItFinds => Vec::new(),
        }
    }

    /// All rights that are named.
    pub fn rights(&self) -> Vec<Right> {
        let rights = |need: Need| match need {
            Need::Right(right) | Need::Disputed(right) => vec![right],
            Need::OneOf(rights) => rights.to_vec(),
        };
        self.items().into_iter().flat_map(rights).collect()
    }

    /// The stable names of the items, for programs; alternatives are parted by `|`.
    pub fn ids(&self) -> Vec<String> {
        let id = |need: Need| match need {
            Need::Right(right) | Need::Disputed(right) => right.id(),
            Need::OneOf(rights) => rights.iter().map(|right| right.id()).collect::<Vec<_>>().join("|"),
        };
        self.items().into_iter().map(id).collect()
    }

    /// Whether the rights are held on an Azure resource, or in one.
    pub fn in_azure(&self) -> bool {
        self.rights().iter().any(|right| matches!(right.place(), Place::Resource | Place::Vault))
    }

    /// The least built-in Azure role that has all of them that are held in Azure; none where no such role does.
    pub fn role(&self) -> Option<Role> {
        // A test makes sure that the items of a set that are held at one place are of one role.
        self.rights().iter().find_map(|right| right.role())
    }

    /// How a caller who was refused comes to have them: the role that has them, and who grants it, place by place.
    pub fn remedy(&self) -> Option<String> {
        let mut places: Vec<Right> = Vec::new();
        for right in self.rights() {
            if places.iter().all(|known| known.place() != right.place()) {
                places.push(right);
            }
        }
        let several = places.len() > 1;
        let remedies = places.into_iter().map(|right| {
            let by = right.place().granted_by();
            match (right.role(), several) {
                (Some(role), false) => format!("the role {role} has it, granted by {by}"),
                (None, false) => format!("granted by {by}"),
                (Some(role), true) => format!("{right}: the role {role} has it, granted by {by}"),
                (None, true) => format!("{right}: granted by {by}"),
            }
        });
        Some(remedies.collect::<Vec<_>>().join("; ")).filter(|remedies| !remedies.is_empty())
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right(right) => write!(f, "{right}"),
            Self::OneOf(rights) => {
                let words: Vec<String> = rights.iter().map(Right::to_string).collect();
                write!(f, "{}", words.join(" or "))
            }
            Self::Disputed(right) => write!(f, "{right} (disputed: tried without it)"),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none needed"),
            Self::OfItsLookUps => f.write_str("the rights of the look-ups inside"),
            Self::OfItsOperation => f.write_str("the rights of the operation itself"),
            Self::ToReadWhatItFinds => f.write_str("read rights on what it is to find"),
            Self::One(_) | Self::All(_) => {
                let words: Vec<String> = self.items().iter().map(Need::to_string).collect();
                write!(f, "{}", words.join(" and "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{GraphPermission, VaultRight};
    use super::*;
    use crate::azure::operations::ALL;

    #[test]
    fn sets_read_as_sentences_and_as_names() {
        let approve = Needs::All(&[
            Need::Right(Right::Azure(Action::STORAGE_APPROVE)),
            Need::Disputed(Right::Azure(Action::STORAGE_WRITE_CONNECTIONS)),
        ]);
        assert_eq!(
            approve.to_string(),
            "Microsoft.Storage/storageAccounts/PrivateEndpointConnectionsApproval/action and \
             Microsoft.Storage/storageAccounts/privateEndpointConnections/write (disputed: tried without it)"
        );
        assert_eq!(approve.ids().len(), 2);
        assert_eq!(approve.role().map(|role| role.name), Some("Storage Account Contributor"));
        let users = Needs::All(&[Need::OneOf(&[
            Right::Graph(GraphPermission::Users),
            Right::Graph(GraphPermission::Directory),
        ])]);
        assert_eq!(users.to_string(), "Microsoft Graph User.Read.All or Microsoft Graph Directory.Read.All");
        assert_eq!(users.ids(), ["MicrosoftGraph/User.Read.All|MicrosoftGraph/Directory.Read.All"]);
        assert_eq!(users.remedy().as_deref(), Some("granted by an administrator of the directory"));
        assert!(!users.in_azure() && Needs::One(Right::Vault(VaultRight::SetSecret)).in_azure());
        let link = Needs::All(&[
            Need::Right(Right::PowerPlatformAdministrator),
            Need::Right(Right::Azure(Action::ENTERPRISE_POLICY_READ)),
        ]);
        assert_eq!(
            link.remedy().as_deref(),
            Some(
                "Power Platform administrator: granted by a Power Platform administrator, who registers the application as \
                 one; Microsoft.PowerPlatform/enterprisePolicies/read: the role Reader has it, granted by an Owner or a User \
                 Access Administrator of the resource"
            )
        );
        assert_eq!((link.role().map(|role| role.name), link.in_azure()), (Some("Reader"), true));
        assert_eq!((Needs::Nothing.to_string().as_str(), Needs::Nothing.ids().len()), ("none needed", 0));
    }

    /// What [`Needs::role`] and [`Needs::remedy`] rest on.
    #[test]
    fn every_operation_says_what_it_needs_and_one_role_a_place_has_all_of_it() {
        for facts in ALL {
            let rights = facts.needs.rights();
            let silent = matches!(
                facts.needs,
                Needs::Nothing | Needs::OfItsLookUps | Needs::OfItsOperation | Needs::ToReadWhatItFinds
            );
            assert_eq!(rights.is_empty(), silent, "{}", facts.name);
            let roles: BTreeMap<_, _> = rights.iter().map(|right| (right.place(), right.role())).collect();
            for right in rights {
                assert_eq!(roles.get(&right.place()), Some(&right.role()), "{}: {roles:?}", facts.name);
            }
            let in_azure = roles.values().flatten().count();
            assert!(in_azure <= 1, "{}: {roles:?}", facts.name);
        }
    }
}
