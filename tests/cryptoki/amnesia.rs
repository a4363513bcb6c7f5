//! `store.kind = "memory"`: tokens that end with the library, and leave nothing on the disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use claviger::audit::leaf::Leaf;
use cryptoki_sys as ck;

use crate::forks::in_child;
use crate::full_disk::limit_files;
use crate::support::known::{ED25519, P256};
use crate::support::operations::{plain, with_bytes};
use crate::support::{Bench, Refused, Rv, SO_PIN, Session, USER_PIN, isolated, template};

const MEMORY: &str = "store.kind = \"memory\"";

fn with_log(bench: &Bench) -> PathBuf {
    let file = bench.dir().join("audit.jsonl");
    bench.configure(&format!("{MEMORY}\naudit.file = \"{}\"", file.display()));
    file
}

/// Everything below a directory, with what tells a change.
fn listing(directory: &Path) -> BTreeSet<(PathBuf, u64, u32)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let (path, of) = (entry.path(), entry.metadata().expect("metadata"));
        if of.is_dir() {
            found.extend(listing(&path));
        }
        found.insert((path, of.len(), of.permissions().mode()));
    }
    found
}

/// The files below a directory that this process has open.
fn open_below(directory: &Path) -> Vec<PathBuf> {
    let open = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
    let names = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    names.filter(|name| name.starts_with(directory)).collect()
}

/// Whatever a token is for.
fn work(session: &Session<'_>) {
    let public = template! { CKA_EC_PARAMS => P256, CKA_TOKEN => true, CKA_LABEL => "ec" };
    let private = template! { CKA_TOKEN => true, CKA_LABEL => "ec" };
    let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
    let (public, private) = session.generate_pair(&how, &public, &private).expect("a pair");
    let ecdsa = plain(ck::CKM_ECDSA);
    let signature = session.sign(&ecdsa, private, &[1; 32]).expect("a signature");
    session.verify(&ecdsa, public, &[1; 32], &signature).expect("the right one");

    let aes = template! { CKA_TOKEN => true, CKA_VALUE_LEN => 32_u64, CKA_LABEL => "aes" };
    let aes = session.generate(&plain(ck::CKM_AES_KEY_GEN), &aes).expect("a key");
    let how = with_bytes(ck::CKM_AES_CBC_PAD, &[3; 16]);
    let sealed = session.encrypt(&how, aes, b"text").expect("C_Encrypt");
    assert_eq!(session.decrypt(&how, aes, &sealed).expect("C_Decrypt"), b"text");

    session.set(private, &template! { CKA_LABEL => "renamed" }).expect("C_SetAttributeValue");
    assert_eq!(session.count(&template! { CKA_LABEL => "ec" }), 1);
    assert_eq!(session.find(&template! { CKA_LABEL => "renamed" }), Ok(vec![private]));
    let copy = template! { CKA_LABEL => "copy" };
    let copy = session.copy(private, &copy).expect("C_CopyObject");
    session.sign(&ecdsa, copy, &[2; 32]).expect("a signature");
    session.destroy(copy).expect("C_DestroyObject");
    session.sign_init(&ecdsa, copy).refused(ck::CKR_KEY_HANDLE_INVALID);
    session.sign_init(&ecdsa, private).expect("the other one is there");
    session.sign_data(&[1; 32]).expect("a signature");
    [public, private, aes].into_iter().for_each(|one| session.destroy(one).expect("its end"));
    assert_eq!(session.count(&template! { CKA_TOKEN => true }), 0);
}

#[test]
fn a_token_in_memory_works_and_leaves_no_trace() {
    isolated(|bench| {
        bench.configure(MEMORY);
        let before = listing(bench.dir());
        let token = bench.token();
        assert!(token.has(ck::CKF_TOKEN_INITIALIZED | ck::CKF_USER_PIN_INITIALIZED));
        assert!(!token.has(ck::CKF_WRITE_PROTECTED));
        let session = token.user();
        work(&session);
        session.create(&template! {
            CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_VALUE => "kept",
        })
        .expect("C_CreateObject");
        session.set_pin(USER_PIN, "another-pin").expect("C_SetPIN");
        session.logout().expect("C_Logout");
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, "another-pin").expect("C_Login");
        work_beside(&token.public());
        assert_eq!(open_below(bench.dir()), Vec::<PathBuf>::new());
        assert_eq!(listing(bench.dir()), before);
        token.module.finalize().unwrap();
        assert_eq!(listing(bench.dir()), before);
    });
}

