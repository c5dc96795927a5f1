//! What is kept, for how long, and how it is taken out.

use breakglass::server::config::Settings;
use domain::event::{Entry, Event};
use serde_json::json;

use crate::harness::console::{Console, TOKEN, kinds, practice};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_taken_out_as_its_log_and_as_a_report_without_secrets() {
    let console = Console::practice().await;
    let session = console.session_with(&format!("!echo the disk is full; echo password=hunter2 {TOKEN}")).await;
    let entries = console.get_json(&format!("/api/session/{session}/entries")).await;
    let log = console.get(&format!("/api/session/{session}/export?format=jsonl")).await.text().await.unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(lines), entries["entries"], "the log, whole");
    let report = console.get(&format!("/api/session/{session}/export")).await;
    let name = report.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=\"incident-20") && name.contains("-this-machine-"), "{name}");
    assert!(name.ends_with(&format!("{}.md\"", &session[..8])), "{name}");
    let report = report.text().await.unwrap();
    assert!(report.contains("the disk is full") && report.contains("script asked:**\n\n> !echo the disk"), "{report}");
    assert!(!report.contains("hunter2") && report.contains("password=[redacted: password]"), "{report}");
    assert!(!report.contains(TOKEN) && report.contains("[redacted: the console's token]"), "{report}");
    assert!(report.contains(&session), "what is no secret stays");
    assert_eq!(console.get(&format!("/api/session/{session}/export?format=pdf")).await.status(), 422);

    let program = |format: &str, session: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_breakglass"))
            .args(["export", session, "--format", format, "--data-dir"])
            .arg(console.folder())
            .env("API_BEARER_TOKEN", TOKEN)
            .output()
            .unwrap()
    };
    assert_eq!(String::from_utf8(program("jsonl", &session).stdout).unwrap(), log, "beside the server that writes it");
    assert!(String::from_utf8(program("markdown", &session).stdout).unwrap().contains("the disk is full"));
    let unknown = program("jsonl", "00000000-0000-4000-8000-000000000000");
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no session"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_tells_of_a_power_action_with_its_evidence_and_of_how_it_stands_now() {
    let console = Console::practice().await;
    let session = console.session_with("!echo it hangs").await;
    let (_, run) = console.post("/api/pve/cycle", json!({"session_id": session})).await;
    assert_eq!(run["outcome"], "done", "{run}");
    let capture = run["stdout"].as_str().unwrap().lines().find_map(|line| line.strip_prefix("capture: ")).unwrap();
    let report = console.get(&format!("/api/session/{session}/export")).await.text().await.unwrap();
    for text in [
        "> **Practice.**",
        "## Power actions",
        "cycle, by script\n",
        "- **Outcome:** done, exit code 0",
        "- **VM before it:** running\n",
        &format!("- **Forensics:** capture `{capture}` holds "),
        &format!("- **Run:** {}\n", run["run_id"].as_str().unwrap()),
        "## State now\n\n- ",
    ] {
        assert!(report.contains(text), "{text:?} in\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_when_the_configuration_says_so_and_stays_when_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start_in(practice(), folder.path()).await;
    let (old, new) = (console.session_with("!echo old").await, console.session_with("!echo new").await);
    console.post("/api/pve/status", json!({})).await;
    console.end().await;
    let week = 7 * 24 * 60 * 60 * 1000;
    let db = rusqlite::Connection::open(folder.path().join("breakglass.sqlite3")).unwrap();
    for (sql, id) in [
        ("UPDATE entries SET at = at - ? WHERE session = ?", &old),
        ("UPDATE sessions SET created = created - ? WHERE id = ?", &old),
    ] {
        db.execute(sql, rusqlite::params![week, id]).unwrap();
    }
    // One whose outcome nobody knows, and after which somebody looked, goes too: left alone it would stand in the way.
    db.execute(
        "INSERT INTO runs (id, target, verb, by, started, ended, outcome)
         SELECT '1e111111-2222-4333-8444-555555555555', target, 'cycle', by, started - 9000, started - 8000, 'unknown' FROM runs",
        [],
    )
    .unwrap();
    db.execute("UPDATE runs SET started = started - ?1, ended = ended - ?1", [week]).unwrap();
    let outputs = folder.path().join("sessions").join(&old);
    std::fs::create_dir_all(&outputs).unwrap();

    let kept = Console::start_in(practice(), folder.path()).await;
    assert_eq!(kept.get(&format!("/api/session/{old}/entries")).await.status(), 200);
    kept.end().await;
    let settings = Settings { retention_days: Some(3), ..practice() };
    let console = Console::start_in(settings, folder.path()).await;
    crate::harness::console::eventually("the old one goes", async || {
        let gone = console.get(&format!("/api/session/{old}/entries")).await.status() == 404;
        (gone && !outputs.exists()).then_some(())
    })
    .await;
    crate::harness::console::eventually("the old run goes", async || {
        (console.get_json("/api/pve/runs").await["runs"] == json!([])).then_some(())
    })
    .await;
    assert_eq!(console.get(&format!("/api/session/{new}/entries")).await.status(), 200);
    console.end().await;
    let console = Console::start_in(practice(), folder.path()).await;
    assert_eq!(console.post("/api/pve/cycle", json!({})).await.0, 200, "nothing stands in the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_nearly_full_is_said_in_the_turn_and_on_the_page() {
    let console = Console::start(Settings { disk_warn_bytes: Some(u64::MAX), ..practice() }).await;
    let session = console.session_with("!echo hi").await;
    let entries = console.get_json(&format!("/api/session/{session}/entries")).await;
    let entries: Vec<Entry> = serde_json::from_value(entries["entries"].clone()).unwrap();
    assert_eq!(kinds(&entries)[..3], ["user", "notice", "tool"]);
    let Event::Notice { text, .. } = &entries[1].event else { panic!() };
    assert!(text.contains("MiB left") && text.contains("BREAKGLASS_DISK_WARN_BYTES"), "{text}");
    let page = console.get(&format!("/s/{session}")).await.text().await.unwrap();
    assert!(
        page.contains("<p class=\"link-bar\">the console&#x27;s disk has")
            || page.contains("<p class=\"link-bar\">the console's disk has"),
        "it is shown"
    );
}
