//! A self-signed certificate for loopback, made at each start.
//!
//! What must stay true: the private key never leaves the process; only the certificate is written.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::StartError;
use super::key_vault::LOCAL_VAULTS;

/// The names of the certificate, besides those of the vaults.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes the certificate, writes it to `file`, and returns what accepts connections with it. Each vault that the world has at
/// start is named, since clients refuse a wildcard for `*.localhost`.
pub(crate) fn acceptor(file: Option<&Path>, vaults: &[String]) -> Result<TlsAcceptor, StartError> {
    let tls = |e: &dyn std::fmt::Display| StartError::Tls(e.to_string());
    let key = KeyPair::generate().map_err(|e| tls(&e))?;
    let vaults = vaults.iter().map(|name| format!("{name}.{LOCAL_VAULTS}"));
    let names: Vec<String> = NAMES.map(str::to_owned).into_iter().chain(vaults).collect();
    let params = CertificateParams::new(names).map_err(|e| tls(&e))?;
    let certificate = params.self_signed(&key).map_err(|e| tls(&e))?;
    if let Some(file) = file {
        let write = |source| StartError::Certificate { path: file.to_owned(), source };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(write)?;
        }
        std::fs::write(file, certificate.pem()).map_err(write)?;
    }
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // Named, since more than one provider may be linked in and the process has no default.
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| tls(&e))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .map_err(|e| tls(&e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
