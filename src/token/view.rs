//! Which objects a program sees of a token. Some libraries give up on all keys when they meet one
//! of a type that they do not know; what they cannot stand is not there for them: it is not found,
//! not counted, and its handle is none.

use crate::object::attribute;
use crate::object::certificate::{PublicKind, public_kind};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;

/// What is seen.
#[derive(Clone, Default, Debug)]
pub(crate) enum View {
    /// Everything.
    #[default]
    Full,
    /// Of key pairs those of RSA and EC, and their certificates; secret keys, but for one-time
    /// passwords.
    Classic,
    /// Keys of these types, by names that `name_of` gives them, and their certificates.
    Only { kinds: Vec<String>, name_of: fn(KeyType, &Template) -> &'static str },
}

impl View {
    pub(crate) const fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }

    /// Whether an object is seen.
    pub(crate) fn shows(&self, object: &Template) -> bool {
        if self.is_full() {
            return true;
        }
        match object.get(attribute::CLASS).and_then(Class::from_code) {
            Some(Class::Certificate) => self.shows_certificate(object),
            Some(class) if class.is_key() => {
                let key_type = object.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
                key_type.is_some_and(|key_type| self.shows_key(class, key_type, object))
            }
            _ => true,
        }
    }

    fn shows_key(&self, class: Class, key_type: KeyType, object: &Template) -> bool {
        match self {
            Self::Full => true,
            Self::Classic => {
                class == Class::SecretKey || matches!(key_type, KeyType::Rsa | KeyType::Ec)
            }
            Self::Only { kinds, name_of } => {
                kinds.iter().any(|kind| kind == name_of(key_type, object))
            }
        }
    }

    fn shows_certificate(&self, object: &Template) -> bool {
        let kind = object.get(attribute::PUBLIC_VALUE).map_or(PublicKind::Other, public_kind);
        let lists = |name: &str| match self {
            Self::Only { kinds, .. } => kinds.iter().any(|kind| kind == name),
            Self::Full | Self::Classic => true,
        };
        match (self, kind) {
            (Self::Full, _) => true,
            (_, PublicKind::Rsa) => lists("rsa"),
            (_, PublicKind::Ec) => lists("ec"),
            (Self::Classic, PublicKind::Other) => false,
            // Whoever asks for keys of newer types can read their certificates.
            (Self::Only { kinds, .. }, PublicKind::Other) => {
                kinds.iter().any(|kind| kind != "rsa" && kind != "ec")
            }
        }
    }
}
