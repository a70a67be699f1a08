//! Where settings come from, lowest layer first.

use std::env;
use std::path::{Path, PathBuf};

use super::file;
use super::table::{self, SETTINGS};
use super::value::{Found, Origin, Value};
use crate::global::GlobalArgs;
use crate::problem::{Place, Problem, Problems};

/// The project's file, looked for in the working directory and its ancestors.
const FILE_NAME: &str = "qt.toml";

/// What every layer says, in rising precedence, and all that is wrong with them.
pub(super) fn layers(global: &GlobalArgs) -> (Vec<Found>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let project = global.config.clone().or_else(nearest_file);
    for file in user_file().into_iter().chain(project) {
        file::read(&file, &mut found, &mut problems);
    }
    for (index, setting) in SETTINGS.iter().enumerate() {
        // An empty variable is an unset one, as the shell makes it hard to tell them apart.
        let given = env::var_os(setting.env).filter(|value| !value.is_empty());
        let (place, origin) = (Place::Env(setting.env), Origin::Env(setting.env));
        match given.as_ref().map(|value| value.to_str()) {
            None => {}
            Some(Some(text)) => {
                read_text(index, text, place, origin, &mut found, &mut problems);
            }
            Some(None) => {
                let message = "expected text in UTF-8".to_owned();
                problems.push(Problem { place, key: setting.key.to_owned(), message });
            }
        }
    }
    for (flag, key, text) in global.overrides() {
        let index = table::find(key).expect("flags override settings of the table");
        let (place, origin) = (Place::Flag(flag), Origin::Flag(flag));
        read_text(index, &text, place, origin, &mut found, &mut problems);
    }
    (found, problems)
}

/// All that is wrong with these files, each on its own.
pub(crate) fn check_files(files: &[PathBuf]) -> Option<Problems> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        file::read(file, &mut found, &mut problems);
    }
    Problems::some(problems)
}

/// Variables that look like a misspelt one of ours, with what was probably meant. The graphics toolkit
/// of the same name has many variables that start alike, so this is a guess and not an error.
pub(crate) fn misspelt_variables() -> Vec<(String, &'static str)> {
    let ours = || SETTINGS.iter().map(|setting| setting.env).chain(["QT_CONFIG"]);
    let guess = |name: String| {
        let near = ours().find(|known| strsim::damerau_levenshtein(known, &name) <= 2)?;
        (ours().all(|known| known != name)).then_some((name, near))
    };
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut guesses: Vec<_> =
        names.filter(|name| name.starts_with("QT_")).filter_map(guess).collect();
    guesses.sort();
    guesses
}

fn read_text(
    setting: usize,
    text: &str,
    place: Place,
    origin: Origin,
    found: &mut Vec<Found>,
    problems: &mut Vec<Problem>,
) {
    let (kind, key) = (SETTINGS[setting].kind, SETTINGS[setting].key);
    match kind.parse(text) {
        Some(value) => found.push(Found { setting, value, origin }),
        None => {
            let message = kind.misfit(&Value::Text(text.to_owned()).to_string());
            problems.push(Problem { place, key: key.to_owned(), message });
        }
    }
}

fn nearest_file() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    let file = here.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())?;
    // Short where it can be: this path is in error messages and in `config show --origin`.
    Some(file.strip_prefix(&here).map(Path::to_owned).unwrap_or(file))
}

fn user_file() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(config.join("qt/config.toml")).filter(|file| file.is_file())
}
