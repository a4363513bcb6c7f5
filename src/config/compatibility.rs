//! `[compatibility]`: where programs and test suites expect what the standard does not say.
//!
//! Each switch changes one answer, for everybody who uses the configuration; none is on unless
//! it is asked for. `docs/conformance.md` names who needs which.

use super::settings::{Setting, Value, boolean};

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
}

pub(super) const COMPATIBILITY: &[Setting] = &[
    Setting {
        key: "compatibility.logout_again",
        accept: |to, value| boolean(value).map(|it| to.compatibility.logout_again = it),
        show: |of| Value::Switch(of.compatibility.logout_again),
        meaning: "C_Logout answers CKR_OK also while nobody is logged in",
    },
    Setting {
        key: "compatibility.digest_goes_on",
        accept: |to, value| boolean(value).map(|it| to.compatibility.digest_goes_on = it),
        show: |of| Value::Switch(of.compatibility.digest_goes_on),
        meaning: "a digest goes on after CKR_ARGUMENTS_BAD",
    },
    Setting {
        key: "compatibility.oaep_arguments",
        accept: |to, value| boolean(value).map(|it| to.compatibility.oaep_arguments = it),
        show: |of| Value::Switch(of.compatibility.oaep_arguments),
        meaning: "a bad parameter of OAEP is CKR_ARGUMENTS_BAD",
    },
    Setting {
        key: "compatibility.fork_initialized",
        accept: |to, value| boolean(value).map(|it| to.compatibility.fork_initialized = it),
        show: |of| Value::Switch(of.compatibility.fork_initialized),
        meaning: "the library initialises itself anew in a forked child",
    },
    Setting {
        key: "compatibility.template_repeats",
        accept: |to, value| boolean(value).map(|it| to.compatibility.template_repeats = it),
        show: |of| Value::Switch(of.compatibility.template_repeats),
        meaning: "of an attribute that a template has twice, the last value counts",
    },
    Setting {
        key: "compatibility.ed448_bare",
        accept: |to, value| boolean(value).map(|it| to.compatibility.ed448_bare = it),
        show: |of| Value::Switch(of.compatibility.ed448_bare),
        meaning: "CKM_EDDSA needs no parameter with a key that names its curve edwards448",
    },
];
