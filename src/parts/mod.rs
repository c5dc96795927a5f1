//! The parts of the page that the server renders by itself, at first paint and whenever the browser's part asks again: the
//! status strip, the run, the history, the verbs. Nothing of them is in what a phone has to load, and all of it works as
//! plain forms and links.
//!
//! Each part is one element with an id, in whose place the next rendering of it is put. `data-mark` on it says of what it
//! was made, and the strip says of what the others would be made now, so that they are fetched only when they differ.
//!
//! **Architecture invariant:** nothing here knows the server, the page's components or the browser, and no text of
//! anybody becomes markup.

mod figures;
mod host_key;
mod icons;
mod lock;
mod looks;
mod run;
mod runs;
mod sessions;
mod sheet;
mod strip;
mod verbs;
mod verdict;
mod way;
mod words;

use domain::{
    ids::RunId,
    page::{Controls, PageParts, Part, SessionList},
    probe::WayUp,
    verb::Verb,
};
use leptos::prelude::*;

/// The endpoints of the parts' forms.
pub const RUN_VERB: &str = "/do/verb";
/// See [`RUN_VERB`].
pub const SET_LOCK: &str = "/do/lock";
/// See [`RUN_VERB`].
pub const ACCEPT_KEY: &str = "/do/accept_key";

/// The parts as a page has them when it arrives.
pub fn of_page(controls: &Controls) -> PageParts {
    PageParts {
        glance: html(|| verdict::glance(controls)),
        sheet: html(|| sheet::sheet(controls)),
        under_way: under_way(controls),
    }
}

/// One part, as it is put in the place of an older one.
pub fn part(part: Part, controls: &Controls) -> String {
    match part {
        Part::Strip => html(|| (verdict::glance(controls), strip::strip(controls))),
        Part::Run => html(|| run::run(controls)),
        Part::Runs => html(|| runs::runs(controls)),
        Part::Verbs => html(|| verbs::verbs(controls)),
    }
}

/// The list of sessions beside the console, where the session of the id `here` is shown.
pub fn side(list: &SessionList, here: &str) -> String {
    html(|| sessions::side(list, here))
}

fn html<V: IntoView>(make: impl FnOnce() -> V) -> String {
    Owner::new().with(|| make().into_view().to_html())
}

/// The run that a page without script looks at again by itself: it runs, or the target is on its way back up from it.
fn under_way(controls: &Controls) -> Option<RunId> {
    let running = controls.run.as_ref().filter(|run| run.outcome.is_none()).map(|run| run.run_id.clone());
    let coming_up = || way(controls).filter(|way| !way.over).map(|way| way.run_id.clone());
    running.or_else(coming_up)
}

/// The way back up from the run that is looked at.
fn way(controls: &Controls) -> Option<&WayUp> {
    let run = controls.run.as_ref()?;
    controls.status.way_up.as_ref().filter(|way| way.run_id == run.run_id)
}

/// Of what the history is made: which run is the newest, and how each ended.
fn runs_mark(controls: &Controls) -> String {
    let newest = controls.runs.first().map(|run| run.run_id.short()).unwrap_or_default();
    let ends = controls.runs.iter().map(|run| match (run.outcome, run.exit_code) {
        (None, _) => '.',
        (Some(outcome), code) => outcome.told(code).1.chars().next().unwrap_or('?'),
    });
    format!("{newest}{}", ends.collect::<String>())
}

/// Of what a run is made, beside its output: the history, and how far the target is on its way back up.
fn run_mark(controls: &Controls) -> String {
    let way = controls.status.way_up.as_ref();
    let way = way.map(|way| format!("{}{}{}", way.run_id.short(), way.steps.len(), way.over)).unwrap_or_default();
    format!("{} {way}", runs_mark(controls))
}

/// Of what the verbs are made: the lock, and which of them is recommended.
fn verbs_mark(controls: &Controls) -> String {
    let since = controls.status.lock.as_ref().map(|lock| lock.since.0).unwrap_or_default();
    let recommended = controls.status.verdict.as_ref().and_then(|verdict| verdict.recommends);
    format!("{since} {}", recommended.map(Verb::as_str).unwrap_or_default())
}
