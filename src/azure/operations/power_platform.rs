//! Power Platform: environments, what protects them, and the operations that change it.
//!
//! Words: *administration* is the older service ("BusinessAppPlatform"), which Microsoft's own modules call and doesn't
//! publish; the *Power Platform API* is the published one, and has no links of policies; *enterprise policies* are resources
//! of Azure. Invariants: what starts a lifecycle operation is never replayed, since a second one may be another; nor is what
//! creates a policy, since a second one may replace another's.

use super::super::rights::{Action, Need, Needs, Right};
use super::{Effect, Facts, Operation, Provenance, Read, Service, Write, documented};

/// What asking about an operation may also be answered with.
const WHILE_IT_GOES_ON: &[u16] = &[202];

const MODULES: &str =
    "microsoft/PowerPlatform-EnterprisePolicies and microsoft/terraform-provider-power-platform, enterprise_policy";
const TERRAFORM: &str = "microsoft/terraform-provider-power-platform, internal/services/environment";
const TOOLS: &str = "d365collaborative/d365bap.tools, functions/Get-BapEnvironmentOperation.ps1";
const LAB: &str = "dmauser/powerplat-network-security, pp-bap-rest-subnet-injection (a record of calls; weak)";
const SDK: &str = "powerplatform-management 2.0 (PyPI), which Microsoft generates from its own description";
const POLICIES: &str = "Azure/azure-rest-api-specs, openapi.json of Microsoft.PowerPlatform 2020-10-30-preview";
const PROVIDERS: &str = "Azure/azure-rest-api-specs, resources.json of Microsoft.Resources 2021-04-01";

const ADMINISTRATOR: Needs = Needs::One(Right::PowerPlatformAdministrator);
/// Links name a policy, which the caller must be able to read.
const LINK: Needs = Needs::All(&[
    Need::Right(Right::PowerPlatformAdministrator),
    Need::Right(Right::Azure(Action::ENTERPRISE_POLICY_READ)),
]);

const fn admin(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    api_version: &'static str,
    source: &'static str,
    needs: Needs,
) -> Facts {
    Facts {
        api_version: Some(api_version),
        provenance: Provenance::Observed,
        ..documented(Service::PowerPlatformAdmin, source, name, method, path, needs)
    }
}

const fn platform(name: &'static str, method: &'static str, path: &'static str) -> Facts {
    Facts {
        api_version: Some("2024-10-01"),
        ..documented(Service::PowerPlatform, SDK, name, method, path, ADMINISTRATOR)
    }
}

const fn policies(name: &'static str, method: &'static str, path: &'static str, action: Action) -> Facts {
    Facts {
        api_version: Some("2020-10-30-preview"),
        ..documented(Service::Arm, POLICIES, name, method, path, Needs::azure(action))
    }
}

/// Starts something that goes on after its answer.
const fn starts(effect: Effect, facts: Facts) -> Facts {
    Facts { effect, repeatable: false, ..facts }
}

/// Whether a subscription has registered a resource provider, and where its types can be.
pub const GET_PROVIDER: Operation<Read> = Operation::read(Facts {
    api_version: Some("2021-04-01"),
    ..documented(
        Service::Arm,
        PROVIDERS,
        "Microsoft.Resources/Providers_Get",
        "GET",
        "/subscriptions/{subscriptionId}/providers/{resourceProviderNamespace}",
        Needs::azure(Action::READ_PROVIDERS),
    )
});

/// The enterprise policies of a resource group.
pub const LIST_ENTERPRISE_POLICIES: Operation<Read> = Operation::read(policies(
    "Microsoft.PowerPlatform/EnterprisePolicies_ListByResourceGroup",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.PowerPlatform/enterprisePolicies",
    Action::ENTERPRISE_POLICY_READ,
));

/// One enterprise policy.
pub const GET_ENTERPRISE_POLICY: Operation<Read> = Operation::read(policies(
    "Microsoft.PowerPlatform/EnterprisePolicies_Get",
    "GET",
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.PowerPlatform/enterprisePolicies/{enterprisePolicyName}",
    Action::ENTERPRISE_POLICY_READ,
));

/// Creates an enterprise policy, or replaces one that no environment is linked to. Not repeatable: a second call would replace what
/// others made under that name meanwhile.
pub const PUT_ENTERPRISE_POLICY: Operation<Write> = Operation::write(Facts {
    effect: Effect::Write,
    repeatable: false,
    ..policies(
        "Microsoft.PowerPlatform/EnterprisePolicies_CreateOrUpdate",
        "PUT",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.PowerPlatform/enterprisePolicies/{enterprisePolicyName}",
        Action::ENTERPRISE_POLICY_WRITE,
    )
});

