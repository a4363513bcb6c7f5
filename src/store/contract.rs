//! The promises of `Store` and `Transaction`, run against every implementor.

use super::attempt::Attempt;
use super::head::HeadFault;
use super::memory::Memory;
use super::sqlite::{Opening, SqliteStore};
use super::vault::{PinRules, Vault};
use super::{
    Mode, NewToken, ObjectId, PinRecord, Query, Role, SearchRow, Store, StoreError, StoredObject,
    TRIES, Transaction,
};
use crate::audit::leaf::Leaf;
use crate::audit::record::{LaneId, Record};
use crate::engine::kdf::Argon2Cost;
use crate::secret::Secret;
use crate::system::files::Access;

/// What every test opens its token with.
pub(crate) const OPENING: Opening = Opening { access: Access::Owner, shared_fs: true };

pub(crate) const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 8, passes: 1, lanes: 1 };

pub(crate) fn pin(text: &str) -> Secret {
    Secret::copy_of(text.as_bytes()).unwrap()
}

/// A token with the SO PIN "so-pin-1" and no user's.
pub(crate) fn new_token(serial: &str) -> (NewToken, Vault) {
    let rules = PinRules { cost: CHEAP, ..PinRules::default() };
    Vault::create(serial, [b' '; 32], &pin("so-pin-1"), &rules).unwrap()
}

/// A public object with one label.
pub(crate) fn object(label: &str) -> StoredObject {
    StoredObject {
        id: ObjectId::random().unwrap(),
        slot: 0,
        version: 1,
        class: 0,
        key_type: None,
        private: false,
        clear: label.as_bytes().to_vec(),
        sealed: Vec::new(),
        data_key: Vec::new(),
        epoch: 0,
        search: vec![SearchRow { attribute: 3, value: label.as_bytes().to_vec() }],
    }
}

pub(crate) fn write<R>(
    store: &dyn Store,
    change: impl FnOnce(&mut dyn Transaction) -> Result<R, StoreError>,
) -> R {
    let mut transaction = begin_signed(store);
    let result = change(&mut *transaction).unwrap();
    transaction.commit().unwrap();
    result
}

/// A transaction that the security officer signs.
pub(crate) fn begin_signed(store: &dyn Store) -> Box<dyn Transaction + '_> {
    let mut transaction = store.begin(Mode::Write).unwrap();
    let token = transaction.token().unwrap();
    let vault = Vault::open(&token, Role::SecurityOfficer, &pin("so-pin-1"), None).unwrap();
    transaction.sign_with(vault.audit_signer().unwrap()).unwrap();
    transaction
}

pub(crate) fn read<R>(
    store: &dyn Store,
    look: impl FnOnce(&dyn Transaction) -> Result<R, StoreError>,
) -> R {
    look(&*store.begin(Mode::Read).unwrap()).unwrap()
}

/// How many objects there are.
pub(crate) fn count(store: &dyn Store) -> u64 {
    read(store, |t| t.find(&Query::default())).len().try_into().unwrap()
}

/// Every implementor keeps these promises.
fn contract(fresh: impl Fn(NewToken) -> Box<dyn Store>) {
    let fresh = || fresh(new_token("0001").0);
    only_a_commit_leaves_a_trace(&*fresh());
    objects_come_back_as_they_went(&*fresh());
    a_replacement_must_be_newer(&*fresh());
    slots_are_fixed_and_used_again(&*fresh());
    the_record_is_replaced_whole(&*fresh());
    queries_are_exact(&*fresh());
    readers_may_not_write(&*fresh());
    the_generation_moves_with_what_others_see(&*fresh());
    tries_are_counted_first(&*fresh());
    a_token_is_initialised_anew(&*fresh());
    what_needs_a_signature_is_not_committed_without(&*fresh());
    lanes_are_kept_in_order(&*fresh());
    the_head_is_as_it_was_signed(&*fresh());
    data_keys_are_wrapped_anew(&*fresh());
}

