//! Approvals: the agent asks, an operator decides, and the first decision stands for everyone.

use breakglass::server::config::{Permissions, Settings};
use domain::{
    event::Event,
    permission::Decision,
    transcript::{Item, Transcript},
};
use serde_json::{Value, json};

use crate::{
    Lab,
    harness::{console::Attached, provider::script},
    results, texts,
};

async fn asking() -> Lab {
    Lab::open_with(|settings| Settings { permissions: Some(Permissions::Ask), ..settings }).await
}

/// Waits for the permission, and gives its id and what would run.
async fn asked(client: &mut Attached) -> (String, Value) {
    let known = client.entries.len();
    loop {
        let asked = client.entries[known.min(client.entries.len())..].iter().find_map(|entry| match &entry.event {
            Event::Permission { request_id, input, .. } => Some((request_id.clone(), input.clone())),
            _ => None,
        });
        match asked {
            Some(asked) => return asked,
            None => {
                client.frame().await.expect("the stream goes on");
            }
        }
    }
}

async fn decide(lab: &Lab, session: &str, decision: Value) -> (u16, Value) {
    lab.console.post(&format!("/api/session/{session}/permission"), decision).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_run_is_shown_and_runs_when_it_is_allowed() {
    let lab = asking().await;
    let session = lab.console.session().await;
    let file = lab.folder.path().join("made");
    let command = format!("touch {}", file.display());
    lab.console.prompt(&session, &script(json!([[{"bash": command}], [{"text": "made"}]]))).await;
    let mut client = lab.console.attach(&session, "").await;
    let (request_id, input) = asked(&mut client).await;
    assert_eq!(input["command"], json!(command), "exactly what would run");
    assert!(!file.exists(), "nothing runs before it is allowed");
    let waiting = Transcript::of(&client.entries);
    assert!(waiting.waiting().is_some());
    let allow = json!({"request_id": request_id, "decision": "allow_once"});
    assert_eq!(decide(&lab, &session, allow.clone()).await, (200, json!({"decision": "allow_once"})));
    let second = decide(&lab, &session, json!({"request_id": request_id, "decision": "deny"})).await;
    assert_eq!((second.0, second.1["code"].as_str()), (409, Some("already_decided")));
    client.until(|event| *event == Event::TurnEnd).await;
    assert!(file.exists());
    assert!(client.transcript.waiting().is_none());
    let unknown = decide(&lab, &session, json!({"request_id": "none", "decision": "deny"})).await;
    assert_eq!((unknown.0, unknown.1["code"].as_str()), (404, Some("unknown_permission")));
    assert_eq!(decide(&lab, &session, json!({"request_id": request_id, "decision": "perhaps"})).await.0, 422);
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_denied_does_not_run_and_the_agent_is_told_why() {
    let lab = asking().await;
    let session = lab.console.session().await;
    let file = lab.folder.path().join("made");
    let command = format!("touch {}", file.display());
    let steps = json!([[{"bash": command}], [{"text": "I was told: {{last_tool_result}}"}]]);
    lab.console.prompt(&session, &script(steps)).await;
    let mut client = lab.console.attach(&session, "").await;
    let (request_id, _) = asked(&mut client).await;
    let deny = json!({"request_id": request_id, "decision": "deny", "message": "not on a Friday"});
    assert_eq!(decide(&lab, &session, deny).await.0, 200);
    client.until(|event| *event == Event::TurnEnd).await;
    assert!(!file.exists());
    assert!(texts(&client.entries)[0].contains("not on a Friday"), "{:?}", client.entries);
    let decision = client.entries.iter().find(|entry| matches!(entry.event, Event::Decision { .. })).unwrap();
    let Event::Decision { decision: Decision::Deny, by, message, .. } = &decision.event else { panic!() };
    assert_eq!((by.as_str(), message.as_deref()), ("script", Some("not on a Friday")));
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_is_allowed_for_the_session_is_not_asked_for_again() {
    let lab = asking().await;
    let session = lab.console.session().await;
    let touch = |name: &str| json!({"bash": format!("touch {}", lab.folder.path().join(name).display())});
    let steps = json!([[touch("a")], [touch("b")], [{"text": "both"}]]);
    lab.console.prompt(&session, &script(steps)).await;
    let mut client = lab.console.attach(&session, "").await;
    let (request_id, _) = asked(&mut client).await;
    let allow = json!({"request_id": request_id, "decision": "allow_session"});
    assert_eq!(decide(&lab, &session, allow).await.0, 200);
    client.until(|event| *event == Event::TurnEnd).await;
    assert!(lab.folder.path().join("b").exists());
    let asked = client.entries.iter().filter(|entry| matches!(entry.event, Event::Permission { .. })).count();
    assert_eq!(asked, 1);
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_the_vm_needs_no_permission_and_changing_it_does() {
    let lab = asking().await;
    let session = lab.console.session().await;
    let steps = json!([[{"bash": "ssh pve status"}], [{"bash": "ssh pve reset"}], [{"text": "ok"}]]);
    lab.console.prompt(&session, &script(steps)).await;
    let mut client = lab.console.attach(&session, "").await;
    let (request_id, input) = asked(&mut client).await;
    assert_eq!(input["command"], "ssh pve reset");
    assert_eq!(results(&client.entries).len(), 1, "the status is here already");
    let deny = json!({"request_id": request_id, "decision": "deny"});
    assert_eq!(decide(&lab, &session, deny).await.0, 200);
    client.until(|event| *event == Event::TurnEnd).await;
    let runs = lab.console.get_json("/api/pve/runs").await;
    let verbs: Vec<_> = runs["runs"].as_array().unwrap().iter().map(|run| run["verb"].clone()).collect();
    assert_eq!(verbs, ["status"]);
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_answer_is_a_no() {
    let lab = Lab::open_with(|settings| Settings {
        permissions: Some(Permissions::Ask),
        permission_timeout_seconds: Some(1),
        ..settings
    })
    .await;
    let session = lab.console.session().await;
    let file = lab.folder.path().join("made");
    let steps = json!([[{"bash": format!("touch {}", file.display())}], [{"text": "ok"}]]);
    let entries = lab.turn(&session, steps).await;
    assert!(!file.exists());
    let decision = entries.iter().find_map(|entry| match &entry.event {
        Event::Decision { decision, by, message, .. } => Some((*decision, by.clone(), message.clone())),
        _ => None,
    });
    let (decision, by, message) = decision.unwrap();
    assert_eq!((decision, by.as_str()), (Decision::Deny, "breakglass"));
    assert!(message.unwrap().contains("BREAKGLASS_PERMISSION_TIMEOUT_SECONDS"));
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_withdraws_what_waits() {
    let lab = asking().await;
    let session = lab.console.session().await;
    let file = lab.folder.path().join("made");
    lab.console.prompt(&session, &script(json!([[{"bash": format!("touch {}", file.display())}]]))).await;
    let mut client = lab.console.attach(&session, "").await;
    let (request_id, _) = asked(&mut client).await;
    lab.console.post(&format!("/api/session/{session}/cancel"), json!({})).await;
    client.until(|event| *event == Event::TurnEnd).await;
    let late = decide(&lab, &session, json!({"request_id": request_id, "decision": "allow_once"})).await;
    assert_eq!((late.0, late.1["code"].as_str()), (409, Some("already_decided")));
    assert!(!file.exists());
    let item = client.transcript.rows().find_map(|row| match &row.item {
        Item::Permission { end, .. } => end.clone(),
        _ => None,
    });
    assert_eq!(item.unwrap().decision, Decision::Withdrawn);
    crate::nothing_left(lab.folder.path()).await;
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_own_question_is_answered_also_when_it_acts_alone() {
    let lab = Lab::open().await;
    let session = lab.console.session().await;
    let question = json!({"questions": [{
        "question": "Which disk?", "header": "Disk", "multiSelect": false,
        "options": [{"label": "sda", "description": "the first"}, {"label": "sdb", "description": "the second"}],
    }]});
    let steps = json!([[{"tool": "AskUserQuestion", "input": question}], [{"text": "You said: {{last_tool_result}}"}]]);
    lab.console.prompt(&session, &script(steps)).await;
    let mut client = lab.console.attach(&session, "").await;
    let (request_id, input) = asked(&mut client).await;
    assert_eq!(input["questions"][0]["options"][1]["label"], "sdb");
    let answer = json!({"request_id": request_id, "decision": "allow_once", "answers": {"Which disk?": "sdb"}});
    assert_eq!(decide(&lab, &session, answer).await.0, 200);
    client.until(|event| *event == Event::TurnEnd).await;
    assert!(texts(&client.entries)[0].contains("sdb"), "{:?}", client.entries);
    lab.console.idle(&session).await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_whoever_owns_the_machine_allow_nothing() {
    for settings in
        [json!({"permissions": {"allow": ["Bash"]}}), json!({"permissions": {"defaultMode": "bypassPermissions"}})]
    {
        let lab = asking().await;
        let claude = lab.folder.path().join("agent/.claude");
        std::fs::create_dir_all(&claude).unwrap();
        std::fs::write(claude.join("settings.json"), settings.to_string()).unwrap();
        let session = lab.console.session().await;
        let file = lab.folder.path().join("made");
        lab.console.prompt(&session, &script(json!([[{"bash": format!("touch {}", file.display())}]]))).await;
        let mut client = lab.console.attach(&session, "").await;
        let (request_id, _) = asked(&mut client).await;
        assert!(!file.exists());
        decide(&lab, &session, json!({"request_id": request_id, "decision": "deny"})).await;
        lab.console.idle(&session).await;
        lab.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_goes_with_a_denial_only() {
    let lab = asking().await;
    let session = lab.console.session().await;
    lab.console.prompt(&session, &script(json!([[{"bash": "touch x"}]]))).await;
    let mut client = lab.console.attach(&session, "").await;
    let (request_id, _) = asked(&mut client).await;
    let with_word = json!({"request_id": request_id, "decision": "allow_once", "message": "but gently"});
    let refused = decide(&lab, &session, with_word).await;
    assert_eq!((refused.0, refused.1["code"].as_str()), (422, Some("bad_input")), "nothing said is lost unseen");
    assert_eq!(decide(&lab, &session, json!({"request_id": request_id, "decision": "deny"})).await.0, 200);
    lab.console.idle(&session).await;
    lab.close().await;
}