fn work_beside(other: &Session<'_>) {
    assert_eq!(other.count(&template! { CKA_CLASS => ck::CKO_DATA }), 1, "one token, two sessions");
}

#[test]
fn wrong_pins_lock_a_token_in_memory_too() {
    isolated(|bench| {
        bench.configure(&format!("{MEMORY}\npin.tries = 3"));
        let token = bench.token();
        let session = token.public();
        for _ in 0..3 {
            session.login(ck::CKU_USER, "wrong").refused(ck::CKR_PIN_INCORRECT);
        }
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_LOCKED);
        assert!(token.has(ck::CKF_USER_PIN_LOCKED));
        session.close().unwrap();
        let officer = token.officer();
        officer.init_pin(USER_PIN).unwrap();
        officer.close().unwrap();
        work(&token.user());
    });
}

#[test]
fn the_end_of_the_library_is_the_end_of_its_tokens() {
    isolated(|bench| {
        bench.configure(MEMORY);
        let token = bench.token();
        let serial = token.module.token_info(token.slot).unwrap().serialNumber;
        token.module.finalize().unwrap();
        token.module.initialize().unwrap();
        assert_eq!(token.module.slots(true).unwrap().len(), 1);
        assert!(!token.module.token_has(token.slot, ck::CKF_TOKEN_INITIALIZED));
        token.module.open(token.slot, 0).refused(ck::CKR_TOKEN_NOT_RECOGNIZED);
        let slot = crate::support::token::make_token(&token.module, "the next one");
        assert_ne!(token.module.token_info(slot).unwrap().serialNumber, serial);
        assert!(!bench.token_dir().exists());
    });
}

#[test]
fn a_token_in_memory_can_be_initialised_again_and_beside_others() {
    isolated(|bench| {
        bench.configure(&format!("{MEMORY}\nslots.spare = true"));
        let token = bench.token();
        let session = token.user();
        session.create(&template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true }).unwrap();
        token.module.init_token(token.slot, SO_PIN, "again").refused(ck::CKR_SESSION_EXISTS);
        let other = crate::support::token::make_token(&token.module, "other");
        assert_ne!(other, token.slot);
        session.close().unwrap();
        token.module.init_token(token.slot, "wrong", "again").refused(ck::CKR_PIN_INCORRECT);
        token.module.init_token(token.slot, SO_PIN, "again").unwrap();
        assert_eq!(token.public().count(&template! { CKA_TOKEN => true }), 0);
        assert_eq!(token.module.slots(true).unwrap().len(), 3);
        let session = token.module.read_write(other);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        work(&session);
    });
}

#[test]
fn a_forked_child_has_none_of_its_parents_tokens() {
    isolated(|bench| {
        let log = with_log(bench);
        let token = bench.token();
        let session = token.user();
        in_child(|| {
            session.random(1).err().map_or(Err(Rv(ck::CKR_FUNCTION_FAILED)), |_| Ok(()))?;
            token.module.initialize()?;
            if token.module.token_info(token.slot)?.flags & ck::CKF_TOKEN_INITIALIZED != 0 {
                return Err(Rv(ck::CKR_FUNCTION_FAILED));
            }
            token.module.init_token(token.slot, SO_PIN, "the child's")?;
            token.module.finalize()
        });
        work(&session);
        let label = token.module.token_info(token.slot).unwrap().label;
        assert!(label.starts_with(b"test token"), "the parent's is another");
        assert_eq!(leaves(&log).iter().filter(|leaf| leaf.contains("generation")).count(), 2);
    });
}

/// The lines of the log, which are leaves all.
fn leaves(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).expect("the log");
    assert!(text.ends_with('\n'), "{text}");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in &lines {
        Leaf::parse(line.as_bytes()).unwrap_or_else(|why| panic!("{why}: {line}"));
    }
    lines
}

