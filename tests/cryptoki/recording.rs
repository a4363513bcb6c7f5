//! Every use of a key and of a PIN is on record, in a log that others can check; and what cannot
//! be recorded is not done. The log is read as anybody would, with `claviger audit`.

use std::io::Read;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use cryptoki_sys as ck;

use crate::full_disk::limit_files;
use crate::support::children::in_child;
use crate::support::crowd::{said, say};
use crate::support::known::ED25519;
use crate::support::log::text;
use crate::support::operations::{input, plain};
use crate::support::{Bench, Module, Session, Token, USER_PIN, call, isolated, template};

/// A key pair on the token, (public, private).
fn pair(session: &Session<'_>) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true, CKA_LABEL => "key" };
    let private = template! { CKA_TOKEN => true, CKA_LABEL => "key" };
    session.generate_pair(&how, &public, &private).expect("a pair")
}

fn eddsa() -> crate::support::operations::Mechanism<'static> {
    plain(ck::CKM_EDDSA)
}

fn sign(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) {
    session.sign(&eddsa(), key, b"data").expect("a signature");
}

fn private_key(session: &Session<'_>) -> ck::CK_OBJECT_HANDLE {
    session.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }).expect("a search")[0]
}

fn unique_id(session: &Session<'_>, object: ck::CK_OBJECT_HANDLE) -> String {
    String::from_utf8(session.get(object, ck::CKA_UNIQUE_ID).unwrap()).unwrap()
}

/// The user in a process that has just begun.
fn user(module: &Module) -> Session<'_> {
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    session
}

#[test]
fn each_use_is_on_record_with_its_key_mechanism_and_outcome() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let signature = session.sign(&eddsa(), private, b"twelve bytes").unwrap();
        session.verify(&eddsa(), public, b"twelve bytes", &signature).unwrap();
        let refused = session.verify(&eddsa(), public, b"other", &signature);
        assert!(refused.is_err());
        let refused = session.sign_init(&eddsa(), public);
        assert!(refused.is_err(), "a public key does not sign");
        let (public_id, private_id) = (unique_id(&session, public), unique_id(&session, private));
        session.logout().unwrap();
        let log = bench.log();
        let used = log.one("C_Sign", "CKR_OK");
        assert_eq!(text(used, "key"), private_id);
        assert_eq!(text(used, "mechanism"), "CKM_EDDSA");
        assert_eq!((used["in"].as_u64(), used["version"].as_u64()), (Some(12), Some(1)));
        assert_eq!((text(used, "role"), used["session"].as_u64()), ("user", Some(session.handle)));
        assert_eq!(text(log.one("C_Verify", "CKR_OK"), "key"), public_id);
        log.one("C_Verify", "CKR_SIGNATURE_INVALID");
        let refused = log.of_kind("").find(|leaf| text(leaf, "call") == "C_SignInit").unwrap();
        assert_eq!(text(refused, "key"), public_id);
        assert_eq!(log.count("C_Logout"), 2, "the officer's and the user's");
        let changes: Vec<_> = log.of_kind("change").map(|leaf| text(leaf, "key")).collect();
        assert!(changes.contains(&&*public_id) && changes.contains(&&*private_id), "{changes:?}");
        // What opens the lane says who it was.
        let lane = text(used, "lane");
        let opened = log.of_kind("lane-opened").find(|leaf| text(leaf, "lane") == lane).unwrap();
        assert_eq!(opened["pid"].as_u64(), Some(std::process::id().into()));
        let exe = std::env::current_exe().unwrap();
        assert_eq!(text(opened, "exe"), exe.to_str().unwrap());
    });
}

