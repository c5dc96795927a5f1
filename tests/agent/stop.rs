//! Stop: it is seen to be heard, it is done in seconds, and nothing of the turn is left, however deep it was begun; after
//! a time-out and after the server's own death as well.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use breakglass::server::config::Settings;
use domain::event::Event;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::json;

use crate::{
    KEY, Lab,
    harness::{
        console::{Attached, eventually, kinds},
        program::Program,
        provider::{Provider, claude, script},
    },
    nothing_left, notices, processes_with, texts,
};

/// A length of sleep that no other test on this machine sleeps at this time.
fn word(test: u32) -> String {
    format!("{test}{:07}", std::process::id())
}

/// Children of every kind that a command can leave: plain, of a session of its own, without an environment, and of a parent
/// that has ended; each is found by how long it sleeps.
fn brood(word: &str) -> String {
    format!(
        "sleep {word} & setsid sleep {word} & setsid nohup env -i sleep {word} >/dev/null 2>&1 & \
         (setsid sh -c 'env -i sleep {word} & env -i sleep {word} & wait' >/dev/null 2>&1 &) ; sleep {word}"
    )
}

/// Waits until the whole brood is there.
async fn hatched(word: &str) {
    eventually("all of them sleep", async || (processes_with(word).len() >= 6).then_some(())).await;
}

