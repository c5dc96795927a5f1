//! Idempotency keys: the same intent happens once, whatever the network does.

use domain::event::Event;
use serde_json::json;

use crate::harness::console::{Console, TOKEN, answer, eventually, kinds, practice};

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_sent_again_is_not_done_again() {
    let console = Console::practice().await;
    let session = console.session().await;
    let path = format!("/api/session/{session}/prompt");
    let first = console.post_once(&path, "k", json!({"prompt": "hello"})).await;
    assert_eq!(first, (200, json!({"status": "started"})));
    console.idle(&session).await;
    for _ in 0..3 {
        assert_eq!(console.post_once(&path, "k", json!({"prompt": "hello"})).await, first);
    }
    let (status, told) = console.post_once(&path, "k", json!({"prompt": "other"})).await;
    assert_eq!((status, &told["code"]), (422, &json!("key_reused")));
    console.idle(&session).await;
    let mut client = console.attach(&session, "").await;
    client.until_caught_up().await;
    assert_eq!(kinds(&client.entries), ["user", "text", "result", "turn_end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_leaves_its_key_free() {
    let console = Console::practice().await;
    let session = console.session().await;
    let path = format!("/api/session/{session}/prompt");
    console.prompt(&session, "!sleep 600").await;
    let refused = console.post_once(&path, "k", json!({"prompt": "hello"})).await;
    assert_eq!(refused.0, 409);
    console.post(&format!("/api/session/{session}/cancel"), json!({})).await;
    console.idle(&session).await;
    assert_eq!(console.post_once(&path, "k", json!({"prompt": "hello"})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_must_be_a_key() {
    let console = Console::practice().await;
    for bad in ["", " ", "a b", &"x".repeat(256)] {
        let (status, told) = console.post_once("/api/session", bad, json!({})).await;
        assert_eq!((status, &told["code"]), (422, &json!("key_bad")), "{bad:?}");
    }
    let one = console.post_once("/api/session", &"x".repeat(255), json!({})).await;
    assert_eq!(console.post_once("/api/session", &"x".repeat(255), json!({})).await, one);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_posts_of_one_key_run_a_verb_once() {
    let console = Console::practice().await;
    let posts = (0..50).map(|_| console.post_once("/api/pve/cycle", "tap", json!({})));
    let answers = futures_util::future::join_all(posts).await;
    let done: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
    let waiting = answers.iter().filter(|(status, told)| *status == 409 && told["code"] == "key_in_progress").count();
    assert_eq!(done.len() + waiting, 50, "{answers:?}");
    assert!(!done.is_empty());
    let later = console.post_once("/api/pve/cycle", "tap", json!({})).await;
    assert_eq!(&later, done[0]);
    let runs = console.get_json("/api/pve/runs").await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start_in(practice(), folder.path()).await;
    let session = console.session().await;
    let path = format!("/api/session/{session}/prompt");
    let prompted = console.post_once(&path, "p", json!({"prompt": "hello"})).await;
    let cycled = console.post_once("/api/pve/cycle", "v", json!({})).await;
    assert_eq!((prompted.0, cycled.0), (200, 200));
    console.idle(&session).await;
    console.end().await;

    let console = Console::start_in(practice(), folder.path()).await;
    assert_eq!(console.post_once(&path, "p", json!({"prompt": "hello"})).await, prompted);
    assert_eq!(console.post_once("/api/pve/cycle", "v", json!({})).await, cycled);
    assert_eq!(console.get_json("/api/pve/runs").await["runs"].as_array().unwrap().len(), 1);
    assert_eq!(console.finished(&session).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_different_paths_are_different_keys() {
    let console = Console::practice().await;
    let session = console.session().await;
    assert_eq!(console.post_once("/api/pve/status", "k", json!({})).await.0, 200);
    let path = format!("/api/session/{session}/prompt");
    assert_eq!(console.post_once(&path, "k", json!({"prompt": "hello"})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_ends_nothing() {
    let console = Console::practice().await;
    let session = console.session().await;
    let request = console.http.post(console.url("/api/pve/cycle")).bearer_auth(TOKEN);
    let calling = request.header("idempotency-key", "gone").json(&json!({ "session_id": session }));
    let sent = tokio::spawn(calling.send());
    let run = eventually("the run begins", async || {
        console.get_json("/api/pve/runs").await["runs"][0]["run_id"].as_str().map(str::to_owned)
    })
    .await;
    sent.abort();
    let mut client = console.attach(&session, "").await;
    let ended = |event: &Event| matches!(event, Event::Verb { outcome: Some(_), .. });
    client.until(ended).await;
    let (status, told) = eventually("the key has its answer", async || {
        let again = console.post_once("/api/pve/cycle", "gone", json!({ "session_id": session })).await;
        (again.0 != 409).then_some(again)
    })
    .await;
    assert_eq!((status, told["run_id"].as_str()), (200, Some(run.as_str())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_sent_once_too() {
    let console = Console::practice().await;
    let session = console.session().await;
    let post = async |prompt: &str| {
        let request =
            console.http.post(console.url("/do/prompt")).bearer_auth(TOKEN).header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answer(request.body(format!("session={session}&key=form-1&prompt={prompt}"))).await
    };
    let first = post("hello").await;
    assert_eq!(first, (200, json!({"started": {"session_id": session}})));
    console.idle(&session).await;
    assert_eq!(post("hello").await, first);
    let (_, told) = post("other").await;
    assert_eq!(told["failed"]["status"], json!(422), "{told}");
    assert_eq!(
        console.get_json(&format!("/api/session/{session}/entries")).await["entries"].as_array().unwrap().len(),
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_is_sent_again_does_not_stop_the_next_turn() {
    let console = Console::practice().await;
    let session = console.session().await;
    let cancel = format!("/api/session/{session}/cancel");
    console.prompt(&session, "!sleep 600").await;
    assert_eq!(console.post_once(&cancel, "stop", json!({})).await, (200, json!({"cancelled": true})));
    console.idle(&session).await;
    console.prompt(&session, "!sleep 600").await;
    assert_eq!(console.post_once(&cancel, "stop", json!({})).await, (200, json!({"cancelled": true})));
    let listed = console.get_json("/api/session").await;
    assert_eq!(listed["sessions"][0]["turn_active"], json!(true), "the second turn runs on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verb_that_was_never_sent_leaves_its_key_free() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ssh_config");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    std::fs::write(&config, format!("Host pve\n  HostName 127.0.0.1\n  Port {nobody}\n")).unwrap();
    let settings = || breakglass::server::config::Settings { ssh_config: Some(config.clone()), ..Default::default() };
    let console = Console::start(settings()).await;
    for _ in 0..2 {
        let (status, told) = console.post_once("/api/pve/cycle", "tap", json!({})).await;
        assert_eq!((status, &told["outcome"], &told["rejected"]), (502, &json!("refused"), &json!(true)), "{told}");
    }
    // The hypervisor comes back: the same tap is sent now.
    let hypervisor = crate::harness::hypervisor::Hypervisor::practice();
    let sshd = crate::harness::sshd::Sshd::start(Some(&hypervisor.forced_command()));
    std::fs::copy(sshd.ssh_config(), &config).unwrap();
    let (status, told) = console.post_once("/api/pve/cycle", "tap", json!({})).await;
    assert_eq!((status, &told["outcome"]), (200, &json!("done")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_prompts_that_are_refused_leave_one_empty_session_at_most() {
    let settings = breakglass::server::config::Settings { max_concurrent_turns: Some(1), ..practice() };
    let console = Console::start(settings).await;
    let busy = console.session().await;
    console.prompt(&busy, "!sleep 600").await;
    for n in 0..3 {
        let request = console.http.post(console.url("/do/prompt")).bearer_auth(TOKEN);
        let request = request.header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let (_, told) = answer(request.body(format!("session=&key=first-{n}&prompt=hello"))).await;
        assert_eq!(told["failed"]["status"], json!(429), "{told}");
    }
    let listed = console.get_json("/api/session").await;
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2);
}
