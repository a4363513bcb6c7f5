//! The tree over the leaves: hashes, roots, proofs, and what appending one leaf adds.
//!
//! Nodes are named by level and index: level 0 holds the hashes of leaves, and node (l, i)
//! spans the 2^l leaves from i·2^l. Only nodes that are full are ever stored; what hangs over
//! is computed. RFC 6962 section 2.1; proofs are checked as RFC 9162 sections 2.1.3.2 and
//! 2.1.4.2 write it down.

use crate::engine::hash::sha256;
use crate::error::{Error, Rv};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// The root of a log without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The most leaves that a log may have, so that no arithmetic here can overflow.
pub const MAX_SIZE: u64 = 1 << 62;

/// Why a tree could not be computed or a proof does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TreeError {
    /// Nobody has this node.
    Missing {
        /// Its level.
        level: u8,
        /// Its index in the level.
        index: u64,
    },
    /// The node could not be read.
    Read(String),
    /// A size or an index that this log does not have.
    Range,
    /// The proof does not fit.
    Proof,
}

impl std::fmt::Display for TreeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { level, index } => write!(f, "node {index} of level {level} is missing"),
            Self::Read(why) => write!(f, "a node cannot be read: {why}"),
            Self::Range => f.write_str("the log has no such leaf or size"),
            Self::Proof => f.write_str("the proof does not hold"),
        }
    }
}

impl std::error::Error for TreeError {}

impl From<TreeError> for Error {
    fn from(error: TreeError) -> Self {
        Rv::DeviceError.because(format!("audit log: {error}"))
    }
}

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// The hash of a node over two others.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// A full node and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// 0 for leaves.
    pub level: u8,
    /// Position in its level.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Where full nodes are read from.
pub trait Hashes {
    /// The hash of a full node.
    ///
    /// # Errors
    /// `Missing` or `Read`.
    fn get(&self, level: u8, index: u64) -> Result<Hash, TreeError>;
}

impl<F: Fn(u8, u64) -> Result<Hash, TreeError>> Hashes for F {
    fn get(&self, level: u8, index: u64) -> Result<Hash, TreeError> {
        self(level, index)
    }
}

/// What a leaf adds to a log of `size` leaves: itself and every node that it completes.
///
/// # Errors
/// `Range` for a full log; what the reader gives.
pub fn append(size: u64, leaf: Hash, hashes: &impl Hashes) -> Result<Vec<Node>, TreeError> {
    if size >= MAX_SIZE {
        return Err(TreeError::Range);
    }
    let mut node = Node { level: 0, index: size, hash: leaf };
    let mut nodes = vec![node];
    while node.index % 2 == 1 {
        let left = hashes.get(node.level, node.index - 1)?;
        node = Node {
            level: node.level + 1,
            index: node.index / 2,
            hash: node_hash(&left, &node.hash),
        };
        nodes.push(node);
    }
    Ok(nodes)
}

