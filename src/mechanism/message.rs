//! What comes with each message of a message-based operation, and where its nonce comes from.
//!
//! A nonce that the token makes is never made twice in one operation: counters do not wrap, and
//! do not mix with nonces from elsewhere; random ones are made only as many as are safe
//! (SP 800-38D, section 8). PKCS#11 3.2, "Message-based encryption functions", "AES-GCM
//! Authenticated Encryption / Decryption".

use super::params::{MechanismParams, invalid};
use crate::engine::random;
use crate::error::{Result, Rv};

/// Where the bits of a nonce come from that the caller does not fix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// The caller gives the whole nonce.
    Caller,
    /// The token makes it as it sees fit: from a random start, counting.
    Token,
    /// A counter from zero.
    Counter,
    /// What the caller gives, which must not vary, XOR a counter from zero.
    CounterXor,
    /// A new random number each time.
    Random,
}

/// The parameter of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    /// As the caller gave it.
    pub(crate) nonce: Vec<u8>,
    /// How many of its bits, from the front, the caller fixes.
    pub(crate) fixed_bits: u64,
    pub(crate) source: Source,
    pub(crate) tag_bits: u64,
    /// Bytes of plaintext, where the mechanism must know before it begins.
    pub(crate) data_len: Option<u64>,
}

/// What a message's parameter is for the same mechanism outside of messages.
pub(crate) type MessageParams = fn(&Message, Vec<u8>) -> MechanismParams;

impl Message {
    /// Bytes of the tag.
    pub(crate) fn tag_len(&self) -> Result<usize> {
        match usize::try_from(self.tag_bits) {
            Ok(bits @ 8..=128) if bits % 8 == 0 => Ok(bits / 8),
            _ => Err(invalid("length of a message's tag")),
        }
    }

    /// How many bits of the nonce are not fixed.
    fn free_bits(&self) -> Result<u64> {
        (self.nonce.len() as u64)
            .saturating_mul(8)
            .checked_sub(self.fixed_bits)
            .filter(|bits| *bits > 0)
            .ok_or_else(|| invalid("no bit of the nonce is free to be made"))
    }
}

/// The fewest bits that are drawn at random: with fewer, nonces would soon repeat.
const FEWEST_RANDOM: u64 = 64;

/// The nonces that one operation has used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Nonces {
    #[default]
    None,
    /// Any but counters; how many random ones, and where the token's own began.
    Mixed { drawn: u64, own: Option<Sequence> },
    /// Counters only.
    Counted(Source, Sequence),
}

/// Nonces that differ in a count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sequence {
    /// The nonce whose count is zero.
    base: Vec<u8>,
    fixed_bits: u64,
    made: u64,
}

impl Nonces {
    /// The nonce of a message, and what has been used once that one is.
    ///
    /// # Errors
    /// `CKR_MECHANISM_PARAM_INVALID` if it could repeat another, `CKR_KEY_EXHAUSTED` if there is
    /// none left.
    pub(crate) fn next(&self, message: &Message) -> Result<(Vec<u8>, Self)> {
        match (message.source, self) {
            (Source::Counter | Source::CounterXor, _) => self.count(message),
            (_, Self::Counted(..)) => Err(mixed()),
            (Source::Caller, Self::None) => Ok((message.nonce.clone(), Self::mixed(0, None))),
            (Source::Caller, mixed) => Ok((message.nonce.clone(), mixed.clone())),
            (Source::Random, _) => self.draw(message),
            (Source::Token, _) => self.make(message),
        }
    }

    const fn mixed(drawn: u64, own: Option<Sequence>) -> Self {
        Self::Mixed { drawn, own }
    }

    fn count(&self, message: &Message) -> Result<(Vec<u8>, Self)> {
        let free_bits = message.free_bits()?;
        let mut base = message.nonce.clone();
        if message.source == Source::Counter {
            replace_free_bits(&mut base, message.fixed_bits, &vec![0; message.nonce.len()]);
        }
        let made = match self {
            Self::None => 0,
            Self::Counted(source, sequence)
                if *source == message.source && sequence.is_like(&base, message.fixed_bits) =>
            {
                sequence.made
            }
            _ => return Err(mixed()),
        };
        if free_bits < 64 && made >> free_bits != 0 {
            return Err(Rv::KeyExhausted.because("the counter of the nonces has come to its end"));
        }
        let mut nonce = base.clone();
        for (byte, count) in nonce.iter_mut().rev().zip(made.to_le_bytes()) {
            *byte ^= count;
        }
        let sequence = Sequence { base, fixed_bits: message.fixed_bits, made: made + 1 };
        Ok((nonce, Self::Counted(message.source, sequence)))
    }

