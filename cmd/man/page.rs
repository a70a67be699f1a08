//! One manual page in roff.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::page_name;
use crate::outcome::Exit;
use crate::settings::SETTINGS;

/// File name and text of a command's page.
pub(super) fn file(command: &Command) -> (String, String) {
    let mut sections = Vec::new();
    render(command, &mut sections).expect("memory takes every write");
    let sections = String::from_utf8(sections).expect("roff is text");
    (format!("{}.1", page_name(command)), with_title(command, &sections))
}

fn render(command: &Command, text: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone().subcommand_value_name("command"));
    man.render_name_section(text)?;
    man.render_synopsis_section(text)?;
    man.render_description_section(text)?;
    man.render_options_section(text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(text)?;
    }
    let mut roff = Roff::new();
    exit_status(&mut roff);
    environment(&mut roff);
    files(&mut roff);
    if command.get_name() == "config" {
        settings(&mut roff);
    }
    see_also(&mut roff, command);
    roff.to_writer(text)
}

/// Title and one preamble; each section came with its own.
///
/// The date is empty and the source names no version: a release must not touch every page. The
/// generator would leave an empty date out and so move the source into its place.
fn with_title(command: &Command, sections: &str) -> String {
    const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
    let title = page_name(command).to_uppercase();
    let sections = sections.replace(PREAMBLE, "");
    format!("{PREAMBLE}.TH {title} 1 \"\" qt \"qt manual\"\n{sections}")
}

fn entry(roff: &mut Roff, head: Inline, body: &str) {
    roff.control("TP", []);
    roff.text([head]);
    roff.text([roman(body)]);
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        entry(roff, bold(exit.code().to_string()), exit.meaning());
    }
}

fn environment(roff: &mut Roff) {
    roff.control("SH", ["ENVIRONMENT"]);
    for setting in SETTINGS {
        entry(roff, bold(setting.env), &format!("Setting {}. {}", setting.key, setting.doc));
    }
    for (name, doc) in super::markdown::OTHER_ENVIRONMENT {
        entry(roff, bold(*name), doc);
    }
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    for (name, doc) in super::markdown::FILES {
        entry(roff, italic(*name), doc);
    }
}

fn settings(roff: &mut Roff) {
    roff.control("SH", ["SETTINGS"]);
    for setting in SETTINGS {
        let body = format!(
            "{} Expects {}; the default is {}.",
            setting.doc,
            setting.kind.expected(),
            setting.default
        );
        entry(roff, bold(setting.key), &body);
    }
}

fn see_also(roff: &mut Roff, command: &Command) {
    let name = page_name(command);
    let above = name.rsplit_once('-').map(|(above, _)| above.to_owned());
    let below = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let pages: Vec<Inline> = above
        .into_iter()
        .chain(below.map(|sub| page_name(sub).to_owned()))
        .enumerate()
        .flat_map(|(at, page)| [roman(if at == 0 { "" } else { ", " }), bold(page), roman("(1)")])
        .collect();
    if !pages.is_empty() {
        roff.control("SH", ["SEE ALSO"]);
        roff.text(pages);
    }
}
