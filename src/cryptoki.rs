//! The C types and numbers of PKCS#11 3.2, from `cryptoki-sys`; and those that OASIS has given
//! out for the composites of 3.3, which no published header has yet.
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
/// The format of a post-quantum or composite key. Ours.
pub(crate) const CKA_CLAVIGER_FORMAT: CK_ULONG = CKA_VENDOR_DEFINED | 0x434C_0014;
/// Numbers of ours have these bits beside `CK…_VENDOR_DEFINED`: "CL".
pub(crate) const CLAVIGER: CK_ULONG = 0x434C_0000;

/// Composite signature keys. OASIS has named the type, but has not given it a number yet.
pub(crate) const CKK_COMP_SIG: CK_ULONG = CKK_VENDOR_DEFINED | CLAVIGER | 1;
/// Composite KEM keys. As above.
pub(crate) const CKK_COMP_KEM: CK_ULONG = CKK_VENDOR_DEFINED | CLAVIGER | 2;
/// X-Wing, as a set of composite KEM keys whose private value is the 32-byte seed. Ours.
pub(crate) const CKP_CLAVIGER_XWING: CK_ULONG = 0x8000_0000 | CLAVIGER | 1;

/// Hybrid envelopes: HPKE with a composite KEM. Ours.
pub(crate) const CKM_CLAVIGER_HPKE: CK_ULONG = CKM_VENDOR_DEFINED | CLAVIGER | 1;
/// The signatures of a bundle. Ours.
pub(crate) const CKM_CLAVIGER_BUNDLE: CK_ULONG = CKM_VENDOR_DEFINED | CLAVIGER | 2;
/// The other key of a bundle. Ours.
pub(crate) const CKA_CLAVIGER_BUNDLE: CK_ULONG = CKA_VENDOR_DEFINED | CLAVIGER | 1;
/// A signature of a bundle is right, but the one that is asked for is missing. Ours.
pub(crate) const CKR_CLAVIGER_DOWNGRADE_REFUSED: CK_RV = CKR_VENDOR_DEFINED | CLAVIGER | 1;
/// The other key of a bundle is missing, or may not be used. Ours.
pub(crate) const CKR_CLAVIGER_BUNDLE_INCOMPLETE: CK_RV = CKR_VENDOR_DEFINED | CLAVIGER | 2;
/// A key is in a format that this version does not know. Ours.
pub(crate) const CKR_CLAVIGER_FORMAT_UNKNOWN: CK_RV = CKR_VENDOR_DEFINED | CLAVIGER | 3;

/// Makes the constants, and the list of them for the header.
macro_rules! drafted {
    ($($name:ident = $number:expr;)*) => {
        $(
            #[doc = stringify!($name)]
            #[allow(dead_code, reason = "the header has them all")]
            pub(crate) const $name: CK_ULONG = $number;
        )*

        /// The numbers of the working draft of 3.3 that are used here.
        pub(crate) static DRAFTED: &[(&str, CK_ULONG)] = &[$((stringify!($name), $number),)*];
    };
}

// The technical committee's database of identifiers, file "composites", April 2026.
drafted! {
    CKM_COMP_SIG_KEY_PAIR_GEN = 0x403d;
    CKM_COMP_SIG = 0x403e;
    CKM_COMP_SIG_EXTERNAL_HASH = 0x403f;
    CKM_COMP_KEM_KEY_PAIR_GEN = 0x4040;
    CKM_COMP_KEM = 0x4041;
    CKP_COMP_SIG_MLDSA44_RSA2048_PSS_SHA256 = 0x01;
    CKP_COMP_SIG_MLDSA44_RSA2048_PKCS15_SHA256 = 0x02;
    CKP_COMP_SIG_MLDSA44_ED25519_SHA512 = 0x03;
    CKP_COMP_SIG_MLDSA44_ECDSA_P256_SHA256 = 0x04;
    CKP_COMP_SIG_MLDSA65_RSA3072_PSS_SHA512 = 0x05;
    CKP_COMP_SIG_MLDSA65_RSA3072_PKCS15_SHA512 = 0x06;
    CKP_COMP_SIG_MLDSA65_RSA4096_PSS_SHA512 = 0x07;
    CKP_COMP_SIG_MLDSA65_RSA4096_PKCS15_SHA512 = 0x08;
    CKP_COMP_SIG_MLDSA65_ECDSA_P256_SHA512 = 0x09;
    CKP_COMP_SIG_MLDSA65_ECDSA_P384_SHA512 = 0x0a;
    CKP_COMP_SIG_MLDSA65_ECDSA_BRAINPOOLP256R1_SHA512 = 0x0b;
    CKP_COMP_SIG_MLDSA65_ED25519_SHA512 = 0x0c;
    CKP_COMP_SIG_MLDSA87_ECDSA_P384_SHA512 = 0x0d;
    CKP_COMP_SIG_MLDSA87_ECDSA_BRAINPOOLP384R1_SHA512 = 0x0e;
    CKP_COMP_SIG_MLDSA87_ED448_SHAKE256 = 0x0f;
    CKP_COMP_SIG_MLDSA87_RSA3072_PSS_SHA512 = 0x10;
    CKP_COMP_SIG_MLDSA87_RSA4096_PSS_SHA512 = 0x11;
    CKP_COMP_SIG_MLDSA87_ECDSA_P521_SHA512 = 0x12;
    CKP_COMP_KEM_MLKEM768_RSA2048 = 0x01;
    CKP_COMP_KEM_MLKEM768_RSA3072 = 0x02;
    CKP_COMP_KEM_MLKEM768_RSA4096 = 0x03;
    CKP_COMP_KEM_MLKEM768_X25519 = 0x04;
    CKP_COMP_KEM_MLKEM768_ECDH_P256 = 0x05;
    CKP_COMP_KEM_MLKEM768_ECDH_P384 = 0x06;
    CKP_COMP_KEM_MLKEM768_ECDH_BRAINPOOLP256R1 = 0x07;
    CKP_COMP_KEM_MLKEM1024_RSA3072 = 0x08;
    CKP_COMP_KEM_MLKEM1024_ECDH_P384 = 0x09;
    CKP_COMP_KEM_MLKEM1024_ECDH_BRAINPOOLP384R1 = 0x0a;
    CKP_COMP_KEM_MLKEM1024_X448 = 0x0b;
    CKP_COMP_KEM_MLKEM1024_ECDH_P521 = 0x0c;
}
