//! The tamper-evident log: bytes in, bytes out.
//!
//! What a record and a leaf look like (`record`, `leaf`), how leaves become a tree (`tree`,
//! `tile`), what is signed about it (`note`, `checkpoint`, `cosignature`, `proof`), how the
//! uses of one process are kept until they are in the log (`lane`), and how all of it is checked
//! by someone who trusts nothing but a key (`verify`) or has kept a checkpoint (`history`). No
//! file is opened here: readers are traits and closures. RFC 6962, RFC 9162, C2SP tlog-tiles and
//! signed-note.

#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::as_conversions, clippy::panic))]

pub(crate) mod base64;
/// What is signed about a log: its size and its root.
pub mod checkpoint;
/// Signatures over checkpoints that tell a time.
pub mod cosignature;
/// Evidence that a key is gone.
pub mod erasure;
/// A log beside a checkpoint of it that was kept elsewhere.
pub mod history;
/// The uses of one process until they are in the log.
pub mod lane;
/// What a leaf of the log can be.
pub mod leaf;
pub(crate) mod line;
/// Text with signatures.
pub mod note;
mod order;
/// The proof that one leaf is in a log.
pub mod proof;
/// The record of one call.
pub mod record;
/// How a log lies in files.
pub mod tile;
/// Times of records.
pub mod time;
/// Hashes and proofs.
pub mod tree;
/// A whole log against its checkpoint.
pub mod verify;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use line::hex;
pub use line::{LineError, hidden};
pub use order::Counts;
