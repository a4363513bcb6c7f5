//! Composite KEMs: ML-KEM and a classical algorithm make one secret, under one key.
//!
//! ss = SHA3-256(ss of ML-KEM || classical ss || classical ciphertext || classical public key ||
//! label). A ciphertext that ML-KEM would not have made gives another secret; one that the
//! classical half cannot take, a point off its curve or a wrong padding, is refused. X-Wing is
//! the same with another private key. PKCS#11 3.3 (working draft), "Composite KEM";
//! draft-ietf-lamps-pq-composite-kem-17, sections 2 to 4; draft-connolly-cfrg-xwing-kem-10.

use std::sync::Arc;

use super::operation::{Encapsulating, room};
use super::params::MechanismParams;
use super::{Key, expect_key, expect_template, inconsistent};
use crate::custody::{Custodian, DecryptPrimitive, DerivePrimitive, PrivateKey};
use crate::engine::aws_lc::ec::EcPrivate;
use crate::engine::aws_lc::rsa::OaepParams;
use crate::engine::aws_lc::shake::sha3_256;
use crate::engine::hash::Digest;
use crate::engine::montgomery::MontgomeryPrivate;
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::composite::halves::{CompositePrivate, CompositePublic};
use crate::object::composite::part::Classical;
use crate::object::composite::sets::KemSet;
use crate::object::template::Template;
use crate::object::{Object, Prepared, composite};
use crate::secret::Secret;

/// Bytes of every secret.
pub(super) const SECRET_LEN: usize = 32;

/// How RSA carries its half of the secret.
const OAEP: OaepParams<'_> = OaepParams { hash: Digest::Sha256, mgf: Digest::Sha256, label: &[] };

/// Makes a pair of the parameter set of the public template. Both halves are made afresh.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    expect_template(public, Class::PublicKey, KeyType::CompKem)?;
    expect_template(private, Class::PrivateKey, KeyType::CompKem)?;
    composite::generate_pair(custodian, KeyType::CompKem, public, private)
}

