//! Keys and certificates that come from outside: PKCS#8, SubjectPublicKeyInfo, X.509. A private
//! key comes with its public half, both in one transaction. PKCS#11 3.2, "C_CreateObject".

use crate::call::Function;
use crate::error::{Result, Rv};
use crate::mechanism::wrapping;
use crate::object::attribute;
use crate::object::class::{Birth, Class, KeyType, Species, X_509, complete};
use crate::object::spki;
use crate::object::template::Template;
use crate::provider::{Call, Provider};
use crate::secret::Secret;

use super::new_key::{grant, named};
use super::{Naming, ObjectChoice, ObjectClass, ObjectView};

/// A certificate with what its attributes repeat of it, all DER.
#[derive(Clone, Copy, Debug)]
pub struct NewCertificate<'a> {
    /// The whole certificate.
    pub value: &'a [u8],
    /// The subject's name.
    pub subject: &'a [u8],
    /// The issuer's name.
    pub issuer: &'a [u8],
    /// The serial number.
    pub serial: &'a [u8],
    /// The SubjectPublicKeyInfo.
    pub public_key: &'a [u8],
    /// Whether it says that its key issues certificates.
    pub is_authority: bool,
}

impl Provider {
    /// Takes in a private key, PrivateKeyInfo of RFC 5958, and its public half.
    ///
    /// # Errors
    /// `CKR_WRAPPED_KEY_INVALID` for what is no such key; those of C_CreateObject.
    pub fn import_private(
        &self,
        session: u64,
        key: Secret,
        naming: &Naming<'_>,
    ) -> Result<Vec<ObjectView>> {
        let species = Species { class: Class::PrivateKey, key_type: None };
        let made = wrapping::attributes_of(species, key)?;
        self.run(Function::CreateObject, session, |call| {
            let (mut public, mut hidden) = named(naming)?;
            grant(&mut public, &mut hidden, type_of(&made)?);
            merge(&mut hidden, made);
            let hidden = call.completed(hidden)?;
            let info = hidden.get(attribute::PUBLIC_KEY_INFO).filter(|info| !info.is_empty());
            let info = info.ok_or_else(|| Rv::GeneralError.because("no public half"))?;
            merge(&mut public, spki::decode(info)?);
            let public = call.completed(public)?;
            call.take_in(vec![public, hidden])
        })
    }

    /// Takes in a public key, SubjectPublicKeyInfo of RFC 5280.
    ///
    /// # Errors
    /// `CKR_ATTRIBUTE_VALUE_INVALID` for what is no such key; those of C_CreateObject.
    pub fn import_public(
        &self,
        session: u64,
        info: &[u8],
        naming: &Naming<'_>,
    ) -> Result<Vec<ObjectView>> {
        let made = spki::decode(info)?;
        self.run(Function::CreateObject, session, |call| {
            let (mut public, mut none) = named(naming)?;
            grant(&mut public, &mut none, type_of(&made)?);
            merge(&mut public, made);
            call.take_in(vec![call.completed(public)?])
        })
    }

    /// Takes in a certificate.
    ///
    /// # Errors
    /// Those of C_CreateObject.
    pub fn import_certificate(
        &self,
        session: u64,
        certificate: &NewCertificate<'_>,
        naming: &Naming<'_>,
    ) -> Result<Vec<ObjectView>> {
        /// `CK_CERTIFICATE_CATEGORY_AUTHORITY`, and nothing said.
        const CATEGORIES: (u64, u64) = (2, 0);
        let category = if certificate.is_authority { CATEGORIES.0 } else { CATEGORIES.1 };
        let mut made = named(naming)?.0;
        made.set(attribute::CLASS, Class::Certificate.code());
        made.set(attribute::CERTIFICATE_TYPE, X_509);
        made.set(attribute::CERTIFICATE_CATEGORY, category);
        made.set(attribute::SUBJECT, certificate.subject.to_vec());
        made.set(attribute::ISSUER, certificate.issuer.to_vec());
        made.set(attribute::SERIAL_NUMBER, certificate.serial.to_vec());
        made.set(attribute::PUBLIC_VALUE, certificate.value.to_vec());
        made.set(attribute::PUBLIC_KEY_INFO, certificate.public_key.to_vec());
        self.run(Function::CreateObject, session, |call| call.take_in(vec![call.completed(made)?]))
    }

    /// The certificates that match, with the DER of each.
    ///
    /// # Errors
    /// Those of C_FindObjects and C_GetAttributeValue.
    pub fn certificates(
        &self,
        session: u64,
        choice: &ObjectChoice,
    ) -> Result<Vec<(ObjectView, Vec<u8>)>> {
        if choice.class.is_some_and(|class| class != ObjectClass::Certificate) {
            return Ok(Vec::new());
        }
        let choice = ObjectChoice { class: Some(ObjectClass::Certificate), ..choice.clone() };
        let handles = self.handles(session, &choice)?;
        self.run(Function::GetAttributeValue, session, |call| {
            let one = |handle| {
                let held = call.object(handle)?;
                let value = held.object.attributes.get(attribute::PUBLIC_VALUE);
                Ok((call.view(handle)?, value.unwrap_or_default().to_vec()))
            };
            handles.into_iter().map(one).collect()
        })
    }

    /// The `CKA_ID` of the keys with this public key, if one has it.
    ///
    /// # Errors
    /// Those of C_FindObjects and C_GetAttributeValue.
    pub fn id_of_key(&self, session: u64, public_key: &[u8]) -> Result<Option<Vec<u8>>> {
        for class in [ObjectClass::PrivateKey, ObjectClass::PublicKey] {
            let choice = ObjectChoice { class: Some(class), ..ObjectChoice::default() };
            let handles = self.handles(session, &choice)?;
            let found = self.run(Function::GetAttributeValue, session, |call| {
                for handle in handles {
                    let held = call.object(handle)?;
                    let attributes = &held.object.attributes;
                    if attributes.get(attribute::PUBLIC_KEY_INFO) == Some(public_key) {
                        return Ok(attributes.get(attribute::ID).map(<[u8]>::to_vec));
                    }
                }
                Ok(None)
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl Call<'_> {
    /// All attributes of an object that comes from outside.
    fn completed(&self, template: Template) -> Result<Template> {
        let viewer = self.viewer()?;
        let whole = complete(template, Birth::Create, &self.token().context(&viewer, None))?;
        self.token().check_write(&viewer, &whole)?;
        Ok(whole)
    }

    fn take_in(&self, all: Vec<Template>) -> Result<Vec<ObjectView>> {
        let handles = self.token().add_all(&self.viewer()?, all)?;
        handles.into_iter().map(|handle| self.view(handle)).collect()
    }
}

fn type_of(made: &Template) -> Result<KeyType> {
    KeyType::from_code(made.require(attribute::KEY_TYPE)?)
        .ok_or_else(|| Rv::GeneralError.because("a key of no type"))
}

/// What was read is written over what was said.
fn merge(into: &mut Template, read: Template) {
    for (id, value) in read {
        into.put(id, value);
    }
}
