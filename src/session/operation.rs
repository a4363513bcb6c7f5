//! What C_…Init starts: one operation of a kind, and the only ways to move it on.
//!
//! The rule that a call ends the operation unless it only told the length stands in `finish`
//! and nowhere else. A failed update or finish leaves `Idle` by construction: the operation was
//! taken out, and is dropped with its key. PKCS#11 3.2, "Conventions for functions returning
//! output in a variable-length buffer".

use crate::call::{Room, Written};
use crate::error::{Result, Rv};

/// The operation of one kind in one session.
#[derive(Debug)]
pub enum Operation<T> {
    /// None.
    Idle,
    /// Started with a key that wants the PIN again before each use.
    AwaitingLogin(T),
    /// Started; no input yet.
    Ready(T),
    /// At least one part was taken.
    Streaming(T),
}

/// How a call ends an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// All input in one call (C_Sign): not allowed once parts were taken.
    Whole,
    /// After the parts (C_SignFinal).
    Parts,
}

impl<T> Operation<T> {
    /// Starts, unless one is active.
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`; those of `make`.
    pub fn start(&mut self, wants_login: bool, make: impl FnOnce() -> Result<T>) -> Result<()> {
        self.refuse_active()?;
        let operation = make()?;
        *self = if wants_login { Self::AwaitingLogin(operation) } else { Self::Ready(operation) };
        Ok(())
    }

    /// Refuses to begin beside an active one, before anything is looked up for it.
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`.
    pub fn refuse_active(&self) -> Result<()> {
        if matches!(self, Self::Idle) {
            return Ok(());
        }
        Err(Rv::OperationActive.because("an operation of this kind is active"))
    }

    /// Ends whatever is active.
    pub fn cancel(&mut self) {
        *self = Self::Idle;
    }

    /// Is one active?
    #[must_use]
    pub const fn is_active(&self) -> bool {
        !matches!(self, Self::Idle)
    }

    /// What runs, and whether parts were taken; `None` if nothing runs, or waits for a login.
    pub const fn running(&self) -> Option<(&T, bool)> {
        match self {
            Self::Ready(operation) => Some((operation, false)),
            Self::Streaming(operation) => Some((operation, true)),
            Self::Idle | Self::AwaitingLogin(_) => None,
        }
    }

    /// Goes on with an operation that was saved, as if it had begun here.
    pub fn resume(&mut self, operation: T, streaming: bool) {
        *self = if streaming { Self::Streaming(operation) } else { Self::Ready(operation) };
    }

    /// Is one waiting for the context-specific login?
    #[must_use]
    pub const fn awaits_login(&self) -> bool {
        matches!(self, Self::AwaitingLogin(_))
    }

    /// The context-specific login succeeded: this one operation may go on.
    pub fn unlock(&mut self) {
        *self = match std::mem::replace(self, Self::Idle) {
            Self::AwaitingLogin(operation) => Self::Ready(operation),
            other => other,
        };
    }

    /// The running operation, taken out: whoever fails to put it back has ended it.
    fn take(&mut self) -> Result<(T, bool)> {
        match std::mem::replace(self, Self::Idle) {
            Self::Ready(operation) => Ok((operation, false)),
            Self::Streaming(operation) => Ok((operation, true)),
            Self::AwaitingLogin(_) => {
                Err(Rv::UserNotLoggedIn.because("this key wants the PIN again before each use"))
            }
            Self::Idle => Err(Rv::OperationNotInitialized.because("no such operation is active")),
        }
    }

    /// Takes a part that gives no output.
    ///
    /// # Errors
    /// No operation, or those of `step`, which end it.
    pub fn absorb(&mut self, step: impl FnOnce(&mut T) -> Result<()>) -> Result<()> {
        let (mut operation, _) = self.take()?;
        step(&mut operation)?;
        *self = Self::Streaming(operation);
        Ok(())
    }

    /// Takes a part that gives output. A length query or a short room changes nothing.
    ///
    /// # Errors
    /// No operation, or those of the closures, which end it.
    pub fn update(
        &mut self,
        room: Room<'_>,
        needed: impl FnOnce(&T) -> Result<usize>,
        produce: impl FnOnce(&mut T, &mut [u8]) -> Result<usize>,
    ) -> Result<Written> {
        let (mut operation, was_streaming) = self.take()?;
        let needed = needed(&operation)?;
        let written = room.fill(needed, |bytes| produce(&mut operation, bytes))?;
        let is_streaming = was_streaming || matches!(written, Written::Bytes(_));
        *self = if is_streaming { Self::Streaming(operation) } else { Self::Ready(operation) };
        Ok(written)
    }

