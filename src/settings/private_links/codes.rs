//! The codes of `privateLinks`.

use crate::config::codes::codes;
use crate::plan::notes;

codes! {
    BAD_LINK_RESOURCE "bad-link-resource": "A private link leads to neither a storage account nor a Synapse workspace.";
    DUPLICATE_LINK "duplicate-link": "Two private links lead to the same resource.";
    SUBSCRIPTION_WITHOUT_APPROVAL "subscription-without-approval": "`approveFromSubscription` stands beside `approve: false`.";
}

notes! {
    LINK_TARGET_MISSING = refusal "link-target-missing": "Azure has no such resource.",
        "Azure Resource Manager answered, and there is no resource with the declared id. A typing mistake here could later let \
         somebody else's resource in, so the plan is refused until it is corrected.";
    LINK_LEADS_ELSEWHERE = refusal "link-leads-elsewhere": "A live private link leads to another resource of the same name.",
        "Names of storage accounts and workspaces are unique in all of Azure, so the live link and the file mean different \
         subscriptions or resource groups: one of them is wrong, or the resource was moved. Nothing is changed until they agree.";
    AMBIGUOUS_CONNECTION = refusal "ambiguous-connection": "Several connections could be one endpoint of a private link.",
        "Anyone who knows a resource's id can ask for a private endpoint connection to it, under any name. Where two have the \
         name of one endpoint, a name doesn't tell which one is Customer Insights', and approving the wrong one lets a stranger \
         into the resource. So none is approved.\n\nCompare the full endpoint ids, and find out whose each \
         of them is before you touch any: where several environments use one resource, each of them may be needed. What is a \
         stranger's, remove in Azure. Where one environment uses the resource, `approveFromSubscription` settles it for good: endpoints from \
         elsewhere don't count then. Where several do, their endpoints may lie in one subscription, and a person has to approve them in \
         Azure.";
    LOOK_ALIKE_CONNECTION = finding "look-alike-connection": "A connection is named like an endpoint of a private link, and isn't it.",
        "Somebody asks for a connection under a name that a reviewer would expect. Palisade never approves it. Find out who \
         it is, and remove it in Azure.";
    ENDPOINTS_APART = finding "endpoints-apart", needs eyes: "The endpoints of one private link lie in several subscriptions.",
        "Anyone can ask for a connection under a familiar name, and while Customer Insights' own request hasn't arrived, a \
         stranger's is the only one by that name. Endpoints in different subscriptions may be a sign of that. Compare the \
         full ids in the plan before you approve it.";
    CONNECTION_ENDED = finding "connection-ended": "A connection of a private link was rejected or cut off.",
        "Both are final: Azure refuses to approve such a connection later, and a new one must be asked for, which Customer \
         Insights does only for a new link. Under `match: exact`, where the file alone decides what is there, palisade removes \
         the link and makes it anew. Under `match: atLeast` a person has to remove it, since somebody with rights on the \
         resource said no.";
    PUBLIC_BESIDE_PRIVATE_LINK = finding "public-beside-private-link": "A resource with a private link still allows public access.",
        "Private links work only while public network access to the account is off; and what is open to the internet isn't \
         protected by a private way in. Close public access once every connection is approved, and never before. To open it \
         again, remove the private link first.";
    OTHER_PRIVATE_ENDPOINTS = finding "other-private-endpoints": "A resource has private endpoint connections of others.",
        "They belong to other consumers of the resource; palisade leaves them alone. As soon as an account has any private \
         endpoint, Customer Insights reaches it over a private link only, whatever its network settings.";
    CONNECTIONS_LEFT_BEHIND = finding "connections-left-behind": "Connections on the Azure side belong to no private link of the environment.",
        "They are named like those of Customer Insights. Whether removing a link removes its connections isn't published, so \
         they may be left behind; or another environment uses the same resource. An approved connection that nobody needs is \
         an open door: remove it in Azure.";
    CONNECTIONS_UNATTRIBUTED = finding "connections-unattributed": "Whose private endpoint connections a resource has isn't known.",
        "The instance didn't answer, so which connections are those of a private link can't be told. Palisade approves none of \
         them; the next plan that reads the links says whose they are.";
    UNDOCUMENTED_RESOURCE_TYPE = finding "undocumented-resource-type": "The product's documentation doesn't offer private links to this type of resource.",
        "Synapse workspaces appear only in a pull request to the documentation that was never merged, and the page about \
         Synapse says that workspaces behind a firewall aren't supported. Palisade does what the file says, and says so.";
    LINKS_LEFT_ALONE = finding "links-left-alone": "Private links that aren't declared are left alone.",
        "Under `match: atLeast` palisade looks only at what is declared. The note says how many others there are, so that \
         nobody takes silence for control. `match: exact` would remove them.";
}
