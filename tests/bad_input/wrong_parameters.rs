//! Parameters that are missing, too short, too long, of another kind, or that lie about pointers
//! and lengths. PKCS#11 3.2, "CKR_MECHANISM_PARAM_INVALID".

use cryptoki_sys as ck;

use super::parameters::{Parameter, candidates};
use super::sound::{Complaints, Ground, Sound, on_ground};
use crate::support::Rv;
use crate::support::operations::Mechanism;

const INVALID: &[ck::CK_RV] = &[ck::CKR_MECHANISM_PARAM_INVALID];
/// What a parameter may get that is of the right form and makes no sense.
const NONSENSE: &[ck::CK_RV] = &[
    ck::CKR_OK,
    ck::CKR_MECHANISM_PARAM_INVALID,
    ck::CKR_ARGUMENTS_BAD,
    ck::CKR_KEY_HANDLE_INVALID,
    ck::CKR_KEY_TYPE_INCONSISTENT,
    ck::CKR_KEY_SIZE_RANGE,
    ck::CKR_PUBLIC_KEY_INVALID,
    ck::CKR_DOMAIN_PARAMS_INVALID,
    ck::CKR_TEMPLATE_INCONSISTENT,
    ck::CKR_ATTRIBUTE_VALUE_INVALID,
    ck::CKR_DATA_LEN_RANGE,
    // Sound, but not what it was wrapped with.
    ck::CKR_WRAPPED_KEY_INVALID,
    ck::CKR_WRAPPED_KEY_LEN_RANGE,
];

/// Begins with another parameter; nothing may be active after a refusal.
fn begin(ground: &Ground<'_>, sound: &Sound, how: &Mechanism<'_>) -> Rv {
    let rv = ground.session.begin(sound.which, how, sound.handle, &sound.material);
    let active = sound.which.is_operation() && ground.session.ends(sound.which);
    assert!(rv.0 == ck::CKR_OK || !active, "{} is active after {rv}", sound.row.name);
    rv
}

/// Is that many bytes of a parameter a length that the mechanism takes?
fn takes(sound: &Sound, length: usize) -> bool {
    let all = candidates(sound.row.parameter, 0).expect("it was found");
    let optional = sound.row.parameter.is_some_and(|word| word.starts_with("none"));
    let says = |what| sound.row.parameter.is_some_and(|word| word.contains(what));
    (length == 0 && (optional || sound.row.parameter.is_none()))
        || (says("ignored") && [8, 16].contains(&length))
        || (says("initial value") && [4, 8].contains(&length))
        || all.iter().any(|parameter| parameter.bytes.len() == length)
}

/// Bytes of a variable number are all a mechanism can see of its parameter.
fn varies(sound: &Sound) -> bool {
    let says = |what| sound.row.parameter.is_some_and(|word| word.contains(what));
    says(" to ") || says("public value") || says("`info`")
}

#[test]
fn a_parameter_of_another_length_is_invalid() {
    on_ground(|ground, complaints| {
        for sound in ground.all.iter().filter(|sound| !varies(sound)) {
            let own = sound.parameter.bytes.len();
            let lengths = [0, 1, 7, own.saturating_sub(1), own + 1, own + 8, 16, 4096];
            for length in lengths.into_iter().filter(|length| !takes(sound, *length)) {
                let mut other = sound.parameter.clone();
                other.bytes.resize(length, 0);
                let how = other.with(sound.row.number);
                let rv = begin(ground, sound, &how);
                complaints.unless(sound, &format!("{length} bytes of parameter"), rv, INVALID);
            }
        }
    });
}

#[test]
fn no_parameter_with_a_length_is_invalid() {
    on_ground(|ground, complaints| {
        for sound in &ground.all {
            let own = sound.parameter.bytes.len() as u64;
            for length in [own.max(1), 1, 24, 1 << 40, u64::MAX] {
                let nothing = Parameter::none();
                let mut how = nothing.with(sound.row.number);
                how.c.ulParameterLen = length;
                if takes(sound, usize::try_from(length).expect("a length")) && own == 0 {
                    continue;
                }
                let rv = begin(ground, sound, &how);
                complaints.unless(sound, &format!("NULL and {length} bytes"), rv, INVALID);
            }
        }
    });
}

#[test]
fn a_pointer_in_a_parameter_and_its_length_must_agree() {
    on_ground(|ground, complaints| {
        let mut tried = 0;
        for sound in &ground.all {
            for pointer in sound.parameter.pointers() {
                let without = sound.parameter.replaced(pointer, 0);
                let rv = begin(ground, sound, &without.with(sound.row.number));
                complaints.unless(sound, &format!("NULL at {pointer}"), rv, INVALID);
                let Some(length) = sound.parameter.length_of(pointer) else { continue };
                for absurd in [u64::MAX, 1 << 40] {
                    let lying = sound.parameter.replaced(length, absurd);
                    let rv = begin(ground, sound, &lying.with(sound.row.number));
                    let what = format!("{absurd} bytes at {pointer}");
                    complaints.unless(sound, &what, rv, INVALID);
                }
                tried += 1;
            }
        }
        assert!(tried > 3, "hardly a pointer was found");
    });
}

/// Every other word of a parameter: a hash that is none, a length out of all range.
#[test]
fn numbers_that_make_no_sense_are_refused_or_passed_over() {
    on_ground(|ground, complaints| {
        for sound in &ground.all {
            let pointers = sound.parameter.pointers();
            let lengths: Vec<usize> =
                pointers.iter().filter_map(|pointer| sound.parameter.length_of(*pointer)).collect();
            for place in (0..sound.parameter.bytes.len() / 8).map(|word| word * 8) {
                if pointers.contains(&place) || lengths.contains(&place) {
                    continue;
                }
                for number in [u64::MAX, 1 << 63, 0, 5] {
                    // A word of zero may be the pointer of a value that is not there; only its
                    // length makes the module follow it.
                    let odd = sound.parameter.replaced(place, number);
                    if follows(sound, place) {
                        continue;
                    }
                    let rv = begin(ground, sound, &odd.with(sound.row.number));
                    complaints.unless(sound, &format!("{number} at {place}"), rv, NONSENSE);
                }
            }
        }
    });
}

/// May a word be a length or a pointer that goes with a word beside it? Then no value but its
/// own may stand in it.
fn follows(sound: &Sound, place: usize) -> bool {
    sound.parameter.bytes[place..place + 8] == [0; 8] && !sound.parameter.parts.is_empty()
}

#[test]
fn no_mechanism_begins_nothing() {
    on_ground(|ground, complaints: &mut Complaints| {
        for sound in ground.all.iter().filter(|sound| sound.which.is_operation()) {
            let active = ground.session.ends(sound.which);
            if active {
                complaints.add(sound, "something was active");
            }
        }
    });
}
