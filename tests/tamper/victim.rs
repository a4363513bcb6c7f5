//! The token that is attacked: a few objects of every kind, and what they must answer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cryptoki_sys as ck;

use crate::support::children::{in_child, outcome_of, take_log};
use crate::support::known::{self, P256};
use crate::support::operations::plain;
use crate::support::{Bench, Module, Rv, SO_PIN, Session, Template, USER_PIN, template};

/// Private and secret keys: not to be used once the token is distrusted.
pub const KEYS: [&str; 4] = ["ed25519", "p256", "aes", "open aes"];
/// Everything else: it can be read on.
pub const OTHERS: [&str; 4] = ["note", "notice", "p256 public", "certificate"];
/// Destroyed before the attack.
pub const GONE: &str = "gone";

const DATA: &[u8] = b"what is signed";
const BLOCK: &[u8; 16] = b"sixteen bytes ok";
const AES: [u8; 32] = [0x41; 32];

/// What came of looking for an object and using it. A wrong answer fails the test at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Right,
    /// No search finds it.
    Absent,
    /// It was found and answers `CKR_DEVICE_ERROR`.
    Refused,
    /// It is as it was before the last changes.
    Older,
}

/// What the module answers to somebody who uses all of the token.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// The first call that says that there is no using this token.
    pub unusable: Option<ck::CK_RV>,
    /// CKF_ERROR_STATE after the login.
    pub error_state: bool,
    pub objects: BTreeMap<String, Answer>,
    /// What making and destroying an object on the token gave.
    pub writes: ck::CK_RV,
    /// Signatures verify, with a key of the token and with one of the session.
    pub verifies: bool,
}

impl Answers {
    pub fn of(&self, label: &str) -> Answer {
        self.objects.get(label).copied().unwrap_or(Answer::Absent)
    }

    fn to_text(&self) -> String {
        let mut text = format!("unusable {}\n", self.unusable.unwrap_or(0));
        text += &format!("error_state {}\n", u8::from(self.error_state));
        text += &format!("writes {}\nverifies {}\n", self.writes, u8::from(self.verifies));
        for (label, answer) in &self.objects {
            text += &format!("{answer:?} {label}\n");
        }
        text
    }

    fn from_text(text: &str) -> Self {
        let mut answers = Self::default();
        for (word, rest) in text.lines().filter_map(|line| line.split_once(' ')) {
            let number = || rest.parse::<ck::CK_RV>().expect("a number");
            let answer = match word {
                "unusable" => {
                    answers.unusable = Some(number()).filter(|rv| *rv != 0);
                    continue;
                }
                "error_state" => {
                    answers.error_state = number() != 0;
                    continue;
                }
                "writes" => {
                    answers.writes = number();
                    continue;
                }
                "verifies" => {
                    answers.verifies = number() != 0;
                    continue;
                }
                "Right" => Answer::Right,
                "Absent" => Answer::Absent,
                "Refused" => Answer::Refused,
                "Older" => Answer::Older,
                other => panic!("no answer is called {other:?}"),
            };
            answers.objects.insert(rest.to_owned(), answer);
        }
        answers
    }
}

/// A token, nobody's at the moment: the module is loaded and not initialised.
pub struct Victim<'b> {
    pub bench: &'b Bench,
    pub module: Module,
    pub directory: PathBuf,
    /// The unique ids of the objects, by label.
    pub ids: BTreeMap<String, String>,
    /// Where the module tells what it finds.
    told: PathBuf,
    signature: RefCell<Vec<u8>>,
}

fn on_token(template: Template, private: bool, label: &str) -> Template {
    template.and(ck::CKA_TOKEN, true).and(ck::CKA_PRIVATE, private).and(ck::CKA_LABEL, label)
}

fn data(label: &str) -> Template {
    let value = label.as_bytes().repeat(40);
    template! { CKA_CLASS => ck::CKO_DATA, CKA_VALUE => &value }
}

fn certificate() -> Template {
    template! {
        CKA_CLASS => ck::CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => ck::CKC_X_509,
        CKA_SUBJECT => b"\x30\x00", CKA_VALUE => &b"not looked at".repeat(20),
    }
}

/// The last changes: another version of a key, and the end of an object.
fn change(session: &Session<'_>) {
    let find = |label: &str| session.find(&template! { CKA_LABEL => label }).expect("a search")[0];
    session.set(find("ed25519"), &template! { CKA_ID => b"version 2" }).expect("a change");
    session.destroy(find(GONE)).expect("C_DestroyObject");
}

/// Makes the objects; their unique ids.
fn furnish(session: &Session<'_>) -> BTreeMap<String, String> {
    let signing = |key: Template| key.and(ck::CKA_SIGN, true);
    let aes = || known::aes(&AES).and(ck::CKA_ENCRYPT, true);
    let edwards = signing(known::ed25519_private()).and(ck::CKA_ID, b"version 1");
    let mut ids = BTreeMap::new();
    for (label, private, template) in [
        ("ed25519", true, edwards),
        ("p256", true, signing(known::p256_private())),
        (GONE, true, data(GONE)),
        ("aes", true, aes()),
        ("open aes", false, aes()),
        ("note", true, data("note")),
        ("notice", false, data("notice")),
        ("p256 public", false, known::p256_public().and(ck::CKA_VERIFY, true)),
        ("certificate", false, certificate()),
    ] {
        let made = session.create(&on_token(template, private, label)).expect(label);
        let id = session.get(made, ck::CKA_UNIQUE_ID).expect("CKA_UNIQUE_ID");
        ids.insert(label.to_owned(), String::from_utf8(id).expect("text"));
    }
    ids
}

