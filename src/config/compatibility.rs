//! `[compatibility]`: where programs and test suites expect what the standard does not say.
//!
//! Each switch changes one answer, for everybody who uses the configuration; none is on unless
//! it is asked for. `docs/conformance.md` names who needs which.

use super::settings::{Setting, Value, boolean, switch};

/// All of `[compatibility]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Compatibility {
    /// C_Logout succeeds also while nobody is logged in.
    pub logout_again: bool,
    /// A digest goes on after a call whose pointers were no good.
    pub digest_goes_on: bool,
    /// A bad parameter of OAEP is a bad argument.
    pub oaep_arguments: bool,
    /// The library initialises itself in a forked child.
    pub fork_initialized: bool,
    /// Of an attribute that a template has twice, with two values, the last one counts.
    pub template_repeats: bool,
    /// Ed448 signs without a parameter also with a key whose curve is named in words.
    pub ed448_bare: bool,
    /// A key that is unwrapped without a class and a type is a generic secret.
    pub unwrap_bare: bool,
    /// C_SessionCancel without a flag ends all operations.
    pub cancel_bare: bool,
}

pub(super) const COMPATIBILITY: &[Setting] = &[
    switch!(
        "compatibility.logout_again",
        compatibility.logout_again,
        "C_Logout answers CKR_OK also while nobody is logged in"
    ),
    switch!(
        "compatibility.digest_goes_on",
        compatibility.digest_goes_on,
        "a digest goes on after CKR_ARGUMENTS_BAD"
    ),
    switch!(
        "compatibility.oaep_arguments",
        compatibility.oaep_arguments,
        "a bad parameter of OAEP is CKR_ARGUMENTS_BAD"
    ),
    switch!(
        "compatibility.fork_initialized",
        compatibility.fork_initialized,
        "the library initialises itself anew in a forked child"
    ),
    switch!(
        "compatibility.template_repeats",
        compatibility.template_repeats,
        "of an attribute that a template has twice, the last value counts"
    ),
    switch!(
        "compatibility.ed448_bare",
        compatibility.ed448_bare,
        "CKM_EDDSA needs no parameter with a key that names its curve edwards448"
    ),
    switch!(
        "compatibility.unwrap_bare",
        compatibility.unwrap_bare,
        "what is unwrapped without CKA_CLASS and CKA_KEY_TYPE is a generic secret"
    ),
    switch!(
        "compatibility.cancel_bare",
        compatibility.cancel_bare,
        "C_SessionCancel with flags of 0 ends every operation"
    ),
];
