//! The next version of a key: it takes the label, and the one before becomes `LABEL#vN`, which
//! verifies and decrypts and makes nothing new. All in one commit, under the name of an operation
//! that is kept with the new key: who asks for the same again finds it done.

use crate::error::{Error, Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::bundle::{PARTNER_LABEL, Partner, tie_pairs};
use crate::object::class::Class;
use crate::object::template::Template;
use crate::store::{Mode, ObjectId, Query, StoredObject, Transaction};

use super::Token;
use super::note::Note;
use super::sealed::{query_of, row_of};
use super::table::Held;

/// What the version before stops doing.
const ENDED: &[Attr<bool>] = &[
    attribute::SIGN,
    attribute::SIGN_RECOVER,
    attribute::ENCRYPT,
    attribute::WRAP,
    attribute::ENCAPSULATE,
];

/// A key of the token that has a label or once had it.
struct Known {
    row: StoredObject,
    held: Held,
    /// Of `LABEL#vN`; nothing for `LABEL` itself.
    replaced: Option<u64>,
}

/// What a rotation came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Succession {
    /// The version that has the label.
    pub(crate) version: u64,
    /// CKA_UNIQUE_ID of its objects.
    pub(crate) objects: Vec<String>,
    /// True if it was found done.
    pub(crate) was_done: bool,
}

impl Known {
    fn attributes(&self) -> &Template {
        &self.held.object.attributes
    }

    fn number(&self, name: Attr<u64>) -> Option<u64> {
        self.attributes().get(name)
    }
}

impl Token {
    /// The attributes of the key with a label: of a pair both halves, the public one first; of a
    /// bundle both keys, the classical one first.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID` if there is none, `CKR_TEMPLATE_INCONSISTENT` if there are
    /// several, `CKR_CLAVIGER_BUNDLE_INCOMPLETE` if both keys of a bundle are asked for and one
    /// has another name; the store's.
    pub(crate) fn current_key(&self, label: &str, both: bool) -> Result<Vec<Vec<Template>>> {
        self.require_login()?;
        let transaction = self.store()?.begin(Mode::Read)?;
        let known = self.keys_called(label, transaction.as_ref())?;
        let mut current: Vec<&Known> = known.iter().filter(|it| it.replaced.is_none()).collect();
        current.sort_by_key(|it| it.row.class);
        let own = |it: &&Known| it.attributes().get(attribute::LABEL) == Some(label.as_bytes());
        let (own, partner): (Vec<&Known>, Vec<&Known>) = current.into_iter().partition(own);
        let key = one_key(&own)?;
        let is_bundled = own.iter().any(|it| is_bundled(it.attributes()));
        match (is_bundled, partner.is_empty()) {
            (false, false) => Err(several()),
            (true, true) if both => {
                let why =
                    format!("the other key of the bundle is not called {label}{PARTNER_LABEL}");
                Err(Rv::ClavigerBundleIncomplete.because(why))
            }
            (_, true) => Ok(vec![key]),
            (true, false) => {
                let partner = one_key(&partner)?;
                check_partners(&key, &partner)?;
                Ok(vec![key, partner])
            }
        }
    }

    /// What an operation with this name has done to a label, if it was done.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn done_by(&self, label: &str, operation: &str) -> Result<Option<Succession>> {
        self.require_login()?;
        let transaction = self.store()?.begin(Mode::Read)?;
        Ok(found_done(&self.keys_called(label, transaction.as_ref())?, operation))
    }

    /// Gives a label to new keys, whole but for their names, and a number to the ones before.
    ///
    /// # Errors
    /// `CKR_ACTION_PROHIBITED` for keys that may not be changed; the store's.
    pub(crate) fn succeed(
        &self,
        note: &Note,
        (label, operation): (&str, &str),
        made: Vec<Template>,
    ) -> Result<Succession> {
        let vault = self.require_login()?;
        let mut change = self.begin_change(note, Some(&vault))?;
        let known = self.keys_called(label, change.transaction.as_ref())?;
        if let Some(done) = found_done(&known, operation) {
            return Ok(done);
        }
        let version = version_of(&known);
        for before in known.iter().filter(|it| it.replaced.is_none()) {
            let ended = ended(before.attributes(), version)?;
            let row =
                self.next_version(&before.row, &before.held, &ended, change.transaction.as_ref())?;
            if !change.transaction.replace(&row)? {
                return Err(went_on());
            }
            change.concerns(row.id, row.version);
        }
        let next = version.checked_add(1).ok_or_else(went_on)?;
        let mut objects = Vec::with_capacity(made.len());
        for (id, whole) in named(made, next, operation)? {
            let row = row_of(id, 1, &whole, Some(&vault), change.transaction.as_ref())?;
            change.transaction.insert(&row)?;
            change.concerns(id, 1);
            objects.push(id.to_string());
        }
        self.commit_change(change)?;
        Ok(Succession { version: next, objects, was_done: false })
    }

    /// Every key that has the label or had it before a rotation. One in a format that is not known
    /// stands in the way of its own label alone.
    fn keys_called(&self, label: &str, transaction: &dyn Transaction) -> Result<Vec<Known>> {
        let labelled = self.rows_labelled(label, transaction)?;
        let mut known = Vec::new();
        for class in [Class::PublicKey, Class::PrivateKey, Class::SecretKey] {
            for private in [false, true] {
                let query = Query {
                    class: Some(class.code()),
                    key_type: None,
                    private: Some(private),
                    search: Vec::new(),
                };
                for id in transaction.find(&query)? {
                    let Some(row) = self.row(&id, transaction)? else { continue };
                    let held = match self.open(&row, transaction) {
                        Err(error)
                            if error.rv == Rv::ClavigerFormatUnknown
                                && !labelled.contains(&row.id) =>
                        {
                            continue;
                        }
                        opened => opened?,
                    };
                    if let Some(replaced) = place(&held.object.attributes, label) {
                        known.push(Known { row, held, replaced });
                    }
                }
            }
        }
        Ok(known)
    }

    /// What the index has under the label itself.
    fn rows_labelled(&self, label: &str, transaction: &dyn Transaction) -> Result<Vec<ObjectId>> {
        let mut wanted = Template::default();
        wanted.set(attribute::LABEL, label.as_bytes().to_vec());
        let (query, _) = query_of(&wanted, self.vault().as_deref())?;
        Ok(transaction.find(&query)?)
    }
}

