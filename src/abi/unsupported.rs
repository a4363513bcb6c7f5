//! The functions that are exported and not built yet. Each answers what the checks before it
//! say (initialised, a session that is there), then CKR_FUNCTION_NOT_SUPPORTED.
//! `docs/not-supported.md` lists them; a test compares.

use crate::call::Function;
use crate::cryptoki::{
    CK_ASYNC_DATA_PTR, CK_BYTE_PTR, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_ULONG_PTR,
    CK_UTF8CHAR_PTR,
};
use crate::error::Rv;

use super::in_session;

/// One line a function: its name, its name in the table of calls, and what it takes after the
/// session. The arguments are not looked at.
macro_rules! not_built {
    ($($c_name:ident: $name:ident($($argument:ty),*);)*) => { $(
        /// # Safety
        /// None of its own: no pointer is looked at.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $c_name(
            session: CK_SESSION_HANDLE, $(_: $argument),*
        ) -> CK_RV {
            in_session(Function::$name, session, |_call| {
                Err(Rv::FunctionNotSupported.because("not built yet"))
            })
        }
    )* };
}

not_built! {
    C_AsyncComplete: AsyncComplete(CK_UTF8CHAR_PTR, CK_ASYNC_DATA_PTR);
    C_AsyncGetID: AsyncGetId(CK_UTF8CHAR_PTR, CK_ULONG_PTR);
    C_AsyncJoin: AsyncJoin(CK_UTF8CHAR_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG);
}
