//! Templates and mechanisms as a C caller writes them, with what they point to kept alive.

use cryptoki_sys::{
    CK_AES_CTR_PARAMS, CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_BBOOL, CK_ECDH1_DERIVE_PARAMS,
    CK_GCM_PARAMS, CK_MECHANISM, CK_MECHANISM_TYPE, CK_RSA_PKCS_OAEP_PARAMS,
    CK_RSA_PKCS_PSS_PARAMS, CK_SALSA20_CHACHA20_POLY1305_PARAMS, CK_ULONG, CKD_NULL, CKG_MGF1_SHA1,
    CKG_MGF1_SHA256, CKM_AES_CBC, CKM_AES_CTR, CKM_AES_GCM, CKM_CHACHA20_POLY1305,
    CKM_ECDH1_DERIVE, CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS, CKM_SHA_1, CKM_SHA256,
    CKZ_DATA_SPECIFIED,
};
use std::ffi::c_void;
use std::ptr::null_mut;

/// A template. `as_c` lends it in the form that a call wants, which is made once.
#[derive(Default)]
pub(crate) struct Attributes {
    /// What `c` points to; nobody changes it.
    values: Vec<Vec<u8>>,
    c: Vec<CK_ATTRIBUTE>,
}

impl Attributes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn bytes(mut self, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Self {
        let mut value = value.to_vec();
        self.c.push(CK_ATTRIBUTE {
            type_: attribute,
            pValue: value.as_mut_ptr().cast(),
            ulValueLen: value.len() as CK_ULONG,
        });
        self.values.push(value);
        self
    }

    pub(crate) fn flag(self, attribute: CK_ATTRIBUTE_TYPE, value: bool) -> Self {
        self.bytes(attribute, &[CK_BBOOL::from(value)])
    }

    pub(crate) fn number(self, attribute: CK_ATTRIBUTE_TYPE, value: CK_ULONG) -> Self {
        self.bytes(attribute, &value.to_ne_bytes())
    }

    pub(crate) fn as_c(&mut self) -> &mut [CK_ATTRIBUTE] {
        &mut self.c
    }
}

/// The parameter of a mechanism. The boxes keep their address when the value moves.
enum Parameter {
    None,
    Iv(Box<[u8; 16]>),
    Ctr(Box<CK_AES_CTR_PARAMS>),
    Gcm(Box<(CK_GCM_PARAMS, [u8; 12])>),
    ChaCha(Box<(CK_SALSA20_CHACHA20_POLY1305_PARAMS, [u8; 12])>),
    Pss(Box<CK_RSA_PKCS_PSS_PARAMS>),
    Oaep(Box<CK_RSA_PKCS_OAEP_PARAMS>),
    Ecdh(Box<(CK_ECDH1_DERIVE_PARAMS, Vec<u8>)>),
}

/// A mechanism with its parameter.
pub(crate) struct Mechanism {
    id: CK_MECHANISM_TYPE,
    parameter: Parameter,
}

impl Mechanism {
    pub(crate) fn plain(id: CK_MECHANISM_TYPE) -> Self {
        Self { id, parameter: Parameter::None }
    }

    pub(crate) fn cbc() -> Self {
        Self { id: CKM_AES_CBC, parameter: Parameter::Iv(Box::new([7; 16])) }
    }

    /// With a counter of 32 bits.
    pub(crate) fn ctr() -> Self {
        let parameter = CK_AES_CTR_PARAMS { ulCounterBits: 32, cb: [0; 16] };
        Self { id: CKM_AES_CTR, parameter: Parameter::Ctr(Box::new(parameter)) }
    }

    pub(crate) fn gcm() -> Self {
        let parameter = CK_GCM_PARAMS {
            pIv: null_mut(),
            ulIvLen: 12,
            ulIvBits: 96,
            pAAD: null_mut(),
            ulAADLen: 0,
            ulTagBits: 128,
        };
        let mut boxed = Box::new((parameter, [0; 12]));
        boxed.0.pIv = boxed.1.as_mut_ptr();
        Self { id: CKM_AES_GCM, parameter: Parameter::Gcm(boxed) }
    }

