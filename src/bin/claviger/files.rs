//! Files that commands read and write: `-` is standard input and output, PEM is told from DER, and
//! what was not written whole is not left behind.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use claviger::secret::Secret;
use pkcs8::EncryptedPrivateKeyInfoRef;
use x509_cert::der::{Decode, pem};
use x509_cert::spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use crate::failure::{Code, Failure};
use crate::pin_source::PinSource;

/// No key and no certificate is longer, in bytes.
const LONGEST: u64 = 1 << 20;

/// A key in a file.
pub(crate) enum KeyFile {
    /// PrivateKeyInfo.
    Private(Secret),
    /// SubjectPublicKeyInfo.
    Public(Vec<u8>),
}

/// DER, and what the PEM around it calls it.
struct Found {
    label: Option<String>,
    der: Zeroizing<Vec<u8>>,
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| cannot("read", path, &error))?;
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Err(Failure::new(Code::Failed, format!("{} is a directory", path.display())));
    }
    Ok(Box::new(file))
}

/// All of a file that cannot be long.
pub(crate) fn whole(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Full size from the start: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    let read = open(path)?.take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot("read", path, &error))?;
    if bytes.len() as u64 > LONGEST {
        let cause = format!("{} has more than {LONGEST} bytes", path.display());
        return Err(Failure::new(Code::Failed, cause));
    }
    Ok(bytes)
}

/// Writes a result: to standard output without a path.
pub(crate) fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else {
        let mut out = std::io::stdout().lock();
        return match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(cannot("write", Path::new("standard output"), &error))
            }
            _ => Ok(()),
        };
    };
    let written = File::create(path)
        .map_err(|error| cannot("write", path, &error))
        .map(|mut file| (file.write_all(bytes).and_then(|()| file.sync_data()), file));
    let (done, file) = written?;
    // Devices cannot be synced, and need not be.
    match done {
        Err(error) if error.kind() != ErrorKind::InvalidInput => {
            if file.metadata().is_ok_and(|found| found.is_file()) {
                // What is cut off would be taken for a result.
                let _ = std::fs::remove_file(path);
            }
            Err(cannot("write", path, &error))
        }
        _ => Ok(()),
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::Failed, format!("cannot {what} {}: {error}", path.display()))
}

/// The key in a file.
pub(crate) fn key(path: &Path, password: &PinSource<'_>) -> Result<KeyFile, Failure> {
    let found = found(path)?;
    let refused =
        |cause: String| Failure::new(Code::Failed, format!("{}: {cause}", path.display()));
    match found.label.as_deref() {
        Some("PRIVATE KEY") => Ok(KeyFile::Private(Secret::copy_of(&found.der)?)),
        Some("ENCRYPTED PRIVATE KEY") => decrypted(&found.der, path, password),
        Some("PUBLIC KEY") => Ok(KeyFile::Public(found.der.to_vec())),
        Some("CERTIFICATE") => Err(refused("it is a certificate, and no key".to_owned())
            .or("`claviger certificate import` takes it")),
        Some(label) => Err(refused(format!("PEM of \"{label}\" is not taken"))
            .or("`openssl pkcs8 -topk8` and `openssl pkey -pubout` write what is")),
        None if SubjectPublicKeyInfoRef::from_der(&found.der).is_ok() => {
            Ok(KeyFile::Public(found.der.to_vec()))
        }
        None if EncryptedPrivateKeyInfoRef::from_der(&found.der).is_ok() => {
            decrypted(&found.der, path, password)
        }
        None => Ok(KeyFile::Private(Secret::copy_of(&found.der)?)),
    }
}

/// The DER of a file that holds one kind of thing.
pub(crate) fn der(path: &Path, label: &str) -> Result<Vec<u8>, Failure> {
    let found = found(path)?;
    match found.label {
        Some(other) if other != label => {
            let cause = format!("{}: PEM of \"{other}\", not of \"{label}\"", path.display());
            Err(Failure::new(Code::Failed, cause))
        }
        _ => Ok(found.der.to_vec()),
    }
}

fn found(path: &Path) -> Result<Found, Failure> {
    let bytes = whole(path)?;
    const BEGIN: &[u8] = b"-----BEGIN ";
    if !bytes.windows(BEGIN.len()).any(|window| window == BEGIN) {
        return Ok(Found { label: None, der: bytes });
    }
    let mut room = Zeroizing::new(vec![0; bytes.len()]);
    match pem::decode(&bytes, &mut room).map(|(label, der)| (label.to_owned(), der.len())) {
        Ok((label, len)) => {
            room.truncate(len);
            Ok(Found { label: Some(label), der: room })
        }
        Err(why) => {
            let cause = format!("{} is no good PEM: {why}", path.display());
            Err(Failure::new(Code::Failed, cause))
        }
    }
}

fn decrypted(der: &[u8], path: &Path, password: &PinSource<'_>) -> Result<KeyFile, Failure> {
    let refused = |cause: &str| Failure::new(Code::Failed, format!("{}: {cause}", path.display()));
    let encrypted = EncryptedPrivateKeyInfoRef::from_der(der)
        .map_err(|_| refused("not an encrypted private key of a kind that is known"))?;
    let password = password.password(&path.display().to_string())?;
    let opened = encrypted.decrypt(&*password).map_err(|_| {
        Failure::new(Code::Pin, format!("{}: the password does not open the key", path.display()))
            .or("the key is encrypted by PBES2 with PBKDF2 or scrypt and AES, or it cannot be read")
    })?;
    Ok(KeyFile::Private(Secret::copy_of(opened.as_bytes())?))
}
