//! What a vault opens, and what it refuses to open.

use super::super::contract::{CHEAP, new_token, object, pin, read, write};
use super::super::memory::Memory;
use super::super::search::{candidates, private_rows, public_rows};
use super::super::{Mode, ObjectId, Query, SearchRow, Store};
use super::*;

const RULES: PinRules<'static> = PinRules { cost: CHEAP, pepper: None, tries: 10 };

fn private(label: &str) -> StoredObject {
    StoredObject { private: true, class: 3, key_type: Some(0), ..object(label) }
}

fn sealed(store: &dyn Store, vault: &Vault, mut one: StoredObject, secret: &str) -> StoredObject {
    let transaction = store.begin(Mode::Write).unwrap();
    vault.seal_object(&*transaction, &mut one, &pin(secret)).unwrap();
    one
}

fn opened(store: &dyn Store, vault: &Vault, one: &StoredObject) -> Result<Vec<u8>, VaultError> {
    let transaction = store.begin(Mode::Read).unwrap();
    vault.open_object(&*transaction, one).map(|secret| secret.expose(<[u8]>::to_vec))
}

#[test]
fn each_role_opens_the_same_objects_with_its_own_pin() {
    let (token, so) = new_token("0001");
    let store = Memory::new(token, None).unwrap();
    let one = sealed(&store, &so, private("key"), "the secret part");
    let mut record = read(&store, |t| t.token());
    record.user = Some(so.pin_record(Role::User, &pin("user-pin"), &RULES).unwrap());
    let user = Vault::open(&record, Role::User, &pin("user-pin"), None).unwrap();
    assert_eq!(opened(&store, &user, &one).unwrap(), b"the secret part");
    for (role, wrong) in [(Role::User, "so-pin-1"), (Role::SecurityOfficer, "user-pin")] {
        let error = Vault::open(&record, role, &pin(wrong), None).unwrap_err();
        assert_eq!(error, VaultError::WrongPin);
    }
    std::mem::swap(&mut record.so, record.user.as_mut().unwrap());
    let error = Vault::open(&record, Role::User, &pin("so-pin-1"), None).unwrap_err();
    assert_eq!(error, VaultError::WrongPin, "a PIN's record is bound to its role");
    record.user = None;
    let error = Vault::open(&record, Role::User, &pin("user-pin"), None).unwrap_err();
    assert_eq!(error, VaultError::WrongPin);
}

#[test]
fn a_changed_pin_replaces_the_old_one() {
    let (mut token, so) = new_token("0001");
    let dear = PinRules { cost: Argon2Cost { passes: 2, ..CHEAP }, ..RULES };
    token.record.so = so.pin_record(Role::SecurityOfficer, &pin("another"), &dear).unwrap();
    let open = |text| Vault::open(&token.record, Role::SecurityOfficer, &pin(text), None);
    assert_eq!(open("so-pin-1").unwrap_err(), VaultError::WrongPin);
    assert_eq!(open("another").unwrap().instance(), so.instance());
}

#[test]
fn a_pepper_is_needed_where_it_was_used() {
    let pepper = pin("not in the directory");
    let rules = PinRules { pepper: Some(&pepper), ..RULES };
    let (token, _) = Vault::create("0001", [0; 32], &pin("1234"), &rules).unwrap();
    let open = |pepper| {
        Vault::open(&token.record, Role::SecurityOfficer, &pin("1234"), pepper).map(|_| ())
    };
    assert_eq!(open(Some(&pepper)), Ok(()));
    assert_eq!(open(None), Err(VaultError::NoPepper));
    assert_eq!(open(Some(&pin("another"))), Err(VaultError::WrongPin));
    let (plain, _) = new_token("0001");
    let so = Role::SecurityOfficer;
    assert!(Vault::open(&plain.record, so, &pin("so-pin-1"), Some(&pepper)).is_ok());
}

#[test]
fn an_absurd_cost_is_refused_before_it_is_paid() {
    let (mut token, _) = new_token("0001");
    token.record.so.cost.memory_kib = u32::MAX;
    let opened = Vault::open(&token.record, Role::SecurityOfficer, &pin("so-pin-1"), None);
    assert!(matches!(opened, Err(VaultError::Tampered(_))));
}

#[test]
fn a_login_remembers_its_pin_without_holding_it() {
    let (_, vault) = new_token("0001");
    assert!(vault.pin_check(&pin("so-pin-1")));
    assert!(!vault.pin_check(&pin("so-pin-2")));
    assert!(!vault.pin_check(&pin("")));
}