#[test]
fn parts_and_length_queries_are_one_use() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_GENERIC_SECRET_KEY_GEN);
        let wanted = template! { CKA_TOKEN => true, CKA_VALUE_LEN => 32_u64, CKA_SIGN => true };
        let key = session.generate(&how, &wanted).expect("a key");
        let hmac = plain(ck::CKM_SHA256_HMAC);
        session.sign_parts(&hmac, key, &[b"one", b"two", b"three"]).expect("a MAC");
        session.logout().unwrap();
        let log = bench.log();
        assert_eq!(log.one("C_SignFinal", "CKR_OK")["in"].as_u64(), Some(11));
        let silent = ["C_SignInit", "C_SignUpdate", "C_FindObjects", "C_GetAttributeValue"];
        assert!(log.uses().iter().all(|(call, _)| !silent.contains(call)), "{:?}", log.uses());
    });
}

#[test]
fn what_is_made_and_derived_in_a_session_is_on_record_too() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_AES_KEY_GEN);
        let key = session.generate(&how, &template! { CKA_VALUE_LEN => 16_u64 }).expect("a key");
        let id = unique_id(&session, key);
        session.destroy(key).unwrap();
        session.logout().unwrap();
        let log = bench.log();
        assert_eq!(text(log.one("C_GenerateKey", "CKR_OK"), "key"), id);
        assert_eq!(text(log.one("C_DestroyObject", "CKR_OK"), "key"), id);
    });
}

#[test]
fn wrong_pins_are_on_record_though_nobody_is_logged_in() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.public();
        for _ in 0..3 {
            assert!(session.login(ck::CKU_USER, "wrong pin").is_err());
        }
        assert!(session.set_pin("wrong pin", "another-pin").is_err());
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.logout().unwrap();
        let log = bench.log();
        let early: Vec<_> = log.of_kind("unauthenticated").map(|leaf| text(leaf, "call")).collect();
        assert_eq!(early, ["C_Login", "C_Login", "C_Login", "C_SetPIN"]);
        assert!(log.of_kind("unauthenticated").all(|leaf| text(leaf, "rv") == "CKR_PIN_INCORRECT"));
        assert!(log.leaves.iter().all(|leaf| !leaf.to_string().contains("wrong pin")));
    });
}

#[test]
fn a_use_that_cannot_be_recorded_does_not_happen() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (_, private) = pair(&session);
        sign(&session, private);
        session.sign_init(&eddsa(), private).unwrap();
        limit_files(0);
        let (mut signature, mut length) = ([0x5a; 64], 64);
        let (data, data_len) = input(b"data");
        let place = signature.as_mut_ptr();
        let rv = call!(session, C_Sign(session.handle, data, data_len, place, &raw mut length));
        limit_files(libc::RLIM_INFINITY);
        rv.is_one_of(&[ck::CKR_DEVICE_MEMORY, ck::CKR_DEVICE_ERROR]);
        assert_eq!(signature, [0; 64], "nothing of the signature was let go");
        assert!(session.sign_data(b"data").is_err(), "the operation has ended");
        sign(&session, private);
        session.logout().unwrap();
        assert_eq!(bench.log().count("C_Sign"), 2);
    });
}

#[test]
fn a_use_without_a_record_is_let_go_only_where_that_is_configured() {
    isolated(|bench| {
        bench.configure("[audit]\non_failure = \"warn\"\nforce = [\"C_SignFinal\"]\n");
        let token = bench.token();
        let session = token.user();
        let (_, private) = pair(&session);
        limit_files(0);
        let whole = session.sign(&eddsa(), private, b"data");
        session.sign_init(&eddsa(), private).unwrap();
        limit_files(libc::RLIM_INFINITY);
        assert!(whole.is_ok());
        session.logout().unwrap();
        assert_eq!(bench.log().count("C_Sign"), 0);
    });
}

#[test]
fn functions_that_are_switched_off_leave_no_record_of_uses() {
    isolated(|bench| {
        bench.configure("audit.off = [\"C_Verify\", \"C_GenerateKeyPair\"]");
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let signature = session.sign(&eddsa(), private, b"data").unwrap();
        session.verify(&eddsa(), public, b"data", &signature).unwrap();
        session.logout().unwrap();
        let log = bench.log();
        assert_eq!((log.count("C_Sign"), log.count("C_Verify")), (1, 0));
        let changes = log.of_kind("change").filter(|it| text(it, "call") == "C_GenerateKeyPair");
        assert_eq!(changes.count(), 2, "changes are always on record");
    });
}

