//! Last week's token put back, with and without an anchor; anchors that do not answer; the
//! pinned key. What the module answers then.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use claviger::audit::note::{PublicKey, VerifierKey};
use cryptoki_sys as ck;

use crate::support::operations::plain;
use crate::support::token::{LABEL, make_token};
#[cfg(feature = "witness")]
use crate::support::witness::{Mood, Witness};
use crate::support::{Bench, Rv, USER_PIN, isolated, known, template};

/// What a user of the token meets, who then goes away.
#[derive(Debug)]
struct Visit {
    login: Result<(), Rv>,
    /// CKF_ERROR_STATE before the login, and after it.
    in_error: (bool, bool),
    signs: Result<Vec<u8>, Rv>,
    verifies: bool,
    writes: Result<(), Rv>,
}

impl Visit {
    #[track_caller]
    fn is_fine(&self) {
        assert_eq!(self.in_error, (false, false), "{self:?}");
        assert!(self.login.is_ok() && self.signs.is_ok() && self.writes.is_ok(), "{self:?}");
        assert!(self.verifies);
    }

    /// It may be looked at and verified with, and nothing else.
    #[track_caller]
    fn is_distrusted(&self) {
        assert!(self.login.is_ok() && self.verifies && self.in_error.1, "{self:?}");
        self.signs.as_ref().expect_err("no private key works").is(ck::CKR_DEVICE_ERROR);
        self.writes.as_ref().expect_err("nothing is changed").is(ck::CKR_DEVICE_ERROR);
    }
}

/// Makes a token with a key pair. Nothing is left open. Its directory.
fn token(bench: &Bench) -> PathBuf {
    let module = bench.initialised();
    let session = module.read_write(make_token(&module, LABEL));
    session.login(ck::CKU_USER, USER_PIN).unwrap();
    let private = known::p256_private().and(ck::CKA_TOKEN, true).and(ck::CKA_SIGN, true);
    session.create(&private.and(ck::CKA_EXTRACTABLE, false)).unwrap();
    let public = known::p256_public().and(ck::CKA_TOKEN, true).and(ck::CKA_VERIFY, true);
    session.create(&public.and(ck::CKA_PRIVATE, false)).unwrap();
    module.finalize().unwrap();
    let mut tokens = fs::read_dir(bench.token_dir().join("tokens")).unwrap();
    tokens.next().unwrap().unwrap().path()
}

/// Logs in, uses the keys, and adds one object.
fn visit(bench: &Bench) -> Visit {
    let module = bench.initialised();
    let slot = module.slot_of(LABEL).expect("the token");
    let before = module.token_has(slot, ck::CKF_ERROR_STATE);
    let session = module.read_write(slot);
    let login = session.login(ck::CKU_USER, USER_PIN);
    let how = plain(ck::CKM_ECDSA);
    let key = |class: ck::CK_OBJECT_CLASS| {
        session.find(&template! { CKA_CLASS => class }).unwrap().first().copied()
    };
    let signs = match key(ck::CKO_PRIVATE_KEY) {
        Some(private) => session.sign(&how, private, &[7; 32]),
        None => Err(Rv(ck::CKR_USER_NOT_LOGGED_IN)),
    };
    let public = key(ck::CKO_PUBLIC_KEY).expect("the public key");
    let verified = session.verify(&how, public, &[7; 32], &[1; 64]);
    let data = template! {
        CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_VALUE => b"x",
    };
    let writes = session.create(&data).map(drop);
    let in_error = (before, module.token_has(slot, ck::CKF_ERROR_STATE));
    module.finalize().unwrap();
    let verifies = verified.is_err_and(|rv| rv.0 == ck::CKR_SIGNATURE_INVALID);
    Visit { login, in_error, signs, verifies, writes }
}

/// Every file below a directory.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found
}

/// Puts files back as they were, in place: even their inodes stay.
fn put_back(directory: &Path, then: &BTreeMap<PathBuf, Vec<u8>>) {
    for path in files(directory).keys().filter(|path| !then.contains_key(*path)) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in then {
        fs::write(path, bytes).unwrap();
    }
}

fn anchored(bench: &Bench, more: &str) -> PathBuf {
    let place = bench.dir().join("anchors");
    fs::create_dir_all(&place).unwrap();
    bench.configure(&format!("audit.anchor_directory = {place:?}\n{more}"));
    place
}

#[test]
fn last_weeks_directory_is_not_noticed_without_an_anchor() {
    isolated(|bench| {
        let directory = token(bench);
        visit(bench).is_fine();
        let then = files(&directory);
        visit(bench).is_fine();
        visit(bench).is_fine();
        put_back(&directory, &then);
        visit(bench).is_fine();
    });
}

