//! Diffie-Hellman over prime fields: agreements that OpenSSL 3.0 made, since no published set has
//! any in the groups that are in use.

use super::{derived, hex, key, secret};
use crate::error::Rv;
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::object::attribute;
use crate::object::class::{Class, KeyType};

/// Prime, base, exponent, the peer's public value, and what they agree on: in ffdhe2048 of RFC
/// 7919 and in the group of 3072 bits of RFC 3526.
const AGREEMENTS: [[&str; 5]; 2] = [
    [
        "ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1d8b9c583ce2d3695a9e13641146433fb
         cc939dce249b3ef97d2fe363630c75d8f681b202aec4617ad3df1ed5d5fd65612433f51f5f066ed0
         856365553ded1af3b557135e7f57c935984f0c70e0e68b77e2a689daf3efe8721df158a136ade735
         30acca4f483a797abc0ab182b324fb61d108a94bb2c8e3fbb96adab760d7f4681d4f42a3de394df4
         ae56ede76372bb190b07a7c8ee0a6d709e02fce1cdf7e2ecc03404cd28342f619172fe9ce98583ff
         8e4f1232eef28183c3fe3b1b4c6fad733bb5fcbc2ec22005c58ef1837d1683b2c6f34a26c1b2effa
         886b423861285c97ffffffffffffffff",
        "02",
        "1c63872e56a0273d0af51fb89765104695366b4e7def5de0bfddeb1f",
        "0b51288f7224bc2ef64843007cb4f68a1fd2a6e292c521bc89bb8b86e630138f5a8fcb27f3e14495
         0185f2cf91403ba15bb8ac9fbd535ebb54f77396e574dbe175ea8727dcd6fbe750d263eb383c4c43
         123f07a8da03194a7c349fd9b41dba7199f3ebb20fd40aa95766515515a69d1c1fb4d3fc9153fb82
         2aa3325be81a112fd85f106e3d714a1d8efd09e80d8e14598190c9ec46157dfac1d29fe1cd2b1da8
         5f27d275a32258475a1ff08b221a9722800568ec02fd8e3b2536237a4f926b4e758ffce91387d1aa
         5a94bd5328a5fd9218b9043db0b2cf8c2d43160184fbf8a3a9efc62b22ae1e81dde84a9cf3b2fb00
         a23fb443157ddadf6f4e36ab9625d025",
        "f665887f71393d8e5cae4eb72ba461e11de17e8205b1f0a0d3fd6c930caba5cf457caf4451afc47d
         2d0c657cc26554383685dba2658c8d8be8a2ca6a7088f52f21a2831b0ea288ab76e96b150d20fed8
         8c7c333cb7a7f9b766d6af7cd47a7aa1c89bda75c07444aaf03392216632ed4a7c1a8f0eca045a13
         b697d1b656d0e0698f007a5a9088192967e7ecf5898864441d7953213c1559b104a142e14307f8c4
         98ac145d36969409666e66476dfd4f61e916fd8faaa0315a3fad41d294b88f03c40807ab3f815f80
         75db8a36c0125abec2f0db8856fc8470d1046cd71b7c5a1ad1a828f216e424f84a9bcd9cec9f25ea
         400e39d66076ed217207b88da690598e",
    ],
    [
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22
         514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6
         f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3d
         c2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb
         9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e8603
         9b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510
         15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7d
         b3970f85a6e1e4c7abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864
         d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e208e24fa074e5ab31
         43db5bfce0fd108e4b82d120a93ad2caffffffffffffffff",
        "02",
        "010606bbe914d7ae0e23d98cf94017372109a45df1815e9688259b37436887530dfc22",
        "1a3fb7c2e46774d6db62693430cd58c9c246de5ecda7e41493e8f569577f5f190edb6b5d60fb9ce2
         e26a06c2fe2ca0032e430e2d8bfa7fe77e1eefd0c22d30d1f8173c9fe502ca5d8bddbc0266e918ea
         2e21105f19aaf2eeb235256f1db247946362e89ee12237a69121480d76f624c9e7336fe5467cd2e6
         ad664df79f56fb366374fbb79cc0fe02a7537eee711cc75459fc421b19c1f26ff1e75a4c12fedeb6
         f6875377063f448cc7260d4690ffc77b6465028cd8efcf346b641790c8e60ca2dfc943f899bd712e
         fe26932536e131d1ea9d3aecf3ea25ae829e24eb4d4dce86ada8461380dc5045abd33ae751b64ddc
         95c829da60d4d666a04cd1ed2955e758c276707bf0c517e0c46fa2955d534d838fe8bbe765ab01d5
         0d829730f0148599e959880744d6f25bf4c74a9a6047cae99f214d0293eb772cef4e260d34984c3a
         aab18d408704cccf82cd150dab6a078973229de7c0ddb35659e8f47a738744b9a7a65392f75b3cd7
         faf63e577e45f37fbbbcb03f1cd9968be2a6f0099226f718",
        "c61a8552a051302d36a3ce4c8cb693cc3697afb6f34c12546db7906a429945b539e86843e4f5b8cb
         641c3f5cbabcd554505df71242cc24271bfa85c7b14b3fcb5d1c79788c9f25b99ee7696f820fb0f1
         c9d8c78659c844a8ba004e03c19f1768780a27ebb53654ccb07ff0eef2ebc030bcc8aae25ba9050f
         cf3098d7a5597c4922ed7f4edcbb75e6dc88a0197435505c261d785f2d42a675494a3cc16d5f8a63
         9d19b448237c7966a470fe4ae0db6e4011a25cac226ea2fbf9de1247da602a74639abf566564fd7c
         92c66a65dd0a23f14d421218350a4be760e2fbdebeaaa23fc57e2671ac4194819ae9faaa4257eb5b
         4531d0128cd413b8c6d93487c79973e0dfffc655b783ae4ef676e7e6e510af90fb77ea7011bba47d
         f56228e72fde81a05f229569737b0070d285b18c0e6973bb5af7c36fc419ed16a4546698eb1ea4c7
         60e76b923653f66485e2acc567d277358cbab36392461f10048b739d3da0724cdc142e8eff36b682
         00faa4b7c59f11e33c8cdc6e26564ba83954330cb11bbd47",
    ],
];

