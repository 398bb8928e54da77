//! Where findings lead, and what others are told of the block.

use super::*;
use crate::plan::Address;
use crate::settings::data_lake::Block;
use crate::settings::setting::{NamedKey, Setting as _};
use crate::terms::Scope;

#[test]
fn every_part_leads_to_its_line() {
    let scene = Scene::bare().with(|scene| scene.declared.access = Some(Access::Disabled));
    let declared = Some(scene.declared.clone());
    let parts: Vec<String> = Block::places(&declared).into_iter().map(|(part, _)| part).collect();
    let setting = Address::setting(&Scope::environment("prod"), "dataLake");
    for planned in scene.findings().changes {
        let within =
            planned.change.address.as_str().strip_prefix(setting.as_str()).unwrap().trim_start_matches('/').to_owned();
        assert!(parts.contains(&within), "{within}");
    }
}

#[test]
fn the_account_and_its_key_are_told_to_others() {
    let declared = Some(Scene::bare().declared);
    let wanted = key("kv-cmk", "lake-key");
    assert_eq!(Block::resources(&declared), [lake(), wanted.vault.resource().clone(), wanted.resource().unwrap()]);
    let named = NamedKey { vault: wanted.vault.resource().clone(), key: wanted.name.clone(), version: None };
    assert_eq!(Block::keys(&declared), [named]);
}
