//! What the commands show of tokens and objects. The field names are the JSON's and stay:
//! docs/cli.md lists them. URIs follow RFC 7512.

use std::collections::BTreeMap;
use std::str::FromStr;

use claviger::provider::offers::PolicyView;
use serde::{Serialize, Serializer};

/// How a PIN stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PinState {
    NotSet,
    Ok,
    CountLow,
    FinalTry,
    Locked,
}

impl PinState {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::NotSet => "not set",
            Self::Ok => "ok",
            Self::CountLow => "wrong PINs were given",
            Self::FinalTry => "one try left",
            Self::Locked => "locked",
        }
    }
}

/// A slot and its token.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SlotView {
    pub(crate) slot: u64,
    /// False: the token in the slot waits to be initialised, or cannot be used.
    pub(crate) initialized: bool,
    pub(crate) label: String,
    pub(crate) serial: String,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) write_protected: bool,
    /// Why the token cannot be used, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) user_pin: PinState,
    pub(crate) so_pin: PinState,
    /// RFC 7512.
    pub(crate) uri: String,
}

/// What `token show --json` prints.
#[derive(Serialize)]
pub(crate) struct ShownToken {
    #[serde(flatten)]
    token: SlotView,
    policy: ShownPolicy,
}

#[derive(Serialize)]
struct ShownPolicy {
    mechanisms: usize,
    not_offered: Vec<&'static str>,
    least_bits: BTreeMap<&'static str, u32>,
}

impl ShownToken {
    pub(crate) fn of(token: SlotView, policy: &PolicyView) -> Self {
        let kind = |setting: &'static str| {
            let name = setting.strip_prefix("policy.").unwrap_or(setting);
            name.strip_suffix("_bits").unwrap_or(name)
        };
        let policy = ShownPolicy {
            mechanisms: policy.offered,
            not_offered: policy.withheld.clone(),
            least_bits: policy.least.iter().map(|(key, bits)| (kind(key), *bits)).collect(),
        };
        Self { token, policy }
    }
}

impl SlotView {
    /// The token's name in messages; one that cannot be used does not tell its label.
    pub(crate) fn name(&self) -> String {
        match self.error {
            None => format!("token \"{}\"", self.label),
            Some(_) => format!("token {}", self.serial),
        }
    }

    pub(crate) fn make_uri(&mut self) {
        self.uri = format!("pkcs11:{}", self.token_path());
    }

    fn token_path(&self) -> String {
        format!(
            "model={};manufacturer={};serial={};token={}",
            percent(self.model.as_bytes()),
            percent(self.manufacturer.as_bytes()),
            percent(self.serial.as_bytes()),
            percent(self.label.as_bytes())
        )
    }
}

/// An object of a token.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ObjectView {
    pub(crate) unique_id: String,
    pub(crate) class: Class,
    /// `rsa`, `ec`, `ed25519`, `aes`, `generic`, `hmac`; nothing for data and certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_type: Option<&'static str>,
    /// The key's size in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bits: Option<u64>,
    /// What `key generate` makes such keys of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) algorithm: Option<String>,
    pub(crate) label: String,
    #[serde(serialize_with = "as_hex")]
    pub(crate) id: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) local: Option<bool>,
    /// The unique id of the other key of a bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bundled_with: Option<String>,
    pub(crate) private: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sensitive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extractable: Option<bool>,
    /// What the object says that it may be used for: `sign`, `verify`, `encrypt`, …
    pub(crate) usage: Vec<&'static str>,
    /// RFC 7512.
    pub(crate) uri: String,
}

impl ObjectView {
    /// Type and size as one word: `rsa:2048`, `ec:p256`.
    pub(crate) fn kind(&self) -> String {
        match (&self.algorithm, self.key_type, self.bits) {
            (Some(algorithm), _, _) => algorithm.clone(),
            (None, None, _) => String::new(),
            (None, Some(kind), Some(bits)) => format!("{kind}:{bits}"),
            (None, Some(kind), None) => kind.to_owned(),
        }
    }

    pub(crate) fn make_uri(&mut self, of: &SlotView) {
        let mut uri = format!("pkcs11:{}", of.token_path());
        if !self.id.is_empty() {
            uri += &format!(";id={}", every_byte(&self.id));
        }
        if !self.label.is_empty() {
            uri += &format!(";object={}", percent(self.label.as_bytes()));
        }
        if let Some(kind) = self.class.uri_type() {
            uri += &format!(";type={kind}");
        }
        self.uri = uri;
    }
}

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    Data,
    Certificate,
    PublicKey,
    PrivateKey,
    SecretKey,
    OtpKey,
    /// Something this version does not know.
    #[value(skip)]
    Other,
}

impl Class {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Certificate => "certificate",
            Self::PublicKey => "public-key",
            Self::PrivateKey => "private-key",
            Self::SecretKey => "secret-key",
            Self::OtpKey => "otp-key",
            Self::Other => "other",
        }
    }

    /// The class that a URI calls so.
    pub(crate) fn of_uri_type(name: &str) -> Option<Self> {
        [Self::Data, Self::Certificate, Self::PublicKey, Self::PrivateKey, Self::SecretKey]
            .into_iter()
            .find(|class| class.uri_type() == Some(name))
    }

    /// Whether it is one of the classes of keys.
    pub(crate) const fn is_key(self) -> bool {
        matches!(self, Self::PublicKey | Self::PrivateKey | Self::SecretKey | Self::OtpKey)
    }

    const fn uri_type(self) -> Option<&'static str> {
        match self {
            Self::Data => Some("data"),
            Self::Certificate => Some("cert"),
            Self::PublicKey => Some("public"),
            Self::PrivateKey => Some("private"),
            Self::SecretKey => Some("secret-key"),
            // RFC 7512 has no word for it.
            Self::OtpKey | Self::Other => None,
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id on the command line: hexadecimal digits, colons between them are allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HexId(pub(crate) Vec<u8>);

impl FromStr for HexId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "an id is an even number of hexadecimal digits";
        let digits: String = text.chars().filter(|letter| *letter != ':').collect();
        if digits.is_empty() || !digits.len().is_multiple_of(2) || !is_hexadecimal(&digits) {
            return Err(wrong);
        }
        (0..digits.len())
            .step_by(2)
            .map(|at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(wrong)
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|letter| letter.is_ascii_hexdigit())
}

#[allow(clippy::ptr_arg, reason = "the shape that serde asks for")]
fn as_hex<S: Serializer>(bytes: &Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

/// RFC 7512, 2.3: unreserved characters as they are, all others as %XX.
fn percent(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(*byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(letter).collect()
}

fn every_byte(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_ids_are_read_with_and_without_colons() {
        let read = |text: &str| text.parse::<HexId>().map(|id| id.0);
        assert_eq!(read("01aBff"), Ok(vec![1, 0xab, 0xff]));
        assert_eq!(read("01:ab"), Ok(vec![1, 0xab]));
        for wrong in ["", ":", "1", "0g", "+1", "ü", "0 "] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn uris_are_quoted() {
        assert_eq!(percent("My token;é~".as_bytes()), "My%20token%3B%C3%A9~");
        assert_eq!(every_byte(b"a\x01"), "%61%01");
    }
}
