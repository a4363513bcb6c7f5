//! Signatures of a bundle: one call of C_Sign, and two ordinary signatures side by side.
//!
//! Each half signs the message as its own mechanism does, so that either signature can be cut out
//! and checked by whoever knows its algorithm alone. Which of them must be there and right is the
//! configuration's to say. Ours: PKCS#11 has no such mechanism; `object::bundle` has the format.

use super::operation::{Signing, Verifying, room};
use super::params::MechanismParams;
use super::prehash::Input;
use super::rsa_signature::Scheme;
use super::{Key, ecdsa, eddsa, inconsistent, ml_dsa, rsa_signature};
use crate::config::VerifyMode;
use crate::engine::aws_lc::ec::Curve;
use crate::engine::hash::Digest;
use crate::error::{Error, Result, Rv};
use crate::object::bundle::{self, Half};
use crate::object::class::KeyType;
use crate::object::composite::part::{ecdsa_value, raw_ecdsa};
use crate::object::composite::sets;
use crate::object::curve::{CurveName, curve_of};
use crate::object::{algorithm, attribute};

/// Room for the DER around two signatures: three heads of six bytes each, an algorithm of fifteen
/// and a byte of unused bits, twice, and a head around both.
const AROUND: usize = 2 * (3 * 6 + 16) + 6;

/// The keys of a bundle, and what the configuration wants of their signatures.
pub(crate) struct Bundle<'b> {
    /// The one whose handle was given.
    pub(crate) given: &'b Key,
    /// The other one, unless it is not needed and not there.
    pub(crate) partner: Option<&'b Key>,
    pub(crate) mode: VerifyMode,
    /// Whether both sign, or the post-quantum one alone.
    pub(crate) hybrid: bool,
}

/// The algorithm that a key signs with in a bundle.
struct Algorithm {
    half: Half,
    /// The DER of its `AlgorithmIdentifier`.
    identifier: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// PKCS#1 v1.5.
    Rsa(Digest),
    /// In DER.
    Ecdsa(Curve, Digest),
    Eddsa,
    MlDsa,
}

impl Algorithm {
    /// RSA takes PKCS#1 v1.5, whose identifier has no parameters to disagree about, ECDSA the
    /// hash of its curve's length.
    fn of(key: &Key) -> Result<Self> {
        let attributes = &key.attributes;
        let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
        let half = key_type.and_then(Half::of).ok_or_else(inconsistent)?;
        let (kind, scheme) = match key_type {
            Some(KeyType::Rsa) => {
                (Kind::Rsa(Digest::Sha256), Some(sets::Scheme::Pkcs1(Digest::Sha256)))
            }
            Some(KeyType::MlDsa) => (Kind::MlDsa, None),
            _ => {
                let params = attributes.get(attribute::EC_PARAMS).ok_or_else(inconsistent)?;
                match curve_of(params)? {
                    CurveName::Weierstrass(curve) => {
                        let hash = algorithm::usual_hash(curve);
                        (Kind::Ecdsa(curve, hash), Some(sets::Scheme::Ecdsa(hash)))
                    }
                    CurveName::Edwards(_) => (Kind::Eddsa, None),
                    CurveName::Montgomery(_) => return Err(inconsistent()),
                }
            }
        };
        Ok(Self { half, identifier: algorithm::identifier(scheme, attributes)?, kind })
    }

    fn sign(&self, key: &Key) -> Result<Box<dyn Signing>> {
        let none = &MechanismParams::None;
        match self.kind {
            Kind::Rsa(hash) => rsa_signature::sign(key, none, Scheme::Pkcs1, Some(hash)),
            Kind::Ecdsa(_, hash) => ecdsa::sign(key, none, Some(hash)),
            Kind::Eddsa => eddsa::sign(key, none),
            Kind::MlDsa => ml_dsa::sign(key, none, Input::Message),
        }
    }

    fn verify(&self, key: &Key) -> Result<Box<dyn Verifying>> {
        let none = &MechanismParams::None;
        match self.kind {
            Kind::Rsa(hash) => rsa_signature::verify(key, none, Scheme::Pkcs1, Some(hash)),
            Kind::Ecdsa(_, hash) => ecdsa::verify(key, none, Some(hash)),
            Kind::Eddsa => eddsa::verify(key, none),
            Kind::MlDsa => ml_dsa::verify(key, none, Input::Message),
        }
    }
}

