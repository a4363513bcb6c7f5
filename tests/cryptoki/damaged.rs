//! Token directories on bad days: files cut, emptied, overwritten or gone. The damaged token
//! says that something is wrong; nothing crashes, and the other token works as ever.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cryptoki_sys as ck;

use crate::support::token::make_token;
use crate::support::{Bench, Module, USER_PIN, isolated, template};

/// Two tokens with an object each; the directory of the first one. Nothing is left open.
fn two_tokens(bench: &Bench) -> PathBuf {
    bench.configure("slots.spare = true");
    let module = bench.initialised();
    for label in ["first", "second"] {
        let session = module.read_write(make_token(&module, label));
        session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
        for private in [true, false] {
            let data = template! {
                CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => private,
                CKA_VALUE => b"a value",
            };
            session.create(&data).expect("C_CreateObject");
        }
    }
    let first = module.slot_of("first").expect("its slot");
    let serial = module.token_info(first).expect("C_GetTokenInfo").serialNumber;
    module.finalize().expect("C_Finalize");
    let serial = String::from_utf8(serial.to_vec()).expect("text");
    let directory = bench.token_dir().join("tokens").join(serial.trim_end());
    assert!(directory.join("token.db").is_file(), "{}", directory.display());
    directory
}

/// The token works: a login, and the objects that were made.
fn works(module: &Module, label: &str) -> bool {
    let Some(slot) = module.slot_of(label) else { return false };
    let Ok(session) = module.open(slot, ck::CKF_RW_SESSION) else { return false };
    if session.login(ck::CKU_USER, USER_PIN).is_err() {
        return false;
    }
    let found = session.find(&template! { CKA_VALUE => b"a value" });
    let whole = found.is_ok_and(|found| found.len() == 2);
    session.close().is_ok() && whole
}

/// Damages the first token; the second works all the same, and the first says what is wrong.
fn damage(bench: &Bench, hurt: impl FnOnce(&Path)) {
    let directory = two_tokens(bench);
    hurt(&directory);
    let module = bench.initialised();
    assert!(works(&module, "second"), "the other token is not to blame");
    assert!(!works(&module, "first"), "the damage was not noticed");
    for slot in module.slots(false).expect("C_GetSlotList") {
        let Ok(session) = module.open(slot, ck::CKF_RW_SESSION) else { continue };
        let _ = session.login(ck::CKU_SO, crate::support::SO_PIN);
        let _ = session.find(&template! {});
        let _ = session.close();
    }
    module.finalize().expect("C_Finalize");
}

fn database(directory: &Path) -> Vec<u8> {
    fs::read(directory.join("token.db")).expect("the database")
}

fn overwrite(directory: &Path, bytes: &[u8]) {
    for beside in ["token.db-wal", "token.db-shm"] {
        let _ = fs::remove_file(directory.join(beside));
    }
    fs::write(directory.join("token.db"), bytes).expect("the database is overwritten");
}

#[test]
fn an_empty_database_is_noticed() {
    isolated(|bench| damage(bench, |directory| overwrite(directory, b"")));
}

#[test]
fn a_database_of_something_else_is_noticed() {
    isolated(|bench| damage(bench, |directory| overwrite(directory, &[0x42; 8192])));
}

#[test]
fn a_database_cut_in_half_is_noticed() {
    isolated(|bench| {
        damage(bench, |directory| {
            let whole = database(directory);
            overwrite(directory, &whole[..whole.len() / 2]);
        });
    });
}

#[test]
fn a_database_with_a_page_of_noise_is_noticed() {
    isolated(|bench| {
        damage(bench, |directory| {
            let mut bytes = database(directory);
            bytes[4096..8192].fill(0xa5);
            overwrite(directory, &bytes);
        });
    });
}

#[test]
fn a_directory_in_place_of_the_database_is_noticed() {
    isolated(|bench| {
        damage(bench, |directory| {
            fs::remove_file(directory.join("token.db")).unwrap();
            fs::create_dir(directory.join("token.db")).unwrap();
        });
    });
}

#[test]
fn a_link_in_place_of_the_database_is_not_followed() {
    isolated(|bench| {
        damage(bench, |directory| {
            let elsewhere = directory.join("elsewhere");
            fs::rename(directory.join("token.db"), &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, directory.join("token.db")).unwrap();
        });
    });
}

#[test]
fn flipped_bits_never_crash() {
    isolated(|bench| {
        let directory = two_tokens(bench);
        let whole = database(&directory);
        for at in (100..whole.len()).step_by(whole.len() / 60) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            overwrite(&directory, &bytes);
            let module = bench.initialised();
            works(&module, "first");
            assert!(works(&module, "second"));
            module.finalize().unwrap();
        }
        overwrite(&directory, &whole);
        assert!(works(&bench.initialised(), "first"), "what was put back works again");
    });
}

#[test]
fn files_in_the_data_directory_that_are_no_tokens_are_left_alone() {
    isolated(|bench| {
        two_tokens(bench);
        let tokens = bench.token_dir().join("tokens");
        fs::write(tokens.join("README"), b"not a token").unwrap();
        fs::create_dir(tokens.join("lost+found")).unwrap();
        fs::create_dir(tokens.join("0000000000000000")).unwrap();
        let module = bench.initialised();
        assert!(works(&module, "first") && works(&module, "second"));
        assert_eq!(fs::read(tokens.join("README")).unwrap(), b"not a token");
    });
}

/// Lets files of this process grow no further than this.
fn limit_files(bytes: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a live local; the signal would end the process before the write fails.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) }, 0);
}

#[test]
fn a_disk_that_is_full_refuses_a_write_and_harms_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let data = |size: usize| {
            template! {
                CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true,
                CKA_VALUE => &vec![7_u8; size],
            }
        };
        let kept = session.create(&data(1000)).unwrap();
        for _ in 0..3 {
            limit_files(64 << 10);
            let refused = session.create(&data(1 << 20)).expect_err("there is no room");
            refused.is_one_of(&[ck::CKR_DEVICE_MEMORY, ck::CKR_DEVICE_ERROR]);
            session.has(kept, ck::CKA_VALUE, &vec![7; 1000]);
            limit_files(libc::RLIM_INFINITY);
            session.destroy(session.create(&data(1 << 20)).unwrap()).unwrap();
        }
        session.logout().unwrap();
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        assert_eq!(session.count(&template! {}), 1);
    });
}

/// Whatever the host's umask is, nobody else may look in.
#[test]
fn directories_and_files_belong_to_their_owner_alone() {
    isolated(|bench| {
        for mask in [0o000, 0o077, 0o777] {
            // SAFETY: changes a number of this process, which runs nothing else.
            unsafe { libc::umask(mask) };
            let directory = two_tokens(bench);
            for (path, wanted) in [
                (bench.token_dir(), 0o700),
                (bench.token_dir().join("tokens"), 0o700),
                (directory.clone(), 0o700),
                (directory.join("token.db"), 0o600),
            ] {
                let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
                assert_eq!(mode, wanted, "{} under umask {mask:03o}", path.display());
            }
            fs::remove_dir_all(bench.token_dir()).unwrap();
        }
    });
}
