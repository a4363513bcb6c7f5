//! Safe wrappers over AWS-LC: RSA, elliptic curves, AES, Ed25519's two variants, ML-DSA, ML-KEM.
//!
//! The only place of this floor with `unsafe`. Every length is checked before a pointer leaves;
//! inputs and outputs are Rust slices and so never overlap. The library's allocations go to the
//! arena for secrets, and its queue of errors is emptied after each failure, so that nothing of
//! it is left to a thread of the host.

mod bignum;
pub(crate) mod ccm;
pub(crate) mod chacha;
pub(crate) mod cipher;
pub(crate) mod cmac;
pub(crate) mod cts;
pub(crate) mod dh;
pub(crate) mod dsa;
pub(crate) mod ec;
pub(crate) mod eddsa;
mod ffdhe;
mod gate;
pub(crate) mod gcm;
pub(crate) mod kdf;
pub(crate) mod key_wrap;
pub(crate) mod ml_dsa;
pub(crate) mod ml_kem;
mod raw_key;
pub(crate) mod rsa;
mod rsa_generate;
mod rsa_import;
pub(crate) mod rsa_public;
pub(crate) mod sha512_t;
pub(crate) mod shake;
pub(in crate::engine) mod x25519;
pub(crate) mod xcbc;
pub(crate) mod xts;

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use aws_lc_sys as lc;

use super::EngineError;
use super::hash::Digest;
use crate::system::arena::ENGINE;

pub(super) use gate::{hold_for_fork, release_after_fork};

/// Routes the library's allocator to the arena, once and before its first use. Every
/// constructor of this module calls it; calling it early keeps the work out of the first key.
pub(crate) fn initialise() -> Result<(), EngineError> {
    static ROUTED: OnceLock<bool> = OnceLock::new();
    let routed = *ROUTED.get_or_init(|| {
        // SAFETY: the three functions keep the contracts of malloc, realloc and free among
        // themselves, and live as long as the process.
        let set = unsafe {
            lc::CRYPTO_set_mem_functions(Some(allocate), Some(reallocate), Some(release))
        };
        set == 1
    });
    if routed { Ok(()) } else { Err(EngineError::Failed("the C library has another allocator")) }
}

extern "C" fn allocate(len: usize, _: *const c_char, _: c_int) -> *mut c_void {
    ENGINE.allocate(len).map_or(ptr::null_mut(), |block| block.as_ptr().cast())
}

unsafe extern "C" fn release(block: *mut c_void, _: *const c_char, _: c_int) {
    if let Some(block) = NonNull::new(block.cast::<u8>()) {
        // SAFETY: the library frees what it got from `allocate` or `reallocate`, once.
        unsafe { ENGINE.free(block) };
    }
}

unsafe extern "C" fn reallocate(
    old: *mut c_void,
    len: usize,
    file: *const c_char,
    line: c_int,
) -> *mut c_void {
    let new = allocate(len, file, line);
    let Some(block) = NonNull::new(old.cast::<u8>()) else { return new };
    if new.is_null() {
        return new; // as with realloc, the old block stays
    }
    // SAFETY: `old` is a live block of ours.
    let held = unsafe { ENGINE.capacity(block) };
    // SAFETY: both blocks hold at least that much, and they are two.
    unsafe { ptr::copy_nonoverlapping(block.as_ptr(), new.cast(), held.min(len)) };
    // SAFETY: the library gives `old` up for `new`.
    unsafe { ENGINE.free(block) };
    new
}

/// A type of the library with its one way of being freed.
///
/// # Safety
/// `free` gives back an object that the library's constructor for the type made.
unsafe trait Object {
    /// # Safety
    /// `object` is live and not used afterwards.
    unsafe fn free(object: *mut Self);
}

/// Names each type's own function.
macro_rules! objects {
    ($($object:ident: $free:ident,)*) => { $(
        // SAFETY: the library documents this function for this type.
        unsafe impl Object for lc::$object {
            unsafe fn free(object: *mut Self) {
                // SAFETY: as this function's caller promises.
                unsafe { lc::$free(object) }
            }
        }
    )* };
}

objects! {
    BIGNUM: BN_clear_free,
    BN_CTX: BN_CTX_free,
    BN_MONT_CTX: BN_MONT_CTX_free,
    RSA: RSA_free,
    DH: DH_free,
    DSA: DSA_free,
    DSA_SIG: DSA_SIG_free,
    EC_KEY: EC_KEY_free,
    EC_POINT: EC_POINT_free,
    ECDSA_SIG: ECDSA_SIG_free,
    EVP_PKEY: EVP_PKEY_free,
    EVP_PKEY_CTX: EVP_PKEY_CTX_free,
    EVP_CIPHER_CTX: EVP_CIPHER_CTX_free,
    EVP_AEAD_CTX: EVP_AEAD_CTX_free,
    CMAC_CTX: CMAC_CTX_free,
    EVP_MD_CTX: EVP_MD_CTX_free,
}

/// An object of the library that is ours to free.
struct Owned<T: Object>(NonNull<T>);

impl<T: Object> Owned<T> {
    /// Takes over what a constructor gave; null means that there was no memory.
    ///
    /// # Safety
    /// `object` is null, or a live object that nobody else frees.
    unsafe fn new(object: *mut T) -> Result<Self, EngineError> {
        // SAFETY: as this function's caller promises.
        unsafe { Self::or(object, EngineError::Memory) }
    }

    /// A new object; there may be no memory for it.
    ///
    /// # Safety
    /// `constructor` is one of the library's: it gives null, or a live object that nobody else
    /// frees.
    unsafe fn fresh(constructor: unsafe extern "C" fn() -> *mut T) -> Result<Self, EngineError> {
        // SAFETY: takes no argument, as this function's caller promises.
        let object = unsafe { constructor() };
        // SAFETY: as above.
        unsafe { Self::new(object) }
    }

