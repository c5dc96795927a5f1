//! What the page shows, as signals. The page's components read it (`ui/`), the browser's part writes it (`browser/`);
//! neither knows the other. Rendered on the server it is what the page arrived with and never changes.

mod watched;
mod words;

use domain::{page::Page, transcript::Transcript};
use leptos::prelude::*;

pub use watched::Watched;

/// The state of one page. A handle: copies mean the same state.
#[derive(Clone, Copy)]
pub struct State {
    /// What the page arrived with. What changes is in the signals below.
    pub page: Watched<Page>,
    /// The fold of the newest entries.
    pub transcript: Watched<Transcript>,
    /// What is shown in its place to who reads far above its end; else empty.
    pub past: Watched<Transcript>,
    /// How many rows came below who does not read the end. Nothing for who does: they see what comes.
    pub below: Watched<Option<u64>>,
    /// What the backend is writing.
    pub draft: Watched<Option<String>>,
    /// For how many seconds the tool at work has been at it.
    pub progress: Watched<Option<u64>>,
    /// The stream's state.
    pub link: Watched<Link>,
    /// Since when the link is not well, in words.
    pub since: Watched<Option<String>>,
    /// True from Stop until the turn has ended.
    pub stopping: Watched<bool>,
    /// The prompts that are on their way, or whose fate nobody knows, in the order in which they were sent.
    pub outbox: Watched<Vec<Outgoing>>,
    /// What passes.
    pub toast: Watched<Option<String>>,
    /// The row of the permission that waits for a decision, by its entry's id.
    pub waiting: Watched<Option<u64>>,
}

/// How the page hears of what happens. It is said as it is known, and nothing better than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The stream is being opened for the first time.
    Connecting,
    /// The stream brings what was missed: so many entries are to come.
    CatchingUp(u64),
    /// Everything up to now is shown, and what comes will be.
    Live,
    /// The console answers, but something between here and there keeps its stream back: calls stand in for it.
    Held,
    /// The stream ended or fell silent; it is tried again.
    Lost,
    /// This device has no network.
    Offline,
    /// The console does not answer.
    Down,
    /// The console said that it restarts.
    Restarting,
    /// The sign-in is no longer valid.
    SignedOut,
    /// The console has no such session.
    Gone,
}

impl Link {
    /// True while what is shown is what is.
    pub fn is_live(&self) -> bool {
        *self == Link::Live
    }
}

/// A prompt on its way.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// One for each intent, however often it is sent.
    pub key: String,
    /// What it says, as its entry will.
    pub words: String,
    /// True when somebody typed it; else it is a preset.
    pub typed: bool,
    /// How far it is.
    pub step: Step,
}

/// How far a prompt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is being sent.
    Sending,
    /// The console has it; its entry is about to come.
    Sent,
    /// No answer came. It is sent again by itself.
    Unsure,
    /// It will not be sent by itself, and this is why.
    Failed(String),
}

impl State {
    /// The state of a page as it arrived.
    pub fn new(page: Page) -> Self {
        let transcript = Transcript::of(&page.entries);
        // An older stretch of a session does not reach the decision.
        let arrived = page.session.as_ref().and_then(|session| session.last_event_id.0);
        let waiting = transcript.waiting().filter(|_| transcript.newest() >= arrived).map(|row| row.id.0);
        let toast = page.flash.as_ref().map(|flash| flash.detail.clone()).filter(|detail| !detail.is_empty());
        State {
            transcript: Watched::new(transcript),
            past: Watched::new(Transcript::default()),
            below: Watched::new(None),
            draft: Watched::new(None),
            progress: Watched::new(None),
            link: Watched::new(Link::Connecting),
            since: Watched::new(None),
            stopping: Watched::new(false),
            outbox: Watched::new(Vec::new()),
            toast: Watched::new(toast),
            waiting: Watched::new(waiting),
            page: Watched::new(page),
        }
    }

    /// The state of the page that is being rendered.
    pub fn current() -> Self {
        expect_context()
    }

    /// True for who is shown a part of the past, which does not reach the end.
    pub fn in_past(self) -> bool {
        self.past.with_untracked(|past| past.newest().is_some())
    }

    /// The newest entry that came.
    pub fn newest(self) -> Option<u64> {
        self.transcript.with_untracked(Transcript::newest).map(|id| id.0)
    }

    /// Reads what is shown.
    pub fn shown<T>(self, read: impl Fn(&Transcript) -> T) -> T {
        let past = self.past.with(|past| past.newest().map(|_| read(past)));
        past.unwrap_or_else(|| self.transcript.with(read))
    }

    /// True while a turn runs. Where what is shown does not say, the session said so when the page was made.
    pub fn working(self) -> bool {
        let as_arrived =
            || self.page.with_untracked(|page| page.session.as_ref().is_some_and(|session| session.turn_active));
        let (open, newest) = self.transcript.with(|transcript| (transcript.turn_open(), transcript.newest()));
        let arrived =
            self.page.with_untracked(|page| page.session.as_ref().and_then(|session| session.last_event_id.0));
        // An older stretch of a session ends anywhere, so its end says nothing about now.
        open.filter(|_| newest >= arrived).unwrap_or_else(as_arrived)
    }

    /// True for an older stretch of a session, which does not reach its end.
    pub fn is_behind(self) -> bool {
        let arrived =
            self.page.with_untracked(|page| page.session.as_ref().and_then(|session| session.last_event_id.0));
        self.transcript.with(Transcript::newest) < arrived
    }

    /// The session's id, or nothing before there is one.
    pub fn session_id(self) -> String {
        self.page.with_untracked(|page| page.session.as_ref().map(|session| session.id.to_string()).unwrap_or_default())
    }

    /// The idempotency key that the page's forms carry until a script makes one per intent.
    pub fn key(self) -> String {
        self.page.with_untracked(|page| page.key.clone())
    }

    /// True when turns are done by an agent.
    pub fn has_ai(self) -> bool {
        self.page.with_untracked(|page| page.surroundings.has_ai)
    }

    /// The target's name.
    pub fn target(self) -> String {
        self.page.with_untracked(|page| page.surroundings.target.clone())
    }
}
