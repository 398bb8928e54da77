//! The codes of `users`.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    UNCLEAR_PRINCIPAL "unclear-principal": "An assignment doesn't name exactly one of `user`, `group`, `app`, `principal`.";
    MISSING_PRINCIPAL_ID "missing-principal-id": "A group or an app has no `id`.";
    SURPLUS_PRINCIPAL_ID "surplus-principal-id": "A principal given by object id has an `id` besides.";
    ADMIN_WITHOUT_ID "admin-without-id": "An Admin is given by user principal name only.";
    DUPLICATE_PRINCIPAL "duplicate-principal": "The same principal stands twice in one list.";
    SAME_NAME "same-name": "Two groups or apps with different ids have the same name.";
    EXACT_WITHOUT_ASSIGNMENTS "exact-without-assignments": "`match: exact` with an empty list would remove everybody.";
    EXACT_WITHOUT_ADMIN "exact-without-admin": "`match: exact` without an Admin would lock everybody out.";
    BREAK_GLASS_NOT_DECLARED "break-glass-not-declared": "`match: exact` leaves a principal under `breakGlass` no role of its own.";
    BREAK_GLASS_BELOW_ADMIN "break-glass-below-admin": "A principal under `breakGlass` is declared with less than Admin.";
    MARKETING_CONTRIBUTOR_UNAVAILABLE "marketing-contributor-unavailable": "The role Marketing Contributor needs business unit separation.";
}

notes! {
    BREAK_GLASS_NOT_FOUND = finding "break-glass-not-found": "A principal under `breakGlass` isn't in the directory.",
        "The directory answered, and there is no such principal: an entry that leads to nobody protects nobody. Correct the \
         name, or write the object id. Until then nothing is taken from anybody in the environment.";
    BREAK_GLASS_NOT_ADMIN = finding "break-glass-not-admin": "A principal under `breakGlass` isn't Admin.",
        "An account for an emergency must be able to give roles back when nobody else can. This one has less than Admin, \
         neither by itself nor through a group. Declare it with the role Admin, or grant it Admin under Settings > \
         Permissions > Users.";
    PRINCIPAL_NOT_FOUND = refusal "principal-not-found": "A declared principal isn't in the directory.",
        "The directory answered, and there is nobody of that name or id. A typing mistake here could later give somebody \
         else a role, so the plan is refused until it is corrected.";
    PRINCIPAL_MISMATCH = refusal "principal-mismatch": "A declared name doesn't belong to the declared id.",
        "Names are for readers, ids decide. If the two disagree, the reader of the file and the service have different \
         principals in mind: the name was given to another person, or somebody was renamed. Correct whichever is wrong.";
    PRINCIPAL_TWICE = refusal "principal-twice": "Two declarations are the same principal.",
        "Two names or ids lead to one directory object, with possibly different roles. Keep one of them.";
    ROLE_UNAVAILABLE = refusal "role-unavailable": "The environment doesn't know a declared role.",
        "The role isn't among those that the environment lists. Marketing Contributor exists only where business unit \
         separation is on.";
    GRANTS_DATAVERSE_ADMIN = finding "grants-dataverse-admin": "Granting Admin also grants System Administrator in Dataverse.",
        "Assigning the Customer Insights role Admin to a user also gives the user System Administrator in the linked \
         Dataverse environment (documented since September 2025). What removing the role does to it isn't published.";
    GROUP_REACH = finding "group-reach": "A role for a group reaches all its members.",
        "Saving shares the environment with all members at once. The number counts members of nested groups. Whom it reaches is part of \
         what is approved: a group that grew, or shrank, since the plan needs a new one.";
    LEFT_ALONE = finding "left-alone": "Principals that aren't declared are left alone.",
        "Under `match: atLeast` palisade looks only at what is declared. The note says how many others there are, so that \
         nobody takes silence for control. `match: exact` would remove them.";
}
