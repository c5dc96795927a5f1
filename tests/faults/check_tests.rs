//! The checks find what they are there to find: evidence of a run in which all went well, and one change to it at a time.

use domain::sse::Frame;
use serde_json::{Value, json};

use super::{
    calls::Told,
    check::{self, Log},
    check_power::{self, Runs},
    prompter::Asked,
    seen::{Reading, Seen},
    tapper::Tap,
};

fn log(events: &[Value]) -> Log {
    let frame = |(id, event): (u64, &Value)| {
        let mut entry = event.clone();
        entry["id"] = json!(id);
        entry["at"] = json!(1_763_618_700_000_u64);
        (id, entry.to_string())
    };
    Log { session: "s".into(), frames: (0..).zip(events).map(frame).collect() }
}

const TEXT: &str = "!echo p-0 >> effects; echo p-0";

fn turn() -> Vec<Value> {
    vec![
        json!({"kind": "user", "text": TEXT, "by": "script"}),
        json!({"kind": "tool", "tool_id": "0.1", "name": "command", "input": {"command": TEXT}}),
        json!({"kind": "tool_result", "tool_id": "0.1", "output": "p-0\n", "is_error": false, "exit_code": 0, "truncated": false}),
        json!({"kind": "result", "is_error": false, "result": "through", "duration_ms": 1}),
        json!({"kind": "turn_end"}),
    ]
}

fn asked(acknowledged: bool) -> Asked {
    Asked { session: "s".into(), text: TEXT.into(), token: Some("p-0".into()), acknowledged }
}

fn seen(log: &Log) -> Seen {
    let (mut seen, mut reading) = (Seen::default(), Reading::from(Some(0)));
    for (id, data) in &log.frames {
        reading.take(&Frame { id: Some(id.to_string()), event: None, data: data.clone() }, &mut seen);
    }
    seen
}

#[test]
fn a_run_in_which_all_went_well_passes() {
    let log = log(&turn());
    let asked = asked(true);
    assert_eq!(check::ids(&log), [""; 0]);
    assert_eq!(check::client("c", &seen(&log), &log), [""; 0]);
    assert_eq!(check::prompts(&log, &[&asked]), [""; 0]);
    assert_eq!(check::turns(&log), [""; 0]);
    assert_eq!(check::endings(&log), [""; 0]);
    assert_eq!(check::effects(&log, &[&asked], &["p-0"]), [""; 0]);
}

#[test]
fn a_gap_a_loss_and_a_change_are_found() {
    let whole = log(&turn());
    let mut gap = whole.clone();
    gap.frames.remove(2);
    assert!(!check::ids(&gap).is_empty());
    assert!(!check::client("c", &seen(&gap), &whole).is_empty(), "it skipped an entry within a connection");
    assert!(!check::client("c", &seen(&whole), &gap).is_empty(), "what it saw is gone");
    let mut short = whole.clone();
    short.frames.pop();
    assert!(!check::client("c", &seen(&short), &whole).is_empty(), "it was not given the last one");
    let mut changed = whole.clone();
    changed.frames[2].1 = changed.frames[2].1.replace("p-0", "p-1");
    assert!(!check::client("c", &seen(&changed), &whole).is_empty());
    let mut twice = seen(&whole);
    let frame = Frame { id: Some("2".into()), event: None, data: changed.frames[2].1.clone() };
    Reading::from(Some(2)).take(&frame, &mut twice);
    assert!(twice.faults[0].contains("two contents"));
}

