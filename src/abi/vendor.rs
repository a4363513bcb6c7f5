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

/// How the bytes of a key of type CKK_ML_DSA, CKK_ML_KEM, CKK_SLH_DSA, CKK_CLAVIGER_COMP_SIG or
/// CKK_CLAVIGER_COMP_KEM are written: a CK_ULONG of 8 bytes, 1 for what docs/composites.md says.
/// Read-only. A key in a format that the module does not know is not read at all: no search finds
/// it, and every use of a handle that was given out before is CKR_CLAVIGER_FORMAT_UNKNOWN.
pub const CKA_CLAVIGER_FORMAT: u64 = CKA_VENDOR_DEFINED | 0x434C_0014;

/// The first mechanism of ours.
pub const CKM_CLAVIGER_BASE: u64 = CKM_VENDOR_DEFINED | 0x434C_0000;

/// The first key type of ours.
pub const CKK_CLAVIGER_BASE: u64 = CKK_VENDOR_DEFINED | 0x434C_0000;

/// CKK_COMP_SIG: composite signature keys as the working draft of PKCS#11 3.3 has them. OASIS
/// has numbered their mechanisms and parameter sets, but not this type; when it does, the token
/// will take both numbers and show the new one. docs/composites.md has the formats.
///
/// CKA_PARAMETER_SET is one of CKP_COMP_SIG_…; CKA_VALUE is the serialised public or private key
/// of draft-ietf-lamps-pq-composite-sigs.
pub const CKK_CLAVIGER_COMP_SIG: u64 = CKK_VENDOR_DEFINED | 0x434C_0001;

/// CKK_COMP_KEM: composite KEM keys; as above, after draft-ietf-lamps-pq-composite-kem.
/// CKA_PARAMETER_SET is one of CKP_COMP_KEM_… or CKP_CLAVIGER_XWING.
pub const CKK_CLAVIGER_COMP_KEM: u64 = CKK_VENDOR_DEFINED | 0x434C_0002;

/// X-Wing as a parameter set of CKK_COMP_KEM (draft-connolly-cfrg-xwing-kem): public keys of 1216
/// and ciphertexts of 1120 bytes, as of CKP_COMP_KEM_MLKEM768_X25519, which makes the same
/// secrets; but the private CKA_VALUE is the seed of 32 bytes.
pub const CKP_CLAVIGER_XWING: u64 = 0xC34C_0001;

/// The first return value of ours. They are answers of CKM_CLAVIGER_BUNDLE, and about keys that a
/// later version of the module wrote; every other call answers with a value of the standard.
pub const CKR_CLAVIGER_BASE: u64 = CKR_VENDOR_DEFINED | 0x434C_0000;

/// The other key of a bundle: a classical and a post-quantum key pair that sign together with
/// CKM_CLAVIGER_BUNDLE, and each for itself as any other key.
///
/// Two keys on the token of the same class, CKO_PUBLIC_KEY or CKO_PRIVATE_KEY, are tied by
/// C_SetAttributeValue of this attribute alone, to the CKA_UNIQUE_ID of the other key; both keys
/// get it, in one step and for good. Keys of the public and of the private class are tied
/// separately. It reads as a byte 1, the SHA-256 of the other key's CKA_PUBLIC_KEY_INFO (32
/// bytes), and the other key's CKA_UNIQUE_ID; empty for keys in no bundle. No template of a new
/// key holds it, and a copy of a key does not have it.
///
/// CKR_ATTRIBUTE_VALUE_INVALID: no such key in sight. CKR_TEMPLATE_INCONSISTENT: keys that make
/// no bundle, or session keys. CKR_ATTRIBUTE_READ_ONLY: one of them is in a bundle.
/// CKR_ACTION_PROHIBITED: CKA_MODIFIABLE of one of them is false.
pub const CKA_CLAVIGER_BUNDLE: u64 = CKA_VENDOR_DEFINED | 0x434C_0001;

