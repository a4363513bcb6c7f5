//! The paddings of RFC 8017 that draw randomness: EMSA-PSS, EME-OAEP and EME-PKCS1-v1_5, the
//! encoding side. The C library has them too, but takes the randomness from its own generator,
//! which must not make values that leave this process. It decodes OAEP, in constant time.
//!
//! PKCS#1 v1.5 encryption is decoded here, because a wrong padding must not show: what is given
//! then is another message, which depends on the key and the ciphertext alone, as the CFRG's
//! guidance says (draft-irtf-cfrg-rsa-guidance, "Implicit rejection").

use zeroize::Zeroizing;

use super::hash::{Digest, Hasher, Mac, digest};
use super::{EngineError, random};

/// Parameters of RSASSA-PSS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PssParams {
    /// The hash that made the digest.
    pub(crate) hash: Digest,
    /// The hash inside the mask generation function.
    pub(crate) mgf: Digest,
    pub(crate) salt_len: usize,
}

/// Parameters of RSAES-OAEP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OaepParams<'a> {
    /// The hash of the label.
    pub(crate) hash: Digest,
    /// The hash inside the mask generation function.
    pub(crate) mgf: Digest,
    pub(crate) label: &'a [u8],
}

const TOO_LONG: EngineError = EngineError::Length;

/// Writes EMSA-PSS (section 9.1.1) for a modulus of `modulus_bits` into `out`, which is as long
/// as the modulus.
pub(super) fn pss(
    params: &PssParams,
    digest: &[u8],
    modulus_bits: usize,
    out: &mut [u8],
) -> Result<(), EngineError> {
    let hash_len = params.hash.len();
    if digest.len() != hash_len {
        return Err(TOO_LONG);
    }
    let encoded_bits = modulus_bits.checked_sub(1).ok_or(TOO_LONG)?;
    let encoded_len = encoded_bits.div_ceil(8);
    let front = out.len().checked_sub(encoded_len).ok_or(TOO_LONG)?;
    out.fill(0);
    let encoded = out.get_mut(front..).ok_or(TOO_LONG)?;
    let block_len = encoded_len.checked_sub(hash_len + 1).ok_or(TOO_LONG)?;
    let (block, rest) = encoded.split_at_mut_checked(block_len).ok_or(TOO_LONG)?;
    let (hashed, trailer) = rest.split_at_mut_checked(hash_len).ok_or(TOO_LONG)?;
    let separator = params.salt_len.checked_add(1).and_then(|tail| block_len.checked_sub(tail));
    let (_, tail) = block.split_at_mut_checked(separator.ok_or(TOO_LONG)?).ok_or(TOO_LONG)?;
    let (one, salt) = tail.split_first_mut().ok_or(TOO_LONG)?;
    *one = 1;
    random::fill(salt)?;
    let mut hasher = Hasher::new(params.hash);
    hasher.update(&[0; 8]);
    hasher.update(digest);
    hasher.update(salt);
    hasher.finish(hashed)?;
    mask(params.mgf, hashed, block)?;
    if let Some(first) = block.first_mut() {
        *first &= 0xff >> (8 * encoded_len - encoded_bits);
    }
    trailer.fill(0xbc);
    Ok(())
}

/// Writes EME-OAEP (section 7.1.1) into `out`, which is as long as the modulus.
pub(super) fn oaep(
    params: &OaepParams<'_>,
    message: &[u8],
    out: &mut [u8],
) -> Result<(), EngineError> {
    let hash_len = params.hash.len();
    out.fill(0);
    let (_, encoded) = out.split_first_mut().ok_or(TOO_LONG)?;
    let (seed, block) = encoded.split_at_mut_checked(hash_len).ok_or(TOO_LONG)?;
    let filling = block.len().checked_sub(hash_len + 1 + message.len()).ok_or(TOO_LONG)?;
    let (label_hash, rest) = block.split_at_mut_checked(hash_len).ok_or(TOO_LONG)?;
    let mut hasher = Hasher::new(params.hash);
    hasher.update(params.label);
    hasher.finish(label_hash)?;
    let (_, tail) = rest.split_at_mut_checked(filling).ok_or(TOO_LONG)?;
    let (one, room) = tail.split_first_mut().ok_or(TOO_LONG)?;
    *one = 1;
    if room.len() != message.len() {
        return Err(TOO_LONG);
    }
    room.copy_from_slice(message);
    random::fill(seed)?;
    mask(params.mgf, seed, block)?;
    mask(params.mgf, block, seed)
}

