//! Many clients of one busy session.

use crate::{
    Broken,
    bare::Bare,
    pace::Pace,
    record,
    table::{Amount, Budget, Report, Row, Unit},
    talk::{self, Delivered},
};
use domain::{log::Head, sse};

const PER_SECOND: u64 = 200;
const PACE: Pace = Pace { count: PER_SECOND * 10, per_second: PER_SECOND, bytes: 140 };
const SHORT: Pace = Pace { count: PER_SECOND * 4, ..PACE };

pub async fn run() -> crate::Outcome {
    let mut rows = Vec::new();
    let (ours, bare) = both(200, PACE).await?;
    let within = Budget::AtMost(50.0);
    for (share, name, budget) in [(0.5, "p50", Budget::None), (0.99, "p99", within), (1.0, "max", Budget::None)] {
        let figure = format!("200 clients, {PER_SECOND} events/s, {name}");
        rows.push(Row::beside(figure, Amount(ours.ms.at(share), Unit::Ms), bare.ms.at(share), budget));
    }
    let lost = |clients: usize, ours: &Delivered, bare: &Delivered, budget| {
        Row::beside(format!("{clients} clients, lost"), Amount(ours.lost, Unit::Entries), bare.lost, budget)
    };
    rows.push(lost(200, &ours, &bare, Budget::AtMost(0.0)));
    let (ours, bare) = both(1_000, SHORT).await?;
    for (share, name) in [(0.5, "p50"), (0.99, "p99"), (1.0, "max")] {
        let figure = format!("1,000 clients, {PER_SECOND} events/s, {name}");
        rows.push(Row::beside(figure, Amount(ours.ms.at(share), Unit::Ms), bare.ms.at(share), Budget::None));
    }
    rows.push(lost(1_000, &ours, &bare, Budget::None));
    Ok(Report {
        name: "fanout",
        rows,
        notes: vec![
            "from the line that a stand-in for the CLI writes on its stdout (200 B an entry, 10 s; 4 s for 1,000 clients) to \
             the byte at a client, the console's commits included; generator and clients run on the same cores. Baseline: \
             the same stand-in before a bare axum handler with a broadcast channel and frames that are made once. Lost: not \
             there 15 s after the last was due."
                .into(),
        ],
    })
}

async fn both(clients: usize, pace: Pace) -> Result<(Delivered, Delivered), Broken> {
    let folder = record::folder()?;
    let program = talk::program(folder.path())?;
    let ours = talk::through_console(&program, clients, pace).await?;
    drop(program);
    let bare = Bare::start(folder.path(), &sse::caught_up_frame(Head(None)))?;
    Ok((ours, talk::through_bare(&bare, clients, pace).await?))
}
