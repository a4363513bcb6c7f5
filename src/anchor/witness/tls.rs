//! The encrypted connection: TLS 1.3 by rustls, with the certificates of the system or of one
//! file.
//!
//! The primitives are ring's and not those of the C library that the engine uses: that one's
//! generator has locks that a fork must not meet, and a handshake waits for the network.

use std::fs::File;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::http::Limited;

/// Where systems keep the certificates that they trust.
const SYSTEM_STORES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// A system's file has a quarter of a mebibyte.
const LONGEST_STORE: u64 = 4 << 20;

/// A connection over which nobody else reads or writes.
pub(super) type Encrypted = StreamOwned<ClientConnection, Limited<TcpStream>>;

/// Wraps a connection; the handshake happens with the first write.
pub(super) fn over(
    stream: Limited<TcpStream>,
    host: &str,
    ca: Option<&Path>,
) -> Result<Encrypted, String> {
    let roots = match ca {
        Some(file) => roots(file)?,
        None => {
            let stores = SYSTEM_STORES.iter().map(Path::new);
            let mut found = stores.filter(|store| store.exists());
            roots(found.next().ok_or("the system has no file of trusted certificates")?)?
        }
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let told = |error: rustls::Error| error.to_string();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(told)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    let connection = ClientConnection::new(Arc::new(config), name).map_err(told)?;
    Ok(StreamOwned::new(connection, stream))
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let told = |why: String| format!("{}: {why}", file.display());
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|error| told(error.to_string()))?;
    opened.take(LONGEST_STORE).read_to_end(&mut bytes).map_err(|error| told(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok);
    roots.add_parsable_certificates(certificates);
    match roots.is_empty() {
        true => Err(told("no certificate in it".to_owned())),
        false => Ok(roots),
    }
}
