//! A PKCS#11 module loaded with dlopen, and sessions on it: the calls that the benches make, as
//! safe functions that own or borrow everything they point to.

#![allow(unsafe_code)]

use super::attributes::{Attributes, Mechanism};
use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_C_GetFunctionList, CK_C_INITIALIZE_ARGS, CK_FALSE,
    CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_SLOT_ID,
    CK_TOKEN_INFO, CK_ULONG, CK_USER_TYPE, CKF_OS_LOCKING_OK, CKF_RW_SESSION, CKF_SERIAL_SESSION,
    CKR_GENERAL_ERROR, CKR_OK,
};
use libloading::{Library, Symbol};
use std::fmt;
use std::path::Path;
use std::ptr::null_mut;

/// A call that did not answer CKR_OK.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) call: String,
    pub(crate) rv: CK_RV,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} 0x{:x}", self.call, self.rv)
    }
}

pub(crate) type Outcome<T> = Result<T, Refusal>;

pub(crate) fn refuse<T>(call: impl Into<String>) -> Outcome<T> {
    Err(Refusal { call: call.into(), rv: CKR_GENERAL_ERROR })
}

/// Calls one function of the module's list.
macro_rules! call {
    ($module:expr, $name:ident($($argument:expr),*)) => {{
        let Some(function) = $module.list.$name else { return refuse(stringify!($name)) };
        // SAFETY: the pointers come from references and slices that outlive the call, and the
        // lengths beside them are theirs; the rest is the module's to check.
        match unsafe { function($($argument),*) } {
            CKR_OK => Ok(()),
            rv => Err(Refusal { call: stringify!($name).to_owned(), rv }),
        }
    }};
}

/// A loaded module. It stays loaded: no bench asks how a module takes dlclose.
pub(crate) struct Module {
    list: CK_FUNCTION_LIST,
    library: &'static Library,
}

impl Module {
    pub(crate) fn load(path: &Path) -> Outcome<Self> {
        // SAFETY: running the initialisers of a PKCS#11 module is what its user asked for.
        let library = match unsafe { Library::new(path) } {
            Ok(library) => &*Box::leak(Box::new(library)),
            Err(why) => return refuse(format!("dlopen: {why}")),
        };
        // SAFETY: this is the type the standard gives to the symbol.
        let symbol: Result<Symbol<'_, CK_C_GetFunctionList>, _> =
            unsafe { library.get(b"C_GetFunctionList") };
        let Ok(Some(get_list)) = symbol.map(|symbol| *symbol) else {
            return refuse("no C_GetFunctionList");
        };
        let mut list: CK_FUNCTION_LIST_PTR = null_mut();
        // SAFETY: `list` is a place for one pointer.
        let rv = unsafe { get_list(&mut list) };
        if rv != CKR_OK || list.is_null() {
            return Err(Refusal { call: "C_GetFunctionList".to_owned(), rv });
        }
        // SAFETY: the module says that its list is there, for as long as it is loaded.
        Ok(Self { list: unsafe { *list }, library })
    }

    /// An exported function that is in no list of 2.40.
    ///
    /// # Safety
    /// `F` is the type that the standard gives to the function of this name.
    pub(crate) unsafe fn exported<F: Copy>(&self, name: &str) -> Outcome<F> {
        // SAFETY: as promised.
        let found: Result<Symbol<'_, F>, _> = unsafe { self.library.get(name.as_bytes()) };
        found.map(|symbol| *symbol).or_else(|_| refuse(name))
    }

    pub(crate) fn initialize(&self) -> Outcome<()> {
        let mut arguments = CK_C_INITIALIZE_ARGS {
            CreateMutex: None,
            DestroyMutex: None,
            LockMutex: None,
            UnlockMutex: None,
            flags: CKF_OS_LOCKING_OK,
            pReserved: null_mut(),
        };
        call!(self, C_Initialize(std::ptr::from_mut(&mut arguments).cast()))
    }

    pub(crate) fn finalize(&self) -> Outcome<()> {
        call!(self, C_Finalize(null_mut()))
    }

    pub(crate) fn slots(&self) -> Outcome<Vec<CK_SLOT_ID>> {
        let mut count = 0;
        call!(self, C_GetSlotList(CK_FALSE, null_mut(), &mut count))?;
        let mut slots = vec![0; count as usize];
        call!(self, C_GetSlotList(CK_FALSE, slots.as_mut_ptr(), &mut count))?;
        slots.truncate(count as usize);
        Ok(slots)
    }

