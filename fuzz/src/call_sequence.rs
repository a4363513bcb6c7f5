//! Random sequences of calls on a few sessions, legal and illegal, compared with a model of the
//! rules after each.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use cryptoki_sys as ck;

use super::attributes::Attributes;
use super::bytes::Bytes;
use super::module::{Module, SO_PIN, TRIES, USER_PIN, ask, lent, with_module};
use super::sequence_model::{FIND, Model, Step};

/// More sessions than this tell nothing new.
const MOST_SESSIONS: usize = 5;
/// And longer sequences neither.
const MOST_CALLS: usize = 200;

/// A sequence under way.
pub(crate) struct Run<'m, 'b> {
    pub(crate) module: &'m Module,
    slot: ck::CK_SLOT_ID,
    pub(crate) bytes: Bytes<'b>,
    pub(crate) model: Model,
    /// Handles of sessions that were closed.
    stale: Vec<ck::CK_SESSION_HANDLE>,
    /// Handles of keys that were made; the sessions that they lived in may be gone.
    keys: Vec<ck::CK_OBJECT_HANDLE>,
}

/// Makes the calls that these bytes say.
pub fn call_sequence(input: &[u8]) {
    with_module(|module| {
        let slot = module.slot("call_sequence");
        let model = Model::default();
        let bytes = Bytes::new(input);
        let mut run = Run { module, slot, bytes, model, stale: Vec::new(), keys: vec![0] };
        for _ in 0..MOST_CALLS {
            if run.bytes.is_empty() {
                break;
            }
            run.call();
            run.compare_states();
        }
        assert_eq!(ask!(module, C_CloseAllSessions(slot)), ck::CKR_OK);
        give_tries_back(module, slot);
    });
}

/// How many wrong PINs were given since the last right ones; one target runs at a time.
static WRONG_PINS: AtomicU32 = AtomicU32::new(0);

/// Logs in with the right PINs before the wrong ones lock them. Not after each sequence: a login
/// takes longer than a hundred other calls.
fn give_tries_back(module: &Module, slot: ck::CK_SLOT_ID) {
    if WRONG_PINS.load(Ordering::Relaxed) < TRIES / 2 {
        return;
    }
    let session = module.user(slot);
    assert_eq!(ask!(module, C_Logout(session)), ck::CKR_OK);
    assert_eq!(module.login(session, ck::CKU_SO, SO_PIN), ck::CKR_OK);
    WRONG_PINS.store(0, Ordering::Relaxed);
}

impl Run<'_, '_> {
    fn call(&mut self) {
        let choice = self.bytes.below(60);
        let Some(index) = self.any_session() else { return self.open() };
        match choice {
            0 => self.open(),
            1 => self.close(index),
            2 => self.close_all(),
            3..=5 => self.login(index),
            6 => self.logout(index),
            7 => self.stale_handle(),
            8..=11 => self.make_key(index),
            12 => self.cancel(index),
            13 => self.pins(index),
            14 => self.start_again(),
            15 => self.objects(index),
            16 => self.other_functions(index),
            17..=19 => self.often(index, Self::find),
            20..=25 => self.often(index, Self::digest),
            26..=32 => self.often(index, Self::sign),
            33..=39 => self.often(index, Self::encrypt),
            40..=44 => self.often(index, Self::verify),
            45..=48 => self.often(index, Self::verify_signature),
            49..=50 => self.digest_encrypt(index),
            _ => self.often(index, Self::sign_messages),
        }
    }

    /// A few calls of one kind, so that operations get on.
    fn often(&mut self, index: usize, call: fn(&mut Self, usize)) {
        for _ in 0..=self.bytes.below(6) {
            call(self, index);
        }
    }

    fn any_session(&mut self) -> Option<usize> {
        let open = self.model.sessions.len();
        // Most calls are the first session's, so that they meet each other's operations.
        (open > 0).then(|| (self.bytes.below(8) / 5).min(open - 1))
    }

    pub(crate) fn handle(&self, index: usize) -> ck::CK_SESSION_HANDLE {
        self.model.sessions[index].handle
    }

    fn compare_states(&self) {
        for session in &self.model.sessions {
            let mut info = ck::CK_SESSION_INFO::default();
            let rv = ask!(self.module, C_GetSessionInfo(session.handle, &raw mut info));
            assert_eq!((rv, info.state), (ck::CKR_OK, self.model.state(session)), "{session:?}");
        }
    }

