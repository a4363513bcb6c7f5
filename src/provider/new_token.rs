//! A new token and a session of its user, for tests of what the tool does with one.

use std::path::Path;

use crate::call::Function::{InitPin, Login, Logout};
use crate::config::Configuration;
use crate::secret::Secret;
use crate::session::state::Access;

use super::{Provider, UserType};

/// Makes the token in a directory, with all else as the configuration has it. The provider, the
/// slot and the session.
pub(crate) fn new_token(
    directory: &Path,
    mut configuration: Configuration,
) -> (Provider, u64, u64) {
    configuration.directory = directory.to_owned();
    (configuration.argon2_memory_kib, configuration.argon2_passes) = (64, 1);
    configuration.shared_fs = true;
    let provider = Provider::with(configuration).unwrap();
    let pin = Secret::copy_of(b"a pin").unwrap();
    let slot = provider.init_another_token(&pin, &[b' '; 32]).unwrap();
    let session = provider.open_session(slot, Access::ReadWrite).unwrap();
    let login = |who| provider.run(Login, session, |call| call.login(who, &pin)).unwrap();
    login(UserType::SecurityOfficer);
    provider.run(InitPin, session, |call| call.init_pin(&pin)).unwrap();
    provider.run(Logout, session, |call| call.logout()).unwrap();
    login(UserType::User);
    (provider, slot, session)
}
