//! SHA-512/t (FIPS 180-4, sections 5.3.6 and 6.7): SHA-512 from another initial value, cut short.
//!
//! The library has t = 224 and 256 only, but its state is a plain structure, so the initial value
//! of any t can be put there.

use aws_lc_sys as lc;
use zeroize::Zeroize;

use crate::engine::hash::Truncation;

/// What the initial value of SHA-512 is masked with to make the one that makes initial values.
const MASK: u64 = 0xa5a5_a5a5_a5a5_a5a5;
const WHOLE: usize = 64;

/// A running digest.
#[derive(Clone)]
pub(crate) struct Sha512T {
    state: lc::SHA512_CTX,
    initial: [u64; 8],
}

impl Sha512T {
    pub(crate) fn new(t: Truncation) -> Self {
        let mut masked = fresh().h;
        masked.iter_mut().for_each(|word| *word ^= MASK);
        let mut maker = Self { state: started(masked), initial: masked };
        maker.update(format!("SHA-512/{}", t.bits()).as_bytes());
        let mut made = [0; WHOLE];
        maker.finish(&mut made);
        let mut initial = [0; 8];
        for (word, bytes) in initial.iter_mut().zip(made.as_chunks().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Self { state: started(initial), initial }
    }

    pub(crate) fn update(&mut self, input: &[u8]) {
        // SAFETY: a live state, and input that is readable for its length.
        unsafe { lc::SHA512_Update(&raw mut self.state, input.as_ptr().cast(), input.len()) };
    }

    /// Fills `room` with the front of the digest, and starts anew.
    pub(crate) fn finish(&mut self, room: &mut [u8]) {
        let mut whole = [0; WHOLE];
        // SAFETY: a live state, and room for what SHA-512 gives.
        unsafe { lc::SHA512_Final(whole.as_mut_ptr(), &raw mut self.state) };
        room.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        whole.zeroize();
        self.state = started(self.initial);
    }
}

impl Drop for Sha512T {
    fn drop(&mut self) {
        self.state.h.zeroize();
        self.state.p.zeroize();
    }
}

fn fresh() -> lc::SHA512_CTX {
    let mut state = std::mem::MaybeUninit::zeroed();
    // SAFETY: room for a state, which the function fills; it has no other outcome than 1.
    unsafe { lc::SHA512_Init(state.as_mut_ptr()) };
    // SAFETY: plain numbers, all of them written.
    unsafe { state.assume_init() }
}

fn started(initial: [u64; 8]) -> lc::SHA512_CTX {
    lc::SHA512_CTX { h: initial, ..fresh() }
}
