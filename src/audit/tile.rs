//! How a log lies in files: tiles of 256 hashes and bundles of 256 entries.
//!
//! A tile of level L holds nodes of tree level 8·L. While the last one of a level is not full
//! it is published under a name that tells its width. Paths are relative to the log's directory.
//! C2SP tlog-tiles.

use std::cell::RefCell;

use super::checkpoint::decimal;
use super::tree::{Frontier, Hash, Hashes, TreeError, leaf_hash, node_hash};

/// Hashes of a full tile, entries of a full bundle.
pub const WIDTH: u64 = 256;
/// Tree levels that one tile level spans.
pub const HEIGHT: u8 = 8;
/// Tiles of higher levels cannot be.
const TOP: u8 = 7;
/// The longest entry.
pub const LONGEST_ENTRY: usize = 65_535;

/// Which file: hashes of a level, or entries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Hashes of a tile level.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// A tile or a bundle, full or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tile {
    /// What it holds.
    pub kind: Kind,
    /// Its position among those of its kind.
    pub index: u64,
    /// How many hashes or entries it holds, 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The tile that holds position `at` of its kind in a log of `size` leaves; `None` if there
    /// is none.
    #[must_use]
    pub fn holding(kind: Kind, at: u64, size: u64) -> Option<Self> {
        let held = held(kind, size);
        let index = at / WIDTH;
        let width = held.checked_sub(index * WIDTH)?.min(WIDTH);
        (at < held).then_some(Self { kind, index, width })
    }

    /// True if it will not change any more.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// The full one of the same place.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// Its path: `tile/0/x001/067`, `tile/entries/000.p/17`.
    #[must_use]
    pub fn path(&self) -> String {
        let level = match self.kind {
            Kind::Hashes(level) => level.to_string(),
            Kind::Entries => "entries".into(),
        };
        let mut groups = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups = format!("x{:03}/{groups}", rest % 1000);
            rest /= 1000;
        }
        let path = format!("tile/{level}/{groups}");
        if self.is_full() { path } else { format!("{path}.p/{}", self.width) }
    }

    /// Reads what `path` makes, and nothing else.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, place) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(u8::try_from(decimal(level)?).ok().filter(|l| *l <= TOP)?),
        };
        let (place, width) = match place.split_once(".p/") {
            Some((place, width)) => (place, decimal(width).filter(|w| *w > 0 && *w < WIDTH)?),
            None => (place, WIDTH),
        };
        let mut index: u64 = 0;
        for group in place.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self { kind, index, width };
        (tile.path() == path).then_some(tile)
    }
}

/// How many hashes of a kind, or entries, a log of `size` leaves has.
fn held(kind: Kind, size: u64) -> u64 {
    match kind {
        Kind::Entries => size,
        Kind::Hashes(level) => size.checked_shr(u32::from(level) * 8).unwrap_or(0),
    }
}

/// The tiles and bundles that a log of `new` leaves has and one of `old` leaves had not: full
/// ones, and the last one of each kind if it is not full.
#[must_use]
pub fn between(old: u64, new: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let levels = (0..=TOP).map(Kind::Hashes);
    for kind in levels.chain([Kind::Entries]) {
        let (before, after) = (held(kind, old), held(kind, new));
        for index in before / WIDTH..after.div_ceil(WIDTH) {
            let width = (after - index * WIDTH).min(WIDTH);
            if after > before {
                tiles.push(Tile { kind, index, width });
            }
        }
    }
    tiles
}

/// Adds an entry to the bytes of a bundle; `None` if it is longer than an entry can be.
#[must_use]
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    let len = u16::try_from(entry.len()).ok()?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Some(())
}

/// The entries of a bundle one after the other; `None` in the place of one that is cut off.
pub fn entries(bundle: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = Some(bundle);
    std::iter::from_fn(move || {
        let bytes = rest.filter(|bytes| !bytes.is_empty())?;
        let split = bytes
            .split_first_chunk::<2>()
            .and_then(|(len, after)| after.split_at_checked(u16::from_be_bytes(*len).into()));
        rest = split.map(|(_, after)| after);
        Some(split.map(|(entry, _)| entry))
    })
}

/// A hash of a tile.
#[must_use]
pub fn hash_in(tile: &[u8], place: u64) -> Option<Hash> {
    let (hashes, _) = tile.as_chunks::<32>();
    hashes.get(usize::try_from(place).ok()?).copied()
}

