//! A command that is run for its answer: in a session of its own, with nothing of the host's but
//! its user, and never for longer than it was given.
//!
//! posix_spawn(3) runs no fork hooks and copies no memory. There is no handler for SIGCHLD and no
//! thread: the child is looked after until it ends. A host that ignores SIGCHLD, or reaps every
//! child itself, takes the status; then the answer is all that is known.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

/// Where commands look for others; the host's own is not handed on.
const PATH: &[u8] = b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\0";
/// Descriptors of ours stay clear of the three that a command has.
const FIRST_FREE: i32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// How long a killed child may take to be gone.
const LAST_RESPECTS: Duration = Duration::from_secs(1);

/// What a command that ended has left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    /// Its standard output.
    pub(crate) output: Vec<u8>,
    /// Its exit code, 128 and the signal if one ended it; `None` if the host took it.
    pub(crate) code: Option<i32>,
}

/// Why a command gave no answer.
#[derive(Debug)]
pub(crate) enum ChildError {
    /// It could not be started.
    Start(io::Error),
    /// It took too long, and was killed.
    TimedOut,
    /// It said too much, and was killed.
    TooMuch,
}

impl From<io::Error> for ChildError {
    fn from(error: io::Error) -> Self {
        Self::Start(error)
    }
}

/// Runs a command: an absolute path and its arguments, never through a shell. `input` is its
/// standard input; its standard error goes nowhere, its working directory is `/`.
pub(crate) fn run(
    command: &[String],
    input: &[u8],
    most: usize,
    limit: Duration,
) -> Result<Ended, ChildError> {
    let deadline = Instant::now() + limit;
    let input = input_file(input)?;
    let (reader, writer) = pipe()?;
    let child = spawn(command, &input, &writer)?;
    drop((input, writer));
    Child { id: child, output: Vec::new(), reader, at_end: false }.attend(most, deadline)
}

/// A file in memory, read from its beginning: nothing to fill, and no SIGPIPE for the host.
fn input_file(input: &[u8]) -> io::Result<File> {
    // SAFETY: a C string that lives across the call.
    let made = unsafe { libc::memfd_create(c"claviger".as_ptr(), libc::MFD_CLOEXEC) };
    let mut file = out_of_the_way(owned(made)?)?;
    file.write_all(input)?;
    file.rewind()?;
    Ok(file)
}

/// A pipe whose reading end does not block.
fn pipe() -> io::Result<(File, File)> {
    let mut ends = [-1; 2];
    // SAFETY: room for two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let [reader, writer] = ends;
    let (reader, writer) = (owned(reader)?, owned(writer)?);
    // SAFETY: a descriptor that is open.
    if unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((out_of_the_way(reader)?, out_of_the_way(writer)?))
}

fn owned(descriptor: i32) -> io::Result<File> {
    match descriptor {
        ..0 => Err(io::Error::last_os_error()),
        // SAFETY: the kernel has just given it to us.
        _ => Ok(unsafe { File::from_raw_fd(descriptor) }),
    }
}

/// A host may have closed its standard descriptors: what is opened next takes their numbers.
fn out_of_the_way(file: File) -> io::Result<File> {
    if file.as_raw_fd() >= FIRST_FREE {
        return Ok(file);
    }
    // SAFETY: a descriptor that is open.
    owned(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_FREE) })
}

/// The settings of posix_spawn, given back on drop.
struct Settings {
    actions: libc::posix_spawn_file_actions_t,
    attributes: libc::posix_spawnattr_t,
}

impl Settings {
    fn new() -> io::Result<Self> {
        // SAFETY: all-zero values are valid to be initialised.
        let mut made = unsafe { std::mem::zeroed::<Self>() };
        // SAFETY: a live local.
        done(unsafe { libc::posix_spawn_file_actions_init(&raw mut made.actions) })?;
        // SAFETY: a live local.
        done(unsafe { libc::posix_spawnattr_init(&raw mut made.attributes) })?;
        Ok(made)
    }

