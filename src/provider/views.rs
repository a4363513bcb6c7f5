//! Which view a program has of a token: by `CLAVIGER_VIEW`, by its name, by what it has loaded,
//! or else as `view.show` says.
//!
//! The program is looked at in C_Initialize, and again when somebody calls that a second time or
//! asks which slots there are: a library that came later asks too.

use std::sync::{Arc, PoisonError, RwLock};

use crate::config::{Configuration, ViewChoice};
use crate::system::process;
use crate::token::view::View;

use super::administration::key_name;

/// What of the host decides.
#[derive(Clone, Default, Debug)]
pub(super) struct Host {
    /// The program's file name.
    program: String,
    /// The paths of the files that are mapped to be run.
    loaded: Vec<String>,
    /// Whether something among them gives up on all keys at one of an unknown type: found out once,
    /// since every session asks.
    needs_classic: bool,
}

/// What was last seen of the host; nothing for the tool, which sees everything.
#[derive(Default)]
pub(super) struct Watch(Option<RwLock<Arc<Host>>>);

impl Host {
    fn now() -> Self {
        Self::with(process::program_name(), process::loaded_files())
    }

    fn with(program: String, loaded: Vec<String>) -> Self {
        let needs_classic = loaded.iter().any(|path| gives_up(path));
        Self { program, loaded, needs_classic }
    }

    fn choice<'c>(&self, of: &'c Configuration) -> &'c ViewChoice {
        let views = &of.views;
        let by_name = || views.programs.iter().find(|(name, _)| *name == self.program);
        let by_library = || {
            views.libraries.iter().find(|(name, _)| {
                let begins =
                    |path: &String| path.rsplit('/').next()?.starts_with(name).then_some(());
                self.loaded.iter().any(|path| begins(path).is_some())
            })
        };
        let chosen = by_name().or_else(by_library).map_or(&views.show, |(_, view)| view);
        of.forced_view.as_ref().unwrap_or(chosen)
    }
}

/// Whether a library is libp11, its engine, or its provider. The provider that is not libp11's has
/// the engine's file name, in another folder.
fn gives_up(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let is_engine = parts.next().is_some_and(|folder| folder.starts_with("engines"));
    name.starts_with("libp11.so")
        || name == "pkcs11prov.so"
        || (is_engine && matches!(name, "pkcs11.so" | "libpkcs11.so"))
}

impl Watch {
    /// Looks at this process.
    pub(super) fn begin() -> Self {
        Self(Some(RwLock::new(Arc::new(Host::now()))))
    }

    /// Looks again.
    pub(super) fn again(&self) {
        if let Some(host) = &self.0 {
            let now = Arc::new(Host::now());
            *host.write().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }

    /// What this process sees of a token with this configuration.
    pub(super) fn view(&self, of: &Configuration) -> View {
        let Some(host) = &self.0 else { return View::Full };
        let host = Arc::clone(&host.read().unwrap_or_else(PoisonError::into_inner));
        match host.choice(of) {
            ViewChoice::Auto if host.needs_classic => View::Classic,
            ViewChoice::Auto | ViewChoice::Full => View::Full,
            ViewChoice::Classic => View::Classic,
            ViewChoice::Only(kinds) => View::Only { kinds: kinds.clone(), name_of: key_name },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn the_engine_and_the_provider_of_one_name_are_told_apart() {
        let lib = "/usr/lib/x86_64-linux-gnu";
        for (path, classic) in [
            ("engines-3/pkcs11.so", true),
            ("engines-3/libpkcs11.so", true),
            ("engines-1.1/pkcs11.so", true),
            ("libp11.so.3.6.0", true),
            ("ossl-modules/pkcs11prov.so", true),
            ("ossl-modules/pkcs11.so", false),
            ("opensc-pkcs11.so", false),
            ("libp11-kit.so.0", false),
            ("libpkcs11.so", false),
            ("libclaviger.so", false),
        ] {
            let loaded = vec!["/bin/true".to_owned(), format!("{lib}/{path}")];
            assert_eq!(Host::with("true".to_owned(), loaded).needs_classic, classic, "{path}");
        }
    }
}
