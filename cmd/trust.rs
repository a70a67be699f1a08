//! Whom connections trust, as the settings say.

use std::fs;

use anyhow::Context as _;
use qt_venue::session::Trust;

use crate::failure::FailureExt;
use crate::outcome::Exit;
use crate::settings::Settings;

/// Those whom the public web trusts, and the certificates of `ca_file`.
pub(crate) fn configured(settings: &Settings) -> anyhow::Result<Trust> {
    let Some(file) = settings.ca_file() else {
        return Trust::public().context("setting up TLS").exit(Exit::Outside);
    };
    let reading = || format!("ca_file: reading {}", file.display());
    let pem = fs::read(&file).with_context(reading).exit(Exit::Usage)?;
    Trust::with_pem(&pem).with_context(reading).exit(Exit::Usage)
}
