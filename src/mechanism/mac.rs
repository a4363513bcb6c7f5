//! MACs in parts, made and checked in the same way whatever computes them; and those of block
//! ciphers and of Poly1305. PKCS#11 3.2, "AES-CMAC", "AES XCBC-MAC", "AES-GMAC", "Poly1305".

use super::aes::{BLOCK, check_key_size, key_value};
use super::gcm;
use super::operation::{Signing, Verifying, room};
use super::params::{MechanismParams, invalid};
use super::{Key, secret_value};
use crate::engine::aws_lc::chacha::{self, Poly1305};
use crate::engine::aws_lc::cmac::Cmac;
use crate::engine::aws_lc::gcm::GcmEncrypt;
use crate::engine::aws_lc::xcbc::{self, Xcbc};
use crate::engine::hash::{Digest, Mac, constant_time_eq};
use crate::error::{Result, Rv};
use crate::object::class::KeyType;
use crate::secret::Secret;

/// Which of the two mechanisms of a MAC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Length {
    /// As long as the algorithm's.
    Full,
    /// As the parameter says.
    Chosen,
}

/// The length of a MAC whose algorithm gives `full` bytes, and at most `most`.
pub(super) fn length(
    params: &MechanismParams,
    length: Length,
    full: usize,
    most: usize,
) -> Result<usize> {
    match (length, params) {
        (Length::Full, MechanismParams::None) => Ok(full),
        (Length::Chosen, MechanismParams::MacLength(len)) => usize::try_from(*len)
            .ok()
            .filter(|len| (1..=most).contains(len))
            .ok_or_else(|| invalid("length of a MAC")),
        (Length::Full, _) => Err(invalid("this MAC takes no parameter")),
        (Length::Chosen, _) => Err(invalid("this MAC takes its length as parameter")),
    }
}

/// What computes a code.
pub(super) trait Code: Send {
    fn update(&mut self, part: &[u8]) -> Result<()>;

    /// Writes the code to the front of `out`.
    fn finish(&mut self, out: &mut [u8]) -> Result<()>;

    /// The state, if it can be saved.
    fn save(&self) -> Result<Option<Secret>> {
        Ok(None)
    }

    /// Takes over a state that was saved; false if it is none of this code's.
    fn restore(&mut self, _state: &[u8]) -> bool {
        false
    }
}

impl Code for Mac {
    fn save(&self) -> Result<Option<Secret>> {
        Ok(self.save()?)
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.restore(state)
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.update(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        Ok(self.finish(out).map(drop)?)
    }
}

impl Code for Cmac {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        Ok(self.update(part)?)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        Ok(self.finish(out).map(drop)?)
    }
}

impl Code for Xcbc {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        Ok(self.update(part)?)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        Ok(self.finish(out).map(drop)?)
    }
}

impl Code for Poly1305 {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.update(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        Ok(self.finish(out).map(drop)?)
    }
}

impl Code for GcmEncrypt {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        Ok(self.authenticate(part)?)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        Ok(self.finish(out).map(drop)?)
    }
}

/// A MAC that is being made or checked.
pub(super) struct Running<C> {
    pub(super) code: C,
    pub(super) len: usize,
}

impl<C: Code> Running<C> {
    fn computed(&mut self) -> Result<[u8; Digest::MAX_LEN]> {
        let mut computed = [0; Digest::MAX_LEN];
        self.code.finish(&mut computed)?;
        Ok(computed)
    }
}

impl<C: Code> Signing for Running<C> {
    fn save(&self) -> Result<Option<Secret>> {
        self.code.save()
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.code.restore(state)
    }

    fn len(&self) -> usize {
        self.len
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.code.update(part)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut computed = self.computed()?;
        room(out, self.len)?.copy_from_slice(room(&mut computed, self.len)?);
        Ok(self.len)
    }
}

impl<C: Code> Verifying for Running<C> {
    fn save(&self) -> Result<Option<Secret>> {
        self.code.save()
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        self.code.restore(state)
    }

    fn check_len(&self, signature: usize) -> Result<()> {
        if signature == self.len {
            Ok(())
        } else {
            Err(Rv::SignatureLenRange.because("length of a MAC"))
        }
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.code.update(part)
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        self.check_len(signature.len())?;
        let mut computed = self.computed()?;
        if constant_time_eq(room(&mut computed, self.len)?, signature) {
            Ok(())
        } else {
            Err(Rv::SignatureInvalid.because("wrong MAC"))
        }
    }
}

/// Starts AES-CMAC.
pub(super) fn aes_cmac(key: &Key, params: &MechanismParams, l: Length) -> Result<Running<Cmac>> {
    let value = key_value(key)?;
    let len = length(params, l, BLOCK, BLOCK)?;
    check_key_size(value)?;
    Ok(Running { code: value.expose(Cmac::aes)?, len })
}

/// Starts AES-XCBC-MAC, of which so many bytes are given. Its keys have 16 bytes (RFC 3566).
pub(super) fn aes_xcbc(key: &Key, params: &MechanismParams, len: usize) -> Result<Running<Xcbc>> {
    let value = key_value(key)?;
    params.none()?;
    if value.len() != xcbc::KEY_LEN {
        return Err(Rv::KeySizeRange.because("AES-XCBC-MAC takes keys of 16 bytes"));
    }
    Ok(Running { code: value.expose(Xcbc::new)?, len })
}

/// Starts AES-GMAC: GCM of nothing, with the data authenticated.
pub(super) fn gmac(key: &Key, params: &MechanismParams) -> Result<Running<GcmEncrypt>> {
    let value = key_value(key)?;
    let MechanismParams::Gcm { iv, aad, tag_bits } = params else {
        return Err(invalid("GMAC takes the parameters of GCM"));
    };
    let len = gcm::tag_len_of(*tag_bits)?;
    if !aad.is_empty() || iv.is_empty() || iv.len() > gcm::LONGEST_IV {
        return Err(invalid("GMAC takes its data in parts, and a vector"));
    }
    check_key_size(value)?;
    Ok(Running { code: value.expose(|key| GcmEncrypt::new(key, iv, &[], len))?, len })
}

/// Starts Poly1305.
pub(super) fn poly1305(key: &Key, params: &MechanismParams) -> Result<Running<Poly1305>> {
    let value = secret_value(key, &[KeyType::Poly1305])?;
    params.none()?;
    if value.len() != chacha::KEY_LEN {
        return Err(Rv::KeySizeRange.because("length of a Poly1305 key"));
    }
    Ok(Running { code: value.expose(Poly1305::new)?, len: chacha::TAG_LEN })
}
