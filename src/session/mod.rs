//! One session: how it was opened, and what it is doing.
//!
//! Who is logged in belongs to the token; the provider introduces the two. The standard allows
//! one thread at a time in a session; the lock keeps memory sound when a caller breaks that.

pub mod find;
pub mod message;
pub mod operation;
pub mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::hash::Mac;
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::mechanism::message::Nonces;
use crate::mechanism::operation::{Ciphering, Digesting, Signing, Verifying};
use crate::mechanism::params::MechanismParams;
use crate::object::Object;

use find::FindOperation;
use message::Process;
use operation::Operation;
use state::Access;

/// One session between C_OpenSession and C_CloseSession.
pub struct Session {
    /// Its handle.
    pub handle: u64,
    /// How it was opened.
    pub access: Access,
    /// Locked after the session table's lock is released, before any lock of the token.
    operations: Mutex<Operations>,
}

/// The operations of a session, one of a kind.
pub struct Operations {
    /// C_FindObjectsInit.
    pub find: Operation<FindOperation>,
    /// C_EncryptInit.
    pub(crate) encrypt: Operation<Running<dyn Ciphering>>,
    /// C_DecryptInit.
    pub(crate) decrypt: Operation<Running<dyn Ciphering>>,
    /// C_DigestInit.
    pub(crate) digest: Operation<DigestRun>,
    /// C_SignInit.
    pub(crate) sign: Operation<Running<dyn Signing>>,
    /// C_VerifyInit.
    pub(crate) verify: Operation<Running<dyn Verifying>>,
    /// C_VerifySignatureInit.
    pub(crate) verify_signature: Operation<Running<SignatureFirst>>,
    /// C_SignRecoverInit.
    pub(crate) sign_recover: Operation<Running<dyn Ciphering>>,
    /// C_VerifyRecoverInit.
    pub(crate) verify_recover: Operation<Running<dyn Ciphering>>,
    /// C_MessageEncryptInit.
    pub(crate) message_encrypt: Process<Shared, Sealed>,
    /// C_MessageDecryptInit.
    pub(crate) message_decrypt: Process<Shared, Sealed>,
    /// C_MessageSignInit.
    pub(crate) message_sign: Process<Shared, Running<dyn Signing>>,
    /// C_MessageVerifyInit.
    pub(crate) message_verify: Process<Shared, Running<dyn Verifying>>,
}

/// What the messages of a process have in common.
pub(crate) struct Shared {
    pub(crate) row: &'static Mechanism,
    pub(crate) facts: Facts,
    /// For messages that bring no parameter of their own.
    pub(crate) params: MechanismParams,
    pub(crate) nonces: Nonces,
}

impl Shared {
    pub(crate) fn new(row: &'static Mechanism, facts: Facts, params: MechanismParams) -> Self {
        Self { row, facts, params, nonces: Nonces::default() }
    }

    /// The key.
    pub(crate) fn key(&self) -> Result<&Arc<Object>> {
        let key = self.facts.key.as_ref().map(|(key, _)| key);
        key.ok_or_else(|| Rv::GeneralError.because("messages without a key"))
    }
}

/// A message on its way through a cipher with a tag.
pub(crate) struct Sealed {
    pub(crate) running: Running<dyn Ciphering>,
    pub(crate) tag_len: usize,
    /// Bytes of output so far.
    pub(crate) given: u64,
}

/// What an operation began with, for whoever saves its state.
pub(crate) struct Origin {
    pub(crate) row: &'static Mechanism,
    pub(crate) params: MechanismParams,
}

/// A running digest.
pub(crate) struct DigestRun {
    pub(crate) origin: Origin,
    pub(crate) work: Box<dyn Digesting>,
}

/// A verification whose signature came before its data.
pub(crate) struct SignatureFirst {
    pub(crate) verifying: Box<dyn Verifying>,
    pub(crate) signature: Vec<u8>,
}

