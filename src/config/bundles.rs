//! `[pq]`: how far a site has come on its way to post-quantum signatures.
//!
//! A bundle's two signatures can be asked for in three ways, in the order in which a migration
//! goes: either (`or`), both (`and`), the post-quantum one (`pq-only`). `docs/composites.md` has
//! the steps.

use super::settings::{Setting, Value, boolean, shown, switch, word};

/// `pq.verify_mode`: which signatures of a bundle must be there and right?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum VerifyMode {
    /// One of the two.
    Or,
    /// Both.
    #[default]
    And,
    /// The post-quantum one; the other counts for nothing.
    PqOnly,
}

/// All of `[pq]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BundleRules {
    /// Which signatures of a bundle must be there and right.
    pub verify_mode: VerifyMode,
    /// Whether both halves of a bundle sign, or the post-quantum one alone.
    pub produce_hybrid: bool,
}

impl Default for BundleRules {
    fn default() -> Self {
        Self { verify_mode: VerifyMode::default(), produce_hybrid: true }
    }
}

const VERIFY_MODE: &[(&str, VerifyMode)] =
    &[("or", VerifyMode::Or), ("and", VerifyMode::And), ("pq-only", VerifyMode::PqOnly)];

pub(super) const BUNDLES: &[Setting] = &[
    Setting {
        key: "pq.verify_mode",
        accept: |to, value| word(value, VERIFY_MODE).map(|it| to.bundles.verify_mode = it),
        show: |of| shown(VERIFY_MODE, of.bundles.verify_mode),
        meaning: "which signatures of a bundle must be right: one, both, the post-quantum one",
    },
    switch!(
        "pq.produce_hybrid",
        bundles.produce_hybrid,
        "whether both keys of a bundle sign, or the post-quantum one alone"
    ),
];
