//! An anchor behind two commands: one takes a checkpoint on its standard input, the other prints
//! what was kept.
//!
//! In their arguments `{serial}` stands for the token's serial number, sixteen hexadecimal
//! digits. The second gets the log's name on a line of its standard input.

use std::time::Duration;

use super::{Anchor, Asked, LONGEST_ANSWER, Published, Put};
use crate::system::child::{self, ChildError};

pub(super) struct Commands {
    /// An absolute path and its arguments, as the next.
    pub(super) put: Vec<String>,
    pub(super) get: Vec<String>,
    pub(super) limit: Duration,
}

/// What a command said, and whether it is known to have ended well.
struct Answer {
    output: Vec<u8>,
    is_known: bool,
}

impl Commands {
    fn run(&self, command: &[String], serial: &str, input: &str) -> Result<Answer, String> {
        let words: Vec<String> = command
            .iter()
            .enumerate()
            .map(|(place, word)| match place {
                0 => word.clone(),
                _ => word.replace("{serial}", serial),
            })
            .collect();
        match child::run(&words, input.as_bytes(), LONGEST_ANSWER, self.limit) {
            Ok(ended) => match ended.code {
                Some(0) | None => {
                    Ok(Answer { output: ended.output, is_known: ended.code.is_some() })
                }
                Some(code) => Err(format!("it ended with status {code}")),
            },
            Err(ChildError::Start(error)) => Err(format!("it cannot be started: {error}")),
            Err(ChildError::TimedOut) => {
                Err(format!("it took more than {} ms", self.limit.as_millis()))
            }
            Err(ChildError::TooMuch) => Err("it printed more than a checkpoint".to_owned()),
        }
    }
}

impl Anchor for Commands {
    fn name(&self) -> String {
        self.put.first().cloned().unwrap_or_default()
    }

    fn get(&self, asked: Asked<'_>) -> Result<Option<Vec<u8>>, String> {
        let answer = self.run(&self.get, asked.serial, &format!("{}\n", asked.origin()))?;
        match answer.output.is_empty() {
            // It may have failed.
            true if !answer.is_known => {
                Err("it said nothing, and how it ended is not known".into())
            }
            true => Ok(None),
            false => Ok(Some(answer.output)),
        }
    }

    fn put(&self, published: &Published<'_>) -> Result<Put, String> {
        let note = published.note.to_string();
        let answer = self.run(&self.put, published.of.serial, &note)?;
        if answer.is_known {
            return Ok(Put::Kept);
        }
        // The host took the status; the other command knows whether the checkpoint has arrived.
        match self.get(published.of)? {
            Some(kept) if kept == note.as_bytes() => Ok(Put::Kept),
            _ => Err("how it ended is not known, and it does not keep the checkpoint".into()),
        }
    }
}
