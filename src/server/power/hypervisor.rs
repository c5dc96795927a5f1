//! How a verb reaches the host's script: as the one word of an SSH command, or by running the same script here with a
//! practice `qm`.

use std::path::{Path, PathBuf};

use domain::{
    call::OutputStream,
    verb::{HostEnd, Verb},
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

    fn argv(&self, verb: Verb) -> Option<Argv> {
        match self {
            Hypervisor::Unconfigured => None,
            Hypervisor::Ssh(PveSsh(ssh)) => Some(ssh.argv(verb.as_str(), false)),
            Hypervisor::Practice(folder) => Some(Argv {
                program: folder.join("breakglass-pve").into(),
                args: Vec::new(),
                env: vec![
                    ("SSH_ORIGINAL_COMMAND".into(), verb.as_str().into()),
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
    pub async fn run(&self, verb: Verb, bounds: &Bounds, mut output: impl FnMut(OutputStream, &[u8]) + Send) -> Report {
        let Some(argv) = self.argv(verb) else {
            return Report { end: HostEnd::NotSent, detail: Some("no hypervisor is configured".into()) };
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
        match end {
            ChildEnd::Exited(code @ 0..=127) => Report { end: HostEnd::Exited(code), detail: None },
            ChildEnd::Exited(code) => match ssh::never_sent(code, stdout.text(), stderr.text()) {
                Some(why) => Report {
                    end: HostEnd::NotSent,
                    detail: Some(format!("the hypervisor could not be reached, nothing was sent: {why}")),
                },
                None => Report {
                    end: HostEnd::Lost,
                    detail: Some(lost(verb, "the connection to the hypervisor was lost before it answered")),
                },
            },
            ChildEnd::TimedOut => Report {
                end: HostEnd::Lost,
                detail: Some(lost(
                    verb,
                    &format!("no answer within {} s (BREAKGLASS_PVE_VERB_TIMEOUT_SECONDS)", bounds.limit.as_secs()),
                )),
            },
            ChildEnd::Stopped => Report { end: HostEnd::Lost, detail: Some(lost(verb, "the wait was ended")) },
            ChildEnd::NotStarted(error) => Report {
                end: HostEnd::NotSent,
                detail: Some(format!("{} could not be started, nothing was sent: {error}", argv.program.display())),
            },
        }
    }
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
