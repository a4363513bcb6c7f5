//! One request and its answer over HTTP/1.1, within a time and a size, on a connection of its
//! own. RFC 9112.
//!
//! No redirection is followed. The name of the host is looked up by the system, whose own time
//! limit holds for that step (`resolv.conf`); everything after it ends at the deadline.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::{Duration, Instant};

use super::super::LONGEST_ANSWER;
use super::tls;

const LONGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// `https://host[:port]/path`, or `http://` on this machine: the configuration saw to that.
    pub(super) url: &'a str,
    pub(super) body: &'a str,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// The parts of a URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Url<'a> {
    is_encrypted: bool,
    /// As the `Host` header has it.
    authority: &'a str,
    /// Without the brackets of an address.
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (is_encrypted, default) = match scheme {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return None,
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at_checked(slash)?,
            None => (rest, "/"),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']')?;
                (host, rest.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = port.map_or(Some(default), |port| port.parse().ok())?;
        (!host.is_empty()).then_some(Self { is_encrypted, authority, host, port, path })
    }
}

/// A connection on which no step goes past the deadline.
pub(super) struct Limited<S> {
    stream: S,
    deadline: Instant,
}

impl Limited<TcpStream> {
    fn connect(url: &Url<'_>, deadline: Instant) -> Result<Self, String> {
        let told = |error: io::Error| format!("{}: {error}", url.authority);
        let mut last = format!("{}: no address", url.authority);
        for address in (url.host, url.port).to_socket_addrs().map_err(told)? {
            let left = left(deadline).map_err(told)?;
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(Self { stream, deadline });
                }
                Err(error) => last = told(error),
            }
        }
        Err(last)
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(too_slow()),
        left => Ok(left),
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it took too long")
}

/// A socket tells that its time is over by EAGAIN.
fn in_time<T>(done: io::Result<T>) -> io::Result<T> {
    done.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => too_slow(),
        _ => error,
    })
}

impl Read for Limited<TcpStream> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        in_time(self.stream.read(room))
    }
}

/// Not by `writev`, which would raise SIGPIPE in the host.
impl Write for Limited<TcpStream> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        in_time(self.stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a request and reads the answer to its end.
pub(super) fn send(
    request: &Request<'_>,
    ca: Option<&Path>,
    deadline: Instant,
) -> Result<Response, String> {
    let url = Url::parse(request.url).ok_or("a URL that cannot be used")?;
    let stream = Limited::connect(&url, deadline)?;
    let done = match url.is_encrypted {
        true => exchange(tls::over(stream, url.host, ca)?, request, &url),
        false => exchange(stream, request, &url),
    };
    done.map_err(|error| format!("{}: {error}", url.authority))
}

fn exchange(
    mut stream: impl Read + Write,
    request: &Request<'_>,
    url: &Url<'_>,
) -> io::Result<Response> {
    let Request { method, body, .. } = request;
    let mut text = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", url.path, url.authority);
    text += "User-Agent: claviger\r\nAccept-Encoding: identity\r\nConnection: close\r\n";
    if !body.is_empty() {
        let len = body.len();
        text += &format!("Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len}\r\n");
    }
    text += "\r\n";
    text += body;
    stream.write_all(text.as_bytes())?;
    stream.flush()?;
    answer(&mut stream)
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// How the end of a body is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    Length(usize),
    Chunked,
    Close,
}

/// Reads an answer.
fn answer(stream: &mut impl Read) -> io::Result<Response> {
    let mut read = Vec::new();
    let (status, framing, head) = loop {
        if let Some(parsed) = head(&read)? {
            break parsed;
        }
        if read.len() > LONGEST_HEAD {
            return Err(malformed("the head of its answer is too long"));
        }
        if !more(stream, &mut read)? {
            return Err(malformed("its answer is cut off"));
        }
    };
    let mut body = read.split_off(head.min(read.len()));
    loop {
        match framing {
            Framing::Length(length) if length > LONGEST_ANSWER => break,
            Framing::Length(length) if body.len() >= length => {
                body.truncate(length);
                return Ok(Response { status, body });
            }
            Framing::Chunked => {
                if let Some(body) = joined(&body)? {
                    return Ok(Response { status, body });
                }
            }
            Framing::Length(_) | Framing::Close => {}
        }
        // Chunks of a byte have five bytes around it.
        if body.len() > 8 * LONGEST_ANSWER {
            break;
        }
        if !more(stream, &mut body)? {
            return match framing {
                Framing::Close if body.len() <= LONGEST_ANSWER => Ok(Response { status, body }),
                Framing::Close => break,
                _ => Err(malformed("its answer is cut off")),
            };
        }
    }
    Err(malformed("its answer is too long"))
}

/// False at the end.
fn more(stream: &mut impl Read, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut room = [0; 4096];
    loop {
        match stream.read(&mut room) {
            Ok(count) => {
                into.extend_from_slice(room.get(..count).unwrap_or_default());
                return Ok(count > 0);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The status, how the body ends and where it begins; `None` if the head is not all there.
fn head(bytes: &[u8]) -> io::Result<Option<(u16, Framing, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let len = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(malformed("its answer is no HTTP")),
    };
    let status = parsed.code.filter(|status| *status >= 200);
    let status = status.ok_or(malformed("its answer has no status"))?;
    let mut framing = Framing::Close;
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        let name = header.name.to_ascii_lowercase();
        match (name.as_str(), framing) {
            ("transfer-encoding", _) if value.eq_ignore_ascii_case("chunked") => {
                framing = Framing::Chunked;
            }
            ("transfer-encoding", _) => {
                return Err(malformed("an encoding that was not asked for"));
            }
            ("content-length", Framing::Chunked) => {}
            ("content-length", _) => {
                let length = value.parse().map_err(|_| malformed("a body without a length"))?;
                if !matches!(framing, Framing::Close) && framing != Framing::Length(length) {
                    return Err(malformed("a body of two lengths"));
                }
                framing = Framing::Length(length);
            }
            _ => {}
        }
    }
    Ok(Some((status, framing, len)))
}

/// The body out of its chunks; `None` if the last one is not all there.
fn joined(mut chunks: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let wrong = || malformed("a body in chunks that cannot be read");
    let mut body = Vec::new();
    loop {
        let (len, size) = match httparse::parse_chunk_size(chunks) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(wrong()),
        };
        if size == 0 {
            return Ok(Some(body));
        }
        let size = usize::try_from(size).map_err(|_| wrong())?;
        if body.len().saturating_add(size) > LONGEST_ANSWER {
            return Err(malformed("its answer is too long"));
        }
        let rest = chunks.get(len..).unwrap_or_default();
        let Some((chunk, rest)) = rest.split_at_checked(size) else { return Ok(None) };
        match rest {
            [b'\r', b'\n', rest @ ..] => chunks = rest,
            [] | [b'\r'] => return Ok(None),
            _ => return Err(wrong()),
        }
        body.extend_from_slice(chunk);
    }
}

#[cfg(test)]
mod tests;
