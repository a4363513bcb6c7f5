//! The single seam to the library: what the commands ask of tokens, as plain functions.
//!
//! Each opens a session, logs in if it has to, and leaves nothing open behind it.

mod objects;
mod signing;

use claviger::call::Function;
use claviger::config::{Configuration, StoreKind};
use claviger::error::{Error, Rv};
use claviger::provider::administration::audit::{LogView, Pruned};
use claviger::provider::administration::{self, Publication, Rotation};
use claviger::provider::offers::{PolicyView, rule_problems};
use claviger::provider::{Provider, UserType};
use claviger::secret::Secret;
use claviger::session::state::Access;
use claviger::token::login::Tries;

use crate::failure::{Code, Failure};
use crate::view::{Class, PinState, SlotView};

pub(crate) use signing::{Signed, VerifiedBy};

/// Whose PIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    SecurityOfficer,
    User,
}

/// Which objects are meant; everything that is given must match.
#[derive(Clone, Default, Debug)]
pub(crate) struct Selector {
    pub(crate) class: Option<Class>,
    pub(crate) label: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) unique_id: Option<String>,
}

/// What `key generate` makes.
pub(crate) struct NewKey<'a> {
    pub(crate) algorithm: administration::NewKey,
    pub(crate) naming: administration::Naming<'a>,
}

/// The opened library.
pub(crate) struct Library {
    provider: Provider,
}

impl Library {
    /// Looks which tokens there are; opens none yet.
    pub(crate) fn open(configuration: &Configuration) -> Result<Self, Failure> {
        if configuration.store_kind == StoreKind::Memory {
            let cause = "store.kind is \"memory\": tokens are in the memory of the programs that \
                         make them, and nowhere else";
            return Err(Failure::new(Code::Configuration, cause)
                .or("`claviger` works on tokens on the disk; CLAVIGER_CONF names another file"));
        }
        if let Some(problem) = rule_problems(configuration).into_iter().next() {
            return Err(problem.into());
        }
        Ok(Self { provider: Provider::with(configuration.clone())? })
    }

    /// Every slot, in order. A token that cannot be used is told, and hides no other.
    pub(crate) fn slots(&self) -> Result<Vec<SlotView>, Failure> {
        self.provider.look_for_tokens()?;
        Ok(self.provider.slot_ids().into_iter().map(|slot| self.slot(slot)).collect())
    }

    /// What a token offers and asks for.
    pub(crate) fn policy(&self, slot: u64) -> Result<PolicyView, Failure> {
        Ok(self.provider.policy(slot)?)
    }

    fn slot(&self, slot: u64) -> SlotView {
        let mut view = SlotView {
            slot,
            initialized: false,
            label: String::new(),
            serial: String::new(),
            manufacturer: claviger::provider::MANUFACTURER.to_owned(),
            model: claviger::provider::MODEL.to_owned(),
            write_protected: false,
            error: None,
            user_pin: PinState::NotSet,
            so_pin: PinState::NotSet,
            uri: String::new(),
        };
        match self.provider.token_view(slot) {
            Err(error) => {
                view.serial = self.provider.serial(slot).unwrap_or_default();
                view.error = Some(error.why.into_owned());
            }
            Ok(found) => {
                view.initialized = found.initialized;
                view.label = String::from_utf8_lossy(&found.label).trim_end().to_owned();
                view.serial = found.serial;
                view.write_protected = found.write_protected;
                if found.initialized {
                    view.so_pin = pin_state(found.so_tries);
                }
                if found.user_pin_set {
                    view.user_pin = pin_state(found.user_tries);
                }
            }
        }
        view.make_uri();
        view
    }

    /// Initialises the token in a slot, or a new one, and tells its slot.
    pub(crate) fn init_token(
        &self,
        slot: Option<u64>,
        label: &str,
        so_pin: &Secret,
    ) -> Result<u64, Failure> {
        let mut padded = [b' '; 32];
        for (room, letter) in padded.iter_mut().zip(label.bytes()) {
            *room = letter;
        }
        match slot {
            None => Ok(self.provider.init_another_token(so_pin, &padded)?),
            Some(slot) => {
                let done = self.provider.init_token(slot, so_pin, &padded);
                done.map(|()| slot)
                    .map_err(|error| self.explain(slot, Role::SecurityOfficer, error))
            }
        }
    }

    /// The security officer gives the user a PIN.
    pub(crate) fn init_user_pin(
        &self,
        slot: u64,
        so: &Secret,
        new: &Secret,
    ) -> Result<(), Failure> {
        self.logged_in(slot, Role::SecurityOfficer, so, |session| {
            self.provider.run(Function::InitPin, session, |call| call.init_pin(new))
        })
    }

    /// Changes a PIN by its owner.
    pub(crate) fn change_pin(
        &self,
        slot: u64,
        role: Role,
        old: &Secret,
        new: &Secret,
    ) -> Result<(), Failure> {
        let set =
            |session| self.provider.run(Function::SetPin, session, |call| call.set_pin(old, new));
        match role {
            // Only a security officer who is logged in changes the security officer's PIN.
            Role::SecurityOfficer => self.logged_in(slot, role, old, set),
            Role::User => self
                .in_session(slot, Access::ReadWrite, set)
                .map_err(|error| self.explain(slot, role, error)),
        }
    }

