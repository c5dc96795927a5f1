//! The keeper: a small process that stands between the program and one CLI, so that nothing of the CLI outlives its use.
//!
//! The CLI's Bash commands are sessions of their own, may clear their environment and be forked to any depth; whoever
//! kills the CLI leaves them behind. The keeper is their **child subreaper**: whatever loses its parent becomes the keeper's
//! child, so that everything which the CLI ever started is below the keeper in the process tree, whatever it calls itself.
//!
//! ```text
//!   program ── stdin: orders, one JSON each ──▶ keeper ── stdin ──▶ CLI ──▶ Bash ──▶ …
//!      ▲  ▲─── stderr: reports, one JSON each ──┘                   │
//!      └────────────────── stdout: the CLI's own, untouched ────────┘
//! ```
//! **Invariant:** when the keeper ends, the CLI has ended and so has everything below it, or the last report names what
//! would not. The program's own death is the end of the keeper's standard input, which no thread and no handler of the
//! program has to survive for; should the keeper itself be killed, the kernel tells the CLI (parent-death signal).

mod processes;
mod wire;

use std::{
    collections::{HashSet, VecDeque},
    io::{BufRead, BufReader, PipeReader, Read, Write},
    os::{fd::AsRawFd, unix::process::CommandExt},
    process::{Child, ChildStdin, Command, ExitCode, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::{SigSet, Signal, kill},
        wait::{WaitStatus, waitpid},
    },
    unistd::{Pid, getpid},
};

pub use self::{
    processes::{end_marked, marked},
    wire::{Ended, Launch, Order, Process, Report, Swept},
};

/// How long the CLI has between being asked to end and being made to: it ends its own Bash commands meanwhile.
const GRACE: Duration = Duration::from_millis(2500);
/// The same for what the CLI left behind.
const LEFT_GRACE: Duration = Duration::from_millis(500);
/// How long it may take until the killed are gone.
const GONE: Duration = Duration::from_millis(1500);
/// How often it is looked for what is below, and how many looks in a row must find nothing.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS: u32 = 3;
/// How many processes are named in a report; more are counted.
const NAMED: usize = 20;
/// How many messages may wait for a CLI that does not read.
const INPUT: usize = 256;

/// What the keeper hears of, one thing after the other.
enum Heard {
    Order(Order),
    /// The program is gone, or has let go.
    Orphaned,
    /// A child ended and was reaped.
    Reaped(Pid, WaitStatus),
    /// There are no more children, so nothing is below any more: the one proof of it that no fork can outrun.
    Childless,
}

/// Is the keeper, until the CLI has ended. The program that uses this crate calls it for its own hidden subcommand, before
/// it starts any thread.
pub fn run() -> ExitCode {
    match keep() {
        Ok(ended) => {
            report(&Report::Ended(ended));
            ExitCode::SUCCESS
        }
        Err(error) => {
            report(&Report::Failed { error });
            ExitCode::FAILURE
        }
    }
}

fn keep() -> Result<Ended, String> {
    // The program decides when this ends; a signal to the whole group (a terminal, a service manager) reaches it too.
    let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]);
    signals.thread_block().map_err(|error| format!("cannot block signals: {error}"))?;
    prctl::set_child_subreaper(true).map_err(|error| format!("cannot become the child subreaper: {error}"))?;
    // It holds the key for a moment, and its children are of the same user.
    prctl::set_dumpable(false).map_err(|error| format!("cannot hide its memory: {error}"))?;

    let mut orders = BufReader::new(std::io::stdin());
    let launch: Launch = match next_order(&mut orders) {
        Some(Order::Launch(launch)) => *launch,
        _ => return Err("the first order must say what to launch".into()),
    };
    let mut cli = start(&launch)?;
    let pid = pid_of(&cli);
    let (tell, heard) = mpsc::sync_channel(64);
    let input = cli.stdin.take().map(writer);
    if let Some(pipe) = cli.stderr.take() {
        std::thread::spawn(move || pass_on(pipe));
    }
    std::thread::spawn({
        let tell = tell.clone();
        move || {
            while let Some(order) = next_order(&mut orders) {
                if tell.send(Heard::Order(order)).is_err() {
                    return;
                }
            }
            let _ = tell.send(Heard::Orphaned);
        }
    });
    std::thread::spawn(move || reap(&tell));
    Ok(Keeper { pid, input, heard, exit: None, swept: Swept::default(), childless: false, later: VecDeque::new() }
        .watch())
}

