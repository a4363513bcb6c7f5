//! The C types and numbers of PKCS#11 3.2, from `cryptoki-sys`.
//!
//! No behaviour lives here. `CK_…`, `CKA_…` and `CKR_…` names are used by the door (`abi`) and
//! by the tables (`error`, `object::attribute`, `object::class`, `mechanism::registry`) only.

pub(crate) use cryptoki_sys::*;

/// How often a key may be used still. Ours.
pub(crate) const CKA_CLAVIGER_USES_LEFT: CK_ULONG = CKA_VENDOR_DEFINED | 0x434C_0011;
/// Which of the keys that had its label one after the other a key is. Ours.
pub(crate) const CKA_CLAVIGER_KEY_VERSION: CK_ULONG = CKA_VENDOR_DEFINED | 0x434C_0012;
/// The operation that made a key the next version. Ours.
pub(crate) const CKA_CLAVIGER_OPERATION: CK_ULONG = CKA_VENDOR_DEFINED | 0x434C_0013;
