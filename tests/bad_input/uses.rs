//! The functions that a mechanism's flags can claim, and how each is called.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::operations::{Mechanism, in_two_calls, input};
use crate::support::template::len;
use crate::support::{Rv, Session, Template, call, template};

/// A function of a mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    Digest,
    Encrypt,
    Decrypt,
    Sign,
    Verify,
    SignRecover,
    VerifyRecover,
    Generate,
    GeneratePair,
    Wrap,
    Unwrap,
    Derive,
    Encapsulate,
    Decapsulate,
}

/// What makes a use reachable: its flag. Those that make input for others come before them.
pub const USES: &[(Use, ck::CK_FLAGS)] = &[
    (Use::Digest, ck::CKF_DIGEST),
    (Use::Encrypt, ck::CKF_ENCRYPT),
    (Use::Decrypt, ck::CKF_DECRYPT),
    (Use::Sign, ck::CKF_SIGN),
    (Use::Verify, ck::CKF_VERIFY),
    (Use::SignRecover, ck::CKF_SIGN_RECOVER),
    (Use::VerifyRecover, ck::CKF_VERIFY_RECOVER),
    (Use::Generate, ck::CKF_GENERATE),
    (Use::GeneratePair, ck::CKF_GENERATE_KEY_PAIR),
    (Use::Wrap, ck::CKF_WRAP),
    (Use::Unwrap, ck::CKF_UNWRAP),
    (Use::Derive, ck::CKF_DERIVE),
    (Use::Encapsulate, ck::CKF_ENCAPSULATE),
    (Use::Decapsulate, ck::CKF_DECAPSULATE),
];

/// Flags that say something else.
pub const NO_USE: ck::CK_FLAGS = ck::CKF_HW
    | ck::CKF_EC_F_P
    | ck::CKF_EC_F_2M
    | ck::CKF_EC_ECPARAMETERS
    | ck::CKF_EC_OID
    | ck::CKF_EC_UNCOMPRESS
    | ck::CKF_EC_COMPRESS
    | ck::CKF_EC_CURVENAME
    | ck::CKF_MESSAGE_ENCRYPT
    | ck::CKF_MESSAGE_DECRYPT
    | ck::CKF_MESSAGE_SIGN
    | ck::CKF_MESSAGE_VERIFY
    | ck::CKF_MULTI_MESSAGE;

impl Use {
    /// The attribute of a key that allows the use; digests and generation need no key.
    pub const fn allowed_by(self) -> Option<ck::CK_ATTRIBUTE_TYPE> {
        Some(match self {
            Self::Encrypt => ck::CKA_ENCRYPT,
            Self::Decrypt => ck::CKA_DECRYPT,
            Self::Sign => ck::CKA_SIGN,
            Self::Verify => ck::CKA_VERIFY,
            Self::SignRecover => ck::CKA_SIGN_RECOVER,
            Self::VerifyRecover => ck::CKA_VERIFY_RECOVER,
            Self::Wrap => ck::CKA_WRAP,
            Self::Unwrap => ck::CKA_UNWRAP,
            Self::Derive => ck::CKA_DERIVE,
            Self::Encapsulate => ck::CKA_ENCAPSULATE,
            Self::Decapsulate => ck::CKA_DECAPSULATE,
            Self::Digest | Self::Generate | Self::GeneratePair => return None,
        })
    }

    /// True if it is the public half of a pair that is used so.
    pub const fn is_public(self) -> bool {
        matches!(
            self,
            Self::Encrypt | Self::Verify | Self::VerifyRecover | Self::Wrap | Self::Encapsulate
        )
    }

    /// True for what an operation of a session does, begun by a …Init.
    pub const fn is_operation(self) -> bool {
        !matches!(
            self,
            Self::Generate
                | Self::GeneratePair
                | Self::Wrap
                | Self::Unwrap
                | Self::Derive
                | Self::Encapsulate
                | Self::Decapsulate
        )
    }

