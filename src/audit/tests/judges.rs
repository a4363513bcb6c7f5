//! Two libraries that know nothing of this one read what it writes: `signed_note` the
//! checkpoint, `tlog_tiles` the tiles, out of a directory.

use std::fs;
use std::path::Path;

use signed_note::{StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Hash, HashReader, Tile, TileHashReader, TileReader, check_record,
    check_tree, prove_record, prove_tree, record_hash, stored_hash_index, tree_hash,
};

use super::{Published, sound};
use crate::audit::tile;
use crate::audit::tree::{consistency_proof, inclusion_proof};

fn lay_out(published: &Published, directory: &Path) {
    for (path, bytes) in &published.files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::write(directory.join("checkpoint"), &published.note).unwrap();
}

/// The judge's own names have the height in them: `tile/8/0/000`.
struct Directory<'a>(&'a Path);

impl TileReader for Directory<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            Ok(fs::read(self.0.join(path)).unwrap())
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// The checkpoint, once the judge has accepted its signature.
fn accepted(directory: &Path, key: &str) -> Checkpoint {
    let bytes = fs::read(directory.join("checkpoint")).unwrap();
    let note = signed_note::Note::from_bytes(&bytes).unwrap();
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(key).unwrap())]);
    let (verified, unverified) = note.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    Checkpoint::from_bytes(note.text()).unwrap()
}

#[test]
fn both_accept_what_is_written() {
    for uses in [1, 251, 300, 2_000] {
        let entries = sound(uses);
        let published = Published::new(&entries);
        let directory = tempfile::tempdir().unwrap();
        lay_out(&published, directory.path());
        let checkpoint = accepted(directory.path(), &published.key.to_string());
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        assert_eq!(size, entries.len() as u64);

        let tiles = Directory(directory.path());
        let hashes = TileHashReader::new(size, root, &tiles);
        assert_eq!(tree_hash(size, &hashes).unwrap().0, root.0);
        let ours = tile::TileHashes::new(size, |tile| {
            Ok(fs::read(directory.path().join(tile.path())).ok())
        });
        for index in (0..size).step_by(61).chain([size - 1]) {
            let leaf = record_hash(&entries[index as usize]);
            let stored = hashes.read_hashes(&[stored_hash_index(0, index)]).unwrap();
            assert_eq!(stored[0].0, leaf.0);
            // Its proofs are ours, and it accepts ours.
            let proof: Vec<Hash> =
                inclusion_proof(index, size, &ours).unwrap().into_iter().map(Hash).collect();
            assert_eq!(proof, prove_record(size, index, &hashes).unwrap());
            check_record(&proof, size, root, index, leaf).unwrap();
            let old = index + 1;
            let proof: Vec<Hash> =
                consistency_proof(old, size, &ours).unwrap().into_iter().map(Hash).collect();
            assert_eq!(proof, prove_tree(size, old, &hashes).unwrap());
            check_tree(&proof, size, root, old, tree_hash(old, &hashes).unwrap()).unwrap();
        }
    }
}

#[test]
fn the_bundles_hold_what_the_tiles_are_over() {
    let published = Published::new(&sound(600));
    let directory = tempfile::tempdir().unwrap();
    lay_out(&published, directory.path());
    for (path, bytes) in &published.files {
        let Some(place) = path.strip_prefix("tile/entries/") else { continue };
        let tile = fs::read(directory.path().join("tile/0").join(place)).unwrap();
        // Read with nothing of ours: two bytes of length, big endian, and the entry.
        let (mut rest, mut hashes) = (bytes.as_slice(), Vec::new());
        while let [high, low, after @ ..] = rest {
            let (entry, more) = after.split_at(usize::from(*high) << 8 | usize::from(*low));
            hashes.extend(record_hash(entry).0);
            rest = more;
        }
        assert_eq!(hashes, tile);
    }
}

#[test]
fn which_tiles_there_are() {
    for (old, new) in [(0, 1), (0, 256), (255, 257), (3, 3), (100, 70_000), (65_535, 65_536)] {
        let mut theirs: Vec<String> = Tile::new_tiles(8, old, new)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        let mut ours: Vec<String> = tile::between(old, new)
            .iter()
            .filter(|tile| tile.kind != tile::Kind::Entries)
            .map(tile::Tile::path)
            .collect();
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn both_refuse_one_flipped_bit() {
    let published = Published::new(&sound(300));
    let known = || {
        let key = StandardVerifier::new(&published.key.to_string()).unwrap();
        VerifierList::new(vec![Box::new(key)])
    };
    let mut note = published.note.clone().into_bytes();
    note[40] ^= 1;
    let refused = signed_note::Note::from_bytes(&note).is_ok_and(|n| n.verify(&known()).is_ok());
    assert!(!refused);
    let mut changed = published.clone();
    changed.files.get_mut("tile/0/000").unwrap()[77] ^= 4;
    let directory = tempfile::tempdir().unwrap();
    lay_out(&changed, directory.path());
    let checkpoint = accepted(directory.path(), &published.key.to_string());
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    let tiles = Directory(directory.path());
    let hashes = TileHashReader::new(size, root, &tiles);
    let leaf = record_hash(&sound(300)[3]);
    // The reader holds only some tiles against the root; the proof that it gives tells.
    let proof = prove_record(size, 3, &hashes);
    assert!(!proof.is_ok_and(|proof| check_record(&proof, size, root, 3, leaf).is_ok()));
}
