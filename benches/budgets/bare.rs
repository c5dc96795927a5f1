//! The baseline: the least that axum can do for the same clients, as a process of its own, which is this program again.
//! No sessions, no record, no gate, no cursor. What it sends is prepared; whoever is too slow loses frames.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response, Sse, sse},
    routing::{get, post},
    serve::ListenerExt,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::broadcast;

use crate::pace::{self, Pace};

/// The argument by which this program is the baseline.
pub const ROLE: &str = "bare";

/// How many frames of a replay go out at once: as many as the console reads for a follower.
const BATCH: usize = (64 << 10) / crate::record::ENTRY + 1;
/// How many frames may wait for a slow client.
const WAITING: usize = 4096;

/// A baseline that answers. Dropping it ends it, and so does the end of this process.
pub struct Bare {
    child: Child,
    pub base: String,
}

impl Bare {
    /// Starts one. `replay` are the bytes of the replay that its clients get.
    pub fn start(folder: &Path, replay: &str) -> std::io::Result<Self> {
        let file = folder.join("replay");
        std::fs::write(&file, replay)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args([ROLE.as_ref(), file.as_os_str(), pace::program(folder)?.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        Ok(Bare { child, base: line.trim().to_owned() })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone)]
struct Prepared {
    batches: Arc<Vec<Bytes>>,
    live: broadcast::Sender<Bytes>,
    cli: Arc<std::path::PathBuf>,
}

/// Is the baseline, until its standard input ends.
#[expect(clippy::print_stdout, reason = "by this line its parent knows where it is")]
pub fn run(args: &[String]) -> ExitCode {
    let [file, cli] = args else { return ExitCode::FAILURE };
    let replay = std::fs::read_to_string(file).unwrap();
    let frames: Vec<&str> = replay.split_inclusive("\n\n").collect();
    let prepared = Prepared {
        batches: Arc::new(frames.chunks(BATCH).map(|batch| Bytes::from(batch.concat())).collect()),
        live: broadcast::Sender::new(WAITING),
        cli: Arc::new(cli.into()),
    };
    let router = Router::new()
        .route("/frames", get(frames_to))
        .route("/idle", get(idle))
        .route("/pace", post(pace_asked))
        .with_state(prepared);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let listener = listener.tap_io(|socket| {
            let _ = socket.set_nodelay(true);
        });
        let parent_ends = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
        tokio::select! {
            _ = axum::serve(listener, router) => ExitCode::FAILURE,
            _ = parent_ends => ExitCode::SUCCESS,
        }
    })
}

/// Frames that are shared by all clients, as bytes.
async fn frames_to(State(prepared): State<Prepared>) -> Response {
    let replay = Arc::clone(&prepared.batches);
    let batches = (0..replay.len()).map(move |batch| replay[batch].clone());
    let all = stream::iter(batches).chain(live(prepared.live.subscribe()));
    let body = Body::from_stream(all.map(Ok::<_, std::convert::Infallible>));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// axum's own way: a stream of events with a heartbeat.
async fn idle(State(prepared): State<Prepared>) -> Response {
    let replay = Arc::clone(&prepared.batches);
    let batches = (0..replay.len()).map(move |batch| replay[batch].clone());
    let data = |frame: Bytes| sse::Event::default().data(String::from_utf8_lossy(&frame));
    let caught_up = stream::iter([sse::Event::default().event("caught-up").data("{}")]);
    let all = stream::iter(batches).map(data).chain(caught_up).chain(live(prepared.live.subscribe()).map(data));
    let heartbeat = sse::KeepAlive::new().interval(Duration::from_secs(20));
    Sse::new(all.map(Ok::<_, std::convert::Infallible>)).keep_alive(heartbeat).into_response()
}

fn live(frames: broadcast::Receiver<Bytes>) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(frames, async |mut frames| {
        loop {
            match frames.recv().await {
                Ok(frame) => return Some((frame, frames)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
}

/// Starts the CLI that speaks at this pace, and tells everybody its texts.
async fn pace_asked(State(prepared): State<Prepared>, Json(pace): Json<Pace>) {
    std::thread::spawn(move || {
        let mut cli = Command::new(&*prepared.cli).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut orders = cli.stdin.take().unwrap();
        std::io::Write::write_all(&mut orders, format!("{}\n", pace.message()).as_bytes()).unwrap();
        drop(orders);
        let lines = BufReader::new(cli.stdout.take().unwrap()).lines().map_while(Result::ok);
        let texts = lines.filter_map(|line| {
            let (_, text) = line.split_once(r#""text":""#)?;
            Some(text.split_once('"')?.0.to_owned())
        });
        for (id, text) in texts.enumerate() {
            let json = format!(r#"{{"kind":"text","text":"{text}","id":{id},"at":1700000000000}}"#);
            let frame = Bytes::from(format!("id: {id}\ndata: {json}\n\n"));
            // Nobody attached is nobody to tell.
            let _ = prepared.live.send(frame);
        }
        let _ = cli.wait();
    });
}
