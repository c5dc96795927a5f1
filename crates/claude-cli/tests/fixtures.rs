//! What real lines of the CLI decode to. `fixtures/README.md` says how each was recorded; `snapshots/` holds what is
//! read out of it, and the tests below what of it matters.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "recordings/drafts.rs"]
mod drafts;
#[path = "recordings/failures.rs"]
mod failures;

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use claude_cli::{
    draft::{Change, Draft},
    lines::{Line, Lines},
    said::{Finished, Lifecycle, Partial, Said, ToolResult, decode},
};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The names of all fixtures, without the endings of their files.
fn names() -> BTreeSet<String> {
    let name = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_str().unwrap().to_owned();
    let names: BTreeSet<String> = fs::read_dir(folder()).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.into_iter().filter(|name| name != "README").collect()
}

fn raw(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.jsonl"))).unwrap()
}

fn stderr(name: &str) -> Option<String> {
    fs::read_to_string(folder().join(format!("{name}.stderr"))).ok()
}

/// What the recording says, read as a pipe gives it.
fn said(name: &str) -> Vec<Said> {
    let mut lines = Lines::default();
    let mut whole: Vec<Line> = raw(name).chunks(4096).flat_map(|piece| lines.push(piece)).collect();
    whole.extend(lines.finish());
    let decoded = |line| match line {
        Line::Whole(line) => decode(&line),
        Line::TooLong { bytes } => panic!("{name} has a line of {bytes} bytes"),
    };
    whole.into_iter().flat_map(decoded).collect()
}

fn texts(said: &[Said]) -> Vec<&str> {
    said.iter().filter_map(|said| if let Said::Text { text, .. } = said { Some(&**text) } else { None }).collect()
}

fn results(said: &[Said]) -> Vec<&ToolResult> {
    said.iter().filter_map(|said| if let Said::ToolResult(result) = said { Some(result) } else { None }).collect()
}

fn finished(said: &[Said]) -> Vec<&Finished> {
    said.iter().filter_map(|said| if let Said::Finished(finished) = said { Some(finished) } else { None }).collect()
}

/// The only result of the only turn.
fn only_result(name: &str) -> ToolResult {
    let said = said(name);
    let [result] = *results(&said) else { panic!("{name} has not one result") };
    result.clone()
}

fn only_finish(name: &str) -> Finished {
    let said = said(name);
    let [finished] = *finished(&said) else { panic!("{name} has not one turn") };
    finished.clone()
}

/// A text on one line, cut to what can be read.
fn short(text: &str) -> String {
    let length = text.chars().count();
    let cut: String = text.chars().take(90).collect();
    if length > 90 { format!("{cut:?}… ({length} characters)") } else { format!("{cut:?}") }
}

fn whose(parent: &Option<String>) -> String {
    parent.as_ref().map(|parent| format!(" for {parent}")).unwrap_or_default()
}

/// What is said, on one line.
fn line(said: &Said) -> String {
    match said {
        Said::Init { session_id, model, tools, permission_mode, version } => {
            let version = version.as_deref().unwrap_or("-");
            format!("init {session_id} {model} {permission_mode} {version} {}", short(&tools.join(" ")))
        }
        Said::Text { message_id, text, parent } => format!("text {message_id} {}{}", short(text), whose(parent)),
        Said::Tool { tool_id, name, input, parent } => {
            format!("tool {tool_id} {name} {}{}", short(&input.to_string()), whose(parent))
        }
        Said::ToolResult(result) => {
            let mut line = format!("tool result {} {}", result.tool_id, short(&result.output));
            if result.is_error {
                line.push_str(" error");
            }
            if let Some(code) = result.exit_code {
                write!(line, " exit code {code}").unwrap();
            }
            if result.truncated {
                line.push_str(" truncated");
            }
            if let Some(whole) = &result.whole {
                write!(line, " whole {:?} at {}", whole.bytes, whole.path).unwrap();
            }
            line + &whose(&result.parent)
        }
        Said::Finished(end) => {
            let mut line = format!("finished {} is_error={} {:?}", end.subtype, end.is_error, end.terminal_reason);
            if let Some(result) = &end.result {
                write!(line, " {}", short(result)).unwrap();
            }
            write!(line, " errors={:?} denials={:?} turns={}", end.errors, end.denials, end.num_turns).unwrap();
            write!(line, " ms={} usd={:?} input={:?}", end.duration_ms, end.total_cost_usd, end.input_tokens).unwrap();
            line
        }
        Said::Partial { parent, partial } => format!("partial {partial:?}{}", whose(parent)),
        Said::ApiError { text, kind, status } => format!("api error {kind} {status:?} {}", short(text)),
        Said::Denied { tool, tool_id, text } => format!("denied {tool} {tool_id:?} {}", short(text)),
        Said::Replay { uuid, text } => format!("replay {uuid:?} {}", short(text)),
        Said::Note { kind, text } => format!("note {kind} {}", short(text)),
        said => format!("{said:?}"),
    }
}

