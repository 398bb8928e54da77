//! Who runs palisade, as the tokens of this run name it.
//!
//! Words: the *object id* of a token (`oid`) is what role assignments name; in app-only tokens the *application id*
//! (`appid`, `azp`) names the same principal, and a service may list it under either.
//!
//! Invariants: every token that the run obtained is noted, renewed ones included; if two of them name different
//! principals, or one names none, who runs palisade is unknown; nothing here ever grants anything, it only protects.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use uuid::Uuid;

use crate::terms::{ObjectId, object_id};

/// What a token says about its bearer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claims {
    /// The tenant that issued it.
    pub tenant: Option<Uuid>,
    /// The principal's object id.
    pub object_id: Option<ObjectId>,
    /// The application, where it acts on its own and not for a person.
    pub applications: BTreeSet<ObjectId>,
}

/// The members of a token's payload that matter here.
#[derive(Deserialize)]
struct Payload {
    #[serde(default, deserialize_with = "object_id::lenient")]
    tid: Option<Uuid>,
    #[serde(default, deserialize_with = "object_id::lenient")]
    oid: Option<Uuid>,
    #[serde(default, deserialize_with = "object_id::lenient")]
    appid: Option<Uuid>,
    #[serde(default, deserialize_with = "object_id::lenient")]
    azp: Option<Uuid>,
    /// `app` or `user`, where the tenant has it added.
    idtyp: Option<String>,
    /// What a person allowed the application to do; app-only tokens have none.
    scp: Option<String>,
}

impl Claims {
    /// Reads a token; `None` if it is opaque. Microsoft calls access tokens opaque to clients, so this may come to be.
    pub fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let Payload { tid, oid, appid, azp, idtyp, scp } = serde_json::from_slice(&payload).ok()?;
        let app_only = match idtyp.as_deref() {
            Some(kind) => kind.eq_ignore_ascii_case("app"),
            None => scp.is_none(),
        };
        let applications = [appid, azp].into_iter().flatten().filter(|_| app_only).map(ObjectId::from).collect();
        Some(Self { tenant: tid, object_id: oid.map(ObjectId::from), applications })
    }
}

/// The principal that runs palisade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its object id.
    pub object_id: ObjectId,
    /// Its application ids, if it is an app.
    pub applications: BTreeSet<ObjectId>,
}

impl Identity {
    /// Every id that names it.
    pub fn ids(&self) -> BTreeSet<ObjectId> {
        let Self { object_id, applications } = self;
        applications.iter().copied().chain([*object_id]).collect()
    }
}

