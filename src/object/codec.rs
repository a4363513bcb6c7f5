//! Template ↔ lasting bytes.
//!
//! One version byte, then the attributes in the order of their numbers; all integers little
//! endian:
//!
//!     01
//!     03 01 00 00 00 00 00 00   number of the attribute (8 bytes)
//!     00                        kind: 0 flag, 1 number, 2 bytes, 3 secret, 4 numbers, 5 template
//!     01 00 00 00               length of the value (4 bytes)
//!     01                        the value; a template is its attributes, without version
//!
//! There is one encoding of a template and no other bytes are read. The clear part of an object
//! holds what anyone who opens the token may see, the secret part the rest: everything of a
//! private object, the secret values of others.

use super::attribute;
use super::template::{Template, Value};
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;

const VERSION: u8 = 1;
/// Number, kind and length.
const HEADER: usize = 8 + 1 + 4;

const FLAG: u8 = 0;
const NUMBER: u8 = 1;
const BYTES: u8 = 2;
const SECRET: u8 = 3;
const NUMBERS: u8 = 4;
const TEMPLATE: u8 = 5;

/// An object's attributes as bytes.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// For everyone.
    pub(crate) clear: Vec<u8>,
    /// To be sealed; no attributes (one byte) if all are clear.
    pub(crate) secret: Secret,
}

/// Encodes a whole object, split into what is clear and what is to be sealed.
///
/// # Errors
/// `CKR_HOST_MEMORY`, or `CKR_ATTRIBUTE_VALUE_INVALID` for a value of 4 GiB.
pub(crate) fn encode(attributes: &Template) -> Result<Encoded> {
    let private = attributes.is_set(attribute::PRIVATE);
    let is_clear = |value: &Value| !private && !holds_secret(value);
    let mut clear = Vec::new();
    let clear_len = 1 + entries_len(attributes, is_clear);
    clear.try_reserve_exact(clear_len).map_err(|_| Rv::HostMemory.because("encoding"))?;
    clear.resize(clear_len, 0);
    write(&mut clear, attributes, is_clear)?;
    let is_secret = |value: &Value| !is_clear(value);
    let secret = Secret::build(1 + entries_len(attributes, is_secret), |out| {
        write(out, attributes, is_secret)
    })?;
    Ok(Encoded { clear, secret })
}

/// The attributes of both parts of an object; without the secret part, of the clear one.
///
/// # Errors
/// `CKR_DEVICE_ERROR` for bytes that `encode` does not make, `CKR_HOST_MEMORY`.
pub(crate) fn decode(clear: &[u8], secret: Option<&Secret>) -> Result<Template> {
    let mut attributes = read(clear)?;
    if let Some(secret) = secret {
        for (id, value) in secret.expose(read)? {
            if attributes.contains(id) {
                return Err(damaged("an attribute in both parts"));
            }
            attributes.put(id, value);
        }
    }
    Ok(attributes)
}

fn damaged(why: &'static str) -> Error {
    Rv::DeviceError.because(format!("stored object: {why}"))
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Secret(_) => true,
        Value::Nested(template) => template.iter().any(|(_, value)| holds_secret(value)),
        Value::Bool(_) | Value::Ulong(_) | Value::Bytes(_) | Value::Ulongs(_) => false,
    }
}

fn value_len(value: &Value) -> usize {
    match value {
        Value::Bool(_) => 1,
        Value::Ulong(_) => 8,
        Value::Bytes(bytes) => bytes.len(),
        Value::Secret(secret) => secret.len(),
        Value::Ulongs(list) => list.len() * 8,
        Value::Nested(template) => entries_len(template, |_| true),
    }
}

fn entries_len(template: &Template, wanted: impl Fn(&Value) -> bool) -> usize {
    let wanted = template.iter().filter(|(_, value)| wanted(value));
    wanted.map(|(_, value)| HEADER + value_len(value)).sum()
}