#[test]
fn every_recording_decodes_as_its_snapshot_says() {
    for name in names() {
        let mut shown = String::new();
        for said in said(&name) {
            writeln!(shown, "{}", line(&said)).unwrap();
        }
        for line in stderr(&name).unwrap_or_default().lines() {
            writeln!(shown, "stderr: {line}").unwrap();
        }
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(&*name, shown) });
    }
}

#[test]
fn every_fixture_is_accounted_for_and_shows_nothing_of_the_machine_it_was_recorded_on() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()));
    assert_eq!(rows.collect::<BTreeSet<String>>(), names(), "one row of README.md for each fixture");
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().display().to_string();
    for name in names() {
        let both = String::from_utf8(raw(&name)).unwrap() + &stderr(&name).unwrap_or_default();
        assert!(!both.contains(&checkout) && !both.contains("/root/"), "{name} holds a path of the machine");
        assert!(both.len() <= 60_000, "{name} is too long");
    }
}

#[test]
fn every_line_is_json_and_says_something() {
    for name in names() {
        assert!(!said(&name).contains(&Said::Malformed), "{name}");
    }
}

#[test]
fn three_texts_are_of_one_message() {
    let said = said("three_texts");
    let id = |said: &Said| if let Said::Text { message_id, .. } = said { Some(message_id.clone()) } else { None };
    assert_eq!(texts(&said), ["First block.", "Second block.", "Third block."]);
    assert_eq!(said.iter().filter_map(id).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(only_finish("three_texts").result.as_deref(), Some("Third block."), "only the last is in the result");
}

#[test]
fn results_of_parallel_tools_come_in_the_order_of_completion() {
    let said = said("parallel");
    let call = |said: &Said| if let Said::Tool { tool_id, .. } = said { Some(tool_id.clone()) } else { None };
    let calls: Vec<String> = said.iter().filter_map(call).collect();
    let ends: Vec<&str> = results(&said).iter().map(|result| &*result.tool_id).collect();
    assert_eq!(ends, [&*calls[1], &*calls[0]], "the first call sleeps, so that the second ends first");
    assert_eq!(results(&said)[0].output, "two");
}

#[test]
fn a_failed_command_has_its_exit_code_and_keeps_its_output_as_it_is() {
    let result = only_result("bash_failed");
    assert!(result.is_error && !result.truncated);
    assert_eq!((result.exit_code, &*result.output), (Some(3), "Exit code 3\nout\nerr"));
    let result = only_result("bash_timeout");
    assert_eq!(result.exit_code, Some(143));
    assert!(result.output.contains("Command timed out after 3s"));
    let fine = only_result("bash_stderr");
    assert!(!fine.is_error);
    assert_eq!((fine.exit_code, &*fine.output), (None, "out\nerr"));
}

#[test]
fn a_big_output_is_its_first_30000_characters_and_says_where_the_rest_is() {
    let result = only_result("bash_big");
    assert_eq!(result.output.chars().count(), 30_000);
    assert!(result.truncated && result.output.starts_with("xxxx"));
    let whole = result.whole.unwrap();
    assert_eq!(whole.bytes, Some(1_009_999));
    assert!(whole.path.ends_with(".txt"));
}

#[test]
fn a_big_search_is_its_first_30000_characters() {
    let result = only_result("grep_big");
    assert_eq!(result.output.chars().count(), 30_000);
    assert!(result.truncated && result.output.starts_with("log.txt:1:0 systemd[1]"));
}

#[test]
fn a_failed_command_with_a_big_output_lacks_its_middle() {
    let result = only_result("bash_failed_big");
    assert_eq!((result.exit_code, result.truncated, result.whole), (Some(7), true, None));
    assert!(result.output.contains("\n... [20012 characters truncated] ...\n"));
}

#[test]
fn a_command_that_writes_what_the_cli_would_names_no_file_to_read() {
    let result = only_result("fake_preview");
    assert_eq!((result.truncated, result.whole), (false, None));
    assert!(result.output.starts_with("<persisted-output>"), "its output is not touched");
}

#[test]
fn half_of_a_character_costs_that_character_and_no_line() {
    let said = said("lone_surrogate");
    assert_eq!(texts(&said), ["half \u{fffd} of a pair, and a tool", "ok"]);
    let is_tool = |said: &&Said| matches!(said, Said::Tool { .. });
    let Some(Said::Tool { input, .. }) = said.iter().find(is_tool) else { panic!("the tool is lost") };
    assert_eq!(input["command"], "echo 'half \u{fffd}'");
}

#[test]
fn a_heartbeat_names_the_tool_that_works() {
    let said = said("bash_35s");
    let progress = Said::Progress { tool_id: results(&said)[0].tool_id.clone(), seconds: 30 };
    assert!(said.contains(&progress));
}

#[test]
fn what_runs_in_the_background_goes_on_after_the_turn_and_begins_another() {
    for name in ["subagent_background", "bash_background", "bash_timeout_background"] {
        let said = said(name);
        let begins = said.iter().filter(|said| matches!(said, Said::Init { .. })).count();
        assert_eq!((begins, finished(&said).len()), (2, 2), "{name}");
    }
}

#[test]
fn what_a_subagent_says_names_the_call_on_whose_behalf() {
    let said = said("subagent");
    let agent = said.iter().find_map(|said| match said {
        Said::Tool { tool_id, name, parent: None, .. } if name == "Agent" => Some(tool_id.clone()),
        _ => None,
    });
    let inner = |said: &&Said| matches!(said, Said::Tool { parent, .. } if *parent == agent);
    assert_eq!(said.iter().filter(inner).count(), 1);
    assert_eq!(results(&said)[0].parent, agent);
    assert_eq!(results(&said)[1].parent, None, "the agent's own result is of the main conversation");
}

#[test]
fn a_question_is_asked_answered_and_withdrawn() {
    let said = said("interrupt_while_asking");
    let asked = |said: &Said| if let Said::Asks { request_id, .. } = said { Some(request_id.clone()) } else { None };
    let request_id = said.iter().find_map(asked).unwrap();
    assert!(said.contains(&Said::Withdraws { request_id }));
    let ask = self::said("ask");
    let question = |said: &&Said| matches!(said, Said::Asks { tool, input, .. } if tool == "AskUserQuestion" && input["questions"].is_array());
    assert_eq!(ask.iter().filter(question).count(), 1);
    let refused =
        Said::Answers { request_id: "i1".into(), error: Some("Unsupported control request subtype: nosuch".into()) };
    assert!(self::said("control_error").contains(&refused));
}

#[test]
fn what_an_operator_refuses_is_a_failed_call_and_what_nobody_can_be_asked_is_denied() {
    let said = said("control");
    assert!(results(&said).iter().any(|result| result.is_error && result.output == "Operator said no"));
    let end = only_finish("denied");
    assert_eq!((end.is_error, end.denials), (false, vec!["Bash".to_owned()]));
    let denied = |said: &Said| matches!(said, Said::Denied { tool, text, .. } if tool == "Bash" && !text.is_empty());
    assert!(self::said("denied").iter().any(denied));
}

#[test]
fn a_message_of_ours_is_told_how_far_it_has_come() {
    let said = said("queued_message");
    let state = |said: &Said| match said {
        Said::Lifecycle { uuid, state } => Some((uuid.clone(), *state)),
        _ => None,
    };
    let states: Vec<(String, Lifecycle)> = said.iter().filter_map(state).collect();
    for wanted in [Lifecycle::Queued, Lifecycle::Started, Lifecycle::Completed] {
        assert_eq!(states.iter().filter(|(_, state)| *state == wanted).count(), 2, "{wanted:?}");
    }
    let replayed = |said: &Said| matches!(said, Said::Replay { uuid: Some(uuid), .. } if *uuid == states[0].0);
    assert!(said.iter().any(replayed));
}

#[test]
fn a_text_comes_whole_just_before_its_block_ends() {
    for name in ["partial_bash", "partial_thinking", "lone_surrogate", "stream_dropped"] {
        let said = said(name);
        for pair in said.windows(2) {
            if let [Said::Text { .. }, next] = pair {
                assert!(matches!(next, Said::Partial { partial: Partial::BlockStop { .. }, .. }), "{name}: {next:?}");
            }
        }
    }
}

#[test]
fn an_image_is_named_and_a_note_is_passed_on() {
    assert_eq!(only_result("image").output, "[image]");
    let note =
        |said: &Said| matches!(said, Said::Note { text, .. } if text.contains("safeguards stopped the response"));
    assert!(said("refusal").iter().any(note));
}
