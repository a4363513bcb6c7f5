//! Which keys a program sees: by its name, by what it has loaded, by `CLAVIGER_VIEW`. What it
//! does not see is not found, not counted, and has no handle.

use cryptoki_sys as ck;

use crate::support::known::{self, ED25519, P256, X25519};
use crate::support::operations::plain;
use crate::support::token::make_token;
use crate::support::{Bench, Module, Refused, Session, USER_PIN, isolated, template};

/// A token that holds an EC pair, an Ed25519 pair, an AES key and a data object; its handles are
/// those of a program that sees everything.
fn furnished<'m>(module: &'m Module, slot: ck::CK_SLOT_ID) -> (Session<'m>, [u64; 4]) {
    let session = user(module, slot);
    let kept = |of: crate::support::Template, label: &str| {
        session.create(&of.with(template! { CKA_TOKEN => true, CKA_LABEL => label })).unwrap()
    };
    kept(known::p256_public(), "ec");
    kept(known::ed25519_public(), "ed");
    let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_VALUE => b"x" };
    let data = kept(data, "data");
    let ec = kept(known::p256_private(), "ec");
    let ed = kept(known::ed25519_private(), "ed");
    let aes = kept(known::aes(&[1; 16]), "aes");
    (session, [ec, ed, aes, data])
}

fn user<'m>(module: &'m Module, slot: ck::CK_SLOT_ID) -> Session<'m> {
    let session = module.read_write(slot);
    // Somebody may be logged in already.
    let _ = session.login(ck::CKU_USER, USER_PIN);
    session
}

/// How many keys and other objects of the token's a new session sees, by label.
fn seen(session: &Session<'_>) -> Vec<(&'static str, usize)> {
    let labels = ["ec", "ed", "aes", "data"];
    labels.map(|label| (label, session.count(&template! { CKA_LABEL => label }))).to_vec()
}

const ALL: [(&str, usize); 4] = [("ec", 2), ("ed", 2), ("aes", 1), ("data", 1)];
const CLASSIC: [(&str, usize); 4] = [("ec", 2), ("ed", 0), ("aes", 1), ("data", 1)];

/// Says what a new process sees whose environment has this view.
fn seen_with(bench: &Bench, view: Option<&str>) -> String {
    let mut player = bench.player("look");
    if let Some(view) = view {
        player.env("CLAVIGER_VIEW", view);
    }
    let out = player.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = out.lines().find_map(|line| line.strip_prefix("sees ")).unwrap_or_default();
    line.to_owned()
}

fn look(bench: &Bench) {
    let module = bench.initialised();
    let session = user(&module, module.slot_of("test token").unwrap());
    println!("\nsees {:?}", seen(&session));
}

#[test]
fn what_is_hidden_is_not_found_and_its_handle_does_not_work() {
    isolated(|bench| {
        let token = bench.token();
        let (session, [ec, ed, aes, data]) = furnished(&token.module, token.slot);
        assert_eq!(seen(&session), ALL);
        // The same process, with another view from now on: its handles stay what they are.
        token.module.finalize().unwrap();
        // SAFETY: one thread runs here.
        unsafe { std::env::set_var("CLAVIGER_VIEW", "classic") };
        token.module.initialize().unwrap();
        let session = user(&token.module, token.slot);
        assert_eq!(seen(&session), CLASSIC);
        assert_eq!(session.count(&template! { CKA_KEY_TYPE => ck::CKK_EC_EDWARDS }), 0);
        assert_eq!(session.count(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }), 1);
        assert_eq!(session.count(&template! {}), 4);
        // Of a session of its own, a key of a hidden type is hidden as well.
        let hidden = session.create(&known::ed25519_private()).unwrap();
        session.get(hidden, ck::CKA_LABEL).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        session.sign_init(&plain(ck::CKM_EDDSA), hidden).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.destroy(hidden).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        session.copy(hidden, &template! {}).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        let label = template! { CKA_LABEL => "b" };
        session.set(hidden, &label).refused(ck::CKR_OBJECT_HANDLE_INVALID);
        assert_eq!(session.count(&template! { CKA_KEY_TYPE => ck::CKK_EC_EDWARDS }), 0);
        let keys = session.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }).unwrap();
        session.sign_init(&plain(ck::CKM_ECDSA), keys[0]).unwrap();
        assert!([ec, ed, aes, data].iter().all(|handle| *handle != 0));
    });
}

