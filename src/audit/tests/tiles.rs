//! Paths, bundles, and proofs out of tiles.

use super::{Published, sound};
use crate::audit::tile::{
    Kind, LONGEST_ENTRY, Tile, TileHashes, between, entries, hash_in, push_entry,
};
use crate::audit::tree::{
    Hashes, TreeError, consistency_proof, inclusion_proof, leaf_hash, root, verify_inclusion,
};

fn tile(kind: Kind, index: u64, width: u64) -> Tile {
    Tile { kind, index, width }
}

#[test]
fn paths() {
    let pairs = [
        (tile(Kind::Hashes(0), 0, 256), "tile/0/000"),
        (tile(Kind::Hashes(7), 999, 1), "tile/7/999.p/1"),
        (tile(Kind::Hashes(1), 1000, 255), "tile/1/x001/000.p/255"),
        (tile(Kind::Entries, 1_234_067, 256), "tile/entries/x001/x234/067"),
        (tile(Kind::Entries, 67, 112), "tile/entries/067.p/112"),
    ];
    for (tile, path) in pairs {
        assert_eq!(tile.path(), path);
        assert_eq!(Tile::parse(path), Some(tile));
    }
    for wrong in [
        "",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/x184/x467/x440/x737/x095/x516/160",
    ] {
        assert_eq!(Tile::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn what_a_log_of_a_size_has() {
    let paths = |old, new| between(old, new).iter().map(Tile::path).collect::<Vec<_>>();
    assert!(paths(0, 0).is_empty());
    assert!(paths(7, 7).is_empty());
    assert!(paths(7, 3).is_empty());
    assert_eq!(paths(0, 1), ["tile/0/000.p/1", "tile/entries/000.p/1"]);
    assert_eq!(paths(255, 256), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    assert_eq!(
        paths(100, 70_000 - 4_464 + 5),
        between(100, 65_541).iter().map(Tile::path).collect::<Vec<_>>()
    );
    let large = paths(65_530, 65_541);
    assert_eq!(
        large,
        [
            "tile/0/255",
            "tile/0/256.p/5",
            "tile/1/000",
            "tile/2/000.p/1",
            "tile/entries/255",
            "tile/entries/256.p/5"
        ]
    );
    assert_eq!(Tile::holding(Kind::Hashes(0), 65_540, 65_541).unwrap().path(), "tile/0/256.p/5");
    assert_eq!(Tile::holding(Kind::Hashes(2), 0, 65_541).unwrap().path(), "tile/2/000.p/1");
    assert_eq!(Tile::holding(Kind::Hashes(0), 65_541, 65_541), None);
    assert_eq!(Tile::holding(Kind::Hashes(255), 0, u64::MAX), None);
}

#[test]
fn bundles() {
    let mut bundle = Vec::new();
    let longest = vec![b'x'; LONGEST_ENTRY];
    for entry in [b"one".as_slice(), b"", &longest] {
        push_entry(&mut bundle, entry).unwrap();
    }
    assert_eq!(push_entry(&mut bundle, &[0; LONGEST_ENTRY + 1]), None);
    let read: Option<Vec<&[u8]>> = entries(&bundle).collect();
    assert_eq!(read.unwrap(), [b"one".as_slice(), b"", &longest]);
    assert_eq!(bundle[..7], *b"\0\x03one\0\0");
    for cut in [1, 3, 4, 6, 8, bundle.len() - 1] {
        assert_eq!(entries(&bundle[..cut]).last(), Some(None));
    }
    assert_eq!(hash_in(&[1; 64], 1), Some([1; 32]));
    assert_eq!(hash_in(&[1; 64], 2), None);
}

#[test]
fn proofs_come_out_of_tiles() {
    for uses in [1, 250, 251, 252, 253, 300, 1_000] {
        let all = sound(uses);
        let published = Published::new(&all);
        let size = published.checkpoint.size;
        let hashes = TileHashes::new(size, |tile| Ok(published.files.get(&tile.path()).cloned()));
        let top = published.checkpoint.root;
        assert_eq!(root(size, &hashes), Ok(top));
        for index in (0..size).step_by(7).chain([size - 1]) {
            let proof = inclusion_proof(index, size, &hashes).unwrap();
            let leaf = leaf_hash(&all[index as usize]);
            assert_eq!(verify_inclusion(&leaf, index, size, &proof, &top), Ok(()));
        }
        assert!(consistency_proof(size / 3 + 1, size, &hashes).is_ok());
        assert_eq!(hashes.get(0, size), Err(TreeError::Range));
        assert_eq!(hashes.get(200, 0), Err(TreeError::Range));
        assert_eq!(hashes.get(3, u64::MAX), Err(TreeError::Range));
    }
}

/// A log that has grown since keeps only the full tile.
#[test]
fn a_full_tile_stands_for_a_part_of_it() {
    let published = Published::new(&sound(300));
    let hashes = TileHashes::new(100, |tile| Ok(published.files.get(&tile.path()).cloned()));
    let all = sound(300);
    let small = Published::new(&all[..100]);
    assert_eq!(root(100, &hashes), Ok(small.checkpoint.root));
    let missing = TileHashes::new(100, |_| Ok(None));
    assert!(matches!(root(100, &missing), Err(TreeError::Missing { level: 6, index: 0 })));
    let short = TileHashes::new(100, |_| Ok(Some(vec![0; 31])));
    assert!(matches!(root(100, &short), Err(TreeError::Missing { level: 6, index: 0 })));
}
