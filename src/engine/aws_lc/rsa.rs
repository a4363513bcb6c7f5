//! RSA private keys: generation, signatures, decryption, the bare private operation. RFC 8017.
//!
//! A key is parsed once and keeps what the library computes for it, its blinding included; any
//! number of threads may use it at once. The library checks the result of each private
//! operation against the public exponent before it lets it go (`rsa_default_private_transform`
//! in its rsa_impl.c), so that no faulty result of the Chinese remainder computation, which
//! would give the primes away, ever leaves it.

use std::ffi::c_int;
use std::ptr;

use aws_lc_sys as lc;

use super::bignum::{Bignum, public_bytes, secret_bytes, write_padded};
use super::{Owned, check, gate, initialise, message_digest};
use crate::engine::EngineError;
use crate::engine::rsa_padding::{self, Alternative};
use crate::secret::Secret;

pub(crate) use crate::engine::rsa_padding::{OaepParams, PssParams};

/// The sizes of modulus that are taken, in bits.
pub(crate) const MODULUS_BITS: std::ops::RangeInclusive<usize> = 1024..=16384;

/// An RSA private key as numbers, big endian without leading zeros. Only the modulus and the
/// private exponent must be there to make a key of it.
#[derive(Debug)]
pub(crate) struct RsaComponents {
    pub(crate) modulus: Vec<u8>,
    /// Empty if it is not known.
    pub(crate) public_exponent: Vec<u8>,
    pub(crate) private_exponent: Secret,
    pub(crate) prime1: Option<Secret>,
    pub(crate) prime2: Option<Secret>,
    pub(crate) exponent1: Option<Secret>,
    pub(crate) exponent2: Option<Secret>,
    pub(crate) coefficient: Option<Secret>,
}

/// A parsed private key.
pub(crate) struct RsaPrivate {
    rsa: Owned<lc::RSA>,
    /// The same key in the form that OAEP wants.
    envelope: Owned<lc::EVP_PKEY>,
    modulus_bits: usize,
}

impl RsaPrivate {
    /// Parses and checks a key. What is missing is computed: the primes from the exponents, an
    /// unknown public exponent by trying the usual ones. A key with an unusual, unknown public
    /// exponent is used as it is, without the remainder theorem and without blinding.
    pub(crate) fn from_components(components: &RsaComponents) -> Result<Self, EngineError> {
        initialise()?;
        Self::around(super::rsa_import::parse(components)?)
    }

    /// Makes a key; `bits` is even. The library's test of primes takes its own randomness.
    pub(crate) fn generate(bits: usize, exponent: &[u8]) -> Result<Self, EngineError> {
        initialise()?;
        let exponent = checked_exponent(exponent)?;
        if exponent.bits() > 32 {
            return Err(EngineError::Key("RSA public exponent over 32 bits"));
        }
        if !bits.is_multiple_of(2) || !MODULUS_BITS.contains(&bits) {
            return Err(EngineError::Key("RSA modulus size"));
        }
        // SAFETY: reads a live number of one word.
        let exponent = unsafe { lc::BN_get_word(exponent.as_ptr()) };
        let key = Self::around(super::rsa_generate::generate(bits, exponent)?)?;
        if key.modulus_bits != bits {
            return Err(EngineError::Failed("RSA key generation gave another size"));
        }
        Ok(key)
    }

    fn around(rsa: Owned<lc::RSA>) -> Result<Self, EngineError> {
        // SAFETY: reads a live key.
        let modulus_bits = unsafe { lc::RSA_bits(rsa.as_ptr()) } as usize;
        // SAFETY: the library's own constructor.
        let envelope = unsafe { Owned::fresh(lc::EVP_PKEY_new) }?;
        // SAFETY: live objects; the envelope takes a reference of its own.
        let done = unsafe { lc::EVP_PKEY_set1_RSA(envelope.as_ptr(), rsa.as_ptr()) };
        check(done, EngineError::Memory)?;
        Ok(Self { rsa, envelope, modulus_bits })
    }

