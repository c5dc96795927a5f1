//! How many events a second one session can take, on disk before anybody is told.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use breakglass::{
    render::renderer,
    server::{config::Settings, open},
};
use domain::{
    event::{Entry, Event},
    ids::{EntryId, Millis},
};

use crate::{
    disk,
    harness::console::{practice, surroundings},
    record::{self, ENTRY},
    table::{Amount, Budget, Report, Row, Unit},
};

/// How many are appended one after the other, and how many as fast as they can be queued.
const ALONE: u64 = 1_000;
const TOGETHER: u64 = 20_000;
/// The largest transaction of the store.
const BATCH: u64 = 256;

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let (alone, together) = ours(folder.path()).await?;
    let entry = Entry { id: EntryId(0), at: Millis(1_700_000_000_000), event: event() };
    let (json, path) = (serde_json::to_string(&entry)?, folder.path().to_owned());
    let bare = move |rows, batch| disk::commits(&path, &json, rows, batch, Duration::ZERO);
    let (each, batches) = tokio::task::spawn_blocking(move || (bare(ALONE, 1), bare(TOGETHER, BATCH))).await?;
    let row = |figure: &str, ours, bare| Row::beside(figure, Amount(ours, Unit::PerSecond), bare, Budget::None);
    Ok(Report {
        name: "append",
        rows: vec![
            row("events, each awaited before the next", alone, each?.rows_per_second),
            row("events, as many as are there (group commit)", together, batches?.rows_per_second),
        ],
        notes: vec![format!(
            "one session of a console in this process, through Session::append, {ENTRY} B an entry, synchronous=FULL; \
             baseline: a bare loop over SQLite that commits the same rows one by one, and {BATCH} at a time."
        )],
    })
}

fn event() -> Event {
    Event::Text { text: "x".repeat(ENTRY - 60) }
}

async fn ours(folder: &Path) -> Result<(f64, f64), crate::Broken> {
    let settings = Settings { data_dir: Some(folder.to_owned()), ..practice() };
    let console = open(settings.resolve(surroundings())?, renderer(), String::new()).await?;
    let session = console.empty_session().await.map_err(|failure| format!("{failure:?}"))?;
    let begun = Instant::now();
    for _ in 0..ALONE {
        session.append(event(), None).await?;
    }
    let alone = ALONE as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    for _ in 0..TOGETHER / 1_000 {
        futures_util::future::try_join_all((0..1_000).map(|_| session.append(event(), None))).await?;
    }
    Ok((alone, TOGETHER as f64 / begun.elapsed().as_secs_f64()))
}
