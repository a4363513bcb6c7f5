//! Plain `openssl` as a second opinion. It sees public keys, never the token.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cryptoki_sys as ck;

use super::isolation::Bench;
use super::session::Session;

/// `openssl` in a test's directory.
pub struct OpenSsl<'b> {
    directory: &'b Path,
}

impl Bench {
    pub fn openssl(&self) -> OpenSsl<'_> {
        OpenSsl { directory: self.dir() }
    }
}

impl OpenSsl<'_> {
    /// Writes a file that a command line can name.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.join(name);
        fs::write(&path, bytes).expect("a file for openssl");
        path
    }

    /// Runs `openssl`; the words of `line` are its arguments.
    pub fn run(&self, line: &str) -> Output {
        let mut command = Command::new("openssl");
        command.args(line.split_whitespace()).current_dir(self.directory);
        command.output().expect("openssl is installed")
    }

    /// As `run`, and fails the test if openssl fails. Gives its standard output.
    #[track_caller]
    pub fn must(&self, line: &str) -> Vec<u8> {
        let output = self.run(line);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {line}: {error}");
        output.stdout
    }

    /// Writes a key's CKA_PUBLIC_KEY_INFO to `public.der`.
    #[track_caller]
    pub fn take_public_key(&self, session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) {
        let info = session.get(key, ck::CKA_PUBLIC_KEY_INFO).expect("CKA_PUBLIC_KEY_INFO");
        self.file("public.der", &info);
    }

    /// Fails the test unless the key in `public.der` verifies `signature` over `data`; `options`
    /// say how.
    #[track_caller]
    pub fn verifies(&self, data: &[u8], signature: &[u8], options: &str) {
        self.file("message", data);
        self.file("signature", signature);
        let what = "pkeyutl -verify -pubin -keyform DER -inkey public.der -in message";
        self.must(&format!("{what} -sigfile signature {options}"));
    }
}

/// An ECDSA signature as openssl wants it: a SEQUENCE of two INTEGERs.
pub fn ecdsa_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let body = [integer(r), integer(s)].concat();
    let length = u8::try_from(body.len()).expect("a short signature");
    let header = if length < 128 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    [header, body].concat()
}

fn integer(big_endian: &[u8]) -> Vec<u8> {
    let zeros = big_endian.iter().take_while(|&&byte| byte == 0).count();
    let digits = &big_endian[zeros.min(big_endian.len() - 1)..];
    let sign: &[u8] = if digits[0] < 128 { &[] } else { &[0] };
    let length = u8::try_from(sign.len() + digits.len()).expect("a short number");
    [&[2, length], sign, digits].concat()
}
