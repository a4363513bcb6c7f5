//! What a call is: the table of the standard's functions, and the caller's room for output.
//!
//! The table is the one place that names all 104 functions; the enum here, the function lists
//! of the door and the tests are made from it. PKCS#11 3.2, "Function prototypes".

/// Hands the table to a macro: per edition of the function list, each C function, its name
/// here, who may call it, and what the audit log keeps of it.
macro_rules! function_table {
    ($consumer:ident) => {
        $consumer! {
            // C function               name                        who may call     log keeps
            v2_40 {
                C_Initialize:                Initialize,                 Anyone,          Nothing;
                C_Finalize:                  Finalize,                   Anyone,          Nothing;
                C_GetInfo:                   GetInfo,                    Anyone,          Nothing;
                C_GetFunctionList:           GetFunctionList,            Anyone,          Nothing;
                C_GetSlotList:               GetSlotList,                Anyone,          Nothing;
                C_GetSlotInfo:               GetSlotInfo,                Anyone,          Nothing;
                C_GetTokenInfo:              GetTokenInfo,               Anyone,          Nothing;
                C_GetMechanismList:          GetMechanismList,           Anyone,          Nothing;
                C_GetMechanismInfo:          GetMechanismInfo,           Anyone,          Nothing;
                C_InitToken:                 InitToken,                  Anyone,          Outcome;
                C_InitPIN:                   InitPin,                    SecurityOfficer, Outcome;
                C_SetPIN:                    SetPin,                     ReadWrite,       Outcome;
                C_OpenSession:               OpenSession,                Anyone,          Nothing;
                C_CloseSession:              CloseSession,               Session,         Nothing;
                C_CloseAllSessions:          CloseAllSessions,           Anyone,          Nothing;
                C_GetSessionInfo:            GetSessionInfo,             Session,         Nothing;
                C_GetOperationState:         GetOperationState,          Session,         Nothing;
                C_SetOperationState:         SetOperationState,          Session,         Failure;
                C_Login:                     Login,                      Session,         Outcome;
                C_Logout:                    Logout,                     Session,         Outcome;
                C_CreateObject:              CreateObject,               Session,         Outcome;
                C_CopyObject:                CopyObject,                 Session,         Outcome;
                C_DestroyObject:             DestroyObject,              Session,         Outcome;
                C_GetObjectSize:             GetObjectSize,              Session,         Nothing;
                C_GetAttributeValue:         GetAttributeValue,          Session,         Nothing;
                C_SetAttributeValue:         SetAttributeValue,          Session,         Outcome;
                C_FindObjectsInit:           FindObjectsInit,            Session,         Nothing;
                C_FindObjects:               FindObjects,                Session,         Nothing;
                C_FindObjectsFinal:          FindObjectsFinal,           Session,         Nothing;
                C_EncryptInit:               EncryptInit,                Session,         Failure;
                C_Encrypt:                   Encrypt,                    Session,         Output;
                C_EncryptUpdate:             EncryptUpdate,              Session,         Nothing;
                C_EncryptFinal:              EncryptFinal,               Session,         Output;
                C_DecryptInit:               DecryptInit,                Session,         Failure;
                C_Decrypt:                   Decrypt,                    Session,         Output;
                C_DecryptUpdate:             DecryptUpdate,              Session,         Nothing;
                C_DecryptFinal:              DecryptFinal,               Session,         Output;
                C_DigestInit:                DigestInit,                 Session,         Nothing;
                C_Digest:                    Digest,                     Session,         Nothing;
                C_DigestUpdate:              DigestUpdate,               Session,         Nothing;
                C_DigestKey:                 DigestKey,                  Session,         Outcome;
                C_DigestFinal:               DigestFinal,                Session,         Nothing;
                C_SignInit:                  SignInit,                   Session,         Failure;
                C_Sign:                      Sign,                       Session,         Output;
                C_SignUpdate:                SignUpdate,                 Session,         Nothing;
                C_SignFinal:                 SignFinal,                  Session,         Output;
                C_SignRecoverInit:           SignRecoverInit,            Session,         Failure;
                C_SignRecover:               SignRecover,                Session,         Output;
                C_VerifyInit:                VerifyInit,                 Session,         Failure;
                C_Verify:                    Verify,                     Session,         Outcome;
                C_VerifyUpdate:              VerifyUpdate,               Session,         Nothing;
                C_VerifyFinal:               VerifyFinal,                Session,         Outcome;
                C_VerifyRecoverInit:         VerifyRecoverInit,          Session,         Failure;
                C_VerifyRecover:             VerifyRecover,              Session,         Output;
                C_DigestEncryptUpdate:       DigestEncryptUpdate,        Session,         Nothing;
                C_DecryptDigestUpdate:       DecryptDigestUpdate,        Session,         Nothing;
                C_SignEncryptUpdate:         SignEncryptUpdate,          Session,         Nothing;
                C_DecryptVerifyUpdate:       DecryptVerifyUpdate,        Session,         Nothing;
                C_GenerateKey:               GenerateKey,                Session,         Outcome;
                C_GenerateKeyPair:           GenerateKeyPair,            Session,         Outcome;
                C_WrapKey:                   WrapKey,                    Session,         Output;
                C_UnwrapKey:                 UnwrapKey,                  Session,         Outcome;
                C_DeriveKey:                 DeriveKey,                  Session,         Outcome;
                C_SeedRandom:                SeedRandom,                 Session,         Nothing;
                C_GenerateRandom:            GenerateRandom,             Session,         Nothing;
                C_GetFunctionStatus:         GetFunctionStatus,          Session,         Nothing;
                C_CancelFunction:            CancelFunction,             Session,         Nothing;
                C_WaitForSlotEvent:          WaitForSlotEvent,           Anyone,          Nothing;
            }
            v3_0 {
                C_GetInterfaceList:          GetInterfaceList,           Anyone,          Nothing;
                C_GetInterface:              GetInterface,               Anyone,          Nothing;
                C_LoginUser:                 LoginUser,                  Session,         Outcome;
                C_SessionCancel:             SessionCancel,              Session,         Nothing;
                C_MessageEncryptInit:        MessageEncryptInit,         Session,         Failure;
                C_EncryptMessage:            EncryptMessage,             Session,         Output;
                C_EncryptMessageBegin:       EncryptMessageBegin,        Session,         Failure;
                C_EncryptMessageNext:        EncryptMessageNext,         Session,         Output;
                C_MessageEncryptFinal:       MessageEncryptFinal,        Session,         Nothing;
                C_MessageDecryptInit:        MessageDecryptInit,         Session,         Failure;
                C_DecryptMessage:            DecryptMessage,             Session,         Output;
                C_DecryptMessageBegin:       DecryptMessageBegin,        Session,         Failure;
                C_DecryptMessageNext:        DecryptMessageNext,         Session,         Output;
                C_MessageDecryptFinal:       MessageDecryptFinal,        Session,         Nothing;
                C_MessageSignInit:           MessageSignInit,            Session,         Failure;
                C_SignMessage:               SignMessage,                Session,         Output;
                C_SignMessageBegin:          SignMessageBegin,           Session,         Failure;
                C_SignMessageNext:           SignMessageNext,            Session,         Output;
                C_MessageSignFinal:          MessageSignFinal,           Session,         Nothing;
                C_MessageVerifyInit:         MessageVerifyInit,          Session,         Failure;
                C_VerifyMessage:             VerifyMessage,              Session,         Outcome;
                C_VerifyMessageBegin:        VerifyMessageBegin,         Session,         Failure;
                C_VerifyMessageNext:         VerifyMessageNext,          Session,         Output;
                C_MessageVerifyFinal:        MessageVerifyFinal,         Session,         Nothing;
            }
            v3_2 {
                C_EncapsulateKey:            EncapsulateKey,             Session,         Output;
                C_DecapsulateKey:            DecapsulateKey,             Session,         Outcome;
                C_VerifySignatureInit:       VerifySignatureInit,        Session,         Failure;
                C_VerifySignature:           VerifySignature,            Session,         Outcome;
                C_VerifySignatureUpdate:     VerifySignatureUpdate,      Session,         Nothing;
                C_VerifySignatureFinal:      VerifySignatureFinal,       Session,         Outcome;
                C_GetSessionValidationFlags: GetSessionValidationFlags,  Session,         Nothing;
                C_AsyncComplete:             AsyncComplete,              Session,         Outcome;
                C_AsyncGetID:                AsyncGetId,                 Session,         Outcome;
                C_AsyncJoin:                 AsyncJoin,                  Session,         Outcome;
                C_WrapKeyAuthenticated:      WrapKeyAuthenticated,       Session,         Output;
                C_UnwrapKeyAuthenticated:    UnwrapKeyAuthenticated,     Session,         Outcome;
            }
        }
    };
}
pub(crate) use function_table;

