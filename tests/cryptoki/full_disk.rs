//! A disk that is full in the middle of anything: files of this process may grow no further for a
//! while. Every change is refused, nothing that was acknowledged is lost, and once there is room
//! the next call works.

use std::fs;

use cryptoki_sys as ck;

use crate::bad_days::data;
use crate::support::children::in_child;
use crate::support::known::ED25519;
use crate::support::operations::plain;
use crate::support::{Module, Rv, SO_PIN, Session, Token, USER_PIN, isolated, template};

/// Lets files of this process grow no further than this.
pub fn limit_files(bytes: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the signal would end the process before the write fails.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    // SAFETY: a live local.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) }, 0);
}

/// Does what writes, until one of the calls finds no room; each may only fail for that reason.
fn write_on_a_full_disk(token: &Token, session: &Session<'_>, kept: ck::CK_OBJECT_HANDLE) {
    let full = [ck::CKR_DEVICE_MEMORY, ck::CKR_DEVICE_ERROR];
    let refused = |what: &str, outcome: Option<Rv>| {
        let rv = outcome.unwrap_or_else(|| panic!("{what} was acknowledged"));
        rv.is_one_of(&full);
    };
    let pair = || {
        let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
        let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true };
        session.generate_pair(&how, &public, &template! { CKA_TOKEN => true })
    };
    refused("C_CreateObject", session.create(&data("too much", true)).err());
    refused("C_GenerateKeyPair", pair().err());
    refused("C_SetAttributeValue", session.set(kept, &template! { CKA_LABEL => "x" }).err());
    refused("C_CopyObject", session.copy(kept, &template! { CKA_LABEL => "copy" }).err());
    refused("C_DestroyObject", session.destroy(kept).err());
    refused("C_SetPIN", session.set_pin(USER_PIN, "another-pin").err());
    let spare = token.module.free_slot();
    refused("C_InitToken", token.module.init_token(spare, SO_PIN, "no room").err());
    session.has(kept, ck::CKA_LABEL, "kept");
}

#[test]
fn on_a_full_disk_every_change_fails_and_nothing_is_lost() {
    isolated(|bench| {
        bench.configure("slots.spare = true");
        let token = bench.token();
        let session = token.user();
        let kept = session.create(&data("kept", true)).unwrap();
        let mut made = vec!["kept".to_owned()];
        for (round, limit) in [0, 8, 4096].into_iter().enumerate() {
            limit_files(limit);
            write_on_a_full_disk(&token, &session, kept);
            limit_files(libc::RLIM_INFINITY);
            let label = format!("round {round}");
            session.create(&data(&label, true)).expect("there is room again");
            made.push(label);
            in_child(|| finds_exactly(&bench.load(), &made));
        }
        session.logout().unwrap();
        limit_files(0);
        let locked_out = session.login(ck::CKU_USER, USER_PIN).expect_err("a try is written first");
        locked_out.is_one_of(&[ck::CKR_DEVICE_MEMORY, ck::CKR_DEVICE_ERROR]);
        limit_files(libc::RLIM_INFINITY);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        let tokens = fs::read_dir(bench.token_dir().join("tokens")).unwrap();
        assert_eq!(tokens.count(), 1, "no half of a token is left");
    });
}

/// In another process: the user's objects have these labels, and are whole.
fn finds_exactly(module: &Module, labels: &[String]) {
    module.initialize().expect("C_Initialize");
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    let mut found: Vec<String> = session
        .find(&template! {})
        .expect("a search")
        .into_iter()
        .inspect(|object| session.has(*object, ck::CKA_VALUE, &vec![7; 3000]))
        .map(|object| String::from_utf8(session.get(object, ck::CKA_LABEL).unwrap()).unwrap())
        .collect();
    found.sort();
    assert_eq!(found, labels);
    module.finalize().expect("C_Finalize");
}
