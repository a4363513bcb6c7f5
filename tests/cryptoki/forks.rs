//! Forks. A child has to call C_Initialize itself; until then every call tells it so. Parent
//! and child work on one token without losing anything of each other's.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cryptoki_sys as ck;

use crate::support::known::ED25519;
use crate::support::operations::plain;
use crate::support::{Module, Rv, Session, Template, USER_PIN, isolated, template};

/// Rounds of forks beside writing threads.
const ROUNDS: usize = 200;
/// A child that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Forks; `child` runs in the child, whose exit code is its answer's (0 for Ok). The child
/// neither panics nor prints: other threads may have held those locks.
fn fork(child: impl FnOnce() -> Result<(), Rv>) -> libc::pid_t {
    // SAFETY: the child calls the module, which is what is tested, and then _exit.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "fork");
    if process != 0 {
        return process;
    }
    let code = match child() {
        Ok(()) => 0,
        Err(Rv(rv)) => i32::try_from(rv % 250).unwrap_or(250) + 1,
    };
    // SAFETY: ends the child without running the test harness's own ends.
    unsafe { libc::_exit(code) }
}

/// Waits for a child; gives its exit code, or None if it was killed for hanging or crashed.
fn wait(process: libc::pid_t) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut status = 0;
        // SAFETY: a child of ours, and a live local.
        if unsafe { libc::waitpid(process, &raw mut status, libc::WNOHANG) } == process {
            return libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        }
        if Instant::now() > deadline {
            // SAFETY: as above.
            unsafe { libc::kill(process, libc::SIGKILL) };
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs `child` in a forked process and wants it to succeed.
#[track_caller]
pub fn in_child(child: impl FnOnce() -> Result<(), Rv>) {
    let code = wait(fork(child));
    let rv = code.map(|code| Rv(ck::CK_RV::try_from(code).unwrap_or(0).wrapping_sub(1)));
    assert_eq!(code, Some(0), "the child's CK_RV modulo 250: {rv:?}");
}

/// An error unless something holds; for children, which may not panic.
fn ensure(holds: bool) -> Result<(), Rv> {
    if holds { Ok(()) } else { Err(Rv(ck::CKR_FUNCTION_FAILED)) }
}

fn data(label: &str) -> Template {
    template! {
        CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_LABEL => label,
        CKA_VALUE => label,
    }
}

/// Initialises, logs in and calls `work`; without panicking.
fn as_new_user(
    module: &Module,
    work: impl FnOnce(Session<'_>) -> Result<(), Rv>,
) -> Result<(), Rv> {
    module.initialize()?;
    let slot = *module.slots(true)?.first().ok_or(Rv(ck::CKR_SLOT_ID_INVALID))?;
    let session = module.open(slot, ck::CKF_RW_SESSION)?;
    session.login(ck::CKU_USER, USER_PIN)?;
    work(session)?;
    module.finalize()
}

#[test]
fn a_child_is_not_initialised_until_it_initialises() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        in_child(|| {
            let gone = Rv(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
            ensure(token.module.slots(true) == Err(gone))?;
            ensure(session.info().err() == Some(gone))?;
            ensure(session.random(8) == Err(gone))?;
            ensure(session.close() == Err(gone))?;
            ensure(token.module.finalize() == Err(gone))?;
            as_new_user(&token.module, |new| {
                ensure(new.state() == ck::CKS_RW_USER_FUNCTIONS)?;
                new.random(8).map(drop)
            })
        });
        assert_eq!(session.state(), ck::CKS_RW_USER_FUNCTIONS, "the parent notices nothing");
    });
}

#[test]
fn a_child_signs_with_the_keys_of_its_parent() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
        let public = template! { CKA_EC_PARAMS => ED25519, CKA_TOKEN => true };
        let (public, private) =
            session.generate_pair(&how, &public, &template! { CKA_TOKEN => true }).unwrap();
        let eddsa = plain(ck::CKM_EDDSA);
        let ours = session.sign(&eddsa, private, b"data").unwrap();
        in_child(|| {
            as_new_user(&token.module, |new| {
                let key = new.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY })?;
                ensure(key.len() == 1)?;
                ensure(new.sign(&eddsa, key[0], b"data")? == ours)
            })
        });
        session.verify(&eddsa, public, b"data", &ours).unwrap();
        session.sign(&eddsa, private, b"more").unwrap();
    });
}

#[test]
fn a_child_that_never_initialises_ends_like_any_other() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for _ in 0..10 {
            // SAFETY: the child runs the exit handlers and the library's ends, and nothing else.
            let process = unsafe { libc::fork() };
            if process == 0 {
                // SAFETY: as above.
                unsafe { libc::exit(0) };
            }
            assert_eq!(wait(process), Some(0));
        }
        session.create(&data("still writing")).unwrap();
    });
}

#[test]
fn children_of_children_work_as_well() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        in_child(|| {
            as_new_user(&token.module, |child| {
                child.create(&data("child"))?;
                let grandchild = fork(|| {
                    as_new_user(&token.module, |new| new.create(&data("grandchild")).map(drop))
                });
                ensure(wait(grandchild) == Some(0))?;
                ensure(child.find(&data("grandchild"))?.len() == 1)
            })
        });
        assert_eq!(session.count(&data("child")), 1);
        assert_eq!(session.count(&data("grandchild")), 1);
    });
}

