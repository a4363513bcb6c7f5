//! Roots and proofs: published vectors, and properties over all small sizes.

use std::collections::HashMap;

use super::vectors;
use crate::audit::tree::{
    EMPTY_ROOT, Frontier, Hash, TreeError, append, consistency_proof, inclusion_proof, leaf_hash,
    root, verify_consistency, verify_inclusion,
};
use crate::audit::{base64, line};

/// The first eight leaves that everyone uses, and the roots over them, from RFC 6962's own
/// reference implementation.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hash(text: &str) -> Hash {
    line::read_hex(text.as_bytes()).unwrap()
}

/// All full nodes over some leaves.
#[derive(Default)]
struct Nodes(HashMap<(u8, u64), Hash>);

impl Nodes {
    fn get(&self, level: u8, index: u64) -> Result<Hash, TreeError> {
        self.0.get(&(level, index)).copied().ok_or(TreeError::Missing { level, index })
    }

    fn reader(&self) -> impl Fn(u8, u64) -> Result<Hash, TreeError> + '_ {
        |level, index| self.get(level, index)
    }
}

/// Nodes over `size` leaves, and the roots of all smaller trees.
fn grown(size: u64) -> (Nodes, Vec<Hash>) {
    let (mut nodes, mut frontier) = (Nodes::default(), Frontier::new());
    let mut roots = vec![EMPTY_ROOT];
    for index in 0..size {
        let leaf = leaf_hash(&index.to_be_bytes());
        let new = append(index, leaf, &nodes.reader()).unwrap();
        assert_eq!(frontier.append(leaf).unwrap(), new);
        nodes.0.extend(new.iter().map(|node| ((node.level, node.index), node.hash)));
        let bytes = frontier.to_bytes();
        assert_eq!(Frontier::from_bytes(&bytes).as_ref(), Some(&frontier));
        assert_eq!(Frontier::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Frontier::read(index + 1, &nodes.reader()).as_ref(), Ok(&frontier));
        roots.push(frontier.root());
    }
    (nodes, roots)
}

#[test]
fn roots_of_the_known_leaves() {
    let (mut frontier, mut nodes) = (Frontier::new(), Nodes::default());
    assert_eq!(frontier.root(), hash(ROOTS[0]));
    for (leaf, expected) in LEAVES.iter().zip(&ROOTS[1..]) {
        let new = frontier.append(leaf_hash(leaf)).unwrap();
        nodes.0.extend(new.iter().map(|node| ((node.level, node.index), node.hash)));
        assert_eq!(frontier.root(), hash(expected));
        assert_eq!(root(frontier.size(), &nodes.reader()), Ok(hash(expected)));
    }
    let Some(file) = vectors("merkle/rfc6962-roots.json") else { return };
    let roots = file["roots_by_size"].as_array().unwrap();
    assert!(roots.iter().map(|root| root.as_str().unwrap()).eq(ROOTS));
}

/// The RFC's own words, which look nothing like the code: MTH, PATH and PROOF over a list.
mod words {
    use super::{EMPTY_ROOT, Hash};
    use crate::audit::tree::node_hash;

    fn half(n: usize) -> usize {
        let mut k = 1;
        while k * 2 < n {
            k *= 2;
        }
        k
    }

    pub(super) fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => EMPTY_ROOT,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(half(leaves.len()));
                node_hash(&root(left), &root(right))
            }
        }
    }

    pub(super) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = half(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut path, last) =
            if m < k { (path(m, left), root(right)) } else { (path(m - k, right), root(left)) };
        path.push(last);
        path
    }

    pub(super) fn proof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if whole { Vec::new() } else { vec![root(leaves)] };
        }
        let k = half(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut proof, last) = if m <= k {
            (proof(m, left, whole), root(right))
        } else {
            (proof(m - k, right, false), root(left))
        };
        proof.push(last);
        proof
    }
}

#[test]
fn proofs_are_those_of_the_rfc() {
    let (nodes, roots) = grown(130);
    let leaves: Vec<Hash> = (0..130_u64).map(|index| leaf_hash(&index.to_be_bytes())).collect();
    for size in 1..=130 {
        let held = &leaves[..size];
        assert_eq!(words::root(held), roots[size]);
        for m in 0..size {
            let proof = inclusion_proof(m as u64, size as u64, &nodes.reader()).unwrap();
            assert_eq!(proof, words::path(m, held));
            let proof = consistency_proof(m as u64 + 1, size as u64, &nodes.reader()).unwrap();
            assert_eq!(proof, words::proof(m + 1, held, true));
        }
    }
}

#[test]
fn every_proof_verifies() {
    const MOST: u64 = 300;
    let (nodes, roots) = grown(MOST);
    let root_of = |size: u64| &roots[size as usize];
    for size in 0..=MOST {
        assert_eq!(root(size, &nodes.reader()).as_ref(), Ok(root_of(size)));
        for index in 0..size {
            let proof = inclusion_proof(index, size, &nodes.reader()).unwrap();
            let leaf = leaf_hash(&index.to_be_bytes());
            assert_eq!(verify_inclusion(&leaf, index, size, &proof, root_of(size)), Ok(()));
        }
        for old in 0..=size {
            let proof = consistency_proof(old, size, &nodes.reader()).unwrap();
            let held = verify_consistency(old, root_of(old), size, root_of(size), &proof);
            assert_eq!(held, Ok(()), "{old} {size}");
        }
        assert_eq!(inclusion_proof(size, size, &nodes.reader()), Err(TreeError::Range));
        assert_eq!(consistency_proof(size + 1, size, &nodes.reader()), Err(TreeError::Range));
    }
}

