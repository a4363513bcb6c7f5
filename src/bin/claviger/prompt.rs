//! Questions on the terminal: PINs without echo, and confirmations.
//!
//! They go to the terminal itself, so that standard input and output stay free for data.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};

use claviger::secret::Secret;
use zeroize::Zeroizing;

use crate::failure::{Code, Failure};
use crate::output::printable;

/// True if there is a terminal to ask on.
pub(crate) fn has_terminal() -> bool {
    OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok()
}

/// Asks for a PIN, without echo.
pub(crate) fn pin(question: &str) -> Result<Secret, Failure> {
    let given = rpassword::prompt_password(format!("{}: ", printable(question)))
        .map(Zeroizing::new)
        .map_err(|error| Failure::new(Code::Usage, format!("no PIN was given: {error}")))?;
    Ok(Secret::copy_of(given.as_bytes())?)
}

/// Asks for leave to do what cannot be undone.
pub(crate) fn confirm(what: &str) -> Result<(), Failure> {
    let no_terminal = || {
        Failure::new(Code::Usage, format!("{what}: this needs a confirmation"))
            .or("there is no terminal to ask on; say --yes")
    };
    let mut terminal =
        OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| no_terminal())?;
    write!(terminal, "{} Type yes to go on: ", printable(what)).map_err(|_| no_terminal())?;
    let mut answer = String::new();
    BufReader::new(terminal).read_line(&mut answer).map_err(|_| no_terminal())?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Failure::new(Code::Failed, "not confirmed; nothing was changed")),
    }
}
