//! Documents that must say what the code says: the tables of mechanisms, the C header, and the
//! paths and links that they name.
//!
//! `CLAVIGER_WRITE_DOCS=1 cargo test --test documents` writes what is generated instead of
//! comparing it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use claviger::abi::vendor;
use claviger::audit::leaf::Leaf;
use claviger::provider::administration::{MechanismRow, mechanism_table};
use claviger::provider::{LIBRARY, MANUFACTURER, MODEL};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Compares a file with what it must be, or writes it.
#[track_caller]
fn keep(name: &str, wanted: &str) {
    if std::env::var_os("CLAVIGER_WRITE_DOCS").is_some() {
        let file = root().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        return fs::write(file, wanted).unwrap();
    }
    let there = fs::read_to_string(root().join(name)).unwrap_or_default();
    let differs = there.lines().zip(wanted.lines()).position(|(one, other)| one != other);
    let line = differs.map_or(there.lines().count().min(wanted.lines().count()), |line| line) + 1;
    let how = "CLAVIGER_WRITE_DOCS=1 cargo test --test documents";
    assert!(there == wanted, "{name} is out of date from line {line} on; {how} writes it");
}

/// Keeps what stands between two marks of a document.
#[track_caller]
fn keep_between_marks(name: &str, mark: &str, wanted: &str) {
    let (begin, end) = (format!("<!-- {mark}:begin -->\n"), format!("<!-- {mark}:end -->"));
    let text = read(name);
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{name}: no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{name}: no {end}"));
    keep(name, &[before, &begin, wanted, &end, after].concat());
}

fn sizes(row: &MechanismRow) -> String {
    match row.key_sizes {
        None => String::new(),
        Some(sizes) if sizes.min == sizes.max => format!("{} {}", sizes.min, sizes.unit),
        Some(sizes) => format!("{} to {} {}", sizes.min, sizes.max, sizes.unit),
    }
}

/// The family that a reader would look under.
fn family(row: &MechanismRow) -> &'static str {
    const FAMILIES: &[(&str, &str)] = &[
        ("HMAC", "HMAC"),
        ("DES", "DES, 3DES (legacy)"),
        ("AES", "AES"),
        ("ChaCha20", "ChaCha20, Poly1305"),
        ("Poly1305", "ChaCha20, Poly1305"),
        ("ML-DSA", "ML-DSA"),
        ("SLH-DSA", "SLH-DSA"),
        ("composite", "composites"),
        ("EC", "EC, Edwards, Montgomery"),
        ("Edwards", "EC, Edwards, Montgomery"),
        ("Montgomery", "EC, Edwards, Montgomery"),
        ("any private", "derivation"),
        ("any secret", "derivation"),
        ("HKDF", "derivation"),
        ("generic secret", "generic secret, TLS 1.2"),
    ];
    let Some(first) = row.keys.first() else { return "digests" };
    // They take the keys of several families.
    if row.name.starts_with("CKM_IKE") {
        return "IKE";
    }
    FAMILIES
        .iter()
        .find(|(part, _)| row.keys.iter().any(|key| key.contains(part)))
        .map_or(first, |(_, family)| family)
}

fn bare(name: &str) -> &str {
    name.strip_prefix("CKM_").unwrap_or(name)
}

/// A mechanism's name without its prefix, and with a star for the hash that it is named after.
fn starred(name: &str) -> String {
    const HASHES: &[&str] = &[
        "SHA512_224",
        "SHA512_256",
        "SHA512_T",
        "SHA3_224",
        "SHA3_256",
        "SHA3_384",
        "SHA3_512",
        "SHA_1",
        "SHA1",
        "SHA224",
        "SHA256",
        "SHA384",
        "SHA512",
        "MD5",
        "BLAKE2B_160",
        "BLAKE2B_256",
        "BLAKE2B_384",
        "BLAKE2B_512",
        "SHAKE_128",
        "SHAKE_256",
        "SHAKE128",
        "SHAKE256",
    ];
    let name = bare(name);
    let hash = HASHES.iter().find(|hash| name.contains(*hash));
    hash.map_or_else(|| name.to_owned(), |hash| name.replace(hash, "*"))
}