impl<'b> Victim<'b> {
    /// A token with its objects. `aside/` keeps the whole directory as it was before one key was
    /// changed and one object destroyed.
    pub fn new(bench: &'b Bench) -> Self {
        Self::with(bench, "")
    }

    /// The same under another configuration.
    pub fn with(bench: &'b Bench, configuration: &str) -> Self {
        let victim = Self::unchanged(bench, configuration);
        victim.as_user(change);
        victim.take_told();
        victim
    }

    /// The same, but the process that made the last changes was killed: they stand in the
    /// write-ahead log.
    pub fn unfinished(bench: &'b Bench) -> Self {
        let victim = Self::unchanged(bench, "");
        in_child(|| change(&victim.begin()));
        assert!(victim.file("token.db-wal").is_file());
        victim.take_told();
        victim
    }

    fn unchanged(bench: &'b Bench, configuration: &str) -> Self {
        bench.configure(configuration);
        let told = bench.log_to();
        let token = bench.token();
        let session = token.user();
        let ids = furnish(&session);
        let key = session.find(&template! { CKA_LABEL => "p256" }).expect("a search")[0];
        let signature = session.sign(&plain(ck::CKM_ECDSA_SHA256), key, DATA).expect("C_Sign");
        token.module.finalize().expect("C_Finalize");
        let directory = bench.token_directory();
        let module = token.module;
        let signature = RefCell::new(signature);
        let victim = Self { bench, module, directory, ids, told, signature };
        victim.copy_to("aside");
        victim
    }

    /// Copies the token's directory to one beside the data directory.
    pub fn copy_to(&self, name: &str) -> PathBuf {
        let to = self.bench.dir().join(name);
        copy(&self.directory, &to);
        to
    }

