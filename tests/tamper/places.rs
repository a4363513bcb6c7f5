//! A whole directory put back, copied, carried to another machine; hosts whose clocks jump and
//! whose names are meant to harm.

use std::fs;
use std::os::unix::fs::MetadataExt;

use claviger::audit::leaf::Leaf;
use cryptoki_sys as ck;

use crate::log::distrusted;
use crate::objects::all_but;
use crate::support::children::in_child;
use crate::support::{Refused, SO_PIN, isolated, template};
use crate::victim::{Answer, Answers, Victim, copy};

/// Puts the files of `aside/` back, each into the file that is there.
fn put_back(victim: &Victim<'_>, wanted: impl Fn(&str) -> bool) {
    let aside = victim.bench.dir().join("aside");
    let mut open = vec![aside.clone()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.strip_prefix(&aside).unwrap();
            if entry.is_dir() {
                open.push(entry);
            } else if wanted(name.to_str().unwrap()) {
                fs::write(victim.directory.join(name), fs::read(&entry).unwrap()).unwrap();
            }
        }
    }
}

/// Nothing in a directory tells that it is last week's: only an anchor does. The destroyed object
/// and the older version are there again, and nobody is told.
#[test]
fn the_whole_directory_of_last_week_is_not_noticed_without_an_anchor() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        put_back(&victim, |_| true);
        in_child(|| {
            victim.module.initialize().unwrap();
            let slot = victim.module.slots(true).unwrap()[0];
            let session = victim.module.read_write(slot);
            session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
            assert!(!victim.module.token_has(slot, ck::CKF_ERROR_STATE));
            assert_eq!(session.count(&template! { CKA_LABEL => crate::victim::GONE }), 1);
            let key = session.find(&template! { CKA_LABEL => "ed25519" }).unwrap()[0];
            session.has(key, ck::CKA_ID, b"version 1");
            victim.module.finalize().unwrap();
        });
        assert_eq!(victim.verify().fault, None);
    });
}

#[test]
fn the_database_of_last_week_does_not_fit_the_log_of_today() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        put_back(&victim, |name| name == "token.db");
        in_child(|| {
            victim.module.initialize().unwrap();
            let slot = victim.module.slots(true).unwrap()[0];
            let session = victim.module.read_write(slot);
            session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
            assert!(victim.module.token_has(slot, ck::CKF_ERROR_STATE));
            let key = session.find(&template! { CKA_LABEL => "ed25519" }).unwrap()[0];
            let how = crate::support::operations::plain(ck::CKM_EDDSA);
            session.sign(&how, key, b"x").refused(ck::CKR_DEVICE_ERROR);
        });
        assert!(victim.take_told().contains("older than its log"));
    });
}

#[test]
fn the_log_of_last_week_does_not_fit_the_database_of_today() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        put_back(&victim, |name| name.starts_with("log"));
        assert_eq!(victim.ask(), distrusted());
    });
}

#[test]
fn a_copied_directory_is_noticed_and_can_be_accepted() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        let before = fs::metadata(victim.file("token.db")).unwrap().ino();
        let moved = bench.dir().join("moved");
        fs::rename(&victim.directory, &moved).unwrap();
        copy(&moved, &victim.directory);
        assert_ne!(before, fs::metadata(victim.file("token.db")).unwrap().ino());
        assert_eq!(victim.ask(), distrusted());
        assert!(victim.take_told().contains("copied from another place"));
        bench.configure("audit.on_tamper = \"warn\"");
        // Who is only warned signs the new place with the first change, and is at home there.
        assert_eq!(victim.ask(), Answers { error_state: true, ..all_but(&[]) });
        bench.configure("");
        assert_eq!(victim.ask(), all_but(&[]));
        // The original went on: two histories, of which each is sound by itself.
        fs::rename(&victim.directory, bench.dir().join("copy")).unwrap();
        fs::rename(&moved, &victim.directory).unwrap();
        assert_eq!(victim.ask(), all_but(&[]));
    });
}

