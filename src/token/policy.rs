//! May this key be used so? Only `allow` makes a `Permit`, and starting an operation needs one.
//! PKCS#11 3.2, the usage attributes of "Key objects".

use std::marker::PhantomData;

use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::template::Template;

use super::Token;
use super::table::Held;

/// A use of a key, and the attribute that allows it.
pub(crate) trait KeyUse {
    /// The attribute that must be true.
    const ALLOWED_BY: Attr<bool>;
}

/// Signing and making MACs.
pub(crate) struct Sign;
/// Verifying.
pub(crate) struct Verify;
/// Making signatures that give their data back.
pub(crate) struct SignRecover;
/// Recovering signed data.
pub(crate) struct VerifyRecover;
/// Encrypting.
pub(crate) struct Encrypt;
/// Decrypting.
pub(crate) struct Decrypt;
/// Deriving another key.
pub(crate) struct Derive;
/// Wrapping another key.
pub(crate) struct Wrap;
/// Unwrapping another key.
pub(crate) struct Unwrap;

impl KeyUse for Sign {
    const ALLOWED_BY: Attr<bool> = attribute::SIGN;
}
impl KeyUse for Verify {
    const ALLOWED_BY: Attr<bool> = attribute::VERIFY;
}
impl KeyUse for SignRecover {
    const ALLOWED_BY: Attr<bool> = attribute::SIGN_RECOVER;
}
impl KeyUse for VerifyRecover {
    const ALLOWED_BY: Attr<bool> = attribute::VERIFY_RECOVER;
}
impl KeyUse for Encrypt {
    const ALLOWED_BY: Attr<bool> = attribute::ENCRYPT;
}
impl KeyUse for Decrypt {
    const ALLOWED_BY: Attr<bool> = attribute::DECRYPT;
}
impl KeyUse for Derive {
    const ALLOWED_BY: Attr<bool> = attribute::DERIVE;
}
impl KeyUse for Wrap {
    const ALLOWED_BY: Attr<bool> = attribute::WRAP;
}
impl KeyUse for Unwrap {
    const ALLOWED_BY: Attr<bool> = attribute::UNWRAP;
}

/// Proof that a key may be used so. Nothing else makes one.
pub(crate) struct Permit<Use>(PhantomData<Use>);

/// Asks whether a key may be used with a mechanism.
///
/// # Errors
/// `CKR_KEY_FUNCTION_NOT_PERMITTED` if its usage attribute does not allow it,
/// `CKR_MECHANISM_INVALID` if its list of mechanisms does not.
pub(crate) fn allow<Use: KeyUse>(key: &Template, mechanism: u64) -> Result<Permit<Use>> {
    if !key.is_set(Use::ALLOWED_BY) {
        return Err(Rv::KeyFunctionNotPermitted.because(Use::ALLOWED_BY.name));
    }
    match key.get(attribute::ALLOWED_MECHANISMS) {
        Some(list) if !list.is_empty() && !list.contains(&mechanism) => {
            Err(Rv::MechanismInvalid.because("not among the key's CKA_ALLOWED_MECHANISMS"))
        }
        _ => Ok(Permit(PhantomData)),
    }
}

impl Token {
    /// May this key leave, wrapped under that one?
    ///
    /// # Errors
    /// `CKR_KEY_UNEXTRACTABLE`; `CKR_KEY_NOT_WRAPPABLE` if only a trusted key may wrap it.
    pub(crate) fn may_leave(&self, key: &Held, by: &Held) -> Result<()> {
        if !key.object.is_set(attribute::EXTRACTABLE) {
            return Err(Rv::KeyUnextractable.because("CKA_EXTRACTABLE is false"));
        }
        // Keys that were made under another policy are bound by today's.
        let guarded = self.settings.export_denied && key.is_stored();
        let wants_trust = guarded || key.object.is_set(attribute::WRAP_WITH_TRUSTED);
        if wants_trust && !by.object.is_set(attribute::TRUSTED) {
            return Err(Rv::KeyNotWrappable.because("only a trusted key may wrap this one"));
        }
        Ok(())
    }
}
