//! The classical half of a composite key as the drafts write it.
//!
//! RSA keys are the `RSAPublicKey` and `RSAPrivateKey` of RFC 8017, appendix A.1; private keys on
//! Weierstrass curves the `ECPrivateKey` of RFC 5915 with the curve's name and without the public
//! key, public ones the uncompressed point; Edwards and Montgomery keys their bare bytes. What is
//! written has one form. What is read may also have the public key that RFC 5915 allows, as many
//! tools write it. draft-ietf-lamps-pq-composite-sigs-19 and -kem-17, "Serialization".

use zeroize::Zeroizing;

use crate::custody::{KeyMaterial, KeySpec};
use crate::engine::aws_lc::ec::{Curve, EcPrivate, EcPublic};
use crate::engine::aws_lc::rsa::{RsaComponents, RsaPrivate};
use crate::engine::aws_lc::rsa_public::RsaPublic;
use crate::engine::edwards::{Edwards, EdwardsPrivate, EdwardsPublic};
use crate::engine::montgomery::{Montgomery, MontgomeryPrivate};
use crate::error::{Error, Result, Rv};
use crate::object::Prepared;
use crate::object::curve::{CurveName, identifier};
use crate::object::der;
use crate::secret::Secret;

/// The usual public exponent of RSA.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// `[0]` and `[1]` of an `ECPrivateKey`, both explicit.
const PARAMETERS: u8 = 0xa0;
const PUBLIC_KEY: u8 = 0xa1;

/// The kind of key that the classical half is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Classical {
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// A curve for ECDSA or ECDH.
    Ec(Curve),
    /// EdDSA.
    Edwards(Edwards),
    /// X25519 or X448.
    Montgomery(Montgomery),
}

impl Classical {
    /// What a custodian is asked to make.
    pub(super) fn spec(self) -> KeySpec {
        match self {
            Self::Rsa(bits) => KeySpec::Rsa { bits, exponent: EXPONENT.to_vec() },
            Self::Ec(curve) => KeySpec::Ec(curve),
            Self::Edwards(curve) => KeySpec::Edwards(curve),
            Self::Montgomery(curve) => KeySpec::Montgomery(curve),
        }
    }

    /// Bytes of a written public key, for RSA with the usual exponent.
    pub(crate) const fn public_len(self) -> usize {
        match self {
            // Two heads, a zero before the modulus, and five bytes of the usual exponent.
            Self::Rsa(bits) => bits / 8 + 14,
            Self::Ec(curve) => curve.point_len(),
            Self::Edwards(curve) => curve.key_len(),
            Self::Montgomery(curve) => curve.len(),
        }
    }

