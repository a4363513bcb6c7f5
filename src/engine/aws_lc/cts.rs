//! AES-CBC with ciphertext stealing, variant CS1: the last block but one is cut to the length of
//! the last piece of the message, and nothing is padded. Whole blocks are plain CBC. NIST
//! SP 800-38A, addendum.

use zeroize::Zeroizing;

use super::cipher::{BLOCK_LEN, BlockCipher, Direction, Mode};
use crate::engine::EngineError;

/// Encrypts or decrypts a message of a block or more into `out`, which is as long; `Length` if
/// either has another length.
pub(crate) fn cts(
    direction: Direction,
    key: &[u8],
    iv: &[u8],
    input: &[u8],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    if input.len() < BLOCK_LEN || out.len() != input.len() {
        return Err(EngineError::Length);
    }
    let rest = input.len() % BLOCK_LEN;
    let blocks = input.len().next_multiple_of(BLOCK_LEN);
    let mut whole = Zeroizing::new(vec![0; blocks]);
    if rest == 0 {
        whole.copy_from_slice(input);
    } else if direction == Direction::Encrypt {
        whole.get_mut(..input.len()).ok_or(EngineError::Length)?.copy_from_slice(input);
    } else {
        put_back(key, input, rest, &mut whole)?;
    }
    let mut cipher = BlockCipher::new(Mode::Cbc, direction, key, iv)?;
    let mut done = Zeroizing::new(vec![0; blocks]);
    cipher.update(&whole, &mut done)?;
    if rest != 0 && direction == Direction::Encrypt {
        // Off the last block but one, from where the last piece ends in it.
        let cut = input.len() - BLOCK_LEN;
        done.copy_within(blocks - BLOCK_LEN.., cut);
    }
    out.copy_from_slice(done.get(..out.len()).ok_or(EngineError::Length)?);
    Ok(out.len())
}

/// Makes whole blocks of a ciphertext: what was stolen of the last block but one stands in the
/// last, behind the last piece of the message.
fn put_back(key: &[u8], input: &[u8], rest: usize, whole: &mut [u8]) -> Result<(), EngineError> {
    let (front, last) = input.split_at(input.len() - BLOCK_LEN);
    let mut opened = Zeroizing::new([0; BLOCK_LEN]);
    let mut cipher = BlockCipher::new(Mode::Ecb, Direction::Decrypt, key, &[])?;
    cipher.update(last, &mut *opened)?;
    let stolen = opened.get(rest..).ok_or(EngineError::Length)?;
    let parts = front.iter().chain(stolen).chain(last);
    whole.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    Ok(())
}