impl SignatureFirst {
    /// As `Verifying::verify_from`.
    pub(crate) fn verify_from(&mut self, counter: u64, data: &[u8]) -> Result<u64> {
        self.verifying.verify_from(counter, data, &self.signature)
    }
}

/// What an operation works with, for its record.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    /// The mechanism's name.
    pub(crate) mechanism: Option<&'static str>,
    /// The key, and its version on the token.
    pub(crate) key: Option<(Arc<Object>, u64)>,
    /// The other key of a bundle.
    pub(crate) partner: Option<(Arc<Object>, u64)>,
}

/// An operation with a key, and what its record will say of it.
pub(crate) struct Running<W: ?Sized> {
    pub(crate) facts: Facts,
    /// Bytes of input so far.
    pub(crate) input: u64,
    /// Over the input, if its record is to hold that.
    pub(crate) hash: Option<Mac>,
    /// Known for the operations that can be saved.
    pub(crate) origin: Option<Origin>,
    /// Its use was taken off a key that has a limit.
    pub(crate) counted: bool,
    pub(crate) work: Box<W>,
}

impl<W: ?Sized> Running<W> {
    pub(crate) fn new(facts: Facts, work: Box<W>) -> Self {
        Self { facts, input: 0, hash: None, origin: None, counted: false, work }
    }

    /// Remembers what it began with.
    pub(crate) fn of(self, row: &'static Mechanism, params: MechanismParams) -> Self {
        Self { origin: Some(Origin { row, params }), ..self }
    }

    /// Takes bytes of input into account.
    pub(crate) fn take_in(&mut self, bytes: &[u8]) {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.input = self.input.saturating_add(len);
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }
}

/// A kind of operation, to name one from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// C_FindObjectsInit.
    Find,
    /// C_EncryptInit.
    Encrypt,
    /// C_DecryptInit.
    Decrypt,
    /// C_DigestInit.
    Digest,
    /// C_SignInit.
    Sign,
    /// C_VerifyInit.
    Verify,
    /// C_VerifySignatureInit.
    VerifySignature,
    /// C_SignRecoverInit.
    SignRecover,
    /// C_VerifyRecoverInit.
    VerifyRecover,
    /// C_MessageEncryptInit.
    MessageEncrypt,
    /// C_MessageDecryptInit.
    MessageDecrypt,
    /// C_MessageSignInit.
    MessageSign,
    /// C_MessageVerifyInit.
    MessageVerify,
}

impl Session {
    /// A session that does nothing yet.
    #[must_use]
    pub fn new(handle: u64, access: Access) -> Self {
        Self { handle, access, operations: Mutex::new(Operations::idle()) }
    }

    /// Its operations, for this thread alone.
    pub fn operations(&self) -> MutexGuard<'_, Operations> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operations {
    fn idle() -> Self {
        Self {
            find: Operation::Idle,
            encrypt: Operation::Idle,
            decrypt: Operation::Idle,
            digest: Operation::Idle,
            sign: Operation::Idle,
            verify: Operation::Idle,
            verify_signature: Operation::Idle,
            sign_recover: Operation::Idle,
            verify_recover: Operation::Idle,
            message_encrypt: Process::Idle,
            message_decrypt: Process::Idle,
            message_sign: Process::Idle,
            message_verify: Process::Idle,
        }
    }

    /// Is one of this kind active?
    #[must_use]
    pub const fn is_active(&self, kind: Kind) -> bool {
        match kind {
            Kind::Find => self.find.is_active(),
            Kind::Encrypt => self.encrypt.is_active(),
            Kind::Decrypt => self.decrypt.is_active(),
            Kind::Digest => self.digest.is_active(),
            Kind::Sign => self.sign.is_active(),
            Kind::Verify => self.verify.is_active(),
            Kind::VerifySignature => self.verify_signature.is_active(),
            Kind::SignRecover => self.sign_recover.is_active(),
            Kind::VerifyRecover => self.verify_recover.is_active(),
            Kind::MessageEncrypt => self.message_encrypt.is_active(),
            Kind::MessageDecrypt => self.message_decrypt.is_active(),
            Kind::MessageSign => self.message_sign.is_active(),
            Kind::MessageVerify => self.message_verify.is_active(),
        }
    }

