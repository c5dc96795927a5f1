//! What a report says, and that it can be made of anything.

use proptest::prelude::*;

use super::*;
use crate::{
    figure::Figure,
    ids::EntryId,
    log::Head,
    permission::Decision,
    testing::any_log,
    verb::{Outcome, Verb},
};

const BEGAN: u64 = 1_795_167_056_000;

fn summary() -> SessionSummary {
    SessionSummary {
        id: "00000000-0000-4000-8000-000000000000".parse().unwrap(),
        created: Millis(BEGAN),
        title: Some("what is wrong?".into()),
        turn_active: false,
        last_event_id: Head(None),
        archived: false,
    }
}

fn written(entries: &[Entry], runs: &[Run], status: Option<&TargetStatus>) -> String {
    markdown(&Incident {
        summary: &summary(),
        target: "devvm",
        practice: false,
        entries,
        runs,
        status,
        now: Millis(BEGAN + 60_000),
        clean: &|text| text.replace("hunter2", "[redacted]"),
    })
}

fn entries(log: impl IntoIterator<Item = Event>) -> Vec<Entry> {
    let at = |id| Millis(BEGAN + id * 1000);
    log.into_iter().zip(0..).map(|(event, id)| Entry { id: EntryId(id), at: at(id), event }).collect()
}

fn command(output: String) -> [Event; 2] {
    let input = serde_json::json!({"command": "ssh devvm df"});
    [
        Event::Tool { tool_id: "t".into(), name: "Bash".into(), input, parent: None },
        Event::ToolResult {
            tool_id: "t".into(),
            output,
            is_error: true,
            exit_code: Some(1),
            truncated: false,
            whole: None,
        },
    ]
}

#[test]
fn a_date_is_the_right_one() {
    assert_eq!(Millis(0).utc_date_time(), "1970-01-01 00:00:00 UTC");
    assert_eq!(Millis(951_782_400_000).utc_date_time(), "2000-02-29 00:00:00 UTC");
    assert_eq!(Millis(BEGAN).utc_date_time(), "2026-11-20 09:30:56 UTC");
}

#[test]
fn it_tells_who_did_what_in_order_and_how_it_ended() {
    let [tool, result] = command("```\n100% /".into());
    let run_id = "11111111-0000-4000-8000-000000000000".parse().unwrap();
    let verb = |outcome, exit_code| Event::Verb { run_id, verb: Verb::Cycle, by: "bo".into(), outcome, exit_code };
    let log = entries([
        Event::User { text: "what is wrong?".into(), by: "ada".into(), steered: false },
        Event::Session { session_id: "s".into(), model: "sonnet".into() },
        tool,
        result,
        Event::Permission {
            request_id: "p".into(),
            tool: "Bash".into(),
            input: serde_json::json!({"command": "rm x"}),
        },
        Event::Decision {
            request_id: "p".into(),
            decision: Decision::Deny,
            by: "cy".into(),
            message: Some("not that one".into()),
        },
        Event::Text { text: "# The disk is full.\nMake room.".into() },
        Event::Figures {
            figures: vec![Figure { name: "/".into(), percent: 100, words: "9.9 of 9.9 GiB".into(), high: true }],
        },
        Event::Result { is_error: false, result: "disk full".into(), duration_ms: 90_000, cost_usd: Some(0.1234) },
        Event::TurnEnd,
        verb(Some(Outcome::Done), Some(0)),
        Event::Check { ok: true, text: "devvm: all answers".into(), facts: vec!["SSH answered".into()] },
    ]);
    let report = written(&log, &[], None);
    let order = [
        "# devvm: what is wrong?",
        "- **Target:** devvm\n",
        "- **When:** 2026-11-20 09:30:56 UTC to 09:31:07 UTC (11 s)",
        "- **Who:** ada, an AI agent (sonnet), cy, bo\n",
        "- **Outcome:** disk full; checked by the console at 09:31: devvm: all answers",
        "## In short\n\n> # The disk is full.\n> Make room.",
        "## Timeline\n\n### 2026-11-20",
        "**09:30:56 ada asked:**\n\n> what is wrong?",
        "09:30:58 Bash (exit code 1, 1.0 s)\n\n```text\nssh devvm df\n```\n\n````text\n```\n100% /\n````",
        "**denied by cy (not that one)**\n\n```text\nBash: rm x",
        "Answer:** see *In short* above.",
        "Seen: / 100 % (9.9 of 9.9 GiB)",
        "Finished in 90 s, for $0.12: disk full",
        "cycle** by bo: **done** (run 11111111, see below)",
        "09:31:07 Checked by the console: devvm: all answers\n  - SSH answered",
        "## State now\n\nNot looked at",
    ];
    let mut from = 0;
    for text in order {
        from += report[from..].find(text).unwrap_or_else(|| panic!("{text:?} in order in\n{report}"));
    }
}

