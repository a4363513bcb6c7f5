//! One-time passwords: CKM_HOTP, RFC 4226. PKCS#11 3.2, "OTP Key objects", "OATH HOTP".

use std::collections::BTreeSet;
use std::ptr::null_mut;
use std::sync::Mutex;

use cryptoki_sys as ck;

use crate::full_disk::limit_files;
use crate::rotation::told;
use crate::support::crowd::say;
use crate::support::known::secret;
use crate::support::operations::{Mechanism, lend_room, plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Rv, Session, Template, USER_PIN, call, isolated, template};

/// RFC 4226, appendix D: the secret, and its passwords for the counters from 0 on.
const SECRET: &[u8] = b"12345678901234567890";
const PASSWORDS: [&str; 10] = [
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
    "520489",
];
const HOTP: Mechanism<'static> = {
    let c = ck::CK_MECHANISM { mechanism: ck::CKM_HOTP, pParameter: null_mut(), ulParameterLen: 0 };
    Mechanism::of(c)
};
/// What stands before a password.
const FRAME: usize = size_of::<ck::CK_OTP_SIGNATURE_INFO>() + size_of::<ck::CK_OTP_PARAM>();

fn known() -> Template {
    secret(ck::CKK_HOTP, SECRET)
}

fn on_token() -> Template {
    known().and(ck::CKA_TOKEN, true).and(ck::CKA_LABEL, "authenticator")
}

fn counter(at: u64) -> [u8; 8] {
    at.to_be_bytes()
}

/// A list of parameters, and what they lead to.
struct Params {
    list: Vec<ck::CK_OTP_PARAM>,
    values: Vec<Vec<u8>>,
}

impl Params {
    fn none() -> Self {
        Self { list: Vec::new(), values: Vec::new() }
    }

    fn and(mut self, kind: ck::CK_OTP_PARAM_TYPE, value: &[u8]) -> Self {
        let value = value.to_vec();
        self.list.push(ck::CK_OTP_PARAM {
            type_: kind,
            pValue: value.as_ptr().cast_mut().cast(),
            ulValueLen: len(value.len()),
        });
        self.values.push(value);
        self
    }

    fn number(self, kind: ck::CK_OTP_PARAM_TYPE, number: ck::CK_ULONG) -> Self {
        self.and(kind, &number.to_ne_bytes())
    }

    fn at(counter: u64) -> Self {
        Self::none().and(ck::CK_OTP_COUNTER, &counter.to_be_bytes())
    }

    fn lend<R>(&self, body: impl FnOnce(&Mechanism<'_>) -> R) -> R {
        let pointer = self.list.as_ptr().cast_mut();
        let params = ck::CK_OTP_PARAMS { pParams: pointer, ulCount: len(self.list.len()) };
        body(&with_struct(ck::CKM_HOTP, &params))
    }
}

/// The password in an answer of C_Sign, read as a caller reads it: by its pointers.
#[track_caller]
fn in_place(room: &[u64]) -> String {
    let info: ck::CK_OTP_SIGNATURE_INFO =
        // SAFETY: the room is aligned, and begins with the structure.
        unsafe { room.as_ptr().cast::<ck::CK_OTP_SIGNATURE_INFO>().read() };
    assert_eq!(info.ulCount, 1);
    let start = room.as_ptr().addr();
    assert_eq!(info.pParams.addr(), start + size_of::<ck::CK_OTP_SIGNATURE_INFO>());
    // SAFETY: within the room, as was just checked.
    let value = unsafe { info.pParams.read() };
    assert_eq!(value.type_, ck::CK_OTP_VALUE);
    assert_eq!(value.pValue.addr(), start + FRAME);
    let length = usize::try_from(value.ulValueLen).expect("a length");
    // SAFETY: the room goes on so far.
    let digits = unsafe { std::slice::from_raw_parts(value.pValue.cast::<u8>(), length) };
    String::from_utf8(digits.to_vec()).expect("digits")
}

impl Session<'_> {
    #[track_caller]
    fn password_by(&self, how: &Mechanism<'_>, key: ck::CK_OBJECT_HANDLE) -> Result<String, Rv> {
        self.sign_init(how, key)?;
        let (s, mut length) = (self.handle, 0);
        call!(self, C_Sign(s, null_mut(), 0, null_mut(), &raw mut length)).with(())?;
        let mut room = [0_u64; 8];
        let place = room.as_mut_ptr().cast();
        call!(self, C_Sign(s, null_mut(), 0, place, &raw mut length)).with(())?;
        let found = in_place(&room);
        assert_eq!(length, len(FRAME + found.len()));
        Ok(found)
    }

