//! How long it takes from a line on the CLI's stdout to its frame at one client, and how much of that is the disk.

use std::time::Duration;

use domain::{log::Head, sse};

use crate::{
    bare::Bare,
    disk,
    pace::Pace,
    record,
    samples::Samples,
    table::{Amount, Budget, Report, Row, Unit},
    talk::{self, Delivered},
};

const PER_SECOND: u64 = 100;
/// How often each is measured, in turns: what else the machine does then meets all of them.
const ROUNDS: usize = 3;
const PACE: Pace = Pace { count: PER_SECOND * 4, per_second: PER_SECOND, bytes: 140 };

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let program = talk::program(folder.path())?;
    let bare = Bare::start(folder.path(), &sse::caught_up_frame(Head(None)))?;
    let (mut ours, mut theirs, mut disk) = (Delivered::default(), Delivered::default(), Vec::new());
    for _ in 0..ROUNDS {
        ours.add(talk::through_console(&program, 1, PACE).await?);
        theirs.add(talk::through_bare(&bare, 1, PACE).await?);
        let (path, json) = (folder.path().to_owned(), format!(r#"{{"text":"{}"}}"#, "x".repeat(PACE.bytes)));
        let every = Duration::from_millis(1_000 / PER_SECOND);
        let committing = tokio::task::spawn_blocking(move || disk::commits(&path, &json, PACE.count, 1, every));
        disk.append(&mut committing.await??.ms);
    }
    let (ours, theirs, disk) = (Samples::of(ours.ms), Samples::of(theirs.ms), Samples::of(disk));
    let ms = |value| Amount(value, Unit::Ms);
    let mut rows = Vec::new();
    for (share, name, most) in [(0.5, "p50", 1.0), (0.99, "p99", 5.0)] {
        let figure = format!("stdout line to frame, {name}");
        rows.push(Row::beside(figure, ms(ours.at(share)), theirs.at(share), Budget::AtMost(most)));
    }
    for (share, name) in [(0.5, "p50"), (0.99, "p99")] {
        let figure = format!("the same, beside one commit on this disk, {name}");
        rows.push(Row::beside(figure, ms(ours.at(share)), disk.at(share), Budget::None));
    }
    Ok(Report {
        name: "line",
        rows,
        notes: vec![format!(
            "{PER_SECOND} lines a second, 4 s in each of {ROUNDS} rounds, by a stand-in for the CLI, keeper, decoding and commit included. Baselines: \
             the same lines through a bare reader and a bare SSE handler; a bare commit of one such row at the same pace."
        )],
    })
}
