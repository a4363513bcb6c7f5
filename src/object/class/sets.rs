//! The parameter sets that `CKA_PARAMETER_SET` names: number, object identifier, what they are to
//! the engine.
//!
//! Which set a number is depends on the type of key. PKCS#11 3.2, "ML-DSA", "ML-KEM",
//! "SLH-DSA"; the identifiers are NIST's, as RFC 9881, RFC 9935 and RFC 9909 use them: without
//! parameters.

use super::KeyType;
use crate::cryptoki;
use crate::engine::aws_lc::ml_dsa::MlDsa;
use crate::engine::ml_kem::MlKem;
use crate::engine::slh_dsa::SlhDsa;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::object::template::Template;

/// A parameter set of keys that are nothing but bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ParameterSet {
    MlDsa(MlDsa),
    MlKem(MlKem),
    SlhDsa(SlhDsa),
}

struct Known {
    number: u64,
    set: ParameterSet,
    identifier: &'static [u8],
}

/// Makes the tables of a type of key: the numbers with their sets, and the identifiers, which are
/// 2.16.840.1.101.3.4 and two arcs, DER with tag and length.
macro_rules! sets {
    ($($table:ident, $identifiers:ident, $type:ident, $arc:literal {
        $($number:ident: $set:ident, $last:literal;)*
    })*) => { $(
        static $table: &[Known] = &[$(Known {
            number: cryptoki::$number,
            set: ParameterSet::$type($type::$set),
            identifier: &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, $arc, $last],
        },)*];

        #[doc = concat!("The object identifiers of ", stringify!($type), ".")]
        pub(crate) const $identifiers: &[&[u8]] =
            &[$(&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, $arc, $last],)*];
    )* };
}

sets! {
    ML_DSA_SETS, ML_DSA, MlDsa, 3 {
        CKP_ML_DSA_44: MlDsa44, 17;
        CKP_ML_DSA_65: MlDsa65, 18;
        CKP_ML_DSA_87: MlDsa87, 19;
    }
    ML_KEM_SETS, ML_KEM, MlKem, 4 {
        CKP_ML_KEM_512: MlKem512, 1;
        CKP_ML_KEM_768: MlKem768, 2;
        CKP_ML_KEM_1024: MlKem1024, 3;
    }
    SLH_DSA_SETS, SLH_DSA, SlhDsa, 3 {
        CKP_SLH_DSA_SHA2_128S: Sha2_128s, 20;
        CKP_SLH_DSA_SHA2_128F: Sha2_128f, 21;
        CKP_SLH_DSA_SHA2_192S: Sha2_192s, 22;
        CKP_SLH_DSA_SHA2_192F: Sha2_192f, 23;
        CKP_SLH_DSA_SHA2_256S: Sha2_256s, 24;
        CKP_SLH_DSA_SHA2_256F: Sha2_256f, 25;
        CKP_SLH_DSA_SHAKE_128S: Shake128s, 26;
        CKP_SLH_DSA_SHAKE_128F: Shake128f, 27;
        CKP_SLH_DSA_SHAKE_192S: Shake192s, 28;
        CKP_SLH_DSA_SHAKE_192F: Shake192f, 29;
        CKP_SLH_DSA_SHAKE_256S: Shake256s, 30;
        CKP_SLH_DSA_SHAKE_256F: Shake256f, 31;
    }
}

/// Every set.
fn known() -> impl Iterator<Item = &'static Known> {
    [ML_DSA_SETS, ML_KEM_SETS, SLH_DSA_SETS].into_iter().flatten()
}

impl KeyType {
    /// Whether its keys are nothing but bytes under a parameter set.
    pub(super) const fn is_bare(self) -> bool {
        matches!(self, Self::MlDsa | Self::MlKem | Self::SlhDsa)
    }

    /// Whether such a key is two keys, of which neither is an object of its own.
    pub(crate) const fn is_composite(self) -> bool {
        matches!(self, Self::CompSig | Self::CompKem)
    }
}

impl ParameterSet {
    /// The set that a template names for keys of this type.
    ///
    /// # Errors
    /// `CKR_TEMPLATE_INCOMPLETE` if it names none, `CKR_PARAMETER_SET_NOT_SUPPORTED` for one that
    /// is not offered.
    pub(crate) fn named(template: &Template, key_type: KeyType) -> Result<Self> {
        let number = template.require(attribute::PARAMETER_SET)?;
        known()
            .find(|known| known.number == number && known.set.key_type() == key_type)
            .map(|known| known.set)
            .ok_or_else(|| Rv::ParameterSetNotSupported.because("no such CKA_PARAMETER_SET here"))
    }

    /// The set with this object identifier, DER with tag and length.
    pub(crate) fn identified(identifier: &[u8]) -> Option<Self> {
        known().find(|known| known.identifier == identifier).map(|known| known.set)
    }

    /// The type of its keys.
    pub(crate) const fn key_type(self) -> KeyType {
        match self {
            Self::MlDsa(_) => KeyType::MlDsa,
            Self::MlKem(_) => KeyType::MlKem,
            Self::SlhDsa(_) => KeyType::SlhDsa,
        }
    }

    /// The standard's number.
    pub(crate) fn number(self) -> u64 {
        self.row().map_or(0, |known| known.number)
    }

    /// The object identifier, DER with tag and length.
    pub(crate) fn identifier(self) -> &'static [u8] {
        self.row().map_or(&[], |known| known.identifier)
    }

    fn row(self) -> Option<&'static Known> {
        known().find(|known| known.set == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_a_row_and_no_two_share_one() {
        let sets = MlDsa::ALL.map(ParameterSet::MlDsa).into_iter();
        let sets = sets.chain(MlKem::ALL.map(ParameterSet::MlKem));
        let sets = sets.chain(SlhDsa::ALL.iter().copied().map(ParameterSet::SlhDsa));
        let mut count = 0;
        for set in sets {
            assert_ne!(set.number(), 0, "{set:?}");
            assert_eq!(ParameterSet::identified(set.identifier()), Some(set));
            let mut template = Template::default();
            template.set(attribute::PARAMETER_SET, set.number());
            assert_eq!(ParameterSet::named(&template, set.key_type()), Ok(set));
            count += 1;
        }
        assert_eq!(known().count(), count);
    }

    #[test]
    fn numbers_of_no_set_are_told() {
        let mut template = Template::default();
        let refused = ParameterSet::named(&template, KeyType::MlDsa).map_err(|error| error.rv);
        assert_eq!(refused, Err(Rv::TemplateIncomplete));
        for number in [0, 4, u64::MAX] {
            template.set(attribute::PARAMETER_SET, number);
            let refused = ParameterSet::named(&template, KeyType::MlDsa).map_err(|error| error.rv);
            assert_eq!(refused, Err(Rv::ParameterSetNotSupported), "{number}");
        }
        template.set(attribute::PARAMETER_SET, 1);
        let refused = ParameterSet::named(&template, KeyType::Rsa).map_err(|error| error.rv);
        assert_eq!(refused, Err(Rv::ParameterSetNotSupported));
    }
}
