//! How long it takes from a line on the CLI's stdout to its frame at one client, and how much of that is the disk.

use std::time::Duration;

use domain::{log::Head, sse};

use crate::{
    bare::Bare,
    disk,
    pace::Pace,
    record,
    table::{Amount, Budget, Report, Row, Unit},
    talk,
};

const PER_SECOND: u64 = 100;
const PACE: Pace = Pace { count: PER_SECOND * 10, per_second: PER_SECOND, bytes: 140 };

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let program = talk::program(folder.path())?;
    let ours = talk::through_console(&program, 1, PACE).await?.ms;
    drop(program);
    let bare = Bare::start(folder.path(), &sse::caught_up_frame(Head(None)))?;
    let theirs = talk::through_bare(&bare, 1, PACE).await?.ms;
    drop(bare);
    let (path, json) = (folder.path().to_owned(), format!(r#"{{"text":"{}"}}"#, "x".repeat(PACE.bytes)));
    let every = Duration::from_millis(1_000 / PER_SECOND);
    let disk = tokio::task::spawn_blocking(move || disk::commits(&path, &json, PACE.count, 1, every)).await??.ms;
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
            "{PER_SECOND} lines a second for 10 s by a stand-in for the CLI, keeper, decoding and commit included. Baselines: \
             the same lines through a bare reader and a bare SSE handler; a bare commit of one such row at the same pace."
        )],
    })
}
