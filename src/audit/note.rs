//! Signed notes: text, a blank line, and lines of signatures by named keys.
//!
//! Signatures by keys that nobody asks about are ignored, as the format wants it, so that
//! witnesses can add theirs. A signature that claims to be by a known key and does not hold
//! makes the note invalid. C2SP signed-note v1.0.0.

use std::fmt;

use super::{base64, cosignature};
use crate::engine::EngineError;
use crate::engine::ed25519::{Ed25519Private, Ed25519Public};
use crate::engine::hash::sha256;
use crate::engine::ml_dsa;
use crate::error::{Error, Rv};
use crate::secret::Secret;

const ED25519: u8 = 0x01;
const ED25519_COSIGNER: u8 = 0x04;
const ML_DSA_44: u8 = 0x06;
/// Limits on what is read: notes of logs are a few lines.
const LONGEST: usize = 1 << 20;
const MOST_SIGNATURES: usize = 128;

/// Why a note, a checkpoint or a proof is no good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoteError {
    /// It is not written as its standard says.
    Malformed(&'static str),
    /// A name or a key that cannot stand in a note.
    Key(&'static str),
    /// No signature is by a key that was asked about.
    Unsigned,
    /// A signature by this key does not hold.
    Invalid(String),
    /// The signatures hold, but it is about another log.
    Origin(String),
    /// The proof does not hold.
    Proof,
    /// No memory, or the primitive failed.
    Engine(&'static str),
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) | Self::Key(why) | Self::Engine(why) => f.write_str(why),
            Self::Unsigned => f.write_str("no signature by a known key"),
            Self::Invalid(name) => write!(f, "the signature of {name} does not hold"),
            Self::Origin(name) => write!(f, "it is about the log {name}"),
            Self::Proof => f.write_str("the proof does not hold"),
        }
    }
}

impl std::error::Error for NoteError {}

impl From<NoteError> for Error {
    fn from(error: NoteError) -> Self {
        Rv::DeviceError.because(format!("audit log: {error}"))
    }
}

impl From<EngineError> for NoteError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Key(why) => Self::Key(why),
            EngineError::Length => Self::Malformed("a signature of the wrong length"),
            EngineError::Verify | EngineError::Decrypt => Self::Unsigned,
            EngineError::Memory => Self::Engine("no memory for a signature"),
            EngineError::Failed(why) => Self::Engine(why),
        }
    }
}

/// The first bytes of a hash over a key and its name: which key made a signature.
pub type KeyId = [u8; 4];

/// What a key can check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
    /// Plain signatures over the text (type 0x01).
    Ed25519([u8; 32]),
    /// A witness's cosignatures over checkpoints (type 0x04).
    Ed25519Cosigner([u8; 32]),
    /// Cosignatures over checkpoints (type 0x06).
    MlDsa44(Box<[u8; ml_dsa::PUBLIC_LEN]>),
}

/// A public key with its name: one line of text, by which a log's reader knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    public: PublicKey,
}

impl VerifierKey {
    /// A key under a name.
    ///
    /// # Errors
    /// `Key` for a name that no signature line can hold.
    pub fn new(name: &str, public: PublicKey) -> Result<Self, NoteError> {
        check_name(name)?;
        let (kind, bytes) = tagged(&public);
        let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[kind], bytes]);
        Ok(Self { name: name.into(), id: [a, b, c, d], public })
    }

    /// Reads `name+id+key`.
    ///
    /// # Errors
    /// `Malformed`, and `Key` for types that are not known here and ids that do not fit.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("a verifier key is name+id+key");
        let Some((name, (id, key))) =
            text.split_once('+').and_then(|(name, rest)| Some((name, rest.split_once('+')?)))
        else {
            return Err(malformed);
        };
        let bytes = base64::decode(key).ok_or(malformed)?;
        let unknown = NoteError::Key("a verifier key of a type that is not known");
        let public = match bytes.split_first() {
            Some((&ED25519, key)) => PublicKey::Ed25519(fixed(key)?),
            Some((&ED25519_COSIGNER, key)) => PublicKey::Ed25519Cosigner(fixed(key)?),
            Some((&ML_DSA_44, key)) => PublicKey::MlDsa44(Box::new(fixed(key)?)),
            _ => return Err(unknown),
        };
        let key = Self::new(name, public)?;
        if key.id_text() != id {
            return Err(NoteError::Key("the verifier key's id does not fit"));
        }
        Ok(key)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The key.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }

    /// Checks one signature over the text of a note.
    fn check(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        let invalid = |_| NoteError::Invalid(self.name.clone());
        match &self.public {
            PublicKey::Ed25519(key) => {
                Ed25519Public::from_bytes(key)?.verify(text.as_bytes(), signature).map_err(invalid)
            }
            PublicKey::Ed25519Cosigner(_) | PublicKey::MlDsa44(_) => {
                cosignature::check_note(self, text, signature).map(drop)
            }
        }
    }
}

