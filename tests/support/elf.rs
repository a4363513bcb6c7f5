//! The dynamic symbols of a 64-bit little-endian ELF library, read from its file.

use std::path::Path;

const SECTION_DYNSYM: u32 = 11;
const SYMBOL_BYTES: usize = 24;

/// The names that a library exports: defined there, and global or weak.
pub fn exports(library: &Path) -> Vec<String> {
    let file = std::fs::read(library).expect("the library can be read");
    assert_eq!(&file[..6], b"\x7fELF\x02\x01", "a 64-bit little-endian ELF file");
    let (sections, size, count) = (long(&file, 40), short(&file, 58), short(&file, 60));
    let section = |index: usize| &file[sections + index * size..];
    let dynsym = (0..count).map(section).find(|header| word(header, 4) == SECTION_DYNSYM);
    let dynsym = dynsym.expect("a dynamic symbol table");
    let strings = long(section(word(dynsym, 40) as usize), 24);
    let (start, bytes) = (long(dynsym, 24), long(dynsym, 32));
    let exported = |symbol: &&[u8]| symbol[4] >> 4 != 0 && short(symbol, 6) != 0;
    let symbols = file[start..start + bytes].chunks_exact(SYMBOL_BYTES).filter(exported);
    let mut names: Vec<String> =
        symbols.map(|symbol| c_string(&file[strings + word(symbol, 0) as usize..])).collect();
    names.sort();
    names
}

fn short(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn long(bytes: &[u8], at: usize) -> usize {
    let value = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    usize::try_from(value).expect("an offset in the file")
}

fn c_string(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).expect("a terminated name");
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
