//! What a machine needs beyond Rust, gcc, git and Node: installed when missing, and only then, with one line that says
//! so. Where that is not possible the error names the commands to type.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{child, workspace::Workspace};

/// The compiler's library for the client.
pub(crate) fn wasm_target(target: &str) -> Result<()> {
    let output = Command::new("rustc").args(["--print=target-libdir", "--target", target]).output();
    let folder = output.context("cannot start rustc")?.stdout;
    if Path::new(String::from_utf8_lossy(&folder).trim()).exists() {
        return Ok(());
    }
    eprintln!("xtask: adding the Rust target {target}");
    child::succeed(Command::new("rustup").args(["target", "add", target]))
        .with_context(|| format!("the Rust target {target} is missing; without rustup, install it as you did Rust"))
}

/// The real parts that the tests use: an SSH server, three browsers, a checker of shell scripts, and the lab's.
pub(crate) fn test_programs() -> Result<()> {
    let firefox = env::var_os("FIREFOX").is_some() || program("firefox-esr").or_else(|| program("firefox")).is_some();
    let own = [
        ("chromium", browser()),
        ("firefox-esr", firefox),
        ("webkit2gtk-driver", program("WebKitWebDriver").is_some()),
        // WebKit draws into a display, and a machine for tests has none.
        ("xvfb", program("Xvfb").is_some()),
        ("shellcheck", program("shellcheck").is_some()),
    ];
    debian_packages("the tests need", &[&own[..], &of_the_lab()].concat())
}

/// What the lab is made of: a machine, its disks, its Debian, and an SSH server for its hypervisor.
pub(crate) fn lab_programs() -> Result<()> {
    debian_packages("the lab needs", &of_the_lab())
}

fn of_the_lab() -> [(&'static str, bool); 5] {
    let programs = [
        ("openssh-server", "sshd"),
        ("qemu-system-x86", "qemu-system-x86_64"),
        ("qemu-utils", "qemu-img"),
        ("debootstrap", "debootstrap"),
        ("e2fsprogs", "mke2fs"),
    ];
    programs.map(|(package, name)| (package, program(name).is_some()))
}

/// Installs those of the packages that are not there.
fn debian_packages(who_needs: &str, needed: &[(&str, bool)]) -> Result<()> {
    let missing: Vec<&str> = needed.iter().filter(|(_, present)| !present).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let mut advice = format!("{who_needs} {list}: install what your system calls these Debian packages");
    if missing.contains(&"chromium") {
        advice.push_str(
            " (for a browser, `npx playwright install chromium` in end2end or CHROMIUM=/path/to/it does as well)",
        );
    }
    let (true, Some(mut apt)) = (program("apt-get").is_some(), as_root()) else { bail!("{advice}") };
    eprintln!("xtask: installing {list} by apt-get");
    if missing.contains(&"openssh-server") {
        eprintln!(
            "xtask: (where systemd runs, Debian starts that SSH server; the tests have a private one, so disable it if unwanted)"
        );
    }
    apt.args(["DEBIAN_FRONTEND=noninteractive", "sh", "-c"])
        .arg("apt-get update -qq; exec apt-get install -qq -y --no-install-recommends \"$@\"")
        .arg("apt-get")
        .args(&missing)
        // What it unpacks interests nobody; what goes wrong comes on stderr.
        .stdout(Stdio::null());
    child::succeed(&mut apt).context(advice)
}

/// The test runner for Rust. It is built from source in minutes, so that is left to the person.
pub(crate) fn nextest(workspace: &Workspace) -> Result<()> {
    if !child::succeeds(workspace.cargo().args(["nextest", "--version"])) {
        bail!("cargo-nextest is missing: `cargo install --locked cargo-nextest`");
    }
    Ok(())
}

/// The tests' packages, exactly those of the lock file: Playwright for the browser tests, and the Claude Code CLI, which
/// the Rust tests need as well. Playwright is told not to fetch a browser: that download is often impossible, and the
/// system's one will do.
pub(crate) fn node_modules(workspace: &Workspace) -> Result<()> {
    let changed = |path: &str| fs::metadata(workspace.end2end().join(path)).and_then(|file| file.modified());
    // npm writes this file when it has finished, so a broken-off installation counts as none.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_ok_and(|installed| changed("package-lock.json").is_ok_and(|wanted| wanted <= installed)) {
        return claude(workspace);
    }
    eprintln!("xtask: installing the tests' packages by npm");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(workspace.end2end())
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .stdout(Stdio::null());
    child::succeed(&mut npm).context("the tests need Node 20 with npm, and its registry")?;
    claude(workspace)
}

/// Makes sure of the CLI that the packages brought, unless the tests are to use another one. A script of its package puts
/// the program into its place, and many an npm is told to run no scripts.
fn claude(workspace: &Workspace) -> Result<()> {
    let starts =
        || child::succeeds(Command::new(workspace.end2end().join("node_modules/.bin/claude")).arg("--version"));
    if env::var_os("BREAKGLASS_CLAUDE_BIN").is_some() || starts() {
        return Ok(());
    }
    eprintln!("xtask: putting the Claude Code CLI into its place");
    let script = "node_modules/@anthropic-ai/claude-code/install.cjs";
    child::succeed(Command::new("node").arg(script).current_dir(workspace.end2end()).stdout(Stdio::null()))?;
    if !starts() {
        bail!(
            "the Claude Code CLI does not start: allow npm its optional packages, or name one by BREAKGLASS_CLAUDE_BIN"
        );
    }
    Ok(())
}

/// The beginning of a command line that is run as root, up to and including `env`; `None` where nobody lets us.
pub(crate) fn as_root() -> Option<Command> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if root {
        return Some(Command::new("env"));
    }
    // `-n`: a sudo that wants a password must not wait for one.
    child::succeeds(Command::new("sudo").args(["-n", "true"])).then(|| {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "env"]);
        sudo
    })
}

/// Whether the browser tests find a Chromium in one of the places where end2end/playwright.config.ts looks.
fn browser() -> bool {
    let own = env::var_os("PLAYWRIGHT_BROWSERS_PATH").map(PathBuf::from);
    let own = own.or_else(|| env::home_dir().map(|home| home.join(".cache/ms-playwright")));
    let own_has_one = own.and_then(|folder| fs::read_dir(folder).ok()).is_some_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("chromium")))
    });
    env::var_os("CHROMIUM").is_some() || Path::new("/usr/bin/chromium").exists() || own_has_one
}

/// Where `name` is in the PATH, or in the folders for administrators, which are often not in a person's PATH.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}
