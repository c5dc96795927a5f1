//! The verdict: what all observations together mean, in words a frightened person can act on. Knows no clock and no
//! backend; each rule is in its own file.
//!
//! **Invariant:** silence is not health. A check that was not read, or only in part, is named, and "nothing wrong found"
//! is said only of the checks that were read.

use super::{
    Finding, Observation, Reading, Severity, StepOutcome, figures, filesystems, finding::Account, hypervisor,
    kernel_log, load, memory, oom, sections::Sections, services, situation::Situation, space, swap,
};
use crate::verb::Verb;

/// The most findings that are listed in full.
const MOST_FINDINGS: usize = 30;

/// What was found, what to do, and what nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The target's name.
    pub target: String,
    /// The most severe first.
    pub findings: Vec<Finding>,
    /// The power operation that the rules recommend. It is never done by itself.
    pub recommendation: Option<Recommendation>,
    /// The titles of the checks that were read.
    pub read: Vec<String>,
    /// The checks that could not be read, or only in part, each with its reason.
    pub unread: Vec<String>,
}

/// A verb that a person should consider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Which: `start` or `cycle`.
    pub verb: Verb,
    /// Why, and what to know before: a clause without full stop.
    pub because: String,
}

/// Reads all observations, which are in the order in which they were made.
pub fn verdict(target: &str, observed: &[Observation]) -> Verdict {
    let biggest = biggest(observed);
    let situation = Situation::of(observed);
    let mut findings = Vec::new();
    let mut read = Vec::new();
    let mut unread = Vec::new();
    for observation in observed {
        let title = &observation.title;
        let mut account = Account::default();
        match &observation.outcome {
            StepOutcome::Exited { code, output, truncated } => {
                match by_rule(observation.reading, &Sections::of(output), biggest.as_ref(), &mut account) {
                    Ok(()) => {
                        read.push(title.clone());
                        if *truncated {
                            account.gap("its output was cut off, so there may be more");
                        }
                    }
                    Err(reason) if *code == 0 => account.gap(reason),
                    Err(reason) => account.gap(format!("{reason} (exit code {code})")),
                }
            }
            StepOutcome::TimedOut { seconds } => account.gap(format!("not finished within {seconds} s")),
            StepOutcome::Unreachable { why } => {
                account.gap(format!("no answer ({}); commands after it were not tried", figures::plain(why, 160)));
            }
            StepOutcome::Refused { why } => {
                account.gap(format!("refused ({}); commands after it were not tried", figures::plain(why, 160)));
            }
        }
        let further = look_further(observation.reading, observed);
        for finding in account.findings.iter_mut().filter(|finding| finding.severity != Severity::Note) {
            finding.advice = finding.advice.take().or(further.map(str::to_owned));
        }
        findings.append(&mut account.findings);
        unread.extend(account.gaps.into_iter().map(|reason| format!("{title}: {reason}")));
    }
    let (mut contact, recommendation) = situation.findings(target);
    contact.append(&mut findings);
    // What the finding about the filesystem says already need not be said again.
    if let Some(names) = biggest.as_ref().and_then(space::Biggest::names) {
        let said = contact.iter().any(|finding| finding.severity != Severity::Note && finding.text.contains(&names));
        contact.retain(|finding| !said || finding.severity != Severity::Note || !finding.text.ends_with(&names));
    }
    contact.sort_by_key(|finding| finding.severity);
    Verdict { target: figures::plain(target, 64), findings: contact, recommendation, read, unread }
}

fn by_rule(
    reading: Reading,
    output: &Sections<'_>,
    biggest: Option<&space::Biggest>,
    account: &mut Account,
) -> Result<(), String> {
    match reading {
        Reading::Load => load::read(output, account),
        Reading::Memory => memory::read(output, account),
        Reading::Pressure => memory::read_pressure(output, account),
        Reading::TopMemory => memory::read_largest(output, account),
        Reading::Swaps => swap::read(output, account),
        Reading::OomKills => oom::read(output, account),
        Reading::Filesystems => filesystems::read(output, biggest, account),
        Reading::BiggestFiles => space::read_biggest(output, account),
        Reading::Clearable => space::read_clearable(output, account),
        Reading::DeletedOpen => space::read_deleted(output, account),
        Reading::FailedUnits => services::read_failed(output, account),
        Reading::StuckUnits => services::read_stuck(output, account),
        Reading::UnitJournal => services::read_journal(output, account),
        Reading::KernelLog => kernel_log::read(output, account),
        Reading::HypervisorStatus | Reading::Forensics => hypervisor::read(output, account),
        Reading::Answers | Reading::Nothing => Ok(()),
    }
}

