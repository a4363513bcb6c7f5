//! Encryption and decryption of one message after another with AES-CCM and ChaCha20-Poly1305.
//! PKCS#11 3.2, "AES-CCM Authenticated Encryption / Decryption", "ChaCha20/Poly1305".

use cryptoki_sys as ck;

use crate::aes::{key, some_bytes};
use crate::support::known::{self, hex};
use crate::support::messages::{Ccm, ChaCha, MessageParams, parameter};
use crate::support::operations::{lend_room, plain, with_struct};
use crate::support::{Refused, Session, call, isolated};

const LAST: ck::CK_FLAGS = ck::CKF_END_OF_MESSAGE;
const FORGED: ck::CK_RV = ck::CKR_AEAD_DECRYPT_FAILED;

fn begin(session: &Session<'_>, mechanism: ck::CK_MECHANISM_TYPE, key: ck::CK_OBJECT_HANDLE) {
    session.message_encrypt_init(&plain(mechanism), key).expect("C_MessageEncryptInit");
    session.message_decrypt_init(&plain(mechanism), key).expect("C_MessageDecryptInit");
}

fn ccm(nonce: &[u8], data_len: usize, tag_len: usize) -> Ccm {
    let (nonce, tag) = (nonce.to_vec(), vec![0; tag_len]);
    let data_len = ck::CK_ULONG::try_from(data_len).unwrap();
    Ccm { data_len, nonce, fixed_bits: 0, generator: ck::CKG_NO_GENERATE, tag }
}

fn chacha(nonce: &[u8]) -> ChaCha {
    ChaCha { nonce: nonce.to_vec(), tag: vec![0; 16] }
}

/// Example 1 of SP 800-38C.
#[test]
fn a_known_answer_of_ccm() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::aes(&hex("404142434445464748494a4b4c4d4e4f"))).unwrap();
        let (nonce, aad) = (hex("10111213141516"), hex("0001020304050607"));
        begin(&session, ck::CKM_AES_CCM, key);
        let mut how = ccm(&nonce, 4, 4);
        let sealed = session.encrypt_message(&mut how, &aad, &hex("20212223")).unwrap();
        assert_eq!((sealed.as_slice(), how.tag.as_slice()), (&*hex("7162015b"), &*hex("4dac255d")));
        assert_eq!(session.decrypt_message(&mut how, &aad, &sealed).unwrap(), hex("20212223"));
        how.tag[0] ^= 1;
        session.decrypt_message(&mut how, &aad, &sealed).refused(FORGED);
    });
}

/// RFC 8439, section 2.8.2.
#[test]
fn a_known_answer_of_chacha20_poly1305() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let value: Vec<u8> = (0x80..0xa0).collect();
        let key = session.create(&known::secret(ck::CKK_CHACHA20, &value)).unwrap();
        let (nonce, aad) = (hex("070000004041424344454647"), hex("50515253c0c1c2c3c4c5c6c7"));
        let text = b"Ladies and Gentlemen of the class of '99: If I could offer you \
            only one tip for the future, sunscreen would be it.";
        begin(&session, ck::CKM_CHACHA20_POLY1305, key);
        let mut how = chacha(&nonce);
        let sealed = session.encrypt_message(&mut how, &aad, text).unwrap();
        assert_eq!(sealed[..16], hex("d31a8d34648e60db7b86afbc53ef7ec2"));
        assert_eq!(how.tag, hex("1ae10b594f09e26a7e902ecbd0600691"));
        assert_eq!(session.decrypt_message(&mut how, &aad, &sealed).unwrap(), text);
        how.tag[15] ^= 1;
        session.decrypt_message(&mut how, &aad, &sealed).refused(FORGED);
    });
}

/// In parts and in one, the ciphertext is the same, whenever it comes.
fn parts_agree(session: &Session<'_>, mut how: impl FnMut() -> ChaChaOrCcm, data: &[u8]) {
    let mut whole = how();
    let sealed = whole.encrypt(session, data);
    for step in [1, 7, 64] {
        let mut parts = how();
        let (out, back) = parts.in_parts(session, data, step, &sealed);
        assert_eq!((out.as_slice(), back.as_slice()), (sealed.as_slice(), data));
        assert_eq!(parts.tag(), whole.tag());
    }
}

enum ChaChaOrCcm {
    ChaCha(ChaCha),
    Ccm(Ccm),
}

impl ChaChaOrCcm {
    fn tag(&self) -> &[u8] {
        match self {
            Self::ChaCha(how) => &how.tag,
            Self::Ccm(how) => &how.tag,
        }
    }

    fn encrypt(&mut self, session: &Session<'_>, data: &[u8]) -> Vec<u8> {
        match self {
            Self::ChaCha(how) => session.encrypt_message(how, b"aad", data),
            Self::Ccm(how) => session.encrypt_message(how, b"aad", data),
        }
        .expect("C_EncryptMessage")
    }

    fn in_parts(
        &mut self,
        session: &Session<'_>,
        data: &[u8],
        step: usize,
        sealed: &[u8],
    ) -> (Vec<u8>, Vec<u8>) {
        match self {
            Self::ChaCha(how) => in_parts(session, how, data, step, sealed),
            Self::Ccm(how) => in_parts(session, how, data, step, sealed),
        }
    }
}

