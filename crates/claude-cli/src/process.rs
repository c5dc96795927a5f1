//! One CLI at work under its keeper: started, listened to, spoken to, ended. It decides nothing about turns.

use std::{collections::VecDeque, ffi::OsString, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::Instant,
};

use crate::{
    keeper::{Ended, Launch, Order, Report, Swept},
    lines::{Line, Lines},
    said::{Said, decode},
};

/// Why a CLI could not be had.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the keeper {program} cannot be started: {source}")]
    Keeper { program: String, source: std::io::Error },
    #[error("the keeper ended before it heard what to launch: {0}")]
    Order(std::io::Error),
}

/// The next thing that is heard of a CLI.
#[derive(Debug)]
pub enum Heard {
    /// It said something.
    Said(Said),
    /// A line was longer than the limit and is lost.
    TooLong { bytes: u64 },
    /// What it left behind was ended, as was ordered.
    Swept(Swept),
    /// It is over: nothing comes after this.
    Ended(Ended),
}

/// A CLI that runs. Dropping it ends the CLI and all that it started; [`Process::end`] also waits for that.
#[derive(Debug)]
pub struct Process {
    /// Nothing once it was told to end.
    orders: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    reports: Option<ChildStderr>,
    /// Held so that the keeper is reaped.
    keeper: Child,
    said: Lines,
    reported: Lines,
    out: Vec<u8>,
    report: Vec<u8>,
    waiting: VecDeque<Heard>,
    /// The end, once the keeper has reported it, and until when what the CLI said before is still read.
    ended: Option<(Ended, Instant)>,
    words: String,
    over: bool,
}

/// How much of what the CLI says on its standard error is kept, in bytes: its end.
const LAST_WORDS: usize = 4096;
/// The longest line that a keeper reports.
const REPORT: usize = 1 << 20;
/// How long the pipes are read after the end, when something that would not end still holds them.
const DRAIN: Duration = Duration::from_millis(500);

impl Process {
    /// Starts a CLI. `keeper` is the command line by which the program runs [`crate::keeper::run`].
    pub async fn start(launch: Launch, keeper: &[OsString]) -> Result<Self, StartError> {
        let mut child = spawn(keeper)?;
        let orders = child.stdin.take();
        let (stdout, reports) = (child.stdout.take(), child.stderr.take());
        let mut process = Process {
            orders,
            stdout,
            reports,
            keeper: child,
            said: Lines::default(),
            reported: Lines::new(REPORT),
            out: vec![0; 64 << 10],
            report: vec![0; 8 << 10],
            waiting: VecDeque::new(),
            ended: None,
            words: String::new(),
            over: false,
        };
        process.order(&Order::Launch(Box::new(launch))).await.map_err(StartError::Order)?;
        Ok(process)
    }

    /// Writes a line of [`crate::control`] to the CLI. An error says that its keeper is gone; [`Process::next`] says why.
    pub async fn say(&mut self, line: String) -> std::io::Result<()> {
        self.order(&Order::Say(line)).await
    }

    /// Says that no more comes: a CLI that runs once per turn begins with that.
    pub async fn close_input(&mut self) -> std::io::Result<()> {
        self.order(&Order::CloseInput).await
    }

    /// Ends what the CLI has left behind; [`Heard::Swept`] tells what that was.
    pub async fn sweep(&mut self) -> std::io::Result<()> {
        self.order(&Order::Sweep).await
    }

    /// The next thing that is heard. Nothing comes after [`Heard::Ended`]; it is given again. Dropping this future loses
    /// nothing.
    pub async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.waiting.pop_front() {
                return heard;
            }
            if let Some((ended, until)) = &self.ended
                && (self.over || self.stdout.is_none() || Instant::now() >= *until)
            {
                self.over = true;
                return Heard::Ended(ended.clone());
            }
            let until = self.ended.as_ref().map(|(_, until)| *until);
            tokio::select! {
                read = read_some(&mut self.stdout, &mut self.out) => {
                    let lines = if read == 0 { self.said.finish().into_iter().collect() } else { self.said.push(&self.out[..read]) };
                    self.take(lines);
                }
                read = read_some(&mut self.reports, &mut self.report) => {
                    let lines = self.reported.push(&self.report[..read]);
                    self.reported(lines, read == 0);
                }
                () = at(until) => {}
            }
        }
    }

    /// What the CLI said last on its standard error.
    pub fn last_words(&self) -> &str {
        self.words.trim()
    }

    /// Ends the CLI and all that it started, and waits until that is done. What it still said is lost.
    pub async fn end(mut self) -> Ended {
        // The end of the orders is an order too, so that a keeper which cannot be told hears of it all the same.
        self.orders = None;
        loop {
            if let Heard::Ended(ended) = self.next().await {
                let _ = self.keeper.wait().await;
                return ended;
            }
        }
    }

    async fn order(&mut self, order: &Order) -> std::io::Result<()> {
        let Some(orders) = &mut self.orders else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        let mut line = serde_json::to_string(order)?;
        line.push('\n');
        orders.write_all(line.as_bytes()).await?;
        orders.flush().await
    }

    fn take(&mut self, lines: Vec<Line>) {
        for line in lines {
            match line {
                Line::Whole(line) => self.waiting.extend(decode(&line).into_iter().map(Heard::Said)),
                Line::TooLong { bytes } => self.waiting.push_back(Heard::TooLong { bytes }),
            }
        }
    }

    fn reported(&mut self, lines: Vec<Line>, closed: bool) {
        for line in lines {
            let Line::Whole(line) = line else { continue };
            match serde_json::from_slice(&line) {
                Ok(Report::Stderr(words)) => self.hear_words(&words),
                Ok(Report::Swept(swept)) => self.waiting.push_back(Heard::Swept(swept)),
                Ok(Report::Ended(ended)) => self.ended = Some((ended, Instant::now() + DRAIN)),
                Ok(Report::Failed { error }) => {
                    self.hear_words(&error);
                    self.ended = Some((Ended { told: true, ..Ended::default() }, Instant::now() + DRAIN));
                }
                // What is no report is the keeper's own trouble, such as a panic.
                Err(_) => self.hear_words(&String::from_utf8_lossy(&line)),
            }
        }
        if closed && self.ended.is_none() {
            // The keeper was killed; the kernel has told the CLI.
            self.ended = Some((Ended::default(), Instant::now() + DRAIN));
        }
    }

    fn hear_words(&mut self, words: &str) {
        self.words.push_str(words);
        let surplus = self.words.len().saturating_sub(LAST_WORDS);
        if let Some(from) = (surplus..=self.words.len()).find(|at| self.words.is_char_boundary(*at)) {
            self.words.drain(..from);
        }
    }
}

/// Reads what there is. 0 is the end, after which the pipe is not read again.
async fn read_some(pipe: &mut Option<impl tokio::io::AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    let Some(open) = pipe else {
        return std::future::pending().await;
    };
    let read = open.read(buffer).await.unwrap_or(0);
    if read == 0 {
        *pipe = None;
    }
    read
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that starts keepers; each ends with its orders")]
fn spawn(keeper: &[OsString]) -> Result<Child, StartError> {
    let (program, args) =
        keeper.split_first().map_or((OsString::new(), keeper), |(program, args)| (program.clone(), args));
    Command::new(&program)
        .args(args)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|source| StartError::Keeper { program: program.to_string_lossy().into_owned(), source })
}