/// The root of a log of `size` leaves.
///
/// # Errors
/// `Range`; what the reader gives.
pub fn root(size: u64, hashes: &impl Hashes) -> Result<Hash, TreeError> {
    match size {
        0 => Ok(EMPTY_ROOT),
        1..=MAX_SIZE => span(0, size, hashes),
        _ => Err(TreeError::Range),
    }
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

fn level_of(size: u64) -> u8 {
    u8::try_from(size.ilog2()).unwrap_or(63)
}

/// The root over the leaves `start..end`, as it stands in a larger tree: `start` is a multiple
/// of a power of two that is not smaller than the span, and the span is not empty.
fn span(start: u64, end: u64, hashes: &impl Hashes) -> Result<Hash, TreeError> {
    let mut full = Vec::new();
    let mut at = start;
    while at < end {
        let level = level_of(end - at);
        full.push(hashes.get(level, at >> level)?);
        at += 1 << level;
    }
    let last = full.pop().ok_or(TreeError::Range)?;
    Ok(full.iter().rev().fold(last, |right, left| node_hash(left, &right)))
}

/// The hashes that lead from leaf `index` to the root of a log of `size`, from below.
///
/// # Errors
/// `Range` if there is no such leaf; what the reader gives.
pub fn inclusion_proof(
    index: u64,
    size: u64,
    hashes: &impl Hashes,
) -> Result<Vec<Hash>, TreeError> {
    if index >= size || size > MAX_SIZE {
        return Err(TreeError::Range);
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(span(middle, end, hashes)?);
            end = middle;
        } else {
            proof.push(span(start, middle, hashes)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show that a log of `new` leaves begins with the log of `old` leaves.
///
/// # Errors
/// `Range` if `old` is larger than `new`; what the reader gives.
pub fn consistency_proof(old: u64, new: u64, hashes: &impl Hashes) -> Result<Vec<Hash>, TreeError> {
    if old > new || new > MAX_SIZE {
        return Err(TreeError::Range);
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, new);
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(span(middle, end, hashes)?);
            end = middle;
        } else {
            proof.push(span(start, middle, hashes)?);
            start = middle;
        }
    }
    // The old log itself is known to who checks.
    if start > 0 {
        proof.push(span(start, end, hashes)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that a leaf stands at `index` in the log of `size` leaves with this root.
///
/// # Errors
/// `Proof` if that is not shown.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), TreeError> {
    if index >= size {
        return Err(TreeError::Proof);
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(TreeError::Proof);
        }
        if at % 2 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(TreeError::Proof) }
}

/// Checks that the log of `new` leaves begins with the log of `old` leaves. An empty log is the
/// beginning of every log; its proof has no hashes.
///
/// # Errors
/// `Proof` if that is not shown.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), TreeError> {
    let trivial = if old == 0 { *old_root == EMPTY_ROOT } else { old_root == new_root };
    match old {
        _ if old > new => return Err(TreeError::Proof),
        _ if old == 0 || old == new => {
            return if trivial && proof.is_empty() { Ok(()) } else { Err(TreeError::Proof) };
        }
        _ => {}
    }
    let mut rest = proof.iter();
    let first = match old.is_power_of_two() {
        true if proof.is_empty() => return Err(TreeError::Proof),
        true => old_root,
        false => rest.next().ok_or(TreeError::Proof)?,
    };
    let (mut at, mut last) = (old - 1, new - 1);
    while at % 2 == 1 {
        (at, last) = (at / 2, last / 2);
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(TreeError::Proof);
        }
        if at % 2 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    let holds = last == 0 && old_hash == *old_root && new_hash == *new_root;
    if holds { Ok(()) } else { Err(TreeError::Proof) }
}

/// The right edge of a log: enough to append to it and to know its root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    /// One hash for each bit that is set in `size`, the largest subtree first.
    edge: Vec<Hash>,
}

impl Frontier {
    /// Of a log without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, edge: Vec::new() }
    }

    /// Of a log whose nodes can be read.
    ///
    /// # Errors
    /// `Range`; what the reader gives.
    pub fn read(size: u64, hashes: &impl Hashes) -> Result<Self, TreeError> {
        if size > MAX_SIZE {
            return Err(TreeError::Range);
        }
        let (mut at, mut edge) = (0, Vec::new());
        while at < size {
            let level = level_of(size - at);
            edge.push(hashes.get(level, at >> level)?);
            at += 1 << level;
        }
        Ok(Self { size, edge })
    }

    /// Leaves of the log.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf and tells every node that is new: the leaf first, then what it completes.
    ///
    /// # Errors
    /// `Range` for a full log, and then nothing has changed.
    pub fn append_to(&mut self, leaf: Hash, mut tell: impl FnMut(Node)) -> Result<(), TreeError> {
        if self.size >= MAX_SIZE {
            return Err(TreeError::Range);
        }
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        tell(node);
        while node.index % 2 == 1 {
            let Some(left) = self.edge.pop() else { break };
            node = Node {
                level: node.level + 1,
                index: node.index / 2,
                hash: node_hash(&left, &node.hash),
            };
            tell(node);
        }
        self.edge.push(node.hash);
        self.size += 1;
        Ok(())
    }

    /// Adds a leaf and gives every node that is new.
    ///
    /// # Errors
    /// `Range` for a full log.
    pub fn append(&mut self, leaf: Hash) -> Result<Vec<Node>, TreeError> {
        let mut nodes = Vec::new();
        self.append_to(leaf, |node| nodes.push(node))?;
        Ok(nodes)
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut edge = self.edge.iter().rev();
        let last = edge.next().copied().unwrap_or(EMPTY_ROOT);
        edge.fold(last, |right, left| node_hash(left, &right))
    }

    /// Lasting bytes: the size (8 bytes, big endian) and the hashes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.edge.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        self.edge.iter().for_each(|hash| bytes.extend_from_slice(hash));
        bytes
    }

    /// Reads what `to_bytes` made and nothing else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, hashes) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        let (edge, rest) = hashes.as_chunks::<32>();
        let fits = rest.is_empty() && u32::try_from(edge.len()) == Ok(size.count_ones());
        (fits && size <= MAX_SIZE).then(|| Self { size, edge: edge.to_vec() })
    }
}
