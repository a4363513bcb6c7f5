//! The message functions: each mechanism that takes messages, signed and verified, encrypted and
//! decrypted. Wrong keys, parameters, rooms and orders. PKCS#11 3.2, "Message-based encryption
//! functions" and the three sections like it.

use std::ffi::c_void;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::limits::once;
use super::parameters::{Parameter, part};
use super::sound::{Complaints, Ground, Sound, on_ground};
use super::uses::Use;
use crate::support::operations::{input, lend_room};
use crate::support::template::len;
use crate::support::{Rv, Session, call};

type Parameters = (*mut c_void, ck::CK_ULONG);

const NONE: Parameters = (null_mut(), 0);

/// Signs or verifies messages, or encrypts or decrypts them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Sign,
    Verify,
    Encrypt,
    Decrypt,
}

const KINDS: [(Kind, Use, ck::CK_FLAGS); 4] = [
    (Kind::Sign, Use::Sign, ck::CKF_MESSAGE_SIGN),
    (Kind::Verify, Use::Verify, ck::CKF_MESSAGE_VERIFY),
    (Kind::Encrypt, Use::Encrypt, ck::CKF_MESSAGE_ENCRYPT),
    (Kind::Decrypt, Use::Decrypt, ck::CKF_MESSAGE_DECRYPT),
];

/// One kind of message of one mechanism.
struct Messages<'g> {
    kind: Kind,
    sound: &'g Sound,
    /// The parameter of each message.
    parameter: Parameter,
    data: Vec<u8>,
    /// The signature of a message that is verified.
    signature: Vec<u8>,
}

/// What one message of a cipher brings: the structure of its own, by the mechanism's name.
pub fn message_parameter(name: &str, length: usize) -> Option<Parameter> {
    let nonce = [7; 12];
    let tag = [0; 16];
    Some(match name {
        "CKM_AES_GCM" => Parameter::of(|to: &mut ck::CK_GCM_MESSAGE_PARAMS, parts| {
            (to.pIv, to.ulIvLen) = part(parts, &nonce);
            (to.pTag, _) = part(parts, &tag);
            (to.ulTagBits, to.ivGenerator) = (128, ck::CKG_NO_GENERATE);
        }),
        "CKM_AES_CCM" => Parameter::of(|to: &mut ck::CK_CCM_MESSAGE_PARAMS, parts| {
            (to.pNonce, to.ulNonceLen) = part(parts, &nonce);
            (to.pMAC, to.ulMACLen) = part(parts, &tag);
            (to.ulDataLen, to.nonceGenerator) = (len(length), ck::CKG_NO_GENERATE);
        }),
        "CKM_CHACHA20_POLY1305" => {
            Parameter::of(|to: &mut ck::CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, parts| {
                (to.pNonce, to.ulNonceLen) = (part(parts, &nonce).0, 96);
                (to.pTag, _) = part(parts, &tag);
            })
        }
        _ => return None,
    })
}

impl Parameter {
    fn lent(&self) -> Parameters {
        (self.bytes.as_ptr().cast_mut().cast(), len(self.bytes.len()))
    }
}

fn init(session: &Session<'_>, kind: Kind, sound: &Sound, key: ck::CK_OBJECT_HANDLE) -> Rv {
    // Ciphers learn their parameter with each message.
    let none = Parameter::none();
    let signs = matches!(kind, Kind::Sign | Kind::Verify);
    let own = if signs { &sound.parameter } else { &none };
    let (s, mut c) = (session.handle, own.with(sound.row.number).c);
    let m = &raw mut c;
    match kind {
        Kind::Sign => call!(session, C_MessageSignInit(s, m, key)),
        Kind::Verify => call!(session, C_MessageVerifyInit(s, m, key)),
        Kind::Encrypt => call!(session, C_MessageEncryptInit(s, m, key)),
        Kind::Decrypt => call!(session, C_MessageDecryptInit(s, m, key)),
    }
}

fn end(session: &Session<'_>, kind: Kind) -> Rv {
    let s = session.handle;
    match kind {
        Kind::Sign => call!(session, C_MessageSignFinal(s)),
        Kind::Verify => call!(session, C_MessageVerifyFinal(s)),
        Kind::Encrypt => call!(session, C_MessageEncryptFinal(s)),
        Kind::Decrypt => call!(session, C_MessageDecryptFinal(s)),
    }
}

