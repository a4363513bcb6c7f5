//! What a core dump of the host would hold: no key and no PIN, however they were used. Every
//! readable mapping that a dump contains is searched for secrets that only the module was given.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::operations::plain;
use crate::support::{Bench, Session, USER_PIN, call, isolated, template};

const LEN: usize = 32;
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

/// A random secret whose bytes stand nowhere: one buffer is lent to the module for one call and
/// wiped, two others hold it apart.
struct Masked {
    mask: [u8; LEN],
    masked: [u8; LEN],
}

impl Masked {
    /// Makes a secret and gives it to `lend`, in a place that is wiped afterwards.
    fn lend(room: &mut [u8; LEN], lend: impl FnOnce(&mut [u8; LEN])) -> Self {
        let mut random = File::open("/dev/urandom").unwrap();
        let (mut mask, mut masked) = ([0; LEN], [0; LEN]);
        random.read_exact(&mut mask).unwrap();
        random.read_exact(room).unwrap();
        // A scalar below the order of P-256, and a PIN without a zero byte.
        for byte in room.iter_mut() {
            *byte = (*byte & 0x7f) | 0x01;
        }
        for ((masked, mask), byte) in masked.iter_mut().zip(mask).zip(room.iter()) {
            *masked = byte ^ mask;
        }
        lend(room);
        for byte in room.iter_mut() {
            // SAFETY: a live byte of our own; volatile so that the wipe is not left out.
            unsafe { std::ptr::from_mut(byte).write_volatile(0) };
        }
        Self { mask, masked }
    }

    /// Is half of the secret in these bytes, forwards or backwards?
    fn is_in(&self, bytes: &[u8]) -> bool {
        let byte = |index: usize| self.mask[index] ^ self.masked[index];
        bytes.windows(LEN / 2).any(|window| {
            let forwards = || (0..LEN / 2).all(|index| window[index] == byte(index));
            let backwards = || (0..LEN / 2).all(|index| window[index] == byte(LEN - 1 - index));
            (window[0] == byte(0) && forwards()) || (window[0] == byte(LEN - 1) && backwards())
        })
    }
}

fn create(session: &Session<'_>, rows: &mut [ck::CK_ATTRIBUTE]) -> ck::CK_OBJECT_HANDLE {
    let (mut handle, count) = (0, ck::CK_ULONG::try_from(rows.len()).unwrap());
    call!(session, C_CreateObject(session.handle, rows.as_mut_ptr(), count, &raw mut handle))
        .with(handle)
        .expect("C_CreateObject")
}

fn row<T>(kind: ck::CK_ATTRIBUTE_TYPE, value: &mut T) -> ck::CK_ATTRIBUTE {
    let length = ck::CK_ULONG::try_from(size_of::<T>()).unwrap();
    ck::CK_ATTRIBUTE { type_: kind, pValue: std::ptr::from_mut(value).cast(), ulValueLen: length }
}

/// Room that no core dump holds, so that the search does not find what it read itself.
fn undumped_room() -> &'static mut [u8] {
    const ROOM: usize = 1 << 20;
    let (read_write, private) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE);
    let flags = private | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, which is never given back.
    let start = unsafe { libc::mmap(null_mut(), ROOM, read_write, flags, -1, 0) };
    assert_ne!(start, libc::MAP_FAILED);
    // SAFETY: the whole of the mapping.
    assert_eq!(unsafe { libc::madvise(start, ROOM, libc::MADV_DONTDUMP) }, 0);
    // SAFETY: as long as it was asked for, zeroed, and ours alone.
    unsafe { std::slice::from_raw_parts_mut(start.cast(), ROOM) }
}

/// The names of the mappings that a core dump holds and in which a secret stands.
fn dumped(secrets: &[(&'static str, Masked)]) -> Vec<String> {
    let mut found = Vec::new();
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let page = undumped_room();
    let mut mapping = (0_u64, 0_u64, String::new());
    for line in maps.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-').filter(|_| !first.ends_with(':')) {
            let (start, end) = (u64::from_str_radix(start, 16), u64::from_str_radix(end, 16));
            mapping = (start.unwrap(), end.unwrap(), line.to_owned());
        }
        let Some(flags) = line.strip_prefix("VmFlags:") else { continue };
        let (start, end, name) = &mapping;
        let is_dumped = flags.contains(" rd") && !flags.split(' ').any(|flag| flag == "dd");
        if !is_dumped || name.contains("[v") {
            continue;
        }
        let mut place = *start;
        while place < *end {
            let wanted = usize::try_from(end - place).unwrap().min(page.len());
            let got = memory.read_at(&mut page[..wanted], place).unwrap_or(0);
            for (what, secret) in secrets {
                if secret.is_in(&page[..got]) {
                    found.push(format!("{what} in {name}"));
                }
            }
            // Pieces overlap by a secret's length, or one on the border would be missed.
            let is_last = got < page.len();
            place += u64::try_from(if is_last { wanted } else { got - LEN }).unwrap();
        }
    }
    found
}

#[test]
fn a_core_dump_holds_no_key_and_no_pin() {
    isolated(|bench| {
        bench.configure("store.kind = \"disk\"");
        search_a_dump(bench);
    });
}