fn what_needs_a_signature_is_not_committed_without(store: &dyn Store) {
    let (open, private) = (object("open"), StoredObject { private: true, ..object("private") });
    let sealed = StoredObject { sealed: vec![1], data_key: vec![1], ..object("sealed") };
    write(store, |t| t.insert(&private).and(t.insert(&sealed)));
    let refused = |change: &dyn Fn(&mut dyn Transaction)| {
        let mut transaction = store.begin(Mode::Write).unwrap();
        change(&mut *transaction);
        assert_eq!(transaction.commit(), Err(StoreError::Unsigned));
    };
    refused(&|t| assert!(t.remove(&private.id).unwrap()));
    refused(&|t| assert!(t.remove(&sealed.id).unwrap()));
    refused(&|t| {
        let other = StoredObject { id: private.id, version: 2, ..object("now public") };
        assert!(t.replace(&other).unwrap());
    });
    let new = StoredObject { private: true, ..object("new") };
    refused(&|t| assert_eq!(t.insert(&new), Ok(2)));
    refused(&|t| t.put_token(&t.token().unwrap()).unwrap());
    refused(&|t| t.put_epoch_key(2, b"sealed").unwrap());
    refused(&|t| t.clear_objects().unwrap());
    refused(&|t| t.put_lane(LaneId(1), 0).unwrap());
    assert_eq!(count(store), 2);
    for number in 0..3 {
        let mut transaction = store.begin(Mode::Write).unwrap();
        let open = StoredObject { id: ObjectId([number; 16]), ..open.clone() };
        transaction.insert(&open).unwrap();
        let leaf = Leaf::Unauthenticated(Record { rv: "CKR_OK".into(), ..Record::default() });
        transaction.append_leaf(&leaf.to_bytes()).unwrap();
        transaction.commit().unwrap();
    }
    write(store, |t| t.remove(&sealed.id));
    assert_eq!(count(store), 4);
}

fn data_keys_are_wrapped_anew(store: &dyn Store) {
    let mut kept = StoredObject { sealed: vec![1], data_key: vec![2; 60], ..object("sealed") };
    kept.slot = write(store, |t| t.insert(&kept));
    let rotate = |t: &mut dyn Transaction| {
        t.rewrap(&kept, vec![3; 60], 2).and(t.put_epoch_key(2, b"key")).and(t.forget_epochs(2))
    };
    let mut unsigned = store.begin(Mode::Write).unwrap();
    rotate(&mut *unsigned).unwrap();
    assert_eq!(unsigned.commit(), Err(StoreError::Unsigned));
    write(store, rotate);
    let keys = [1, 2].map(|epoch| read(store, |t| t.epoch_key(epoch)).is_some());
    assert_eq!((keys, store.forget_replaced()), ([false, true], Ok(true)));
    let wrapped = StoredObject { data_key: vec![3; 60], epoch: 2, ..kept.clone() };
    assert_eq!(read(store, |t| t.get(&kept.id)), Some(wrapped));
}

fn lanes_are_kept_in_order(store: &dyn Store) {
    let ids = [7, u64::MAX, 1 << 63, 3];
    write(store, |t| ids.iter().try_for_each(|id| t.put_lane(LaneId(*id), 0)));
    write(store, |t| t.put_lane(LaneId(7), 4096));
    write(store, |t| t.remove_lane(LaneId(3)));
    write(store, |t| t.remove_lane(LaneId(3)));
    let expected = [(LaneId(7), 4096), (LaneId(1 << 63), 0), (LaneId(u64::MAX), 0)];
    assert_eq!(read(store, |t| t.lanes()), expected);
    let (new, _) = new_token("0001");
    write(store, |t| t.initialise(&new));
    assert_eq!(read(store, |t| t.lanes()), []);
}

