//! One session: its log, its turn, and what its followers look at. It knows no transport: a follower holds a cursor and
//! a `watch` that only says "look again", and asks for what comes after its cursor.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use bytes::{Bytes, BytesMut};
use domain::{
    call::SessionSummary,
    event::{Entry, Event, Level, Live},
    ids::{EntryId, Millis, SessionId},
    log::Head,
    sse,
    turn::{Ending, Phase},
};
use tokio::sync::watch;

use super::{
    chunks::Chunks,
    locked,
    permissions::Waiting,
    recent::Recent,
    slot::{TurnGuard, TurnSlot},
};

use crate::server::{
    fresh,
    store::{Also, Store, StoreError, StoredSession},
};

/// One session.
pub struct Session {
    pub id: SessionId,
    pub created: Millis,
    store: Store,
    chunks: Arc<Chunks>,
    /// The newest frames, each made once for all readers. Whatever is older is on disk.
    /// **Invariant:** it ends at `head`, and only what is on disk is in it.
    recent: Mutex<Recent>,
    head: watch::Sender<Head>,
    /// What is shown and not logged: only the newest of each kind counts.
    live: watch::Sender<LiveFrames>,
    title: Mutex<Option<String>>,
    archived: AtomicBool,
    turn: Mutex<TurnSlot>,
    phase: watch::Sender<Phase>,
    pub(super) permissions: Mutex<Waiting>,
    /// Held while a turn that could not be closed is being closed, so that it is closed once.
    closing: tokio::sync::Mutex<Option<Ending>>,
}

/// The frames of a draft and of a tool at work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveFrames {
    pub draft: Option<Bytes>,
    pub progress: Option<Bytes>,
}

/// How much is read for a follower at once, in bytes.
pub const CHUNK: usize = 64 << 10;

impl Session {
    pub(super) fn new(stored: StoredSession, store: Store, chunks: Arc<Chunks>) -> Self {
        Session {
            id: stored.id,
            created: stored.created,
            store,
            chunks,
            recent: Mutex::new(Recent::after(stored.head)),
            head: watch::Sender::new(stored.head),
            live: watch::Sender::default(),
            title: Mutex::new(stored.title),
            archived: AtomicBool::new(stored.archived),
            turn: Mutex::default(),
            phase: watch::Sender::new(Phase::Idle),
            permissions: Mutex::default(),
            closing: tokio::sync::Mutex::default(),
        }
    }

    /// Where the log ends, as clients may know it.
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Says "look again" whenever the head moved.
    pub fn follow(&self) -> (watch::Receiver<Head>, watch::Receiver<LiveFrames>) {
        (self.head.subscribe(), self.live.subscribe())
    }

    /// The session as lists show it.
    pub fn summary(&self) -> SessionSummary {
        SessionSummary {
            id: self.id.clone(),
            created: self.created,
            title: locked(&self.title).clone(),
            turn_active: super::is_active(*self.phase.borrow()),
            last_event_id: self.head(),
            archived: self.archived.load(Ordering::Relaxed),
        }
    }

    pub(super) fn set_archived(&self, archived: bool) {
        self.archived.store(archived, Ordering::Relaxed);
    }

    /// True when nobody would miss it in memory: no turn, nothing to be closed, and no other holds it.
    pub(super) fn is_forgettable(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1
            && *self.phase.borrow() == Phase::Idle
            && self.closing.try_lock().is_ok_and(|unclosed| unclosed.is_none())
    }

    /// Logs an event, and writes what goes with it. When it returns, both are on disk and every follower was told to look
    /// again.
    ///
    /// It is queued when this is called, so that calls keep their order whether or not the first is waited for.
    pub fn append(
        self: &Arc<Self>,
        event: Event,
        also: Option<Also>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.append_all(vec![event], also, || ())
    }

    /// The same for events of which either all stand or none; `before_told` runs when they are on disk and nobody was told
    /// yet.
    fn append_all<B: FnOnce() + Send + 'static>(
        self: &Arc<Self>,
        events: Vec<Event>,
        also: Option<Also>,
        before_told: B,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<B> {
        let any = |is: fn(&Event) -> bool| events.iter().any(is);
        let brings_back = any(|event| matches!(event, Event::User { .. }));
        let ends_draft = any(|event| matches!(event, Event::Text { .. } | Event::TurnEnd));
        let ends_progress = any(|event| matches!(event, Event::ToolResult { .. } | Event::TurnEnd));
        let session = Arc::clone(self);
        let publish = move |appended: &[crate::server::store::Appended]| {
            if let Some(title) = appended.iter().find_map(|appended| appended.title.clone()) {
                *locked(&session.title) = Some(title);
            }
            if brings_back {
                session.set_archived(false);
            }
            before_told();
            for appended in appended {
                locked(&session.recent).push(appended.id, Bytes::from(appended.frame.clone()));
                session.head.send_replace(Head(Some(appended.id)));
            }
            if ends_draft || ends_progress {
                session.live.send_if_modified(|live| {
                    let draft = ends_draft && live.draft.take().is_some();
                    let progress = ends_progress && live.progress.take().is_some();
                    draft || progress
                });
            }
        };
        self.store.append(self.id.clone(), events, fresh::now(), also, publish)
    }