/// Who may call a function; what an operation needs beyond that is checked where it is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// No session is asked for.
    Anyone,
    /// Whoever holds a session.
    Session,
    /// Whoever holds a read/write session.
    ReadWrite,
    /// The security officer, in a read/write session.
    SecurityOfficer,
}

/// What the audit log keeps of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audit {
    /// Nothing: it neither uses a key or a credential nor changes anything, or its last part
    /// (`…Final`) speaks for it.
    Nothing,
    /// One record, if it fails: what it starts has a record of its own.
    Failure,
    /// One record with its outcome, kept before the output is let go; a caller that only learns
    /// a length leaves none.
    Output,
    /// One record with its outcome.
    Outcome,
}

macro_rules! function_enum {
    ($($edition:ident { $($c_name:ident: $name:ident, $caller:ident, $audit:ident;)* })*) => {
        /// A function of the standard.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Function { $($(
            #[doc = stringify!($c_name)]
            $name,
        )*)* }

        impl Function {
            /// The standard's names of all.
            pub const NAMES: &'static [&'static str] = &[$($(stringify!($c_name),)*)*];

            /// The standard's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$name => stringify!($c_name),)*)* }
            }

            /// The function with a name of the standard's.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($(stringify!($c_name) => Some(Self::$name),)*)*
                    _ => None,
                }
            }

            /// Who may call it.
            #[must_use]
            pub const fn caller(self) -> Caller {
                match self { $($(Self::$name => Caller::$caller,)*)* }
            }

            /// What the audit log keeps of it.
            #[must_use]
            pub const fn audit(self) -> Audit {
                match self { $($(Self::$name => Audit::$audit,)*)* }
            }
        }
    };
}
function_table!(function_enum);