/// The line of text.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, bytes) = tagged(&self.public);
        let key = base64::encode(&[&[kind], bytes].concat());
        write!(f, "{}+{}+{key}", self.name, self.id_text())
    }
}

fn tagged(public: &PublicKey) -> (u8, &[u8]) {
    match public {
        PublicKey::Ed25519(key) => (ED25519, key),
        PublicKey::Ed25519Cosigner(key) => (ED25519_COSIGNER, key),
        PublicKey::MlDsa44(key) => (ML_DSA_44, key.as_slice()),
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], NoteError> {
    bytes.try_into().map_err(|_| NoteError::Key("a verifier key of the wrong length"))
}

pub(super) fn check_name(name: &str) -> Result<(), NoteError> {
    let fine = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    match !name.is_empty() && name.len() <= 255 && name.chars().all(fine) {
        true => Ok(()),
        false => Err(NoteError::Key("a name that cannot stand in a note")),
    }
}

/// One line under a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Whose it says it is.
    pub name: String,
    /// Which key of that name.
    pub id: KeyId,
    /// What the key's type makes of it.
    pub bytes: Vec<u8>,
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = base64::decode(encoded)?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (id, bytes) = (*id, bytes.to_vec());
        (!bytes.is_empty()).then(|| Self { name: name.into(), id, bytes })
    }
}

/// The line, without its end.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = base64::encode(&[self.id.as_slice(), &self.bytes].concat());
        write!(f, "\u{2014} {} {encoded}", self.name)
    }
}

/// Text with signatures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    /// All of them, known or not.
    pub signatures: Vec<Signature>,
}

impl Note {
    /// A note without signatures.
    ///
    /// # Errors
    /// `Malformed` for text that no note can hold: it ends with a newline and has no other
    /// control characters.
    pub fn new(text: String) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Malformed("a note's text ends with a newline"));
        }
        if text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed("a note with control characters"));
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note; checks no signature.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > LONGEST {
            return Err(NoteError::Malformed("a note of more than a mebibyte"));
        }
        let whole = std::str::from_utf8(bytes)
            .map_err(|_| NoteError::Malformed("a note that is not UTF-8"))?;
        // The text may have blank lines; the signatures stand after the last one.
        let (text, lines) = whole
            .rfind("\n\n")
            .and_then(|end| Some((whole.get(..=end)?, whole.get(end + 2..)?)))
            .ok_or(NoteError::Malformed("a note without a blank line"))?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("a note without signatures, or cut off"))?;
        let mut note = Self::new(text.into())?;
        for line in lines.split('\n') {
            if note.signatures.len() == MOST_SIGNATURES {
                return Err(NoteError::Malformed("a note with too many signatures"));
            }
            let signature = Signature::parse(line)
                .ok_or(NoteError::Malformed("a line that is no signature"))?;
            note.signatures.push(signature);
        }
        Ok(note)
    }

    /// What is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks the signatures of these keys: how many of the keys have signed. Other signatures
    /// are ignored.
    ///
    /// # Errors
    /// `Invalid` if one of these keys' signatures does not hold, `Unsigned` if there is none.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<usize, NoteError> {
        let mut signed = 0;
        for key in keys {
            let mut by_key = self
                .signatures
                .iter()
                .filter(|signature| signature.id == key.id && signature.name == key.name)
                .peekable();
            signed += usize::from(by_key.peek().is_some());
            by_key.try_for_each(|signature| key.check(&self.text, &signature.bytes))?;
        }
        if signed > 0 { Ok(signed) } else { Err(NoteError::Unsigned) }
    }
}

/// The whole note.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// An Ed25519 key that signs notes under a name.
pub struct NoteSigner {
    key: Ed25519Private,
    verifier: VerifierKey,
}

impl NoteSigner {
    /// The signer with this name and 32-byte seed.
    ///
    /// # Errors
    /// `Key`, or `Engine` without memory.
    pub fn from_seed(name: &str, seed: &Secret) -> Result<Self, NoteError> {
        let key = Ed25519Private::from_seed(seed)?;
        let verifier = VerifierKey::new(name, PublicKey::Ed25519(key.public()))?;
        Ok(Self { key, verifier })
    }

    /// The key by which its signatures are checked.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Adds its signature to a note.
    ///
    /// # Errors
    /// `Engine`, if the signature cannot be made.
    pub fn sign(&self, note: &mut Note) -> Result<(), NoteError> {
        let VerifierKey { name, id, .. } = &self.verifier;
        let bytes = self.key.sign(note.text.as_bytes())?.to_vec();
        note.signatures.push(Signature { name: name.clone(), id: *id, bytes });
        Ok(())
    }
}
