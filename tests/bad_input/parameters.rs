//! Parameters that mechanisms take: for each structure some that are sound for one mechanism or
//! another. A structure that is new needs an arm in `candidates`.

use std::ffi::c_void;
use std::mem::zeroed;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{P256_POINT, hex};
use crate::support::operations::Mechanism;
use crate::support::template::len;

/// The bytes of a parameter, and the memory that pointers in them lead to.
#[derive(Debug, Default)]
pub struct Parameter {
    pub bytes: Vec<u8>,
    /// Each part, and where in `bytes` its address stands.
    pub parts: Vec<Box<[u8]>>,
}

impl Clone for Parameter {
    /// The copy's pointers lead to the copy's parts.
    fn clone(&self) -> Self {
        let mut copy = Self { bytes: self.bytes.clone(), parts: self.parts.clone() };
        for (old, new) in self.parts.iter().zip(&copy.parts) {
            for place in pointers_to(&self.bytes, old) {
                copy.bytes[place..place + 8].copy_from_slice(&address(new));
            }
        }
        copy
    }
}

fn address(part: &[u8]) -> [u8; 8] {
    part.as_ptr().addr().to_ne_bytes()
}

/// The places in a structure where a part's address stands.
fn pointers_to(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    let wanted = address(part);
    let words = (0..bytes.len() / 8).map(|word| word * 8);
    words.filter(|&place| !part.is_empty() && bytes[place..place + 8] == wanted).collect()
}

impl Parameter {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Plain bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), parts: Vec::new() }
    }

    /// A structure; `fill` lays its parts into the vector that it gets.
    fn of<T>(fill: impl FnOnce(&mut T, &mut Vec<Box<[u8]>>)) -> Self {
        // SAFETY: all zeros are a valid value of plain C data, padding included.
        let mut structure: T = unsafe { zeroed() };
        let mut parts = Vec::new();
        fill(&mut structure, &mut parts);
        let start = (&raw const structure).cast::<u8>();
        // SAFETY: the structure is live, and its padding was zeroed.
        let bytes = unsafe { std::slice::from_raw_parts(start, size_of::<T>()) }.to_vec();
        Self { bytes, parts }
    }

    /// As a caller passes it.
    pub fn with(&self, number: ck::CK_MECHANISM_TYPE) -> Mechanism<'_> {
        let mut how = crate::support::operations::with_bytes(number, &self.bytes);
        if self.bytes.is_empty() {
            how.c.pParameter = null_mut();
        }
        how
    }

    /// The places of pointers to parts.
    pub fn pointers(&self) -> Vec<usize> {
        self.parts.iter().flat_map(|part| pointers_to(&self.bytes, part)).collect()
    }

    /// The same with eight bytes of it replaced.
    #[must_use]
    pub fn replaced(&self, place: usize, word: u64) -> Self {
        let mut other = self.clone();
        other.bytes[place..place + 8].copy_from_slice(&word.to_ne_bytes());
        other
    }

    /// The place of a part's length: the word before or after its pointer that says it.
    pub fn length_of(&self, pointer: usize) -> Option<usize> {
        let word = |place: usize| {
            let bytes = self.bytes.get(place..place + 8)?;
            Some(u64::from_ne_bytes(bytes.try_into().ok()?))
        };
        let part = self
            .parts
            .iter()
            .find(|part| Some(pointer) == pointers_to(&self.bytes, part).first().copied())?;
        let own = part.len() as u64;
        let says = |place: usize| word(place).is_some_and(|told| told == own || told == own * 8);
        [pointer + 8, pointer.wrapping_sub(8)].into_iter().find(|&place| says(place))
    }
}

/// Lays a part down; gives its address and length.
pub fn part(parts: &mut Vec<Box<[u8]>>, bytes: &[u8]) -> (*mut u8, ck::CK_ULONG) {
    let mut part: Box<[u8]> = bytes.into();
    let lent = (part.as_mut_ptr(), len(part.len()));
    parts.push(part);
    lent
}