    /// A session of its own, so that it and what it starts can be ended together and it cannot
    /// ask on the host's terminal; no signal blocked or ignored.
    fn set_session(&mut self) -> io::Result<()> {
        let session = libc::c_int::from(libc::POSIX_SPAWN_SETSID);
        let flags = session | libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        let flags = libc::c_short::try_from(flags).unwrap_or_default();
        let attributes = &raw mut self.attributes;
        // SAFETY: an all-zero set is a valid one to be overwritten.
        let (mut none, mut all): (libc::sigset_t, _) = unsafe { std::mem::zeroed() };
        // SAFETY: a live local.
        unsafe { libc::sigemptyset(&raw mut none) };
        // SAFETY: a live local.
        unsafe { libc::sigfillset(&raw mut all) };
        // SAFETY: both live, the attributes initialised.
        done(unsafe { libc::posix_spawnattr_setsigmask(attributes, &raw const none) })?;
        // SAFETY: as above.
        done(unsafe { libc::posix_spawnattr_setsigdefault(attributes, &raw const all) })?;
        // SAFETY: as above.
        done(unsafe { libc::posix_spawnattr_setflags(attributes, flags) })
    }

    /// Input and output as given, errors to nobody, and nothing else that the host has open.
    fn set_files(&mut self, input: &File, output: &File) -> io::Result<()> {
        let actions = &raw mut self.actions;
        let (input, output) = (input.as_raw_fd(), output.as_raw_fd());
        // SAFETY: initialised actions, here and below.
        done(unsafe { libc::posix_spawn_file_actions_adddup2(actions, input, 0) })?;
        // SAFETY: as above.
        done(unsafe { libc::posix_spawn_file_actions_adddup2(actions, output, 1) })?;
        let null = c"/dev/null".as_ptr();
        // SAFETY: as above; the path is copied.
        done(unsafe {
            libc::posix_spawn_file_actions_addopen(actions, 2, null, libc::O_WRONLY, 0)
        })?;
        // SAFETY: as above; the path is copied.
        done(unsafe { libc::posix_spawn_file_actions_addchdir_np(actions, c"/".as_ptr()) })?;
        self.close_others()
    }

    #[cfg(target_env = "gnu")]
    fn close_others(&mut self) -> io::Result<()> {
        let actions = &raw mut self.actions;
        // SAFETY: initialised actions.
        done(unsafe { libc::posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE) })
    }

    /// What is open now; another thread may open more, which is then marked to be closed if it
    /// is ours.
    #[cfg(not(target_env = "gnu"))]
    fn close_others(&mut self) -> io::Result<()> {
        let actions = &raw mut self.actions;
        for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
            let number = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
            if let Some(number) = number.filter(|number| *number >= FIRST_FREE) {
                // SAFETY: initialised actions.
                done(unsafe { libc::posix_spawn_file_actions_addclose(actions, number) })?;
            }
        }
        Ok(())
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, and not used afterwards.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.actions) };
        // SAFETY: as above.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.attributes) };
    }
}

fn done(error: i32) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

fn spawn(command: &[String], input: &File, output: &File) -> io::Result<i32> {
    let nothing = || io::Error::from(io::ErrorKind::InvalidInput);
    let words = command.iter().map(|word| CString::new(word.as_str()));
    let words = words.collect::<Result<Vec<CString>, _>>().map_err(|_| nothing())?;
    let program = words.first().filter(|program| program.as_bytes().starts_with(b"/"));
    let program = program.ok_or_else(nothing)?.as_ptr();
    let mut arguments: Vec<*mut libc::c_char> =
        words.iter().map(|word| word.as_ptr().cast_mut()).collect();
    arguments.push(ptr::null_mut());
    let environment = [PATH.as_ptr().cast::<libc::c_char>().cast_mut(), ptr::null_mut()];
    let mut settings = Settings::new()?;
    settings.set_session()?;
    settings.set_files(input, output)?;
    let mut child = 0;
    // SAFETY: initialised settings; arrays of C strings that end with null and live across the
    // call, of which nothing is written to.
    done(unsafe {
        libc::posix_spawn(
            &raw mut child,
            program,
            &raw const settings.actions,
            &raw const settings.attributes,
            arguments.as_ptr(),
            environment.as_ptr(),
        )
    })?;
    Ok(child)
}

