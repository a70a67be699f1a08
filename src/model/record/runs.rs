//! What is said about runs, data and the system itself.

use rust_decimal::Decimal;

use super::rows;
use crate::ids::{AccountId, RunId, StrategyId, TraceId};
use crate::time::Ts;
use crate::words::{DiffKind, Grade, HealthState, RunKind, RunStatus, Severity};

rows! {
    /// A run began, ended, or is listed.
    #[derive(PartialEq, Eq)]
    Run "run" Optional {
        /// Its name.
        run_id: RunId,
        /// What ran.
        kind: RunKind,
        /// How far it came.
        status: RunStatus,
        /// The strategy.
        strategy: Option<StrategyId>,
        /// When it began, by the wall clock.
        started: Option<Ts>,
        /// When it ended, by the wall clock.
        ended: Option<Ts>,
        /// Why it ended.
        reason: Option<String>,
        /// The digest of its effective configuration.
        config_sha256: Option<String>,
        /// How far its input can be trusted.
        grade: Option<Grade>,
    }

    /// The worth of a run at one moment.
    #[derive(PartialEq, Eq)]
    Equity "equity" Optional {
        /// The currency.
        currency: String,
        /// Cash and positions at the mark.
        equity: Decimal,
        /// Cash.
        cash: Option<Decimal>,
        /// Profit taken.
        realized: Option<Decimal>,
        /// Profit on paper.
        unrealized: Option<Decimal>,
        /// The sum of the worth of positions, long and short.
        gross_exposure: Option<Decimal>,
        /// The same, shorts against longs.
        net_exposure: Option<Decimal>,
    }

    /// One number about a run.
    #[derive(PartialEq)]
    Metric "metric" Optional {
        /// Its name, with its unit.
        name: String,
        /// Its value.
        value: Option<f64>,
        /// The value of a count or a sum of money, exactly.
        exact: Option<Decimal>,
        /// Why there is no value.
        reason: Option<String>,
    }

    /// Something about the data that a person should know.
    #[derive(PartialEq, Eq)]
    Finding "finding" Optional {
        /// The rule.
        rule: String,
        /// How bad.
        severity: Severity,
        /// Where it begins.
        from: Option<Ts>,
        /// Where it ends.
        to: Option<Ts>,
        /// How often.
        count: Option<u64>,
        /// The file or stream.
        place: Option<String>,
        /// In words.
        message: String,
    }

    /// One place where two accounts of the same thing differ.
    #[derive(PartialEq, Eq)]
    Diff "diff" Optional {
        /// What is compared: position, order, fill, balance, decision and so on.
        entity: String,
        /// How they differ.
        kind: DiffKind,
        /// Which one.
        key: String,
        /// The field.
        field: Option<String>,
        /// The value on our side.
        ours: Option<String>,
        /// The value on the other.
        theirs: Option<String>,
        /// The account.
        account: Option<AccountId>,
    }

    /// One link of the audit chain.
    #[derive(PartialEq, Eq)]
    Audit "audit" Optional {
        /// Its name.
        id: String,
        /// Who acted.
        actor: String,
        /// What was done.
        action: String,
        /// What it was done to.
        target_type: Option<String>,
        /// Which one.
        target: Option<String>,
        /// Why.
        reason: Option<String>,
        /// The thread it belongs to.
        trace_id: Option<TraceId>,
        /// The digest of the link before.
        previous_sha256: Option<String>,
        /// The digest of this link.
        sha256: String,
    }

    /// The condition of a part of the system.
    #[derive(PartialEq)]
    Health "health" Optional {
        /// The part.
        part: String,
        /// Its condition.
        state: HealthState,
        /// A measure.
        name: Option<String>,
        /// Its value.
        value: Option<f64>,
        /// In words.
        message: Option<String>,
    }
}