    /// Bytes of the longest signature.
    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::Rsa(bits) => bits / 8,
            Self::Ec(curve) => longest_ecdsa(curve),
            Self::Edwards(curve) => curve.signature_len(),
            Self::Montgomery(_) => 0,
        }
    }

    /// Bytes of every ciphertext.
    pub(crate) const fn ciphertext_len(self) -> usize {
        match self {
            Self::Rsa(bits) => bits / 8,
            Self::Ec(_) | Self::Edwards(_) | Self::Montgomery(_) => self.public_len(),
        }
    }

    /// Whether all signatures are of that length. DER makes some shorter.
    pub(crate) const fn has_one_signature_len(self) -> bool {
        !matches!(self, Self::Ec(_))
    }

    /// The public key of material, written.
    pub(super) fn written_public(self, material: &KeyMaterial) -> Result<Vec<u8>> {
        match (self, material) {
            (Self::Rsa(bits), KeyMaterial::Rsa(numbers)) if bits_of(&numbers.modulus) == bits => {
                let modulus = der::integer(&numbers.modulus);
                let exponent = der::integer(&numbers.public_exponent);
                Ok(der::element(der::SEQUENCE, &[&modulus, &exponent]))
            }
            (Self::Ec(own), KeyMaterial::Ec { curve, point, .. }) if own == *curve => {
                Ok(point.clone())
            }
            (Self::Edwards(own), KeyMaterial::Edwards { curve, public, .. }) if own == *curve => {
                Ok(public.clone())
            }
            (Self::Montgomery(own), KeyMaterial::Montgomery { curve, public, .. })
                if own == *curve =>
            {
                Ok(public.clone())
            }
            _ => Err(foreign()),
        }
    }

    /// The private key of material, written.
    pub(super) fn written_private(self, material: &KeyMaterial) -> Result<Secret> {
        match (self, material) {
            (Self::Rsa(_), KeyMaterial::Rsa(numbers)) => written_rsa(numbers),
            (Self::Ec(own), KeyMaterial::Ec { curve, scalar, .. }) if own == *curve => {
                written_ec(*curve, scalar)
            }
            (Self::Edwards(own), KeyMaterial::Edwards { curve, seed, .. }) if own == *curve => {
                seed.expose(Secret::copy_of)
            }
            (Self::Montgomery(own), KeyMaterial::Montgomery { curve, scalar, .. })
                if own == *curve =>
            {
                scalar.expose(Secret::copy_of)
            }
            _ => Err(foreign()),
        }
    }

    /// A public key, ready for use.
    pub(super) fn read_public(self, written: &[u8]) -> Result<Prepared> {
        match self {
            Self::Rsa(bits) => {
                let (modulus, exponent) = rsa_numbers(written).ok_or_else(malformed)?;
                if bits_of(modulus) != bits {
                    return Err(invalid("the RSA half has a modulus of another size"));
                }
                Ok(Prepared::Rsa(RsaPublic::new(modulus, exponent)?))
            }
            Self::Ec(curve) if written.len() == curve.point_len() => {
                Ok(Prepared::Ec(EcPublic::from_point(curve, written)?))
            }
            Self::Ec(_) => Err(malformed()),
            Self::Edwards(curve) => {
                Ok(Prepared::Edwards(EdwardsPublic::from_bytes(curve, written)?))
            }
            Self::Montgomery(curve) if written.len() == curve.len() => {
                Ok(Prepared::Montgomery(curve, written.to_vec()))
            }
            Self::Montgomery(_) => Err(malformed()),
        }
    }

    /// The material of a private key. It is checked as a whole.
    pub(super) fn read_private(self, written: &[u8]) -> Result<KeyMaterial> {
        match self {
            Self::Rsa(bits) => read_rsa(written, bits).map(KeyMaterial::Rsa),
            Self::Ec(curve) => {
                let scalar = read_ec(written, curve)?;
                let point = EcPrivate::from_scalar(curve, &scalar)?.public_point()?;
                Ok(KeyMaterial::Ec { curve, scalar, point })
            }
            Self::Edwards(curve) => {
                let seed = Secret::copy_of(written)?;
                let public = EdwardsPrivate::from_seed(curve, &seed)?.public();
                Ok(KeyMaterial::Edwards { curve, seed, public })
            }
            Self::Montgomery(curve) => {
                let scalar = Secret::copy_of(written)?;
                let key = MontgomeryPrivate::from_scalar(curve, scalar)?;
                Ok(KeyMaterial::Montgomery { curve, public: key.public()?, scalar: key.scalar()? })
            }
        }
    }
}

/// Bytes of the longest `Ecdsa-Sig-Value`. The order of P-521 leaves room for a sign in its first
/// byte; the others need one more.
const fn longest_ecdsa(curve: Curve) -> usize {
    let number = match curve {
        Curve::P521 => curve.field_len(),
        _ => curve.field_len() + 1,
    };
    let content = 2 * (2 + number);
    if content < 0x80 { 2 + content } else { 3 + content }
}

/// The `Ecdsa-Sig-Value` of r || s (RFC 3279, section 2.2.3).
pub(crate) fn ecdsa_value(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    der::element(der::SEQUENCE, &[&der::integer(r), &der::integer(s)])
}

/// The r || s of an `Ecdsa-Sig-Value`, each as long as the field. Nothing but its one encoding is
/// taken, so that a signature cannot be written anew by who did not make it.
pub(crate) fn raw_ecdsa(curve: Curve, value: &[u8]) -> Option<Vec<u8>> {
    let (der::SEQUENCE, mut content) = der::whole(value)? else { return None };
    let mut raw = vec![0; curve.signature_len()];
    for half in raw.chunks_exact_mut(curve.field_len()) {
        let number = der::take_number(&mut content)?;
        let start = half.len().checked_sub(number.len())?;
        half.get_mut(start..)?.copy_from_slice(number);
    }
    content.is_empty().then_some(raw)
}

fn invalid(why: &'static str) -> Error {
    Rv::AttributeValueInvalid.because(why)
}

fn malformed() -> Error {
    invalid("the classical half is not what its draft asks for")
}

fn foreign() -> Error {
    Rv::GeneralError.because("material of another kind than its composite has")
}

