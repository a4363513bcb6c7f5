//! An initialised token with both PINs set, and sessions on it.

use cryptoki_sys as ck;

use super::isolation::Bench;
use super::module::Module;
use super::session::Session;

/// The security officer's PIN of test tokens.
pub const SO_PIN: &str = "so-secret-1";
/// The user's PIN of test tokens.
pub const USER_PIN: &str = "user-1234";
/// Their label.
pub const LABEL: &str = "test token";

/// A module with a token ready for use.
pub struct Token {
    pub module: Module,
    pub slot: ck::CK_SLOT_ID,
}

impl Bench {
    /// Makes a token with both PINs set; nobody is logged in and no session is open.
    #[track_caller]
    pub fn token(&self) -> Token {
        let module = self.initialised();
        let slot = make_token(&module, LABEL);
        Token { module, slot }
    }
}

/// Initialises the first free token and sets the user's PIN. Gives its slot.
#[track_caller]
pub fn make_token(module: &Module, label: &str) -> ck::CK_SLOT_ID {
    module.init_token(module.free_slot(), SO_PIN, label).expect("C_InitToken");
    let slot = module.slot_of(label).expect("the token has a slot");
    let officer = module.read_write(slot);
    officer.login(ck::CKU_SO, SO_PIN).expect("the officer's login");
    officer.init_pin(USER_PIN).expect("C_InitPIN");
    officer.logout().expect("C_Logout");
    officer.close().expect("C_CloseSession");
    slot
}

impl Token {
    /// A read-write session of nobody.
    #[track_caller]
    pub fn public(&self) -> Session<'_> {
        self.module.read_write(self.slot)
    }

    /// A read-only session of nobody.
    #[track_caller]
    pub fn read_only(&self) -> Session<'_> {
        self.module.read_only(self.slot)
    }

    /// A read-write session of the logged-in user.
    #[track_caller]
    pub fn user(&self) -> Session<'_> {
        let session = self.public();
        session.login(ck::CKU_USER, USER_PIN).expect("the user's login");
        session
    }

    /// A read-write session of the logged-in security officer.
    #[track_caller]
    pub fn officer(&self) -> Session<'_> {
        let session = self.public();
        session.login(ck::CKU_SO, SO_PIN).expect("the officer's login");
        session
    }

    /// True if all of `flags` stand in the token's CK_TOKEN_INFO.
    #[track_caller]
    pub fn has(&self, flags: ck::CK_FLAGS) -> bool {
        self.module.token_has(self.slot, flags)
    }
}
