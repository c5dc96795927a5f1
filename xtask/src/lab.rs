//! `cargo xtask lab`: a real VM to break and to rescue, behind a real sshd and the real host script, with a console on it.
//! This file builds the guest and puts the command line together; the lab itself is in `deploy/lab`, where the tests use
//! it too, and knows nothing of cargo.

use std::{
    env,
    fs::{self, File, TryLockError},
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{self, Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use crate::{child, server, server::Profile, setup, site, workspace::Workspace};

/// Starts a lab, or breaks or mends the VM of the one that runs.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<ExitCode> {
    let fault = workspace.root.join("deploy/lab/fault");
    if args == ["--list"] {
        child::succeed(Command::new(&fault).arg("--list"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if args == ["--build"] {
        image(workspace)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Asked { faults, cures, serve } = Asked::read(args)?;
    let here = workspace.lab().join("running");
    if let Some(folder) = running(workspace, &here)? {
        if faults.is_empty() && cures.is_empty() {
            bail!("a lab runs already: `cargo xtask lab --fault NAME` breaks its VM, Ctrl-C at the lab ends it");
        }
        for cure in cures {
            child::succeed(Command::new(&fault).arg(&folder).args(["--cure", cure]))?;
        }
        for name in faults {
            child::succeed(Command::new(&fault).arg(&folder).arg(name))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !cures.is_empty() {
        bail!("no lab runs, so there is nothing to mend");
    }
    site::build(workspace)?;
    let program = server::build(workspace, Profile::Debug)?;
    let image = image(workspace)?;
    eprintln!("xtask: the lab; to break its VM, in another terminal: cargo xtask lab --fault NAME");
    child::succeed(Command::new(&fault).arg("--list"))?;
    become_lab(workspace, &here, &image, &faults, &program, &serve)
}

/// What stands on the command line.
struct Asked<'a> {
    faults: Vec<&'a str>,
    cures: Vec<&'a str>,
    /// For `breakglass serve`.
    serve: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(args: &[&'a str]) -> Result<Self> {
        let mut asked = Asked { faults: Vec::new(), cures: Vec::new(), serve: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let list = match *arg {
                "--fault" => &mut asked.faults,
                "--cure" => &mut asked.cures,
                other => {
                    asked.serve.push(other);
                    continue;
                }
            };
            list.push(args.next().with_context(|| format!("{arg} needs a name; `cargo xtask lab --list` has them"))?);
        }
        Ok(asked)
    }
}

/// The folder of the lab that runs, to which the link leads. What one that was killed has left is cleared away.
fn running(workspace: &Workspace, here: &Path) -> Result<Option<PathBuf>> {
    let Ok(folder) = fs::read_link(here) else { return Ok(None) };
    if let Ok(alive) = File::open(folder.join("alive"))
        && let Err(TryLockError::WouldBlock) = alive.try_lock()
    {
        return Ok(Some(folder));
    }
    fs::remove_file(here)?;
    if folder.exists() {
        // Its VM lives on only if the lab itself was killed.
        child::succeeds(Command::new(workspace.root.join("deploy/lab/qm")).args(["stop", "102"]).env("LAB", &folder));
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(None)
}

/// The guest as its recipe makes it, built where there is none of this recipe.
pub(crate) fn image(workspace: &Workspace) -> Result<PathBuf> {
    setup::lab_programs()?;
    let recipe = workspace.root.join("deploy/lab/image");
    let image = workspace.lab().join("image");
    if fs::read(image.join("recipe")).is_ok_and(|made_by| fs::read(&recipe).is_ok_and(|recipe| recipe == made_by)) {
        return Ok(image);
    }
    let Some(mut build) = setup::as_root() else {
        bail!("the lab's guest is built by debootstrap, which must be root: run this as root once");
    };
    fs::create_dir_all(workspace.lab())?;
    // Its keys go with it, and what the console has pinned of them.
    for old in [&image, &workspace.lab().join("data")] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    eprintln!(
        "xtask: building the lab's guest, a Debian, into {}; this takes a minute or two",
        workspace.shown(&image)
    );
    if let Some(mirror) = env::var_os("LAB_MIRROR") {
        let mut setting = std::ffi::OsString::from("LAB_MIRROR=");
        setting.push(mirror);
        build.arg(setting);
    }
    child::succeed(build.arg(&recipe).arg(&image))?;
    if let (Some(mut chown), Some(user)) = (setup::as_root(), env::var_os("USER")) {
        // The keys in it are for whoever runs the lab.
        child::succeed(chown.args(["chown", "-R", "--"]).arg(user).arg(&image))?;
    }
    Ok(image)
}

/// Becomes the lab, in place: it outlives its console by a moment, ends all it started, and takes the terminal's signals.
fn become_lab(
    workspace: &Workspace,
    here: &Path,
    image: &Path,
    faults: &[&str],
    program: &Path,
    serve: &[&str],
) -> Result<ExitCode> {
    // Sockets lie in it, whose paths must be short.
    let folder = env::temp_dir().join(format!("breakglass-lab-{}", process::id()));
    symlink(&folder, here).context("cannot say where the lab runs")?;
    let mut lab = Command::new(workspace.root.join("deploy/lab/lab"));
    lab.arg(&folder).arg(image);
    for fault in faults {
        lab.args(["--fault", fault]);
    }
    lab.arg("--").arg(program).arg("serve").arg("--ssh-config").arg(folder.join("ssh_config"));
    let data = workspace.lab().join("data");
    let data = data.to_string_lossy();
    let defaults =
        [("--host-keys", "pin"), ("--backend", "runbook"), ("--listen", "127.0.0.1:0"), ("--data-dir", &data)];
    for (flag, value) in defaults {
        if !serve.iter().any(|arg| *arg == flag || arg.starts_with(&format!("{flag}="))) {
            lab.args([flag, value]);
        }
    }
    let error = lab.args(serve).env("LEPTOS_SITE_ROOT", workspace.site()).exec();
    Err(error).context("cannot start deploy/lab/lab")
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn faults_and_cures_are_the_labs_and_all_else_is_the_servers() {
        let asked = Asked::read(&["--fault", "oom", "--listen", "127.0.0.1:8080", "--fault", "dead-sshd"]).unwrap();
        assert_eq!((asked.faults, asked.cures.len()), (vec!["oom", "dead-sshd"], 0));
        assert_eq!(asked.serve, ["--listen", "127.0.0.1:8080"]);
        assert!(Asked::read(&["--cure"]).is_err());
    }
}
