//! The console with a CLI that speaks at a pace, beside the baseline with the same CLI: the same lines from the same
//! program, through the whole of ours and through the least there can be.

use std::{path::Path, time::Duration};

use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    Broken,
    bare::Bare,
    client::{Followed, Stream},
    harness::program::Program,
    pace::{self, Pace},
};

/// What came of a pace, or of several.
#[derive(Default)]
pub struct Delivered {
    /// How long each line was on its way to each client, in milliseconds.
    pub ms: Vec<f64>,
    pub lost: usize,
}

impl Delivered {
    /// Adds what came of another.
    pub fn add(&mut self, mut other: Delivered) {
        self.ms.append(&mut other.ms);
        self.lost += other.lost;
    }
}

/// How long clients wait beyond the pace's own length.
const PATIENCE: Duration = Duration::from_secs(15);

/// A console whose agent is the CLI that speaks at a pace.
pub fn program(folder: &Path) -> std::io::Result<Program> {
    let cli = pace::program(folder)?.display().to_string();
    let flags = ["--backend", "claude", "--permissions", "autonomous", "--claude-bin", &cli];
    Ok(Program::start_with(folder, &flags, &[]))
}

/// Lets the console's CLI speak to so many clients.
pub async fn through_console(program: &Program, clients: usize, pace: Pace) -> Result<Delivered, Broken> {
    let opened = program.post("/api/session", json!({})).await;
    let session = opened.1["session_id"].as_str().ok_or("no session")?.to_owned();
    let attached = attach(&program.base, &format!("/api/session/{session}/stream"), clients).await?;
    let prompt = json!({ "prompt": pace.prompt() });
    let (status, answer) = program.post(&format!("/api/session/{session}/prompt"), prompt).await;
    if status != 200 {
        return Err(format!("the prompt was answered {status}: {answer}").into());
    }
    delivered(attached, pace).await
}

/// Lets the baseline's CLI speak to so many clients.
pub async fn through_bare(bare: &Bare, clients: usize, pace: Pace) -> Result<Delivered, Broken> {
    let attached = attach(&bare.base, "/frames", clients).await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    http.post(format!("{}/pace", bare.base)).json(&pace).send().await?.error_for_status()?;
    delivered(attached, pace).await
}

async fn attach(base: &str, path: &str, clients: usize) -> std::io::Result<Vec<Stream>> {
    let mut attached = Vec::with_capacity(clients);
    for _ in 0..clients {
        let mut stream = Stream::open(base, path).await?;
        stream.until_caught_up().await?;
        attached.push(stream);
    }
    Ok(attached)
}

async fn delivered(attached: Vec<Stream>, pace: Pace) -> Result<Delivered, Broken> {
    let wanted = attached.len() * usize::try_from(pace.count)?;
    let until = Instant::now() + Duration::from_secs(pace.count / pace.per_second) + PATIENCE;
    let following: JoinSet<Followed> = attached.into_iter().map(|stream| stream.follow(pace.count, until)).collect();
    let ms: Vec<f64> = following.join_all().await.into_iter().flat_map(|followed| followed.ms).collect();
    Ok(Delivered { lost: wanted.saturating_sub(ms.len()), ms })
}