    #[track_caller]
    fn password(&self, key: ck::CK_OBJECT_HANDLE) -> String {
        self.password_by(&HOTP, key).expect("a password")
    }

    fn accepts(&self, key: ck::CK_OBJECT_HANDLE, password: &str) -> Result<(), Rv> {
        self.verify(&HOTP, key, &[], password.as_bytes())
    }
}

#[test]
fn the_passwords_are_those_of_rfc_4226_and_each_moves_the_counter() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for template in [known(), on_token()] {
            let key = session.create(&template).unwrap();
            session.has(key, ck::CKA_OTP_COUNTER, &counter(0));
            for (at, expected) in PASSWORDS.iter().enumerate() {
                assert_eq!(session.password(key), *expected);
                session.has(key, ck::CKA_OTP_COUNTER, &counter(at as u64 + 1));
            }
        }
        // A key can begin anywhere, and have more digits: the appendix has the whole numbers.
        let key = known().and(ck::CKA_OTP_COUNTER, &counter(7)).and(ck::CKA_OTP_LENGTH, 8_u64);
        let key = session.create(&key).unwrap();
        assert_eq!(session.password(key), "82162583");
        let shorter = Params::none().number(ck::CK_OTP_OUTPUT_LENGTH, 7);
        let made = shorter.lend(|how| session.password_by(how, key));
        assert_eq!(made.unwrap(), "3399871");
    });
}

#[test]
fn asking_for_the_length_and_a_short_room_move_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for template in [known(), on_token()] {
            let key = session.create(&template).unwrap();
            session.sign_init(&HOTP, key).unwrap();
            let s = session.handle;
            let mut length = 0;
            call!(session, C_Sign(s, null_mut(), 0, null_mut(), &raw mut length)).is(ck::CKR_OK);
            assert_eq!(length, len(FRAME + 6));
            for room in [0, 1, FRAME - 1, FRAME, FRAME + 5] {
                let (rv, needed, bytes) = lend_room(room, |out, out_len| {
                    call!(session, C_Sign(s, null_mut(), 0, out, out_len))
                });
                rv.is(ck::CKR_BUFFER_TOO_SMALL);
                assert_eq!(needed, FRAME + 6);
                assert!(bytes.iter().all(|byte| *byte == 0xC7), "a short room was written to");
            }
            session.has(key, ck::CKA_OTP_COUNTER, &counter(0));
            let (rv, written, bytes) = lend_room(FRAME + 6, |out, out_len| {
                call!(session, C_Sign(s, null_mut(), 0, out, out_len))
            });
            rv.is(ck::CKR_OK);
            assert_eq!((written, &bytes[FRAME..]), (FRAME + 6, PASSWORDS[0].as_bytes()));
            // The end without a part does the same.
            session.sign_init(&HOTP, key).unwrap();
            assert_eq!(session.sign_final().unwrap()[FRAME..], *PASSWORDS[1].as_bytes());
            session.has(key, ck::CKA_OTP_COUNTER, &counter(2));
        }
    });
}