#[test]
fn a_reset_and_a_wrong_head_are_found() {
    let mark = |event: &str| Frame { id: None, event: Some(event.into()), data: r#"{"head":3}"#.into() };
    let mut seen = Seen::default();
    Reading::from(Some(4)).take(&mark("caught-up"), &mut seen);
    assert_eq!(seen.faults, [""; 0]);
    Reading::from(Some(5)).take(&mark("caught-up"), &mut seen);
    Reading::from(Some(4)).take(&mark("reset"), &mut seen);
    assert_eq!(seen.faults.len(), 2);
}

#[test]
fn a_prompt_lost_doubled_or_made_up_is_found() {
    let (one, two) = (log(&turn()), log(&[turn(), turn()].concat()));
    assert!(!check::prompts(&two, &[&asked(true)]).is_empty());
    assert!(!check::prompts(&two, &[&asked(false)]).is_empty());
    assert!(!check::prompts(&log(&[]), &[&asked(true)]).is_empty());
    assert!(!check::prompts(&one, &[]).is_empty());
    assert_eq!(check::prompts(&one, &[&asked(false)]), [""; 0]);
    assert_eq!(check::prompts(&log(&[]), &[&asked(false)]), [""; 0]);
    assert!(!check::effects(&one, &[&asked(true)], &["p-0", "p-0"]).is_empty());
    assert!(!check::effects(&one, &[&asked(true)], &[]).is_empty());
}

#[test]
fn a_turn_without_an_end_or_with_two_is_found() {
    let mut open = turn();
    open.pop();
    assert!(!check::turns(&log(&open)).is_empty());
    assert!(!check::turns(&log(&[open, turn()].concat())).is_empty());
    let mut twice = turn();
    twice.push(json!({"kind": "turn_end"}));
    assert!(!check::turns(&log(&twice)).is_empty());
    let mut two_ways = turn();
    two_ways.insert(4, json!({"kind": "error", "error": "the server ended"}));
    assert!(!check::endings(&log(&two_ways)).is_empty());
}

fn tap(outcome: &str, code: Option<i32>, begun: usize, started: u64) -> Tap {
    let body = json!({"run_id": "r", "outcome": outcome, "exit_code": code});
    let answers = vec![Told { status: if code == Some(0) { 200 } else { 502 }, body }];
    Tap { key: "k".into(), verb: "cycle", answers, begun, started }
}

fn runs(outcome: &str) -> Runs {
    Runs::from([("r".into(), ("cycle".into(), Some(outcome.into())))])
}

#[test]
fn a_mutation_doubled_or_claimed_is_found() {
    let check = |tap: Tap, on_record: &str| check_power::taps(&[tap], &runs(on_record));
    assert_eq!(check(tap("done", Some(0), 1, 1), "done"), [""; 0]);
    assert_eq!(check(tap("unknown", None, 1, 1), "unknown"), [""; 0]);
    assert_eq!(check(tap("unknown", None, 0, 0), "unknown"), [""; 0]);
    assert!(!check(tap("done", Some(0), 0, 0), "done").is_empty());
    assert!(!check(tap("done", Some(0), 2, 2), "done").is_empty());
    assert!(!check(tap("unknown", None, 2, 1), "unknown").is_empty());
    assert!(!check(tap("done", Some(0), 1, 1), "unknown").is_empty());
    assert!(!check_power::answers(&[tap("unknown", None, 1, 1)], &runs("done")).is_empty());
    assert_eq!(check_power::answers(&[tap("done", Some(0), 1, 1)], &runs("done")), [""; 0]);
    assert!(!check(tap("refused", Some(75), 1, 0), "refused").is_empty());
    let mut told = tap("unknown", None, 1, 1);
    told.answers.extend(tap("done", Some(0), 1, 1).answers);
    assert!(!check(told, "unknown").is_empty());
    assert!(!check_power::taps(&[], &runs("done")).is_empty(), "a run that nobody asked for");
}

#[test]
fn a_run_that_does_not_end_in_its_session_is_found() {
    let id = "3f2b8c1e-0000-4000-8000-00000000000a";
    let verb = |outcome: Option<&str>| json!({"kind": "verb", "run_id": id, "verb": "cycle", "by": "script", "outcome": outcome, "exit_code": null});
    let runs = Runs::from([(id.into(), ("cycle".into(), Some("unknown".into())))]);
    assert_eq!(check_power::entries(&log(&[verb(None), verb(Some("unknown"))]), &runs), [""; 0]);
    assert!(!check_power::entries(&log(&[verb(None)]), &runs).is_empty());
    assert!(!check_power::entries(&log(&[verb(None), verb(Some("done"))]), &runs).is_empty());
    let twice = [verb(None), verb(Some("unknown")), verb(Some("unknown"))];
    assert!(!check_power::entries(&log(&twice), &runs).is_empty());
}