#[test]
fn a_view_is_chosen_by_environment_program_library_or_for_all() {
    isolated(|bench| {
        if bench.role().is_some() {
            return look(bench);
        }
        let token = bench.token();
        furnished(&token.module, token.slot);
        let (all, classic) = (format!("{ALL:?}"), format!("{CLASSIC:?}"));
        let only_ed = format!("{:?}", [("ec", 0), ("ed", 2), ("aes", 0), ("data", 1)]);
        assert_eq!(seen_with(bench, None), all);
        assert_eq!(seen_with(bench, Some("classic")), classic);
        assert_eq!(seen_with(bench, Some("ed25519")), only_ed);
        let program = std::env::current_exe().unwrap();
        let program = program.file_name().unwrap().to_str().unwrap();
        bench.configure("view.show = \"classic\"");
        assert_eq!(seen_with(bench, None), classic);
        assert_eq!(seen_with(bench, Some("full")), all);
        bench.configure(&format!("view.programs = [\"cat=full\", \"{program}=classic\"]"));
        assert_eq!(seen_with(bench, None), classic);
        bench.configure("view.libraries = [\"libclaviger.so=ed25519\", \"libc.so=full\"]");
        assert_eq!(seen_with(bench, None), only_ed);
        bench.configure("view.libraries = [\"libnothing.so=classic\"]");
        assert_eq!(seen_with(bench, None), all);
        bench.configure("[token.\"test token\"]\nview.show = \"classic\"");
        assert_eq!(seen_with(bench, None), classic);
        bench.configure("[token.other]\nview.show = \"classic\"");
        assert_eq!(seen_with(bench, None), all);
    });
}

#[test]
fn a_view_of_no_known_type_is_refused_at_the_start() {
    isolated(|bench| {
        for wrong in ["[view]\nshow = \"rsa,dsa2\"", "[view]\nprograms = [\"a=b\"]"] {
            bench.configure(wrong);
            bench.load().initialize().refused(ck::CKR_GENERAL_ERROR);
        }
        bench.configure("");
        // SAFETY: one thread runs here.
        unsafe { std::env::set_var("CLAVIGER_VIEW", "clasic") };
        bench.load().initialize().refused(ck::CKR_GENERAL_ERROR);
    });
}

/// `named` in the bench's directory, loaded: a library of the system's, of which the name alone counts.
fn load_as(bench: &Bench, name: &str) -> libloading::Library {
    let source = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut paths = source.lines().filter_map(|line| line.get(line.find('/')?..));
    let small = paths.find(|path| path.contains("/libgcc_s.so") || path.contains("/libm.so"));
    let named = bench.dir().join(name);
    std::fs::copy(small.expect("a small library"), &named).unwrap();
    // SAFETY: a copy of a library of the system's, whose initialiser has run before.
    unsafe { libloading::Library::new(&named) }.unwrap()
}

/// A library whose file is called like libp11, made of one that is there: only its name counts.
#[test]
fn a_library_that_comes_later_is_noticed() {
    isolated(|bench| {
        bench.configure("slots.spare = true");
        let token = bench.token();
        furnished(&token.module, token.slot);
        assert_eq!(seen(&user(&token.module, token.slot)), ALL);
        let _loaded = load_as(bench, "libp11.so.3");
        token.module.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        assert_eq!(seen(&user(&token.module, token.slot)), CLASSIC);
        make_token(&token.module, "second");
    });
}

/// The public keys of an Ed25519, an X25519 and a P-256 pair, as they read.
fn points(session: &Session<'_>) -> Vec<Vec<u8>> {
    let kinds = [ck::CKK_EC_EDWARDS, ck::CKK_EC_MONTGOMERY, ck::CKK_EC];
    let read = |kind| {
        let public = template! { CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => kind };
        let found = session.find(&public).unwrap();
        session.get(found[0], ck::CKA_EC_POINT).unwrap()
    };
    kinds.into_iter().map(read).collect()
}

#[test]
fn points_read_as_octet_strings_where_a_library_needs_it() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let kept = template! { CKA_TOKEN => true };
        for (how, curve) in [
            (ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519),
            (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519),
            (ck::CKM_EC_KEY_PAIR_GEN, P256),
        ] {
            let public = template! { CKA_TOKEN => true, CKA_EC_PARAMS => curve };
            session.generate_pair(&plain(how), &public, &kept).unwrap();
        }
        let bare = points(&session);
        let octets = |point: &[u8]| [&[4, 32], point].concat();
        let in_octets = [octets(&bare[0]), octets(&bare[1]), bare[2].clone()];
        assert_eq!((bare[0].len(), bare[1].len(), bare[2].len()), (32, 32, 67));
        let _loaded = load_as(bench, "libgnutls.so.30");
        token.module.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        assert_eq!(points(&session), bare, "a session stays as it was opened");
        let new = token.public();
        assert_eq!(points(&new), in_octets);
        // What was read goes in again, and is the same key.
        let given = template! { CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_EC_EDWARDS,
        CKA_EC_PARAMS => ED25519, CKA_EC_POINT => in_octets[0].as_slice() };
        let given = session.create(&given).unwrap();
        assert_eq!(session.get(given, ck::CKA_EC_POINT).unwrap(), bare[0]);
        token.module.finalize().unwrap();
        for (choice, expected) in [("bare", bare.as_slice()), ("octets", &in_octets)] {
            bench.configure(&format!("[view]\npoints = \"{choice}\""));
            token.module.initialize().unwrap();
            assert_eq!(points(&user(&token.module, token.slot)), expected, "{choice}");
            token.module.finalize().unwrap();
        }
    });
}