#[test]
fn what_fails_moves_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&on_token()).unwrap();
        session.sign_init(&HOTP, key).unwrap();
        session.sign_data(b"data").refused(ck::CKR_DATA_LEN_RANGE);
        session.sign_init(&HOTP, key).unwrap();
        session.sign_update(&[]).refused(ck::CKR_FUNCTION_NOT_SUPPORTED);
        session.verify(&HOTP, key, b"data", b"755224").refused(ck::CKR_DATA_LEN_RANGE);
        session.accepts(key, "755225").refused(ck::CKR_SIGNATURE_INVALID);
        for length in ["", "75522", "7552240"] {
            session.accepts(key, length).refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
        session.message_sign_init(&HOTP, key).refused(ck::CKR_MECHANISM_INVALID);
        session.message_verify_init(&HOTP, key).refused(ck::CKR_MECHANISM_INVALID);
        session.sign_init(&HOTP, key).unwrap();
        let (s, mut length) = (session.handle, 0);
        call!(session, C_GetOperationState(s, null_mut(), &raw mut length))
            .is(ck::CKR_STATE_UNSAVEABLE);
        session.has(key, ck::CKA_OTP_COUNTER, &counter(0));
        let last = known().and(ck::CKA_TOKEN, true).and(ck::CKA_OTP_COUNTER, &counter(u64::MAX));
        let last = session.create(&last).unwrap();
        let other = token.public();
        other.password_by(&HOTP, last).refused(ck::CKR_KEY_EXHAUSTED);
        other.has(last, ck::CKA_OTP_COUNTER, &counter(u64::MAX));
    });
}

#[test]
fn a_password_is_accepted_once_and_some_may_be_passed_over() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for template in [known(), on_token()] {
            let key = session.create(&template).unwrap();
            session.accepts(key, PASSWORDS[0]).unwrap();
            session.accepts(key, PASSWORDS[0]).refused(ck::CKR_SIGNATURE_INVALID);
            session.accepts(key, PASSWORDS[1]).unwrap();
            session.accepts(key, PASSWORDS[4]).unwrap();
            session.has(key, ck::CKA_OTP_COUNTER, &counter(5));
            session.accepts(key, PASSWORDS[2]).refused(ck::CKR_SIGNATURE_INVALID);
            // The counter and the four numbers after it.
            session.accepts(key, PASSWORDS[9]).unwrap();
            session.has(key, ck::CKA_OTP_COUNTER, &counter(10));
        }
        let key = session.create(&on_token()).unwrap();
        session.accepts(key, PASSWORDS[5]).refused(ck::CKR_SIGNATURE_INVALID);
        // The other ways to verify judge alike.
        session.verify_init(&HOTP, key).unwrap();
        session.verify_final(PASSWORDS[0].as_bytes()).unwrap();
        for at in [1, 2] {
            session.verify_signature_init(&HOTP, key, PASSWORDS[at].as_bytes()).unwrap();
            match at {
                1 => session.verify_signature_data(&[]).unwrap(),
                _ => session.verify_signature_final().unwrap(),
            }
            session.accepts(key, PASSWORDS[at]).refused(ck::CKR_SIGNATURE_INVALID);
        }
        session.has(key, ck::CKA_OTP_COUNTER, &counter(3));
        session.verify_signature_init(&HOTP, key, b"12345").refused(ck::CKR_SIGNATURE_LEN_RANGE);
    });
}

#[test]
fn a_counter_that_the_caller_gives_is_taken_where_the_key_allows_it_and_moves_nothing() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let with = |requirement: ck::CK_ULONG| {
            session.create(&on_token().and(ck::CKA_OTP_COUNTER_REQUIREMENT, requirement)).unwrap()
        };
        let usual = session.create(&on_token()).unwrap();
        let at = |key, counter: u64| Params::at(counter).lend(|how| session.password_by(how, key));
        let judge = |key, counter: u64, password: &str| {
            Params::at(counter).lend(|how| session.verify(how, key, &[], password.as_bytes()))
        };
        assert_eq!(
            session.number(usual, ck::CKA_OTP_COUNTER_REQUIREMENT),
            ck::CK_OTP_PARAM_OPTIONAL
        );
        let mandatory = with(ck::CK_OTP_PARAM_MANDATORY);
        for key in [usual, mandatory] {
            for of in [9, 3, 3] {
                assert_eq!(at(key, of).unwrap(), PASSWORDS[usize::try_from(of).unwrap()]);
                judge(key, of, PASSWORDS[usize::try_from(of).unwrap()]).unwrap();
            }
            // One number, and none after it.
            judge(key, 3, PASSWORDS[4]).refused(ck::CKR_SIGNATURE_INVALID);
            session.has(key, ck::CKA_OTP_COUNTER, &counter(0));
        }
        session.sign_init(&HOTP, mandatory).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        session.verify_init(&HOTP, mandatory).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let ignored = with(ck::CK_OTP_PARAM_IGNORED);
        assert_eq!(at(ignored, 9).unwrap(), PASSWORDS[0]);
        judge(ignored, 0, PASSWORDS[1]).unwrap();
        session.has(ignored, ck::CKA_OTP_COUNTER, &counter(2));
    });
}

