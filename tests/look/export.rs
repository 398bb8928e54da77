//! Observing without a declaration, as for an export: the whole live state, nothing asked twice.

use std::sync::LazyLock;

use palisade::azure::Look;
use palisade::azure::customer_insights::Instance;
use palisade::azure::directory::Name;
use palisade::settings::observation::Unreadable;
use palisade::settings::setting::{Observing, Setting};
use palisade::settings::surface::Surface;
use palisade::settings::{api_access, key_vault, private_links, users};

use crate::scene::{LAKE, PROD, Scene, everything};

/// A world in which everything that the configuration declares was applied.
async fn settled() -> Scene {
    let scene = Scene::of(&everything()).await;
    for _ in 0..2 {
        let plan = scene.plan().await;
        let report = scene.apply(&plan).await;
        assert_eq!(report.summary.failed, 0, "{report:?}");
    }
    let world = scene.emulator.world();
    Scene::with(&everything(), |empty| *empty = world, "[]", None).await
}

fn instance() -> Instance {
    Instance { id: PROD.parse().unwrap(), scale_unit: None }
}

fn observing<'a>(scene: &Scene, look: &'a Look, instance: Result<&'a Instance, &'a Unreadable>) -> Observing<'a> {
    static NOT_ASKED: LazyLock<Unreadable> = LazyLock::new(|| Unreadable::because("Power Platform was not asked"));
    Observing {
        look,
        instance,
        hosting: Err(&NOT_ASKED),
        tenant: scene.configuration.tenant.id,
        caller: None,
        declared: &[],
        surface: Surface::EMULATOR,
    }
}

/// What a setting observes without its declaration, and with it, each in a look of its own.
async fn both<S: Setting>(scene: &Scene, declared: &S::Declared) -> (S::Observed, S::Observed) {
    let before = scene.repeated();
    let instance = instance();
    let look = Look::begin(&scene.reader(), []);
    let without = S::observe(None, &observing(scene, &look, Ok(&instance))).await;
    // `$batch` and `getByIds` are one path for many questions.
    let asked_twice =
        |(path, _): &(String, usize)| !path.contains("/v1.0/") && !before.iter().any(|(one, _)| one == path);
    let repeated: Vec<_> = scene.repeated().into_iter().filter(asked_twice).collect();
    assert_eq!(repeated, []);
    let look = Look::begin(&scene.reader(), []);
    let with = S::observe(Some(declared), &observing(scene, &look, Ok(&instance))).await;
    (without, with)
}

#[tokio::test]
async fn all_role_assignments_come_with_their_directory_objects() {
    let scene = settled().await;
    let declared = scene.configuration.environments[0].blocks.of::<users::Block>().unwrap();
    let (without, with) = both::<users::Block>(&scene, declared).await;
    let (without_list, with_list) = (without.assignments.unwrap(), with.assignments.unwrap());
    assert_eq!(without_list, with_list);
    assert_eq!((without.roles.unwrap(), without.caller.unwrap()), (with.roles.unwrap(), with.caller.unwrap()));
    assert_eq!(without_list.held.len(), 3);
    for id in without_list.held.keys() {
        let found = &without.directory[&Name::Id(*id)];
        assert!(matches!(found, Ok(Some(object)) if object.display_name.is_some()), "{id}: {found:?}");
    }
    // Whether an Admin may sign in is part of the live state.
    assert_eq!(without.enabled, with.enabled);
    assert_eq!(without.enabled.len(), 3);
}

#[tokio::test]
async fn api_access_is_read_and_no_vault_is_named() {
    let scene = settled().await;
    let declared = scene.configuration.environments[0].blocks.of::<api_access::Block>().unwrap();
    let (without, with) = both::<api_access::Block>(&scene, declared).await;
    assert_eq!(without.access.unwrap().unwrap(), with.access.unwrap().unwrap());
    assert!(without.keys.is_none() && without.secret.is_none() && with.keys.is_some());
    // With keys declared, the state serves both, and is read once in each look.
    assert_eq!(scene.count("GET", "/manage/apisubscription"), 2);
}

#[tokio::test]
async fn the_linked_vault_is_read_as_the_declared_one() {
    let scene = settled().await;
    let declared = scene.configuration.environments[0].blocks.of::<key_vault::Block>().unwrap();
    let (without, with) = both::<key_vault::Block>(&scene, declared).await;
    let link = |observed: &key_vault::Observed| match &observed.link {
        key_vault::Link::Read(Ok(Some(link))) => link.vault.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(link(&without), link(&with));
    let location = |observed: &key_vault::Observed| observed.vault.as_ref().unwrap().as_ref().unwrap().location.clone();
    assert_eq!(location(&without), location(&with));
    assert!(location(&without).is_some());
    assert_eq!(without.held.unwrap(), with.held.unwrap());
    assert_eq!(without.service.unwrap(), with.service.unwrap());
    assert!(without.granting.is_none());
}

#[tokio::test]
async fn all_private_links_come_with_their_resources() {
    let scene = settled().await;
    let declared = scene.configuration.environments[0].blocks.of::<private_links::Block>().unwrap();
    let (without, with) = both::<private_links::Block>(&scene, declared).await;
    let links = |observed: &private_links::Observed| match &observed.links {
        private_links::Links::Read(Ok(links)) => links.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(links(&without), links(&with));
    assert_eq!(links(&without).len(), 1);
    assert_eq!(without.resources, with.resources);
    assert_eq!(without.resources.keys().map(ToString::to_string).collect::<Vec<_>>(), [LAKE]);
}

/// Without the instance there is nothing to export, and nothing is taken for absent.
#[tokio::test]
async fn an_instance_that_does_not_answer_exports_nothing() {
    let scene = settled().await;
    let (look, unread) = (Look::begin(&scene.reader(), []), Unreadable::because("403"));
    let observing = observing(&scene, &look, Err(&unread));
    assert_eq!(users::Block::observe(None, &observing).await.assignments.unwrap_err(), unread);
    assert_eq!(api_access::Block::observe(None, &observing).await.access.unwrap().unwrap_err(), unread);
    let vault = key_vault::Block::observe(None, &observing).await;
    assert!(matches!(vault.link, key_vault::Link::Read(Err(_))), "{vault:?}");
    let links = private_links::Block::observe(None, &observing).await;
    assert!(matches!(links.links, private_links::Links::Read(Err(_))), "{links:?}");
}
