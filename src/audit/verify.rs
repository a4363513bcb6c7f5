//! A whole log against its checkpoint, by someone who trusts nothing but a key.
//!
//! One pass in flat memory: every entry is read as a leaf, hashed into the tree, and held
//! against the order that a log must have; every tile on disk must be the one that the entries
//! make; the root must be the checkpoint's. Bundles may be missing from the beginning (exported
//! and removed): their tiles stand for them, and what they said is not checked. The first fault
//! ends the pass. `order` has the rules of the leaves. A `Walk` goes on where the log has grown.

use std::fmt;
use std::ops::ControlFlow;

use super::checkpoint::Checkpoint;
use super::leaf::Leaf;
use super::line::LineError;
use super::note::{Note, NoteError, VerifierKey};
use super::order::{Counts, Order};
use super::tile::{HEIGHT, Kind, Tile, WIDTH, entries, hash_in};
use super::tree::{Frontier, Hash, leaf_hash};

/// Reads the files of a log by their paths in its directory.
pub trait Files {
    /// A file's bytes; `None` if there is no such file.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;
}

impl<F: Fn(&str) -> Result<Option<Vec<u8>>, String>> Files for F {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        self(path)
    }
}

/// What is wrong with a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The checkpoint is malformed, or not signed as it should be.
    Checkpoint(NoteError),
    /// A file cannot be read.
    Unreadable(String, String),
    /// A file is missing.
    Missing(String),
    /// A file holds other bytes than the log makes.
    Differs(String),
    /// An entry that is no leaf.
    Syntax(LineError),
    /// A leaf that must not stand there.
    Order(&'static str),
    /// The entries are not those that the checkpoint was signed for.
    Root,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(why) => write!(f, "checkpoint: {why}"),
            Self::Unreadable(path, why) => write!(f, "{path} cannot be read: {why}"),
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::Differs(path) => write!(f, "{path} does not hold what the log makes"),
            Self::Syntax(why) => write!(f, "not a leaf: {why}"),
            Self::Order(why) => f.write_str(why),
            Self::Root => f.write_str("the entries do not make the root that was signed"),
        }
    }
}

/// A fault and, if it is one leaf's, where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The leaf's place in the log.
    pub index: Option<u64>,
    /// What is wrong.
    pub what: What,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "entry {index}: {}", self.what),
            None => self.what.fmt(f),
        }
    }
}

impl From<What> for Fault {
    fn from(what: What) -> Self {
        Self { index: None, what }
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// What the log was held against, once it could be read.
    pub checkpoint: Option<Checkpoint>,
    /// How many of the keys have signed it; 0 also if no keys were given.
    pub signatures: usize,
    /// Entries at the beginning that are no longer there.
    pub removed: u64,
    /// What the entries were, up to the fault if there is one.
    pub counts: Counts,
    /// The first fault.
    pub fault: Option<Fault>,
}

impl Report {
    /// True if nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.fault.is_none()
    }
}