/// Ends everything, a message that is under way as well.
fn stop(session: &Session<'_>, kind: Kind) -> Rv {
    let (s, none) = (session.handle, null_mut());
    match kind {
        Kind::Sign => call!(session, C_MessageSignInit(s, none, 0)),
        Kind::Verify => call!(session, C_MessageVerifyInit(s, none, 0)),
        Kind::Encrypt => call!(session, C_MessageEncryptInit(s, none, 0)),
        Kind::Decrypt => call!(session, C_MessageDecryptInit(s, none, 0)),
    }
}

/// One whole message.
fn whole(
    session: &Session<'_>,
    kind: Kind,
    (how, size): Parameters,
    (data, data_len): (*mut u8, ck::CK_ULONG),
    signature: &[u8],
    (out, room): (*mut u8, *mut ck::CK_ULONG),
) -> Rv {
    let (s, none) = (session.handle, null_mut());
    let (given, given_len) = input(signature);
    match kind {
        Kind::Sign => call!(session, C_SignMessage(s, how, size, data, data_len, out, room)),
        Kind::Verify => {
            call!(session, C_VerifyMessage(s, how, size, data, data_len, given, given_len))
        }
        Kind::Encrypt => {
            call!(session, C_EncryptMessage(s, how, size, none, 0, data, data_len, out, room))
        }
        Kind::Decrypt => {
            call!(session, C_DecryptMessage(s, how, size, none, 0, data, data_len, out, room))
        }
    }
}

/// The first part of a message, and a part after it.
fn begin(session: &Session<'_>, kind: Kind, (how, size): Parameters) -> Rv {
    let (s, none) = (session.handle, null_mut());
    match kind {
        Kind::Sign => call!(session, C_SignMessageBegin(s, how, size)),
        Kind::Verify => call!(session, C_VerifyMessageBegin(s, how, size)),
        Kind::Encrypt => call!(session, C_EncryptMessageBegin(s, how, size, none, 0)),
        Kind::Decrypt => call!(session, C_DecryptMessageBegin(s, how, size, none, 0)),
    }
}

fn next(session: &Session<'_>, kind: Kind, (how, size): Parameters, data: &[u8]) -> Rv {
    let (s, (data, data_len), none) = (session.handle, input(data), null_mut());
    let (rv, _, _) = lend_room(4096, |out, room| match kind {
        Kind::Sign => {
            call!(session, C_SignMessageNext(s, how, size, data, data_len, none, none.cast()))
        }
        Kind::Verify => call!(session, C_VerifyMessageNext(s, how, size, data, data_len, none, 0)),
        Kind::Encrypt => {
            call!(session, C_EncryptMessageNext(s, how, size, data, data_len, out, room, 0))
        }
        Kind::Decrypt => {
            call!(session, C_DecryptMessageNext(s, how, size, data, data_len, out, room, 0))
        }
    });
    rv
}

impl Messages<'_> {
    fn how(&self) -> Parameters {
        if self.parameter.bytes.is_empty() { NONE } else { self.parameter.lent() }
    }

    fn init(&self, ground: &Ground<'_>) {
        init(&ground.session, self.kind, self.sound, self.sound.handle).is(ck::CKR_OK);
    }

    fn end(&self, ground: &Ground<'_>) {
        end(&ground.session, self.kind).is(ck::CKR_OK);
    }

    fn into(&self, ground: &Ground<'_>, how: Parameters, room: usize) -> (Rv, usize, Vec<u8>) {
        lend_room(room, |out, out_len| {
            let (of, out) = (&ground.session, (out, out_len));
            whole(of, self.kind, how, input(&self.data), &self.signature, out)
        })
    }

    fn complain(&self, complaints: &mut Complaints, what: &str, rv: Rv, right: &[u64]) {
        complaints.unless(self.sound, &format!("{:?} message, {what}", self.kind), rv, right);
    }
}

/// All kinds of messages of all mechanisms, each of which works.
fn all<'g>(ground: &'g Ground<'_>) -> Vec<Messages<'g>> {
    let mut all: Vec<Messages<'g>> = Vec::new();
    for (kind, which, flag) in KINDS {
        for sound in ground.all.iter().filter(|sound| sound.which == which) {
            let info = ground.session.module.mechanism_info(ground.slot, sound.row.number);
            if info.expect("its info").flags & flag == 0 {
                continue;
            }
            let mut messages = Messages {
                kind,
                sound,
                parameter: Parameter::none(),
                data: sound.data.clone(),
                signature: sound.signature.clone(),
            };
            if kind == Kind::Encrypt {
                messages.parameter =
                    message_parameter(sound.row.name, sound.data.len()).expect("a structure");
            }
            if kind == Kind::Decrypt {
                // What was encrypted, with the tag that came into the parameter.
                let row = sound.row.number;
                let made =
                    |of: &&Messages<'_>| of.kind == Kind::Encrypt && of.sound.row.number == row;
                let made = all.iter().find(made).expect("its encryption");
                made.init(ground);
                let (rv, written, mut out) = made.into(ground, made.how(), 4096);
                rv.is(ck::CKR_OK);
                made.end(ground);
                out.truncate(written);
                (messages.parameter, messages.data) = (made.parameter.clone(), out);
            }
            all.push(messages);
        }
    }
    all
}

