//! The power actions: who ran what with which outcome, what the host said, and what evidence it took before it acted.

use std::fmt::Write as _;

use super::{Incident, fence, one_line, shortened};
use crate::{
    call::Run,
    evidence::Evidence,
    ids::duration_text,
    runbook::{hypervisor::Machine, sections::Sections},
    verb::Outcome,
};

/// How many lines of what the host said are told.
const LINES: usize = 20;

pub(super) fn write(out: &mut String, incident: &Incident<'_>) {
    if incident.runs.is_empty() {
        return;
    }
    out.push_str("## Power actions\n\n");
    for run in incident.runs {
        tell(out, run, incident);
    }
}

fn tell(out: &mut String, run: &Run, incident: &Incident<'_>) {
    let _ = writeln!(out, "### {} {}, by {}\n", run.started.utc_time(), run.verb, one_line(&run.by));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "- **{name}:** {}", one_line(&value));
    };
    let outcome = match run.outcome {
        None => "still running".to_owned(),
        Some(outcome) => outcome.told(run.exit_code).1,
    };
    let code = run.exit_code.filter(|code| *code == 0).map(|_| ", exit code 0").unwrap_or_default();
    let took = run.ended.map(|_| format!(", {}", duration_text(run.duration_ms()))).unwrap_or_default();
    line("Outcome", format!("{outcome}{code}{took}"));
    if let Some(detail) = &run.detail {
        line("Note", detail.clone());
    }
    let found = if run.outcome.is_some_and(|outcome| outcome != Outcome::Refused) {
        Evidence::of(&run.stdout)
    } else {
        Evidence { rest: run.stdout.clone(), ..Evidence::default() }
    };
    if !found.forensics.is_empty() {
        if let Some(vm) = Machine::of(&Sections::of(found.forensics)) {
            let qemu = vm.qmpstatus.filter(|qemu| *qemu != vm.status).map(|qemu| format!(" (QEMU: {qemu})"));
            line("VM before it", format!("{}{}", vm.status, qemu.unwrap_or_default()));
        }
        let holds = if found.parts.is_empty() { format!("{} looks", found.headings()) } else { found.parts.join(", ") };
        match found.capture {
            Some(capture) => line("Forensics", format!("capture `{capture}` holds {holds}")),
            None => line("Forensics", format!("{holds}; the host could not keep the capture")),
        }
    } else if run.verb.mutates() && run.outcome == Some(Outcome::Done) {
        line("Forensics", "none stand in its output".into());
    }
    line("Run", run.run_id.to_string());
    out.push('\n');
    let said = format!("{}\n{}", found.rest.trim_end(), run.stderr);
    if !said.trim().is_empty() {
        fence(out, &shortened((incident.clean)(said.trim()).as_str(), LINES));
    }
}