/// A group of processes, by the file with its id: what the console could not end, this test does.
struct Group(PathBuf);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = std::fs::read_to_string(&self.0).ok().and_then(|id| id.parse().ok()) {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

async fn none_sleep(word: &str) {
    eventually("none of them is left", async || processes_with(word).is_empty().then_some(())).await;
}

async fn until_the_tool_runs(client: &mut Attached) {
    client.until(|event| matches!(event, Event::Tool { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_everything_that_the_turn_has_started_and_the_session_goes_on() {
    let word = word(1);
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    lab.console.prompt(&session, &script(json!([[{"bash": brood(&word)}]]))).await;
    let mut client = lab.console.attach(&session, "").await;
    until_the_tool_runs(&mut client).await;
    hatched(&word).await;
    let tapped = Instant::now();
    lab.console.post(&format!("/api/session/{session}/cancel"), json!({})).await;
    client.until(|event| matches!(event, Event::Notice { text, .. } if text.starts_with("stopping"))).await;
    client.until(|event| *event == Event::TurnEnd).await;
    // Not a measurement: the promise is 6 s, and a Stop that waits for its limits would miss it by far.
    assert!(tapped.elapsed() < Duration::from_secs(20), "{:?}", tapped.elapsed());
    assert_eq!(processes_with(&word), [0; 0], "nothing is left when the turn has ended");
    let told = notices(&client.entries);
    assert!(told.contains("ended with the turn") && told.contains(&format!("sleep {word}")), "{told}");
    assert!(kinds(&client.entries).contains(&"cancelled"));
    lab.console.idle(&session).await;
    let entries = lab.turn(&session, json!([[{"text": "I am back."}]])).await;
    assert_eq!(texts(&entries), ["I am back."]);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_says_when_nothing_was_left() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    lab.console.prompt(&session, &script(json!([[{"text": ["Well, ", {"hold": "ever"}]}]]))).await;
    lab.provider.held("ever").await;
    lab.console.post(&format!("/api/session/{session}/cancel"), json!({})).await;
    lab.console.idle(&session).await;
    let entries = lab.entries(&session).await;
    assert!(notices(&entries).contains("nothing of this turn is left running"), "{entries:?}");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_takes_too_long_is_ended_in_the_same_way() {
    let word = word(2);
    let lab = Lab::open_with(|settings| Settings { turn_timeout_seconds: Some(20), ..settings }).await;
    let session = lab.console.session().await;
    lab.console.prompt(&session, &script(json!([[{"bash": brood(&word)}]]))).await;
    hatched(&word).await;
    lab.console.idle(&session).await;
    let entries = lab.entries(&session).await;
    let Event::Error { error } = &entries[entries.len() - 2].event else { panic!("{entries:?}") };
    assert!(error.contains("BREAKGLASS_TURN_TIMEOUT_SECONDS"), "{error}");
    assert_eq!(processes_with(&word), [0; 0]);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_turn_leaves_behind_at_its_own_end_is_ended_and_named() {
    let word = word(3);
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let leave = format!("setsid nohup env -i sleep {word} >/dev/null 2>&1 & echo left");
    let entries = lab.turn(&session, json!([[{"bash": leave}], [{"text": "done"}]])).await;
    assert!(notices(&entries).contains(&format!("sleep {word}")), "{}", notices(&entries));
    assert_eq!(processes_with(&word), [0; 0]);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_of_the_server_ends_the_turn_and_its_processes() {
    let word = word(4);
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    lab.console.prompt(&session, &script(json!([[{"bash": brood(&word)}]]))).await;
    hatched(&word).await;
    lab.close().await;
    assert_eq!(processes_with(&word), [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_forks_and_ends_all_the_time_is_not_missed() {
    let word = word(7);
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    // Each generation lives for an instant, so that one look at the processes may find none of them.
    let folder = tempfile::tempdir().unwrap();
    let (program, group) = (folder.path().join("respawn.py"), Group(folder.path().join("group")));
    let first = format!("import os, time\nopen('{}', 'w').write(str(os.getpgrp()))\n", group.0.display());
    std::fs::write(&program, first + "while True:\n  if os.fork(): os._exit(0)\n  time.sleep(0.0005)\n").unwrap();
    let respawning = format!("setsid python3 {} {word} >/dev/null 2>&1 & echo begun", program.display());
    lab.console.prompt(&session, &script(json!([[{"bash": respawning}, {"bash": "sleep 600"}]]))).await;
    let mut client = lab.console.attach(&session, "").await;
    client.until(|event| matches!(event, Event::ToolResult { .. })).await;
    lab.console.post(&format!("/api/session/{session}/cancel"), json!({})).await;
    client.until(|event| *event == Event::TurnEnd).await;
    let alive = || processes_with(&word);
    // Either it is gone, or it is said that it is not: never a claim that nothing is left.
    let told = notices(&client.entries);
    let mut seen = Vec::new();
    for _ in 0..2000 {
        seen.extend(alive());
        if !seen.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(seen.is_empty() || told.contains("could not be ended"), "{told}");
    lab.console.idle(&session).await;
    lab.console.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_keeper_is_said_and_what_carries_the_mark_is_ended() {
    let word = word(8);
    let (provider, folder) = (Provider::start(), tempfile::tempdir().unwrap());
    let program = program(&provider, folder.path());
    let stubborn = format!("setsid nohup sh -c 'trap \"\" TERM; sleep {word}' >/dev/null 2>&1 & sleep 600");
    let session = begin(&program, None, json!([[{"bash": stubborn}]])).await;
    eventually("it sleeps", async || (!processes_with(&word).is_empty()).then_some(())).await;
    kill(keeper_of(&program)).unwrap();
    let mut client = program.attach(&session).await;
    client.until(|event| *event == Event::TurnEnd).await;
    assert!(notices(&client.entries).contains("keeper was killed"), "{}", notices(&client.entries));
    none_sleep(&word).await;
}

fn kill(pid: i32) -> nix::Result<()> {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)
}

/// The keeper of a program's one agent.
fn keeper_of(program: &Program) -> i32 {
    let parent = |pid: i32| -> u32 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').map_or(0, |(_, rest)| rest.split_whitespace().nth(1).unwrap().parse().unwrap())
    };
    let own: Vec<_> = processes_with("keep").into_iter().filter(|pid| parent(*pid) == program.pid()).collect();
    assert_eq!(own.len(), 1, "one keeper for one agent");
    own[0]
}

fn program(provider: &Provider, folder: &std::path::Path) -> Program {
    let (claude, base) = (claude().display().to_string(), format!("ANTHROPIC_BASE_URL={}", provider.base()));
    let flags = ["--backend", "claude", "--claude-bin", &claude, "--permissions", "autonomous", "--agent-env", &base];
    Program::start_with(folder, &flags, &[("ANTHROPIC_API_KEY", KEY), ("IS_SANDBOX", "1")])
}

async fn begin(program: &Program, session: Option<&str>, steps: serde_json::Value) -> String {
    let session = match session {
        Some(session) => session.to_owned(),
        None => program.post("/api/session", json!({})).await.1["session_id"].as_str().unwrap().to_owned(),
    };
    let prompt = json!({ "prompt": script(steps) });
    let answer = program.post(&format!("/api/session/{session}/prompt"), prompt).await;
    assert_eq!(answer.0, 200, "{answer:?}");
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_the_server_ends_the_turns_processes_and_the_session_resumes() {
    let word = word(5);
    let (provider, folder) = (Provider::start(), tempfile::tempdir().unwrap());
    let first = program(&provider, folder.path());
    let session = begin(&first, None, json!([[{"bash": brood(&word)}]])).await;
    hatched(&word).await;
    first.kill();
    none_sleep(&word).await;
    nothing_left(folder.path()).await;
    let second = program(&provider, folder.path());
    begin(&second, Some(&session), json!([[{"text": "I am back."}]])).await;
    let mut client = second.attach(&session).await;
    client.until(|event| matches!(event, Event::Result { .. })).await;
    assert_eq!(texts(&client.entries), ["I am back."]);
    let kinds = kinds(&client.entries);
    assert_eq!(kinds.iter().filter(|kind| **kind == "turn_end").count(), 1, "{kinds:?}");
    let lost = notices(&client.entries).contains("begins anew");
    assert!(!lost, "the conversation was there: {kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlived_even_its_keeper_is_ended_at_the_next_start() {
    let word = word(6);
    let (provider, folder) = (Provider::start(), tempfile::tempdir().unwrap());
    let first = program(&provider, folder.path());
    // It keeps its mark and nothing else: no parent, no terminal, and it does not listen to SIGTERM.
    let stubborn = format!("setsid nohup sh -c 'trap \"\" TERM; sleep {word}' >/dev/null 2>&1 & sleep 600");
    begin(&first, None, json!([[{"bash": stubborn}]])).await;
    eventually("it sleeps", async || (!processes_with(&word).is_empty()).then_some(())).await;
    let mark = folder.path().display().to_string();
    kill(keeper_of(&first)).unwrap();
    first.kill();
    let cli = |line: &str| line.contains("--output-format");
    eventually("the cli hears of its keeper's death", async || {
        let marked = claude_cli::keeper::marked("BREAKGLASS_CONSOLE", &mark);
        (!marked.iter().any(|process| cli(&process.command))).then_some(())
    })
    .await;
    assert!(!processes_with(&word).is_empty(), "it has outlived all of them");
    let second = program(&provider, folder.path());
    assert_eq!(processes_with(&word), [0; 0]);
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_data_directory_has_one_console() {
    let lab = Lab::open().await;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_breakglass"))
        .args(["serve", "--practice", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(lab.folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("another console serves"), "{told}");
    lab.close().await;
}
