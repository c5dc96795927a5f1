//! How commands reach the target: over SSH, or on this machine in practice mode. It knows nothing of the hypervisor.

use std::time::Duration;

use domain::runbook::StepOutcome;

use super::{
    child::{self, Argv, Bounds, CappedText, ChildEnd},
    ssh::{self, Met, Ssh, quoted},
};

/// What is being rescued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing is configured.
    Unconfigured,
    /// A machine that SSH reaches.
    Ssh(Ssh),
    /// This machine, in practice mode.
    ThisMachine,
}

/// What came of one command.
#[derive(Debug)]
pub struct CommandEnd {
    pub how: How,
    pub output: String,
    pub truncated: bool,
}

impl CommandEnd {
    /// The same as the runbook's rules take it. `limit` is the command's own.
    pub fn outcome(self, limit: Duration) -> StepOutcome {
        match self.how {
            How::Exited(code) => StepOutcome::Exited { code, output: self.output, truncated: self.truncated },
            How::TimedOut => StepOutcome::TimedOut { seconds: limit.as_secs().try_into().unwrap_or(u32::MAX) },
            How::Unreachable(why) | How::Lost(why) => StepOutcome::Unreachable { why },
            How::Refused(why) => StepOutcome::Refused { why },
            How::Stopped => StepOutcome::Unreachable { why: "stopped".into() },
        }
    }
}

/// What came of a look.
#[derive(Debug)]
pub struct Look {
    pub how: How,
    /// Standard output alone.
    pub output: String,
    pub met: Met,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub enum How {
    Exited(i32),
    TimedOut,
    Stopped,
    /// The target could not be reached; nothing was run there.
    Unreachable(String),
    /// Somebody answered and would not, or nothing is configured; nothing was run there.
    Refused(String),
    /// The connection was lost while it ran.
    Lost(String),
}

/// What `timeout` exits with when it had to end a command.
const TIMED_OUT: i32 = 124;
/// The same when it had to kill it.
const KILLED: i32 = 128 + 9;
/// What an unanswering connection may cost beside the command's own limit.
const CONNECT: Duration = Duration::from_secs(15);
/// The same at a look, which gives up sooner.
const GLANCE_CONNECT: Duration = Duration::from_secs(6);

impl Target {
    /// True when commands can be tried.
    pub fn is_configured(&self) -> bool {
        *self != Target::Unconfigured
    }

    /// Runs a line of shell there, within `limit`.
    pub async fn run(&self, command: &str, limit: Duration, output_bytes: usize, bounds: &Bounds) -> CommandEnd {
        let wrapped = wrapped(command, limit);
        let argv = match self {
            Target::Unconfigured => {
                let why = "no target is configured: set BREAKGLASS_DEVVM_HOST or BREAKGLASS_SSH_CONFIG".to_owned();
                return CommandEnd { how: How::Refused(why), output: String::new(), truncated: false };
            }
            Target::Ssh(ssh) => ssh.argv(&wrapped, true),
            Target::ThisMachine => Argv {
                program: "sh".into(),
                args: vec!["-c".into(), wrapped.into()],
                env: Vec::new(),
                held_stdin: true,
            },
        };
        let bounds = Bounds { limit: limit + CONNECT, ..bounds.clone() };
        let (mut text, mut stdout, mut stderr) =
            (CappedText::new(output_bytes), CappedText::new(1), CappedText::new(4096));
        let begun = tokio::time::Instant::now();
        let end = child::run(&argv, &bounds, |stream, bytes| {
            text.push(bytes);
            match stream {
                domain::call::OutputStream::Stdout => stdout.push(bytes),
                domain::call::OutputStream::Stderr => stderr.push(bytes),
            };
        })
        .await;
        let how = self.how(end, begun.elapsed() >= limit, stdout.text(), stderr.text());
        CommandEnd { how, output: text.text().to_owned(), truncated: text.truncated() }
    }

    /// Runs a line of shell there that is short and changes nothing, within `limit`, and says whom ssh met on the way.
    pub async fn glance(&self, command: &str, limit: Duration, bounds: &Bounds) -> Look {
        // It is not watched over as other commands are: what is short ends by its own limit, should the link be lost.
        let limited = format!("timeout -k 1 {} sh -c {}", limit.as_secs(), quoted(command));
        let argv = match self {
            Target::Unconfigured => {
                let how = How::Refused("no target is configured".into());
                return Look { how, output: String::new(), met: Met::default() };
            }
            Target::Ssh(ssh) => ssh.that_tells().argv(&format!("exec {limited}"), false),
            Target::ThisMachine => Argv {
                program: "sh".into(),
                args: vec!["-c".into(), limited.into()],
                env: Vec::new(),
                held_stdin: false,
            },
        };
        let bounds = Bounds { limit: limit + GLANCE_CONNECT, ..bounds.clone() };
        let (mut stdout, mut stderr) = (CappedText::new(64 << 10), CappedText::new(64 << 10));
        let begun = tokio::time::Instant::now();
        let end = child::run(&argv, &bounds, |stream, bytes| {
            match stream {
                domain::call::OutputStream::Stdout => stdout.push(bytes),
                domain::call::OutputStream::Stderr => stderr.push(bytes),
            };
        })
        .await;
        let (met, said) = Met::of(stderr.text());
        let how = self.how(end, begun.elapsed() >= limit, stdout.text(), &said);
        Look { how, output: stdout.text().to_owned(), met }
    }