/// Room that is filled from the front.
struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let room = std::mem::take(&mut self.0);
        let (front, rest) = room
            .split_at_mut_checked(bytes.len())
            .ok_or_else(|| Rv::GeneralError.because("encoding outgrew its room"))?;
        front.copy_from_slice(bytes);
        self.0 = rest;
        Ok(())
    }

    fn entries(&mut self, template: &Template, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        for (id, value) in template.iter().filter(|(_, value)| wanted(value)) {
            self.put(&id.to_le_bytes())?;
            self.put(&[match value {
                Value::Bool(_) => FLAG,
                Value::Ulong(_) => NUMBER,
                Value::Bytes(_) => BYTES,
                Value::Secret(_) => SECRET,
                Value::Ulongs(_) => NUMBERS,
                Value::Nested(_) => TEMPLATE,
            }])?;
            let len = u32::try_from(value_len(value))
                .map_err(|_| Rv::AttributeValueInvalid.because("a value of 4 GiB"))?;
            self.put(&len.to_le_bytes())?;
            self.value(value)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Bool(flag) => self.put(&[u8::from(*flag)]),
            Value::Ulong(number) => self.put(&number.to_le_bytes()),
            Value::Bytes(bytes) => self.put(bytes),
            Value::Secret(secret) => secret.expose(|bytes| self.put(bytes)),
            Value::Ulongs(list) => {
                list.iter().try_for_each(|number| self.put(&number.to_le_bytes()))
            }
            Value::Nested(template) => self.entries(template, |_| true),
        }
    }
}

fn write(out: &mut [u8], template: &Template, wanted: impl Fn(&Value) -> bool) -> Result<()> {
    let mut writer = Writer(out);
    writer.put(&[VERSION])?;
    writer.entries(template, wanted)
}

fn read(bytes: &[u8]) -> Result<Template> {
    match bytes.split_first() {
        Some((&VERSION, entries)) => read_entries(entries, true),
        Some(_) => Err(damaged("another version of the encoding")),
        None => Err(damaged("no bytes")),
    }
}

fn read_entries(mut bytes: &[u8], outermost: bool) -> Result<Template> {
    let mut template = Template::default();
    let mut last = None;
    while !bytes.is_empty() {
        let id = u64::from_le_bytes(take(&mut bytes)?);
        if last.is_some_and(|last| id <= last) {
            return Err(damaged("attributes out of order"));
        }
        last = Some(id);
        let [kind] = take(&mut bytes)?;
        let len = u32::from_le_bytes(take(&mut bytes)?);
        let (value, rest) = usize::try_from(len)
            .ok()
            .and_then(|len| bytes.split_at_checked(len))
            .ok_or_else(|| damaged("cut short"))?;
        bytes = rest;
        template.put(id, read_value(kind, value, outermost)?);
    }
    Ok(template)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (front, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("cut short"))?;
    *bytes = rest;
    Ok(*front)
}

fn read_value(kind: u8, bytes: &[u8], outermost: bool) -> Result<Value> {
    match (kind, bytes) {
        (FLAG, [0]) => Ok(Value::Bool(false)),
        (FLAG, [1]) => Ok(Value::Bool(true)),
        (NUMBER, word) => {
            let word = word.try_into().map_err(|_| damaged("a number of another length"))?;
            Ok(Value::Ulong(u64::from_le_bytes(word)))
        }
        (BYTES, bytes) => Ok(Value::Bytes(attribute::copied(bytes)?)),
        (SECRET, bytes) => Ok(Value::Secret(Secret::copy_of(bytes)?)),
        (NUMBERS, words) => {
            let (words, rest) = words.as_chunks();
            if !rest.is_empty() {
                return Err(damaged("numbers of another length"));
            }
            Ok(Value::Ulongs(words.iter().map(|word| u64::from_le_bytes(*word)).collect()))
        }
        (TEMPLATE, entries) if outermost => Ok(Value::Nested(read_entries(entries, false)?)),
        _ => Err(damaged("a value of no kind")),
    }
}