/// Starts a signature of a bundle's private keys.
pub(super) fn sign(bundle: &Bundle<'_>, params: &MechanismParams) -> Result<Box<dyn Signing>> {
    params.none()?;
    let mut halves = Vec::new();
    for key in [Some(bundle.given), bundle.partner].into_iter().flatten() {
        let algorithm = Algorithm::of(key)?;
        if bundle.hybrid || algorithm.half == Half::PostQuantum {
            let check = match algorithm.half {
                Half::Classical => Some(algorithm.verify(key.public_half()?)?),
                Half::PostQuantum => None,
            };
            halves.push(Signer { work: algorithm.sign(key)?, check, algorithm });
        }
    }
    halves.sort_by_key(|half| half.algorithm.half == Half::PostQuantum);
    Ok(Box::new(Signature { halves }))
}

/// One key at work. A fault while a classical signature was computed could tell the key to whoever
/// sees what came of it, so it is verified before it leaves.
struct Signer {
    work: Box<dyn Signing>,
    check: Option<Box<dyn Verifying>>,
    algorithm: Algorithm,
}

struct Signature {
    /// The classical one first.
    halves: Vec<Signer>,
}

impl Signature {
    fn written(
        &mut self,
        out: &mut [u8],
        mut end: impl FnMut(&mut dyn Signing, &mut [u8]) -> Result<usize>,
        mut judge: impl FnMut(&mut dyn Verifying, &[u8]) -> Result<()>,
    ) -> Result<usize> {
        let mut made = Vec::new();
        for Signer { work, check, algorithm } in &mut self.halves {
            let mut signature = vec![0; work.len()];
            let len = end(work.as_mut(), &mut signature)?;
            signature.truncate(len);
            if let Some(check) = check {
                judge(check.as_mut(), &signature)
                    .map_err(|_| Rv::FunctionFailed.because("the classical half signed wrongly"))?;
            }
            if let Kind::Ecdsa(..) = algorithm.kind {
                signature = ecdsa_value(&signature);
            }
            made.push((algorithm.identifier.clone(), signature));
        }
        let signed: Vec<bundle::Signed<'_>> =
            made.iter().map(|(id, signature)| (id.as_slice(), signature.as_slice())).collect();
        let written = bundle::write(&signed);
        room(out, written.len())?.copy_from_slice(&written);
        Ok(written.len())
    }
}

impl Signing for Signature {
    /// DER makes most signatures a little shorter.
    fn len(&self) -> usize {
        AROUND + self.halves.iter().map(|half| half.work.len() + 8).sum::<usize>()
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        for half in &mut self.halves {
            half.work.update(part)?;
            if let Some(check) = &mut half.check {
                check.update(part)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        self.written(out, |work, room| work.finish(room), |check, made| check.finish(made))
    }

    fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        self.written(
            out,
            |work, room| work.sign(data, room),
            |check, made| check.verify(data, made),
        )
    }
}

/// Starts a verification with a bundle's public keys.
pub(super) fn verify(bundle: &Bundle<'_>, params: &MechanismParams) -> Result<Box<dyn Verifying>> {
    params.none()?;
    let mut halves = Vec::new();
    for key in [Some(bundle.given), bundle.partner].into_iter().flatten() {
        let algorithm = Algorithm::of(key)?;
        halves.push((algorithm.verify(key)?, algorithm));
    }
    Ok(Box::new(Verification { halves, mode: bundle.mode }))
}

struct Verification {
    halves: Vec<(Box<dyn Verifying>, Algorithm)>,
    mode: VerifyMode,
}

/// What came of one half of a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Missing,
    Wrong,
    Right,
}

