//! What flags and numbers are that nobody gave: made once for each kind of object, and shared.

use std::sync::{Arc, PoisonError, RwLock};

use super::rules::{self, Absent};
use super::{Birth, Class, Species, roles, secrecy};
use crate::object::template::{Defaults, Plain};

/// The most that are kept. More kinds of objects than that are in no program's use at once.
const MOST_KEPT: usize = 64;

/// What the defaults of an object depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Terms {
    pub(super) species: Species,
    pub(super) birth: Birth,
    /// Whether it is a private object.
    pub(super) private: bool,
    /// Whether secret keys are closed as those on the token are.
    pub(super) closed: bool,
    /// Whether `policy.separate_uses` is on.
    pub(super) separate_uses: bool,
    /// Whether the key was asked to be for keys.
    pub(super) for_keys: bool,
}

/// What `CKA_PRIVATE` is that nobody gave. The standard leaves it to the token (PKCS#11 3.2, 4.4):
/// keys are private; but one for a session of a program that has not logged in is public, because
/// such a program could not have it otherwise, and works with keys of its own that are in sight of
/// nobody else.
pub(crate) fn is_usually_private(class: Class, on_token: bool, sees_private: bool) -> bool {
    class.is_secret() && (on_token || sees_private)
}

impl Terms {
    /// Makes the defaults.
    pub(super) fn defaults(self) -> Defaults {
        let rows = self.species.rows();
        Defaults::of(rows.filter_map(|row| Some((row.id, self.default(row)?))))
    }

    fn default(self, row: &rules::Row) -> Option<Plain> {
        let Self { species, birth, private, closed, separate_uses, for_keys } = self;
        match row.absent {
            Absent::Empty | Absent::Missing | Absent::Computed => None,
            Absent::Flag(flag) => Some(Plain::Bool(flag)),
            Absent::Number(number) => Some(Plain::Ulong(number)),
            Absent::Private => Some(Plain::Bool(private)),
            Absent::Use => {
                let wanted = !separate_uses || roles::usual(row.id, for_keys);
                Some(Plain::Bool(wanted && rules::is_usual(row.id, species.key_type)))
            }
            Absent::Secrecy => {
                Some(Plain::Bool(secrecy::usual(row.id, species.class, birth, closed)))
            }
        }
    }
}

/// The defaults that were made already.
#[derive(Default, Debug)]
pub(crate) struct AllDefaults {
    kept: RwLock<Vec<(Terms, Arc<Defaults>)>>,
}

impl AllDefaults {
    /// The defaults under these terms.
    pub(super) fn get(&self, terms: Terms) -> Arc<Defaults> {
        let found = |kept: &[(Terms, Arc<Defaults>)]| {
            kept.iter().find(|(known, _)| *known == terms).map(|(_, found)| Arc::clone(found))
        };
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(defaults) = found(&kept) {
            return defaults;
        }
        drop(kept);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have made them in between.
        if let Some(defaults) = found(&kept) {
            return defaults;
        }
        let made = Arc::new(terms.defaults());
        if kept.len() < MOST_KEPT {
            kept.push((terms, Arc::clone(&made)));
        }
        made
    }
}