    /// How a command ended whose `ssh`, or shell, ended so. `late` says that its limit was over.
    fn how(&self, end: ChildEnd, late: bool, stdout: &str, stderr: &str) -> How {
        let over_ssh = matches!(self, Target::Ssh(_));
        match end {
            ChildEnd::Exited(ssh::SSH_FAILED) if over_ssh => match ssh::never_sent(ssh::SSH_FAILED, stdout, stderr) {
                Some(why) if ssh::was_answered(&why) => How::Refused(why),
                Some(why) => How::Unreachable(why),
                None => How::Lost(ssh::last_line(stderr)),
            },
            ChildEnd::Exited(TIMED_OUT | KILLED) if late => How::TimedOut,
            ChildEnd::Exited(code) => How::Exited(code),
            // The limit on the target was over long before this one: the connection hangs.
            ChildEnd::TimedOut if over_ssh => How::Lost("ssh stopped answering".into()),
            ChildEnd::TimedOut => How::TimedOut,
            ChildEnd::Stopped => How::Stopped,
            ChildEnd::NotStarted(error) => {
                let program = if over_ssh { "ssh" } else { "sh" };
                How::Unreachable(format!("cannot start {program:?}: {error}"))
            }
        }
    }
}

/// The command as the target's login shell gets it: under `timeout`, in a process group of its own, and with a watch on
/// standard input, whose end says that nobody waits any more (Stop, a lost link, the console's death). Without the
/// watch, what runs there would run on until its limit; where all of it is told to end before the watch came to act, the
/// trap does what the watch would have done.
fn wrapped(command: &str, limit: Duration) -> String {
    let script = format!(
        "run=
trap 'kill $run 2>/dev/null; exit 143' TERM HUP
exec 3<&0
timeout -k 2 {} sh -c {} </dev/null 3<&- &
run=$!
{{ cat <&3; kill $run; }} >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait $run
code=$?
kill $watch 2>/dev/null
exit $code",
        limit.as_secs(),
        quoted(command)
    );
    format!("exec sh -c {}", quoted(&script))
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn bounds() -> Bounds {
        let env = vec![("PATH".into(), "/usr/bin:/bin".into())];
        Bounds { env, limit: Duration::from_secs(60), stop: CancellationToken::new() }
    }

    async fn here(command: &str, limit: u64) -> CommandEnd {
        Target::ThisMachine.run(command, Duration::from_secs(limit), 1 << 16, &bounds()).await
    }

    #[tokio::test]
    async fn a_command_gives_its_output_and_its_exit_code() {
        let end = here("echo \"it's\"; echo two >&2; exit 7", 10).await;
        assert_eq!(end.how, How::Exited(7));
        assert!(end.output.contains("it's\n") && end.output.contains("two\n"), "{:?}", end.output);
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_ended() {
        let end = here("echo begun; sleep 600", 1).await;
        assert_eq!(end.how, How::TimedOut);
        assert_eq!(end.output, "begun\n");
    }

    #[tokio::test]
    async fn stopping_ends_what_the_command_started_too() {
        let bounds = bounds();
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let command = format!("sleep 600 & echo $! > {}; wait", pid.display());
        let stop = bounds.stop.clone();
        let watch = async {
            let read = || std::fs::read_to_string(&pid).ok().filter(|text| text.ends_with('\n'));
            loop {
                if let Some(text) = read() {
                    stop.cancel();
                    break nix::unistd::Pid::from_raw(text.trim().parse().unwrap());
                }
                tokio::task::yield_now().await;
            }
        };
        let target = Target::ThisMachine;
        let (end, pid) = tokio::join!(target.run(&command, Duration::from_secs(60), 100, &bounds), watch);
        assert_eq!(end.how, How::Stopped);
        let gone = async {
            while nix::sys::signal::kill(pid, None).is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the command's own child is gone too");
    }

    #[tokio::test]
    async fn nothing_configured_says_what_to_configure() {
        let end = Target::Unconfigured.run("true", Duration::from_secs(1), 10, &bounds()).await;
        assert!(matches!(end.how, How::Refused(why) if why.contains("BREAKGLASS_DEVVM_HOST")));
    }
}