#[test]
fn records_hold_a_keyed_hash_of_the_input_where_that_is_configured() {
    isolated(|bench| {
        bench.configure("audit.hash = true");
        let token = bench.token();
        let session = token.user();
        let key = plain(ck::CKM_GENERIC_SECRET_KEY_GEN);
        let wanted = template! {
            CKA_TOKEN => true, CKA_VALUE_LEN => 32_u64, CKA_SIGN => true, CKA_VERIFY => true
        };
        let key = session.generate(&key, &wanted).expect("a key");
        let hmac = plain(ck::CKM_SHA256_HMAC);
        let mac = session.sign(&hmac, key, b"one input").unwrap();
        session.sign_parts(&hmac, key, &[b"one ", b"", b"input"]).unwrap();
        session.verify(&hmac, key, b"one input", &mac).unwrap();
        session.sign(&hmac, key, b"another").unwrap();
        session.logout().unwrap();
        let log = bench.log();
        let hashes: Vec<_> = log.of_kind("").map(|leaf| text(leaf, "hash")).collect();
        let hashes: Vec<_> = hashes.into_iter().filter(|hash| !hash.is_empty()).collect();
        let [one, parts, verified, another] = hashes.as_slice() else { panic!("{hashes:?}") };
        assert!(one.len() == 64 && one == parts && one == verified && one != another);
        std::fs::write(bench.dir().join("input"), "one input").unwrap();
        let mut tool = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
        bench.furnish(&mut tool);
        tool.args(["audit", "hash", "input", "--pin-env", "PIN"]).env("PIN", USER_PIN);
        token.module.finalize().unwrap();
        let told = tool.current_dir(bench.dir()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), *one, "{told:?}");
    });
}

#[test]
fn uses_are_sealed_while_a_login_goes_on() {
    isolated(|bench| {
        bench.configure("audit.off = [\"C_Verify\"]");
        let token = bench.token();
        let session = token.user();
        let (_, private) = pair(&session);
        (0..4_500).for_each(|_| sign(&session, private));
        let log = bench.log();
        assert_eq!(log.of_kind("").filter(|leaf| text(leaf, "role") == "user").count(), 4_096);
        assert_eq!(log.of_kind("lane-closed").count(), 1, "the officer's");
        session.logout().unwrap();
        let log = bench.log();
        assert_eq!((log.count("C_Sign"), log.of_kind("lane-closed").count()), (4_500, 2));
    });
}

#[test]
fn old_uses_are_sealed_with_the_next() {
    isolated(|bench| {
        bench.configure("audit.seal_ms = 50");
        let token = bench.token();
        let session = token.user();
        let (_, private) = pair(&session);
        sign(&session, private);
        std::thread::sleep(std::time::Duration::from_millis(80));
        sign(&session, private);
        assert_eq!(bench.log().count("C_Sign"), 2);
    });
}

/// In the process to be killed: signs until then, and says each signature.
fn sign_for_ever(bench: &Bench) {
    let module = bench.initialised();
    let session = user(&module);
    let key = private_key(&session);
    for at in 0.. {
        sign(&session, key);
        say(&format!("signed {at}"));
    }
}

