//! The module, linked into this process, with a token per target. PINs cost next to nothing, and
//! the token directory lies in memory where there is room for it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{Mutex, OnceLock, PoisonError};

use cryptoki_sys as ck;

use super::answers::{judge, name};

// The library under test; its C functions are linked by their names.
use claviger as _;

unsafe extern "C" {
    fn C_GetInterface(
        name: *mut ck::CK_UTF8CHAR,
        version: *mut ck::CK_VERSION,
        interface: *mut *mut ck::CK_INTERFACE,
        flags: ck::CK_FLAGS,
    ) -> ck::CK_RV;
}

/// Calls a C function and judges its answer: `ask!(module, C_Logout(session))`.
macro_rules! ask {
    ($module:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        let function = $module.functions.$function.expect(stringify!($function));
        // SAFETY: every pointer that a target makes leads to what its length says.
        #[allow(unused_unsafe)]
        let rv = unsafe { function($($argument),*) };
        $module.judged(stringify!($function), rv)
    }};
}
pub(crate) use ask;

pub(crate) const SO_PIN: &[u8] = b"so-secret";
pub(crate) const USER_PIN: &[u8] = b"user-secret";
/// Wrong PINs that lock a token, as the configuration has it.
pub(crate) const TRIES: u32 = 1000;
const CONFIGURATION: &str = "[pin]\nargon2_memory_kib = 64\nargon2_passes = 1\ntries = 1000\n\
                             [slots]\nspare = true\n[mechanisms]\nlegacy = true\n";

/// The initialised library.
pub(crate) struct Module {
    pub(crate) functions: ck::CK_FUNCTION_LIST_3_2,
    slots: HashMap<&'static str, ck::CK_SLOT_ID>,
}

static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();

/// Runs a target's work; one at a time.
pub(crate) fn with_module<R>(work: impl FnOnce(&mut Module) -> R) -> R {
    static MODULE: OnceLock<Mutex<Module>> = OnceLock::new();
    let module = MODULE.get_or_init(|| Mutex::new(Module::new()));
    work(&mut module.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Where the tokens lie.
pub(crate) fn directory() -> &'static Path {
    DIRECTORY.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let made = tempfile::Builder::new().prefix("claviger-fuzz-").tempdir_in(base);
        let directory = made.expect("a temporary directory").keep();
        // SAFETY: the function is there for as long as the process is.
        unsafe { libc::atexit(remove_directory) };
        directory
    })
}

extern "C" fn remove_directory() {
    if let Some(directory) = DIRECTORY.get() {
        // What cannot be removed is left to whoever cleans temporary files.
        let _ = std::fs::remove_dir_all(directory);
    }
}

