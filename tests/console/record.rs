//! The record: what is on it survives kill -9, and what cannot be written is said.

use breakglass::server::config::Settings;
use domain::event::Event;
use serde_json::json;

use crate::harness::{
    console::{Console, TOKEN, answer, eventually, ids, kinds, practice},
    program::Program,
};

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_nothing_acknowledged_and_closes_the_open_turn() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let session = program.post("/api/session", json!({})).await.1["session_id"].as_str().unwrap().to_owned();
    let pid_file = folder.path().join("pid");
    let prompt = format!("!echo $$ > {}; sleep 600", pid_file.display());
    program.post(&format!("/api/session/{session}/prompt"), json!({ "prompt": prompt })).await;
    let mut client = program.attach(&session).await;
    client.until(|event| matches!(event, Event::Tool { .. })).await;
    let read = || std::fs::read_to_string(&pid_file).ok().filter(|text| text.ends_with('\n'));
    let pid = eventually("the command runs", async || read()).await;
    let seen = client.entries.clone();
    program.kill();
    let pid = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
    eventually("the command ends with the server", async || nix::sys::signal::kill(pid, None).err()).await;

    let program = Program::start(folder.path());
    let mut client = program.attach(&session).await;
    client.until_caught_up().await;
    assert_eq!(client.entries[..seen.len()], seen, "what a client saw is on record");
    assert_eq!(kinds(&client.entries), ["user", "tool", "error", "turn_end"]);
    assert_eq!(ids(&client.entries), [0, 1, 2, 3]);
    assert_eq!(program.get_json("/api/session").await["sessions"][0]["turn_active"], json!(false));
    let path = format!("/api/session/{session}/prompt");
    assert_eq!(program.post(&path, json!({"prompt": "go on"})).await.0, 200);
    program.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_which_the_server_was_killed_is_carried_through_by_the_host_which_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let session = program.post("/api/session", json!({})).await.1["session_id"].as_str().unwrap().to_owned();
    let cycle = || {
        let url = format!("{}/api/pve/cycle", program.base);
        let request = program.http.post(url).bearer_auth(TOKEN).header("idempotency-key", "tap");
        request.json(&json!({ "session_id": session }))
    };
    let posted = tokio::spawn(cycle().send());
    let state = folder.path().join("practice/state/vm");
    let stopped = || std::fs::read_to_string(&state).is_ok_and(|text| text.starts_with("stopped"));
    eventually("the VM is stopped, half-way", async || stopped().then_some(())).await;
    program.kill();
    assert!(posted.await.unwrap().is_err());
    let running = || std::fs::read_to_string(&state).is_ok_and(|text| text.starts_with("running"));
    eventually("the VM runs again", async || running().then_some(())).await;

    let program = Program::start(folder.path());
    // The tap, sent again, is not a second cycle: it gets the truth about the first.
    let url = format!("{}/api/pve/cycle", program.base);
    let again = program.http.post(url).bearer_auth(TOKEN).header("idempotency-key", "tap");
    let (status, told) = answer(again.json(&json!({ "session_id": session }))).await;
    assert_eq!((status, &told["outcome"]), (200, &json!("done")), "{told}");
    let runs = program.get_json("/api/pve/runs").await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    assert_eq!((&runs["runs"][0]["verb"], &runs["runs"][0]["outcome"]), (&json!("cycle"), &json!("done")));
    let mut client = program.attach(&session).await;
    client.until_caught_up().await;
    assert_eq!(kinds(&client.entries)[..2], ["verb", "verb"]);
    assert_eq!(program.post("/api/pve/reset", json!({})).await.0, 200, "and nothing is in the way");
    program.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_prompts_shows_what_there_is_and_runs_verbs() {
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start_in(practice(), folder.path()).await;
    let session = console.session().await;
    console.prompt(&session, "hello").await;
    console.finished(&session).await;
    console.end().await;

    // A real SQLITE_FULL: the database may have no more pages than it has.
    let settings = Settings { store_max_bytes: Some(1), ..practice() };
    let console = Console::start_in(settings, folder.path()).await;
    let path = format!("/api/session/{session}/prompt");
    let long = "x".repeat(60_000);
    let (status, told) = console.post(&path, json!({ "prompt": long })).await;
    assert_eq!((status, &told["code"]), (507, &json!("store_unwritable")), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("make room"), "{told}");
    let mut client = console.attach(&session, "").await;
    client.until_caught_up().await;
    assert_eq!(kinds(&client.entries), ["user", "text", "result", "turn_end"], "what was there is there");
    assert_eq!(console.get("/").await.status(), 200);
    assert_eq!(console.get_json("/api/session").await["sessions"][0]["turn_active"], json!(false));

    // Its output cannot be kept; it runs all the same, and is told.
    let (status, told) = console.post_once("/api/pve/cycle", "tap", json!({})).await;
    assert_eq!((status, &told["outcome"]), (200, &json!("done")), "{told}");
    let (again, same) = console.post_once("/api/pve/cycle", "tap", json!({})).await;
    assert_eq!((again, &same["run_id"]), (200, &told["run_id"]), "and at most once");
    let run = console.get_json(&format!("/api/pve/runs/{}", told["run_id"].as_str().unwrap())).await;
    assert_eq!(run["outcome"], json!("done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_under_which_the_disk_fills_up_ends_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start_in(practice(), folder.path()).await;
    let session = console.session().await;
    let filler = folder.path().join("room");
    // The disk is full from the moment at which another connection holds the only pages: a writer's lock, which is
    // the other way in which SQLite refuses to write.
    console.prompt(&session, &format!("!touch {}; sleep 1; echo done", filler.display())).await;
    eventually("the turn runs", async || filler.exists().then_some(())).await;
    let other = rusqlite::Connection::open(folder.path().join("breakglass.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut client = console.attach(&session, "").await;
    eventually("the turn could not be recorded", async || {
        let listed = console.get_json("/api/session").await;
        (listed["sessions"][0]["turn_active"] == json!(false)).then_some(())
    })
    .await;
    other.execute_batch("ROLLBACK").unwrap();
    client.until(|event| *event == Event::TurnEnd).await;
    let kinds = kinds(&client.entries);
    assert_eq!(kinds[kinds.len() - 2..], ["error", "turn_end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_closes_the_turns() {
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start_in(practice(), folder.path()).await;
    let session = console.session().await;
    console.prompt(&session, "!sleep 600").await;
    console.end().await;
    let console = Console::start_in(practice(), folder.path()).await;
    let entries = console.finished(&session).await;
    let last = kinds(&entries);
    assert_eq!(last[last.len() - 2..], ["error", "turn_end"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(folder.path()).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700, "nobody else can look into the data directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_starts_on_a_full_disk_and_lets_its_operator_in() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let session = program.post("/api/session", json!({})).await.1["session_id"].as_str().unwrap().to_owned();
    program.post(&format!("/api/session/{session}/prompt"), json!({"prompt": "!sleep 600"})).await;
    program.post("/api/pve/status", json!({"session_id": session})).await;
    program.kill();

    let settings = Settings { store_max_bytes: Some(1), ..practice() };
    let console = Console::start_in(settings, folder.path()).await;
    // What a killed server left in the log of the database may leave a little room: use it up.
    eventually("the disk is full", async || (console.post("/api/session", json!({})).await.0 == 507).then_some(()))
        .await;
    assert_eq!(console.get(&format!("/s/{session}")).await.status(), 200);
    assert_eq!(console.post("/api/pve/status", json!({})).await.0, 200);
    console.end().await;

    let console = Console::start_in(practice(), folder.path()).await;
    let entries = console.finished(&session).await;
    assert_eq!(kinds(&entries).iter().filter(|kind| **kind == "turn_end").count(), 1, "closed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_stays_small_whatever_the_session_holds() {
    let console = Console::practice().await;
    let session = console.session().await;
    for _ in 0..5 {
        console.prompt(&session, "!head -c 100000 /dev/urandom | base64 -w 0").await;
        console.idle(&session).await;
    }
    let page = console.get(&format!("/s/{session}")).await.text().await.unwrap();
    // The newest entry is there in any case; one output of 133 kB stands in the page twice, as text and as data.
    assert!(page.len() < 400_000, "{}", page.len());
    assert!(page.contains("Show earlier"));
    let older = console.get_json(&format!("/api/session/{session}/entries?limit=1000")).await;
    assert_eq!(older["entries"].as_array().unwrap().len(), 25);
}
