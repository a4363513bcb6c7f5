//! Composite signatures: ML-DSA and a classical algorithm over one message, under one key.
//!
//! Both halves sign M' = Prefix || Label || len(ctx) || ctx || PH(M), ML-DSA with the label as its
//! context. The message is hashed as it comes, so parts cost nothing; or the caller brings the
//! hash. A signature counts if both halves do. PKCS#11 3.3 (working draft), "Composite
//! Signature"; draft-ietf-lamps-pq-composite-sigs-19, sections 2 to 4.

use std::sync::Arc;

use super::operation::{Signing, Verifying, room};
use super::params::{Hedge, MechanismParams, invalid};
use super::prehash::{self, Framing};
use super::rsa_signature::digest_info;
use super::{Finished, Key, expect_key, expect_template, inconsistent};
use crate::custody::{Custodian, PrivateKey, SignPrimitive};
use crate::engine::EngineError;
use crate::engine::aws_lc::rsa::PssParams;
use crate::engine::ed25519::Variant;
use crate::engine::hash::{self, Digest, Hasher};
use crate::error::{Error, Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::composite::halves::{CompositePrivate, CompositePublic};
use crate::object::composite::part::{Classical, ecdsa_value, raw_ecdsa};
use crate::object::composite::sets::{Scheme, SignatureSet};
use crate::object::template::Template;
use crate::object::{Object, Prepared, composite};

/// What tells composite signatures from all others.
const PREFIX: &[u8; 32] = b"CompositeAlgorithmSignatures2025";

/// What the caller gives to be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    /// The message.
    Message,
    /// Its hash by the set's own function.
    Digest,
}

/// Makes a pair of the parameter set of the public template. Both halves are made afresh.
pub(super) fn generate_pair(
    custodian: &dyn Custodian,
    public: &Template,
    private: &Template,
) -> Result<(Template, Template)> {
    expect_template(public, Class::PublicKey, KeyType::CompSig)?;
    expect_template(private, Class::PrivateKey, KeyType::CompSig)?;
    composite::generate_pair(custodian, KeyType::CompSig, public, private)
}

/// The message, its context, and the hash that the set wants of it.
struct Representative {
    set: &'static SignatureSet,
    context: Vec<u8>,
    hedge: Hedge,
    input: Input,
    hasher: Hasher,
}

impl Representative {
    fn new(key: &Object, params: &MechanismParams, input: Input) -> Result<Self> {
        let set = composite::signature_set(&key.attributes)?;
        let framing = Framing::of(params, prehash::Input::Message)?;
        let (context, hedge) = (framing.context.to_vec(), framing.hedge);
        Ok(Self { set, context, hedge, input, hasher: Hasher::new(set.prehash) })
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        match self.input {
            Input::Message => {
                self.hasher.update(part);
                Ok(())
            }
            Input::Digest => Err(Rv::FunctionNotSupported.because("a hash comes in one part")),
        }
    }

    /// M' with the parts taken in.
    fn of_parts(&mut self) -> Result<Vec<u8>> {
        if self.input == Input::Digest {
            return Err(Rv::DataLenRange.because("no hash was given"));
        }
        let digest = Finished::of(&mut self.hasher)?;
        self.around(digest.bytes())
    }

    /// M' of data given in one part.
    fn of_whole(&mut self, data: &[u8]) -> Result<Vec<u8>> {
        match self.input {
            Input::Message => {
                self.hasher.update(data);
                self.of_parts()
            }
            Input::Digest if data.len() == self.set.prehash.len() => self.around(data),
            Input::Digest => Err(Rv::DataLenRange.because("not as long as the set's hash")),
        }
    }

    fn around(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let len = u8::try_from(self.context.len()).map_err(|_| invalid("context"))?;
        let label = self.set.label.as_bytes();
        Ok([PREFIX, label, &[len], &self.context, digest].concat())
    }
}

/// Starts a signature.
pub(super) fn sign(key: &Key, params: &MechanismParams, input: Input) -> Result<Box<dyn Signing>> {
    private(key)?;
    let message = Representative::new(key, params, input)?;
    let random = matches!(message.set.scheme, Scheme::Ecdsa(_) | Scheme::Pss(_));
    if message.hedge == Hedge::Forbidden && random {
        return Err(invalid("the classical half of this set signs with randomness"));
    }
    Ok(Box::new(Signature { key: Arc::clone(key), message }))
}

/// Starts a verification.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    input: Input,
) -> Result<Box<dyn Verifying>> {
    public(key)?;
    let message = Representative::new(key, params, input)?;
    Ok(Box::new(Verification { key: Arc::clone(key), message }))
}

fn private(key: &Object) -> Result<&CompositePrivate> {
    expect_key(key, Class::PrivateKey, &[KeyType::CompSig])?;
    match key.prepared()? {
        Prepared::CompositePrivate(private) => Ok(private),
        _ => Err(inconsistent()),
    }
}

fn public(key: &Object) -> Result<&CompositePublic> {
    expect_key(key, Class::PublicKey, &[KeyType::CompSig])?;
    match key.prepared()? {
        Prepared::CompositePublic(public) => Ok(public),
        _ => Err(inconsistent()),
    }
}

struct Signature {
    key: Key,
    message: Representative,
}