#[test]
fn parameters_that_hotp_does_not_have_are_refused_and_what_the_key_ignores_is_passed_over() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known()).unwrap();
        let none = Params::none;
        let begin = |params: &Params| params.lend(|how| session.sign_init(how, key));
        for bad in [
            none().and(ck::CK_OTP_COUNTER, &[0; 7]),
            none().and(ck::CK_OTP_COUNTER, &[]),
            Params::at(1).and(ck::CK_OTP_COUNTER, &[0; 8]),
            none().number(ck::CK_OTP_OUTPUT_LENGTH, 5),
            none().number(ck::CK_OTP_OUTPUT_LENGTH, 9),
            none().and(ck::CK_OTP_OUTPUT_LENGTH, &[6]),
            none().number(ck::CK_OTP_OUTPUT_FORMAT, ck::CK_OTP_FORMAT_BINARY),
            none().number(ck::CK_OTP_FLAGS, ck::CKF_NEXT_OTP),
            none().number(ck::CK_OTP_FLAGS, ck::CKF_EXCLUDE_COUNTER),
            none().number(ck::CK_OTP_FLAGS, 0x40),
            none().and(ck::CK_OTP_VALUE, b"755224"),
            none().and(9, &[]),
        ] {
            begin(&bad).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        let mut nowhere = Params::at(1);
        nowhere.list[0].pValue = null_mut();
        begin(&nowhere).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let lost = ck::CK_OTP_PARAMS { pParams: null_mut(), ulCount: 1 };
        let lost = session.sign_init(&with_struct(ck::CKM_HOTP, &lost), key);
        lost.refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let flags = ck::CKF_USER_FRIENDLY_OTP | ck::CKF_EXCLUDE_TIME | ck::CKF_EXCLUDE_PIN;
        let good = none()
            .and(ck::CK_OTP_PIN, b"1234")
            .and(ck::CK_OTP_CHALLENGE, b"challenge")
            .and(ck::CK_OTP_TIME, b"20260101000000")
            .number(ck::CK_OTP_FLAGS, flags)
            .number(ck::CK_OTP_OUTPUT_FORMAT, ck::CK_OTP_FORMAT_DECIMAL);
        assert_eq!(good.lend(|how| session.password_by(how, key)).unwrap(), PASSWORDS[0]);
        assert_eq!(none().lend(|how| session.password_by(how, key)).unwrap(), PASSWORDS[1]);
        let plain = session.create(&known().and(ck::CKA_OTP_USER_FRIENDLY_MODE, false)).unwrap();
        let friendly = none().number(ck::CK_OTP_FLAGS, ck::CKF_USER_FRIENDLY_OTP);
        let refused = friendly.lend(|how| session.sign_init(how, plain));
        refused.refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn keys_are_generated_with_what_the_standard_says_and_keep_to_it() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let generate =
            |template: &Template| session.generate(&plain(ck::CKM_HOTP_KEY_GEN), template);
        let key = generate(&template! { CKA_TOKEN => true }).unwrap();
        for (name, value) in [
            (ck::CKA_CLASS, ck::CKO_OTP_KEY),
            (ck::CKA_KEY_TYPE, ck::CKK_HOTP),
            (ck::CKA_VALUE_LEN, 20),
            (ck::CKA_KEY_GEN_MECHANISM, ck::CKM_HOTP_KEY_GEN),
            (ck::CKA_OTP_FORMAT, ck::CK_OTP_FORMAT_DECIMAL),
            (ck::CKA_OTP_LENGTH, 6),
            (ck::CKA_OTP_CHALLENGE_REQUIREMENT, ck::CK_OTP_PARAM_IGNORED),
            (ck::CKA_OTP_TIME_REQUIREMENT, ck::CK_OTP_PARAM_IGNORED),
            (ck::CKA_OTP_PIN_REQUIREMENT, ck::CK_OTP_PARAM_IGNORED),
        ] {
            assert_eq!(session.number(key, name), value, "{name:#x}");
        }
        for name in [ck::CKA_SIGN, ck::CKA_VERIFY, ck::CKA_PRIVATE, ck::CKA_LOCAL] {
            assert!(session.flag(key, name), "{name:#x}");
        }
        assert!(session.flag(key, ck::CKA_OTP_USER_FRIENDLY_MODE));
        for name in [ck::CKA_OTP_TIME, ck::CKA_OTP_SERVICE_IDENTIFIER, ck::CKA_OTP_SERVICE_LOGO] {
            assert!(session.get(key, name).unwrap().is_empty(), "{name:#x}");
        }
        session.has(key, ck::CKA_OTP_COUNTER, &counter(0));
        session.get(key, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        session.get(key, ck::CKA_OTP_TIME_INTERVAL).refused(ck::CKR_ATTRIBUTE_TYPE_INVALID);
        let other = generate(&template! { CKA_TOKEN => true }).unwrap();
        assert_ne!(session.password(key), session.password(other), "one time in a million");
        // What names the service can be found and changed, the counter and the form cannot.
        session.set(key, &template! { CKA_OTP_SERVICE_IDENTIFIER => "example.org" }).unwrap();
        let found = session.find(&template! { CKA_OTP_SERVICE_IDENTIFIER => "example.org" });
        assert_eq!(found.unwrap(), [key]);
        for change in [
            template! { CKA_OTP_COUNTER => &counter(0) },
            template! { CKA_OTP_LENGTH => 8_u64 },
            template! { CKA_OTP_COUNTER_REQUIREMENT => ck::CK_OTP_PARAM_IGNORED },
        ] {
            session.set(key, &change).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
        session.copy(key, &template! {}).refused(ck::CKR_ACTION_PROHIBITED);
        session.has(key, ck::CKA_OTP_COUNTER, &counter(1));
        for (len, rv) in [(15_u64, ck::CKR_ATTRIBUTE_VALUE_INVALID), (16, ck::CKR_OK)] {
            let made = generate(&template! { CKA_VALUE_LEN => len });
            assert_eq!(made.map_or_else(|rv| rv.0, |_| ck::CKR_OK), rv, "{len}");
        }
        let class = template! { CKA_CLASS => ck::CKO_SECRET_KEY };
        generate(&class).refused(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

#[test]
fn values_that_hotp_keys_cannot_have_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let invalid = ck::CKR_ATTRIBUTE_VALUE_INVALID;
        for bad in [
            template! { CKA_OTP_FORMAT => ck::CK_OTP_FORMAT_HEXADECIMAL },
            template! { CKA_OTP_LENGTH => 5_u64 },
            template! { CKA_OTP_LENGTH => 9_u64 },
            template! { CKA_OTP_COUNTER => &[0; 7] },
            template! { CKA_OTP_COUNTER => &[0; 9] },
            template! { CKA_OTP_COUNTER => &[0; 0] },
            template! { CKA_OTP_COUNTER_REQUIREMENT => 3_u64 },
            template! { CKA_OTP_TIME => "20260101000000" },
            template! { CKA_OTP_TIME_REQUIREMENT => ck::CK_OTP_PARAM_OPTIONAL },
            template! { CKA_OTP_CHALLENGE_REQUIREMENT => ck::CK_OTP_PARAM_MANDATORY },
            template! { CKA_OTP_PIN_REQUIREMENT => ck::CK_OTP_PARAM_OPTIONAL },
            template! { CKA_OTP_USER_FRIENDLY_MODE => &[2] },
        ] {
            session.create(&known().with(bad.clone())).refused(invalid);
            let generated = session.generate(&plain(ck::CKM_HOTP_KEY_GEN), &bad);
            generated.refused(invalid);
        }
        session.create(&secret(ck::CKK_HOTP, &[1; 15])).refused(invalid);
        let interval = known().and(ck::CKA_OTP_TIME_INTERVAL, 30_u64);
        session.create(&interval).refused(ck::CKR_ATTRIBUTE_TYPE_INVALID);
        // The class and the type belong together, and what the class has belongs to it.
        let aes = secret(ck::CKK_AES, &[1; 16]);
        let inconsistent = ck::CKR_TEMPLATE_INCONSISTENT;
        session.create(&aes.clone().and(ck::CKA_OTP_LENGTH, 6_u64)).refused(inconsistent);
        for (class, key_type) in [
            (ck::CKO_SECRET_KEY, ck::CKK_HOTP),
            (ck::CKO_OTP_KEY, ck::CKK_AES),
            (ck::CKO_OTP_KEY, ck::CKK_RSA),
            (ck::CKO_PRIVATE_KEY, ck::CKK_HOTP),
        ] {
            let odd = template! { CKA_CLASS => class, CKA_KEY_TYPE => key_type };
            session.create(&odd.and(ck::CKA_VALUE, SECRET)).refused(inconsistent);
        }
    });
}

#[test]
fn keys_of_other_kinds_make_no_passwords_and_these_keys_nothing_else() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known().and(ck::CKA_DERIVE, true)).unwrap();
        let wrong = ck::CKR_KEY_TYPE_INCONSISTENT;
        session.sign_init(&plain(ck::CKM_SHA_1_HMAC), key).refused(wrong);
        let how = plain(ck::CKM_SHA256_KEY_DERIVATION);
        session.derive(&how, key, &template! {}).refused(wrong);
        for key_type in [ck::CKK_GENERIC_SECRET, ck::CKK_SHA_1_HMAC] {
            let other = session.create(&secret(key_type, SECRET)).unwrap();
            session.sign_init(&HOTP, other).refused(wrong);
            session.verify_init(&HOTP, other).refused(wrong);
        }
        let silent = known().and(ck::CKA_SIGN, false).and(ck::CKA_VERIFY, false);
        let silent = session.create(&silent).unwrap();
        session.sign_init(&HOTP, silent).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        session.verify_init(&HOTP, silent).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let hkdf = template! { CKA_ALLOWED_MECHANISMS => &[ck::CKM_HKDF_DERIVE][..] };
        let bound = session.create(&known().with(hkdf)).unwrap();
        session.sign_init(&HOTP, bound).refused(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn keys_leave_and_come_in_as_other_secrets_do() {
    isolated(|bench| {
        bench.configure("[policy]\nexport = \"standard\"\n");
        let token = bench.token();
        let session = token.user();
        let by = template! { CKA_VALUE_LEN => 32_u64, CKA_WRAP => true, CKA_UNWRAP => true };
        let by = session.generate(&plain(ck::CKM_AES_KEY_GEN), &by).unwrap();
        let how = plain(ck::CKM_AES_KEY_WRAP_KWP);
        let open = on_token().and(ck::CKA_EXTRACTABLE, true);
        let key = session.create(&open).unwrap();
        session.password(key);
        let wrapped = session.wrap(&how, by, key).unwrap();
        let asked = template! {
            CKA_CLASS => ck::CKO_OTP_KEY, CKA_KEY_TYPE => ck::CKK_HOTP,
            CKA_OTP_COUNTER => &counter(4), CKA_TOKEN => true,
        };
        let back = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
        assert_eq!(session.password(back), PASSWORDS[4]);
        let plain_class =
            template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_HOTP };
        session.unwrap_key(&how, by, &wrapped, &plain_class).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let shut = session.create(&on_token()).unwrap();
        session.wrap(&how, by, shut).refused(ck::CKR_KEY_UNEXTRACTABLE);
        // A key that another one gives: the HKDF of RFC 5869 without a salt.
        let base = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_HKDF, CKA_VALUE => SECRET,
            CKA_DERIVE => true,
        };
        let base = session.create(&base).unwrap();
        let params = ck::CK_HKDF_PARAMS {
            bExtract: 1,
            bExpand: 1,
            prfHashMechanism: ck::CKM_SHA256,
            ulSaltType: ck::CKF_HKDF_SALT_NULL,
            ..ck::CK_HKDF_PARAMS::default()
        };
        let asked = template! {
            CKA_CLASS => ck::CKO_OTP_KEY, CKA_KEY_TYPE => ck::CKK_HOTP, CKA_VALUE_LEN => 20_u64,
        };
        let how = with_struct(ck::CKM_HKDF_DERIVE, &params);
        let derived = session.derive(&how, base, &asked).unwrap();
        session.has(derived, ck::CKA_OTP_COUNTER, &counter(0));
        assert_eq!(session.password(derived).len(), 6);
    });
}

