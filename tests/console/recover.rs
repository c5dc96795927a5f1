//! Lost connections, dead servers, unreachable hosts: what is shown of a run is what the host did.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use breakglass::server::config::Settings;
use domain::event::Event;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::power::{half_way, over_ssh, verb};
use crate::harness::{
    console::{Console, eventually, kinds},
    hypervisor::Hypervisor,
    program::Program,
    sshd::Sshd,
};

/// An sshd whose network can be cut: ssh reaches it only while a file is there, and says so while it waits.
struct Network {
    folder: TempDir,
    config: PathBuf,
}

impl Network {
    fn before(sshd: &Sshd) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let script = format!(
            "#!/bin/bash\necho $$ >>'{}'\nwhile [ ! -e '{}' ]; do sleep 0.05; done\n\
             exec 3<>/dev/tcp/{}/{}\ncat <&3 &\ncat >&3\nkill $! 2>/dev/null\n",
            at("tried"),
            at("up"),
            sshd.host(),
            sshd.port(),
        );
        fs::write(at("way"), script).unwrap();
        fs::set_permissions(at("way"), fs::Permissions::from_mode(0o755)).unwrap();
        let config = folder.path().join("ssh_config");
        let rest = fs::read_to_string(sshd.ssh_config()).unwrap();
        fs::write(&config, format!("Host pve\n  ProxyCommand {}\n{rest}", at("way"))).unwrap();
        let network = Network { folder, config };
        network.up();
        network
    }

    fn up(&self) {
        fs::write(self.folder.path().join("up"), "").unwrap();
    }

    /// Nothing gets through that begins now; what is open goes on.
    fn down(&self) {
        fs::remove_file(self.folder.path().join("up")).unwrap();
    }

    fn tries(&self) -> usize {
        fs::read_to_string(self.folder.path().join("tried")).unwrap_or_default().lines().count()
    }

    fn config(&self) -> Settings {
        Settings { ssh_config: Some(self.config.clone()), ..Settings::default() }
    }

    fn serve(&self, folder: &Path) -> Program {
        Program::serve(folder, &["--ssh-config", self.config.to_str().unwrap(), "--checks", "false"], &[])
    }
}

async fn run_of(program: &Program) -> Value {
    program.get_json("/api/pve/runs").await["runs"][0].clone()
}