impl Signature {
    fn made(&self, message: &[u8], out: &mut [u8]) -> Result<usize> {
        let (key, set) = (private(&self.key)?, self.message.set);
        let lattice_len = set.halves.lattice.signature_len();
        let (first, rest) = out
            .split_at_mut_checked(lattice_len)
            .ok_or_else(|| Rv::GeneralError.because("less room than was promised"))?;
        let (context, hedge) = (set.label.as_bytes(), self.message.hedge);
        let written = key.post_quantum.sign(
            SignPrimitive::MlDsa { context, message, deterministic: hedge == Hedge::Forbidden },
            first,
        )?;
        if written != lattice_len {
            return Err(Rv::GeneralError.because("an ML-DSA signature of another length"));
        }
        let classical = sign_classical(&*key.classical, set, message)?;
        // A fault while it was computed could tell the key to whoever sees what came of it.
        check_classical(&key.public, set, message, &classical)
            .map_err(|_| Rv::FunctionFailed.because("the classical half signed wrongly"))?;
        room(rest, classical.len())?.copy_from_slice(&classical);
        Ok(lattice_len + classical.len())
    }
}

impl Signing for Signature {
    fn len(&self) -> usize {
        let halves = &self.message.set.halves;
        halves.lattice.signature_len() + halves.classical.signature_len()
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.message.update(part)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let message = self.message.of_parts()?;
        self.made(&message, out)
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        let message = self.message.of_whole(data)?;
        self.made(&message, out)
    }
}

/// The classical half's signature, as it is written.
fn sign_classical(key: &dyn PrivateKey, set: &SignatureSet, message: &[u8]) -> Result<Vec<u8>> {
    let digest;
    let primitive = match set.scheme {
        Scheme::Pss(hash) => {
            digest = hash::digest(hash, message);
            SignPrimitive::Pss { params: pss(hash), digest: &digest }
        }
        Scheme::Pkcs1(hash) => {
            digest = [digest_info(hash)?, hash::digest(hash, message)].concat();
            SignPrimitive::Pkcs1(&digest)
        }
        Scheme::Ecdsa(hash) => {
            digest = hash::digest(hash, message);
            SignPrimitive::Ecdsa(&digest)
        }
        Scheme::Eddsa => SignPrimitive::Eddsa { variant: Variant::Pure, message },
    };
    let mut signature = vec![0; key.kind().signature_len()];
    let written = key.sign(primitive, &mut signature)?;
    signature.truncate(written);
    Ok(match set.scheme {
        Scheme::Ecdsa(_) => ecdsa_value(&signature),
        _ => signature,
    })
}

const fn pss(hash: Digest) -> PssParams {
    PssParams { hash, mgf: hash, salt_len: hash.len() }
}

/// Checks the classical half's signature.
fn check_classical(
    key: &CompositePublic,
    set: &SignatureSet,
    message: &[u8],
    signature: &[u8],
) -> Result<(), EngineError> {
    match (&key.classical, set.scheme, set.halves.classical) {
        (Prepared::Rsa(key), Scheme::Pss(hash), _) => {
            key.verify_pss(&pss(hash), &hash::digest(hash, message), signature)
        }
        (Prepared::Rsa(key), Scheme::Pkcs1(hash), _) => {
            let info = digest_info(hash).map_err(|_| EngineError::Verify)?;
            let info = [info, hash::digest(hash, message)].concat();
            key.verify_pkcs1(&info, signature)
        }
        (Prepared::Ec(key), Scheme::Ecdsa(hash), Classical::Ec(curve)) => {
            let raw = raw_ecdsa(curve, signature).ok_or(EngineError::Verify)?;
            key.verify(&hash::digest(hash, message), &raw)
        }
        (Prepared::Edwards(key), Scheme::Eddsa, _) => key.verify(Variant::Pure, message, signature),
        _ => Err(EngineError::Failed("a key of another kind than its set")),
    }
}

struct Verification {
    key: Key,
    message: Representative,
}

impl Verification {
    /// Both halves are always computed, and one answer is given for both.
    fn judged(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let (key, set) = (public(&self.key)?, self.message.set);
        let Prepared::MlDsa(lattice_key) = &key.post_quantum else { return Err(inconsistent()) };
        let (lattice, classical) = split(set, signature)?;
        let label = set.label.as_bytes();
        let first = lattice_key.verify(label, message, lattice).is_ok();
        let second = check_classical(key, set, message, classical).is_ok();
        if first & second { Ok(()) } else { Err(wrong()) }
    }
}

fn wrong() -> Error {
    Rv::SignatureInvalid.because("wrong signature")
}

/// The two halves of a signature that may be one by its length.
fn split<'s>(set: &SignatureSet, signature: &'s [u8]) -> Result<(&'s [u8], &'s [u8])> {
    check_len(set, signature.len())?;
    Ok(signature.split_at(set.halves.lattice.signature_len()))
}

fn check_len(set: &SignatureSet, signature: usize) -> Result<()> {
    let classical = set.halves.classical;
    let longest = classical.signature_len();
    let fits = match signature.checked_sub(set.halves.lattice.signature_len()) {
        Some(rest) if classical.has_one_signature_len() => rest == longest,
        Some(rest) => (1..=longest).contains(&rest),
        None => false,
    };
    if fits {
        return Ok(());
    }
    Err(Rv::SignatureLenRange.because("a composite signature of another length"))
}

impl Verifying for Verification {
    fn check_len(&self, signature: usize) -> Result<()> {
        check_len(self.message.set, signature)
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.message.update(part)
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        let message = self.message.of_parts()?;
        self.judged(&message, signature)
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        let message = self.message.of_whole(data)?;
        self.judged(&message, signature)
    }
}
