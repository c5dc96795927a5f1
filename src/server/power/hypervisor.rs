//! How a verb reaches the host's script: as the one word of an SSH command, or by running the same script here with a
//! practice `qm`.

use std::path::{Path, PathBuf};

use domain::{
    call::OutputStream,
    host::{CaptureId, Command, Fate, Part},
    ids::RunId,
    verb::{EXIT_FAILED, HostEnd, Verb},
};

use crate::server::{
    child::{self, Argv, Bounds, CappedText, ChildEnd},
    ssh::{self, Ssh, quoted},
    store::create_private,
};

/// What carries verbs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hypervisor {
    /// Nothing is configured.
    Unconfigured,
    /// A Proxmox host with the script as the forced command of our key.
    Ssh(PveSsh),
    /// The same script in this folder, with a practice `qm`, as the user who runs the console.
    Practice(PathBuf),
}

/// SSH to the hypervisor. A type of its own, so that it cannot be taken for the way to the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PveSsh(pub Ssh);

/// What came of an attempt.
#[derive(Debug)]
pub struct Report {
    pub end: HostEnd,
    /// What the operator should know, where the host's own words do not say it.
    pub detail: Option<String>,
    /// The fingerprint of a host key that is not the pinned one, for which nothing was sent.
    pub other_key: Option<String>,
}

/// The host's script and the practice `qm`, so that the program needs no file beside it to practise.
const SCRIPT: &str = include_str!("../../../deploy/pve/breakglass-pve");
const PRACTICE_QM: &str = include_str!("../../../deploy/practice/qm");

impl Hypervisor {
    /// Makes ready what practice needs: the script, its configuration and the practice `qm`.
    pub fn prepare(&self) -> std::io::Result<()> {
        let Hypervisor::Practice(folder) = self else {
            return Ok(());
        };
        create_private(folder)?;
        install(&folder.join("breakglass-pve"), SCRIPT)?;
        install(&folder.join("qm"), PRACTICE_QM)?;
        let shell = |path: PathBuf| quoted(&path.to_string_lossy());
        let conf = format!(
            "# Practice mode. Written anew at every start.\nVMID=102\nQM={}\nCAPTURES={}\nPRACTICE_STATE={}\nexport PRACTICE_STATE\n",
            shell(folder.join("qm")),
            shell(folder.join("captures")),
            shell(folder.join("state")),
        );
        let path = folder.join("breakglass-pve.conf");
        // On a full disk, what is there already must do.
        if std::fs::read_to_string(&path).is_ok_and(|there| there == conf) {
            Ok(())
        } else {
            std::fs::write(path, conf)
        }
    }

    fn argv(&self, command: &Command) -> Option<Argv> {
        let command = command.to_string();
        match self {
            Hypervisor::Unconfigured => None,
            Hypervisor::Ssh(PveSsh(ssh)) => Some(ssh.argv(&command, false)),
            Hypervisor::Practice(folder) => Some(Argv {
                program: folder.join("breakglass-pve").into(),
                args: Vec::new(),
                env: vec![
                    ("SSH_ORIGINAL_COMMAND".into(), command.into()),
                    ("BREAKGLASS_PVE_CONF".into(), folder.join("breakglass-pve.conf").into()),
                ],
                held_stdin: false,
            }),
        }
    }

    /// True when verbs can be tried.
    pub fn is_configured(&self) -> bool {
        *self != Hypervisor::Unconfigured
    }

    /// Runs a verb to its end or to the limit of `bounds`. A mutation goes on at the host when the limit ends the wait.
    /// Under an id the host runs it once and keeps what becomes of it: see [`Hypervisor::fate`].
    pub async fn run(
        &self,
        verb: Verb,
        id: Option<RunId>,
        bounds: &Bounds,
        output: impl FnMut(OutputStream, &[u8]) + Send,
    ) -> Report {
        let said = self.ask(&Command::Verb(verb, id), bounds, output).await;
        let end = match &said.end {
            Said::Exited(code) => HostEnd::Exited(*code),
            Said::NotSent(_) => HostEnd::NotSent,
            Said::Lost | Said::TimedOut | Said::Stopped => HostEnd::Lost,
        };
        let detail = match said.end {
            Said::Exited(_) => None,
            Said::NotSent(why) => Some(why),
            Said::Lost => Some(lost(verb, "the connection to the hypervisor was lost before it answered")),
            Said::TimedOut => Some(lost(
                verb,
                &format!("no answer within {} s (BREAKGLASS_PVE_VERB_TIMEOUT_SECONDS)", bounds.limit.as_secs()),
            )),
            Said::Stopped => Some(lost(verb, "the wait was ended")),
        };
        Report { end, detail, other_key: said.other_key }
    }

    /// What became of a run; with `call_off` one that is on its way is kept from beginning. Nothing while the host cannot
    /// be asked.
    pub async fn fate(&self, id: &RunId, call_off: bool, output_bytes: usize, bounds: &Bounds) -> Option<Fate> {
        match self.ask_for(id, Command::Run(id.clone()), output_bytes, bounds).await? {
            Fate::NotKept if call_off => self.ask_for(id, Command::Void(id.clone()), output_bytes, bounds).await,
            fate => Some(fate),
        }
    }

