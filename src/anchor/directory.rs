//! An anchor in a directory: one file a token, named by its serial number.
//!
//! It is worth as much as the directory is out of reach for who can write the token: another
//! user's, another machine's, or a medium that keeps every version. A file is put in its place
//! whole, under a lock that other processes see, and never goes back to an older checkpoint.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{Anchor, Asked, LONGEST_ANSWER, Published, Put, checkpoint_of};
use crate::system::files::{Access, LockKind, RecordLock, open_or_create, sync_directory};

const LOCK_PAUSE: Duration = Duration::from_millis(10);

pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// Where it must not lie.
    pub(super) tokens: PathBuf,
    pub(super) access: Access,
    /// How long others may hold the lock.
    pub(super) limit: Duration,
}

impl Directory {
    /// The directory as it really is. It is not made: it may be a medium that is not there.
    fn place(&self) -> Result<PathBuf, String> {
        let place = self.path.canonicalize().map_err(|error| error.to_string())?;
        match self.tokens.canonicalize() {
            Ok(tokens) if place.starts_with(&tokens) => {
                Err(format!("it lies in {}, with the tokens", tokens.display()))
            }
            _ => Ok(place),
        }
    }

    /// Waits for the processes that are at it.
    fn lock<'f>(&self, file: &'f File) -> Result<RecordLock<'f>, String> {
        let deadline = Instant::now() + self.limit;
        loop {
            match RecordLock::attempt(file, 0, LockKind::Exclusive) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if Instant::now() >= deadline => {
                    return Err("another process holds its lock for too long".to_owned());
                }
                Ok(None) => thread::sleep(LOCK_PAUSE),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn replace(&self, place: &Path, serial: &str, note: &str) -> io::Result<()> {
        // Whoever was killed here has left it; nobody else writes it while we have the lock.
        let unfinished = place.join(format!(".{serial}.new"));
        let mut file = open_or_create(&unfinished, self.access)?;
        file.set_len(0)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, place.join(serial))?;
        sync_directory(place)
    }
}

impl Anchor for Directory {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn get(&self, asked: Asked<'_>) -> Result<Option<Vec<u8>>, String> {
        read(&self.place()?.join(asked.serial))
    }

    fn put(&self, published: &Published<'_>) -> Result<Put, String> {
        let serial = published.of.serial;
        let place = self.place()?;
        let lock = open_or_create(&place.join(format!(".{serial}.lock")), self.access);
        let lock = lock.map_err(|error| error.to_string())?;
        let _one_at_a_time = self.lock(&lock)?;
        if let Some(kept) = read(&place.join(serial))? {
            let kept = checkpoint_of(serial, &kept);
            let (generation, kept) = kept.ok_or("what it keeps is no checkpoint of this token")?;
            let (own, size) = (published.of.generation, published.checkpoint.size);
            if (generation, kept.size) > (own, size) {
                return Ok(Put::Newer { generation, size: kept.size });
            }
            if (generation, kept.size) == (own, size) {
                let same = kept.root == published.checkpoint.root;
                return Ok(if same { Put::Kept } else { Put::Contradicted });
            }
        }
        let written = self.replace(&place, serial, &published.note.to_string());
        written.map(|()| Put::Kept).map_err(|error| error.to_string())
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let mut options = File::options();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST_ANSWER).unwrap_or(0) + 1;
    file.take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    match bytes.len() {
        0..=LONGEST_ANSWER => Ok(Some(bytes)),
        _ => Err("it keeps more than a checkpoint".to_owned()),
    }
}