    /// Ends the operation, unless the caller only learned the length.
    ///
    /// # Errors
    /// No operation; `CKR_OPERATION_ACTIVE` for a whole input after parts; those of the
    /// closures. Each ends the operation.
    pub fn finish(
        &mut self,
        ending: Ending,
        room: Room<'_>,
        needed: impl FnOnce(&T) -> Result<usize>,
        produce: impl FnOnce(&mut T, &mut [u8]) -> Result<usize>,
    ) -> Result<Written> {
        let (mut operation, was_streaming) = self.take()?;
        refuse_whole_after_parts(ending, was_streaming)?;
        let needed = needed(&operation)?;
        let written = room.fill(needed, |bytes| produce(&mut operation, bytes))?;
        if !matches!(written, Written::Bytes(_)) {
            *self = if was_streaming { Self::Streaming(operation) } else { Self::Ready(operation) };
        }
        Ok(written)
    }

    /// Ends the operation with a verdict, which gives no output.
    ///
    /// # Errors
    /// No operation; `CKR_OPERATION_ACTIVE` for a whole input after parts; those of `judge`.
    pub fn judge(
        &mut self,
        ending: Ending,
        judge: impl FnOnce(&mut T) -> Result<()>,
    ) -> Result<()> {
        let (mut operation, was_streaming) = self.take()?;
        refuse_whole_after_parts(ending, was_streaming)?;
        judge(&mut operation)
    }
}

fn refuse_whole_after_parts(ending: Ending, was_streaming: bool) -> Result<()> {
    if ending == Ending::Whole && was_streaming {
        return Err(Rv::OperationActive.because("parts were taken: only …Final can end it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Ending, Operation};
    use crate::call::{Room, Written};
    use crate::error::{Result, Rv};

    fn started() -> Operation<u8> {
        let mut operation = Operation::Idle;
        operation.start(false, || Ok(1)).unwrap();
        operation
    }

    fn finish(operation: &mut Operation<u8>, ending: Ending, room: Room<'_>) -> Result<Written> {
        operation.finish(
            ending,
            room,
            |_| Ok(2),
            |_, out| {
                out[..2].copy_from_slice(b"ok");
                Ok(2)
            },
        )
    }

    #[test]
    fn only_telling_the_length_keeps_it() {
        let mut operation = started();
        let query = finish(&mut operation, Ending::Whole, Room::LengthQuery).unwrap();
        assert_eq!(query, Written::Length(2));
        let short = finish(&mut operation, Ending::Whole, Room::Bytes(&mut [0; 1])).unwrap();
        assert_eq!(short, Written::TooSmall { needed: 2 });
        assert!(operation.is_active());
        finish(&mut operation, Ending::Whole, Room::Bytes(&mut [0; 2])).unwrap();
        assert!(!operation.is_active());
    }

    #[test]
    fn a_failed_part_ends_it() {
        let mut operation = started();
        let refused = operation.absorb(|_| Err(Rv::DataLenRange.because("test")));
        assert_eq!(refused.unwrap_err().rv, Rv::DataLenRange);
        let after = finish(&mut operation, Ending::Parts, Room::LengthQuery).unwrap_err();
        assert_eq!(after.rv, Rv::OperationNotInitialized);
    }

    #[test]
    fn the_whole_after_a_part_is_refused_and_a_second_start_too() {
        let mut operation = started();
        assert_eq!(operation.start(false, || Ok(2)).unwrap_err().rv, Rv::OperationActive);
        operation.absorb(|_| Ok(())).unwrap();
        let refused = finish(&mut operation, Ending::Whole, Room::LengthQuery).unwrap_err();
        assert_eq!(refused.rv, Rv::OperationActive);
        assert!(!operation.is_active());
    }

    #[test]
    fn without_the_second_login_it_is_refused_and_ended() {
        let mut operation = Operation::Idle;
        operation.start(true, || Ok(1)).unwrap();
        assert!(operation.awaits_login());
        operation.unlock();
        assert!(!operation.awaits_login());
        finish(&mut operation, Ending::Whole, Room::Bytes(&mut [0; 2])).unwrap();

        operation.start(true, || Ok(1)).unwrap();
        let refused = finish(&mut operation, Ending::Whole, Room::LengthQuery).unwrap_err();
        assert_eq!(refused.rv, Rv::UserNotLoggedIn);
        assert!(!operation.is_active());
    }
}
