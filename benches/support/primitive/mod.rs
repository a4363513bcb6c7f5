//! What the module is measured against: the primitives that its own engine is made of, used as a
//! program would use them that has nothing else to do, with keys that were parsed before.

#![allow(unsafe_code)]

pub(crate) mod cipher;
pub(crate) mod ec;
pub(crate) mod edwards;
pub(crate) mod hash;
pub(crate) mod post_quantum;
pub(crate) mod rsa;

use super::module::{Outcome, refuse};

/// An object of AWS-LC; freed when dropped.
struct Owned<T> {
    object: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes over what a constructor of the library gave, and the function that frees it.
    fn new(what: &str, object: *mut T, free: unsafe extern "C" fn(*mut T)) -> Outcome<Self> {
        if object.is_null() { refuse(what) } else { Ok(Self { object, free }) }
    }

    fn get(&self) -> *mut T {
        self.object
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: made by the library, and freed once, by the function for its type.
        unsafe { (self.free)(self.object) }
    }
}

/// The library's 1 for success as an outcome.
fn done(what: &str, status: i32) -> Outcome<()> {
    if status == 1 { Ok(()) } else { refuse(what) }
}
