//! The newest entries of a log against its right edge, and what stands behind its end.
//!
//! A login reads what the smaller trees of the edge span: up to 4 095 entries before the last,
//! which for a log of that size is all of it. What is older is `audit::verify`'s.

use super::{End, Log, cut_off, read};
use crate::audit::leaf::Leaf;
use crate::audit::tile::{Kind, WIDTH, entries};
use crate::audit::tree::{Frontier, Hash, leaf_hash};
use crate::store::StoreError;

/// Entries that are read are fewer than this, a power of two.
const SPAN: u64 = 4_096;

fn changed() -> StoreError {
    StoreError::Distrusted("entries of the log were changed, dropped or reordered".to_owned())
}

/// The trees of the edge that span less than `SPAN` entries: their hashes, one after the other.
fn smaller_trees(edge: &[u8], size: u64) -> Option<&[u8]> {
    let hashes = usize::try_from((size % SPAN).count_ones()).ok()?.checked_mul(32)?;
    edge.get(edge.len().checked_sub(hashes)?..)
}

impl Log {
    /// Checks the newest entries against the right edge of the log without its last leaf. Gives
    /// how many whole commits stand behind the end.
    pub(in crate::store) fn check_newest(&self, end: End, edge: &[u8]) -> Result<u64, StoreError> {
        let before_last = end.size.checked_sub(1).ok_or_else(cut_off)?;
        let start = before_last.saturating_sub(before_last % SPAN);
        let mut fresh = Frontier::new();
        let mut index = start;
        let mut may_be_gone = true;
        while index < before_last {
            let wanted = before_last.saturating_sub(index).min(WIDTH);
            let hashes = self.leaf_hashes(index / WIDTH, &mut may_be_gone)?;
            let hashes = usize::try_from(wanted).ok().and_then(|wanted| hashes.get(..wanted));
            for hash in hashes.ok_or_else(changed)? {
                fresh.append_to(*hash, |_| {}).map_err(|_| changed())?;
            }
            index = index.saturating_add(wanted);
        }
        let fresh = fresh.to_bytes();
        let found = fresh.get(8..).unwrap_or_default();
        if smaller_trees(edge, before_last) != Some(found) {
            return Err(changed());
        }
        self.behind(end)
    }

    /// The hashes of a bundle's entries. Of bundles that were exported and removed, which are the
    /// first ones, the tile of hashes stays.
    fn leaf_hashes(&self, index: u64, may_be_gone: &mut bool) -> Result<Vec<Hash>, StoreError> {
        if let Some(bundle) = self.bundle(index)? {
            *may_be_gone = false;
            return Ok(entries(&bundle).map_while(|entry| entry.map(leaf_hash)).collect());
        }
        let tile = if *may_be_gone { read(&self.full(Kind::Hashes(0), index))? } else { None };
        Ok(tile.ok_or_else(cut_off)?.as_chunks().0.to_vec())
    }

    fn bundle(&self, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        read(&self.full(Kind::Entries, index))
    }

    /// True if something stands behind the end: of a commit that its process did not live to see.
    pub(in crate::store) fn goes_on_behind(&self, end: End) -> bool {
        let bundle = self.full(Kind::Entries, end.size / WIDTH);
        std::fs::symlink_metadata(bundle).is_ok_and(|found| found.len() > end.offset())
    }

    /// The state leaves behind the end, in the bundle where the next leaf goes. Each commit ends
    /// with one.
    fn behind(&self, end: End) -> Result<u64, StoreError> {
        let bundle = self.bundle(end.size / WIDTH)?.unwrap_or_default();
        let known = usize::try_from(end.size % WIDTH).unwrap_or(0);
        let at: usize = entries(&bundle)
            .take(known)
            .map(|entry| entry.map_or(0, |entry| entry.len().saturating_add(2)))
            .fold(0, usize::saturating_add);
        if u64::try_from(at) != Ok(end.offset()) {
            return Err(changed());
        }
        let state = |entry: &[u8]| matches!(Leaf::parse(entry), Ok(Leaf::State(_)));
        let rest = bundle.get(at..).unwrap_or_default();
        let states = entries(rest).flatten().filter(|entry| state(entry)).count();
        Ok(u64::try_from(states).unwrap_or(u64::MAX))
    }
}
