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

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let recorded = record::write(folder.path(), &[ENTRIES]).await?.remove(0);
    let program = Program::start(folder.path());
    let bare = Bare::start(folder.path(), &recorded.replay)?;
    let path = format!("/api/session/{}/stream", recorded.session);
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), 0);
    for round in 0..=ROUNDS {
        let (our_ms, our_bytes) = client::replay(&program.base, &path).await?;
        let (bare_ms, bare_bytes) = client::replay(&bare.base, "/frames").await?;
        assert!(our_bytes.abs_diff(bare_bytes) < 4096, "both send the same: {our_bytes} and {bare_bytes} bytes");
        // The first round finds both unprepared.
        if round > 0 {
            ours.push(our_ms);
            theirs.push(bare_ms);
        }
        bytes = our_bytes;
    }
    let speed = |ms: Vec<f64>| bytes as f64 / 1e3 / Samples::of(ms).median();
    Ok(Report {
        name: "replay",
        rows: vec![Row::beside(
            format!("{ENTRIES} entries of {ENTRY} B to one client"),
            Amount(speed(ours), Unit::MegabytesPerSecond),
            speed(theirs),
            Budget::AtLeastOf(0.6),
        )],
        notes: vec![format!(
            "the program reads its record on disk (in the page cache), {:.1} MB; baseline: a bare axum handler that \
             streams the same bytes from memory in the same batches. Median of {ROUNDS} in turns, from connect to caught-up.",
            bytes as f64 / 1e6
        )],
    })
}
