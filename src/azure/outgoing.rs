//! What a call is on the wire: its address and its request.
//!
//! Invariants: an address is checked against the hosts of its service before a token is put on a request; headers that carry
//! secrets are marked as sensitive.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use secrecy::ExposeSecret as _;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::call::{Base, Call};
use super::error::Failure;
use super::exchange::Request;
use super::operations::{Facts, Service};
use super::transport::Transport;
use crate::terms::Face;

impl Transport {
    pub(super) fn address<E>(&self, call: &Call<E>) -> Result<Url, String> {
        let Facts { service, api_version, .. } = *call.facts();
        let hosts = &self.settings.hosts;
        // Such a segment would make another path of it, however it is encoded.
        if call.path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
            return Err("a name in its path is empty, or nothing but dots".to_owned());
        }
        let url = match &call.base {
            Base::Address(address) => address.clone(),
            Base::Link { to, from } => {
                let from: Url = self.base(service, from)?.parse().map_err(|_| "no address".to_owned())?;
                if to.origin() != from.origin() {
                    return Err(format!("its next page lies on another host, {}", to.host_str().unwrap_or_default()));
                }
                to.clone()
            }
            base => {
                let base = self.base(service, base)?;
                let mut url: Url =
                    format!("{base}{}", call.path).parse().map_err(|_| format!("`{base}` is no address"))?;
                if let Some(version) = api_version {
                    url.query_pairs_mut().append_pair("api-version", version);
                }
                if !call.query.is_empty() {
                    url.query_pairs_mut().extend_pairs(&call.query);
                }
                url
            }
        };
        hosts.check(service, &url).map_err(|refused| refused.to_string())?;
        Ok(url)
    }

    fn base(&self, service: Service, base: &Base) -> Result<String, String> {
        match base {
            Base::Service => Ok(self.settings.hosts.base(service, self.settings.face)),
            Base::ScaleUnit(base) => Ok(format!("{}/api", base.as_str().trim_end_matches('/'))),
            Base::Vault(name) => self.settings.hosts.vault(name).map_err(|refused| refused.to_string()),
            Base::Address(address) => Ok(address.to_string()),
            Base::Link { from, .. } => self.base(service, from),
        }
    }

    pub(super) async fn request<E>(&self, call: &Call<E>, url: &Url, correlation: Uuid) -> Result<Request, Failure> {
        let operation = call.facts();
        let Facts { service, method, .. } = *operation;
        let method: Method = method.parse().map_err(|_| unsendable(format!("no method {method}")))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("x-ms-client-request-id"), plain_header(&correlation.to_string())?);
        if let Some(audience) = self.settings.hosts.audience(service) {
            let token = self.token(audience).await.map_err(Failure::Token)?;
            let text = Zeroizing::new(format!("Bearer {}", token.secret.expose_secret()));
            headers.insert(AUTHORIZATION, secret_header(&text)?);
        }
        if service == Service::CustomerInsights
            && self.settings.face == Face::Gateway
            && let Some(key) = &self.settings.subscription_key
        {
            headers.insert(named("Ocp-Apim-Subscription-Key")?, secret_header(key.expose_secret())?);
        }
        for (name, value) in &call.headers {
            headers.append(named(name)?, HeaderValue::from_static(value));
        }
        if let Some((name, value)) = &call.secret_header {
            headers.append(named(name)?, secret_header(value.expose_secret())?);
        }
        match &call.body {
            Some(body) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type));
            }
            None if method == Method::GET || method == Method::DELETE => {}
            // Microsoft's front ends answer 411 to a write that doesn't say that it has no body, and the HTTP client doesn't.
            None => {
                headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
        }
        let body = call.body.as_ref().map(|body| body.bytes.clone());
        Ok(Request { operation, method, url: url.clone(), headers, body })
    }
}

fn unsendable(detail: String) -> Failure {
    Failure::Unsendable { detail }
}

fn named(name: &str) -> Result<HeaderName, Failure> {
    name.parse().map_err(|_| unsendable(format!("`{name}` can't be the name of a header")))
}

fn plain_header(value: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(value).map_err(|_| unsendable("a header holds characters that it can't carry".to_owned()))
}

fn secret_header(value: &str) -> Result<HeaderValue, Failure> {
    let mut header = HeaderValue::from_str(value)
        .map_err(|_| unsendable("a secret holds characters that a header can't carry".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}