/// Whether a child goes on.
enum State {
    Runs,
    /// It has ended and waits to be reaped.
    Ended,
    /// Somebody else has reaped it.
    Gone,
}

struct Child {
    id: i32,
    output: Vec<u8>,
    reader: File,
    at_end: bool,
}

impl Child {
    /// Stays until it ends, or ends it.
    fn attend(mut self, most: usize, deadline: Instant) -> Result<Ended, ChildError> {
        let mut pause = Duration::from_millis(1);
        loop {
            // Looked at before the last reading, so that nothing it said is lost.
            let state = self.state();
            if !self.read(most) {
                self.kill();
                return Err(ChildError::TooMuch);
            }
            match state {
                State::Runs => {}
                State::Ended => {
                    let code = self.reap();
                    return Ok(Ended { output: self.output, code });
                }
                State::Gone => return Ok(Ended { output: self.output, code: None }),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.kill();
                return Err(ChildError::TimedOut);
            }
            self.pause(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn state(&self) -> State {
        // SAFETY: an all-zero value is a valid one to be overwritten.
        let mut found: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        let Ok(id) = libc::id_t::try_from(self.id) else { return State::Gone };
        // SAFETY: a child of ours and a live local.
        if unsafe { libc::waitid(libc::P_PID, id, &raw mut found, options) } != 0 {
            return match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => State::Runs,
                _ => State::Gone,
            };
        }
        // SAFETY: waitid has filled it in, with zero if nothing has changed.
        if unsafe { found.si_pid() } == 0 { State::Runs } else { State::Ended }
    }

    /// Reads what there is; false if it is more than `most`.
    fn read(&mut self, most: usize) -> bool {
        let mut room = [0; 4096];
        while !self.at_end {
            match self.reader.read(&mut room) {
                Ok(0) => self.at_end = true,
                Ok(count) => {
                    self.output.extend_from_slice(room.get(..count).unwrap_or_default());
                    if self.output.len() > most {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.at_end = true,
            }
        }
        true
    }

    /// Waits for something to read, or for a while.
    fn pause(&self, pause: Duration) {
        if self.at_end {
            return thread::sleep(pause);
        }
        let mut wanted =
            libc::pollfd { fd: self.reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let millis = i32::try_from(pause.as_millis()).unwrap_or(i32::MAX).max(1);
        // SAFETY: one live entry. An interruption only makes the pause shorter.
        unsafe { libc::poll(&raw mut wanted, 1, millis) };
    }

    /// Ends what is left of its session and takes its status. Its number is its own until then.
    fn reap(&self) -> Option<i32> {
        // SAFETY: the group of a child that is not reaped yet; at worst it is empty.
        unsafe { libc::kill(-self.id, libc::SIGKILL) };
        let mut status = 0;
        loop {
            // SAFETY: a child of ours and a live local.
            if unsafe { libc::waitpid(self.id, &raw mut status, libc::WNOHANG) } == self.id {
                break;
            }
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return None;
            }
        }
        match libc::WIFEXITED(status) {
            true => Some(libc::WEXITSTATUS(status)),
            false => Some(128 + libc::WTERMSIG(status)),
        }
    }

    fn kill(&self) {
        if matches!(self.state(), State::Gone) {
            return;
        }
        // SAFETY: the group of a child that was there a moment ago.
        unsafe { libc::kill(-self.id, libc::SIGKILL) };
        let until = Instant::now() + LAST_RESPECTS;
        while Instant::now() < until {
            match self.state() {
                State::Runs => thread::sleep(Duration::from_millis(1)),
                State::Ended => {
                    self.reap();
                    return;
                }
                State::Gone => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
