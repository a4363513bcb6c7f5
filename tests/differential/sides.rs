//! One of the two modules, and what it answers to a case.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::cases::{Act, Case, Row};
use super::sound::{Birth, asked_of};
use crate::support::operations::plain;
use crate::support::template::len;
use crate::support::{Rv, Session, Token, call};

/// A module with the user logged in.
pub struct Side<'m> {
    read_write: Session<'m>,
    read_only: Session<'m>,
}

/// What an attribute reads as, or the call's answer.
pub type Read = Result<Vec<u8>, ck::CK_RV>;

/// What a module answered, and what is there afterwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub rv: ck::CK_RV,
    pub reads: Vec<(ck::CK_ATTRIBUTE_TYPE, Read)>,
}

/// Room for the longest value.
const ROOM: usize = 600;

fn lend<R>(rows: &[Row], body: impl FnOnce(*mut ck::CK_ATTRIBUTE, ck::CK_ULONG) -> R) -> R {
    // A module that reads a number without looking at its length finds memory there.
    let mut rooms: Vec<Vec<u8>> =
        rows.iter().map(|(_, value)| [value.as_slice(), &[0; 16]].concat()).collect();
    let mut all: Vec<ck::CK_ATTRIBUTE> = rows
        .iter()
        .zip(&mut rooms)
        .map(|((name, value), room)| ck::CK_ATTRIBUTE {
            type_: *name,
            pValue: room.as_mut_ptr().cast(),
            ulValueLen: len(value.len()),
        })
        .collect();
    body(all.as_mut_ptr(), len(all.len()))
}

impl<'m> Side<'m> {
    pub fn on(token: &'m Token) -> Self {
        Self { read_write: token.user(), read_only: token.read_only() }
    }

    /// Does what the case says; everything that was made is gone afterwards if it can go.
    pub fn answer(&self, case: &Case) -> Answer {
        let session = if case.read_only { &self.read_only } else { &self.read_write };
        let template = case.template();
        let (rv, object, mut others) = match case.act {
            Act::Make => {
                let (rv, objects) = make(session, case.kind.birth, &template);
                (rv, objects[0], vec![objects[1]])
            }
            Act::Copy | Act::Set => {
                let (made, objects) = make(session, case.kind.birth, &(case.kind.sound)());
                made.is(ck::CKR_OK);
                self.change(session, case.act, objects, &template)
            }
        };
        let reads = if object == 0 { Vec::new() } else { reads(session, case, object) };
        others.push(object);
        for object in others.into_iter().filter(|object| *object != 0) {
            let _ = self.read_write.destroy(object);
        }
        Answer { rv: rv.0, reads }
    }

    fn change(
        &self,
        session: &Session<'_>,
        act: Act,
        [object, other]: [ck::CK_OBJECT_HANDLE; 2],
        template: &[Row],
    ) -> (Rv, ck::CK_OBJECT_HANDLE, Vec<ck::CK_OBJECT_HANDLE>) {
        let mut copy = 0;
        let s = session.handle;
        let rv = lend(template, |rows, count| match act {
            Act::Copy => call!(session, C_CopyObject(s, object, rows, count, &raw mut copy)),
            _ => call!(session, C_SetAttributeValue(s, object, rows, count)),
        });
        match act {
            Act::Copy => (rv, if rv.0 == ck::CKR_OK { copy } else { 0 }, vec![object, other]),
            _ => (rv, object, vec![other]),
        }
    }
}

fn make(session: &Session<'_>, birth: Birth, template: &[Row]) -> (Rv, [ck::CK_OBJECT_HANDLE; 2]) {
    let (s, mut made) = (session.handle, [0, 0]);
    let [first, second] = &mut made;
    let (first, second) = (&raw mut *first, &raw mut *second);
    let rv = lend(template, |rows, count| match birth {
        Birth::Create => call!(session, C_CreateObject(s, rows, count, first)),
        Birth::Generate(how) if is_pair(how) => {
            let mut how = plain(how).c;
            let how = &raw mut how;
            call!(session, C_GenerateKeyPair(s, how, rows, count, null_mut(), 0, first, second))
        }
        Birth::Generate(how) => {
            let mut how = plain(how).c;
            call!(session, C_GenerateKey(s, &raw mut how, rows, count, first))
        }
    });
    (rv, if rv.0 == ck::CKR_OK { made } else { [0, 0] })
}

fn is_pair(how: ck::CK_MECHANISM_TYPE) -> bool {
    how == ck::CKM_EC_KEY_PAIR_GEN
}

/// Each attribute by a call of its own: SoftHSM gives up at the first that it refuses.
fn reads(
    session: &Session<'_>,
    case: &Case,
    object: ck::CK_OBJECT_HANDLE,
) -> Vec<(ck::CK_ATTRIBUTE_TYPE, Read)> {
    let read = |name| {
        let mut room = [0_u8; ROOM];
        let value = room.as_mut_ptr().cast();
        let mut row = ck::CK_ATTRIBUTE { type_: name, pValue: value, ulValueLen: len(ROOM) };
        let s = session.handle;
        let rv = call!(session, C_GetAttributeValue(s, object, &raw mut row, 1));
        if rv.0 != ck::CKR_OK {
            return (name, Err(rv.0));
        }
        let given = usize::try_from(row.ulValueLen).expect("a length");
        (name, Ok(room[..given].to_vec()))
    };
    asked_of(case.kind).into_iter().map(read).collect()
}