    fn open(&mut self) {
        if self.model.sessions.len() >= MOST_SESSIONS {
            return;
        }
        let read_write = self.bytes.flag();
        let rw = if read_write { ck::CKF_RW_SESSION } else { 0 };
        let flags = ck::CKF_SERIAL_SESSION | rw;
        let (slot, mut handle) = (self.slot, 0);
        let rv = ask!(self.module, C_OpenSession(slot, flags, null_mut(), None, &raw mut handle));
        assert_eq!(rv, self.model.opening(read_write), "C_OpenSession");
        if rv == ck::CKR_OK {
            self.model.opened(handle, read_write);
        }
    }

    fn close(&mut self, index: usize) {
        let handle = self.handle(index);
        assert_eq!(ask!(self.module, C_CloseSession(handle)), ck::CKR_OK);
        self.model.closed(index);
        self.stale.push(handle);
    }

    fn close_all(&mut self) {
        assert_eq!(ask!(self.module, C_CloseAllSessions(self.slot)), ck::CKR_OK);
        self.stale.extend(self.model.sessions.iter().map(|session| session.handle));
        self.model = Model::default();
    }

    fn start_again(&mut self) {
        if self.bytes.below(4) != 3 {
            return;
        }
        assert_eq!(ask!(self.module, C_Finalize(null_mut())), ck::CKR_OK);
        let mut info = ck::CK_SESSION_INFO::default();
        let handle = self.handle(0);
        let rv = ask!(self.module, C_GetSessionInfo(handle, &raw mut info));
        assert_eq!(rv, ck::CKR_CRYPTOKI_NOT_INITIALIZED);
        self.module.initialize();
        // Session handles begin anew, so that old ones are not known to be stale any more.
        self.model = Model::default();
        self.stale.clear();
    }

    fn login(&mut self, index: usize) {
        let who = self.bytes.pick(&[ck::CKU_USER, ck::CKU_USER, ck::CKU_SO]);
        let right = self.bytes.below(4) != 0;
        let pin = match (who, right) {
            (_, false) => b"wrong pin".as_slice(),
            (ck::CKU_SO, true) => SO_PIN,
            _ => USER_PIN,
        };
        if !right {
            WRONG_PINS.fetch_add(1, Ordering::Relaxed);
        }
        let must = self.model.login(who, right);
        let rv = self.module.login(self.handle(index), who, pin);
        assert_eq!(rv, must, "C_Login");
        if rv == ck::CKR_OK {
            self.model.role = Some(who);
        }
    }

    fn logout(&mut self, index: usize) {
        let rv = ask!(self.module, C_Logout(self.handle(index)));
        assert_eq!(rv, self.model.logout(), "C_Logout");
    }

    fn stale_handle(&mut self) {
        let handle = match self.stale.len() {
            0 => 0,
            some => self.stale[self.bytes.below(some)],
        };
        let invalid = ck::CKR_SESSION_HANDLE_INVALID;
        assert_eq!(ask!(self.module, C_Logout(handle)), invalid);
        assert_eq!(ask!(self.module, C_FindObjectsFinal(handle)), invalid);
        let mut out = [0; 4];
        assert_eq!(ask!(self.module, C_GenerateRandom(handle, out.as_mut_ptr(), 4)), invalid);
    }

    fn make_key(&mut self, index: usize) {
        let how = self.bytes.pick(&[ck::CKM_AES_KEY_GEN, ck::CKM_GENERIC_SECRET_KEY_GEN]);
        let private = self.bytes.flag();
        self.new_key(index, how, private);
    }

    fn new_key(&mut self, index: usize, how: ck::CK_MECHANISM_TYPE, private: bool) {
        let mut how = plain(how);
        let (len, private) = (32_u64.to_ne_bytes(), [u8::from(private)]);
        let yes: &[u8] = &[1];
        let given = [
            (ck::CKA_VALUE_LEN, len.as_slice()),
            (ck::CKA_PRIVATE, private.as_slice()),
            (ck::CKA_ENCRYPT, yes),
            (ck::CKA_SIGN, yes),
            (ck::CKA_VERIFY, yes),
        ];
        let mut attributes = Attributes::of(&given, &mut Bytes::new(&[]));
        let (rows, count) = attributes.lend();
        let (handle, mut key) = (self.handle(index), 0);
        let made =
            ask!(self.module, C_GenerateKey(handle, &raw mut how, rows, count, &raw mut key));
        if made == ck::CKR_OK {
            self.keys.push(key);
        }
    }

    /// A key for a mechanism: nearly always a new one that fits.
    pub(crate) fn key_for(
        &mut self,
        index: usize,
        how: ck::CK_MECHANISM_TYPE,
    ) -> ck::CK_OBJECT_HANDLE {
        if self.bytes.below(8) == 7 {
            return self.any_key();
        }
        self.new_key(index, how, false);
        self.keys.last().copied().unwrap_or(0)
    }

