//! How fast a client gets what it has missed.

use crate::{
    bare::Bare,
    client,
    harness::program::Program,
    record::{self, ENTRY},
    samples::Samples,
    table::{Amount, Budget, Report, Row, Unit},
};

const ENTRIES: u64 = 20_000;
/// How often each side is asked, in turns.
const ROUNDS: usize = 25;
/// How often both are started, for what the first of all costs.
const STARTS: usize = 5;

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let recorded = record::write(folder.path(), &[ENTRIES]).await?.remove(0);
    let path = format!("/api/session/{}/stream", recorded.session);
    let (mut first, mut again) = ([vec![], vec![]], [vec![], vec![]]);
    let mut bytes = 0;
    for start in 0..STARTS {
        let program = Program::start(folder.path());
        let bare = Bare::start(folder.path(), &recorded.replay)?;
        for round in 0..=if start + 1 == STARTS { ROUNDS } else { 0 } {
            let (our_ms, our_bytes) = client::replay(&program.base, &path).await?;
            let (bare_ms, bare_bytes) = client::replay(&bare.base, "/frames").await?;
            assert!(our_bytes.abs_diff(bare_bytes) < 4096, "both send the same: {our_bytes} and {bare_bytes} bytes");
            let both = if round == 0 { &mut first } else { &mut again };
            both[0].push(our_ms);
            both[1].push(bare_ms);
            bytes = our_bytes;
        }
    }
    let row = |figure: String, ms: [Vec<f64>; 2], budget| {
        let [ours, bare] = ms.map(|ms| bytes as f64 / 1e3 / Samples::of(ms).median());
        Row::beside(figure, Amount(ours, Unit::MegabytesPerSecond), bare, budget)
    };
    let figure = format!("{},000 entries of {ENTRY} B to one client", ENTRIES / 1_000);
    Ok(Report {
        name: "replay",
        rows: vec![
            row(figure, again, Budget::AtLeastOf(0.6)),
            row("the same, first time after a start".into(), first, Budget::None),
        ],
        notes: vec![format!(
            "the program reads its record on disk (in the page cache), {:.1} MB; baseline: a bare axum handler that \
             streams the same bytes from memory in the same batches. Medians of {ROUNDS} in turns, and of {STARTS} starts, \
             from connect to caught-up.",
            bytes as f64 / 1e6
        )],
    })
}
