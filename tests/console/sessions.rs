//! Turns without AI: presets, typed commands, words, Stop, limits.

use breakglass::server::config::Settings;
use domain::{event::Event, transcript::Item};
use serde_json::json;

use crate::harness::console::{Console, ids, kinds, practice};

#[tokio::test(flavor = "multi_thread")]
async fn triage_runs_command_by_command_on_this_machine_and_ends_in_a_verdict() {
    let console = Console::practice().await;
    let session = console.session().await;
    let path = format!("/api/session/{session}/prompt");
    assert_eq!(console.post(&path, json!({"preset": "triage"})).await.0, 200);
    let entries = console.finished(&session).await;
    assert_eq!(ids(&entries), (0..entries.len() as u64).collect::<Vec<_>>());
    let kinds = kinds(&entries);
    assert_eq!(kinds.first(), Some(&"user"));
    assert_eq!(kinds[kinds.len() - 4..], ["text", "figures", "result", "turn_end"]);
    let tools = kinds.iter().filter(|kind| **kind == "tool").count();
    assert!(tools >= 5, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "tool_result").count(), tools);
    let outputs: String = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::ToolResult { output, .. } => Some(output.as_str()),
            _ => None,
        })
        .collect();
    let kernel = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total = kernel.lines().next().unwrap();
    assert!(outputs.contains(total), "the memory of this very machine is in the output: {total}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_preset_ends_in_a_verdict() {
    let console = Console::practice().await;
    let listed = console.get_json("/api/presets").await;
    let presets: Vec<_> = listed["presets"].as_array().unwrap().iter().map(|preset| preset["id"].clone()).collect();
    assert_eq!(presets, ["triage", "memory", "disk", "services", "qemu"]);
    for preset in presets {
        let session = console.session().await;
        let answer = console.post(&format!("/api/session/{session}/prompt"), json!({"preset": preset})).await;
        assert_eq!(answer.0, 200);
        let entries = console.finished(&session).await;
        let said = entries.iter().find_map(|entry| match &entry.event {
            Event::Text { text } => Some(text.clone()),
            _ => None,
        });
        assert!(said.unwrap().starts_with("this machine: "), "{preset}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_begins_with_a_bang_runs_on_the_target() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "!echo \"it's $((6*7))\"; echo oops >&2; exit 3").await;
    let entries = console.finished(&session).await;
    let Event::ToolResult { output, exit_code, is_error, .. } = &entries[2].event else { panic!("{entries:?}") };
    assert!(output.contains("it's 42\n") && output.contains("oops\n"), "{output}");
    assert_eq!((*exit_code, *is_error), (Some(3), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_answered_with_what_can_be_done() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "please fix it").await;
    let entries = console.finished(&session).await;
    assert_eq!(kinds(&entries), ["user", "text", "result", "turn_end"]);
    let Event::Text { text } = &entries[1].event else { panic!() };
    assert!(text.contains("Triage") && text.contains('!'), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_stops_and_leaves_nothing_running() {
    let console = Console::practice().await;
    let session = console.session().await;
    let pid_file = console.folder().join("pid");
    console.prompt(&session, &format!("!echo $$ > {}; sleep 600", pid_file.display())).await;
    let mut client = console.attach(&session, "").await;
    client.until(|event| matches!(event, Event::Tool { .. })).await;
    let written = || std::fs::read_to_string(&pid_file).ok().filter(|text| text.ends_with('\n'));
    let pid = loop {
        if let Some(pid) = written() {
            break nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
        }
        tokio::task::yield_now().await;
    };
    let cancel = format!("/api/session/{session}/cancel");
    assert_eq!(console.post(&cancel, json!({})).await, (200, json!({"cancelled": true})));
    client.until(|event| *event == Event::TurnEnd).await;
    let last = kinds(&client.entries);
    assert_eq!(last[last.len() - 2..], ["cancelled", "turn_end"]);
    assert!(nix::sys::signal::kill(pid, None).is_err(), "the command is gone when the turn has ended");
    assert_eq!(console.post(&cancel, json!({})).await, (200, json!({"cancelled": false})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_prompt_waits_its_turn() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "!sleep 600").await;
    let path = format!("/api/session/{session}/prompt");
    let (status, told) = console.post(&path, json!({"prompt": "!true"})).await;
    assert_eq!((status, &told["code"]), (409, &json!("turn_running")));
    let (status, told) = console.post(&path, json!({"prompt": "!true", "steer": true})).await;
    assert_eq!((status, &told["code"]), (409, &json!("turn_running")));
    let listed = console.get_json("/api/session").await;
    assert_eq!(listed["sessions"][0]["turn_active"], json!(true));
    console.post(&format!("/api/session/{session}/cancel"), json!({})).await;
    console.idle(&session).await;
    assert_eq!(console.post(&path, json!({"prompt": "!true"})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_turns_run_than_may() {
    let console = Console::start(Settings { max_concurrent_turns: Some(1), ..practice() }).await;
    let (one, two) = (console.session().await, console.session().await);
    console.prompt(&one, "!sleep 600").await;
    let url = console.url(&format!("/api/session/{two}/prompt"));
    let request = console.http.post(url).bearer_auth(crate::harness::console::TOKEN).json(&json!({"prompt": "!true"}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert!(response.headers().contains_key("retry-after"));
    let told: serde_json::Value = response.json().await.unwrap();
    assert!(told["detail"].as_str().unwrap().contains("BREAKGLASS_MAX_CONCURRENT_TURNS"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_ends_at_its_time_limit_and_a_command_at_its_own() {
    let console = Console::start(Settings { turn_timeout_seconds: Some(1), ..practice() }).await;
    let session = console.session().await;
    console.prompt(&session, "!sleep 600").await;
    let entries = console.finished(&session).await;
    let Event::Error { error } = &entries[entries.len() - 2].event else { panic!("{entries:?}") };
    assert!(error.contains("BREAKGLASS_TURN_TIMEOUT_SECONDS"), "{error}");

    let console = Console::start(Settings { command_timeout_seconds: Some(1), ..practice() }).await;
    let session = console.session().await;
    console.prompt(&session, "!echo begun; sleep 600").await;
    let entries = console.finished(&session).await;
    let Event::ToolResult { output, is_error, exit_code, .. } = &entries[2].event else { panic!("{entries:?}") };
    assert!(output.starts_with("begun\n") && output.contains("BREAKGLASS_COMMAND_TIMEOUT_SECONDS"), "{output}");
    assert_eq!((*is_error, *exit_code), (true, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_output_is_cut_and_marked() {
    let console = Console::start(Settings { command_output_max_bytes: Some(1000), ..practice() }).await;
    let session = console.session().await;
    console.prompt(&session, "!seq 100000").await;
    let entries = console.finished(&session).await;
    let Event::ToolResult { output, truncated, .. } = &entries[2].event else { panic!("{entries:?}") };
    assert_eq!((output.len(), *truncated), (1000, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_comes_back_as_it_was() {
    let console = Console::practice().await;
    let session = console.session().await;
    let text = "a\r\nb\rc\u{0}\u{2028}\u{feff}🚨</script><img src=x onerror=alert(1)>\ndata: x\nid: 7\n\nevent: reset";
    console.prompt(&session, text).await;
    let mut client = console.attach(&session, "").await;
    client.until(|event| *event == Event::TurnEnd).await;
    let Item::Prompt { text: shown, by, .. } = &client.transcript.rows().next().unwrap().item else { panic!() };
    assert_eq!((shown.as_str(), by.as_str()), (text, "script"));
    let page = console.get(&format!("/s/{session}")).await.text().await.unwrap();
    assert!(!page.contains("<img src=x"), "what was typed never becomes markup");
    let data = page.split(r#"id="page">"#).nth(1).unwrap().split("</script>").next().unwrap();
    let data: domain::page::Page = serde_json::from_str(data).unwrap();
    assert_eq!(domain::transcript::Transcript::of(&data.entries), client.transcript);
}
