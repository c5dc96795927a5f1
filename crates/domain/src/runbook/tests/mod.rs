//! The runbook as its users meet it: recorded outputs in, the verdict's words out; and properties for any output.
//! This file has what the others share.

mod any;
mod disk;
mod hypervisor;
mod kernel_log;
mod plan;
mod target;

use super::*;
use crate::preset::{Presets, Step};

fn ran(reading: Reading, output: &str) -> Observation {
    seen(reading, StepOutcome::Exited { code: 0, output: output.to_owned(), truncated: false })
}

fn seen(reading: Reading, outcome: StepOutcome) -> Observation {
    Observation { reading, title: format!("{reading:?}"), outcome }
}

fn silent() -> StepOutcome {
    StepOutcome::Unreachable { why: "connect to host devvm port 22: Connection timed out".to_owned() }
}

fn late() -> StepOutcome {
    StepOutcome::TimedOut { seconds: 20 }
}

fn text(observed: &[Observation]) -> String {
    verdict("devvm", observed).text()
}

fn fine() -> StepOutcome {
    StepOutcome::Exited { code: 0, output: String::new(), truncated: false }
}

#[track_caller]
fn says(observed: &[Observation], wanted: &[&str]) {
    let text = text(observed);
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted:?} is missing in:\n{text}");
    }
}

#[track_caller]
fn says_nothing_of(observed: &[Observation], unwanted: &[&str]) {
    let text = text(observed);
    for unwanted in unwanted {
        assert!(!text.contains(unwanted), "{unwanted:?} is in:\n{text}");
    }
}

fn preset(id: &str) -> Vec<Step> {
    let list: Presets = toml::from_str(include_str!("../../../../../agents/presets.toml")).expect("the list");
    list.get(&id.parse().expect("an id")).expect("the preset").step.clone()
}
