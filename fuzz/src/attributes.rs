//! Arrays of CK_ATTRIBUTE from a fuzzer's bytes: real and made-up types, values of any length,
//! misaligned, missing, nested; lengths that lie only where they must be refused unread.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::bytes::Bytes;

/// An array, with the memory that it leads to.
pub(crate) struct Attributes {
    /// The array as bytes, so that it can lie at an odd address.
    array: Vec<u8>,
    odd: usize,
    count: ck::CK_ULONG,
    /// Never moved: the array leads into them.
    values: Vec<Box<[u8]>>,
    nested: Vec<Attributes>,
}

/// A length beyond every limit of the module.
const ABSURD: ck::CK_ULONG = 1 << 40;
const ROW: usize = size_of::<ck::CK_ATTRIBUTE>();

#[rustfmt::skip]
const TYPES: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_CLASS, ck::CKA_TOKEN, ck::CKA_PRIVATE, ck::CKA_LABEL, ck::CKA_UNIQUE_ID,
    ck::CKA_APPLICATION, ck::CKA_VALUE, ck::CKA_OBJECT_ID, ck::CKA_CERTIFICATE_TYPE,
    ck::CKA_ISSUER, ck::CKA_SERIAL_NUMBER, ck::CKA_TRUSTED, ck::CKA_CERTIFICATE_CATEGORY,
    ck::CKA_URL, ck::CKA_HASH_OF_SUBJECT_PUBLIC_KEY, ck::CKA_NAME_HASH_ALGORITHM,
    ck::CKA_CHECK_VALUE, ck::CKA_KEY_TYPE, ck::CKA_SUBJECT, ck::CKA_ID, ck::CKA_SENSITIVE,
    ck::CKA_ENCRYPT, ck::CKA_DECRYPT, ck::CKA_WRAP, ck::CKA_UNWRAP, ck::CKA_SIGN,
    ck::CKA_VERIFY, ck::CKA_DERIVE, ck::CKA_START_DATE, ck::CKA_END_DATE, ck::CKA_MODULUS,
    ck::CKA_MODULUS_BITS, ck::CKA_PUBLIC_EXPONENT, ck::CKA_PRIVATE_EXPONENT, ck::CKA_PRIME_1,
    ck::CKA_PUBLIC_KEY_INFO, ck::CKA_VALUE_LEN, ck::CKA_EXTRACTABLE, ck::CKA_LOCAL,
    ck::CKA_NEVER_EXTRACTABLE, ck::CKA_ALWAYS_SENSITIVE, ck::CKA_KEY_GEN_MECHANISM,
    ck::CKA_MODIFIABLE, ck::CKA_COPYABLE, ck::CKA_DESTROYABLE, ck::CKA_EC_PARAMS,
    ck::CKA_EC_POINT, ck::CKA_ALWAYS_AUTHENTICATE, ck::CKA_WRAP_WITH_TRUSTED,
    ck::CKA_ENCAPSULATE, ck::CKA_WRAP_TEMPLATE, ck::CKA_UNWRAP_TEMPLATE, ck::CKA_DERIVE_TEMPLATE,
    ck::CKA_ALLOWED_MECHANISMS, ck::CKA_HW_FEATURE_TYPE, ck::CKA_PRIME_BITS,
    ck::CKA_PARAMETER_SET, ck::CKA_VENDOR_DEFINED,
];

/// Of these, the ones whose values are CK_BBOOL.
#[rustfmt::skip]
const FLAGS: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_TOKEN, ck::CKA_PRIVATE, ck::CKA_TRUSTED, ck::CKA_SENSITIVE, ck::CKA_ENCRYPT,
    ck::CKA_DECRYPT, ck::CKA_WRAP, ck::CKA_UNWRAP, ck::CKA_SIGN, ck::CKA_VERIFY, ck::CKA_DERIVE,
    ck::CKA_EXTRACTABLE, ck::CKA_LOCAL, ck::CKA_NEVER_EXTRACTABLE, ck::CKA_ALWAYS_SENSITIVE,
    ck::CKA_MODIFIABLE, ck::CKA_COPYABLE, ck::CKA_DESTROYABLE, ck::CKA_ALWAYS_AUTHENTICATE,
    ck::CKA_WRAP_WITH_TRUSTED, ck::CKA_ENCAPSULATE,
];

