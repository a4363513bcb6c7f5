//! Keys that are not there, of another type, class or size, or that may not be used so.
//! PKCS#11 3.2, "Error codes": the type of a key counts before what it may be used for.

use cryptoki_sys as ck;

use super::keys::made_with;
use super::sound::{Ground, Sound, on_ground};
use super::uses::Use;
use crate::support::{Rv, known, template};

/// Begins with another key; nothing may be active after a refusal.
fn begin(ground: &Ground<'_>, sound: &Sound, key: ck::CK_OBJECT_HANDLE) -> Rv {
    let how = sound.parameter.with(sound.row.number);
    let rv = ground.session.begin(sound.which, &how, key, &sound.material);
    let active = sound.which.is_operation() && ground.session.ends(sound.which);
    assert!(rv.0 == ck::CKR_OK || !active, "{} is active after {rv}", sound.row.name);
    rv
}

fn with_keys<'g>(ground: &'g Ground<'_>) -> impl Iterator<Item = &'g Sound> {
    ground.all.iter().filter(|sound| sound.which.allowed_by().is_some())
}

#[test]
fn a_key_that_is_not_there_is_told() {
    on_ground(|ground, complaints| {
        let gone = ground.session.create(&known::aes(&[3; 16])).unwrap();
        ground.session.destroy(gone).unwrap();
        for sound in with_keys(ground) {
            for handle in [0, gone, u64::MAX] {
                let rv = begin(ground, sound, handle);
                complaints.unless(sound, "a wrong handle", rv, sound.which.no_such_key());
            }
        }
    });
}

#[test]
fn a_key_of_another_type_is_inconsistent() {
    on_ground(|ground, complaints| {
        for sound in with_keys(ground) {
            for (key_type, keys) in &ground.keys.0 {
                if sound.row.key_numbers.contains(key_type) {
                    continue;
                }
                let key = keys.first().expect("a key");
                for half in [key.public, key.private] {
                    let rv = begin(ground, sound, half);
                    let what = format!("a key of type {key_type:#x}");
                    complaints.unless(sound, &what, rv, sound.which.wrong_key());
                }
            }
        }
    });
}

#[test]
fn the_other_half_of_a_pair_is_refused() {
    on_ground(|ground, complaints| {
        for sound in with_keys(ground).filter(|sound| sound.key.public != sound.key.private) {
            let other = match sound.handle == sound.key.public {
                true => sound.key.private,
                false => sound.key.public,
            };
            let mut right = sound.which.wrong_key().to_vec();
            right.push(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
            let rv = begin(ground, sound, other);
            complaints.unless(sound, "the other half", rv, &right);
        }
    });
}

#[test]
fn what_is_no_key_is_refused() {
    on_ground(|ground, complaints| {
        let data = ground
            .session
            .create(&template! { CKA_CLASS => ck::CKO_DATA, CKA_VALUE => "no key" })
            .unwrap();
        for sound in with_keys(ground) {
            let right = [sound.which.wrong_key(), sound.which.no_such_key()].concat();
            let rv = begin(ground, sound, data);
            complaints.unless(sound, "a data object", rv, &right);
        }
    });
}

#[test]
fn a_key_that_may_not_be_used_so_is_refused() {
    on_ground(|ground, complaints| {
        // A public key may always be made of a private one.
        let asks = |sound: &&Sound| sound.row.name != "CKM_PUB_KEY_FROM_PRIV_KEY";
        for sound in with_keys(ground).filter(asks) {
            let allowed_by = sound.which.allowed_by().expect("it has a key");
            let set = |flag: bool| {
                let change = crate::support::Template::default().and(allowed_by, flag);
                ground.session.set(sound.handle, &change).expect("C_SetAttributeValue");
            };
            set(false);
            let rv = begin(ground, sound, sound.handle);
            complaints.unless(sound, "not allowed", rv, &[ck::CKR_KEY_FUNCTION_NOT_PERMITTED]);
            set(true);
        }
    });
}

#[test]
fn a_key_for_other_mechanisms_is_refused() {
    on_ground(|ground, complaints| {
        let other = [ck::CKM_VENDOR_DEFINED + 0x7fff_fff0];
        let fence = template! { CKA_ALLOWED_MECHANISMS => &other[..] };
        for key_type in ground.keys.0.keys().copied() {
            let keys = made_with(&ground.session, &ground.table, key_type, &fence);
            let key = keys.first().expect("a key with allowed mechanisms");
            let own = |sound: &&Sound| sound.row.key_numbers.contains(&key_type);
            for sound in with_keys(ground).filter(own) {
                let handle = if sound.which.is_public() { key.public } else { key.private };
                let rv = begin(ground, sound, handle);
                complaints.unless(sound, "not listed", rv, &[ck::CKR_MECHANISM_INVALID]);
            }
        }
    });
}

/// Secret keys of sizes that a mechanism does not take cannot be made, or cannot be used.
#[test]
fn a_key_of_another_size_is_refused() {
    on_ground(|ground, complaints| {
        for length in [1_usize, 7, 15, 17, 31, 33, 65] {
            for (key_type, keys) in &ground.keys.0 {
                let is_secret = keys.first().is_some_and(|key| key.public == key.private);
                let template = super::keys::all_uses()
                    .into_iter()
                    .fold(known::secret(*key_type, &vec![2; length]), |all, kind| {
                        all.and(kind, true)
                    });
                let Some(key) = is_secret.then(|| ground.session.create(&template).ok()).flatten()
                else {
                    continue;
                };
                let bytes = |sound: &&Sound| {
                    let sizes = sound.row.key_sizes.filter(|sizes| sizes.unit == "bytes");
                    let out = sizes.is_some_and(|it| !(it.min..=it.max).contains(&(length as u64)));
                    out && sound.row.key_numbers.contains(key_type)
                };
                // The standard gives these the size of the others, and says that they take any.
                let any = |sound: &&Sound| sound.row.name.ends_with("_MASTER_KEY_DERIVE_DH");
                for sound in with_keys(ground).filter(bytes).filter(|sound| !any(sound)) {
                    let rv = begin(ground, sound, key);
                    let what = format!("a key of {length} bytes");
                    complaints.unless(sound, &what, rv, sound.which.wrong_size());
                }
            }
        }
    });
}

#[test]
fn what_wraps_takes_no_handle_of_something_else() {
    on_ground(|ground, complaints| {
        let data = ground.session.create(&template! { CKA_CLASS => ck::CKO_DATA }).unwrap();
        for sound in ground.all.iter().filter(|sound| sound.which == Use::Wrap) {
            let how = sound.parameter.with(sound.row.number);
            for target in [0, u64::MAX, data] {
                let rv = ground.session.wrap(&how, sound.handle, target).expect_err("no key");
                let right = &[ck::CKR_KEY_HANDLE_INVALID, ck::CKR_KEY_NOT_WRAPPABLE];
                complaints.unless(sound, "wraps what is no key", rv, right);
            }
        }
    });
}
