//! Notes, checkpoints, cosignatures and proofs as text.

use super::{Numbers, Published, SERIAL, signer, sound, vector_file};
use crate::audit::checkpoint::{Checkpoint, origin, parse_origin};
use crate::audit::cosignature::{Cosigner, check_note};
use crate::audit::note::{Note, NoteError, PublicKey, VerifierKey};
use crate::audit::proof::Proof;
use crate::audit::tile::TileHashes;
use crate::audit::tree::{EMPTY_ROOT, inclusion_proof};
use crate::engine::ed25519::Ed25519Private;
use crate::secret::Secret;

/// The example of the signed-note standard.
const EXAMPLE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
/// The example of the checkpoint standard.
const CHECKPOINT: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

fn cosigner(name: &str) -> Cosigner {
    Cosigner::from_seed(name, Secret::copy_of(&[8; 32]).unwrap()).unwrap()
}

#[test]
fn the_example_of_the_standard() {
    let key = VerifierKey::parse(EXAMPLE_KEY).unwrap();
    assert_eq!(key.to_string(), EXAMPLE_KEY);
    let note = Note::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(note.verify(&[key]), Ok(1));
    assert_eq!(note.to_string(), EXAMPLE);
    for (name, text) in
        [("c2sp/signed-note-example.txt", EXAMPLE), ("c2sp/signed-note-example.vkey", EXAMPLE_KEY)]
    {
        if let Some(file) = vector_file(name) {
            assert_eq!(String::from_utf8(file).unwrap().trim_end(), text.trim_end());
        }
    }
}

#[test]
fn the_example_of_a_checkpoint() {
    let checkpoint = Checkpoint::parse(CHECKPOINT).unwrap();
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.body(), CHECKPOINT);
    if let Some(file) = vector_file("c2sp/tlog-checkpoint-example.txt") {
        let note = Note::parse(&file).unwrap();
        assert_eq!(note.text(), CHECKPOINT);
        assert_eq!(note.signatures.len(), 2);
        assert_eq!(note.to_string().as_bytes(), file);
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let key = VerifierKey::parse(EXAMPLE_KEY).unwrap();
    for bit in 0..EXAMPLE.len() * 8 {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let held = Note::parse(&bytes).and_then(|note| note.verify(std::slice::from_ref(&key)));
        assert!(held.is_err(), "bit {bit}");
    }
}

#[test]
fn others_may_sign_too() {
    let signer = signer("log");
    let mut note = Note::new("text\n\nwith a blank line\n".into()).unwrap();
    assert_eq!(note.verify(&[signer.verifier().clone()]), Err(NoteError::Unsigned));
    signer.sign(&mut note).unwrap();
    let own = note.signatures[0].clone();
    for other in 0..20 {
        let mut line = own.clone();
        line.name = format!("witness{other}");
        note.signatures.insert(0, line);
    }
    // The same name with another key is another signer.
    let mut line = own.clone();
    line.id = [0; 4];
    note.signatures.push(line);
    let note = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(note.verify(&[signer.verifier().clone()]), Ok(1));
    // A second signature of the same key has to hold as well.
    let mut doubled = note.clone();
    doubled.signatures.push(own.clone());
    assert_eq!(doubled.verify(&[signer.verifier().clone()]), Ok(1));
    doubled.signatures.last_mut().unwrap().bytes[0] ^= 1;
    let failed = doubled.verify(&[signer.verifier().clone()]);
    assert_eq!(failed, Err(NoteError::Invalid("log".into())));
}

#[test]
fn malformed_notes() {
    let line = EXAMPLE.rsplit_once("\n\n").unwrap().1;
    for text in [
        String::new(),
        "text\n".into(),
        "text\n\n".into(),
        format!("text\n{line}"),
        format!("\n\n{line}").replacen("\n\n", "\n", 1),
        format!("text\r\n\n{line}"),
        format!("text\n\n{}", line.trim_end()),
        format!("text\n\n{line}\n"),
        format!("text\n\n{}", line.replace('\u{2014}', "-")),
        format!("text\n\n{}", line.replace("example.com/foo", "a+b")),
        format!("text\n\n{}", line.replace("example.com/foo", "a\u{a0}b")),
        format!("text\n\n{}", line.replace("example.com/foo", "")),
        format!("text\n\n{}", line.replace('=', "")),
        "text\n\n\u{2014} name AAAAAA==\n".into(),
        format!("text\n\n{}", line.repeat(129)),
    ] {
        assert!(matches!(Note::parse(text.as_bytes()), Err(NoteError::Malformed(_))), "{text:?}");
    }
    assert!(Note::parse(b"\xff\n\n").is_err());
    assert!(Note::parse(format!("text\n\n{}", line.repeat(128)).as_bytes()).is_ok());
}