    /// The label of a slot's token, without its padding.
    pub(crate) fn label(&self, slot: CK_SLOT_ID) -> Outcome<String> {
        let mut info = CK_TOKEN_INFO::default();
        call!(self, C_GetTokenInfo(slot, &mut info))?;
        Ok(String::from_utf8_lossy(&info.label).trim_end().to_owned())
    }

    pub(crate) fn init_token(&self, slot: CK_SLOT_ID, so_pin: &str, label: &str) -> Outcome<()> {
        let mut pin = so_pin.as_bytes().to_vec();
        let mut padded = format!("{label:32}").into_bytes();
        call!(self, C_InitToken(slot, pin.as_mut_ptr(), pin.len() as CK_ULONG, padded.as_mut_ptr()))
    }

    pub(crate) fn open(&self, slot: CK_SLOT_ID) -> Outcome<Session<'_>> {
        let mut handle = 0;
        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
        call!(self, C_OpenSession(slot, flags, null_mut(), None, &mut handle))?;
        Ok(Session { module: self, handle })
    }
}

/// An open read/write session.
#[derive(Clone, Copy)]
pub(crate) struct Session<'m> {
    module: &'m Module,
    handle: CK_SESSION_HANDLE,
}

impl Session<'_> {
    pub(crate) fn handle(&self) -> CK_SESSION_HANDLE {
        self.handle
    }

    pub(crate) fn close(self) -> Outcome<()> {
        call!(self.module, C_CloseSession(self.handle))
    }

    pub(crate) fn login(&self, user: CK_USER_TYPE, pin: &str) -> Outcome<()> {
        let mut pin = pin.as_bytes().to_vec();
        call!(self.module, C_Login(self.handle, user, pin.as_mut_ptr(), pin.len() as CK_ULONG))
    }

    pub(crate) fn logout(&self) -> Outcome<()> {
        call!(self.module, C_Logout(self.handle))
    }

    pub(crate) fn init_pin(&self, pin: &str) -> Outcome<()> {
        let mut pin = pin.as_bytes().to_vec();
        call!(self.module, C_InitPIN(self.handle, pin.as_mut_ptr(), pin.len() as CK_ULONG))
    }

    pub(crate) fn create(&self, template: &mut Attributes) -> Outcome<CK_OBJECT_HANDLE> {
        let (mut object, c) = (0, template.as_c());
        call!(
            self.module,
            C_CreateObject(self.handle, c.as_mut_ptr(), c.len() as CK_ULONG, &mut object)
        )?;
        Ok(object)
    }

    pub(crate) fn destroy(&self, object: CK_OBJECT_HANDLE) -> Outcome<()> {
        call!(self.module, C_DestroyObject(self.handle, object))
    }

    /// The objects that match, at most eight.
    pub(crate) fn find(&self, template: &mut Attributes) -> Outcome<Vec<CK_OBJECT_HANDLE>> {
        let (mut found, mut count, c) = ([0; 8], 0, template.as_c());
        call!(self.module, C_FindObjectsInit(self.handle, c.as_mut_ptr(), c.len() as CK_ULONG))?;
        let searched =
            call!(self.module, C_FindObjects(self.handle, found.as_mut_ptr(), 8, &mut count));
        call!(self.module, C_FindObjectsFinal(self.handle))?;
        searched?;
        Ok(found[..count as usize].to_vec())
    }

    pub(crate) fn attribute(
        &self,
        object: CK_OBJECT_HANDLE,
        attribute: CK_ATTRIBUTE_TYPE,
    ) -> Outcome<Vec<u8>> {
        let mut room = vec![0; 1024];
        let mut c = CK_ATTRIBUTE {
            type_: attribute,
            pValue: room.as_mut_ptr().cast(),
            ulValueLen: room.len() as CK_ULONG,
        };
        call!(self.module, C_GetAttributeValue(self.handle, object, &mut c, 1))?;
        room.truncate(c.ulValueLen as usize);
        Ok(room)
    }

    pub(crate) fn generate_key(
        &self,
        mechanism: &mut Mechanism,
        template: &mut Attributes,
    ) -> Outcome<CK_OBJECT_HANDLE> {
        let (mut key, c, mut m) = (0, template.as_c(), mechanism.as_c());
        call!(
            self.module,
            C_GenerateKey(self.handle, &mut m, c.as_mut_ptr(), c.len() as CK_ULONG, &mut key)
        )?;
        Ok(key)
    }

    /// The handles of the public and the private key.
    pub(crate) fn generate_pair(
        &self,
        mechanism: &mut Mechanism,
        public: &mut Attributes,
        private: &mut Attributes,
    ) -> Outcome<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        let (public, private, mut m) = (public.as_c(), private.as_c(), mechanism.as_c());
        let (mut public_key, mut private_key) = (0, 0);
        call!(
            self.module,
            C_GenerateKeyPair(
                self.handle,
                &mut m,
                public.as_mut_ptr(),
                public.len() as CK_ULONG,
                private.as_mut_ptr(),
                private.len() as CK_ULONG,
                &mut public_key,
                &mut private_key
            )
        )?;
        Ok((public_key, private_key))
    }

    pub(crate) fn derive(
        &self,
        mechanism: &mut Mechanism,
        key: CK_OBJECT_HANDLE,
        template: &mut Attributes,
    ) -> Outcome<CK_OBJECT_HANDLE> {
        let (mut derived, c, mut m) = (0, template.as_c(), mechanism.as_c());
        call!(
            self.module,
            C_DeriveKey(
                self.handle,
                &mut m,
                key,
                c.as_mut_ptr(),
                c.len() as CK_ULONG,
                &mut derived
            )
        )?;
        Ok(derived)
    }

    /// C_SignInit and C_Sign: the length of the signature.
    pub(crate) fn sign(
        &self,
        mechanism: &mut Mechanism,
        key: CK_OBJECT_HANDLE,
        data: &[u8],
        room: &mut [u8],
    ) -> Outcome<usize> {
        let (mut m, mut len) = (mechanism.as_c(), room.len() as CK_ULONG);
        call!(self.module, C_SignInit(self.handle, &mut m, key))?;
        call!(
            self.module,
            C_Sign(
                self.handle,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG,
                room.as_mut_ptr(),
                &mut len
            )
        )?;
        Ok(len as usize)
    }

    pub(crate) fn verify(
        &self,
        mechanism: &mut Mechanism,
        key: CK_OBJECT_HANDLE,
        data: &[u8],
        signature: &[u8],
    ) -> Outcome<()> {
        let mut m = mechanism.as_c();
        call!(self.module, C_VerifyInit(self.handle, &mut m, key))?;
        call!(
            self.module,
            C_Verify(
                self.handle,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG,
                signature.as_ptr().cast_mut(),
                signature.len() as CK_ULONG
            )
        )
    }

    pub(crate) fn encrypt(
        &self,
        mechanism: &mut Mechanism,
        key: CK_OBJECT_HANDLE,
        data: &[u8],
        room: &mut [u8],
    ) -> Outcome<usize> {
        let (mut m, mut len) = (mechanism.as_c(), room.len() as CK_ULONG);
        call!(self.module, C_EncryptInit(self.handle, &mut m, key))?;
        call!(
            self.module,
            C_Encrypt(
                self.handle,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG,
                room.as_mut_ptr(),
                &mut len
            )
        )?;
        Ok(len as usize)
    }

    pub(crate) fn decrypt(
        &self,
        mechanism: &mut Mechanism,
        key: CK_OBJECT_HANDLE,
        data: &[u8],
        room: &mut [u8],
    ) -> Outcome<usize> {
        let (mut m, mut len) = (mechanism.as_c(), room.len() as CK_ULONG);
        call!(self.module, C_DecryptInit(self.handle, &mut m, key))?;
        call!(
            self.module,
            C_Decrypt(
                self.handle,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG,
                room.as_mut_ptr(),
                &mut len
            )
        )?;
        Ok(len as usize)
    }

    pub(crate) fn digest(
        &self,
        mechanism: &mut Mechanism,
        data: &[u8],
        room: &mut [u8],
    ) -> Outcome<usize> {
        let (mut m, mut len) = (mechanism.as_c(), room.len() as CK_ULONG);
        call!(self.module, C_DigestInit(self.handle, &mut m))?;
        call!(
            self.module,
            C_Digest(
                self.handle,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG,
                room.as_mut_ptr(),
                &mut len
            )
        )?;
        Ok(len as usize)
    }

    pub(crate) fn random(&self, room: &mut [u8]) -> Outcome<()> {
        call!(self.module, C_GenerateRandom(self.handle, room.as_mut_ptr(), room.len() as CK_ULONG))
    }
}
