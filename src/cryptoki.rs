//! The C types and numbers of PKCS#11 3.2, from `cryptoki-sys`.
//!
//! No behaviour lives here. `CK_…`, `CKA_…` and `CKR_…` names are used by the door (`abi`) and
//! by the tables (`error`, `object::attribute`, `object::class`, `mechanism::registry`) only.

pub(crate) use cryptoki_sys::*;
