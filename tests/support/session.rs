//! A session's calls other than cryptography: login, PINs, objects, searches.

use std::ops::Deref;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::module::{Module, call, text};
use super::rv::Rv;
use super::template::{AttributeValue, Template, len};

/// A session handle with its module. Not closed when dropped.
#[derive(Clone, Copy)]
pub struct Session<'m> {
    pub module: &'m Module,
    pub handle: ck::CK_SESSION_HANDLE,
}

/// So that `call!(session, C_…)` works as `call!(module, C_…)` does.
impl Deref for Session<'_> {
    type Target = Module;

    fn deref(&self) -> &Module {
        self.module
    }
}

impl Session<'_> {
    pub fn close(&self) -> Result<(), Rv> {
        call!(self, C_CloseSession(self.handle)).with(())
    }

    pub fn info(&self) -> Result<ck::CK_SESSION_INFO, Rv> {
        let mut info = ck::CK_SESSION_INFO::default();
        call!(self, C_GetSessionInfo(self.handle, &raw mut info)).with(info)
    }

    /// The state in CK_SESSION_INFO.
    #[track_caller]
    pub fn state(&self) -> ck::CK_STATE {
        self.info().expect("C_GetSessionInfo").state
    }

    pub fn login(&self, who: ck::CK_USER_TYPE, pin: &str) -> Result<(), Rv> {
        let (pin, pin_len) = text(pin);
        call!(self, C_Login(self.handle, who, pin, pin_len)).with(())
    }

    pub fn logout(&self) -> Result<(), Rv> {
        call!(self, C_Logout(self.handle)).with(())
    }

    pub fn init_pin(&self, pin: &str) -> Result<(), Rv> {
        let (pin, pin_len) = text(pin);
        call!(self, C_InitPIN(self.handle, pin, pin_len)).with(())
    }

    pub fn set_pin(&self, old: &str, new: &str) -> Result<(), Rv> {
        let ((old, old_len), (new, new_len)) = (text(old), text(new));
        call!(self, C_SetPIN(self.handle, old, old_len, new, new_len)).with(())
    }

    pub fn create(&self, template: &Template) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let mut object = 0;
        template
            .lend(|rows, count| {
                call!(self, C_CreateObject(self.handle, rows, count, &raw mut object))
            })
            .with(())?;
        Ok(object)
    }

    pub fn copy(
        &self,
        object: ck::CK_OBJECT_HANDLE,
        template: &Template,
    ) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
        let mut copy = 0;
        template
            .lend(|rows, count| {
                call!(self, C_CopyObject(self.handle, object, rows, count, &raw mut copy))
            })
            .with(())?;
        Ok(copy)
    }

    pub fn destroy(&self, object: ck::CK_OBJECT_HANDLE) -> Result<(), Rv> {
        call!(self, C_DestroyObject(self.handle, object)).with(())
    }

    pub fn set(&self, object: ck::CK_OBJECT_HANDLE, template: &Template) -> Result<(), Rv> {
        template
            .lend(|rows, count| call!(self, C_SetAttributeValue(self.handle, object, rows, count)))
            .with(())
    }

    /// One attribute: its length is asked for first, as hosts do.
    pub fn get(
        &self,
        object: ck::CK_OBJECT_HANDLE,
        kind: ck::CK_ATTRIBUTE_TYPE,
    ) -> Result<Vec<u8>, Rv> {
        let mut row = ck::CK_ATTRIBUTE { type_: kind, pValue: null_mut(), ulValueLen: 0 };
        call!(self, C_GetAttributeValue(self.handle, object, &raw mut row, 1)).with(())?;
        let mut value = vec![0; usize::try_from(row.ulValueLen).expect("a length")];
        row.pValue = value.as_mut_ptr().cast();
        let rv = call!(self, C_GetAttributeValue(self.handle, object, &raw mut row, 1));
        assert_eq!(row.ulValueLen, len(value.len()), "the length of {kind:#x} holds");
        rv.with(value)
    }

    /// Fails the test unless the attribute has this value.
    #[track_caller]
    pub fn has(
        &self,
        object: ck::CK_OBJECT_HANDLE,
        kind: ck::CK_ATTRIBUTE_TYPE,
        value: impl AttributeValue,
    ) {
        match self.get(object, kind) {
            Ok(got) => assert_eq!(got, value.to_bytes(), "attribute {kind:#x}"),
            Err(rv) => panic!("attribute {kind:#x}: {rv}"),
        }
    }

    /// A CK_ULONG attribute.
    #[track_caller]
    pub fn number(
        &self,
        object: ck::CK_OBJECT_HANDLE,
        kind: ck::CK_ATTRIBUTE_TYPE,
    ) -> ck::CK_ULONG {
        let value = self.get(object, kind).unwrap_or_else(|rv| panic!("{kind:#x}: {rv}"));
        ck::CK_ULONG::from_ne_bytes(value.try_into().expect("eight bytes"))
    }

    /// A boolean attribute.
    #[track_caller]
    pub fn flag(&self, object: ck::CK_OBJECT_HANDLE, kind: ck::CK_ATTRIBUTE_TYPE) -> bool {
        let value = self.get(object, kind).unwrap_or_else(|rv| panic!("{kind:#x}: {rv}"));
        assert_eq!(value.len(), 1, "attribute {kind:#x} is a CK_BBOOL");
        value[0] != 0
    }

    /// Everything that matches, through a whole search.
    pub fn find(&self, template: &Template) -> Result<Vec<ck::CK_OBJECT_HANDLE>, Rv> {
        template
            .lend(|rows, count| call!(self, C_FindObjectsInit(self.handle, rows, count)))
            .with(())?;
        let mut all = Vec::new();
        loop {
            let mut some = [0; 7];
            let mut count = 0;
            let room = len(some.len());
            let rv =
                call!(self, C_FindObjects(self.handle, some.as_mut_ptr(), room, &raw mut count));
            rv.with(())?;
            if count == 0 {
                break;
            }
            all.extend_from_slice(&some[..usize::try_from(count).expect("a count")]);
        }
        call!(self, C_FindObjectsFinal(self.handle)).with(all)
    }

    /// How many objects match.
    #[track_caller]
    pub fn count(&self, template: &Template) -> usize {
        self.find(template).expect("a search").len()
    }

    pub fn random(&self, bytes: usize) -> Result<Vec<u8>, Rv> {
        let mut room = vec![0; bytes];
        call!(self, C_GenerateRandom(self.handle, room.as_mut_ptr(), len(bytes))).with(room)
    }
}
