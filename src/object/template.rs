//! A template: attributes and their values, read and written by typed names.
//!
//! Knows nothing of what a class demands (`class`) nor of how a template is stored (`codec`).
//! PKCS#11 3.2, "Creating, modifying, and copying objects".

use std::iter;
use std::sync::Arc;

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

/// More attributes than any kind of object gets beside a caller's and its defaults.
const MOST_COMPUTED: usize = 12;

/// A flag or a number, which needs no memory of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plain {
    Bool(bool),
    Ulong(u64),
}

impl From<Plain> for Value {
    fn from(plain: Plain) -> Self {
        match plain {
            Plain::Bool(flag) => Self::Bool(flag),
            Plain::Ulong(number) => Self::Ulong(number),
        }
    }
}

/// Values that many objects have of attributes that nobody gave them. Objects share them: a key of
/// a session would cost more time by these than by all else but its value.
#[derive(Debug)]
pub(crate) struct Defaults {
    entries: Vec<(u64, Plain, Value)>,
}

impl Defaults {
    /// Takes them in any order, each attribute once.
    pub(crate) fn of(all: impl IntoIterator<Item = (u64, Plain)>) -> Self {
        let mut entries: Vec<_> =
            all.into_iter().map(|(id, plain)| (id, plain, Value::from(plain))).collect();
        entries.sort_unstable_by_key(|(id, ..)| *id);
        Self { entries }
    }

    fn value(&self, id: u64) -> Option<&Value> {
        let place = self.entries.binary_search_by_key(&id, |(id, ..)| *id).ok()?;
        self.entries.get(place).map(|(.., value)| value)
    }
}

/// Attributes with their values, each at most once, in the order of their numbers.
#[derive(Default, Debug)]
pub(crate) struct Template {
    /// Its own, which go before defaults.
    entries: Vec<(u64, Value)>,
    defaults: Option<Arc<Defaults>>,
}

impl Template {
    /// An empty one, with room for so many attributes of a caller's and for those that are
    /// computed of them.
    pub(crate) fn with_room_for(given: usize) -> Self {
        Self { entries: Vec::with_capacity(given.saturating_add(MOST_COMPUTED)), defaults: None }
    }

    /// Gives values to attributes that have none, in the place of other defaults.
    pub(crate) fn set_defaults(&mut self, defaults: Arc<Defaults>) {
        self.defaults = Some(defaults);
    }

    fn place(&self, id: u64) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&id, |(id, _)| *id)
    }

    /// The value of an attribute, whatever its type.
    pub(crate) fn value(&self, id: u64) -> Option<&Value> {
        match self.place(id) {
            Ok(place) => self.entries.get(place).map(|(_, value)| value),
            Err(_) => self.defaults.as_ref()?.value(id),
        }
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
        if self.defaults.as_ref().is_some_and(|defaults| defaults.value(id).is_some()) {
            self.own_all();
        }
        let place = self.place(id).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// Makes the defaults attributes of its own.
    fn own_all(&mut self) {
        let Some(defaults) = self.defaults.take() else { return };
        for (id, plain, _) in &defaults.entries {
            if let Err(place) = self.place(*id) {
                self.entries.insert(place, (*id, (*plain).into()));
            }
        }
    }

    /// Whether the attribute is there, with any value.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.value(id).is_some()
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
        let defaults = self.defaults.as_ref().map_or(&[][..], |defaults| &defaults.entries);
        let mut own = self.entries.iter().map(|(id, value)| (*id, value)).peekable();
        let mut usual = defaults.iter().map(|(id, _, value)| (*id, value)).peekable();
        iter::from_fn(move || match (own.peek(), usual.peek()) {
            (Some((id, _)), Some((other, _))) if id == other => {
                usual.next();
                own.next()
            }
            (Some((id, _)), Some((other, _))) if id > other => usual.next(),
            (None, Some(_)) => usual.next(),
            (_, _) => own.next(),
        })
    }

    /// How many attributes there are.
    pub(crate) fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no attribute.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// A second copy.
    ///
    /// # Errors
    /// `CKR_HOST_MEMORY`.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let entries = self.entries.iter().map(|(id, value)| Ok((*id, value.try_clone()?)));
        Ok(Self { entries: entries.collect::<Result<_>>()?, defaults: self.defaults.clone() })
    }

    /// Whether both have the same attributes with the same values.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.matches(other)
    }
}

impl IntoIterator for Template {
    type Item = (u64, Value);
    type IntoIter = std::vec::IntoIter<(u64, Value)>;

    fn into_iter(mut self) -> Self::IntoIter {
        self.own_all();
        self.entries.into_iter()
    }
}
