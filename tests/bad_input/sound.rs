//! Sound input for each mechanism in each function that it claims, found by trying what is known
//! of its type of key and its parameter.

use std::time::Duration;

use claviger::provider::administration::{MechanismRow, mechanism_table};
use cryptoki_sys as ck;

use super::inputs::{data, templates};
use super::keys::{Key, Keys};
use super::parameters::{Parameter, candidates};
use super::uses::{Material, NO_USE, USES, Use, whole};
use crate::support::isolation::isolated_as;
use crate::support::operations::in_two_calls;
use crate::support::{Session, Template, Token, known};

/// One function of one mechanism, with everything that it needs to succeed.
#[derive(Clone, Debug)]
pub struct Sound {
    pub row: MechanismRow,
    pub which: Use,
    pub parameter: Parameter,
    pub key: Key,
    /// The handle of the half that is used, 0 if the use needs no key.
    pub handle: ck::CK_OBJECT_HANDLE,
    pub data: Vec<u8>,
    /// The signature that goes with the data, for a verification.
    pub signature: Vec<u8>,
    pub material: Material,
    /// What it gives.
    pub output: Vec<u8>,
}

/// Everything that the tests of one token stand on.
pub struct Ground<'m> {
    pub session: Session<'m>,
    pub slot: ck::CK_SLOT_ID,
    pub table: Vec<MechanismRow>,
    pub keys: Keys,
    pub all: Vec<Sound>,
    /// A secret that parameters may name.
    other: ck::CK_OBJECT_HANDLE,
    /// Functions of mechanisms for which nothing sound was found.
    lacking: Vec<String>,
}

/// Complaints about rows, all told together.
#[derive(Default)]
pub struct Complaints(Vec<String>);

impl Complaints {
    pub fn add(&mut self, sound: &Sound, what: impl std::fmt::Display) {
        self.0.push(format!("{} {:?}: {what}", sound.row.name, sound.which));
    }

    /// Complains unless an answer is one of those that are right.
    pub fn unless(&mut self, sound: &Sound, what: &str, rv: crate::support::Rv, right: &[u64]) {
        if !right.contains(&rv.0) {
            let right: Vec<_> = right.iter().map(|rv| crate::support::Rv(*rv)).collect();
            self.add(sound, format!("{what}: {rv}, not {right:?}"));
        }
    }