    pub(crate) fn chacha20_poly1305() -> Self {
        let parameter = CK_SALSA20_CHACHA20_POLY1305_PARAMS {
            pNonce: null_mut(),
            ulNonceLen: 12,
            pAAD: null_mut(),
            ulAADLen: 0,
        };
        let boxed = Box::new((parameter, [0; 12]));
        Self { id: CKM_CHACHA20_POLY1305, parameter: Parameter::ChaCha(boxed) }
    }

    /// PSS over a digest of SHA-256, salt as long as the digest.
    pub(crate) fn pss() -> Self {
        let parameter =
            CK_RSA_PKCS_PSS_PARAMS { hashAlg: CKM_SHA256, mgf: CKG_MGF1_SHA256, sLen: 32 };
        Self { id: CKM_RSA_PKCS_PSS, parameter: Parameter::Pss(Box::new(parameter)) }
    }

    /// OAEP with SHA-1, the one form that every module in the field takes.
    pub(crate) fn oaep() -> Self {
        let parameter = CK_RSA_PKCS_OAEP_PARAMS {
            hashAlg: CKM_SHA_1,
            mgf: CKG_MGF1_SHA1,
            source: CKZ_DATA_SPECIFIED,
            pSourceData: null_mut(),
            ulSourceDataLen: 0,
        };
        Self { id: CKM_RSA_PKCS_OAEP, parameter: Parameter::Oaep(Box::new(parameter)) }
    }

    pub(crate) fn ecdh(peer: Vec<u8>) -> Self {
        let parameter = CK_ECDH1_DERIVE_PARAMS {
            kdf: CKD_NULL,
            ulSharedDataLen: 0,
            pSharedData: null_mut(),
            ulPublicDataLen: peer.len() as CK_ULONG,
            pPublicData: null_mut(),
        };
        let mut boxed = Box::new((parameter, peer));
        boxed.0.pPublicData = boxed.1.as_mut_ptr();
        Self { id: CKM_ECDH1_DERIVE, parameter: Parameter::Ecdh(boxed) }
    }

    /// Another initialisation vector than the last call's, where there is one.
    pub(crate) fn next_iv(&mut self) {
        let bytes: &mut [u8] = match &mut self.parameter {
            Parameter::Iv(iv) => &mut iv[..8],
            Parameter::Ctr(ctr) => &mut ctr.cb[..8],
            Parameter::Gcm(gcm) => &mut gcm.1[..8],
            Parameter::ChaCha(chacha) => &mut chacha.1[..8],
            _ => return,
        };
        for byte in bytes {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    pub(crate) fn as_c(&mut self) -> CK_MECHANISM {
        let (pointer, len): (*mut c_void, usize) = match &mut self.parameter {
            Parameter::None => (null_mut(), 0),
            Parameter::Iv(iv) => (iv.as_mut_ptr().cast(), 16),
            Parameter::Ctr(ctr) => {
                (std::ptr::from_mut(ctr.as_mut()).cast(), size_of::<CK_AES_CTR_PARAMS>())
            }
            Parameter::ChaCha(chacha) => {
                chacha.0.pNonce = chacha.1.as_mut_ptr();
                let len = size_of::<CK_SALSA20_CHACHA20_POLY1305_PARAMS>();
                (std::ptr::from_mut(&mut chacha.0).cast(), len)
            }
            Parameter::Gcm(gcm) => {
                gcm.0.pIv = gcm.1.as_mut_ptr();
                (std::ptr::from_mut(&mut gcm.0).cast(), size_of::<CK_GCM_PARAMS>())
            }
            Parameter::Pss(pss) => {
                (std::ptr::from_mut(pss.as_mut()).cast(), size_of::<CK_RSA_PKCS_PSS_PARAMS>())
            }
            Parameter::Oaep(oaep) => {
                (std::ptr::from_mut(oaep.as_mut()).cast(), size_of::<CK_RSA_PKCS_OAEP_PARAMS>())
            }
            Parameter::Ecdh(ecdh) => {
                ecdh.0.pPublicData = ecdh.1.as_mut_ptr();
                (std::ptr::from_mut(&mut ecdh.0).cast(), size_of::<CK_ECDH1_DERIVE_PARAMS>())
            }
        };
        CK_MECHANISM { mechanism: self.id, pParameter: pointer, ulParameterLen: len as CK_ULONG }
    }
}