struct Keeper {
    /// The CLI.
    pid: Pid,
    /// The way to its standard input, until that is closed.
    input: Option<mpsc::SyncSender<String>>,
    heard: mpsc::Receiver<Heard>,
    /// How the CLI ended, once it has.
    exit: Option<WaitStatus>,
    /// What was ended beside the CLI, and what would not.
    swept: Swept,
    /// True once nothing is below.
    childless: bool,
    /// What was heard while something else was waited for.
    later: VecDeque<Heard>,
}

impl Keeper {
    fn watch(mut self) -> Ended {
        while self.exit.is_none() {
            let heard = self.later.pop_front().map_or_else(|| self.heard.recv(), Ok);
            match heard {
                Ok(Heard::Order(Order::Say(line))) => {
                    if let Some(input) = &self.input
                        && input.try_send(line).is_err()
                    {
                        report(&Report::Stderr("the CLI does not read its input".into()));
                    }
                }
                Ok(Heard::Order(Order::CloseInput)) => self.input = None,
                Ok(Heard::Order(Order::Sweep)) => {
                    self.sweep();
                    report(&Report::Swept(std::mem::take(&mut self.swept)));
                }
                Ok(Heard::Reaped(pid, status)) => self.reaped(pid, status),
                Ok(Heard::Childless) => self.childless = true,
                Ok(Heard::Order(Order::End | Order::Launch(_)) | Heard::Orphaned) | Err(_) => {
                    self.end_cli();
                    break;
                }
            }
        }
        self.sweep();
        let (code, signal) = match self.exit {
            Some(WaitStatus::Exited(_, code)) => (Some(code), None),
            Some(WaitStatus::Signaled(_, signal, _)) => (None, Some(signal as i32)),
            _ => (None, None),
        };
        Ended { code, signal, swept: self.swept, told: true }
    }

    fn reaped(&mut self, pid: Pid, status: WaitStatus) {
        if pid == self.pid {
            self.exit = Some(status);
        }
    }

