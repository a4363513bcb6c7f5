//! One JSON object on one line, with its keys in one order: writing, and reading nothing else.
//!
//! There is one spelling of every value, so that bytes that were read are the bytes that would
//! be written. Strings: quotation marks and backslashes have a backslash; control characters,
//! line separators and characters that change the direction of text are `\uXXXX` in lower case,
//! so that a line can be shown on a terminal; all else stands as it is. No white space, no
//! floating point. RFC 8259.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Rv};

/// Why a line is not what this library writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineError {
    /// At which byte.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for LineError {}

impl From<LineError> for Error {
    fn from(error: LineError) -> Self {
        Rv::DeviceError.because(format!("audit record: {error}"))
    }
}

/// True for characters that no line shows as they are: those that move a cursor, end a line, are
/// not seen or change the direction of what follows.
#[must_use]
pub const fn hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// True for bytes that stand for themselves whatever is beside them.
const fn plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Writes one object to the end of a buffer.
pub(crate) struct Writer<'b> {
    out: &'b mut Vec<u8>,
    /// What stands before the next key.
    before: &'static [u8],
}

impl<'b> Writer<'b> {
    pub(crate) fn new(out: &'b mut Vec<u8>) -> Self {
        out.reserve(512);
        Self { out, before: b"{\"" }
    }

    /// A key; its value is written to what this gives.
    #[inline]
    pub(crate) fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.out.extend_from_slice(self.before);
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.before = b",\"";
        self.out
    }

    #[inline]
    pub(crate) fn text(&mut self, key: &'static str, text: &str) {
        push_text(self.key(key), text);
    }

    /// Text that has nothing to escape.
    #[inline]
    pub(crate) fn plain(&mut self, key: &'static str, text: &[u8]) {
        let out = self.key(key);
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }

    #[inline]
    pub(crate) fn number(&mut self, key: &'static str, number: u64) {
        push_number(self.key(key), number);
    }

    #[inline]
    pub(crate) fn optional_text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    #[inline]
    pub(crate) fn optional_number(&mut self, key: &'static str, number: Option<u64>) {
        if let Some(number) = number {
            self.number(key, number);
        }
    }

    pub(crate) fn finish(self) {
        self.out.push(b'}');
    }
}

pub(super) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        used += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // Looks at all bytes, several at a time, rather than stopping at the first.
    if text.bytes().fold(true, |so_far, byte| so_far & plain(byte)) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.chars().for_each(|c| push_char(out, c));
    }
    out.push(b'"');
}

fn push_char(out: &mut Vec<u8>, c: char) {
    match c {
        '"' | '\\' => out.push(b'\\'),
        _ if hidden(c) => {
            out.extend_from_slice(b"\\u");
            let [_, _, high, low] = u32::from(c).to_be_bytes();
            push_hex(out, &[high, low]);
            return;
        }
        _ => {}
    }
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Bytes as lower case hexadecimal digits.
pub(super) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// As `push_hex`, of its own.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(bytes.len() * 2);
    push_hex(&mut digits, bytes);
    digits.into_iter().map(char::from).collect()
}

