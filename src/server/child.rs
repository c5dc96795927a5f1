//! Children: spawned from argv lists, in a process group of their own, with a time limit, both outputs drained, and
//! reaped. No shell of this machine comes in between.

use std::{ffi::OsString, os::unix::process::ExitStatusExt, process::Stdio, time::Duration};

use domain::call::OutputStream;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argv {
    pub program: OsString,
    pub args: Vec<OsString>,
    /// Variables beside those that every child gets.
    pub env: Vec<(OsString, OsString)>,
    /// Whether the child is told by the end of its standard input that nobody waits for it any more.
    pub held_stdin: bool,
}

/// The frame in which a child runs.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The variables that every child gets, and no others.
    pub env: Vec<(OsString, OsString)>,
    /// When it is ended.
    pub limit: Duration,
    /// Ends it early.
    pub stop: CancellationToken,
}

/// How a child ended.
#[derive(Debug)]
pub enum ChildEnd {
    /// By itself; a death by signal N counts as 128 + N, as shells have it.
    Exited(i32),
    /// Its time was up.
    TimedOut,
    /// It was stopped.
    Stopped,
    /// It could not be started.
    NotStarted(std::io::Error),
}

/// How long a child has to end by itself once its held standard input is closed: what it watches over may take two
/// seconds to be killed.
const HELD_GRACE: Duration = Duration::from_secs(3);
/// How long a child has between being asked to end and being made to.
const GRACE: Duration = Duration::from_secs(1);
/// How long its pipes may stay open after it ended, in the hands of a process that it left behind.
const DRAIN: Duration = Duration::from_secs(1);

