//! The module under test, loaded with dlopen as hosts do. `call!` reaches every function with
//! any argument; the methods are the calls that tests make on their way to something else.

use std::ffi::{CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null_mut, without_provenance_mut};

use cryptoki_sys as ck;

use super::rv::Rv;
use super::session::Session;
use super::template::len;

/// A loaded module and its functions. Dropping it does not unload it: `unload` does.
pub struct Module {
    /// What dlopen gave.
    pub library: *mut c_void,
    /// All 104 functions; those that the module lacks are None.
    pub functions: ck::CK_FUNCTION_LIST_3_2,
}

// SAFETY: a handle and function pointers; the standard lets any thread call.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

/// Calls a function of the module with any arguments: `call!(module, C_Logout(handle))`.
macro_rules! call {
    ($module:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        let function = $module.functions.$function.expect(stringify!($function));
        // SAFETY: the test vouches for its arguments; those that are wrong on purpose are what
        // the module has to survive.
        #[allow(unused_unsafe)]
        $crate::support::Rv(unsafe { function($($argument),*) })
    }};
}
pub(crate) use call;

type GetFunctionList = unsafe extern "C" fn(*mut *mut ck::CK_FUNCTION_LIST) -> ck::CK_RV;
type GetInterface = unsafe extern "C" fn(
    *mut ck::CK_UTF8CHAR,
    *mut ck::CK_VERSION,
    *mut *mut ck::CK_INTERFACE,
    ck::CK_FLAGS,
) -> ck::CK_RV;

impl Module {
    /// Loads a module with its symbols kept to itself, as hosts do.
    pub fn load(path: &Path) -> Self {
        Self::load_with(path, libc::RTLD_NOW | libc::RTLD_LOCAL)
    }

    /// Loads a module with the given dlopen flags.
    pub fn load_with(path: &Path, flags: i32) -> Self {
        let name = CString::new(path.as_os_str().as_bytes()).expect("a path without NUL");
        // SAFETY: a valid C string; the library's initialisers are those of the module.
        let library = unsafe { libc::dlopen(name.as_ptr(), flags) };
        assert!(!library.is_null(), "dlopen of {} failed: {}", path.display(), last_dl_error());
        Self { library, functions: functions_of(library) }
    }

    /// The address of an exported symbol, if there is one.
    pub fn symbol(&self, name: &str) -> Option<*mut c_void> {
        symbol(self.library, name)
    }

    /// dlclose.
    pub fn unload(self) {
        // SAFETY: the handle came from dlopen and is given up here.
        assert_eq!(unsafe { libc::dlclose(self.library) }, 0, "dlclose");
    }

    /// C_Initialize(NULL).
    pub fn initialize(&self) -> Result<(), Rv> {
        call!(self, C_Initialize(null_mut())).with(())
    }

    /// C_Finalize(NULL).
    pub fn finalize(&self) -> Result<(), Rv> {
        call!(self, C_Finalize(null_mut())).with(())
    }

    /// All slots, or those with a token.
    pub fn slots(&self, with_token: bool) -> Result<Vec<ck::CK_SLOT_ID>, Rv> {
        let present = ck::CK_BBOOL::from(with_token);
        let mut count = 0;
        call!(self, C_GetSlotList(present, null_mut(), &raw mut count)).with(())?;
        let mut slots = vec![0; usize::try_from(count).expect("a count")];
        let rv = call!(self, C_GetSlotList(present, slots.as_mut_ptr(), &raw mut count));
        slots.truncate(usize::try_from(count).expect("a count"));
        rv.with(slots)
    }

    pub fn slot_info(&self, slot: ck::CK_SLOT_ID) -> Result<ck::CK_SLOT_INFO, Rv> {
        let mut info = ck::CK_SLOT_INFO::default();
        call!(self, C_GetSlotInfo(slot, &raw mut info)).with(info)
    }

    pub fn token_info(&self, slot: ck::CK_SLOT_ID) -> Result<ck::CK_TOKEN_INFO, Rv> {
        let mut info = ck::CK_TOKEN_INFO::default();
        call!(self, C_GetTokenInfo(slot, &raw mut info)).with(info)
    }

    /// True if all of `flags` stand in the token's CK_TOKEN_INFO.
    #[track_caller]
    pub fn token_has(&self, slot: ck::CK_SLOT_ID, flags: ck::CK_FLAGS) -> bool {
        self.token_info(slot).expect("C_GetTokenInfo").flags & flags == flags
    }

    /// The first slot whose token is not initialised yet.
    #[track_caller]
    pub fn free_slot(&self) -> ck::CK_SLOT_ID {
        let slots = self.slots(true).expect("C_GetSlotList");
        let free = |slot: &ck::CK_SLOT_ID| !self.token_has(*slot, ck::CKF_TOKEN_INITIALIZED);
        slots.into_iter().find(free).expect("a slot with an uninitialised token")
    }

    /// The slot of the token with this label; tokens that cannot be asked have none.
    pub fn slot_of(&self, label: &str) -> Option<ck::CK_SLOT_ID> {
        let wanted = padded(label);
        let named = |slot| self.token_info(slot).is_ok_and(|info| info.label == wanted);
        self.slots(true).expect("C_GetSlotList").into_iter().find(|&slot| named(slot))
    }

