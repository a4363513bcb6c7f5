//! The next version of a key, for `claviger key rotate`: made with the attributes of the one
//! before, or of another kind. `token::versions` puts it in its place.

use crate::call::Function;
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Change};
use crate::object::class::reading::is_given_at;
use crate::object::class::{Birth, KeyType};
use crate::object::size::bits_of;
use crate::object::template::Template;
use crate::provider::{Call, Provider};
use crate::token::note::Note;
use crate::token::versions::Succession;

use super::new_key::{Asked, maker};
use super::{Naming, NewKey, ObjectView};

/// What records have in the place of a function's name.
const COMMAND: &str = "claviger key rotate";
/// The longest name of an operation, in bytes.
const LONGEST_OPERATION: usize = 128;

/// A key that was rotated.
#[derive(Debug)]
pub struct RotatedKey {
    /// The version that has the label now.
    pub version: u64,
    /// Its objects, if they are on the token still.
    pub objects: Vec<ObjectView>,
    /// True if an operation of this name had done it before.
    pub was_done: bool,
}

impl Provider {
    /// Makes the next version of the key with a label, of the same kind or another, unless the
    /// operation was done before.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID` if no key has the label, `CKR_TEMPLATE_INCONSISTENT` if
    /// several do, `CKR_ARGUMENTS_BAD` for an operation without a good name; those of making keys.
    pub fn rotate_key(
        &self,
        session: u64,
        label: &str,
        kind: Option<NewKey>,
        operation: &str,
    ) -> Result<RotatedKey> {
        if operation.is_empty() || operation.len() > LONGEST_OPERATION {
            return Err(Rv::ArgumentsBad.because("an operation's name has 1 to 128 bytes"));
        }
        // The hall wants a function: this one asks for nothing but the session.
        self.run(Function::GetSessionInfo, session, |call| {
            let done = match call.token().done_by(label, operation)? {
                Some(done) => done,
                None => call.next_version(session, (label, operation), kind)?,
            };
            let views = done.objects.iter().map(|id| call.view_of(id));
            let objects = views.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
            Ok(RotatedKey { version: done.version, objects, was_done: done.was_done })
        })
    }
}

impl Call<'_> {
    fn next_version(
        &self,
        session: u64,
        (label, operation): (&str, &str),
        kind: Option<NewKey>,
    ) -> Result<Succession> {
        let before = self.token().current_key(label, kind.is_none())?;
        let asked: Vec<Asked> = match kind {
            Some(kind) => kind.described(&Naming { label, id: None, extractable: false })?,
            None => before.iter().map(|key| same_again(key)).collect::<Result<_>>()?,
        };
        let made = self.make_keys(asked)?;
        let note = Note::of_command(COMMAND, session);
        self.token().succeed(&note, (label, operation), made)
    }

    /// Makes keys that are nowhere yet: of each pair the public half first.
    pub(super) fn make_keys(&self, asked: Vec<Asked>) -> Result<Vec<Template>> {
        let mut made = Vec::new();
        for (given, public, hidden) in asked {
            match public {
                Some(public) => made.extend(self.make_pair(&given, &public, &hidden)?),
                None => made.push(self.make_secret(&given, &hidden)?),
            }
        }
        Ok(made)
    }

    fn view_of(&self, unique_id: &str) -> Result<Option<ObjectView>> {
        let mut wanted = Template::default();
        wanted.set(attribute::UNIQUE_ID, unique_id.as_bytes().to_vec());
        let found = self.token().find(&self.viewer()?, &wanted)?;
        found.first().map(|handle| self.view(*handle)).transpose()
    }
}

/// What makes a key like this one.
fn same_again(before: &[Template]) -> Result<Asked> {
    let missing = || Rv::TemplateIncomplete.because("the public half is not on the token");
    let (public, hidden) = match before {
        [secret] if !is_half(secret) => (None, secret),
        [public, private] => (Some(public), private),
        _ => return Err(missing()),
    };
    let key_type = hidden.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    let key_type = key_type.ok_or_else(missing)?;
    let given = maker(key_type, public.is_none())?;
    let Some(public) = public else {
        return Ok((given, None, template_of(hidden, Birth::Generate)?));
    };
    let mut described = template_of(public, Birth::GeneratePublic)?;
    if key_type == KeyType::Rsa
        && let Some(bits) = bits_of(public)
    {
        described.set(attribute::MODULUS_BITS, bits);
    }
    Ok((given, Some(described), template_of(hidden, Birth::GeneratePrivate)?))
}

fn is_half(attributes: &Template) -> bool {
    let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    key_type.is_some_and(KeyType::is_asymmetric)
}

/// What a caller would give to have such a key made: all that is neither the key itself nor
/// computed from it, and not what names this one key.
fn template_of(key: &Template, birth: Birth) -> Result<Template> {
    let mut asked = Template::default();
    for (id, value) in key.iter() {
        let is_own = [
            attribute::ID.id,
            attribute::PUBLIC_KEY_INFO.id,
            attribute::CHECK_VALUE.id,
            attribute::TRUSTED.id,
            attribute::CLAVIGER_BUNDLE.id,
        ]
        .contains(&id);
        let by_token = attribute::rule(id).is_none_or(|rule| rule.change == Change::ByToken);
        if !is_own && !by_token && is_given_at(key, id, birth) {
            asked.put(id, value.try_clone()?);
        }
    }
    Ok(asked)
}