/// The root of a full tile of hashes, if it is one.
fn root_of(tile: &[u8]) -> Option<Hash> {
    let (hashes, rest) = tile.as_chunks::<32>();
    if !rest.is_empty() || u64::try_from(hashes.len()) != Ok(WIDTH) {
        return None;
    }
    let mut edge = Frontier::new();
    hashes.iter().try_for_each(|hash| edge.append_to(*hash, |_| {})).ok()?;
    Some(edge.root())
}

/// A tile of hashes, made of what is below it: `below` gives the bundle in the same place, or
/// full tiles of the level below. `None` if not all of that is there.
///
/// # Errors
/// Those of `below`.
pub fn made_of<E>(
    tile: Tile,
    below: impl Fn(Tile) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Vec<u8>>, E> {
    let Kind::Hashes(level) = tile.kind else { return Ok(None) };
    let mut bytes = Vec::new();
    if let Some(lower) = level.checked_sub(1) {
        let (kind, first) = (Kind::Hashes(lower), tile.index.saturating_mul(WIDTH));
        for index in first..first.saturating_add(tile.width) {
            let found = below(Tile { kind, index, width: WIDTH })?;
            let Some(root) = found.as_deref().and_then(root_of) else { return Ok(None) };
            bytes.extend_from_slice(&root);
        }
        return Ok(Some(bytes));
    }
    let bundle = below(Tile { kind: Kind::Entries, ..tile })?.unwrap_or_default();
    let count = usize::try_from(tile.width).unwrap_or(0);
    for entry in entries(&bundle).take(count).flatten() {
        bytes.extend_from_slice(&leaf_hash(entry));
    }
    let whole = u64::try_from(bytes.len()).ok() == tile.width.checked_mul(32);
    Ok(whole.then_some(bytes))
}

/// The nodes of a log of a known size, out of its tiles. `read` gives a tile's bytes, or `None`
/// if there is no such file; a partial tile that is missing is looked for in the full one. The
/// tiles that were read last are kept.
pub struct TileHashes<F> {
    size: u64,
    read: F,
    kept: RefCell<Vec<(Tile, Vec<u8>)>>,
}

/// A proof needs the tiles of a path and of what hangs over at the right.
const KEPT: usize = 16;

impl<F: Fn(&Tile) -> Result<Option<Vec<u8>>, TreeError>> TileHashes<F> {
    /// Over the tiles of a log of `size` leaves.
    #[must_use]
    pub const fn new(size: u64, read: F) -> Self {
        Self { size, read, kept: RefCell::new(Vec::new()) }
    }

    fn with_tile<R>(
        &self,
        tile: Tile,
        missing: TreeError,
        user: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, TreeError> {
        let mut kept = self.kept.borrow_mut();
        if let Some((_, bytes)) = kept.iter().find(|(held, _)| *held == tile) {
            return Ok(user(bytes));
        }
        let bytes = match (self.read)(&tile)? {
            None if !tile.is_full() => (self.read)(&tile.full())?,
            found => found,
        };
        let bytes = bytes.ok_or(missing)?;
        let answer = user(&bytes);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((tile, bytes));
        Ok(answer)
    }
}

impl<F: Fn(&Tile) -> Result<Option<Vec<u8>>, TreeError>> Hashes for TileHashes<F> {
    fn get(&self, level: u8, index: u64) -> Result<Hash, TreeError> {
        let missing = TreeError::Missing { level, index };
        let below = level % HEIGHT;
        let spans = 1_u64 << below;
        let first = index.checked_mul(spans).ok_or(TreeError::Range)?;
        let kind = Kind::Hashes(level / HEIGHT);
        // The node's last hash is there, so all are: a span does not cross tiles.
        let tile = Tile::holding(kind, first + (spans - 1), self.size).ok_or(TreeError::Range)?;
        let found = self.with_tile(tile, missing.clone(), |bytes| {
            (0..spans).map(|at| hash_in(bytes, first % WIDTH + at)).collect::<Option<Vec<Hash>>>()
        })?;
        let mut hashes = found.ok_or_else(|| missing.clone())?;
        while hashes.len() > 1 {
            let (pairs, _) = hashes.as_chunks::<2>();
            hashes = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        hashes.pop().ok_or(missing)
    }
}