impl Verification {
    /// Judges every signature that is there, and only then says anything.
    fn judged(
        &mut self,
        signature: &[u8],
        mut end: impl FnMut(&mut dyn Verifying, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let signed = bundle::read(signature).ok_or_else(|| wrong("not the DER of a bundle"))?;
        let place = |half| {
            let (_, algorithm) = self.halves.iter().find(|(_, it)| it.half == half)?;
            signed.iter().position(|(identifier, _)| *identifier == algorithm.identifier)
        };
        if place(Half::PostQuantum).is_some_and(|at| place(Half::Classical) > Some(at)) {
            return Err(wrong("the classical signature comes first"));
        }
        let (mut classical, mut post_quantum) = (Outcome::Missing, Outcome::Missing);
        let mut known = 0;
        for (work, algorithm) in &mut self.halves {
            let own: Vec<&[u8]> = signed
                .iter()
                .filter(|(identifier, _)| *identifier == algorithm.identifier)
                .map(|(_, signature)| *signature)
                .collect();
            known += own.len();
            let outcome = match own.as_slice() {
                [] => Outcome::Missing,
                [one] => match algorithm.bare(one).map(|bare| end(work.as_mut(), &bare)) {
                    Some(Ok(())) => Outcome::Right,
                    _ => Outcome::Wrong,
                },
                _ => Outcome::Wrong,
            };
            match algorithm.half {
                Half::Classical => classical = outcome,
                Half::PostQuantum => post_quantum = outcome,
            }
        }
        if self.halves.len() == 2 && known != signed.len() {
            return Err(wrong("a signature of another algorithm"));
        }
        decided(self.mode, classical, post_quantum)
    }
}

impl Algorithm {
    /// A signature as the half's own mechanism takes it.
    fn bare(&self, signature: &[u8]) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Ecdsa(curve, _) => raw_ecdsa(curve, signature),
            _ => Some(signature.to_vec()),
        }
    }
}

/// What the configuration makes of the two.
fn decided(mode: VerifyMode, classical: Outcome, post_quantum: Outcome) -> Result<()> {
    use Outcome::{Missing, Right};
    let needed: &[Outcome] = match mode {
        VerifyMode::And => &[classical, post_quantum],
        VerifyMode::PqOnly => &[post_quantum],
        VerifyMode::Or if classical == Right || post_quantum == Right => return Ok(()),
        VerifyMode::Or => return Err(wrong("neither signature is right")),
    };
    if needed.iter().all(|outcome| *outcome == Right) {
        return Ok(());
    }
    let both = [classical, post_quantum];
    let is_one_right = both.contains(&Right);
    let is_none_wrong = !both.contains(&Outcome::Wrong);
    if is_one_right && is_none_wrong && needed.contains(&Missing) {
        // What is there is right: somebody took the other one away, or never made it.
        let why = "pq.verify_mode asks for a signature that is not there";
        return Err(Rv::ClavigerDowngradeRefused.because(why));
    }
    Err(wrong("a signature of the bundle is wrong"))
}

fn wrong(why: &'static str) -> Error {
    Rv::SignatureInvalid.because(why)
}

impl Verifying for Verification {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.halves.iter_mut().try_for_each(|(work, _)| work.update(part))
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        self.judged(signature, |work, signature| work.finish(signature))
    }

    fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        self.judged(signature, |work, signature| work.verify(data, signature))
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, VerifyMode, decided};
    use crate::error::Rv;

    #[test]
    fn each_mode_takes_what_it_says_and_names_a_downgrade() {
        use Outcome::{Missing, Right, Wrong};
        let refused = |mode, classical, post_quantum| {
            decided(mode, classical, post_quantum).err().map(|error| error.rv)
        };
        let wrong = Some(Rv::SignatureInvalid);
        let downgrade = Some(Rv::ClavigerDowngradeRefused);
        for (mode, classical, post_quantum, expected) in [
            (VerifyMode::And, Right, Right, None),
            (VerifyMode::And, Right, Wrong, wrong),
            (VerifyMode::And, Wrong, Right, wrong),
            (VerifyMode::And, Right, Missing, downgrade),
            (VerifyMode::And, Missing, Right, downgrade),
            (VerifyMode::And, Wrong, Missing, wrong),
            (VerifyMode::And, Missing, Missing, wrong),
            (VerifyMode::Or, Right, Missing, None),
            (VerifyMode::Or, Missing, Right, None),
            (VerifyMode::Or, Wrong, Right, None),
            (VerifyMode::Or, Wrong, Missing, wrong),
            (VerifyMode::Or, Missing, Missing, wrong),
            (VerifyMode::PqOnly, Missing, Right, None),
            (VerifyMode::PqOnly, Wrong, Right, None),
            (VerifyMode::PqOnly, Right, Missing, downgrade),
            (VerifyMode::PqOnly, Right, Wrong, wrong),
        ] {
            assert_eq!(refused(mode, classical, post_quantum), expected);
        }
    }
}