#[test]
fn two_threads_never_have_the_same_password() {
    const EACH: usize = 25;
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let long = |template: Template| template.and(ck::CKA_OTP_LENGTH, 8_u64);
        for template in [long(known()), long(on_token())] {
            let key = session.create(&template).unwrap();
            let all = Mutex::new(BTreeSet::new());
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let own = token.public();
                        for _ in 0..EACH {
                            let made = own.password(key);
                            assert!(all.lock().unwrap().insert(made.clone()), "{made} twice");
                        }
                    });
                }
                // Meanwhile the key is changed otherwise, which must not set its counter back.
                let other = token.module.read_write(token.slot);
                for label in ["one", "another"].into_iter().cycle().take(EACH) {
                    other.set(key, &template! { CKA_LABEL => label }).unwrap();
                }
            });
            session.has(key, ck::CKA_OTP_COUNTER, &counter(2 * EACH as u64));
        }
    });
}

/// In a process of its own: logs in and finds the key of `on_token`.
fn with_key(bench: &crate::support::Bench, body: impl FnOnce(&Session<'_>, ck::CK_OBJECT_HANDLE)) {
    let module = bench.initialised();
    let session = module.read_only(module.slot_of("test token").unwrap());
    session.login(ck::CKU_USER, USER_PIN).unwrap();
    let key = session.find(&template! { CKA_LABEL => "authenticator" }).unwrap()[0];
    body(&session, key);
}

#[test]
fn processes_never_have_the_same_password_and_each_goes_on_where_the_last_one_was() {
    const EACH: u64 = 12;
    isolated(|bench| {
        if let Some(role) = bench.role() {
            return with_key(bench, |session, key| {
                bench.wait_for_the_start();
                if let Some(password) = role.strip_prefix("judge ") {
                    let (_, password) = password.split_once(' ').unwrap();
                    return say(if session.accepts(key, password).is_ok() { "yes" } else { "no" });
                }
                for _ in 0..EACH {
                    say(&session.password(key));
                }
            });
        }
        let token = bench.token();
        let session = token.user();
        let template = on_token().and(ck::CKA_OTP_LENGTH, 8_u64);
        let key = session.create(&template).unwrap();
        let first = session.password(key);
        let roles: Vec<String> = (0..3).map(|number| format!("maker {number}")).collect();
        let made: Vec<String> = bench.crowd(&roles).into_iter().flatten().collect();
        assert_eq!(made.len() as u64, 3 * EACH);
        let distinct: BTreeSet<_> = made.iter().chain([&first]).collect();
        assert_eq!(distinct.len(), made.len() + 1, "a password was given out twice");
        session.has(key, ck::CKA_OTP_COUNTER, &counter(3 * EACH + 1));
        // And one process alone accepts a password.
        session.destroy(key).unwrap();
        let key = session.create(&template).unwrap();
        let roles: Vec<String> = (0..3).map(|number| format!("judge {number} {first}")).collect();
        let mut said: Vec<String> = bench.crowd(&roles).into_iter().flatten().collect();
        said.sort();
        assert_eq!(said, ["no", "no", "yes"]);
        session.has(key, ck::CKA_OTP_COUNTER, &counter(1));
    });
}

#[test]
fn a_killed_process_may_skip_a_password_and_gives_none_twice() {
    isolated(|bench| {
        if bench.role().is_some() {
            return with_key(bench, |session, key| {
                loop {
                    say(&session.password(key));
                }
            });
        }
        let token = bench.token();
        let session = token.user();
        let key = session.create(&on_token().and(ck::CKA_OTP_LENGTH, 8_u64)).unwrap();
        let mut all = BTreeSet::new();
        for round in 0..5 {
            let mut player = bench.player("user");
            player.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
            let mut player = player.spawn().unwrap();
            let mut out = std::io::BufReader::new(player.stdout.take().unwrap());
            let mut had = 0;
            let mut line = String::new();
            while std::io::BufRead::read_line(&mut out, &mut line).unwrap() > 0 {
                if let Some(password) = line.strip_prefix("said: ") {
                    had += 1;
                    assert!(all.insert(password.to_owned()), "{password} twice");
                }
                line.clear();
                if had == 3 + round {
                    player.kill().unwrap();
                }
            }
            player.wait().unwrap();
            assert!(all.insert(format!("{}\n", session.password(key))), "the killed one's");
        }
        let moved = session.get(key, ck::CKA_OTP_COUNTER).unwrap();
        let moved = u64::from_be_bytes(moved.try_into().unwrap());
        assert!(moved >= all.len() as u64, "{moved} for {} passwords", all.len());
    });
}

#[test]
fn a_limit_of_uses_holds_for_passwords_made_and_judged() {
    /// CKA_CLAVIGER_USES_LEFT in include/claviger.h.
    const USES_LEFT: ck::CK_ATTRIBUTE_TYPE = ck::CKA_VENDOR_DEFINED | 0x434C_0011;
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&on_token().and(USES_LEFT, 4_u64)).unwrap();
        session.password(key);
        assert_eq!(session.number(key, USES_LEFT), 3);
        session.accepts(key, "000000").refused(ck::CKR_SIGNATURE_INVALID);
        assert_eq!(session.number(key, USES_LEFT), 2, "a guess is a use");
        session.accepts(key, PASSWORDS[1]).unwrap();
        Params::at(9).lend(|how| session.password_by(how, key)).unwrap();
        assert_eq!(session.number(key, USES_LEFT), 0);
        session.sign_init(&HOTP, key).refused(ck::CKR_KEY_EXHAUSTED);
        session.verify_init(&HOTP, key).refused(ck::CKR_KEY_EXHAUSTED);
        session.has(key, ck::CKA_OTP_COUNTER, &counter(2));
    });
}

