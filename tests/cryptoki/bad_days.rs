//! Hosts on bad days: a configuration with a typing error, a token of a later version, one that
//! cannot be written or not even read. What is wrong is told by the return value and named in
//! the diagnostic log, and nothing is changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cryptoki_sys as ck;

use crate::support::children::{become_nobody, in_child, take_log};
use crate::support::known::ED25519;
use crate::support::operations::plain;
use crate::support::{Bench, Refused, SO_PIN, Template, USER_PIN, isolated, template};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

#[test]
fn a_typing_error_in_the_configuration_is_named_with_file_line_and_key() {
    isolated(|bench| {
        let log = bench.log_to();
        let module = bench.load();
        // Two lines stand before the test's own.
        for (text, wanted) in [
            ("direktory = \"/x\"", ":3: direktory: unknown key"),
            ("\n\npin.trys = 3", ":5: pin.trys: unknown key"),
            ("[sluts]\nspare = true", ":3: sluts: unknown key"),
            ("[store]\nshared_fs = \"yes\"", ":4: store.shared_fs: must be true or false"),
            ("policy.export = \"allow\"", ":3: policy.export: must be \"deny\" or \"standard\""),
            ("pin.tries = 0", ":3: pin.tries: must be a whole number from 1 to 1000"),
            ("directory = \"tokens\"", ":3: directory: must be an absolute path"),
            ("group = \"no such group\"", ":3: group: there is no group"),
            ("pin.tries = ", ":3: "),
            ("pin.tries = 3\npin.tries = 4", ":4: "),
        ] {
            bench.configure(text);
            module.initialize().refused(ck::CKR_GENERAL_ERROR);
            module.slots(true).refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
            let told = take_log(&log);
            let named = format!("{}{wanted}", bench.configuration().display());
            assert!(told.contains(" C_Initialize CKR_GENERAL_ERROR "), "{told:?}");
            assert!(told.contains(&named) && told.lines().count() == 1, "{text:?} gave {told:?}");
        }
        fs::remove_file(bench.configuration()).unwrap();
        module.initialize().refused(ck::CKR_GENERAL_ERROR);
        assert!(take_log(&log).contains(bench.configuration().to_str().unwrap()));
        bench.configure("");
        module.initialize().expect("what was mended works at once");
        assert_eq!(take_log(&log), "");
    });
}

#[test]
fn the_log_tells_why_calls_fail_and_never_a_pin() {
    isolated(|bench| {
        let log = bench.log_to();
        let token = bench.token();
        let session = token.public();
        session.login(ck::CKU_USER, "a wrong secret").refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.set_pin("another wrong secret", "new secret").refused(ck::CKR_PIN_INCORRECT);
        assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o7777, 0o600);
        let told = take_log(&log);
        assert!(told.contains(" C_Login CKR_PIN_INCORRECT "), "{told:?}");
        assert!(told.contains(" C_SetPIN CKR_PIN_INCORRECT "), "{told:?}");
        assert!(!told.contains("secret") && !told.contains(USER_PIN), "{told:?}");
    });
}

/// Changes the number of 4 bytes at `place` in the header of an unused token's database.
fn alter_header(bench: &Bench, place: usize, number: u32) -> Vec<u8> {
    let file = bench.token_directory().join("token.db");
    let mut bytes = fs::read(&file).expect("the database");
    bytes[place..place + 4].copy_from_slice(&number.to_be_bytes());
    fs::write(&file, &bytes).expect("the database is changed");
    bytes
}

/// The token cannot be used, for a reason that is told, and is left exactly as it is.
fn refuses_and_leaves(bench: &Bench, why: &str, rv: ck::CK_RV) {
    let log = bench.log_to();
    let before = fs::read(bench.token_directory().join("token.db")).ok();
    let module = bench.initialised();
    let slot = module.slots(true).expect("C_GetSlotList")[0];
    take_log(&log);
    module.token_info(slot).map(drop).refused(rv);
    assert!(take_log(&log).contains(why), "the log names the reason");
    if let Ok(session) = module.open(slot, ck::CKF_RW_SESSION) {
        session.login(ck::CKU_USER, USER_PIN).refused(rv);
        session.find(&template! {}).refused(rv);
        session.close().expect("C_CloseSession");
    }
    module.init_token(slot, SO_PIN, "anew").refused(rv);
    module.finalize().expect("C_Finalize");
    assert_eq!(fs::read(bench.token_directory().join("token.db")).ok(), before);
}

#[test]
fn a_token_of_a_later_version_is_refused_and_left_alone() {
    isolated(|bench| {
        bench.token().module.finalize().unwrap();
        alter_header(bench, 60, 2);
        refuses_and_leaves(bench, "the later format 2", ck::CKR_DEVICE_ERROR);
        alter_header(bench, 60, 1);
        let module = bench.initialised();
        module.token_info(module.slots(true).unwrap()[0]).expect("it was only too new");
    });
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    isolated(|bench| {
        bench.token().module.finalize().unwrap();
        alter_header(bench, 68, 0x0fac_ade0);
        refuses_and_leaves(bench, "a database of something else", ck::CKR_DEVICE_ERROR);
    });
}

#[test]
fn a_token_without_its_database_is_told_so() {
    isolated(|bench| {
        bench.token().module.finalize().unwrap();
        fs::remove_file(bench.token_directory().join("token.db")).unwrap();
        refuses_and_leaves(bench, "the files of the token are gone", ck::CKR_DEVICE_REMOVED);
    });
}

/// A token with a key, which nobody can write any more; all of it can be read.
fn read_only_token(bench: &Bench) -> Vec<u8> {
    let token = bench.token();
    let session = token.user();
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true, CKA_LABEL => "key" };
    let (_, key) =
        session.generate_pair(&how, &public, &template! { CKA_TOKEN => true }).expect("a pair");
    let signature = session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("a signature");
    token.module.finalize().expect("C_Finalize");
    forbid_writing(bench, true);
    signature
}

