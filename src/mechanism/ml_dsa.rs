//! ML-DSA: making pairs, and signatures over messages and over hashes.
//!
//! What is signed is a representative of the message, which takes it in as it comes: parts cost
//! nothing. Signatures are hedged with fresh randomness unless the caller asks for deterministic
//! ones. PKCS#11 3.2, "ML-DSA"; FIPS 204.

use std::sync::Arc;

use super::operation::{Signing, Verifying};
use super::params::{Hedge, MechanismParams};
use super::prehash::{Framing, Input, Prehash};
use super::{Finished, Key, asked_set, expect_key, inconsistent, new_pair, private_key};
use crate::custody::{Custodian, KeyKind, KeySpec, PrivateKey, SignPrimitive};
use crate::engine::aws_lc::ml_dsa::{MU_LEN, MlDsaPublic, Mu, PublicHash};
use crate::error::{Error, Result, Rv};
use crate::object::class::sets::ParameterSet;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::object::{Object, Prepared};

/// Makes a pair of the parameter set of the public template.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    match asked_set(public, private, KeyType::MlDsa)? {
        ParameterSet::MlDsa(set) => new_pair(custodian, &KeySpec::MlDsa(set), public, private),
        _ => Err(inconsistent()),
    }
}

/// Starts a signature.
pub(super) fn sign(key: &Key, params: &MechanismParams, input: Input) -> Result<Box<dyn Signing>> {
    let key = private_key(key, KeyType::MlDsa)?;
    let KeyKind::MlDsa { set, public } = key.kind() else { return Err(inconsistent()) };
    let framing = Framing::of(params, input)?;
    let deterministic = framing.hedge == Hedge::Forbidden;
    let message = Representative::begin(&public, framing)?;
    Ok(Box::new(Signature { len: set.signature_len(), key, message, deterministic }))
}

/// Starts a verification. Whether the signature was hedged makes no difference.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    input: Input,
) -> Result<Box<dyn Verifying>> {
    let hash = public_key(key)?.public_hash();
    let message = Representative::begin(hash, Framing::of(params, input)?)?;
    Ok(Box::new(Verification { message, key: Arc::clone(key) }))
}

/// A public ML-DSA key, ready for use.
fn public_key(key: &Object) -> Result<&MlDsaPublic> {
    expect_key(key, Class::PublicKey, &[KeyType::MlDsa])?;
    match key.prepared()? {
        Prepared::MlDsa(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

/// The representative of a message that is being taken in.
struct Representative {
    /// There until it is finished.
    mu: Option<Mu>,
    prehash: Option<Prehash>,
}

impl Representative {
    fn begin(key: &PublicHash, framing: Framing<'_>) -> Result<Self> {
        let mu = match &framing.prehash {
            None => key.message(framing.context)?,
            Some(prehash) => {
                let mut mu = key.digest(framing.context)?;
                mu.update(prehash.name())?;
                mu
            }
        };
        Ok(Self { mu: Some(mu), prehash: framing.prehash })
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        match &mut self.prehash {
            Some(prehash) => prehash.update(part),
            None => Ok(self.mu.as_mut().ok_or_else(finished)?.update(part)?),
        }
    }

    /// Of the parts.
    fn of_parts(&mut self) -> Result<[u8; MU_LEN]> {
        let hash = self.prehash.as_mut().map(Prehash::of_parts).transpose()?;
        self.end(hash.as_ref().map_or(&[], Finished::bytes))
    }

    /// Of data that is there at once.
    fn of_whole(&mut self, data: &[u8]) -> Result<[u8; MU_LEN]> {
        let hash = self.prehash.as_mut().map(|prehash| prehash.of_whole(data)).transpose()?;
        self.end(hash.as_ref().map_or(data, Finished::bytes))
    }

    fn end(&mut self, last: &[u8]) -> Result<[u8; MU_LEN]> {
        let mut mu = self.mu.take().ok_or_else(finished)?;
        mu.update(last)?;
        Ok(mu.finish()?)
    }
}

fn finished() -> Error {
    Rv::GeneralError.because("an operation that was finished")
}

struct Signature {
    key: Arc<dyn PrivateKey>,
    len: usize,
    message: Representative,
    deterministic: bool,
}

impl Signature {
    fn made(&self, mu: &[u8; MU_LEN], out: &mut [u8]) -> Result<usize> {
        let deterministic = self.deterministic;
        self.key.sign(SignPrimitive::MlDsaMu { mu, deterministic }, out)
    }
}

impl Signing for Signature {
    fn len(&self) -> usize {
        self.len
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.message.update(part)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let mu = self.message.of_parts()?;
        self.made(&mu, out)
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        let mu = self.message.of_whole(data)?;
        self.made(&mu, out)
    }
}

struct Verification {
    key: Key,
    message: Representative,
}

impl Verification {
    fn judged(
        &mut self,
        signature: &[u8],
        message: impl FnOnce(&mut Representative) -> Result<[u8; MU_LEN]>,
    ) -> Result<()> {
        let key = public_key(&self.key)?;
        if signature.len() != key.set().signature_len() {
            return Err(Rv::SignatureLenRange.because("an ML-DSA signature of another length"));
        }
        let mu = message(&mut self.message)?;
        let judged = key.verify_mu(&mu, signature);
        judged.map_err(|_| Rv::SignatureInvalid.because("wrong signature"))
    }
}

impl Verifying for Verification {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.message.update(part)
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        self.judged(signature, Representative::of_parts)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        self.judged(signature, |message| message.of_whole(data))
    }
}
