//! The little DER that objects need: writing and reading one element after the other.
//!
//! ITU-T X.690, distinguished encoding; lengths up to four bytes.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const SEQUENCE: u8 = 0x30;

/// An element around the parts, in their order.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(len + 6);
    out.push(tag);
    if let Ok(short @ 0..=0x7f) = u8::try_from(len) {
        out.push(short);
    } else {
        let bytes = len.to_be_bytes();
        let digits = without_leading_zeros(&bytes);
        out.extend(u8::try_from(digits.len()).map(|count| 0x80 | count));
        out.extend_from_slice(digits);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A number that is not negative, from its big-endian bytes.
pub(super) fn integer(magnitude: &[u8]) -> Vec<u8> {
    let magnitude = without_leading_zeros(magnitude);
    match magnitude.first() {
        Some(0..=0x7f) => element(INTEGER, &[magnitude]),
        _ => element(INTEGER, &[&[0], magnitude]),
    }
}

/// A bit string of whole bytes.
pub(super) fn bit_string(content: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], content])
}

/// Tag and content of the element that the bytes begin with, and what follows it.
pub(super) fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (len, rest) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
        if !(1..=4).contains(&digits.len()) || digits.first() == Some(&0) {
            return None;
        }
        let len = digits.iter().fold(0usize, |len, digit| len << 8 | usize::from(*digit));
        if len < 0x80 {
            return None;
        }
        (len, rest)
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// Tag and content, if the bytes are one element and nothing more.
pub(super) fn whole(bytes: &[u8]) -> Option<(u8, &[u8])> {
    first(bytes).filter(|(_, _, rest)| rest.is_empty()).map(|(tag, content, _)| (tag, content))
}

/// Takes the element that the bytes begin with off them, if it has this tag; gives its content.
pub(super) fn take<'b>(bytes: &mut &'b [u8], tag: u8) -> Option<&'b [u8]> {
    let (found, content, rest) = first(bytes)?;
    *bytes = rest;
    (found == tag).then_some(content)
}

/// As `take`; gives the element with tag and length.
pub(super) fn take_whole<'b>(bytes: &mut &'b [u8], tag: u8) -> Option<&'b [u8]> {
    let before = *bytes;
    take(bytes, tag)?;
    before.get(..before.len().checked_sub(bytes.len())?)
}

/// Takes a number off that is not negative; gives its big-endian bytes without zeros before
/// them.
pub(super) fn take_number<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    match take(bytes, INTEGER)? {
        [0] => Some(&[]),
        [0, rest @ ..] if matches!(rest, [0x80..=0xff, ..]) => Some(rest),
        number @ [1..=0x7f, ..] => Some(number),
        _ => None,
    }
}

/// The bytes of a number without the zeros before it.
pub(super) fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_der_wants_and_never_negative() {
        assert_eq!(integer(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(integer(&[0]), [2, 1, 0]);
    }

    #[test]
    fn elements_of_every_size_are_read_back() {
        for len in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; len];
            let written = element(OCTET_STRING, &[&content]);
            assert_eq!(whole(&written), Some((OCTET_STRING, &content[..])), "{len}");
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for bytes in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0, 0],
            &[4, 0x81, 1, 0],
            &[4, 0x80, 0, 0],
            &[4, 0x82, 0, 1, 0],
            &[4, 0x85, 0, 0, 0, 0, 1, 0],
            &[4, 0xff],
        ] {
            assert_eq!(whole(bytes), None, "{bytes:?}");
        }
    }
}
