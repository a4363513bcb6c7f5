//! Digests (SHA-1, SHA-2), HMAC over them, keyed BLAKE3, and comparison in constant time.
//!
//! FIPS 180-4, FIPS 198-1. SHA-1 is here for the identifiers and protocols that still ask for
//! it; the floors above decide where it may sign.

use std::cell::RefCell;

use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use super::{EngineError, aws_lc};
use crate::secret::Secret;
use crate::system::arena::Locked;

/// A hash function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Digest {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The longest `len` of all.
    pub(crate) const MAX_LEN: usize = 64;

    /// Bytes of a digest.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Runs the same expression on whichever hash is inside.
macro_rules! each {
    ($on:expr, $state:ident => $body:expr) => {
        match $on {
            State::Sha1($state) => $body,
            State::Sha224($state) => $body,
            State::Sha256($state) => $body,
            State::Sha384($state) => $body,
            State::Sha512($state) => $body,
        }
    };
}

/// One variant per digest, for hashes and for MACs over them.
#[derive(Clone)]
enum State<A, B, C, D, E> {
    Sha1(A),
    Sha224(B),
    Sha256(C),
    Sha384(D),
    Sha512(E),
}

type Hashing = State<Sha1, Sha224, Sha256, Sha384, Sha512>;
type Authenticating = State<Hmac<Sha1>, Hmac<Sha224>, Hmac<Sha256>, Hmac<Sha384>, Hmac<Sha512>>;

/// A running digest; a clone goes on from the same place.
#[derive(Clone)]
pub(crate) struct Hasher {
    digest: Digest,
    state: Hashing,
}

impl Hasher {
    pub(crate) fn new(digest: Digest) -> Self {
        let state = match digest {
            Digest::Sha1 => State::Sha1(Sha1::new()),
            Digest::Sha224 => State::Sha224(Sha224::new()),
            Digest::Sha256 => State::Sha256(Sha256::new()),
            Digest::Sha384 => State::Sha384(Sha384::new()),
            Digest::Sha512 => State::Sha512(Sha512::new()),
        };
        Self { digest, state }
    }

    /// Which hash function this is.
    pub(crate) const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn update(&mut self, input: &[u8]) {
        each!(&mut self.state, state => state.update(input));
    }

    /// Writes the digest to the front of `out`, gives its length, and starts anew.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let len = self.digest.len();
        let room = out.get_mut(..len).ok_or(EngineError::Length)?;
        each!(&mut self.state, state => room.copy_from_slice(&state.finalize_reset()));
        Ok(len)
    }
}

/// The digest of one piece.
pub(crate) fn digest(digest: Digest, input: &[u8]) -> Vec<u8> {
    let mut hasher = Hasher::new(digest);
    hasher.update(input);
    each!(hasher.state, state => state.finalize().to_vec())
}

/// SHA-256 over the parts one after the other, without an allocation.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// A running HMAC. Its state, from which codes could be forged, lives in locked memory.
pub(crate) struct Mac {
    digest: Digest,
    state: Locked<RefCell<Option<Authenticating>>>,
}

impl Mac {
    /// Starts with a key of any length.
    pub(crate) fn new(digest: Digest, key: &[u8]) -> Result<Self, EngineError> {
        let wrong = |_| EngineError::Key("HMAC key length");
        let state = match digest {
            Digest::Sha1 => State::Sha1(Hmac::new_from_slice(key).map_err(wrong)?),
            Digest::Sha224 => State::Sha224(Hmac::new_from_slice(key).map_err(wrong)?),
            Digest::Sha256 => State::Sha256(Hmac::new_from_slice(key).map_err(wrong)?),
            Digest::Sha384 => State::Sha384(Hmac::new_from_slice(key).map_err(wrong)?),
            Digest::Sha512 => State::Sha512(Hmac::new_from_slice(key).map_err(wrong)?),
        };
        let state = Locked::new(RefCell::new(Some(state))).ok_or(EngineError::Memory)?;
        Ok(Self { digest, state })
    }

    /// Adds input; nothing happens after `finish`.
    pub(crate) fn update(&mut self, input: &[u8]) {
        if let Ok(mut state) = self.state.try_borrow_mut()
            && let Some(state) = state.as_mut()
        {
            each!(state, state => state.update(input));
        }
    }

    /// Writes the code to the front of `out` and gives its length. Works once.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let len = self.digest.len();
        let room = out.get_mut(..len).ok_or(EngineError::Length)?;
        let state = self.state.try_borrow_mut().ok().and_then(|mut state| state.take());
        let state = state.ok_or(EngineError::Failed("the code was already taken"))?;
        each!(state, state => room.copy_from_slice(&state.finalize().into_bytes()));
        Ok(len)
    }
}

/// Compares in a time that depends on the lengths only.
pub(crate) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    aws_lc::constant_time_eq(left, right)
}

/// BLAKE3 under a 32-byte key over the parts one after the other. The caller sees to it that
/// no two lists of parts run together to the same bytes.
pub(crate) fn keyed_blake3(key: &Secret, parts: &[&[u8]]) -> Result<[u8; 32], EngineError> {
    key.expose(|key| {
        let key = <&[u8; 32]>::try_from(key).map_err(|_| EngineError::Key("BLAKE3 key length"))?;
        let mut hasher = blake3::Hasher::new_keyed(key);
        for part in parts {
            hasher.update(part);
        }
        Ok(*hasher.finalize().as_bytes())
    })
}