/// Prepares to make a secret for the holder of a public key.
pub(super) fn encapsulate(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Box<dyn Encapsulating>> {
    public(key)?;
    params.none()?;
    check_len(len)?;
    let set = composite::kem_set(&key.attributes)?;
    Ok(Box::new(Encapsulation { key: Arc::clone(key), set }))
}

/// The secret in a ciphertext.
pub(super) fn decapsulate(
    key: &Key,
    params: &MechanismParams,
    ciphertext: &[u8],
    len: Option<usize>,
) -> Result<Secret> {
    let private = private(key)?;
    params.none()?;
    check_len(len)?;
    opened(private, composite::kem_set(&key.attributes)?, ciphertext)
}

/// No part of the secret is given for the whole.
fn check_len(len: Option<usize>) -> Result<()> {
    match len {
        None | Some(SECRET_LEN) => Ok(()),
        Some(_) => Err(Rv::TemplateInconsistent.because("the secret is 32 bytes long")),
    }
}

pub(super) fn private(key: &Object) -> Result<&CompositePrivate> {
    expect_key(key, Class::PrivateKey, &[KeyType::CompKem])?;
    match key.prepared()? {
        Prepared::CompositePrivate(private) => Ok(private),
        _ => Err(inconsistent()),
    }
}

fn public(key: &Object) -> Result<&CompositePublic> {
    expect_key(key, Class::PublicKey, &[KeyType::CompKem])?;
    match key.prepared()? {
        Prepared::CompositePublic(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

struct Encapsulation {
    key: Key,
    set: &'static KemSet,
}

impl Encapsulating for Encapsulation {
    fn len(&self) -> usize {
        self.set.halves.ciphertext_len()
    }

    fn encapsulate(&mut self, out: &mut [u8]) -> Result<(usize, Secret)> {
        let (key, set) = (public(&self.key)?, self.set);
        let out = room(out, set.halves.ciphertext_len())?;
        let Prepared::MlKem(lattice) = &key.post_quantum else { return Err(inconsistent()) };
        let (first, second) = out.split_at_mut(set.halves.lattice.ciphertext_len());
        let lattice = lattice.encapsulate(first)?;
        let classical = carried(key, set.halves.classical, second)?;
        let secret = combined(&lattice, &classical, second, &key.classical_bytes, set.label)?;
        Ok((set.halves.ciphertext_len(), secret))
    }
}

/// Makes the classical half of a secret and writes its ciphertext.
fn carried(key: &CompositePublic, classical: Classical, out: &mut [u8]) -> Result<Secret> {
    match (classical, &key.classical) {
        (Classical::Ec(curve), _) => {
            let fleeting = EcPrivate::generate(curve)?;
            room(out, curve.point_len())?.copy_from_slice(&fleeting.public_point()?);
            Ok(fleeting.derive(&key.classical_bytes)?)
        }
        (Classical::Montgomery(_), Prepared::Montgomery(curve, point)) => {
            let fleeting = MontgomeryPrivate::generate(*curve)?;
            room(out, curve.len())?.copy_from_slice(&fleeting.public()?);
            Ok(fleeting.derive(point)?)
        }
        (Classical::Rsa(_), Prepared::Rsa(key)) => {
            let secret = random::secret(SECRET_LEN)?;
            secret.expose(|secret| key.encrypt_oaep(&OAEP, secret, out))?;
            Ok(secret)
        }
        _ => Err(inconsistent()),
    }
}

/// The secret in a ciphertext, for the holder of the key.
pub(super) fn opened(key: &CompositePrivate, set: &KemSet, ciphertext: &[u8]) -> Result<Secret> {
    if ciphertext.len() != set.halves.ciphertext_len() {
        return Err(Rv::WrappedKeyLenRange.because("a composite ciphertext of another length"));
    }
    let (first, second) = ciphertext.split_at(set.halves.lattice.ciphertext_len());
    let lattice = key.post_quantum.decapsulate(first)?;
    let classical = recovered(&*key.classical, set.halves.classical, second)?;
    combined(&lattice, &classical, second, &key.public.classical_bytes, set.label)
}

/// The classical half of a secret. Whatever is wrong with its ciphertext has one name.
fn recovered(key: &dyn PrivateKey, classical: Classical, ciphertext: &[u8]) -> Result<Secret> {
    let wrong = |error: Error| match error.rv {
        Rv::HostMemory | Rv::GeneralError => error,
        _ => Rv::WrappedKeyInvalid.because("the classical half of the ciphertext"),
    };
    match classical {
        Classical::Ec(_) | Classical::Montgomery(_) => {
            key.derive(DerivePrimitive::Ecdh { point: ciphertext }).map_err(wrong)
        }
        Classical::Rsa(_) => {
            let mut len = 0;
            let room = Secret::build(ciphertext.len(), |out| {
                let primitive = DecryptPrimitive::Oaep { params: OAEP, ciphertext };
                len = key.decrypt(primitive, out).map_err(wrong)?;
                Ok::<_, Error>(())
            })?;
            if len != SECRET_LEN {
                return Err(Rv::WrappedKeyInvalid.because("the classical half of the ciphertext"));
            }
            room.expose(|secret| Secret::copy_of(secret.get(..SECRET_LEN).unwrap_or_default()))
        }
        Classical::Edwards(_) => Err(inconsistent()),
    }
}

/// The combiner of both drafts.
fn combined(
    lattice: &Secret,
    classical: &Secret,
    ciphertext: &[u8],
    public: &[u8],
    label: &[u8],
) -> Result<Secret> {
    Secret::build(SECRET_LEN, |out| {
        lattice.expose(|lattice| {
            classical.expose(|classical| {
                let parts = [lattice, classical, ciphertext, public, label];
                Ok(sha3_256(&parts, out)?)
            })
        })
    })
}
