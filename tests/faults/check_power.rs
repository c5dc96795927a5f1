//! What must hold of power verbs, given what the host did and what tappers were told. Pure, as `check` is.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::Event;

use super::{check::Log, tapper::Tap};

/// The runs on record: verb and outcome by id.
pub type Runs = BTreeMap<String, (String, Option<String>)>;

/// The host mutated at most once for each key, nobody was told something else than another, and nobody was told "done"
/// of what was not done.
pub fn taps(taps: &[Tap], runs: &Runs) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut answered = BTreeSet::new();
    for tap in taps {
        let mut fault = |words: String| wrong.push(format!("{} ({}): {words}", tap.key, tap.verb));
        if tap.begun > 1 || tap.started > 1 {
            fault(format!("the host began it {} times and started the VM {} times", tap.begun, tap.started));
        }
        let Some(first) = tap.answers.first() else {
            fault("it was never answered".into());
            continue;
        };
        for other in tap.answers.iter().filter(|other| *other != first) {
            fault(format!("two answers: {first:?} and {other:?}"));
        }
        let word = |name: &str| first.body[name].as_str().unwrap_or_default().to_owned();
        let (outcome, run) = (word("outcome"), word("run_id"));
        let acted = tap.begun == 1 && (tap.verb != "cycle" || tap.started == 1);
        match (outcome.as_str(), first.body["exit_code"].as_i64()) {
            ("done", Some(0)) if !acted || first.status != 200 => {
                fault(format!("done, says {first:?}; begun {} times, started {} times", tap.begun, tap.started));
            }
            ("done", Some(0)) | ("unknown", None) => {}
            ("done", Some(1)) if tap.begun == 1 => {}
            ("refused", _) if tap.begun == 0 => {}
            _ => fault(format!("begun {} times and answered {first:?}", tap.begun)),
        }
        match runs.get(&run) {
            // One that is on record as unknown must not have been told as anything else.
            Some((verb, on_record))
                if verb == tap.verb && [Some(outcome.as_str()), Some("done")].contains(&on_record.as_deref()) => {}
            other => fault(format!("its run {run:?} stands on record as {other:?}")),
        }
        if !answered.insert(run.clone()) {
            fault(format!("run {run} is another key's too"));
        }
    }
    let mutations = runs.iter().filter(|(_, (verb, _))| verb == "cycle" || verb == "reset");
    for (run, (verb, _)) in mutations.filter(|(run, _)| !answered.contains(*run)) {
        wrong.push(format!("nobody asked for the run {run} of {verb}"));
    }
    wrong
}

/// What a key is answered is what the record says of its run.
pub fn answers(taps: &[Tap], runs: &Runs) -> Vec<String> {
    let mut wrong = Vec::new();
    for Tap { key, verb, answers, .. } in taps {
        for body in answers.iter().map(|answer| &answer.body) {
            let on_record =
                body["run_id"].as_str().and_then(|run| runs.get(run)).and_then(|(_, outcome)| outcome.as_deref());
            if body["outcome"].as_str() != on_record {
                wrong.push(format!(
                    "{key} ({verb}) was answered {}, and its run is {on_record:?} on record",
                    body["outcome"]
                ));
            }
        }
    }
    wrong
}

/// Each run that stands in a session begins once and ends once there, as the record says it ended.
pub fn entries(log: &Log, runs: &Runs) -> Vec<String> {
    let mut told: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    for entry in log.entries() {
        if let Event::Verb { run_id, outcome, .. } = entry.event {
            let (begun, ended) = told.entry(run_id.to_string()).or_default();
            match outcome {
                None => *begun += 1,
                Some(outcome) => ended.push(outcome.to_string()),
            }
        }
    }
    let mut wrong = Vec::new();
    for (run, (begun, ended)) in told {
        let on_record = runs.get(&run).and_then(|(_, outcome)| outcome.clone());
        if begun != 1 || ended.len() != 1 || ended.first() != on_record.as_ref() {
            wrong.push(format!(
                "run {run} begins {begun} times in {}, ends as {ended:?}, and is {on_record:?} on record",
                log.session
            ));
        }
    }
    wrong
}
