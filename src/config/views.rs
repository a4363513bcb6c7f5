//! `[view]`: which keys a program sees, by its name and by what it has loaded. A key of a type
//! that a program does not know can keep it from using all others.

use toml::de::DeValue;

use super::policy::{pairs, parted};
use super::settings::{Setting, Value, shown, text, word};

/// Which keys are seen.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum ViewChoice {
    /// `classic` for programs that have a library loaded which needs it, `full` for all others.
    #[default]
    Auto,
    /// All.
    Full,
    /// Of key pairs those of RSA and of elliptic curves for ECDSA, and their certificates.
    Classic,
    /// Keys of these types, as `claviger object list` names them.
    Only(Vec<String>),
}

/// How `CKA_EC_POINT` of a key on an Edwards or Montgomery curve reads.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Points {
    /// `Octets` for programs that have a library loaded which may know no other form.
    #[default]
    Auto,
    /// The bare bytes, as PKCS#11 3.2 has it.
    Bare,
    /// In a DER octet string, as PKCS#11 3.0 had it.
    Octets,
}

const POINTS: &[(&str, Points)] =
    &[("auto", Points::Auto), ("bare", Points::Bare), ("octets", Points::Octets)];

/// All of `[view]`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Views {
    /// What programs see that nothing else is said of.
    pub show: ViewChoice,
    /// By the file name of the program.
    pub programs: Vec<(String, ViewChoice)>,
    /// By the beginning of the file name of a library that is loaded.
    pub libraries: Vec<(String, ViewChoice)>,
    /// How points of Edwards and Montgomery curves read.
    pub points: Points,
}

impl ViewChoice {
    /// What a word, or names with commas between them, choose.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "full" => Ok(Self::Full),
            "classic" => Ok(Self::Classic),
            list => parted(list).map(Self::Only).ok_or_else(|| {
                "must be \"auto\", \"full\", \"classic\" or key types, \"rsa,ec\"".to_owned()
            }),
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Full => "full".to_owned(),
            Self::Classic => "classic".to_owned(),
            Self::Only(kinds) => kinds.join(","),
        }
    }

    /// The names of key types that it has.
    pub(crate) fn kinds(&self) -> &[String] {
        match self {
            Self::Only(kinds) => kinds,
            Self::Auto | Self::Full | Self::Classic => &[],
        }
    }
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "view.show",
        accept: |to, value| ViewChoice::parse(text(value)?).map(|it| to.views.show = it),
        show: |of| Value::Text(of.views.show.written()),
        meaning: "which keys programs see: all, or only those that they can stand",
    },
    Setting {
        key: "view.programs",
        accept: |to, value| named(value).map(|it| to.views.programs = it),
        show: |of| listed(&of.views.programs),
        meaning: "what single programs see, by their file names",
    },
    Setting {
        key: "view.libraries",
        accept: |to, value| named(value).map(|it| to.views.libraries = it),
        show: |of| listed(&of.views.libraries),
        meaning: "what programs see that have a library loaded, by the beginning of its name",
    },
    Setting {
        key: "view.points",
        accept: |to, value| word(value, POINTS).map(|it| to.views.points = it),
        show: |of| shown(POINTS, of.views.points),
        meaning: "how points of Edwards and Montgomery curves read: bare, or in an octet string",
    },
];

fn named(value: &DeValue<'_>) -> Result<Vec<(String, ViewChoice)>, String> {
    pairs(value, "NAME=VIEW, like [\"openssl=classic\"]", ViewChoice::parse)
}

fn listed(named: &[(String, ViewChoice)]) -> Value {
    Value::List(named.iter().map(|(name, view)| format!("{name}={}", view.written())).collect())
}