/// Checks a log against a signed checkpoint. Without keys the signatures are not looked at: the
/// log is then only consistent with itself. `each` sees every entry with its place, as leaf and
/// as bytes, once it is known to stand in order; whether all of it was signed for is only known
/// at the end.
pub fn verify(
    files: &impl Files,
    note: &[u8],
    keys: &[VerifierKey],
    each: &mut dyn FnMut(u64, &Leaf<'_>, &[u8]),
) -> Report {
    Walk::default().advance(files, note, keys, each)
}

/// How far a log was checked. It can be checked on from there when it has grown.
#[derive(Default)]
pub struct Walk {
    frontier: Frontier,
    /// For each tile level, the tile that is growing.
    tiles: Vec<Vec<u8>>,
    /// Of the log with this name.
    order: Option<(String, Order)>,
    removed: u64,
}

impl Walk {
    /// Checks what has come into the log since, as `verify` checks all of it. After a fault
    /// there is no going on.
    pub fn advance(
        &mut self,
        files: &impl Files,
        note: &[u8],
        keys: &[VerifierKey],
        each: &mut dyn FnMut(u64, &Leaf<'_>, &[u8]),
    ) -> Report {
        let mut report = Report::default();
        let checkpoint = match open(note, keys, &mut report.signatures) {
            Ok(checkpoint) => checkpoint,
            Err(why) => return Report { fault: Some(What::Checkpoint(why).into()), ..report },
        };
        let origin = &checkpoint.origin;
        let (name, order) = self.order.get_or_insert_with(|| (origin.clone(), Order::new(origin)));
        let behind = checkpoint.size < self.frontier.size();
        let mut pass = Pass {
            files,
            size: checkpoint.size,
            frontier: &mut self.frontier,
            tiles: &mut self.tiles,
            order,
            removed: &mut self.removed,
            each,
        };
        let done = match (*name == *origin, behind) {
            (false, _) => Err(What::Order("it is another log than before").into()),
            (_, true) => Err(What::Order("the log was longer before").into()),
            _ => pass.run(&checkpoint.root),
        };
        report.counts = pass.order.counts();
        report.removed = self.removed;
        report.checkpoint = Some(checkpoint);
        report.fault = done.err();
        report
    }
}

fn open(
    note: &[u8],
    keys: &[VerifierKey],
    signatures: &mut usize,
) -> Result<Checkpoint, NoteError> {
    let parsed = Note::parse(note)?;
    if keys.is_empty() {
        return Checkpoint::parse(parsed.text());
    }
    *signatures = parsed.verify(keys)?;
    Checkpoint::open(note, keys)
}

struct Pass<'a, F> {
    files: &'a F,
    size: u64,
    frontier: &'a mut Frontier,
    tiles: &'a mut Vec<Vec<u8>>,
    order: &'a mut Order,
    removed: &'a mut u64,
    each: &'a mut dyn FnMut(u64, &Leaf<'_>, &[u8]),
}

impl<F: Files> Pass<'_, F> {
    fn run(&mut self, root: &Hash) -> Result<(), Fault> {
        while self.frontier.size() < self.size {
            let at = self.frontier.size();
            let bundle = holding(Kind::Entries, at, self.size)?;
            match read_bundle(self.files, bundle)? {
                Some(bytes) => self.bundle(bundle, &bytes)?,
                None if *self.removed == at && bundle.is_full() => self.removed_bundle(at)?,
                None => return Err(What::Missing(bundle.path()).into()),
            }
            self.full_tiles()?;
        }
        self.partial_tiles()?;
        let last = self.size.checked_sub(1);
        self.order.finish().map_err(|why| Fault { index: last, what: What::Order(why) })?;
        if self.frontier.root() == *root { Ok(()) } else { Err(What::Root.into()) }
    }

    fn bundle(&mut self, bundle: Tile, bytes: &[u8]) -> Result<(), Fault> {
        let malformed = || What::Differs(bundle.path());
        let passed = self.frontier.size() % WIDTH;
        let mut held = entries(bytes).skip(usize::try_from(passed).unwrap_or(0));
        for _ in passed..bundle.width {
            let entry = held.next().flatten().ok_or_else(malformed)?;
            self.entry(entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &[u8]) -> Result<(), Fault> {
        let index = self.frontier.size();
        let wrong = |what| Fault { index: Some(index), what };
        let leaf = Leaf::parse(entry).map_err(|why| wrong(What::Syntax(why)))?;
        self.order.next(index, &leaf).map_err(|why| wrong(What::Order(why)))?;
        (self.each)(index, &leaf, entry);
        self.append(leaf_hash(entry))
    }

    fn removed_bundle(&mut self, at: u64) -> Result<(), Fault> {
        let tile = holding(Kind::Hashes(0), at, self.size)?;
        let bytes = read(self.files, tile)?.ok_or_else(|| What::Missing(tile.path()))?;
        for place in 0..WIDTH {
            let hash = hash_in(&bytes, place).ok_or_else(|| What::Differs(tile.path()))?;
            self.append(hash)?;
        }
        *self.removed += WIDTH;
        self.order.forget_lanes();
        Ok(())
    }

    fn append(&mut self, leaf: Hash) -> Result<(), Fault> {
        let tiles = &mut *self.tiles;
        let grown = self.frontier.append_to(leaf, |node| {
            if node.level % HEIGHT == 0 {
                let level = usize::from(node.level / HEIGHT);
                if tiles.len() <= level {
                    tiles.resize_with(level + 1, Vec::new);
                }
                if let Some(tile) = tiles.get_mut(level) {
                    tile.extend_from_slice(&node.hash);
                }
            }
        });
        grown.map_err(|_| What::Order("the log is full").into())
    }

    /// Holds the tiles that have become full against the files.
    fn full_tiles(&mut self) -> Result<(), Fault> {
        let size = self.frontier.size();
        for (level, tile) in (0..).zip(&mut *self.tiles) {
            let Some(full) = last_tile(level, size).filter(|full| full.is_full()) else { break };
            if tile.is_empty() {
                break;
            }
            match read(self.files, full)? {
                Some(bytes) if bytes == *tile => tile.clear(),
                Some(_) => return Err(What::Differs(full.path()).into()),
                None => return Err(What::Missing(full.path()).into()),
            }
        }
        Ok(())
    }

    /// Tiles that are not full need not be there; if they are, they must be right.
    fn partial_tiles(&self) -> Result<(), Fault> {
        for (level, tile) in (0..).zip(&*self.tiles) {
            let Some(partial) = last_tile(level, self.size).filter(|_| !tile.is_empty()) else {
                continue;
            };
            if read(self.files, partial)?.is_some_and(|bytes| bytes != *tile) {
                return Err(What::Differs(partial.path()).into());
            }
        }
        Ok(())
    }
}

/// The last tile of a level in a log of `size` leaves.
fn last_tile(level: u8, size: u64) -> Option<Tile> {
    let nodes = size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0);
    Tile::holding(Kind::Hashes(level), nodes.checked_sub(1)?, size)
}