    /// The key as numbers.
    pub(crate) fn components(&self) -> Result<RsaComponents, EngineError> {
        let rsa = self.rsa.as_ptr();
        // SAFETY: gives the key's own number, or null.
        let n = unsafe { lc::RSA_get0_n(rsa) };
        // SAFETY: as above.
        let e = unsafe { lc::RSA_get0_e(rsa) };
        // SAFETY: as above.
        let d = unsafe { lc::RSA_get0_d(rsa) };
        // SAFETY: as above.
        let p = unsafe { lc::RSA_get0_p(rsa) };
        // SAFETY: as above.
        let q = unsafe { lc::RSA_get0_q(rsa) };
        // SAFETY: as above.
        let dmp1 = unsafe { lc::RSA_get0_dmp1(rsa) };
        // SAFETY: as above.
        let dmq1 = unsafe { lc::RSA_get0_dmq1(rsa) };
        // SAFETY: as above.
        let iqmp = unsafe { lc::RSA_get0_iqmp(rsa) };
        // SAFETY: each is null or lives as long as the key, which nobody changes.
        let secret = |number| unsafe { secret_bytes(number) };
        Ok(RsaComponents {
            // SAFETY: as above.
            modulus: unsafe { public_bytes(n) }?,
            // SAFETY: as above.
            public_exponent: unsafe { public_bytes(e) }?,
            private_exponent: secret(d)?.ok_or(EngineError::Failed("no private exponent"))?,
            prime1: secret(p)?,
            prime2: secret(q)?,
            exponent1: secret(dmp1)?,
            exponent2: secret(dmq1)?,
            coefficient: secret(iqmp)?,
        })
    }

    /// Bytes of the modulus, of a signature and of a ciphertext.
    pub(crate) fn modulus_len(&self) -> usize {
        self.modulus_bits.div_ceil(8)
    }

    /// PKCS#1 v1.5 signature over `data` as it is (usually a DigestInfo), which is at least 11
    /// bytes shorter than the modulus. Gives the bytes written.
    pub(crate) fn sign_pkcs1(&self, data: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        if data.len().checked_add(11).is_none_or(|needed| needed > self.modulus_len()) {
            return Err(EngineError::Length);
        }
        self.transform(data, lc::RSA_PKCS1_PADDING, out)
    }

    /// PSS signature of a digest. Gives the bytes written; `Length` if the digest has not the
    /// length of its hash, or digest and salt do not fit the modulus.
    pub(crate) fn sign_pss(
        &self,
        params: &PssParams,
        digest: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        let mut encoded = vec![0; self.modulus_len()];
        rsa_padding::pss(params, digest, self.modulus_bits, &mut encoded)?;
        self.transform(&encoded, lc::RSA_NO_PADDING, out)
    }

    /// The bare operation on a number as long as the modulus. Gives the bytes written; `Length`
    /// for another length, for a number that is not below the modulus, and for 0, 1 and the
    /// modulus less 1, which are their own results up to the sign.
    pub(crate) fn raw(&self, number: &[u8], out: &mut [u8]) -> Result<usize, EngineError> {
        // SAFETY: gives the key's own number.
        let modulus = unsafe { lc::RSA_get0_n(self.rsa.as_ptr()) };
        // SAFETY: it lives as long as the key, which nobody changes.
        let mut limit = unsafe { public_bytes(modulus) }?;
        // The modulus is odd.
        limit.iter_mut().next_back().into_iter().for_each(|last| *last -= 1);
        let one = number.split_last().is_some_and(|(last, rest)| {
            *last <= 1 && rest.iter().fold(0, |all, byte| all | byte) == 0
        });
        if number.len() != limit.len() || number >= &limit[..] || one {
            return Err(EngineError::Length);
        }
        self.transform(number, lc::RSA_NO_PADDING, out)
    }