    /// Asks the CLI to end, then makes it.
    fn end_cli(&mut self) {
        self.input = None;
        for (signal, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, GONE)] {
            // It may be gone already, which is what was wanted.
            let _ = kill(self.pid, signal);
            if self.wait_until(patience, |keeper| keeper.exit.is_some()) {
                return;
            }
        }
    }

    /// Ends everything below but the CLI while that lives: asks first, then kills until nothing is left.
    fn sweep(&mut self) {
        let mut met = HashSet::new();
        let mut empty = 0;
        for (signal, patience) in [(Signal::SIGTERM, LEFT_GRACE), (Signal::SIGKILL, GONE)] {
            let deadline = Instant::now() + patience;
            loop {
                let below = self.below();
                // One look is no proof: what forks and ends all the time may have been missed. Once the CLI has ended, the
                // end of all children is the proof; while it lives, several looks must do.
                empty = if below.is_empty() { empty + 1 } else { 0 };
                if self.childless || (self.exit.is_none() && empty >= LOOKS) {
                    return;
                }
                for process in below {
                    let _ = kill(Pid::from_raw(process.pid), signal);
                    if met.insert(process.pid) {
                        if self.swept.ended.len() < NAMED {
                            self.swept.ended.push(process);
                        } else {
                            self.swept.more += 1;
                        }
                    }
                }
                // Looks again soon: what was forked meanwhile is found in the next round.
                self.wait_until(LOOK, |keeper| keeper.childless);
                if Instant::now() > deadline {
                    break;
                }
            }
        }
        let mut left = self.below();
        if left.is_empty() && self.exit.is_some() {
            left.push(Process { pid: 0, command: "something that forks faster than it can be ended".into() });
        }
        self.swept.ended.retain(|ended| !left.iter().any(|left| left.pid == ended.pid));
        self.swept.more += left.len().saturating_sub(NAMED);
        left.truncate(NAMED);
        self.swept.left.extend(left);
    }

    fn below(&self) -> Vec<Process> {
        let keep = if self.exit.is_none() { Some(self.pid.as_raw()) } else { None };
        processes::below(getpid().as_raw(), keep)
    }

    /// Takes in what is heard until `done` or until `patience` is over. True when done.
    fn wait_until(&mut self, patience: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        while !done(self) {
            match self.heard.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Heard::Reaped(pid, status)) => self.reaped(pid, status),
                Ok(Heard::Childless) => self.childless = true,
                Ok(heard) => self.later.push_back(heard),
                Err(mpsc::RecvTimeoutError::Timeout) => return false,
                // Nobody is left to reap and nobody to listen to: only the time is waited for.
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    std::thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
                    return done(self);
                }
            }
        }
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that starts the CLI: its keeper reaps it")]
fn start(launch: &Launch) -> Result<Child, String> {
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.args)
        .env_clear()
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&launch.dir)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped());
    let key = match &launch.key {
        Some(key) => {
            let pipe = key_pipe(key).map_err(|error| format!("cannot hand over the key: {error}"))?;
            command.env("CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR", pipe.as_raw_fd().to_string());
            Some(pipe)
        }
        None => None,
    };
    let (keeper, file_bytes) = (getpid(), launch.file_bytes);
    let before_exec = move || -> std::io::Result<()> {
        // What the keeper blocks for itself would be inherited, and nothing of the CLI's would hear of its end.
        SigSet::empty().thread_set_mask()?;
        if let Some(bytes) = file_bytes {
            setrlimit(Resource::RLIMIT_FSIZE, bytes, bytes)?;
        }
        prctl::set_pdeathsig(Signal::SIGTERM)?;
        // It may have died before that was asked for.
        if nix::unistd::getppid() == keeper { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: the closure makes a few system calls and allocates nothing, so that it may run between fork and exec.
    #[expect(unsafe_code, reason = "a parent-death signal can only be asked for by the child itself")]
    unsafe {
        command.pre_exec(before_exec);
    }
    let started = command.spawn().map_err(|error| format!("cannot start {}: {error}", launch.program.display()));
    drop(key);
    started
}

/// The end of a pipe from which the CLI reads the key, and which it inherits.
fn key_pipe(key: &str) -> std::io::Result<PipeReader> {
    let (read, mut write) = std::io::pipe()?;
    // A pipe holds 64 KiB without a reader, and a key is far shorter.
    write.write_all(key.as_bytes())?;
    fcntl(&read, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(read)
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

fn next_order(orders: &mut impl BufRead) -> Option<Order> {
    let mut line = String::new();
    match orders.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => serde_json::from_str(&line).ok(),
    }
}

/// Writes to the CLI in a thread of its own, so that one which does not read holds nobody up.
fn writer(mut stdin: ChildStdin) -> mpsc::SyncSender<String> {
    let (send, lines) = mpsc::sync_channel::<String>(INPUT);
    std::thread::spawn(move || {
        for line in lines {
            if writeln!(stdin, "{line}").and_then(|()| stdin.flush()).is_err() {
                return;
            }
        }
    });
    send
}

/// Reports what the CLI says on its standard error: some of its failures stand nowhere else.
fn pass_on(mut pipe: impl Read) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer) {
        report(&Report::Stderr(String::from_utf8_lossy(&buffer[..read]).into_owned()));
    }
}

/// Reaps whatever ends, the CLI and what it left behind, until there are no more children.
fn reap(tell: &mpsc::SyncSender<Heard>) {
    loop {
        match waitpid(None, None) {
            Ok(status) => {
                let Some(pid) = status.pid() else { continue };
                if tell.send(Heard::Reaped(pid, status)).is_err() {
                    return;
                }
            }
            Err(Errno::EINTR) => {}
            Err(_) => {
                let _ = tell.send(Heard::Childless);
                return;
            }
        }
    }
}

fn report(report: &Report) {
    if let Ok(line) = serde_json::to_string(report) {
        // Where the program is gone, there is nobody to tell.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
}