/// Ends the whole group when dropped, so that a future that is dropped leaves nothing behind.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may be gone already, which is what was wanted.
            let _ = killpg(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Runs a child to its end. `output` gets what it writes, in the order in which it arrives.
pub async fn run(argv: &Argv, bounds: &Bounds, mut output: impl FnMut(OutputStream, &[u8]) + Send) -> ChildEnd {
    let mut child = match spawn(argv, bounds) {
        Ok(child) => child,
        Err(error) => return ChildEnd::NotStarted(error),
    };
    let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    // Dropped with this future or at its end, which is how the child learns of it.
    let held = child.stdin.take();
    let (send, mut receive) = mpsc::channel(16);
    if let Some(pipe) = child.stdout.take() {
        tokio::spawn(drain(pipe, OutputStream::Stdout, send.clone()));
    }
    if let Some(pipe) = child.stderr.take() {
        tokio::spawn(drain(pipe, OutputStream::Stderr, send));
    }
    let deadline = Instant::now() + bounds.limit;
    let mut status = None;
    let end = loop {
        tokio::select! {
            biased;
            () = bounds.stop.cancelled() => break Some(ChildEnd::Stopped),
            () = tokio::time::sleep_until(deadline) => break Some(ChildEnd::TimedOut),
            piece = receive.recv() => match piece {
                Some((stream, bytes)) => output(stream, &bytes),
                None => break None,
            },
            ended = child.wait(), if status.is_none() => {
                status = Some(ended);
                // What it wrote before it ended is still in the pipes; what it left behind may hold them open.
                let _ = tokio::time::timeout(DRAIN, async {
                    while let Some((stream, bytes)) = receive.recv().await {
                        output(stream, &bytes);
                    }
                }).await;
                break None;
            }
        }
    };
    if let Some(early) = end {
        end_group(&group, &mut child, held).await;
        return early;
    }
    let status = match status {
        Some(status) => status,
        // It closed both outputs and lives on: it still has its time.
        None => tokio::select! {
            ended = child.wait() => ended,
            () = bounds.stop.cancelled() => {
                end_group(&group, &mut child, held).await;
                return ChildEnd::Stopped;
            }
            () = tokio::time::sleep_until(deadline) => {
                end_group(&group, &mut child, held).await;
                return ChildEnd::TimedOut;
            }
        },
    };
    match status {
        Ok(status) => ChildEnd::Exited(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))),
        Err(error) => ChildEnd::NotStarted(error),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that spawns children")]
fn spawn(argv: &Argv, bounds: &Bounds) -> std::io::Result<Child> {
    Command::new(&argv.program)
        .args(&argv.args)
        .env_clear()
        .envs(bounds.env.iter().chain(&argv.env).map(|(name, value)| (name, value)))
        .stdin(if argv.held_stdin { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

async fn end_group(group: &Group, child: &mut Child, held: Option<ChildStdin>) {
    // Its signal handlers would have to outrun ours: who watches standard input is left to do its work first.
    if let Some(held) = held {
        drop(held);
        if tokio::time::timeout(HELD_GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
    group.signal(Signal::SIGTERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        group.signal(Signal::SIGKILL);
        let _ = child.wait().await;
    }
}

async fn drain(mut pipe: impl AsyncRead + Unpin, stream: OutputStream, to: mpsc::Sender<(OutputStream, Vec<u8>)>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        // Nobody listens any more: go on reading, so that the child does not block on a full pipe.
        let _ = to.send((stream, buffer[..read].to_vec())).await;
    }
}

/// Text out of bytes that arrive in pieces: a character cut in two by a piece's end waits for its rest, what is no
/// UTF-8 becomes U+FFFD, and what is beyond `cap` bytes is not kept.
#[derive(Debug)]
pub struct CappedText {
    text: String,
    rest: Vec<u8>,
    cap: usize,
    truncated: bool,
}

impl CappedText {
    /// An empty text that keeps at most `cap` bytes.
    pub fn new(cap: usize) -> Self {
        CappedText { text: String::new(), rest: Vec::new(), cap, truncated: false }
    }

    /// Takes the next bytes and gives the text that they added.
    pub fn push(&mut self, bytes: &[u8]) -> &str {
        let from = self.text.len();
        self.rest.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.rest);
        let mut left = pending.as_slice();
        loop {
            match std::str::from_utf8(left) {
                Ok(valid) => {
                    self.keep(valid);
                    break;
                }
                Err(error) => {
                    let (valid, bad) = left.split_at(error.valid_up_to());
                    self.keep(&String::from_utf8_lossy(valid));
                    match error.error_len() {
                        Some(len) => {
                            self.keep("\u{fffd}");
                            left = &bad[len..];
                        }
                        None => {
                            self.rest = bad.to_vec();
                            break;
                        }
                    }
                }
            }
        }
        &self.text[from..]
    }

    fn keep(&mut self, text: &str) {
        let mut room = self.cap.saturating_sub(self.text.len()).min(text.len());
        while !text.is_char_boundary(room) {
            room -= 1;
        }
        self.truncated |= room < text.len();
        self.text.push_str(&text[..room]);
    }

    /// What is kept so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when there was more than is kept.
    pub fn truncated(&self) -> bool {
        self.truncated
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sh(script: &str) -> Argv {
        Argv { program: "sh".into(), args: vec!["-c".into(), script.into()], env: Vec::new(), held_stdin: true }
    }

    fn bounds(limit: Duration) -> Bounds {
        let env = vec![("PATH".into(), "/usr/bin:/bin".into())];
        Bounds { env, limit, stop: CancellationToken::new() }
    }

    async fn collect(argv: &Argv, bounds: &Bounds) -> (ChildEnd, String) {
        let mut text = CappedText::new(1 << 20);
        let end = run(argv, bounds, |_, bytes| {
            text.push(bytes);
        })
        .await;
        (end, text.text().to_owned())
    }

    #[tokio::test]
    async fn a_child_is_run_to_its_end_and_both_outputs_arrive() {
        let (end, text) = collect(&sh("echo one; echo two >&2; exit 3"), &bounds(Duration::from_secs(10))).await;
        assert!(matches!(end, ChildEnd::Exited(3)));
        assert!(text.contains("one\n") && text.contains("two\n"));
    }

    #[tokio::test]
    async fn a_child_sees_the_allowed_variables_and_no_others() {
        let (_, text) = collect(&sh("env"), &bounds(Duration::from_secs(10))).await;
        assert!(text.contains("PATH=/usr/bin:/bin"), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
    }

    #[tokio::test]
    async fn a_child_that_takes_too_long_is_ended_with_all_of_its_group() {
        let (end, text) = collect(&sh("echo $$; sleep 600 & sleep 600"), &bounds(Duration::from_millis(300))).await;
        assert!(matches!(end, ChildEnd::TimedOut));
        let group = Pid::from_raw(text.trim().parse().unwrap());
        // The last of them is reaped by whoever adopted it, which takes a moment.
        let gone = async {
            while killpg(group, None).is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.expect("nothing is left of the group");
    }

    #[tokio::test]
    async fn a_child_that_leaves_its_output_open_to_another_is_not_waited_for() {
        let (end, text) = collect(&sh("setsid sleep 5 & echo done"), &bounds(Duration::from_secs(60))).await;
        assert!(matches!(end, ChildEnd::Exited(0)));
        assert_eq!(text, "done\n");
    }

    #[tokio::test]
    async fn what_does_not_exist_is_not_started() {
        let argv = Argv { program: "/does/not/exist".into(), ..sh("") };
        assert!(matches!(run(&argv, &bounds(Duration::from_secs(1)), |_, _| {}).await, ChildEnd::NotStarted(_)));
    }

    proptest! {
        #[test]
        fn text_in_pieces_is_the_text(text in any::<String>(), size in 1usize..8) {
            let mut capped = CappedText::new(usize::MAX);
            let added: String = text.as_bytes().chunks(size).map(|piece| capped.push(piece).to_owned()).collect();
            prop_assert_eq!(&added, &text);
            prop_assert!(!capped.truncated());
        }

        #[test]
        fn a_cap_is_kept_and_marked(text in any::<String>(), cap in 0usize..40) {
            let mut capped = CappedText::new(cap);
            capped.push(text.as_bytes());
            prop_assert!(capped.text().len() <= cap);
            prop_assert_eq!(capped.truncated(), capped.text().len() < text.len());
        }
    }
}