    /// 2^-32 is how likely two of the most that are drawn are equal: 2^32 of 96 bits.
    fn draw(&self, message: &Message) -> Result<(Vec<u8>, Self)> {
        let free_bits = message.free_bits()?;
        if free_bits < FEWEST_RANDOM {
            return Err(invalid("too few bits of the nonce for random ones"));
        }
        let (drawn, own) = match self {
            Self::Mixed { drawn, own } => (*drawn, own.clone()),
            _ => (0, None),
        };
        let most = 1_u64 << ((free_bits.min(128) - 32) / 2);
        if drawn >= most {
            return Err(Rv::KeyExhausted.because("as many random nonces as are safe were drawn"));
        }
        Ok((random_nonce(message)?, Self::mixed(drawn + 1, own)))
    }

    fn make(&self, message: &Message) -> Result<(Vec<u8>, Self)> {
        if message.free_bits()? < FEWEST_RANDOM {
            return Err(invalid("too few bits of the nonce to be made"));
        }
        let (drawn, own) = match self {
            Self::Mixed { drawn, own } => (*drawn, own.clone()),
            _ => (0, None),
        };
        let fixed_bits = message.fixed_bits;
        let mut own = match own {
            Some(own) if own.fixes_the_same(message) => own,
            _ => Sequence { base: random_nonce(message)?, fixed_bits, made: 0 },
        };
        let mut nonce = own.base.clone();
        if let Some(low) = nonce.last_chunk_mut::<8>() {
            *low = u64::from_be_bytes(*low).wrapping_add(own.made).to_be_bytes();
        }
        own.made += 1;
        Ok((nonce, Self::mixed(drawn, Some(own))))
    }
}

impl Sequence {
    /// Is a count in this sequence the same as one from `base`? The fixed bits of a counter may
    /// change: the count does not begin anew with them.
    fn is_like(&self, base: &[u8], fixed_bits: u64) -> bool {
        let mut fixed_as_here = self.base.clone();
        replace_free_bits(&mut fixed_as_here, fixed_bits, base);
        self.fixed_bits == fixed_bits && self.base.len() == base.len() && fixed_as_here == self.base
    }

    fn fixes_the_same(&self, message: &Message) -> bool {
        let mut fixed_as_there = message.nonce.clone();
        replace_free_bits(&mut fixed_as_there, message.fixed_bits, &self.base);
        self.fixed_bits == message.fixed_bits && fixed_as_there == self.base
    }
}

fn mixed() -> crate::error::Error {
    invalid("counted nonces of another kind or base, or others, were used in this operation")
}

fn random_nonce(message: &Message) -> Result<Vec<u8>> {
    let mut drawn = vec![0; message.nonce.len()];
    random::fill(&mut drawn)?;
    let mut nonce = message.nonce.clone();
    replace_free_bits(&mut nonce, message.fixed_bits, &drawn);
    Ok(nonce)
}

