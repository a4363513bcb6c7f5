//! Between an object and its row: what is sealed, what is in clear, by what it is found.

use std::sync::Arc;

use crate::error::{Error, Result, Rv};
use crate::object::Object;
use crate::object::attribute;
use crate::object::class::format;
use crate::object::codec;
use crate::object::template::{Template, Value};
use crate::store::search::{self, private_rows, public_rows};
use crate::store::vault::Vault;
use crate::store::{ObjectId, Query, StoredObject, Transaction};

use super::table::{Held, Place};

/// The row of an object, sealed with the keys of the login. `transaction` will write it.
///
/// # Errors
/// `CKR_USER_NOT_LOGGED_IN` if there is something to seal and nobody is logged in.
pub(super) fn row_of(
    id: ObjectId,
    version: u64,
    attributes: &Template,
    vault: Option<&Arc<Vault>>,
    transaction: &dyn Transaction,
) -> Result<StoredObject> {
    let encoded = codec::encode(attributes)?;
    let private = attributes.is_set(attribute::PRIVATE);
    let mut row = StoredObject {
        id,
        slot: 0,
        version,
        class: attributes.require(attribute::CLASS)?,
        key_type: attributes.get(attribute::KEY_TYPE),
        private,
        clear: encoded.clear,
        sealed: Vec::new(),
        data_key: Vec::new(),
        epoch: 0,
        search: Vec::new(),
    };
    let indexed: Vec<(u64, &[u8])> = search::SEARCHABLE
        .into_iter()
        .filter_map(|id| match attributes.value(id) {
            Some(Value::Bytes(bytes)) => Some((id, bytes.as_slice())),
            _ => None,
        })
        .collect();
    let has_secrets = encoded.secret.len() > 1;
    match vault {
        Some(vault) if private || has_secrets => {
            row.search = if private { private_rows(vault, indexed)? } else { public_rows(indexed) };
            vault.seal_object(transaction, &mut row, &encoded.secret)?;
        }
        None if private || has_secrets => {
            return Err(Rv::UserNotLoggedIn.because("keys on the token need a login"));
        }
        _ => row.search = public_rows(indexed),
    }
    Ok(row)
}

/// The object of a row. Without a login its secret part stays closed.
///
/// # Errors
/// `CKR_DEVICE_ERROR` for a row that was changed outside the token.
pub(super) fn open_row(
    row: &StoredObject,
    vault: Option<&Arc<Vault>>,
    transaction: &dyn Transaction,
) -> Result<Held> {
    let is_sealed = row.private || !row.sealed.is_empty();
    let secret = match vault {
        Some(vault) if is_sealed => Some(vault.open_object(transaction, row)?),
        _ => None,
    };
    let attributes = codec::decode(&row.clear, secret.as_ref())?;
    format::check(&attributes)?;
    let complete = secret.is_some() || !is_sealed;
    if complete {
        check(row, &attributes)?;
    }
    Ok(Held {
        object: Arc::new(Object::new(attributes)),
        place: Place::Token { id: row.id, version: row.version, complete },
        private: row.private,
    })
}

/// What stands in clear in a row must say what the object says.
fn check(row: &StoredObject, attributes: &Template) -> Result<()> {
    let agrees = attributes.get(attribute::CLASS) == Some(row.class)
        && attributes.get(attribute::KEY_TYPE) == row.key_type
        && attributes.is_set(attribute::PRIVATE) == row.private;
    if agrees {
        return Ok(());
    }
    let error: Error = Rv::DeviceError.because("an object's row contradicts the object");
    Err(error)
}

/// The query for a template, and whether its hits still have to be compared with it.
///
/// # Errors
/// The vault's.
pub(super) fn query_of(wanted: &Template, vault: Option<&Vault>) -> Result<(Query, bool)> {
    let mut query = Query {
        class: wanted.get(attribute::CLASS),
        key_type: wanted.get(attribute::KEY_TYPE),
        private: wanted.get(attribute::PRIVATE),
        search: Vec::new(),
    };
    let by_row =
        [attribute::CLASS.id, attribute::KEY_TYPE.id, attribute::PRIVATE.id, attribute::TOKEN.id];
    let mut compare = false;
    for (id, value) in wanted.iter().filter(|(id, _)| !by_row.contains(id)) {
        compare = true;
        if let Value::Bytes(bytes) = value
            && let Some(candidates) = search::candidates(vault, id, bytes)?
        {
            query.search.push((id, candidates));
        }
    }
    Ok((query, compare))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{open_row, row_of};
    use crate::error::Rv;
    use crate::object::attribute;
    use crate::object::class::{Birth, Class, Context, KeyType, complete, format};
    use crate::object::template::Template;
    use crate::secret::Secret;
    use crate::store::contract::new_token;
    use crate::store::memory::Memory;
    use crate::store::{Mode, ObjectId, Store};

    /// A key whose bytes any of the formats could have.
    fn key(class: Class) -> Template {
        let mut given = Template::default();
        given.set(attribute::CLASS, class.code());
        given.set(attribute::KEY_TYPE, KeyType::MlDsa.code());
        given.set(attribute::PARAMETER_SET, crate::cryptoki::CKP_ML_DSA_44);
        given.set(attribute::TOKEN, true);
        match class {
            Class::PublicKey => given.set(attribute::VALUE, Secret::copy_of(&[7; 1312]).unwrap()),
            _ => given.set(attribute::SEED, Secret::copy_of(&[7; 32]).unwrap()),
        }
        let context = Context::STANDARD;
        complete(given, Birth::Create, &context).unwrap()
    }

    #[test]
    fn a_key_in_an_unknown_format_is_told_and_not_read() {
        let (token, vault) = new_token("0001");
        let (store, vault) = (Memory::new(token, None).unwrap(), Arc::new(vault));
        for class in [Class::PublicKey, Class::PrivateKey] {
            let mut whole = key(class);
            assert_eq!(whole.get(attribute::FORMAT), Some(format::CURRENT));
            let transaction = store.begin(Mode::Write).unwrap();
            let id = ObjectId::random().unwrap();
            let row = |whole: &Template| row_of(id, 1, whole, Some(&vault), &*transaction).unwrap();
            let opened = |whole: &Template| open_row(&row(whole), Some(&vault), &*transaction);
            assert!(opened(&whole).is_ok());
            for unknown in [0, format::CURRENT + 1, u64::MAX] {
                whole.set(attribute::FORMAT, unknown);
                let refused = opened(&whole).map(drop).unwrap_err();
                assert_eq!(refused.rv, Rv::ClavigerFormatUnknown);
                assert!(refused.why.contains(&unknown.to_string()), "{}", refused.why);
            }
            // Older than the attribute.
            whole.remove(attribute::FORMAT.id);
            assert!(opened(&whole).is_ok());
        }
    }
}
