//! Many clients of one busy session.

use crate::{
    Broken,
    bare::Bare,
    pace::Pace,
    record,
    samples::Samples,
    table::{Amount, Budget, Report, Row, Unit},
    talk::{self, Delivered},
};
use domain::{log::Head, sse};

const PER_SECOND: u64 = 200;
/// How often each side is measured, in turns: what else the machine does then meets both.
const ROUNDS: usize = 2;
const PACE: Pace = Pace { count: PER_SECOND * 5, per_second: PER_SECOND, bytes: 140 };
const SHORT: Pace = Pace { count: PER_SECOND * 2, ..PACE };

pub async fn run() -> crate::Outcome {
    let mut rows = Vec::new();
    let within = Budget::AtMost(50.0);
    rows.extend(both("200 clients", 200, PACE, within, Budget::AtMost(0.0)).await?);
    rows.extend(both("1,000 clients", 1_000, SHORT, Budget::None, Budget::None).await?);
    Ok(Report {
        name: "fanout",
        rows,
        notes: vec![format!(
            "from the line that a stand-in for the CLI writes on its stdout ({PER_SECOND} a second of 200 B an entry, 10 s; 4 s \
             for 1,000 clients) to the byte at a client, the console's commits included; generator and clients run on the \
             same cores. Baseline: the same stand-in before a bare axum handler with a broadcast channel and frames that \
             are made once. {ROUNDS} rounds in turns. Lost: not there 15 s after the last was due."
        )],
    })
}

async fn both(what: &str, clients: usize, pace: Pace, p99: Budget, none_lost: Budget) -> Result<[Row; 4], Broken> {
    let folder = record::folder()?;
    let program = talk::program(folder.path())?;
    let bare = Bare::start(folder.path(), &sse::caught_up_frame(Head(None)))?;
    let (mut ours, mut theirs) = (Delivered::default(), Delivered::default());
    for _ in 0..ROUNDS {
        ours.add(talk::through_console(&program, clients, pace).await?);
        theirs.add(talk::through_bare(&bare, clients, pace).await?);
    }
    let lost = (Amount(ours.lost as f64, Unit::Entries), theirs.lost as f64);
    let (ours, theirs) = (Samples::of(ours.ms), Samples::of(theirs.ms));
    let row = |name: &str, share, budget| {
        let figure = format!("{what}, {PER_SECOND} events/s, {name}");
        Row::beside(figure, Amount(ours.at(share), Unit::Ms), theirs.at(share), budget)
    };
    Ok([
        row("p50", 0.5, Budget::None),
        row("p99", 0.99, p99),
        row("max", 1.0, Budget::None),
        Row::beside(format!("{what}, lost"), lost.0, lost.1, none_lost),
    ])
}