/// And those whose values are CK_ULONG, or an array of them.
#[rustfmt::skip]
const ULONGS: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_CLASS, ck::CKA_CERTIFICATE_TYPE, ck::CKA_CERTIFICATE_CATEGORY,
    ck::CKA_NAME_HASH_ALGORITHM, ck::CKA_KEY_TYPE, ck::CKA_MODULUS_BITS, ck::CKA_VALUE_LEN,
    ck::CKA_KEY_GEN_MECHANISM, ck::CKA_ALLOWED_MECHANISMS, ck::CKA_HW_FEATURE_TYPE,
    ck::CKA_PRIME_BITS, ck::CKA_PARAMETER_SET,
];

/// Numbers that mean something somewhere.
#[rustfmt::skip]
const NUMBERS: &[ck::CK_ULONG] = &[
    ck::CKO_DATA, ck::CKO_CERTIFICATE, ck::CKO_PUBLIC_KEY, ck::CKO_PRIVATE_KEY, ck::CKO_SECRET_KEY,
    ck::CKO_PROFILE, ck::CKK_EC, ck::CKK_GENERIC_SECRET, ck::CKK_AES, ck::CKK_SHA256_HMAC,
    ck::CKK_EC_EDWARDS, ck::CKM_AES_GCM, 5, 16, 32, 2048, 1 << 32, ck::CK_ULONG::MAX,
];

const VALUES: &[&[u8]] = &[
    b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
    b"\x06\x03\x2b\x65\x70",
    b"\x01\x00\x01",
    b"20261121",
    b"\x30\x00",
    &[0x41; 32],
    &[0xc5; 256],
];

impl Attributes {
    /// An array of given attributes and, after them, what the bytes make of it.
    pub(crate) fn of(given: &[(ck::CK_ATTRIBUTE_TYPE, &[u8])], bytes: &mut Bytes<'_>) -> Self {
        let mut all = Self::empty(bytes.flag());
        for (kind, value) in given {
            all.push_value(*kind, value, 0);
        }
        for _ in 0..bytes.below(7) {
            let kind = any_type(bytes);
            all.push_any(kind, bytes, 0);
        }
        if bytes.below(16) == 15 {
            all.push_hostile(bytes.pick(TYPES), bytes);
        }
        all
    }

    /// An array to be answered: rooms of some length, or only questions for the length.
    pub(crate) fn rooms(bytes: &mut Bytes<'_>) -> Self {
        let mut all = Self::empty(bytes.flag());
        for _ in 0..bytes.below(12) {
            let kind = any_type(bytes);
            match bytes.below(4) {
                2 => all.push(kind, null_mut(), 0),
                3 => all.push(kind, null_mut(), ABSURD),
                _ if is_nested(kind) => {
                    let mut inner = Self::empty(false);
                    for _ in 0..bytes.below(6) {
                        inner.push_value(bytes.pick(TYPES), &[0; 40][..bytes.below(41)], 0);
                    }
                    all.push_nested(kind, inner);
                }
                _ => all.push_value(kind, &[0; 80][..bytes.below(81)], bytes.below(2)),
            }
        }
        all
    }

    fn empty(odd: bool) -> Self {
        let odd = usize::from(odd);
        Self { array: vec![0; odd], odd, count: 0, values: Vec::new(), nested: Vec::new() }
    }

    fn push(&mut self, kind: ck::CK_ATTRIBUTE_TYPE, value: *mut u8, len: ck::CK_ULONG) {
        self.array.extend(kind.to_ne_bytes());
        self.array.extend(value.expose_provenance().to_ne_bytes());
        self.array.extend(len.to_ne_bytes());
        self.count += 1;
    }

