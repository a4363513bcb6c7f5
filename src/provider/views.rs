//! Which view a program has of a token: by `CLAVIGER_VIEW`, by its name, by what it has loaded,
//! or else as `view.show` says. And in which form points read.
//!
//! The program is looked at in C_Initialize, and again when somebody calls that a second time or
//! asks which slots there are: a library that came later asks too.

use std::sync::{Arc, PoisonError, RwLock};

use crate::config::{Configuration, Points, ViewChoice};
use crate::error::Result;
use crate::object::curve;
use crate::object::template::Template;
use crate::system::process;
use crate::token::view::View;

use super::Call;
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
    /// Whether something among them may know points in octet strings only.
    needs_octets: bool,
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
        let needs_octets = loaded.iter().any(|path| wants_octets(path));
        Self { program, loaded, needs_classic, needs_octets }
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

/// Whether a library reads points of Edwards curves in octet strings: GnuTLS, which before 3.8.9
/// knew no other form, and OpenSC before 0.27 (pkcs11-tool), which knows no other, as 0.27 does not
/// know this one.
fn wants_octets(path: &str) -> bool {
    const LAST_OPENSC: u32 = 12;
    let name = path.rsplit('/').next().unwrap_or_default();
    let version = name.strip_prefix("libopensc.so.").and_then(|rest| rest.split('.').next());
    let opensc = version.and_then(|version| version.parse().ok());
    name.starts_with("libgnutls.so") || opensc.is_some_and(|version: u32| version <= LAST_OPENSC)
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

    fn host(&self) -> Option<Arc<Host>> {
        let host = self.0.as_ref()?;
        Some(Arc::clone(&host.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Whether points read as octet strings in this process.
    pub(super) fn octet_points(&self, of: &Configuration) -> bool {
        match of.views.points {
            Points::Auto => self.host().is_some_and(|host| host.needs_octets),
            Points::Bare => false,
            Points::Octets => true,
        }
    }

    /// What this process sees of a token with this configuration.
    pub(super) fn view(&self, of: &Configuration) -> View {
        let Some(host) = self.host() else { return View::Full };
        match host.choice(of) {
            ViewChoice::Auto if host.needs_classic => View::Classic,
            ViewChoice::Auto | ViewChoice::Full => View::Full,
            ViewChoice::Classic => View::Classic,
            ViewChoice::Only(kinds) => View::Only { kinds: kinds.clone(), name_of: key_name },
        }
    }
}

impl Call<'_> {
    /// The attributes of an object as this program reads them, where they are not as they stand.
    pub(crate) fn as_read(&self, attributes: &Template) -> Result<Option<Template>> {
        if !self.open.octet_points {
            return Ok(None);
        }
        curve::with_octet_point(attributes)
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

    #[test]
    fn libraries_that_read_octet_strings_are_known() {
        for (library, octets) in [
            ("libgnutls.so.30", true),
            ("libopensc.so.8.0.0", true),
            ("libopensc.so.12", true),
            ("libopensc.so.13.0.0", false),
            ("libgnutls-openssl.so.27", false),
            ("opensc-pkcs11.so", false),
            ("libp11-kit.so.0", false),
        ] {
            let loaded = vec![format!("/usr/lib/{library}")];
            assert_eq!(Host::with("true".to_owned(), loaded).needs_octets, octets, "{library}");
        }
    }
}
