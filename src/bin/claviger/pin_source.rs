//! Where a PIN comes from: a file, an environment variable, or the terminal. Never an argument,
//! which every user of the machine can read in the list of processes.

use std::io::{BufRead, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use claviger::secret::Secret;
use zeroize::Zeroizing;

use crate::failure::{Code, Failure};
use crate::{output, prompt};

/// The standard's limits as this library sets them, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=255;
/// Below this, guessing a copied token is a matter of hours at most.
const GOOD_LENGTH: usize = 8;
/// More than any PIN and its line end.
const MAX_FILE_LEN: u64 = 4096;

/// The user's PIN.
#[derive(Args)]
pub(crate) struct UserPin {
    /// Read the user PIN from the first line of FILE; "-" is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "pin_env")]
    pin_file: Option<PathBuf>,
    /// Read the user PIN from the environment variable VAR.
    #[arg(long, value_name = "VAR")]
    pin_env: Option<String>,
}

/// The security officer's PIN.
#[derive(Args)]
pub(crate) struct SoPin {
    /// Read the security officer's PIN from the first line of FILE; "-" is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "so_pin_env")]
    so_pin_file: Option<PathBuf>,
    /// Read the security officer's PIN from the environment variable VAR.
    #[arg(long, value_name = "VAR")]
    so_pin_env: Option<String>,
}

/// The PIN that replaces another.
#[derive(Args)]
pub(crate) struct NewPin {
    /// Read the new PIN from the first line of FILE; "-" is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "new_pin_env")]
    new_pin_file: Option<PathBuf>,
    /// Read the new PIN from the environment variable VAR.
    #[arg(long, value_name = "VAR")]
    new_pin_env: Option<String>,
}

/// The password of an encrypted file.
#[derive(Args)]
pub(crate) struct Password {
    /// Read the password of the file from the first line of FILE; "-" is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// Read the password of the file from the environment variable VAR.
    #[arg(long, value_name = "VAR")]
    password_env: Option<String>,
}

impl Password {
    pub(crate) fn source(&self) -> PinSource<'_> {
        PinSource {
            file: self.password_file.as_deref(),
            variable: self.password_env.as_deref(),
            whose: "password",
            option: "--password",
        }
    }
}

impl UserPin {
    /// The PIN, if the command line asks for a login or names where the PIN is.
    pub(crate) fn if_asked(&self, login: bool, token: &str) -> Result<Option<Secret>, Failure> {
        let source = self.source();
        let asked = login || source.is_named();
        asked.then(|| source.known(token)).transpose()
    }

    pub(crate) fn source(&self) -> PinSource<'_> {
        PinSource {
            file: self.pin_file.as_deref(),
            variable: self.pin_env.as_deref(),
            whose: "user PIN",
            option: "--pin",
        }
    }
}

impl SoPin {
    pub(crate) fn source(&self) -> PinSource<'_> {
        PinSource {
            file: self.so_pin_file.as_deref(),
            variable: self.so_pin_env.as_deref(),
            whose: "security officer's PIN",
            option: "--so-pin",
        }
    }
}

impl NewPin {
    pub(crate) fn source(&self) -> PinSource<'_> {
        PinSource {
            file: self.new_pin_file.as_deref(),
            variable: self.new_pin_env.as_deref(),
            whose: "new PIN",
            option: "--new-pin",
        }
    }
}

/// Where one PIN comes from.
#[derive(Clone, Copy)]
pub(crate) struct PinSource<'a> {
    file: Option<&'a Path>,
    variable: Option<&'a str>,
    whose: &'static str,
    option: &'static str,
}

