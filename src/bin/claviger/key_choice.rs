//! Which key a command means: by label, by a `pkcs11:` URI, by id or unique id.

use clap::Args;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::{Library, Selector};
use crate::uri::{Uri, strip_scheme};
use crate::view::{HexId, SlotView};

/// Names a key. Everything that is given must match.
#[derive(Args)]
pub(crate) struct KeyChoice {
    /// The key, by its label or a pkcs11: URI (RFC 7512).
    #[arg(
        short,
        long,
        value_name = "LABEL|URI",
        visible_alias = "label",
        visible_short_alias = 'l'
    )]
    key: Option<String>,
    /// The key, by its id.
    #[arg(long, value_name = "HEX")]
    id: Option<HexId>,
    /// One object, by its unique id.
    #[arg(long, value_name = "ID")]
    unique_id: Option<String>,
}

impl KeyChoice {
    pub(crate) const fn is_given(&self) -> bool {
        self.key.is_some() || self.id.is_some() || self.unique_id.is_some()
    }

    /// The token that is meant, and which of its objects.
    pub(crate) fn find(
        &self,
        library: &Library,
        token: &TokenChoice,
    ) -> Result<(SlotView, Selector), Failure> {
        if !self.is_given() {
            return Err(Failure::new(Code::Usage, "say which key is meant")
                .or("give --key LABEL or --key pkcs11:..., --id or --unique-id"));
        }
        let mut selector = Selector {
            class: None,
            label: self.key.clone(),
            id: self.id.as_ref().map(|id| id.0.clone()),
            unique_id: self.unique_id.clone(),
        };
        let Some(text) = self.key.as_deref().filter(|key| strip_scheme(key).is_some()) else {
            return Ok((token.find(library)?, selector));
        };
        let uri = Uri::parse(text)
            .map_err(|why| Failure::new(Code::Usage, format!("not a good pkcs11: URI: {why}")))?;
        let slot = token.find_fitting(library, |slot| uri.fits(slot))?;
        if selector.id.is_some() && uri.id.is_some() && selector.id != uri.id {
            return Err(Failure::new(Code::Usage, "--id and the URI name different ids"));
        }
        selector.class = uri.class;
        selector.label = uri.object;
        selector.id = selector.id.or(uri.id);
        Ok((slot, selector))
    }
}

/// The refusal where nothing has the name.
pub(crate) fn no_key(token: &SlotView) -> Failure {
    Failure::new(Code::NotFound, format!("no key on {} matches", token.name()))
        .or("`claviger key list --login` shows what is there")
}

/// The refusal where a name means more than one.
pub(crate) fn several(count: usize, what: &str) -> Failure {
    Failure::new(Code::Failed, format!("{count} different {what} match"))
        .or("say which with --id or --unique-id")
}
