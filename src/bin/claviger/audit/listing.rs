//! Long results, line by line: a log does not fit into memory. A reader that went away is no
//! failure; nothing more is written then.

use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

use crate::failure::{Code, Failure};

/// Standard output, as long as somebody reads it.
pub(super) struct Listing {
    out: BufWriter<StdoutLock<'static>>,
    failed: Option<io::Error>,
}

impl Listing {
    pub(super) fn new() -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, io::stdout().lock()), failed: None }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(bytes).err();
        }
    }

    /// False if nobody reads any more.
    pub(super) fn flush(&mut self) -> bool {
        if self.failed.is_none() {
            self.failed = self.out.flush().err();
        }
        self.failed.is_none()
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        match self.failed.take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(Code::Failed, format!("the result cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}
