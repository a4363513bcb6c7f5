//! Generic secrets and what is derived of them. PKCS#11 3.2, "Generic secret key".

use super::row;
use crate::cryptoki;
use crate::mechanism::{Mechanism, generic};
use crate::object::class::KeyType;

pub(super) const ROWS: &[Mechanism] = &[row!(CKM_GENERIC_SECRET_KEY_GEN)
    .keys(&[KeyType::GenericSecret], 8, 8 * generic::LONGEST as u64)
    .generates(|asked, params| generic::generate(asked, params, KeyType::GenericSecret))];