/// The tokens that a run obtained, by audience.
#[derive(Debug, Clone, Default)]
pub struct Bearers(BTreeMap<&'static str, BTreeSet<Option<Claims>>>);

impl Bearers {
    /// Takes note of a token.
    pub fn note(&mut self, audience: &'static str, claims: Option<Claims>) {
        self.0.entry(audience).or_default().insert(claims);
    }

    /// Who runs palisade, or why that isn't known.
    pub fn identity(&self) -> Result<Identity, String> {
        let mut found: Option<(Identity, &str)> = None;
        for (audience, claims) in self.0.iter().flat_map(|(audience, all)| all.iter().map(move |one| (*audience, one)))
        {
            let object_id = claims.as_ref().and_then(|claims| claims.object_id);
            let (Some(claims), Some(object_id)) = (claims, object_id) else {
                return Err(format!("the token for {audience} doesn't name the principal that it was issued to"));
            };
            match &mut found {
                None => found = Some((Identity { object_id, applications: claims.applications.clone() }, audience)),
                Some((identity, _)) if identity.object_id == object_id => {
                    identity.applications.extend(&claims.applications);
                }
                Some((identity, first)) => {
                    let other = identity.object_id;
                    return Err(format!(
                        "the token for {first} names the principal {other}, the token for {audience} the principal {object_id}"
                    ));
                }
            }
        }
        found.map(|(identity, _)| identity).ok_or_else(|| "no token was obtained yet".to_owned())
    }

    /// A token of another tenant than this one, if there is any: its audience and its tenant.
    pub fn stranger(&self, tenant: Uuid) -> Option<(&'static str, Uuid)> {
        let tenants = self.0.iter().flat_map(|(audience, all)| {
            all.iter().flatten().filter_map(move |claims| Some((*audience, claims.tenant?)))
        });
        tenants.into_iter().find(|(_, found)| *found != tenant)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    const ONE: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);
    const TWO: Uuid = Uuid::from_u128(0x2000_0000_0000_4000_8000_0000_0000_0002);
    const APP: Uuid = Uuid::from_u128(0x3000_0000_0000_4000_8000_0000_0000_0003);
    const CI: &str = "https://api.ci.ai.microsoft.com";
    const GRAPH: &str = "https://graph.microsoft.com";

    fn token(payload: &Json) -> String {
        format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload.to_string()))
    }

    fn identity(tokens: &[(&'static str, String)]) -> Result<Vec<Uuid>, String> {
        let mut bearers = Bearers::default();
        for (audience, token) in tokens {
            bearers.note(audience, Claims::of(token));
        }
        bearers.identity().map(|identity| identity.ids().into_iter().map(ObjectId::uuid).collect())
    }

    #[test]
    fn an_app_is_known_by_both_of_its_ids_and_a_person_by_one() {
        let table = [
            (json!({ "oid": ONE, "appid": APP }), vec![ONE, APP]),
            (json!({ "oid": ONE, "azp": APP, "idtyp": "app" }), vec![ONE, APP]),
            (json!({ "oid": ONE, "azp": APP, "idtyp": "APP" }), vec![ONE, APP]),
            (json!({ "oid": ONE, "appid": APP, "azp": TWO }), vec![ONE, TWO, APP]),
            (json!({ "oid": ONE, "appid": APP, "scp": "user_impersonation" }), vec![ONE]),
            (json!({ "oid": ONE, "appid": APP, "idtyp": "user" }), vec![ONE]),
            (
                json!({ "oid": format!("{{{}}}", ONE.simple()), "appid": APP.to_string().to_uppercase() }),
                vec![ONE, APP],
            ),
            (json!({ "oid": ONE, "appid": null, "azp": "" }), vec![ONE]),
        ];
        for (payload, expected) in table {
            assert_eq!(identity(&[(CI, token(&payload))]), Ok(expected), "{payload}");
        }
    }

    #[test]
    fn tokens_that_name_nobody_or_two_principals_leave_the_caller_unknown() {
        let one = token(&json!({ "oid": ONE }));
        for opaque in
            ["EwB4A8l6BAAU", "", "..", "a.b.c", &token(&json!({ "sub": ONE })), &token(&json!({ "oid": "x" }))]
        {
            assert!(identity(&[(CI, opaque.to_owned())]).is_err(), "{opaque}");
            assert!(identity(&[(CI, one.clone()), (GRAPH, opaque.to_owned())]).is_err(), "{opaque}");
        }
        assert!(identity(&[]).is_err());
        let two = token(&json!({ "oid": TWO }));
        assert!(identity(&[(CI, one.clone()), (GRAPH, two.clone())]).unwrap_err().contains(&TWO.to_string()));
        // A renewed token counts like the first one.
        assert!(identity(&[(CI, one.clone()), (CI, two)]).is_err());
        let same = token(&json!({ "oid": ONE.simple().to_string(), "appid": APP }));
        assert_eq!(identity(&[(CI, one), (GRAPH, same)]), Ok(vec![ONE, APP]));
    }

    #[test]
    fn a_token_of_another_tenant_is_found() {
        let mut bearers = Bearers::default();
        bearers.note(CI, Claims::of(&token(&json!({ "oid": ONE, "tid": format!("{{{APP}}}") }))));
        assert_eq!(bearers.stranger(APP), None);
        bearers.note(GRAPH, Claims::of(&token(&json!({ "oid": ONE, "tid": TWO }))));
        assert_eq!(bearers.stranger(APP), Some((GRAPH, TWO)));
    }
}
