//! What a C caller may rely on that the standard leaves to the vendor: where numbers of ours
//! begin, and the limits and names that the token reports. `include/claviger.h` is made from this
//! file; what a caller can ask for at run time is better asked for. PKCS#11 3.2, "General data
//! types" (vendor-defined values), "CK_TOKEN_INFO".

use crate::cryptoki::{
    CKA_VENDOR_DEFINED, CKK_VENDOR_DEFINED, CKM_VENDOR_DEFINED, CKR_VENDOR_DEFINED,
};
use crate::provider::SLOT_LIMIT;
use crate::token::login::{LONGEST_PIN, SHORTEST_PIN};

/// The first attribute of ours. All numbers of ours have 0x434C ("CL") in bits 16 to 30, so
/// that they can be told from those of other vendors: 0xC34C0000 to 0xC34CFFFF. None is given
/// out yet.
pub const CKA_CLAVIGER_BASE: u64 = CKA_VENDOR_DEFINED | 0x434C_0000;

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

const _: () = assert!(CLAVIGER_SLOT_LIMIT == SLOT_LIMIT);
const _: () = assert!(CLAVIGER_PIN_MIN_LEN == SHORTEST_PIN);
const _: () = assert!(CLAVIGER_PIN_MAX_LEN == LONGEST_PIN);