fn in_parts(
    session: &Session<'_>,
    how: &mut impl MessageParams,
    data: &[u8],
    step: usize,
    sealed: &[u8],
) -> (Vec<u8>, Vec<u8>) {
    session.encrypt_message_begin(how, b"aad").expect("C_EncryptMessageBegin");
    let mut out = Vec::new();
    let (head, tail) = data.split_at(data.len() - data.len().min(5));
    for part in head.chunks(step) {
        out.extend(session.encrypt_message_next(how, part, 0).expect("C_EncryptMessageNext"));
    }
    out.extend(session.encrypt_message_next(how, tail, LAST).expect("the last part"));
    session.decrypt_message_begin(how, b"aad").expect("C_DecryptMessageBegin");
    for part in sealed.chunks(step) {
        let none = session.decrypt_message_next(how, part, 0).expect("C_DecryptMessageNext");
        assert!(none.is_empty(), "plaintext before the tag was checked");
    }
    let back = session.decrypt_message_next(how, &[], LAST).expect("the last part");
    (out, back)
}

#[test]
fn parts_give_what_one_call_gives() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let chacha_key = session.create(&known::secret(ck::CKK_CHACHA20, &[7; 32])).unwrap();
        let data = some_bytes(200);
        begin(&session, ck::CKM_CHACHA20_POLY1305, chacha_key);
        parts_agree(&session, || ChaChaOrCcm::ChaCha(chacha(&[1; 12])), &data);
        let flags = ck::CKF_MESSAGE_ENCRYPT | ck::CKF_MESSAGE_DECRYPT;
        call!(session, C_SessionCancel(session.handle, flags)).is(ck::CKR_OK);
        begin(&session, ck::CKM_AES_CCM, key(&session, 32));
        parts_agree(&session, || ChaChaOrCcm::Ccm(ccm(&[1; 12], 200, 16)), &data);
    });
}

#[test]
fn messages_and_encrypt_agree() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (aes, data) = (key(&session, 24), some_bytes(33));
        begin(&session, ck::CKM_AES_CCM, aes);
        let mut how = ccm(&[3; 13], 33, 8);
        let sealed = session.encrypt_message(&mut how, b"header", &data).unwrap();
        let params = ck::CK_CCM_PARAMS {
            ulDataLen: 33,
            pNonce: how.nonce.as_mut_ptr(),
            ulNonceLen: 13,
            pAAD: b"header".as_ptr().cast_mut(),
            ulAADLen: 6,
            ulMACLen: 8,
        };
        let whole = session.encrypt(&with_struct(ck::CKM_AES_CCM, &params), aes, &data).unwrap();
        assert_eq!([sealed.as_slice(), &how.tag].concat(), whole);
    });
}

#[test]
fn ccm_makes_nonces_too() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, ck::CKM_AES_CCM, key(&session, 16));
        for count in 0..3 {
            let generator = ck::CKG_GENERATE_COUNTER;
            let mut how = Ccm { fixed_bits: 32, generator, ..ccm(&[9; 12], 4, 16) };
            let sealed = session.encrypt_message(&mut how, b"", b"text").unwrap();
            assert_eq!(how.nonce, [&[9; 4], [0; 7].as_slice(), &[count]].concat());
            assert_eq!(session.decrypt_message(&mut how, b"", &sealed).unwrap(), b"text");
        }
    });
}

#[test]
fn lengths_and_parameters_that_do_not_fit_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        begin(&session, ck::CKM_AES_CCM, key(&session, 16));
        let (range, bad) = (ck::CKR_DATA_LEN_RANGE, ck::CKR_MECHANISM_PARAM_INVALID);
        for announced in [0, 3, 5] {
            let mut how = ccm(&[9; 12], announced, 16);
            session.encrypt_message(&mut how, b"", b"text").refused(range);
        }
        for (nonce, tag_len) in [(6, 16), (14, 16), (12, 0), (12, 3), (12, 17)] {
            let mut how = ccm(&vec![9; nonce], 4, tag_len);
            session.encrypt_message(&mut how, b"", b"text").refused(bad);
        }
        let mut how = ccm(&[9; 12], 4, 16);
        session.encrypt_message_begin(&mut how, b"").unwrap();
        session.encrypt_message_next(&mut how, b"tex", 0).unwrap();
        let (s, mut c) = (session.handle, how.c());
        let (start, size) = parameter(&mut c);
        let (rv, needed, _) = lend_room(3, |out, room| {
            let part = b"t".as_ptr().cast_mut();
            call!(session, C_EncryptMessageNext(s, start, size, part, 1, out, room, LAST))
        });
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(needed, 4, "what was kept comes with the last part");
        assert_eq!(session.encrypt_message_next(&mut how, b"t", LAST).unwrap().len(), 4);
        session.encrypt_message_begin(&mut how, b"").unwrap();
        session.encrypt_message_next(&mut how, b"text!", 0).refused(range);
        session
            .encrypt_message_next(&mut how, b"", LAST)
            .refused(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}
