//! The standard's structures of parameters, filled in so that some mechanism takes them.

use std::ffi::c_void;

use cryptoki_sys as ck;

use super::parameters::{Parameter, part};
use crate::support::known::{P256_POINT, hex};

type Parts = Vec<&'static [u8]>;

const HASHES: &[(ck::CK_MECHANISM_TYPE, ck::CK_RSA_PKCS_MGF_TYPE, ck::CK_ULONG)] = &[
    (ck::CKM_SHA256, ck::CKG_MGF1_SHA256, 32),
    (ck::CKM_SHA_1, ck::CKG_MGF1_SHA1, 20),
    (ck::CKM_SHA224, ck::CKG_MGF1_SHA224, 28),
    (ck::CKM_SHA384, ck::CKG_MGF1_SHA384, 48),
    (ck::CKM_SHA512, ck::CKG_MGF1_SHA512, 64),
    (ck::CKM_SHA3_224, ck::CKG_MGF1_SHA3_224, 28),
    (ck::CKM_SHA3_256, ck::CKG_MGF1_SHA3_256, 32),
    (ck::CKM_SHA3_384, ck::CKG_MGF1_SHA3_384, 48),
    (ck::CKM_SHA3_512, ck::CKG_MGF1_SHA3_512, 64),
];

/// What may be sound of a structure with this name.
pub fn candidates(name: &str, other: ck::CK_OBJECT_HANDLE) -> Vec<Parameter> {
    match name {
        "CK_AES_CTR_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_AES_CTR_PARAMS, _| {
            to.ulCounterBits = 32;
        })],
        "CK_GCM_PARAMS" => vec![
            Parameter::of(|to: &mut ck::CK_GCM_PARAMS, parts| {
                (to.pIv, to.ulIvLen) = part(parts, &[7; 12]);
                (to.pAAD, to.ulAADLen) = part(parts, b"associated");
                (to.ulIvBits, to.ulTagBits) = (96, 128);
            }),
            // GMAC: all that is authenticated is the message.
            Parameter::of(|to: &mut ck::CK_GCM_PARAMS, parts| {
                (to.pIv, to.ulIvLen) = part(parts, &[7; 12]);
                (to.ulIvBits, to.ulTagBits) = (96, 128);
            }),
        ],
        "CK_GCM_WRAP_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_GCM_WRAP_PARAMS, parts| {
            (to.pIv, to.ulIvLen) = part(parts, &[7; 12]);
            (to.pAAD, to.ulAADLen) = part(parts, b"associated");
            (to.ulTagBits, to.ivGenerator) = (128, ck::CKG_NO_GENERATE);
        })],
        "CK_MAC_GENERAL_PARAMS" => vec![Parameter::of_bytes(&8_u64.to_ne_bytes())],
        "CK_RSA_PKCS_PSS_PARAMS" => HASHES.iter().map(pss).collect(),
        "CK_RSA_PKCS_OAEP_PARAMS" => vec![Parameter::of(oaep)],
        // Encapsulation makes the other side itself.
        "CK_ECDH1_DERIVE_PARAMS" => {
            let none =
                Parameter::of(|to: &mut ck::CK_ECDH1_DERIVE_PARAMS, _| to.kdf = ck::CKD_NULL);
            points().iter().map(|point| ecdh1(point)).chain([none]).collect()
        }
        "CK_EDDSA_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_EDDSA_PARAMS, parts| {
            (to.pContextData, to.ulContextDataLen) = part(parts, b"context");
        })],
        "CK_SIGN_ADDITIONAL_CONTEXT" => vec![Parameter::of(context)],
        "CK_HASH_SIGN_ADDITIONAL_CONTEXT" => {
            HASHES.iter().map(|(hash, ..)| hashed(*hash)).collect()
        }
        "CK_RSA_AES_KEY_WRAP_PARAMS" => {
            vec![Parameter::of(|to: &mut ck::CK_RSA_AES_KEY_WRAP_PARAMS, parts| {
                let inner = Parameter::of(oaep);
                let (place, _) = part(parts, &inner.bytes);
                (to.ulAESKeyBits, to.pOAEPParams) = (256, place.cast());
            })]
        }
        "CK_ECDH_AES_KEY_WRAP_PARAMS" => {
            vec![Parameter::of(|to: &mut ck::CK_ECDH_AES_KEY_WRAP_PARAMS, parts| {
                (to.ulAESKeyBits, to.kdf) = (256, ck::CKD_SHA256_KDF);
                (to.pSharedData, to.ulSharedDataLen) = part(parts, b"shared");
            })]
        }
        "CK_CCM_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_CCM_PARAMS, parts| {
            (to.ulDataLen, to.ulMACLen) = (32, 16);
            (to.pNonce, to.ulNonceLen) = part(parts, &[7; 12]);
            (to.pAAD, to.ulAADLen) = part(parts, b"associated");
        })],
        "CK_CHACHA20_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_CHACHA20_PARAMS, parts| {
            (to.pBlockCounter, to.blockCounterBits) = (part(parts, &[0; 4]).0, 32);
            (to.pNonce, to.ulNonceBits) = (part(parts, &[7; 12]).0, 96);
        })],
        "CK_SALSA20_CHACHA20_POLY1305_PARAMS" => {
            vec![Parameter::of(|to: &mut ck::CK_SALSA20_CHACHA20_POLY1305_PARAMS, parts| {
                (to.pNonce, to.ulNonceLen) = (part(parts, &[7; 12]).0, 96);
                (to.pAAD, to.ulAADLen) = part(parts, b"associated");
            })]
        }
        "CK_OTP_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_OTP_PARAMS, parts| {
            (to.pParams, to.ulCount) = one_time(parts);
        })],
        _ => derivations(name, other),
    }
}