impl Module {
    fn new() -> Self {
        let configuration = directory().join("claviger.toml");
        std::fs::write(&configuration, CONFIGURATION).expect("the configuration");
        let only_mine = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&configuration, only_mine).expect("chmod");
        for (name, value) in
            [("CLAVIGER_DIR", directory().join("data")), ("CLAVIGER_CONF", configuration)]
        {
            // SAFETY: nothing else of this process reads the environment meanwhile.
            unsafe { std::env::set_var(name, value) };
        }
        let mut version = ck::CK_VERSION { major: 3, minor: 2 };
        let mut found = null_mut();
        // SAFETY: live locals; the default interface by NULL name.
        let rv = unsafe { C_GetInterface(null_mut(), &raw mut version, &raw mut found, 0) };
        assert_eq!(rv, ck::CKR_OK, "C_GetInterface");
        // SAFETY: the interface was found, so that it is there.
        let list = unsafe { (*found).pFunctionList };
        // SAFETY: as above; this is its 3.2 list.
        let functions = unsafe { *list.cast::<ck::CK_FUNCTION_LIST_3_2>() };
        let module = Self { functions, slots: HashMap::new() };
        module.initialize();
        module
    }

    /// An answer, if it is one of the standard's.
    #[track_caller]
    pub(crate) fn judged(&self, function: &str, rv: ck::CK_RV) -> ck::CK_RV {
        judge(function, rv)
    }

    /// C_Initialize. It silences panics in a host's library of its own; here that is ours, and
    /// what the fuzzer and the tests set stays.
    pub(crate) fn initialize(&self) {
        let hook = std::panic::take_hook();
        let rv = ask!(self, C_Initialize(null_mut()));
        std::panic::set_hook(hook);
        assert_eq!(name(rv), "CKR_OK", "C_Initialize");
    }

    fn slot_ids(&self) -> Vec<ck::CK_SLOT_ID> {
        let (mut slots, mut count) = ([0; 64], 0);
        assert_eq!(ask!(self, C_GetSlotList(ck::CK_TRUE, null_mut(), &raw mut count)), 0);
        count = 64;
        let list = slots.as_mut_ptr();
        assert_eq!(ask!(self, C_GetSlotList(ck::CK_TRUE, list, &raw mut count)), 0);
        slots.into_iter().take(usize::try_from(count).expect("a count")).collect()
    }

    /// The slot of a target's own token, which is made at its first use. No session is open.
    pub(crate) fn slot(&mut self, target: &'static str) -> ck::CK_SLOT_ID {
        let Some(slot) = self.slots.get(target).copied() else {
            let slot = *self.slot_ids().last().expect("a spare slot");
            self.slots.insert(target, slot);
            self.renew(slot);
            return slot;
        };
        assert_eq!(ask!(self, C_CloseAllSessions(slot)), ck::CKR_OK);
        slot
    }

    /// Initialises a token, for the first time or again.
    pub(crate) fn renew(&self, slot: ck::CK_SLOT_ID) {
        assert_eq!(ask!(self, C_CloseAllSessions(slot)), ck::CKR_OK);
        let (pin, pin_len) = lent(SO_PIN);
        let mut label = [b'f'; 32];
        let rv = ask!(self, C_InitToken(slot, pin, pin_len, label.as_mut_ptr()));
        assert_eq!(name(rv), "CKR_OK", "C_InitToken");
        let officer = self.open(slot);
        assert_eq!(self.login(officer, ck::CKU_SO, SO_PIN), ck::CKR_OK);
        let (pin, pin_len) = lent(USER_PIN);
        assert_eq!(ask!(self, C_InitPIN(officer, pin, pin_len)), ck::CKR_OK);
        assert_eq!(ask!(self, C_CloseSession(officer)), ck::CKR_OK);
    }

    /// A read/write session.
    pub(crate) fn open(&self, slot: ck::CK_SLOT_ID) -> ck::CK_SESSION_HANDLE {
        let flags = ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION;
        let mut session = 0;
        let rv = ask!(self, C_OpenSession(slot, flags, null_mut(), None, &raw mut session));
        assert_eq!(name(rv), "CKR_OK", "C_OpenSession");
        session
    }

    /// A read/write session of the user.
    pub(crate) fn user(&self, slot: ck::CK_SLOT_ID) -> ck::CK_SESSION_HANDLE {
        let session = self.open(slot);
        assert_eq!(name(self.login(session, ck::CKU_USER, USER_PIN)), "CKR_OK", "C_Login");
        session
    }

    pub(crate) fn login(
        &self,
        session: ck::CK_SESSION_HANDLE,
        who: ck::CK_USER_TYPE,
        pin: &[u8],
    ) -> ck::CK_RV {
        let (pin, pin_len) = lent(pin);
        ask!(self, C_Login(session, who, pin, pin_len))
    }

    /// One attribute, in two calls; what the first or second refused, if one did.
    pub(crate) fn get(
        &self,
        session: ck::CK_SESSION_HANDLE,
        object: ck::CK_OBJECT_HANDLE,
        kind: ck::CK_ATTRIBUTE_TYPE,
    ) -> Result<Vec<u8>, ck::CK_RV> {
        let mut row = ck::CK_ATTRIBUTE { type_: kind, pValue: null_mut(), ulValueLen: 0 };
        let rv = ask!(self, C_GetAttributeValue(session, object, &raw mut row, 1));
        if rv != ck::CKR_OK {
            return Err(rv);
        }
        let mut value = vec![0; usize::try_from(row.ulValueLen).expect("a length")];
        row.pValue = value.as_mut_ptr().cast();
        match ask!(self, C_GetAttributeValue(session, object, &raw mut row, 1)) {
            ck::CKR_OK => Ok(value),
            rv => Err(rv),
        }
    }

    /// All objects in sight.
    pub(crate) fn objects(&self, session: ck::CK_SESSION_HANDLE) -> Vec<ck::CK_OBJECT_HANDLE> {
        let (mut found, mut count) = ([0; 64], 0);
        if ask!(self, C_FindObjectsInit(session, null_mut(), 0)) != ck::CKR_OK {
            return Vec::new();
        }
        let list = found.as_mut_ptr();
        assert_eq!(ask!(self, C_FindObjects(session, list, 64, &raw mut count)), ck::CKR_OK);
        assert_eq!(ask!(self, C_FindObjectsFinal(session)), ck::CKR_OK);
        found.into_iter().take(usize::try_from(count).expect("a count")).collect()
    }
}

/// Bytes as pointer and length.
pub(crate) fn lent(bytes: &[u8]) -> (*mut u8, ck::CK_ULONG) {
    (bytes.as_ptr().cast_mut(), ck::CK_ULONG::try_from(bytes.len()).expect("a length"))
}
