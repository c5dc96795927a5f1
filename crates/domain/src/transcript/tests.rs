//! The fold's promises, over arbitrary logs, and its joins one by one.

use proptest::prelude::*;

use super::*;
use crate::testing::any_log;

proptest! {
    #[test]
    fn any_order_and_duplication_folds_to_the_fold_of_the_log(
        (log, shuffled) in any_log().prop_flat_map(|log| {
            let doubled: Vec<Entry> = log.iter().chain(log.iter()).cloned().collect();
            (Just(log), Just(doubled).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(Transcript::of(&shuffled), Transcript::of(&log));
    }

    #[test]
    fn a_split_anywhere_with_any_overlap_folds_to_the_fold_of_the_log(
        log in any_log(), cut in any::<prop::sample::Index>(), back in 0usize..20,
    ) {
        let cut = cut.index(log.len() + 1);
        let mut transcript = Transcript::of(&log[..cut]);
        for entry in &log[cut.saturating_sub(back)..] {
            transcript.apply(entry);
        }
        prop_assert_eq!(transcript, Transcript::of(&log));
    }

    #[test]
    fn what_was_folded_is_known_by_its_ends(log in any_log()) {
        let transcript = Transcript::of(&log);
        prop_assert_eq!(transcript.oldest(), log.first().map(|entry| entry.id));
        prop_assert_eq!(transcript.newest(), log.last().map(|entry| entry.id));
    }

    #[test]
    fn the_ends_of_what_is_left_after_forgetting_do_not_lie(log in any_log(), old in 0usize..40, new in 0usize..40) {
        let mut transcript = Transcript::of(&log);
        let newest = transcript.newest();
        transcript.forget_oldest(old);
        prop_assert_eq!(transcript.newest(), newest);
        let oldest = transcript.oldest();
        transcript.forget_newest(new);
        prop_assert_eq!(transcript.oldest(), oldest);
        // All between the ends is there, and nothing else: what lies outside is new to it.
        let (oldest, newest) = (transcript.oldest(), transcript.newest());
        for entry in &log {
            let inside = oldest <= Some(entry.id) && Some(entry.id) <= newest;
            prop_assert_eq!(transcript.clone().apply(entry), !inside, "{:?} in {:?}..{:?}", entry.id, oldest, newest);
        }
        let whole = Transcript::of(&log);
        let bounded = transcript.len() <= old.max(1).min(new.max(1)) || whole.waiting().is_some() || whole.is_empty();
        prop_assert!(bounded, "{} rows", transcript.len());
    }

    #[test]
    fn what_was_forgotten_is_learnt_again(
        (log, again) in any_log().prop_flat_map(|log| (Just(log.clone()), Just(log).prop_shuffle())),
        old in 0usize..40,
        new in 0usize..40,
    ) {
        let mut transcript = Transcript::of(&log);
        transcript.forget_oldest(old);
        transcript.forget_newest(new);
        for entry in &again {
            transcript.apply(entry);
        }
        prop_assert_eq!(transcript, Transcript::of(&log));
    }

    #[test]
    fn forgetting_what_is_old_hides_neither_the_turn_nor_what_waits(log in any_log(), rows in 0usize..40) {
        let whole = Transcript::of(&log);
        let mut transcript = whole.clone();
        transcript.forget_oldest(rows);
        prop_assert_eq!(transcript.turn_open(), whole.turn_open());
        prop_assert_eq!(transcript.waiting(), whole.waiting());
    }

    #[test]
    fn folding_twice_changes_nothing(log in any_log()) {
        let mut transcript = Transcript::of(&log);
        let before = transcript.clone();
        for entry in &log {
            prop_assert!(!transcript.apply(entry));
        }
        prop_assert_eq!(transcript, before);
    }
}

#[test]
fn a_tool_and_its_result_are_one_row() {
    let tool = |id, event| Entry { id: EntryId(id), at: Millis(id * 1000), event };
    let log = [
        tool(
            0,
            Event::Tool {
                tool_id: "t".into(),
                name: "command".into(),
                input: serde_json::json!({"command": "uptime", "title": "Uptime and load"}),
                parent: None,
            },
        ),
        tool(
            2,
            Event::ToolResult {
                tool_id: "t".into(),
                output: "up".into(),
                is_error: false,
                exit_code: Some(0),
                truncated: false,
                whole: None,
            },
        ),
    ];
    let transcript = Transcript::of(&log);
    assert_eq!(transcript.rows().count(), 1);
    let Item::Tool { line, end: Some(end), .. } = &transcript.rows().next().unwrap().item else {
        panic!("not a finished tool");
    };
    assert_eq!((line.as_str(), end.duration_ms), ("uptime", Some(2000)));
}

#[test]
fn a_tool_whose_turn_ended_without_its_result_is_not_shown_as_running() {
    let entry = |id, event| Entry { id: EntryId(id), at: Millis(0), event };
    let tool = Event::Tool { tool_id: "t".into(), name: "command".into(), input: Default::default(), parent: None };
    let log = [entry(0, tool), entry(1, Event::TurnEnd)];
    for order in [[0, 1], [1, 0]] {
        let transcript = Transcript::of(order.map(|place| &log[place]));
        let Item::Tool { end: None, abandoned, .. } = &transcript.rows().next().unwrap().item else { panic!() };
        assert!(*abandoned);
    }
}

#[test]
fn a_turn_is_open_from_its_prompt_to_its_end() {
    let entry = |id, event| Entry { id: EntryId(id), at: Millis(0), event };
    let mut transcript = Transcript::default();
    assert_eq!(transcript.turn_open(), None);
    transcript.apply(&entry(0, Event::User { text: "x".into(), by: "ada".into(), steered: false }));
    assert_eq!(transcript.turn_open(), Some(true));
    transcript.apply(&entry(1, Event::TurnEnd));
    assert_eq!(transcript.turn_open(), Some(false));
}

/// A log of events, one a second.
fn log(events: impl IntoIterator<Item = Event>) -> Vec<Entry> {
    let entry = |(id, event)| Entry { id: EntryId(id), at: Millis(id * 1000), event };
    (0..).zip(events).map(entry).collect()
}

fn asked(request_id: &str, command: &str) -> Event {
    let input = serde_json::json!({ "command": command });
    Event::Permission { request_id: request_id.into(), tool: "Bash".into(), input }
}

fn decided(request_id: &str, decision: Decision) -> Event {
    Event::Decision { request_id: request_id.into(), decision, by: "ada".into(), message: None }
}

fn prompt(text: &str, steered: bool) -> Event {
    Event::User { text: text.into(), by: "ada".into(), steered }
}

#[test]
fn the_oldest_undecided_permission_is_what_waits() {
    let events = [asked("a", "one"), asked("b", "two"), decided("a", Decision::AllowOnce), Event::TurnEnd];
    let waiting = |count: usize| {
        let transcript = Transcript::of(&log(events[..count].to_vec()));
        transcript.waiting().map(|row| row.id.0)
    };
    assert_eq!([1, 2, 3, 4].map(waiting), [Some(0), Some(0), Some(1), None]);
}

#[test]
fn a_permission_and_its_decision_are_one_row_whichever_comes_first() {
    let log = log([asked("a", "reboot"), decided("a", Decision::Deny), Event::TurnEnd]);
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [2, 0, 1]] {
        let transcript = Transcript::of(order.map(|place| &log[place]));
        let rows: Vec<_> = transcript.rows().collect();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        let Item::Permission { line, end: Some(end), .. } = &row.item else { panic!("{row:?}") };
        assert_eq!((line.as_str(), end.decision, end.by.as_str()), ("reboot", Decision::Deny, "ada"));
    }
}

#[test]
fn nothing_of_what_is_to_be_allowed_is_left_out() {
    let input = serde_json::json!({
        "content": "[Service]\nMemoryMax=4G", "file_path": "/etc/a", "mode": 420, "dry": false,
        "edits": [{"old": "a", "new": "b"}, "c", null],
    });
    let event = Event::Permission { request_id: "a".into(), tool: "Write".into(), input };
    let transcript = Transcript::of(&log([event]));
    let Item::Permission { line, .. } = &transcript.rows().next().unwrap().item else { panic!() };
    assert_eq!(
        line,
        "dry: false\nfile_path: /etc/a\nmode: 420\ncontent: [Service]\nMemoryMax=4G\nedits: new: b\nold: a\nc\n"
    );
}

#[test]
fn a_failed_turn_is_known_by_what_was_asked_until_something_else_happens() {
    let error = Event::Error { error: "overloaded".into() };
    let events = [prompt("Triage", false), prompt("be quick", true), error, Event::TurnEnd, prompt("again", false)];
    let failed = |count: usize| Transcript::of(&log(events[..count].to_vec())).failed().map(str::to_owned);
    assert_eq!([1, 2, 3, 4, 5].map(failed), [None, None, None, Some("Triage".to_owned()), None]);
}
