//! Keys that may be used so often only, and keys whose time has not come or is over. A key that
//! is used up answers CKR_KEY_EXHAUSTED; outside of its dates a key makes nothing new, and goes on
//! undoing and judging what it made. PKCS#11 3.2, "Common key attributes"; `include/claviger.h`.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::messages::message_parameter;
use super::sound::{Complaints, Ground, Sound, on_ground};
use super::uses::Use;
use crate::support::operations::{in_two_calls, input, lend_room, plain};
use crate::support::{Refused, Rv, Template, call, known, template};

/// CKA_CLAVIGER_USES_LEFT in include/claviger.h.
pub const USES_LEFT: ck::CK_ATTRIBUTE_TYPE = ck::CKA_VENDOR_DEFINED | 0x434C_0011;

/// The mechanism of two keys, whose copies would be tied to nothing.
const BUNDLES: &str = "CKM_CLAVIGER_BUNDLE";

/// What shows of a private key what everybody may see: no use of its secret.
const PUBLIC_HALF: &str = "CKM_PUB_KEY_FROM_PRIV_KEY";

/// Everything that is done with a key of its own.
pub fn with_one_key<'g>(ground: &'g Ground<'_>) -> impl Iterator<Item = &'g Sound> {
    let has = |sound: &&Sound| {
        let other = [BUNDLES, PUBLIC_HALF].contains(&sound.row.name);
        sound.which.allowed_by().is_some() && !other
    };
    ground.all.iter().filter(has)
}

/// The same with a copy of its key that can be used once. Public keys have no such limit.
pub fn once(ground: &Ground<'_>, sound: &Sound) -> Option<Sound> {
    if sound.which.is_public() && sound.key.public != sound.key.private {
        return None;
    }
    let on_token = template! { CKA_TOKEN => true };
    let copy = match sound.row.number {
        // A copy would make the same passwords again, so that there is none.
        ck::CKM_HOTP => {
            let value = ground.session.get(sound.handle, ck::CKA_VALUE).expect("CKA_VALUE");
            ground.session.create(&known::secret(ck::CKK_HOTP, &value).with(on_token))
        }
        _ => ground.session.copy(sound.handle, &on_token),
    };
    let copy = copy.expect("a copy on the token");
    let limit = Template::default().and(USES_LEFT, 1_u64);
    ground.session.set(copy, &limit).expect("CKA_CLAVIGER_USES_LEFT");
    Some(Sound { handle: copy, ..sound.clone() })
}

#[test]
fn a_key_that_is_used_up_is_exhausted() {
    on_ground(|ground, complaints| {
        let mut tried = 0;
        for sound in with_one_key(ground).filter_map(|sound| once(ground, sound)) {
            if ground.works(&sound).is_none() {
                complaints.add(&sound, "does not work once");
            }
            let left = ground.session.number(sound.handle, USES_LEFT);
            if left != 0 {
                complaints.add(&sound, format!("{left} uses are left of one"));
            }
            let rv = ground.begin(&sound);
            complaints.unless(&sound, "used up", rv, &[ck::CKR_KEY_EXHAUSTED]);
            ground.session.cancel_all();
            ground.session.destroy(sound.handle).unwrap();
            tried += 1;
        }
        assert!(tried > 100, "hardly a key was used up");
    });
}

/// An AES key on the token that can be used once.
fn once_aes(ground: &Ground<'_>) -> ck::CK_OBJECT_HANDLE {
    let uses = template! {
        CKA_TOKEN => true, CKA_ENCRYPT => true, CKA_WRAP => true, CKA_EXTRACTABLE => true,
    };
    let key = known::aes(&[5; 16]).with(uses).and(USES_LEFT, 1_u64);
    ground.session.create(&key).expect("a key for one use")
}

#[test]
fn two_operations_at_once_are_one_use_of_a_key() {
    on_ground(|ground, _| {
        let (session, key) = (&ground.session, once_aes(ground));
        let ecb = plain(ck::CKM_AES_ECB);
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        session.encrypt_init(&ecb, key).unwrap();
        for part in [[1; 16], [2; 16]] {
            let (rv, ..) = lend_room(32, |out, room| {
                let (s, (part, part_len)) = (session.handle, input(&part));
                call!(session, C_DigestEncryptUpdate(s, part, part_len, out, room))
            });
            rv.is(ck::CKR_OK);
        }
        session.encrypt_final().unwrap();
        session.digest_final().unwrap();
        assert_eq!(session.number(key, USES_LEFT), 0);
        session.encrypt_init(&ecb, key).refused(ck::CKR_KEY_EXHAUSTED);
    });
}

#[test]
fn to_ask_how_long_a_wrapped_key_is_takes_no_use() {
    on_ground(|ground, _| {
        let (session, key) = (&ground.session, once_aes(ground));
        let target = known::aes(&[6; 16]).and(ck::CKA_EXTRACTABLE, true);
        let target = session.create(&target).unwrap();
        let parameter = message_parameter("CKM_AES_GCM", 16).expect("a structure");
        let wrap = || {
            let mut how = parameter.with(ck::CKM_AES_GCM).c;
            in_two_calls(|out, room| {
                let (s, m, none) = (session.handle, &raw mut how, null_mut());
                call!(session, C_WrapKeyAuthenticated(s, m, key, target, none, 0, out, room))
            })
        };
        assert_eq!(wrap().unwrap().len(), 16);
        assert_eq!(session.number(key, USES_LEFT), 0);
        wrap().refused(ck::CKR_KEY_EXHAUSTED);
    });
}

/// Does a use make something new?
const fn makes(which: Use) -> bool {
    !matches!(
        which,
        Use::Verify | Use::VerifyRecover | Use::Decrypt | Use::Unwrap | Use::Decapsulate
    )
}

fn judge(complaints: &mut Complaints, sound: &Sound, when: &str, rv: Rv) {
    let right = match makes(sound.which) {
        true => ck::CKR_KEY_FUNCTION_NOT_PERMITTED,
        false => ck::CKR_OK,
    };
    complaints.unless(sound, when, rv, &[right]);
}

#[test]
fn outside_of_its_dates_a_key_makes_nothing() {
    on_ground(|ground, complaints| {
        for sound in with_one_key(ground) {
            for (name, date) in [(ck::CKA_START_DATE, "29991231"), (ck::CKA_END_DATE, "20000101")] {
                let dated = |date: &str| {
                    let change = Template::default().and(name, date);
                    ground.session.set(sound.handle, &change).expect("a date");
                };
                dated(date);
                judge(complaints, sound, date, ground.begin(sound));
                ground.session.cancel_all();
                dated("");
            }
        }
    });
}
