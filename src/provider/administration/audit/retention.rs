//! What is old and was exported goes: `audit.retain` and `claviger audit prune`.
//!
//! A log is checked whole before anything of it is removed: one that was changed outside is
//! evidence, and stays as it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{LogView, missing};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::leaf::Leaf;
use crate::audit::note::Note;
use crate::audit::tile::WIDTH;
use crate::error::{Error, Result, Rv};
use crate::provider::Provider;
use crate::store::log::retention::Retention;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What was removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pruned {
    /// The first entry that is there now.
    pub first: u64,
    /// How many entries were removed.
    pub entries: u64,
    /// How many bytes they took.
    pub bytes: u64,
    /// Why nothing, or no more, was removed.
    pub limit: PruneLimit,
}

/// What keeps the first entry that was not removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PruneLimit {
    /// `audit.retain` is 0.
    Everything,
    /// It was not exported.
    NotExported,
    /// It is not old enough.
    Young,
    /// Its bundle is one of the last: those stay.
    Last,
}

impl Provider {
    /// Remembers that all of this log was exported.
    ///
    /// # Errors
    /// The store's.
    pub fn mark_exported(&self, log: &LogView) -> Result<()> {
        Ok(self.retention(log).mark_exported(&log.checkpoint)?)
    }

    fn retention(&self, log: &LogView) -> Retention {
        Retention::of(&log.directory, self.configuration.access())
    }

    /// Removes whole bundles of entries from the beginning of a log of the token in a slot:
    /// those that were exported and whose entries are older than `audit.retain` days.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` for a log that is not what was signed; the store's.
    pub fn prune(&self, slot: u64, log: &LogView) -> Result<Pruned> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.prune_at(slot, log, now)
    }

    fn prune_at(&self, slot: u64, log: &LogView, now: Duration) -> Result<Pruned> {
        let (newest, first) = ages(log)?;
        let nothing = |limit| Pruned { first: first * WIDTH, entries: 0, bytes: 0, limit };
        let retain = DAY.saturating_mul(self.configuration.audit.retain);
        if retain.is_zero() {
            return Ok(nothing(PruneLimit::Everything));
        }
        let retention = self.retention(log);
        let Some(exported) = retention.exported()? else {
            return Ok(nothing(PruneLimit::NotExported));
        };
        let exported = exported_size(log, &exported)? / WIDTH;
        // The last leaf is needed at every login and every change.
        let last = log.size.saturating_sub(1) / WIDTH;
        let before = now.saturating_sub(retain).as_micros();
        let mut end = first;
        let limit = loop {
            let place = usize::try_from(end).unwrap_or(usize::MAX);
            match newest.get(place) {
                _ if end >= last => break PruneLimit::Last,
                _ if end >= exported => break PruneLimit::NotExported,
                Some(newest) if u128::from(*newest) < before => end = end.saturating_add(1),
                _ => break PruneLimit::Young,
            }
        };
        if end == first {
            return Ok(nothing(limit));
        }
        if first == 0 {
            keep_previous(log, &self.configuration)?;
        }
        let token = self.slot(slot)?.token();
        let token = token.ok_or_else(|| Rv::TokenNotRecognized.because("the token went away"))?;
        token.record_command("claviger audit prune")?;
        let bytes = retention.remove(first..end)?;
        Ok(Pruned { first: end * WIDTH, entries: (end - first) * WIDTH, bytes, limit })
    }
}

/// For each bundle the time of the newest entry up to there, in microseconds, and which bundle is
/// the first that is there; of a log that is what was signed.
fn ages(log: &LogView) -> Result<(Vec<u64>, u64)> {
    let mut newest: Vec<u64> = Vec::new();
    let keys: Vec<_> = log.key.iter().cloned().collect();
    let report = log.verify(&keys, &mut |index, leaf, _| {
        let place = usize::try_from(index / WIDTH).unwrap_or(usize::MAX);
        let so_far = newest.last().copied().unwrap_or(0);
        while newest.len() <= place {
            newest.push(so_far);
        }
        if let Some(last) = newest.last_mut() {
            *last = time(leaf).unwrap_or(0).max(*last);
        }
    });
    match report.fault {
        Some(fault) => Err(distrusted(&fault.to_string())),
        None => Ok((newest, report.removed / WIDTH)),
    }
}

