//! The calls of a sequence that belong to an operation: digests, signatures, encryptions, with
//! every kind of room for what comes out.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::call_sequence::{Run, plain};
use super::module::{ask, lent};
use super::sequence_model::{DIGEST, ENCRYPT, MessageStep, SIGN, Step, VERIFY, VERIFY_SIGNATURE};

type Call = unsafe extern "C" fn(
    ck::CK_SESSION_HANDLE,
    *mut u8,
    ck::CK_ULONG,
    *mut u8,
    *mut ck::CK_ULONG,
) -> ck::CK_RV;

impl Run<'_, '_> {
    pub(crate) fn digest(&mut self, index: usize) {
        let handle = self.handle(index);
        let step = self.any_step();
        let rv = match step {
            Step::Init => {
                let mut how = plain(ck::CKM_SHA256);
                ask!(self.module, C_DigestInit(handle, &raw mut how))
            }
            Step::Cancel => ask!(self.module, C_DigestInit(handle, null_mut())),
            Step::Update => {
                let (part, len) = lent(self.bytes.some(40));
                ask!(self.module, C_DigestUpdate(handle, part, len))
            }
            Step::Whole => {
                let whole = self.module.functions.C_Digest.expect("C_Digest");
                return self.with_output(index, DIGEST, step, whole);
            }
            Step::Final => return self.finish(index, DIGEST),
        };
        self.model.step(index, DIGEST, step, rv, false);
    }

    pub(crate) fn sign(&mut self, index: usize) {
        let handle = self.handle(index);
        let step = self.any_step();
        let rv = match step {
            Step::Init => {
                let key = self.key_for(index, ck::CKM_GENERIC_SECRET_KEY_GEN);
                let mut how = plain(ck::CKM_SHA256_HMAC);
                ask!(self.module, C_SignInit(handle, &raw mut how, key))
            }
            Step::Cancel => ask!(self.module, C_SignInit(handle, null_mut(), 0)),
            Step::Update => {
                let (part, len) = lent(self.bytes.some(40));
                ask!(self.module, C_SignUpdate(handle, part, len))
            }
            Step::Whole => {
                let whole = self.module.functions.C_Sign.expect("C_Sign");
                return self.with_output(index, SIGN, step, whole);
            }
            Step::Final => return self.finish(index, SIGN),
        };
        self.model.step(index, SIGN, step, rv, false);
    }

    pub(crate) fn encrypt(&mut self, index: usize) {
        let handle = self.handle(index);
        let step = self.any_step();
        let rv = match step {
            Step::Init => {
                let key = self.key_for(index, ck::CKM_AES_KEY_GEN);
                let mut how = plain(ck::CKM_AES_ECB);
                ask!(self.module, C_EncryptInit(handle, &raw mut how, key))
            }
            Step::Cancel => ask!(self.module, C_EncryptInit(handle, null_mut(), 0)),
            Step::Update => {
                let part = self.module.functions.C_EncryptUpdate.expect("C_EncryptUpdate");
                return self.with_output(index, ENCRYPT, step, part);
            }
            Step::Whole => {
                let whole = self.module.functions.C_Encrypt.expect("C_Encrypt");
                return self.with_output(index, ENCRYPT, step, whole);
            }
            Step::Final => return self.finish(index, ENCRYPT),
        };
        self.model.step(index, ENCRYPT, step, rv, false);
    }

    pub(crate) fn verify(&mut self, index: usize) {
        let handle = self.handle(index);
        let step = self.any_step();
        let (code, code_len) = lent(&[7; 32][..self.bytes.pick(&[32, 31])]);
        let rv = match step {
            Step::Init => {
                let key = self.key_for(index, ck::CKM_GENERIC_SECRET_KEY_GEN);
                let mut how = plain(ck::CKM_SHA256_HMAC);
                ask!(self.module, C_VerifyInit(handle, &raw mut how, key))
            }
            Step::Cancel => ask!(self.module, C_VerifyInit(handle, null_mut(), 0)),
            Step::Update => {
                let (part, len) = lent(self.bytes.some(40));
                ask!(self.module, C_VerifyUpdate(handle, part, len))
            }
            Step::Whole => {
                let (data, len) = lent(self.bytes.some(40));
                ask!(self.module, C_Verify(handle, data, len, code, code_len))
            }
            Step::Final => ask!(self.module, C_VerifyFinal(handle, code, code_len)),
        };
        self.model.step(index, VERIFY, step, rv, false);
    }

    pub(crate) fn verify_signature(&mut self, index: usize) {
        let handle = self.handle(index);
        let step = self.any_step();
        let rv = match step {
            Step::Init => {
                let key = self.key_for(index, ck::CKM_GENERIC_SECRET_KEY_GEN);
                let mut how = plain(ck::CKM_SHA256_HMAC);
                let (code, code_len) = lent(&[7; 32][..self.bytes.pick(&[32, 32, 31])]);
                let how = &raw mut how;
                ask!(self.module, C_VerifySignatureInit(handle, how, key, code, code_len))
            }
            Step::Cancel => {
                let none = null_mut();
                ask!(self.module, C_VerifySignatureInit(handle, null_mut(), 0, none, 0))
            }
            Step::Update => {
                let (part, len) = lent(self.bytes.some(40));
                ask!(self.module, C_VerifySignatureUpdate(handle, part, len))
            }
            Step::Whole => {
                let (data, len) = lent(self.bytes.some(40));
                ask!(self.module, C_VerifySignature(handle, data, len))
            }
            Step::Final => ask!(self.module, C_VerifySignatureFinal(handle)),
        };
        self.model.step(index, VERIFY_SIGNATURE, step, rv, false);
    }