async fn ended(program: &Program) -> Value {
    eventually("the run ends", async || Some(run_of(program).await).filter(|run| !run["outcome"].is_null())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_in_mid_cycle_costs_nothing() {
    let (console, hypervisor, sshd) = over_ssh(Settings::default()).await;
    hypervisor.configure("PRACTICE_SECONDS=2");
    let cycling = async { verb(&console, "cycle").await };
    let cutting = async {
        half_way(&hypervisor).await;
        sshd.connections()[0].cut();
        // The run goes on, so that nothing else begins, and whoever looks is told why it is quiet.
        eventually("it is said that the host is asked", async || {
            let id = console.get_json("/api/pve/runs").await["runs"][0]["run_id"].as_str()?.to_owned();
            let run = console.get_json(&format!("/api/pve/runs/{id}")).await;
            run["detail"].as_str()?.contains("is being asked").then_some(())
        })
        .await;
        assert_eq!(verb(&console, "reset").await.1["code"], json!("mutation_running"));
    };
    let ((status, told), ()) = tokio::join!(cycling, cutting);
    assert_eq!((status, &told["outcome"], &told["exit_code"]), (200, &json!("done"), &json!(0)), "{told}");
    assert!(told["stdout"].as_str().unwrap().ends_with("cycle: done: VM 102 is running\n"), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("said afterwards"), "{told}");
    assert_eq!((hypervisor.count("stop"), hypervisor.count("start"), hypervisor.vm().0), (1, 1, true));
    assert_eq!(verb(&console, "reset").await.0, 200, "and nothing is in the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_killed_is_unknown_until_somebody_looks() {
    let (console, hypervisor, _sshd) = over_ssh(Settings::default()).await;
    hypervisor.configure("PRACTICE_SECONDS=1");
    hypervisor.put_before_qm("[ $1 != stop ] || { kill -9 $PPID $(ps -o ppid= -p $PPID); exit 1; }");
    let (status, told) = verb(&console, "cycle").await;
    assert_eq!((status, &told["outcome"]), (502, &json!("unknown")), "{told}");
    let (status, told) = verb(&console, "start").await;
    assert_eq!((status, &told["code"], &told["rejected"]), (409, &json!("outcome_unknown"), &json!(true)), "{told}");
    hypervisor.put_before_qm("");
    let (status, _) = console.post("/api/pve/reset", json!({"override": true})).await;
    assert_eq!(status, 200, "who knows better may go on");
    hypervisor.put_before_qm("[ $1 != reset ] || { kill -9 $PPID $(ps -o ppid= -p $PPID); exit 1; }");
    assert_eq!(verb(&console, "reset").await.1["outcome"], json!("unknown"));
    assert_eq!(verb(&console, "start").await.1["code"], json!("outcome_unknown"));
    hypervisor.put_before_qm("");
    assert_eq!(verb(&console, "status").await.0, 200);
    assert_eq!(verb(&console, "reset").await.0, 200, "somebody looked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_mid_cycle_says_afterwards_what_became_of_it() {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let (network, folder) = (Network::before(&sshd), TempDir::new().unwrap());
    hypervisor.configure("PRACTICE_SECONDS=2");
    let program = network.serve(folder.path());
    let session = program.post("/api/session", json!({})).await.1["session_id"].as_str().unwrap().to_owned();
    let body = json!({ "session_id": session });
    let begun = program.http.clone().post(format!("{}/api/pve/cycle", program.base));
    let call = begun.bearer_auth(crate::harness::console::TOKEN).header("idempotency-key", "k1").json(&body);
    let asking = tokio::spawn(call.send());
    half_way(&hypervisor).await;
    program.kill();
    let _ = asking.await;

    let program = network.serve(folder.path());
    assert_eq!(program.post("/api/pve/reset", json!({})).await.1["code"], json!("mutation_running"));
    // The same key waits for what is true, and is then answered as it would have been.
    let (status, told) = program.post_once("/api/pve/cycle", "k1", body.clone()).await;
    assert_eq!((status, &told["outcome"], &told["exit_code"]), (200, &json!("done"), &json!(0)), "{told}");
    assert!(told["stdout"].as_str().unwrap().ends_with("cycle: done: VM 102 is running\n"), "{told}");
    assert_eq!(program.post_once("/api/pve/cycle", "k1", body).await, (status, told.clone()), "and again");
    assert_eq!(run_of(&program).await["outcome"], json!("done"));
    assert_eq!((hypervisor.count("stop"), hypervisor.count("start"), hypervisor.vm().0), (1, 1, true));
    let mut client = program.attach(&session).await;
    client.until_caught_up().await;
    assert_eq!(kinds(&client.entries), ["verb", "verb"], "one beginning, one end");
    let Event::Verb { outcome, exit_code, .. } = &client.entries[1].event else { panic!() };
    assert_eq!((outcome.unwrap().to_string().as_str(), *exit_code), ("done", Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_before_it_could_send_says_that_nothing_was_done_and_that_stays_true() {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let (network, folder) = (Network::before(&sshd), TempDir::new().unwrap());
    network.down();
    let program = network.serve(folder.path());
    let call = program.http.post(format!("{}/api/pve/cycle", program.base)).bearer_auth(crate::harness::console::TOKEN);
    let asking = tokio::spawn(call.header("idempotency-key", "k1").json(&json!({})).send());
    eventually("ssh is on its way", async || (network.tries() > 0).then_some(())).await;
    // Its ssh lives on and has not got through yet; it will when the network comes back.
    program.kill();
    let _ = asking.await;
    let program = network.serve(folder.path());
    assert_eq!(run_of(&program).await["outcome"], json!(null), "it is being found out");
    network.up();
    let run = ended(&program).await;
    match run["outcome"].as_str() {
        Some("refused") => {
            tokio::task::block_in_place(|| hypervisor.wait_until_idle());
            assert_eq!(hypervisor.calls(), [], "called off for good");
        }
        // The old ssh was quicker.
        Some("done") => assert_eq!((hypervisor.count("stop"), hypervisor.count("start")), (1, 1)),
        _ => panic!("{run}"),
    }
    // Its end is on record a moment after it is seen.
    let (status, told) = eventually("nothing is in the way", async || {
        let answer = program.post_once("/api/pve/cycle", "k2", json!({})).await;
        (answer.1["code"] != json!("mutation_running")).then_some(answer)
    })
    .await;
    assert_eq!((status, &told["outcome"]), (200, &json!("done")), "and another tap works: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_nobody_could_ask_for_is_put_right_when_the_host_answers_again() {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let network = Network::before(&sshd);
    hypervisor.configure("PRACTICE_SECONDS=2");
    // Silence until the time for asking is over, which is a quarter more than that for the verb.
    let console = Console::start(Settings { pve_verb_timeout_seconds: Some(6), ..network.config() }).await;
    let session = console.session().await;
    let cycling = async { console.post("/api/pve/cycle", json!({ "session_id": session })).await };
    let cutting = async {
        half_way(&hypervisor).await;
        network.down();
        sshd.connections()[0].cut();
    };
    let ((status, told), ()) = tokio::join!(cycling, cutting);
    assert_eq!((status, &told["outcome"]), (502, &json!("unknown")), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("check with status"), "{told}");
    assert_eq!(verb(&console, "start").await.1["code"], json!("outcome_unknown"));
    network.up();
    let id = told["run_id"].as_str().unwrap();
    let run = eventually("the outcome comes to be known", async || {
        let run = console.get_json(&format!("/api/pve/runs/{id}")).await;
        (run["outcome"] == json!("done")).then_some(run)
    })
    .await;
    assert!(run["stdout"].as_str().unwrap().ends_with("cycle: done: VM 102 is running\n"), "{run}");
    eventually("it stands in the session", async || {
        let entries = console.get_json(&format!("/api/session/{session}/entries")).await;
        let text = entries.to_string();
        text.contains("has come to be known: it was done").then_some(())
    })
    .await;
    eventually("nothing is in the way any more", async || {
        (verb(&console, "reset").await.1["code"] != json!("outcome_unknown")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_keeps_no_followed_run_from_ending() {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let (network, folder) = (Network::before(&sshd), TempDir::new().unwrap());
    hypervisor.configure("PRACTICE_SECONDS=1");
    let program = network.serve(folder.path());
    let call = program.http.post(format!("{}/api/pve/cycle", program.base)).bearer_auth(crate::harness::console::TOKEN);
    let asking = tokio::spawn(call.json(&json!({})).send());
    half_way(&hypervisor).await;
    network.down();
    program.kill();
    let _ = asking.await;

    let program = network.serve(folder.path());
    let other = rusqlite::Connection::open(folder.path().join("breakglass.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    network.up();
    let run = ended(&program).await;
    assert_eq!((&run["outcome"], &run["exit_code"]), (&json!("done"), &json!(0)), "{run}");
    eventually("it is given up to record it, and the next rescue is let in", async || {
        let (status, told) = program.post("/api/pve/start", json!({})).await;
        assert!([200, 409].contains(&status), "{told}");
        (status == 200).then_some(())
    })
    .await;
    other.execute_batch("ROLLBACK").unwrap();
    eventually("it is on record when that can be written again", async || {
        let known = other.query_row("SELECT count(*) FROM runs WHERE outcome = 'done'", [], |row| row.get::<_, i64>(0));
        (known.unwrap() == 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_the_script_has_done_nothing() {
    let sshd = Sshd::start(Some("/nonexistent/breakglass-pve"));
    let console = Console::start(Settings { ssh_config: Some(sshd.ssh_config()), ..Settings::default() }).await;
    let (status, told) = verb(&console, "cycle").await;
    assert_eq!((status, &told["outcome"], &told["rejected"]), (502, &json!("refused"), &json!(true)), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("install.sh"), "{told}");
    assert!(console.get_json("/api/target").await["unknown"].is_null(), "nothing stands in the way of the next");
}
