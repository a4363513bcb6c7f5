//! The C types and numbers of PKCS#11 3.2, from `cryptoki-sys`, and the few that are ours.
//!
//! No behaviour lives here. `CK_…`, `CKA_…` and `CKR_…` names are used by the door (`abi`) and
//! by the tables (`error`, `object::attribute`, `object::class`, `mechanism::registry`) only.

pub(crate) use cryptoki_sys::*;

/// What `C_GetInfo` and every token give as manufacturer, at most 32 bytes.
pub(crate) const MANUFACTURER: &str = "Claviger";
/// The model of a token whose keys are kept in software, at most 16 bytes.
pub(crate) const MODEL: &str = "Claviger soft";
/// The library description of `CK_INFO`, at most 32 bytes.
pub(crate) const LIBRARY: &str = "Claviger PKCS#11 token";
