//! Digests, HMAC over them, keyed BLAKE3, and comparison in constant time.
//!
//! FIPS 180-4, FIPS 202, RFC 7693, RFC 1321; HMAC is FIPS 198-1 over any of them. MD5 and SHA-1
//! are here for the identifiers and protocols that still ask for them; the floors above decide
//! where they may sign.

mod saving;

use std::cell::RefCell;

use blake2::Blake2b;
use blake2::digest::consts::{U20, U32, U48, U64};
use blake2::digest::{
    Digest as _, ExtendableOutputReset, FixedOutputReset, Output, OutputSizeUser, Update,
};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use shake::{Shake128, Shake256};
use zeroize::Zeroizing;

use super::aws_lc::sha512_t::Sha512T;
use super::{EngineError, aws_lc};
use crate::secret::Secret;
use crate::system::arena::Locked;

/// The length t in bits of a digest by SHA-512/t: whole bytes, under 512 and not 384.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Truncation(u16);

impl Truncation {
    /// `None` for a length that is not offered. FIPS 180-4, 5.3.6.
    pub(crate) fn of(bits: u64) -> Option<Self> {
        let fits = bits != 384 && (8..512).contains(&bits) && bits.is_multiple_of(8);
        u16::try_from(bits).ok().filter(|_| fits).map(Self)
    }

    /// The length in bits.
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }
}

/// What every running hash function here can do.
trait Running {
    fn update(&mut self, input: &[u8]);
    /// Writes the digest into room of its length, and starts anew.
    fn finish(&mut self, room: &mut [u8]);
}

impl<D: Update + FixedOutputReset + OutputSizeUser> Running for D {
    fn update(&mut self, input: &[u8]) {
        Update::update(self, input);
    }

    fn finish(&mut self, room: &mut [u8]) {
        let mut digest = Output::<Self>::default();
        self.finalize_into_reset(&mut digest);
        room.copy_from_slice(&digest);
    }
}

/// A function of extendable output, as one of a fixed length.
#[derive(Clone, Default)]
struct Fixed<X>(X);

impl<X: Update + ExtendableOutputReset> Running for Fixed<X> {
    fn update(&mut self, input: &[u8]) {
        self.0.update(input);
    }

    fn finish(&mut self, room: &mut [u8]) {
        self.0.finalize_xof_reset_into(room);
    }
}

impl Running for Sha512T {
    fn update(&mut self, input: &[u8]) {
        self.update(input);
    }

    fn finish(&mut self, room: &mut [u8]) {
        self.finish(room);
    }
}

/// Names each function's type, and its lengths of digest and block in bytes.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $type:ty, $len:literal, $block:literal;)*) => {
        /// A hash function.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Digest {
            $($(#[$doc])* $name,)*
            /// SHA-512 with another start and a shorter digest.
            Sha512T(Truncation),
        }

        impl Digest {
            /// Bytes of a digest.
            pub(crate) const fn len(self) -> usize {
                match self {
                    $(Self::$name => $len,)*
                    Self::Sha512T(t) => (t.0 / 8) as usize,
                }
            }

            /// Bytes that are hashed at a time.
            pub(crate) const fn block_len(self) -> usize {
                match self {
                    $(Self::$name => $block,)*
                    Self::Sha512T(_) => 128,
                }
            }
        }

        #[derive(Clone)]
        #[allow(clippy::large_enum_variant, reason = "on the stack, and as long as one call")]
        enum State { $($name($type),)* Sha512T(Sha512T), }

        impl State {
            fn new(digest: Digest) -> Self {
                match digest {
                    $(Digest::$name => Self::$name(<$type>::default()),)*
                    Digest::Sha512T(t) => Self::Sha512T(Sha512T::new(t)),
                }
            }

            fn update(&mut self, input: &[u8]) {
                match self {
                    $(Self::$name(state) => Running::update(state, input),)*
                    Self::Sha512T(state) => state.update(input),
                }
            }

            fn finish(&mut self, room: &mut [u8]) {
                match self {
                    $(Self::$name(state) => Running::finish(state, room),)*
                    Self::Sha512T(state) => state.finish(room),
                }
            }
        }
    };
}

