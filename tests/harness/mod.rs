//! What the integration tests share: the real parts that breakglass talks to, each private to one test.

// Every test file compiles all of this and uses some of it.
#![allow(dead_code, unreachable_pub)]
#![allow(
    clippy::disallowed_methods,
    reason = "it polls with a deadline, and its children are killed and reaped on drop"
)]

pub mod console;
pub mod cycle;
pub mod hostile;
pub mod hypervisor;
pub mod lab;
pub mod program;
pub mod provider;
pub mod sshd;
pub mod wire;
