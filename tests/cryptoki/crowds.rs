//! Many threads and many processes on one token.

use cryptoki_sys as ck;

use crate::support::crowd::say;
use crate::support::known::ED25519;
use crate::support::operations::plain;
use crate::support::{Bench, Module, Refused, Rv, Session, USER_PIN, isolated, template};

const THREADS: usize = 8;
const SIGNATURES: usize = 10_000;

/// An Ed25519 pair on the token: public and private.
fn pair(session: &Session<'_>) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true };
    session
        .generate_pair(&how, &public, &template! { CKA_TOKEN => true })
        .expect("C_GenerateKeyPair")
}

fn names(count: usize, role: &str) -> Vec<String> {
    (0..count).map(|at| format!("{role} {at}")).collect()
}

/// A session of the user, in a process that has just begun.
fn log_in(module: &Module) -> Session<'_> {
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    session
}

#[test]
fn eight_threads_sign_ten_thousand_times_each() {
    isolated(|bench| {
        let token = bench.token();
        let (public, private) = pair(&token.user());
        let how = plain(ck::CKM_EDDSA);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let session = token.public();
                scope.spawn(move || {
                    let data = thread.to_le_bytes();
                    let how = plain(ck::CKM_EDDSA);
                    let first = session.sign(&how, private, &data).expect("a signature");
                    session.verify(&how, public, &data, &first).expect("a right signature");
                    let (data, len) = crate::support::operations::input(&data);
                    let (mut signature, mut c) = ([0; 64], how.c);
                    for _ in 0..SIGNATURES {
                        let (s, mut out_len) = (session.handle, 64);
                        let out = signature.as_mut_ptr();
                        let begun =
                            crate::support::call!(session, C_SignInit(s, &raw mut c, private));
                        begun.is(ck::CKR_OK);
                        let signed = crate::support::call!(
                            session,
                            C_Sign(s, data, len, out, &raw mut out_len)
                        );
                        signed.is(ck::CKR_OK);
                        assert_eq!(signature.as_slice(), first);
                    }
                });
            }
        });
        token.public().verify_init(&how, public).unwrap();
    });
}

#[test]
fn threads_make_find_and_destroy_objects_side_by_side() {
    isolated(|bench| {
        let token = bench.token();
        let _login = token.user();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let session = token.public();
                scope.spawn(move || {
                    for at in 0..25 {
                        let label = format!("{thread} {at}");
                        let on_token = at % 2 == 0;
                        let data = template! {
                            CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => on_token,
                            CKA_PRIVATE => true, CKA_LABEL => label.as_str(),
                        };
                        let object = session.create(&data).expect("C_CreateObject");
                        assert_eq!(session.find(&data), Ok(vec![object]), "{label}");
                        session.set(object, &template! { CKA_APPLICATION => "x" }).err();
                        session.destroy(object).expect("C_DestroyObject");
                    }
                });
            }
        });
        assert_eq!(token.public().count(&template! {}), 0);
    });
}

#[test]
fn threads_share_one_session_without_harm() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(move || {
                    for _ in 0..300 {
                        let _ = session.digest(&plain(ck::CKM_SHA256), b"whose is it?");
                        let _ = session.find(&template! {});
                        let _ = session.random(8);
                    }
                });
            }
        });
        session.info().unwrap();
    });
}

#[test]
fn eight_processes_log_in_and_sign_twenty_five_times_each() {
    isolated(|bench| {
        if bench.role().is_some() {
            bench.wait_for_the_start();
            let module = bench.load();
            for _ in 0..25 {
                module.initialize().expect("C_Initialize");
                let session = log_in(&module);
                let wanted = template! { CKA_CLASS => ck::CKO_PRIVATE_KEY };
                let key = session.find(&wanted).expect("a search")[0];
                session.sign(&plain(ck::CKM_EDDSA), key, b"data").expect("a signature");
                module.finalize().expect("C_Finalize");
            }
            return;
        }
        let token = bench.token();
        pair(&token.user());
        token.module.finalize().unwrap();
        bench.crowd(&names(8, "signer"));
    });
}

/// In one of a crowd: one login, whose answer is told to the test.
fn try_to_log_in(bench: &Bench, pin: &str) {
    let module = bench.initialised();
    let session = module.read_write(module.slots(true).expect("slots")[0]);
    bench.wait_for_the_start();
    let rv = session.login(ck::CKU_USER, pin).err().unwrap_or(Rv(ck::CKR_OK));
    say(&rv.to_string());
    module.finalize().expect("C_Finalize");
}

#[test]
fn sixty_four_processes_log_in_at_once() {
    isolated(|bench| {
        if bench.role().is_some() {
            return try_to_log_in(bench, USER_PIN);
        }
        let token = bench.token();
        let answers = bench.crowd(&names(64, "user")).concat();
        assert_eq!(answers, vec!["CKR_OK"; 64]);
        assert!(!token.has(ck::CKF_USER_PIN_COUNT_LOW));
    });
}

