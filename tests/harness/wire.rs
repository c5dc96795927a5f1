//! The network between a console and its hypervisor, which can be cut, or go dead without a word, and a connection's loss
//! in all its ways. It must not know what goes over it.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use super::sshd::connections_of;

/// A TCP proxy in front of what an SSH configuration calls `pve`.
pub struct Wire {
    state: Arc<(Mutex<State>, Condvar)>,
    folder: TempDir,
}

#[derive(Default)]
struct State {
    frozen: bool,
    open: Vec<TcpStream>,
}

impl Wire {
    /// One in front of the `pve` of this file.
    pub fn before(ssh_config: &Path) -> Self {
        let text = fs::read_to_string(ssh_config).unwrap();
        let pve = text.split("Host pve\n").nth(1).expect("a host `pve`");
        let port = pve.lines().find_map(|line| line.trim().strip_prefix("Port ")).unwrap();
        let behind = format!("127.0.0.1:{port}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = listener.local_addr().unwrap().port();
        let folder = TempDir::new().unwrap();
        // The first value counts.
        fs::write(folder.path().join("ssh_config"), format!("Host pve\n  Port {ours}\n\n{text}")).unwrap();
        let state = Arc::<(Mutex<State>, Condvar)>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&behind).unwrap());
                shared.0.lock().unwrap().open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (from, to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || pass(from, to, &shared));
                }
            }
        });
        Self { state, folder }
    }

    /// The same file with this wire in it.
    pub fn ssh_config(&self) -> PathBuf {
        self.folder.path().join("ssh_config")
    }

    /// Ends all connections, for both sides; later ones are let through.
    pub fn cut(&self) {
        let mut state = self.state.0.lock().unwrap();
        state.frozen = false;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.state.1.notify_all();
    }

    /// Passes nothing on any more, and tells nobody, until it is cut.
    pub fn freeze(&self) {
        self.state.0.lock().unwrap().frozen = true;
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, shared: &(Mutex<State>, Condvar)) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let state = shared.0.lock().unwrap();
        drop(shared.1.wait_while(state, |state| state.frozen).unwrap());
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// A way in which a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The ssh client is killed.
    Client,
    /// The daemon's processes for this connection are killed.
    Session,
    /// The network is cut.
    Cut,
    /// The network goes dead, and nobody is told.
    Frozen,
}

impl Loss {
    /// Brings it about, for the connections over this wire to the daemon `sshd`.
    pub fn happen(self, wire: &Wire, sshd: Pid) {
        match self {
            Loss::Client => {
                for pid in clients(&wire.ssh_config()) {
                    let _ = kill(pid, Signal::SIGKILL);
                }
            }
            Loss::Session => connections_of(sshd).iter().for_each(super::sshd::Connection::cut),
            Loss::Cut => wire.cut(),
            Loss::Frozen => wire.freeze(),
        }
    }
}

/// The ssh clients that were called with this configuration.
fn clients(ssh_config: &Path) -> Vec<Pid> {
    let named = ssh_config.to_str().unwrap();
    processes()
        .filter(|(_, command)| command.starts_with("ssh\0") && command.contains(named))
        .map(|(pid, _)| pid)
        .collect()
}

/// Whether anything of the host's script runs that has this configuration, at whatever depth.
pub fn script_runs(conf: &Path) -> bool {
    let setting = format!("BREAKGLASS_PVE_CONF={}", conf.display());
    processes().any(|(pid, command)| {
        let environment = || fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        command.contains("breakglass-pve") && String::from_utf8_lossy(&environment()).contains(&setting)
    })
}

fn processes() -> impl Iterator<Item = (Pid, String)> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|folder| {
        let pid = folder.file_name().to_str()?.parse().ok()?;
        let command = fs::read(folder.path().join("cmdline")).ok()?;
        Some((Pid::from_raw(pid), String::from_utf8_lossy(&command).into_owned()))
    })
}
