//! The agent's reach: two hosts by name, the second of which is the console itself.

use std::os::unix::fs::PermissionsExt;

use breakglass::server::config::Settings;
use domain::{event::Event, verb::Outcome};
use serde_json::json;

use crate::{
    Lab, claude,
    harness::{
        console::{Console, TOKEN, answer, kinds},
        hypervisor::Hypervisor,
        provider::{Provider, script},
        sshd::Sshd,
    },
    notices, processes_with, results, settings, with_key,
};

fn output(event: &Event) -> &str {
    if let Event::ToolResult { output, .. } = event { output } else { panic!("{event:?}") }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_power_actions_are_runs_like_any_other_with_its_operator_as_who() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let steps = json!([[{"bash": "ssh pve status; echo code $?"}], [{"bash": "ssh pve reset; echo code $?", "timeout": 110000}], [{"text": "ok"}]]);
    let entries = lab.turn(&session, steps).await;
    let results = results(&entries);
    assert!(output(results[0]).contains("status: running") && output(results[0]).contains("code 0"));
    assert!(output(results[1]).contains("code 0"), "{}", output(results[1]));
    let runs = lab.console.get_json("/api/pve/runs").await;
    let runs = runs["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    for run in runs {
        assert_eq!((&run["by"], &run["session_id"]), (&json!("agent for script"), &json!(session)));
    }
    let ended = entries.iter().filter(|entry| matches!(entry.event, Event::Verb { outcome: Some(Outcome::Done), .. }));
    assert_eq!(ended.count(), 2, "{:?}", kinds(&entries));
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pve_takes_one_verb_and_nothing_that_is_dressed_as_one() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let witness = lab.folder.path().join("pwned");
    let hostile = [
        format!("ssh pve 'status; touch {}'", witness.display()),
        format!("ssh pve status '$(touch {})'", witness.display()),
        format!("ssh pve \"`echo status`\ntouch {}\"", witness.display()),
        "ssh pve".into(),
        "ssh pve destroy".into(),
        "ssh pve STATUS".into(),
        "ssh -o ProxyCommand='touch x' root@elsewhere id".into(),
        "ssh pve.example status".into(),
    ];
    let steps: Vec<_> = hostile.iter().map(|command| json!([{"bash": format!("{command}; echo code $?")}])).collect();
    let entries = lab.turn(&session, json!(steps)).await;
    for result in results(&entries) {
        assert!(output(result).contains("code 255"), "{}", output(result));
    }
    assert!(!witness.exists());
    assert_eq!(lab.console.get_json("/api/pve/runs").await["runs"], json!([]), "nothing was run");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_turns_token_runs_verbs_and_nothing_else_and_ends_with_the_turn() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let gate = lab.folder.path().join("go-on");
    let wait = format!("until [ -e {} ]; do sleep 0.05; done", gate.display());
    lab.console.prompt(&session, &script(json!([[{"bash": wait}], [{"text": "ok"}]]))).await;
    let mut client = lab.console.attach(&session, "").await;
    client.until(|event| matches!(event, Event::Tool { .. })).await;
    let file = lab.folder.path().join("sessions").join(&session).join(".breakglass/turn.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let turn: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let token = turn["token"].as_str().unwrap().to_owned();
    let call = |method: reqwest::Method, path: String| {
        let request = lab.console.http.request(method, lab.console.url(&path)).bearer_auth(&token);
        answer(request.json(&json!({})))
    };
    use reqwest::Method;
    for (method, path) in [
        (Method::GET, "/api/session".to_owned()),
        (Method::GET, format!("/api/session/{session}/entries")),
        (Method::POST, format!("/api/session/{session}/permission")),
        (Method::POST, format!("/api/session/{session}/prompt")),
        (Method::GET, "/api/pve/runs".into()),
    ] {
        let (status, told) = call(method, path.clone()).await;
        assert_eq!((status, told["code"].as_str()), (403, Some("not_for_agents")), "{path}");
    }
    assert_eq!(call(Method::POST, "/api/pve/status".into()).await.0, 200);
    std::fs::write(&gate, "").unwrap();
    lab.console.idle(&session).await;
    assert!(!file.exists());
    assert_eq!(call(Method::POST, "/api/pve/status".into()).await.0, 401);
    lab.close().await;
}

/// A console whose target and hypervisor are a real sshd.
async fn over_ssh(change: impl FnOnce(&Sshd, Settings) -> Settings) -> (Lab, Sshd, Hypervisor) {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let provider = Provider::start();
    let folder = tempfile::TempDir::new().unwrap();
    let settings = Settings { practice: None, ssh_config: Some(sshd.ssh_config()), ..settings(&provider) };
    let console = Console::start_with(change(&sshd, settings), with_key(), folder.path()).await;
    (Lab { provider, console, folder }, sshd, hypervisor)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_is_reached_by_the_consoles_ssh_and_what_runs_on_there_is_named() {
    let (lab, _sshd, _hypervisor) = over_ssh(|_, settings| settings).await;
    let session = lab.console.session().await;
    let steps = json!([
        [{"bash": "ssh devvm 'echo \"it is $((6*7))\"; exit 5'; echo code $?"}],
        [{"bash": "echo piped | ssh devvm cat"}],
        [{"bash": "ssh devvm 'nohup setsid sleep 7201 >/dev/null 2>&1 </dev/null &'"}],
        [{"text": "ok"}],
    ]);
    let entries = lab.turn(&session, steps).await;
    let told = results(&entries);
    assert!(output(told[0]).contains("it is 42") && output(told[0]).contains("code 5"), "{}", output(told[0]));
    assert!(output(told[1]).contains("piped"));
    let named = notices(&entries);
    assert!(named.contains("left running on devvm") && named.contains("sleep 7201"), "{named}");
    let left = processes_with("7201");
    assert_eq!(left.len(), 1, "the console does not reach into the target by itself");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(left[0]), nix::sys::signal::Signal::SIGKILL).unwrap();
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_from_a_file_is_in_the_agents_own_ssh_agent_and_nowhere_else() {
    let (lab, sshd, _hypervisor) = over_ssh(|sshd, settings| {
        // As a container mounts it: others may read it, which ssh itself would refuse.
        std::fs::set_permissions(sshd.target_key(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let config = std::fs::read_to_string(sshd.ssh_config()).unwrap();
        let without: Vec<_> =
            config.lines().filter(|line| !line.contains("IdentityFile") && !line.contains("IdentitiesOnly")).collect();
        std::fs::write(sshd.ssh_config(), without.join("\n") + "\nIdentityFile none\n").unwrap();
        Settings { key_path: Some(sshd.target_key()), ..settings }
    })
    .await;
    let session = lab.console.session().await;
    let steps = json!([[{"bash": "ssh devvm 'echo reached'; ssh-add -l | wc -l"}], [{"text": "ok"}]]);
    let entries = lab.turn(&session, steps).await;
    assert!(output(results(&entries)[0]).contains("reached\n1"), "{}", output(results(&entries)[0]));
    lab.console.prompt(&session, "!echo the runbook too").await;
    lab.console.idle(&session).await;
    let entries = lab.entries(&session).await;
    assert!(output(results(&entries)[1]).contains("the runbook too"), "{entries:?}");
    let key = std::fs::read_to_string(sshd.target_key()).unwrap();
    let secret = key.lines().nth(2).unwrap();
    let mut folders = vec![lab.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => {
                    let bytes = std::fs::read(entry.path()).unwrap();
                    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                    assert!(!found, "a copy of the key in {}", entry.path().display());
                }
                _ => {}
            }
        }
    }
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verb_from_the_terminal_goes_through_the_console_that_serves_or_directly() {
    let lab = Lab::open().await;
    let listen = lab.console.base.strip_prefix("http://").unwrap().to_owned();
    let verb = |listen: &str, folder: &std::path::Path| {
        std::process::Command::new(env!("CARGO_BIN_EXE_breakglass"))
            .args(["verb", "status", "--practice", "--listen", listen, "--data-dir"])
            .arg(folder)
            .env("API_BEARER_TOKEN", TOKEN)
            .output()
            .unwrap()
    };
    let through = verb(&listen, lab.folder.path());
    assert!(through.status.success(), "{}", String::from_utf8_lossy(&through.stderr));
    assert!(String::from_utf8_lossy(&through.stdout).contains("status: running"));
    let runs = lab.console.get_json("/api/pve/runs").await;
    assert_eq!(runs["runs"][0]["by"], "script");
    let _ = claude();
    let own = tempfile::tempdir().unwrap();
    let directly = verb("127.0.0.1:9", own.path());
    assert!(directly.status.success(), "{}", String::from_utf8_lossy(&directly.stderr));
    assert!(String::from_utf8_lossy(&directly.stdout).contains("status: running"));
    lab.close().await;
}
