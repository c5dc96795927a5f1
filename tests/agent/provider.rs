//! A provider that fails: the operator is told which try it is, why, and what to do; and no turn waits for it for ever.

use breakglass::server::config::Settings;
use domain::event::{Event, Level};
use serde_json::{Value, json};

use crate::{Lab, harness::console::kinds, harness::provider::script, notices, texts};

fn status(status: u16, kind: &str, times: Value) -> Value {
    json!({"status": status, "type": kind, "message": "scripted", "times": times})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_passes_is_a_notice_and_no_more() {
    let lab = Lab::open().await;
    for (code, kind) in [(429, "rate_limit_error"), (529, "overloaded_error"), (500, "api_error")] {
        let session = lab.console.session().await;
        let entries = lab.turn(&session, json!([status(code, kind, json!(1)), [{"text": "after it"}]])).await;
        assert_eq!(texts(&entries), ["after it"]);
        let told = notices(&entries);
        assert!(told.contains(&code.to_string()) && told.contains("try 1 of 1"), "{told}");
        assert!(!entries.iter().any(|entry| matches!(entry.event, Event::Error { .. })));
    }
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_stays_ends_the_turn_and_offers_to_run_without_ai() {
    let lab = Lab::open().await;
    let cases = [
        (401, "authentication_error", "ANTHROPIC_API_KEY"),
        (429, "rate_limit_error", "wait"),
        (529, "overloaded_error", "overloaded"),
        (404, "not_found_error", "BREAKGLASS_MODEL"),
    ];
    for (code, kind, advice) in cases {
        let session = lab.console.session().await;
        let entries = lab.turn(&session, json!([{"status": code, "type": kind, "message": "scripted"}])).await;
        let Event::Error { error } = &entries[entries.len() - 2].event else { panic!("{code}: {entries:?}") };
        assert!(error.contains(advice) && error.contains("without ai"), "{code}: {error}");
        assert_eq!(entries.last().unwrap().event, Event::TurnEnd);
        let entries = lab.turn(&session, json!([[{"text": "the next turn works"}]])).await;
        assert_eq!(texts(&entries), ["the next turn works"], "{code}");
    }
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_is_asked_for_again() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let entries = lab.turn(&session, json!([{"drop": "middle", "times": 1}, [{"text": "whole"}]])).await;
    assert_eq!(texts(&entries), ["whole"]);
    assert!(matches!(entries[entries.len() - 2].event, Event::Result { is_error: false, .. }), "{:?}", kinds(&entries));
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_named_and_a_dead_provider_is_given_up() {
    for stall in ["headers", "start", "middle"] {
        let lab = Lab::open_with(|settings| Settings {
            agent_silence_seconds: Some(1),
            provider_timeout_seconds: Some(6),
            ..settings
        })
        .await;
        let session = lab.console.session().await;
        lab.console.prompt(&session, &script(json!([{"stall": stall}]))).await;
        let mut client = lab.console.attach(&session, "").await;
        let silence = client.until(|event| matches!(event, Event::Notice { level: Level::Warning, .. })).await;
        let Event::Notice { text, .. } = silence else { panic!() };
        assert!(text.contains("the model's provider") && text.contains("since"), "{stall}: {text}");
        let Event::Error { error } = client.until(|event| matches!(event, Event::Error { .. })).await else { panic!() };
        assert!(error.contains("BREAKGLASS_PROVIDER_TIMEOUT_SECONDS") && error.contains("without ai"), "{error}");
        client.until(|event| *event == Event::TurnEnd).await;
        crate::nothing_left(lab.folder.path()).await;
        lab.console.idle(&session).await;
        lab.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_command_is_no_dead_provider_and_its_silence_is_named_by_the_tool() {
    let lab = Lab::open_with(|settings| Settings {
        agent_silence_seconds: Some(1),
        provider_timeout_seconds: Some(5),
        ..settings
    })
    .await;
    let session = lab.console.session().await;
    let entries = lab.turn(&session, json!([[{"bash": "sleep 8; echo through"}], [{"text": "done"}]])).await;
    assert_eq!(texts(&entries), ["done"]);
    assert!(notices(&entries).contains("it waits for Bash"), "{}", notices(&entries));
    lab.close().await;
}