    /// A value, at an address that is so many bytes beyond an even one.
    fn push_value(&mut self, kind: ck::CK_ATTRIBUTE_TYPE, value: &[u8], shift: usize) {
        let mut kept = vec![0; shift];
        kept.extend_from_slice(value);
        let mut kept = kept.into_boxed_slice();
        let start = kept[shift..].as_mut_ptr();
        self.values.push(kept);
        self.push(kind, start, ck::CK_ULONG::try_from(value.len()).expect("a length"));
    }

    fn push_nested(&mut self, kind: ck::CK_ATTRIBUTE_TYPE, mut inner: Self) {
        let (start, count) = inner.lend();
        let len = count * ck::CK_ULONG::try_from(ROW).expect("a size");
        self.nested.push(inner);
        self.push(kind, start.cast(), len);
    }

    fn push_any(&mut self, kind: ck::CK_ATTRIBUTE_TYPE, bytes: &mut Bytes<'_>, depth: usize) {
        if is_nested(kind) {
            return self.push_array(kind, bytes, depth);
        }
        let shift = bytes.below(2);
        match bytes.below(16) {
            12 => self.push(kind, null_mut(), 0),
            13 => self.push_value(kind, &bytes.pick(NUMBERS).to_ne_bytes(), shift),
            14 => self.push_value(kind, &[bytes.byte()], shift),
            15 => self.push_value(kind, bytes.some(40), shift),
            _ if FLAGS.contains(&kind) => self.push_value(kind, &[bytes.byte() & 1], shift),
            _ if ULONGS.contains(&kind) => {
                self.push_value(kind, &bytes.pick(NUMBERS).to_ne_bytes(), shift);
            }
            other if other % 2 == 0 => self.push_value(kind, bytes.pick(VALUES), shift),
            _ => self.push_value(kind, bytes.some(40), shift),
        }
    }

    fn push_array(&mut self, kind: ck::CK_ATTRIBUTE_TYPE, bytes: &mut Bytes<'_>, depth: usize) {
        match bytes.below(8) {
            _ if depth >= 3 => self.push(kind, null_mut(), 0),
            // Not a whole number of attributes, so that none may be read.
            7 => self.push_value(kind, &[0xff; ROW * 2][..bytes.below(ROW - 1) + 1], 0),
            _ => {
                let mut inner = Self::empty(bytes.flag());
                for _ in 0..bytes.below(4) {
                    let kind = any_type(bytes);
                    inner.push_any(kind, bytes, depth + 1);
                }
                self.push_nested(kind, inner);
            }
        }
    }

    /// An entry that must be refused before its value is looked at.
    fn push_hostile(&mut self, kind: ck::CK_ATTRIBUTE_TYPE, bytes: &mut Bytes<'_>) {
        self.push_value(kind, b"short", 0);
        let len = self.array.len() - size_of::<ck::CK_ULONG>();
        self.array[len..].copy_from_slice(&ABSURD.to_ne_bytes());
        self.push(kind, null_mut(), bytes.pick(&[1, 8, ABSURD]));
    }

    /// The array in C's form; valid, at the same place, until it is dropped.
    pub(crate) fn lend(&mut self) -> (*mut ck::CK_ATTRIBUTE, ck::CK_ULONG) {
        let start = self.array[self.odd..].as_mut_ptr();
        (start.cast(), self.count)
    }
}

/// The values of such attributes are arrays of attributes.
fn is_nested(kind: ck::CK_ATTRIBUTE_TYPE) -> bool {
    kind & ck::CKF_ARRAY_ATTRIBUTE != 0 && kind != ck::CKA_ALLOWED_MECHANISMS
}

fn any_type(bytes: &mut Bytes<'_>) -> ck::CK_ATTRIBUTE_TYPE {
    match bytes.below(64) {
        63 => bytes.number(),
        _ => bytes.pick(TYPES),
    }
}
