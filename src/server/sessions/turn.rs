//! The task of one turn: runs the backend, watches its limit and its Stop, and closes the turn, whatever happens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    event::{Event, Level},
    turn::Ending,
};
use futures_util::FutureExt;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    Sessions,
    backend::{Backend, Finished, Steer, Task, Turn, TurnError, TurnLog},
    session::Session,
    slot::Stopped,
};

/// How long a backend has to stop before it is dropped, which ends its children at once.
const STOP_GRACE: Duration = Duration::from_secs(6);

pub(super) async fn run(
    sessions: Arc<Sessions>,
    session: Arc<Session>,
    backend: Arc<dyn Backend>,
    task: Task,
    by: String,
    steer: mpsc::Receiver<Steer>,
) {
    let stop = session.turn_slot().stop_token();
    let begun = Instant::now();
    let changed = Arc::new(AtomicBool::new(false));
    let log = TurnLog { session: Arc::clone(&session), changed: Arc::clone(&changed) };
    let turn = Turn { session: session.id.clone(), task, by, log, steer, stop: stop.clone() };
    // A backend that panics must not leave its turn open.
    let mut work = std::panic::AssertUnwindSafe(backend.run(turn)).catch_unwind();
    let ended = tokio::select! {
        ended = &mut work => Some(ended),
        () = stop.cancelled() => None,
        () = tokio::time::sleep(sessions.limits.turn) => None,
    };
    let ending = match ended {
        Some(Ok(Ok(Finished { is_error, result, cost_usd }))) => {
            let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            Ending::Finished { is_error, result, duration_ms, cost_usd }
        }
        Some(Ok(Err(TurnError::Failed(error)))) => Ending::Failed { error },
        Some(Ok(Err(TurnError::Store(error)))) => Ending::Failed {
            error: format!("{error}: the turn was ended because its record cannot be written; make room and try again"),
        },
        Some(Err(_panic)) => Ending::Failed {
            error: "a fault of the console ended this turn: send it again, and if it stays look into its log".into(),
        },
        None => {
            stop.cancel();
            session.turn_slot().timed_out();
            // Whoever looks sees at once that it was heard; how it ended follows.
            let asked = session.turn_slot().stopped();
            let told = async {
                if let Some(Stopped::By(by)) = asked {
                    let words = Event::Notice { level: Level::Info, text: format!("stopping, as {by} asked") };
                    let _ = session.append(words, None).await;
                }
            };
            // Neither waits for the other: a disk that hangs must not keep anything running.
            let (_, stopped) = tokio::join!(timeout(STOP_GRACE, told), timeout(STOP_GRACE, work));
            if stopped.is_err() {
                let text = format!(
                    "the turn did not end within {} s: whether something of it still runs is not known",
                    STOP_GRACE.as_secs()
                );
                let _ = session.append(Event::Notice { level: Level::Warning, text }, None).await;
            }
            let stopped = session.turn_slot().stopped();
            match stopped {
                Some(Stopped::By(by)) => Ending::Cancelled { by },
                Some(Stopped::ServerEnds) => Ending::ServerEnded,
                None => Ending::TimedOut { limit_seconds: sessions.limits.turn.as_secs() },
            }
        }
    };
    // A backend that ended by itself just as it was told to stop was stopped, as far as its operator is concerned.
    let ending = match session.turn_slot().stopped() {
        Some(Stopped::By(by)) => Ending::Cancelled { by },
        Some(Stopped::ServerEnds) => Ending::ServerEnded,
        None => ending,
    };
    session.withdraw_all().await;
    let over = Arc::clone(&session);
    let server_ends = ending == Ending::ServerEnded;
    let (here, with_ai) = (Arc::clone(&sessions), backend.takes_messages());
    session.close_turn(ending, move || sessions.turn_over(&over)).await;
    // An operator's own command is seen by its operator; what an agent says it has done is looked at.
    if with_ai
        && changed.load(Ordering::Relaxed)
        && !server_ends
        && let Some(after) = &here.after
    {
        after.may_have_changed(session);
    }
}