pub(super) fn run(row: &Mechanism) -> usize {
    if row.name != "CKM_DH_PKCS_DERIVE" {
        return 0;
    }
    for case in AGREEMENTS {
        let [prime, base, exponent, peer, expected] = case.map(hex);
        let private = key(Class::PrivateKey, KeyType::Dh, |new| {
            new.set(attribute::PRIME, prime.clone());
            new.set(attribute::BASE, base.clone());
            new.set(attribute::VALUE, secret(&exponent));
        });
        let agree =
            |peer: Vec<u8>, len| derived(row, &private, &MechanismParams::PublicValue(peer), len);
        let whole = agree(peer.clone(), None).expect("a secret");
        whole.expose(|whole| assert_eq!(whole, expected));
        let cut = agree([&[0][..], &peer].concat(), Some(16)).expect("a secret");
        cut.expose(|cut| assert_eq!(cut, &expected[expected.len() - 16..]));
        // 0, 1, the prime less 1 and the prime, nothing, and what lies outside the subgroup.
        let mut less = prime.clone();
        *less.last_mut().expect("a prime") -= 1;
        for wrong in [vec![], vec![0], vec![1], less.clone(), prime.clone(), vec![0xff; 1500]] {
            let refused = agree(wrong, None).expect_err("no public value");
            assert_eq!(refused.rv, Rv::PublicKeyInvalid);
        }
        // The negative of a member is none: -1 is no square.
        let mut borrow = 0_i32;
        let mut negative = vec![0; prime.len()];
        let padded = [vec![0; prime.len() - peer.len()], peer.clone()].concat();
        for at in (0..prime.len()).rev() {
            let digit = i32::from(prime[at]) - i32::from(padded[at]) - borrow;
            borrow = i32::from(digit < 0);
            negative[at] = digit.rem_euclid(256) as u8;
        }
        assert_eq!(agree(negative, None).expect_err("no member").rv, Rv::PublicKeyInvalid);
        let long = agree(peer, Some(expected.len() + 1)).expect_err("more than there is");
        assert_eq!(long.rv, Rv::TemplateInconsistent);
    }
    AGREEMENTS.len()
}
