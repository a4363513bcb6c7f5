//! X25519 and X448 (RFC 7748, section 5): key agreement on the Montgomery curves.
//!
//! Keys are the RFC's: a scalar and a u coordinate, both little endian and as long as the field.
//! Any string of that length is a key; what matters is left to the agreement, which refuses the
//! all-zero result that points of small order give (RFC 7748, section 6).

use super::aws_lc::x25519;
use super::{EngineError, hash, random};
use crate::secret::Secret;

/// A curve for key agreement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Montgomery {
    X25519,
    X448,
}

impl Montgomery {
    /// Bytes of a scalar, of a u coordinate and of a shared secret.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::X448 => 56,
        }
    }
}

/// A private key. The scalar is kept as it was given; the bits that the RFC fixes are set where
/// it is used.
pub(crate) struct MontgomeryPrivate {
    curve: Montgomery,
    scalar: Secret,
}

impl MontgomeryPrivate {
    /// Makes a key.
    pub(crate) fn generate(curve: Montgomery) -> Result<Self, EngineError> {
        Self::from_scalar(curve, random::secret(curve.len())?)
    }

    /// The key of a scalar, which is as long as the field.
    pub(crate) fn from_scalar(curve: Montgomery, scalar: Secret) -> Result<Self, EngineError> {
        if scalar.len() != curve.len() {
            return Err(EngineError::Key("the scalar is not as long as the field"));
        }
        Ok(Self { curve, scalar })
    }

    pub(crate) const fn curve(&self) -> Montgomery {
        self.curve
    }

    /// The scalar, as it was given.
    pub(crate) fn scalar(&self) -> Result<Secret, EngineError> {
        Ok(self.scalar.expose(Secret::copy_of)?)
    }

    /// The public key.
    pub(crate) fn public(&self) -> Result<Vec<u8>, EngineError> {
        self.scalar.expose(|scalar| match self.curve {
            Montgomery::X25519 => Ok(x25519::public(exactly(scalar)?).to_vec()),
            Montgomery::X448 => {
                let key = x448::StaticSecret::from(*exactly(scalar)?);
                Ok(x448::PublicKey::from(&key).as_bytes().to_vec())
            }
        })
    }

    /// The shared u coordinate. `Key` for a peer of another length or of small order.
    pub(crate) fn derive(&self, peer: &[u8]) -> Result<Secret, EngineError> {
        Secret::build(self.curve.len(), |out| {
            self.scalar.expose(|scalar| match self.curve {
                Montgomery::X25519 => {
                    let out = out.try_into().map_err(|_| EngineError::Length)?;
                    x25519::agree(exactly(scalar)?, exactly(peer)?, out)
                }
                Montgomery::X448 => agree_on_448(exactly(scalar)?, exactly(peer)?, out),
            })
        })
    }
}

fn agree_on_448(scalar: &[u8; 56], peer: &[u8; 56], out: &mut [u8]) -> Result<(), EngineError> {
    let key = x448::StaticSecret::from(*scalar);
    let peer = x448::PublicKey::from_bytes_unchecked(peer)
        .ok_or(EngineError::Key("an X448 public key is 56 bytes long"))?;
    let shared = key.diffie_hellman(&peer);
    // Small orders are judged by the result: the crate's list of them has only the canonical ones.
    if hash::constant_time_eq(shared.as_bytes(), &[0; 56]) {
        return Err(EngineError::Key("the X448 public key has a small order"));
    }
    out.copy_from_slice(shared.as_bytes());
    Ok(())
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], EngineError> {
    bytes.try_into().map_err(|_| EngineError::Key("the key is not as long as the field"))
}