fn time(leaf: &Leaf<'_>) -> Option<u64> {
    let time = match leaf {
        Leaf::Use(record) | Leaf::Change(record) | Leaf::Unauthenticated(record) => record.time,
        Leaf::LaneOpened(opened) => opened.time,
        Leaf::LaneClosed { time, .. }
        | Leaf::LaneCut { time, .. }
        | Leaf::LaneDistrusted { time, .. }
        | Leaf::Quarantined { time, .. }
        | Leaf::Generation { time, .. } => *time,
        Leaf::State(_) => return None,
    };
    Some(time.micros())
}

/// How many entries were exported: the checkpoint of the export must be one of this log.
fn exported_size(log: &LogView, exported: &str) -> Result<u64> {
    let parse = |note: &str| {
        let note = Note::parse(note.as_bytes())?;
        Checkpoint::parse(note.text())
    };
    let wrong = |why: &str| distrusted(&format!("the mark of the last export: {why}"));
    let own = parse(&log.checkpoint).map_err(|why| distrusted(&why.to_string()))?;
    let marked = match &log.key {
        Some(key) => Checkpoint::open(exported.as_bytes(), std::slice::from_ref(key)),
        None => parse(exported),
    };
    let marked = marked.map_err(|why| wrong(&why.to_string()))?;
    if marked.origin != own.origin || marked.size > own.size {
        return Err(wrong("it is another log's"));
    }
    Ok(marked.size)
}

/// The first entry names the last checkpoint of the log before: that goes to where it belongs.
fn keep_previous(log: &LogView, configuration: &crate::config::Configuration) -> Result<()> {
    let first = log.entry(0).map_err(|fault| distrusted(&fault.to_string()))?;
    let Ok(Leaf::Generation { number, previous: Some(previous), .. }) = Leaf::parse(&first) else {
        return Ok(());
    };
    let before = log.directory.with_file_name(number.saturating_sub(1).to_string());
    if !before.is_dir() {
        return Ok(());
    }
    Ok(Retention::of(&before, configuration.access()).keep_checkpoint(&previous)?)
}

fn distrusted(why: &str) -> Error {
    Rv::DeviceError.because(format!("{why}; nothing is removed"))
}

impl LogView {
    /// The checkpoint that the first entry of this log names; or, where that was removed, the
    /// one that was kept with the log before.
    pub(super) fn previous(&self) -> std::result::Result<String, super::Fault> {
        let number = self.generation.saturating_sub(1);
        let unknown = || missing(&format!("a checkpoint of generation {number}"));
        if let Ok(first) = self.entry(0) {
            return match Leaf::parse(&first) {
                Ok(Leaf::Generation { previous: Some(previous), .. }) => Ok(previous.into_owned()),
                _ => Err(unknown().into()),
            };
        }
        let kept = self.directory.with_file_name(number.to_string()).join("checkpoint");
        let kept = super::read_file(&kept).ok().flatten();
        kept.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| unknown().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;
    use crate::provider::UserType;
    use crate::provider::administration::{Naming, NewKey};
    use crate::provider::new_token::new_token;
    use crate::secret::Secret;
    use crate::session::state::Access;

    /// A token with so many key pairs, three entries each, and its slot.
    fn token(directory: &std::path::Path, keys: usize) -> (Provider, u64) {
        let mut configuration = Configuration::default();
        configuration.audit.retain = 30;
        let (provider, slot, session) = new_token(directory, configuration);
        make(&provider, session, keys);
        (provider, slot)
    }

    fn make(provider: &Provider, session: u64, keys: usize) {
        let kind: NewKey = "ed25519".parse().unwrap();
        let naming = Naming { label: "key", id: None, extractable: false };
        for _ in 0..keys {
            provider.make_key(session, kind, &naming).unwrap();
        }
    }

    fn now() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
    }

    fn bundles(log: &LogView) -> Vec<u64> {
        let is_there =
            |index: &u64| log.directory.join(format!("tile/entries/{index:03}")).exists();
        (0..9).filter(is_there).collect()
    }

