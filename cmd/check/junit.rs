//! JUnit XML: every rule is a test case, so that a report also shows what was looked for.

use std::fmt::Write as _;

use qt_market::check::{Found, Report, Rule};
use qt_model::words::Severity;

use super::verdict::{fails, subject};

pub(super) fn text(report: &Report, gate: Severity) -> String {
    let of = |rule: Rule| report.findings.iter().filter(move |found| found.rule == rule);
    let failing = |rule: &&Rule| of(**rule).any(|found| fails(found, gate));
    let failures = Rule::ALL.iter().filter(failing).count();
    let tests = Rule::ALL.len();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\"");
    line(&mut out, &format!("<testsuites name=\"qt check\" {counts}>"));
    line(&mut out, &format!("  <testsuite name=\"data quality\" {counts}>"));
    for rule in Rule::ALL {
        let name = escape(rule.name());
        let findings: Vec<&Found> = of(*rule).collect();
        if findings.is_empty() {
            line(&mut out, &format!("    <testcase classname=\"qt.check\" name=\"{name}\"/>"));
            continue;
        }
        line(&mut out, &format!("    <testcase classname=\"qt.check\" name=\"{name}\">"));
        case(&mut out, &findings, gate);
        line(&mut out, "    </testcase>");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// One failure that tells all, as the format allows, and what passed as output.
fn case(out: &mut String, findings: &[&Found], gate: Severity) {
    let text = |found: &&&Found| {
        let (severity, subject) = (found.severity, subject(found));
        escape(&format!("{severity}: {subject}: {}", found.message()))
    };
    let (failed, passed): (Vec<&&Found>, Vec<&&Found>) =
        findings.iter().partition(|found| fails(found, gate));
    let joined = |found: &[&&Found]| found.iter().map(text).collect::<Vec<_>>().join("\n");
    if let Some(first) = failed.first() {
        let (kind, message) = (first.severity, escape(first.rule.doc()));
        let body = joined(&failed);
        line(
            out,
            &format!("      <failure type=\"{kind}\" message=\"{message}\">{body}</failure>"),
        );
    }
    if !passed.is_empty() {
        line(out, &format!("      <system-out>{}</system-out>", joined(&passed)));
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes text");
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write the other control characters.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