/// The room that a caller gave for output of variable length.
#[derive(Debug)]
pub enum Room<'a> {
    /// None: the caller asks for the length only.
    LengthQuery,
    /// So many bytes.
    Bytes(&'a mut [u8]),
}

/// What became of the room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// Nothing was written: this many bytes would be needed.
    Length(usize),
    /// Nothing was written: the room is too small, this many bytes are needed.
    TooSmall {
        /// Bytes needed.
        needed: usize,
    },
    /// This many bytes were written.
    Bytes(usize),
}

impl Room<'_> {
    /// Lets `produce` write, if there is room for `needed` bytes. `needed` may be more than is
    /// written in the end. What a failing `produce` wrote is wiped.
    ///
    /// # Errors
    /// Those of `produce`.
    pub fn fill<E>(
        self,
        needed: usize,
        produce: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Written, E> {
        match self {
            Self::LengthQuery => Ok(Written::Length(needed)),
            Self::Bytes(room) if room.len() < needed => Ok(Written::TooSmall { needed }),
            Self::Bytes(room) => match produce(room) {
                Ok(written) => Ok(Written::Bytes(written)),
                Err(error) => {
                    zeroize::Zeroize::zeroize(room);
                    Err(error)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, Written};

    #[test]
    fn a_short_room_is_left_alone_and_the_needed_length_reported() {
        let mut bytes = [7; 4];
        let written = Room::Bytes(&mut bytes).fill(5, |_| Ok::<_, ()>(5));
        assert_eq!(written, Ok(Written::TooSmall { needed: 5 }));
        assert_eq!(bytes, [7; 4]);
        assert_eq!(Room::LengthQuery.fill(5, |_| Err(())), Ok(Written::Length(5)));
    }

    #[test]
    fn what_a_failing_call_wrote_is_wiped() {
        let mut bytes = [7; 4];
        let written = Room::Bytes(&mut bytes).fill(2, |room| {
            room[0] = 9;
            Err::<usize, _>("no")
        });
        assert_eq!(written, Err("no"));
        assert_eq!(bytes, [0; 4]);
    }
}