    async fn ask_for(&self, id: &RunId, command: Command, output_bytes: usize, bounds: &Bounds) -> Option<Fate> {
        let mut answer = CappedText::new(output_bytes.saturating_add(4096));
        let heard = |stream, bytes: &[u8]| {
            if stream == OutputStream::Stdout {
                answer.push(bytes);
            }
        };
        let said = self.ask(&command, bounds, heard).await;
        matches!(said.end, Said::Exited(_)).then(|| Fate::of(id, answer.text())).flatten()
    }

    /// A capture as a tar archive, or a part of it, at most `most` bytes.
    pub async fn capture(
        &self,
        id: CaptureId,
        part: Option<Part>,
        most: usize,
        bounds: &Bounds,
    ) -> Result<Vec<u8>, NoCapture> {
        let (mut bytes, mut words, mut too_long) = (Vec::new(), CappedText::new(1024), false);
        let heard = |stream, piece: &[u8]| match stream {
            OutputStream::Stdout if bytes.len() + piece.len() <= most => bytes.extend_from_slice(piece),
            OutputStream::Stdout => too_long = true,
            OutputStream::Stderr => {
                words.push(piece);
            }
        };
        let said = self.ask(&Command::Capture(id, part), bounds, heard).await;
        match said.end {
            Said::Exited(0) if too_long => Err(NoCapture::TooLong(most)),
            Said::Exited(0) => Ok(bytes),
            Said::Exited(EXIT_FAILED) => Err(NoCapture::Unknown(words.text().trim().to_owned())),
            Said::Exited(_) => Err(NoCapture::Unanswered(words.text().trim().to_owned())),
            Said::NotSent(why) => Err(NoCapture::Unanswered(why)),
            Said::Lost | Said::Stopped => Err(NoCapture::Unanswered("the connection was lost".into())),
            Said::TimedOut => Err(NoCapture::Unanswered(format!("no answer within {} s", bounds.limit.as_secs()))),
        }
    }

    async fn ask(
        &self,
        command: &Command,
        bounds: &Bounds,
        mut output: impl FnMut(OutputStream, &[u8]) + Send,
    ) -> Answered {
        let Some(argv) = self.argv(command) else {
            return Answered { end: Said::NotSent("no hypervisor is configured".into()), other_key: None };
        };
        // What decides whether anything was sent; bounded, for the script may say much more.
        let (mut stdout, mut stderr) = (CappedText::new(1), CappedText::new(4096));
        let end = child::run(&argv, bounds, |stream, bytes| {
            match stream {
                OutputStream::Stdout => stdout.push(bytes),
                OutputStream::Stderr => stderr.push(bytes),
            };
            output(stream, bytes);
        })
        .await;
        let mut other_key = None;
        let end = match end {
            // What a shell says that finds no program; the script ends so only after it has said something.
            ChildEnd::Exited(126 | 127) if stdout.text().is_empty() => {
                let why = stderr.text().trim();
                Said::NotSent(format!(
                    "the hypervisor has no breakglass-pve to run, nothing was done: run install.sh there ({why})"
                ))
            }
            ChildEnd::Exited(code @ 0..=127) => Said::Exited(code),
            ChildEnd::Exited(code) => match ssh::never_sent(code, stdout.text(), stderr.text()) {
                Some(why) => {
                    other_key = ssh::other_host_key(stderr.text());
                    Said::NotSent(format!("the hypervisor could not be reached, nothing was sent: {why}"))
                }
                None => Said::Lost,
            },
            ChildEnd::TimedOut => Said::TimedOut,
            ChildEnd::Stopped => Said::Stopped,
            ChildEnd::NotStarted(error) => {
                Said::NotSent(format!("{} could not be started, nothing was sent: {error}", argv.program.display()))
            }
        };
        Answered { end, other_key }
    }
}

struct Answered {
    end: Said,
    other_key: Option<String>,
}

/// How a question to the host ended.
enum Said {
    Exited(i32),
    /// With why.
    NotSent(String),
    Lost,
    TimedOut,
    Stopped,
}

/// Why a capture cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NoCapture {
    #[error("{0}")]
    Unknown(String),
    #[error("the capture could not be fetched from the hypervisor: {0}. try again")]
    Unanswered(String),
    #[error("it is longer than {0} bytes: fetch its parts one by one, or copy it from the hypervisor")]
    TooLong(usize),
}

fn lost(verb: Verb, what: &str) -> String {
    if verb.mutates() {
        format!("{what}; the host carries a {verb} through by itself: check with status")
    } else {
        format!("{what}; {verb} changes nothing, so it can be repeated")
    }
}

fn install(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    // A new file in place of the old one: a script that a shell is reading must not change under it.
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o700))?;
    std::fs::rename(&new, path)
}