    pub fn init_token(&self, slot: ck::CK_SLOT_ID, so_pin: &str, label: &str) -> Result<(), Rv> {
        let (pin, pin_len) = text(so_pin);
        call!(self, C_InitToken(slot, pin, pin_len, padded(label).as_mut_ptr())).with(())
    }

    /// C_OpenSession with CKF_SERIAL_SESSION and whatever else is asked for.
    pub fn open(&self, slot: ck::CK_SLOT_ID, flags: ck::CK_FLAGS) -> Result<Session<'_>, Rv> {
        let mut handle = 0;
        let flags = flags | ck::CKF_SERIAL_SESSION;
        call!(self, C_OpenSession(slot, flags, null_mut(), None, &raw mut handle))
            .with(Session { module: self, handle })
    }

    /// A read-only session.
    #[track_caller]
    pub fn read_only(&self, slot: ck::CK_SLOT_ID) -> Session<'_> {
        self.open(slot, 0).expect("C_OpenSession")
    }

    /// A read-write session.
    #[track_caller]
    pub fn read_write(&self, slot: ck::CK_SLOT_ID) -> Session<'_> {
        self.open(slot, ck::CKF_RW_SESSION).expect("C_OpenSession")
    }

    /// The mechanisms of a slot.
    pub fn mechanisms(&self, slot: ck::CK_SLOT_ID) -> Result<Vec<ck::CK_MECHANISM_TYPE>, Rv> {
        let mut count = 0;
        call!(self, C_GetMechanismList(slot, null_mut(), &raw mut count)).with(())?;
        let mut list = vec![0; usize::try_from(count).expect("a count")];
        call!(self, C_GetMechanismList(slot, list.as_mut_ptr(), &raw mut count)).with(list)
    }

    pub fn mechanism_info(
        &self,
        slot: ck::CK_SLOT_ID,
        mechanism: ck::CK_MECHANISM_TYPE,
    ) -> Result<ck::CK_MECHANISM_INFO, Rv> {
        let mut info = ck::CK_MECHANISM_INFO::default();
        call!(self, C_GetMechanismInfo(slot, mechanism, &raw mut info)).with(info)
    }
}

/// Text as pointer and length.
pub fn text(text: &str) -> (*mut ck::CK_UTF8CHAR, ck::CK_ULONG) {
    (text.as_ptr().cast_mut(), len(text.len()))
}

/// A label, padded with blanks to 32 bytes.
pub fn padded(label: &str) -> [u8; 32] {
    let mut bytes = [b' '; 32];
    bytes[..label.len()].copy_from_slice(label.as_bytes());
    bytes
}

/// A pointer that must never be followed.
pub fn wild<T>() -> *mut T {
    without_provenance_mut(8)
}

fn symbol(library: *mut c_void, name: &str) -> Option<*mut c_void> {
    let name = CString::new(name).expect("a name without NUL");
    // SAFETY: the handle is open and the name a C string.
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

fn last_dl_error() -> String {
    // SAFETY: dlerror gives NULL or a C string that lives until the next call.
    let message = unsafe { libc::dlerror() };
    if message.is_null() {
        return "no reason given".to_owned();
    }
    // SAFETY: as above.
    unsafe { std::ffi::CStr::from_ptr(message) }.to_string_lossy().into_owned()
}

/// The 3.2 list if the module has one, else what its 2.40 list holds.
fn functions_of(library: *mut c_void) -> ck::CK_FUNCTION_LIST_3_2 {
    if let Some(address) = symbol(library, "C_GetInterface") {
        // SAFETY: the symbol has this type in every module.
        let get = unsafe { std::mem::transmute::<*mut c_void, GetInterface>(address) };
        let mut version = ck::CK_VERSION { major: 3, minor: 2 };
        let mut found = null_mut();
        // SAFETY: live locals; the default interface by NULL name.
        if unsafe { get(null_mut(), &raw mut version, &raw mut found, 0) } == ck::CKR_OK {
            // SAFETY: the module answered CKR_OK, so the interface is there.
            let list = unsafe { (*found).pFunctionList };
            // SAFETY: as above; this is its 3.2 list.
            return unsafe { *list.cast::<ck::CK_FUNCTION_LIST_3_2>() };
        }
    }
    let address = symbol(library, "C_GetFunctionList").expect("C_GetFunctionList");
    // SAFETY: the symbol has this type in every module.
    let get = unsafe { std::mem::transmute::<*mut c_void, GetFunctionList>(address) };
    let mut list = null_mut();
    // SAFETY: a live local.
    assert_eq!(unsafe { get(&raw mut list) }, ck::CKR_OK, "C_GetFunctionList");
    let mut functions = ck::CK_FUNCTION_LIST_3_2::default();
    // SAFETY: the module answered CKR_OK, so its list is there.
    let list: ck::CK_FUNCTION_LIST = unsafe { *list };
    // SAFETY: the 3.2 list begins with the members of the 2.40 list, in the same order.
    unsafe { (&raw mut functions).cast::<ck::CK_FUNCTION_LIST>().write(list) };
    functions
}
