//! Following a run of a verb: its output as it comes, then how it ended. The run itself is a part that the server renders;
//! only its output is added to here.

use std::cell::{Cell, RefCell};

use domain::sse::Frame;
use js_sys::{JSON, Reflect};
use leptos::prelude::*;

use super::{
    dom, http, parts,
    source::{News, Source},
};
use crate::state::{Link, State};

/// How long to wait before a run is looked at again.
const AGAIN: f64 = 2_000.0;

thread_local! {
    /// Counts the looks: what comes of an older one is dropped.
    static LOOK: Cell<u32> = const { Cell::new(0) };
    /// True until the run that is looked at has ended, and its end is shown.
    static FOLLOWING: Cell<bool> = const { Cell::new(false) };
    /// Its stream, while it runs.
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

fn found(selector: &str) -> Option<web_sys::Element> {
    document().query_selector(selector).ok().flatten()
}

/// Goes on with the run that the page arrived with, if it has not ended.
pub(super) fn resume(state: State) {
    if found(".run[data-state=running]").is_some() {
        look_again(state, parts::attribute("run", "data-run").unwrap_or_default());
    }
}

/// Shows a run and no other any more, from its beginning to its end.
pub(super) fn follow(state: State, run_id: String) {
    look(state, run_id, true);
}

/// Looks at the run that is shown, or is to be shown, unless one is being followed.
pub(super) fn look_again(state: State, run_id: String) {
    if !FOLLOWING.get() {
        look(state, run_id, false);
    }
}

fn look(state: State, run_id: String, seen: bool) {
    let this = LOOK.get() + 1;
    LOOK.set(this);
    FOLLOWING.set(true);
    SOURCE.take();
    dom::spawn(async move {
        let looked = parts::fetch(state, &format!("run/{run_id}")).await;
        if LOOK.get() != this {
            return;
        }
        if let (true, Some(run)) = (seen, found(".run")) {
            run.scroll_into_view();
        }
        let running = found(".run[data-state=running]");
        match looked {
            Ok(()) if running.is_none() => FOLLOWING.set(false),
            // Its stream would be held back too.
            Ok(()) if state.link.get_untracked() != Link::Held => stream(state, run_id, this),
            Err((http::SIGNED_OUT, _)) => FOLLOWING.set(false),
            // Nobody will ever tell.
            Err((404, told)) => {
                FOLLOWING.set(false);
                gone(told);
            }
            // The run goes on at the console whether or not we can see it.
            _ => again(state, run_id, this),
        }
    });
}

fn again(state: State, run_id: String, this: u32) {
    dom::later(AGAIN, move || {
        if LOOK.get() == this {
            look(state, run_id, false);
        }
    });
}

/// The console has no such run: its record was set up anew.
fn gone(told: Option<String>) {
    let words = told.and_then(|told| said(&told, "detail")).unwrap_or_default();
    if let (Some(run), Some(place)) = (found(".run"), found(".run-words")) {
        let _ = run.set_attribute("data-state", "unknown");
        place.set_text_content(Some(&format!("{words}: check with status")));
    }
}

/// What a JSON text has under this name, where that is a text.
fn said(json: &str, name: &str) -> Option<String> {
    Reflect::get(&JSON::parse(json).ok()?, &name.into()).ok()?.as_string()
}

fn stream(state: State, run_id: String, this: u32) {
    let url = format!("/api/pve/runs/{run_id}/stream");
    let source = Source::open(url, move |news| {
        if LOOK.get() != this {
            return;
        }
        match news {
            // It begins with all that there is.
            News::Answered(_) => write(None),
            News::Frames(frames) => {
                for Frame { event, data, .. } in frames {
                    if event.is_some() {
                        look(state, run_id.clone(), false);
                        parts::news(state);
                    } else if let Some(text) = said(&data, "text") {
                        write(Some(&text));
                    }
                }
            }
            News::Ended(_) => again(state, run_id.clone(), this),
        }
    });
    SOURCE.set(Some(source));
}

/// Adds to the output of the run that is shown, or empties it; and shows the last thing that the host said.
fn write(more: Option<&str>) {
    let Some(output) = found(".run-output samp") else { return };
    let Some(more) = more else { return output.set_text_content(None) };
    let _ = output.append_with_str_1(more);
    if let Some(output) = found(".run-output .output") {
        output.set_scroll_top(output.scroll_height());
    }
    let line = more.lines().rfind(|line| !line.trim().is_empty());
    if let (Some(line), Some(last)) = (line, found(".run-last")) {
        last.set_text_content(Some(line));
    }
}
