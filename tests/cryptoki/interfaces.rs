//! What the library exports: 104 names, three function lists, and nothing else.
//! PKCS#11 3.2, "General-purpose functions": C_GetFunctionList, C_GetInterfaceList, C_GetInterface.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::functions::{FUNCTIONS, IN_2_40, IN_3_0};
use crate::support::{Module, Rv, call, elf, isolated};

/// The standard's name of its interface.
const STANDARD: &CStr = c"PKCS 11";
/// The name of ours.
const VENDOR: &CStr = c"Vendor claviger";

/// The members of a function list, as addresses: the version is padded to one pointer.
fn members(list: *const c_void, count: usize) -> Vec<*mut c_void> {
    // SAFETY: every function list is a version followed by `count` function pointers.
    let members = unsafe { list.cast::<*mut c_void>().add(1) };
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(members, count) }.to_vec()
}

fn version(list: *const c_void) -> (u8, u8) {
    // SAFETY: every function list begins with its version.
    let version = unsafe { *list.cast::<ck::CK_VERSION>() };
    (version.major, version.minor)
}

fn interface_list(module: &Module) -> Vec<ck::CK_INTERFACE> {
    let mut count = 0;
    call!(module, C_GetInterfaceList(null_mut(), &raw mut count)).is(ck::CKR_OK);
    let mut list = vec![ck::CK_INTERFACE::default(); usize::try_from(count).expect("a count")];
    call!(module, C_GetInterfaceList(list.as_mut_ptr(), &raw mut count)).is(ck::CKR_OK);
    list
}

/// C_GetInterface by name and version; the version of the list that it gave.
fn interface(
    module: &Module,
    name: Option<&CStr>,
    wanted: Option<(u8, u8)>,
    flags: ck::CK_FLAGS,
) -> Result<(u8, u8), Rv> {
    let name = name.map_or(null_mut(), |name| name.as_ptr().cast_mut().cast());
    let mut version_room = wanted.map(|(major, minor)| ck::CK_VERSION { major, minor });
    let wanted = version_room.as_mut().map_or(null_mut(), |version| &raw mut *version);
    let mut found: *mut ck::CK_INTERFACE = null_mut();
    call!(module, C_GetInterface(name, wanted, &raw mut found, flags)).with(())?;
    // SAFETY: the call succeeded, so the interface is there.
    Ok(version(unsafe { (*found).pFunctionList }))
}

/// The standard does not say which of its return values means "no such interface".
#[track_caller]
fn not_found(answer: Result<(u8, u8), Rv>) {
    let rv = answer.expect_err("no such interface");
    rv.is_one_of(&[ck::CKR_FUNCTION_FAILED, ck::CKR_ARGUMENTS_BAD]);
}

#[test]
fn only_the_functions_of_the_standard_are_exported() {
    isolated(|bench| {
        let exported: BTreeSet<String> = elf::exports(&bench.module_path()).into_iter().collect();
        let wanted: BTreeSet<String> = FUNCTIONS.iter().map(|&name| name.to_owned()).collect();
        let missing: Vec<_> = wanted.difference(&exported).collect();
        let foreign: Vec<_> = exported.difference(&wanted).collect();
        assert!(missing.is_empty(), "not exported: {missing:?}");
        assert!(foreign.is_empty(), "exported besides: {foreign:?}");
    });
}

#[test]
fn the_first_list_is_2_40_and_whole() {
    isolated(|bench| {
        let module = bench.load();
        let mut list = null_mut();
        call!(module, C_GetFunctionList(&raw mut list)).is(ck::CKR_OK);
        assert_eq!(version(list.cast()), (2, 40));
        assert!(members(list.cast(), IN_2_40).iter().all(|member| !member.is_null()));
    });
}

#[test]
fn the_interfaces_are_listed_newest_first_and_ours_last() {
    isolated(|bench| {
        let list = interface_list(&bench.load());
        let versions: Vec<_> = list.iter().map(|entry| version(entry.pFunctionList)).collect();
        assert_eq!(versions, [(3, 2), (3, 0), (2, 40), (1, 0)]);
        for (entry, expected) in list.iter().zip([STANDARD, STANDARD, STANDARD, VENDOR]) {
            // SAFETY: the standard says that the name is a terminated string.
            let name = unsafe { CStr::from_ptr(entry.pInterfaceName.cast()) };
            assert_eq!(name, expected);
        }
    });
}