/// Reads `push_hex`.
pub(super) fn read_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_chunks::<2>();
    let mut bytes = [0; N];
    if !rest.is_empty() || pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// Reads one object from its first byte to its last.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
    before: &'static [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, len: bytes.len(), before: b"{\"" }
    }

    pub(super) const fn wrong(&self, expected: &'static str) -> LineError {
        LineError { at: self.len - self.rest.len(), expected }
    }

    /// Goes past a key if it comes next.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        let after = self
            .rest
            .strip_prefix(self.before)
            .and_then(|rest| rest.strip_prefix(key.as_bytes()))
            .and_then(|rest| rest.strip_prefix(b"\":"));
        let Some(after) = after else { return false };
        self.rest = after;
        self.before = b",\"";
        true
    }

    fn key(&mut self, key: &'static str) -> Result<(), LineError> {
        if self.has(key) { Ok(()) } else { Err(self.wrong(key)) }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Cow<'a, str>, LineError> {
        self.key(key)?;
        self.text_value()
    }

    /// Text without anything to escape, for values that are read further.
    pub(super) fn plain(&mut self, key: &'static str) -> Result<&'a [u8], LineError> {
        self.key(key)?;
        self.plain_value(key)
    }

    pub(super) fn number(&mut self, key: &'static str) -> Result<u64, LineError> {
        self.key(key)?;
        self.number_value()
    }

    pub(super) fn optional_text(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Cow<'a, str>>, LineError> {
        if self.has(key) { self.text_value().map(Some) } else { Ok(None) }
    }

    pub(super) fn optional_number(&mut self, key: &'static str) -> Result<Option<u64>, LineError> {
        if self.has(key) { self.number_value().map(Some) } else { Ok(None) }
    }

    pub(super) fn finish(mut self) -> Result<(), LineError> {
        self.mark(b"}", "the end of the object")?;
        if self.rest.is_empty() { Ok(()) } else { Err(self.wrong("the end of the line")) }
    }

    /// Goes past a mark if it comes next.
    pub(super) fn at(&mut self, mark: &'static [u8]) -> bool {
        let after = self.rest.strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    pub(super) fn mark(
        &mut self,
        mark: &'static [u8],
        expected: &'static str,
    ) -> Result<(), LineError> {
        if self.at(mark) { Ok(()) } else { Err(self.wrong(expected)) }
    }

    pub(super) fn number_value(&mut self) -> Result<u64, LineError> {
        const EXPECTED: &str = "a number";
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, after) = self.rest.split_at(len);
        if len == 0 || (len > 1 && digits.starts_with(b"0")) {
            return Err(self.wrong(EXPECTED));
        }
        let number = digits.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        let number = number.ok_or(self.wrong("a number of 64 bits"))?;
        self.rest = after;
        Ok(number)
    }

    pub(super) fn plain_value(&mut self, expected: &'static str) -> Result<&'a [u8], LineError> {
        let start = self.rest;
        self.mark(b"\"", expected)?;
        let len = self.rest.iter().take_while(|byte| plain(**byte)).count();
        let (text, after) = self.rest.split_at(len);
        match after.strip_prefix(b"\"") {
            Some(after) => {
                self.rest = after;
                Ok(text)
            }
            None => {
                self.rest = start;
                Err(self.wrong(expected))
            }
        }
    }

    fn text_value(&mut self) -> Result<Cow<'a, str>, LineError> {
        const EXPECTED: &str = "text";
        if let Ok(text) = self.plain_value(EXPECTED) {
            let text = std::str::from_utf8(text).map_err(|_| self.wrong(EXPECTED))?;
            return Ok(Cow::Borrowed(text));
        }
        self.mark(b"\"", EXPECTED)?;
        // The end is the first quotation mark that no backslash escapes.
        let mut escaped = false;
        let len = self.rest.iter().take_while(|byte| {
            let goes_on = escaped || **byte != b'"';
            escaped = !escaped && **byte == b'\\';
            goes_on
        });
        let (inside, after) = self.rest.split_at(len.count());
        let text = std::str::from_utf8(inside).ok().and_then(unescape);
        let text = text.ok_or(self.wrong(EXPECTED))?;
        self.rest = after.strip_prefix(b"\"").ok_or(self.wrong("the end of a text"))?;
        Ok(text)
    }
}

fn unescape(inside: &str) -> Option<Cow<'_, str>> {
    if !inside.contains('\\') && !inside.chars().any(hidden) {
        return Some(Cow::Borrowed(inside));
    }
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        let read = match c {
            '\\' => match rest.next()? {
                quoted @ ('"' | '\\') => quoted,
                'u' => {
                    let (digits, after) = rest.as_str().split_at_checked(4)?;
                    rest = after.chars();
                    let number = u16::from_be_bytes(read_hex(digits.as_bytes())?);
                    char::from_u32(number.into()).filter(|c| hidden(*c))?
                }
                _ => return None,
            },
            _ if hidden(c) => return None,
            _ => c,
        };
        text.push(read);
    }
    Some(Cow::Owned(text))
}