/// What there is, a family in a line.
fn short_table() -> String {
    let mut families: Vec<(&str, usize, Vec<String>)> = Vec::new();
    for row in mechanism_table() {
        let family = family(&row);
        let name = if row.keys.is_empty() { bare(row.name).to_owned() } else { starred(row.name) };
        match families.iter_mut().find(|(other, ..)| *other == family) {
            None => families.push((family, 1, vec![name])),
            Some((_, count, names)) => {
                *count += 1;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    let mut text =
        "| family | rows | mechanisms: `CKM_` and, with `*` for each hash |\n|---|---|---|\n"
            .to_owned();
    for (family, count, names) in families {
        text += &format!("| {family} | {count} | {} |\n", names.join(", "));
    }
    text + "\n[docs/mechanisms.md](docs/mechanisms.md) has each with its functions, sizes and parameter.\n"
}

/// Whether a mechanism is for those who ask for `mechanisms.legacy`, and with which keys.
fn legacy(row: &MechanismRow) -> String {
    match (row.legacy, row.modern_from) {
        (true, _) => "yes".to_owned(),
        (false, None) => String::new(),
        (false, Some(min)) => format!("below {min}"),
    }
}

fn full_table() -> String {
    let mut text =
        "| mechanism | functions | keys | sizes | parameter | legacy |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for row in mechanism_table() {
        text += &format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            row.name,
            row.functions.join(", "),
            row.keys.join(", "),
            sizes(&row),
            row.parameter.unwrap_or("none"),
            legacy(&row),
        );
    }
    text
}

#[test]
fn the_tables_of_mechanisms_are_those_of_the_registry() {
    assert!(mechanism_table().len() > 40, "the registry was not found");
    keep_between_marks("README.md", "mechanisms", &short_table());
    keep_between_marks("docs/mechanisms.md", "mechanisms", &full_table());
}

#[test]
fn a_row_says_what_it_does_and_with_which_keys() {
    let table = mechanism_table();
    for row in &table {
        assert!(row.name.starts_with("CKM_") && !row.functions.is_empty(), "{row:?}");
        // Keys of every kind have no unit in common.
        let has_none = row.keys.is_empty() || row.keys == ["any private key"];
        assert_eq!(has_none, row.key_sizes.is_none(), "{row:?}");
        assert_eq!(row.keys.is_empty(), row.functions == ["digest"], "{row:?}");
    }
    let names: BTreeSet<&str> = table.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), table.len(), "a mechanism is listed twice");
}

#[test]
fn the_schema_that_is_shown_is_the_one_that_is_made() {
    let schema = read("src/store/sqlite/schema/1.sql");
    keep_between_marks("docs/store-format.md", "schema", &format!("```sql\n{schema}```\n"));
}

/// The numbers of a standard that no pkcs11.h has yet.
fn drafted() -> String {
    let mut text =
        "/* Numbers that OASIS has given out for PKCS#11 3.3 and that are used here. */".to_owned();
    for (name, number) in vendor::drafted_numbers() {
        text += &format!("\n#ifndef {name}\n#define {name} {number:#x}UL\n#endif");
    }
    text
}

