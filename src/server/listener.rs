//! The socket: a reader that takes nothing for too long is cut off, so that it never costs memory; its cursor lets it go
//! on where it was.

use std::{io, net::SocketAddr, pin::Pin, time::Duration};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

/// After how many seconds of silence a peer is asked whether it is there, and how often then.
const KEEP_IDLE: u32 = 60;
const KEEP_INTERVAL: u32 = 15;

/// A TCP listener whose connections give up on a peer that takes nothing.
pub struct PatientListener {
    inner: TcpListener,
    patience: Duration,
}

impl PatientListener {
    /// Binds the address. An address in use is said so, with what to do.
    pub async fn bind(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let inner = TcpListener::bind(address).await.map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::AddrInUse => ": another program listens there; end it or choose another with --listen",
                io::ErrorKind::PermissionDenied => ": ports below 1024 need rights; choose another with --listen",
                io::ErrorKind::AddrNotAvailable => ": this machine has no such address; choose another with --listen",
                _ => "",
            };
            io::Error::new(error.kind(), format!("cannot listen on {address}: {error}{advice}"))
        })?;
        Ok(PatientListener { inner, patience })
    }
}

impl Listener for PatientListener {
    type Io = Pin<Box<TimeoutStream<TcpStream>>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        // axum's own accept loop waits and tries again when the process has no file descriptors left.
        let (stream, peer) = Listener::accept(&mut self.inner).await;
        // Frames are small and somebody waits for each of them.
        let _ = stream.set_nodelay(true);
        // A peer that has vanished takes heartbeats for as long as the kernel's buffer has room; the kernel knows sooner.
        let patience = u32::try_from(self.patience.as_millis()).unwrap_or(u32::MAX);
        let _ = setsockopt(&stream, sockopt::TcpUserTimeout, &patience);
        // And of one that vanished while nothing was sent, nobody would ever know.
        let _ = setsockopt(&stream, sockopt::KeepAlive, &true);
        let _ = setsockopt(&stream, sockopt::TcpKeepIdle, &KEEP_IDLE);
        let _ = setsockopt(&stream, sockopt::TcpKeepInterval, &KEEP_INTERVAL);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.patience));
        (Box::pin(stream), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// Who is at the other end, for the gate.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, PatientListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, PatientListener>) -> Self {
        Peer(*stream.remote_addr())
    }
}