#[test]
fn without_a_commit_there_is_no_password_and_no_verdict() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&on_token()).unwrap();
        assert_eq!(session.password(key), PASSWORDS[0]);
        session.sign_init(&HOTP, key).unwrap();
        limit_files(0);
        let s = session.handle;
        let (rv, _, room) = lend_room(FRAME + 6, |out, out_len| {
            call!(session, C_Sign(s, null_mut(), 0, out, out_len))
        });
        let judged = session.accepts(key, PASSWORDS[1]).expect_err("nothing can be written");
        limit_files(libc::RLIM_INFINITY);
        for rv in [rv, judged] {
            rv.is_one_of(&[ck::CKR_DEVICE_MEMORY, ck::CKR_DEVICE_ERROR]);
        }
        assert!(!room.ends_with(PASSWORDS[1].as_bytes()), "it was let go");
        session.accepts(key, PASSWORDS[1]).unwrap();
    });
}

#[test]
fn the_tool_names_such_keys_and_a_view_of_old_kinds_has_none() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        session.create(&on_token()).unwrap();
        let list = ["key", "list", "--pin-env", "THE_PIN", "--json"];
        let listed = told(bench, &list, 0);
        for word in ["\"otp-key\"", "\"hotp\"", "\"authenticator\"", "160"] {
            assert!(listed.contains(word), "{word} in {listed}");
        }
        let delete = ["object", "delete", "--class", "otp-key", "--yes", "--pin-env", "THE_PIN"];
        bench.configure("view.show = \"classic\"");
        assert!(told(bench, &list, 0).contains("hotp"), "the tool sees everything");
        token.module.finalize().unwrap();
        let module = bench.initialised();
        let session = module.read_only(module.slot_of("test token").unwrap());
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        let wanted = template! { CKA_KEY_TYPE => ck::CKK_HOTP };
        assert!(session.find(&wanted).unwrap().is_empty());
        told(bench, &delete, 0);
        assert!(!told(bench, &list, 0).contains("hotp"));
    });
}
