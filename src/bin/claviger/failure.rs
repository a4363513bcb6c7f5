//! Why a command failed: the exit code, the cause and the way out.
//!
//! The library's return values become causes and ways out here, in one table.

use std::process::ExitCode;

use claviger::config::ConfigError;
use claviger::error::{Error, Rv};

/// The documented exit codes; 0 is success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Code {
    Failed = 1,
    Usage = 2,
    /// What is signed is consistent with itself, and no key says who has signed it.
    NotPinned = 3,
    Pin = 4,
    Configuration = 5,
    Unhealthy = 6,
    NotFound = 7,
    /// A signature that was verified is wrong.
    WrongSignature = 8,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    /// What went wrong; empty if everything has been said already.
    pub(crate) cause: String,
    pub(crate) way_out: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, cause: impl Into<String>) -> Self {
        Self { code, cause: cause.into(), way_out: None }
    }

    /// The same failure with a way out.
    pub(crate) fn or(self, way_out: impl Into<String>) -> Self {
        Self { way_out: Some(way_out.into()), ..self }
    }

    /// The same failure, told in better words.
    pub(crate) fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), ..self }
    }

    /// The same failure, saying first what was being done.
    pub(crate) fn while_doing(self, what: &str) -> Self {
        Self { cause: format!("{what}: {}", self.cause), ..self }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Code::Configuration, error.to_string())
            .or("mend the line, then run `claviger config check`")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, way_out) = meaning(error.rv);
        let failure = Self::new(code, format!("{} ({})", error.why, error.rv.name()));
        match way_out {
            "" => failure,
            way_out => failure.or(way_out),
        }
    }
}

/// What a return value means for whoever types commands.
fn meaning(rv: Rv) -> (Code, &'static str) {
    match rv {
        Rv::PinIncorrect => (Code::Pin, "`claviger token show` tells whether few tries are left"),
        Rv::PinLocked => {
            (Code::Pin, "the security officer sets a new user PIN: `claviger pin reset`")
        }
        Rv::UserPinNotInitialized => {
            (Code::Pin, "the security officer sets the first user PIN: `claviger pin reset`")
        }
        Rv::PinExpired => (Code::Pin, "change it: `claviger pin set`"),
        Rv::PinInvalid | Rv::PinLenRange => (Code::Usage, "a PIN has 4 to 255 bytes"),
        Rv::SlotIdInvalid | Rv::TokenNotPresent | Rv::ObjectHandleInvalid => {
            (Code::NotFound, "`claviger token list` shows what is there")
        }
        Rv::TokenNotRecognized | Rv::TokenNotInitialized => {
            (Code::NotFound, "`claviger token init` makes a token")
        }
        Rv::SessionExists => {
            (Code::Failed, "close the sessions that use the token, then try again")
        }
        Rv::TokenWriteProtected => {
            (Code::Failed, "`claviger doctor` says why the token cannot be written")
        }
        Rv::DeviceMemory => (Code::Failed, "make room on the disk; nothing is lost"),
        Rv::DeviceError | Rv::DeviceRemoved | Rv::GeneralError => {
            (Code::Failed, "`claviger doctor` examines the files of the token")
        }
        Rv::SignatureInvalid | Rv::SignatureLenRange | Rv::ClavigerDowngradeRefused => {
            (Code::WrongSignature, "")
        }
        Rv::ActionProhibited => (Code::Failed, "the object says that it may not be changed so"),
        _ => (Code::Failed, ""),
    }
}
