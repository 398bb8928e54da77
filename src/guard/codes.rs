//! The codes of the guards' notes.

use crate::plan::notes;

notes! {
    SELF_LOCKOUT = refusal "self-lockout": "The plan would take the role Admin from the identity that runs palisade.",
        "Palisade keeps its own access: with it gone, no later run could repair anything, and neither could this one \
         finish.\n\nDeclare the identity with the role Admin, or use `match: atLeast`. To retire an identity on purpose, run \
         palisade as another Admin. Where the caller is Admin through a group, no Admin group may lose its role, since \
         palisade can't tell which group carries it.";
    LAST_ADMIN = refusal "last-admin": "The plan would leave no other Admin than the identity that runs palisade.",
        "At least one other person must be able to administer the environment: a user whom the directory shows and whose \
         account is enabled, or such a user in a group with the role Admin. Apps don't count, since nobody can sign in as \
         one; what could not be read doesn't count either. Whether the service itself refuses to remove \
         the last Admin isn't published.\n\nDeclare another Admin first; it is added before anybody is removed.";
    REMOVAL_BUDGET = refusal "removal-budget": "The plan removes more at once than its budget allows.",
        "More than half of a collection of two or more, or more than 20 members in one run, is more often a mistake in the file \
         than an intention: a list that was cut short, a merge that went wrong. Losing the role Admin counts as a removal.\n\n\
         If it is meant, pass `--allow-removals N` with the number of removals of the run, to `plan` and to `apply`. The number \
         is part of what is approved.";
    FEW_ADMINS = finding "few-admins": "Fewer than two Admins besides the identity that runs palisade.",
        "Microsoft recommends two Admins at least: if the only one leaves, nobody can take over the environment.";
    BREAK_GLASS = refusal "break-glass": "The plan would lower the role of a principal that `breakGlass` protects.",
        "No change lowers the effective role of a principal under `users.breakGlass`, be it its own or one that it has \
         through a group. Either declare the role that it has, or take the entry out of `breakGlass` in a change of its \
         own. A role that another change of the same plan would give doesn't count yet: apply that one first.";
    BREAK_GLASS_UNRESOLVED = refusal "break-glass-unresolved": "Whether a loss touches a principal under `breakGlass` can't be told.",
        "The principal isn't in the directory, or it, or the members of a group, could not be read. Palisade can't tell whether \
         one of those that lose something is the protected one, so nothing is taken from anybody. Correct the entry, or \
         grant the rights that the look-up needs.";
    WOULD_GO_DARK = refusal "would-go-dark": "A change would take what a living environment needs.",
        "An environment that is encrypted with a key of your own needs the enterprise policy, its identity's grant, the vault and the key, \
         whether or not the configuration declares them for it. Without one of them it is shut down, and later deleted. Put those \
         environments on another key first.";
    CALLER_UNKNOWN = refusal "caller-unknown": "Which principal runs palisade isn't known.",
        "Palisade keeps its own access, and for that it must know its own identity: the object id in its tokens, the \
         application id in tokens of an app, and the principal whose role Customer Insights takes for its own. If a token \
         names no principal, if the tokens for two services name different ones, or if Customer Insights names another one \
         that isn't a group holding it by the directory's word, nothing is taken from anybody.";
    NOT_ADMIN = refusal "not-admin": "The identity that runs palisade isn't Admin of the environment.",
        "Only an Admin may change permissions, so applying would fail half-way. Give the identity the role Admin under \
         Settings > Permissions > Users.";
    NAME_MISMATCH = refusal "name-mismatch": "The live environment has another name than the configuration.",
        "`name` binds the configuration to one environment. Another name behind the same id means that somebody renamed \
         it, or that the id is of another environment. Nothing is changed until the two agree. In apply, it also means that the name \
         is another one than the plan saw.";
    ENVIRONMENT_MISMATCH = refusal "environment-mismatch": "The instance isn't the one that the configuration, or the plan, means.",
        "`instanceId` and `environmentId` must belong together: the instance names another Power Platform environment, or \
         another Dataverse organisation, than the one behind `environmentId`. In apply, it also means that the region, or the \
         Dataverse organisation, behind the id is another one than the plan saw. Nothing is changed until the ids are \
         corrected, or a new plan was reviewed.";
}
