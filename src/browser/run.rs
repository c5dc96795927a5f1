//! Following a run of a verb: its output as it comes, then how it ended.

use std::{cell::RefCell, rc::Rc, time::Duration};

use domain::{
    call::{OutputStream, Run, RunChunk},
    ids::RunId,
};
use gloo_net::http::Request;
use leptos::{prelude::*, wasm_bindgen::JsCast};
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

use super::dom;
use crate::state::State;

/// How long to wait before a run's stream is opened again.
const AGAIN: Duration = Duration::from_secs(2);

/// Goes on with the run that the page arrived with, if it has not ended.
pub(super) fn resume(state: State) {
    let running = state.run.with_untracked(|run| {
        run.as_ref().filter(|run| run.outcome.is_none()).map(|run| run.run_id.clone())
    });
    if let Some(run_id) = running {
        follow(state, run_id);
    }
}

/// Shows a run from its beginning on.
pub(super) fn follow(state: State, run_id: RunId) {
    leptos::task::spawn_local(async move {
        let found = match Request::get(&format!("/api/pve/runs/{run_id}")).send().await {
            Ok(answer) if answer.ok() => super::body::<Run>(answer).await,
            _ => None,
        };
        match found {
            Some(run) if run.outcome.is_some() => show(state, run),
            Some(run) => {
                show(state, Run { stdout: String::new(), stderr: String::new(), ..run });
                stream(state, run_id);
            }
            // The run goes on at the console whether or not we can see it.
            None => set_timeout(move || follow(state, run_id), AGAIN),
        }
    });
}

fn show(state: State, run: Run) {
    state.run.set(Some(run));
    dom::local_times();
    if let Some(place) = document().query_selector(".run-place").ok().flatten() {
        place.scroll_into_view();
    }
}

fn is_shown(state: State, run_id: &RunId) -> bool {
    state.run.with_untracked(|run| run.as_ref().is_some_and(|run| run.run_id == *run_id))
}

fn stream(state: State, run_id: RunId) {
    let Ok(source) = EventSource::new(&format!("/api/pve/runs/{run_id}/stream")) else { return };
    // Held by the closures themselves, which are dropped when the stream is over.
    let held: Rc<RefCell<Vec<Closure<dyn FnMut(MessageEvent)>>>> = Rc::default();
    let over = {
        let (source, held) = (source.clone(), Rc::clone(&held));
        move || {
            source.close();
            let handlers = held.take();
            set_timeout(move || drop(handlers), Duration::ZERO);
        }
    };
    let on = |event: &str, handle: Box<dyn FnMut(MessageEvent)>| {
        let closure = Closure::<dyn FnMut(MessageEvent)>::new(handle);
        let _ = source.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        held.borrow_mut().push(closure);
    };
    let (id, end) = (run_id.clone(), over.clone());
    on("message", Box::new(move |event| {
        let chunk = event.data().as_string().and_then(|data| super::decoded::<RunChunk>(&data));
        if !is_shown(state, &id) {
            return end();
        }
        if let Some(RunChunk { stream, text }) = chunk {
            state.run.update(|run| {
                if let Some(run) = run {
                    match stream {
                        OutputStream::Stdout => run.stdout.push_str(&text),
                        OutputStream::Stderr => run.stderr.push_str(&text),
                    }
                }
            });
            dom::local_times();
        }
    }));
    let (id, end) = (run_id.clone(), over.clone());
    on("end", Box::new(move |event| {
        end();
        let run = event.data().as_string().and_then(|data| super::decoded::<Run>(&data));
        if let Some(run) = run.filter(|_| is_shown(state, &id)) {
            state.run.set(Some(run));
            dom::local_times();
        }
    }));
    on("error", Box::new(move |_| {
        over();
        if is_shown(state, &run_id) {
            let run_id = run_id.clone();
            set_timeout(move || follow(state, run_id), AGAIN);
        }
    }));
}