/// Whoever is not root can remove only what can be written: the test ends with `forbid` false.
fn forbid_writing(bench: &Bench, forbid: bool) {
    let (for_directories, for_files) = if forbid { (0o555, 0o444) } else { (0o700, 0o600) };
    let mut open = vec![bench.token_directory()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => open.push(entry),
                false => chmod(&entry, for_files),
            }
        }
        chmod(&directory, for_directories);
    }
    for directory in [&bench.token_dir().join("tokens"), &bench.token_dir()] {
        chmod(directory, for_directories);
    }
    chmod(bench.dir(), 0o755);
}

#[test]
fn a_token_that_cannot_be_written_says_so_and_shows_what_is_public() {
    isolated(|bench| {
        read_only_token(bench);
        let module = bench.load();
        in_child(|| {
            become_nobody();
            module.initialize().unwrap();
            let slot = module.slots(true).unwrap()[0];
            assert!(module.token_has(slot, ck::CKF_WRITE_PROTECTED));
            let session = module.read_only(slot);
            assert_eq!(session.count(&template! { CKA_LABEL => "key" }), 1, "the public half");
            session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_TOKEN_WRITE_PROTECTED);
            session.close().unwrap();
            module.init_token(slot, SO_PIN, "anew").refused(ck::CKR_TOKEN_WRITE_PROTECTED);
            module.finalize().unwrap();
        });
        let left = fs::read_dir(bench.token_directory()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_str().unwrap().contains("wal")), "{left:?}");
        forbid_writing(bench, false);
    });
}

#[test]
fn a_token_that_cannot_be_written_can_be_used_where_that_is_allowed() {
    isolated(|bench| {
        bench.configure("pin.readonly = \"allow\"");
        let signature = read_only_token(bench);
        let module = bench.load();
        in_child(|| {
            become_nobody();
            module.initialize().unwrap();
            let slot = module.slots(true).unwrap()[0];
            let opened = module.open(slot, ck::CKF_RW_SESSION).map(|session| session.handle);
            opened.refused(ck::CKR_TOKEN_WRITE_PROTECTED);
            let session = module.read_only(slot);
            session.login(ck::CKU_USER, "wrong pin").refused(ck::CKR_PIN_INCORRECT);
            session.login(ck::CKU_USER, USER_PIN).unwrap();
            let wanted = template! { CKA_CLASS => ck::CKO_PRIVATE_KEY };
            let key = session.find(&wanted).unwrap()[0];
            let again = session.sign(&plain(ck::CKM_EDDSA), key, b"data").unwrap();
            assert_eq!(again, signature);
            for refused in [
                session.create(&data("new", true)).err(),
                session.destroy(key).err(),
                session.set(key, &template! { CKA_LABEL => "changed" }).err(),
                session.set_pin(USER_PIN, "another-pin").err(),
            ] {
                let rv = refused.expect("nothing can be written");
                rv.is_one_of(&[ck::CKR_TOKEN_WRITE_PROTECTED, ck::CKR_SESSION_READ_ONLY]);
            }
            session.create(&data("in the session", false)).expect("session objects need no disk");
        });
        forbid_writing(bench, false);
    });
}

#[test]
fn what_another_process_has_not_written_back_is_not_overlooked_by_a_reader() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        session.create(&data("in the log", true)).unwrap();
        forbid_writing(bench, true);
        in_child(|| {
            become_nobody();
            let module = bench.load();
            module.initialize().unwrap();
            let slot = module.slots(true).unwrap()[0];
            module.token_info(slot).map(drop).refused(ck::CKR_DEVICE_ERROR);
        });
        forbid_writing(bench, false);
    });
}

#[test]
fn a_data_directory_without_permission_is_named() {
    isolated(|bench| {
        bench.token().module.finalize().unwrap();
        let log = bench.log_to();
        fs::write(&log, b"").unwrap();
        chmod(&log, 0o666);
        chmod(bench.dir(), 0o755);
        chmod(&bench.token_dir(), 0o000);
        let module = bench.load();
        in_child(|| {
            become_nobody();
            module.initialize().refused(ck::CKR_DEVICE_ERROR);
        });
        let told = take_log(&log);
        assert!(told.contains(bench.token_dir().to_str().unwrap()), "{told:?}");
        chmod(&bench.token_dir(), 0o700);
        module.initialize().unwrap();
    });
}

#[test]
fn a_token_cannot_be_made_where_nothing_can_be_written() {
    isolated(|bench| {
        fs::create_dir(bench.token_dir()).unwrap();
        chmod(bench.dir(), 0o755);
        chmod(&bench.token_dir(), 0o555);
        let module = bench.load();
        in_child(|| {
            become_nobody();
            module.initialize().unwrap();
            let made = module.init_token(module.free_slot(), SO_PIN, "new");
            let rv = made.expect_err("nothing can be written");
            rv.is_one_of(&[ck::CKR_DEVICE_ERROR, ck::CKR_TOKEN_WRITE_PROTECTED]);
            assert!(!module.token_has(module.slots(true).unwrap()[0], ck::CKF_TOKEN_INITIALIZED));
        });
        assert_eq!(fs::read_dir(bench.token_dir()).unwrap().count(), 0, "nothing is left behind");
        chmod(&bench.token_dir(), 0o700);
    });
}

/// A private data object.
pub(crate) fn data(label: &str, on_token: bool) -> Template {
    template! {
        CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => on_token, CKA_PRIVATE => true, CKA_LABEL => label,
        CKA_VALUE => &vec![7; 3000],
    }
}
