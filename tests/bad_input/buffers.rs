//! Room that is too small, input that lies about its length, and input and output in one place.
//! PKCS#11 3.2, "Conventions for functions returning output in a variable-length buffer".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::sound::{Complaints, Ground, Sound, gives_addresses, on_ground};
use super::uses::{Use, finish, update, whole};
use crate::support::operations::lend_room;
use crate::support::template::len;
use crate::support::{Rv, call};

fn with_output<'g>(ground: &'g Ground<'_>) -> impl Iterator<Item = &'g Sound> {
    let gives = |sound: &&Sound| sound.which.is_operation() && sound.which != Use::Verify;
    ground.all.iter().filter(gives)
}

/// Everything in one call, into that much room.
fn into(ground: &Ground<'_>, sound: &Sound, room: usize) -> (Rv, usize, Vec<u8>) {
    lend_room(room, |out, out_len| {
        whole(&ground.session, sound.which, &sound.data, &[], out, out_len)
    })
}

/// Whether the same input gives the same output each time.
fn is_fixed(ground: &Ground<'_>, sound: &Sound) -> bool {
    !gives_addresses(&sound.row) && ground.works(sound).as_ref() == Some(&sound.output)
}

#[test]
fn a_room_one_byte_short_is_told_and_can_be_tried_again() {
    on_ground(|ground, complaints| {
        for sound in with_output(ground).filter(|sound| !sound.output.is_empty()) {
            let exact = sound.output.len();
            assert_eq!(ground.begin(sound).0, ck::CKR_OK);
            let (rv, needed, bytes) = into(ground, sound, exact - 1);
            complaints.unless(sound, "one byte short", rv, &[ck::CKR_BUFFER_TOO_SMALL]);
            if rv.0 != ck::CKR_BUFFER_TOO_SMALL {
                ground.session.ends(sound.which);
                continue;
            }
            if needed < exact || bytes.iter().any(|byte| *byte != 0xC7) {
                complaints.add(sound, format!("{needed} bytes needed, or the room was written to"));
            }
            let (rv, written, _) = into(ground, sound, needed);
            complaints.unless(sound, "with what is needed", rv, &[ck::CKR_OK]);
            if rv.0 == ck::CKR_OK && written > needed {
                complaints.add(sound, "more than was needed");
            }
            ground.session.ends(sound.which);
        }
    });
}

#[test]
fn no_room_at_all_is_too_small() {
    on_ground(|ground, complaints| {
        for sound in with_output(ground).filter(|sound| !sound.output.is_empty()) {
            assert_eq!(ground.begin(sound).0, ck::CKR_OK);
            let (rv, _, _) = into(ground, sound, 0);
            complaints.unless(sound, "a room of nothing", rv, &[ck::CKR_BUFFER_TOO_SMALL]);
            ground.session.ends(sound.which);
        }
    });
}

/// Padding at the end of blocks is found at the end: then up to a block more is asked for.
fn ends_with_padding(sound: &Sound) -> bool {
    sound.which == Use::Decrypt
        && ["_CBC_PAD", "_PKCS7"].iter().any(|end| sound.row.name.ends_with(end))
}

#[test]
fn a_room_as_long_as_the_output_is_enough() {
    on_ground(|ground, complaints| {
        let fixed = |sound: &&Sound| is_fixed(ground, sound) && !ends_with_padding(sound);
        for sound in with_output(ground).filter(fixed) {
            assert_eq!(ground.begin(sound).0, ck::CKR_OK);
            let (rv, written, bytes) = into(ground, sound, sound.output.len());
            complaints.unless(sound, "an exact room", rv, &[ck::CKR_OK]);
            if rv.0 == ck::CKR_OK && bytes[..written] != sound.output {
                complaints.add(sound, "another output in an exact room");
            }
            ground.session.ends(sound.which);
        }
    });
}

#[test]
fn parts_leave_short_rooms_alone() {
    on_ground(|ground, complaints| {
        for sound in with_output(ground) {
            assert_eq!(ground.begin(sound).0, ck::CKR_OK);
            let all = in_parts(ground, sound, complaints);
            if all.is_some_and(|all| is_fixed(ground, sound) && all != sound.output) {
                complaints.add(sound, "other output in parts");
            }
            ground.session.ends(sound.which);
        }
    });
}

