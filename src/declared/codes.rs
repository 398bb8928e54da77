//! Codes about the configuration as a whole.

use crate::config::codes::codes;

codes! {
    MISSING_TENANT "missing-tenant": "No file says which tenant this is.";
    NO_ENVIRONMENTS "no-environments": "No file declares an environment.";
    DUPLICATE_INSTANCE_ID "duplicate-instance-id": "Two environments have the same `instanceId`.";
    DUPLICATE_ENVIRONMENT_ID "duplicate-environment-id": "Two environments have the same `environmentId`.";
    NOT_ATTESTABLE "not-attestable": "An attestation is about a setting that can't be attested there.";
    MISSING_SAW "missing-saw": "An attestation doesn't say what was seen.";
    VALID_TOO_LONG "valid-too-long": "An attestation is to hold for more than 180 days.";
}
