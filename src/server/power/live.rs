//! A run while it runs: its output so far, for those who look now and for those who look later.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{
    call::{OutputStream, Run, RunChunk},
    verb::Outcome,
};
use tokio::sync::watch;

use crate::server::{child::CappedText, fresh};

/// A run that has begun.
pub struct LiveRun {
    state: Mutex<State>,
    /// Says "look again".
    changed: watch::Sender<Progress>,
}

/// How far a run has come, as its followers are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many pieces of output there are.
    pub chunks: usize,
    /// True when it has ended and its end is recorded.
    pub ended: bool,
}

struct State {
    /// As it goes on record.
    run: Run,
    /// What only those who ask now are told.
    note: Option<String>,
    stdout: CappedText,
    stderr: CappedText,
    /// Both outputs in the order in which they came. As large as the two together, which are capped.
    chunks: Vec<RunChunk>,
}

/// What stands where output was cut.
const CUT: &str = "\n… output cut here: it was longer than what is kept …\n";

impl LiveRun {
    pub(super) fn new(run: Run, cap: usize) -> Self {
        let (stdout, stderr) = (CappedText::new(cap), CappedText::new(cap));
        LiveRun {
            state: Mutex::new(State { run, note: None, stdout, stderr, chunks: Vec::new() }),
            changed: watch::Sender::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, stream: OutputStream, bytes: &[u8]) {
        let mut state = self.state();
        let State { stdout, stderr, chunks, .. } = &mut *state;
        let kept = match stream {
            OutputStream::Stdout => stdout,
            OutputStream::Stderr => stderr,
        };
        let was_truncated = kept.truncated();
        let mut text = kept.push(bytes).to_owned();
        if kept.truncated() && !was_truncated {
            text.push_str(CUT);
        }
        if !text.is_empty() {
            chunks.push(RunChunk { stream, text });
            self.changed.send_modify(|progress| progress.chunks = chunks.len());
        }
    }

    /// Takes what the host says the run printed so far, where that goes on from what came over the connection.
    pub(super) fn catch_up(&self, output: &str) {
        let more = {
            let state = self.state();
            let known = state.stdout.text();
            if state.stdout.truncated() { None } else { output.strip_prefix(known).map(str::to_owned) }
        };
        if let Some(more) = more.filter(|more| !more.is_empty()) {
            self.push(OutputStream::Stdout, more.as_bytes());
        }
    }

    /// Says something to whoever asks about this run while it is in memory, and not to the record. Gives what was said
    /// before, for who wants to say that again.
    pub(super) fn note(&self, text: Option<String>) -> Option<String> {
        std::mem::replace(&mut self.state().note, text)
    }

    /// Ends it, and gives it as it goes on record.
    pub(super) fn ended(
        &self,
        outcome: Outcome,
        exit_code: Option<i32>,
        rejected: bool,
        detail: Option<String>,
    ) -> Run {
        let mut state = self.state();
        let text = |kept: &CappedText| {
            if kept.truncated() { format!("{}{CUT}", kept.text()) } else { kept.text().to_owned() }
        };
        let (stdout, stderr) = (text(&state.stdout), text(&state.stderr));
        let truncated = state.stdout.truncated() || state.stderr.truncated();
        let run = &mut state.run;
        run.ended = Some(fresh::now());
        run.outcome = Some(outcome);
        run.exit_code = exit_code;
        run.detail = detail;
        Run { stdout, stderr, rejected, truncated, ..run.clone() }.clone_into(run);
        run.clone()
    }

    pub(super) fn tell_ended(&self) {
        self.changed.send_modify(|progress| progress.ended = true);
    }

    /// The run as far as it has come.
    pub fn run(&self) -> Run {
        let state = self.state();
        let mut run = state.run.clone();
        if run.ended.is_none() {
            run.stdout = state.stdout.text().to_owned();
            run.stderr = state.stderr.text().to_owned();
            run.truncated = state.stdout.truncated() || state.stderr.truncated();
        }
        run.detail = match (run.detail.take(), &state.note) {
            (Some(detail), Some(note)) => Some(format!("{detail}. {note}")),
            (detail, note) => detail.or_else(|| note.clone()),
        };
        run
    }

    /// The pieces of output from `from` on.
    pub fn chunks(&self, from: usize) -> Vec<RunChunk> {
        self.state().chunks.get(from..).unwrap_or_default().to_vec()
    }

    /// Says "look again" whenever something came or it ended.
    pub fn follow(&self) -> watch::Receiver<Progress> {
        self.changed.subscribe()
    }

    /// Waits for its end.
    pub async fn wait(&self) -> Run {
        // The sender is ours and lives as long as this borrow, so waiting cannot fail.
        let _ = self.follow().wait_for(|progress| progress.ended).await;
        self.run()
    }
}
