//! A template: attributes and their values, read and written by typed names.
//!
//! Knows nothing of what a class demands (`class`) nor of how a template is stored (`codec`).
//! PKCS#11 3.2, "Creating, modifying, and copying objects".

use super::attribute::{self, Attr, Typed};
use crate::engine::hash::constant_time_eq;
use crate::error::{Result, Rv};
use crate::secret::Secret;

/// The value of one attribute.
#[derive(Debug)]
pub(crate) enum Value {
    Bool(bool),
    Ulong(u64),
    Bytes(Vec<u8>),
    Secret(Secret),
    Ulongs(Vec<u64>),
    Nested(Template),
}

impl Value {
    /// Shows the value as the bytes that a caller gives or gets. A template inside a template
    /// has none: it is shown as no bytes, and the door writes it entry by entry.
    pub(crate) fn expose<R>(&self, reader: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Bool(flag) => reader(&[u8::from(*flag)]),
            Self::Ulong(number) => reader(&number.to_ne_bytes()),
            Self::Bytes(bytes) => reader(bytes),
            Self::Secret(secret) => secret.expose(reader),
            Self::Ulongs(list) => {
                let bytes: Vec<u8> = list.iter().flat_map(|number| number.to_ne_bytes()).collect();
                reader(&bytes)
            }
            Self::Nested(_) => reader(&[]),
        }
    }

    /// A second copy; not `Clone`, because a secret's copy can fail and should be seen.
    ///
    /// # Errors
    /// `CKR_HOST_MEMORY`.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        Ok(match self {
            Self::Bool(flag) => Self::Bool(*flag),
            Self::Ulong(number) => Self::Ulong(*number),
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::Secret(secret) => Self::Secret(secret.expose(Secret::copy_of)?),
            Self::Ulongs(list) => Self::Ulongs(list.clone()),
            Self::Nested(template) => Self::Nested(template.try_clone()?),
        })
    }

    /// Whether two values are the same bytes; takes the same time wherever secrets differ.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nested(own), Self::Nested(others)) => own.same(others),
            (Self::Nested(_), _) | (_, Self::Nested(_)) => false,
            (own, others) => {
                own.expose(|own| others.expose(|others| constant_time_eq(own, others)))
            }
        }
    }
}

/// More attributes than any kind of object gets that nobody gave.
const MOST_DEFAULTS: usize = 40;

/// Attributes with their values, each at most once, in the order of their numbers.
#[derive(Default, Debug)]
pub(crate) struct Template {
    entries: Vec<(u64, Value)>,
}

impl Template {
    /// An empty one, with room for so many attributes of a caller's and for all that an object
    /// gets besides.
    pub(crate) fn with_room_for(given: usize) -> Self {
        Self { entries: Vec::with_capacity(given.saturating_add(MOST_DEFAULTS)) }
    }

    fn place(&self, id: u64) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&id, |(id, _)| *id)
    }

    /// The value of an attribute, whatever its type.
    pub(crate) fn value(&self, id: u64) -> Option<&Value> {
        let place = self.place(id).ok()?;
        self.entries.get(place).map(|(_, value)| value)
    }

    /// The value of an attribute, if the template has it.
    pub(crate) fn get<T: Typed>(&self, name: Attr<T>) -> Option<T::View<'_>> {
        self.value(name.id).and_then(T::view)
    }

    /// The value of an attribute that must be there.
    ///
    /// # Errors
    /// `CKR_TEMPLATE_INCOMPLETE`, naming it.
    pub(crate) fn require<T: Typed>(&self, name: Attr<T>) -> Result<T::View<'_>> {
        self.get(name).ok_or_else(|| Rv::TemplateIncomplete.because(name.name))
    }

    /// Whether a flag is there and true.
    pub(crate) fn is_set(&self, flag: Attr<bool>) -> bool {
        self.get(flag) == Some(true)
    }

    /// Writes an attribute over whatever stood there.
    pub(crate) fn set<T: Typed>(&mut self, name: Attr<T>, value: T::Owned) {
        self.put(name.id, T::wrap(value));
    }

    /// Writes a value whose attribute is known by number only, over whatever stood there.
    pub(crate) fn put(&mut self, id: u64, value: Value) {
        match self.place(id) {
            Ok(place) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => self.entries.insert(place, (id, value)),
        }
    }

    /// Takes in those of some attributes, each named once, that are not there.
    pub(crate) fn extend_absent(&mut self, more: impl IntoIterator<Item = (u64, Value)>) {
        let given = self.entries.len();
        for (id, value) in more {
            let own = self.entries.get(..given).unwrap_or_default();
            if own.binary_search_by_key(&id, |(id, _)| *id).is_err() {
                self.entries.push((id, value));
            }
        }
        self.entries.sort_unstable_by_key(|(id, _)| *id);
        debug_assert!(self.entries.is_sorted_by(|(one, _), (next, _)| one < next));
    }

    /// Takes in one entry of a caller's template. The same value twice counts once.
    ///
    /// # Errors
    /// `CKR_TEMPLATE_INCONSISTENT` if the attribute is there with another value.
    pub(crate) fn insert(&mut self, id: u64, value: Value) -> Result<()> {
        match self.value(id) {
            Some(present) if present.same(&value) => Ok(()),
            Some(_) => Err(Rv::TemplateInconsistent
                .because(format!("{} twice, with two values", attribute::name(id)))),
            None => {
                self.put(id, value);
                Ok(())
            }
        }
    }

    /// Takes an attribute out.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Value> {
        let place = self.place(id).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// Whether the attribute is there, with any value.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.place(id).is_ok()
    }

    /// Whether the attribute is there with this very value.
    pub(crate) fn equals(&self, id: u64, value: &Value) -> bool {
        self.value(id).is_some_and(|own| own.same(value))
    }

    /// Whether this template has every attribute of `wanted` with the same value.
    pub(crate) fn matches(&self, wanted: &Self) -> bool {
        wanted.iter().all(|(id, value)| self.equals(id, value))
    }

    /// The attributes in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Value)> {
        self.entries.iter().map(|(id, value)| (*id, value))
    }

    /// How many attributes there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no attribute.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A second copy.
    ///
    /// # Errors
    /// `CKR_HOST_MEMORY`.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let entries = self.entries.iter().map(|(id, value)| Ok((*id, value.try_clone()?)));
        Ok(Self { entries: entries.collect::<Result<_>>()? })
    }

    /// Whether both have the same attributes with the same values.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.matches(other)
    }
}

impl IntoIterator for Template {
    type Item = (u64, Value);
    type IntoIter = std::vec::IntoIter<(u64, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