/// What `include/claviger.h` must be.
fn header() -> String {
    let mut config =
        cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    // The generator knows no constants that are text.
    let texts = [
        ("CLAVIGER_MANUFACTURER", MANUFACTURER, "manufacturerID, padded with blanks there."),
        ("CLAVIGER_MODEL", MODEL, "The model of tokens whose keys are kept in software."),
        ("CLAVIGER_LIBRARY", LIBRARY, "libraryDescription, padded with blanks there."),
    ];
    let define = |(name, text, what): &(&str, &str, &str)| {
        format!("/**\n * {what}\n */\n#define {name} \"{text}\"")
    };
    let texts = texts.iter().map(define).collect::<Vec<_>>().join("\n\n");
    config.after_includes = Some(format!("{texts}\n\n{}", drafted()));
    let built = cbindgen::Builder::new()
        .with_config(config)
        .with_src(root().join("src/abi/vendor.rs"))
        .generate()
        .expect("cbindgen");
    let mut text = Vec::new();
    built.write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_header_is_the_one_that_the_code_makes() {
    keep("include/claviger.h", &header());
}

#[test]
fn a_c_compiler_takes_the_header_and_finds_the_values_of_the_code() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("claviger.h"), header()).unwrap();
    let program = format!(
        "#define CKA_VENDOR_DEFINED 0x80000000UL\n#define CKM_VENDOR_DEFINED 0x80000000UL\n\
         #define CKK_VENDOR_DEFINED 0x80000000UL\n#define CKR_VENDOR_DEFINED 0x80000000UL\n\
         typedef unsigned long CK_RV, CK_ULONG, *CK_ULONG_PTR, CK_SESSION_HANDLE;\n\
         typedef struct {{ unsigned char major, minor; }} CK_VERSION;\n\
         typedef unsigned char *CK_BYTE_PTR;\n\
         #include \"claviger.h\"\n#include \"claviger.h\"\n\
         #define SAME(name, value) typedef char name##_same[(name) == (value) ? 1 : -1]\n\
         SAME(CKA_CLAVIGER_BASE, {}UL);\nSAME(CKM_CLAVIGER_BASE, {}UL);\n\
         SAME(CKK_CLAVIGER_BASE, {}UL);\nSAME(CKR_CLAVIGER_BASE, {}UL);\n\
         SAME(CLAVIGER_SLOT_LIMIT, {}UL);\nSAME(CLAVIGER_PIN_MIN_LEN, {}UL);\n\
         SAME(CLAVIGER_PIN_MAX_LEN, {}UL);\nSAME(CKK_CLAVIGER_COMP_SIG, {}UL);\n\
         SAME(CKK_CLAVIGER_COMP_KEM, {}UL);\nSAME(CKP_CLAVIGER_XWING, {}UL);\n\
         SAME(CKM_COMP_SIG, 0x403eUL);\nSAME(CKA_CLAVIGER_BUNDLE, {}UL);\n\
         SAME(CKM_CLAVIGER_BUNDLE, {}UL);\nSAME(CKR_CLAVIGER_DOWNGRADE_REFUSED, {}UL);\n\
         SAME(CKR_CLAVIGER_BUNDLE_INCOMPLETE, {}UL);\n\
         const char *const texts[] = {{\n\
         CLAVIGER_MANUFACTURER, CLAVIGER_MODEL, CLAVIGER_LIBRARY }};\n",
        vendor::CKA_CLAVIGER_BASE,
        vendor::CKM_CLAVIGER_BASE,
        vendor::CKK_CLAVIGER_BASE,
        vendor::CKR_CLAVIGER_BASE,
        vendor::CLAVIGER_SLOT_LIMIT,
        vendor::CLAVIGER_PIN_MIN_LEN,
        vendor::CLAVIGER_PIN_MAX_LEN,
        vendor::CKK_CLAVIGER_COMP_SIG,
        vendor::CKK_CLAVIGER_COMP_KEM,
        vendor::CKP_CLAVIGER_XWING,
        vendor::CKA_CLAVIGER_BUNDLE,
        vendor::CKM_CLAVIGER_BUNDLE,
        vendor::CKR_CLAVIGER_DOWNGRADE_REFUSED,
        vendor::CKR_CLAVIGER_BUNDLE_INCOMPLETE,
    );
    fs::write(directory.path().join("host.c"), program).unwrap();
    for standard in ["-std=c99", "-std=c11"] {
        let mut command = Command::new("cc");
        command.args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]);
        let output = command.arg("host.c").current_dir(directory.path()).output().expect("cc");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(vendor::CKA_CLAVIGER_BASE, 0xC34C_0000, "as its documentation says");
}

