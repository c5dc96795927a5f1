//! Server-sent events: a follower holds a cursor, takes what there is, and waits to be told to look again. There is no
//! moment between replay and live, because both are the same reading of the same log.
//!
//! Nothing is queued for a reader: it is asked for the next piece when its socket has room. One that takes nothing is
//! cut off by the listener (`server/listener.rs`).

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use domain::{
    attach::Start,
    call::{OutputStream, Run, RunChunk},
    ids::EntryId,
    log::Head,
    sse::{self, Frame},
};
use futures_util::{Stream, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::server::{
    power::live::LiveRun,
    sessions::session::{LiveFrames, Session},
};

/// How long a client should wait before it attaches again, in milliseconds.
const RETRY_MS: u64 = 1000;

/// An answer that is a stream of events.
pub(super) fn answer(frames: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static) -> Response {
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct Follower {
    session: Arc<Session>,
    next: EntryId,
    head: watch::Receiver<Head>,
    live: watch::Receiver<LiveFrames>,
    shown: LiveFrames,
    caught_up: bool,
    greeting: Option<Bytes>,
    rhythm: Rhythm,
    /// True once the client was told that the server ends.
    over: bool,
}

/// What all streams of a server go by.
#[derive(Clone, Debug)]
pub(super) struct Rhythm {
    /// The longest silence before a heartbeat.
    pub keepalive: Duration,
    /// Cancelled when the server is about to end.
    pub ending: CancellationToken,
}

/// The entries of a session from `start` on, then whatever comes.
pub(super) fn session(
    session: Arc<Session>,
    start: Start,
    rhythm: Rhythm,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let (head, live) = session.follow();
    let mut greeting = sse::retry_frame(RETRY_MS);
    if start.reset {
        greeting.push_str(&sse::reset_frame(session.head()));
    }
    let follower = Follower {
        session,
        next: start.from,
        head,
        live,
        shown: LiveFrames::default(),
        caught_up: false,
        greeting: Some(greeting.into()),
        rhythm,
        over: false,
    };
    stream::unfold(follower, async |mut follower| match follower.piece().await {
        Ok(None) => None,
        Ok(Some(piece)) => Some((Ok(piece), follower)),
        Err(error) => {
            // The client attaches again with its cursor; the cause is ours.
            tracing::error!(%error, session = %follower.session.id, "a stream ended because the log cannot be read");
            None
        }
    })
}

impl Follower {
    /// The next piece; nothing once the client was told to come back later.
    async fn piece(&mut self) -> Result<Option<Bytes>, crate::server::store::StoreError> {
        if self.over {
            return Ok(None);
        }
        if let Some(greeting) = self.greeting.take() {
            return Ok(Some(greeting));
        }
        loop {
            // Looked at before the log: whatever was written until then is sent before the stream ends.
            let ending = self.rhythm.ending.is_cancelled();
            // Marked as seen before looking: what comes while we look makes us look again.
            self.head.borrow_and_update();
            let (frames, next) = self.session.frames(self.next).await?;
            if !frames.is_empty() {
                self.next = next;
                return Ok(Some(frames));
            }
            if !self.caught_up {
                self.caught_up = true;
                return Ok(Some(sse::caught_up_frame(domain::log::Head::of_len(self.next.0)).into()));
            }
            if let Some(frame) = self.fresh_live_frame() {
                return Ok(Some(frame));
            }
            if ending {
                self.over = true;
                return Ok(Some(sse::restart_frame(RETRY_MS).into()));
            }
            tokio::select! {
                biased;
                Ok(()) = self.head.changed() => {}
                Ok(()) = self.live.changed() => {}
                () = self.rhythm.ending.cancelled(), if !ending => {}
                () = tokio::time::sleep(self.rhythm.keepalive) => {
                    return Ok(Some(Bytes::from_static(sse::HEARTBEAT.as_bytes())));
                }
            }
        }
    }

    /// The newest draft or progress that this reader was not shown.
    fn fresh_live_frame(&mut self) -> Option<Bytes> {
        let now = self.live.borrow_and_update().clone();
        let shown = std::mem::replace(&mut self.shown, now.clone());
        let mut both = Vec::new();
        for (now, shown) in [(now.draft, shown.draft), (now.progress, shown.progress)] {
            if let Some(frame) = now.filter(|frame| shown.as_ref() != Some(frame)) {
                both.extend_from_slice(&frame);
            }
        }
        (!both.is_empty()).then(|| both.into())
    }
}

fn chunk_frame(id: usize, chunk: &RunChunk) -> String {
    Frame { id: Some(id.to_string()), event: None, data: serde_json::to_string(chunk).unwrap_or_default() }.encode()
}

fn end_frame(run: &Run) -> String {
    Frame { id: None, event: Some("end".into()), data: serde_json::to_string(run).unwrap_or_default() }.encode()
}

/// The output of a run from piece `from` on, as it comes, then `end` with the run.
pub(super) fn run(
    live: Arc<LiveRun>,
    from: usize,
    rhythm: Rhythm,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let changed = live.follow();
    stream::unfold(Some((live, changed, from, true)), move |state| {
        let Rhythm { keepalive, ending } = rhythm.clone();
        async move {
            let (live, mut changed, mut from, first) = state?;
            if first {
                let mut greeting = sse::retry_frame(RETRY_MS);
                let known = live.follow().borrow().chunks;
                if from > known {
                    // It counted in another life of this console: all of it comes again.
                    from = 0;
                    greeting.push_str(&sse::reset_frame(Head(known.checked_sub(1).map(|last| EntryId(last as u64)))));
                }
                return Some((Ok(greeting.into()), Some((live, changed, from, false))));
            }
            loop {
                let progress = *changed.borrow_and_update();
                let chunks = live.chunks(from);
                if !chunks.is_empty() {
                    let frames: String = chunks.iter().zip(from..).map(|(chunk, id)| chunk_frame(id, chunk)).collect();
                    from += chunks.len();
                    return Some((Ok(frames.into()), Some((live, changed, from, false))));
                }
                if progress.ended {
                    return Some((Ok(end_frame(&live.run()).into()), None));
                }
                tokio::select! {
                    Ok(()) = changed.changed() => {}
                    () = ending.cancelled() => return Some((Ok(sse::restart_frame(RETRY_MS).into()), None)),
                    () = tokio::time::sleep(keepalive) => {
                        let heartbeat = Bytes::from_static(sse::HEARTBEAT.as_bytes());
                        return Some((Ok(heartbeat), Some((live, changed, from, false))));
                    }
                }
            }
        }
    })
}

/// The same of a run that has ended and is on record: its two outputs, then `end`.
pub(super) fn ended_run(run: &Run, from: usize) -> impl Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    let mut frames = sse::retry_frame(RETRY_MS);
    let outputs = [(OutputStream::Stdout, &run.stdout), (OutputStream::Stderr, &run.stderr)];
    if from == 0 {
        for (id, (stream, text)) in outputs.into_iter().filter(|(_, text)| !text.is_empty()).enumerate() {
            frames.push_str(&chunk_frame(id, &RunChunk { stream, text: text.clone() }));
        }
    }
    frames.push_str(&end_frame(run));
    stream::iter([Ok(frames.into())])
}