/// Gives new keys their names, and ties the two pairs of a bundle.
fn named(
    mut made: Vec<Template>,
    version: u64,
    operation: &str,
) -> Result<Vec<(ObjectId, Template)>> {
    let mut ids = Vec::with_capacity(made.len());
    for whole in &mut made {
        let id = ObjectId::random()?;
        whole.set(attribute::UNIQUE_ID, id.text());
        whole.set(attribute::KEY_VERSION, version);
        whole.set(attribute::OPERATION, operation.as_bytes().to_vec());
        ids.push(id);
    }
    tie_pairs(made.iter_mut())?;
    Ok(ids.into_iter().zip(made).collect())
}

/// The attributes of a key whose objects these are.
fn one_key(objects: &[&Known]) -> Result<Vec<Template>> {
    let secrets = objects.iter().filter(|it| is_secret(&it.row)).count();
    match (secrets, objects.len()) {
        (0, _) => Err(Rv::ObjectHandleInvalid.because("no key has this label")),
        (1, 1 | 2) => objects.iter().map(|it| it.attributes().try_clone()).collect(),
        _ => Err(several()),
    }
}

fn several() -> Error {
    Rv::TemplateInconsistent.because("several keys have this label")
}

fn is_bundled(attributes: &Template) -> bool {
    attributes.get(attribute::CLAVIGER_BUNDLE).is_some_and(|written| !written.is_empty())
}

/// Checks that the private keys of two pairs name each other.
fn check_partners(one: &[Template], other: &[Template]) -> Result<()> {
    let (Some(one), Some(other)) = (one.last(), other.last()) else { return Err(went_on()) };
    let names = |key: &Template, partner| {
        Ok::<_, Error>(Partner::named_by(key)?.is_some_and(|named| named.is(partner)))
    };
    if names(one, other)? && names(other, one)? {
        return Ok(());
    }
    Err(Rv::ClavigerBundleIncomplete.because("the other key of the bundle is not what it was"))
}

fn went_on() -> Error {
    Rv::FunctionFailed.because("the key was changed meanwhile")
}

fn is_secret(row: &StoredObject) -> bool {
    row.class != Class::PublicKey.code()
}

/// `Some(None)` for the label itself, `Some(Some(N))` for `LABEL#vN`; the post-quantum key of a
/// bundle has both with `#pq` after the label.
fn place(attributes: &Template, label: &str) -> Option<Option<u64>> {
    let own = std::str::from_utf8(attributes.get(attribute::LABEL)?).ok()?;
    let rest = own.strip_prefix(label)?;
    let partner = rest.strip_prefix(PARTNER_LABEL).filter(|_| is_bundled(attributes));
    let rest = partner.unwrap_or(rest);
    match rest.strip_prefix("#v") {
        Some(digits) => digits.parse().ok().map(Some),
        None => rest.is_empty().then_some(None),
    }
}

/// The version of the key that has the label now. One that was made anew after versions of it
/// had been there is the one after the next: the version that followed the last one is gone.
fn version_of(known: &[Known]) -> u64 {
    let current = known.iter().filter(|it| it.replaced.is_none());
    let given = current.filter_map(|it| it.number(attribute::KEY_VERSION)).max();
    let last = known.iter().filter_map(|it| it.replaced).max();
    match (given, last) {
        (Some(given), _) => given,
        (None, Some(last)) => last.saturating_add(2),
        (None, None) => 1,
    }
}

fn found_done(known: &[Known], operation: &str) -> Option<Succession> {
    let mut made: Vec<&Known> = known
        .iter()
        .filter(|it| it.attributes().get(attribute::OPERATION) == Some(operation.as_bytes()))
        .collect();
    // As they were made: of a bundle the classical key first, whose label is the shorter one.
    made.sort_by_key(|it| (it.attributes().get(attribute::LABEL).map(<[u8]>::len), it.row.class));
    let version = made.iter().find_map(|it| it.number(attribute::KEY_VERSION))?;
    let objects = made.iter().map(|it| it.row.id.to_string()).collect();
    Some(Succession { version, objects, was_done: true })
}

/// The attributes of a key that was replaced.
fn ended(before: &Template, version: u64) -> Result<Template> {
    if !before.is_set(attribute::MODIFIABLE) {
        return Err(Rv::ActionProhibited.because("CKA_MODIFIABLE is false"));
    }
    let mut after = before.try_clone()?;
    let label = before.get(attribute::LABEL).unwrap_or_default();
    after.set(attribute::LABEL, [label, format!("#v{version}").as_bytes()].concat());
    after.set(attribute::KEY_VERSION, version);
    for flag in ENDED.iter().filter(|flag| before.contains(flag.id)) {
        after.set(*flag, false);
    }
    Ok(after)
}
