//! `pkcs11:` URIs as names of tokens and objects. RFC 7512, sections 2.3 and 2.4.
//!
//! What is not understood is refused, so that a URI never means more than it says.

use crate::view::{Class, SlotView};

/// What a URI asks of a token and of an object on it. All that is there must match.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Uri {
    token: Option<String>,
    serial: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    slot: Option<u64>,
    pub(crate) object: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) class: Option<Class>,
}

impl Uri {
    /// Reads a URI; the other text says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let path = strip_scheme(text).ok_or("it does not begin with pkcs11:")?;
        if path.contains('?') {
            return Err("query attributes are not taken; give the PIN with --pin-file".to_owned());
        }
        let mut uri = Self::default();
        let mut seen = Vec::new();
        for attribute in path.split(';').filter(|_| !path.is_empty()) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or_else(|| format!("\"{attribute}\" is not written NAME=VALUE"))?;
            if seen.contains(&name) {
                return Err(format!("it has \"{name}\" twice"));
            }
            seen.push(name);
            uri.take(
                name,
                &decoded(value).ok_or_else(|| format!("\"{name}\" is not well quoted"))?,
            )?;
        }
        Ok(uri)
    }

    fn take(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        let text = || {
            let text = String::from_utf8(value.to_vec());
            text.map_err(|_| format!("the value of \"{name}\" is not UTF-8"))
        };
        match name {
            "token" => self.token = Some(text()?),
            "serial" => self.serial = Some(text()?),
            "manufacturer" => self.manufacturer = Some(text()?),
            "model" => self.model = Some(text()?),
            "object" => self.object = Some(text()?),
            "id" => self.id = Some(value.to_vec()),
            "slot-id" => {
                let number = text()?.parse().ok();
                self.slot = Some(number.ok_or("the value of \"slot-id\" is no number")?);
            }
            "type" => {
                let class = Class::of_uri_type(&text()?);
                self.class = Some(class.ok_or(
                    "\"type\" is none of public, private, cert, \
                                               secret-key and data",
                )?);
            }
            _ => return Err(format!("\"{name}\" is not understood")),
        }
        Ok(())
    }

    /// Whether the token in a slot is meant.
    pub(crate) fn fits(&self, slot: &SlotView) -> bool {
        let fits =
            |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|wanted| wanted == own);
        fits(&self.token, &slot.label)
            && fits(&self.serial, &slot.serial)
            && fits(&self.manufacturer, &slot.manufacturer)
            && fits(&self.model, &slot.model)
            && self.slot.is_none_or(|number| number == slot.slot)
    }
}

/// What follows the scheme, which is written in any case of letters.
pub(crate) fn strip_scheme(text: &str) -> Option<&str> {
    const SCHEME: &str = "pkcs11:";
    let (scheme, path) = text.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(path)
}

/// RFC 7512, 2.3: the characters that may stand for themselves in a value, and %XX.
fn decoded(text: &str) -> Option<Vec<u8>> {
    const PLAIN: &[u8] = b"-._~:[]@!$'()*+,=&";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&letter, after)) = rest.split_first() {
        rest = after;
        if letter == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else if letter.is_ascii_alphanumeric() || PLAIN.contains(&letter) {
            bytes.push(letter);
        } else {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_uri_says_is_taken_and_quoting_undone() {
        let uri =
            Uri::parse("pkcs11:token=My%20token;object=a%3Bb;id=%01%ab;type=private").unwrap();
        assert_eq!(uri.token.as_deref(), Some("My token"));
        assert_eq!(uri.object.as_deref(), Some("a;b"));
        assert_eq!(uri.id, Some(vec![1, 0xab]));
        assert_eq!(uri.class, Some(Class::PrivateKey));
        assert_eq!(Uri::parse("PKCS11:"), Ok(Uri::default()));
        assert_eq!(Uri::parse("pkcs11:id=ab").unwrap().id, Some(b"ab".to_vec()));
        assert_eq!(Uri::parse("pkcs11:slot-id=3").unwrap().slot, Some(3));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            "http:token=a",
            "pkcs11",
            "pkcs11:token",
            "pkcs11:token=a;token=b",
            "pkcs11:token=a;",
            "pkcs11:colour=red",
            "pkcs11:library-version=3",
            "pkcs11:token=a%2",
            "pkcs11:token=a%zz",
            "pkcs11:token=a%+1",
            "pkcs11:token=a b",
            "pkcs11:token=%ff",
            "pkcs11:type=key",
            "pkcs11:slot-id=x",
            "pkcs11:token=a?pin-value=1234",
        ] {
            assert!(Uri::parse(wrong).is_err(), "{wrong}");
        }
    }
}