    #[track_caller]
    pub fn tell(self) {
        assert!(self.0.is_empty(), "{} complaints:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// Runs `test` on a token on which every mechanism is offered and everything is allowed.
#[track_caller]
pub fn on_ground<F: FnOnce(&Ground<'_>, &mut Complaints)>(test: F) {
    isolated_as::<F>(Duration::from_secs(600), |bench| {
        bench.configure(
            "[policy]\nexport = \"standard\"\n[mechanisms]\nlegacy = true\n[store]\nkind = \"memory\"",
        );
        let token = bench.token();
        let ground = Ground::of(&token);
        let mut complaints = Complaints::default();
        test(&ground, &mut complaints);
        complaints.tell();
    });
}

/// A `CK_OTP_SIGNATURE_INFO` and the `CK_OTP_PARAM` that it leads to.
const ADDRESSES: usize = size_of::<ck::CK_OTP_SIGNATURE_INFO>() + size_of::<ck::CK_OTP_PARAM>();

/// Whether what a mechanism gives begins with addresses inside the caller's room.
pub fn gives_addresses(row: &MechanismRow) -> bool {
    row.number == ck::CKM_HOTP
}

/// Whether a use has a function without associated data: the flags of wrapping stand for the two
/// functions with it as well.
fn is_by_itself(row: &MechanismRow, which: Use) -> bool {
    match which {
        Use::Wrap => row.functions.contains(&"wrap"),
        Use::Unwrap => row.functions.contains(&"unwrap"),
        _ => true,
    }
}

impl<'m> Ground<'m> {
    #[track_caller]
    fn of(token: &'m Token) -> Self {
        let session = token.user();
        let table = mechanism_table();
        let offered = token.module.mechanisms(token.slot).expect("C_GetMechanismList");
        let numbers: Vec<u64> = table.iter().map(|row| row.number).collect();
        assert_eq!(offered, numbers, "the module's mechanisms and those of the registry");
        let keys = Keys::make(&session, &table);
        let other = keys.0.get(&ck::CKK_GENERIC_SECRET).expect("a secret")[0].private;
        let (all, lacking) = (Vec::new(), Vec::new());
        let slot = token.slot;
        let mut ground = Self { session, slot, table, keys, all, other, lacking };
        for row in ground.table.clone() {
            let info = token.module.mechanism_info(token.slot, row.number).expect("its info");
            let unknown = USES.iter().fold(info.flags & !NO_USE, |rest, (_, flag)| rest & !flag);
            assert_eq!(unknown, 0, "flags of {} that no test knows", row.name);
            let claimed =
                |(which, flag): &&(Use, u64)| info.flags & flag != 0 && is_by_itself(&row, *which);
            for (which, _) in USES.iter().filter(claimed) {
                match ground.find(&row, *which) {
                    Some(sound) => ground.all.push(sound),
                    None => {
                        let lacking = format!("{} {which:?} ({:?})", row.name, row.parameter);
                        ground.lacking.push(lacking);
                    }
                }
                ground.session.cancel_all();
            }
        }
        ground
    }

    /// What was found for another function of the same mechanism.
    fn partner(&self, row: &MechanismRow, which: Use) -> Option<&Sound> {
        self.all.iter().find(|sound| sound.row.number == row.number && sound.which == which)
    }

    fn find(&self, row: &MechanismRow, which: Use) -> Option<Sound> {
        match which {
            Use::Decrypt => self.find_inverse(row, which, Use::Encrypt),
            Use::Verify => self.find_inverse(row, which, Use::Sign),
            Use::VerifyRecover => self.find_inverse(row, which, Use::SignRecover),
            Use::Unwrap => self.find_inverse(row, which, Use::Wrap),
            Use::Decapsulate => self.find_inverse(row, which, Use::Encapsulate),
            _ => self.find_first(row, which),
        }
    }

    /// What undoes something takes what that gave.
    fn find_inverse(&self, row: &MechanismRow, which: Use, of: Use) -> Option<Sound> {
        let partner = self.partner(row, of)?;
        let mut sound = Sound { which, handle: partner.key.private, ..partner.clone() };
        if which.is_public() {
            sound.handle = partner.key.public;
        }
        let given = partner.output.clone();
        match which {
            // Of a one-time password the structures before it go nowhere.
            Use::Verify if gives_addresses(row) => sound.signature = given[ADDRESSES..].to_vec(),
            Use::Verify => sound.signature = given,
            Use::Decrypt | Use::VerifyRecover => sound.data = given,
            _ => {
                sound.material.bytes = given;
                return templates(which, 0).into_iter().find_map(|template| {
                    sound.material.template = template;
                    self.works(&sound).map(|output| Sound { output, ..sound.clone() })
                });
            }
        }
        let output = self.works(&sound)?;
        Some(Sound { output, ..sound })
    }

    fn find_first(&self, row: &MechanismRow, which: Use) -> Option<Sound> {
        let none = Key { key_type: 0, public: 0, private: 0 };
        let needs_key = which.allowed_by().is_some();
        let keys: Vec<Key> = match needs_key {
            true => self.keys.of(&row.key_numbers).copied().collect(),
            false => vec![none],
        };
        let own = row.key_numbers.first().copied().unwrap_or_default();
        let materials = self.materials(which, own);
        for key in keys {
            let handle = if which.is_public() { key.public } else { key.private };
            for parameter in candidates(row.parameter, self.other)? {
                for material in &materials {
                    let sound = Sound {
                        row: row.clone(),
                        which,
                        parameter: parameter.clone(),
                        key,
                        handle,
                        data: Vec::new(),
                        signature: Vec::new(),
                        material: material.clone(),
                        output: Vec::new(),
                    };
                    if let Some(found) = self.with_data(sound) {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// The same with data that it takes, if it takes any.
    fn with_data(&self, mut sound: Sound) -> Option<Sound> {
        if self.begin(&sound).0 != ck::CKR_OK {
            return None;
        }
        if sound.which.is_operation() {
            self.session.ends(sound.which);
        }
        for data in data() {
            sound.data = data;
            if let Some(output) = self.works(&sound) {
                return Some(Sound { output, ..sound });
            }
            if !sound.which.is_operation() {
                break;
            }
        }
        None
    }

    /// What uses make or take beside a key, the likeliest first.
    fn materials(&self, which: Use, key_type: ck::CK_KEY_TYPE) -> Vec<Material> {
        let of = |template: Template| Material { template, ..Material::default() };
        match which {
            Use::Wrap => {
                self.targets().map(|target| Material { target, ..Material::default() }).collect()
            }
            _ if which.is_operation() => vec![Material::default()],
            _ => templates(which, key_type).into_iter().map(of).collect(),
        }
    }

    /// Keys that can be wrapped.
    fn targets(&self) -> impl Iterator<Item = ck::CK_OBJECT_HANDLE> {
        let types = [ck::CKK_AES, ck::CKK_GENERIC_SECRET, ck::CKK_RSA, ck::CKK_EC];
        types.into_iter().filter_map(|key_type| Some(self.keys.0.get(&key_type)?.first()?.private))
    }

    /// Begins a use with what is sound for it.
    pub fn begin(&self, sound: &Sound) -> crate::support::Rv {
        let how = sound.parameter.with(sound.row.number);
        self.session.begin(sound.which, &how, sound.handle, &sound.material)
    }

    /// All of it, from the beginning to what it gives; `None` if it does not work.
    pub fn works(&self, sound: &Sound) -> Option<Vec<u8>> {
        let how = sound.parameter.with(sound.row.number);
        match sound.which {
            Use::Wrap => return self.session.wrap(&how, sound.handle, sound.material.target).ok(),
            Use::Encapsulate => {
                return self
                    .session
                    .ciphertext_of(&how, sound.handle, &sound.material.template)
                    .ok();
            }
            _ => {}
        }
        if self.begin(sound).0 != ck::CKR_OK {
            return None;
        }
        if !sound.which.is_operation() {
            return Some(Vec::new());
        }
        let done = in_two_calls(|out, out_len| {
            whole(&self.session, sound.which, &sound.data, &sound.signature, out, out_len)
        });
        // A verdict comes with the first of the two calls.
        if sound.which == Use::Verify
            && done.as_ref().err().is_some_and(|rv| rv.0 == ck::CKR_OPERATION_NOT_INITIALIZED)
        {
            return Some(Vec::new());
        }
        self.session.ends(sound.which);
        done.ok()
    }
}

/// A key for AES that no row of the registry names otherwise.
pub fn some_aes(session: &Session<'_>) -> ck::CK_OBJECT_HANDLE {
    session.create(&known::aes(&[9; 16])).expect("an AES key")
}

#[test]
fn each_mechanism_does_what_it_claims() {
    on_ground(|ground, complaints| {
        let lacking = ground.lacking.join("\n");
        assert!(lacking.is_empty(), "no sound input is known for\n{lacking}");
        for sound in &ground.all {
            if ground.works(sound).is_none() {
                complaints.add(sound, "does not work a second time");
            }
        }
        assert!(ground.all.len() > ground.table.len() / 2, "hardly anything was tested");
    });
}
