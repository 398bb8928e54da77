//! The codes of `dataLake`.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    BAD_STORAGE_ACCOUNT "bad-storage-account": "A data lake isn't given by the Azure resource id of its storage account.";
    LAKE_DECLARED_TWICE "lake-declared-twice": "Two environments say different things of one storage account.";
    LAKE_SHARED "lake-shared": "A data lake that is shared with Dataverse is declared closed.";
}

notes! {
    LAKE_NOT_FOUND = refusal "lake-not-found": "Azure has no such storage account.",
        "Azure Resource Manager answered, and there is no storage account with the declared id. Palisade creates no accounts.";
    LAKE_IDENTITY = refusal "lake-identity": "The identity that uses the account's key isn't one that palisade can grant a key to.",
        "The encryption of a storage account can name a user-assigned identity, or an application through which a vault of another \
         tenant is reached. Palisade keeps a user-assigned identity that is in use; one that the account doesn't have any more, and \
         vaults of other tenants, are left to a person.";
    LAKE_PRIVATE_ENDPOINTS = refusal "lake-private-endpoints": "Public access is to be opened while private links lead to the account.",
        "Private links of Customer Insights work only while public network access to the account is off. Remove the private link \
         first, then open the account.";
    LAKE_NOT_HIERARCHICAL = finding "lake-not-hierarchical": "The storage account has no hierarchical namespace.",
        "Customer Insights keeps its data in Azure Data Lake Storage Gen2, which is a storage account with a hierarchical namespace. \
         That is chosen when an account is created.";
    LAKE_WEAK_TLS = finding "lake-weak-tls": "The storage account accepts TLS below 1.2.",
        "Palisade doesn't set the account's minimum TLS version. An account that names none accepts TLS 1.0.";
    LAKE_SHARED_KEYS = finding "lake-shared-keys": "The storage account can be opened with its account keys.",
        "Whoever has an account key reads and writes everything in the account, whatever roles are granted. Palisade doesn't change \
         that: Customer Insights may be connected to the account by a key.";
    LAKE_BLOB_ACCESS = finding "lake-blob-access": "Containers of the storage account can be opened to anonymous readers.",
        "The account allows blob public access, so a container can be made readable without signing in. Palisade doesn't change that.";
    LAKE_UNREADABLE = finding "lake-unreadable": "What ties a storage account to an environment can't be read.",
        "Which storage account an environment uses, and whether it shares that with Dataverse, is shown by no operation. Palisade takes \
         the file's word for it.";
    LAKE_PERIMETER = finding "lake-perimeter": "A network security perimeter decides about access to the storage account.",
        "`SecuredByPerimeter` is neither open nor closed: the perimeter's rules decide. Palisade never changes it; change the rules of \
         the perimeter, or take the account out of it.";
    LAKE_AT_RISK = finding "lake-at-risk": "Something that keeps a data lake readable is missing.",
        "A storage account whose key can't be used answers every read and write with an error until the key is back. Data of a key that \
         is lost is lost as well.";
    LAKE_KEY_UNWATCHED = finding "lake-key-unwatched": "A data lake is encrypted with a key that the file doesn't declare.",
        "A storage account names its key by the vault's address only. Without the vault's resource id, which the file gives for the declared \
         key, palisade can't look at the key, so nothing tells when it expires, is disabled or is deleted.";
    LAKE_WITHOUT_PATH = finding "lake-without-path": "A closed data lake lacks private links.",
        "Customer Insights reaches an account that is closed to the internet over private links only: four approved endpoints for each \
         environment. An environment without them can't reach its data.";
    LAKE_KEY_PINNED = finding "lake-key-pinned": "The account's key is pinned to one version.",
        "An account with a version never follows a new one. Without `version`, storage looks once a day for the newest one.";
    LAKE_KEY_BEHIND = finding "lake-key-behind": "The account still uses an older version of its key.",
        "Storage looks about once a day for a newer version of a key that it follows. After more than that, something keeps it from \
         moving: look at the key's network, its grant, and whether the new version is enabled. Keep the older version enabled until then.";
}
