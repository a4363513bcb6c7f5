//! ML-KEM keys that are ready for use, by `libcrux-ml-kem`.
//!
//! A key as FIPS 203 writes it must be made ready for each use: its polynomials are decoded, its
//! matrix is drawn from a seed with SHAKE128, and its public half is hashed. A prepared key keeps
//! all three, which is more than half of the work. AWS-LC has no such form of a key.
//!
//! Only the crate's code for AVX2 is that fast: its portable code takes three times as long, and
//! longer than AWS-LC. Without AVX2 nothing here is available.

use std::hint::black_box;

use super::{MlKem, SHARED_LEN};
use crate::system::arena::Locked;

/// An encapsulation key, prepared.
pub(super) trait Maker: Send + Sync {
    /// Algorithm 17 of FIPS 203; `None` if a room has another length than what goes there.
    fn encapsulate(
        &self,
        random: &[u8; 32],
        ciphertext: &mut [u8],
        shared: &mut [u8],
    ) -> Option<()>;
}

/// A decapsulation key, prepared; it lies in locked memory.
pub(super) trait Opener: Send + Sync {
    /// Algorithm 18 of FIPS 203; `None` if a ciphertext or the room has another length.
    fn decapsulate(&self, ciphertext: &[u8], shared: &mut [u8]) -> Option<()>;
}

/// Is every coefficient of an encapsulation key reduced (section 7.2, "Modulus check")? `None`
/// if this processor must look by other means, or the length is wrong.
pub(super) fn is_reduced(set: MlKem, public: &[u8]) -> Option<bool> {
    is_available().then_some(())?;
    match set {
        MlKem::MlKem512 => ml_kem_512::is_reduced(public),
        MlKem::MlKem768 => ml_kem_768::is_reduced(public),
        MlKem::MlKem1024 => ml_kem_1024::is_reduced(public),
    }
}

/// Prepares an encapsulation key, which has been checked; `None` if this processor cannot.
pub(super) fn maker(set: MlKem, public: &[u8]) -> Option<Box<dyn Maker>> {
    is_available().then_some(())?;
    match set {
        MlKem::MlKem512 => ml_kem_512::maker(public),
        MlKem::MlKem768 => ml_kem_768::maker(public),
        MlKem::MlKem1024 => ml_kem_1024::maker(public),
    }
}

/// Prepares an expanded decapsulation key, which has been checked; `None` if this processor
/// cannot, or if there is no memory for it.
pub(super) fn opener(set: MlKem, expanded: &[u8]) -> Option<Box<dyn Opener>> {
    is_available().then_some(())?;
    match set {
        MlKem::MlKem512 => ml_kem_512::opener(expanded),
        MlKem::MlKem768 => ml_kem_768::opener(expanded),
        MlKem::MlKem1024 => ml_kem_1024::opener(expanded),
    }
}

#[cfg(target_arch = "x86_64")]
fn is_available() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
const fn is_available() -> bool {
    false
}

/// Overwrites what functions that have just returned left behind on the stack: the crate does not
/// wipe the message, the noise and the secret. The deepest of them was seen to use 19 KiB. To be
/// called by who calls them, because their own frames hold copies too.
#[inline(never)]
pub(super) fn wipe_stack() {
    let room = [0_u8; 24 * 1024];
    black_box(&room);
}

/// One parameter set. The types differ in name and length only.
macro_rules! parameter_set {
    ($module:ident, $library:ident, $public:ident, $pair:ident, $encoded:ident, $expanded:ident,
        $ciphertext:ident) => {
        mod $module {
            #[cfg(target_arch = "x86_64")]
            use libcrux_ml_kem::$library::avx2 as vectors;
            #[cfg(not(target_arch = "x86_64"))]
            use libcrux_ml_kem::$library::portable as vectors;
            use libcrux_ml_kem::$library::{$ciphertext, $encoded, $expanded};
            use vectors::unpacked::{self, $pair, $public};
            use zeroize::Zeroize;

            use super::{Locked, Maker, Opener, SHARED_LEN};

            pub(super) fn is_reduced(public: &[u8]) -> Option<bool> {
                Some(vectors::validate_public_key(&$encoded::try_from(public).ok()?))
            }

            pub(super) fn maker(public: &[u8]) -> Option<Box<dyn Maker>> {
                let encoded = $encoded::try_from(public).ok()?;
                let mut prepared = unpacked::init_public_key();
                unpacked::unpacked_public_key(&encoded, &mut prepared);
                Some(Box::new(prepared))
            }

            pub(super) fn opener(expanded: &[u8]) -> Option<Box<dyn Opener>> {
                if expanded.len() != $expanded::len() {
                    return None;
                }
                // Both are made where they stay, so that no copy is left on the stack.
                let mut key = Locked::new($expanded::default())?;
                key[0..expanded.len()].copy_from_slice(expanded);
                let mut prepared = Locked::new(unpacked::init_key_pair())?;
                unpacked::key_pair_from_private_mut(&key, &mut prepared);
                Some(Box::new(prepared))
            }

            impl Maker for $public {
                fn encapsulate(
                    &self,
                    random: &[u8; 32],
                    ciphertext: &mut [u8],
                    shared: &mut [u8],
                ) -> Option<()> {
                    let room = <&mut [u8; $ciphertext::len()]>::try_from(ciphertext).ok()?;
                    let secret = <&mut [u8; SHARED_LEN]>::try_from(shared).ok()?;
                    let (made, mut found) = unpacked::encapsulate(self, *random);
                    room.copy_from_slice(made.as_slice());
                    secret.copy_from_slice(&found);
                    found.zeroize();
                    Some(())
                }
            }

            impl Opener for Locked<$pair> {
                fn decapsulate(&self, ciphertext: &[u8], shared: &mut [u8]) -> Option<()> {
                    let ciphertext = $ciphertext::try_from(ciphertext).ok()?;
                    let secret = <&mut [u8; SHARED_LEN]>::try_from(shared).ok()?;
                    let mut found = unpacked::decapsulate(self, &ciphertext);
                    secret.copy_from_slice(&found);
                    found.zeroize();
                    Some(())
                }
            }
        }
    };
}

parameter_set!(
    ml_kem_512,
    mlkem512,
    MlKem512PublicKeyUnpacked,
    MlKem512KeyPairUnpacked,
    MlKem512PublicKey,
    MlKem512PrivateKey,
    MlKem512Ciphertext
);
parameter_set!(
    ml_kem_768,
    mlkem768,
    MlKem768PublicKeyUnpacked,
    MlKem768KeyPairUnpacked,
    MlKem768PublicKey,
    MlKem768PrivateKey,
    MlKem768Ciphertext
);
parameter_set!(
    ml_kem_1024,
    mlkem1024,
    MlKem1024PublicKeyUnpacked,
    MlKem1024KeyPairUnpacked,
    MlKem1024PublicKey,
    MlKem1024PrivateKey,
    MlKem1024Ciphertext
);
