//! Parameters of the key derivation functions of SP 800-108, and the further keys that they ask
//! for. PKCS#11 3.2, "SP800-108 Key Derivation".

use crate::abi::output::write;
use crate::abi::template::template;
use crate::cryptoki::{
    CK_DERIVED_KEY, CK_MECHANISM, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE_PTR,
    CK_PRF_DATA_PARAM, CK_SP800_108_BYTE_ARRAY, CK_SP800_108_COUNTER, CK_SP800_108_COUNTER_FORMAT,
    CK_SP800_108_DKM_LENGTH, CK_SP800_108_DKM_LENGTH_FORMAT, CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS,
    CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS, CK_SP800_108_FEEDBACK_KDF_PARAMS,
    CK_SP800_108_ITERATION_VARIABLE, CK_SP800_108_KDF_PARAMS, CK_SP800_108_KEY_HANDLE, CK_ULONG,
};
use crate::error::{Result, Rv};
use crate::mechanism::find;
use crate::mechanism::kdf_params::{CountedPart, KdfParams, KdfShape, NumberForm};
use crate::mechanism::params::{MechanismParams, Shape};
use crate::object::template::Template;

use super::tls::Given;
use super::{invalid, part, structure};

/// Entries that are read at most.
const MOST: u64 = 64;

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn counted(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_SP800_108_KDF_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let parts = unsafe { parts(params.pDataParams, params.ulNumberOfDataParams)? };
    let prf = params.prfType;
    Ok(MechanismParams::Kdf(KdfParams::Counted { prf, parts, iv: Vec::new() }))
}

/// # Safety
/// The mechanism's pointers lead to what their lengths say.
pub(super) unsafe fn feedback(given: &CK_MECHANISM) -> Result<MechanismParams> {
    // SAFETY: this function's own contract.
    let params = unsafe { structure::<CK_SP800_108_FEEDBACK_KDF_PARAMS>(given)? };
    // SAFETY: this function's own contract.
    let parts = unsafe { parts(params.pDataParams, params.ulNumberOfDataParams)? };
    // SAFETY: this function's own contract.
    let iv = unsafe { part(params.pIV, params.ulIVLen)? };
    Ok(MechanismParams::Kdf(KdfParams::Counted { prf: params.prfType, parts, iv }))
}

/// A list inside a parameter.
///
/// # Safety
/// `start` is null or valid for reads of `count` entries.
pub(super) unsafe fn list<T: Copy>(start: *const T, count: CK_ULONG) -> Result<Vec<T>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if start.is_null() || count > MOST {
        return Err(invalid("a list inside the parameter"));
    }
    let count = usize::try_from(count).map_err(|_| invalid("a list inside the parameter"))?;
    let entry = |at| {
        // SAFETY: within the `count` entries that the caller promises.
        let entry = unsafe { start.add(at) };
        // SAFETY: as above, and valid for reads.
        unsafe { entry.read_unaligned() }
    };
    Ok((0..count).map(entry).collect())
}

/// # Safety
/// `start` is null or leads to `count` entries, whose pointers lead to what their lengths say.
unsafe fn parts(start: *const CK_PRF_DATA_PARAM, count: CK_ULONG) -> Result<Vec<CountedPart>> {
    // SAFETY: this function's own contract.
    let entries = unsafe { list(start, count)? };
    // SAFETY: this function's own contract.
    entries.iter().map(|entry| unsafe { one_part(entry) }).collect()
}

/// # Safety
/// The entry's pointer leads to what its length says.
unsafe fn one_part(entry: &CK_PRF_DATA_PARAM) -> Result<CountedPart> {
    Ok(match entry.type_ {
        CK_SP800_108_ITERATION_VARIABLE if entry.pValue.is_null() && entry.ulValueLen == 0 => {
            CountedPart::Iteration(None)
        }
        // SAFETY: this function's own contract.
        CK_SP800_108_ITERATION_VARIABLE => CountedPart::Iteration(Some(unsafe { form(entry)? })),
        // SAFETY: this function's own contract.
        CK_SP800_108_COUNTER => CountedPart::Counter(unsafe { form(entry)? }),
        CK_SP800_108_DKM_LENGTH => {
            // SAFETY: this function's own contract.
            let length = unsafe { inner::<CK_SP800_108_DKM_LENGTH_FORMAT>(entry)? };
            let segments = match length.dkmLengthMethod {
                CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS => false,
                CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS => true,
                _ => return Err(invalid("what the length is of")),
            };
            let little_endian = length.bLittleEndian != 0;
            let form = NumberForm { little_endian, bits: length.ulWidthInBits };
            CountedPart::Length { segments, form }
        }
        CK_SP800_108_BYTE_ARRAY if entry.ulValueLen != 0 => {
            // SAFETY: this function's own contract.
            CountedPart::Bytes(unsafe { part(entry.pValue.cast(), entry.ulValueLen)? })
        }
        // SAFETY: this function's own contract.
        CK_SP800_108_KEY_HANDLE => CountedPart::Key(unsafe { inner::<CK_OBJECT_HANDLE>(entry)? }),
        _ => return Err(invalid("a part of SP 800-108")),
    })
}

