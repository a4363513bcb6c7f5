//! The key derivation functions of NIST SP 800-108: counter, feedback and double pipeline mode,
//! over HMAC or CMAC, for one key or several. PKCS#11 3.2, "SP800-108 Key Derivation".

use zeroize::Zeroizing;

use super::derivation::{value, wanted};
use super::kdf_params::{CountedPart, KdfParams, NumberForm};
use super::mac::Code;
use super::params::invalid;
use super::registry::{self, Prf};
use super::{Derivation, Derived, any_secret};
use crate::engine::aws_lc::cmac::Cmac;
use crate::engine::hash::{Digest, Mac};
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::{KeyType, asked_len};
use crate::object::template::Template;
use crate::secret::Secret;

/// Which of the three functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Counter,
    Feedback,
    DoublePipeline,
}

type Block = Zeroizing<[u8; Digest::MAX_LEN]>;

/// One derivation: the base key, and what is hashed each time.
struct Running<'d> {
    mode: Mode,
    prf: Prf,
    base: &'d Secret,
    others: Vec<&'d Secret>,
    parts: &'d [CountedPart],
    /// Bits that are made in all, of keys and of segments.
    bits: [u64; 2],
    /// The number of the next segment, from 1.
    counter: u64,
    /// K(i-1) in feedback mode, A(i-1) in double pipeline mode.
    before: Zeroizing<Vec<u8>>,
}

/// Derives the caller's key and every further one.
pub(super) fn derive(
    derivation: &Derivation<'_>,
    templates: Vec<Template>,
    mode: Mode,
) -> Result<Derived> {
    let base = any_secret(derivation.base)?;
    let KdfParams::Counted { prf, parts, iv } = derivation.params.kdf()? else {
        return Err(invalid("SP 800-108 needs its parameters"));
    };
    let prf = registry::counted_prf_of(*prf).ok_or_else(|| invalid("PRF of SP 800-108"))?;
    let own = derivation.base.attributes.get(attribute::KEY_TYPE);
    if matches!(prf, Prf::AesCmac) && own != Some(KeyType::Aes.code()) {
        return Err(super::inconsistent());
    }
    check(mode, parts, iv)?;
    let keys = templates.iter().map(asked).collect::<Result<Vec<_>>>()?;
    let segment = prf.len();
    let count: usize = keys.iter().map(|(_, len)| len.div_ceil(segment)).sum();
    let total: usize = keys.iter().map(|(_, len)| len).sum();
    check_count(mode, parts, count)?;
    let others = derivation.others.iter().map(|other| any_secret(other));
    let mut running = Running {
        mode,
        prf,
        base,
        others: others.collect::<Result<Vec<_>>>()?,
        parts,
        bits: [8 * total as u64, 8 * (count * segment) as u64],
        counter: 1,
        before: Zeroizing::new(iv.clone()),
    };
    if mode == Mode::DoublePipeline {
        running.before = running.fixed()?;
    }
    let made = keys.into_iter().map(|(key_type, len)| running.key(key_type, len));
    let made = made.collect::<Result<Vec<_>>>()?;
    let base = &derivation.base.attributes;
    let objects = templates.into_iter().zip(made).map(|(mut template, made)| {
        for flag in [attribute::SENSITIVE, attribute::EXTRACTABLE] {
            if !template.contains(flag.id) {
                template.set(flag, base.is_set(flag));
            }
        }
        (template, Some(made))
    });
    Ok(Derived { objects: objects.collect(), shown: Vec::new() })
}

/// The type and length of the key that a template asks for.
fn asked(template: &Template) -> Result<(KeyType, usize)> {
    let key_type = KeyType::from_code(template.require(attribute::KEY_TYPE)?);
    let key_type = key_type.filter(|key_type| !key_type.is_asymmetric());
    let key_type = key_type.ok_or_else(|| Rv::TemplateInconsistent.because("CKA_KEY_TYPE"))?;
    Ok((key_type, wanted(asked_len(template, None)?, key_type, None)?))
}

/// Which parts must be there, may be there once, and must not be there.
fn check(mode: Mode, parts: &[CountedPart], iv: &[u8]) -> Result<()> {
    let count = |is: fn(&CountedPart) -> bool| parts.iter().filter(|part| is(part)).count();
    let iterations = count(|part| matches!(part, CountedPart::Iteration(_)));
    let counters = count(|part| matches!(part, CountedPart::Counter(_)));
    let lengths = count(|part| matches!(part, CountedPart::Length { .. }));
    let counted = parts.iter().any(|part| matches!(part, CountedPart::Iteration(Some(_))));
    let most = if mode == Mode::Counter { 0 } else { 1 };
    let fits = iterations == 1
        && counters <= most
        && lengths <= 1
        && counted == (mode == Mode::Counter)
        && (iv.is_empty() || mode == Mode::Feedback);
    if fits { Ok(()) } else { Err(invalid("parts of SP 800-108")) }
}

