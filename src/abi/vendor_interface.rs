//! The functions of the interface "Vendor claviger". `abi::vendor` says what they promise.

use std::cell::RefCell;

use crate::cryptoki::{CK_BYTE_PTR, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR, CK_VERSION};
use crate::error::{Error, Result, Rv};
use crate::provider::ContextKind;

use super::input::input;
use super::output::output;
use super::vendor::{
    CLAVIGER_CONTEXT_ACTOR, CLAVIGER_CONTEXT_MAX_LEN, CLAVIGER_CONTEXT_OPERATION,
    CLAVIGER_CONTEXT_TRACE, CLAVIGER_FUNCTION_LIST,
};
use super::{answered, guarded, instance};

pub(super) static LIST: CLAVIGER_FUNCTION_LIST = CLAVIGER_FUNCTION_LIST {
    version: CK_VERSION { major: 1, minor: 0 },
    SetContext: Some(set_context),
    LastError: Some(last_error),
};

/// Bytes of a text: `CLAVIGER_ERROR_MAX_LEN`.
const LONGEST_ERROR: usize = 512;
const _: () = assert!(super::vendor::CLAVIGER_ERROR_MAX_LEN == 512);

/// A text in a place of its own: nothing to be dropped when a thread ends.
struct Text {
    bytes: [u8; LONGEST_ERROR],
    len: usize,
}

thread_local! {
    static LAST: RefCell<Text> = const { RefCell::new(Text { bytes: [0; LONGEST_ERROR], len: 0 }) };
}

/// Remembers why a call of this thread failed. An answered length query is no failure.
pub(super) fn keep(error: &Error) {
    if error.rv == Rv::BufferTooSmall {
        return;
    }
    let kept = |last: &RefCell<Text>| {
        let Ok(mut last) = last.try_borrow_mut() else { return };
        let mut text = error.to_string();
        let longest = (0..=LONGEST_ERROR).rev().find(|len| text.is_char_boundary(*len));
        text.truncate(longest.unwrap_or(0));
        last.len = text.len();
        last.bytes.iter_mut().zip(text.as_bytes()).for_each(|(to, from)| *to = *from);
    };
    // A thread that is ending has no place any more.
    let _ = LAST.try_with(kept);
}

/// # Safety
/// `text` is valid for reads of `length` bytes.
unsafe extern "C" fn set_context(
    session: CK_SESSION_HANDLE,
    kind: CK_ULONG,
    text: CK_BYTE_PTR,
    length: CK_ULONG,
) -> CK_RV {
    guarded(|| {
        let live = instance()?;
        let kind = match kind {
            CLAVIGER_CONTEXT_TRACE => ContextKind::Trace,
            CLAVIGER_CONTEXT_OPERATION => ContextKind::Operation,
            CLAVIGER_CONTEXT_ACTOR => ContextKind::Actor,
            _ => return Err(Rv::ArgumentsBad.because("no such kind of context")),
        };
        if length > CLAVIGER_CONTEXT_MAX_LEN {
            return Err(Rv::ArgumentsBad.because("a context of more than 128 bytes"));
        }
        // SAFETY: this function's own contract.
        let bytes = unsafe { input(text, length)? };
        live.0.set_context(session, kind, printable(bytes)?)
    })
}

fn printable(bytes: &[u8]) -> Result<Option<String>> {
    match std::str::from_utf8(bytes) {
        Ok("") => Ok(None),
        Ok(text) if !text.chars().any(char::is_control) => Ok(Some(text.to_owned())),
        _ => Err(Rv::ArgumentsBad.because("a context that is not printable UTF-8")),
    }
}

/// # Safety
/// `length` is null or valid; `text` is null or has room for `*length` bytes.
unsafe extern "C" fn last_error(text: CK_BYTE_PTR, length: CK_ULONG_PTR) -> CK_RV {
    answered(|| {
        // SAFETY: this function's own contract.
        let output = unsafe { output(text, length)? };
        LAST.with(|last| {
            let last = last.borrow();
            let known = last.bytes.get(..last.len).unwrap_or_default();
            output.lend(|room| {
                room.fill(known.len(), |out| {
                    out.iter_mut().zip(known).for_each(|(to, from)| *to = *from);
                    Ok(known.len())
                })
            })
        })
    })
}