#[test]
fn last_weeks_directory_is_noticed_with_an_anchor() {
    isolated(|bench| {
        let place = anchored(bench, "");
        let directory = token(bench);
        visit(bench).is_fine();
        let then = files(&directory);
        visit(bench).is_fine();
        visit(bench).is_fine();
        let today = files(&directory);
        let kept = files(&place);
        put_back(&directory, &then);
        for _ in 0..2 {
            visit(bench).is_distrusted();
        }
        assert_eq!(files(&place), kept, "the anchor stays what it was");
        put_back(&directory, &today);
        visit(bench).is_fine();
    });
}

#[test]
fn what_is_told_of_it_can_also_be_only_a_warning() {
    isolated(|bench| {
        anchored(bench, "audit.on_tamper = \"warn\"");
        let directory = token(bench);
        let then = files(&directory);
        visit(bench).is_fine();
        visit(bench).is_fine();
        put_back(&directory, &then);
        let found = visit(bench);
        assert!(found.in_error.1 && found.signs.is_ok(), "{found:?}");
    });
}

#[test]
fn two_histories_from_one_copy_are_told_apart() {
    isolated(|bench| {
        anchored(bench, "audit.anchor_at = \"commit\"");
        let directory = token(bench);
        visit(bench).is_fine();
        let then = files(&directory);
        visit(bench).is_fine();
        // The other history grows where the anchor does not see it, past what that has seen.
        put_back(&directory, &then);
        bench.configure("");
        visit(bench).is_fine();
        visit(bench).is_fine();
        anchored(bench, "");
        visit(bench).is_distrusted();
    });
}

#[test]
fn at_every_commit_the_anchor_has_the_end_of_the_log() {
    isolated(|bench| {
        let place = anchored(bench, "audit.anchor_at = \"commit\"");
        let directory = token(bench);
        let then = files(&directory);
        // One login, and what it changed: nobody logs in again.
        visit(bench).is_fine();
        put_back(&directory, &then);
        visit(bench).is_distrusted();
        assert_eq!(files(&place).len(), 2, "the checkpoint and its lock");
    });
}

/// A token that is initialised again begins a log that names the last one.
#[test]
fn an_anchor_follows_a_token_that_is_initialised_again() {
    isolated(|bench| {
        anchored(bench, "");
        let directory = token(bench);
        visit(bench).is_fine();
        let then = files(&directory);
        let module = bench.initialised();
        let slot = module.slot_of(LABEL).unwrap();
        module.init_token(slot, crate::support::SO_PIN, LABEL).unwrap();
        let officer = module.read_write(slot);
        officer.login(ck::CKU_SO, crate::support::SO_PIN).unwrap();
        assert!(!module.token_has(slot, ck::CKF_ERROR_STATE));
        module.finalize().unwrap();
        put_back(&directory, &then);
        visit(bench).is_distrusted();
    });
}

#[test]
fn an_anchor_that_cannot_be_asked_is_told_or_stops_the_login() {
    isolated(|bench| {
        let log = bench.dir().join("log");
        // SAFETY: this process runs nothing else.
        unsafe { std::env::set_var("CLAVIGER_LOG", &log) };
        token(bench);
        let gone = bench.dir().join("gone");
        let command = |script: &str| {
            format!(
                "audit.anchor_put = [\"/bin/sh\", \"-c\", {script:?}]\n\
                     audit.anchor_get = [\"/bin/sh\", \"-c\", {script:?}]\naudit.anchor_ms = 300"
            )
        };
        for settings in [
            format!("audit.anchor_directory = {gone:?}"),
            command("exit 1"),
            command("sleep 60"),
            command("head -c 5000 /dev/urandom"),
            command("head -c 90000000 /dev/zero"),
            command("cat; echo nonsense"),
        ] {
            fs::write(&log, "").unwrap();
            bench.configure(&settings);
            visit(bench).is_fine();
            let told = fs::read_to_string(&log).unwrap();
            assert!(told.contains("C_Login found anchor "), "{settings}: {told}");
            bench.configure(&format!("{settings}\naudit.anchor_on_failure = \"refuse\""));
            let begin = Instant::now();
            let found = visit(bench);
            found.login.expect_err("nobody logs in").is(ck::CKR_DEVICE_ERROR);
            assert!(found.verifies && begin.elapsed() < Duration::from_secs(5), "{settings}");
        }
    });
}