/// A counter that would begin anew would make the same segments again.
fn check_count(mode: Mode, parts: &[CountedPart], count: usize) -> Result<()> {
    for part in parts {
        let form = match part {
            CountedPart::Iteration(Some(form)) | CountedPart::Counter(form) => form,
            CountedPart::Length { form, .. } => {
                check_form(*form, 64)?;
                continue;
            }
            _ => continue,
        };
        check_form(*form, 32)?;
        if count as u64 >> form.bits != 0 {
            return Err(match mode {
                Mode::Counter => Rv::KeySizeRange.because("more than the counter counts"),
                _ => invalid("a counter that would begin anew"),
            });
        }
    }
    Ok(())
}

fn check_form(form: NumberForm, most: u64) -> Result<()> {
    if form.bits != 0 && form.bits <= most && form.bits.is_multiple_of(8) {
        Ok(())
    } else {
        Err(invalid("bits of a number in SP 800-108"))
    }
}

/// A number in its form; `None` if it has more bits.
fn written(number: u64, form: NumberForm) -> Option<Vec<u8>> {
    let len = usize::try_from(form.bits / 8).ok()?;
    let bytes = number.to_be_bytes();
    let (zeros, rest) = bytes.split_at_checked(bytes.len().checked_sub(len)?)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut rest = rest.to_vec();
    if form.little_endian {
        rest.reverse();
    }
    Some(rest)
}

impl Running<'_> {
    /// The next key: whole segments, the last one cut. No two keys share one.
    fn key(&mut self, key_type: KeyType, len: usize) -> Result<Secret> {
        value(key_type, len, |room| {
            for part in room.chunks_mut(self.prf.len()) {
                let segment = self.segment()?;
                part.iter_mut().zip(segment.iter()).for_each(|(to, from)| *to = *from);
            }
            Ok(())
        })
    }

    fn started(&self) -> Result<Box<dyn Code>> {
        Ok(match self.prf {
            Prf::Hmac(digest) => Box::new(self.base.expose(|key| Mac::new(digest, key))?),
            Prf::AesCmac => Box::new(self.base.expose(Cmac::aes)?),
        })
    }

    fn segment(&mut self) -> Result<Block> {
        if self.mode == Mode::DoublePipeline {
            let mut code = self.started()?;
            code.update(&self.before)?;
            self.before = self.taken(code)?.1;
        }
        let mut code = self.started()?;
        let mut others = self.others.iter();
        for part in self.parts {
            match part {
                CountedPart::Iteration(None) => code.update(&self.before)?,
                CountedPart::Iteration(Some(form)) | CountedPart::Counter(form) => {
                    code.update(&number(self.counter, *form)?)?;
                }
                fixed => {
                    self.feed(fixed, &mut others, &mut |bytes| code.update(bytes))?;
                }
            }
        }
        let (segment, copy) = self.taken(code)?;
        if self.mode == Mode::Feedback {
            self.before = copy;
        }
        self.counter += 1;
        Ok(segment)
    }

    /// The code, and a copy of it for what comes next.
    fn taken(&self, mut code: Box<dyn Code>) -> Result<(Block, Zeroizing<Vec<u8>>)> {
        let mut block = Zeroizing::new([0; Digest::MAX_LEN]);
        code.finish(block.as_mut_slice())?;
        let copy = block.get(..self.prf.len()).unwrap_or_default().to_vec();
        Ok((block, Zeroizing::new(copy)))
    }

    /// What does not change: A(0) of the double pipeline.
    fn fixed(&self) -> Result<Zeroizing<Vec<u8>>> {
        let mut fixed = Zeroizing::new(Vec::new());
        let mut others = self.others.iter();
        for part in self.parts {
            self.feed(part, &mut others, &mut |bytes| {
                let mut longer = Zeroizing::new(Vec::with_capacity(fixed.len() + bytes.len()));
                longer.extend_from_slice(&fixed);
                longer.extend_from_slice(bytes);
                fixed = longer;
                Ok(())
            })?;
        }
        Ok(fixed)
    }

    fn feed<'s>(
        &self,
        part: &CountedPart,
        others: &mut impl Iterator<Item = &'s &'s Secret>,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        match part {
            CountedPart::Iteration(_) | CountedPart::Counter(_) => Ok(()),
            CountedPart::Length { segments, form } => {
                let [keys, whole] = self.bits;
                take(&number(if *segments { whole } else { keys }, *form)?)
            }
            CountedPart::Bytes(bytes) => take(bytes),
            CountedPart::Key(_) => {
                let other = others.next().ok_or_else(|| invalid("a key that is not there"))?;
                other.expose(take)
            }
        }
    }
}

fn number(number: u64, form: NumberForm) -> Result<Vec<u8>, Error> {
    written(number, form).ok_or_else(|| invalid("a number that has more bits"))
}