#[test]
fn changes_are_lines_of_the_file_that_is_configured() {
    isolated(|bench| {
        let log = with_log(bench);
        // SAFETY: nobody else makes files in this process now.
        unsafe { libc::umask(0) };
        let before = listing(bench.dir());
        let token = bench.token();
        assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
        work(&token.user());
        let lines = leaves(&log);
        assert!(lines[0].starts_with("{\"kind\":\"generation\",\"number\":1,"), "{}", lines[0]);
        for call in ["C_InitPIN", "C_GenerateKeyPair", "C_SetAttributeValue", "C_DestroyObject"] {
            let call = format!("\"call\":\"{call}\"");
            assert!(lines.iter().any(|line| line.contains(&call)), "no {call} in {lines:#?}");
        }
        assert!(lines.iter().all(|line| !line.contains(USER_PIN) && !line.contains("renamed")));
        token.module.finalize().unwrap();
        assert_eq!(open_below(bench.dir()), Vec::<PathBuf>::new());
        // The next one appends.
        token.module.initialize().unwrap();
        crate::support::token::make_token(&token.module, "next");
        assert_eq!(leaves(&log)[..lines.len()], lines);
        let mut after = listing(bench.dir());
        after.retain(|(path, ..)| *path != log);
        assert_eq!(after, before);
    });
}

#[test]
fn a_change_that_cannot_be_put_on_record_is_undone() {
    isolated(|bench| {
        let log = with_log(bench);
        let token = bench.token();
        let session = token.user();
        let data = |label: &'static str| {
            template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_LABEL => label }
        };
        let kept = session.create(&data("kept")).unwrap();
        let len = fs::metadata(&log).unwrap().len();
        for more in [0, 20] {
            limit_files(len + more);
            let refused = session.create(&data("too much")).expect_err("no record");
            refused.is_one_of(&[ck::CKR_DEVICE_MEMORY, ck::CKR_DEVICE_ERROR]);
            assert!(session.destroy(kept).is_err());
            assert!(session.set(kept, &template! { CKA_LABEL => "x" }).is_err());
            limit_files(libc::RLIM_INFINITY);
            assert_eq!(session.count(&data("too much")), 0);
            session.has(kept, ck::CKA_LABEL, b"kept");
        }
        session.destroy(kept).unwrap();
        let text = fs::read_to_string(&log).unwrap();
        let bad = text.lines().filter(|line| Leaf::parse(line.as_bytes()).is_err()).count();
        assert!(bad <= 3 && text.ends_with('\n'), "{bad} lines are cut in {text}");
        assert!(text.lines().last().unwrap().contains("C_DestroyObject"));
    });
}

#[test]
fn a_log_that_cannot_be_opened_is_refused_at_once() {
    isolated(|bench| {
        let log = with_log(bench);
        let module = bench.load();
        let real = bench.dir().join("real");
        fs::write(&real, b"").unwrap();
        symlink(&real, &log).unwrap();
        module.initialize().refused(ck::CKR_GENERAL_ERROR);
        assert_eq!(fs::read(&real).unwrap(), b"");
        fs::remove_file(&log).unwrap();
        fs::create_dir(&log).unwrap();
        module.initialize().refused(ck::CKR_GENERAL_ERROR);
        fs::remove_dir(&log).unwrap();
        let pipe = std::ffi::CString::new(log.to_str().unwrap()).unwrap();
        // SAFETY: a C string that lives across the call.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        module.initialize().refused(ck::CKR_GENERAL_ERROR);
        fs::remove_file(&log).unwrap();
        bench.configure(&format!("audit.file = \"{}\"", log.display()));
        module.initialize().refused(ck::CKR_GENERAL_ERROR);
        assert!(!log.exists(), "a token on the disk has its log beside it");
        with_log(bench);
        module.initialize().unwrap();
    });
}

#[test]
fn threads_work_side_by_side_on_a_token_in_memory() {
    isolated(|bench| {
        bench.configure(MEMORY);
        let token = bench.token();
        let login = token.user();
        let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true };
        let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
        let private = template! { CKA_TOKEN => true };
        let (_, key) = login.generate_pair(&how, &public, &private).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let session = token.public();
                scope.spawn(move || {
                    let label = format!("{thread}");
                    let data = template! {
                        CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true,
                        CKA_LABEL => label.as_str(),
                    };
                    for _ in 0..50 {
                        let made = session.create(&data).expect("C_CreateObject");
                        session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("a signature");
                        assert_eq!(session.find(&data), Ok(vec![made]));
                        session.destroy(made).expect("C_DestroyObject");
                    }
                });
            }
        });
        assert_eq!(login.count(&template! { CKA_CLASS => ck::CKO_DATA }), 0);
    });
}