#[test]
fn a_copied_directory_is_at_home_once_it_was_accepted() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        let moved = bench.dir().join("moved");
        fs::rename(&victim.directory, &moved).unwrap();
        copy(&moved, &victim.directory);
        victim.accept();
        assert_eq!(victim.generation(), 2);
        assert_eq!(victim.ask(), all_but(&[]));
        assert_eq!(victim.verify().fault, None);
    });
}

/// In this process and its children, the machine has this id.
fn be_machine(bench: &crate::support::Bench, id: &str) {
    let file = bench.dir().join("machine-id");
    fs::write(&file, id).unwrap();
    let text = |path: &str| std::ffi::CString::new(path).unwrap();
    let (root, none) = (text("/"), text("none"));
    let (file, place) = (text(file.to_str().unwrap()), text("/etc/machine-id"));
    // SAFETY: gives this process mounts of its own.
    let unshared = unsafe { libc::unshare(libc::CLONE_NEWNS) };
    assert_eq!(unshared, 0, "this test needs the right to mount");
    let null = std::ptr::null();
    let private = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: C strings that live across the call; what is mounted here is seen here only.
    let private = unsafe { libc::mount(none.as_ptr(), root.as_ptr(), null, private, null.cast()) };
    assert_eq!(private, 0, "mounts are kept to this process");
    let (from, to) = (file.as_ptr(), place.as_ptr());
    // SAFETY: as above.
    let bound = unsafe { libc::mount(from, to, null, libc::MS_BIND, null.cast()) };
    assert_eq!(bound, 0, "/etc/machine-id is there");
}

/// Needs the right to mount, and says so where there is none: see `make tamper`.
#[test]
#[ignore = "mounts another machine's id: needs root"]
fn a_token_on_another_machine_is_noticed_and_can_be_accepted() {
    isolated(|bench| {
        let victim = Victim::new(bench);
        in_child(|| {
            be_machine(bench, "0123456789abcdef0123456789abcdef\n");
            assert_eq!(victim.ask(), distrusted());
            assert!(victim.take_told().contains("copied from another place"));
            victim.accept();
            assert_eq!(victim.ask(), all_but(&[]));
        });
        // The first machine shares the directory, and is the stranger now.
        assert_eq!(victim.ask(), distrusted());
        in_child(|| {
            be_machine(bench, "");
            assert_eq!(victim.ask(), distrusted(), "no id is another id");
        });
    });
}

/// Interposed by the dynamic linker in the processes that this test starts.
fn under_clock(bench: &crate::support::Bench, role: &str, offset: i64) -> String {
    let clock = bench.compile("clock", &["-shared", "-fPIC"]);
    let mut command = bench.player(role);
    command.env("LD_PRELOAD", clock).env("CLOCK_OFFSET", offset.to_string());
    let patience = std::time::Duration::from_secs(60);
    let (status, output) = crate::support::isolation::run_with_patience(&mut command, patience);
    assert!(status.success(), "{output}");
    output
}

const DAY: i64 = 24 * 3600;

#[test]
fn clocks_that_jump_back_and_forth_disturb_nobody() {
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            let session = module.read_write(module.slots(true).unwrap()[0]);
            session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
            let key = session.find(&template! { CKA_LABEL => "p256" }).unwrap()[0];
            let how = crate::support::operations::plain(ck::CKM_ECDSA_SHA256);
            session.sign(&how, key, b"x").unwrap();
            let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true };
            session.destroy(session.create(&data).unwrap()).unwrap();
            session.logout().unwrap();
            session.login(ck::CKU_SO, SO_PIN).unwrap();
            module.finalize().unwrap();
            return;
        }
        let victim = Victim::new(bench);
        // Before 1970, at its first second, in the year 2100, and 30 days later than now.
        for offset in [-40_000 * DAY, 0, 30 * DAY, -30 * DAY, 27_000 * DAY, -20_000 * DAY] {
            under_clock(bench, "use the token", offset);
        }
        assert_eq!(victim.ask(), all_but(&[]));
        assert_eq!(victim.verify().fault, None);
    });
}

