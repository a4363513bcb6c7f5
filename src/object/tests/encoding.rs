//! Tests of the lasting form of objects, sound and damaged.

use super::secret;
use crate::error::Rv;
use crate::object::attribute;
use crate::object::class::Class;
use crate::object::codec::{decode, encode};
use crate::object::template::{Template, Value};

/// One attribute of every kind.
fn motley(private: bool) -> Template {
    let mut inner = Template::default();
    inner.set(attribute::KEY_TYPE, 0x2b);
    inner.set(attribute::VALUE, secret(b"inner"));
    inner.set(attribute::ALLOWED_MECHANISMS, vec![1]);
    let mut template = Template::default();
    template.set(attribute::PRIVATE, private);
    template.set(attribute::CLASS, Class::SecretKey.code());
    template.set(attribute::LABEL, b"label".to_vec());
    template.set(attribute::ID, vec![]);
    template.set(attribute::VALUE, secret(b"the secret value"));
    template.set(attribute::ALLOWED_MECHANISMS, vec![0x251, u64::MAX]);
    template.set(attribute::START_DATE, b"20261121".to_vec());
    template.set(attribute::WRAP_TEMPLATE, inner);
    template.set(attribute::UNWRAP_TEMPLATE, Template::default());
    template
}

#[test]
fn what_is_encoded_is_decoded() {
    for private in [false, true] {
        let template = motley(private);
        let encoded = encode(&template).expect("encoded");
        let decoded = decode(&encoded.clear, Some(&encoded.secret)).expect("decoded");
        assert!(decoded.same(&template), "{decoded:?}");
        assert!(matches!(decoded.value(attribute::VALUE.id), Some(Value::Secret(_))));
        let again = encode(&decoded).expect("encoded");
        assert_eq!(again.clear, encoded.clear, "one encoding only");
        let clear = decode(&encoded.clear, None).expect("the clear part alone");
        assert!(!clear.contains(attribute::VALUE.id));
        assert_eq!(clear.is_empty(), private, "of private objects everything is sealed");
    }
}

#[test]
fn the_encoding_is_the_documented_one() {
    let mut template = Template::default();
    template.set(attribute::LABEL, b"ab".to_vec());
    template.set(attribute::TOKEN, true);
    let encoded = encode(&template).expect("encoded");
    let expected = [
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1][..],
        &[3, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, b'a', b'b'],
    ]
    .concat();
    assert_eq!(encoded.clear, expected);
    encoded.secret.expose(|bytes| assert_eq!(bytes, [1]));
}

#[test]
fn damaged_bytes_are_refused_and_never_misread() {
    let encoded = encode(&motley(false)).expect("encoded");
    for len in 0..encoded.clear.len() {
        if let Ok(cut) = decode(&encoded.clear[..len], None) {
            assert!(cut.len() < 8, "only whole attributes are read");
        }
    }
    for place in 0..encoded.clear.len() {
        for bit in 0..8 {
            let mut bytes = encoded.clear.clone();
            bytes[place] ^= 1 << bit;
            if let Ok(template) = decode(&bytes, None) {
                // What is read is still in its one form.
                let mut template = template;
                template.set(attribute::PRIVATE, false);
                encode(&template).expect("encoded");
            }
        }
    }
    let both = encode(&motley(true)).expect("encoded");
    let refused = both.secret.expose(|bytes| decode(bytes, Some(&both.secret)));
    assert_eq!(refused.expect_err("everything twice").rv, Rv::DeviceError);
    for bytes in [
        &[][..],
        &[0],
        &[2],
        &[1, 0],
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2],
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0],
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff],
    ] {
        assert_eq!(decode(bytes, None).expect_err("damaged").rv, Rv::DeviceError, "{bytes:?}");
    }
}
