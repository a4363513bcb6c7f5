//! The parameter sets of composites, a table each: what `CKA_PARAMETER_SET` names, and what the
//! drafts of the LAMPS working group tie to it.
//!
//! A set whose halves are not all there has no row, and is answered with
//! `CKR_PARAMETER_SET_NOT_SUPPORTED`. draft-ietf-lamps-pq-composite-sigs-19 and -kem-17,
//! "Algorithm Identifiers and Parameters"; draft-connolly-cfrg-xwing-kem-10; the numbers are
//! those of OASIS for PKCS#11 3.3.

use super::halves::{Form, Halves, PostQuantum};
use super::part::Classical;
use crate::cryptoki;
use crate::engine::aws_lc::ec::Curve;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::edwards::Edwards;
use crate::engine::hash::Digest::{self, Sha256, Sha384, Sha512, Shake256};
use crate::engine::ml_kem::MlKem;
use crate::engine::montgomery::Montgomery;

/// How the classical half signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    /// RSASSA-PSS, with this hash in the mask too, and a salt of its length.
    Pss(Digest),
    /// RSASSA-PKCS1-v1_5 with this hash.
    Pkcs1(Digest),
    /// ECDSA over this hash; the signature is DER.
    Ecdsa(Digest),
    /// Ed25519 or Ed448 over the whole, without a context.
    Eddsa,
}

/// A parameter set of composite signatures.
#[derive(Debug)]
pub(crate) struct SignatureSet {
    /// The number of OASIS.
    pub(crate) id: u64,
    pub(crate) halves: Halves,
    /// Binds signatures to the set; also ML-DSA's context.
    pub(crate) label: &'static str,
    /// What stands for the message. SHAKE256 gives 64 bytes.
    pub(crate) prehash: Digest,
    pub(crate) scheme: Scheme,
}

/// A row: number, last arc of the object identifier 1.3.6.1.5.5.7.6, label, pre-hash, the halves,
/// the scheme.
macro_rules! signatures {
    ($($id:ident, $arc:literal, $label:literal, $prehash:ident, $ml_dsa:ident,
       $classical:expr, $scheme:expr;)*) => {
        /// Every set of composite signatures that is offered.
        pub(crate) static SIGNATURES: &[SignatureSet] = &[$(SignatureSet {
            id: cryptoki::$id,
            halves: Halves {
                identifier: &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x06, $arc],
                lattice: PostQuantum::MlDsa(MlDsa::$ml_dsa),
                classical: $classical,
                form: Form::Concatenated,
            },
            label: concat!("COMPSIG-", $label),
            prehash: $prehash,
            scheme: $scheme,
        },)*];

        /// The object identifiers of all, DER with tag and length.
        pub(crate) static SIGNATURE_IDENTIFIERS: &[&[u8]] =
            &[$(&[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x06, $arc]),*];
    };
}

use Classical::{Ec, Rsa};
use Curve::{Brainpool256, Brainpool384, P256, P384, P521};
use Scheme::{Ecdsa, Eddsa, Pkcs1, Pss};

const ED25519: Classical = Classical::Edwards(Edwards::Ed25519);
const ED448: Classical = Classical::Edwards(Edwards::Ed448);
const X25519: Classical = Classical::Montgomery(Montgomery::X25519);
const X448: Classical = Classical::Montgomery(Montgomery::X448);

