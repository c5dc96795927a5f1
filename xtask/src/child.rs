//! Starting a child and waiting for it. Children get no stdin: a step that asks a question would hang a machine that
//! has nobody in front of it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result, anyhow, bail};

/// Runs `command` with its output on our terminal; an exit code other than 0 is an error that names the command.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", line(command));
    }
    Ok(())
}

/// Whether `command` starts and exits with 0; its output is shown to nobody.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// Runs `command` with its output on our terminal as it comes, and also gives it back, line by line and without
/// colours, in the order of arrival within each stream (stdout's lines first). The bool is whether it exited with 0.
pub(crate) fn overhear(command: &mut Command) -> Result<(bool, Vec<String>)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", line(command)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Both pipes are drained at the same time: a child that fills one while we wait on the other would never end.
    let mut heard = thread::scope(|scope| {
        let out = scope.spawn(|| pass_on(stdout, std::io::stdout()));
        let err = scope.spawn(|| pass_on(stderr, std::io::stderr()));
        let mut lines = out.join().map_err(|_| anyhow!("the reader of stdout panicked"))??;
        lines.extend(err.join().map_err(|_| anyhow!("the reader of stderr panicked"))??);
        anyhow::Ok(lines)
    })?;
    heard.iter_mut().for_each(|line| *line = without_colours(line));
    Ok((child.wait()?.success(), heard))
}

fn pass_on(from: Option<impl Read>, mut to: impl Write) -> Result<Vec<String>> {
    let Some(from) = from else { return Ok(Vec::new()) };
    let mut from = BufReader::new(from);
    let mut lines = Vec::new();
    let mut bytes = Vec::new();
    while from.read_until(b'\n', &mut bytes)? > 0 {
        to.write_all(&bytes)?;
        to.flush()?;
        lines.push(String::from_utf8_lossy(&bytes).trim_end().to_owned());
        bytes.clear();
    }
    Ok(lines)
}

/// Without terminal sequences (ESC, `[`, parameters, one final byte from `@` to `~`): all that test runners use.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            chars.by_ref().skip(1).find(|char| ('@'..='~').contains(char));
        } else {
            plain.push(char);
        }
    }
    plain
}

/// The command as one types it, for messages: the program by its name alone.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{overhear, without_colours};
    use std::process::Command;

    #[test]
    fn colours_are_taken_out_and_nothing_else() {
        assert_eq!(without_colours("\u{1b}[32;1m     Summary\u{1b}[0m [ 0.1s] ✓"), "     Summary [ 0.1s] ✓");
    }

    #[test]
    fn a_child_that_fills_both_pipes_is_heard_to_its_end() {
        let script = "i=0; while [ $i -lt 3000 ]; do echo 'one line of standard output, passed on and kept'; \
                      echo 'one line of standard error, passed on and kept as well' >&2; i=$((i+1)); done; exit 3";
        let (success, lines) = overhear(Command::new("sh").args(["-c", script])).unwrap();
        assert!(!success);
        assert_eq!(lines.len(), 6000);
    }
}