#[test]
fn messages_work_and_rooms_that_are_short_are_left_alone() {
    on_ground(|ground, complaints| {
        let all = all(ground);
        assert!(all.len() > 100, "hardly a mechanism takes messages");
        for one in &all {
            one.init(ground);
            let (rv, written, _) = one.into(ground, one.how(), 1 << 15);
            one.complain(complaints, "sound", rv, &[ck::CKR_OK]);
            if rv.0 == ck::CKR_OK && one.kind != Kind::Verify && written > 0 {
                let (rv, needed, bytes) = one.into(ground, one.how(), written - 1);
                one.complain(complaints, "one byte short", rv, &[ck::CKR_BUFFER_TOO_SMALL]);
                if needed < written || bytes.iter().any(|byte| *byte != 0xC7) {
                    complaints
                        .add(one.sound, format!("{needed} needed, or the room was written to"));
                }
                let (rv, _, _) = one.into(ground, one.how(), needed);
                one.complain(complaints, "with what is needed", rv, &[ck::CKR_OK]);
            }
            one.end(ground);
        }
    });
}

#[test]
fn messages_without_input_or_with_absurd_lengths_are_bad_arguments() {
    on_ground(|ground, complaints| {
        for one in &all(ground) {
            for length in [1, 1 << 40, u64::MAX] {
                one.init(ground);
                let (rv, _, _) = lend_room(4096, |out, room| {
                    let data = (null_mut(), length);
                    whole(&ground.session, one.kind, one.how(), data, &[1; 8], (out, room))
                });
                one.complain(complaints, "NULL and a length", rv, &[ck::CKR_ARGUMENTS_BAD]);
                one.end(ground);
            }
        }
    });
}

#[test]
fn messages_go_in_their_order() {
    let idle = &[ck::CKR_OPERATION_NOT_INITIALIZED];
    on_ground(|ground, complaints| {
        let of = &ground.session;
        for one in &all(ground) {
            let how = one.how();
            one.complain(complaints, "before its beginning", begin(of, one.kind, how), idle);
            let rv = next(of, one.kind, how, &one.data);
            one.complain(complaints, "a part before its beginning", rv, idle);
            one.complain(complaints, "the end of nothing", end(of, one.kind), idle);
            one.init(ground);
            let again = init(of, one.kind, one.sound, one.sound.handle);
            one.complain(complaints, "twice", again, &[ck::CKR_OPERATION_ACTIVE]);
            let rv = next(of, one.kind, how, &one.data);
            one.complain(complaints, "a part of no message", rv, idle);
            let begun = begin(of, one.kind, how);
            let right = &[ck::CKR_OK, ck::CKR_FUNCTION_NOT_SUPPORTED];
            one.complain(complaints, "in parts", begun, right);
            if begun.0 == ck::CKR_OK {
                let active = &[ck::CKR_OPERATION_ACTIVE];
                let again = begin(of, one.kind, how);
                one.complain(complaints, "a message in a message", again, active);
                one.complain(complaints, "its end in a message", end(of, one.kind), active);
                one.complain(complaints, "stopped", stop(of, one.kind), &[ck::CKR_OK]);
                one.init(ground);
            }
            one.end(ground);
            let (rv, _, _) = one.into(ground, how, 4096);
            one.complain(complaints, "after the end", rv, idle);
        }
    });
}

