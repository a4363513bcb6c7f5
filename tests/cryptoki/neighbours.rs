//! Other modules in the same process: their names are ours as well, and neither may reach the
//! other's functions, whoever is loaded first and with whatever flags. And two copies of us.

use std::path::Path;

use cryptoki_sys as ck;

use crate::support::functions::FUNCTIONS;
use crate::support::module::Module;
use crate::support::token::make_token;
use crate::support::{Bench, Refused, USER_PIN, isolated};

const GLOBAL: i32 = libc::RTLD_NOW | libc::RTLD_GLOBAL;

/// Loads another module into the global scope, where its C_Sign can shadow ours.
fn load_globally(path: &Path) {
    let path = std::ffi::CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
    // SAFETY: a valid path; the module has no initialisers worth mentioning.
    let library = unsafe { libc::dlopen(path.as_ptr(), GLOBAL) };
    assert!(!library.is_null(), "{} cannot be loaded", path.to_string_lossy());
}

/// Every function in our lists is ours, and a token works from its making to a signature.
fn works(module: &Module) {
    let list = (&raw const module.functions).cast::<*mut std::ffi::c_void>();
    // SAFETY: the list holds nothing but function pointers after its version.
    let members = unsafe { list.add(1) };
    // SAFETY: as above.
    let members = unsafe { std::slice::from_raw_parts(members, FUNCTIONS.len()) };
    for (name, member) in FUNCTIONS.iter().zip(members) {
        assert_eq!(Some(*member), module.symbol(name), "{name} is somebody else's");
    }
    module.initialize().expect("C_Initialize");
    let session = module.read_write(make_token(module, "ours"));
    session.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    let (public, private) = crate::ecdsa::generate(&session, crate::support::known::P256);
    let how = crate::support::operations::plain(ck::CKM_ECDSA);
    let signature = session.sign(&how, private, &[1; 32]).expect("C_Sign");
    session.verify(&how, public, &[1; 32], &signature).expect("C_Verify");
    module.finalize().expect("C_Finalize");
}

fn other_module(bench: &Bench) -> std::path::PathBuf {
    bench.compile("other_module", &["-shared", "-fPIC"])
}

#[test]
fn a_module_loaded_globally_before_us_does_not_get_our_calls() {
    isolated(|bench| {
        load_globally(&other_module(bench));
        works(&bench.load());
    });
}

#[test]
fn a_module_loaded_globally_after_us_does_not_get_our_calls() {
    isolated(|bench| {
        let module = bench.load();
        load_globally(&other_module(bench));
        works(&module);
    });
}

#[test]
fn both_may_be_loaded_globally() {
    isolated(|bench| {
        load_globally(&other_module(bench));
        works(&Module::load_with(&bench.module_path(), GLOBAL));
    });
}

#[test]
fn lazy_binding_finds_our_own_functions() {
    isolated(|bench| {
        load_globally(&other_module(bench));
        works(&Module::load_with(&bench.module_path(), libc::RTLD_LAZY | libc::RTLD_GLOBAL));
    });
}

#[test]
fn softhsm_and_we_live_side_by_side() {
    isolated(|bench| {
        let softhsm = Path::new("/usr/lib/softhsm/libsofthsm2.so");
        if !softhsm.exists() {
            eprintln!("SoftHSM is not installed: nothing to live beside");
            return;
        }
        let other = Module::load_with(softhsm, GLOBAL);
        let module = bench.load();
        other.initialize().unwrap();
        works(&module);
        let slot = other.free_slot();
        other.init_token(slot, "theirs-1234", "theirs").unwrap();
        module.initialize().unwrap();
        other.finalize().unwrap();
        assert!(module.slot_of("ours").is_some());
        assert!(module.slot_of("theirs").is_none());
        module.finalize().unwrap();
    });
}

#[test]
fn a_second_copy_of_us_is_refused_the_same_directory() {
    isolated(|bench| {
        let first = bench.token().module;
        let copy = bench.dir().join("libcopy.so");
        std::fs::copy(bench.module_path(), &copy).unwrap();
        let second = Module::load(&copy);
        let refused = second.initialize().expect_err("two copies share locks badly");
        assert_ne!(refused.0, ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        second.slots(true).refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
        let slot = first.slot_of("test token").expect("the first copy goes on");
        first.read_write(slot).login(ck::CKU_USER, USER_PIN).unwrap();
        first.finalize().unwrap();
        second.initialize().expect("the directory is free again");
        assert!(second.slot_of("test token").is_some());
        assert!(first.initialize().is_err(), "now the second copy has it");
    });
}

#[test]
fn a_link_to_us_is_us() {
    isolated(|bench| {
        let first = bench.initialised();
        let link = bench.dir().join("liblink.so");
        std::os::unix::fs::symlink(bench.module_path(), &link).unwrap();
        let second = Module::load(&link);
        second.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
        assert_eq!(second.library, first.library);
    });
}