functions! {
    #[cfg_attr(not(feature = "legacy"), allow(dead_code, reason = "MD5 is outlived"))]
    Md5: Md5, 16, 64;
    Sha1: Sha1, 20, 64;
    Sha224: Sha224, 28, 64;
    Sha256: Sha256, 32, 64;
    Sha384: Sha384, 48, 128;
    Sha512: Sha512, 64, 128;
    Sha512_224: Sha512_224, 28, 128;
    Sha512_256: Sha512_256, 32, 128;
    Sha3_224: Sha3_224, 28, 144;
    Sha3_256: Sha3_256, 32, 136;
    Sha3_384: Sha3_384, 48, 104;
    Sha3_512: Sha3_512, 64, 72;
    Blake2b160: Blake2b<U20>, 20, 128;
    Blake2b256: Blake2b<U32>, 32, 128;
    Blake2b384: Blake2b<U48>, 48, 128;
    Blake2b512: Blake2b<U64>, 64, 128;
    /// The first 256 bits of SHAKE128, as it prepares messages in FIPS 204 and 205.
    Shake128: Fixed<Shake128>, 32, 168;
    /// The first 512 bits of SHAKE256, likewise.
    Shake256: Fixed<Shake256>, 64, 136;
}

impl Digest {
    /// The longest `len` of all.
    pub(crate) const MAX_LEN: usize = 64;
    /// The longest `block_len` of all.
    const MAX_BLOCK_LEN: usize = 168;

    /// The last number of the identifier under NIST's `hashAlgs`, 2.16.840.1.101.3.4.2.
    pub(crate) const fn nist_number(self) -> Option<u8> {
        match self {
            Self::Sha256 => Some(1),
            Self::Sha384 => Some(2),
            Self::Sha512 => Some(3),
            Self::Sha224 => Some(4),
            Self::Sha512_224 => Some(5),
            Self::Sha512_256 => Some(6),
            Self::Sha3_224 => Some(7),
            Self::Sha3_256 => Some(8),
            Self::Sha3_384 => Some(9),
            Self::Sha3_512 => Some(10),
            Self::Shake128 => Some(11),
            Self::Shake256 => Some(12),
            _ => None,
        }
    }
}

/// A running digest; a clone goes on from the same place.
#[derive(Clone)]
pub(crate) struct Hasher {
    digest: Digest,
    state: State,
}

impl Hasher {
    pub(crate) fn new(digest: Digest) -> Self {
        Self { digest, state: State::new(digest) }
    }

    /// Which hash function this is.
    pub(crate) const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn update(&mut self, input: &[u8]) {
        self.state.update(input);
    }

    /// Writes the digest to the front of `out`, gives its length, and starts anew.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let len = self.digest.len();
        self.state.finish(out.get_mut(..len).ok_or(EngineError::Length)?);
        Ok(len)
    }
}

/// The digest of one piece.
pub(crate) fn digest(digest: Digest, input: &[u8]) -> Vec<u8> {
    let mut hasher = Hasher::new(digest);
    hasher.update(input);
    let mut out = vec![0; digest.len()];
    hasher.state.finish(&mut out);
    out
}

/// SHA-256 over the parts one after the other, without an allocation.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Sha256::new();
    for part in parts {
        Update::update(&mut state, part);
    }
    state.finalize().into()
}

/// A running HMAC (FIPS 198-1). Its state, from which codes could be forged, lives in locked
/// memory.
pub(crate) struct Mac {
    digest: Digest,
    state: Locked<RefCell<Option<Keyed>>>,
}

/// Both hashes, each with its padded key already in it.
struct Keyed {
    inner: Hasher,
    outer: Hasher,
}

const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

impl Mac {
    /// Starts with a key of any length.
    pub(crate) fn new(digest: Digest, key: &[u8]) -> Result<Self, EngineError> {
        let mut block = Zeroizing::new([0; Digest::MAX_BLOCK_LEN]);
        let block = block.get_mut(..digest.block_len()).ok_or(EngineError::Length)?;
        let (mut inner, mut outer) = (Hasher::new(digest), Hasher::new(digest));
        match block.get_mut(..key.len()) {
            Some(room) => room.copy_from_slice(key),
            None => {
                outer.update(key);
                outer.finish(block)?;
            }
        }
        block.iter_mut().for_each(|byte| *byte ^= INNER);
        inner.update(block);
        block.iter_mut().for_each(|byte| *byte ^= INNER ^ OUTER);
        outer.update(block);
        let state = Locked::new(RefCell::new(Some(Keyed { inner, outer })));
        Ok(Self { digest, state: state.ok_or(EngineError::Memory)? })
    }

    /// Adds input; nothing happens after `finish`.
    pub(crate) fn update(&mut self, input: &[u8]) {
        if let Ok(mut state) = self.state.try_borrow_mut()
            && let Some(state) = state.as_mut()
        {
            state.inner.update(input);
        }
    }

    /// Writes the code to the front of `out` and gives its length. Works once.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let len = self.digest.len();
        let room = out.get_mut(..len).ok_or(EngineError::Length)?;
        let state = self.state.try_borrow_mut().ok().and_then(|mut state| state.take());
        let Keyed { mut inner, mut outer } =
            state.ok_or(EngineError::Failed("the code was already taken"))?;
        inner.finish(room)?;
        outer.update(room);
        outer.finish(room)
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