#[test]
fn whatever_is_changed_in_an_object_is_noticed() {
    let (token, vault) = new_token("0001");
    let store = Memory::new(token, None).unwrap();
    let one = sealed(&store, &vault, private("key"), "secret");
    let other = sealed(&store, &vault, private("other"), "secret");
    assert_ne!(one.sealed, other.sealed);
    let changes: [fn(&mut StoredObject, &StoredObject); 9] = [
        |one, other| one.id = other.id,
        |one, _| one.version += 1,
        |one, _| one.class += 1,
        |one, _| one.key_type = None,
        |one, _| one.private = false,
        |one, _| one.clear.push(0),
        |one, other| one.sealed.clone_from(&other.sealed),
        |one, other| one.data_key.clone_from(&other.data_key),
        |one, _| one.sealed[20] ^= 1,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = one.clone();
        change(&mut changed, &other);
        let result = opened(&store, &vault, &changed);
        assert!(matches!(result, Err(VaultError::Tampered(_))), "change {number}: {result:?}");
    }
    let mut unknown = one.clone();
    unknown.epoch = 9;
    assert!(matches!(opened(&store, &vault, &unknown), Err(VaultError::Tampered(_))));
    let mut emptied = one.clone();
    (emptied.sealed, emptied.data_key) = (Vec::new(), Vec::new());
    assert!(matches!(opened(&store, &vault, &emptied), Err(VaultError::Tampered(_))));
    assert_eq!(opened(&store, &vault, &object("public, no secret")).unwrap(), b"");
    assert_eq!(opened(&store, &vault, &one).unwrap(), b"secret", "the original still opens");
}

#[test]
fn an_object_of_another_token_does_not_open() {
    let (token, vault) = new_token("0001");
    let store = Memory::new(token, None).unwrap();
    let one = sealed(&store, &vault, private("key"), "secret");
    let renamed = Vault { serial: "0002".to_owned(), ..vault };
    assert!(matches!(opened(&store, &renamed, &one), Err(VaultError::Tampered(_))));
}

#[test]
fn an_unknown_epoch_is_looked_up() {
    let (token, so) = new_token("0001");
    let record = token.record.clone();
    let store = Memory::new(token, None).unwrap();
    let one = sealed(&store, &so, private("key"), "secret");
    let fresh = Vault::open(&record, Role::SecurityOfficer, &pin("so-pin-1"), None).unwrap();
    assert_eq!(opened(&store, &fresh, &one).unwrap(), b"secret");
    let epoch_key = read(&store, |t| t.epoch_key(1)).unwrap();
    write(&store, |t| t.put_epoch_key(2, &epoch_key));
    let moved = StoredObject { epoch: 2, ..one };
    let result = opened(&store, &fresh, &moved);
    assert!(matches!(result, Err(VaultError::Tampered(_))), "a key is bound to its epoch");
}

#[test]
fn a_vault_of_the_token_before_is_told_so() {
    let (token, vault) = new_token("0001");
    let store = Memory::new(token, None).unwrap();
    let one = sealed(&store, &vault, private("key"), "secret");
    let (new, new_vault) = new_token("0001");
    write(&store, |t| t.initialise(&new));
    let mut late = private("late");
    let transaction = store.begin(Mode::Write).unwrap();
    let sealed_late = vault.seal_object(&*transaction, &mut late, &pin("secret"));
    assert_eq!(sealed_late, Err(VaultError::Replaced));
    drop(transaction);
    let newer = sealed(&store, &new_vault, private("new"), "new secret");
    assert_eq!(opened(&store, &vault, &newer), Err(VaultError::Replaced));
    assert!(matches!(opened(&store, &new_vault, &one), Err(VaultError::Tampered(_))));
}

#[test]
fn private_rows_are_found_by_who_is_logged_in_only() {
    let (token, vault) = new_token("0001");
    let store = Memory::new(token, None).unwrap();
    let attributes: [(u64, &[u8]); 4] =
        [(3, b"label"), (0x102, b"id"), (0, b"class"), (0x101, b"")];
    let rows = private_rows(&vault, attributes).unwrap();
    assert_eq!(rows.len(), 2, "indexed attributes with a value");
    assert!(rows.iter().all(|row| row.value.len() == 16));
    assert_ne!(
        vault.search_value(3, b"same").unwrap(),
        vault.search_value(0x102, b"same").unwrap(),
        "equal values of different attributes are not told to be equal"
    );
    let hidden = StoredObject { search: rows, ..private("hidden") };
    let open = StoredObject { search: public_rows(attributes), ..object("open") };
    assert_eq!(open.search[0], SearchRow { attribute: 3, value: b"label".to_vec() });
    write(&store, |t| t.insert(&hidden).and(t.insert(&open)));
    let find = |vault| {
        let values = candidates(vault, 3, b"label").unwrap().unwrap();
        let query = Query { search: vec![(3, values)], ..Query::default() };
        read(&store, |t| t.find(&query))
    };
    assert_eq!(find(Some(&vault)), [hidden.id, open.id]);
    assert_eq!(find(None), [open.id]);
    assert_eq!(candidates(None, 3, b""), Ok(None));
    assert_eq!(candidates(None, 0, b"class"), Ok(None));
}