signatures! {
    CKP_COMP_SIG_MLDSA44_RSA2048_PSS_SHA256, 37, "MLDSA44-RSA2048-PSS-SHA256",
        Sha256, MlDsa44, Rsa(2048), Pss(Sha256);
    CKP_COMP_SIG_MLDSA44_RSA2048_PKCS15_SHA256, 38, "MLDSA44-RSA2048-PKCS15-SHA256",
        Sha256, MlDsa44, Rsa(2048), Pkcs1(Sha256);
    CKP_COMP_SIG_MLDSA44_ED25519_SHA512, 39, "MLDSA44-Ed25519-SHA512",
        Sha512, MlDsa44, ED25519, Eddsa;
    CKP_COMP_SIG_MLDSA44_ECDSA_P256_SHA256, 40, "MLDSA44-ECDSA-P256-SHA256",
        Sha256, MlDsa44, Ec(P256), Ecdsa(Sha256);
    CKP_COMP_SIG_MLDSA65_RSA3072_PSS_SHA512, 41, "MLDSA65-RSA3072-PSS-SHA512",
        Sha512, MlDsa65, Rsa(3072), Pss(Sha256);
    CKP_COMP_SIG_MLDSA65_RSA3072_PKCS15_SHA512, 42, "MLDSA65-RSA3072-PKCS15-SHA512",
        Sha512, MlDsa65, Rsa(3072), Pkcs1(Sha256);
    CKP_COMP_SIG_MLDSA65_RSA4096_PSS_SHA512, 43, "MLDSA65-RSA4096-PSS-SHA512",
        Sha512, MlDsa65, Rsa(4096), Pss(Sha384);
    CKP_COMP_SIG_MLDSA65_RSA4096_PKCS15_SHA512, 44, "MLDSA65-RSA4096-PKCS15-SHA512",
        Sha512, MlDsa65, Rsa(4096), Pkcs1(Sha384);
    CKP_COMP_SIG_MLDSA65_ECDSA_P256_SHA512, 45, "MLDSA65-ECDSA-P256-SHA512",
        Sha512, MlDsa65, Ec(P256), Ecdsa(Sha256);
    CKP_COMP_SIG_MLDSA65_ECDSA_P384_SHA512, 46, "MLDSA65-ECDSA-P384-SHA512",
        Sha512, MlDsa65, Ec(P384), Ecdsa(Sha384);
    CKP_COMP_SIG_MLDSA65_ECDSA_BRAINPOOLP256R1_SHA512, 47, "MLDSA65-ECDSA-BP256-SHA512",
        Sha512, MlDsa65, Ec(Brainpool256), Ecdsa(Sha256);
    CKP_COMP_SIG_MLDSA65_ED25519_SHA512, 48, "MLDSA65-Ed25519-SHA512",
        Sha512, MlDsa65, ED25519, Eddsa;
    CKP_COMP_SIG_MLDSA87_ECDSA_P384_SHA512, 49, "MLDSA87-ECDSA-P384-SHA512",
        Sha512, MlDsa87, Ec(P384), Ecdsa(Sha384);
    CKP_COMP_SIG_MLDSA87_ECDSA_BRAINPOOLP384R1_SHA512, 50, "MLDSA87-ECDSA-BP384-SHA512",
        Sha512, MlDsa87, Ec(Brainpool384), Ecdsa(Sha384);
    CKP_COMP_SIG_MLDSA87_ED448_SHAKE256, 51, "MLDSA87-Ed448-SHAKE256",
        Shake256, MlDsa87, ED448, Eddsa;
    CKP_COMP_SIG_MLDSA87_RSA3072_PSS_SHA512, 52, "MLDSA87-RSA3072-PSS-SHA512",
        Sha512, MlDsa87, Rsa(3072), Pss(Sha256);
    CKP_COMP_SIG_MLDSA87_RSA4096_PSS_SHA512, 53, "MLDSA87-RSA4096-PSS-SHA512",
        Sha512, MlDsa87, Rsa(4096), Pss(Sha384);
    CKP_COMP_SIG_MLDSA87_ECDSA_P521_SHA512, 54, "MLDSA87-ECDSA-P521-SHA512",
        Sha512, MlDsa87, Ec(P521), Ecdsa(Sha512);
}

impl SignatureSet {
    /// The set with this object identifier, DER with tag and length.
    pub(crate) fn identified(identifier: &[u8]) -> Option<&'static Self> {
        SIGNATURES.iter().find(|set| set.halves.identifier == identifier)
    }

    /// The set of a number, if it is offered.
    pub(crate) fn of(id: u64) -> Option<&'static Self> {
        SIGNATURES.iter().find(|set| set.id == id)
    }
}

/// A parameter set of composite KEMs.
#[derive(Debug)]
pub(crate) struct KemSet {
    /// The number of OASIS, or ours.
    pub(crate) id: u64,
    pub(crate) halves: Halves,
    /// Binds secrets to the set.
    pub(crate) label: &'static [u8],
    /// Its identifier as a KEM of HPKE, if it is one.
    pub(crate) hpke: Option<u16>,
}

