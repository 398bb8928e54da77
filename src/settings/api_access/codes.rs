//! The codes of `apiAccess` and its keys.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    BAD_SECRET_NAME "bad-secret-name": "The name of a secret has characters that Key Vault doesn't allow.";
    KEYS_WITHOUT_ACCESS "keys-without-access": "API keys are declared where API access is declared as off.";
    BAD_ROTATION "bad-rotation": "The times of a key rotation can't all be kept.";
    BAD_WINDOW "bad-window": "A time window isn't days, hours and a time zone.";
    DUPLICATE_CONSUMER "duplicate-consumer": "Two consumers have the same name.";
    SHARED_SECRET "shared-secret": "Two environments publish to the same secret.";
}

notes! {
    CUTS_API_CLIENTS = finding "cuts-api-clients": "Turning API access off cuts off every client of the API.",
        "Neither key works while API access is off. Whether the keys outlive that isn't published: expect that turning API access \
         on again makes new keys, which every client must be given.";
    ROTATION_SCHEDULE = finding "rotation-schedule": "What holds for the API keys, and when something is due.",
        "Palisade keeps no state: which key consumers hold, how old it is and what comes next is worked out from the live \
         keys and the versions of the secret, each time anew. `palisade explain rotation` tells the whole story.";
    ROTATION_WARNING = finding "rotation-warning": "Something about the API keys that a person should know.",
        "Nothing is broken, but something disagrees or isn't known; the note says what. Equality of values decides which \
         key is live, whatever tags say.";
    VALUES_NOT_LOOKED_AT = finding "values-not-looked-at", weaker evidence: "Whether consumers hold an API key that works was not looked at.",
        "Under `verify: metadata` planning reads ages and tags only, never values. A key that somebody regenerated outside of \
         palisade isn't noticed.";
    CONSUMERS_CUT_OFF = finding "consumers-cut-off": "What consumers of the API key hold doesn't work.",
        "Somebody regenerated the published key, or disabled or deleted the secret, outside of palisade. Where palisade can \
         repair it, the plan publishes the key that works, without regenerating anything.";
    KEYS_INCONSISTENT = refusal "keys-inconsistent": "Both API keys have the same value.",
        "The service should never do that, and with equal keys no rotation can keep one of them alive. Nothing is done until \
         somebody regenerated one of them by hand.";
    STORE_RIGHT = refusal "store-right": "Whether a new key could be stored in the vault.",
        "A key that was regenerated and can't be stored is lost to its consumers until somebody copies it by hand. So the \
         right to store is looked up first: missing, it refuses the plan; where it can't be looked up, the plan says that it \
         is unproved. The right to update the secret is proved by noting the intent before anything is regenerated.";
    STORE_RIGHT_UNPROVED = finding "store-right-unproved": "Whether a new key could be stored in the vault could not be proved.",
        "Palisade looks up the right to store before a key is regenerated. Where the look-up isn't allowed, or doesn't tell, it \
         says so and goes on: noting the intent on the secret proves the right to write to it before anything is regenerated.";
    CLOCK_SKEW = finding "clock-skew": "The vault's clock and this machine's differ by more than five minutes.",
        "When a key is due, and when nobody may hold its predecessor any more, is counted from instants of both clocks. With \
         clocks that disagree, nothing is regenerated. Set this machine's clock.";
}
