//! Parameters that mechanisms take: for each structure some that are sound for one mechanism or
//! another. A structure that is new needs an arm in `structures.rs`.

use std::mem::zeroed;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::structures;
use crate::support::operations::Mechanism;
use crate::support::template::len;

/// The bytes of a parameter, and the memory that pointers in them lead to.
#[derive(Clone, Debug, Default)]
pub struct Parameter {
    pub bytes: Vec<u8>,
    /// What the addresses in `bytes` lead to; it stays for as long as the test runs.
    pub parts: Vec<&'static [u8]>,
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
    pub fn of<T>(fill: impl FnOnce(&mut T, &mut Vec<&'static [u8]>)) -> Self {
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
            let bytes = self.bytes.get(place..place.checked_add(8)?)?;
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
pub fn part(parts: &mut Vec<&'static [u8]>, bytes: &[u8]) -> (*mut u8, ck::CK_ULONG) {
    let part: &'static mut [u8] = Box::leak(bytes.into());
    let lent = (part.as_mut_ptr(), len(part.len()));
    parts.push(part);
    lent
}

/// The bytes that a word like "16 bytes" or "8 or 16 bytes" asks for.
fn byte_counts(word: &str) -> Vec<usize> {
    word.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// What may be sound for a mechanism that takes this, the likeliest first. `None` if nothing is
/// known of such a parameter. `other` is a key that a parameter may name.
pub fn candidates(word: Option<&str>, other: ck::CK_OBJECT_HANDLE) -> Option<Vec<Parameter>> {
    let Some(word) = word else { return Some(vec![Parameter::none()]) };
    let known: Vec<Parameter> = word
        .split('`')
        .skip(1)
        .step_by(2)
        .flat_map(|name| structures::candidates(name, other))
        .collect();
    if !known.is_empty() {
        return Some(known);
    }
    if word.contains("public value") {
        // A number of the group: its generator, squared a few times. Encapsulation takes none.
        return Some(vec![Parameter::of_bytes(&[1, 0]), Parameter::none()]);
    }
    if word.starts_with("none") {
        return Some(vec![Parameter::none()]);
    }
    let counts = byte_counts(word);
    let sound = counts.iter().map(|count| Parameter::of_bytes(&vec![0x5a; *count])).collect();
    (!counts.is_empty()).then_some(sound)
}
