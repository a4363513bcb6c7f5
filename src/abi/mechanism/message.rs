//! Parameters of single messages: structures that are read before a message and, where the token
//! makes nonce or tag, written to after it. PKCS#11 3.2, "AES-GCM Authenticated Encryption /
//! Decryption" and its kin.

use crate::cryptoki::{
    CK_BYTE_PTR, CK_CCM_MESSAGE_PARAMS, CK_GCM_MESSAGE_PARAMS, CK_MECHANISM, CK_MECHANISM_PTR,
    CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, CK_ULONG, CK_VOID_PTR, CKG_GENERATE,
    CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR, CKG_GENERATE_RANDOM, CKG_NO_GENERATE,
};
use crate::error::Result;
use crate::mechanism::cipher_params::CipherShape;
use crate::mechanism::find;
use crate::mechanism::message::{Message, Source};
use crate::mechanism::operation::Reply;
use crate::mechanism::params::{MechanismParams, Shape};
use crate::provider::GivenMechanism;

use super::{Reader, cipher, invalid, part, reader, structure};

/// A message's parameter, and the places in it that are written to.
pub(in crate::abi) struct MessageParameter {
    pub(in crate::abi) message: Message,
    nonce: CK_BYTE_PTR,
    tag: CK_BYTE_PTR,
}

/// Reads the parameter of one message.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
type MessageReader = unsafe fn(&CK_MECHANISM) -> Result<(MessageParameter, CK_ULONG)>;

/// The reader for a mechanism's shape, and the size of the structure.
const fn message_reader(shape: Shape) -> Option<(MessageReader, usize)> {
    match shape {
        Shape::Gcm => Some((gcm, size_of::<CK_GCM_MESSAGE_PARAMS>())),
        Shape::Cipher(CipherShape::Ccm) => Some((ccm, size_of::<CK_CCM_MESSAGE_PARAMS>())),
        Shape::Cipher(CipherShape::ChaCha20Poly1305) => {
            Some((chacha20_poly1305, size_of::<CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS>()))
        }
        _ => None,
    }
}

/// The generator is the second of the pair: only encryption looks at it.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn gcm(given: &CK_MECHANISM) -> Result<(MessageParameter, CK_ULONG)> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_GCM_MESSAGE_PARAMS>(given)? };
    let message = Message {
        // SAFETY: this function's own contract.
        nonce: unsafe { part(params.pIv, params.ulIvLen)? },
        fixed_bits: params.ulIvFixedBits,
        source: Source::Caller,
        tag_bits: params.ulTagBits,
        data_len: None,
    };
    let parameter = MessageParameter { message, nonce: params.pIv, tag: params.pTag };
    Ok((parameter, params.ivGenerator))
}

/// As `gcm`; the length of the tag is in bytes.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn ccm(given: &CK_MECHANISM) -> Result<(MessageParameter, CK_ULONG)> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_CCM_MESSAGE_PARAMS>(given)? };
    let message = Message {
        // SAFETY: this function's own contract.
        nonce: unsafe { part(params.pNonce, params.ulNonceLen)? },
        fixed_bits: params.ulNonceFixedBits,
        source: Source::Caller,
        tag_bits: params.ulMACLen.saturating_mul(8),
        data_len: Some(params.ulDataLen),
    };
    let parameter = MessageParameter { message, nonce: params.pNonce, tag: params.pMAC };
    Ok((parameter, params.nonceGenerator))
}

/// The nonce is the caller's always, and the tag has 16 bytes.
///
/// # Safety
/// The mechanism's pointers lead to what their lengths say.
unsafe fn chacha20_poly1305(given: &CK_MECHANISM) -> Result<(MessageParameter, CK_ULONG)> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS>(given)? };
    let message = Message {
        // SAFETY: this function's own contract.
        nonce: unsafe { cipher::nonce(params.pNonce, params.ulNonceLen)? },
        fixed_bits: 0,
        source: Source::Caller,
        tag_bits: 128,
        data_len: None,
    };
    let parameter = MessageParameter { message, nonce: params.pNonce, tag: params.pTag };
    Ok((parameter, CKG_NO_GENERATE))
}

pub(super) fn source(generator: CK_ULONG) -> Result<Source> {
    match generator {
        CKG_NO_GENERATE => Ok(Source::Caller),
        CKG_GENERATE => Ok(Source::Token),
        CKG_GENERATE_COUNTER => Ok(Source::Counter),
        CKG_GENERATE_COUNTER_XOR => Ok(Source::CounterXor),
        CKG_GENERATE_RANDOM => Ok(Source::Random),
        _ => Err(invalid("no such generator of nonces")),
    }
}

