//! An anchor that is a witness: it signs a checkpoint once it has seen a proof that the log
//! continues the last one that it signed, and serves that to who asks. C2SP tlog-witness.
//!
//! A witness knows logs by their names, so each generation of a token's log is a log of its own
//! to it, whose key its operator has to be told.

mod http;
mod tls;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Anchor, Asked, Published, Put};
use crate::audit::base64;
use crate::audit::checkpoint::{Checkpoint, decimal, origin};
use crate::audit::hex;
use crate::audit::note::{Note, Signature, VerifierKey};
use crate::audit::tree::{Hash, consistency_proof};
use crate::engine::hash::sha256;
use http::{Request, Response};

/// The protocol's limit.
const LONGEST_PROOF: usize = 63;
/// A witness may have moved on between two tries; it does not do so for ever.
const MOST_TRIES: u32 = 4;

pub(super) struct Witness {
    /// URL prefixes without a slash at the end.
    pub(super) submit: String,
    pub(super) monitor: String,
    pub(super) keys: Vec<VerifierKey>,
    pub(super) ca: Option<PathBuf>,
    pub(super) limit: Duration,
}

impl Witness {
    /// The checkpoint of one log that it serves, signed by itself.
    fn served(&self, origin: &str, deadline: Instant) -> Result<Option<Vec<u8>>, String> {
        let hash = hex(&sha256(&[origin.as_bytes()]));
        let url = format!("{}/{hash}/checkpoint", self.monitor);
        let answer = self.send(&Request { method: "GET", url: &url, body: "" }, deadline)?;
        match answer.status {
            404 => return Ok(None),
            200 => {}
            status => return Err(format!("it answered with status {status}")),
        }
        let note = Note::parse(&answer.body).map_err(|error| error.to_string())?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
        note.verify(&self.keys).map_err(|error| format!("what it serves: {error}"))?;
        if checkpoint.origin != origin {
            return Err(format!("it serves a checkpoint of {}", checkpoint.origin));
        }
        Ok(Some(answer.body))
    }

    fn send(&self, request: &Request<'_>, deadline: Instant) -> Result<Response, String> {
        http::send(request, self.ca.as_deref(), deadline)
    }

    fn submit(
        &self,
        published: &Published<'_>,
        old: u64,
        deadline: Instant,
    ) -> Result<Response, String> {
        let proof = prove(published, old)?;
        let mut body = format!("old {old}\n");
        for hash in &proof {
            body += &base64::encode(hash);
            body.push('\n');
        }
        body.push('\n');
        body += &published.note.to_string();
        let url = format!("{}/add-checkpoint", self.submit);
        self.send(&Request { method: "POST", url: &url, body: &body }, deadline)
    }

    /// The note with the witness's signatures, which must be over this very checkpoint.
    fn signed(&self, note: &Note, answer: &[u8]) -> Result<Note, String> {
        let lines = std::str::from_utf8(answer).map_err(|_| "its signature is not text")?;
        let joined = format!("{}\n{lines}", note.text());
        let answered = Note::parse(joined.as_bytes()).map_err(|error| error.to_string())?;
        answered.verify(&self.keys).map_err(|error| format!("its answer: {error}"))?;
        let known = |line: &&Signature| {
            self.keys.iter().any(|key| key.name() == line.name && key.id() == line.id)
        };
        let mut signed = note.clone();
        for line in answered.signatures.iter().filter(known) {
            if line.bytes.first_chunk::<8>().is_none_or(|time| *time == [0; 8]) {
                return Err("its signature tells no time".to_owned());
            }
            if !signed.signatures.contains(line) {
                signed.signatures.push(line.clone());
            }
        }
        Ok(signed)
    }
}

fn prove(published: &Published<'_>, old: u64) -> Result<Vec<Hash>, String> {
    let size = published.checkpoint.size;
    let hashes = published.history.hashes(published.of.generation, size);
    let proof = consistency_proof(old, size, &|level, index| hashes.get(level, index));
    let proof = proof.map_err(|error| format!("no proof can be made: {error}"))?;
    match proof.len() {
        0..=LONGEST_PROOF => Ok(proof),
        _ => Err("the proof is longer than a witness reads".to_owned()),
    }
}

impl Anchor for Witness {
    fn name(&self) -> String {
        self.submit.clone()
    }

    /// A later generation is asked for first: what is put back may end where it began.
    fn get(&self, asked: Asked<'_>) -> Result<Option<Vec<u8>>, String> {
        let deadline = Instant::now() + self.limit;
        let later = origin(asked.serial, asked.generation.saturating_add(1));
        match self.served(&later, deadline)? {
            None => self.served(&asked.origin(), deadline),
            found => Ok(found),
        }
    }

    fn put(&self, published: &Published<'_>) -> Result<Put, String> {
        let deadline = Instant::now() + self.limit;
        let size = published.checkpoint.size;
        let mut old = published.witnessed.min(size);
        for _ in 0..MOST_TRIES {
            let answer = self.submit(published, old, deadline)?;
            match answer.status {
                200 => return self.signed(published.note, &answer.body).map(Put::Signed),
                409 => match size_in(&answer.body) {
                    Some(newer) if newer > size => {
                        let generation = published.of.generation;
                        return Ok(Put::Newer { generation, size: newer });
                    }
                    Some(other) if other != old => old = other,
                    _ => return Err("it names no size to continue from".to_owned()),
                },
                422 => return Ok(Put::Contradicted),
                404 => return Err("it does not know this log, or is no witness (404)".to_owned()),
                403 => return Err("it does not accept the log's key (403)".to_owned()),
                status => return Err(format!("it answered with status {status}")),
            }
        }
        Err("it names another size each time".to_owned())
    }
}

fn size_in(body: &[u8]) -> Option<u64> {
    decimal(std::str::from_utf8(body).ok()?.strip_suffix('\n')?)
}