    pub fn serial(&self) -> String {
        self.directory.file_name().expect("a name").to_string_lossy().into_owned()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// In a process of its own, that ends in good order.
    pub fn as_user(&self, work: impl FnOnce(&Session<'_>)) {
        in_child(|| {
            work(&self.begin());
            self.module.finalize().expect("C_Finalize");
        });
    }

    /// The user, in a process that has just begun.
    pub fn begin(&self) -> Session<'_> {
        self.module.initialize().expect("C_Initialize");
        let slot = self.module.slots(true).expect("C_GetSlotList")[0];
        let session = self.module.read_write(slot);
        session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
        session
    }

    /// Uses all of the token in a process of its own.
    #[track_caller]
    pub fn ask(&self) -> Answers {
        self.try_to_ask().expect("a wrong answer, or a crash")
    }

    /// The same; `None` after a wrong answer or a crash, which the child has told.
    pub fn try_to_ask(&self) -> Option<Answers> {
        let place = self.bench.dir().join("answers");
        let tell = || fs::write(&place, self.exercise().to_text()).expect("the answers are told");
        (outcome_of(tell) == 0)
            .then(|| Answers::from_text(&fs::read_to_string(&place).expect("answers")))
    }

    /// What the module told since this was asked last.
    pub fn take_told(&self) -> String {
        take_log(&self.told)
    }

    /// The security officer takes the token as it is.
    pub fn accept(&self) {
        in_child(|| {
            let provider = claviger::provider::Provider::initialize().expect("a provider");
            let slot = provider.slot_ids()[0];
            let pin = claviger::secret::Secret::copy_of(SO_PIN.as_bytes()).expect("a PIN");
            provider.accept_state(slot, &pin).expect("the state is accepted");
        });
    }

    fn exercise(&self) -> Answers {
        let mut answers = Answers::default();
        if let Err(rv) = self.use_token(&mut answers) {
            answers.unusable = Some(rv.0);
        }
        self.module.finalize().expect("C_Finalize");
        answers
    }

    fn use_token(&self, answers: &mut Answers) -> Result<(), Rv> {
        self.module
            .initialize()
            .expect("damage in a token does not keep the library from starting");
        let slot = self.module.slots(true)?[0];
        self.module.token_info(slot)?;
        let session = self.module.open(slot, ck::CKF_RW_SESSION)?;
        for label in OTHERS.into_iter().filter(|label| *label != "note") {
            for object in session.find(&template! { CKA_LABEL => label }).unwrap_or_default() {
                self.look(&session, object, label);
            }
        }
        session.login(ck::CKU_USER, USER_PIN)?;
        for label in KEYS.into_iter().chain(OTHERS).chain([GONE]) {
            let answer = self.answer(&session, label)?;
            answers.objects.insert(label.to_owned(), answer);
        }
        self.search_by_class(&session, answers)?;
        answers.verifies = self.verifies(&session);
        answers.writes = match session.create(&on_token(data("new"), true, "new")) {
            Ok(new) => session.destroy(new).err().map_or(ck::CKR_OK, |rv| rv.0),
            Err(rv) => rv.0,
        };
        let flags = self.module.token_info(slot)?.flags;
        answers.error_state = flags & ck::CKF_ERROR_STATE != 0;
        Ok(())
    }

    fn answer(&self, session: &Session<'_>, label: &str) -> Result<Answer, Rv> {
        match session.find(&template! { CKA_LABEL => label })?.as_slice() {
            [] => Ok(Answer::Absent),
            [object] => Ok(self.look(session, *object, label)),
            more => panic!("{} objects are called {label}", more.len()),
        }
    }

    /// Searches that no row is compared for: what they find must be of the class, and what they
    /// do not find is absent.
    fn search_by_class(&self, session: &Session<'_>, answers: &mut Answers) -> Result<(), Rv> {
        let mut found = Vec::new();
        for class in [
            ck::CKO_PRIVATE_KEY,
            ck::CKO_PUBLIC_KEY,
            ck::CKO_SECRET_KEY,
            ck::CKO_DATA,
            ck::CKO_CERTIFICATE,
        ] {
            for object in session.find(&template! { CKA_CLASS => class })? {
                let Ok(label) = session.get(object, ck::CKA_LABEL) else { continue };
                assert_eq!(session.number(object, ck::CKA_CLASS), class, "the class of a hit");
                found.push(String::from_utf8(label).expect("a label of ours"));
            }
        }
        for (label, answer) in &mut answers.objects {
            if *answer == Answer::Right && !found.contains(label) {
                *answer = Answer::Absent;
            }
        }
        Ok(())
    }

    /// What an object gives is right, if it gives anything.
    fn look(&self, session: &Session<'_>, object: ck::CK_OBJECT_HANDLE, label: &str) -> Answer {
        match self.try_object(session, object, label) {
            Ok(answer) => answer,
            Err(rv) => {
                rv.is(ck::CKR_DEVICE_ERROR);
                Answer::Refused
            }
        }
    }

    fn try_object(
        &self,
        session: &Session<'_>,
        object: ck::CK_OBJECT_HANDLE,
        label: &str,
    ) -> Result<Answer, Rv> {
        let mut answer = Answer::Right;
        assert_eq!(session.get(object, ck::CKA_LABEL)?, label.as_bytes());
        let value = |wanted: &[u8]| {
            assert_eq!(session.get(object, ck::CKA_VALUE)?, wanted);
            Ok(())
        };
        match label {
            "ed25519" => {
                answer = match session.get(object, ck::CKA_ID)?.as_slice() {
                    b"version 2" => Answer::Right,
                    b"version 1" => Answer::Older,
                    other => panic!("{other:?}"),
                };
                let signature = session.sign(&plain(ck::CKM_EDDSA), object, DATA)?;
                assert_eq!(signature, ed25519_signature());
            }
            "p256" => {
                let signature = session.sign(&plain(ck::CKM_ECDSA_SHA256), object, DATA)?;
                let public = session.create(&known::p256_public().and(ck::CKA_VERIFY, true))?;
                session.verify(&plain(ck::CKM_ECDSA_SHA256), public, DATA, &signature).unwrap();
                session.destroy(public)?;
            }
            "aes" | "open aes" => {
                let block = session.encrypt(&plain(ck::CKM_AES_ECB), object, BLOCK)?;
                assert_eq!(block, known::hex(SEALED_BLOCK));
            }
            "p256 public" => {
                assert_eq!(session.get(object, ck::CKA_EC_PARAMS)?, P256);
                let how = plain(ck::CKM_ECDSA_SHA256);
                session.verify_init(&how, object)?;
                session.verify_data(DATA, &self.signature.borrow()).expect("a right signature");
            }
            "certificate" => value(&b"not looked at".repeat(20))?,
            _ => value(&label.as_bytes().repeat(40))?,
        }
        Ok(if label == GONE { Answer::Older } else { answer })
    }

    fn verifies(&self, session: &Session<'_>) -> bool {
        let public = known::p256_public().and(ck::CKA_VERIFY, true);
        let Ok(key) = session.create(&public) else { return false };
        let how = plain(ck::CKM_ECDSA_SHA256);
        session.verify(&how, key, DATA, &self.signature.borrow()).is_ok()
    }
}

/// AES-256 of `BLOCK` under `AES`, by another implementation.
const SEALED_BLOCK: &str = "1d37d244cfad11a909893095df26dca1";

/// Of `DATA` under the key of RFC 8032, test 1, by another implementation.
fn ed25519_signature() -> Vec<u8> {
    known::hex(
        "8e7f1bcbc80201aac40a903243b8c4bb140cbfffa7f587f9468b789a923207bb\
         2f786f0b3485ce834c47900929dee25312475aef140f9c9fe85a10f6c536b005",
    )
}

/// Copies a directory of files and directories.
pub fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(&from, &to).expect("a copy")),
        }
    }
}