    /// The log of a token, without a login.
    pub(crate) fn log(&self, slot: u64) -> Result<LogView, Failure> {
        Ok(self.provider.log(slot)?)
    }

    /// The unique ids of the objects that were changed outside the token, without a login.
    pub(crate) fn changed_objects(&self, slot: u64) -> Result<Vec<String>, Failure> {
        Ok(self.provider.changed_objects(slot)?)
    }

    /// The security officer takes a token as it is: its log begins anew.
    pub(crate) fn accept_state(&self, slot: u64, so_pin: &Secret) -> Result<(), Failure> {
        let accepted = self.provider.accept_state(slot, so_pin);
        accepted.map_err(|error| self.explain(slot, Role::SecurityOfficer, error))
    }

    /// Begins the next epoch of a token's keys.
    pub(crate) fn rotate(&self, slot: u64, role: Role, pin: &Secret) -> Result<Rotation, Failure> {
        self.logged_in(slot, role, pin, |session| self.provider.rotate(session))
    }

    /// What stands against the claim that an object and the epochs before this are gone.
    pub(crate) fn what_is_left(
        &self,
        slot: u64,
        unique_id: &str,
        epoch: u64,
    ) -> Result<Option<&'static str>, Failure> {
        Ok(self.provider.what_is_left(slot, unique_id, epoch)?)
    }

    /// Remembers that all of a log was exported.
    pub(crate) fn mark_exported(&self, log: &LogView) -> Result<(), Failure> {
        Ok(self.provider.mark_exported(log)?)
    }

    /// Removes old entries that were exported from the beginning of a log.
    pub(crate) fn prune(&self, slot: u64, log: &LogView) -> Result<Pruned, Failure> {
        Ok(self.provider.prune(slot, log)?)
    }

    /// What records of a token say of an input.
    pub(crate) fn input_hash(
        &self,
        slot: u64,
        pin: &Secret,
        input: &mut dyn std::io::Read,
    ) -> Result<String, Failure> {
        self.logged_in(slot, Role::User, pin, |_| self.provider.input_hash(slot, input))
    }

    /// Publishes the log of a token.
    pub(crate) fn publish(&self, slot: u64, pin: &Secret) -> Result<Publication, Failure> {
        self.logged_in(slot, Role::User, pin, |_| self.provider.publish(slot))
    }

    /// Deletes a token and all that is on it.
    pub(crate) fn delete_token(&self, slot: u64, so_pin: &Secret) -> Result<(), Failure> {
        let deleted = self.provider.delete_token(slot, so_pin);
        deleted.map_err(|error| self.explain(slot, Role::SecurityOfficer, error))
    }

    fn in_session<T>(
        &self,
        slot: u64,
        access: Access,
        body: impl FnOnce(u64) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let session = self.provider.open_session(slot, access)?;
        let done = body(session);
        // The last session of a token to close logs out.
        self.provider.run(Function::CloseSession, session, |call| call.close_session())?;
        done
    }

    fn logged_in<T>(
        &self,
        slot: u64,
        role: Role,
        pin: &Secret,
        body: impl FnOnce(u64) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let user = match role {
            Role::SecurityOfficer => UserType::SecurityOfficer,
            Role::User => UserType::User,
        };
        let done = self.in_session(slot, self.best_access(slot), |session| {
            self.provider.run(Function::Login, session, |call| call.login(user, pin))?;
            body(session)
        });
        done.map_err(|error| self.explain(slot, role, error))
    }

    /// Where nothing can be written one may still look.
    fn best_access(&self, slot: u64) -> Access {
        match self.provider.token_view(slot) {
            Ok(view) if view.write_protected => Access::ReadOnly,
            _ => Access::ReadWrite,
        }
    }

    /// Says whose PIN it was, and how many tries are left.
    fn explain(&self, slot: u64, role: Role, error: Error) -> Failure {
        let whose = match role {
            Role::SecurityOfficer => "security officer's PIN",
            Role::User => "user PIN",
        };
        let token = self.slot(slot);
        let state = match role {
            Role::SecurityOfficer => token.so_pin,
            Role::User => token.user_pin,
        };
        let unlock = match role {
            Role::SecurityOfficer => "nobody can unlock it; the user PIN goes on working",
            Role::User => "the security officer sets a new one: `claviger pin reset`",
        };
        match error.rv {
            Rv::PinIncorrect if state == PinState::Locked => Failure::from(error)
                .because(format!("the {whose} was wrong, and is locked now"))
                .or(unlock),
            Rv::PinIncorrect if state == PinState::FinalTry => {
                Failure::from(error).because(format!("the {whose} is wrong; one try is left"))
            }
            Rv::PinIncorrect => Failure::from(error).because(format!("the {whose} is wrong")),
            Rv::PinLocked => {
                Failure::from(error).because(format!("the {whose} is locked")).or(unlock)
            }
            _ => error.into(),
        }
    }
}

const fn pin_state(tries: Tries) -> PinState {
    match tries {
        Tries::All => PinState::Ok,
        Tries::Fewer => PinState::CountLow,
        Tries::Last => PinState::FinalTry,
        Tries::None => PinState::Locked,
    }
}
