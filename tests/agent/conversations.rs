//! Conversations: a process waits for its next turn, and a conversation goes on where it was, also after its process, the
//! server, or the conversation itself was lost.

use claude_cli::keeper::marked;
use domain::event::Event;
use serde_json::json;

use crate::{
    Lab,
    harness::{
        console::{Console, kinds},
        provider::script,
    },
    notices, settings, with_key,
};

/// Whether the newest request holds an earlier turn: its prompt and its answer at the least.
pub(super) async fn remembers(lab: &Lab) -> bool {
    let steps = lab.provider.steps().await;
    steps.last().unwrap().messages >= steps[0].messages + 2
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_turn_is_taken_by_the_same_process_and_the_cost_is_its_own() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    lab.turn(&session, json!([[{"text": "one"}]])).await;
    let mark = lab.folder.path().display().to_string();
    let cli = || {
        let all = marked("BREAKGLASS_CONSOLE", &mark);
        all.into_iter().map(|process| process.pid).collect::<Vec<_>>()
    };
    let first = cli();
    assert_eq!(first.len(), 1, "one process waits");
    let entries = lab.turn(&session, json!([[{"text": "two"}]])).await;
    assert_eq!(kinds(&entries), ["user", "text", "result", "turn_end"]);
    assert_eq!(cli(), first);
    assert!(remembers(&lab).await, "it remembers the first turn");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_processes_wait_than_turns_may_run() {
    let lab = Lab::open_with(|settings| crate::Settings { max_concurrent_turns: Some(1), ..settings }).await;
    let mark = lab.folder.path().display().to_string();
    for _ in 0..3 {
        let session = lab.console.session().await;
        lab.turn(&session, json!([[{"text": "one"}]])).await;
        assert_eq!(marked("BREAKGLASS_CONSOLE", &mark).len(), 1);
    }
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_nobody_needs_ends_after_its_time() {
    let lab = Lab::open_with(|settings| crate::Settings { agent_idle_seconds: Some(1), ..settings }).await;
    let session = lab.console.session().await;
    lab.turn(&session, json!([[{"text": "one"}]])).await;
    crate::nothing_left(lab.folder.path()).await;
    let entries = lab.turn(&session, json!([[{"text": "two"}]])).await;
    assert_eq!(kinds(&entries), ["user", "text", "result", "turn_end"]);
    assert!(remembers(&lab).await, "it remembers the first turn");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_died_while_it_waited_is_replaced_unseen() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    lab.turn(&session, json!([[{"text": "one"}]])).await;
    let mark = lab.folder.path().display().to_string();
    for process in marked("BREAKGLASS_CONSOLE", &mark) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    }
    crate::nothing_left(lab.folder.path()).await;
    let entries = lab.turn(&session, json!([[{"text": "two"}]])).await;
    assert_eq!(kinds(&entries), ["user", "text", "result", "turn_end"]);
    assert!(remembers(&lab).await, "it remembers the first turn");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_after_a_restart_of_the_server() {
    let Lab { provider, console, folder } = Lab::open().await;
    let session = console.session().await;
    console.prompt(&session, &script(json!([[{"text": "one"}]]))).await;
    console.idle(&session).await;
    console.end().await;
    crate::nothing_left(folder.path()).await;
    let console = Console::start_with(settings(&provider), with_key(), folder.path()).await;
    let lab = Lab { provider, console, folder };
    let entries = lab.turn(&session, json!([[{"text": "two"}]])).await;
    assert_eq!(kinds(&entries), ["user", "text", "result", "turn_end"]);
    assert!(remembers(&lab).await, "it remembers the first turn");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_conversation_begins_anew_and_says_so_and_is_told_the_transcript() {
    let lab = Lab::open_with(|settings| crate::Settings { agent_idle_seconds: Some(1), ..settings }).await;
    let session = lab.console.session().await;
    lab.turn(&session, json!([[{"text": "The disk was full."}]])).await;
    crate::nothing_left(lab.folder.path()).await;
    std::fs::remove_dir_all(lab.folder.path().join("agent/.claude/projects")).unwrap();
    let entries = lab.turn(&session, json!([[{"text": "two"}]])).await;
    assert!(notices(&entries).contains("begins anew"), "{entries:?}");
    let anew = entries.iter().find_map(|entry| match &entry.event {
        Event::Session { session_id, .. } => Some(session_id.clone()),
        _ => None,
    });
    assert_ne!(anew.unwrap(), session);
    let request = lab.provider.steps().await.pop().unwrap();
    assert!(request.last_text.contains("The disk was full."), "{}", request.last_text);
    let entries = lab.turn(&session, json!([[{"text": "three"}]])).await;
    assert_eq!(notices(&entries), "", "and goes on with that one");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_comes_to_a_session_late_is_told_what_happened_there() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    lab.console.prompt(&session, "!echo the-runbook-saw-this").await;
    lab.console.idle(&session).await;
    let entries = lab.turn(&session, json!([[{"text": "ok"}]])).await;
    assert_eq!(notices(&entries), "");
    let request = lab.provider.steps().await.pop().unwrap();
    assert!(request.last_text.contains("the-runbook-saw-this"), "{}", request.last_text);
    lab.close().await;
}
