//! The single seam to the library: what the commands ask of tokens, as plain functions.

use claviger::config::Configuration;
use claviger::secret::Secret;

use crate::failure::{Code, Failure};
use crate::key::Algorithm;
use crate::view::{Class, ObjectView, SlotView};

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
    pub(crate) algorithm: Algorithm,
    pub(crate) label: &'a str,
    pub(crate) id: Option<&'a [u8]>,
}

/// The opened library.
pub(crate) struct Library {}

fn missing() -> Failure {
    Failure::new(Code::Failed, "not built")
}

#[allow(unused_variables, clippy::unused_self, clippy::needless_pass_by_value)]
impl Library {
    pub(crate) fn open(configuration: &Configuration) -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Every slot, in order.
    pub(crate) fn slots(&self) -> Result<Vec<SlotView>, Failure> {
        Ok(Vec::new())
    }

    /// Initialises the token in a slot, or a new one, and tells its slot.
    pub(crate) fn init_token(
        &self,
        slot: Option<u64>,
        label: &str,
        so_pin: &Secret,
    ) -> Result<SlotView, Failure> {
        Err(missing())
    }

    /// The security officer gives the user a PIN.
    pub(crate) fn init_user_pin(
        &self,
        slot: u64,
        so: &Secret,
        new: &Secret,
    ) -> Result<(), Failure> {
        Err(missing())
    }

    /// Changes a PIN by its owner.
    pub(crate) fn change_pin(
        &self,
        slot: u64,
        role: Role,
        old: &Secret,
        new: &Secret,
    ) -> Result<(), Failure> {
        Err(missing())
    }

    /// Makes a key or a key pair on the token; gives the objects.
    pub(crate) fn generate_key(
        &self,
        slot: u64,
        pin: &Secret,
        key: &NewKey<'_>,
    ) -> Result<Vec<ObjectView>, Failure> {
        Err(missing())
    }

    /// The objects that match; without a PIN the public ones.
    pub(crate) fn list_objects(
        &self,
        slot: u64,
        pin: Option<&Secret>,
        selector: &Selector,
    ) -> Result<Vec<ObjectView>, Failure> {
        Err(missing())
    }

    /// Deletes the objects with these unique ids; tells how many there were.
    pub(crate) fn delete_objects(
        &self,
        slot: u64,
        pin: &Secret,
        unique_ids: &[&str],
    ) -> Result<usize, Failure> {
        Err(missing())
    }

    /// Deletes a token and all that is on it.
    pub(crate) fn delete_token(&self, slot: u64, so_pin: &Secret) -> Result<(), Failure> {
        Err(missing())
    }
}
