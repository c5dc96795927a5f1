//! Attaching: cursors, the seam between replay and live, heartbeats, slow readers.

use breakglass::server::config::Settings;
use domain::event::Event;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::console::{Console, PATIENCE, TOKEN, ids, practice};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_with_retry_then_replays_then_says_that_it_caught_up() {
    let console = Console::practice().await;
    let session = console.session().await;
    let mut empty = console.attach(&session, "").await;
    assert_eq!(empty.until_caught_up().await, json!(null));
    console.prompt(&session, "what now").await;
    console.finished(&session).await;

    let raw = console.get(&format!("/api/session/{session}/stream")).await.chunk().await.unwrap().unwrap();
    assert!(raw.starts_with(b"retry: "), "{raw:?}");
    let mut client = console.attach(&session, "").await;
    assert_eq!(client.until_caught_up().await, json!(3));
    assert_eq!(ids(&client.entries), [0, 1, 2, 3]);
    // The one that was there before has it too, live.
    empty.until(|event| *event == Event::TurnEnd).await;
    assert_eq!(empty.transcript, client.transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_goes_on_where_it_was() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "what now").await;
    console.finished(&session).await;
    for (query, expected) in [
        ("?after=1", vec![2, 3]),
        ("?after=3", vec![]),
        ("?tail=2", vec![2, 3]),
        ("?tail=0", vec![]),
        ("?tail=99", vec![0, 1, 2, 3]),
        ("?after=x", vec![0, 1, 2, 3]),
        ("?after=-1", vec![0, 1, 2, 3]),
        ("?after=1e9&tail=1", vec![3]),
        ("?after=%00", vec![0, 1, 2, 3]),
    ] {
        let mut client = console.attach(&session, query).await;
        client.until_caught_up().await;
        assert_eq!(ids(&client.entries), expected, "{query}");
    }
    let url = console.url(&format!("/api/session/{session}/stream?after=0"));
    let request = console.http.get(url).bearer_auth(TOKEN).header("last-event-id", "2");
    let mut client = crate::harness::console::Attached::new(request.send().await.unwrap());
    client.until_caught_up().await;
    assert_eq!(ids(&client.entries), [3], "the header wins");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_past_the_head_begins_anew() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "what now").await;
    console.finished(&session).await;
    let mut client = console.attach(&session, "?after=4").await;
    let first = client.frame().await.unwrap();
    assert_eq!((first.event.as_deref(), first.data.as_str(), first.id), (Some("reset"), r#"{"head":3}"#, None));
    client.until_caught_up().await;
    assert_eq!(ids(&client.entries), [0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_falls_out_between_replay_and_live() {
    let console = Console::start(Settings { max_concurrent_turns: Some(8), ..practice() }).await;
    let session = console.session().await;
    let mut watching = console.attach(&session, "").await;
    console.post(&format!("/api/session/{session}/prompt"), json!({"preset": "triage"})).await;
    // One client joins at every entry that another one sees.
    let mut joined = Vec::new();
    loop {
        watching.frame().await.unwrap();
        let cursor = watching.entries.last().map_or(String::new(), |entry| format!("?after={}", entry.id));
        joined.push((watching.entries.len(), console.attach(&session, &cursor).await));
        if watching.entries.last().is_some_and(|entry| entry.event == Event::TurnEnd) {
            break;
        }
    }
    assert!(joined.len() > 10);
    for (had, mut client) in joined {
        if had < watching.entries.len() {
            client.until(|event| *event == Event::TurnEnd).await;
        }
        assert_eq!(client.entries, watching.entries[had..], "joined after {had} entries");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_logged_carries_no_id() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "!sleep 3").await;
    let mut client = console.attach(&session, "").await;
    let progress = loop {
        let frame = client.frame().await.unwrap();
        if frame.data.contains("progress") {
            break frame;
        }
    };
    assert_eq!(progress.id, None);
    let mut late = console.attach(&session, "").await;
    late.until_caught_up().await;
    let frame = late.frame().await.unwrap();
    assert!(frame.data.contains("progress") || frame.id.is_some(), "who joins late is shown it too: {frame:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_broken_by_a_heartbeat() {
    let console = Console::start(Settings { sse_keepalive_seconds: Some(1), ..practice() }).await;
    let session = console.session().await;
    let mut response = console.get(&format!("/api/session/{session}/stream")).await;
    let mut text = String::new();
    while !text.contains("\n\n: ") {
        let chunk = tokio::time::timeout(PATIENCE, response.chunk()).await.expect("a heartbeat in time");
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_entries_come_ascending_and_bounded() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "what now").await;
    console.finished(&session).await;
    let got = async |query: &str| -> Vec<u64> {
        let page = console.get_json(&format!("/api/session/{session}/entries{query}")).await;
        page["entries"].as_array().unwrap().iter().map(|entry| entry["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(got("").await, [0, 1, 2, 3]);
    assert_eq!(got("?before=3&limit=2").await, [1, 2]);
    assert_eq!(got("?before=0").await, [0u64; 0]);
    assert_eq!(got("?before=99&limit=1").await, [3]);
    for bad in ["?before=x", "?limit=-1", "?limit=1001"] {
        let response = console.get(&format!("/api/session/{session}/entries{bad}")).await;
        assert_eq!(response.status(), 422, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_cut_off_and_delays_nobody() {
    let console = Console::start(Settings { slow_reader_seconds: Some(1), ..practice() }).await;
    let session = console.session().await;
    let address = console.base.trim_start_matches("http://").to_owned();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    let request =
        format!("GET /api/session/{session}/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    slow.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    slow.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // More than the sockets' buffers hold between them, in entries of a quarter of a megabyte.
    for _ in 0..80 {
        console.prompt(&session, "!head -c 262144 /dev/zero | tr '\\0' x").await;
        console.idle(&session).await;
    }
    let mut other = console.attach(&session, "?tail=1").await;
    let head = other.until_caught_up().await.as_u64().unwrap();
    // The console gave up on it: what is left in the buffers ends in an end, not in the log's end.
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await.expect("the connection was ended");
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("\nid: 1\n"), "it had begun to read");
    assert!(!rest.contains(&format!("\nid: {head}\n")), "it was cut off before the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_is_told_to_come_back_when_the_server_ends() {
    let console = Console::practice().await;
    let session = console.session().await;
    console.prompt(&session, "!sleep 600").await;
    let mut client = console.attach(&session, "").await;
    client.until(|event| matches!(event, Event::Tool { .. })).await;
    console.end().await;
    let mut last = None;
    while let Some(frame) = client.frame().await {
        last = Some(frame);
    }
    let last = last.unwrap();
    assert_eq!((last.event.as_deref(), last.id), (Some("restart"), None));
    assert!(last.data.contains("retry_ms"), "{}", last.data);
    assert_eq!(
        crate::harness::console::kinds(&client.entries).last(),
        Some(&"turn_end"),
        "its turn ended before the stream did"
    );
}
