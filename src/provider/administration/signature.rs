//! Signatures over whatever can be read, with a key in plain words: which mechanism a kind of key
//! takes, the parameters that go with it, and how certificates and openssl write the result.
//! PKCS#11 3.2, "Signing and MACing functions".

use std::io::Read;

use crate::call::{Function, Room, Written};
use crate::engine::hash::{Digest, digest};
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::mechanism::params::{Hedge, MechanismParams, Shape};
use crate::mechanism::registry::{REGISTRY, pss_numbers};
use crate::mechanism::{self, Mechanism};
use crate::object::algorithm;
use crate::object::attribute;
use crate::object::bundle::Partner;
use crate::object::class::KeyType;
use crate::object::composite::part::{ecdsa_value, raw_ecdsa};
use crate::object::composite::sets::Scheme;
use crate::object::computed::subject_public_key;
use crate::object::curve::{CurveName, curve_of};
use crate::object::spki;
use crate::object::template::Template;
use crate::provider::keys::GivenMechanism;
use crate::provider::sessions::UserType;
use crate::provider::{Call, Provider};
use crate::secret::Secret;

use super::{ObjectChoice, ObjectClass};

/// Bytes read at a time.
const PART: usize = 64 * 1024;
/// The longest input of mechanisms that take it in one part only: it is a digest, or as long as
/// an RSA key.
const LONGEST_PREPARED: u64 = 64 * 1024;

/// How a signature is made or verified.
#[derive(Clone, Copy, Default)]
pub struct SignatureChoice<'a> {
    /// The mechanism by the standard's name, with or without `CKM_`; without one, what the kind
    /// of key usually takes.
    pub mechanism: Option<&'a str>,
    /// The context, for mechanisms that have one.
    pub context: Option<&'a [u8]>,
    /// ECDSA as the standard has it, r || s, and not as DER.
    pub raw: bool,
    /// The user's PIN, for keys that want it with every use.
    pub pin: Option<&'a Secret>,
}

/// What a certificate says of the key that signs it.
#[derive(Debug)]
pub struct Signer {
    /// The DER of its SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// SHA-1 of the public key: RFC 5280, 4.2.1.2, method 1.
    pub key_identifier: Vec<u8>,
    /// The DER of the AlgorithmIdentifier of its signatures.
    pub algorithm: Vec<u8>,
    /// The mechanism that makes them.
    pub mechanism: &'static str,
    /// The key's CKA_LABEL.
    pub label: String,
    /// Its CKA_ID.
    pub id: Vec<u8>,
    /// Random bytes, for a serial number.
    pub serial: [u8; 16],
}

/// A key with what is to be done with it.
struct Chosen {
    row: &'static Mechanism,
    params: MechanismParams,
    /// Of keys whose signatures are written as DER.
    curve: Option<CurveName>,
    /// The key wants the PIN again.
    again: bool,
}

impl Provider {
    /// What a certificate says of the key that is to sign it.
    ///
    /// # Errors
    /// Those of `sign`, and `CKR_KEY_TYPE_INCONSISTENT` for what certificates have no name for.
    pub fn signer(
        &self,
        session: u64,
        choice: &ObjectChoice,
        how: &SignatureChoice<'_>,
    ) -> Result<Signer> {
        let key = self.one_key(session, choice, &[ObjectClass::PrivateKey])?;
        self.run(Function::GetAttributeValue, session, |call| {
            let held = call.object(key)?;
            let attributes = &held.object.attributes;
            let row = row_for(how.mechanism, attributes, false)?;
            let text = |bytes: Option<&[u8]>| bytes.unwrap_or_default().to_vec();
            let info = text(attributes.get(attribute::PUBLIC_KEY_INFO));
            let bits = subject_public_key(&info).ok_or_else(|| {
                Rv::KeyTypeInconsistent.because("the public key is not known on the token")
            })?;
            Ok(Signer {
                key_identifier: digest(Digest::Sha1, bits),
                algorithm: algorithm::identifier(scheme_of(row), attributes)?,
                mechanism: row.name,
                label: String::from_utf8_lossy(&text(attributes.get(attribute::LABEL)))
                    .into_owned(),
                id: text(attributes.get(attribute::ID)),
                serial: random::array()?,
                public_key: info,
            })
        })
    }