fn the_head_is_as_it_was_signed(store: &dyn Store) {
    let public = read(store, |t| t.token()).audit.public;
    let check = |public| store.begin(Mode::Read).unwrap().check_head(&public);
    let first = check(public).unwrap().size;
    assert!(first > 0, "a log begins with its generation");
    write(store, |t| t.put_lane(LaneId(9), 0));
    write(store, |t| t.append_leaf(b"{}"));
    let checked = check(public).unwrap();
    assert_eq!((checked.lanes, checked.size > first), (vec![(LaneId(9), 0)], true));
    assert_eq!((checked.pending, checked.missing, checked.surplus), (0, 0, 0));
    assert!(matches!(check([1; 32]), Err(HeadFault::Tampered(_))));
    let other = new_token("0001").1;
    let mut transaction = store.begin(Mode::Write).unwrap();
    assert!(transaction.sign_with(other.audit_signer().unwrap()).is_err());
    transaction.insert(&object("signed by another")).unwrap();
    drop(transaction);
    let (new, _) = new_token("0001");
    write(store, |t| t.initialise(&new));
    assert!(matches!(check(public), Err(HeadFault::Tampered(_))));
    assert!(check(new.record.audit.public).is_ok());
}

fn only_a_commit_leaves_a_trace(store: &dyn Store) {
    let lost = object("lost");
    let mut dropped = store.begin(Mode::Write).unwrap();
    dropped.insert(&lost).unwrap();
    assert!(dropped.get(&lost.id).unwrap().is_some(), "a transaction sees its own changes");
    drop(dropped);
    assert_eq!(read(store, |t| t.get(&lost.id)), None, "a dropped one leaves no trace");
    write(store, |t| t.insert(&lost));
    assert_eq!(read(store, |t| t.get(&lost.id)).unwrap().version, 1);
    assert_eq!(count(store), 1);
}

fn objects_come_back_as_they_went(store: &dyn Store) {
    let mut full = object("all fields");
    full.version = u64::MAX - 1;
    full.class = 0x8000_0000_0000_0001;
    full.key_type = Some(u64::MAX);
    full.private = true;
    full.clear = vec![0; 100_000];
    full.sealed = vec![1; 70_000];
    full.data_key = vec![2; 60];
    full.epoch = 7;
    full.search.insert(0, SearchRow { attribute: u64::MAX, value: vec![9; 5_000] });
    full.slot = write(store, |t| t.insert(&full));
    let mut found = read(store, |t| t.get(&full.id)).unwrap();
    found.search.sort();
    full.search.sort();
    assert_eq!(found, full);

    let again = store.begin(Mode::Write).unwrap().insert(&full);
    assert!(matches!(again, Err(StoreError::Io(_))), "an id is used once: {again:?}");
    assert_eq!(count(store), 1);
}

fn a_replacement_must_be_newer(store: &dyn Store) {
    let mut kept = object("first");
    let slot = write(store, |t| t.insert(&kept));
    assert!(!write(store, |t| t.replace(&kept)), "the same version");
    kept.version = 5;
    kept.clear = b"second".to_vec();
    kept.search = vec![SearchRow { attribute: 3, value: b"second".to_vec() }];
    assert!(write(store, |t| t.replace(&kept)));
    kept.slot = slot;
    assert_eq!(read(store, |t| t.get(&kept.id)), Some(kept.clone()));
    kept.version = 4;
    assert!(!write(store, |t| t.replace(&kept)), "an older version");
    assert!(!write(store, |t| t.replace(&object("never there"))));
    let by = |label: &str| Query {
        search: vec![(3, vec![label.as_bytes().to_vec()])],
        ..Query::default()
    };
    assert_eq!(read(store, |t| t.find(&by("first"))), [], "old search rows are gone");
    assert_eq!(read(store, |t| t.find(&by("second"))), [kept.id]);
}

fn slots_are_fixed_and_used_again(store: &dyn Store) {
    let objects: Vec<_> = (0..4).map(|number| object(&format!("{number}"))).collect();
    let slots: Vec<_> = objects.iter().map(|one| write(store, |t| t.insert(one))).collect();
    assert_eq!(slots, [0, 1, 2, 3]);
    assert!(write(store, |t| t.remove(&objects[1].id)));
    assert!(!write(store, |t| t.remove(&objects[1].id)), "it is gone");
    assert_eq!(read(store, |t| t.get(&objects[2].id)).unwrap().slot, 2);
    let ids = [objects[0].id, objects[2].id, objects[3].id];
    assert_eq!(read(store, |t| t.find(&Query::default())), ids);
    let (fifth, sixth) = (object("5"), object("6"));
    assert_eq!(write(store, |t| t.insert(&fifth)), 1, "the lowest free slot");
    assert_eq!(write(store, |t| t.insert(&sixth)), 4, "or the next");
    let ids = [objects[0].id, fifth.id, objects[2].id, objects[3].id, sixth.id];
    assert_eq!(read(store, |t| t.find(&Query::default())), ids, "in order of slot");
}

