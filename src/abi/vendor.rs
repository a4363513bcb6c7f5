//! What a C caller may rely on that the standard leaves to the vendor: where numbers of ours
//! begin, and the limits and names that the token reports. `include/claviger.h` is made from this
//! file; what a caller can ask for at run time is better asked for. PKCS#11 3.2, "General data
//! types" (vendor-defined values), "CK_TOKEN_INFO".

use crate::cryptoki::{
    CK_BYTE_PTR, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR, CK_VERSION, CKA_VENDOR_DEFINED,
    CKK_VENDOR_DEFINED, CKM_VENDOR_DEFINED, CKR_VENDOR_DEFINED,
};
use crate::provider::SLOT_LIMIT;
use crate::token::login::{LONGEST_PIN, SHORTEST_PIN};

/// The first attribute of ours. All numbers of ours have 0x434C ("CL") in bits 16 to 30, so
/// that they can be told from those of other vendors: 0xC34C0000 to 0xC34CFFFF.
pub const CKA_CLAVIGER_BASE: u64 = CKA_VENDOR_DEFINED | 0x434C_0000;

/// How often a private or secret key of the token may be used still: a CK_ULONG of 8 bytes.
/// Absent: as often as one likes.
///
/// It can be given when the key is made in any way, and afterwards be set (C_SetAttributeValue) or
/// made smaller, never larger. Each use takes one off: an operation with its key, whatever comes
/// of it, each message of a message-based one, and each call of the functions that have no …Init,
/// also one that asks for a length. That is durable and on record in the audit log before the
/// output is let go, and counts for all processes together; a process that is killed may lose a
/// use. At 0, operations answer CKR_KEY_EXHAUSTED. A key with a limit cannot be copied
/// (CKR_ACTION_PROHIBITED) and not be wrapped (CKR_KEY_UNEXTRACTABLE); one of a session has none
/// (CKR_TEMPLATE_INCONSISTENT).
pub const CKA_CLAVIGER_USES_LEFT: u64 = CKA_VENDOR_DEFINED | 0x434C_0011;

/// Which of the keys that had its label one after the other a key is: a CK_ULONG of 8 bytes.
/// `claviger key rotate` sets it, from 1; a key that was never rotated has none. No number comes
/// twice for a label while an older version is on the token. Read-only.
pub const CKA_CLAVIGER_KEY_VERSION: u64 = CKA_VENDOR_DEFINED | 0x434C_0012;

/// The name of the operation by which a key became the next version of its label: UTF-8, of 1 to
/// 128 bytes. A rotation with the same name again finds what it has done, and does nothing.
/// Read-only.
pub const CKA_CLAVIGER_OPERATION: u64 = CKA_VENDOR_DEFINED | 0x434C_0013;

/// The first mechanism of ours. None is given out yet.
pub const CKM_CLAVIGER_BASE: u64 = CKM_VENDOR_DEFINED | 0x434C_0000;

/// The first key type of ours. None is given out yet.
pub const CKK_CLAVIGER_BASE: u64 = CKK_VENDOR_DEFINED | 0x434C_0000;

/// The first return value of ours. None is given out yet: every call answers with a value of
/// the standard.
pub const CKR_CLAVIGER_BASE: u64 = CKR_VENDOR_DEFINED | 0x434C_0000;

/// Slot numbers are below this one. A token's slot number never changes.
pub const CLAVIGER_SLOT_LIMIT: u64 = 0x0100_0000;

/// The shortest PIN, in bytes: ulMinPinLen.
pub const CLAVIGER_PIN_MIN_LEN: u64 = 4;

/// The longest PIN, in bytes: ulMaxPinLen.
pub const CLAVIGER_PIN_MAX_LEN: u64 = 255;

/// For `SetContext`: the trace that the session's calls are a part of, for example a
/// `traceparent` of the W3C's Trace Context. The audit log keeps it as `trace`.
pub const CLAVIGER_CONTEXT_TRACE: u64 = 1;

/// For `SetContext`: the caller's name for the operation. The audit log keeps it as `op`.
pub const CLAVIGER_CONTEXT_OPERATION: u64 = 2;

/// For `SetContext`: on whose behalf the session's calls are made, as the caller says. The audit
/// log keeps it as `actor`.
pub const CLAVIGER_CONTEXT_ACTOR: u64 = 3;

/// The longest text that `SetContext` takes, in bytes.
pub const CLAVIGER_CONTEXT_MAX_LEN: u64 = 128;

/// Room for every text that `LastError` gives, in bytes.
pub const CLAVIGER_ERROR_MAX_LEN: u64 = 512;

/// What C_GetInterface gives for "Vendor claviger", version 1.0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_snake_case)]
pub struct CLAVIGER_FUNCTION_LIST {
    /// 1.0. Later versions add functions at the end.
    pub version: CK_VERSION,
    /// Says something about the calls of a session from now on, until it is said anew or the
    /// session is closed: `kind` is one of CLAVIGER_CONTEXT_…, `text` is UTF-8 without control
    /// characters, of at most CLAVIGER_CONTEXT_MAX_LEN bytes; with a length of 0 nothing is said
    /// any more. It goes into the audit record of each call.
    ///
    /// CKR_ARGUMENTS_BAD, CKR_SESSION_HANDLE_INVALID, CKR_CRYPTOKI_NOT_INITIALIZED.
    pub SetContext: Option<
        unsafe extern "C" fn(
            session: CK_SESSION_HANDLE,
            kind: CK_ULONG,
            text: CK_BYTE_PTR,
            length: CK_ULONG,
        ) -> CK_RV,
    >,
    /// Why the calling thread's last failing call failed, in English, as UTF-8 without an end:
    /// the return value's name, what was wrong, and in brackets the mechanism, parameter,
    /// attribute, key, session and slot as far as they are known (docs/cli.md); never a secret.
    /// The standard's convention for output of variable length holds. Empty if nothing has
    /// failed. Answers also when C_Initialize has failed; calls of this function do not count.
    ///
    /// CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL.
    pub LastError: Option<unsafe extern "C" fn(text: CK_BYTE_PTR, length: CK_ULONG_PTR) -> CK_RV>,
}

const _: () = assert!(CKA_CLAVIGER_USES_LEFT == crate::cryptoki::CKA_CLAVIGER_USES_LEFT);
const _: () = assert!(CKA_CLAVIGER_KEY_VERSION == crate::cryptoki::CKA_CLAVIGER_KEY_VERSION);
const _: () = assert!(CKA_CLAVIGER_OPERATION == crate::cryptoki::CKA_CLAVIGER_OPERATION);
const _: () = assert!(CLAVIGER_SLOT_LIMIT == SLOT_LIMIT);
const _: () = assert!(CLAVIGER_PIN_MIN_LEN == SHORTEST_PIN);
const _: () = assert!(CLAVIGER_PIN_MAX_LEN == LONGEST_PIN);