    /// Shows something that is not logged to whoever looks now, and to whoever joins before it is replaced.
    pub fn show(&self, live: &Live) {
        let frame = Bytes::from(sse::live_frame(live));
        self.live.send_modify(|frames| match live {
            Live::Draft { .. } => frames.draft = Some(frame),
            Live::Progress { .. } => frames.progress = Some(frame),
        });
    }

    /// The frames from `from` on, about [`CHUNK`] bytes of them, and where to go on. Empty at the end of the log.
    pub async fn frames(&self, from: EntryId) -> Result<(Bytes, EntryId), StoreError> {
        if from.0 >= self.head().len() {
            return Ok((Bytes::new(), from));
        }
        if let Some(found) = locked(&self.recent).from(from) {
            return Ok(found);
        }
        if let Some(found) = self.chunks.get(&self.id, from) {
            return Ok(found);
        }
        let json = self.store.entries_json(self.id.clone(), from, 1024, CHUNK).await?;
        let mut chunk = BytesMut::with_capacity(CHUNK + 1024);
        let mut next = from;
        for (id, json) in &json {
            chunk.extend_from_slice(sse::entry_frame(*id, json).as_bytes());
            next = EntryId(id.0 + 1);
        }
        let chunk = chunk.freeze();
        if chunk.len() >= CHUNK {
            self.chunks.keep(&self.id, from, chunk.clone(), next);
        }
        Ok((chunk, next))
    }

    /// The newest entries before `before` (the end, when it is none), ascending: up to `limit` of them and about `bytes`
    /// bytes.
    pub async fn entries_before(
        &self,
        before: Option<EntryId>,
        limit: u64,
        bytes: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let end = before.map_or(self.head().len(), |before| before.0.min(self.head().len()));
        self.store.entries_before(self.id.clone(), EntryId(end), limit, bytes).await
    }

    pub(super) fn turn_slot(&self) -> TurnGuard<'_> {
        TurnGuard::of(&self.turn, &self.phase)
    }

    /// Waits until no turn runs.
    pub async fn turn_ended(&self) {
        // The sender lives as long as the session, so this cannot fail while it is borrowed.
        let _ = self.phase.subscribe().wait_for(|phase| *phase == Phase::Idle).await;
    }

    /// Closes a turn: what ended it, then `turn_end`. `over` runs before anybody is told of the end, so that whoever
    /// hears of it may prompt. When the record cannot be written now, it is tried again until it can, so that no client
    /// waits for ever.
    pub(super) async fn close_turn(self: &Arc<Self>, ending: Ending, over: impl FnOnce() + Send + 'static) {
        let over = Arc::new(Mutex::new(Some(over)));
        let once = move || {
            if let Some(over) = locked(&over).take() {
                over();
            }
        };
        // Both or neither: a server that dies between the two would tell the next one of a turn without an end.
        let closed = self.append_all(ending.clone().events().into(), None, once.clone()).await;
        if let Err(error) = closed {
            tracing::error!(session = %self.id, %error, "the turn's end could not be recorded; trying again");
            *self.closing.lock().await = Some(ending);
            once();
            tokio::spawn(Arc::clone(self).close_when_possible());
        }
    }

    async fn close_when_possible(self: Arc<Self>) {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            if self.close_unclosed().await.is_ok() {
                return;
            }
        }
    }

    /// Closes the last turn if its end could not be recorded when it came.
    pub(super) async fn close_unclosed(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut unclosed = self.closing.lock().await;
        if let Some(ending) = unclosed.clone() {
            let text = "the record could not be written while this turn ran, so part of it may be missing here: make \
                        room on the console's disk"
                .to_owned();
            let mut events = vec![Event::Notice { level: Level::Warning, text }];
            events.extend(ending.events());
            self.append_all(events, None, || ()).await?;
            *unclosed = None;
        }
        Ok(())
    }
}
