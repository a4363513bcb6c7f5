//! Every order of four steps: begin, a part, everything at once, the end, and ending it early.
//! PKCS#11 3.2, "Encryption functions" and the sections after it.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::buffers::LARGE;
use super::sound::{Ground, Sound, on_ground};
use super::uses::{finish, update, whole};
use crate::support::Rv;
use crate::support::operations::lend_room;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Init,
    Update,
    Whole,
    Final,
    Cancel,
}

const STEPS: [Step; 5] = [Step::Init, Step::Update, Step::Whole, Step::Final, Step::Cancel];

/// What is known of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Idle,
    Ready,
    Streaming,
}

/// Failures of the work itself: the wrong amount of data, a signature that does not fit it.
const WORK: &[ck::CK_RV] = &[
    ck::CKR_DATA_LEN_RANGE,
    ck::CKR_DATA_INVALID,
    ck::CKR_ENCRYPTED_DATA_LEN_RANGE,
    ck::CKR_ENCRYPTED_DATA_INVALID,
    ck::CKR_AEAD_DECRYPT_FAILED,
    ck::CKR_SIGNATURE_INVALID,
    ck::CKR_SIGNATURE_LEN_RANGE,
    ck::CKR_FUNCTION_NOT_SUPPORTED,
];

fn take(ground: &Ground<'_>, sound: &Sound, step: Step) -> Option<Rv> {
    let (session, which) = (&ground.session, sound.which);
    if step == Step::Init {
        return Some(ground.begin(sound));
    }
    if step == Step::Cancel {
        let ended = session.ends(which);
        return Some(Rv(if ended { ck::CKR_OK } else { ck::CKR_OPERATION_NOT_INITIALIZED }));
    }
    let mut answer = None;
    let _ = lend_room(LARGE, |out, out_len| {
        answer = match step {
            Step::Update => update(session, which, &sound.data, out, out_len),
            Step::Final => finish(session, which, &sound.signature, out, out_len),
            _ => Some(whole(session, which, &sound.data, &sound.signature, out, out_len)),
        };
        Rv(ck::CKR_OK)
    });
    answer
}

/// What a step must answer, and the state after each of the answers.
fn judged(state: State, step: Step, rv: Rv) -> Result<State, String> {
    let ok = rv.0 == ck::CKR_OK;
    let worked = ok || WORK.contains(&rv.0);
    let (fits, after) = match (state, step) {
        (State::Idle, Step::Init) => (ok, State::Ready),
        (_, Step::Init) => (rv.0 == ck::CKR_OPERATION_ACTIVE, state),
        (State::Idle, _) => (rv.0 == ck::CKR_OPERATION_NOT_INITIALIZED, State::Idle),
        (_, Step::Cancel) => (ok, State::Idle),
        (_, Step::Update) => (worked, if ok { State::Streaming } else { State::Idle }),
        (State::Streaming, Step::Whole) => (rv.0 == ck::CKR_OPERATION_ACTIVE, State::Idle),
        (_, Step::Whole | Step::Final) => (worked, State::Idle),
    };
    if fits { Ok(after) } else { Err(format!("{step:?} in state {state:?}: {rv}")) }
}

/// All orders of so many steps that begin with one that begins something.
fn orders(steps: usize) -> Vec<Vec<Step>> {
    (1..steps).fold(STEPS.map(|step| vec![step]).to_vec(), |shorter, _| {
        let longer = |order: &Vec<Step>| STEPS.map(|step| [order.as_slice(), &[step]].concat());
        shorter.iter().flat_map(longer).collect()
    })
}

#[test]
fn steps_in_any_order_are_answered_by_the_state() {
    on_ground(|ground, complaints| {
        let all = orders(3);
        for sound in ground.all.iter().filter(|sound| sound.which.is_operation()) {
            'orders: for order in &all {
                ground.session.ends(sound.which);
                let mut state = State::Idle;
                for step in order {
                    let Some(rv) = take(ground, sound, *step) else { continue };
                    match judged(state, *step, rv) {
                        Ok(after) => state = after,
                        Err(what) => {
                            complaints.add(sound, format!("{order:?}: {what}"));
                            break 'orders;
                        }
                    }
                }
            }
            ground.session.ends(sound.which);
        }
    });
}

#[test]
fn one_kind_of_operation_does_not_answer_for_another() {
    on_ground(|ground, complaints| {
        for sound in ground.all.iter().filter(|sound| sound.which.is_operation()) {
            assert_eq!(ground.begin(sound).0, ck::CKR_OK);
            for (other, _) in super::uses::USES {
                if *other == sound.which || !other.is_operation() {
                    continue;
                }
                let (session, mut length) = (&ground.session, 0);
                let place = &raw mut length;
                let rv = whole(session, *other, &[], &[], null_mut(), place);
                let right = &[ck::CKR_OPERATION_NOT_INITIALIZED];
                complaints.unless(sound, &format!("{other:?} meanwhile"), rv, right);
            }
            if !ground.session.ends(sound.which) {
                complaints.add(sound, "was ended by calls of another kind");
            }
        }
    });
}
