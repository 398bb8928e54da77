//! `/metadata/endpoints`: where a client that knows only ARM's address finds the rest of the cloud.
//!
//! The members are those that azure-cli 2.91 reads (`azure/cli/core/cloud.py`, `_arm_to_cli_mapper`). Invariants: needs no
//! token; every address is the emulator's own, under the origin that the client used; what the emulator doesn't serve has no
//! address here.

use std::sync::Arc;

use axum::extract::State;
use http::Method;
use serde_json::json;

use super::error::ArmError;
use crate::emulator::api_versions::CLOUD_METADATA;
use crate::emulator::call::{Answer, Call};
use crate::emulator::key_vault::LOCAL_VAULTS;
use crate::emulator::unserved;
use crate::emulator::{Shared, gate};

/// The name of this cloud.
const CLOUD: &str = "PalisadeEmulator";

pub(super) async fn serve(State(shared): State<Arc<Shared>>, call: Call) -> Answer {
    unserved::heeding(&call, || endpoints(&shared, &call)).unwrap_or_else(Answer::from)
}

fn endpoints(shared: &Shared, call: &Call) -> Result<Answer, ArmError> {
    super::only(call, &[Method::GET])?;
    let asked = call.parameter("api-version").filter(|v| !v.is_empty()).ok_or_else(ArmError::api_version_missing)?;
    if !CLOUD_METADATA.takes(asked) {
        return Err(ArmError::own_api_version_unknown(asked, CLOUD_METADATA));
    }
    let origin = call.origin.as_str();
    let port = call.origin.port().map_or_else(String::new, |port| format!(":{port}"));
    let cloud = json!({
        "name": CLOUD,
        "portal": origin,
        "authentication": {
            "loginEndpoint": origin.trim_end_matches('/'),
            "audiences": ["https://management.core.windows.net/", format!("{}/", gate::ARM)],
            "tenant": shared.store.read(|world| world.tenant.as_ref().map(|tenant| tenant.id)),
            "identityProvider": "AAD",
        },
        "resourceManager": origin,
        "microsoftGraphResourceId": origin,
        "suffixes": { "keyVaultDns": format!("{LOCAL_VAULTS}{port}") },
    });
    // The first version lists all clouds that there are.
    let list = asked == CLOUD_METADATA.versions().next().unwrap_or_default();
    Ok(Answer::ok(if list { json!([cloud]) } else { cloud }))
}
