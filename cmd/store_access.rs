//! The store of the settings, and as whom to enter it.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use anyhow::Context as _;
use qt_live::recorder::tend::kept_days;
use qt_store::{Address, Credentials, Store};

use crate::failure::{Failure, FailureExt};
use crate::outcome::Exit;
use crate::settings::{Secret, Settings};
use crate::trust;

const USER: &str = "QT_CLICKHOUSE_USER";
const PASSWORD: &str = "QT_CLICKHOUSE_PASSWORD";
const PASSWORD_FILE: &str = "QT_CLICKHOUSE_PASSWORD_FILE";

/// The store of the settings, if there is one. Nobody is asked yet.
pub(crate) fn configured(settings: &Settings) -> anyhow::Result<Option<Arc<Store>>> {
    let url = settings.clickhouse_url();
    if url.is_empty() { Ok(None) } else { named(url, settings).map(Some) }
}

/// The store of the settings, where a command cannot do without.
pub(crate) fn needed(settings: &Settings) -> anyhow::Result<Arc<Store>> {
    configured(settings)?.ok_or_else(|| {
        let hint = "`clickhouse_url` in qt.toml, or QT_CLICKHOUSE_URL, such as \
                    http://localhost:8123/qt";
        Failure::usage("no ClickHouse is configured").with_hint(hint).into()
    })
}

/// The store that an input names: `clickhouse://` alone is the one of the settings.
pub(crate) fn of_input(text: &str, settings: &Settings) -> anyhow::Result<Arc<Store>> {
    match text {
        "clickhouse:" | "clickhouse://" => needed(settings),
        _ => named(text, settings),
    }
}

fn named(url: &str, settings: &Settings) -> anyhow::Result<Arc<Store>> {
    let address =
        Address::parse(url).map_err(|message| Failure::usage(format!("{url}: {message}")))?;
    let trust = trust::configured(settings)?;
    let store = Store::new(&address, &credentials()?, trust.config(), kept_days);
    Ok(Arc::new(store.context("starting the client of ClickHouse").exit(Exit::Outside)?))
}

fn credentials() -> anyhow::Result<Credentials> {
    let given = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let password = match (given(PASSWORD), given(PASSWORD_FILE)) {
        (Some(_), Some(_)) => {
            let message = format!("{PASSWORD} and {PASSWORD_FILE} are both set");
            return Err(Failure::usage(message).with_hint("one of them is enough").into());
        }
        (Some(password), None) => Some(Secret::new(password)),
        (None, Some(file)) => Some(secret_of(&file)?),
        (None, None) => None,
    };
    let password = password.map(|password| password.reveal().to_owned());
    Ok(Credentials { user: given(USER), password })
}

/// The first line of a file that nobody else can read.
fn secret_of(file: &str) -> anyhow::Result<Secret> {
    let reading = || format!("{PASSWORD_FILE}: reading {file}");
    let mode = fs::metadata(file).with_context(reading).exit(Exit::Usage)?.permissions().mode();
    if mode & 0o077 != 0 {
        let failure = Failure::usage(format!("{PASSWORD_FILE}: others can read {file}"));
        return Err(failure.with_hint(format!("chmod 600 {file}")).into());
    }
    let text = fs::read_to_string(file).with_context(reading).exit(Exit::Usage)?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}
