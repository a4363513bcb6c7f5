//! `CK_ATTRIBUTE[]` becomes a `Template`, and C_GetAttributeValue's answers go back per entry.
//! PKCS#11 3.2, "CK_ATTRIBUTE", "C_GetAttributeValue".

use std::sync::atomic::{AtomicBool, Ordering};

use crate::cryptoki::{CK_ATTRIBUTE, CK_ATTRIBUTE_PTR, CK_ULONG, CK_UNAVAILABLE_INFORMATION};
use crate::error::{Error, Result, Rv};
use crate::object::attribute::{self, Kind, canonical};
use crate::object::class::reading::{Answer, readable};
use crate::object::template::{Template, Value};

use super::input::input;

/// The most entries of a template.
const MOST_ENTRIES: u64 = 1024;
/// The longest value of an attribute, in bytes.
const LONGEST_VALUE: u64 = 1 << 20;
/// The size of one entry, in bytes.
const ENTRY: usize = size_of::<CK_ATTRIBUTE>();

/// The entries of a caller's template, copied.
///
/// # Safety
/// `entries` is null or valid for reads of `count` attributes.
pub(super) unsafe fn requests(
    entries: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
) -> Result<Vec<CK_ATTRIBUTE>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if entries.is_null() || count > MOST_ENTRIES {
        return Err(Rv::ArgumentsBad.because("no template, or more than 1024 entries"));
    }
    let count = usize::try_from(count).map_err(|_| Rv::ArgumentsBad.because("count"))?;
    let copied = (0..count).map(|index| {
        // SAFETY: within the `count` entries that the caller vouches for.
        let place = unsafe { entries.add(index) };
        // SAFETY: valid for reads, at any alignment, as the caller promises.
        unsafe { place.read_unaligned() }
    });
    Ok(copied.collect())
}

/// Whether the last of two values of one attribute counts, as a configuration can have it.
pub(super) static TAKES_REPEATS: AtomicBool = AtomicBool::new(false);

/// A template for an object that is to be made or changed.
///
/// # Safety
/// As for `requests`, with every value valid for reads of its length.
pub(super) unsafe fn template(entries: CK_ATTRIBUTE_PTR, count: CK_ULONG) -> Result<Template> {
    // SAFETY: this function's own contract.
    let entries = unsafe { requests(entries, count)? };
    let mut template = Template::with_room_for(entries.len());
    for entry in &entries {
        // SAFETY: this function's own contract.
        let value = unsafe { value(entry, Depth::Top)? };
        let kind = canonical(entry.type_);
        if TAKES_REPEATS.load(Ordering::Relaxed) {
            template.put(kind, value);
        } else {
            template.insert(kind, value)?;
        }
    }
    Ok(template)
}

/// A template to search by; `None` if it holds what no object can have, and so matches nothing.
///
/// # Safety
/// As for `template`.
pub(super) unsafe fn search_template(
    entries: CK_ATTRIBUTE_PTR,
    count: CK_ULONG,
) -> Result<Option<Template>> {
    // SAFETY: this function's own contract.
    let entries = unsafe { requests(entries, count)? };
    let mut template = Template::default();
    for entry in &entries {
        // SAFETY: this function's own contract.
        let taken = unsafe { value(entry, Depth::Top) }
            .and_then(|value| template.insert(canonical(entry.type_), value));
        match taken {
            Ok(()) => {}
            Err(Error { rv: Rv::ArgumentsBad | Rv::HostMemory, .. }) => {
                return taken.map(|()| None);
            }
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(template))
}

/// Where an entry stands: a template inside a template holds no further one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Top,
    Inside,
}

/// # Safety
/// The entry's value is null or valid for reads of its length.
unsafe fn value(entry: &CK_ATTRIBUTE, depth: Depth) -> Result<Value> {
    let unknown = || Rv::AttributeTypeInvalid.because(format!("attribute 0x{:x}", entry.type_));
    let rule = attribute::rule(canonical(entry.type_)).ok_or_else(unknown)?;
    if entry.ulValueLen > LONGEST_VALUE {
        return Err(Rv::AttributeValueInvalid.because(format!("{} over 1 MiB", rule.name)));
    }
    if rule.kind == Kind::Nested {
        // SAFETY: this function's own contract.
        return unsafe { nested(entry, depth) };
    }
    if entry.pValue.is_null() && entry.ulValueLen != 0 {
        return Err(Rv::ArgumentsBad.because(format!("{}: a length without a value", rule.name)));
    }
    // SAFETY: this function's own contract.
    let bytes = unsafe { input(entry.pValue.cast(), entry.ulValueLen)? };
    attribute::parse(entry.type_, bytes)
}

