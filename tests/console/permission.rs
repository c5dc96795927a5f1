//! What waits for a decision, as its page shows it and as its form sends it.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, header},
};
use breakglass::{api::Decide, render::renderer};
use domain::{
    call::SessionSummary,
    event::{Entry, Event},
    ids::{EntryId, Millis},
    log::Head,
    page::{AssetNames, Frame, Page, PageParts, Surroundings, Theme},
    permission::{Choice, Decision},
};
use leptos::{
    prelude::ServerFnError,
    server_fn::codec::{FromReq, PostUrl},
};
use serde_json::json;

use crate::harness::console::{Console, TOKEN, answer};

/// What the form's server function is given for a body.
async fn decoded(body: &str) -> Decide {
    let request = Request::builder()
        .method(Method::POST)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap();
    <Decide as FromReq<PostUrl, _, ServerFnError>>::from_req(request).await.unwrap()
}

#[tokio::test]
async fn answers_are_read_as_a_browser_sends_them() {
    // The second of three options and nothing else; then nothing but words of one's own.
    let decide = decoded(
        "session=s&request=q&questions%5B0%5D=Which+of+these%3F&answers%5B0%5D%5B1%5D=node&answers%5B0%5D%5B3%5D=\
         &questions%5B1%5D=When%3F&answers%5B1%5D%5B2%5D=tonight%2C+late&decision=allow_once&key=k",
    )
    .await;
    assert_eq!((decide.session.as_str(), decide.request.as_str(), decide.key.as_str()), ("s", "q", "k"));
    assert_eq!(decide.decision, Choice::AllowOnce);
    assert_eq!(decide.questions, ["Which of these?", "When?"]);
    assert_eq!(decide.answers, [vec!["node".to_owned(), String::new()], vec!["tonight, late".to_owned()]]);

    let decide = decoded("session=s&request=p&message=too+risky&decision=deny&key=k").await;
    assert_eq!((decide.decision, decide.message.as_str()), (Choice::Deny, "too risky"));
    assert_eq!((decide.questions.len(), decide.answers.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_of_what_nobody_asked_for_is_refused_in_words() {
    let console = Console::practice().await;
    let session = console.session().await;
    let body = format!(
        "session={session}&request=p&questions[0]=Which&answers[0][0]=A&answers[0][2]=&decision=allow_once&key=k"
    );
    let request = console.http.post(console.url("/do/decide")).bearer_auth(TOKEN).header("accept", "application/json");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let (_, told) = answer(request).await;
    assert_eq!(told["failed"]["status"], json!(404), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_prompt_is_steered_is_no_part_of_its_intent() {
    let console = Console::practice().await;
    let session = console.session().await;
    let post = async |steer: bool| {
        let request = console.http.post(console.url("/do/prompt")).bearer_auth(TOKEN);
        let request = request.header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answer(request.body(format!("session={session}&key=tap&prompt=!sleep+600&steer={steer}"))).await
    };
    let first = post(false).await;
    assert_eq!(first, (200, json!({"started": {"session_id": session}})));
    // The answer was lost, and by now the turn runs: the same tap is told again, and nothing is delivered into the turn.
    assert_eq!(post(true).await, first);
    let entries = console.get_json(&format!("/api/session/{session}/entries")).await;
    let prompts = entries["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "user");
    assert_eq!(prompts.count(), 1);
}

/// The page of a session with these entries, as HTML.
async fn rendered(events: Vec<Event>, turn_active: bool) -> String {
    let entries: Vec<_> = events
        .into_iter()
        .enumerate()
        .map(|(place, event)| Entry { id: EntryId(place as u64), at: Millis(0), event })
        .collect();
    let session = SessionSummary {
        id: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
        created: Millis(0),
        title: Some("Triage".into()),
        turn_active,
        archived: false,
        last_event_id: Head(entries.last().map(|entry| entry.id)),
    };
    let surroundings = Surroundings {
        target: "devvm".into(),
        target_configured: true,
        hypervisor_configured: true,
        practice: false,
        has_ai: true,
        keepalive_ms: 20_000,
    };
    let page = Page {
        session: Some(session),
        entries,
        presets: Vec::new(),
        surroundings,
        operator: "ada".into(),
        key: "k".into(),
        flash: None,
        disk: None,
        parts: PageParts::default(),
    };
    let names = AssetNames { css: "a.css".into(), js: "a.js".into(), wasm: "a.wasm".into(), comfort: "c.js".into() };
    let frame = Frame { names, theme: Theme::Auto };
    // A server makes ready what rendering needs.
    let _console = Console::practice().await;
    let response = (renderer().page)(page, frame).await;
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

fn asked() -> Vec<Event> {
    vec![
        Event::User { text: "Triage".into(), by: "ada".into(), steered: false },
        Event::Permission {
            request_id: "p1".into(),
            tool: "Bash".into(),
            input: json!({"command": "ssh devvm 'echo \u{202e}<b>'\nreboot"}),
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_on_the_page_without_a_script() {
    let html = rendered(asked(), true).await;
    let forms = html.split("<form ").map(|form| form.split("</form>").next().unwrap());
    let card = forms.into_iter().find(|form| form.contains("class=\"permission\"")).unwrap();
    assert!(card.contains("The agent wants to run"), "{card}");
    assert!(card.contains("ssh devvm 'echo ⟨U+202E⟩&lt;b&gt;'\nreboot"), "all of it, and what hides: {card}");
    assert!(card.contains("value=\"p1\"") && card.contains("Allow Bash for this session"), "{card}");
    // Enter in the field for a word presses the first button.
    let places =
        ["value=\"deny\"", "value=\"allow_session\"", "value=\"allow_once\""].map(|value| card.find(value).unwrap());
    assert!(places.is_sorted(), "{card}");
    assert!(html.contains("<title>● decide — Triage"), "{html}");
    // Who decides is given the time for it.
    assert!(html.contains("content=\"60; url="), "{html}");
    assert!(html.contains("Send into this turn"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_a_row_and_no_card() {
    let decided = Event::Decision {
        request_id: "p1".into(),
        decision: Decision::Deny,
        by: "ada".into(),
        message: Some("too risky".into()),
    };
    let html = rendered(asked().into_iter().chain([decided]).collect(), true).await;
    assert!(html.contains("Denied by ada: too risky"), "{html}");
    assert!(!html.contains("class=\"permission\""));
}