/// As nginx does it to its workers.
#[test]
fn a_child_without_an_environment_finds_the_tokens_of_its_parent() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let no_work = |_: Session<'_>| Ok(());
        in_child(|| {
            // SAFETY: the child has no other thread.
            ensure(unsafe { libc::clearenv() } == 0)?;
            as_new_user(&token.module, |new| {
                new.create(&data("child"))?;
                ensure(wait(fork(|| as_new_user(&token.module, no_work))) == Some(0))
            })?;
            as_new_user(&token.module, no_work)?;
            // What the child says itself counts.
            let elsewhere = bench.dir().join("elsewhere");
            std::fs::create_dir(&elsewhere).map_err(|_| Rv(ck::CKR_HOST_MEMORY))?;
            // SAFETY: as above.
            unsafe { std::env::set_var("CLAVIGER_DIR", elsewhere) };
            let found = as_new_user(&token.module, no_work);
            ensure(found == Err(Rv(ck::CKR_TOKEN_NOT_RECOGNIZED)))
        });
        assert_eq!(session.count(&data("child")), 1);
    });
}

#[test]
fn a_fork_between_initialise_and_finalise_leaves_both_in_order() {
    isolated(|bench| {
        let module = bench.load();
        for _ in 0..20 {
            module.initialize().unwrap();
            in_child(|| module.initialize().and_then(|()| module.finalize()));
            module.slots(true).unwrap();
            module.finalize().unwrap();
            in_child(|| {
                ensure(module.slots(true) == Err(Rv(ck::CKR_CRYPTOKI_NOT_INITIALIZED)))?;
                module.initialize()?;
                module.finalize()
            });
        }
    });
}

#[test]
fn two_children_use_the_token_at_the_same_time() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let children: Vec<_> = (0..4)
            .map(|child| {
                fork(|| {
                    as_new_user(&token.module, |new| {
                        (0..25).try_for_each(|at| {
                            new.create(&data(&format!("child {child}, object {at}"))).map(drop)
                        })
                    })
                })
            })
            .collect();
        for at in 0..25 {
            session.create(&data(&format!("parent's object {at}"))).unwrap();
        }
        for child in children {
            assert_eq!(wait(child), Some(0));
        }
        assert_eq!(session.count(&template! {}), 125);
    });
}

/// What was acknowledged, as labels.
fn write_until(session: &Session<'_>, name: &str, stop: &AtomicBool, written: &Mutex<Vec<String>>) {
    let mut at = 0;
    while !stop.load(Ordering::Relaxed) {
        let label = format!("{name} {at}");
        session.create(&data(&label)).expect("a write beside a fork");
        written.lock().expect("no writer panicked").push(label);
        at += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn two_hundred_forks_beside_writing_threads_lose_nothing() {
    isolated(|bench| {
        if bench.role().is_some() {
            return every_label_is_there(&bench.initialised(), bench.dir());
        }
        let token = bench.token();
        let _login = token.user();
        let (stop, written) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let failed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for name in ["thread a", "thread b", "thread c", "thread d"] {
                let session = token.public();
                let (stop, written) = (&stop, &written);
                scope.spawn(move || write_until(&session, name, stop, written));
            }
            for round in 0..ROUNDS {
                let label = format!("child {round}");
                let template = data(&label);
                let child =
                    fork(|| as_new_user(&token.module, |new| new.create(&template).map(drop)));
                if wait(child) == Some(0) {
                    written.lock().expect("no writer panicked").push(label);
                } else {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(failed.load(Ordering::Relaxed), 0, "children that failed, crashed or hung");
        let written = written.into_inner().unwrap();
        std::fs::write(bench.dir().join("labels"), written.join("\n")).unwrap();
        bench.play("reader");
    });
}

/// In a process that saw none of it being written.
fn every_label_is_there(module: &Module, directory: &std::path::Path) {
    let labels = std::fs::read_to_string(directory.join("labels")).expect("the labels");
    let session = module.read_only(module.slots(true).expect("slots")[0]);
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    let labels: Vec<_> = labels.lines().collect();
    assert!(labels.len() > ROUNDS);
    for label in &labels {
        let found = session.find(&template! { CKA_LABEL => *label }).expect("a search");
        assert_eq!(found.len(), 1, "{label}");
        session.has(found[0], ck::CKA_VALUE, *label);
    }
    assert_eq!(session.count(&template! {}), labels.len());
}

#[test]
fn a_fork_amid_logins_and_signatures_leaves_no_lock_taken() {
    isolated(|bench| {
        let token = bench.token();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let session = token.public();
                        let _ = session.login(ck::CKU_USER, USER_PIN);
                        session.random(100).expect("random bytes");
                        session.digest(&plain(ck::CKM_SHA256), b"data").expect("a digest");
                        session.close().expect("C_CloseSession");
                    }
                });
            }
            for _ in 0..50 {
                in_child(|| as_new_user(&token.module, |new| new.random(8).map(drop)));
            }
            stop.store(true, Ordering::Relaxed);
        });
        token.public().info().unwrap();
        token.module.finalize().unwrap();
    });
}