#[test]
fn a_core_dump_of_a_host_with_a_token_in_memory_holds_none_either() {
    isolated(|bench| {
        bench.configure("store.kind = \"memory\"");
        search_a_dump(bench);
    });
}

fn search_a_dump(bench: &Bench) {
    let token = bench.token();
    let session = token.user();
    let (mut on_token, mut yes, mut no) = (1_u8, 1_u8, 0_u8);
    let mut room = [0; LEN];
    let mut handles = [0; 4];

    let aes = Masked::lend(&mut room, |value| {
        let (mut class, mut kind) = (ck::CKO_SECRET_KEY, ck::CKK_AES);
        handles[0] = create(
            &session,
            &mut [
                row(ck::CKA_CLASS, &mut class),
                row(ck::CKA_KEY_TYPE, &mut kind),
                row(ck::CKA_TOKEN, &mut on_token),
                row(ck::CKA_SENSITIVE, &mut yes),
                row(ck::CKA_EXTRACTABLE, &mut no),
                row(ck::CKA_VALUE, value),
            ],
        );
    });
    let scalar = Masked::lend(&mut room, |value| {
        let (mut class, mut kind) = (ck::CKO_PRIVATE_KEY, ck::CKK_EC);
        handles[1] = create(
            &session,
            &mut [
                row(ck::CKA_CLASS, &mut class),
                row(ck::CKA_KEY_TYPE, &mut kind),
                row(ck::CKA_TOKEN, &mut on_token),
                row(ck::CKA_EC_PARAMS, &mut P256.clone()),
                row(ck::CKA_VALUE, value),
            ],
        );
    });
    let seed = Masked::lend(&mut room, |value| {
        let (mut class, mut kind) = (ck::CKO_PRIVATE_KEY, ck::CKK_EC_EDWARDS);
        handles[2] = create(
            &session,
            &mut [
                row(ck::CKA_CLASS, &mut class),
                row(ck::CKA_KEY_TYPE, &mut kind),
                row(ck::CKA_TOKEN, &mut on_token),
                row(ck::CKA_EC_PARAMS, &mut ED25519.clone()),
                row(ck::CKA_VALUE, value),
            ],
        );
    });
    // The second half of the seed is z, which stands in an expanded key as it is.
    let rejection = Masked::lend(&mut room, |value| {
        let (mut class, mut kind) = (ck::CKO_PRIVATE_KEY, ck::CKK_ML_KEM);
        let mut set = ck::CKP_ML_KEM_768;
        let mut seed = [5; 2 * LEN];
        seed[LEN..].copy_from_slice(value);
        handles[3] = create(
            &session,
            &mut [
                row(ck::CKA_CLASS, &mut class),
                row(ck::CKA_KEY_TYPE, &mut kind),
                row(ck::CKA_TOKEN, &mut on_token),
                row(ck::CKA_PARAMETER_SET, &mut set),
                row(ck::CKA_SEED, &mut seed),
            ],
        );
        for byte in &mut seed {
            // SAFETY: a live byte of our own.
            unsafe { std::ptr::from_mut(byte).write_volatile(0) };
        }
    });
    let pin = Masked::lend(&mut room, |value| {
        let (old, length) = (USER_PIN.as_ptr().cast_mut(), LEN as ck::CK_ULONG);
        let old_len = USER_PIN.len() as ck::CK_ULONG;
        let new = value.as_mut_ptr();
        call!(session, C_SetPIN(session.handle, old, old_len, new, length)).with(()).unwrap();
        session.logout().unwrap();
        call!(session, C_Login(session.handle, ck::CKU_USER, new, length)).with(()).unwrap();
    });
    // The logout took the handles away; the keys are found and opened anew.
    let keys = session.find(&template! { CKA_TOKEN => true }).unwrap();
    assert_eq!(keys.len(), handles.len());
    for key in keys {
        match session.number(key, ck::CKA_KEY_TYPE) {
            ck::CKK_AES => {
                session.encrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
                session.encrypt_data(&[7; 64]).unwrap();
            }
            ck::CKK_EC => {
                session.sign_init(&plain(ck::CKM_ECDSA), key).unwrap();
                session.sign_data(&[7; 32]).unwrap();
            }
            ck::CKK_ML_KEM => {
                // Nobody made this ciphertext, so z makes the secret.
                let template = template! {
                    CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES,
                };
                session.decapsulate(&plain(ck::CKM_ML_KEM), key, &template, &[7; 1088]).unwrap();
            }
            _ => {
                session.sign_init(&plain(ck::CKM_EDDSA), key).unwrap();
                session.sign_data(&[7; 32]).unwrap();
            }
        }
    }
    let secrets = [
        ("AES key", aes),
        ("EC scalar", scalar),
        ("seed", seed),
        ("rejection value", rejection),
        ("PIN", pin),
    ];
    assert_eq!(dumped(&secrets), Vec::<String>::new());
    // The search itself works: a secret in ordinary memory is found.
    let aes = &secrets[0].1;
    let in_the_heap: Vec<u8> = aes.mask.iter().zip(aes.masked).map(|(a, b)| a ^ b).collect();
    assert!(!dumped(&secrets).is_empty(), "the search finds nothing");
    assert_eq!(std::hint::black_box(in_the_heap).len(), LEN);
}