    /// Signs all that can be read.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID` if no key is meant, `CKR_TEMPLATE_INCONSISTENT` if several are;
    /// those of C_Sign; `CKR_FUNCTION_FAILED` if the input cannot be read.
    pub fn sign(
        &self,
        session: u64,
        choice: &ObjectChoice,
        how: &SignatureChoice<'_>,
        input: &mut dyn Read,
    ) -> Result<Vec<u8>> {
        let classes = [ObjectClass::PrivateKey, ObjectClass::SecretKey];
        let key = self.one_key(session, choice, &classes)?;
        let chosen = self.chosen(session, key, how)?;
        self.run(Function::SignInit, session, |call| call.sign_init(Some(chosen.given()), key))?;
        if let Some(pin) = how.pin.filter(|_| chosen.again) {
            let again = UserType::ContextSpecific;
            self.run(Function::Login, session, |call| call.login(again, pin))?;
        }
        let signature = if chosen.row.one_part {
            let data = prepared(input)?;
            self.output(session, Function::Sign, |call, room| call.sign(&data, room))?
        } else {
            each_part(input, |part| {
                self.run(Function::SignUpdate, session, |call| call.sign_update(part))
            })?;
            self.output(session, Function::SignFinal, |call, room| call.sign_final(room))?
        };
        Ok(match chosen.curve {
            Some(_) if !how.raw => ecdsa_value(&signature),
            _ => signature,
        })
    }

    /// Verifies a signature of all that can be read, with a key of the token or with the public
    /// key in a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// As `sign`; `CKR_SIGNATURE_INVALID`, `CKR_SIGNATURE_LEN_RANGE`, those of C_Verify.
    pub fn verify(
        &self,
        session: u64,
        by: Verifier<'_>,
        how: &SignatureChoice<'_>,
        (input, signature): (&mut dyn Read, &[u8]),
    ) -> Result<()> {
        let key = match by {
            Verifier::Key(choice) => {
                let classes = [ObjectClass::PublicKey, ObjectClass::SecretKey];
                self.one_key(session, choice, &classes)?
            }
            Verifier::PublicKey(info) => self.passing_key(session, info)?,
        };
        let chosen = self.chosen(session, key, how)?;
        let bare = match chosen.curve {
            Some(CurveName::Weierstrass(curve)) if !how.raw => raw_ecdsa(curve, signature)
                .ok_or_else(|| Rv::SignatureInvalid.because("not the DER of an ECDSA signature"))?,
            _ => signature.to_vec(),
        };
        self.run(Function::VerifyInit, session, |call| {
            call.verify_init(Some(chosen.given()), key)
        })?;
        if chosen.row.one_part {
            let data = prepared(input)?;
            return self.run(Function::Verify, session, |call| call.verify(&data, &bare));
        }
        each_part(input, |part| {
            self.run(Function::VerifyUpdate, session, |call| call.verify_update(part))
        })?;
        self.run(Function::VerifyFinal, session, |call| call.verify_final(&bare))
    }

    /// A public key that goes with the session.
    fn passing_key(&self, session: u64, info: &[u8]) -> Result<u64> {
        let mut template = spki::decode(info)?;
        template.set(attribute::TOKEN, false);
        template.set(attribute::VERIFY, true);
        self.run(Function::CreateObject, session, |call| call.create_object(template))
    }

    /// The one key of these classes that is meant.
    fn one_key(&self, session: u64, choice: &ObjectChoice, classes: &[ObjectClass]) -> Result<u64> {
        let mut found = Vec::new();
        for class in classes.iter().filter(|own| choice.class.is_none_or(|it| it == **own)) {
            let choice = ObjectChoice { class: Some(*class), ..choice.clone() };
            found.extend(self.handles(session, &choice)?);
        }
        match found.as_slice() {
            [one] => Ok(*one),
            [] if classes.contains(&ObjectClass::PublicKey) => {
                Err(Rv::ObjectHandleInvalid.because("no public or secret key matches"))
            }
            [] => Err(Rv::ObjectHandleInvalid.because("no private or secret key matches")),
            several => {
                let why = format!("{} keys match", several.len());
                Err(Rv::TemplateInconsistent.because(why))
            }
        }
    }

