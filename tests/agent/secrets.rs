//! Secrets: what the agent's commands can see of them, which is nothing.

use domain::event::Event;
use serde_json::json;

use crate::{
    KEY, Lab,
    harness::{
        console::TOKEN,
        program::Program,
        provider::{Provider, claude, script},
    },
    results,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_commands_see_an_allow_list_and_no_secret() {
    let (provider, folder) = (Provider::start(), tempfile::tempdir().unwrap());
    let (claude, base) = (claude().display().to_string(), format!("ANTHROPIC_BASE_URL={}", provider.base()));
    let flags = ["--backend", "claude", "--claude-bin", &claude, "--permissions", "autonomous", "--agent-env", &base];
    let variables = [
        ("ANTHROPIC_API_KEY", KEY),
        ("IS_SANDBOX", "1"),
        ("SSH_AUTH_SOCK", "/run/the-consoles-own-agent"),
        ("SOMEBODYS_SECRET", "hunter2"),
    ];
    let program = Program::start_with(folder.path(), &flags, &variables);
    let session = program.post("/api/session", json!({})).await.1["session_id"].as_str().unwrap().to_owned();
    // Of itself, of whoever is above it and shows its environment, and of what they have open.
    let look = "env; p=$$; while [ $p -gt 1 ]; do tr '\\0' '\\n' </proc/$p/environ; tr '\\0' ' ' </proc/$p/cmdline; \
                p=$(sed 's/.*) . //; s/ .*//' /proc/$p/stat); \
                case $(tr '\\0' ' ' </proc/$p/cmdline) in *' keep '*) break;; esac; done; \
                timeout 1 cat /proc/$PPID/fd/[3-9]* </dev/null 2>/dev/null | head -c 10000; echo looked";
    let prompt = json!({"prompt": script(json!([[{"bash": look}], [{"text": "ok"}]]))});
    assert_eq!(program.post(&format!("/api/session/{session}/prompt"), prompt).await.0, 200);
    let mut client = program.attach(&session).await;
    client.until(|event| *event == Event::TurnEnd).await;
    let Event::ToolResult { output, .. } = results(&client.entries)[0] else { panic!() };
    assert!(output.contains("BREAKGLASS_TURN_FILE=") && output.contains("looked"), "{output}");
    for secret in [KEY, TOKEN, "hunter2", "the-consoles-own-agent", "API_BEARER_TOKEN"] {
        assert!(!output.contains(secret), "{secret} in {output}");
    }
    assert_eq!(provider.steps().await[0].api_key.as_deref(), Some(KEY), "and yet the CLI has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_the_same_user_cannot_read_the_servers_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = std::process::Command::new(env!("CARGO_BIN_EXE_breakglass"));
    let data = folder.path().join("data");
    // Root may read everything, so that where the tests run as root, the server and its reader are somebody else.
    if nix::unistd::geteuid().is_root() {
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let program = folder.path().join("breakglass");
        std::fs::copy(env!("CARGO_BIN_EXE_breakglass"), &program).unwrap();
        server = std::process::Command::new("setpriv");
        server.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    }
    let mut server = server
        .args(["serve", "--practice", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .env("API_BEARER_TOKEN", TOKEN)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(server.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().starts_with("listening on ")));
    let environ = format!("/proc/{}/environ", server.id());
    let mut reader = std::process::Command::new("cat");
    if nix::unistd::geteuid().is_root() {
        reader = std::process::Command::new("setpriv");
        reader.args(["--reuid=65534", "--regid=65534", "--clear-groups", "cat"]);
    }
    let read = reader.arg(&environ).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(!read.status.success(), "it could be read: {}", String::from_utf8_lossy(&read.stdout));
    assert!(String::from_utf8_lossy(&read.stderr).contains("Permission denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn root_is_told_why_the_agent_will_not_act_alone_and_what_to_do() {
    if !nix::unistd::geteuid().is_root() {
        // An ordinary user is never refused, so there is nothing to be told.
        return;
    }
    let provider = Provider::start();
    let folder = tempfile::TempDir::new().unwrap();
    let mut surroundings = crate::with_key();
    surroundings.agent.env.retain(|(name, _)| name != "IS_SANDBOX");
    let console =
        crate::harness::console::Console::start_with(crate::settings(&provider), surroundings, folder.path()).await;
    let lab = Lab { provider, console, folder };
    let session = lab.console.session().await;
    let entries = lab.turn(&session, json!([[{"text": "never"}]])).await;
    let told = entries.iter().find_map(|entry| match &entry.event {
        Event::Error { error } => Some(error.clone()),
        _ => None,
    });
    let told = told.unwrap();
    assert!(told.contains("ordinary user") && told.contains("IS_SANDBOX=1") && told.contains("without ai"), "{told}");
    lab.close().await;
}