impl PinSource<'_> {
    /// True if the command line names a file or a variable.
    pub(crate) const fn is_named(&self) -> bool {
        self.file.is_some() || self.variable.is_some()
    }

    /// A PIN that the token knows.
    pub(crate) fn known(&self, token: &str) -> Result<Secret, Failure> {
        if let Some(pin) = self.named()? {
            return Ok(pin);
        }
        self.need_terminal()?;
        let pin = prompt::pin(&format!("{} of {token}", capital(self.whose)))?;
        if pin.is_empty() { Err(self.refuse("is empty")) } else { Ok(pin) }
    }

    /// The password of a file, for those who decrypt it.
    pub(crate) fn password(&self, file: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        Ok(self.known(file)?.expose(|password| Zeroizing::new(password.to_vec())))
    }

    /// A PIN that will be set: asked for twice, and warned about if it is short.
    pub(crate) fn chosen(&self, token: &str) -> Result<Secret, Failure> {
        let pin = match self.named()? {
            Some(pin) => pin,
            None => self.ask_twice(token)?,
        };
        self.refuse_length(&pin)?;
        if pin.expose(letters) < GOOD_LENGTH {
            output::note(&format!(
                "warning: the {} has fewer than {GOOD_LENGTH} characters: the tries are counted, \
                 but who copies the token's files can guess 4 digits in minutes, 6 in hours",
                self.whose
            ));
        }
        Ok(pin)
    }

    fn ask_twice(&self, token: &str) -> Result<Secret, Failure> {
        self.need_terminal()?;
        let first = prompt::pin(&format!("{} for {token}, to be set", capital(self.whose)))?;
        self.refuse_length(&first)?;
        let second = prompt::pin("The same again")?;
        if first.expose(|first| second.expose(|second| first == second)) {
            return Ok(first);
        }
        Err(Failure::new(Code::Usage, "the two PINs are not the same; nothing was changed"))
    }

    fn refuse_length(&self, pin: &Secret) -> Result<(), Failure> {
        if LENGTHS.contains(&pin.len()) {
            return Ok(());
        }
        let (least, most) = (LENGTHS.start(), LENGTHS.end());
        Err(self.refuse(&format!("must have {least} to {most} bytes; it has {}", pin.len())))
    }

    fn refuse(&self, why: &str) -> Failure {
        Failure::new(Code::Usage, format!("the {} {why}", self.whose))
    }

    fn need_terminal(&self) -> Result<(), Failure> {
        if prompt::has_terminal() {
            return Ok(());
        }
        let way_out = format!("give {0}-file FILE or {0}-env VARIABLE", self.option);
        Err(self.refuse("is needed, and there is no terminal to ask on").or(way_out))
    }

    fn named(&self) -> Result<Option<Secret>, Failure> {
        let bytes = match (self.file, self.variable) {
            (Some(file), _) if file == Path::new("-") => self.read_standard_input()?,
            (Some(file), _) => self.read_file(file)?,
            (None, Some(variable)) => self.read_environment(variable)?,
            (None, None) => return Ok(None),
        };
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Err(self.refuse("is empty").or("it is the first line of what was named"));
        }
        Ok(Some(Secret::copy_of(line)?))
    }

    fn read_standard_input(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut line = Zeroizing::new(Vec::with_capacity(512));
        let input = std::io::stdin().lock();
        input.take(MAX_FILE_LEN).read_until(b'\n', &mut line).map_err(|error| {
            self.refuse(&format!("cannot be read from standard input: {error}"))
        })?;
        Ok(line)
    }

    fn read_file(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let unreadable = |error: std::io::Error| {
            self.refuse(&format!("cannot be read from {}: {error}", path.display()))
        };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        if found.is_file() && found.mode() & 0o077 != 0 {
            output::note(&format!(
                "warning: {} has mode {:04o}: others can read the {} (chmod 600)",
                path.display(),
                found.mode() & 0o7777,
                self.whose
            ));
        }
        // Full size from the start: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
        file.take(MAX_FILE_LEN).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    fn read_environment(&self, variable: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        // The name is not repeated: it may be a PIN, given by mistake.
        let unset = || {
            self.refuse("cannot be read: there is no such variable")
                .or(format!("{}-env takes the name of a variable", self.option))
        };
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Err(unset());
        }
        let value = std::env::var_os(variable).ok_or_else(unset)?;
        Ok(Zeroizing::new(value.into_vec()))
    }
}

fn letters(pin: &[u8]) -> usize {
    std::str::from_utf8(pin).map_or(pin.len(), |text| text.chars().count())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