/// Gives a part with no room first, then with enough; and so for the end. What came out, or
/// `None` if the mechanism takes no parts.
fn in_parts(ground: &Ground<'_>, sound: &Sound, complaints: &mut Complaints) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for part in sound.data.chunks(7) {
        for room in [0, LARGE] {
            let mut answer = None;
            let (rv, written, bytes) = lend_room(room, |out, out_len| {
                answer = update(&ground.session, sound.which, part, out, out_len);
                answer.unwrap_or(Rv(ck::CKR_OK))
            });
            let rv = answer.and(Some(rv))?;
            match rv.0 {
                ck::CKR_OK => {
                    if gives_parts(sound.which) {
                        all.extend_from_slice(&bytes[..written]);
                    }
                    break;
                }
                ck::CKR_BUFFER_TOO_SMALL if room == 0 => {}
                ck::CKR_FUNCTION_NOT_SUPPORTED => return None,
                _ => {
                    complaints.add(sound, format!("a part with room for {room}: {rv}"));
                    return None;
                }
            }
        }
    }
    for room in [0, LARGE] {
        let (rv, written, bytes) = lend_room(room, |out, out_len| {
            finish(&ground.session, sound.which, &[], out, out_len).unwrap_or(Rv(ck::CKR_OK))
        });
        match rv.0 {
            ck::CKR_OK => {
                all.extend_from_slice(&bytes[..written]);
                return Some(all);
            }
            ck::CKR_BUFFER_TOO_SMALL if room == 0 => {}
            _ => complaints.add(sound, format!("the end with room for {room}: {rv}")),
        }
    }
    None
}

/// Room for every output, SLH-DSA's signatures as well.
pub const LARGE: usize = 1 << 15;

const fn gives_parts(which: Use) -> bool {
    matches!(which, Use::Encrypt | Use::Decrypt)
}

#[test]
fn input_and_output_may_be_the_same_memory() {
    on_ground(|ground, complaints| {
        for sound in with_output(ground).filter(|sound| is_fixed(ground, sound)) {
            for shift in [0, 1] {
                assert_eq!(ground.begin(sound).0, ck::CKR_OK);
                let mut memory = vec![0; sound.data.len() + sound.output.len() + 4096];
                memory[shift..][..sound.data.len()].copy_from_slice(&sound.data);
                let mut room = len(memory.len() - 1);
                let start = memory.as_mut_ptr();
                let data = start.wrapping_add(shift);
                let given = len(sound.data.len());
                let rv = over_itself(ground, sound, (data, given), (start, &raw mut room));
                complaints.unless(sound, "over its own input", rv, &[ck::CKR_OK]);
                let written = usize::try_from(room).expect("a length");
                if rv.0 == ck::CKR_OK && memory[..written] != sound.output {
                    complaints.add(sound, "another output over its own input");
                }
                ground.session.ends(sound.which);
            }
        }
    });
}

fn over_itself(
    ground: &Ground<'_>,
    sound: &Sound,
    (data, given): (*mut u8, ck::CK_ULONG),
    (out, out_len): (*mut u8, *mut ck::CK_ULONG),
) -> Rv {
    let (of, s) = (&ground.session, ground.session.handle);
    match sound.which {
        Use::Digest => call!(of, C_Digest(s, data, given, out, out_len)),
        Use::Encrypt => call!(of, C_Encrypt(s, data, given, out, out_len)),
        Use::Decrypt => call!(of, C_Decrypt(s, data, given, out, out_len)),
        Use::Sign => call!(of, C_Sign(s, data, given, out, out_len)),
        Use::SignRecover => call!(of, C_SignRecover(s, data, given, out, out_len)),
        _ => call!(of, C_VerifyRecover(s, data, given, out, out_len)),
    }
}