    fn transform(&self, input: &[u8], padding: i32, out: &mut [u8]) -> Result<usize, EngineError> {
        if out.len() < self.modulus_len() {
            return Err(EngineError::Length);
        }
        let mut written = 0;
        let _inside = gate::enter();
        // SAFETY: a live key, a readable input and an output that holds the modulus, as was
        // just checked; the library is told both lengths.
        let done = unsafe {
            lc::RSA_sign_raw(
                self.rsa.as_ptr(),
                &raw mut written,
                out.as_mut_ptr(),
                out.len(),
                input.as_ptr(),
                input.len(),
                padding,
            )
        };
        check(done, EngineError::Failed("RSA private operation"))?;
        Ok(written)
    }

    /// Takes off PKCS#1 v1.5 encryption. Gives the bytes written; where the padding is wrong, of
    /// another message. `Length` only if the ciphertext is not as long as the modulus or `out` is
    /// shorter, `Decrypt` if it is no number below the modulus, or 0, 1 or the modulus less 1.
    pub(crate) fn decrypt_pkcs1(
        &self,
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        let encoded = self.opened(ciphertext)?;
        let alternative = self.alternative(ciphertext)?;
        encoded.expose(|encoded| rsa_padding::pkcs1_message_or(encoded, &alternative, out))
    }

