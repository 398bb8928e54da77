//! Instances: what the caller can see of them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ApiError;
use super::{Answer, Face, Visit};
use crate::emulator::world::{CdsOrgInfo, Instance, InstanceMetadata, World};

/// Operation 1, and the locator of the scale units.
pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let seen = world
            .instances
            .iter()
            .filter(|(_, i)| !world.effective_roles(i, visit.caller.oid, visit.now).is_empty())
            .map(|(id, i)| match visit.face {
                Face::Gateway => info(*id, i),
                Face::ScaleUnit => located(visit, world, *id, i),
            });
        Ok(Answer::ok(Value::Array(seen.collect())))
    })
}

/// Operation 2.
pub(super) fn get(visit: &Visit<'_>, id: &str) -> Result<Answer, ApiError> {
    visit.read(|world| {
        let (id, instance) = visit.member(world, id)?;
        Ok(Answer::ok(metadata(id, &instance.metadata)))
    })
}

/// `InstanceInfo`: no region, no state, no Dataverse link.
fn info(id: Uuid, instance: &Instance) -> Value {
    let data = &instance.metadata;
    json!({
        "instanceId": id,
        "name": data.name,
        "instanceType": data.instance_type,
        "expiryTimeUtc": data.expiry_time_utc,
        "scaleUnitId": instance.scale_unit_id,
        "azureRegion": data.azure_region,
        "platformType": data.platform_type,
    })
}

/// An item of the scale units' list. The scale unit is this very server.
fn located(visit: &Visit<'_>, world: &World, id: Uuid, instance: &Instance) -> Value {
    json!({
        "instanceId": id,
        "tenantId": world.tenant.as_ref().map(|t| t.id),
        "tenantName": world.tenant.as_ref().map(|t| &t.name),
        "scaleUnitUri": visit.call.origin.as_str().trim_end_matches('/'),
        "name": instance.metadata.name,
        "instanceType": instance.metadata.instance_type,
        "region": instance.metadata.region,
    })
}

/// `InstanceMetadata`. Taken apart in full, so that a new member can't be forgotten.
fn metadata(id: Uuid, data: &InstanceMetadata) -> Value {
    let InstanceMetadata {
        name,
        instance_type,
        provisioning_state,
        region,
        azure_region,
        cds_org_info,
        is_b2_b,
        is_b2_c,
        is_byo_pbi,
        is_byo_synapse,
        is_cds_mdl_or_cds_byodl,
        expiry_time_utc,
        platform_type,
        version,
        updated_by,
        updated_utc,
        created_by,
        created_utc,
    } = data;
    json!({
        "instanceId": id,
        "name": name,
        "instanceType": instance_type,
        "provisioningState": provisioning_state,
        "region": region,
        "azureRegion": azure_region,
        "cdsOrgInfo": cds_org_info.as_ref().map(organisation),
        "isB2B": is_b2_b,
        "isB2C": is_b2_c,
        "isByoPbi": is_byo_pbi,
        "isByoSynapse": is_byo_synapse,
        "isCdsMdlOrCdsByodl": is_cds_mdl_or_cds_byodl,
        "isRefreshCredentialRequired": false,
        "expiryTimeUtc": expiry_time_utc,
        "platformType": platform_type,
        "version": version,
        "updatedBy": updated_by,
        "updatedUtc": updated_utc,
        "createdBy": created_by,
        "createdUtc": created_utc,
    })
}

fn organisation(organisation: &CdsOrgInfo) -> Value {
    let CdsOrgInfo { friendly_name, url, state, location, environment_sku } = organisation;
    json!({
        "friendlyName": friendly_name,
        "url": url,
        "state": state,
        "location": location,
        "environmentSku": environment_sku,
    })
}