/// All environments of the tenant.
pub const ADMIN_LIST_ENVIRONMENTS: Operation<Read> = Operation::read(admin(
    "admin-environments-list",
    "GET",
    "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments",
    "2023-06-01",
    TERRAFORM,
    ADMINISTRATOR,
));

/// One environment, with the policies that it is linked to.
pub const ADMIN_GET_ENVIRONMENT: Operation<Read> = Operation::read(admin(
    "admin-environments-get",
    "GET",
    "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{environmentId}",
    "2023-06-01",
    TERRAFORM,
    ADMINISTRATOR,
));

/// Which lifecycle operations an environment would take, as far as the service says beforehand.
pub const ADMIN_GET_ENFORCEMENT: Operation<Read> = Operation::read(admin(
    "environments-lifecycle-operations-enforcement",
    "GET",
    "/providers/Microsoft.BusinessAppPlatform/environments/{environmentId}/lifecycleOperationsEnforcement",
    "2019-10-01",
    LAB,
    ADMINISTRATOR,
));

/// Links an environment to an encryption policy, over the one that it is linked to, if any. `scopes/admin` isn't in the path:
/// with it, there is no such route.
pub const ADMIN_LINK_ENCRYPTION: Operation<Write> = Operation::write(starts(
    Effect::Write,
    admin(
        "environments-encryption-link",
        "POST",
        "/providers/Microsoft.BusinessAppPlatform/environments/{environmentId}/enterprisePolicies/Encryption/link",
        "2019-10-01",
        MODULES,
        LINK,
    ),
));

/// Unlinks an environment from its encryption policy: back to a key of Microsoft's.
pub const ADMIN_UNLINK_ENCRYPTION: Operation<Write> = Operation::write(starts(
    Effect::Destructive,
    admin(
        "environments-encryption-unlink",
        "POST",
        "/providers/Microsoft.BusinessAppPlatform/environments/{environmentId}/enterprisePolicies/Encryption/unlink",
        "2019-10-01",
        MODULES,
        LINK,
    ),
));

/// The lifecycle operations of an environment, newest first.
pub const ADMIN_LIST_LIFECYCLE_OPERATIONS: Operation<Read> = Operation::read(admin(
    "lifecycle-operations-list",
    "GET",
    "/providers/Microsoft.BusinessAppPlatform/lifecycleOperations",
    "2024-05-01",
    TOOLS,
    ADMINISTRATOR,
));

/// One lifecycle operation.
pub const ADMIN_GET_LIFECYCLE_OPERATION: Operation<Read> = Operation::read(Facts {
    statuses: WHILE_IT_GOES_ON,
    ..admin(
        "lifecycle-operations-get",
        "GET",
        "/providers/Microsoft.BusinessAppPlatform/lifecycleOperations/{operationId}",
        "2023-06-01",
        TERRAFORM,
        ADMINISTRATOR,
    )
});

/// All environments of the tenant, by the published contract.
pub const PLATFORM_LIST_ENVIRONMENTS: Operation<Read> =
    Operation::read(platform("platform-environments-list", "GET", "/environmentmanagement/environments"));

/// One environment, by the published contract: how its links stand, and why one failed.
pub const PLATFORM_GET_ENVIRONMENT: Operation<Read> = Operation::read(platform(
    "platform-environments-get",
    "GET",
    "/environmentmanagement/environments/{environmentId}",
));

/// Makes an environment a managed one.
pub const PLATFORM_ENABLE_MANAGED: Operation<Write> = Operation::write(starts(
    Effect::Write,
    platform(
        "platform-enable-managed",
        "POST",
        "/environmentmanagement/environments/{environmentId}/governanceSetting/enableManaged",
    ),
));

/// Makes a managed environment an ordinary one.
pub const PLATFORM_DISABLE_MANAGED: Operation<Write> = Operation::write(starts(
    Effect::Destructive,
    platform(
        "platform-disable-managed",
        "POST",
        "/environmentmanagement/environments/{environmentId}/governanceSetting/disableManaged",
    ),
));

/// The operations of an environment, by the published contract.
pub const PLATFORM_LIST_OPERATIONS: Operation<Read> = Operation::read(platform(
    "platform-operations-list",
    "GET",
    "/environmentmanagement/environments/{environmentId}/operations",
));

/// One operation, by the published contract.
pub const PLATFORM_GET_OPERATION: Operation<Read> = Operation::read(Facts {
    statuses: WHILE_IT_GOES_ON,
    ..platform("platform-operations-get", "GET", "/environmentmanagement/operations/{operationId}")
});