const HASHES: &[(ck::CK_MECHANISM_TYPE, ck::CK_RSA_PKCS_MGF_TYPE, ck::CK_ULONG)] = &[
    (ck::CKM_SHA256, ck::CKG_MGF1_SHA256, 32),
    (ck::CKM_SHA_1, ck::CKG_MGF1_SHA1, 20),
    (ck::CKM_SHA224, ck::CKG_MGF1_SHA224, 28),
    (ck::CKM_SHA384, ck::CKG_MGF1_SHA384, 48),
    (ck::CKM_SHA512, ck::CKG_MGF1_SHA512, 64),
    (ck::CKM_SHA3_224, ck::CKG_MGF1_SHA3_224, 28),
    (ck::CKM_SHA3_256, ck::CKG_MGF1_SHA3_256, 32),
    (ck::CKM_SHA3_384, ck::CKG_MGF1_SHA3_384, 48),
    (ck::CKM_SHA3_512, ck::CKG_MGF1_SHA3_512, 64),
];

/// The bytes that a word like "16 bytes" or "8 or 16 bytes" asks for.
fn byte_counts(word: &str) -> Vec<usize> {
    word.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// What may be sound for a mechanism that takes this, the likeliest first. `None` if nothing is
/// known of such a parameter.
pub fn candidates(word: Option<&str>) -> Option<Vec<Parameter>> {
    let Some(word) = word else { return Some(vec![Parameter::none()]) };
    let known: Vec<Parameter> =
        word.split('`').skip(1).step_by(2).flat_map(structure_candidates).collect();
    if !known.is_empty() {
        return Some(known);
    }
    if word.starts_with("none") {
        return Some(vec![Parameter::none()]);
    }
    let counts = byte_counts(word);
    let sound = counts.iter().map(|count| Parameter::of_bytes(&vec![0x5a; *count])).collect();
    (!counts.is_empty()).then_some(sound)
}

/// What may be sound of a structure with this name.
fn structure_candidates(name: &str) -> Vec<Parameter> {
    match name {
        "CK_AES_CTR_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_AES_CTR_PARAMS, _| {
            to.ulCounterBits = 32;
        })],
        "CK_GCM_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_GCM_PARAMS, parts| {
            (to.pIv, to.ulIvLen) = part(parts, &[7; 12]);
            (to.pAAD, to.ulAADLen) = part(parts, b"associated");
            (to.ulIvBits, to.ulTagBits) = (96, 128);
        })],
        "CK_GCM_WRAP_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_GCM_WRAP_PARAMS, parts| {
            (to.pIv, to.ulIvLen) = part(parts, &[7; 12]);
            (to.pAAD, to.ulAADLen) = part(parts, b"associated");
            (to.ulTagBits, to.ivGenerator) = (128, ck::CKG_NO_GENERATE);
        })],
        "CK_MAC_GENERAL_PARAMS" => vec![Parameter::of_bytes(&8_u64.to_ne_bytes())],
        "CK_RSA_PKCS_PSS_PARAMS" => HASHES.iter().map(pss).collect(),
        "CK_RSA_PKCS_OAEP_PARAMS" => vec![Parameter::of(oaep)],
        "CK_ECDH1_DERIVE_PARAMS" => points().iter().map(|point| ecdh1(point)).collect(),
        "CK_EDDSA_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_EDDSA_PARAMS, parts| {
            (to.pContextData, to.ulContextDataLen) = part(parts, b"context");
        })],
        _ => Vec::new(),
    }
}

fn pss((hash, mgf, salt): &(u64, u64, u64)) -> Parameter {
    Parameter::of(|to: &mut ck::CK_RSA_PKCS_PSS_PARAMS, _| {
        (to.hashAlg, to.mgf, to.sLen) = (*hash, *mgf, *salt);
    })
}

fn oaep(to: &mut ck::CK_RSA_PKCS_OAEP_PARAMS, parts: &mut Vec<Box<[u8]>>) {
    (to.hashAlg, to.mgf, to.source) = (ck::CKM_SHA256, ck::CKG_MGF1_SHA256, ck::CKZ_DATA_SPECIFIED);
    let (label, label_len) = part(parts, b"label");
    (to.pSourceData, to.ulSourceDataLen) = (label.cast::<c_void>(), label_len);
}

/// Points of other sides, a curve each.
fn points() -> Vec<Vec<u8>> {
    let x25519 = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    vec![hex(P256_POINT), hex(x25519)]
}

fn ecdh1(point: &[u8]) -> Parameter {
    Parameter::of(|to: &mut ck::CK_ECDH1_DERIVE_PARAMS, parts| {
        to.kdf = ck::CKD_NULL;
        (to.pPublicData, to.ulPublicDataLen) = part(parts, point);
    })
}
