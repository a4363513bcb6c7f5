//! ChaCha20 in parts, Poly1305 in parts, and both together in one piece. RFC 8439; for the longer
//! nonces draft-irtf-cfrg-xchacha.

use aws_lc_sys as lc;
use zeroize::Zeroizing;

use super::{EngineError, Owned, check, initialise};
use crate::secret::Secret;
use crate::system::arena::Locked;

/// Bytes of a key.
pub(crate) const KEY_LEN: usize = 32;
/// Bytes of a code.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of keystream at a time.
const BLOCK: usize = 64;
/// What the first words of a state are.
const CONSTANTS: &[u8; 16] = b"expand 32-byte k";

/// Where in its keystream a cipher is, by the four words that are no key.
#[derive(Clone, Copy)]
enum Place {
    /// A counter of 32 bits before a nonce of 12 bytes.
    Short(u64, [u8; 12]),
    /// A counter of 64 bits before a nonce of 8 bytes.
    Long(u128, [u8; 8]),
}

impl Place {
    /// How many blocks there still are.
    const fn left(self) -> u128 {
        match self {
            Self::Short(counter, _) => (1 << 32) - counter as u128,
            Self::Long(counter, _) => (1 << 64) - counter,
        }
    }

    /// How many blocks come before the low word of the counter begins anew.
    const fn straight(self) -> u128 {
        match self {
            Self::Short(counter, _) => (1 << 32) - counter as u128,
            Self::Long(counter, _) => (1 << 32) - counter % (1 << 32),
        }
    }

    fn advance(&mut self, blocks: u128) {
        match self {
            Self::Short(counter, _) => *counter += blocks as u64,
            Self::Long(counter, _) => *counter += blocks,
        }
    }

    /// The low word of the counter, and what the library calls the nonce.
    fn words(self) -> (u32, [u8; 12]) {
        match self {
            Self::Short(counter, nonce) => (counter as u32, nonce),
            Self::Long(counter, nonce) => {
                let mut rest = [0; 12];
                let (high, low) = rest.split_at_mut(4);
                high.copy_from_slice(&((counter >> 32) as u32).to_le_bytes());
                low.copy_from_slice(&nonce);
                (counter as u32, rest)
            }
        }
    }
}

/// A running encryption or decryption, which are the same.
pub(crate) struct ChaCha20 {
    key: Secret,
    place: Place,
    /// What is left of a block of keystream that was begun.
    rest: Zeroizing<[u8; BLOCK]>,
    used: usize,
}

impl ChaCha20 {
    /// Starts at a block. Nonces of 12 bytes have counters of 32 bits, those of 8 and 24 bytes of
    /// 64. `Key` and `Length` for other lengths, `Length` for a counter that is too large.
    pub(crate) fn new(key: &[u8], nonce: &[u8], counter: u64) -> Result<Self, EngineError> {
        initialise()?;
        if key.len() != KEY_LEN {
            return Err(EngineError::Key("a ChaCha20 key is 32 bytes long"));
        }
        let (place, key) = match nonce.len() {
            12 if counter < 1 << 32 => {
                let nonce = nonce.try_into().map_err(|_| EngineError::Length)?;
                (Place::Short(counter, nonce), Secret::copy_of(key)?)
            }
            8 => {
                let nonce = nonce.try_into().map_err(|_| EngineError::Length)?;
                (Place::Long(u128::from(counter), nonce), Secret::copy_of(key)?)
            }
            24 => {
                let (front, nonce) = nonce.split_at(16);
                let nonce = nonce.try_into().map_err(|_| EngineError::Length)?;
                (Place::Long(u128::from(counter), nonce), subkey(key, front)?)
            }
            _ => return Err(EngineError::Length),
        };
        Ok(Self { key, place, rest: Zeroizing::new([0; BLOCK]), used: BLOCK })
    }

    /// How many bytes of keystream there still are.
    pub(crate) fn left(&self) -> u128 {
        self.place.left() * BLOCK as u128 + (BLOCK - self.used) as u128
    }