/// Signs and verifies with both keys of a bundle; either handle will do. No parameter; data in one
/// part or in several. The signature is DER:
///
///     SEQUENCE OF SEQUENCE { algorithm AlgorithmIdentifier, signature BIT STRING }
///
/// with the classical signature first: sha256WithRSAEncryption, ecdsa-with-SHA256, -SHA384 or
/// -SHA512 by the curve, or id-Ed25519; then id-ml-dsa-44, -65 or -87. Each signs the data alone,
/// so that it can be checked for itself. The configuration says which are made
/// (pq.produce_hybrid) and which must be right (pq.verify_mode: or, and, pq-only).
///
/// CKR_CLAVIGER_DOWNGRADE_REFUSED, CKR_CLAVIGER_BUNDLE_INCOMPLETE; CKR_KEY_TYPE_INCONSISTENT: the
/// key is in no bundle. CKR_SIGNATURE_INVALID: also for what is not that DER.
pub const CKM_CLAVIGER_BUNDLE: u64 = CKM_VENDOR_DEFINED | 0x434C_0002;

/// What is there of a bundle's signature is right, but a signature that pq.verify_mode asks for is
/// not there. The audit log has such a call under this name.
pub const CKR_CLAVIGER_DOWNGRADE_REFUSED: u64 = CKR_VENDOR_DEFINED | 0x434C_0001;

/// The other key of a bundle is gone, or is another one. One that may not be used, by its usage
/// attribute or its dates, is CKR_KEY_FUNCTION_NOT_PERMITTED.
pub const CKR_CLAVIGER_BUNDLE_INCOMPLETE: u64 = CKR_VENDOR_DEFINED | 0x434C_0002;

/// CKA_CLAVIGER_FORMAT of the key is a number that this version of the module does not know.
pub const CKR_CLAVIGER_FORMAT_UNKNOWN: u64 = CKR_VENDOR_DEFINED | 0x434C_0003;

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
/// The numbers that OASIS has given out for the composites of PKCS#11 3.3. `include/claviger.h`
/// defines each for callers whose pkcs11.h does not have it yet.
#[must_use]
pub fn drafted_numbers() -> &'static [(&'static str, u64)] {
    crate::cryptoki::DRAFTED
}

const _: () = assert!(CKA_CLAVIGER_BUNDLE == crate::cryptoki::CKA_CLAVIGER_BUNDLE);
const _: () = assert!(CKM_CLAVIGER_BUNDLE == crate::cryptoki::CKM_CLAVIGER_BUNDLE);
const _: () =
    assert!(CKR_CLAVIGER_DOWNGRADE_REFUSED == crate::cryptoki::CKR_CLAVIGER_DOWNGRADE_REFUSED);
const _: () = assert!(CKA_CLAVIGER_FORMAT == crate::cryptoki::CKA_CLAVIGER_FORMAT);
const _: () = assert!(CKR_CLAVIGER_FORMAT_UNKNOWN == crate::cryptoki::CKR_CLAVIGER_FORMAT_UNKNOWN);
const _: () =
    assert!(CKR_CLAVIGER_BUNDLE_INCOMPLETE == crate::cryptoki::CKR_CLAVIGER_BUNDLE_INCOMPLETE);
const _: () = assert!(CKK_CLAVIGER_COMP_SIG == crate::cryptoki::CKK_COMP_SIG);
const _: () = assert!(CKK_CLAVIGER_COMP_KEM == crate::cryptoki::CKK_COMP_KEM);
const _: () = assert!(CKP_CLAVIGER_XWING == crate::cryptoki::CKP_CLAVIGER_XWING);
const _: () = assert!(CLAVIGER_SLOT_LIMIT == SLOT_LIMIT);
const _: () = assert!(CLAVIGER_PIN_MIN_LEN == SHORTEST_PIN);
const _: () = assert!(CLAVIGER_PIN_MAX_LEN == LONGEST_PIN);
