//! Templates written as they are read: `template! { CKA_TOKEN => true, CKA_LABEL => "a" }`.

use std::ffi::c_void;

use cryptoki_sys as ck;

/// A value of an attribute, as bytes.
pub trait AttributeValue {
    fn to_bytes(&self) -> Vec<u8>;
}

impl AttributeValue for bool {
    fn to_bytes(&self) -> Vec<u8> {
        vec![u8::from(*self)]
    }
}

impl AttributeValue for ck::CK_ULONG {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_ne_bytes().to_vec()
    }
}

impl AttributeValue for &str {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl AttributeValue for &[u8] {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl<const N: usize> AttributeValue for &[u8; N] {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl AttributeValue for &Vec<u8> {
    fn to_bytes(&self) -> Vec<u8> {
        (*self).clone()
    }
}

impl AttributeValue for &[ck::CK_ULONG] {
    fn to_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }
}

/// Attributes with values of their own.
#[derive(Clone, Default, Debug)]
pub struct Template {
    rows: Vec<(ck::CK_ATTRIBUTE_TYPE, Vec<u8>)>,
    nested: Vec<(ck::CK_ATTRIBUTE_TYPE, Template)>,
}

impl Template {
    /// Adds an attribute; nothing is checked, so that a test can send nonsense.
    #[must_use]
    pub fn and(mut self, kind: ck::CK_ATTRIBUTE_TYPE, value: impl AttributeValue) -> Self {
        self.rows.push((kind, value.to_bytes()));
        self
    }

    /// Adds a template as the value of an attribute (CKA_WRAP_TEMPLATE and its like).
    #[must_use]
    pub fn nesting(mut self, kind: ck::CK_ATTRIBUTE_TYPE, inner: Self) -> Self {
        self.nested.push((kind, inner));
        self
    }

    /// Takes an attribute out again.
    #[must_use]
    pub fn without(mut self, kind: ck::CK_ATTRIBUTE_TYPE) -> Self {
        self.rows.retain(|(present, _)| *present != kind);
        self
    }

    /// This template with the attributes of another after its own.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self.nested.extend(other.nested);
        self
    }

    /// Calls `body` with the C form: pointer and count, valid during the call.
    pub fn lend<R>(&self, body: impl FnOnce(*mut ck::CK_ATTRIBUTE, ck::CK_ULONG) -> R) -> R {
        let mut inner: Vec<Vec<ck::CK_ATTRIBUTE>> =
            self.nested.iter().map(|(_, template)| template.to_c()).collect();
        let mut all = self.to_c();
        for ((kind, _), rows) in self.nested.iter().zip(&mut inner) {
            all.push(ck::CK_ATTRIBUTE {
                type_: *kind,
                pValue: rows.as_mut_ptr().cast(),
                ulValueLen: len(size_of_val(rows.as_slice())),
            });
        }
        body(all.as_mut_ptr(), len(all.len()))
    }

    fn to_c(&self) -> Vec<ck::CK_ATTRIBUTE> {
        let row = |(kind, value): &(ck::CK_ATTRIBUTE_TYPE, Vec<u8>)| ck::CK_ATTRIBUTE {
            type_: *kind,
            pValue: value.as_ptr().cast::<c_void>().cast_mut(),
            ulValueLen: len(value.len()),
        };
        self.rows.iter().map(row).collect()
    }
}

/// A length as the standard counts.
pub fn len(bytes: usize) -> ck::CK_ULONG {
    ck::CK_ULONG::try_from(bytes).expect("a length")
}

/// `template! { CKA_CLASS => CKO_DATA, CKA_LABEL => "name" }`, with names of `cryptoki_sys`.
macro_rules! template {
    ($($kind:ident => $value:expr),* $(,)?) => {
        $crate::support::Template::default()$(.and(cryptoki_sys::$kind, $value))*
    };
}
pub(crate) use template;
