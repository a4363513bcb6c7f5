//! Which file counts, where the tokens lie, what is refused and how the refusal reads.
//! Places are made in temporary directories; the machine's own are not looked at.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::places::{Places, refuse_foreign};
use super::*;

fn refusals(text: &str) -> Vec<String> {
    let problems = Configuration::parse(Path::new("/c.toml"), text).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

fn refusal(text: &str) -> String {
    refusals(text).into_iter().next().unwrap_or_else(|| panic!("accepted: {text}"))
}

fn accepted(text: &str) -> Configuration {
    Configuration::parse(Path::new("/c.toml"), text).unwrap_or_else(|why| panic!("{why:?}"))
}

/// Places in a temporary directory, as a user without any variable has them.
fn places(base: &Path) -> Places {
    let environment = Environment { home: Some(base.join("home")), ..Environment::default() };
    Places {
        system_file: base.join("etc/claviger/claviger.toml"),
        system_directory: base.join("var/lib/claviger"),
        trust: Trust::AnyOwner,
        ..Places::of(&environment)
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let found = accepted("");
    assert_eq!((found.argon2_memory_kib, found.argon2_passes, found.argon2_lanes), (19_456, 2, 1));
    assert_eq!((found.pin_tries, found.spare_slot, found.shared_fs), (10, false, false));
    assert_eq!((found.audit.retain, &found.audit.file), (0, &None));
    assert_eq!(found.store_kind, StoreKind::Disk);
    assert_eq!(found.readonly_login, ReadOnlyLogin::Deny);
    assert_eq!(found.export, ExportPolicy::Deny);
    assert_eq!(found.public_write, PublicWrite::Login);
    assert!(!found.legacy);
    assert_eq!(found.access(), Access::Owner);
}

#[test]
fn every_key_is_read_and_shown_again() {
    let text = "directory = \"/srv/tokens\"\ngroup = \"root\"\n[slots]\nspare = true\n\
                [pin]\nargon2_memory_kib = 8_192\nargon2_passes = 0x3\nargon2_lanes = 2\n\
                tries = 5\nreadonly = \"allow\"\n[policy]\nexport = \"standard\"\n\
                public_write = \"standard\"\nrsa_bits = 3072\nec_bits = 256\naes_bits = 256\n\
                hmac_bits = 112\nhash_bits = 256\nseparate_uses = true\nclose_session_keys = true\n\
                dates = false\n[mechanisms]\nlegacy = true\n\
                allow = [\"SHA256_*\"]\ndeny = [\"CKM_MD5\"]\n\
                keys = [\"AES_*=aes\", \"*_HMAC=generic,hmac\"]\n\
                [view]\nshow = \"rsa,ec\"\nprograms = [\"a=full\"]\n\
                libraries = [\"libp11=classic\", \"libx.so=auto\"]\npoints = \"octets\"\n\
                [audit]\non_tamper = \"warn\"\n\
                on_failure = \"warn\"\noff = [\"C_Verify\"]\nforce = [\"C_Sign\"]\n\
                hash = true\nsync = \"every\"\nsync_ms = 20\nseal_ms = 70\n\
                retain = 90\nfile = \"/var/log/keys\"\n\
                key = [\"a+00000000+AAAA\"]\nanchor_directory = \"/srv/anchors\"\n\
                anchor_put = [\"/bin/put\", \"a \\\"b\\\"\"]\nanchor_get = [\"/bin/get\"]\n\
                witness = \"https://w.example/a\"\nwitness_monitor = \"https://m.example\"\n\
                witness_key = [\"w+00000000+BBBB\"]\nwitness_ca = \"/etc/w.pem\"\n\
                anchor_at = \"commit\"\nanchor_on_failure = \"refuse\"\nanchor_ms = 500\n\
                [compatibility]\nlogout_again = true\ndigest_goes_on = true\n\
                oaep_arguments = true\nfork_initialized = true\ntemplate_repeats = true\n\
                ed448_bare = true\nunwrap_bare = true\ncancel_bare = true\n\
                [pq]\nverify_mode = \"or\"\nproduce_hybrid = false\n\
                [store]\nkind = \"memory\"\nshared_fs = true\n\
                [token.\"my web\".policy]\nrsa_bits = 4096\n";
    let found = accepted(text);
    assert_eq!(found.directory, PathBuf::from("/srv/tokens"));
    assert_eq!(found.access(), Access::Group(0));
    assert_eq!((found.argon2_memory_kib, found.argon2_passes, found.argon2_lanes), (8192, 3, 2));
    for source in found.sources() {
        let Origin::File(line) = source.origin else { panic!("{source:?} is not from the file") };
        let written = text.lines().nth(line - 1).unwrap();
        let name = source.key.rsplit('.').next().unwrap();
        assert!(written.starts_with(name), "{source:?} is said to stand in {written:?}");
    }
    let mut again = String::new();
    for source in found.sources() {
        again += &format!("{} = {}\n", source.key, source.value);
    }
    assert_eq!(
        accepted(&again).sources().iter().map(|it| it.value.clone()).collect::<Vec<_>>(),
        found.sources().iter().map(|it| it.value.clone()).collect::<Vec<_>>()
    );
}

#[test]
fn what_is_said_of_a_token_takes_the_place_of_what_is_said_for_all() {
    let text = "[token.web]\npolicy.rsa_bits = 4096\nmechanisms.deny = []\n\
                [policy]\nrsa_bits = 3072\nec_bits = 256\n[mechanisms]\ndeny = [\"SHA1_*\"]\n";
    let found = accepted(text);
    let own: Vec<_> = found.tokens().collect();
    let [("web", web)] = own.as_slice() else { panic!("{own:?}") };
    assert_eq!((web.rules.rsa_bits, web.rules.ec_bits), (4096, 256));
    assert_eq!((web.rules.deny.len(), found.rules.deny.len()), (0, 1));
    assert_eq!(found.rules.rsa_bits, 3072);
    for (text, wanted) in [
        ("token = 1", "/c.toml:1: token: is a section for each token"),
        ("[token]\nweb = 1", "/c.toml:2: token.\"web\": is a section of a token"),
        ("[token.web]\npolicy = 1", "/c.toml:2: token.\"web\".policy: cannot be set for one token"),
        (
            "[token.web]\npin.tries = 3",
            "/c.toml:2: token.\"web\".pin.tries: cannot be set for one token",
        ),
        (
            "[token.web.policy]\n\nrsa_bits = -1",
            "/c.toml:3: token.\"web\".policy.rsa_bits: must be a whole number from 0 to 16384",
        ),
    ] {
        let found = refusal(text);
        assert!(found.starts_with(wanted), "{text:?} gave {found:?}");
    }
}

#[test]
fn refusals_name_file_line_and_key() {
    for (text, wanted) in [
        ("\n\ndirektory = \"/x\"", "/c.toml:3: direktory: unknown key; known here: directory, "),
        ("[pin]\ntrys = 3", "/c.toml:2: pin.trys: unknown key; known here: argon2_memory_kib, "),
        ("[pin.tries]\nx = 1", "/c.toml:1: pin.tries: must be a whole number from 1 to 1000, not"),
        ("pin = 4", "/c.toml:1: pin: is a section: write [pin]"),
        ("[[pin]]\ntries = 4", "/c.toml:1: pin: is a section"),
        ("[pin]\ntries = 0", "/c.toml:2: pin.tries: must be a whole number from 1 to 1000, not 0"),
        ("[pin]\ntries = -1", "/c.toml:2: pin.tries: must be a whole number"),
        ("[pin]\ntries = 4294967297", "/c.toml:2: pin.tries: must be a whole number"),
        ("[pin]\ntries = \"10\"", "/c.toml:2: pin.tries: must be a whole number"),
        ("[pin]\ntries = 1.5", "/c.toml:2: pin.tries: must be a whole number"),
        ("[pin]\nargon2_memory_kib = 7", "/c.toml:2: pin.argon2_memory_kib: must be"),
        (
            "[pin]\n\nargon2_memory_kib = 16\nargon2_lanes = 4",
            "/c.toml:3: pin.argon2_memory_kib: 4 l",
        ),
        (
            "[pin]\nargon2_lanes = 65",
            "/c.toml:2: pin.argon2_lanes: must be a whole number from 1 to 64",
        ),
        (
            "[pin]\nreadonly = true",
            "/c.toml:2: pin.readonly: must be \"deny\" or \"allow\", not true",
        ),
        (
            "policy.export = \"allow\"",
            "/c.toml:1: policy.export: must be \"deny\" or \"standard\", n",
        ),
        (
            "directory = \"tokens\"",
            "/c.toml:1: directory: must be an absolute path, not \"tokens\"",
        ),
        ("directory = \"~/tokens\"", "/c.toml:1: directory: must be an absolute path"),
        ("directory = \"/a\\u0000b\"", "/c.toml:1: directory: must be an absolute path"),
        ("group = \"no such group\"", "/c.toml:1: group: there is no group \"no such group\""),
        (
            "[store]\nkind = \"ram\"",
            "/c.toml:2: store.kind: must be \"disk\" or \"memory\", not \"r",
        ),
        ("[store]\nshared_fs = \"yes\"", "/c.toml:2: store.shared_fs: must be true or false"),
        ("\"\" = 1", "/c.toml:1: : unknown key"),
    ] {
        let found = refusal(text);
        assert!(found.starts_with(wanted), "{text:?} gave {found:?}");
    }
}

#[test]
fn refusals_of_the_audit_section_name_line_and_key() {
    for (text, wanted) in [
        ("[audit]\nx = 1", "/c.toml:2: audit.x: unknown key; known here: on_tamper"),
        (
            "[audit]\noff = \"C_Sign\"",
            "/c.toml:2: audit.off: must be a list of functions that use k",
        ),
        ("[audit]\noff = [1]", "/c.toml:2: audit.off: must be a list of functions that use keys"),
        ("[audit]\noff = [\"C_GetInfo\"]", "/c.toml:2: audit.off: must be a list of functions"),
        (
            "[audit]\noff = [\"C_Sign\"]\nforce = [\"C_Sign\"]",
            "/c.toml:2: audit.off: \"C_Sign\" is named twice",
        ),
        ("[audit]\nretain = -1", "/c.toml:2: audit.retain: must be a whole number from 0 to 36500"),
        ("[audit]\nfile = \"log\"", "/c.toml:2: audit.file: must be an absolute path"),
        ("[audit]\nfile = \"/log\"", "/c.toml:2: audit.file: is for store.kind = \"memory\""),
    ] {
        let found = refusal(text);
        assert!(found.starts_with(wanted), "{text:?} gave {found:?}");
    }
}

#[test]
fn an_empty_file_for_the_log_is_none() {
    assert_eq!(accepted("[audit]\nfile = \"\"").audit.file, None);
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    for (text, line) in
        [("a = 1\nb = \n", 2), ("[pin\n", 1), ("[pin]\ntries = 3\ntries = 4\n", 3), ("\u{1}", 1)]
    {
        let found = refusal(text);
        assert!(found.starts_with(&format!("/c.toml:{line}: ")), "{text:?} gave {found:?}");
        assert!(!found.contains('\n'), "{found:?}");
    }
}

#[test]
fn all_problems_of_a_file_are_told_in_order() {
    let found = refusals("x = 1\n[store]\nshared_fs = 1\n[pin]\ntries = 0\n");
    let lines: Vec<&str> = found.iter().filter_map(|it| it.split(':').nth(1)).collect();
    assert_eq!(lines, ["1", "3", "5"]);
}

#[test]
fn the_named_file_wins_then_the_users_then_the_systems() {
    let base = tempfile::tempdir().unwrap();
    let mut places = places(base.path());
    let tries = |places: &Places| Configuration::load_from(places).map(|found| found.pin_tries);
    assert_eq!(tries(&places), Ok(10));
    write(&places.system_file, "[pin]\ntries = 1");
    assert_eq!(tries(&places), Ok(1));
    write(places.user_file.as_ref().unwrap(), "[pin]\ntries = 2");
    assert_eq!(tries(&places), Ok(2));
    let named = base.path().join("named.toml");
    places.named_file = Some(named.clone());
    let missing = tries(&places).unwrap_err();
    assert_eq!(missing.file.as_deref(), Some(named.as_path()));
    write(&named, "[pin]\ntries = 3");
    assert_eq!(tries(&places), Ok(3));
    places.named_file = Some(PathBuf::from("named.toml"));
    assert_eq!(tries(&places).unwrap_err().key.as_deref(), Some("$CLAVIGER_CONF"));
}

#[test]
fn a_directory_a_broken_link_and_long_files_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let places = places(base.path());
    fs::create_dir_all(places.user_file.as_ref().unwrap()).unwrap();
    assert!(Configuration::load_from(&places).unwrap_err().why.contains("regular file"));
    fs::remove_dir(places.user_file.as_ref().unwrap()).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", places.user_file.as_ref().unwrap()).unwrap();
    assert!(Configuration::load_from(&places).unwrap_err().why.contains("cannot be read"));
    fs::remove_file(places.user_file.as_ref().unwrap()).unwrap();
    write(places.user_file.as_ref().unwrap(), &"#".repeat((1 << 20) + 1));
    assert!(Configuration::load_from(&places).unwrap_err().why.contains("1 MiB"));
    fs::write(places.user_file.as_ref().unwrap(), b"# \n#\xff").unwrap();
    assert_eq!(Configuration::load_from(&places).unwrap_err().line, Some(2));
}

#[test]
fn the_data_directory_is_found_in_the_documented_order() {
    let base = tempfile::tempdir().unwrap();
    let mut places = places(base.path());
    let found = |places: &Places| {
        let found = Configuration::load_from(places).unwrap();
        (found.directory, found.directory_origin)
    };
    let below_home = base.path().join("home/.local/share/claviger");
    assert_eq!(found(&places), (below_home, Origin::Default));
    fs::create_dir_all(&places.system_directory).unwrap();
    assert_eq!(found(&places), (places.system_directory.clone(), Origin::System));
    write(&places.system_file, "# one\ndirectory = \"/srv/tokens\"\n");
    assert_eq!(found(&places), (PathBuf::from("/srv/tokens"), Origin::File(2)));
    places.named_directory = Some(PathBuf::from("/named"));
    let named = (PathBuf::from("/named"), Origin::Environment("CLAVIGER_DIR"));
    assert_eq!(found(&places), named);
    places.named_directory = Some(PathBuf::from("named"));
    assert!(Configuration::load_from(&places).is_err());
}

#[test]
fn xdg_variables_count_only_if_absolute() {
    let environment = |config: &str, data: &str| Environment {
        home: Some(PathBuf::from("/home/a")),
        config_home: Some(PathBuf::from(config)),
        data_home: Some(PathBuf::from(data)),
        ..Environment::default()
    };
    let found = Places::of(&environment("/c", "/d"));
    assert_eq!(found.user_file, Some(PathBuf::from("/c/claviger/claviger.toml")));
    assert_eq!(
        found.user_directory,
        Some((PathBuf::from("/d/claviger"), Origin::Environment("XDG_DATA_HOME")))
    );
    let found = Places::of(&environment("c", "d"));
    assert_eq!(found.user_file, Some(PathBuf::from("/home/a/.config/claviger/claviger.toml")));
    assert_eq!(
        found.user_directory,
        Some((PathBuf::from("/home/a/.local/share/claviger"), Origin::Default))
    );
}

#[test]
fn a_privileged_process_looks_at_the_systems_places_only() {
    let places = Places::of(&Environment { secure: true, ..Environment::default() });
    assert_eq!(places.trust, Trust::RootOnly);
    let paths: Vec<PathBuf> = places.candidates().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, [PathBuf::from("/etc/claviger/claviger.toml")]);
    assert_eq!(places.user_directory, None);
    assert_eq!(places.directory(None).unwrap().0, Path::new("/var/lib/claviger"));
}

#[test]
fn root_believes_only_its_own_files() {
    assert!(refuse_foreign(0, 0o100_644).is_ok());
    assert!(refuse_foreign(1000, 0o100_644).is_err());
    for mode in [0o100_664, 0o100_646, 0o100_666] {
        assert!(refuse_foreign(0, mode).is_err(), "{mode:o}");
    }
    let base = tempfile::tempdir().unwrap();
    let mut places = places(base.path());
    places.trust = Trust::RootOnly;
    write(&places.system_file, "");
    fs::set_permissions(&places.system_file, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(Configuration::load_from(&places).is_err());
}