    fn chosen(&self, session: u64, key: u64, how: &SignatureChoice<'_>) -> Result<Chosen> {
        self.run(Function::GetAttributeValue, session, |call| {
            let held = call.object(key)?;
            let attributes = &held.object.attributes;
            let row = row_for(how.mechanism, attributes, true)?;
            let is_ec = row.key_types == [KeyType::Ec];
            let curve = attributes.get(attribute::EC_PARAMS).filter(|_| is_ec);
            Ok(Chosen {
                row,
                params: params_for(row, how.context)?,
                curve: curve.map(curve_of).transpose()?,
                again: attributes.is_set(attribute::ALWAYS_AUTHENTICATE),
            })
        })
    }

    /// Asks for the length, then for the bytes.
    fn output(
        &self,
        session: u64,
        function: Function,
        make: impl Fn(&Call<'_>, Room<'_>) -> Result<Written>,
    ) -> Result<Vec<u8>> {
        let asked = self.run(function, session, |call| make(call, Room::LengthQuery))?;
        let Written::Length(needed) = asked else {
            return Err(Rv::GeneralError.because("a length query without a length"));
        };
        let mut bytes = vec![0; needed];
        match self.run(function, session, |call| make(call, Room::Bytes(&mut bytes)))? {
            Written::Bytes(len) => bytes.truncate(len),
            _ => return Err(Rv::GeneralError.because("less room than was asked for")),
        }
        Ok(bytes)
    }
}

/// What a signature is verified with.
#[derive(Clone, Copy)]
pub enum Verifier<'a> {
    /// A key of the token.
    Key(&'a ObjectChoice),
    /// The DER of a SubjectPublicKeyInfo.
    PublicKey(&'a [u8]),
}

impl Chosen {
    fn given(&self) -> GivenMechanism {
        GivenMechanism { id: self.row.id, params: self.params.clone() }
    }
}

/// The mechanism that was asked for, or the usual one of a kind of key.
fn row_for(asked: Option<&str>, key: &Template, bundles: bool) -> Result<&'static Mechanism> {
    let Some(asked) = asked else { return usual(key, bundles) };
    let upper = asked.to_ascii_uppercase();
    let name = if upper.starts_with("CKM_") { upper } else { format!("CKM_{upper}") };
    let row = mechanism::named(&name).filter(|row| row.sign.is_some() || row.sign_bundle.is_some());
    row.ok_or_else(|| {
        Rv::MechanismInvalid.because(format!("{name} is no mechanism that signs here"))
    })
}

fn usual(key: &Template, bundles: bool) -> Result<&'static Mechanism> {
    let key_type = key.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
    let nothing = || Rv::KeyTypeInconsistent.because("such keys do not sign");
    let name = match key_type.ok_or_else(nothing)? {
        _ if bundles && Partner::named_by(key)?.is_some() => "CKM_CLAVIGER_BUNDLE",
        KeyType::Rsa => "CKM_SHA256_RSA_PKCS",
        KeyType::Ec => match curve_of(key.require(attribute::EC_PARAMS)?)? {
            CurveName::Weierstrass(curve) => match algorithm::usual_hash(curve) {
                Digest::Sha256 => "CKM_ECDSA_SHA256",
                Digest::Sha384 => "CKM_ECDSA_SHA384",
                _ => "CKM_ECDSA_SHA512",
            },
            _ => return Err(nothing()),
        },
        KeyType::EcEdwards => "CKM_EDDSA",
        KeyType::MlDsa => "CKM_ML_DSA",
        KeyType::SlhDsa => "CKM_SLH_DSA",
        KeyType::CompSig => "CKM_COMP_SIG",
        KeyType::GenericSecret => "CKM_SHA256_HMAC",
        KeyType::Aes => "CKM_AES_CMAC",
        KeyType::Poly1305 => "CKM_POLY1305",
        other => return usual_mac(other).ok_or_else(nothing),
    };
    mechanism::named(name).ok_or_else(nothing)
}