/// A counter, so that the same password can be had again. Entries stand behind it that are of no
/// use, for tests that lie about their number.
fn one_time(parts: &mut Parts) -> (*mut ck::CK_OTP_PARAM, ck::CK_ULONG) {
    let (counter, counter_len) = part(&mut Vec::new(), &[0, 0, 0, 0, 0, 0, 0, 7]);
    let all = Parameter::of(|to: &mut [ck::CK_OTP_PARAM; 5], _| {
        (to[0].type_, to[0].pValue) = (ck::CK_OTP_COUNTER, counter.cast());
        to[0].ulValueLen = counter_len;
    });
    (part(parts, &all.bytes).0.cast(), 1)
}

fn randoms(parts: &mut Parts) -> ck::CK_SSL3_RANDOM_DATA {
    let mut data = ck::CK_SSL3_RANDOM_DATA::default();
    (data.pClientRandom, data.ulClientRandomLen) = part(parts, &[7; 32]);
    (data.pServerRandom, data.ulServerRandomLen) = part(parts, &[8; 32]);
    data
}

/// Structures of TLS 1.2.
fn tls(name: &str) -> Vec<Parameter> {
    vec![match name {
        "CK_VERSION" => Parameter::of(|to: &mut ck::CK_VERSION, _| (to.major, to.minor) = (3, 3)),
        "CK_TLS12_MASTER_KEY_DERIVE_PARAMS" => {
            Parameter::of(|to: &mut ck::CK_TLS12_MASTER_KEY_DERIVE_PARAMS, parts| {
                (to.RandomInfo, to.prfHashMechanism) = (randoms(parts), ck::CKM_SHA256);
            })
        }
        "CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS" => {
            Parameter::of(|to: &mut ck::CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS, parts| {
                (to.pSessionHash, to.ulSessionHashLen) = part(parts, &[7; 32]);
                to.prfHashMechanism = ck::CKM_SHA256;
            })
        }
        "CK_TLS12_KEY_MAT_PARAMS" => {
            Parameter::of(|to: &mut ck::CK_TLS12_KEY_MAT_PARAMS, parts| {
                (to.RandomInfo, to.prfHashMechanism) = (randoms(parts), ck::CKM_SHA256);
                to.ulKeySizeInBits = 128;
                let out = Parameter::of(|_: &mut ck::CK_SSL3_KEY_MAT_OUT, _| {});
                to.pReturnedKeyMaterial = part(parts, &out.bytes).0.cast();
            })
        }
        "CK_TLS_KDF_PARAMS" => Parameter::of(|to: &mut ck::CK_TLS_KDF_PARAMS, parts| {
            (to.RandomInfo, to.prfMechanism) = (randoms(parts), ck::CKM_SHA256);
            (to.pLabel, to.ulLabelLength) = part(parts, b"label");
        }),
        "CK_TLS_MAC_PARAMS" => Parameter::of(|to: &mut ck::CK_TLS_MAC_PARAMS, _| {
            (to.prfHashMechanism, to.ulMacLength) = (ck::CKM_SHA256, 12);
            to.ulServerOrClient = 1;
        }),
        _ => return Vec::new(),
    }]
}