    pub(crate) fn digest_encrypt(&mut self, index: usize) {
        let handle = self.handle(index);
        let (part, part_len) = lent(self.bytes.some(48));
        let (mut out, mut len) = ([0; 256], self.bytes.pick(&[0, 1, 31, 32, 48, 256]));
        let told = self.bytes.below(4) == 0;
        let place = if told { null_mut() } else { out.as_mut_ptr() };
        let room = &raw mut len;
        let rv = ask!(self.module, C_DigestEncryptUpdate(handle, part, part_len, place, room));
        self.model.both(index, rv, told);
    }

    pub(crate) fn sign_messages(&mut self, index: usize) {
        let handle = self.handle(index);
        let step = self.bytes.pick(&[
            MessageStep::Init,
            MessageStep::Cancel,
            MessageStep::Whole,
            MessageStep::Begin,
            MessageStep::Begin,
            MessageStep::Part,
            MessageStep::Last,
            MessageStep::Final,
        ]);
        let (none, no_len) = (null_mut(), null_mut());
        let (data, data_len) = lent(self.bytes.some(40));
        let (mut out, mut len) = ([0; 64], self.bytes.pick(&[0, 31, 32, 64]));
        let told = self.bytes.below(4) == 0;
        let place = if told { null_mut() } else { out.as_mut_ptr() };
        let room = &raw mut len;
        let rv = match step {
            MessageStep::Init => {
                let key = self.key_for(index, ck::CKM_GENERIC_SECRET_KEY_GEN);
                let mut how = plain(ck::CKM_SHA256_HMAC);
                ask!(self.module, C_MessageSignInit(handle, &raw mut how, key))
            }
            MessageStep::Cancel => ask!(self.module, C_MessageSignInit(handle, null_mut(), 0)),
            MessageStep::Whole => {
                ask!(self.module, C_SignMessage(handle, none, 0, data, data_len, place, room))
            }
            MessageStep::Begin => ask!(self.module, C_SignMessageBegin(handle, none, 0)),
            MessageStep::Part => {
                let (out, len) = (null_mut(), no_len);
                ask!(self.module, C_SignMessageNext(handle, none, 0, data, data_len, out, len))
            }
            MessageStep::Last => {
                ask!(self.module, C_SignMessageNext(handle, none, 0, data, data_len, place, room))
            }
            MessageStep::Final => ask!(self.module, C_MessageSignFinal(handle)),
        };
        self.model.message(index, step, rv, told);
    }

    fn any_step(&mut self) -> Step {
        self.bytes.pick(&[
            Step::Init,
            Step::Init,
            Step::Cancel,
            Step::Update,
            Step::Whole,
            Step::Final,
        ])
    }

    /// A function with input and output: asked for the length, with too little room or enough,
    /// and now and then with its input in the room.
    fn with_output(&mut self, index: usize, kind: usize, step: Step, function: Call) {
        let handle = self.handle(index);
        let data = self.bytes.some(48);
        let (mut out, mut len) = ([0; 256], self.bytes.pick(&[0, 1, 31, 32, 48, 256]));
        let told = self.bytes.below(4) == 0;
        let place = if told { null_mut() } else { out.as_mut_ptr() };
        let (mut start, data_len) = lent(data);
        if self.bytes.below(4) == 0 && !told {
            out[..data.len()].copy_from_slice(data);
            start = place;
        }
        let given = len;
        // SAFETY: the data and the room are live and as long as is said.
        let rv = unsafe { function(handle, start, data_len, place, &raw mut len) };
        self.module.judged("a function with output", rv);
        assert!(told || rv != ck::CKR_OK || len <= given, "more than there was room for");
        assert!(rv != ck::CKR_BUFFER_TOO_SMALL || len > given, "enough room is too small");
        self.model.step(index, kind, step, rv, told);
    }

    fn finish(&mut self, index: usize, kind: usize) {
        let handle = self.handle(index);
        let functions = &self.module.functions;
        let function = match kind {
            DIGEST => functions.C_DigestFinal,
            SIGN => functions.C_SignFinal,
            _ => functions.C_EncryptFinal,
        };
        let (mut out, mut len) = ([0; 256], self.bytes.pick(&[0, 1, 31, 32, 48, 256]));
        let told = self.bytes.below(4) == 0;
        let place = if told { null_mut() } else { out.as_mut_ptr() };
        // SAFETY: the room is live and as long as is said.
        let rv = unsafe { function.expect("a …Final")(handle, place, &raw mut len) };
        self.module.judged("a …Final", rv);
        self.model.step(index, kind, Step::Final, rv, told);
    }
}