    /// The answers to a handle that is none of a key's.
    pub const fn no_such_key(self) -> &'static [ck::CK_RV] {
        match self {
            Self::Wrap => &[ck::CKR_WRAPPING_KEY_HANDLE_INVALID],
            Self::Unwrap => &[ck::CKR_UNWRAPPING_KEY_HANDLE_INVALID],
            _ => &[ck::CKR_KEY_HANDLE_INVALID],
        }
    }

    /// The answers to a key of another type or class.
    pub const fn wrong_key(self) -> &'static [ck::CK_RV] {
        match self {
            Self::Wrap => &[ck::CKR_WRAPPING_KEY_TYPE_INCONSISTENT],
            Self::Unwrap => &[ck::CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT],
            _ => &[ck::CKR_KEY_TYPE_INCONSISTENT],
        }
    }

    /// The answers to a key of a size that the mechanism does not take.
    pub const fn wrong_size(self) -> &'static [ck::CK_RV] {
        match self {
            Self::Wrap => &[ck::CKR_WRAPPING_KEY_SIZE_RANGE],
            Self::Unwrap => &[ck::CKR_UNWRAPPING_KEY_SIZE_RANGE],
            _ => &[ck::CKR_KEY_SIZE_RANGE],
        }
    }
}

/// What a one-shot use makes or takes beside its key.
#[derive(Clone, Default, Debug)]
pub struct Material {
    /// The key to wrap.
    pub target: ck::CK_OBJECT_HANDLE,
    /// What to unwrap or decapsulate.
    pub bytes: Vec<u8>,
    /// The template of what is made; of the public key, for a pair.
    pub template: Template,
    /// The template of the private key of a pair.
    pub private: Template,
}

impl Session<'_> {
    /// Begins a use: the …Init of an operation, or all of a use in one call. What it made is
    /// gone again.
    pub fn begin(
        &self,
        which: Use,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        material: &Material,
    ) -> Rv {
        let (s, mut c, mut made) = (self.handle, how.c, [0, 0]);
        let m = &raw mut c;
        let [first, second] = &mut made;
        let (first, second) = (&raw mut *first, &raw mut *second);
        let (bytes, bytes_len) = input(&material.bytes);
        let rv = match which {
            Use::Digest => return call!(self, C_DigestInit(s, m)),
            Use::Encrypt => return call!(self, C_EncryptInit(s, m, key)),
            Use::Decrypt => return call!(self, C_DecryptInit(s, m, key)),
            Use::Sign => return call!(self, C_SignInit(s, m, key)),
            Use::Verify => return call!(self, C_VerifyInit(s, m, key)),
            Use::SignRecover => return call!(self, C_SignRecoverInit(s, m, key)),
            Use::VerifyRecover => return call!(self, C_VerifyRecoverInit(s, m, key)),
            Use::Wrap => {
                return Rv(self.wrap(how, key, material.target).map_or_else(|rv| rv.0, |_| 0));
            }
            Use::Generate => material
                .template
                .lend(|rows, count| call!(self, C_GenerateKey(s, m, rows, count, first))),
            Use::GeneratePair => material.template.lend(|rows, count| {
                material.private.lend(|own, own_count| {
                    call!(self, C_GenerateKeyPair(s, m, rows, count, own, own_count, first, second))
                })
            }),
            Use::Unwrap => material.template.lend(|rows, count| {
                call!(self, C_UnwrapKey(s, m, key, bytes, bytes_len, rows, count, first))
            }),
            Use::Derive => material
                .template
                .lend(|rows, count| call!(self, C_DeriveKey(s, m, key, rows, count, first))),
            Use::Encapsulate => {
                Rv(self.ciphertext_of(how, key, &material.template).map_or_else(|rv| rv.0, |_| 0))
            }
            Use::Decapsulate => material.template.lend(|rows, count| {
                call!(self, C_DecapsulateKey(s, m, key, rows, count, bytes, bytes_len, first))
            }),
        };
        for object in made.into_iter().filter(|object| rv.0 == ck::CKR_OK && *object != 0) {
            self.destroy(object).expect("what was made");
        }
        rv
    }

    /// C_EncapsulateKey; the secret that it makes is gone again.
    #[track_caller]
    pub fn ciphertext_of(
        &self,
        how: &Mechanism<'_>,
        key: ck::CK_OBJECT_HANDLE,
        template: &Template,
    ) -> Result<Vec<u8>, Rv> {
        let (mut c, mut made) = (how.c, 0);
        let ciphertext = in_two_calls(|out, out_len| {
            template.lend(|rows, count| {
                let (s, m) = (self.handle, &raw mut c);
                call!(self, C_EncapsulateKey(s, m, key, rows, count, out, out_len, &raw mut made))
            })
        })?;
        self.destroy(made).expect("the secret");
        Ok(ciphertext)
    }

    /// Ends whatever is active.
    pub fn cancel_all(&self) {
        let all = USES.iter().filter(|(which, _)| which.is_operation());
        let flags = all.fold(0, |flags, (_, flag)| flags | flag);
        call!(self, C_SessionCancel(self.handle, flags)).is(ck::CKR_OK);
    }

    /// Is an operation of this kind active? A null mechanism ends it, if it is.
    pub fn ends(&self, which: Use) -> bool {
        let (s, none) = (self.handle, null_mut());
        let rv = match which {
            Use::Digest => call!(self, C_DigestInit(s, none)),
            Use::Encrypt => call!(self, C_EncryptInit(s, none, 0)),
            Use::Decrypt => call!(self, C_DecryptInit(s, none, 0)),
            Use::Sign => call!(self, C_SignInit(s, none, 0)),
            Use::Verify => call!(self, C_VerifyInit(s, none, 0)),
            Use::SignRecover => call!(self, C_SignRecoverInit(s, none, 0)),
            Use::VerifyRecover => call!(self, C_VerifyRecoverInit(s, none, 0)),
            _ => return false,
        };
        rv.is_one_of(&[ck::CKR_OK, ck::CKR_ARGUMENTS_BAD]);
        rv.0 == ck::CKR_OK
    }
}

