//! What a client costs that is attached and gets nothing, and what a server costs that nobody asks.

use std::time::Duration;

use crate::{
    bare::Bare,
    client::Stream,
    harness::program::Program,
    record,
    table::{Amount, Budget, Report, Row, Unit},
};

const CLIENTS: usize = 1_000;

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let recorded = record::write(folder.path(), &[2, 200]).await?;
    let mut rows = Vec::new();
    let mut idle = f64::NAN;
    for (recorded, what) in recorded.iter().zip(["of a quiet session", "after a replay of 200 entries"]) {
        let program = Program::start(folder.path());
        idle = settled(program.pid()).await?;
        let path = format!("/api/session/{}/stream", recorded.session);
        let ours = per_client(&program.base, program.pid(), &path).await?;
        drop(program);
        let bare = Bare::start(folder.path(), &recorded.replay)?;
        let theirs = per_client(&bare.base, bare.pid(), "/idle").await?;
        let figure = format!("memory per idle client {what}");
        rows.push(Row::beside(figure, Amount(ours, Unit::KiB), theirs, Budget::AtMostOf(1.25)));
    }
    let bare = Bare::start(folder.path(), "")?;
    let theirs = settled(bare.pid()).await? / 1024.0;
    rows.push(Row::beside("the idle server", Amount(idle / 1024.0, Unit::MiB), theirs, Budget::AtMost(30.0)));
    Ok(Report {
        name: "idle",
        rows,
        notes: vec![format!(
            "resident memory of the program's own process (VmRSS), before and after {CLIENTS} clients; baseline: axum's Sse \
             with a heartbeat and a broadcast channel, in a process of its own, after the same replay."
        )],
    })
}

/// By how much a process grows with each client, in KiB.
async fn per_client(base: &str, pid: u32, path: &str) -> Result<f64, crate::Broken> {
    // One that comes and goes first: what is made once is not counted as a client's.
    Stream::open(base, path).await?.until_caught_up().await?;
    let before = settled(pid).await?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Stream::open(base, path).await?;
        client.until_caught_up().await?;
        clients.push(client);
    }
    Ok((settled(pid).await? - before) / CLIENTS as f64)
}

/// The resident memory of a process in KiB, once it stays as it is.
async fn settled(pid: u32) -> Result<f64, crate::Broken> {
    let (mut last, mut same) = (resident(pid)?, 0);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = resident(pid)?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
        if same == 10 {
            break;
        }
    }
    Ok(last)
}

fn resident(pid: u32) -> Result<f64, crate::Broken> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kib.ok_or_else(|| "no VmRSS in /proc".into())
}
