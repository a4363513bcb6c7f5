//! What `doctor` finds: all right, worth knowing, or to be mended.
//! Every problem says how.

use serde::Serialize;

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Ok,
    Note,
    Problem,
}

/// One thing that was looked at.
#[derive(Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) topic: &'static str,
    pub(super) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

#[derive(Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, topic: &'static str, what: impl Into<String>) {
        self.0.push(Finding { level: Level::Ok, topic, what: what.into(), mend: None });
    }

    pub(super) fn note(
        &mut self,
        topic: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let mend = Some(mend.into()).filter(|mend| !mend.is_empty());
        self.0.push(Finding { level: Level::Note, topic, what: what.into(), mend });
    }

    pub(super) fn problem(
        &mut self,
        topic: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let mend = Some(mend.into());
        self.0.push(Finding { level: Level::Problem, topic, what: what.into(), mend });
    }
}
