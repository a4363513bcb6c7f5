//! Hash functions. PKCS#11 3.2, "SHA-1" and its kin.

use super::row;
use crate::cryptoki;
use crate::engine::hash::Digest::{Sha1, Sha224, Sha256, Sha384, Sha512};
use crate::mechanism::{Mechanism, sha};

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_SHA_1).digests(|params| sha::start(params, Sha1)),
    row!(CKM_SHA256).digests(|params| sha::start(params, Sha256)),
    row!(CKM_SHA224).digests(|params| sha::start(params, Sha224)),
    row!(CKM_SHA384).digests(|params| sha::start(params, Sha384)),
    row!(CKM_SHA512).digests(|params| sha::start(params, Sha512)),
];