/// Structures of mechanisms that derive.
fn derivations(name: &str, other: ck::CK_OBJECT_HANDLE) -> Vec<Parameter> {
    match name {
        "CK_OBJECT_HANDLE" => vec![Parameter::of_bytes(&other.to_ne_bytes())],
        "CK_EXTRACT_PARAMS" => vec![Parameter::of_bytes(&8_u64.to_ne_bytes())],
        "CK_KEY_DERIVATION_STRING_DATA" => {
            vec![Parameter::of(|to: &mut ck::CK_KEY_DERIVATION_STRING_DATA, parts| {
                (to.pData, to.ulLen) = part(parts, &[0x31; 32]);
            })]
        }
        "CK_AES_CBC_ENCRYPT_DATA_PARAMS" => {
            vec![Parameter::of(|to: &mut ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS, parts| {
                (to.pData, to.length) = part(parts, &[0x31; 32]);
            })]
        }
        "CK_DES_CBC_ENCRYPT_DATA_PARAMS" => {
            vec![Parameter::of(|to: &mut ck::CK_DES_CBC_ENCRYPT_DATA_PARAMS, parts| {
                (to.pData, to.length) = part(parts, &[0x31; 32]);
            })]
        }
        "CK_HKDF_PARAMS" => vec![Parameter::of(|to: &mut ck::CK_HKDF_PARAMS, parts| {
            (to.bExtract, to.bExpand, to.prfHashMechanism) = (1, 1, ck::CKM_SHA256);
            to.ulSaltType = ck::CKF_HKDF_SALT_DATA;
            (to.pSalt, to.ulSaltLen) = part(parts, b"a pinch of salt");
            (to.pInfo, to.ulInfoLen) = part(parts, b"info");
        })],
        "CK_PKCS5_PBKD2_PARAMS2" => {
            vec![Parameter::of(|to: &mut ck::CK_PKCS5_PBKD2_PARAMS2, parts| {
                let (salt, salt_len) = part(parts, b"a pinch of salt!");
                (to.saltSource, to.pSaltSourceData) = (ck::CKZ_SALT_SPECIFIED, salt.cast());
                (to.ulSaltSourceDataLen, to.iterations) = (salt_len, 1000);
                to.prf = ck::CKP_PKCS5_PBKD2_HMAC_SHA256;
                (to.pPassword, to.ulPasswordLen) = part(parts, b"pass phrase");
            })]
        }
        "CK_SP800_108_KDF_PARAMS" => {
            let with = |counted| {
                Parameter::of(|to: &mut ck::CK_SP800_108_KDF_PARAMS, parts| {
                    to.prfType = ck::CKM_SHA256_HMAC;
                    (to.pDataParams, to.ulNumberOfDataParams) = fields(parts, counted);
                })
            };
            vec![with(true), with(false)]
        }
        "CK_SP800_108_FEEDBACK_KDF_PARAMS" => {
            vec![Parameter::of(|to: &mut ck::CK_SP800_108_FEEDBACK_KDF_PARAMS, parts| {
                to.prfType = ck::CKM_SHA256_HMAC;
                (to.pDataParams, to.ulNumberOfDataParams) = fields(parts, false);
                (to.pIV, to.ulIVLen) = part(parts, &[5; 32]);
            })]
        }
        name if name.starts_with("CK_IKE") => ike(name, other),
        _ => tls(name),
    }
}

