//! Whether the published key works: the one thing that shows API access to be on where no operation may ask.
//!
//! Invariants: a value is tried only if it may be read (`verify: values`) and comes from the declared vault of this tenant; a
//! key that isn't accepted says nothing, since it may just be the wrong one.

use super::look::Look;
use crate::azure::Look as Services;
use crate::azure::customer_insights::{self as ci, KeyCheck};
use crate::azure::key_vault::{self as kv, Lookup};
use crate::rotation::Verify;

impl Look {
    /// Tries the published key on a harmless call.
    pub(in crate::settings::api_access) async fn published_key_works(&self, services: &Services) -> bool {
        let reader = services.reader();
        if self.keys.rotation.verify != Verify::Values || self.right_vault(services).await.is_err() {
            return false;
        }
        match kv::get_current(reader, &self.address()).await {
            Ok(Lookup::Found(secret)) => matches!(ci::check_key(reader, &secret.value).await, KeyCheck::Accepted),
            _ => false,
        }
    }
}
