//! The program on a port and a data directory that outlive it: started, killed with SIGKILL, started again. Unlike
//! `harness::program` it may be killed before it listens, and what it says on standard error is kept. It does not decide
//! when.

use std::{
    fs::{File, OpenOptions},
    net::TcpListener,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::{board::Board, chance::Chance};
use crate::harness::console::{PATIENCE, TOKEN};

/// A server's place, and its process if there is one.
pub struct Server {
    folder: PathBuf,
    address: String,
    /// The program as it is when the run begins, whatever is built meanwhile.
    program: File,
    running: Option<(Child, Lines<BufReader<ChildStdout>>)>,
}

impl Server {
    /// A place in this folder, on a port that is free now. It is none of those that the kernel gives away by itself: in
    /// the moments in which the server is dead, another test must not be given its port.
    pub fn place(folder: &Path, chance: &mut Chance) -> Self {
        let ports = std::iter::repeat_with(|| chance.between(20_000, 30_000));
        let free = |port: &u64| TcpListener::bind(format!("127.0.0.1:{port}")).is_ok();
        let port = ports.take(1000).find(free).expect("a free port");
        let program = File::open(env!("CARGO_BIN_EXE_breakglass")).unwrap();
        Server { folder: folder.to_owned(), address: format!("127.0.0.1:{port}"), program, running: None }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts the program and does not wait for it.
    pub fn start(&mut self) {
        // Its name is looked up in the child, where the descriptor is open until the program begins.
        let mut child = Command::new(format!("/proc/self/fd/{}", self.program.as_raw_fd()))
            .args(["serve", "--practice", "--listen", &self.address, "--max-concurrent-turns", "3", "--data-dir"])
            .arg(self.data())
            .env("API_BEARER_TOKEN", TOKEN)
            .env("BREAKGLASS_SSE_KEEPALIVE_SECONDS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.running = Some((child, lines));
    }

    fn log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.folder.join("stderr")).unwrap()
    }

    /// Waits until it listens. One that came too early is started again, as a supervisor does it.
    pub async fn listening(&mut self, board: &Board) -> Result<(), String> {
        loop {
            let (_, lines) = self.running.as_mut().expect("it was started");
            let until_it_says = async {
                while let Some(line) = lines.next_line().await.unwrap() {
                    if line.starts_with("listening on ") {
                        return true;
                    }
                }
                false
            };
            match tokio::time::timeout(PATIENCE, until_it_says).await {
                Ok(true) => return Ok(()),
                Ok(false) if self.came_too_early() => {
                    board.count("starts too early");
                    self.kill().await;
                    // A supervisor's back-off, and a short one.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    self.start();
                }
                Ok(false) => return Err(format!("the server ended while it started:\n{}", last_words(&self.folder))),
                Err(_) => return Err("the server does not come up".into()),
            }
        }
    }

    /// Whether the last one found the port or the data directory still taken. A child that the one before it was just
    /// about to start holds both for some milliseconds more, until its own program begins.
    pub fn came_too_early(&self) -> bool {
        let words = last_words(&self.folder);
        let last = words.lines().last().unwrap_or_default();
        last.contains("Address already in use") || last.contains("another console serves")
    }

    /// SIGKILL, as the kernel's OOM killer does it. False when it had ended by itself.
    pub async fn kill(&mut self) -> bool {
        let (mut child, _) = self.running.take().expect("it was started");
        let lived = child.try_wait().unwrap().is_none();
        child.kill().await.unwrap();
        lived
    }
}

/// What all processes of a place said on standard error, the end of it.
pub fn last_words(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("stderr")).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Whether the practice host is at work: a mutation runs on when the server is dead, and nothing of it may be counted
/// for the next one. Its processes are known by the script's path, from the moment at which they are started.
pub fn host_at_work(data: &Path) -> bool {
    let script = data.join("practice/breakglass-pve");
    let script = script.to_str().unwrap().as_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok()).any(|line| {
        // The last argument is the script or `--worker`.
        line.split(|byte| *byte == 0).any(|argument| argument == script)
    })
}