/// One bit anywhere, a hash more, a hash less, another place.
#[test]
fn every_changed_proof_is_refused() {
    let (nodes, roots) = grown(256);
    for size in (1..=20).chain([33, 255, 256]) {
        let root = roots[size as usize];
        // Of large trees a few places; the others look alike.
        let step = if size > 33 { 51 } else { 1 };
        for index in (0..size).step_by(step) {
            let proof = inclusion_proof(index, size, &nodes.reader()).unwrap();
            let leaf = leaf_hash(&index.to_be_bytes());
            let holds = |leaf: &Hash, index: u64, proof: &[Hash], root: &Hash| {
                verify_inclusion(leaf, index, size, proof, root).is_ok()
            };
            changed(&leaf, |leaf| assert!(!holds(leaf, index, &proof, &root)));
            changed(&root, |root| assert!(!holds(&leaf, index, &proof, root)));
            changed_list(&proof, |proof| assert!(!holds(&leaf, index, proof, &root)));
            for other in (0..size + 2).step_by(step).filter(|other| *other != index) {
                assert!(!holds(&leaf, other, &proof, &root));
            }
        }
        for old in (1..size).step_by(step) {
            let proof = consistency_proof(old, size, &nodes.reader()).unwrap();
            let old_root = roots[old as usize];
            let holds = |old_root: &Hash, proof: &[Hash], root: &Hash| {
                verify_consistency(old, old_root, size, root, proof).is_ok()
            };
            changed(&old_root, |old_root| assert!(!holds(old_root, &proof, &root)));
            changed(&root, |root| assert!(!holds(&old_root, &proof, root)));
            changed_list(&proof, |proof| assert!(!holds(&old_root, proof, &root)));
        }
        let same = |root: &Hash| verify_consistency(size, root, size, &roots[size as usize], &[]);
        changed(&root, |root| assert!(same(root).is_err()));
        assert!(verify_consistency(size, &root, size, &root, &[root]).is_err());
        assert!(verify_consistency(0, &root, size, &root, &[]).is_err());
    }
}

fn changed(hash: &Hash, mut check: impl FnMut(&Hash)) {
    for bit in 0..256 {
        let mut other = *hash;
        other[bit / 8] ^= 1 << (bit % 8);
        check(&other);
    }
}

fn changed_list(proof: &[Hash], mut check: impl FnMut(&[Hash])) {
    for place in 0..proof.len() {
        changed(&proof[place], |hash| {
            let mut other = proof.to_vec();
            other[place] = *hash;
            check(&other);
        });
        let mut other = proof.to_vec();
        other.remove(place);
        check(&other);
    }
    check(&[proof, &[EMPTY_ROOT]].concat());
    check(&[&[EMPTY_ROOT], proof].concat());
}

fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap()
}

/// `None` for what is not a list of hashes, which is as good as refused.
fn hashes(value: &serde_json::Value) -> Option<Vec<Hash>> {
    let read = |text: &serde_json::Value| {
        Hash::try_from(base64::decode(text.as_str()?).unwrap_or_default()).ok()
    };
    value.as_array().into_iter().flatten().map(read).collect()
}

fn one(value: &serde_json::Value) -> Option<Hash> {
    Hash::try_from(base64::decode(value.as_str()?)?).ok()
}

#[test]
fn published_inclusion_proofs() {
    let Some(file) = vectors("merkle/transparency-dev-inclusion.json") else { return };
    for (name, case) in file.as_object().unwrap() {
        let held = || {
            let (leaf, root) = (one(&case["leafHash"])?, one(&case["root"])?);
            let proof = hashes(&case["proof"])?;
            let (index, size) = (number(&case["leafIdx"]), number(&case["treeSize"]));
            verify_inclusion(&leaf, index, size, &proof, &root).ok()
        };
        assert_eq!(held().is_none(), case["wantErr"].as_bool().unwrap(), "{name}");
    }
}

#[test]
fn published_consistency_proofs() {
    let Some(file) = vectors("merkle/transparency-dev-consistency.json") else { return };
    for (name, case) in file.as_object().unwrap() {
        let held = || {
            let (old_root, new_root) = (one(&case["root1"])?, one(&case["root2"])?);
            let proof = hashes(&case["proof"])?;
            let (old, new) = (number(&case["size1"]), number(&case["size2"]));
            verify_consistency(old, &old_root, new, &new_root, &proof).ok()
        };
        assert_eq!(held().is_none(), case["wantErr"].as_bool().unwrap(), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let (mut nodes, _) = grown(6);
    nodes.0.remove(&(1, 2));
    let missing = TreeError::Missing { level: 1, index: 2 };
    assert_eq!(root(6, &nodes.reader()), Err(missing.clone()));
    assert_eq!(inclusion_proof(0, 6, &nodes.reader()), Err(missing));
    assert_eq!(root(u64::MAX, &nodes.reader()), Err(TreeError::Range));
    assert_eq!(append(u64::MAX, EMPTY_ROOT, &nodes.reader()), Err(TreeError::Range));
    assert_eq!(Frontier::from_bytes(&[0xff; 8 + 64 * 32]), None);
    let full = TreeError::Proof;
    assert_eq!(verify_inclusion(&EMPTY_ROOT, 0, u64::MAX, &[], &EMPTY_ROOT), Err(full));
}