fn the_record_is_replaced_whole(store: &dyn Store) {
    let mut record = read(store, |t| t.token());
    assert_eq!((record.serial.as_str(), record.so_tries, record.user), ("0001", TRIES, None));
    record.user =
        Some(PinRecord { salt: [3; 16], cost: CHEAP, sealed_master: vec![4; 60], pepper: true });
    record.label = [b'x'; 32];
    record.user_tries = 4;
    record.epoch = 2;
    write(store, |t| t.put_token(&record));
    assert_eq!(read(store, |t| t.token()), record);
    assert_eq!(read(store, |t| t.epoch_key(2)), None);
    write(store, |t| t.put_epoch_key(2, b"sealed"));
    write(store, |t| t.put_epoch_key(2, b"sealed again"));
    assert_eq!(read(store, |t| t.epoch_key(2)), Some(b"sealed again".to_vec()));
    assert!(read(store, |t| t.epoch_key(1)).is_some());
    record.user = None;
    write(store, |t| t.put_token(&record));
    assert_eq!(read(store, |t| t.token()), record, "a PIN can be taken away");
}

fn queries_are_exact(store: &dyn Store) {
    let with = |class, key_type, private, rows: &[(u64, &str)]| {
        let row = |(attribute, value): &(u64, &str)| SearchRow {
            attribute: *attribute,
            value: value.as_bytes().to_vec(),
        };
        let search = rows.iter().map(row).collect();
        StoredObject { class, key_type, private, search, ..object("") }
    };
    let objects = [
        with(2, Some(0), false, &[(3, "rsa"), (0x102, "id")]),
        with(3, Some(0), true, &[(3, "rsa"), (0x102, "id")]),
        with(3, Some(3), true, &[(3, "ec"), (0x102, "other")]),
        with(1, None, false, &[(3, "rsa"), (3, "second row"), (0x102, "ID")]),
        with(0, None, false, &[]),
    ];
    write(store, |t| objects.iter().try_for_each(|one| t.insert(one).map(|_| ())));
    let check = |query: Query, expected: &[usize]| {
        let expected: Vec<_> = expected.iter().map(|place| objects[*place].id).collect();
        assert_eq!(read(store, |t| t.find(&query)), expected, "{query:?}");
    };
    let query = Query::default();
    let row = |attribute: u64, values: &[&str]| {
        (attribute, values.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>())
    };
    check(query.clone(), &[0, 1, 2, 3, 4]);
    check(Query { class: Some(3), ..query.clone() }, &[1, 2]);
    check(Query { class: Some(3), key_type: Some(3), ..query.clone() }, &[2]);
    check(Query { key_type: Some(0), ..query.clone() }, &[0, 1]);
    check(Query { key_type: Some(0), private: Some(false), ..query.clone() }, &[0]);
    check(Query { private: Some(false), ..query.clone() }, &[0, 3, 4]);
    check(Query { private: Some(true), ..query.clone() }, &[1, 2]);
    check(Query { class: Some(9), ..query.clone() }, &[]);
    let search = |rows: &[(u64, &[&str])]| Query {
        search: rows.iter().map(|(attribute, values)| row(*attribute, values)).collect(),
        ..Query::default()
    };
    check(search(&[(3, &["rsa"])]), &[0, 1, 3]);
    check(search(&[(3, &["ec", "rsa", "none"])]), &[0, 1, 2, 3]);
    check(search(&[(3, &["rsa", "second row"])]), &[0, 1, 3]);
    check(search(&[(3, &["rsa"]), (0x102, &["id"])]), &[0, 1]);
    check(search(&[(0x102, &["id", "other"]), (3, &["ec"])]), &[2]);
    check(search(&[(3, &["second row"]), (3, &["rsa"])]), &[3]);
    check(search(&[(3, &["rsa"]), (0x102, &["other"])]), &[]);
    check(search(&[(4, &["rsa"])]), &[]);
    check(search(&[(3, &["RSA"])]), &[]);
    check(search(&[(3, &["rs"])]), &[]);
    check(search(&[(3, &[])]), &[]);
    check(Query { private: Some(true), ..search(&[(3, &["rsa"])]) }, &[1]);
    check(Query { class: Some(2), ..search(&[(3, &["rsa"])]) }, &[0]);
    check(Query { key_type: Some(3), ..search(&[(3, &["rsa"])]) }, &[]);
}

