//! What was computed from the market.

use std::sync::Arc;

use super::rows;

rows! {
    /// One row of features, directly behind the record that caused it.
    #[derive(PartialEq)]
    Feature "feature" Required {
        /// The set that the values belong to.
        set: Arc<str>,
        /// The values in the order of the set; absent where there is none.
        values: Vec<Option<f64>>,
        /// One bit a value, lowest first: set once the value is warm.
        warm: Option<u64>,
        /// Quality flags of the row.
        flags: Option<u64>,
    }

    /// What came of a moment: the target of a model.
    #[derive(PartialEq)]
    Label "label" Required {
        /// The label.
        name: String,
        /// Its value; absent where the horizon runs past the data.
        value: Option<f64>,
        /// How far it looks ahead.
        horizon_ns: Option<u64>,
    }
}
