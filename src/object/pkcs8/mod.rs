//! Private keys as DER `PrivateKeyInfo`: what wrapping mechanisms wrap of them.
//!
//! What is around the key is here; the key itself is written and read by its family, which the
//! table `FORMS` names: a row a type of key. RFC 5208, RFC 5958; PKCS#11 3.2,
//! "Wrapping/unwrapping private keys".

mod bare;
mod composite;
mod curves;
mod groups;
mod rsa;

use zeroize::Zeroizing;

use super::attribute;
use super::class::{Class, KeyType, sets};
use super::composite::sets::{KEM_IDENTIFIERS, SIGNATURE_IDENTIFIERS};
use super::der;
use super::template::Template;
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

/// How keys of one type are written and read.
struct Form {
    key_type: KeyType,
    /// The object identifiers of its algorithms, each DER with tag and length.
    algorithms: &'static [&'static [u8]],
    /// Writes a whole private key.
    write: fn(&Template) -> Result<Parts>,
    /// Gives the attributes that make the key; not its class and type.
    read: fn(&Found<'_>) -> Result<Template>,
}

static FORMS: &[Form] = &[
    Form {
        key_type: KeyType::Rsa,
        algorithms: &[rsa::ALGORITHM],
        write: rsa::write,
        read: rsa::read,
    },
    Form {
        key_type: KeyType::Dsa,
        algorithms: &[groups::DSA],
        write: groups::write_dsa,
        read: groups::read_dsa,
    },
    Form {
        key_type: KeyType::Dh,
        algorithms: &[groups::DH],
        write: groups::write_dh,
        read: groups::read_dh,
    },
    Form {
        key_type: KeyType::Ec,
        algorithms: &[curves::EC_ALGORITHM],
        write: curves::write_ec,
        read: curves::read_ec,
    },
    Form {
        key_type: KeyType::EcEdwards,
        algorithms: curves::EDWARDS_ALGORITHMS,
        write: curves::write_bare,
        read: curves::read_bare,
    },
    Form {
        key_type: KeyType::EcMontgomery,
        algorithms: curves::MONTGOMERY_ALGORITHMS,
        write: curves::write_bare,
        read: curves::read_bare,
    },
    Form {
        key_type: KeyType::MlDsa,
        algorithms: sets::ML_DSA,
        write: bare::write,
        read: bare::read,
    },
    Form {
        key_type: KeyType::MlKem,
        algorithms: sets::ML_KEM,
        write: bare::write,
        read: bare::read,
    },
    Form {
        key_type: KeyType::CompSig,
        algorithms: SIGNATURE_IDENTIFIERS,
        write: composite::write,
        read: composite::read,
    },
    Form {
        key_type: KeyType::CompKem,
        algorithms: KEM_IDENTIFIERS,
        write: composite::write,
        read: composite::read,
    },
    Form {
        key_type: KeyType::SlhDsa,
        algorithms: sets::SLH_DSA,
        write: bare::write,
        read: bare::read,
    },
];

/// A private key in two parts.
struct Parts {
    /// The whole `AlgorithmIdentifier`.
    algorithm: Vec<u8>,
    /// The content of the octet string `privateKey`.
    key: Zeroizing<Vec<u8>>,
}

/// What was found in a `PrivateKeyInfo`.
struct Found<'f> {
    /// The algorithm's object identifier, with tag and length.
    algorithm: &'f [u8],
    /// Its parameters, with tag and length.
    parameters: Option<&'f [u8]>,
    /// The content of the octet string `privateKey`.
    key: &'f [u8],
    /// The content of `subjectPublicKey`, if the key brings its public half along (RFC 5958).
    public: Option<&'f [u8]>,
}

/// `version`: RFC 5208's, and RFC 5958's with a public key.
const VERSIONS: [&[u8]; 2] = [&[0], &[1]];
/// `[0] IMPLICIT Attributes`.
const ATTRIBUTES: u8 = 0xa0;
/// `[1] IMPLICIT PublicKey`, a bit string.
const PUBLIC_KEY: u8 = 0x81;

/// Whatever is wrong with a key that was unwrapped; deliberately without a reason.
fn malformed() -> Error {
    Rv::WrappedKeyInvalid.because("not a private key that this token takes")
}

/// A private key as `PrivateKeyInfo`.
///
/// # Errors
/// `CKR_KEY_NOT_WRAPPABLE` for a type of key that has no form here, or whose numbers are not
/// all known; `CKR_HOST_MEMORY`.
pub(crate) fn encode(attributes: &Template) -> Result<Secret> {
    let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    let form = FORMS.iter().find(|form| Some(form.key_type) == key_type);
    let form = form.ok_or_else(|| Rv::KeyNotWrappable.because("no PKCS#8 for this key type"))?;
    let Parts { algorithm, key } = (form.write)(attributes)?;
    let key = Zeroizing::new(der::element(der::OCTET_STRING, &[&key]));
    let [version, _] = VERSIONS;
    let version = der::element(der::INTEGER, &[version]);
    let whole = Zeroizing::new(der::element(der::SEQUENCE, &[&version, &algorithm, &key]));
    Secret::copy_of(&whole)
}

/// The attributes of a private key in a `PrivateKeyInfo`: class, key type, and what makes it.
///
/// # Errors
/// `CKR_WRAPPED_KEY_INVALID`, whatever is wrong; `CKR_HOST_MEMORY`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Template> {
    let found = parse(bytes).ok_or_else(malformed)?;
    let form = FORMS.iter().find(|form| form.algorithms.contains(&found.algorithm));
    let form = form.ok_or_else(malformed)?;
    let mut made = (form.read)(&found)?;
    made.set(attribute::CLASS, Class::PrivateKey.code());
    made.set(attribute::KEY_TYPE, form.key_type.code());
    Ok(made)
}

fn parse(bytes: &[u8]) -> Option<Found<'_>> {
    let (der::SEQUENCE, mut content) = der::whole(bytes)? else { return None };
    let version = der::take(&mut content, der::INTEGER)?;
    if !VERSIONS.contains(&version) {
        return None;
    }
    let mut identifier = der::take(&mut content, der::SEQUENCE)?;
    let algorithm = der::take_whole(&mut identifier, der::OBJECT_IDENTIFIER)?;
    let parameters = (!identifier.is_empty()).then_some(identifier);
    if parameters.is_some_and(|parameters| der::whole(parameters).is_none()) {
        return None;
    }
    let key = der::take(&mut content, der::OCTET_STRING)?;
    // Attributes are names and remarks; none of them makes a key.
    if content.first() == Some(&ATTRIBUTES) {
        der::take(&mut content, ATTRIBUTES)?;
    }
    let mut public = None;
    if content.first() == Some(&PUBLIC_KEY) {
        let [0, bits @ ..] = der::take(&mut content, PUBLIC_KEY)? else { return None };
        public = Some(bits);
    }
    content.is_empty().then_some(Found { algorithm, parameters, key, public })
}
