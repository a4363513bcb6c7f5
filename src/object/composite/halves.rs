//! A composite key as its two halves: split, joined, made, and opened with a custodian each.
//!
//! The post-quantum half has a fixed length and comes first: its public key, its seed; the
//! classical half is what follows, as `part` writes it. X-Wing's private key is one seed of both,
//! from which the same two halves are expanded. draft-ietf-lamps-pq-composite-sigs-19 and -kem-17,
//! "Serialization"; draft-connolly-cfrg-xwing-kem-10, "Key Generation".

use std::sync::Arc;

use super::part::Classical;
use crate::custody::{Custodian, KeyMaterial, KeySpec, Lattice, PrivateKey};
use crate::engine::aws_lc::ml_dsa::{self, MlDsa, MlDsaPrivate, MlDsaPublic};
use crate::engine::aws_lc::shake::{Shake, Width};
use crate::engine::ml_kem::{self, MlKem, MlKemPrivate, MlKemPublic};
use crate::error::{Error, Result, Rv};
use crate::object::Prepared;
use crate::secret::Secret;

/// Bytes of an X-Wing private key.
pub(crate) const XWING_SEED_LEN: usize = 32;

/// The post-quantum half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PostQuantum {
    MlDsa(MlDsa),
    MlKem(MlKem),
}

/// What the private value of a composite key holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// The seed of the post-quantum half, then the classical half.
    Concatenated,
    /// 32 bytes, from which SHAKE256 gives those two.
    Expanded,
}

/// What the keys of a parameter set are made of.
#[derive(Debug)]
pub(crate) struct Halves {
    /// The DER object identifier, with tag and length. There are no parameters.
    pub(crate) identifier: &'static [u8],
    pub(crate) lattice: PostQuantum,
    pub(crate) classical: Classical,
    pub(crate) form: Form,
}

/// A composite public key, ready for use.
pub(crate) struct CompositePublic {
    pub(crate) post_quantum: Prepared,
    pub(crate) classical: Prepared,
    /// The classical key as it is written: the combiners of KEMs want it.
    pub(crate) classical_bytes: Vec<u8>,
}

/// A composite private key: two keys, of which each may have a custodian of its own.
pub(crate) struct CompositePrivate {
    pub(crate) post_quantum: Arc<dyn PrivateKey>,
    pub(crate) classical: Arc<dyn PrivateKey>,
    pub(crate) public: CompositePublic,
}

/// The values of a new pair, as `CKA_VALUE` holds them.
pub(crate) struct NewPair {
    pub(crate) public: Vec<u8>,
    pub(crate) private: Secret,
}

impl PostQuantum {
    const fn public_len(self) -> usize {
        match self {
            Self::MlDsa(set) => set.public_len(),
            Self::MlKem(set) => set.public_len(),
        }
    }

    const fn seed_len(self) -> usize {
        match self {
            Self::MlDsa(_) => ml_dsa::SEED_LEN,
            Self::MlKem(_) => ml_kem::SEED_LEN,
        }
    }

    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::MlDsa(set) => set.signature_len(),
            Self::MlKem(_) => 0,
        }
    }

    pub(crate) const fn ciphertext_len(self) -> usize {
        match self {
            Self::MlDsa(_) => 0,
            Self::MlKem(set) => set.ciphertext_len(),
        }
    }

    const fn spec(self) -> KeySpec {
        match self {
            Self::MlDsa(set) => KeySpec::MlDsa(set),
            Self::MlKem(set) => KeySpec::MlKem(set),
        }
    }

    /// The material of a seed.
    fn material(self, seed: Secret) -> Result<KeyMaterial> {
        Ok(match self {
            Self::MlDsa(set) => {
                let public = MlDsaPrivate::from_seed(set, &seed)?.public_bytes()?;
                KeyMaterial::MlDsa { set, private: Lattice::Seed(seed), public }
            }
            Self::MlKem(set) => {
                let public = MlKemPrivate::from_seed(set, &seed)?.public_bytes()?;
                KeyMaterial::MlKem { set, private: Lattice::Seed(seed), public }
            }
        })
    }

    fn read_public(self, bytes: &[u8]) -> Result<Prepared> {
        Ok(match self {
            Self::MlDsa(set) => Prepared::MlDsa(MlDsaPublic::from_bytes(set, bytes)?),
            Self::MlKem(set) => Prepared::MlKem(MlKemPublic::from_bytes(set, bytes)?),
        })
    }
}

impl Halves {
    /// Bytes of a public key, with the usual exponent of RSA.
    #[cfg(test)]
    pub(crate) const fn public_len(&self) -> usize {
        self.lattice.public_len() + self.classical.public_len()
    }

    /// Bytes of a ciphertext, if the halves are KEMs.
    pub(crate) const fn ciphertext_len(&self) -> usize {
        self.lattice.ciphertext_len() + self.classical.ciphertext_len()
    }