    #[test]
    fn what_is_old_and_exported_goes_and_the_rest_stays_provable() {
        let directory = tempfile::tempdir().unwrap();
        let (provider, slot) = token(directory.path(), 200);
        let marked = provider.log(slot).unwrap();
        assert!(marked.size > 2 * WIDTH && marked.size < 3 * WIDTH);
        provider.mark_exported(&marked).unwrap();
        let session = provider.open_session(slot, Access::ReadWrite).unwrap();
        make(&provider, session, 200);
        let log = provider.log(slot).unwrap();
        let prune = |days: u32| provider.prune_at(slot, &log, now() + DAY * days).unwrap();
        let young = prune(29);
        assert_eq!((young.entries, young.limit), (0, PruneLimit::Young));
        let pruned = prune(31);
        assert_eq!((pruned.first, pruned.entries), (2 * WIDTH, 2 * WIDTH));
        assert_eq!(pruned.limit, PruneLimit::NotExported);
        assert!(pruned.bytes > 100_000);
        assert_eq!(bundles(&log), [2, 3, 4]);
        let again = prune(31);
        assert_eq!((again.first, again.entries), (2 * WIDTH, 0));

        let keys: Vec<_> = log.key.iter().cloned().collect();
        make(&provider, session, 50);
        let log = provider.log(slot).unwrap();
        let mut commands = 0;
        let report = log.verify(&keys, &mut |_, leaf, _| {
            commands += u32::from(matches!(leaf, Leaf::Unauthenticated(record)
                if record.call == "claviger audit prune"));
        });
        assert_eq!((report.fault, report.removed, commands), (None, 2 * WIDTH, 1));
        for index in [2 * WIDTH, log.size - 1] {
            let proof = log.prove(index, log.entry(index).unwrap()).unwrap();
            proof.verify(proof.extra.as_deref().unwrap(), &keys).unwrap();
        }
        assert!(log.entry(2 * WIDTH - 1).is_err());

        provider.mark_exported(&log).unwrap();
        let pruned = provider.prune_at(slot, &log, now() + DAY * 31).unwrap();
        assert_eq!(pruned.limit, PruneLimit::Last);
        assert_eq!(bundles(&log), [log.size / WIDTH]);
        make(&provider, session, 150);
        assert_eq!(provider.log(slot).unwrap().verify(&keys, &mut |_, _, _| {}).fault, None);
    }

    #[test]
    fn the_log_before_is_still_found() {
        let directory = tempfile::tempdir().unwrap();
        let (provider, slot) = token(directory.path(), 0);
        provider.close_all_sessions(slot).unwrap();
        let first = provider.log(slot).unwrap();
        let pin = Secret::copy_of(b"a pin").unwrap();
        provider.init_token(slot, &pin, &[b' '; 32]).unwrap();
        let session = provider.open_session(slot, Access::ReadWrite).unwrap();
        use crate::call::Function::{InitPin, Login, Logout};
        let login = |who| provider.run(Login, session, |call| call.login(who, &pin)).unwrap();
        login(UserType::SecurityOfficer);
        provider.run(InitPin, session, |call| call.init_pin(&pin)).unwrap();
        provider.run(Logout, session, |call| call.logout()).unwrap();
        login(UserType::User);
        make(&provider, session, 100);
        let log = provider.log(slot).unwrap();
        assert_eq!(log.generation, 2);
        let before = log.earlier(1).unwrap();
        assert_eq!(before.size, first.size);
        provider.mark_exported(&log).unwrap();
        let pruned = provider.prune_at(slot, &log, now() + DAY * 31).unwrap();
        assert_eq!(pruned.first, WIDTH);
        let again = provider.log(slot).unwrap().earlier(1).unwrap();
        assert_eq!((again.size, &again.checkpoint), (before.size, &before.checkpoint));
        provider.mark_exported(&before).unwrap();
        let small = provider.prune_at(slot, &before, now() + DAY * 31).unwrap();
        assert_eq!((small.entries, small.limit), (0, PruneLimit::Last));
    }
}
