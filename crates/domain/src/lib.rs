//! The pure part of breakglass, shared by the server and the browser: what can happen in a session, the rules by
//! which it may happen, how the record folds into a transcript, and the shapes of every call.
//!
//! **Architecture invariant:** nothing here performs I/O, reads a clock, draws a random number or awaits. Time and ids
//! are given by the caller, so every rule can be tested by giving it values.
//!
//! In reading order:
#![warn(missing_docs)]

pub mod ids;

pub mod event;

pub mod log;

pub mod attach;

pub mod turn;

pub mod permission;

pub mod retelling;

pub mod figure;

pub mod evidence;

pub mod report;

pub mod transcript;

pub mod verb;

pub mod host;

pub mod preset;

pub mod runbook;

pub mod probe;

pub mod sse;

pub mod call;

pub mod page;

pub mod read;

pub mod text;

#[cfg(test)]
mod testing;