    /// Has both halves made afresh. Neither is ever a key of its own.
    ///
    /// # Errors
    /// The custodian's.
    pub(crate) fn generate(&self, custodian: &dyn Custodian) -> Result<NewPair> {
        if self.form == Form::Expanded {
            let private = crate::engine::random::secret(XWING_SEED_LEN)?;
            let public = self.public_of(&private)?;
            return Ok(NewPair { public, private });
        }
        let lattice = custodian.generate(&self.lattice.spec())?;
        let classical = custodian.generate(&self.classical.spec())?;
        let private = joined(seed_of(&lattice)?, &self.classical.written_private(&classical)?)?;
        let public = self.written_public(&lattice, &classical)?;
        Ok(NewPair { public, private })
    }

    fn written_public(&self, lattice: &KeyMaterial, classical: &KeyMaterial) -> Result<Vec<u8>> {
        Ok([public_of(lattice)?, &self.classical.written_public(classical)?].concat())
    }

    /// The public key of a private value, which is checked as a whole.
    ///
    /// # Errors
    /// `CKR_ATTRIBUTE_VALUE_INVALID` for what is no key of this kind.
    pub(crate) fn public_of(&self, private: &Secret) -> Result<Vec<u8>> {
        let (lattice, classical) = self.materials(private)?;
        self.written_public(&lattice, &classical)
    }

    /// A private value in the one form that is kept.
    ///
    /// # Errors
    /// As `public_of`.
    pub(crate) fn canonical(&self, private: &Secret) -> Result<Secret> {
        if self.form == Form::Expanded {
            return private.expose(Secret::copy_of);
        }
        let (lattice, classical) = self.materials(private)?;
        joined(seed_of(&lattice)?, &self.classical.written_private(&classical)?)
    }

    fn materials(&self, private: &Secret) -> Result<(KeyMaterial, KeyMaterial)> {
        let expanded;
        let private = match self.form {
            Form::Concatenated => private,
            Form::Expanded => {
                expanded = self.expanded(private)?;
                &expanded
            }
        };
        private.expose(|bytes| {
            let (seed, rest) = bytes
                .split_at_checked(self.lattice.seed_len())
                .ok_or_else(|| invalid("a composite private key that ends in its first half"))?;
            let lattice = self.lattice.material(Secret::copy_of(seed)?)?;
            Ok((lattice, self.classical.read_private(rest)?))
        })
    }

    fn expanded(&self, seed: &Secret) -> Result<Secret> {
        if seed.len() != XWING_SEED_LEN {
            return Err(invalid("an X-Wing private key is 32 bytes long"));
        }
        let len = self.lattice.seed_len() + self.classical.public_len();
        Secret::build(len, |out| {
            let mut shake = Shake::new(Width::W256)?;
            seed.expose(|seed| shake.update(seed))?;
            Ok::<_, Error>(shake.finish(out)?)
        })
    }

    /// A public key, ready for use.
    ///
    /// # Errors
    /// As `public_of`.
    pub(crate) fn open_public(&self, bytes: &[u8]) -> Result<CompositePublic> {
        let (lattice, classical) = bytes
            .split_at_checked(self.lattice.public_len())
            .ok_or_else(|| invalid("a composite public key that ends in its first half"))?;
        Ok(CompositePublic {
            post_quantum: self.lattice.read_public(lattice)?,
            classical: self.classical.read_public(classical)?,
            classical_bytes: classical.to_vec(),
        })
    }

    /// A private key, ready for use.
    ///
    /// # Errors
    /// As `public_of`.
    pub(crate) fn open_private(
        &self,
        custodian: &dyn Custodian,
        private: &Secret,
    ) -> Result<CompositePrivate> {
        let (lattice, classical) = self.materials(private)?;
        Ok(CompositePrivate {
            public: self.open_public(&self.written_public(&lattice, &classical)?)?,
            post_quantum: custodian.open(&lattice)?,
            classical: custodian.open(&classical)?,
        })
    }
}

fn invalid(why: &'static str) -> Error {
    Rv::AttributeValueInvalid.because(why)
}

/// Seed and public key of a post-quantum half.
fn seed_and_public(material: &KeyMaterial) -> Result<(&Secret, &[u8])> {
    match material {
        KeyMaterial::MlDsa { private: Lattice::Seed(seed), public, .. }
        | KeyMaterial::MlKem { private: Lattice::Seed(seed), public, .. } => Ok((seed, public)),
        _ => Err(Rv::GeneralError.because("a post-quantum half of another kind")),
    }
}

fn seed_of(material: &KeyMaterial) -> Result<&Secret> {
    seed_and_public(material).map(|(seed, _)| seed)
}

fn public_of(material: &KeyMaterial) -> Result<&[u8]> {
    seed_and_public(material).map(|(_, public)| public)
}

fn joined(seed: &Secret, classical: &Secret) -> Result<Secret> {
    Secret::build(seed.len() + classical.len(), |out| {
        let wrong = || Rv::GeneralError.because("halves that outgrew their room");
        let (front, rest) = out.split_at_mut_checked(seed.len()).ok_or_else(wrong)?;
        seed.expose(|seed| front.copy_from_slice(seed));
        classical.expose(|classical| rest.copy_from_slice(classical));
        Ok(())
    })
}