#[test]
fn malformed_keys() {
    for text in [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903a+",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ] {
        assert!(VerifierKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn checkpoints_are_three_lines() {
    let (first, rest) = CHECKPOINT.split_once('\n').unwrap();
    let (size, root) = rest.split_once('\n').unwrap();
    for text in [
        String::new(),
        CHECKPOINT.trim_end().into(),
        format!("{CHECKPOINT}\n"),
        format!("{CHECKPOINT}extension\n"),
        format!("\n{size}\n{root}"),
        format!("{first}\n0{size}\n{root}"),
        format!("{first}\n+{size}\n{root}"),
        format!("{first}\n-1\n{root}"),
        format!("{first}\n18446744073709551615\n{root}"),
        format!("{first}\n0\n{root}"),
        format!("{first}\n{size}\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n"),
        format!("{first}\n{size}\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n"),
    ] {
        assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
    }
    let empty = Checkpoint { origin: "log".into(), size: 0, root: EMPTY_ROOT };
    assert_eq!(Checkpoint::parse(&empty.body()), Ok(empty));
}

#[test]
fn a_log_is_named_by_serial_and_generation() {
    assert_eq!(parse_origin(&origin(SERIAL, 3)), Some((SERIAL, 3)));
    for other in ["claviger/x", "claviger/x/", "claviger/x/01", "other/x/1", "claviger/x/-1"] {
        assert_eq!(parse_origin(other), None, "{other}");
    }
}

#[test]
fn a_checkpoint_is_signed_by_its_own_log() {
    let published = Published::new(&sound(3));
    let note = published.note.as_bytes();
    let key = published.key.clone();
    assert_eq!(
        Checkpoint::open(note, std::slice::from_ref(&key)),
        Ok(published.checkpoint.clone())
    );
    assert_eq!(Checkpoint::open(note, &[]), Err(NoteError::Unsigned));
    let stranger = signer("stranger");
    assert_eq!(Checkpoint::open(note, &[stranger.verifier().clone()]), Err(NoteError::Unsigned));
    assert!(published.checkpoint.sign(&stranger).is_err());
    // A stranger's signature alone says nothing about whose log it is.
    let mut foreign = Note::new(published.checkpoint.body()).unwrap();
    stranger.sign(&mut foreign).unwrap();
    let opened =
        Checkpoint::open(foreign.to_string().as_bytes(), &[stranger.verifier().clone(), key]);
    assert_eq!(opened, Err(NoteError::Origin(origin(SERIAL, 1))));
}

#[test]
fn a_cosignature_binds_everything_it_names() {
    let published = Published::new(&sound(3));
    let cosigner = cosigner(&origin(SERIAL, 1));
    let mut note = Note::parse(published.note.as_bytes()).unwrap();
    cosigner.sign(&mut note, 1_795_292_645).unwrap();
    let note = Note::parse(note.to_string().as_bytes()).unwrap();
    let [_, line] = note.signatures.as_slice() else { panic!("two signatures") };
    assert_eq!(line.bytes.len(), 8 + 2420);
    let key = VerifierKey::parse(&cosigner.verifier().to_string()).unwrap();
    assert_eq!(&key, cosigner.verifier());
    assert_ne!(key.id(), published.key.id());
    assert_eq!(check_note(&key, note.text(), &line.bytes), Ok(1_795_292_645));
    assert_eq!(note.verify(&[published.key.clone(), key.clone()]), Ok(2));

    let PublicKey::MlDsa44(public) = key.public() else { panic!("an ML-DSA key") };
    let renamed = VerifierKey::new("another", PublicKey::MlDsa44(public.clone())).unwrap();
    assert!(check_note(&renamed, note.text(), &line.bytes).is_err());
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    for other in [
        Checkpoint { size: checkpoint.size + 1, ..checkpoint.clone() },
        Checkpoint { origin: origin(SERIAL, 2), ..checkpoint.clone() },
        Checkpoint { root: [0; 32], ..checkpoint },
    ] {
        assert!(check_note(&key, &other.body(), &line.bytes).is_err());
    }
    let mut numbers = Numbers(77);
    for _ in 0..40 {
        let mut bytes = line.bytes.clone();
        let at = numbers.below(bytes.len());
        bytes[at] ^= 1 << numbers.below(8);
        assert!(check_note(&key, note.text(), &bytes).is_err(), "byte {at}");
    }
    for short in [0, 7, 8, 2427] {
        assert!(check_note(&key, note.text(), &line.bytes[..short]).is_err());
    }
    assert!(check_note(&published.key, note.text(), &line.bytes).is_err());
}

#[test]
fn a_proof_stands_on_its_own() {
    let entries = sound(300);
    let published = Published::new(&entries);
    let size = published.checkpoint.size;
    let hashes = TileHashes::new(size, |tile| Ok(published.files.get(&tile.path()).cloned()));
    let keys = [published.key.clone()];
    for index in [0, 1, 17, 255, 256, 300, size - 1] {
        let proof = Proof {
            extra: (index == 17).then(|| b"for whom".to_vec()),
            index,
            hashes: inclusion_proof(index, size, &hashes).unwrap(),
            checkpoint: published.note.clone(),
        };
        let text = proof.format();
        assert_eq!(Proof::parse(&text).as_ref(), Ok(&proof));
        let entry = &entries[index as usize];
        assert_eq!(proof.verify(entry, &keys), Ok(published.checkpoint.clone()));
        assert_eq!(proof.verify(&entry[1..], &keys), Err(NoteError::Proof));
        let elsewhere = Proof { index: index ^ 1, ..proof };
        assert!(elsewhere.verify(entry, &keys).is_err());
    }
}

#[test]
fn the_text_of_a_proof() {
    let hash = [0; 32];
    let checkpoint = "log\n1\n".to_owned();
    let proof = Proof { extra: None, index: 5, hashes: vec![hash], checkpoint };
    let zeros = format!("{}=", "A".repeat(43));
    let text = format!("c2sp.org/tlog-proof@v1\nindex 5\n{zeros}\n\nlog\n1\n");
    assert_eq!(proof.format(), text);
    let empty = Proof { extra: Some(vec![]), hashes: vec![], ..proof };
    assert_eq!(Proof::parse(&empty.format()), Ok(empty));
    for wrong in [
        text.replace("@v1", "@v2"),
        text.replace("index 5", "index 05"),
        text.replace("index 5", "index"),
        text.replace("index 5\n", ""),
        text.replace("index", "extra ?\nindex"),
        text.replace("index 5", "index 5\nextra AA=="),
        text.replace("\n\n", "\n"),
        text.replace("AAA=", "AA="),
        text.replace(&zeros, &vec![zeros.clone(); 65].join("\n")),
    ] {
        assert!(Proof::parse(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn mutated_text_is_read_or_refused() {
    let published = Published::new(&sound(3));
    let proof = format!("c2sp.org/tlog-proof@v1\nextra AAAA\nindex 5\n\n{}", published.note);
    let mut numbers = Numbers(3);
    for _ in 0..20_000 {
        let mut note = published.note.clone().into_bytes();
        numbers.mutate(&mut note);
        if let Ok(read) = Note::parse(&note) {
            assert_eq!(read.to_string().as_bytes(), note);
            let _ = Checkpoint::open(&note, std::slice::from_ref(&published.key));
        }
        let mut text = proof.clone().into_bytes();
        numbers.mutate(&mut text);
        if let Ok(text) = String::from_utf8(text)
            && let Ok(read) = Proof::parse(&text)
        {
            assert_eq!(read.format(), text);
        }
        let mut key = published.key.to_string().into_bytes();
        numbers.mutate(&mut key);
        if let Ok(key) = String::from_utf8(key)
            && let Ok(read) = VerifierKey::parse(&key)
        {
            assert_eq!(read.to_string(), key);
        }
    }
}

#[test]
fn a_witness_signs_with_ed25519_over_a_time_and_the_text() {
    let key = Ed25519Private::from_seed(&Secret::copy_of(&[5; 32]).unwrap()).unwrap();
    let witness = PublicKey::Ed25519Cosigner(key.public());
    let witness = VerifierKey::new("witness.example/w1", witness).unwrap();
    assert_eq!(VerifierKey::parse(&witness.to_string()), Ok(witness.clone()));
    let plain = VerifierKey::new("witness.example/w1", PublicKey::Ed25519(key.public())).unwrap();
    assert_ne!(plain.id(), witness.id(), "the type is in the id");
    let signed = |time: u64, text: &str| {
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        [time.to_be_bytes().as_slice(), &key.sign(message.as_bytes()).unwrap()].concat()
    };
    assert_eq!(
        check_note(&witness, CHECKPOINT, &signed(1_679_315_147, CHECKPOINT)),
        Ok(1_679_315_147)
    );
    let invalid = Err(NoteError::Invalid("witness.example/w1".into()));
    assert_eq!(check_note(&witness, CHECKPOINT, &signed(1 << 63, CHECKPOINT)), invalid);
    let mut late = signed(7, CHECKPOINT);
    late[7] = 8;
    assert_eq!(check_note(&witness, CHECKPOINT, &late), invalid);
    let other = CHECKPOINT.replace("20852163", "20852164");
    assert_eq!(check_note(&witness, &other, &signed(7, CHECKPOINT)), invalid);
    for cut in [0, 7, 8, 71] {
        assert_eq!(check_note(&witness, CHECKPOINT, &signed(7, CHECKPOINT)[..cut]), invalid);
    }
    assert!(check_note(&plain, CHECKPOINT, &signed(7, CHECKPOINT)).is_err());
    let text = "no checkpoint\n";
    assert!(check_note(&witness, text, &signed(7, text)).is_err());
}