#[test]
fn the_associated_data_is_what_the_format_says() {
    let one = StoredObject { id: ObjectId([7; 16]), version: 258, class: 3, ..private("clear") };
    let bytes = associated("0a", Content::SecretPart, Some(&one), one.version);
    let mut expected = vec![1, 2, b'0', b'a'];
    expected.extend([7; 16]);
    expected.extend([2, 1, 0, 0, 0, 0, 0, 0]);
    expected.extend([3, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([5, 1, 1]);
    expected.extend([0; 8]);
    expected.extend(b"clear");
    assert_eq!(bytes, expected);
    let bytes = associated("0a", Content::EpochKey, None, 2);
    assert_eq!(bytes.len(), 4 + 16 + 8 + 8 + 1);
}

#[test]
fn a_rotation_seals_every_data_key_anew_and_removes_the_old_key() {
    let (token, vault) = new_token("0001");
    let store = Memory::new(token, None).unwrap();
    let (one, public) = (sealed(&store, &vault, private("key"), "the secret"), object("open"));
    let broken = StoredObject { data_key: vec![0; 60], ..private("broken") };
    write(&store, |t| t.insert(&one).and(t.insert(&public)).and(t.insert(&broken)));
    let mut transaction = store.begin(Mode::Write).unwrap();
    transaction.sign_with(vault.audit_signer().unwrap()).unwrap();
    let rotated = vault.rotate(&mut *transaction).unwrap();
    transaction.commit().unwrap();
    assert_eq!(rotated, Rotated { epoch: 2, objects: 1, unopened: 1 });
    let after = read(&store, |t| t.get(&one.id)).unwrap();
    assert_eq!((after.epoch, after.version, &after.sealed), (2, one.version, &one.sealed));
    assert_ne!(after.data_key, one.data_key);
    assert_eq!(read(&store, |t| t.get(&public.id)).unwrap().epoch, 0, "nothing of it is sealed");
    assert_eq!(read(&store, |t| t.epoch_key(1)), None);
    assert_eq!(opened(&store, &vault, &after).unwrap(), b"the secret");
    // The old row opens no more: neither for who knew the old key, nor for who logs in now.
    assert!(matches!(opened(&store, &vault, &one), Err(VaultError::Tampered(_))));
    let record = read(&store, |t| t.token());
    let again = Vault::open(&record, Role::SecurityOfficer, &pin("so-pin-1"), None).unwrap();
    assert_eq!(opened(&store, &again, &after).unwrap(), b"the secret");
    assert!(matches!(opened(&store, &again, &one), Err(VaultError::Tampered(_))));
    let moved = StoredObject { id: ObjectId([7; 16]), ..after.clone() };
    assert!(opened(&store, &again, &moved).is_err(), "bound to the object's id");
    let older = StoredObject { version: 9, ..after };
    assert!(opened(&store, &again, &older).is_err(), "and to its version");
}

#[test]
fn a_rotation_that_is_not_committed_is_none() {
    let (token, vault) = new_token("0001");
    let store = Memory::new(token, None).unwrap();
    let one = sealed(&store, &vault, private("key"), "the secret");
    write(&store, |t| t.insert(&one));
    let mut transaction = store.begin(Mode::Write).unwrap();
    vault.rotate(&mut *transaction).unwrap();
    drop(transaction);
    let kept = read(&store, |t| t.get(&one.id)).unwrap();
    assert_eq!((kept.epoch, read(&store, |t| t.token()).epoch), (1, 1));
    assert_eq!(opened(&store, &vault, &kept).unwrap(), b"the secret");
    let (_, stranger) = new_token("0001");
    let mut transaction = store.begin(Mode::Write).unwrap();
    assert_eq!(stranger.rotate(&mut *transaction), Err(VaultError::Replaced));
}
