//! How many events a second one session can take, on disk before anybody is told.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use breakglass::{
    render::renderer,
    server::{config::Settings, open, sessions::session::Session},
};
use domain::{
    event::{Entry, Event},
    ids::{EntryId, Millis},
};

use crate::{
    disk,
    harness::console::{practice, surroundings},
    record::{self, ENTRY},
    samples::Samples,
    table::{Amount, Budget, Report, Row, Unit},
};

/// How many are appended one after the other, and how many as fast as they can be queued, in each round.
const ALONE: u64 = 250;
const TOGETHER: u64 = 5_000;
/// How often each side is measured, in turns: the disk is not ours alone.
const ROUNDS: usize = 5;
/// The largest transaction of the store.
const BATCH: u64 = 256;

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let session = opened(folder.path()).await?;
    let entry = Entry { id: EntryId(0), at: Millis(1_700_000_000_000), event: event() };
    let json = serde_json::to_string(&entry)?;
    let (mut alone, mut together) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..ALONE {
            session.append(event(), None).await?;
        }
        alone[0].push(ALONE as f64 / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let appends: Vec<_> = (0..TOGETHER).map(|_| session.append(event(), None)).collect();
        futures_util::future::try_join_all(appends).await?;
        together[0].push(TOGETHER as f64 / begun.elapsed().as_secs_f64());
        let (json, path) = (json.clone(), folder.path().to_owned());
        let bare = move |rows, batch| disk::commits(&path, &json, rows, batch, Duration::ZERO);
        let (each, batches) = tokio::task::spawn_blocking(move || (bare(ALONE, 1), bare(TOGETHER, BATCH))).await?;
        alone[1].push(each?.rows_per_second);
        together[1].push(batches?.rows_per_second);
    }
    let row = |figure: &str, rates: [Vec<f64>; 2]| {
        let [ours, bare] = rates.map(|rates| Samples::of(rates).median());
        Row::beside(figure, Amount(ours, Unit::PerSecond), bare, Budget::None)
    };
    Ok(Report {
        name: "append",
        rows: vec![
            row("events, each awaited before the next", alone),
            row("events, as many as are there (group commit)", together),
        ],
        notes: vec![format!(
            "one session of a console in this process, through Session::append, {ENTRY} B an entry, synchronous=FULL; \
             baseline: a bare loop over SQLite that commits the same rows one by one, and {BATCH} at a time. Medians of \
             {ROUNDS} rounds in turns."
        )],
    })
}

fn event() -> Event {
    Event::Text { text: "x".repeat(ENTRY - 60) }
}

/// A session of a console. It keeps the record open by itself.
async fn opened(folder: &Path) -> Result<Arc<Session>, crate::Broken> {
    let settings = Settings { data_dir: Some(folder.to_owned()), ..practice() };
    let console = open(settings.resolve(surroundings())?, renderer(), String::new()).await?;
    console.empty_session().await.map_err(|failure| format!("{failure:?}").into())
}