/// Takes the bits after the first `fixed_bits` from `new`.
fn replace_free_bits(nonce: &mut [u8], fixed_bits: u64, new: &[u8]) {
    for (index, (byte, new)) in (0_u64..).zip(nonce.iter_mut().zip(new)) {
        let fixed: u8 = match fixed_bits.saturating_sub(index * 8) {
            0 => 0,
            bits @ 1..8 => !(0xff >> bits),
            _ => 0xff,
        };
        *byte = (*byte & fixed) | (new & !fixed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, Nonces, Source};
    use crate::error::Rv;

    fn message(source: Source, nonce: &[u8], fixed_bits: u64) -> Message {
        Message { nonce: nonce.to_vec(), fixed_bits, source, tag_bits: 128, data_len: None }
    }

    fn run(nonces: &mut Nonces, message: &Message) -> Result<Vec<u8>, Rv> {
        let (nonce, after) = nonces.next(message).map_err(|error| error.rv)?;
        *nonces = after;
        Ok(nonce)
    }

    #[test]
    fn counters_begin_at_zero_and_never_wrap() {
        let mut nonces = Nonces::default();
        let eight_bits = message(Source::Counter, &[0xab, 0xff, 0xff], 16);
        for count in 0..=255 {
            assert_eq!(run(&mut nonces, &eight_bits), Ok(vec![0xab, 0xff, count]));
        }
        assert_eq!(run(&mut nonces, &eight_bits), Err(Rv::KeyExhausted));
    }

    #[test]
    fn a_counter_keeps_fixed_bits_inside_a_byte() {
        let mut nonces = Nonces::default();
        let odd = message(Source::Counter, &[0xff, 0xff], 11);
        assert_eq!(run(&mut nonces, &odd), Ok(vec![0xff, 0xe0]));
        assert_eq!(run(&mut nonces, &odd), Ok(vec![0xff, 0xe1]));
    }

    #[test]
    fn an_xored_counter_wants_the_same_base() {
        let mut nonces = Nonces::default();
        let first = message(Source::CounterXor, &[1, 2, 3, 0x81], 0);
        assert_eq!(run(&mut nonces, &first), Ok(vec![1, 2, 3, 0x81]));
        assert_eq!(run(&mut nonces, &first), Ok(vec![1, 2, 3, 0x80]));
        assert_eq!(run(&mut nonces, &first), Ok(vec![1, 2, 3, 0x83]));
        let other = message(Source::CounterXor, &[1, 2, 3, 0x80], 0);
        assert_eq!(run(&mut nonces, &other), Err(Rv::MechanismParamInvalid));
    }

    #[test]
    fn counters_and_others_do_not_mix() {
        let counter = message(Source::Counter, &[0; 12], 32);
        let others = [Source::Caller, Source::Token, Source::Random, Source::CounterXor];
        for other in others.map(|source| message(source, &[0; 12], 0)) {
            let mut nonces = Nonces::default();
            run(&mut nonces, &counter).unwrap();
            assert_eq!(run(&mut nonces, &other), Err(Rv::MechanismParamInvalid), "{other:?}");
            let mut nonces = Nonces::default();
            run(&mut nonces, &other).unwrap();
            assert_eq!(run(&mut nonces, &counter), Err(Rv::MechanismParamInvalid), "{other:?}");
        }
        let mut nonces = Nonces::default();
        run(&mut nonces, &counter).unwrap();
        let wider = message(Source::Counter, &[0; 12], 24);
        assert_eq!(run(&mut nonces, &wider), Err(Rv::MechanismParamInvalid));
    }

    #[test]
    fn made_nonces_keep_the_fixed_bits_and_count_from_a_random_start() {
        let mut nonces = Nonces::default();
        let mine = message(Source::Token, b"fixedxxxxxxxx", 40);
        let first = run(&mut nonces, &mine).unwrap();
        assert_eq!(first[..5], *b"fixed");
        assert_ne!(first[5..], *b"xxxxxxxx");
        let second = run(&mut nonces, &mine).unwrap();
        let low = |nonce: &[u8]| u64::from_be_bytes(*nonce.last_chunk().unwrap());
        assert_eq!(low(&first).wrapping_add(1), low(&second));
        let elsewhere = message(Source::Token, b"fixeDxxxxxxxx", 40);
        assert_eq!(run(&mut nonces, &elsewhere).unwrap()[..5], *b"fixeD");
        let narrow = message(Source::Token, b"fixedxxxxxxx", 40);
        assert_eq!(run(&mut nonces, &narrow), Err(Rv::MechanismParamInvalid));
    }

    #[test]
    fn random_nonces_are_drawn_only_while_that_is_safe() {
        let mut nonces = Nonces::Mixed { drawn: (1 << 16) - 1, own: None };
        let narrow = message(Source::Random, &[0; 8], 0);
        let drawn = run(&mut nonces, &narrow).unwrap();
        assert_ne!(drawn, [0; 8]);
        assert_eq!(run(&mut nonces, &narrow), Err(Rv::KeyExhausted));
        let too_narrow = message(Source::Random, &[0; 8], 1);
        assert_eq!(run(&mut nonces, &too_narrow), Err(Rv::MechanismParamInvalid));
        let full = message(Source::Random, &[0; 12], 96);
        assert_eq!(run(&mut nonces, &full), Err(Rv::MechanismParamInvalid));
        let beyond = message(Source::Counter, &[0; 12], u64::MAX);
        assert_eq!(run(&mut Nonces::default(), &beyond), Err(Rv::MechanismParamInvalid));
    }
}
