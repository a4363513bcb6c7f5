//! Hash functions. PKCS#11 3.2, "Digests".

use super::row;
use crate::cryptoki;
use crate::engine::hash::Digest::{self, Sha1, Sha224, Sha256, Sha384, Sha512};
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, digest};

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_SHA_1).digests(|params| digest::start(params, Sha1)),
    row!(CKM_SHA224).digests(|params| digest::start(params, Sha224)),
    row!(CKM_SHA256).digests(|params| digest::start(params, Sha256)),
    row!(CKM_SHA384).digests(|params| digest::start(params, Sha384)),
    row!(CKM_SHA512).digests(|params| digest::start(params, Sha512)),
    row!(CKM_SHA512_224).digests(|params| digest::start(params, Digest::Sha512_224)),
    row!(CKM_SHA512_256).digests(|params| digest::start(params, Digest::Sha512_256)),
    row!(CKM_SHA512_T).takes(Shape::MacLength).digests(digest::start_truncated),
    row!(CKM_SHA3_224).digests(|params| digest::start(params, Digest::Sha3_224)),
    row!(CKM_SHA3_256).digests(|params| digest::start(params, Digest::Sha3_256)),
    row!(CKM_SHA3_384).digests(|params| digest::start(params, Digest::Sha3_384)),
    row!(CKM_SHA3_512).digests(|params| digest::start(params, Digest::Sha3_512)),
    row!(CKM_BLAKE2B_160).digests(|params| digest::start(params, Digest::Blake2b160)),
    row!(CKM_BLAKE2B_256).digests(|params| digest::start(params, Digest::Blake2b256)),
    row!(CKM_BLAKE2B_384).digests(|params| digest::start(params, Digest::Blake2b384)),
    row!(CKM_BLAKE2B_512).digests(|params| digest::start(params, Digest::Blake2b512)),
];
