//! Power over a real sshd and the real host script: six verbs, once, with their true outcome.

use breakglass::server::config::Settings;
use domain::event::Event;
use serde_json::{Value, json};

use crate::harness::{
    console::{Console, TOKEN, eventually, kinds, practice},
    hypervisor::Hypervisor,
    sshd::Sshd,
};

/// A console that reaches a hypervisor, and a target, over a real sshd.
pub(super) async fn over_ssh(settings: Settings) -> (Console, Hypervisor, Sshd) {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let console = Console::start(Settings { ssh_config: Some(sshd.ssh_config()), ..settings }).await;
    (console, hypervisor, sshd)
}

/// Waits until a cycle is half-way: its VM is stopped.
pub(super) async fn half_way(hypervisor: &Hypervisor) {
    eventually("the VM is stopped", async || (!hypervisor.vm().0).then_some(())).await;
}

pub(super) async fn verb(console: &Console, verb: &str) -> (u16, Value) {
    console.post(&format!("/api/pve/{verb}"), json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_six_verbs_does_what_it_says() {
    let (console, hypervisor, _sshd) = over_ssh(Settings::default()).await;
    assert_eq!(
        console.get_json("/api/pve/verbs").await,
        json!({
            "verbs": ["cycle", "forensics", "reset", "start", "status", "stop"],
            "mutating": ["cycle", "reset", "start", "stop"],
        })
    );
    let first_pid = hypervisor.vm().1;
    for (name, running, fresh_process, says) in [
        ("status", true, false, "running"),
        ("forensics", true, false, "=="),
        ("reset", true, false, "reset: done"),
        ("stop", false, false, "stop: done"),
        ("start", true, true, "start: done"),
        ("cycle", true, true, "cycle: done"),
    ] {
        let before = hypervisor.vm().1;
        let (status, told) = verb(&console, name).await;
        assert_eq!((status, &told["outcome"], &told["exit_code"]), (200, &json!("done"), &json!(0)), "{name}: {told}");
        assert_eq!(
            (&told["verb"], &told["rejected"], &told["truncated"]),
            (&json!(name), &json!(false), &json!(false))
        );
        assert!(told["stdout"].as_str().unwrap().contains(says), "{name}: {told}");
        assert_eq!(hypervisor.vm().0, running, "{name}");
        assert_eq!(hypervisor.vm().1 != before, fresh_process, "{name}");
        let run = console.get_json(&format!("/api/pve/runs/{}", told["run_id"].as_str().unwrap())).await;
        assert_eq!((&run["by"], &run["outcome"], &run["stdout"]), (&json!("script"), &json!("done"), &told["stdout"]));
    }
    assert_ne!(hypervisor.vm().1, first_pid);
    let history = console.get_json("/api/pve/runs").await;
    let verbs: Vec<_> = history["runs"].as_array().unwrap().iter().map(|run| run["verb"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["cycle", "start", "stop", "reset", "forensics", "status"], "newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_stands_in_its_session_with_its_operator_beginning_and_end() {
    let (console, _hypervisor, _sshd) = over_ssh(Settings::default()).await;
    let session = console.session().await;
    let (status, told) = console.post("/api/pve/cycle", json!({ "session_id": session })).await;
    assert_eq!(status, 200);
    let mut client = console.attach(&session, "").await;
    client.until_caught_up().await;
    assert_eq!(kinds(&client.entries), ["verb", "verb"]);
    let Event::Verb { run_id, by, outcome, .. } = &client.entries[1].event else { panic!() };
    assert_eq!((run_id.as_str(), by.as_str()), (told["run_id"].as_str().unwrap(), "script"));
    assert_eq!(outcome.unwrap().to_string(), "done");
    assert_eq!(client.transcript.rows().count(), 1, "beginning and end are one row");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_comes_while_the_verb_runs_and_ends_with_the_run() {
    let (console, hypervisor, _sshd) = over_ssh(Settings::default()).await;
    hypervisor.configure("PRACTICE_SECONDS=2");
    let http = console.http.clone();
    let url = console.url("/api/pve/cycle");
    let posting = tokio::spawn(async move { http.post(url).bearer_auth(TOKEN).send().await.unwrap().status() });
    let run_id = eventually("the run begins", async || {
        console.get_json("/api/pve/runs").await["runs"][0]["run_id"].as_str().map(str::to_owned)
    })
    .await;
    let response = console.get(&format!("/api/pve/runs/{run_id}/stream")).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = Frames::new(response);
    let first = stream.next().await;
    assert!(first["text"].as_str().unwrap().contains("forensics"), "{first}");
    assert!(!posting.is_finished(), "the first output comes long before the end");
    let mut text = first["text"].as_str().unwrap().to_owned();
    let end = loop {
        let frame = stream.next().await;
        match frame["text"].as_str() {
            Some(more) => text.push_str(more),
            None => break frame,
        }
    };
    assert_eq!((&end["outcome"], &end["exit_code"]), (&json!("done"), &json!(0)));
    assert_eq!(end["stdout"].as_str().unwrap(), text);
    assert_eq!(posting.await.unwrap(), 200);
    let mut later = Frames::new(console.get(&format!("/api/pve/runs/{run_id}/stream")).await);
    assert_eq!(later.next().await["text"].as_str().unwrap(), text, "and who looks later sees the same");
}

/// The JSON of the frames of a run's stream.
struct Frames {
    response: reqwest::Response,
    decoder: domain::sse::Decoder,
    waiting: std::collections::VecDeque<Value>,
}

impl Frames {
    fn new(response: reqwest::Response) -> Self {
        Frames { response, decoder: domain::sse::Decoder::default(), waiting: std::collections::VecDeque::new() }
    }

    async fn next(&mut self) -> Value {
        while self.waiting.is_empty() {
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            let frames = self.decoder.push(&chunk);
            self.waiting.extend(frames.iter().map(|frame| serde_json::from_str::<Value>(&frame.data).unwrap()));
        }
        self.waiting.pop_front().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mutation_at_a_time_and_inspection_always() {
    let (console, hypervisor, _sshd) = over_ssh(Settings::default()).await;
    hypervisor.configure("PRACTICE_SECONDS=2");
    let cycling = async { verb(&console, "cycle").await.0 };
    let others = async {
        half_way(&hypervisor).await;
        let (status, told) = verb(&console, "reset").await;
        assert_eq!((status, &told["code"], &told["run_id"]), (409, &json!("mutation_running"), &json!(null)));
        assert!(told["detail"].as_str().unwrap().contains("cycle is already running for script"), "{told}");
        assert_eq!(verb(&console, "status").await.0, 200);
    };
    let (status, ()) = tokio::join!(cycling, others);
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_be_reached_is_refused_and_blocks_nothing() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ssh_config");
    std::fs::write(&config, format!("Host devvm pve\n  HostName 127.0.0.1\n  Port {port}\n")).unwrap();
    let console = Console::start(Settings { ssh_config: Some(config), ..Settings::default() }).await;
    for _ in 0..2 {
        let (status, told) = verb(&console, "cycle").await;
        assert_eq!((status, &told["outcome"], &told["rejected"]), (502, &json!("refused"), &json!(true)), "{told}");
        assert!(told["detail"].as_str().unwrap().contains("nothing was sent"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_let_in_is_refused() {
    // An sshd on which the hypervisor's key is not authorised at all.
    let sshd = Sshd::start(None);
    let console = Console::start(Settings { ssh_config: Some(sshd.ssh_config()), ..Settings::default() }).await;
    let (status, told) = verb(&console, "cycle").await;
    assert_eq!((status, &told["outcome"], &told["rejected"]), (502, &json!("refused"), &json!(true)), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("Permission denied"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_refuses_is_refused_and_what_fails_there_is_told() {
    let (console, hypervisor, _sshd) = over_ssh(Settings::default()).await;
    hypervisor.put_before_qm("[ $1 != start ] || { echo 'cannot start it' >&2; exit 255; }");
    assert_eq!(verb(&console, "stop").await.0, 200);
    let (status, told) = verb(&console, "start").await;
    assert_eq!((status, &told["outcome"], &told["exit_code"]), (502, &json!("done"), &json!(1)), "{told}");
    let said = format!("{}{}", told["stdout"].as_str().unwrap(), told["stderr"].as_str().unwrap());
    assert!(said.contains("cannot start it") && said.contains("stopped"), "{said}");
    hypervisor.configure("VMID=nonsense");
    let (status, told) = verb(&console, "start").await;
    assert_eq!((status, &told["outcome"], &told["exit_code"]), (502, &json!("refused"), &json!(64)), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_beyond_the_cap_is_cut_with_a_mark() {
    let (console, hypervisor, _sshd) = over_ssh(Settings::default()).await;
    hypervisor.put_before_qm("[ $1 != status ] || yes 'a line of output' | head -c 3000000");
    let (_, told) = verb(&console, "status").await;
    let stdout = told["stdout"].as_str().unwrap();
    assert_eq!(told["truncated"], json!(true));
    assert!(stdout.len() > 1 << 20 && stdout.len() < (1 << 20) + 200, "{}", stdout.len());
    assert!(stdout.ends_with("longer than what is kept …\n"), "{}", &stdout[stdout.len() - 100..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn practice_runs_the_same_script_without_ssh() {
    let console = Console::practice().await;
    let (status, told) = verb(&console, "cycle").await;
    assert_eq!((status, &told["outcome"]), (200, &json!("done")));
    let said = told["stdout"].as_str().unwrap();
    assert!(said.contains("== ") && said.trim_end().ends_with("cycle: done: VM 102 is running"), "{said}");
    let captures = std::fs::read_dir(console.folder().join("practice/captures")).unwrap();
    assert_eq!(captures.count(), 1, "evidence first");
    assert!(console.get("/").await.text().await.unwrap().contains("PRACTICE"));
    let _ = practice();
}

/// Stops the VM by the host's own script.
pub(super) fn stop_vm(hypervisor: &Hypervisor) {
    let output = crate::harness::sshd::finish(&mut hypervisor.verb("stop"));
    assert!(output.status.success());
}
