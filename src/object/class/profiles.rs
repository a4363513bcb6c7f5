//! The profiles that every token of ours meets, as objects that nobody made. PKCS#11 3.2, "Profile
//! objects"; PKCS#11 Profiles 3.2, "Profiles".
//!
//! Not claimed: Public Certificates Token, because callers may keep certificates private; Complete
//! Provider, because nobody has every mechanism.

use super::Class;
use crate::cryptoki;
use crate::object::attribute;
use crate::object::template::Template;

const CLAIMED: [(u64, &str); 3] = [
    (cryptoki::CKP_BASELINE_PROVIDER, "Baseline Provider"),
    (cryptoki::CKP_EXTENDED_PROVIDER, "Extended Provider"),
    (cryptoki::CKP_AUTHENTICATION_TOKEN, "Authentication Token"),
];

/// The attributes of an object for each.
pub(crate) fn claimed() -> Vec<Template> {
    CLAIMED
        .into_iter()
        .map(|(profile, label)| {
            let mut object = Template::default();
            object.set(attribute::CLASS, Class::Profile.code());
            object.set(attribute::TOKEN, true);
            for no in [
                attribute::PRIVATE,
                attribute::MODIFIABLE,
                attribute::COPYABLE,
                attribute::DESTROYABLE,
            ] {
                object.set(no, false);
            }
            object.set(attribute::LABEL, label.as_bytes().to_vec());
            object.set(attribute::UNIQUE_ID, format!("profile-{profile}").into_bytes());
            object.set(attribute::PROFILE_ID, profile);
            object
        })
        .collect()
}