#[test]
fn every_member_of_every_list_is_the_exported_function_of_its_name() {
    isolated(|bench| {
        let module = bench.load();
        for entry in interface_list(&module) {
            let count = match version(entry.pFunctionList) {
                (1, 0) => continue,
                (2, 40) => IN_2_40,
                (3, 0) => IN_3_0,
                _ => FUNCTIONS.len(),
            };
            let found = members(entry.pFunctionList, count);
            for (name, member) in FUNCTIONS.iter().zip(found) {
                assert_eq!(Some(member), module.symbol(name), "{name}");
            }
        }
    });
}

#[test]
fn the_library_says_which_version_of_the_standard_it_speaks() {
    isolated(|bench| {
        let module = bench.initialised();
        let mut info = ck::CK_INFO::default();
        call!(module, C_GetInfo(&raw mut info)).is(ck::CKR_OK);
        assert_eq!((info.cryptokiVersion.major, info.cryptokiVersion.minor), (3, 2));
        assert_eq!(info.flags, 0);
        for text in [info.manufacturerID, info.libraryDescription] {
            assert!(!text.contains(&0), "padded with blanks, not with NUL");
            assert!(String::from_utf8(text.to_vec()).is_ok_and(|text| !text.trim().is_empty()));
        }
    });
}

#[test]
fn an_interface_list_that_is_too_short_is_refused_with_the_needed_count() {
    isolated(|bench| {
        let module = bench.load();
        let mut list = [ck::CK_INTERFACE::default(); 4];
        let mut count = 1;
        let rv = call!(module, C_GetInterfaceList(list.as_mut_ptr(), &raw mut count));
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(count, 4);
        assert!(list[1].pFunctionList.is_null(), "nothing is written beyond the room");
        call!(module, C_GetInterfaceList(list.as_mut_ptr(), &raw mut count)).is(ck::CKR_OK);
    });
}

#[test]
fn an_interface_is_found_by_name_and_exact_version() {
    isolated(|bench| {
        let module = bench.load();
        for wanted in [(3, 2), (3, 0), (2, 40)] {
            assert_eq!(interface(&module, Some(STANDARD), Some(wanted), 0), Ok(wanted));
            assert_eq!(interface(&module, None, Some(wanted), 0), Ok(wanted));
        }
    });
}

#[test]
fn the_newest_interface_is_the_default() {
    isolated(|bench| {
        let module = bench.load();
        assert_eq!(interface(&module, None, None, 0), Ok((3, 2)));
        assert_eq!(interface(&module, Some(STANDARD), None, 0), Ok((3, 2)));
    });
}

#[test]
fn an_interface_that_is_not_there_is_refused() {
    isolated(|bench| {
        let module = bench.load();
        for wanted in [(2, 20), (2, 39), (3, 1), (3, 3), (4, 0), (0, 0)] {
            not_found(interface(&module, Some(STANDARD), Some(wanted), 0));
        }
        for name in [c"", c"PKCS 1", c"PKCS 111", c"pkcs 11", c"Vendor NSS Module Interface"] {
            not_found(interface(&module, Some(name), None, 0));
        }
    });
}

#[test]
fn flags_that_no_interface_has_find_none() {
    isolated(|bench| {
        let module = bench.load();
        let unknown: ck::CK_FLAGS = 0x8000_0000;
        not_found(interface(&module, None, None, unknown));
        let own = interface_list(&module).first().map_or(0, |entry| entry.flags);
        assert_eq!(interface(&module, Some(STANDARD), Some((3, 2)), own), Ok((3, 2)));
    });
}

#[test]
fn lists_and_interfaces_stay_where_they_are() {
    isolated(|bench| {
        let module = bench.load();
        let place = || {
            let mut list = null_mut();
            call!(module, C_GetFunctionList(&raw mut list)).is(ck::CKR_OK);
            (list, interface_list(&module).iter().map(|i| i.pFunctionList).collect::<Vec<_>>())
        };
        let before = place();
        module.initialize().unwrap();
        assert_eq!(place(), before);
        module.finalize().unwrap();
        assert_eq!(place(), before);
    });
}

#[test]
fn null_where_a_list_belongs_is_refused() {
    isolated(|bench| {
        let module = bench.load();
        call!(module, C_GetFunctionList(null_mut())).is(ck::CKR_ARGUMENTS_BAD);
        call!(module, C_GetInterfaceList(null_mut(), null_mut())).is(ck::CKR_ARGUMENTS_BAD);
        let none = call!(module, C_GetInterface(null_mut(), null_mut(), null_mut(), 0));
        none.is(ck::CKR_ARGUMENTS_BAD);
    });
}