    /// Ends the operation of one kind, if there is one.
    pub fn cancel(&mut self, kind: Kind) {
        match kind {
            Kind::Find => self.find.cancel(),
            Kind::Encrypt => self.encrypt.cancel(),
            Kind::Decrypt => self.decrypt.cancel(),
            Kind::Digest => self.digest.cancel(),
            Kind::Sign => self.sign.cancel(),
            Kind::Verify => self.verify.cancel(),
            Kind::VerifySignature => self.verify_signature.cancel(),
            Kind::SignRecover => self.sign_recover.cancel(),
            Kind::VerifyRecover => self.verify_recover.cancel(),
            Kind::MessageEncrypt => self.message_encrypt.cancel(),
            Kind::MessageDecrypt => self.message_decrypt.cancel(),
            Kind::MessageSign => self.message_sign.cancel(),
            Kind::MessageVerify => self.message_verify.cancel(),
        }
    }

    /// Refuses to begin a verification beside an active one, of either order of signature and
    /// data.
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`.
    pub(crate) fn refuse_verifying(&self) -> Result<()> {
        self.verify.refuse_active()?;
        self.verify_signature.refuse_active()
    }

    /// What the messages of one kind have in common.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`.
    pub(crate) fn shared(&mut self, kind: Kind) -> Result<&mut Shared> {
        match kind {
            Kind::MessageEncrypt => self.message_encrypt.shared(),
            Kind::MessageDecrypt => self.message_decrypt.shared(),
            Kind::MessageSign => self.message_sign.shared(),
            Kind::MessageVerify => self.message_verify.shared(),
            _ => Err(Rv::GeneralError.because("not a kind of messages")),
        }
    }

    /// Ends the messages of one kind.
    ///
    /// # Errors
    /// None to end; `CKR_OPERATION_ACTIVE` within one.
    pub(crate) fn finish_messages(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::MessageEncrypt => self.message_encrypt.finish(),
            Kind::MessageDecrypt => self.message_decrypt.finish(),
            Kind::MessageSign => self.message_sign.finish(),
            Kind::MessageVerify => self.message_verify.finish(),
            _ => Err(Rv::GeneralError.because("not a kind of messages")),
        }
    }

    /// Ends a message in parts, and not the process that it belongs to.
    pub(crate) fn abandon_message(&mut self, kind: Kind) {
        match kind {
            Kind::MessageEncrypt => self.message_encrypt.abandon_message(),
            Kind::MessageDecrypt => self.message_decrypt.abandon_message(),
            Kind::MessageSign => self.message_sign.abandon_message(),
            Kind::MessageVerify => self.message_verify.abandon_message(),
            _ => (),
        }
    }

    /// Ends them all.
    pub fn cancel_all(&mut self) {
        *self = Self::idle();
    }

    /// Is one waiting for the context-specific login?
    #[must_use]
    pub const fn awaits_login(&self) -> bool {
        self.sign.awaits_login()
            || self.decrypt.awaits_login()
            || self.encrypt.awaits_login()
            || self.sign_recover.awaits_login()
            || self.message_encrypt.awaits_login()
            || self.message_decrypt.awaits_login()
            || self.message_sign.awaits_login()
    }

    /// The context-specific login succeeded.
    pub fn unlock(&mut self) {
        self.sign.unlock();
        self.decrypt.unlock();
        self.encrypt.unlock();
        self.sign_recover.unlock();
        self.message_encrypt.unlock();
        self.message_decrypt.unlock();
        self.message_sign.unlock();
    }
}
