//! What a strategy process and we say to each other: one JSON object a line.
//!
//! Prices and sizes are decimals with all their digits, as in our streams; a process may send them as
//! numbers or as texts. Fields that we do not know are errors: a misspelt limit must not be ignored.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;

/// What we send.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToProcess<'a> {
    Hello {
        protocol: u32,
        strategy: &'a str,
        params: &'a std::collections::BTreeMap<String, f64>,
        instruments: Vec<InstrumentLine>,
        seed: u64,
    },
    /// A record of the market, as it stands in a stream.
    Record {
        now: i64,
        record: &'a RawValue,
        position: &'a str,
    },
    /// Values of features; null where there is none.
    Features {
        now: i64,
        sym: &'a str,
        values: Vec<Option<f64>>,
        position: &'a str,
    },
    /// An order of the process changed.
    Order(OrderLine<'a>),
    Timer {
        now: i64,
        id: u32,
    },
    /// The last message; its answer is ignored.
    Stop {
        now: i64,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct InstrumentLine {
    pub(super) sym: String,
    pub(super) px_scale: u8,
    pub(super) qty_scale: u8,
    pub(super) tick: Option<String>,
    pub(super) lot: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct OrderLine<'a> {
    pub(super) now: i64,
    pub(super) id: &'a str,
    pub(super) sym: &'a str,
    pub(super) status: &'a str,
    pub(super) filled: String,
    pub(super) leaves: String,
    /// Of a fill.
    pub(super) px: Option<String>,
    pub(super) qty: Option<String>,
    pub(super) position: String,
}

/// The first answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ready {
    pub(super) ready: u32,
    /// Kinds of records that the process wants to see.
    #[serde(default)]
    pub(super) wants: Vec<String>,
    /// Expressions that are to be computed for it.
    #[serde(default)]
    pub(super) features: Vec<String>,
}

/// The answer to every later message but the last.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) actions: Vec<Box<RawValue>>,
}

/// A number or a text that is one.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Digits(Box<RawValue>);

impl Digits {
    pub(super) fn text(&self) -> &str {
        self.0.get().trim_matches('"')
    }
}

/// What a process asks for.
#[derive(Debug)]
pub(super) enum Action {
    Submit(Submit),
    Amend(Amend),
    Cancel(Cancel),
    Timer(Timer),
    Note(Note),
}

impl Action {
    /// Reads an action by its `do`. A tagged enum of serde would take numbers through doubles.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Tag {
            r#do: String,
        }
        fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
            serde_json::from_str(text).map_err(|error| error.to_string())
        }
        let tag: Tag = read(text)?;
        Ok(match tag.r#do.as_str() {
            "submit" => Self::Submit(read(text)?),
            "amend" => Self::Amend(read(text)?),
            "cancel" => Self::Cancel(read(text)?),
            "timer" => Self::Timer(read(text)?),
            "note" => Self::Note(read(text)?),
            other => {
                return Err(format!(
                    "there is no action `{other}`: expected submit, amend, cancel, timer or note"
                ));
            }
        })
    }
}

/// Declares an action beside its `do`, which is read already.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident {
        $($(#[$attr:meta])* $field:ident: $ty:ty,)*
    })*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            #[serde(rename = "do")]
            _do: String,
            $($(#[$attr])* pub(super) $field: $ty,)*
        }
    )*};
}

actions! {
    /// A new order: a market order, or with `px` a limit, with `trigger` a stop.
    Submit {
        /// The process's own name for the order, new each time.
        id: String,
        sym: String,
        side: String,
        qty: Digits,
        px: Option<Digits>,
        trigger: Option<Digits>,
        time_in_force: Option<String>,
        #[serde(default)]
        reduce_only: bool,
    }

    /// A change of an order that stands.
    Amend {
        id: String,
        qty: Option<Digits>,
        px: Option<Digits>,
    }

    /// The end of an order.
    Cancel {
        id: String,
    }

    /// Wake me at that instant, in nanoseconds.
    Timer {
        id: u32,
        at: i64,
    }

    /// A remark for the record of decisions.
    Note {
        sym: Option<String>,
        text: String,
    }
}
