//! The budgets of DESIGN.md, each measured beside its baseline in the same run: `cargo xtask bench [NAME…]`. A figure never
//! fails the run; a benchmark that breaks does. Wherever it can, the program itself is measured, as a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "a program of its own: it starts what it measures, keeps a pace by sleeping, and has a baseline that may lose frames"
)]

#[path = "../tests/harness/mod.rs"]
mod harness;

#[path = "budgets/agent.rs"]
mod agent;
#[path = "budgets/append.rs"]
mod append;
#[path = "budgets/bare.rs"]
mod bare;
#[path = "budgets/bare_cli.rs"]
mod bare_cli;
#[path = "budgets/client.rs"]
mod client;
#[path = "budgets/disk.rs"]
mod disk;
#[path = "budgets/fanout.rs"]
mod fanout;
#[path = "budgets/idle.rs"]
mod idle;
#[path = "budgets/line.rs"]
mod line;
#[path = "budgets/open.rs"]
mod open;
#[path = "budgets/pace.rs"]
mod pace;
#[path = "budgets/record.rs"]
mod record;
#[path = "budgets/replay.rs"]
mod replay;
#[path = "budgets/samples.rs"]
mod samples;
#[path = "budgets/table.rs"]
mod table;
#[path = "budgets/talk.rs"]
mod talk;

use std::{panic::AssertUnwindSafe, path::Path, pin::Pin, process::ExitCode, time::Duration};

use futures_util::FutureExt;

use table::Report;

/// Why a benchmark broke.
type Broken = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<Report, Broken>;

const NAMES: [&str; 7] = ["replay", "fanout", "idle", "open", "append", "line", "agent"];

/// How long one may take; each is made for less than a minute.
const LIMIT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let mut args = std::env::args();
    let name = args.next().unwrap_or_default();
    if Path::new(&name).file_name().is_some_and(|name| name == pace::NAME) {
        return pace::run();
    }
    // Cargo adds `--bench`.
    let args: Vec<String> = args.filter(|arg| arg != "--bench").collect();
    match args.split_first() {
        Some((role, rest)) if role == bare::ROLE => bare::run(rest),
        _ => measure(&args),
    }
}

fn measure(wanted: &[String]) -> ExitCode {
    if let Some(unknown) = wanted.iter().find(|name| !NAMES.contains(&name.as_str())) {
        eprintln!("there is no benchmark `{unknown}`: it is one of {}", NAMES.join(", "));
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let before = load();
    let mut reports = Vec::new();
    let mut broken = false;
    for name in NAMES.into_iter().filter(|name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)) {
        eprintln!("measuring {name}");
        match runtime.block_on(one(name)) {
            Ok(report) => reports.push(report),
            Err(why) => {
                eprintln!("{name} broke: {why}");
                broken = true;
            }
        }
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let machine = format!("{cores} cores; load average {before} before, {} after\n", load());
    if !reports.is_empty() {
        print(&(table::rendered(&reports) + "\n" + &machine));
    }
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// How many processes wanted to run in the last minute. What runs beside a measurement is part of it.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

#[expect(clippy::print_stdout, reason = "the result of the program, not a message on its way there")]
fn print(text: &str) {
    println!("\n{text}");
}

/// Runs one, whose panic is its end alone. What it has started ends with it.
async fn one(name: &'static str) -> Outcome {
    let measuring: Pin<Box<dyn Future<Output = Outcome>>> = match name {
        "replay" => Box::pin(replay::run()),
        "fanout" => Box::pin(fanout::run()),
        "idle" => Box::pin(idle::run()),
        "open" => Box::pin(open::run()),
        "append" => Box::pin(append::run()),
        "line" => Box::pin(line::run()),
        _ => Box::pin(agent::run()),
    };
    match tokio::time::timeout(LIMIT, AssertUnwindSafe(measuring).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err("it panicked, as said above".into()),
        Err(_) => Err(format!("it took longer than {} s", LIMIT.as_secs()).into()),
    }
}
