//! Keys and other objects of tokens, as the commands ask for them.

use claviger::provider::administration::{self, ObjectChoice, ObjectClass};
use claviger::secret::Secret;
use claviger::session::state::Access;

use super::{Library, NewKey, Role, Selector};
use crate::failure::Failure;
use crate::view::{Class, ObjectView, SlotView};

impl Library {
    /// Makes a key or a key pair on the token; gives the objects.
    pub(crate) fn generate_key(
        &self,
        slot: u64,
        pin: &Secret,
        key: &NewKey<'_>,
    ) -> Result<Vec<ObjectView>, Failure> {
        let made = self.logged_in(slot, Role::User, pin, |session| {
            self.provider.make_key(session, key.algorithm, &key.naming)
        })?;
        Ok(self.views(slot, made))
    }

    /// The objects that match; without a PIN the public ones.
    pub(crate) fn list_objects(
        &self,
        slot: u64,
        pin: Option<&Secret>,
        selector: &Selector,
    ) -> Result<Vec<ObjectView>, Failure> {
        let choice = choice_of(selector);
        let list = |session| self.provider.objects(session, &choice);
        let found = match pin {
            None => self.in_session(slot, Access::ReadOnly, list)?,
            Some(pin) => self.logged_in(slot, Role::User, pin, list)?,
        };
        Ok(self.views(slot, found))
    }

    /// Makes the next version of the key with a label.
    pub(crate) fn rotate_key(
        &self,
        slot: u64,
        pin: &Secret,
        (label, operation): (&str, &str),
        kind: Option<administration::NewKey>,
    ) -> Result<(u64, Vec<ObjectView>, bool), Failure> {
        let done = self.logged_in(slot, Role::User, pin, |session| {
            self.provider.rotate_key(session, label, kind, operation)
        })?;
        Ok((done.version, self.views(slot, done.objects), done.was_done))
    }

    /// The public keys of the objects that match, as PEM.
    pub(crate) fn public_keys(
        &self,
        slot: u64,
        pin: Option<&Secret>,
        selector: &Selector,
    ) -> Result<Vec<String>, Failure> {
        let choice = choice_of(selector);
        let list = |session| self.provider.public_keys(session, &choice);
        match pin {
            None => Ok(self.in_session(slot, Access::ReadOnly, list)?),
            Some(pin) => self.logged_in(slot, Role::User, pin, list),
        }
    }

    /// Deletes the objects with these unique ids; tells how many there were.
    pub(crate) fn delete_objects(
        &self,
        slot: u64,
        pin: &Secret,
        unique_ids: &[&str],
    ) -> Result<usize, Failure> {
        self.logged_in(slot, Role::User, pin, |session| {
            let mut count = 0;
            for unique_id in unique_ids {
                let unique_id = Some((*unique_id).to_owned());
                let choice = ObjectChoice { unique_id, ..ObjectChoice::default() };
                count += self.provider.destroy_objects(session, &choice)?;
            }
            Ok(count)
        })
    }

    pub(super) fn views(
        &self,
        slot: u64,
        found: Vec<administration::ObjectView>,
    ) -> Vec<ObjectView> {
        let token = self.slot(slot);
        found.into_iter().map(|object| view(object, &token)).collect()
    }
}

fn view(object: administration::ObjectView, token: &SlotView) -> ObjectView {
    let mut view = ObjectView {
        unique_id: object.unique_id,
        class: match object.class {
            Some(ObjectClass::Data) => Class::Data,
            Some(ObjectClass::Certificate) => Class::Certificate,
            Some(ObjectClass::PublicKey) => Class::PublicKey,
            Some(ObjectClass::PrivateKey) => Class::PrivateKey,
            Some(ObjectClass::SecretKey) => Class::SecretKey,
            Some(ObjectClass::OtpKey) => Class::OtpKey,
            None => Class::Other,
        },
        key_type: object.key_type,
        bits: object.bits,
        algorithm: object.algorithm,
        label: object.label,
        id: object.id,
        version: object.version,
        start_date: object.start_date,
        end_date: object.end_date,
        local: object.local,
        bundled_with: object.bundled_with,
        private: object.private,
        sensitive: object.sensitive,
        extractable: object.extractable,
        usage: object.usage,
        uri: String::new(),
    };
    view.make_uri(token);
    view
}

pub(super) fn choice_of(selector: &Selector) -> ObjectChoice {
    ObjectChoice {
        class: selector.class.and_then(class),
        label: selector.label.clone(),
        id: selector.id.clone(),
        unique_id: selector.unique_id.clone(),
    }
}

const fn class(class: Class) -> Option<ObjectClass> {
    match class {
        Class::Data => Some(ObjectClass::Data),
        Class::Certificate => Some(ObjectClass::Certificate),
        Class::PublicKey => Some(ObjectClass::PublicKey),
        Class::PrivateKey => Some(ObjectClass::PrivateKey),
        Class::SecretKey => Some(ObjectClass::SecretKey),
        Class::OtpKey => Some(ObjectClass::OtpKey),
        Class::Other => None,
    }
}
