//! The parameters of ciphers and MACs beside the common ones. PKCS#11 3.2, "AES-CCM Authenticated
//! Encryption / Decryption", "ChaCha20", "ChaCha20/Poly1305", "Data Encryption Standard".

/// What a caller gave to a cipher.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum CipherParams {
    /// `CK_CCM_PARAMS`, with lengths in bytes.
    Ccm { data_len: u64, nonce: Vec<u8>, aad: Vec<u8>, tag_len: u64 },
    /// `CK_CHACHA20_PARAMS`.
    ChaCha20 { counter: u64, counter_bits: u64, nonce: Vec<u8> },
    /// `CK_SALSA20_CHACHA20_POLY1305_PARAMS`.
    ChaCha20Poly1305 { nonce: Vec<u8>, aad: Vec<u8> },
}

/// Which structure the door reads for a cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CipherShape {
    /// A `CK_CCM_PARAMS`.
    Ccm,
    /// A `CK_CHACHA20_PARAMS`.
    ChaCha20,
    /// A `CK_SALSA20_CHACHA20_POLY1305_PARAMS`.
    ChaCha20Poly1305,
    /// 8 bytes.
    #[cfg(feature = "legacy")]
    Iv8,
    /// Nothing, or 8 or 16 bytes, which are ignored.
    #[cfg(feature = "legacy")]
    OptionalIv8,
}
