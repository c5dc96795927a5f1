//! What a rule hands in: findings with their severity, and what it could not read. Knows no particular rule.

/// How bad a finding is. The order is the order of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something is broken now, or about to be.
    Critical,
    /// Something is not as it should be.
    Warning,
    /// Worth knowing; nothing is wrong because of it.
    Note,
}

impl Severity {
    /// Its word in the verdict.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::Warning => "Warning",
            Self::Note => "Note",
        }
    }

    /// One step milder, a note at least.
    pub(super) fn milder(self) -> Self {
        match self {
            Self::Critical => Self::Warning,
            Self::Warning | Self::Note => Self::Note,
        }
    }
}

/// One thing that was found, with the figures it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is: one line, no full stop at its end.
    pub text: String,
    /// What a person can do about it, in one line.
    pub advice: Option<String>,
}

/// What one rule hands in.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) findings: Vec<Finding>,
    /// What it could not read, each a reason in words.
    pub(super) gaps: Vec<String>,
}

impl Account {
    pub(super) fn find(&mut self, severity: Severity, text: String) {
        self.findings.push(Finding { severity, text, advice: None });
    }

    pub(super) fn advise(&mut self, severity: Severity, text: String, advice: impl Into<String>) {
        self.findings.push(Finding { severity, text, advice: Some(advice.into()) });
    }

    pub(super) fn gap(&mut self, reason: impl Into<String>) {
        self.gaps.push(reason.into());
    }
}