const fn as_mechanism(start: CK_VOID_PTR, len: CK_ULONG) -> CK_MECHANISM {
    CK_MECHANISM { mechanism: 0, pParameter: start, ulParameterLen: len }
}

impl MessageParameter {
    /// The parameter of a message to decrypt: the nonce is the caller's.
    ///
    /// # Safety
    /// `start` is null, or leads to `len` bytes of the shape's structure, whose pointers lead to
    /// what their lengths say.
    pub(in crate::abi) unsafe fn to_open(
        shape: Shape,
        start: CK_VOID_PTR,
        len: CK_ULONG,
    ) -> Result<Self> {
        let (read, _) = message_reader(shape).ok_or_else(|| invalid("no messages with this"))?;
        // SAFETY: this function's own contract.
        let (parameter, _) = unsafe { read(&as_mechanism(start, len))? };
        Ok(parameter)
    }

    /// The parameter of a message to encrypt.
    ///
    /// # Safety
    /// As for `to_open`.
    pub(in crate::abi) unsafe fn to_seal(
        shape: Shape,
        start: CK_VOID_PTR,
        len: CK_ULONG,
    ) -> Result<Self> {
        let (read, _) = message_reader(shape).ok_or_else(|| invalid("no messages with this"))?;
        // SAFETY: this function's own contract.
        let (mut parameter, generator) = unsafe { read(&as_mechanism(start, len))? };
        parameter.message.source = source(generator)?;
        Ok(parameter)
    }

    /// Bytes of the tag, for which there must be room.
    pub(in crate::abi) fn tag_room(&self) -> Result<usize> {
        if self.tag.is_null() {
            return Err(invalid("no place for the tag"));
        }
        self.message.tag_len()
    }

    /// The tag that the caller gives.
    ///
    /// # Safety
    /// The tag's place leads to as many bytes as the parameter says.
    pub(in crate::abi) unsafe fn tag(&self) -> Result<Vec<u8>> {
        let len = self.tag_room()?;
        let len = CK_ULONG::try_from(len).map_err(|_| invalid("length of a tag"))?;
        // SAFETY: this function's own contract.
        unsafe { part(self.tag, len) }
    }

    /// Writes what an encryption gave. No reference to the same memory is alive.
    ///
    /// # Safety
    /// Nonce and tag lead to as many writable bytes as the parameter says.
    pub(in crate::abi) unsafe fn write(&self, reply: &Reply) {
        let nonce = reply.nonce.get(..self.message.nonce.len()).unwrap_or_default();
        if !nonce.is_empty() && !self.nonce.is_null() {
            // SAFETY: not null, and as long as the parameter said, as the caller promises; the
            // bytes are our own.
            unsafe { self.nonce.copy_from_nonoverlapping(nonce.as_ptr(), nonce.len()) };
        }
        let tag = reply.tag.as_slice();
        if self.message.tag_len().is_ok_and(|room| room == tag.len()) && !self.tag.is_null() {
            // SAFETY: as above.
            unsafe { self.tag.copy_from_nonoverlapping(tag.as_ptr(), tag.len()) };
        }
    }
}

/// The mechanism of C_MessageEncryptInit or C_MessageDecryptInit. Its parameter may be the
/// structure that each message brings, but is not looked at; `None` for a null pointer.
///
/// # Safety
/// `given` is null or valid for reads.
pub(in crate::abi) unsafe fn of_messages(
    given: CK_MECHANISM_PTR,
) -> Result<Option<GivenMechanism>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, and valid for reads as the caller promises.
    let given = unsafe { given.read_unaligned() };
    let size = find(given.mechanism).and_then(|row| message_reader(row.shape)).map(|(_, len)| len);
    let len = usize::try_from(given.ulParameterLen).unwrap_or(usize::MAX);
    if size.is_some_and(|size| len != 0 && len != size) {
        return Err(invalid("the parameter has another size than a message's"));
    }
    Ok(Some(GivenMechanism { id: given.mechanism, params: MechanismParams::None }))
}

/// The parameter of one message to sign or verify, which has the structure of the mechanism's
/// own; `None` if there is none.
///
/// # Safety
/// `start` is null, or leads to `len` bytes whose pointers lead to what their lengths say.
pub(in crate::abi) unsafe fn own_parameter(
    shape: Shape,
    start: CK_VOID_PTR,
    len: CK_ULONG,
) -> Result<Option<MechanismParams>> {
    if start.is_null() && len == 0 {
        return Ok(None);
    }
    let read: Reader = reader(shape);
    // SAFETY: this function's own contract.
    unsafe { read(&as_mechanism(start, len)) }.map(Some)
}
