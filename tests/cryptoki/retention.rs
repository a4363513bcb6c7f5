//! A log whose first bundles were removed: everything goes on behind it.

use std::fs;
use std::path::PathBuf;

use cryptoki_sys as ck;

use crate::rotation::{ROTATE, told};
use crate::support::known::P256;
use crate::support::operations::plain;
use crate::support::{Bench, Session, isolated, template};

fn log_of(bench: &Bench) -> PathBuf {
    let tokens = fs::read_dir(bench.token_dir().join("tokens")).unwrap();
    tokens.flatten().next().expect("a token").path().join("log/1")
}

fn make(session: &Session<'_>, count: usize) {
    for at in 0..count {
        let label = format!("{at}");
        let data = template! {
            CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true,
            CKA_LABEL => label.as_str(),
        };
        session.create(&data).expect("C_CreateObject");
    }
}

#[test]
fn a_token_works_without_the_beginning_of_its_log() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = template! { CKA_EC_PARAMS => P256, CKA_TOKEN => true };
        let how = plain(ck::CKM_EC_KEY_PAIR_GEN);
        let private = template! { CKA_TOKEN => true };
        let (_, private) = session.generate_pair(&how, &public, &private).unwrap();
        make(&session, 300);
        let entries = log_of(bench).join("tile/entries");
        fs::remove_file(entries.join("000")).unwrap();
        make(&session, 300);
        fs::remove_file(entries.join("001")).unwrap();
        token.module.finalize().unwrap();
        // A tile that is missing is not made of what is not there.
        fs::remove_file(log_of(bench).join("tile/0/003")).unwrap();
        token.module.initialize().unwrap();
        let session = token.user();
        make(&session, 150);
        session.set_pin(crate::support::USER_PIN, crate::support::USER_PIN).unwrap();
        let keys = session.find(&template! { CKA_CLASS => ck::CKO_PRIVATE_KEY }).unwrap();
        session.sign(&plain(ck::CKM_ECDSA), keys[0], &[1; 32]).unwrap();
        assert_ne!(keys[0], private, "a handle of its own after C_Initialize");
        assert!(log_of(bench).join("tile/0/003").exists(), "made again of its bundle");
        told(bench, &ROTATE, 0);
        let said = told(bench, &["audit", "verify"], 3);
        assert!(said.contains("the first 512 entries"), "{said}");
        let listed = told(bench, &["audit", "show", "--call", "InitPIN"], 0);
        assert!(!listed.contains("C_InitPIN"), "it stood in what was removed");
        told(bench, &["audit", "export"], 0);
        told(bench, &["audit", "prove", "600"], 0);
        told(bench, &["audit", "prove", "100"], 7);
        // A hole is no beginning.
        fs::remove_file(entries.join("003")).unwrap();
        told(bench, &["audit", "verify"], 1);
    });
}

#[test]
fn only_what_was_exported_and_is_old_is_removed() {
    isolated(|bench| {
        let token = bench.token();
        make(&token.user(), 300);
        let prune = ["audit", "prune"];
        assert!(told(bench, &prune, 0).contains("audit.retain` is 0"));
        bench.configure("audit.retain = 1");
        assert!(told(bench, &prune, 0).contains("was not exported"));
        told(bench, &["audit", "export", "--mark", "--format", "csv"], 2);
        told(bench, &["audit", "export", "--mark", "--failed"], 2);
        told(bench, &["audit", "export", "--format", "jsonl"], 0);
        assert!(told(bench, &prune, 0).contains("was not exported"), "an export without a mark");
        let exported = told(bench, &["audit", "export", "--mark"], 0);
        assert!(exported.lines().count() > 600, "all of it");
        let said = told(bench, &prune, 0);
        assert!(said.contains("not older") && said.contains("Removed 0 entries"), "{said}");
        let said = told(bench, &["audit", "prune", "--json"], 0);
        assert!(said.contains("\"limit\": \"young\"") && said.contains("\"removed\": 0"), "{said}");
        assert!(log_of(bench).join("tile/entries/000").exists());
        // The mark of another log, and a log that was changed.
        let mark = fs::read_to_string(log_of(bench).join("exported")).unwrap();
        fs::write(log_of(bench).join("exported"), "nothing").unwrap();
        told(bench, &prune, 1);
        fs::write(log_of(bench).join("exported"), mark).unwrap();
        let bundle = log_of(bench).join("tile/entries/000");
        let mut bytes = fs::read(&bundle).unwrap();
        bytes[100] ^= 1;
        fs::write(&bundle, bytes).unwrap();
        told(bench, &prune, 1);
        told(bench, &["audit", "export", "--mark"], 1);
    });
}
