//! What opening a session costs: the newest 200 entries of few and of many.

use crate::{
    client,
    harness::{console::TOKEN, program::Program},
    record,
    samples::{Samples, now_ns, since_ms},
    table::{Amount, Budget, Report, Row, Unit},
};

const FEW: u64 = 200;
const MANY: u64 = 100_000;
/// How often each is opened, in turns, and how often with a program that was just started.
const ROUNDS: usize = 20;
const STARTS: usize = 5;

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let recorded = record::write(folder.path(), &[FEW, MANY]).await?;
    let stream = |at: usize| format!("/api/session/{}/stream?tail=200", recorded[at].session);
    let (mut first, mut again, mut page) = ([vec![], vec![]], [vec![], vec![]], [vec![], vec![]]);
    // Whoever comes first also opens the first connection to the record, so one start shows one of the two.
    for at in (0..STARTS).flat_map(|_| [0, 1]) {
        let program = Program::start(folder.path());
        first[at].push(client::replay(&program.base, &stream(at)).await?.0);
    }
    let program = Program::start(folder.path());
    for at in (0..ROUNDS).flat_map(|_| [0, 1]) {
        again[at].push(client::replay(&program.base, &stream(at)).await?.0);
        let begun = now_ns();
        let asked = program.http.get(format!("{}/s/{}", program.base, recorded[at].session));
        let answer = asked.bearer_auth(TOKEN).send().await?.error_for_status()?;
        answer.bytes().await?;
        page[at].push(since_ms(begun));
    }
    let row = |figure: &str, [few, many]: [Vec<f64>; 2], budget| {
        let many = Amount(Samples::of(many).median(), Unit::Ms);
        Row::beside(figure, many, Samples::of(few).median(), budget)
    };
    Ok(Report {
        name: "open",
        rows: vec![
            row("100,000 entries, tail=200, to caught-up", again, Budget::AtMostOf(2.0)),
            row("the same, first time after a start", first, Budget::AtMostOf(2.0)),
            row("the page /s/ID of 100,000 entries", page, Budget::None),
        ],
        notes: vec![format!(
            "baseline: the same of a session of {FEW} entries in the same record, in turns, each over a connection of its \
             own (the page over one that is kept). Medians of {ROUNDS}, and of {STARTS} starts each."
        )],
    })
}
