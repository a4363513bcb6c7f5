//! May this key be used so? Only `allow` makes a `Permit`, and starting an operation needs one.
//! PKCS#11 3.2, the usage attributes of "Key objects".

use std::marker::PhantomData;

use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::class::Class;
use crate::object::template::Template;

use super::Token;
use super::journal::now;
use super::table::Held;

/// A use of a key, and the attribute that allows it.
pub(crate) trait KeyUse {
    /// The attribute that must be true.
    const ALLOWED_BY: Attr<bool>;
    /// Whether it makes something new. What was made before can be undone and judged for ever.
    const MAKES: bool = true;
    /// Whether its one function tells a length when it is asked for it, which is no use yet.
    const TELLS_LENGTH: bool = false;
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
/// Being joined to what another key gives: only for a key that can be read, which its holder could
/// join to anything.
pub(crate) struct Join;
/// Wrapping another key.
pub(crate) struct Wrap;
/// Unwrapping another key.
pub(crate) struct Unwrap;
/// Making a secret for the holder of the private key.
pub(crate) struct Encapsulate;
/// Opening a secret that was made for the holder.
pub(crate) struct Decapsulate;

impl KeyUse for Sign {
    const ALLOWED_BY: Attr<bool> = attribute::SIGN;
}
impl KeyUse for Verify {
    const ALLOWED_BY: Attr<bool> = attribute::VERIFY;
    const MAKES: bool = false;
}
impl KeyUse for SignRecover {
    const ALLOWED_BY: Attr<bool> = attribute::SIGN_RECOVER;
}
impl KeyUse for VerifyRecover {
    const ALLOWED_BY: Attr<bool> = attribute::VERIFY_RECOVER;
    const MAKES: bool = false;
}
impl KeyUse for Encrypt {
    const ALLOWED_BY: Attr<bool> = attribute::ENCRYPT;
}
impl KeyUse for Decrypt {
    const ALLOWED_BY: Attr<bool> = attribute::DECRYPT;
    const MAKES: bool = false;
}
impl KeyUse for Derive {
    const ALLOWED_BY: Attr<bool> = attribute::DERIVE;
}
impl KeyUse for Join {
    const ALLOWED_BY: Attr<bool> = attribute::EXTRACTABLE;
}
impl KeyUse for Wrap {
    const ALLOWED_BY: Attr<bool> = attribute::WRAP;
    const TELLS_LENGTH: bool = true;
}
impl KeyUse for Unwrap {
    const ALLOWED_BY: Attr<bool> = attribute::UNWRAP;
    const MAKES: bool = false;
}
impl KeyUse for Encapsulate {
    const ALLOWED_BY: Attr<bool> = attribute::ENCAPSULATE;
    const TELLS_LENGTH: bool = true;
}
impl KeyUse for Decapsulate {
    const ALLOWED_BY: Attr<bool> = attribute::DECAPSULATE;
    const MAKES: bool = false;
}

/// Proof that a key may be used so. Nothing else makes one.
pub(crate) struct Permit<Use>(PhantomData<Use>);

/// Whether today, in UTC, is neither before the start date of a key nor after its end date.
fn is_current(key: &Template) -> bool {
    let dates = [key.get(attribute::START_DATE), key.get(attribute::END_DATE)];
    let [start, end] = dates.map(|date| date.filter(|date| !date.is_empty()));
    if start.is_none() && end.is_none() {
        return true;
    }
    let now = now().text();
    let today: Vec<u8> = now.iter().copied().filter(u8::is_ascii_digit).take(8).collect();
    start.is_none_or(|start| start <= &today[..]) && end.is_none_or(|end| &today[..] <= end)
}

/// Asks whether a key may be used with a mechanism.
///
/// # Errors
/// `CKR_KEY_FUNCTION_NOT_PERMITTED` if its usage attribute does not allow it,
/// `CKR_MECHANISM_INVALID` if its list of mechanisms does not.
pub(crate) fn allow<Use: KeyUse>(key: &Template, mechanism: u64) -> Result<Permit<Use>> {
    if !key.is_set(Use::ALLOWED_BY) {
        return Err(Rv::KeyFunctionNotPermitted.because(Use::ALLOWED_BY.name));
    }
    check_listed(key, mechanism).map(|()| Permit(PhantomData))
}

/// Asks whether a key's list of mechanisms has this one, if it has a list.
///
/// # Errors
/// `CKR_MECHANISM_INVALID`.
pub(crate) fn check_listed(key: &Template, mechanism: u64) -> Result<()> {
    match key.get(attribute::ALLOWED_MECHANISMS) {
        Some(list) if !list.is_empty() && !list.contains(&mechanism) => {
            Err(Rv::MechanismInvalid.because("not among the key's CKA_ALLOWED_MECHANISMS"))
        }
        _ => Ok(()),
    }
}

impl Token {
    /// What the token's own policy says about a use that the key's attributes allow.
    ///
    /// # Errors
    /// `CKR_KEY_FUNCTION_NOT_PERMITTED`.
    pub(crate) fn check_use<Use: KeyUse>(&self, key: &Template) -> Result<()> {
        if Use::MAKES && self.settings.dates_count && !is_current(key) {
            return Err(Rv::KeyFunctionNotPermitted.because("outside the key's dates"));
        }
        let is_secret = key.get(attribute::CLASS) == Some(Class::SecretKey.code());
        let decrypts = Use::ALLOWED_BY.id == attribute::DECRYPT.id;
        if self.settings.export_denied && decrypts && is_secret && key.is_set(attribute::TRUSTED) {
            // It would give away what it wrapped.
            return Err(Rv::KeyFunctionNotPermitted.because("a trusted key does not decrypt"));
        }
        Ok(())
    }

    /// What every key has to be that this one unwraps: of a trusted one, which may have wrapped
    /// keys that cannot be read, none that can.
    pub(crate) fn demands_on_unwrapped(&self, by: &Held) -> Template {
        let mut demands = Template::default();
        if self.settings.export_denied && by.object.is_set(attribute::TRUSTED) {
            demands.set(attribute::SENSITIVE, true);
            demands.set(attribute::WRAP_WITH_TRUSTED, true);
        }
        demands
    }

    /// May this key leave, wrapped under that one with a mechanism that keeps keys apart or not?
    ///
    /// # Errors
    /// `CKR_KEY_UNEXTRACTABLE`, also of a key that may be used so often only;
    /// `CKR_KEY_NOT_WRAPPABLE` if only a trusted key may wrap it, and so that nobody can read it.
    pub(crate) fn may_leave(&self, key: &Held, by: &Held, keeps_apart: bool) -> Result<()> {
        if !key.object.is_set(attribute::EXTRACTABLE) {
            return Err(Rv::KeyUnextractable.because("CKA_EXTRACTABLE is false"));
        }
        if key.object.attributes.contains(attribute::USES_LEFT.id) {
            let why = "what is wrapped could be used as often again: CKA_CLAVIGER_USES_LEFT";
            return Err(Rv::KeyUnextractable.because(why));
        }
        // Keys that were made under another policy are bound by today's.
        let guarded = self.settings.export_denied && key.is_stored();
        let wants_trust = guarded || key.object.is_set(attribute::WRAP_WITH_TRUSTED);
        if wants_trust && !by.object.is_set(attribute::TRUSTED) {
            return Err(Rv::KeyNotWrappable.because("only a trusted key may wrap this one"));
        }
        if self.settings.export_denied && wants_trust && !keeps_apart {
            let why = "the mechanism gives keys away to who wraps others with it (policy.export)";
            return Err(Rv::KeyNotWrappable.because(why));
        }
        Ok(())
    }
}
