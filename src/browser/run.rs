//! Following a run of a verb: its output as it comes, then how it ended.

use std::cell::RefCell;

use domain::{
    call::{OutputStream, Run, RunChunk},
    ids::RunId,
    sse::Frame,
    verb::{Outcome, Verb},
};
use leptos::prelude::*;

use super::{
    dom, http,
    source::{News, Source},
};
use crate::state::{Link, State};

/// How long to wait before a run's stream is opened again.
const AGAIN: f64 = 2_000.0;

thread_local! {
    /// The run that is wanted: what comes of an older one is dropped.
    static WANTED: RefCell<Option<RunId>> = const { RefCell::new(None) };
    /// Its stream.
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

fn is_wanted(run_id: &RunId) -> bool {
    WANTED.with_borrow(|wanted| wanted.as_ref() == Some(run_id))
}

/// Goes on with the run that the page arrived with, if it has not ended.
pub(super) fn resume(state: State) {
    let running =
        state.run.with_untracked(|run| run.as_ref().filter(|run| run.outcome.is_none()).map(|run| run.run_id.clone()));
    if let Some(run_id) = running {
        follow(state, run_id);
    }
}

/// Shows a run from its beginning on, and no other any more.
pub(super) fn follow(state: State, run_id: RunId) {
    WANTED.set(Some(run_id.clone()));
    look(state, run_id);
}

fn look(state: State, run_id: RunId) {
    SOURCE.take();
    dom::spawn(async move {
        let answer = http::get(&format!("/api/pve/runs/{run_id}"), None).await;
        if !is_wanted(&run_id) {
            return;
        }
        let status = answer.status();
        let found = if status == 200 { answer.body::<Run>().await } else { None };
        match found {
            Some(run) if run.outcome.is_some() => ended(state, run),
            // Its stream would be held back too.
            Some(run) if state.link.get_untracked() == Link::Held => {
                show(state, run);
                dom::later(AGAIN, move || look(state, run_id));
            }
            Some(run) => {
                show(state, Run { stdout: String::new(), stderr: String::new(), ..run });
                if let Some(place) = document().query_selector(".run-place").ok().flatten() {
                    place.scroll_into_view();
                }
                stream(state, run_id);
            }
            None if status == http::SIGNED_OUT => super::stream::signed_out(state),
            // Nobody will ever tell.
            None if status == 404 => state.run.update(|run| {
                if let Some(run) = run {
                    run.outcome = Some(Outcome::Unknown);
                }
            }),
            // The run goes on at the console whether or not we can see it.
            None => dom::later(AGAIN, move || look(state, run_id)),
        }
    });
}

/// Shows a run; its output is read at its end.
fn show(state: State, run: Run) {
    state.run.set(Some(run));
    dom::soon(|| {
        dom::local_times();
        if let Some(output) = document().query_selector(".run .output").ok().flatten() {
            output.set_scroll_top(output.scroll_height());
        }
    });
}

fn ended(state: State, run: Run) {
    match (run.verb, run.outcome, run.exit_code) {
        (verb, Some(outcome), _) if verb.mutates() => state.unknown.set(outcome == Outcome::Unknown),
        (Verb::Status, Some(Outcome::Done), Some(0)) => state.unknown.set(false),
        _ => {}
    }
    show(state, run);
}

fn stream(state: State, run_id: RunId) {
    let url = format!("/api/pve/runs/{run_id}/stream");
    let source = Source::open(url, move |news| {
        if !is_wanted(&run_id) {
            return;
        }
        match news {
            News::Answered(_) => {}
            News::Frames(frames) => {
                for frame in frames {
                    piece(state, &frame);
                }
            }
            // A run whose end came is not looked for again.
            News::Ended(_) if state.run.with_untracked(|run| run.as_ref().is_some_and(|run| run.outcome.is_some())) => {
            }
            News::Ended(_) => {
                let run_id = run_id.clone();
                dom::later(AGAIN, move || {
                    if is_wanted(&run_id) {
                        look(state, run_id);
                    }
                });
            }
        }
    });
    SOURCE.set(Some(source));
}

/// A piece of the run's output, or its end.
fn piece(state: State, frame: &Frame) {
    if frame.event.as_deref() == Some("end") {
        if let Some(run) = super::decode::decoded::<Run>(&frame.data) {
            ended(state, run);
        }
        return;
    }
    let (chunk, run) = (super::decode::decoded::<RunChunk>(&frame.data), state.run.get_untracked());
    if let (Some(RunChunk { stream, text }), Some(mut run)) = (chunk, run) {
        match stream {
            OutputStream::Stdout => run.stdout.push_str(&text),
            OutputStream::Stderr => run.stderr.push_str(&text),
        }
        show(state, run);
    }
}
