//! A process that is told what to do, one line in, one line out.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A child of this process; killed when dropped, if it has not ended.
pub(crate) struct Remote {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, what)
}

impl Remote {
    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = process.stdin.take().ok_or_else(|| broken("no pipe"))?;
        let answers = process.stdout.take().ok_or_else(|| broken("no pipe"))?;
        let mut remote = Self { process, orders, answers: BufReader::new(answers) };
        match remote.hear()?.as_str() {
            "ready" => Ok(remote),
            _ => Err(broken("it could not be set up")),
        }
    }

    pub(crate) fn tell(&mut self, order: &str) -> io::Result<()> {
        writeln!(self.orders, "{order}")
    }

    pub(crate) fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    pub(crate) fn ask(&mut self, order: &str) -> io::Result<String> {
        self.tell(order)?;
        self.hear()
    }

    /// An answer that is nothing but numbers.
    pub(crate) fn numbers(&mut self, order: &str) -> io::Result<Vec<f64>> {
        self.tell(order)?;
        self.hear_numbers(order)
    }

    pub(crate) fn hear_numbers(&mut self, order: &str) -> io::Result<Vec<f64>> {
        let answer = self.hear()?;
        let numbers: Result<Vec<f64>, _> = answer.split_whitespace().map(str::parse).collect();
        match numbers {
            Ok(numbers) if !numbers.is_empty() => Ok(numbers),
            _ => Err(broken(&format!("'{order}' was answered '{answer}'"))),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // It ends by itself when its orders end; this is for the one that does not.
        let _ = self.orders.flush();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
