//! The environments of the tenant that are on a customer's key and that no file declares, each with its policy and its key.

use std::rc::Rc;

use futures_util::future::join_all;

use crate::settings::customer_managed_key as one_key;
use crate::settings::hosting::{self, Hosting};
use crate::settings::observation::{Observation, Unreadable};
use crate::settings::setting::{Observing, Setting as _};

/// All of them, or why they could not be listed.
pub type Observed = Observation<Vec<Undeclared>>;

/// One of them.
#[derive(Debug, Clone)]
pub struct Undeclared {
    /// The environment.
    pub hosting: Hosting,
    /// What keeps it alive.
    pub observed: one_key::Observed,
}

/// Lists the environments, and looks at those that are linked to a policy.
pub(super) async fn observe(observing: &Observing<'_>) -> Observed {
    let all = hosting::environments(observing.look.reader(), observing.surface).await.map_err(Unreadable::from)?;
    let linked = all.into_iter().filter(|live| live.links.encryption.is_some());
    let undeclared = linked.filter(|live| !observing.declared.contains(&live.id));
    let looked_at = undeclared.map(async |live| {
        let hosting = Hosting { live: Rc::new(live), unbound: None };
        let observing = Observing { hosting: Ok(&hosting), ..*observing };
        let observed = one_key::Block::observe(None, &observing).await;
        Undeclared { hosting, observed }
    });
    Ok(join_all(looked_at).await)
}
