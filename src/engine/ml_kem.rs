//! ML-KEM (FIPS 203): keys, encapsulation and decapsulation.
//!
//! AWS-LC makes and checks the keys. A key that is used is prepared once, if the processor allows
//! it (`prepared`), and AWS-LC uses it otherwise. Randomness is the kernel's, here for keys and
//! ciphertexts alike. Many threads may use a key at once.

mod prepared;

use std::sync::OnceLock;

use prepared::{Maker, Opener};
use zeroize::Zeroizing;

pub(crate) use super::aws_lc::ml_kem::{MlKem, SEED_LEN, SHARED_LEN};
use super::aws_lc::ml_kem::{MlKemPrivate as ParsedPrivate, MlKemPublic as ParsedPublic};
use super::{EngineError, random};
use crate::secret::Secret;

/// A decapsulation key.
pub(crate) struct MlKemPrivate {
    set: MlKem,
    parsed: ParsedPrivate,
    opener: OnceLock<Option<Box<dyn Opener>>>,
}

impl MlKemPrivate {
    /// The key of the 64 bytes d || z.
    pub(crate) fn from_seed(set: MlKem, seed: &Secret) -> Result<Self, EngineError> {
        ParsedPrivate::from_seed(set, seed).map(|parsed| Self::of(set, parsed))
    }

    /// An expanded key: `Key` if its length is wrong, a coefficient of its public part is not
    /// reduced, or the hash of its public part is not that (section 7.3, "Hash check").
    pub(crate) fn from_expanded(set: MlKem, expanded: &Secret) -> Result<Self, EngineError> {
        ParsedPrivate::from_expanded(set, expanded).map(|parsed| Self::of(set, parsed))
    }

    const fn of(set: MlKem, parsed: ParsedPrivate) -> Self {
        Self { set, parsed, opener: OnceLock::new() }
    }

    pub(crate) const fn set(&self) -> MlKem {
        self.set
    }

    /// The expanded key.
    pub(crate) fn expanded(&self) -> Result<Secret, EngineError> {
        self.parsed.expanded()
    }

    /// The bytes of the encapsulation key.
    pub(crate) fn public_bytes(&self) -> Result<Vec<u8>, EngineError> {
        self.parsed.public_bytes()
    }

    /// The secret in a ciphertext; a ciphertext that nobody made for this key gives a secret that
    /// nobody else has (implicit rejection). `Length` by its length alone.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret, EngineError> {
        let prepare = || {
            let opener = self.expanded().ok()?.expose(|key| prepared::opener(self.set, key));
            prepared::wipe_stack();
            opener
        };
        match self.opener.get_or_init(prepare) {
            Some(opener) => Secret::build(SHARED_LEN, |shared| {
                let opened = opener.decapsulate(ciphertext, shared);
                prepared::wipe_stack();
                opened.ok_or(EngineError::Length)
            }),
            None => self.parsed.decapsulate(ciphertext),
        }
    }

    /// The key that is not prepared, to compare the two with.
    #[cfg(test)]
    pub(super) const fn parsed(&self) -> &ParsedPrivate {
        &self.parsed
    }
}

/// An encapsulation key.
pub(crate) struct MlKemPublic {
    set: MlKem,
    parsed: ParsedPublic,
    maker: OnceLock<Option<Box<dyn Maker>>>,
}

impl MlKemPublic {
    /// Parses bytes: `Key` if their length is wrong or a coefficient is not reduced (section 7.2,
    /// "Modulus check").
    pub(crate) fn from_bytes(set: MlKem, bytes: &[u8]) -> Result<Self, EngineError> {
        let parsed = ParsedPublic::from_bytes(set, bytes)?;
        if !prepared::is_reduced(set, bytes).unwrap_or_else(|| parsed.is_reduced()) {
            return Err(EngineError::Key("an ML-KEM public key that is not reduced"));
        }
        Ok(Self { set, parsed, maker: OnceLock::new() })
    }

    pub(crate) const fn set(&self) -> MlKem {
        self.set
    }

    /// Makes a secret, writes its ciphertext to the front of `out`, and gives the secret.
    pub(crate) fn encapsulate(&self, out: &mut [u8]) -> Result<Secret, EngineError> {
        let random = Zeroizing::new(random::array::<32>()?);
        self.encapsulate_with(&random, out)
    }

    /// As `encapsulate`, from 32 bytes of randomness (algorithm 17).
    pub(crate) fn encapsulate_with(
        &self,
        random: &[u8; 32],
        out: &mut [u8],
    ) -> Result<Secret, EngineError> {
        let out = out.get_mut(..self.set.ciphertext_len()).ok_or(EngineError::Length)?;
        let prepare = || prepared::maker(self.set, &self.parsed.bytes().ok()?);
        match self.maker.get_or_init(prepare) {
            Some(maker) => Secret::build(SHARED_LEN, |shared| {
                let made = maker.encapsulate(random, out, shared);
                prepared::wipe_stack();
                made.ok_or(EngineError::Length)
            }),
            None => self.parsed.encapsulate(random, out),
        }
    }

    /// The key that is not prepared, to compare the two with.
    #[cfg(test)]
    pub(super) const fn parsed(&self) -> &ParsedPublic {
        &self.parsed
    }
}