/// # Safety
/// As for `value`.
unsafe fn nested(entry: &CK_ATTRIBUTE, depth: Depth) -> Result<Value> {
    let size = CK_ULONG::try_from(ENTRY).map_err(|_| Rv::GeneralError.because("size"))?;
    if depth == Depth::Inside {
        return Err(Rv::TemplateInconsistent.because("a template two levels deep"));
    }
    if entry.ulValueLen.checked_rem(size) != Some(0) {
        return Err(Rv::AttributeValueInvalid.because("not a whole number of attributes"));
    }
    let count = entry.ulValueLen.checked_div(size).unwrap_or(0);
    // SAFETY: this function's own contract.
    let entries = unsafe { requests(entry.pValue.cast(), count)? };
    let mut template = Template::default();
    for inner in &entries {
        // SAFETY: this function's own contract.
        let value = unsafe { value(inner, Depth::Inside)? };
        template.insert(inner.type_, value)?;
    }
    Ok(Value::Nested(template))
}

/// Answers every entry of a request; the first entry that could not be told decides the call.
///
/// # Safety
/// `entries` is valid for writes of as many attributes as `wanted` holds, and each value of
/// `wanted` is null or valid for writes of its length.
pub(super) unsafe fn answer(
    entries: CK_ATTRIBUTE_PTR,
    wanted: &[CK_ATTRIBUTE],
    attributes: &Template,
) -> Result<()> {
    let mut outcome = Ok(());
    for (index, entry) in wanted.iter().enumerate() {
        // SAFETY: this function's own contract.
        let told = unsafe { answer_one(entry, readable(attributes, canonical(entry.type_))) };
        let (length, failed) = match told {
            Ok(length) => (length, None),
            Err(error) => (CK_UNAVAILABLE_INFORMATION, Some(error)),
        };
        // SAFETY: `index` is below the number of entries.
        let place = unsafe { entries.add(index) };
        // SAFETY: valid for writes, as the caller promises.
        unsafe { place.write_unaligned(CK_ATTRIBUTE { ulValueLen: length, ..*entry }) };
        if let (Some(error), Ok(())) = (failed, &outcome) {
            outcome = Err(error);
        }
    }
    outcome
}

/// # Safety
/// As for `answer`, for one entry.
unsafe fn answer_one(entry: &CK_ATTRIBUTE, answer: Answer<'_>) -> Result<CK_ULONG> {
    let named = |rv: Rv| rv.because(attribute::name(entry.type_));
    match answer {
        Answer::Sensitive => Err(named(Rv::AttributeSensitive)),
        Answer::NotPossessed => Err(named(Rv::AttributeTypeInvalid)),
        Answer::Empty => Ok(0),
        // SAFETY: this function's own contract.
        Answer::Value(Value::Nested(template)) => unsafe { write_nested(entry, template) },
        Answer::Value(value) => {
            // SAFETY: this function's own contract.
            value.expose(|bytes| unsafe { write_bytes(entry, bytes) })
        }
    }
}

/// # Safety
/// As for `answer`, for one entry.
unsafe fn write_bytes(entry: &CK_ATTRIBUTE, bytes: &[u8]) -> Result<CK_ULONG> {
    let length = CK_ULONG::try_from(bytes.len()).map_err(|_| Rv::GeneralError.because("length"))?;
    if entry.pValue.is_null() {
        return Ok(length);
    }
    if entry.ulValueLen < length {
        return Err(Rv::BufferTooSmall.because(attribute::name(entry.type_)));
    }
    // SAFETY: room for `length` bytes, as the caller promises; ours and theirs never overlap.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), entry.pValue.cast(), bytes.len()) };
    Ok(length)
}

/// A template inside a template, in the standard's three steps: its size, then types and
/// lengths, then values.
///
/// # Safety
/// As for `answer`, for one entry and the entries that its value holds.
unsafe fn write_nested(entry: &CK_ATTRIBUTE, template: &Template) -> Result<CK_ULONG> {
    let size = template.len().checked_mul(ENTRY).and_then(|size| CK_ULONG::try_from(size).ok());
    let size = size.ok_or_else(|| Rv::GeneralError.because("size"))?;
    if entry.pValue.is_null() {
        return Ok(size);
    }
    if entry.ulValueLen < size {
        return Err(Rv::BufferTooSmall.because(attribute::name(entry.type_)));
    }
    let places: CK_ATTRIBUTE_PTR = entry.pValue.cast();
    for (index, (id, value)) in template.iter().enumerate() {
        // SAFETY: room for as many entries as the template has, checked above.
        let place = unsafe { places.add(index) };
        // SAFETY: valid for reads, as the caller promises.
        let given = unsafe { place.read_unaligned() };
        let named = CK_ATTRIBUTE { type_: id, ..given };
        // SAFETY: the inner value is null or has room for what it says.
        let length = value.expose(|bytes| unsafe { write_bytes(&named, bytes) })?;
        // SAFETY: as above, for writes.
        unsafe { place.write_unaligned(CK_ATTRIBUTE { ulValueLen: length, ..named }) };
    }
    Ok(size)
}
