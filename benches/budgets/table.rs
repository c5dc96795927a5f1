//! What a benchmark reports: each figure beside its baseline, with its budget and a verdict, as one table of plain text.
//! It must not know how a figure came about.

use std::fmt::{self, Write};

/// What a figure counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Ms,
    KiB,
    MiB,
    MegabytesPerSecond,
    PerSecond,
    Tokens,
    Entries,
}

/// A figure in its unit.
#[derive(Clone, Copy)]
pub struct Amount(pub f64, pub Unit);

/// What DESIGN.md promises of a figure.
#[derive(Clone, Copy)]
pub enum Budget {
    /// Nothing: it is shown for its own sake.
    None,
    /// No more than this, in the figure's unit.
    AtMost(f64),
    /// At least this share of the baseline.
    AtLeastOf(f64),
    /// No more than this many times the baseline.
    AtMostOf(f64),
}

/// A line of the table.
pub struct Row {
    pub figure: String,
    pub ours: Amount,
    pub baseline: Option<f64>,
    pub budget: Budget,
}

/// What one benchmark has found.
pub struct Report {
    pub name: &'static str,
    pub rows: Vec<Row>,
    /// What was measured against what: sentences for below the table.
    pub notes: Vec<String>,
}

impl Row {
    /// A figure beside that of a baseline, in the same unit.
    pub fn beside(figure: impl Into<String>, ours: Amount, baseline: f64, budget: Budget) -> Self {
        Row { figure: figure.into(), ours, baseline: Some(baseline), budget }
    }

    fn ratio(&self) -> Option<f64> {
        self.baseline.filter(|baseline| *baseline > 0.0).map(|baseline| self.ours.0 / baseline)
    }

    fn verdict(&self) -> String {
        let Amount(value, unit) = self.ours;
        let over = match self.budget {
            Budget::None => return "–".into(),
            Budget::AtMost(most) => (value - most, Amount(value - most, unit).to_string()),
            Budget::AtLeastOf(share) => short(share, self.ratio(), |share, ratio| share - ratio),
            Budget::AtMostOf(times) => short(times, self.ratio(), |times, ratio| ratio - times),
        };
        match over {
            (over, _) if over.is_nan() => "cannot be told: no baseline".into(),
            (over, _) if over <= 0.0 => "meets".into(),
            (_, words) => format!("falls short by {words}"),
        }
    }
}

/// By how much a ratio misses its budget; not a number where there is no ratio.
fn short(budget: f64, ratio: Option<f64>, miss: impl Fn(f64, f64) -> f64) -> (f64, String) {
    let miss = ratio.map_or(f64::NAN, |ratio| miss(budget, ratio));
    (miss, format!("{miss:.2} ×"))
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Amount(value, unit) = *self;
        let (unit, counted) = match unit {
            Unit::Ms => (" ms", false),
            Unit::KiB => (" KiB", false),
            Unit::MiB => (" MiB", false),
            Unit::MegabytesPerSecond => (" MB/s", false),
            Unit::PerSecond => ("/s", false),
            Unit::Tokens => (" tokens", true),
            Unit::Entries => ("", true),
        };
        let decimals = if counted || value >= 100.0 { 0 } else { 2 - usize::from(value >= 10.0) };
        write!(f, "{value:.decimals$}{unit}")
    }
}

/// The whole table, then the notes.
pub fn rendered(reports: &[Report]) -> String {
    let mut lines = vec![["BENCH", "FIGURE", "OURS", "BASELINE", "RATIO", "BUDGET", "VERDICT"].map(str::to_owned)];
    for report in reports {
        for row in &report.rows {
            let unit = row.ours.1;
            let budget = match row.budget {
                Budget::None => "–".into(),
                Budget::AtMost(most) => format!("≤ {}", Amount(most, unit)),
                Budget::AtLeastOf(share) => format!("≥ {share:.2} ×"),
                Budget::AtMostOf(times) => format!("≤ {times:.2} ×"),
            };
            lines.push([
                report.name.to_owned(),
                row.figure.clone(),
                row.ours.to_string(),
                row.baseline.map_or_else(|| "–".into(), |baseline| Amount(baseline, unit).to_string()),
                row.ratio().map_or_else(|| "–".into(), |ratio| format!("{ratio:.2} ×")),
                budget,
                row.verdict(),
            ]);
        }
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Figures stand right, words left.
            let _ = match column {
                2..=4 => write!(shown, "{cell:>width$}  "),
                _ => write!(shown, "{cell:<width$}  "),
            };
        }
        let _ = writeln!(text, "{}", shown.trim_end());
    }
    for report in reports.iter().filter(|report| !report.notes.is_empty()) {
        let _ = writeln!(text, "\n{}: {}", report.name, report.notes.join(" "));
    }
    text
}