/// Writes EME-PKCS1-v1_5 (section 7.2.1) into `out`, which is as long as the modulus.
pub(super) fn pkcs1_encryption(message: &[u8], out: &mut [u8]) -> Result<(), EngineError> {
    let filling = out.len().checked_sub(3 + message.len()).filter(|len| *len >= 8);
    let (head, rest) = out.split_first_chunk_mut::<2>().ok_or(TOO_LONG)?;
    *head = [0, 2];
    let (filling, tail) = rest.split_at_mut_checked(filling.ok_or(TOO_LONG)?).ok_or(TOO_LONG)?;
    random::fill(filling)?;
    for byte in filling {
        while *byte == 0 {
            random::fill(std::slice::from_mut(byte))?;
        }
    }
    let (zero, room) = tail.split_first_mut().ok_or(TOO_LONG)?;
    *zero = 0;
    if room.len() != message.len() {
        return Err(TOO_LONG);
    }
    room.copy_from_slice(message);
    Ok(())
}

/// What is given where the padding of a ciphertext is wrong.
pub(super) struct Alternative {
    /// As long as the modulus.
    bytes: Zeroizing<Vec<u8>>,
    /// How many of them, at the end, are the message.
    len: usize,
}

/// From how many candidates the length of an alternative is taken: with so many it is all but
/// certain that one fits.
const LENGTHS: usize = 128;

impl Alternative {
    /// Of a key, by its private exponent, and a ciphertext; both as long as the modulus.
    pub(super) fn of(exponent: &[u8], ciphertext: &[u8]) -> Result<Self, EngineError> {
        let limit = ciphertext.len().checked_sub(10).ok_or(TOO_LONG)?;
        let hashed = Zeroizing::new(digest(Digest::Sha256, exponent));
        let key = code(&hashed, &[ciphertext])?;
        let mask = (limit + 1).checked_next_power_of_two().ok_or(TOO_LONG)? - 1;
        let mut len = 0;
        for candidate in stretched(&*key, b"length", 2 * LENGTHS)?.chunks_exact(2) {
            let candidate = candidate.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            let candidate = candidate & mask;
            len = select(is_below(candidate, limit), candidate, len);
        }
        Ok(Self { bytes: stretched(&*key, b"message", ciphertext.len())?, len })
    }

    /// Its last bytes, for a message whose length is known.
    pub(super) fn write(&self, out: &mut [u8]) -> Result<(), EngineError> {
        let start = self.bytes.len().checked_sub(out.len()).ok_or(TOO_LONG)?;
        out.copy_from_slice(self.bytes.get(start..).unwrap_or_default());
        Ok(())
    }
}

