//! Keys that may be used so often only: counted over processes, on record, never given back.

use cryptoki_sys as ck;

use crate::support::children::take_log;
use crate::support::operations::plain;
use crate::support::{Refused, Session, Template, USER_PIN, isolated, template};

/// CKA_CLAVIGER_USES_LEFT in include/claviger.h.
const USES_LEFT: ck::CK_ATTRIBUTE_TYPE = ck::CKA_VENDOR_DEFINED | 0x434C_0011;

fn limited(session: &Session<'_>, uses: u64) -> ck::CK_OBJECT_HANDLE {
    let asked = template! {
        CKA_TOKEN => true, CKA_VALUE_LEN => 32_u64, CKA_SIGN => true, CKA_VERIFY => true,
        CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_DERIVE => true, CKA_LABEL => "few",
    };
    session.generate(&plain(ck::CKM_AES_KEY_GEN), &asked.and(USES_LEFT, uses)).unwrap()
}

fn ecb(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) -> Result<Vec<u8>, crate::support::Rv> {
    session.encrypt(&plain(ck::CKM_AES_ECB), key, &[7; 16])
}

#[test]
fn each_use_takes_one_off_and_none_is_left_at_the_end() {
    isolated(|bench| {
        let log = bench.log_to();
        let token = bench.token();
        let session = token.user();
        let key = limited(&session, 3);
        let sealed = ecb(&session, key).unwrap();
        assert_eq!(session.number(key, USES_LEFT), 2);
        assert_eq!(session.decrypt(&plain(ck::CKM_AES_ECB), key, &sealed).unwrap(), [7; 16]);
        // Asking for a length is no use, parts are one.
        session.encrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
        session.encrypt_update(&[1; 16]).unwrap();
        assert_eq!(session.number(key, USES_LEFT), 0, "before the first part of the output left");
        session.encrypt_update(&[2; 16]).unwrap();
        session.encrypt_final().unwrap();
        assert_eq!(session.number(key, USES_LEFT), 0);
        take_log(&log);
        let refused = session.encrypt_init(&plain(ck::CKM_AES_ECB), key);
        refused.refused(ck::CKR_KEY_EXHAUSTED);
        assert!(take_log(&log).contains("attribute=CKA_CLAVIGER_USES_LEFT"));
    });
}

#[test]
fn a_failing_operation_counts_and_an_operation_that_was_begun_in_time_may_come_too_late() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = limited(&session, 2);
        session.decrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
        session.decrypt_data(&[1; 15]).refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        let other = token.public();
        session.encrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
        other.encrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
        let left = session.number(key, USES_LEFT);
        for _ in 0..left {
            ecb(&token.public(), key).unwrap();
        }
        session.encrypt_data(&[7; 16]).refused(ck::CKR_KEY_EXHAUSTED);
        other.encrypt_data(&[7; 16]).refused(ck::CKR_KEY_EXHAUSTED);
    });
}

#[test]
fn a_limit_can_be_set_and_lowered_and_never_raised_copied_or_had_in_a_session() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let uses = |left: u64| Template::default().and(USES_LEFT, left);
        let key = limited(&session, 5);
        session.set(key, &uses(6)).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session.set(key, &uses(5)).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session.set(key, &uses(1)).unwrap();
        ecb(&session, key).unwrap();
        session.set(key, &uses(1)).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        ecb(&session, key).refused(ck::CKR_KEY_EXHAUSTED);
        session.copy(key, &template! {}).refused(ck::CKR_ACTION_PROHIBITED);
        let free = template! { CKA_TOKEN => true, CKA_VALUE_LEN => 32_u64 };
        let free = session.generate(&plain(ck::CKM_AES_KEY_GEN), &free).unwrap();
        assert!(session.get(free, USES_LEFT).unwrap().is_empty());
        session.set(free, &uses(9)).unwrap();
        assert_eq!(session.number(free, USES_LEFT), 9);
        let of_session = template! { CKA_VALUE_LEN => 32_u64 }.and(USES_LEFT, 9_u64);
        let made = session.generate(&plain(ck::CKM_AES_KEY_GEN), &of_session);
        made.refused(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

#[test]
fn processes_share_what_is_left_and_none_has_more() {
    const USES: u64 = 40;
    isolated(|bench| {
        let find = template! { CKA_LABEL => "few" };
        if bench.role().is_some() {
            let module = bench.initialised();
            let session = module.read_only(module.slot_of("test token").unwrap());
            session.login(ck::CKU_USER, USER_PIN).unwrap();
            let key = session.find(&find).unwrap()[0];
            let mut had = 0;
            while ecb(&session, key).is_ok() {
                had += 1;
            }
            ecb(&session, key).refused(ck::CKR_KEY_EXHAUSTED);
            println!("\nhad {had} of them");
            return;
        }
        let token = bench.token();
        let session = token.user();
        let key = limited(&session, USES);
        let had: u64 = std::thread::scope(|scope| {
            let players: Vec<_> = (0..4).map(|_| scope.spawn(|| bench.play("user"))).collect();
            let told = players.into_iter().map(|player| player.join().unwrap());
            told.map(|out| -> u64 {
                let line = out.lines().find_map(|line| line.strip_prefix("had ")).unwrap();
                line.split(' ').next().unwrap().parse().unwrap()
            })
            .sum()
        });
        assert_eq!(had, USES);
        assert_eq!(session.number(key, USES_LEFT), 0);
    });
}

#[test]
fn a_killed_process_gives_nothing_back() {
    const USES: u64 = 1_000_000;
    isolated(|bench| {
        let find = template! { CKA_LABEL => "few" };
        if bench.role().is_some() {
            let module = bench.initialised();
            let session = module.read_only(module.slot_of("test token").unwrap());
            session.login(ck::CKU_USER, USER_PIN).unwrap();
            let key = session.find(&find).unwrap()[0];
            loop {
                ecb(&session, key).unwrap();
                println!("used");
            }
        }
        let token = bench.token();
        let session = token.user();
        let key = limited(&session, USES);
        let mut player = bench.player("user");
        player.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
        let mut player = player.spawn().unwrap();
        let mut out = std::io::BufReader::new(player.stdout.take().unwrap());
        let mut had = 0;
        let mut line = String::new();
        while std::io::BufRead::read_line(&mut out, &mut line).unwrap() > 0 {
            had += u64::from(line.trim().ends_with("used"));
            line.clear();
            if had == 25 {
                player.kill().unwrap();
            }
        }
        player.wait().unwrap();
        let taken = USES - session.number(key, USES_LEFT);
        assert!(had >= 25 && taken >= had, "{taken} were taken off for {had} uses");
    });
}