fn readers_may_not_write(store: &dyn Store) {
    let mut reader = store.begin(Mode::Read).unwrap();
    assert_eq!(reader.insert(&object("no")), Err(StoreError::ReadOnly));
    assert_eq!(reader.set_tries(Role::User, 1), Err(StoreError::ReadOnly));
    reader.commit().unwrap();
    assert_eq!(count(store), 0);
    assert!(!store.is_read_only());
}

fn the_generation_moves_with_what_others_see(store: &dyn Store) {
    let before = store.generation();
    assert!(before.is_some());
    count(store);
    write(store, |t| t.set_tries(Role::User, 3));
    drop(store.begin(Mode::Write).unwrap());
    assert_eq!(store.generation(), before, "nothing that anybody remembers has changed");
    let kept = object("seen");
    write(store, |t| t.insert(&kept));
    let after = store.generation();
    assert!(after.is_some() && after != before);
    write(store, |t| t.remove(&kept.id));
    assert!(store.generation().is_some() && store.generation() != after);
}

fn tries_are_counted_first(store: &dyn Store) {
    let left = |role| read(store, |t| t.tries(role));
    for expected in (0..TRIES).rev() {
        match store.begin_attempt(Role::User).unwrap() {
            Attempt::Allowed(_counted) => assert_eq!(left(Role::User), expected),
            Attempt::Locked => panic!("tries are left"),
        }
    }
    assert!(matches!(store.begin_attempt(Role::User).unwrap(), Attempt::Locked));
    assert_eq!((left(Role::User), left(Role::SecurityOfficer)), (0, TRIES));
    match store.begin_attempt(Role::SecurityOfficer).unwrap() {
        Attempt::Allowed(counted) => {
            assert_eq!(left(Role::SecurityOfficer), TRIES - 1, "counted before the answer");
            counted.succeed(TRIES).unwrap();
        }
        Attempt::Locked => panic!("the roles have tries of their own"),
    }
    assert_eq!(left(Role::SecurityOfficer), TRIES);
    assert_eq!(store.count_mismatch(Role::SecurityOfficer), Ok(TRIES - 1));
    assert_eq!(store.count_mismatch(Role::User), Ok(0));
}

fn a_token_is_initialised_anew(store: &dyn Store) {
    write(store, |t| t.insert(&object("old")));
    write(store, |t| t.insert(&object("older")));
    let (new, _) = new_token("0001");
    write(store, |t| t.initialise(&new));
    assert_eq!(count(store), 0);
    assert_eq!(read(store, |t| t.token()), new.record);
    assert_eq!(read(store, |t| t.epoch_key(1)), Some(new.epoch_key.clone()));
    assert_eq!(write(store, |t| t.insert(&object("new"))), 0);
}

#[test]
fn memory_keeps_the_contract() {
    contract(|token| Box::new(Memory::new(token, None).unwrap()));
}

#[test]
fn sqlite_keeps_the_contract() {
    let directories = std::cell::RefCell::new(Vec::new());
    contract(|token| {
        let place = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(place.path(), &token, OPENING).unwrap();
        directories.borrow_mut().push(place);
        Box::new(store)
    });
}