#[test]
fn thirty_idle_days_change_nothing() {
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            let slot = module.slots(true).unwrap()[0];
            let session = module.read_write(slot);
            session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
            let key = session.find(&template! { CKA_LABEL => "p256" }).unwrap()[0];
            let how = crate::support::operations::plain(ck::CKM_ECDSA_SHA256);
            session.sign(&how, key, b"x").unwrap();
            // SAFETY: one thread runs here.
            unsafe { std::env::set_var("CLOCK_OFFSET", (30 * DAY).to_string()) };
            session.sign(&how, key, b"x").unwrap();
            let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true };
            session.destroy(session.create(&data).unwrap()).unwrap();
            assert!(!module.token_has(slot, ck::CKF_ERROR_STATE));
            module.finalize().unwrap();
            return;
        }
        let victim = Victim::new(bench);
        under_clock(bench, "be idle", 0);
        assert_eq!(victim.ask().of("p256"), Answer::Right);
        assert_eq!(victim.verify().fault, None);
    });
}

/// Backslashes are doubled, and bytes that are no UTF-8 stand as numbers.
fn as_told(bytes: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let invalid = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        chunk.valid().replace('\\', "\\\\") + &invalid.collect::<String>()
    };
    bytes.utf8_chunks().map(chunk).collect()
}

/// Whatever the log says of a process, every entry of it can be read.
#[test]
fn hosts_with_hostile_names_leave_a_log_that_can_be_read() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::process::CommandExt;
    isolated(|bench| {
        if bench.role().is_some() {
            let module = bench.initialised();
            let session = module.read_write(module.slots(true).unwrap()[0]);
            session.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
            let data = template! { CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true };
            session.destroy(session.create(&data).unwrap()).unwrap();
            module.finalize().unwrap();
            return;
        }
        let victim = Victim::new(bench);
        let names: [&[u8]; 5] = [
            b"\",\"rv\":\"CKR_OK\"}\n{\"kind\":\"state\"",
            b"\x1b]0;owned\x07\x1b[2J\r\n",
            b"\xff\xfe\x80 not UTF-8 \\xff \\\\",
            "\u{202e}\u{2028}\u{0}".trim_end_matches('\0').as_bytes(),
            &[b'x'; 255],
        ];
        for name in names {
            let program = bench.dir().join(std::ffi::OsStr::from_bytes(name));
            let model = bench.player("a host");
            fs::copy(model.get_program(), &program).unwrap();
            let mut command = std::process::Command::new(&program);
            command.args(model.get_args());
            if std::str::from_utf8(name).is_err() {
                // The test harness wants its arguments as text; the program keeps its name.
                command.arg0("host");
            }
            for (name, value) in model.get_envs() {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            let patience = std::time::Duration::from_secs(60);
            let done = crate::support::isolation::run_with_patience(&mut command, patience);
            assert!(done.0.success(), "{}", done.1);
            fs::remove_file(&program).unwrap();
            assert_eq!(victim.verify().fault, None, "{name:?}");
            // The name is told by what opens the lane: in one line, in a text of its own.
            let is_opened =
                |entry: &&Vec<u8>| matches!(Leaf::parse(entry), Ok(Leaf::LaneOpened(_)));
            let entries = victim.entries();
            let opened = entries.iter().rfind(is_opened).expect("a lane was opened");
            assert!(
                !std::str::from_utf8(opened).unwrap().contains(claviger::audit::hidden),
                "{opened:?}"
            );
            let leaf: serde_json::Value = serde_json::from_slice(opened).unwrap();
            let exe = as_told(program.as_os_str().as_bytes());
            assert_eq!(
                (leaf["exe"].as_str(), leaf["kind"].as_str()),
                (Some(&*exe), Some("lane-opened"))
            );
            assert_eq!(leaf.get("rv"), None);
        }
        // The tool shows them, and parses what it exports.
        assert!(bench.log().of_kind("lane-opened").count() >= names.len());
        assert_eq!(victim.ask(), all_but(&[]));
    });
}
