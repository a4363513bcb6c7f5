//! The records of calls, for the token's audit log: kept before a caller sees what was done.

use crate::call::{Audit, Function};
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::session::{Facts, Running};
use crate::token::objects::Held;

use super::Call;

/// What a record will say of a key and a mechanism.
pub(super) fn facts_of(held: &Held, row: &'static Mechanism) -> Facts {
    let key = Some((std::sync::Arc::clone(&held.object), held.version()));
    Facts { mechanism: Some(row.name), key, partner: None }
}

impl Call<'_> {
    /// Keeps the record of what an operation did; whoever calls this lets no output go before.
    ///
    /// # Errors
    /// The outcome's; or why there is no record, and then the outcome must not be let go.
    pub(super) fn recorded<T, W: ?Sized>(
        &self,
        running: &mut Running<W>,
        outcome: Result<T>,
    ) -> Result<T> {
        self.describe(running)?;
        let outcome = self.count(running).and(outcome);
        running.counted = false;
        // The operation ends with this, and needs them no more. Two keys are two records.
        if let Some((object, version)) = running.facts.partner.take() {
            self.note.names(object, version);
            let rv = outcome.as_ref().map_or_else(|error| error.rv.name(), |_| "CKR_OK");
            let kept = self.token().record(&self.note, rv);
            if outcome.is_ok() {
                kept?;
            }
        }
        if let Some((object, version)) = running.facts.key.take() {
            self.note.names(object, version);
        }
        self.kept(outcome)
    }

    /// Tells the record of an operation that comes to its end what it worked with.
    fn describe<W: ?Sized>(&self, running: &mut Running<W>) -> Result<()> {
        self.note.mechanism.set(running.facts.mechanism);
        self.note.input.set(Some(running.input));
        if let Some(mut hash) = running.hash.take() {
            let mut bytes = [0; 32];
            hash.finish(&mut bytes)?;
            self.note.hash.set(Some(bytes));
        }
        Ok(())
    }

    /// Moves the counter of the key on, for good, and takes a use off it if it has a limit; whoever
    /// gives output, or says that a signature is right, asks for it first.
    ///
    /// # Errors
    /// Those of `next`, `CKR_KEY_EXHAUSTED`, the store's: nothing must be let go then.
    pub(super) fn turn<W: ?Sized>(
        &self,
        running: &mut Running<W>,
        next: impl FnOnce(&mut W, u64) -> Result<u64>,
    ) -> Result<()> {
        self.describe(running)?;
        let Running { facts, counted, work, .. } = running;
        let key = facts.key.as_ref();
        let (key, _) = key.ok_or_else(|| Rv::GeneralError.because("a counter without a key"))?;
        self.token().turn(&self.note, key, |counter| next(work, counter))?;
        *counted = true;
        Ok(())
    }

    /// Takes the use off a key that has a limit, and off its partner, once an operation; whoever
    /// gives output before the end asks for it first.
    ///
    /// # Errors
    /// `CKR_KEY_EXHAUSTED`, the store's: nothing must be let go then.
    pub(super) fn count<W: ?Sized>(&self, running: &mut Running<W>) -> Result<()> {
        if running.counted {
            return Ok(());
        }
        for (object, _) in running.facts.key.iter().chain(&running.facts.partner) {
            self.token().take_use(&self.note, object)?;
            running.counted = true;
        }
        Ok(())
    }

    /// Keeps the record of a use that told the caller only that its room is too small, and goes on.
    ///
    /// # Errors
    /// Why there is no record.
    pub(super) fn record_trial<W: ?Sized>(&self, running: &Running<W>) -> Result<()> {
        self.note.mechanism.set(running.facts.mechanism);
        if let Some((object, version)) = &running.facts.key {
            self.note.names(std::sync::Arc::clone(object), *version);
        }
        self.token().record(&self.note, Rv::BufferTooSmall.name())
    }

    /// Keeps the record of a call, unless there is one already.
    pub(super) fn keep_record<T>(&self, outcome: Result<T>) -> Result<T> {
        let wanted = match (self.function.audit(), &outcome) {
            (Audit::Nothing, _) | (Audit::Failure | Audit::Output, Ok(_)) => false,
            // The caller learned a length; the call is not over.
            (_, Err(error)) => error.rv != Rv::BufferTooSmall,
            (Audit::Outcome, Ok(_)) => true,
        };
        if wanted { self.kept(outcome) } else { outcome }
    }

    fn kept<T>(&self, outcome: Result<T>) -> Result<T> {
        let rv = outcome.as_ref().map_or_else(|error| error.rv.name(), |_| "CKR_OK");
        let kept = self.token().record(&self.note, rv);
        // Without a record there is no success; a failure is told as it is. What ends a login
        // ends it all the same.
        match kept {
            Err(error) if self.function != Function::Logout => outcome.and(Err(error)),
            _ => outcome,
        }
    }
}