    /// As `new`, for constructors that check what they are given.
    ///
    /// # Safety
    /// As `new`.
    unsafe fn or(object: *mut T, error: EngineError) -> Result<Self, EngineError> {
        NonNull::new(object).map(Self).ok_or_else(|| failed(error))
    }

    /// For calls of the library; its functions take `*mut` also where they change nothing.
    fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Leaves the freeing to somebody else.
    fn release(self) -> *mut T {
        let object = self.as_ptr();
        std::mem::forget(self);
        object
    }
}

impl<T: Object> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: live, ours, and dropped once.
        unsafe { T::free(self.as_ptr()) }
    }
}

// SAFETY: no object of the library is tied to the thread that made it.
unsafe impl<T: Object> Send for Owned<T> {}
// SAFETY: keys that nobody changes any more may be used by many threads at once; the library
// guards its caches and blinding with locks of its own.
unsafe impl Sync for Owned<lc::RSA> {}
// SAFETY: as above.
unsafe impl Sync for Owned<lc::DSA> {}
// SAFETY: as above.
unsafe impl Sync for Owned<lc::EC_KEY> {}
// SAFETY: as above.
unsafe impl Sync for Owned<lc::EVP_PKEY> {}

/// Empties the library's error queue and gives the error back.
fn failed(error: EngineError) -> EngineError {
    // SAFETY: touches the calling thread's queue only.
    unsafe { lc::ERR_clear_error() };
    error
}

/// Turns the library's 1 for success into a `Result`.
fn check(outcome: c_int, error: EngineError) -> Result<(), EngineError> {
    if outcome == 1 { Ok(()) } else { Err(failed(error)) }
}

/// The library's object for a digest; a static of its own. It does not have all of them.
fn message_digest(digest: Digest) -> Result<*const lc::EVP_MD, EngineError> {
    let named = match digest {
        Digest::Sha1 => lc::EVP_sha1,
        Digest::Sha224 => lc::EVP_sha224,
        Digest::Sha256 => lc::EVP_sha256,
        Digest::Sha384 => lc::EVP_sha384,
        Digest::Sha512 => lc::EVP_sha512,
        Digest::Sha512_224 => lc::EVP_sha512_224,
        Digest::Sha512_256 => lc::EVP_sha512_256,
        Digest::Sha3_224 => lc::EVP_sha3_224,
        Digest::Sha3_256 => lc::EVP_sha3_256,
        Digest::Sha3_384 => lc::EVP_sha3_384,
        Digest::Sha3_512 => lc::EVP_sha3_512,
        _ => return Err(EngineError::Failed("the C library is not asked for this digest")),
    };
    // SAFETY: each gives the address of a static.
    Ok(unsafe { named() })
}

/// Compares in a time that depends on the lengths only. A C function, out of reach of an
/// optimiser that might find a shorter way.
pub(super) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    // SAFETY: both are readable for that length.
    unsafe { lc::CRYPTO_memcmp(left.as_ptr().cast(), right.as_ptr().cast(), left.len()) == 0 }
}

#[cfg(test)]
mod tests {
    use std::ptr::{self, NonNull};

    use aws_lc_sys as lc;

    use super::{EngineError, allocate, ec, initialise, reallocate, release};
    use crate::system::arena::ENGINE;

    #[test]
    fn blocks_of_the_library_come_from_the_arena_and_keep_their_contents() {
        assert_eq!(initialise(), Ok(()));
        // SAFETY: the library's malloc, which is `allocate` now.
        let first = unsafe { lc::OPENSSL_malloc(100) };
        let block = NonNull::new(first.cast::<u8>()).expect("memory");
        // SAFETY: a live block of the arena, if the routing works.
        assert!((100..=256).contains(&unsafe { ENGINE.capacity(block) }));
        // SAFETY: 100 bytes were asked for.
        unsafe { ptr::write_bytes(block.as_ptr(), 0x5a, 100) };
        // SAFETY: a live block of the library's.
        let longer = unsafe { lc::OPENSSL_realloc(first, 100_000) };
        // SAFETY: 100000 bytes were asked for, and begin with the old ones.
        let bytes = unsafe { std::slice::from_raw_parts(longer.cast::<u8>(), 101) };
        assert!(bytes[..100].iter().all(|byte| *byte == 0x5a));
        // SAFETY: a live block of the library's.
        let shorter = unsafe { lc::OPENSSL_realloc(longer, 10) };
        // SAFETY: 10 bytes were asked for.
        let bytes = unsafe { std::slice::from_raw_parts(shorter.cast::<u8>(), 10) };
        assert!(bytes.iter().all(|byte| *byte == 0x5a));
        // SAFETY: a live block of the library's.
        unsafe { lc::OPENSSL_free(shorter) };
        // SAFETY: null is allowed.
        unsafe { release(ptr::null_mut(), ptr::null(), 0) };
        // SAFETY: null is allowed, and a block of no length too.
        let empty = unsafe { reallocate(ptr::null_mut(), 0, ptr::null(), 0) };
        assert!(!empty.is_null());
        // SAFETY: a live block of the library's.
        unsafe { release(empty, ptr::null(), 0) };
        assert!(allocate(usize::MAX, ptr::null(), 0).is_null());
    }

    #[test]
    fn a_failure_leaves_no_error_behind() {
        let refused = ec::EcPublic::from_point(ec::Curve::P256, &[4; 65]);
        assert!(matches!(refused.err(), Some(EngineError::Key(_))));
        // SAFETY: reads this thread's queue.
        assert_eq!(unsafe { lc::ERR_peek_error() }, 0);
    }
}