fn holding(kind: Kind, at: u64, size: u64) -> Result<Tile, Fault> {
    Tile::holding(kind, at, size).ok_or(What::Order("the log has no such entry").into())
}

fn read(files: &impl Files, tile: Tile) -> Result<Option<Vec<u8>>, Fault> {
    let path = tile.path();
    files.read(&path).map_err(|why| What::Unreadable(path, why).into())
}

/// A bundle's bytes, without what stands behind its entries. A bundle that is not full may
/// stand under the name of the full one while the log grows, and there the entries of a commit
/// that never was may follow.
fn read_bundle(files: &impl Files, bundle: Tile) -> Result<Option<Vec<u8>>, Fault> {
    let Some(bytes) = read(files, bundle)? else {
        return if bundle.is_full() { Ok(None) } else { read(files, bundle.full()) };
    };
    let width = usize::try_from(bundle.width).unwrap_or(usize::MAX);
    let more = entries(&bytes).nth(width).is_some();
    if more { Err(What::Differs(bundle.path()).into()) } else { Ok(Some(bytes)) }
}

/// Reads the entries `from..to` of a log of `size` leaves, without checking them against
/// anything, until `each` breaks. Bundles that were removed are passed over: those whose tile of
/// hashes is still there.
///
/// # Errors
/// A file that is missing, cannot be read or is no bundle.
pub fn read_entries(
    files: &impl Files,
    (from, to): (u64, u64),
    size: u64,
    mut each: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let to = to.min(size);
    for number in from / WIDTH..to.div_ceil(WIDTH) {
        let bundle = holding(Kind::Entries, number * WIDTH, size)?;
        let Some(bytes) = read_bundle(files, bundle)? else {
            let hashes = holding(Kind::Hashes(0), number * WIDTH, size)?;
            match read(files, hashes)? {
                Some(_) => continue,
                None => return Err(What::Missing(bundle.path()).into()),
            }
        };
        let first = number * WIDTH;
        for (index, entry) in (first..first + bundle.width).zip(entries(&bytes)) {
            let entry = entry.ok_or_else(|| What::Differs(bundle.path()))?;
            if (from..to).contains(&index) && each(index, entry).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