/// Everything in one call, with the caller's place for output.
pub fn whole(
    session: &Session<'_>,
    which: Use,
    data: &[u8],
    signature: &[u8],
    out: *mut u8,
    out_len: *mut ck::CK_ULONG,
) -> Rv {
    let (s, (data, data_len)) = (session.handle, input(data));
    let (given, given_len) = input(signature);
    match which {
        Use::Digest => call!(session, C_Digest(s, data, data_len, out, out_len)),
        Use::Encrypt => call!(session, C_Encrypt(s, data, data_len, out, out_len)),
        Use::Decrypt => call!(session, C_Decrypt(s, data, data_len, out, out_len)),
        Use::Sign => call!(session, C_Sign(s, data, data_len, out, out_len)),
        Use::SignRecover => call!(session, C_SignRecover(s, data, data_len, out, out_len)),
        Use::VerifyRecover => call!(session, C_VerifyRecover(s, data, data_len, out, out_len)),
        Use::Verify => call!(session, C_Verify(s, data, data_len, given, given_len)),
        _ => unreachable!("{which:?} is no operation"),
    }
}

/// A part of the input; `None` if there is no such function.
pub fn update(
    session: &Session<'_>,
    which: Use,
    data: &[u8],
    out: *mut u8,
    out_len: *mut ck::CK_ULONG,
) -> Option<Rv> {
    let (s, (data, data_len)) = (session.handle, input(data));
    Some(match which {
        Use::Digest => call!(session, C_DigestUpdate(s, data, data_len)),
        Use::Encrypt => call!(session, C_EncryptUpdate(s, data, data_len, out, out_len)),
        Use::Decrypt => call!(session, C_DecryptUpdate(s, data, data_len, out, out_len)),
        Use::Sign => call!(session, C_SignUpdate(s, data, data_len)),
        Use::Verify => call!(session, C_VerifyUpdate(s, data, data_len)),
        _ => return None,
    })
}

/// The end after parts; `None` if there is no such function.
pub fn finish(
    session: &Session<'_>,
    which: Use,
    signature: &[u8],
    out: *mut u8,
    out_len: *mut ck::CK_ULONG,
) -> Option<Rv> {
    let (s, (given, given_len)) = (session.handle, input(signature));
    Some(match which {
        Use::Digest => call!(session, C_DigestFinal(s, out, out_len)),
        Use::Encrypt => call!(session, C_EncryptFinal(s, out, out_len)),
        Use::Decrypt => call!(session, C_DecryptFinal(s, out, out_len)),
        Use::Sign => call!(session, C_SignFinal(s, out, out_len)),
        Use::Verify => call!(session, C_VerifyFinal(s, given, given_len)),
        _ => return None,
    })
}

/// A template with nothing but a class and a type.
pub fn secret_of(key_type: ck::CK_KEY_TYPE) -> Template {
    template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => key_type }
}

/// A length that no memory has.
pub fn absurd() -> ck::CK_ULONG {
    len(usize::MAX)
}