#[test]
fn what_a_killed_process_had_signed_is_on_record_after_the_next_login() {
    isolated(|bench| {
        if bench.role().is_some() {
            sign_for_ever(bench);
        }
        let token = bench.token();
        pair(&token.user());
        token.module.finalize().unwrap();
        let (mut signed, mut rounds) = (0, 0_u64);
        while rounds < 10 || (signed <= 20 && rounds < 200) {
            let mut command = bench.player("signer");
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().expect("a process to kill");
            let mut output = child.stdout.take().expect("its output");
            std::thread::sleep(std::time::Duration::from_millis(60 + 11 * rounds));
            rounds += 1;
            child.kill().unwrap();
            child.wait().unwrap();
            let mut told = String::new();
            output.read_to_string(&mut told).unwrap();
            signed += said(&told).len();
        }
        assert!(signed > 20, "only {signed} signatures were acknowledged");
        token.module.initialize().unwrap();
        user(&token.module).logout().unwrap();
        let log = bench.log();
        let found = log.count("C_Sign");
        assert!(found >= signed, "{found} of {signed} signatures are on record");
        let most = signed + usize::try_from(rounds).unwrap();
        assert!(found <= most, "at most one a process was not acknowledged");
        assert!(log.of_kind("lane-cut").count() > 0);
        assert_eq!(log.of_kind("lane-distrusted").count(), 0);
        assert!(!token.has(ck::CKF_ERROR_STATE));
    });
}

#[test]
fn parent_and_child_each_have_their_own_lane() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (_, private) = pair(&session);
        sign(&session, private);
        in_child(|| {
            token.module.initialize().unwrap();
            let session = user(&token.module);
            let key = private_key(&session);
            (0..5).for_each(|_| sign(&session, key));
            token.module.finalize().unwrap();
        });
        // A child that never comes in changes nothing.
        in_child(|| ());
        (0..3).for_each(|_| sign(&session, private));
        session.logout().unwrap();
        let log = bench.log();
        assert_eq!(log.count("C_Sign"), 9);
        assert_eq!(log.of_kind("lane-opened").count(), 3);
        assert_eq!(log.of_kind("lane-closed").count(), 3);
    });
}

#[test]
fn threads_that_sign_while_another_logs_out_lose_no_record() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (_, private) = pair(&session);
        let all = AtomicUsize::new(0);
        let signed: usize = std::thread::scope(|scope| {
            let sign_until_refused = || {
                let session = token.public();
                let sign = || session.sign(&eddsa(), private, b"data").is_ok();
                let count = || all.fetch_add(1, Ordering::Relaxed);
                std::iter::from_fn(|| sign().then(count)).count()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(sign_until_refused)).collect();
            while all.load(Ordering::Relaxed) < 5_000 {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            session.logout().unwrap();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let found = bench.log().count("C_Sign");
        // One of each thread may have been on record when its signature was refused.
        assert!((signed..=signed + 4).contains(&found), "{found} on record, {signed} let go");
    });
}

#[test]
fn processes_at_once_are_all_on_record() {
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            bench.wait_for_the_start();
            let session = user(&module);
            let key = private_key(&session);
            (0..200).for_each(|_| sign(&session, key));
            module.finalize().unwrap();
            return;
        }
        let token = bench.token();
        pair(&token.user());
        token.module.finalize().unwrap();
        let roles: Vec<String> = (0..8).map(|number| format!("signer {number}")).collect();
        bench.crowd(&roles);
        let log = bench.log();
        assert_eq!(log.count("C_Sign"), 1_600);
        let opened = log.of_kind("lane-opened").count();
        assert_eq!((opened, log.of_kind("lane-closed").count()), (10, 10));
    });
}

#[test]
fn a_token_that_was_made_anew_begins_another_log() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (_, private) = pair(&session);
        sign(&session, private);
        session.close().unwrap();
        assert!(token.module.init_token(token.slot, "not the pin", "x").is_err());
        let Token { module, slot } = token;
        module.init_token(slot, crate::support::SO_PIN, "again").expect("C_InitToken");
        let officer = module.read_write(slot);
        officer.login(ck::CKU_SO, crate::support::SO_PIN).unwrap();
        officer.logout().unwrap();
        let log = bench.log();
        assert_eq!(text(&log.leaves[0], "kind"), "generation");
        assert_eq!(log.count("C_Sign"), 0);
        let wrong = log.of_kind("unauthenticated").find(|it| text(it, "call") == "C_InitToken");
        assert_eq!(text(wrong.expect("the wrong PIN"), "rv"), "CKR_PIN_INCORRECT");
    });
}