/// # Safety
/// The entry's pointer leads to what its length says.
unsafe fn form(entry: &CK_PRF_DATA_PARAM) -> Result<NumberForm> {
    // SAFETY: this function's own contract.
    let form = unsafe { inner::<CK_SP800_108_COUNTER_FORMAT>(entry)? };
    Ok(NumberForm { little_endian: form.bLittleEndian != 0, bits: form.ulWidthInBits })
}

/// # Safety
/// The entry's pointer leads to what its length says.
unsafe fn inner<T: Copy>(entry: &CK_PRF_DATA_PARAM) -> Result<T> {
    let (start, len) = (entry.pValue, entry.ulValueLen);
    // SAFETY: this function's own contract; a part is a structure like a parameter.
    unsafe { structure(&CK_MECHANISM { mechanism: 0, pParameter: start, ulParameterLen: len }) }
}

/// The further keys that a derivation is to make: their templates, and where their handles go; and
/// what else it gives back through its parameter.
pub(in crate::abi) struct Further {
    templates: Vec<Template>,
    places: Vec<CK_OBJECT_HANDLE_PTR>,
    given: Given,
}

impl Default for Further {
    fn default() -> Self {
        Self { templates: Vec::new(), places: Vec::new(), given: Given::Nothing }
    }
}

impl Further {
    /// Those that a mechanism's parameter asks for.
    ///
    /// # Safety
    /// `given` is null or a mechanism whose pointers lead to what their lengths say.
    pub(in crate::abi) unsafe fn of(given: CK_MECHANISM_PTR) -> Result<Self> {
        if given.is_null() {
            return Ok(Self::default());
        }
        // SAFETY: not null, and valid for reads as the caller promises.
        let given = unsafe { given.read_unaligned() };
        let (start, count) = match find(given.mechanism).map(|row| row.shape) {
            Some(Shape::Kdf(KdfShape::Counted)) => {
                // SAFETY: this function's own contract.
                let params = unsafe { structure::<CK_SP800_108_KDF_PARAMS>(&given)? };
                (params.pAdditionalDerivedKeys, params.ulAdditionalDerivedKeys)
            }
            Some(Shape::Kdf(KdfShape::Feedback)) => {
                // SAFETY: this function's own contract.
                let params = unsafe { structure::<CK_SP800_108_FEEDBACK_KDF_PARAMS>(&given)? };
                (params.pAdditionalDerivedKeys, params.ulAdditionalDerivedKeys)
            }
            Some(shape) => {
                // SAFETY: this function's own contract.
                let given = unsafe { Given::of(&given, shape)? };
                return Ok(Self { given, ..Self::default() });
            }
            None => return Ok(Self::default()),
        };
        let mut further = Self::default();
        // SAFETY: this function's own contract.
        for key in unsafe { list::<CK_DERIVED_KEY>(start, count)? } {
            if key.phKey.is_null() {
                return Err(invalid("no place for the handle of a further key"));
            }
            // SAFETY: this function's own contract.
            further.templates.push(unsafe { template(key.pTemplate, key.ulAttributeCount)? });
            further.places.push(key.phKey);
        }
        Ok(further)
    }

    /// Takes the templates out.
    pub(in crate::abi) fn take_templates(&mut self) -> Vec<Template> {
        std::mem::take(&mut self.templates)
    }

    /// Whether the caller's own place for a handle is not used.
    pub(in crate::abi) fn has_all(&self) -> bool {
        self.given.has_all()
    }

    /// Writes what was derived to where it goes: the first handle to the caller's place.
    ///
    /// # Safety
    /// That place and those of the parameter are valid for writes.
    pub(in crate::abi) unsafe fn give(
        &self,
        first: CK_OBJECT_HANDLE_PTR,
        handles: &[CK_OBJECT_HANDLE],
        shown: &[u8],
    ) -> Result<()> {
        // SAFETY: this function's own contract.
        unsafe { self.given.give(handles, shown)? };
        if self.has_all() {
            return Ok(());
        }
        let places = std::iter::once(&first).chain(&self.places);
        if handles.split_first().is_none_or(|(_, others)| others.len() != self.places.len()) {
            return Err(Rv::GeneralError.because("another number of keys"));
        }
        for (place, handle) in places.zip(handles) {
            // SAFETY: this function's own contract.
            unsafe { write(*place, *handle)? };
        }
        Ok(())
    }
}