    /// Encrypts as many bytes as `input` has, to the front of `out`. `Length` if the keystream
    /// would begin anew.
    pub(crate) fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<(), EngineError> {
        let mut out = out.get_mut(..input.len()).ok_or(EngineError::Length)?;
        if input.len() as u128 > self.left() {
            return Err(EngineError::Length);
        }
        let mut input = input;
        loop {
            let begun = input.len().min(BLOCK - self.used);
            let stream = self.rest.get(self.used..self.used + begun).unwrap_or_default();
            let (now, later) = out.split_at_mut_checked(begun).ok_or(EngineError::Length)?;
            let (from, rest) = input.split_at_checked(begun).ok_or(EngineError::Length)?;
            for (to, (byte, mask)) in now.iter_mut().zip(from.iter().zip(stream)) {
                *to = byte ^ mask;
            }
            self.used += begun;
            (input, out) = (rest, later);
            if input.is_empty() {
                return Ok(());
            }
            let blocks = (input.len() / BLOCK) as u128;
            let blocks = blocks.min(self.place.straight());
            let len = usize::try_from(blocks).map_err(|_| EngineError::Length)? * BLOCK;
            let (now, later) = out.split_at_mut_checked(len).ok_or(EngineError::Length)?;
            let (from, rest) = input.split_at_checked(len).ok_or(EngineError::Length)?;
            self.run(from, now);
            self.place.advance(blocks);
            (input, out) = (rest, later);
            if !input.is_empty() && input.len() < BLOCK {
                let mut block = Zeroizing::new([0; BLOCK]);
                self.run(&[0; BLOCK], block.as_mut_slice());
                self.place.advance(1);
                (self.rest, self.used) = (block, 0);
            }
        }
    }

    fn run(&self, input: &[u8], out: &mut [u8]) {
        let (counter, nonce) = self.place.words();
        // SAFETY: key and nonce have the lengths of the function; room as long as the input.
        self.key.expose(|key| unsafe {
            lc::CRYPTO_chacha_20(
                out.as_mut_ptr(),
                input.as_ptr(),
                input.len().min(out.len()),
                key.as_ptr(),
                nonce.as_ptr(),
                counter,
            );
        });
    }
}

/// HChaCha20: the state after the rounds, without what is added to it in the end.
fn subkey(key: &[u8], nonce: &[u8]) -> Result<Secret, EngineError> {
    let (counter, rest) = nonce.split_first_chunk::<4>().ok_or(EngineError::Length)?;
    let rest: [u8; 12] = rest.try_into().map_err(|_| EngineError::Length)?;
    let place = Place::Short(u64::from(u32::from_le_bytes(*counter)), rest);
    let state = ChaCha20 {
        key: Secret::copy_of(key)?,
        place,
        rest: Zeroizing::new([0; BLOCK]),
        used: BLOCK,
    };
    let mut block = Zeroizing::new([0; BLOCK]);
    state.run(&[0; BLOCK], block.as_mut_slice());
    let added = CONSTANTS.iter().chain(nonce);
    Secret::build(KEY_LEN, |room| {
        let words = block.as_chunks::<4>().0.iter();
        let ends = words.clone().take(4).chain(words.skip(12));
        let mut added = added.copied();
        for (to, word) in room.as_chunks_mut::<4>().0.iter_mut().zip(ends) {
            let take = [(); 4].map(|()| added.next().unwrap_or_default());
            let word = u32::from_le_bytes(*word).wrapping_sub(u32::from_le_bytes(take));
            *to = word.to_le_bytes();
        }
        Ok::<_, EngineError>(())
    })
}

/// A running Poly1305. The library aligns its state within its room, which so must not move.
pub(crate) struct Poly1305(Locked<lc::poly1305_state>);