    /// Fills `out` with the message in a PKCS#1 v1.5 encryption, if it is as long as that, else
    /// with the end of another, in the same time. `Length` only by the two lengths.
    pub(crate) fn decrypt_pkcs1_or_else(
        &self,
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<(), EngineError> {
        let encoded = self.opened(ciphertext);
        if matches!(encoded, Err(EngineError::Length)) {
            return Err(EngineError::Length);
        }
        self.alternative(ciphertext)?.write(out)?;
        match encoded {
            // Not a number that is taken, as anybody can see.
            Err(EngineError::Decrypt) => Ok(()),
            Err(other) => Err(other),
            Ok(encoded) => {
                encoded.expose(|encoded| rsa_padding::pkcs1_message_or_else(encoded, out))
            }
        }
    }

    /// The number in a ciphertext, as long as the modulus.
    fn opened(&self, ciphertext: &[u8]) -> Result<Secret, EngineError> {
        let mut len = self.modulus_len();
        if ciphertext.len() != len {
            return Err(EngineError::Length);
        }
        let _inside = gate::enter();
        Secret::build(len, |room| {
            // SAFETY: a live key, a readable input, and room for a whole modulus.
            let done = unsafe {
                lc::RSA_decrypt(
                    self.rsa.as_ptr(),
                    &raw mut len,
                    room.as_mut_ptr(),
                    room.len(),
                    ciphertext.as_ptr(),
                    ciphertext.len(),
                    lc::RSA_NO_PADDING,
                )
            };
            check(done, EngineError::Decrypt)
        })
    }

    /// What stands in for the message of a ciphertext whose padding is wrong.
    fn alternative(&self, ciphertext: &[u8]) -> Result<Alternative, EngineError> {
        // SAFETY: gives the key's own number.
        let exponent = unsafe { lc::RSA_get0_d(self.rsa.as_ptr()) };
        let exponent = Secret::build(self.modulus_len(), |room| {
            // SAFETY: null or alive as long as the key, which nobody changes.
            unsafe { write_padded(exponent, room) }
        })?;
        exponent.expose(|exponent| Alternative::of(exponent, ciphertext))
    }

    /// Takes off OAEP. Gives the bytes written; `Length` only if the ciphertext is not as long as
    /// the modulus or `out` is too short for the plaintext. Whatever is wrong inside is `Decrypt`.
    pub(crate) fn decrypt_oaep(
        &self,
        params: &OaepParams<'_>,
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, EngineError> {
        let operation = self.oaep_operation(params)?;
        self.decrypted(ciphertext, out, |room, len| {
            // SAFETY: a live operation, a readable input, and room for `*len` bytes.
            unsafe {
                lc::EVP_PKEY_decrypt(
                    operation.as_ptr(),
                    room.as_mut_ptr(),
                    len,
                    ciphertext.as_ptr(),
                    ciphertext.len(),
                )
            }
        })
    }

    /// Decrypts into memory of our own first: the library wants room for a whole modulus.
    fn decrypted(
        &self,
        ciphertext: &[u8],
        out: &mut [u8],
        decrypt: impl FnOnce(&mut [u8], &mut usize) -> c_int,
    ) -> Result<usize, EngineError> {
        if ciphertext.len() != self.modulus_len() {
            return Err(EngineError::Length);
        }
        let mut len = self.modulus_len();
        let _inside = gate::enter();
        let plain =
            Secret::build(len, |room| check(decrypt(room, &mut len), EngineError::Decrypt))?;
        plain.expose(|plain| {
            let plain = plain.get(..len).ok_or(EngineError::Length)?;
            out.get_mut(..len).ok_or(EngineError::Length)?.copy_from_slice(plain);
            Ok(len)
        })
    }

    fn oaep_operation(
        &self,
        params: &OaepParams<'_>,
    ) -> Result<Owned<lc::EVP_PKEY_CTX>, EngineError> {
        let refused = EngineError::Failed("OAEP parameters");
        // SAFETY: a live key; no engine. A fresh object or null.
        let operation = unsafe { lc::EVP_PKEY_CTX_new(self.envelope.as_ptr(), ptr::null_mut()) };
        // SAFETY: as above.
        let operation = unsafe { Owned::new(operation) }?;
        let raw = operation.as_ptr();
        // SAFETY: a live operation.
        check(unsafe { lc::EVP_PKEY_decrypt_init(raw) }, refused)?;
        let padding = lc::RSA_PKCS1_OAEP_PADDING;
        // SAFETY: as above.
        check(unsafe { lc::EVP_PKEY_CTX_set_rsa_padding(raw, padding) }, refused)?;
        let hash = message_digest(params.hash)?;
        // SAFETY: as above; digests are statics.
        check(unsafe { lc::EVP_PKEY_CTX_set_rsa_oaep_md(raw, hash) }, refused)?;
        let mgf = message_digest(params.mgf)?;
        // SAFETY: as above.
        check(unsafe { lc::EVP_PKEY_CTX_set_rsa_mgf1_md(raw, mgf) }, refused)?;
        if params.label.is_empty() {
            return Ok(operation);
        }
        let len = params.label.len();
        // SAFETY: readable for its length.
        let copy = unsafe { lc::OPENSSL_memdup(params.label.as_ptr().cast(), len) };
        if copy.is_null() {
            return Err(super::failed(EngineError::Memory));
        }
        // SAFETY: the copy comes from the library's allocator; the operation takes it over.
        let done = unsafe { lc::EVP_PKEY_CTX_set0_rsa_oaep_label(raw, copy.cast(), len) };
        check(done, refused)?; // on refusal the copy leaks; the mode was just set, so there is none
        Ok(operation)
    }
}

/// A public exponent: odd, at least 3, and short enough to be cheap.
pub(super) fn checked_exponent(bytes: &[u8]) -> Result<Bignum, EngineError> {
    if bytes.len() > 16384 / 8 {
        return Err(EngineError::Key("RSA public exponent size"));
    }
    let exponent = Bignum::from_bytes(bytes)?;
    match exponent.is_odd() && (2..=33).contains(&exponent.bits()) {
        true => Ok(exponent),
        false => Err(EngineError::Key("RSA public exponent is even, 1 or over 33 bits")),
    }
}

/// A modulus: odd, and of a size that is taken.
pub(super) fn checked_modulus(bytes: &[u8]) -> Result<Bignum, EngineError> {
    let significant = bytes.iter().skip_while(|byte| **byte == 0).count();
    if significant > MODULUS_BITS.end() / 8 {
        return Err(EngineError::Key("RSA modulus size"));
    }
    let modulus = Bignum::from_bytes(bytes)?;
    if !MODULUS_BITS.contains(&(modulus.bits() as usize)) {
        return Err(EngineError::Key("RSA modulus size"));
    }
    if modulus.is_odd() { Ok(modulus) } else { Err(EngineError::Key("RSA modulus is even")) }
}