#[test]
fn a_length_without_input_or_output_is_a_bad_argument() {
    on_ground(|ground, complaints| {
        let s = ground.session.handle;
        for sound in ground.all.iter().filter(|sound| sound.which.is_operation()) {
            for length in [1, 1 << 40, u64::MAX] {
                let (of, mut room, mut out) = (&ground.session, 4096, vec![0; 4096]);
                assert_eq!(ground.begin(sound).0, ck::CKR_OK);
                let (none, place, out) = (null_mut(), &raw mut room, out.as_mut_ptr());
                let rv = match sound.which {
                    Use::Verify => call!(of, C_Verify(s, none, length, out, 64)),
                    _ => over_itself(ground, sound, (none, length), (out, place)),
                };
                let what = format!("NULL and {length} bytes of input");
                complaints.unless(sound, &what, rv, &[ck::CKR_ARGUMENTS_BAD]);
                if ground.session.ends(sound.which) {
                    complaints.add(sound, "goes on after bad arguments");
                }
            }
            if sound.which != Use::Verify {
                assert_eq!(ground.begin(sound).0, ck::CKR_OK);
                let mut data = sound.data.clone();
                let given = (data.as_mut_ptr(), len(data.len()));
                let rv = over_itself(ground, sound, given, (null_mut(), null_mut()));
                complaints.unless(sound, "no length", rv, &[ck::CKR_ARGUMENTS_BAD]);
                ground.session.ends(sound.which);
            }
        }
    });
}

#[test]
fn a_wrapping_room_one_byte_short_is_told() {
    on_ground(|ground, complaints| {
        let wraps = |sound: &&Sound| sound.which == Use::Wrap;
        for sound in ground.all.iter().filter(wraps) {
            let mut how = sound.parameter.with(sound.row.number).c;
            let (rv, needed, bytes) = lend_room(sound.output.len() - 1, |out, out_len| {
                let (of, s) = (&ground.session, ground.session.handle);
                let target = sound.material.target;
                call!(of, C_WrapKey(s, &raw mut how, sound.handle, target, out, out_len))
            });
            complaints.unless(sound, "one byte short", rv, &[ck::CKR_BUFFER_TOO_SMALL]);
            if needed < sound.output.len() || bytes.iter().any(|byte| *byte != 0xC7) {
                complaints.add(sound, format!("{needed} bytes needed, or the room was written to"));
            }
        }
    });
}

/// The answers to a signature or ciphertext that is not what was made.
const REFUSALS: &[ck::CK_RV] = &[
    ck::CKR_SIGNATURE_INVALID,
    ck::CKR_SIGNATURE_LEN_RANGE,
    ck::CKR_ENCRYPTED_DATA_INVALID,
    ck::CKR_ENCRYPTED_DATA_LEN_RANGE,
    ck::CKR_AEAD_DECRYPT_FAILED,
];

#[test]
fn changed_signatures_are_wrong_whatever_was_changed() {
    on_ground(|ground, complaints| {
        for sound in ground.all.iter().filter(|sound| sound.which == Use::Verify) {
            let good = &sound.signature;
            let mut flipped = good.clone();
            let middle = good.len() / 2;
            flipped[middle] ^= 1;
            let longer = [good.as_slice(), &[0]].concat();
            for bad in [&flipped[..], &good[..good.len() - 1], &longer, &[], &[0; 4]] {
                assert_eq!(ground.begin(sound).0, ck::CKR_OK);
                let session = &ground.session;
                let rv = whole(session, Use::Verify, &sound.data, bad, null_mut(), null_mut());
                complaints.unless(sound, &format!("{} bytes", bad.len()), rv, &REFUSALS[..2]);
                if ground.session.ends(sound.which) {
                    complaints.add(sound, "goes on after its verdict");
                }
            }
        }
    });
}

#[test]
fn ciphertexts_of_any_length_are_refused_or_decrypted() {
    on_ground(|ground, complaints| {
        let right = [REFUSALS, &[ck::CKR_OK]].concat();
        for sound in ground.all.iter().filter(|sound| sound.which == Use::Decrypt) {
            let good = &sound.data;
            let longer = [good.as_slice(), &[0; 17]].concat();
            let cut = |by: usize| good.get(..good.len().saturating_sub(by)).unwrap_or_default();
            let zeros = vec![0; good.len()];
            for bad in [&[][..], &[0], cut(1), cut(8), cut(16), &longer, &zeros, &[0xff; 4096]] {
                assert_eq!(ground.begin(sound).0, ck::CKR_OK);
                let (rv, _, _) = lend_room(8192, |out, out_len| {
                    whole(&ground.session, Use::Decrypt, bad, &[], out, out_len)
                });
                complaints.unless(sound, &format!("{} bytes", bad.len()), rv, &right);
                if ground.session.ends(sound.which) {
                    complaints.add(sound, "goes on after its end");
                }
            }
        }
    });
}
