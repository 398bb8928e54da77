//! Access tokens: made and checked here, good for this run of the emulator only.
//!
//! What must stay true: a token is signed with a key that is made at start and never leaves the process, so a token of
//! another emulator, or of a real tenant, is worth nothing here.
//!
//! The claims are those of learn.microsoft.com, "Access token claims reference", as far as a token without a user has them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

use crate::clock::Ids;

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The resource, without `/.default`.
    pub(crate) aud: String,
    /// Issuer.
    pub(crate) iss: String,
    /// Tenant.
    pub(crate) tid: Uuid,
    /// Object id of the service principal.
    pub(crate) oid: Uuid,
    /// Application id.
    pub(crate) appid: Uuid,
    /// Issued at, seconds.
    pub(crate) iat: i64,
    /// Not before, seconds.
    pub(crate) nbf: i64,
    /// Expires at, seconds.
    pub(crate) exp: i64,
    /// Subject: of a token without a user, the object id.
    pub(crate) sub: Uuid,
    /// Identity provider: of the tenant's own principals, the issuer.
    pub(crate) idp: String,
    /// What kind of token it is: without a user, `app`.
    pub(crate) idtyp: String,
    /// How the application proved itself: `1` is with a secret.
    pub(crate) appidacr: String,
    /// Version of the format. The services' own resources get `1.0`, also from the newer token endpoint.
    pub(crate) ver: String,
    /// The token's own id.
    pub(crate) uti: String,
}

/// Signs and verifies.
pub(crate) struct Tokens {
    key: [u8; 64],
    random: Ids,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        // Never the emulator's own ids, which a test can foretell.
        let random = Ids::random();
        let mut key = [0; 64];
        for chunk in key.chunks_exact_mut(16) {
            chunk.copy_from_slice(random.new_id().as_bytes());
        }
        Self { key, random }
    }

    /// An id for a token.
    pub(crate) fn new_id(&self) -> String {
        BASE64.encode(self.random.new_id().as_bytes())
    }

    pub(crate) fn issue(&self, claims: &Claims) -> String {
        let header = BASE64.encode(json!({ "typ": "JWT", "alg": "HS256" }).to_string());
        let payload = BASE64.encode(json!(claims).to_string());
        let signed = format!("{header}.{payload}");
        let signature = BASE64.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// The claims of a token that was issued here, expired or not.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        self.mac(signed).verify_slice(&BASE64.decode(signature).ok()?).ok()?;
        let (_, payload) = signed.split_once('.')?;
        serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new((&self.key).into());
        mac.update(signed.as_bytes());
        mac
    }
}
