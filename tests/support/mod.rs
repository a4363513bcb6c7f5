//! What every test through the C ABI stands on: a process of its own, the module loaded as a
//! host would load it, and short ways to say what a call must answer.

pub mod children;
pub mod crowd;
pub mod elf;
pub mod encapsulation;
pub mod functions;
pub mod host;
pub mod isolation;
pub mod known;
pub mod log;
pub mod messages;
pub mod module;
pub mod openssl;
pub mod operations;
pub mod rv;
pub mod session;
pub mod syncs;
pub mod template;
pub mod token;
#[cfg(feature = "witness")]
pub mod witness;
pub mod wrapping;

pub use isolation::{Bench, isolated};
pub use module::Module;
pub(crate) use module::call;
pub use rv::{Refused, Rv};
pub use session::Session;
pub use template::Template;
pub(crate) use template::template;
pub use token::{SO_PIN, Token, USER_PIN};