#[test]
fn an_output_is_cleaned_before_it_is_cut_and_its_end_is_kept() {
    let lines: Vec<_> = (0..200).map(|n| format!("line {n} hunter2")).chain(["x".repeat(5000)]).collect();
    let [tool, result] = command(lines.join("\n"));
    let report = written(&entries([tool, result]), &[], None);
    assert!(!report.contains("hunter2") && report.contains("line 0 [redacted]"), "{report}");
    assert!(
        report.contains("line 199") && !report.contains("line 100") && report.contains("161 lines left out"),
        "{report}"
    );
    assert!(report.lines().all(|line| line.len() < 500), "no endless line");
}

#[test]
fn a_power_action_tells_what_the_vm_was_before_it_and_where_the_evidence_is() {
    let stdout = "cycle: VM 102, forensics first\n== about ==\nverb: cycle\n== qm status ==\nstatus: running\nqmpstatus: io-error\n\
                  == end of forensics ==\ncapture-parts: about screenshot\ncapture: 20261120T120000.1-cycle.abc\n\
                  cycle: done: VM 102 is running\n";
    let id = "11111111-0000-4000-8000-000000000000".parse().unwrap();
    let run = Run::begun(id, Verb::Cycle, "ada".into(), None, Millis(BEGAN));
    let ended = Run {
        ended: Some(Millis(BEGAN + 30_000)),
        outcome: Some(Outcome::Done),
        exit_code: Some(0),
        stdout: stdout.into(),
        ..run.clone()
    };
    let report = written(&[], &[ended, run], None);
    for text in [
        "### 09:30:56 cycle, by ada\n",
        "- **Outcome:** done, exit code 0, 30 s\n",
        "- **VM before it:** running (QEMU: io-error)\n",
        "- **Forensics:** capture `20261120T120000.1-cycle.abc` holds about, screenshot\n",
        "cycle: VM 102, forensics first\ncycle: done: VM 102 is running\n```",
        "- **Outcome:** still running\n",
    ] {
        assert!(report.contains(text), "{text:?} in\n{report}");
    }
}

#[test]
fn a_session_that_still_runs_and_one_in_which_nothing_happened_have_a_report() {
    let mut running = summary();
    running.turn_active = true;
    let of = |summary: &SessionSummary| {
        let clean = |text: &str| text.to_owned();
        let (practice, now) = (true, Millis(BEGAN));
        markdown(&Incident {
            summary,
            target: "devvm",
            practice,
            entries: &[],
            runs: &[],
            status: None,
            now,
            clean: &clean,
        })
    };
    assert!(of(&running).contains("**Outcome:** still being worked on") && of(&running).contains("This was a drill"));
    let nothing = written(&[], &[], None);
    assert!(
        nothing.contains("**Outcome:** open") && nothing.contains("Nothing happened in this session yet."),
        "{nothing}"
    );
}

#[test]
fn a_file_is_named_by_its_day_and_target_in_plain_letters() {
    assert_eq!(file_name(&summary(), "devvm"), "incident-2026-11-20-devvm-00000000");
    assert_eq!(file_name(&summary(), "This Machine \"ü\"/.."), "incident-2026-11-20-this-machine-00000000");
    assert_eq!(file_name(&summary(), "…"), "incident-2026-11-20-target-00000000");
}

proptest! {
    #[test]
    fn any_log_has_a_report(log in any_log()) {
        prop_assert!(written(&log, &[], None).starts_with("# devvm"));
    }
}
