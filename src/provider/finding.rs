//! Searching. PKCS#11 3.2, "C_FindObjectsInit" and the two after it.

use crate::error::{Result, Rv};
use crate::object::template::Template;
use crate::session::find::FindOperation;
use crate::session::operation::Operation;

use super::Call;

impl Call<'_> {
    /// C_FindObjectsInit. `None` stands for a template that nothing can match.
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`, the store's.
    pub(crate) fn find_init(&self, wanted: Option<&Template>) -> Result<()> {
        self.open.session.operations().find.refuse_active()?;
        let found = match wanted {
            Some(wanted) => self.token().find(&self.viewer()?, wanted)?,
            None => Vec::new(),
        };
        self.open.session.operations().find.start(false, || Ok(FindOperation::new(found)))
    }

    /// C_FindObjects: at most `count` handles.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`.
    pub fn find(&self, count: usize) -> Result<Vec<u64>> {
        match &mut self.open.session.operations().find {
            Operation::Ready(find) | Operation::Streaming(find) => Ok(find.next(count).collect()),
            Operation::Idle | Operation::AwaitingLogin(_) => {
                Err(Rv::OperationNotInitialized.because("no search is active"))
            }
        }
    }

    /// C_FindObjectsFinal.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`.
    pub fn find_final(&self) -> Result<()> {
        self.open
            .session
            .operations()
            .find
            .judge(crate::session::operation::Ending::Parts, |_| Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use crate::call::Function::{self, FindObjectsInit};
    use crate::config::Configuration;
    use crate::error::Rv;
    use crate::mechanism::params::MechanismParams;
    use crate::object::attribute;
    use crate::object::class::{Class, format};
    use crate::object::template::Template;
    use crate::provider::new_token::new_token;
    use crate::provider::{Call, GivenMechanism};

    /// Makes a pair on the token whose bytes are written in a format; the handles.
    fn make(call: &Call<'_>, format: u64) -> Vec<u64> {
        let mut hidden = Template::default();
        hidden.set(attribute::TOKEN, true);
        hidden.set(attribute::LABEL, format!("in format {format}").into_bytes());
        let mut public = hidden.try_clone().unwrap();
        public.set(attribute::PARAMETER_SET, crate::cryptoki::CKP_ML_DSA_44);
        let id = crate::cryptoki::CKM_ML_DSA_KEY_PAIR_GEN;
        let given = GivenMechanism { id, params: MechanismParams::None };
        let mut made = call.make_pair(&given, &public, &hidden).unwrap();
        made.iter_mut().for_each(|whole| whole.set(attribute::FORMAT, format));
        call.token().add_all(&call.viewer().unwrap(), made).unwrap()
    }

    #[test]
    fn a_key_in_an_unknown_format_is_found_by_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (provider, _, session) = new_token(directory.path(), Configuration::default());
        let made = |format| {
            provider.run(Function::GenerateKeyPair, session, |call| Ok(make(call, format))).unwrap()
        };
        let (known, unknown) = (made(format::CURRENT), made(format::CURRENT + 1));
        let found = |wanted: &Template| {
            let begin = |call: &Call<'_>| call.find_init(Some(wanted)).and_then(|()| call.find(9));
            let found = provider.run(FindObjectsInit, session, begin).unwrap();
            provider.run(Function::FindObjectsFinal, session, |call| call.find_final()).unwrap();
            found
        };
        // The second time what was found before is known already.
        for _ in 0..2 {
            assert_eq!(found(&Template::default()), known);
            for (class, key) in [(Class::PublicKey, known[0]), (Class::PrivateKey, known[1])] {
                let mut wanted = Template::default();
                wanted.set(attribute::CLASS, class.code());
                assert_eq!(found(&wanted), [key]);
                wanted.set(attribute::PARAMETER_SET, crate::cryptoki::CKP_ML_DSA_44);
                assert_eq!(found(&wanted), [key]);
            }
        }
        let read = |key| {
            provider.run(Function::GetAttributeValue, session, |call| call.object(key).map(drop))
        };
        for key in unknown {
            assert_eq!(read(key).unwrap_err().rv, Rv::ClavigerFormatUnknown);
        }
        read(known[0]).unwrap();
        // It stands in the way of its own label and of no other.
        let rotate = |label| provider.rotate_key(session, label, None, "once");
        assert_eq!(rotate("in format 1").unwrap().version, 2);
        assert_eq!(rotate("in format 2").unwrap_err().rv, Rv::ClavigerFormatUnknown);
    }
}