#[test]
fn sixty_four_processes_with_a_wrong_pin_lock_after_exactly_ten_tries() {
    isolated(|bench| {
        if bench.role().is_some() {
            return try_to_log_in(bench, "wrong pin");
        }
        let token = bench.token();
        let answers = bench.crowd(&names(64, "stranger")).concat();
        let count = |answer: &str| answers.iter().filter(|given| *given == answer).count();
        assert_eq!((count("CKR_PIN_INCORRECT"), count("CKR_PIN_LOCKED")), (10, 54));
        assert!(token.has(ck::CKF_USER_PIN_LOCKED));
        token.public().login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_LOCKED);
    });
}

#[test]
fn strangers_among_users_lock_nobody_out_before_ten_tries() {
    isolated(|bench| {
        match bench.role() {
            Some(role) if role.starts_with("user") => return try_to_log_in(bench, USER_PIN),
            Some(_) => return try_to_log_in(bench, "wrong pin"),
            None => {}
        }
        let token = bench.token();
        let roles = [names(24, "user"), names(8, "stranger")].concat();
        let answers = bench.crowd(&roles);
        for (role, answer) in roles.iter().zip(answers) {
            let expected = if role.starts_with("user") { "CKR_OK" } else { "CKR_PIN_INCORRECT" };
            assert_eq!(answer, [expected], "{role}");
        }
        token.user();
    });
}

#[test]
fn what_one_process_makes_another_finds_at_once() {
    isolated(|bench| {
        let label = "from elsewhere";
        let data = template! {
            CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_LABEL => label,
        };
        match bench.role().as_deref() {
            Some("maker") => {
                log_in(&bench.initialised()).create(&data).unwrap();
                return;
            }
            Some(_) => {
                let module = bench.initialised();
                let session = log_in(&module);
                let found = session.find(&data).unwrap();
                return session.destroy(found[0]).unwrap();
            }
            None => {}
        }
        let token = bench.token();
        let session = token.user();
        for _ in 0..3 {
            assert_eq!(session.count(&data), 0);
            bench.play("maker");
            let found = session.find(&data).unwrap();
            assert_eq!(found.len(), 1);
            session.has(found[0], ck::CKA_LABEL, label);
            bench.play("destroyer");
            assert_eq!(session.count(&data), 0);
            session.destroy(found[0]).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        }
    });
}

#[test]
fn a_key_destroyed_elsewhere_is_not_used_again() {
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            let session = log_in(&module);
            for key in session.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }).unwrap() {
                session.destroy(key).unwrap();
            }
            return;
        }
        let token = bench.token();
        let session = token.user();
        let (_, key) = pair(&session);
        let how = plain(ck::CKM_EDDSA);
        session.sign(&how, key, b"data").unwrap();
        bench.play("destroyer");
        session.sign_init(&how, key).refused(ck::CKR_KEY_HANDLE_INVALID);
    });
}

#[test]
fn a_pin_changed_elsewhere_is_the_pin_here() {
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            return log_in(&module).set_pin(USER_PIN, "changed elsewhere").unwrap();
        }
        let token = bench.token();
        let session = token.user();
        bench.play("changer");
        assert_eq!(session.state(), ck::CKS_RW_USER_FUNCTIONS, "who is in stays in");
        session.logout().unwrap();
        session.login(ck::CKU_USER, USER_PIN).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, "changed elsewhere").unwrap();
    });
}

#[test]
fn two_processes_may_initialise_at_once_and_no_token_is_torn() {
    isolated(|bench| {
        if let Some(role) = bench.role() {
            let module = bench.initialised();
            let slot = module.free_slot();
            bench.wait_for_the_start();
            let made = module.init_token(slot, &format!("officer of {role}"), &role);
            return say(&made.err().unwrap_or(Rv(ck::CKR_OK)).to_string());
        }
        let roles = names(4, "maker");
        let answers = bench.crowd(&roles).concat();
        let module = bench.initialised();
        let slots = module.slots(true).unwrap();
        let made: Vec<_> = slots
            .iter()
            .filter(|slot| module.token_has(**slot, ck::CKF_TOKEN_INITIALIZED))
            .collect();
        let acknowledged: Vec<_> = roles
            .iter()
            .zip(&answers)
            .filter_map(|(role, answer)| (answer == "CKR_OK").then_some(role))
            .collect();
        assert_eq!(made.len(), acknowledged.len(), "{answers:?}");
        assert!(!made.is_empty(), "{answers:?}");
        for role in acknowledged {
            let session = module.read_write(module.slot_of(role).expect("its slot"));
            session.login(ck::CKU_SO, &format!("officer of {role}")).expect("its officer");
        }
    });
}