/// The full-length MAC of keys that are for one only.
fn usual_mac(key_type: KeyType) -> Option<&'static Mechanism> {
    let is_for = |row: &&Mechanism| row.key_types == [KeyType::GenericSecret, key_type];
    REGISTRY.iter().filter(is_for).find(|row| row.sign.is_some() && row.shape == Shape::None)
}

/// The parameter that goes with a mechanism.
fn params_for(row: &Mechanism, context: Option<&[u8]>) -> Result<MechanismParams> {
    match (row.shape, context) {
        (Shape::OptionalEddsa, Some(context)) => {
            Ok(MechanismParams::Eddsa { prehash: false, context: context.to_vec() })
        }
        (Shape::OptionalSignContext, Some(context)) => {
            let context = context.to_vec();
            Ok(MechanismParams::SignContext { hedge: Hedge::Preferred, context })
        }
        (_, Some(_)) => {
            let why = format!("{} takes no context", row.name);
            Err(Rv::MechanismParamInvalid.because(why))
        }
        (Shape::None | Shape::OptionalEddsa | Shape::OptionalSignContext, None) => {
            Ok(MechanismParams::None)
        }
        (Shape::Pss, None) => pss(row),
        (_, None) => {
            let why = format!("{} takes a parameter that cannot be given here", row.name);
            Err(Rv::MechanismParamInvalid.because(why))
        }
    }
}

/// PSS with one hash for message and mask, and a salt of its length.
fn pss(row: &Mechanism) -> Result<MechanismParams> {
    let Some(Scheme::Pss(digest)) = scheme_of(row) else {
        let why = format!("{} does not name a hash; CKM_SHA256_RSA_PKCS_PSS does", row.name);
        return Err(Rv::MechanismParamInvalid.because(why));
    };
    let numbers = pss_numbers(digest);
    let (hash, mgf) = numbers.ok_or_else(|| Rv::MechanismParamInvalid.because("hash of PSS"))?;
    let salt_len = u64::try_from(digest.len()).unwrap_or_default();
    Ok(MechanismParams::Pss { hash, mgf, salt_len })
}

/// Scheme and hash, as the names of mechanisms with a hash have them.
fn scheme_of(row: &Mechanism) -> Option<Scheme> {
    let name = row.name.strip_prefix("CKM_")?;
    if let Some(hash) = name.strip_prefix("ECDSA_") {
        return hash_named(hash).map(Scheme::Ecdsa);
    }
    match name.strip_suffix("_RSA_PKCS_PSS") {
        Some(hash) => hash_named(hash).map(Scheme::Pss),
        None => hash_named(name.strip_suffix("_RSA_PKCS")?).map(Scheme::Pkcs1),
    }
}

fn hash_named(name: &str) -> Option<Digest> {
    Some(match name {
        "SHA224" => Digest::Sha224,
        "SHA256" => Digest::Sha256,
        "SHA384" => Digest::Sha384,
        "SHA512" => Digest::Sha512,
        "SHA3_224" => Digest::Sha3_224,
        "SHA3_256" => Digest::Sha3_256,
        "SHA3_384" => Digest::Sha3_384,
        "SHA3_512" => Digest::Sha3_512,
        _ => return None,
    })
}

fn each_part(input: &mut dyn Read, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut part = vec![0; PART];
    loop {
        match input.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(len) => take(part.get(..len).unwrap_or_default())?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

/// All of an input that the caller has hashed already.
fn prepared(input: &mut dyn Read) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    let read = input.take(LONGEST_PREPARED + 1).read_to_end(&mut data);
    read.map_err(|error| unreadable(&error))?;
    if data.len() as u64 > LONGEST_PREPARED {
        return Err(Rv::DataLenRange.because("the mechanism signs a digest, not a message"));
    }
    Ok(data)
}

fn unreadable(error: &std::io::Error) -> Error {
    Rv::FunctionFailed.because(format!("the input cannot be read: {error}"))
}
