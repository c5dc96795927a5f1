//! Drives the Claude Code CLI: reads what it says on its standard output, line by line, and says what it takes on its
//! standard input. It knows nothing of sessions, of HTTP or of the domain's events: what the CLI says is told here in
//! the CLI's own terms, and whoever uses it translates.

pub mod argv;
pub mod control;
pub mod draft;
pub mod keeper;
pub mod lines;
pub mod process;
pub mod said;
pub mod settle;
