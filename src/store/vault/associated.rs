//! What every seal is bound to, so that nothing sealed can stand in another's place.

use crate::store::{ObjectId, Role, StoredObject};

const FORMAT: u8 = 1;

/// What a seal holds; part of its associated data.
#[derive(Clone, Copy)]
pub(super) enum Content {
    MasterForSo,
    MasterForUser,
    EpochKey,
    DataKey,
    SecretPart,
    AuditKey,
}

impl From<Role> for Content {
    fn from(role: Role) -> Self {
        match role {
            Role::SecurityOfficer => Self::MasterForSo,
            Role::User => Self::MasterForUser,
        }
    }
}

impl Content {
    const fn number(self) -> u8 {
        match self {
            Self::MasterForSo => 1,
            Self::MasterForUser => 2,
            Self::EpochKey => 3,
            Self::DataKey => 4,
            Self::SecretPart => 5,
            Self::AuditKey => 6,
        }
    }
}

/// What a seal is bound to:
///
///     format version (1) | length of serial (1), serial | object id (16) | version (8) |
///     class (8) | content (1)
///
/// with zeros where there is no object, and an epoch's number in the place of the version. A
/// secret part is bound to what the object says in clear as well: private (1), key type (1 + 8),
/// attributes; so that nobody can turn a public-flagged secret key into a readable one.
pub(super) fn associated(
    serial: &str,
    content: Content,
    object: Option<&StoredObject>,
    number: u64,
) -> Vec<u8> {
    let (id, class) = object.map_or((ObjectId([0; 16]), 0), |object| (object.id, object.class));
    let mut bytes = vec![FORMAT, u8::try_from(serial.len()).unwrap_or(u8::MAX)];
    bytes.extend_from_slice(serial.as_bytes());
    bytes.extend_from_slice(&id.0);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&class.to_le_bytes());
    bytes.push(content.number());
    if let (Content::SecretPart, Some(object)) = (content, object) {
        bytes.extend_from_slice(&[u8::from(object.private), u8::from(object.key_type.is_some())]);
        bytes.extend_from_slice(&object.key_type.unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&object.clear);
    }
    bytes
}
