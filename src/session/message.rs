//! What C_Message…Init starts: messages one after another with one mechanism and key, and the
//! only ways to move on.
//!
//! A message that fails is gone with its nonce; the process goes on until its own end. A key
//! that wants the PIN again wants it for every message. PKCS#11 3.2, "Message-based encryption
//! functions" and its three kin.

use crate::call::{Room, Written};
use crate::error::{Error, Result, Rv};

/// The process of one kind in one session: `S` is what its messages share, `M` one message.
#[derive(Debug)]
pub enum Process<S, M> {
    /// None.
    Idle,
    /// Between or within messages.
    Active(Active<S, M>),
}

/// A process under way.
#[derive(Debug)]
pub struct Active<S, M> {
    shared: S,
    message: Option<M>,
    /// Whether the key wants the PIN for every message, and waits for it.
    wants_login: bool,
    awaits_login: bool,
}

impl<S, M> Process<S, M> {
    /// Starts.
    pub fn start(&mut self, wants_login: bool, shared: S) {
        let awaits_login = wants_login;
        *self = Self::Active(Active { shared, message: None, wants_login, awaits_login });
    }

    /// Refuses to begin beside an active one.
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`.
    pub fn refuse_active(&self) -> Result<()> {
        match self {
            Self::Idle => Ok(()),
            Self::Active(_) => Err(Rv::OperationActive.because("messages are being processed")),
        }
    }

    /// Ends it, and the message in it.
    pub fn cancel(&mut self) {
        *self = Self::Idle;
    }

    /// Is one active?
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Active(_))
    }

    /// Is it waiting for the context-specific login?
    #[must_use]
    pub const fn awaits_login(&self) -> bool {
        matches!(self, Self::Active(Active { awaits_login: true, .. }))
    }

    /// The context-specific login succeeded: one message may go on.
    pub fn unlock(&mut self) {
        if let Self::Active(active) = self {
            active.awaits_login = false;
        }
    }

    /// What its messages share.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`.
    pub fn shared(&mut self) -> Result<&mut S> {
        self.active().map(|active| &mut active.shared)
    }

    /// Ends a message that is given in parts, if there is one.
    pub fn abandon_message(&mut self) {
        if let Self::Active(active) = self
            && active.message.take().is_some()
        {
            active.used();
        }
    }

    /// Ends the process, between messages.
    ///
    /// # Errors
    /// None to end; `CKR_OPERATION_ACTIVE` within a message.
    pub fn finish(&mut self) -> Result<()> {
        self.active()?.refuse_message()?;
        self.cancel();
        Ok(())
    }

    /// A message in one part.
    ///
    /// # Errors
    /// No process; a message in parts is under way; those of the closures. The process goes on.
    pub fn whole<W>(
        &mut self,
        room: Room<'_>,
        begin: impl FnOnce(&S) -> Result<W>,
        needed: impl FnOnce(&W) -> Result<usize>,
        produce: impl FnOnce(&mut S, &mut W, &mut [u8]) -> Result<usize>,
    ) -> Result<Written> {
        let active = self.ready()?;
        let mut message = begin(&active.shared)?;
        let needed = needed(&message)?;
        let written = room.fill(needed, |out| produce(&mut active.shared, &mut message, out));
        if matches!(written, Err(_) | Ok(Written::Bytes(_))) {
            active.used();
        }
        written
    }

    /// Judges a message in one part.
    ///
    /// # Errors
    /// As `whole`.
    pub fn judge_whole(&mut self, judge: impl FnOnce(&mut S) -> Result<()>) -> Result<()> {
        let active = self.ready()?;
        let judged = judge(&mut active.shared);
        active.used();
        judged
    }

    /// Begins a message in parts.
    ///
    /// # Errors
    /// As `whole`.
    pub fn begin(&mut self, begin: impl FnOnce(&mut S) -> Result<M>) -> Result<()> {
        let active = self.ready()?;
        active.message = Some(begin(&mut active.shared)?);
        Ok(())
    }

    /// Takes a part that gives output; the last one ends the message. A length query or a short
    /// room changes nothing.
    ///
    /// # Errors
    /// No message; those of the closures, which end it.
    pub fn part(
        &mut self,
        last: bool,
        room: Room<'_>,
        needed: impl FnOnce(&M) -> Result<usize>,
        produce: impl FnOnce(&mut M, &mut [u8]) -> Result<usize>,
    ) -> Result<Written> {
        let active = self.active()?;
        let mut message = active.message.take().ok_or_else(no_message)?;
        let filled =
            needed(&message).and_then(|needed| room.fill(needed, |out| produce(&mut message, out)));
        match filled {
            Err(_) => active.used(),
            Ok(Written::Bytes(_)) if last => active.used(),
            Ok(_) => active.message = Some(message),
        }
        filled
    }

