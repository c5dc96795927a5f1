//! Sessions that lose nothing: clients that attach, hang up after any byte, lag, repeat and reorder their connections,
//! prompts and verbs that are sent again by key, and a server that is killed with SIGKILL under all of that and started
//! again on the same port and record. At the end every client holds the log, every acknowledged prompt stands there once,
//! every turn has one end, and the host did each tap once at most.
//!
//! Two settings, by environment:
//! - `BREAKGLASS_FAULTS_SEED=N` repeats the decisions of a run (each prints its seed): what is sent, where a connection is
//!   cut, at which moment the server is killed. How the machine interleaves them it does not repeat.
//! - `BREAKGLASS_FAULTS_KILLS=200` makes the run longer. Without it the server is killed 8 times, which takes less than
//!   25 s.
//!
//! `BREAKGLASS_FAULTS_KILLS=200 cargo test --test faults -- --nocapture killed`
//!
//! The actors (`client`, `prompter`, `tapper`, `killer`) gather evidence and judge nothing; `check` and `check_power`
//! judge it and do nothing. Waits there are pacing and back-off of the load, seeded; nothing is taken to have happened
//! because time has passed.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read their own settings, and kill and reap the program themselves"
)]

mod harness;

#[path = "faults/board.rs"]
mod board;
#[path = "faults/calls.rs"]
mod calls;
#[path = "faults/chance.rs"]
mod chance;
#[path = "faults/check.rs"]
mod check;
#[path = "faults/check_power.rs"]
mod check_power;
#[path = "faults/check_tests.rs"]
mod check_tests;
#[path = "faults/client.rs"]
mod client;
#[path = "faults/killer.rs"]
mod killer;
#[path = "faults/lab.rs"]
mod lab;
#[path = "faults/load.rs"]
mod load;
#[path = "faults/middlebox.rs"]
mod middlebox;
#[path = "faults/prompter.rs"]
mod prompter;
#[path = "faults/proxy.rs"]
mod proxy;
#[path = "faults/record.rs"]
mod record;
#[path = "faults/seen.rs"]
mod seen;
#[path = "faults/server.rs"]
mod server;
#[path = "faults/tapper.rs"]
mod tapper;
#[path = "faults/wire.rs"]
mod wire;

use std::{path::Path, time::Duration};

use board::Board;
use load::{Evidence, Load};

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, not a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_under_load_a_console_loses_nothing_and_doubles_nothing() {
    let seed = setting("BREAKGLASS_FAULTS_SEED").unwrap_or_else(chance::fresh_seed);
    let kills = setting("BREAKGLASS_FAULTS_KILLS").unwrap_or(8);
    println!("faults: seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let board = Board::default();
    let load = Load { seed, kills, folder: folder.path().to_owned(), board: board.clone() };
    // Reached by a fault only: it takes a third of that.
    let deadline = Duration::from_secs(60 + 4 * kills);
    let run = tokio::time::timeout(deadline, load.run()).await;
    let run = run.unwrap_or_else(|_| Err(format!("not through after {deadline:?}")));
    let evidence = run.unwrap_or_else(|why| panic!("seed {seed}: {why}\n{}", state(&board, folder.path())));
    let acknowledged = evidence.asked.iter().filter(|asked| asked.acknowledged).count();
    let entries: usize = evidence.logs.iter().map(|log| log.frames.len()).sum();
    println!(
        "faults: seed {seed}, kills {}, connections {}, prompts {} acknowledged {acknowledged}, entries {entries}",
        board.counted("kills"),
        board.connections(),
        evidence.asked.len(),
    );
    println!("faults: taps {}, {}", evidence.taps.len(), board.figures());
    let wrong = judge(&evidence, &board);
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} things are wrong\n{}\n{}",
        wrong.len(),
        wrong.join("\n"),
        state(&board, folder.path())
    );
    // A run without load would have shown nothing.
    let cut = evidence.logs.iter().flat_map(check::Log::entries).filter(|entry| entry.event.kind() == "error").count();
    assert!(cut > 0 && acknowledged > 0 && !evidence.taps.is_empty(), "turns cut {cut}, acknowledged {acknowledged}");
}

fn judge(evidence: &Evidence, board: &Board) -> Vec<String> {
    let Evidence { clients, asked, taps, logs, runs, effects } = evidence;
    let mut wrong = board.faults();
    let effects: Vec<_> = effects.lines().collect();
    for log in logs {
        let asked: Vec<_> = asked.iter().filter(|asked| asked.session == log.session).collect();
        wrong.extend(check::ids(log));
        wrong.extend(check::prompts(log, &asked));
        wrong.extend(check::turns(log));
        wrong.extend(check::endings(log));
        wrong.extend(check::effects(log, &asked, &effects));
        wrong.extend(check_power::entries(log, runs));
        for (name, _, seen) in clients.iter().filter(|(_, session, _)| *session == log.session) {
            wrong.extend(check::client(name, seen, log));
        }
    }
    wrong.extend(check_power::taps(taps, runs));
    wrong.extend(check_power::answers(taps, runs));
    wrong
}

/// What a person needs who looks for the fault.
fn state(board: &Board, folder: &Path) -> String {
    format!("{}\nlast states:\n{}standard error:\n{}", board.figures(), board.dump(), server::last_words(folder))
}
