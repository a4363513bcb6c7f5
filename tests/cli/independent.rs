//! The log directory as the tool leaves it, read by two libraries that share nothing with it:
//! `signed_note` the checkpoint, `tlog_tiles` the tiles and bundles.

use std::fs;
use std::path::{Path, PathBuf};

use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Hash, Tile, TileHashReader, TileReader, check_record, prove_record,
    record_hash,
};

use super::audit::vkey;
use super::person::Person;

/// A log as it lies: tiles are there once they are full, what is not full is made of what is below.
struct Directory<'d> {
    path: &'d Path,
    entries: Vec<Vec<u8>>,
}

impl TileReader for Directory<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        tiles.iter().map(|tile| self.tile(*tile).ok_or(Error::InconsistentTile)).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

impl<'d> Directory<'d> {
    /// `None` if the bundles do not hold so many entries.
    fn read(path: &'d Path, size: u64) -> Option<Self> {
        let mut entries = Vec::new();
        for number in 0..size.div_ceil(256) {
            let bundle = fs::read(path.join(format!("tile/entries/{number:03}"))).ok()?;
            let mut rest = bundle.as_slice();
            for _ in 0..256.min(size - number * 256) {
                let (len, after) = rest.split_first_chunk::<2>()?;
                let (entry, after) = after.split_at_checked(u16::from_be_bytes(*len).into())?;
                entries.push(entry.to_vec());
                rest = after;
            }
        }
        Some(Self { path, entries })
    }

    /// The judge's own names have the height in them: `tile/8/0/000`.
    fn tile(&self, tile: Tile) -> Option<Vec<u8>> {
        if tile.width() == 256 {
            let path = self.path.join(tile.path().replacen("tile/8/", "tile/", 1));
            return fs::read(path).ok().filter(|bytes| bytes.len() == 256 * 32);
        }
        let first = tile.level_index() * 256;
        let hash = |at: u64| match tile.level() {
            0 => Some(record_hash(self.entries.get(usize::try_from(at).ok()?)?)),
            level => {
                Some(Tile::subtree_hash(&self.tile(Tile::new(8, level - 1, at, 256, false))?))
            }
        };
        let hashes = (first..first + u64::from(tile.width())).map(hash);
        Some(hashes.collect::<Option<Vec<Hash>>>()?.iter().flat_map(|hash| hash.0).collect())
    }
}

/// Size and root, if the judge accepts the signature.
fn checkpoint(note: &str, key: &str) -> Option<(u64, Hash)> {
    let note = Note::from_bytes(note.as_bytes()).ok()?;
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(key).ok()?)]);
    note.verify(&known).ok()?;
    let checkpoint = Checkpoint::from_bytes(note.text()).ok()?;
    Some((checkpoint.size(), *checkpoint.hash()))
}

/// True if the judges accept every entry. The reader of tiles alone leaves some unchecked; a
/// record's proof does not.
fn accept(path: &Path, note: &str, key: &str) -> bool {
    let Some((size, root)) = checkpoint(note, key) else { return false };
    let Some(directory) = Directory::read(path, size) else { return false };
    let hashes = TileHashReader::new(size, root, &directory);
    (0..size).zip(&directory.entries).all(|(index, entry)| {
        prove_record(size, index, &hashes)
            .is_ok_and(|proof| check_record(&proof, size, root, index, record_hash(entry)).is_ok())
    })
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn independent_libraries_accept_the_log_as_it_lies_and_refuse_it_after_one_flipped_bit() {
    let person = Person::with_token();
    for number in 0..30 {
        let label = format!("key {number}");
        person.run_as_user(&["key", "generate", "aes:128", "--label", &label]).expect_code(0);
    }
    let (key, note) = (vkey(&person), person.run(&["audit", "checkpoint"]).expect_code(0).out);
    let log = person.token_directory().join("log/1");
    assert!(accept(&log, &note, &key));
    let size = note.lines().nth(1).unwrap().to_owned();
    assert!(!accept(&log, &note.replacen(&size, &format!("{size}0"), 1), &key), "another size");
    let verify = || person.run(&["audit", "verify", "--key", &key]).code;
    assert_eq!(verify(), 0);
    let mut paths = Vec::new();
    files(&log, &mut paths);
    paths.sort();
    assert!(paths.len() == 3 && paths[0].ends_with("tile/0/000"), "{paths:?}");
    for path in paths {
        let intact = fs::read(&path).unwrap();
        for at in (0..intact.len()).step_by(intact.len() / 7) {
            let mut changed = intact.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(&path, &changed).unwrap();
            assert!(!accept(&log, &note, &key), "{} at {at}", path.display());
            assert_eq!(verify(), 1, "{} at {at}", path.display());
        }
        fs::write(&path, &intact[..intact.len() - 1]).unwrap();
        assert!(!accept(&log, &note, &key), "{} cut", path.display());
        assert_eq!(verify(), 1, "{} cut", path.display());
        fs::write(&path, &intact).unwrap();
    }
    assert!(accept(&log, &note, &key));
}
