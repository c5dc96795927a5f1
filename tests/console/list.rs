//! The list of sessions: found by their text, put away and brought back.

use serde_json::{Value, json};

use crate::harness::console::Console;

async fn listed(console: &Console, query: &str) -> Vec<Value> {
    let list = console.get_json(&format!("/api/session{query}")).await;
    list["sessions"].as_array().unwrap().iter().map(|session| session["id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_by_what_was_asked_and_by_what_came_of_it() {
    let console = Console::practice().await;
    let disk = console.session_with("!echo 'the DISK is 100% full\n\"really\"'").await;
    let other = console.session_with("!echo nothing; echo $((40000+2))0917").await;
    assert_eq!(listed(&console, "").await, [json!(other), json!(disk)]);
    assert_eq!(listed(&console, "?q=disk").await, [json!(disk)], "letters of either case");
    assert_eq!(listed(&console, "?q=400020917").await, [json!(other)], "in an output");
    assert_eq!(listed(&console, "?q=100%25%20full").await, [json!(disk)], "a percent sign is one");
    assert_eq!(listed(&console, "?q=%22really%22").await, [json!(disk)], "as it reads, not as it is stored");
    assert_eq!(listed(&console, "?q=1_0").await, Vec::<Value>::new());
    assert_eq!(listed(&console, "?limit=1").await, [json!(other)]);
    assert_eq!(console.get("/api/session?limit=100000").await.status(), 422);
    assert_eq!(console.get(&format!("/api/session?q={}", "x".repeat(300))).await.status(), 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_put_away_comes_back_with_its_next_prompt() {
    let console = Console::practice().await;
    let (old, new) = (console.session_with("!echo old").await, console.session_with("!echo new").await);
    let archive = format!("/api/session/{old}/archive");
    assert_eq!(console.post(&archive, json!({"archived": true})).await, (200, json!({"archived": true})));
    assert_eq!(listed(&console, "").await, [json!(new)]);
    assert_eq!(listed(&console, "?archived=true").await, [json!(old)]);
    assert_eq!(console.get(&format!("/api/session/{old}/entries")).await.status(), 200, "it can still be read");
    console.prompt(&old, "!echo again").await;
    console.idle(&old).await;
    assert_eq!(listed(&console, "?archived=true").await, Vec::<Value>::new());
    assert_eq!(console.post(&archive, json!({})).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_nobody_looks_at_are_forgotten_and_found_again() {
    let console = Console::practice().await;
    let first = console.session_with("!echo first").await;
    for _ in 0..80 {
        console.session().await;
    }
    let mut client = console.attach(&first, "").await;
    client.until_caught_up().await;
    let before = client.entries.len();
    console.prompt(&first, "!echo more").await;
    console.idle(&first).await;
    let entries = console.get_json(&format!("/api/session/{first}/entries")).await;
    let after = entries["entries"].as_array().unwrap().len();
    assert!(after > before);
    while client.entries.len() < after {
        client.frame().await.unwrap();
    }
}
