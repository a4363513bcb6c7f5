//! ML-KEM: making pairs, encapsulation, decapsulation. PKCS#11 3.2, "ML-KEM"; FIPS 203.

use std::sync::Arc;

use super::operation::{Encapsulating, room};
use super::params::MechanismParams;
use super::{Key, asked_set, expect_key, inconsistent, new_pair, private_key};
use crate::custody::{Custodian, KeySpec};
use crate::engine::ml_kem::{MlKemPublic, SHARED_LEN};
use crate::error::{Result, Rv};
use crate::object::class::sets::ParameterSet;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::object::{Object, Prepared};
use crate::secret::Secret;

/// Makes a pair of the parameter set of the public template.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    match asked_set(public, private, KeyType::MlKem)? {
        ParameterSet::MlKem(set) => new_pair(custodian, &KeySpec::MlKem(set), public, private),
        _ => Err(inconsistent()),
    }
}

/// Prepares to make a secret for the holder of a public key.
pub(super) fn encapsulate(
    key: &Key,
    params: &MechanismParams,
    wanted: Option<usize>,
) -> Result<Box<dyn Encapsulating>> {
    let len = public_key(key)?.set().ciphertext_len();
    params.none()?;
    expect_len(wanted)?;
    Ok(Box::new(Encapsulation { key: Arc::clone(key), len }))
}

/// Gives the secret in a ciphertext.
pub(super) fn decapsulate(
    key: &Key,
    params: &MechanismParams,
    ciphertext: &[u8],
    wanted: Option<usize>,
) -> Result<Secret> {
    let key = private_key(key, KeyType::MlKem)?;
    params.none()?;
    expect_len(wanted)?;
    key.decapsulate(ciphertext)
}

/// The secret has its own length; no other can be made of it here.
fn expect_len(wanted: Option<usize>) -> Result<()> {
    match wanted {
        None | Some(SHARED_LEN) => Ok(()),
        Some(_) => Err(Rv::TemplateInconsistent.because("an ML-KEM secret is 32 bytes long")),
    }
}

fn public_key(key: &Object) -> Result<&MlKemPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::MlKem])?;
    match key.prepared()? {
        Prepared::MlKem(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

struct Encapsulation {
    key: Key,
    len: usize,
}

impl Encapsulating for Encapsulation {
    fn len(&self) -> usize {
        self.len
    }

    fn encapsulate(&mut self, out: &mut [u8]) -> Result<(usize, Secret)> {
        let secret = public_key(&self.key)?.encapsulate(room(out, self.len)?)?;
        Ok((self.len, secret))
    }
}
