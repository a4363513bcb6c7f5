//! AES-XCBC-MAC (RFC 3566) in parts, and the pseudorandom function that IKE makes of it (RFC
//! 4434), over the library's AES.
//!
//! Of the three keys that come of one, the first is that of a CBC over all blocks, and one of the
//! others goes into the last block: so what came last waits until it is known that nothing follows.

use zeroize::Zeroizing;

use super::EngineError;
use super::cipher::{BLOCK_LEN, BlockCipher, Direction, Mode};
use crate::secret::Secret;

/// Bytes of a key. RFC 3566 knows no other.
pub(crate) const KEY_LEN: usize = 16;

type Block = Zeroizing<[u8; BLOCK_LEN]>;

/// A running code.
pub(crate) struct Xcbc {
    /// CBC under K1, whose last block is what the code is made of.
    chain: BlockCipher,
    /// K2, which goes into a last block that is whole, and K3, for one that is padded.
    last: Secret,
    held: Block,
    held_len: usize,
}

impl Xcbc {
    /// Starts with a key. `Key` if it is not 16 bytes long.
    pub(crate) fn new(key: &[u8]) -> Result<Self, EngineError> {
        if key.len() != KEY_LEN {
            return Err(EngineError::Key("a key of AES-XCBC is 16 bytes long"));
        }
        let mut own = BlockCipher::new(Mode::Ecb, Direction::Encrypt, key, &[])?;
        let first = Secret::build(KEY_LEN, |room| own.update(&[1; BLOCK_LEN], room).map(drop))?;
        let last = Secret::build(2 * BLOCK_LEN, |room| {
            let mut constants = [2; 2 * BLOCK_LEN];
            constants.iter_mut().skip(BLOCK_LEN).for_each(|byte| *byte = 3);
            own.update(&constants, room).map(drop)
        })?;
        let start = [0; BLOCK_LEN];
        let chain =
            first.expose(|first| BlockCipher::new(Mode::Cbc, Direction::Encrypt, first, &start))?;
        Ok(Self { chain, last, held: Zeroizing::new([0; BLOCK_LEN]), held_len: 0 })
    }

    /// Starts AES-XCBC-PRF-128 with a key of any length: a shorter one is filled up with zeros, of
    /// a longer one its code under the key of zeros is taken. RFC 4434, section 2.
    pub(crate) fn prf(key: &[u8]) -> Result<Self, EngineError> {
        let mut fitting = Zeroizing::new([0; KEY_LEN]);
        if let Some(room) = fitting.get_mut(..key.len()) {
            room.copy_from_slice(key);
        } else {
            let mut shorter = Self::new(&[0; KEY_LEN])?;
            shorter.update(key)?;
            shorter.finish(fitting.as_mut_slice())?;
        }
        Self::new(fitting.as_slice())
    }

    /// Adds input.
    pub(crate) fn update(&mut self, mut input: &[u8]) -> Result<(), EngineError> {
        while !input.is_empty() {
            if self.held_len == BLOCK_LEN {
                let mut passed = Zeroizing::new([0; BLOCK_LEN]);
                self.chain.update(self.held.as_slice(), passed.as_mut_slice())?;
                self.held_len = 0;
            }
            let room = self.held.get_mut(self.held_len..).ok_or(EngineError::Length)?;
            let (front, rest) = input.split_at(input.len().min(room.len()));
            room.iter_mut().zip(front).for_each(|(to, from)| *to = *from);
            self.held_len += front.len();
            input = rest;
        }
        Ok(())
    }

    /// Writes the code, a block long, to the front of `out` and gives its length.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let out = out.get_mut(..BLOCK_LEN).ok_or(EngineError::Length)?;
        let is_whole = self.held_len == BLOCK_LEN;
        // Nothing but the padding stands behind the end: a one, and zeros.
        let padding = std::iter::once(0x80).chain(std::iter::repeat(0));
        let behind = self.held.iter_mut().skip(self.held_len);
        behind.zip(padding).for_each(|(to, from)| *to = from);
        self.last.expose(|keys| {
            let own = keys.iter().skip(if is_whole { 0 } else { BLOCK_LEN });
            self.held.iter_mut().zip(own).for_each(|(byte, key)| *byte ^= key);
        });
        self.chain.update(self.held.as_slice(), out)
    }
}
