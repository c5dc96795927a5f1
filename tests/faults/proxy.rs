//! Proxies between client and console: those that keep a stream to themselves, cut it, or put something else in its
//! place. The client tells each by status, content type or silence, and goes on with its cursor; nothing is lost or
//! doubled. What a browser makes of them is shown in `end2end`.

use std::time::{Duration, Instant};

use domain::sse::Decoder;
use serde_json::json;

use super::{
    board::Board,
    calls::Calls,
    chance::{Chance, fresh_seed},
    check,
    lab::{Came, Lab, SILENCE, read},
    middlebox::Manner,
    seen::{Reading, Seen},
    wire::{Answer, Wire},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_puts_in_place_of_a_stream_is_told_apart_and_costs_nothing() {
    let lab = Lab::open().await;
    let mut seen = Seen::default();
    for (manner, came) in [
        (Manner::BadGateway, Came::Failed(502)),
        (Manner::Flush, Came::CaughtUp),
        (Manner::Redirect, Came::SignIn),
        (Manner::Page, Came::SignIn),
        (Manner::Cut(0), Came::Cut),
    ] {
        lab.proxy.next(&[manner]);
        assert_eq!(lab.attach(&mut seen).await, came, "{manner:?}");
        lab.turn(&format!("!echo after {manner:?}")).await;
    }
    assert_eq!(lab.attach(&mut seen).await, Came::CaughtUp);
    assert_eq!(check::client("the client", &seen, &lab.log().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_after_any_byte_goes_on_with_its_cursor() {
    let lab = Lab::open().await;
    let log = lab.log().await;
    let bytes: usize = log.frames.iter().map(|(_, data)| data.len() + 20).sum();
    // Every fifth place, from another one each time; behind the last frame nothing is left to be cut.
    let mut chance = Chance::of(fresh_seed(), "cuts");
    let first = usize::try_from(chance.between(0, 4)).unwrap();
    for place in (first..bytes + 600).step_by(5) {
        let mut seen = Seen::default();
        lab.proxy.next(&[Manner::Cut(place)]);
        let came = lab.attach(&mut seen).await;
        assert!(matches!(came, Came::Cut | Came::CaughtUp), "cut at {place}: {came:?}");
        assert_eq!(lab.attach(&mut seen).await, Came::CaughtUp, "after a cut at {place}");
        assert_eq!(check::client("the client", &seen, &log), [""; 0], "cut at {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_each_time_gets_on_all_the_same() {
    let lab = Lab::open().await;
    for number in 0..10 {
        lab.turn(&format!("!echo turn {number}")).await;
    }
    let mut seen = Seen::default();
    let mut connections = 0;
    loop {
        lab.proxy.next(&[Manner::Cut(1500)]);
        connections += 1;
        match lab.attach(&mut seen).await {
            Came::CaughtUp => break,
            came => assert_eq!(came, Came::Cut),
        }
    }
    assert!(connections > 3, "{connections}");
    assert_eq!(check::client("the client", &seen, &lab.log().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_proxy_that_flushes_there_is_a_heartbeat_each_second() {
    let lab = Lab::open().await;
    let Ok(Answer::Stream(mut wire)) = Wire::ask(&lab.request(&Seen::default())).await else { panic!("a stream") };
    let mut beats = Vec::new();
    while beats.len() < 4 {
        // Fails when nothing comes for as long as a client waits before it says that a proxy keeps the stream.
        let piece = wire.piece(16 << 10).await.expect("no silence");
        if piece.ends_with(domain::sse::HEARTBEAT.as_bytes()) {
            beats.push(Instant::now());
        }
    }
    // Its pace is the setting's, not ours: three of them in three seconds, on a machine that may be busy.
    assert!(beats[3] - beats[0] > Duration::from_millis(2500), "{beats:?}");
    assert!(beats[3] - beats[0] < Duration::from_secs(6), "{beats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_keeps_a_stream_is_told_by_silence_and_what_it_gives_back_late_doubles_nothing() {
    let lab = Lab::open().await;
    let mut seen = Seen::default();
    lab.proxy.next(&[Manner::HoldAll]);
    assert_eq!(lab.attach(&mut seen).await, Came::Silence, "not even a head");
    assert!(seen.frames.is_empty());

    lab.proxy.next(&[Manner::HoldBody]);
    let Ok(Answer::Stream(mut held)) = Wire::ask(&lab.request(&seen)).await else { panic!("the head comes") };
    let (mut decoder, mut reading) = (Decoder::default(), Reading::from(Some(0)));
    assert_eq!(read(&mut held, &mut decoder, &mut reading, &mut seen).await, Came::Silence, "a head and nothing else");
    lab.turn("!echo two").await;
    assert_eq!(lab.attach(&mut seen).await, Came::CaughtUp, "another way through");
    let log = lab.log().await;
    assert_eq!(check::client("the client", &seen, &log), [""; 0]);

    // The console dies, so the answer that was kept is over, and now it comes.
    lab.program.kill();
    assert_eq!(read(&mut held, &mut decoder, &mut reading, &mut seen).await, Came::CaughtUp);
    while read(&mut held, &mut decoder, &mut reading, &mut seen).await == Came::CaughtUp {}
    assert_eq!(reading.cursor, Some(log.frames.len() as u64 - 1), "all of it came a second time");
    assert_eq!(check::client("the client", &seen, &log), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_whose_answer_a_proxy_swallows_is_done_once() {
    let lab = Lab::open().await;
    let calls = Calls::new(&lab.proxy.address, Board::default());
    let path = format!("/api/session/{}/prompt", lab.session);
    let body = json!({"prompt": "!echo once"});
    // The first is carried out and its answer is lost; the others never get there.
    for manner in [Manner::Cut(0), Manner::BadGateway, Manner::Redirect, Manner::Page] {
        lab.proxy.next(&[manner]);
        assert_eq!(calls.post(&path, "k", &body, SILENCE).await, None, "{manner:?}");
    }
    let told = calls.until_answered(&path, "k", &body, &mut Chance::of(0, "prompt")).await;
    assert_eq!((told.status, told.body), (200, json!({"status": "started"})));
    let standing = lab.log().await.frames.iter().filter(|(_, data)| data.contains(r#""kind":"user""#)).count();
    assert_eq!(standing, 2, "that of the beginning, and this one");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_taps_of_one_intent_through_a_proxy_that_drops_answers_are_one_run() {
    let lab = Lab::open().await;
    let drops = [Manner::Cut(0), Manner::BadGateway, Manner::Cut(40), Manner::HoldAll];
    lab.proxy.next(&drops.iter().copied().cycle().take(60).collect::<Vec<_>>());
    let taps = (0..50).map(|tap| {
        let calls = Calls::new(&lab.proxy.address, Board::default());
        async move { calls.until_answered("/api/pve/cycle", "tap", &json!({}), &mut Chance::of(tap, "tap")).await }
    });
    let answers = futures_util::future::join_all(taps).await;
    for told in &answers {
        assert_eq!((told.status, &told.body["outcome"]), (200, &json!("done")), "{told:?}");
        assert_eq!(told.body["run_id"], answers[0].body["run_id"]);
    }
    let runs = lab.program.get_json("/api/pve/runs").await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "{runs}");
    let captures = std::fs::read_dir(lab.folder().join("practice/captures")).unwrap();
    assert_eq!(captures.count(), 1, "the host saw one mutation");
}