/// Structures of IKE, with each key that they can name.
fn ike(name: &str, other: ck::CK_OBJECT_HANDLE) -> Vec<Parameter> {
    vec![match name {
        "CK_IKE_PRF_DERIVE_PARAMS" => {
            Parameter::of(|to: &mut ck::CK_IKE_PRF_DERIVE_PARAMS, parts| {
                (to.prfMechanism, to.bRekey, to.hNewKey) = (ck::CKM_SHA256_HMAC, 1, other);
                (to.pNi, to.ulNiLen) = part(parts, b"nonce of the initiator");
                (to.pNr, to.ulNrLen) = part(parts, b"the responder's nonce");
            })
        }
        "CK_IKE1_PRF_DERIVE_PARAMS" => {
            Parameter::of(|to: &mut ck::CK_IKE1_PRF_DERIVE_PARAMS, parts| {
                (to.prfMechanism, to.hKeygxy) = (ck::CKM_SHA256_HMAC, other);
                (to.bHasPrevKey, to.hPrevKey, to.keyNumber) = (1, other, 1);
                (to.pCKYi, to.ulCKYiLen) = part(parts, b"cookie i");
                (to.pCKYr, to.ulCKYrLen) = part(parts, b"a cookie r");
            })
        }
        "CK_IKE1_EXTENDED_DERIVE_PARAMS" => {
            Parameter::of(|to: &mut ck::CK_IKE1_EXTENDED_DERIVE_PARAMS, parts| {
                (to.prfMechanism, to.bHasKeygxy, to.hKeygxy) = (ck::CKM_SHA256_HMAC, 1, other);
                (to.pExtraData, to.ulExtraDataLen) = part(parts, b"extra data");
            })
        }
        "CK_IKE2_PRF_PLUS_DERIVE_PARAMS" => {
            Parameter::of(|to: &mut ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS, parts| {
                (to.prfMechanism, to.bHasSeedKey, to.hSeedKey) = (ck::CKM_SHA256_HMAC, 1, other);
                (to.pSeedData, to.ulSeedDataLen) = part(parts, b"seed data");
            })
        }
        _ => return Vec::new(),
    }]
}

/// What SP 800-108's functions are run over: what changes, which is a counter or the last output,
/// and bytes.
fn fields(parts: &mut Parts, counted: bool) -> (*mut ck::CK_PRF_DATA_PARAM, ck::CK_ULONG) {
    let counter = Parameter::of(|to: &mut ck::CK_SP800_108_COUNTER_FORMAT, _| {
        to.ulWidthInBits = 32;
    });
    let (format, format_len) = part(&mut Vec::new(), &counter.bytes);
    let (label, label_len) = part(&mut Vec::new(), b"label");
    let both = Parameter::of(|to: &mut [ck::CK_PRF_DATA_PARAM; 2], _| {
        let [first, second] = to;
        first.type_ = ck::CK_SP800_108_ITERATION_VARIABLE;
        if counted {
            (first.pValue, first.ulValueLen) = (format.cast(), format_len);
        }
        (second.type_, second.pValue) = (ck::CK_SP800_108_BYTE_ARRAY, label.cast());
        second.ulValueLen = label_len;
    });
    (part(parts, &both.bytes).0.cast(), 2)
}

fn context(to: &mut ck::CK_SIGN_ADDITIONAL_CONTEXT, parts: &mut Parts) {
    to.hedgeVariant = ck::CKH_HEDGE_PREFERRED;
    (to.pContext, to.ulContextLen) = part(parts, b"context");
}

fn hashed(hash: ck::CK_MECHANISM_TYPE) -> Parameter {
    Parameter::of(|to: &mut ck::CK_HASH_SIGN_ADDITIONAL_CONTEXT, parts| {
        (to.hedgeVariant, to.hash) = (ck::CKH_HEDGE_PREFERRED, hash);
        (to.pContext, to.ulContextLen) = part(parts, b"context");
    })
}

fn pss((hash, mgf, salt): &(u64, u64, u64)) -> Parameter {
    Parameter::of(|to: &mut ck::CK_RSA_PKCS_PSS_PARAMS, _| {
        (to.hashAlg, to.mgf, to.sLen) = (*hash, *mgf, *salt);
    })
}

fn oaep(to: &mut ck::CK_RSA_PKCS_OAEP_PARAMS, parts: &mut Parts) {
    (to.hashAlg, to.mgf, to.source) = (ck::CKM_SHA256, ck::CKG_MGF1_SHA256, ck::CKZ_DATA_SPECIFIED);
    let (label, label_len) = part(parts, b"label");
    (to.pSourceData, to.ulSourceDataLen) = (label.cast::<c_void>(), label_len);
}

/// Points of other sides, a curve each.
fn points() -> Vec<Vec<u8>> {
    let x25519 = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    vec![hex(P256_POINT), hex(x25519)]
}

fn ecdh1(point: &[u8]) -> Parameter {
    Parameter::of(|to: &mut ck::CK_ECDH1_DERIVE_PARAMS, parts| {
        to.kdf = ck::CKD_NULL;
        (to.pPublicData, to.ulPublicDataLen) = part(parts, point);
    })
}