/// A row: number, object identifier, label, HPKE's identifier, the halves, the form of the private
/// value.
macro_rules! kems {
    ($($id:ident, $identifier:expr, $label:expr, $hpke:expr, $ml_kem:ident, $classical:expr,
       $form:ident;)*) => {
        /// Every set of composite KEMs that is offered.
        pub(crate) static KEMS: &[KemSet] = &[$(KemSet {
            id: cryptoki::$id,
            halves: Halves {
                identifier: $identifier,
                lattice: PostQuantum::MlKem(MlKem::$ml_kem),
                classical: $classical,
                form: Form::$form,
            },
            label: $label,
            hpke: $hpke,
        },)*];

        /// The object identifiers of all, DER with tag and length.
        pub(crate) static KEM_IDENTIFIERS: &[&[u8]] = &[$($identifier),*];
    };
}

/// 1.3.6.1.5.5.7.6.N, DER.
macro_rules! pkix {
    ($arc:literal) => {
        &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x06, $arc]
    };
}

/// 1.3.6.1.4.1.62253.25722, DER.
const XWING: &[u8] =
    &[0x06, 0x0b, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe6, 0x2d, 0x81, 0xc8, 0x7a];

/// X-Wing among the KEMs of HPKE (draft-ietf-hpke-pq-04; the same number in the CFRG's draft).
const HPKE_XWING: Option<u16> = Some(0x647a);

/// The label of X-Wing, and of the composite that is the same but for its private key.
const XWING_LABEL: &[u8] = br"\.//^\";

kems! {
    CKP_COMP_KEM_MLKEM768_RSA2048, pkix!(55), b"MLKEM768-RSAOAEP2048", None,
        MlKem768, Rsa(2048), Concatenated;
    CKP_COMP_KEM_MLKEM768_RSA3072, pkix!(56), b"MLKEM768-RSAOAEP3072", None,
        MlKem768, Rsa(3072), Concatenated;
    CKP_COMP_KEM_MLKEM768_RSA4096, pkix!(57), b"MLKEM768-RSAOAEP4096", None,
        MlKem768, Rsa(4096), Concatenated;
    CKP_COMP_KEM_MLKEM768_X25519, pkix!(58), XWING_LABEL, HPKE_XWING,
        MlKem768, X25519, Concatenated;
    CKP_COMP_KEM_MLKEM768_ECDH_P256, pkix!(59), b"MLKEM768-P256", None,
        MlKem768, Ec(P256), Concatenated;
    CKP_COMP_KEM_MLKEM768_ECDH_P384, pkix!(60), b"MLKEM768-P384", None,
        MlKem768, Ec(P384), Concatenated;
    CKP_COMP_KEM_MLKEM768_ECDH_BRAINPOOLP256R1, pkix!(61), b"MLKEM768-BP256", None,
        MlKem768, Ec(Brainpool256), Concatenated;
    CKP_COMP_KEM_MLKEM1024_RSA3072, pkix!(62), b"MLKEM1024-RSAOAEP3072", None,
        MlKem1024, Rsa(3072), Concatenated;
    CKP_COMP_KEM_MLKEM1024_ECDH_P384, pkix!(63), b"MLKEM1024-P384", None,
        MlKem1024, Ec(P384), Concatenated;
    CKP_COMP_KEM_MLKEM1024_ECDH_BRAINPOOLP384R1, pkix!(64), b"MLKEM1024-BP384", None,
        MlKem1024, Ec(Brainpool384), Concatenated;
    CKP_COMP_KEM_MLKEM1024_X448, pkix!(65), b"MLKEM1024-X448", None,
        MlKem1024, X448, Concatenated;
    CKP_COMP_KEM_MLKEM1024_ECDH_P521, pkix!(66), b"MLKEM1024-P521", None,
        MlKem1024, Ec(P521), Concatenated;
    CKP_CLAVIGER_XWING, XWING, XWING_LABEL, HPKE_XWING,
        MlKem768, X25519, Expanded;
}

impl KemSet {
    /// The set with this object identifier, DER with tag and length.
    pub(crate) fn identified(identifier: &[u8]) -> Option<&'static Self> {
        KEMS.iter().find(|set| set.halves.identifier == identifier)
    }

    /// The set of a number, if it is offered.
    pub(crate) fn of(id: u64) -> Option<&'static Self> {
        KEMS.iter().find(|set| set.id == id)
    }
}