    fn any_key(&mut self) -> ck::CK_OBJECT_HANDLE {
        let made = self.keys.len();
        self.keys[made - 1 - self.bytes.below(3.min(made))]
    }

    fn cancel(&mut self, index: usize) {
        let flags = self.bytes.pick(&[ck::CKF_FIND_OBJECTS, ck::CKF_DIGEST, ck::CKF_SIGN])
            | self.bytes.pick(&[ck::CKF_ENCRYPT, ck::CKF_VERIFY, ck::CKF_MESSAGE_SIGN, 0]);
        let rv = ask!(self.module, C_SessionCancel(self.handle(index), flags));
        assert_eq!(rv, ck::CKR_OK, "C_SessionCancel");
        self.model.cancelled(index, flags);
    }

    /// PINs are set to what they are.
    fn pins(&mut self, index: usize) {
        let handle = self.handle(index);
        let own = if self.model.role == Some(ck::CKU_SO) { SO_PIN } else { USER_PIN };
        let (pin, pin_len) = lent(own);
        let (user_pin, user_len) = lent(USER_PIN);
        let read_write = self.model.sessions[index].read_write;
        let rv = ask!(self.module, C_SetPIN(handle, pin, pin_len, pin, pin_len));
        let must = if read_write { ck::CKR_OK } else { ck::CKR_SESSION_READ_ONLY };
        assert_eq!(rv, must, "C_SetPIN");
        let rv = ask!(self.module, C_InitPIN(handle, user_pin, user_len));
        let officer = self.model.role == Some(ck::CKU_SO);
        let must = if officer { ck::CKR_OK } else { ck::CKR_USER_NOT_LOGGED_IN };
        assert_eq!(rv, must, "C_InitPIN");
    }

    fn objects(&mut self, index: usize) {
        let (handle, key) = (self.handle(index), self.any_key());
        let class = ck::CKO_DATA.to_ne_bytes();
        let token = [u8::from(self.bytes.flag())];
        let given = [(ck::CKA_CLASS, class.as_slice()), (ck::CKA_TOKEN, token.as_slice())];
        let mut attributes = Attributes::of(&given, &mut Bytes::new(&[]));
        let (rows, count) = attributes.lend();
        let mut object = 0;
        let rv = ask!(self.module, C_CreateObject(handle, rows, count, &raw mut object));
        if rv == ck::CKR_OK {
            assert_eq!(ask!(self.module, C_DestroyObject(handle, object)), ck::CKR_OK);
        }
        let _ = self.module.get(handle, key, ck::CKA_VALUE);
        if self.bytes.flag() {
            ask!(self.module, C_DestroyObject(handle, key));
        }
    }

    fn other_functions(&mut self, index: usize) {
        let (handle, mut out, mut len) = (self.handle(index), [0; 64], 64);
        let place = out.as_mut_ptr();
        assert_eq!(ask!(self.module, C_GenerateRandom(handle, place, 64)), ck::CKR_OK);
        ask!(self.module, C_GetOperationState(handle, place, &raw mut len));
        ask!(self.module, C_DecryptFinal(handle, place, &raw mut len));
        ask!(self.module, C_DigestKey(handle, self.any_key()));
        ask!(self.module, C_GetFunctionStatus(handle));
        // C_DigestKey may have fed a digest that was active; only its absence can be compared.
        self.model.cancelled(index, ck::CKF_DIGEST);
        assert_eq!(ask!(self.module, C_SessionCancel(handle, ck::CKF_DIGEST)), ck::CKR_OK);
    }

    fn find(&mut self, index: usize) {
        let handle = self.handle(index);
        match self.bytes.below(3) {
            0 => {
                let rv = ask!(self.module, C_FindObjectsInit(handle, null_mut(), 0));
                self.model.step(index, FIND, Step::Init, rv, false);
            }
            1 => {
                let (mut found, mut count) = ([0; 3], 0);
                let list = found.as_mut_ptr();
                let rv = ask!(self.module, C_FindObjects(handle, list, 3, &raw mut count));
                self.model.found(index, rv);
            }
            _ => {
                let rv = ask!(self.module, C_FindObjectsFinal(handle));
                self.model.step(index, FIND, Step::Final, rv, false);
            }
        }
    }
}

/// A mechanism without parameter.
pub(crate) const fn plain(mechanism: ck::CK_MECHANISM_TYPE) -> ck::CK_MECHANISM {
    ck::CK_MECHANISM { mechanism, pParameter: null_mut(), ulParameterLen: 0 }
}