/// Which preset goes deeper, if this one did not.
fn look_further(reading: Reading, observed: &[Observation]) -> Option<&'static str> {
    let (deeper, advice) = match reading {
        Reading::Filesystems => (Reading::BiggestFiles, "the preset Disk shows what fills it and what can be cleared"),
        Reading::Memory | Reading::Pressure => (Reading::TopMemory, "the preset Memory shows what holds it"),
        Reading::FailedUnits => (Reading::UnitJournal, "the preset Services shows what they last said"),
        _ => return None,
    };
    observed.iter().all(|observation| observation.reading != deeper).then_some(advice)
}

/// What was found under the fullest filesystem, for the finding about that filesystem.
fn biggest(observed: &[Observation]) -> Option<space::Biggest> {
    observed.iter().find_map(|observation| match (observation.reading, &observation.outcome) {
        (Reading::BiggestFiles, StepOutcome::Exited { output, .. }) => space::Biggest::of(&Sections::of(output)),
        _ => None,
    })
}

impl Verdict {
    /// True if there is more than notes.
    pub fn is_trouble(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity != Severity::Note)
    }

    /// The one line that says it: the worst finding, or what "nothing wrong" rests on.
    pub fn headline(&self) -> String {
        let Self { target, findings, read, unread, .. } = self;
        let serious = findings.iter().filter(|finding| finding.severity != Severity::Note).count();
        match findings.first() {
            Some(worst) if serious > 0 => match serious - 1 {
                0 => format!("{target}: {}", worst.text),
                more => format!("{target}: {} (and {})", worst.text, figures::count(more as u64, "more finding")),
            },
            _ if read.is_empty() => format!("{target}: nothing could be checked"),
            _ if unread.is_empty() => format!("{target}: nothing wrong found by these checks"),
            _ => format!(
                "{target}: nothing wrong found by {} that could be read; see below what was not",
                figures::count(read.len() as u64, "check")
            ),
        }
    }

    /// All of it as plain text: headline; findings, the worst first; what to do next; what was not checked; what was.
    pub fn text(&self) -> String {
        let mut text = self.headline();
        text.push('\n');
        let mut part = |heading: &str, lines: &[String]| {
            if !lines.is_empty() {
                text.push_str(&format!("\n{heading}\n"));
                for line in lines {
                    text.push_str(&format!("- {line}\n"));
                }
            }
        };
        let mut found: Vec<String> = self
            .findings
            .iter()
            .take(MOST_FINDINGS)
            .map(|finding| format!("{}: {}", finding.severity.as_str(), finding.text))
            .collect();
        if self.findings.len() > MOST_FINDINGS {
            found.push(format!("and {} more", self.findings.len() - MOST_FINDINGS));
        }
        part("Found:", &found);
        part("Next:", &self.next_steps());
        part("Not checked:", &self.unread);
        part("Checked:", &if self.read.is_empty() { Vec::new() } else { vec![self.read.join(" · ")] });
        text.truncate(text.trim_end().len());
        text
    }

    /// What the headline rests on and leaves out, a line each: the other findings, the next steps, what nobody knows.
    pub fn facts(&self) -> Vec<String> {
        let found = self.findings.iter().skip(usize::from(self.is_trouble())).take(MOST_FINDINGS);
        let found = found.map(|finding| finding.text.clone());
        let unread = self.unread.iter().map(|reason| format!("not checked: {reason}"));
        found.chain(self.next_steps()).chain(unread).collect()
    }

    /// What a person can do, the recommended verb first.
    fn next_steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        if let Some(Recommendation { verb, because }) = &self.recommendation {
            steps.push(format!("{verb} recommended, because {because}"));
        }
        for advice in self.findings.iter().filter_map(|finding| finding.advice.clone()) {
            if !steps.contains(&advice) {
                steps.push(advice);
            }
        }
        steps
    }
}
