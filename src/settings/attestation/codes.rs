//! Codes about what people attest.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    BAD_SAW "bad-saw": "What an attestation says was seen can't be so.";
}

notes! {
    EXPIRED_ATTESTATION = finding "expired-attestation": "An entry under `attested` has expired.",
        "What no operation can read is taken from `attested` until `validFor` is over; from then on it is unknown. Look \
         again, and write what you see. The plan prints the entry.";
    VOID_ATTESTATION = finding "void-attestation": "An entry under `attested` is older than the environment.",
        "What was seen on that day was another environment: this one was created later, or reset. The entry is ignored, as if it \
         weren't there. Look at the environment as it is now, and write what you see.";
    ATTESTATION_AHEAD = finding "attestation-ahead": "An entry under `attested` is dated in the future.",
        "Nobody has seen anything tomorrow, so the entry is ignored until its day has come (UTC).";
    ATTESTATIONS_DISAGREE = finding "attestations-disagree": "Two entries under `attested` contradict each other.",
        "Of several entries about one setting the newest valid one counts. Where two of the same day say different things, or an \
         older one is still valid after a newer one that said something else has expired, nobody can tell which is true. Look \
         again, write what you see, and remove the old entries.";
    ATTESTATION_CONTRADICTED = finding "attestation-contradicted": "An entry under `attested` says what observing rules out.",
        "What is observed wins: connections on the Azure side, a key that works, rights on the vault. Either the live state has \
         changed since a person looked, or the entry was never right. Look again, and write what you see.";
    RESTS_ON_ATTESTATION = finding "rests-on-attestation", weaker evidence: "A setting is in sync because a person saw it as declared.",
        "No published operation can read it, so palisade compares what is declared with what a person saw on a day (`saw`). The \
         note says who saw what, when, and until when that counts. If the declaration changes, the entry no longer matches it, and \
         the plan says what a person has to change.";
    RESTS_ON_INFERENCE = finding "rests-on-inference", weaker evidence: "A setting counts as in sync because of what shows elsewhere.",
        "No published operation can read it, but its traces can be read: the private endpoint connections of a resource, say. \
         Palisade concludes from them under the names that the product's documentation shows.";
}
