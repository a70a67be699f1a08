//! What can go wrong on request, by name.

use std::fmt;
use std::str::FromStr;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $variant:ident $word:literal,)*) => {
        /// One way in which a feed misbehaves.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Fault { $($(#[doc = $doc])+ $variant,)* }

        impl Fault {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What it does and how often, in one sentence.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+)),* }
            }
        }
    };
}

faults! {
    /// Up to 41 happenings are lost (one in 4000), half of the times with a `gap` and a snapshot.
    Gaps "gaps",
    /// A trade, depth or quote is sent twice (one happening in 800).
    Duplicates "duplicates",
    /// A happening is overtaken by the next (one in 800): ids and `ts_event` run backwards.
    Reorder "reorder",
    /// A bid stands above the ask for two to nine happenings (one in 5000).
    Crossed "crossed",
    /// The source falls silent for 10 to 70 seconds (one happening in 15000).
    Stale "stale",
    /// The venue's clock drifts and steps, up to two seconds ahead or behind.
    ClockSkew "clock-skew",
}

/// A set of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(u8);

impl Faults {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u8)
    }

    #[inline]
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u8 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |fault| self.contains(*fault))
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        faults.into_iter().fold(Self::NONE, Self::with)
    }
}

/// A word that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a fault; did you mean `{nearest}`? there are {}", words())]
pub struct FaultError {
    pub word: String,
    pub nearest: &'static str,
}

fn words() -> String {
    let words: Vec<_> = Fault::ALL.iter().map(|fault| fault.word()).collect();
    words.join(", ")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        if let Some(fault) = Self::ALL.iter().find(|fault| fault.word() == text) {
            return Ok(*fault);
        }
        let distance = |fault: &Self| 1.0 - strsim::jaro_winkler(fault.word(), text);
        let nearest = Self::ALL.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let nearest = nearest.map_or("", |fault| fault.word());
        Err(FaultError { word: text.chars().take(40).collect(), nearest })
    }
}

impl FromStr for Faults {
    type Err = FaultError;

    /// Words with commas between them; nothing at all is no fault.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        if text.trim().is_empty() {
            return Ok(Self::NONE);
        }
        text.split(',').map(|word| word.trim().parse::<Fault>()).collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            f.write_str(fault.word())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_make_a_set_and_a_set_makes_words() {
        let all = "gaps,duplicates,reorder,crossed,stale,clock-skew";
        assert_eq!(all.parse::<Faults>().unwrap().to_string(), all);
        assert_eq!(" stale , gaps".parse::<Faults>().unwrap().to_string(), "gaps,stale");
        assert_eq!("".parse::<Faults>(), Ok(Faults::NONE));
        assert!(Faults::NONE.with(Fault::Crossed).contains(Fault::Crossed));
        assert!(!Faults::NONE.with(Fault::Crossed).contains(Fault::Gaps));
    }

    #[test]
    fn a_misspelt_word_gets_the_nearest() {
        let check = |text: &str, nearest: &str| {
            assert_eq!(text.parse::<Faults>().unwrap_err().nearest, nearest, "{text}");
        };
        check("gap", "gaps");
        check("stale,duplicate", "duplicates");
        check("clock_skew", "clock-skew");
        check("gaps,", "gaps");
    }
}
