//! The findings in the form that was asked for.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::ValueEnum;
use qt_market::check::{Found, Report};
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind};
use qt_model::words::Severity;
use qt_stream::frame::{End, Header};
use qt_stream::write::{Format, StreamWriter};

use super::verdict::{fails, subject};
use super::{junit, sarif};
use crate::terminal::Paint;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shape {
    /// A line a finding, for people
    Table,
    /// A stream of `finding` records
    Ndjson,
    /// JUnit XML: a test case a rule
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// The whole report as text.
pub(super) fn text(
    report: &Report,
    place: &str,
    shape: Shape,
    gate: Severity,
    paint: Paint,
) -> anyhow::Result<Vec<u8>> {
    match shape {
        Shape::Table => Ok(table(report, gate, paint).into_bytes()),
        Shape::Ndjson => ndjson(report, place),
        Shape::Junit => Ok(junit::text(report, gate).into_bytes()),
        Shape::Sarif => Ok(sarif::text(report, place)?.into_bytes()),
    }
}

fn table(report: &Report, gate: Severity, paint: Paint) -> String {
    let mut out = String::new();
    let width = |text: fn(&Found) -> usize| report.findings.iter().map(text).max().unwrap_or(0);
    let subjects = width(|found| subject(found).chars().count());
    let rules = width(|found| found.rule.name().len());
    let mut worst_first: Vec<&Found> = report.findings.iter().collect();
    worst_first.sort_by_key(|found| std::cmp::Reverse((fails(found, gate), found.severity)));
    for found in worst_first {
        let severity = format!("{:<8}", found.severity.to_string());
        let severity = match found.severity {
            Severity::Info => paint.dim(severity),
            Severity::Warning => paint.doubtful(severity),
            Severity::Error | Severity::Critical => paint.bad(severity),
        };
        let (subject, rule) = (subject(found), found.rule.name());
        let message = found.message();
        writeln!(out, "{severity}  {subject:<subjects$}  {rule:<rules$}  {message}")
            .expect("a string takes text");
    }
    let failing = report.findings.iter().filter(|found| fails(found, gate)).count();
    let verdict = if failing == 0 { paint.bold("passed") } else { paint.bad("failed") };
    let (records, findings) = (report.records, report.findings.len());
    writeln!(
        out,
        "{records} records, {findings} findings, {failing} at or above {gate}: {verdict}"
    )
    .expect("a string takes text");
    out
}

fn ndjson(report: &Report, place: &str) -> anyhow::Result<Vec<u8>> {
    let mut table = Instruments::default();
    let mut rows = Vec::new();
    for found in &report.findings {
        let mut row = found.row(Some(place));
        row.head.instrument = match &found.symbol {
            Some(symbol) => Some(table.declare(qt_model::instrument::Instrument::new(
                symbol.clone(),
                Default::default(),
                Default::default(),
            ))?),
            None => None,
        };
        rows.push(row);
    }
    rows.sort_by_key(|row| row.head.ts_recv);
    let mut batch = Batch::new(Arc::new(table));
    for (seq, mut row) in rows.into_iter().enumerate() {
        row.head.seq = seq as u64;
        batch.push_row(row, &[]);
    }
    let header = Header::new(Arc::clone(batch.instruments())).with_kinds([Kind::Finding]);
    let mut writer = StreamWriter::new(Vec::new(), Format::Ndjson, &header, batch.len().max(1))?;
    writer.write(&batch)?;
    let (bytes, _) = writer.finish(End::default())?;
    Ok(bytes)
}
