//! The presets that a house lays over the five: what is offered, what runs, what is refused at start.

use breakglass::server::config::Settings;
use domain::event::Event;
use serde_json::json;

use crate::harness::console::{Console, practice};

const HOUSE: &str = "order = ['own']\nhide = ['qemu', 'services']\n\
    [[preset]]\nid = 'disk'\nlabel = 'Full?'\nicon = 'alert'\n\
    [[preset]]\nid = 'own'\nlabel = 'Own'\nicon = 'search'\nhint = 'h'\nprompt = 'p'\ntargets = ['this *']\n\
    [[preset.step]]\ntitle = 'Says so'\nrun = 'echo from the house'\nreads = 'none'\n\
    [[preset]]\nid = 'elsewhere'\nlabel = 'Not here'\nicon = 'search'\nhint = 'h'\nprompt = 'p'\ntargets = ['db*']\n\
    [[preset.step]]\ntitle = 't'\nrun = 'true'\nreads = 'none'\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_house_offers_its_presets_beside_the_five_and_they_run() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, HOUSE).unwrap();
    let console = Console::start(Settings { presets: Some(file.path().into()), ..practice() }).await;
    let told = console.get_json("/api/presets").await;
    let told: Vec<_> =
        told["presets"].as_array().unwrap().iter().map(|one| [&one["id"], &one["label"], &one["icon"]]).collect();
    let own = json!([
        ["own", "Own", "search"],
        ["triage", "Triage", "pulse"],
        ["memory", "Memory", "memory"],
        ["disk", "Full?", "alert"]
    ]);
    assert_eq!(json!(told), own);
    let session = console.session().await;
    let path = format!("/api/session/{session}/prompt");
    for absent in ["qemu", "elsewhere"] {
        assert_eq!(console.post(&path, json!({"preset": absent})).await.1["code"], "unknown_preset");
    }
    assert_eq!(console.post(&path, json!({"preset": "own"})).await.0, 200);
    let entries = console.finished(&session).await;
    let output = entries.iter().find_map(|entry| match &entry.event {
        Event::ToolResult { output, .. } => Some(output.clone()),
        _ => None,
    });
    assert_eq!(output.as_deref(), Some("from the house\n"));
    let page = console.get(&format!("/s/{session}")).await.text().await.unwrap();
    assert!(page.contains("Full?") && !page.contains("Not here"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_with_wrong_presets_does_not_start_and_says_where_and_what() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "hide = ['qemu']\n\n[[preset]]\nid = 'disk'\nicon = 'globe'\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_breakglass"))
        .args(["serve", "--practice", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .arg("--presets")
        .arg(file.path())
        .output()
        .unwrap();
    let words = String::from_utf8(program.stderr).unwrap();
    assert!(!program.status.success());
    let wrong = format!(
        "the presets {} are wrong in line 3: preset disk: there is no icon \"globe\": take one of pulse",
        file.path().display()
    );
    assert!(words.contains(&wrong), "{words}");
}
