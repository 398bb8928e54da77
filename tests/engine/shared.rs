//! What several environments write to: one of them at a time.

use super::*;

const RESOURCES: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers";

/// Environments that publish to one vault, link it, and link one storage account.
fn sharing(count: u32) -> String {
    let mut text = "version: 1\ntenant: { id: 7b1f0c52-0000-4000-8000-0000000000aa }\nenvironments:\n".to_owned();
    for number in 1..=count {
        // However the id is spelt.
        let provider = if number % 2 == 0 { "microsoft.keyvault" } else { "Microsoft.KeyVault" };
        let _ = write!(
            text,
            "  e{number:02}:\n    instanceId: 6f2b1c34-0000-4000-8000-00000000{number:04}\n    environmentId: \
             1bd6bd98-0000-4000-8000-00000000{number:04}\n    apiAccess:\n      enabled: true\n      keys:\n        publishTo: {{ \
             vault: {RESOURCES}/{provider}/vaults/kv-shared, secret: key-e{number:02} }}\n        maxAge: 90d\n        \
             renewBefore: 14d\n        grace: 7d\n    keyVault:\n      id: {RESOURCES}/{provider}/vaults/kv-shared\n      \
             dataPrivacyConsent: {{ agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }}\n    privateLinks:\n      links:\n        \
             - {{ resource: {RESOURCES}/Microsoft.Storage/storageAccounts/contosolake, approve: true, dataPrivacyConsent: {{ \
             agreedBy: ada@contoso.com, agreedOn: 2026-03-02 }} }}\n"
        );
    }
    text
}

#[tokio::test]
async fn whatever_environments_share_has_one_writer_at_a_time() {
    let run = Run::of(&sharing(4), "[]", Some(Arc::new(Crowd::default()))).await;
    let survey = run.survey().await;
    let accounts = survey.accounts(&run.environments(), run.clock.now()).await;
    let held: Vec<String> = accounts
        .iter()
        .flat_map(|account| account.findings.iter().flat_map(|findings| &findings.changes))
        .map(|planned| {
            let holds = planned.holds().into_iter().map(|hold| hold.to_string());
            let names: Vec<_> = holds.map(|hold| hold.rsplit('/').next().unwrap_or_default().to_owned()).collect();
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            format!("{}: {names}", planned.change.address)
        })
        .filter(|line| line.starts_with("e02"))
        .collect();
    insta::assert_snapshot!(held.join("\n"), @r"
    e02/apiAccess: kv-shared
    e02/keyVault/roles/key-vault-reader: kv-shared
    e02/keyVault/roles/key-vault-secrets-user: kv-shared
    e02/keyVault: nothing
    e02/privateLinks/contosolake: contosolake
    ");

    let plan = run.plan(&survey).await;
    let report = run.apply(&survey, &plan, Stop::default(), &Notebook::default()).await;
    let wrong: Vec<_> = report.changes.iter().filter(|one| one.status == Status::Failed).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // The writes to the vault's secrets, each by the environment whose secret it is.
    let requests = run.emulator.requests();
    let writes = requests.iter().filter(|seen| matches!(seen.method.as_str(), "PUT" | "PATCH"));
    let mut writers: Vec<String> =
        writes.filter_map(|seen| Some(seen.path.strip_prefix("/secrets/")?.split('/').next()?.to_owned())).collect();
    assert!(writers.len() > 4, "{writers:?}");
    writers.dedup();
    assert_eq!(writers.len(), 4, "one after the other: {writers:?}");
}