/// HMAC-SHA-256 over the parts.
fn code(key: &[u8], parts: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, EngineError> {
    let mut mac = Mac::new(Digest::Sha256, key)?;
    parts.iter().for_each(|part| mac.update(part));
    let mut code = Zeroizing::new([0; 32]);
    mac.finish(&mut *code)?;
    Ok(code)
}

/// The guidance's IRPRF: codes over a counter, the label and the number of bits.
fn stretched(key: &[u8], label: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, EngineError> {
    let bits = u16::try_from(8 * len).map_err(|_| TOO_LONG)?.to_be_bytes();
    let mut out = Zeroizing::new(vec![0; len]);
    for (counter, piece) in (0_u16..).zip(out.chunks_mut(32)) {
        let code = code(key, &[&counter.to_be_bytes(), label, &bits])?;
        piece.iter_mut().zip(*code).for_each(|(to, from)| *to = from);
    }
    Ok(out)
}

/// Reads EME-PKCS1-v1_5 (section 7.2.2): writes the message to the front of `out`, or the
/// alternative if there is none, and gives its length. Nothing but that length depends on which
/// of the two it was.
pub(super) fn pkcs1_message_or(
    encoded: &[u8],
    alternative: &Alternative,
    out: &mut [u8],
) -> Result<usize, EngineError> {
    let len = encoded.len();
    let ([first, second], _) = encoded.split_first_chunk::<2>().ok_or(TOO_LONG)?;
    let (mut found, mut zero_at) = (0, 0);
    for (at, byte) in encoded.iter().enumerate().skip(2) {
        let zero = wide(is_zero(*byte));
        zero_at = select(zero & !found, at, zero_at);
        found |= zero;
    }
    let head = wide(is_zero(*first | (*second ^ 2)));
    let right = std::hint::black_box(head & found & !is_below(zero_at, 10));
    let start = select(right, zero_at + 1, len.checked_sub(alternative.len).ok_or(TOO_LONG)?);
    let mut both = Zeroizing::new(Vec::with_capacity(len));
    both.extend(encoded.iter().zip(alternative.bytes.iter()).map(|(message, other)| {
        let right = right as u8;
        (message & right) | (other & !right)
    }));
    let message = both.get(start..).ok_or(TOO_LONG)?;
    out.get_mut(..message.len()).ok_or(TOO_LONG)?.copy_from_slice(message);
    Ok(message.len())
}

/// All ones for all ones.
fn wide(mask: u8) -> usize {
    usize::from(mask & 1).wrapping_neg()
}

/// All ones if the first number is smaller, else zero; both are far from the largest.
fn is_below(left: usize, right: usize) -> usize {
    std::hint::black_box(left.wrapping_sub(right) >> (usize::BITS - 1)).wrapping_neg()
}

/// One of two numbers, by a mask, without a branch.
fn select(mask: usize, yes: usize, no: usize) -> usize {
    (yes & mask) | (no & !mask)
}

/// Reads EME-PKCS1-v1_5 (section 7.2.2) for a message whose length is known: copies it over
/// `out`, or leaves that alone, without a branch or an index that depends on the message.
pub(super) fn pkcs1_message_or_else(encoded: &[u8], out: &mut [u8]) -> Result<(), EngineError> {
    let filling = encoded.len().checked_sub(3 + out.len()).filter(|len| *len >= 8);
    let (head, rest) = encoded.split_first_chunk::<2>().ok_or(TOO_LONG)?;
    let (filling, tail) = rest.split_at_checked(filling.ok_or(TOO_LONG)?).ok_or(TOO_LONG)?;
    let (zero, message) = tail.split_first().ok_or(TOO_LONG)?;
    let [first, second] = head;
    let mut wrong = *first | (*second ^ 2) | *zero;
    for byte in filling {
        wrong |= is_zero(*byte);
    }
    // All ones if everything fits.
    let right = std::hint::black_box(is_zero(wrong));
    for (to, from) in out.iter_mut().zip(message) {
        *to = (*to & !right) | (from & right);
    }
    Ok(())
}

/// All ones for zero, else zero, without a branch.
fn is_zero(byte: u8) -> u8 {
    let borrowed = u16::from(byte).wrapping_sub(1) >> 8;
    std::hint::black_box(borrowed as u8)
}

/// Writes EMSA-PKCS1-v1_5 (section 9.2) around a finished DigestInfo into `out`, which is as
/// long as the modulus. No randomness: it is here for verification, which compares.
pub(super) fn pkcs1_signature(info: &[u8], out: &mut [u8]) -> Result<(), EngineError> {
    let filling = out.len().checked_sub(3 + info.len()).filter(|len| *len >= 8);
    let (head, rest) = out.split_first_chunk_mut::<2>().ok_or(TOO_LONG)?;
    *head = [0, 1];
    let (filling, tail) = rest.split_at_mut_checked(filling.ok_or(TOO_LONG)?).ok_or(TOO_LONG)?;
    filling.fill(0xff);
    let (zero, room) = tail.split_first_mut().ok_or(TOO_LONG)?;
    *zero = 0;
    if room.len() != info.len() {
        return Err(TOO_LONG);
    }
    room.copy_from_slice(info);
    Ok(())
}

/// Adds MGF1 of `seed` (appendix B.2.1) to `target`.
fn mask(hash: Digest, seed: &[u8], target: &mut [u8]) -> Result<(), EngineError> {
    let mut block = [0; Digest::MAX_LEN];
    let mut seeded = Hasher::new(hash);
    seeded.update(seed);
    for (counter, piece) in (0_u32..).zip(target.chunks_mut(hash.len())) {
        let mut hasher = seeded.clone();
        hasher.update(&counter.to_be_bytes());
        hasher.finish(&mut block)?;
        piece.iter_mut().zip(block).for_each(|(byte, mask)| *byte ^= mask);
    }
    Ok(())
}