/// The bits of a modulus without zeros before it.
fn bits_of(modulus: &[u8]) -> usize {
    let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros());
    (modulus.len() * 8).saturating_sub(usize::try_from(zeros).unwrap_or_default())
}

/// Modulus and exponent of an `RSAPublicKey`.
fn rsa_numbers(written: &[u8]) -> Option<(&[u8], &[u8])> {
    let (der::SEQUENCE, mut content) = der::whole(written)? else { return None };
    let modulus = der::take_number(&mut content)?;
    let exponent = der::take_number(&mut content)?;
    content.is_empty().then_some((modulus, exponent))
}

fn read_rsa(written: &[u8], bits: usize) -> Result<RsaComponents> {
    let Some((der::SEQUENCE, mut content)) = der::whole(written) else { return Err(malformed()) };
    let version = der::take_number(&mut content);
    let mut numbers = [&[][..]; 8];
    for number in &mut numbers {
        *number = der::take_number(&mut content).ok_or_else(malformed)?;
    }
    if version != Some(&[]) || !content.is_empty() {
        return Err(invalid("an RSA half with more than two primes"));
    }
    let [n, e, d, p, q, dp, dq, inverse] = numbers;
    if bits_of(n) != bits {
        return Err(invalid("the RSA half has a modulus of another size"));
    }
    let given = RsaComponents {
        modulus: n.to_vec(),
        public_exponent: e.to_vec(),
        private_exponent: Secret::copy_of(d)?,
        prime1: Some(Secret::copy_of(p)?),
        prime2: Some(Secret::copy_of(q)?),
        exponent1: Some(Secret::copy_of(dp)?),
        exponent2: Some(Secret::copy_of(dq)?),
        coefficient: Some(Secret::copy_of(inverse)?),
    };
    Ok(RsaPrivate::from_components(&given)?.components()?)
}

fn written_rsa(numbers: &RsaComponents) -> Result<Secret> {
    let mut written = vec![Zeroizing::new(der::integer(&[]))];
    for public in [&numbers.modulus, &numbers.public_exponent] {
        written.push(Zeroizing::new(der::integer(public)));
    }
    for secret in [
        Some(&numbers.private_exponent),
        numbers.prime1.as_ref(),
        numbers.prime2.as_ref(),
        numbers.exponent1.as_ref(),
        numbers.exponent2.as_ref(),
        numbers.coefficient.as_ref(),
    ] {
        let secret = secret.ok_or_else(foreign)?;
        written.push(secret.expose(|bytes| Zeroizing::new(der::integer(bytes))));
    }
    let parts: Vec<&[u8]> = written.iter().map(|number| number.as_slice()).collect();
    Secret::copy_of(&Zeroizing::new(der::element(der::SEQUENCE, &parts)))
}

fn written_ec(curve: Curve, scalar: &Secret) -> Result<Secret> {
    let version = der::integer(&[1]);
    let name = der::element(PARAMETERS, &[identifier(CurveName::Weierstrass(curve))]);
    scalar.expose(|scalar| {
        let scalar = Zeroizing::new(der::element(der::OCTET_STRING, &[scalar]));
        let whole = der::element(der::SEQUENCE, &[&version, &scalar, &name]);
        Secret::copy_of(&Zeroizing::new(whole))
    })
}

/// The scalar of an `ECPrivateKey` on this curve.
fn read_ec(written: &[u8], curve: Curve) -> Result<Secret> {
    let Some((der::SEQUENCE, mut content)) = der::whole(written) else { return Err(malformed()) };
    let version = der::take_number(&mut content);
    let scalar = der::take(&mut content, der::OCTET_STRING).ok_or_else(malformed)?;
    if version != Some(&[1]) || scalar.len() != curve.field_len() {
        return Err(malformed());
    }
    let scalar = Secret::copy_of(scalar)?;
    if content.first() == Some(&PARAMETERS)
        && der::take(&mut content, PARAMETERS) != Some(identifier(CurveName::Weierstrass(curve)))
    {
        return Err(invalid("the EC half is on another curve"));
    }
    if content.is_empty() {
        return Ok(scalar);
    }
    let point = EcPrivate::from_scalar(curve, &scalar)?.public_point()?;
    match der::whole(content) {
        Some((PUBLIC_KEY, own)) if own == der::bit_string(&point) => Ok(scalar),
        _ => Err(invalid("the EC half names another public key")),
    }
}