    /// Takes a part that gives no output; the last one ends the message.
    ///
    /// # Errors
    /// As `part`.
    pub fn absorb(&mut self, last: bool, step: impl FnOnce(&mut M) -> Result<()>) -> Result<()> {
        let active = self.active()?;
        let mut message = active.message.take().ok_or_else(no_message)?;
        let taken = step(&mut message);
        if last || taken.is_err() {
            active.used();
        } else {
            active.message = Some(message);
        }
        taken
    }

    fn active(&mut self) -> Result<&mut Active<S, M>> {
        match self {
            Self::Active(active) => Ok(active),
            Self::Idle => {
                Err(Rv::OperationNotInitialized.because("no messages are being processed"))
            }
        }
    }

    /// Ready for another message.
    fn ready(&mut self) -> Result<&mut Active<S, M>> {
        let active = self.active()?;
        active.refuse_message()?;
        if active.awaits_login {
            let why = "this key wants the PIN again before each message";
            return Err(Rv::UserNotLoggedIn.because(why));
        }
        Ok(active)
    }
}

impl<S, M> Active<S, M> {
    fn refuse_message(&self) -> Result<()> {
        match self.message {
            None => Ok(()),
            Some(_) => Err(Rv::OperationActive.because("a message in parts is under way")),
        }
    }

    /// A message is over.
    const fn used(&mut self) {
        self.awaits_login = self.wants_login;
    }
}

fn no_message() -> Error {
    Rv::OperationNotInitialized.because("no message in parts was begun")
}

#[cfg(test)]
mod tests {
    use super::Process;
    use crate::call::{Room, Written};
    use crate::error::Rv;

    fn started(wants_login: bool) -> Process<u8, u8> {
        let mut process = Process::Idle;
        process.start(wants_login, 1);
        process
    }

    fn whole(process: &mut Process<u8, u8>, room: Room<'_>) -> Result<Written, Rv> {
        process.whole(room, |_| Ok(()), |()| Ok(2), |_, (), _| Ok(2)).map_err(|error| error.rv)
    }

    fn part(process: &mut Process<u8, u8>, last: bool, room: Room<'_>) -> Result<Written, Rv> {
        process.part(last, room, |_| Ok(2), |_, _| Ok(2)).map_err(|error| error.rv)
    }

    #[test]
    fn messages_follow_each_other_until_the_end() {
        let mut process = started(false);
        for _ in 0..2 {
            assert_eq!(whole(&mut process, Room::Bytes(&mut [0; 2])), Ok(Written::Bytes(2)));
            process.begin(|_| Ok(0)).unwrap();
            assert_eq!(whole(&mut process, Room::LengthQuery), Err(Rv::OperationActive));
            assert_eq!(process.begin(|_| Ok(0)).unwrap_err().rv, Rv::OperationActive);
            assert_eq!(process.finish().unwrap_err().rv, Rv::OperationActive);
            part(&mut process, false, Room::Bytes(&mut [0; 2])).unwrap();
            part(&mut process, true, Room::LengthQuery).unwrap();
            let short = part(&mut process, true, Room::Bytes(&mut [0; 1]));
            assert_eq!(short, Ok(Written::TooSmall { needed: 2 }));
            part(&mut process, true, Room::Bytes(&mut [0; 2])).unwrap();
            let over = part(&mut process, true, Room::LengthQuery);
            assert_eq!(over, Err(Rv::OperationNotInitialized));
        }
        process.finish().unwrap();
        assert_eq!(process.finish().unwrap_err().rv, Rv::OperationNotInitialized);
    }

    #[test]
    fn a_failed_part_ends_the_message_and_not_the_process() {
        let mut process = started(false);
        process.begin(|_| Ok(0)).unwrap();
        let failed = process.absorb(false, |_| Err(Rv::DataLenRange.because("test")));
        assert_eq!(failed.unwrap_err().rv, Rv::DataLenRange);
        let gone = process.absorb(true, |_| Ok(())).unwrap_err();
        assert_eq!(gone.rv, Rv::OperationNotInitialized);
        whole(&mut process, Room::Bytes(&mut [0; 2])).unwrap();
    }

    #[test]
    fn a_key_that_wants_the_pin_wants_it_for_each_message() {
        let mut process = started(true);
        assert_eq!(whole(&mut process, Room::LengthQuery), Err(Rv::UserNotLoggedIn));
        process.unlock();
        whole(&mut process, Room::LengthQuery).unwrap();
        whole(&mut process, Room::Bytes(&mut [0; 2])).unwrap();
        assert!(process.awaits_login());
        process.unlock();
        process.begin(|_| Ok(0)).unwrap();
        process.absorb(true, |_| Ok(())).unwrap();
        assert_eq!(process.begin(|_| Ok(0)).unwrap_err().rv, Rv::UserNotLoggedIn);
        process.unlock();
        process.begin(|_| Ok(0)).unwrap();
        process.abandon_message();
        assert!(process.awaits_login());
    }
}