impl Poly1305 {
    /// Starts with a key for one message. `Key` if it is not 32 bytes long.
    pub(crate) fn new(key: &[u8]) -> Result<Self, EngineError> {
        initialise()?;
        if key.len() != KEY_LEN {
            return Err(EngineError::Key("a Poly1305 key is 32 bytes long"));
        }
        let mut state = Locked::new([0; 512]).ok_or(EngineError::Memory)?;
        // SAFETY: a state that stays where it is, and a key of the function's length.
        unsafe { lc::CRYPTO_poly1305_init(&raw mut *state, key.as_ptr()) };
        Ok(Self(state))
    }

    /// Adds input.
    pub(crate) fn update(&mut self, input: &[u8]) {
        // SAFETY: a live state and readable input.
        unsafe { lc::CRYPTO_poly1305_update(&raw mut *self.0, input.as_ptr(), input.len()) };
    }

    /// Writes the code to the front of `out` and gives its length.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result<usize, EngineError> {
        let out = out.get_mut(..TAG_LEN).ok_or(EngineError::Length)?;
        // SAFETY: a live state, and room for a code.
        unsafe { lc::CRYPTO_poly1305_finish(&raw mut *self.0, out.as_mut_ptr()) };
        Ok(TAG_LEN)
    }
}

/// Writes ciphertext and tag to the front of `out`; gives their length. Nonces have 12 or 24 bytes.
pub(crate) fn seal(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    plain: &[u8],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    let whole = plain.len().checked_add(TAG_LEN).ok_or(EngineError::Length)?;
    let out = out.get_mut(..whole).ok_or(EngineError::Length)?;
    let state = started(key, nonce)?;
    let mut written = 0;
    // SAFETY: a live state; room, and inputs with their lengths.
    let done = unsafe {
        lc::EVP_AEAD_CTX_seal(
            state.as_ptr(),
            out.as_mut_ptr(),
            &raw mut written,
            out.len(),
            nonce.as_ptr(),
            nonce.len(),
            plain.as_ptr(),
            plain.len(),
            aad.as_ptr(),
            aad.len(),
        )
    };
    check(done, REFUSED)?;
    Ok(written)
}

/// Writes the plaintext to the front of `out`; `Decrypt`, with `out` wiped, if the tag does not fit
/// or the input is shorter than one.
pub(crate) fn open(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    sealed: &[u8],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    let len = sealed.len().checked_sub(TAG_LEN).ok_or(EngineError::Decrypt)?;
    let out = out.get_mut(..len).ok_or(EngineError::Length)?;
    let state = started(key, nonce)?;
    let mut written = 0;
    // SAFETY: a live state; room, and inputs with their lengths.
    let done = unsafe {
        lc::EVP_AEAD_CTX_open(
            state.as_ptr(),
            out.as_mut_ptr(),
            &raw mut written,
            out.len(),
            nonce.as_ptr(),
            nonce.len(),
            sealed.as_ptr(),
            sealed.len(),
            aad.as_ptr(),
            aad.len(),
        )
    };
    if done != 1 {
        out.fill(0);
    }
    check(done, EngineError::Decrypt)?;
    Ok(written)
}

const REFUSED: EngineError = EngineError::Failed("ChaCha20-Poly1305");

fn started(key: &[u8], nonce: &[u8]) -> Result<Owned<lc::EVP_AEAD_CTX>, EngineError> {
    initialise()?;
    if key.len() != KEY_LEN {
        return Err(EngineError::Key("a ChaCha20 key is 32 bytes long"));
    }
    let named = match nonce.len() {
        12 => lc::EVP_aead_chacha20_poly1305,
        24 => lc::EVP_aead_xchacha20_poly1305,
        _ => return Err(EngineError::Length),
    };
    // SAFETY: gives the address of a static.
    let algorithm = unsafe { named() };
    // SAFETY: a static and a key of its length; a fresh state or null.
    let state = unsafe { lc::EVP_AEAD_CTX_new(algorithm, key.as_ptr(), key.len(), TAG_LEN) };
    // SAFETY: as above.
    unsafe { Owned::new(state) }
}