#[test]
fn an_anchor_among_the_tokens_is_refused() {
    isolated(|bench| {
        let directory = token(bench);
        bench.configure(&format!("audit.anchor_directory = {directory:?}"));
        bench.load().initialize().expect_err("no such anchor").is(ck::CKR_GENERAL_ERROR);
        let link = bench.dir().join("link");
        std::os::unix::fs::symlink(&directory, &link).unwrap();
        let must = "audit.anchor_on_failure = \"refuse\"";
        bench.configure(&format!("audit.anchor_directory = {link:?}\n{must}"));
        visit(bench).login.expect_err("nor behind a link").is(ck::CKR_DEVICE_ERROR);
    });
}

#[cfg(feature = "witness")]
#[test]
fn a_witness_notices_last_weeks_directory() {
    isolated(|bench| {
        let witness = Witness::start(Mood::Honest, true);
        let ca = bench.dir().join("ca.pem");
        fs::write(&ca, &witness.ca).unwrap();
        let settings = format!(
            "audit.witness = {:?}\naudit.witness_key = {:?}\naudit.witness_ca = {ca:?}\n\
             audit.anchor_ms = 3000\naudit.anchor_on_failure = \"refuse\"\n",
            witness.url, witness.key
        );
        let directory = token(bench);
        let serial = directory.file_name().unwrap().to_str().unwrap().to_owned();
        let origin = format!("claviger/{serial}/1");
        bench.configure(&settings);
        // It does not know the log yet.
        visit(bench).login.expect_err("the witness refuses").is(ck::CKR_DEVICE_ERROR);
        witness.learn(&key_of(&directory));
        visit(bench).is_fine();
        let then = files(&directory);
        let first = witness.signed(&origin).unwrap();
        visit(bench).is_fine();
        visit(bench).is_fine();
        assert!(witness.signed(&origin).unwrap() > first);
        assert!(directory.join("log/1/checkpoint.witnessed").is_file());
        put_back(&directory, &then);
        visit(bench).is_distrusted();
        // What it serves is an hour old; what it says when it is brought a checkpoint is not.
        witness.set(Mood::Delayed);
        visit(bench).is_distrusted();
        for mood in [Mood::Dead, Mood::Garbage, Mood::WrongKey, Mood::Broken] {
            witness.set(mood);
            bench.configure(&settings.replace("refuse", "warn"));
            let found = visit(bench);
            assert!(found.login.is_ok(), "{mood:?}: {found:?}");
        }
    });
}

/// The verifier key of a token's log, as the tool tells it.
fn key_of(directory: &Path) -> String {
    let serial = directory.file_name().unwrap().to_str().unwrap();
    let mut tool = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
    let output = tool.args(["audit", "key", "--token", serial]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_pinned_key_is_held_against_the_token_before_and_at_the_login() {
    isolated(|bench| {
        let directory = token(bench);
        let key = key_of(&directory);
        let other = token_of_another_key(&key);
        bench.configure(&format!("audit.key = {key:?}"));
        visit(bench).is_fine();
        bench.configure(&format!("audit.key = [{:?}, {key:?}]", foreign(&key)));
        visit(bench).is_fine();
        bench.configure(&format!("audit.key = {:?}", foreign(&key)));
        visit(bench).is_fine();
        bench.configure(&format!("audit.key = {other:?}"));
        let found = visit(bench);
        assert!(found.in_error.0, "already before the login");
        found.is_distrusted();
        bench.configure("audit.key = \"claviger/nonsense+00000000+AAAA\"");
        bench.load().initialize().expect_err("no key").is(ck::CKR_GENERAL_ERROR);
        // Initialised again, the token has another log and another key.
        bench.configure(&format!("audit.key = {key:?}"));
        let module = bench.initialised();
        let slot = module.slot_of(LABEL).unwrap();
        module.init_token(slot, crate::support::SO_PIN, LABEL).unwrap();
        assert!(module.token_has(slot, ck::CKF_ERROR_STATE));
        module.finalize().unwrap();
        bench.configure(&format!("audit.key = [{key:?}, {:?}]", key_of(&directory)));
        let module = bench.initialised();
        assert!(!module.token_has(slot, ck::CKF_ERROR_STATE));
    });
}

/// The key of a token that is not here.
fn foreign(key: &str) -> String {
    rename(key, "claviger/00000000000000ff/1")
}

/// The same name, and another public key.
fn token_of_another_key(key: &str) -> String {
    let name = key.split('+').next().unwrap();
    rename(key, name)
}

fn rename(key: &str, name: &str) -> String {
    let made = VerifierKey::new(name, PublicKey::Ed25519([9; 32])).unwrap().to_string();
    assert_ne!(made, key);
    made
}
