//! Which token a command means: by label, serial number or slot, or the only one there is.
//! A name that fits several tokens is refused, never guessed.

use clap::Args;

use crate::failure::{Code, Failure};
use crate::library::Library;
use crate::output;
use crate::view::SlotView;

/// Names a token; needed only if there are several.
#[derive(Args)]
pub(crate) struct TokenChoice {
    /// The token, by label or serial number; needed only if there are several.
    #[arg(short, long, value_name = "LABEL|SERIAL", conflicts_with = "slot")]
    token: Option<String>,
    /// The token, by the number of its slot.
    #[arg(long, value_name = "NUMBER")]
    slot: Option<u64>,
}

impl TokenChoice {
    /// The choice, if the command line makes one.
    pub(crate) fn of(token: Option<&str>, slot: Option<u64>) -> Option<Self> {
        let token = token.map(ToOwned::to_owned);
        (token.is_some() || slot.is_some()).then_some(Self { token, slot })
    }

    /// A broken token does not tell its label.
    fn may_mean(&self, slot: &SlotView) -> bool {
        match (self.slot, &self.token) {
            (Some(number), _) => slot.slot == number,
            (None, Some(name)) => slot.serial == *name || slot.serial.is_empty(),
            (None, None) => true,
        }
    }

    fn note_broken(&self, slots: &[SlotView]) {
        for slot in slots.iter().filter(|slot| self.may_mean(slot)) {
            if let Some(why) = &slot.error {
                output::note(&format!("the token in slot {} cannot be used: {why}", slot.slot));
            }
        }
    }

    /// The slot that is meant, with whatever token is in it.
    pub(crate) fn find_slot(&self, library: &Library) -> Result<SlotView, Failure> {
        let Some(number) = self.slot else { return self.find(library) };
        let found = library.slots()?.into_iter().find(|slot| slot.slot == number);
        found.ok_or_else(|| no_token(format!("there is no slot {number}")))
    }

    /// The slot of the token whose files are meant, also of one that cannot be used: that is
    /// named by its slot or serial number, or is the only one.
    pub(crate) fn find_files(&self, library: &Library) -> Result<SlotView, Failure> {
        let slots = library.slots()?.into_iter().filter(|slot| !slot.serial.is_empty());
        let tokens: Vec<SlotView> = slots.collect();
        match (self.slot, &self.token) {
            (Some(number), _) => {
                let found = tokens.into_iter().find(|token| token.slot == number);
                found.ok_or_else(|| no_token(format!("slot {number} holds no token")))
            }
            (None, Some(name)) => {
                self.note_broken(&tokens);
                named(tokens, name)
            }
            (None, None) => only(tokens),
        }
    }

    /// The one initialised token that is meant.
    pub(crate) fn find(&self, library: &Library) -> Result<SlotView, Failure> {
        self.find_fitting(library, |_| true)
    }

    /// The one initialised token that is meant, of those that fit something else as well.
    pub(crate) fn find_fitting(
        &self,
        library: &Library,
        fits: impl Fn(&SlotView) -> bool,
    ) -> Result<SlotView, Failure> {
        let slots = library.slots()?;
        self.note_broken(&slots);
        let tokens = slots.into_iter().filter(|slot| slot.initialized);
        let mut tokens: Vec<SlotView> = tokens.collect();
        if !tokens.is_empty() {
            tokens.retain(|slot| fits(slot));
            if tokens.is_empty() {
                return Err(no_token("there is no token that the URI means".to_owned()));
            }
        }
        if let Some(number) = self.slot {
            let found = tokens.into_iter().find(|token| token.slot == number);
            return found.ok_or_else(|| no_token(format!("slot {number} holds no token")));
        }
        match &self.token {
            Some(name) => named(tokens, name),
            None => only(tokens),
        }
    }
}

/// The token with this serial number, or else the one with this label.
pub(crate) fn named(tokens: Vec<SlotView>, name: &str) -> Result<SlotView, Failure> {
    if let Some(found) = tokens.iter().find(|token| token.serial == name) {
        return Ok(found.clone());
    }
    let mut matching = tokens.into_iter().filter(|token| token.label == name);
    let Some(found) = matching.next() else {
        return Err(no_token(format!("there is no token \"{name}\"")));
    };
    match matching.count() {
        0 => Ok(found),
        more => {
            Err(Failure::new(Code::Failed, format!("{} tokens are labelled \"{name}\"", more + 1))
                .or("name it by serial number: `claviger token list` shows them"))
        }
    }
}

fn only(tokens: Vec<SlotView>) -> Result<SlotView, Failure> {
    let mut tokens = tokens.into_iter();
    let Some(found) = tokens.next() else {
        return Err(Failure::new(Code::NotFound, "there is no token yet")
            .or("make one: `claviger token init --label NAME`"));
    };
    match tokens.next() {
        None => Ok(found),
        Some(other) => Err(Failure::new(
            Code::Usage,
            format!(
                "there are several tokens: {}, {}{}",
                found.name(),
                other.name(),
                if tokens.next().is_some() { ", …" } else { "" }
            ),
        )
        .or("say which with --token")),
    }
}

fn no_token(cause: String) -> Failure {
    Failure::new(Code::NotFound, cause).or("`claviger token list` shows what is there")
}
