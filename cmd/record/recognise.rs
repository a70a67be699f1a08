//! Which importer takes an input.
//!
//! The surest takes it. A tie is the user's to break, and a name that the content contradicts is
//! refused rather than tried.

use qt_stream::import::{Hints, Importer, Likeness, Look};

use super::formats;
use crate::failure::Failure;

pub(super) type Format = &'static dyn Importer;

/// The format of the generic importer, which `--map` asks for.
const MAPPED: &str = "map";

/// What the user said about formats.
#[derive(Clone, Copy)]
pub(super) struct Chosen(Option<Format>);

/// Why no importer takes an input.
pub(super) enum Unknown {
    Nobody { name: String },
    Several { name: String, formats: Vec<&'static str> },
    Part { name: String, format: &'static str },
    Contradicted { name: String, named: &'static str, found: &'static str },
}

impl Chosen {
    pub(super) fn new(format: &str, hints: &Hints) -> Result<Self, Failure> {
        let name = match (format, &hints.map) {
            ("auto", Some(_)) => MAPPED,
            ("auto", None) => return Ok(Self(None)),
            (name, _) => name,
        };
        let Some(named) = formats::all().find(|it| it.about().name == name) else {
            let near = formats::all().map(|it| it.about().name).max_by(|a, b| {
                strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name))
            });
            let failure = Failure::usage(format!("--format {name}: no such format"));
            let near = near.unwrap_or_default();
            let hint = format!("did you mean `{near}`? `qt record formats` lists all");
            return Err(failure.with_hint(hint));
        };
        Ok(Self(Some(named)))
    }

    pub(super) fn of(self, look: &Look<'_>, name: &str) -> Result<Format, Unknown> {
        let all: Vec<_> = formats::all().map(|it| (it.recognise(look), it)).collect();
        let best = all.iter().map(|(likeness, _)| *likeness).max().unwrap_or(Likeness::No);
        let mut best_of_all =
            all.iter().filter(|(likeness, _)| *likeness == best).map(|(_, it)| *it);
        let name = name.to_owned();
        if let Some(named) = self.0 {
            let found = best_of_all.next().map_or("", |it| it.about().name);
            let own = named.recognise(look);
            return match (own, best) {
                (Likeness::No, Likeness::Certain) => {
                    Err(Unknown::Contradicted { name, named: named.about().name, found })
                }
                (Likeness::Part, _) => Err(Unknown::Part { name, format: named.about().name }),
                _ => Ok(named),
            };
        }
        let formats: Vec<Format> = best_of_all.collect();
        match (best, formats.as_slice()) {
            (Likeness::No, _) | (_, []) => Err(Unknown::Nobody { name }),
            (Likeness::Part, [first, ..]) => {
                Err(Unknown::Part { name, format: first.about().name })
            }
            (_, [only]) => Ok(*only),
            (_, several) => {
                let formats = several.iter().map(|it| it.about().name).collect();
                Err(Unknown::Several { name, formats })
            }
        }
    }
}

impl Unknown {
    pub(super) fn raise(self) -> anyhow::Error {
        let all = "`qt record formats` lists what can be imported";
        let (message, hint) = match self {
            Self::Nobody { name } => (
                format!("{name}: not recognised as any format"),
                format!("pass --format NAME, or --map FILE to say what its columns mean; {all}"),
            ),
            Self::Several { name, formats } => (
                format!("{name}: may be of several formats: {}", formats.join(", ")),
                format!("pass --format {}", formats.join(" or --format ")),
            ),
            Self::Part { name, format } => (
                format!(
                    "{name}: belongs to another file of format {format}, which brings it along"
                ),
                "name that file, or the folder that holds both".to_owned(),
            ),
            Self::Contradicted { name, named, found } => (
                format!("{name}: is of format {found}, not {named}"),
                format!("leave out --format, or pass --format {found}"),
            ),
        };
        Failure::usage(message).with_hint(hint).into()
    }
}
