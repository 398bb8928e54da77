//! A palisade that runs while the test goes on: its lines can be awaited, and it can be sent signals.

use std::io::{BufReader, Read as _};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use crate::support::Run;

/// A running child.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// What was read so far.
    heard: (String, String),
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout, stderr, heard: Default::default() }
    }

    /// Reads standard output up to a line that holds these words.
    #[track_caller]
    pub(crate) fn says(&mut self, words: &str) -> String {
        until(&mut self.stdout, &mut self.heard.0, words)
    }

    /// Reads standard error up to a line that holds these words.
    #[track_caller]
    pub(crate) fn complains(&mut self, words: &str) -> String {
        until(&mut self.stderr, &mut self.heard.1, words)
    }

    /// Sends a signal, by its short name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does; it must still have been running.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "it had ended before");
    }

    /// Waits for the end. What it says is little enough to fit into the pipes.
    pub(crate) fn end(mut self) -> Run {
        let (mut stdout, mut stderr) = std::mem::take(&mut self.heard);
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        Run { status: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed half-way leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn until(from: &mut impl std::io::BufRead, heard: &mut String, words: &str) -> String {
    loop {
        let mut line = String::new();
        let length = from.read_line(&mut line).unwrap();
        assert!(length > 0, "`{words}` never came:\n{heard}");
        heard.push_str(&line);
        if line.contains(words) {
            return line;
        }
    }
}