#[test]
fn parameters_of_messages_that_lie_are_refused() {
    let invalid = &[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
    on_ground(|ground, complaints| {
        let ciphers = |one: &&Messages<'_>| matches!(one.kind, Kind::Encrypt | Kind::Decrypt);
        for one in all(ground).iter().filter(ciphers) {
            let own = &one.parameter;
            let mut wrong: Vec<(String, Parameter)> = own
                .pointers()
                .into_iter()
                .map(|place| (format!("NULL at {place}"), own.replaced(place, 0)))
                .collect();
            for place in own.pointers().into_iter().filter_map(|place| own.length_of(place)) {
                for absurd in [u64::MAX, 1 << 40] {
                    wrong.push((format!("{absurd} at {place}"), own.replaced(place, absurd)));
                }
            }
            let short = |length: usize| {
                let bytes = own.bytes[..length].to_vec();
                (format!("{length} bytes"), Parameter { bytes, parts: own.parts.clone() })
            };
            wrong.extend([short(0), short(1), short(own.bytes.len() - 1)]);
            for (what, parameter) in wrong {
                one.init(ground);
                let (rv, _, _) = one.into(ground, parameter.lent(), 4096);
                one.complain(complaints, &what, rv, invalid);
                one.end(ground);
            }
            one.init(ground);
            let (rv, _, _) = one.into(ground, (null_mut(), len(own.bytes.len())), 4096);
            one.complain(complaints, "NULL", rv, invalid);
            one.end(ground);
        }
    });
}

#[test]
fn keys_that_do_not_fit_begin_no_messages() {
    on_ground(|ground, complaints| {
        for one in &all(ground) {
            let begin = |key| init(&ground.session, one.kind, one.sound, key);
            for handle in [0, u64::MAX] {
                let right = &[ck::CKR_KEY_HANDLE_INVALID];
                one.complain(complaints, "a wrong handle", begin(handle), right);
            }
            let other = |key_type: &&u64| !one.sound.row.key_numbers.contains(*key_type);
            for key in ground.keys.0.keys().filter(other).map(|other| ground.keys.0[other][0]) {
                let rv = begin(key.private);
                let right = &[ck::CKR_KEY_TYPE_INCONSISTENT];
                one.complain(complaints, "a key of another type", rv, right);
            }
            let allowed_by = one.sound.which.allowed_by().expect("it has a key");
            let set = |flag: bool| {
                let change = crate::support::Template::default().and(allowed_by, flag);
                ground.session.set(one.sound.handle, &change).expect("C_SetAttributeValue");
            };
            set(false);
            let right = &[ck::CKR_KEY_FUNCTION_NOT_PERMITTED];
            one.complain(complaints, "not allowed", begin(one.sound.handle), right);
            set(true);
        }
    });
}

#[test]
fn each_message_is_a_use_of_its_key() {
    on_ground(|ground, complaints| {
        for one in &all(ground) {
            if one.sound.row.name == "CKM_CLAVIGER_BUNDLE" {
                continue;
            }
            let Some(once) = once(ground, one.sound) else { continue };
            init(&ground.session, one.kind, &once, once.handle).is(ck::CKR_OK);
            let (rv, _, _) = one.into(ground, one.how(), 1 << 15);
            one.complain(complaints, "the one", rv, &[ck::CKR_OK]);
            let (rv, _, _) = one.into(ground, one.how(), 1 << 15);
            one.complain(complaints, "one more", rv, &[ck::CKR_KEY_EXHAUSTED]);
            let _ = end(&ground.session, one.kind);
            let rv = init(&ground.session, one.kind, &once, once.handle);
            one.complain(complaints, "begun again", rv, &[ck::CKR_KEY_EXHAUSTED]);
            ground.session.destroy(once.handle).unwrap();
        }
    });
}

#[test]
fn changed_messages_are_not_taken() {
    let invalid = &[
        ck::CKR_SIGNATURE_INVALID,
        ck::CKR_SIGNATURE_LEN_RANGE,
        ck::CKR_AEAD_DECRYPT_FAILED,
        ck::CKR_ENCRYPTED_DATA_INVALID,
    ];
    on_ground(|ground, complaints| {
        let judged = |one: &&Messages<'_>| matches!(one.kind, Kind::Verify | Kind::Decrypt);
        for one in all(ground).iter().filter(judged) {
            one.init(ground);
            let mut changed =
                if one.kind == Kind::Verify { one.signature.clone() } else { one.data.clone() };
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            let (rv, _, bytes) = lend_room(4096, |out, room| {
                let (data, signature) = match one.kind {
                    Kind::Verify => (&one.data, &changed),
                    _ => (&changed, &one.signature),
                };
                let out = (out, room);
                whole(&ground.session, one.kind, one.how(), input(data), signature, out)
            });
            one.complain(complaints, "changed", rv, invalid);
            if bytes.iter().any(|byte| !matches!(*byte, 0 | 0xC7)) {
                complaints.add(one.sound, "gave what it did not check");
            }
            one.end(ground);
        }
    });
}