/// Every document: README.md and what is below docs/.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 10, "the documents were not found");
    found
}

/// The lines of a document that are text, without blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !fence && !in_block && !line.starts_with("    ")
    })
}

/// What stands in backticks, word by word.
fn quoted_words(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).flat_map(str::split_whitespace)
}

/// The file or folder that a word names, if it looks like a path of the repository. A source
/// file may be named as the documents about the house do it, from `src/` on.
fn named_path(word: &str) -> Option<PathBuf> {
    const ROOMS: &[&str] =
        &["src/", "tests/", "docs/", "interop/", "benches/", "fuzz/", "include/", ".ci/"];
    let word = word.split([':', '#']).next()?.trim_end_matches(['.', ',', ';']);
    let is_plain = |text: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'))
    };
    if ROOMS.iter().any(|room| word.starts_with(room)) {
        // A pattern stands for files in the folder before it.
        let fixed = word.split(['*', '<', '…', '{']).next()?;
        let fixed = if fixed == word { word } else { fixed.rsplit_once('/')?.0 };
        return is_plain(fixed).then(|| root().join(fixed));
    }
    let in_sources = word.contains('/') && word.ends_with(".rs") && is_plain(word);
    in_sources.then(|| root().join("src").join(word))
}

#[test]
fn paths_that_documents_name_exist() {
    let mut missing = Vec::new();
    let mut seen = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for path in prose(&text).flat_map(quoted_words).filter_map(named_path) {
            seen += 1;
            if !path.exists() {
                missing.push(format!("{}: {}", document.display(), path.display()));
            }
        }
    }
    assert!(seen > 30, "only {seen} paths were found");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let links = prose(&text).flat_map(|line| line.split("](").skip(1));
        for link in links.filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let outside = link.contains("://") || target.is_empty();
            if !outside && !document.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_entries_that_are_shown_are_entries() {
    let text = read("docs/audit-format.md");
    let blocks = text.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    let mut kinds = BTreeSet::new();
    for line in lines {
        let leaf = Leaf::parse(line.as_bytes()).unwrap_or_else(|why| panic!("{why}: {line}"));
        assert_eq!(leaf.to_bytes(), line.as_bytes());
        kinds.insert(line.strip_prefix("{\"kind\":\"").map(|rest| rest.split('"').next()));
    }
    assert_eq!(kinds.len(), 10, "a kind is not shown");
}

/// The tests of a folder of `tests/`, each with its file: `objects::a_name`.
fn tests_in(folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests").join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines() {
            is_test |= line == "#[test]";
            if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
                let name = rest.split('(').next().unwrap();
                found.insert(format!("{module}::{name}"));
                is_test = false;
            }
        }
    }
    assert!(found.len() > 30, "the tests were not found");
    found
}

/// The last word in backticks of each line of the table of attacks in a document.
fn tests_named_in(document: &str) -> Vec<String> {
    let text = read(document);
    let table = text.split("<!-- attacks:begin -->").nth(1).expect("a table of attacks");
    let table = table.split("<!-- attacks:end -->").next().unwrap();
    table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .map(|line| line.rsplit('`').nth(1).unwrap_or(line).to_owned())
        .collect()
}

#[test]
fn every_known_attack_has_a_test() {
    let there = tests_in("cryptoki");
    let named = tests_named_in("docs/known-attacks.md");
    assert!(named.len() > 25, "the table was not found");
    let missing: Vec<_> = named.iter().filter(|name| !there.contains(*name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn every_attack_is_in_the_threat_model_and_every_line_there_is_a_test() {
    let named: BTreeSet<String> = tests_named_in("docs/threat-model.md").into_iter().collect();
    assert_eq!(named, tests_in("tamper"));
}
