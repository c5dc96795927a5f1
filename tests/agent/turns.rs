//! Turns: what the model says and does reaches the transcript, and what it is told reaches the model.

use std::path::Path;

use domain::event::{Event, Live, Streamed};
use serde_json::json;

use crate::{
    Lab,
    conversations::remembers,
    harness::{
        console::{eventually, kinds},
        provider::script,
    },
    results, texts,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_answer_is_a_text_and_a_result_with_its_cost() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let entries = lab.turn(&session, json!([[{"text": "All is well."}]])).await;
    assert_eq!(kinds(&entries), ["user", "session", "text", "result", "turn_end"]);
    let Event::Session { session_id, model } = &entries[1].event else { panic!() };
    assert_eq!(session_id, &session, "the conversation has the session's id");
    assert!(model.contains("sonnet"), "{model}");
    let Event::Result { is_error: false, result, cost_usd: Some(cost), .. } = &entries[3].event else { panic!() };
    assert_eq!(result, "All is well.");
    assert!(*cost > 0.0);
    let request = &lab.provider.steps().await[0];
    assert_eq!(request.api_key.as_deref(), Some(crate::KEY));
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_stand_with_their_input_output_and_exit_code() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let steps = json!([
        [{"text": "I look."}, {"bash": "echo out; echo err >&2; exit 3", "description": "Fails"}],
        [{"bash": "sleep 0.3; echo slow"}, {"bash": "echo quick"}],
        [{"text": "It said: {{last_tool_result}}"}],
    ]);
    let entries = lab.turn(&session, steps).await;
    let failed = results(&entries)[0];
    let Event::ToolResult { output, is_error: true, exit_code: Some(3), truncated: false, .. } = failed else {
        panic!("{failed:?}")
    };
    assert!(output.contains("out") && output.contains("err"), "{output}");
    let tools = entries.iter().filter(|entry| matches!(entry.event, Event::Tool { .. })).count();
    assert_eq!((tools, results(&entries).len()), (3, 3));
    assert_eq!(texts(&entries)[0], "I look.");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_output_is_kept_whole_beside_a_transcript_that_says_it_was_cut() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let steps = json!([[{"bash": "head -c 1000000 /dev/zero | tr '\\0' 'x' | fold -w 100"}], [{"text": "big"}]]);
    let entries = lab.turn(&session, steps).await;
    let Event::ToolResult { tool_id, output, truncated: true, whole: Some(bytes), .. } = results(&entries)[0] else {
        panic!("{entries:?}")
    };
    assert!(output.len() >= 20_000, "as much as the CLI gives: {}", output.len());
    assert!(*bytes >= 1_000_000, "{bytes}");
    let answer = lab.console.get(&format!("/api/session/{session}/output/{tool_id}")).await;
    assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    let whole = answer.text().await.unwrap();
    assert_eq!(whole.len() as u64, *bytes);
    assert_eq!(whole.matches('x').count(), 1_000_000);
    let missing = lab.console.get(&format!("/api/session/{session}/output/toolu_none")).await;
    assert_eq!(missing.status(), 404);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_seen_growing_before_it_is_there() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let mut client = lab.console.attach(&session, "").await;
    let steps = json!([[{"text": ["The disk ", {"hold": "one"}, "is full", {"hold": "two"}, "."]}]]);
    lab.console.prompt(&session, &script(steps)).await;
    let mut drafts = Vec::new();
    for (gate, seen) in [("one", "The disk "), ("two", "The disk is full")] {
        lab.provider.held(gate).await;
        loop {
            let frame = client.frame().await.unwrap();
            if let Ok(Streamed::Live(Live::Draft { text })) = serde_json::from_str(&frame.data) {
                drafts.push(text.clone());
                if text == seen {
                    break;
                }
            }
        }
        lab.provider.release(gate).await;
    }
    let text = client.until(|event| matches!(event, Event::Text { .. })).await;
    assert_eq!(text, Event::Text { text: "The disk is full.".into() });
    assert!(drafts.iter().all(|draft| "The disk is full.".starts_with(draft.as_str())), "{drafts:?}");
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_turns_void_disappears_and_is_told_once() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let mut client = lab.console.attach(&session, "").await;
    let half = json!([{"text": ["Half a ", {"hold": "half"}, "word"]}]);
    let steps = json!([{"error": "middle", "times": 1, "blocks": half}, [{"text": "The whole."}]]);
    lab.console.prompt(&session, &script(steps)).await;
    lab.provider.held("half").await;
    let mut seen = Vec::new();
    while !seen.iter().any(|draft: &String| draft.starts_with("Half")) {
        let frame = client.frame().await.unwrap();
        if let Ok(Streamed::Live(Live::Draft { text })) = serde_json::from_str(&frame.data) {
            seen.push(text);
        }
    }
    lab.provider.release("half").await;
    client.until(|event| *event == Event::TurnEnd).await;
    assert_eq!(texts(&client.entries), ["The whole."]);
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_into_the_turn_that_runs_and_is_marked() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let gate = lab.folder.path().join("go-on");
    let wait = format!("until [ -e {} ]; do sleep 0.05; done; echo went on", gate.display());
    lab.console.prompt(&session, &script(json!([[{"bash": wait}], [{"text": "done"}]]))).await;
    let mut client = lab.console.attach(&session, "").await;
    client.until(|event| matches!(event, Event::Tool { .. })).await;
    let path = format!("/api/session/{session}/prompt");
    let refused = lab.console.post(&path, json!({"prompt": "look at /var too"})).await;
    assert_eq!((refused.0, refused.1["code"].as_str()), (409, Some("turn_running")));
    let steered = lab.console.post_once(&path, "k", json!({"prompt": "look at /var too", "steer": true})).await;
    assert_eq!(steered.0, 200, "{steered:?}");
    let again = lab.console.post_once(&path, "k", json!({"prompt": "look at /var too", "steer": true})).await;
    assert_eq!(again.0, 200);
    std::fs::write(&gate, "").unwrap();
    client.until(|event| *event == Event::TurnEnd).await;
    let steered = client.entries.iter().filter(|entry| matches!(&entry.event, Event::User { steered: true, .. }));
    assert_eq!(steered.count(), 1, "the same key delivers once");
    assert_eq!(kinds(&client.entries).iter().filter(|kind| **kind == "turn_end").count(), 1);
    let told = lab.provider.steps().await.iter().any(|request| request.last_text.contains("look at /var too"));
    assert!(told, "the model was told in the same turn");
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_at_the_very_end_of_a_turn_is_answered_in_it() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let steps = json!([[{"text": ["Nearly ", {"hold": "end"}, "done."]}]]);
    lab.console.prompt(&session, &script(steps)).await;
    lab.provider.held("end").await;
    let path = format!("/api/session/{session}/prompt");
    let late = script(json!([[{"text": "And the late one."}]]));
    assert_eq!(lab.console.post(&path, json!({"prompt": late, "steer": true})).await.0, 200);
    lab.provider.release("end").await;
    lab.console.idle(&session).await;
    let entries = lab.entries(&session).await;
    assert_eq!(texts(&entries), ["Nearly done.", "And the late one."]);
    assert_eq!(kinds(&entries).iter().filter(|kind| **kind == "turn_end").count(), 1);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_is_asked_of_the_agent_and_runs_without_it_when_wanted() {
    let lab = Lab::open().await;
    lab.provider.answer_others(json!([[{"text": "Triage is done."}]])).await;
    let session = lab.console.session().await;
    let path = format!("/api/session/{session}/prompt");
    assert_eq!(lab.console.post(&path, json!({"preset": "triage"})).await.0, 200);
    lab.console.idle(&session).await;
    let entries = lab.entries(&session).await;
    assert_eq!(texts(&entries), ["Triage is done."]);
    let Event::User { text, .. } = &entries[0].event else { panic!() };
    assert_eq!(text, "Triage");
    assert!(lab.provider.steps().await[0].last_text.contains("Find out what is wrong"));
    assert_eq!(lab.console.post(&path, json!({"preset": "memory", "without_ai": true})).await.0, 200);
    lab.console.idle(&session).await;
    assert_eq!(lab.provider.steps().await.len(), 1, "the runbook asks nobody");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_was_asked_for_answers_that_prompt_and_no_other() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let path = format!("/api/session/{session}/prompt");
    for model in [Some("haiku"), None, Some("haiku")] {
        let mut prompt = json!({"prompt": script(json!([[{"text": "ok"}]]))});
        if let Some(model) = model {
            prompt["model"] = json!(model);
        }
        assert_eq!(lab.console.post(&path, prompt).await.0, 200);
        lab.console.idle(&session).await;
        let used = lab.provider.steps().await.pop().unwrap().model.unwrap();
        assert!(used.contains(model.unwrap_or("sonnet")), "{used}");
    }
    let wrong = lab.console.post(&path, json!({"prompt": "x", "model": "--help"})).await;
    assert_eq!(wrong.0, 422);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_adds_its_own_words_beside_the_agents_and_not_in_its_command_line() {
    let house = tempfile::tempdir().unwrap();
    let presets = Path::new(env!("CARGO_MANIFEST_DIR")).join("agents/presets.toml");
    std::fs::copy(presets, house.path().join("presets.toml")).unwrap();
    let words = format!("the database lives on /srv {}", "x".repeat(200_000));
    std::fs::write(house.path().join("local.md"), &words).unwrap();
    let agents_dir = Some(house.path().to_owned());
    let lab = Lab::open_with(|settings| crate::Settings { agents_dir, ..settings }).await;
    let session = lab.console.session().await;
    let steps = json!([[{"bash": "head -c 26 house.md; tr '\\0' ' ' </proc/$PPID/cmdline"}], [{"text": "ok"}]]);
    let entries = lab.turn(&session, steps).await;
    let Event::ToolResult { output, .. } = results(&entries)[0] else { panic!() };
    assert!(output.starts_with("the database lives on /srv"), "{output}");
    assert_eq!(output.matches("lives on /srv").count(), 1, "everybody can read a command line");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_has_changed_is_looked_at_by_the_console_itself() {
    let lab = Lab::open_with(|settings| crate::Settings { checks: Some(true), ..settings }).await;
    let session = lab.console.session().await;
    let mut client = lab.console.attach(&session, "").await;
    lab.console.prompt(&session, &script(json!([[{"bash": "true"}], [{"text": "It is fixed."}]]))).await;
    let check = client.until(|event| matches!(event, Event::Check { .. })).await;
    let Event::Check { text, facts, .. } = check else { panic!() };
    assert!(text.starts_with("this machine: "), "{text}");
    assert!(facts.iter().any(|fact| fact.starts_with("SSH answers, since ")), "{facts:?}");
    let kinds = kinds(&client.entries);
    let end = kinds.iter().position(|kind| *kind == "turn_end").unwrap();
    assert!(kinds[end..].contains(&"check"), "under the agent's last words: {kinds:?}");
    let runs = lab.console.get_json("/api/pve/runs").await;
    assert_eq!(runs["runs"], json!([]), "a look is no run");
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cli_that_lacks_the_protocol_is_run_once_per_turn() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("claude");
    // What an old CLI says, and for all other calls the real one.
    let script_of_old = format!(
        "#!/bin/sh\nfor a; do case $a in --input-format) echo \"error: unknown option '--input-format'\" >&2; exit 1;; esac; done\nexec {} \"$@\"\n",
        crate::claude().display()
    );
    std::fs::write(&old, script_of_old).unwrap();
    std::fs::set_permissions(&old, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let lab = Lab::open_with(|settings| crate::Settings { claude_bin: Some(old), ..settings }).await;
    let session = lab.console.session().await;
    let first = script(json!([[{"bash": "echo hi"}], [{"text": ["o", {"hold": "once"}, "ne"]}]]));
    lab.console.prompt(&session, &first).await;
    lab.provider.held("once").await;
    let steer = json!({"prompt": "look at /var too", "steer": true});
    let refused = lab.console.post(&format!("/api/session/{session}/prompt"), steer).await;
    assert_eq!(refused.0, 409, "it takes no messages, and says so at once: {refused:?}");
    lab.provider.release("once").await;
    lab.console.idle(&session).await;
    let entries = lab.entries(&session).await;
    assert_eq!(texts(&entries), ["one"]);
    crate::nothing_left(lab.folder.path()).await;
    let entries = lab.turn(&session, json!([[{"text": "two"}]])).await;
    assert_eq!(kinds(&entries), ["user", "text", "result", "turn_end"]);
    assert!(remembers(&lab).await, "it remembers the first turn");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cli_that_is_not_there_says_what_to_do() {
    let lab = Lab::open_with(|settings| crate::Settings { claude_bin: Some("/nonexistent".into()), ..settings }).await;
    let session = lab.console.session().await;
    lab.console.prompt(&session, "hello").await;
    lab.console.idle(&session).await;
    let entries = lab.entries(&session).await;
    let Event::Error { error } = &entries[1].event else { panic!("{entries:?}") };
    assert!(error.contains("BREAKGLASS_CLAUDE_BIN") && error.contains("without ai"), "{error}");
    eventually("it can be run without", async || {
        let path = format!("/api/session/{session}/prompt");
        (lab.console.post(&path, json!({"preset": "memory", "without_ai": true})).await.0 == 200).then_some(())
    })
    .await;
    lab.console.idle(&session).await;
    lab.close().await;
}
