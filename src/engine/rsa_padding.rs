//! The paddings of RFC 8017 that draw randomness: EMSA-PSS, EME-OAEP and EME-PKCS1-v1_5, the
//! encoding side only. The C library has them too, but takes the randomness from its own
//! generator, which must not make values that leave this process. It does the decoding, in
//! constant time.

use super::hash::{Digest, Hasher};
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
