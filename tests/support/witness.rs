//! A witness on this machine, for tests: C2SP tlog-witness over HTTP or HTTPS, made of other
//! people's notes and proofs. It can also be slow, forgetful, wrong, or a liar.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
#![allow(clippy::indexing_slicing, clippy::as_conversions, reason = "a test's own bytes")]
#![allow(clippy::arithmetic_side_effects, missing_docs, dead_code, reason = "tests")]
#![allow(unreachable_pub, reason = "it stands in several test binaries")]

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ed25519_dalek::{Signer, SigningKey};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, check_tree};

pub const NAME: &str = "witness.example/w1";

/// How it behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    Honest,
    /// As honest, with its answers in chunks.
    Chunked,
    /// Signs, and serves what it signed an hour ago.
    Delayed,
    /// Has always signed this size.
    Stale(u64),
    /// Says that the proof does not hold.
    Refuses,
    /// Signs with another key than its own.
    WrongKey,
    /// Signs another root than it was shown.
    WrongRoot,
    /// Signs at no time.
    Timeless,
    /// Answers with what is no HTTP.
    Garbage,
    /// Answers with HTTP that is no signature.
    Nonsense,
    /// Does not stop answering.
    Huge,
    /// A byte now and then.
    Slow,
    /// Says nothing at all.
    Silent,
    /// Hangs up.
    Dead,
    /// An error of its own.
    Broken,
    /// Wants to be asked elsewhere.
    Redirects,
}

/// What it has signed last for a log.
#[derive(Clone)]
struct Signed {
    size: u64,
    root: Hash,
    note: String,
}

struct Shared {
    mood: Mutex<Mood>,
    /// The verifier keys of the logs that it knows.
    logs: Mutex<Vec<String>>,
    signed: Mutex<HashMap<String, Signed>>,
    /// First lines of requests, and of the bodies of posts.
    asked: Mutex<Vec<String>>,
    stopped: AtomicBool,
    tls: Option<Arc<ServerConfig>>,
}

pub struct Witness {
    pub url: String,
    /// Its verifier key.
    pub key: String,
    /// The certificate of its server.
    pub ca: String,
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[0x77; 32])
}

fn base64(bytes: &[u8]) -> String {
    // A note's signature line ends with the base64 of an id and the bytes after it.
    let (id, rest) = bytes.split_first_chunk::<4>().unwrap();
    let line = signed_note::Signature::new("x".into(), u32::from_be_bytes(*id), rest.to_vec());
    let line = String::from_utf8(line.unwrap().to_bytes()).unwrap();
    line.trim_end().rsplit(' ').next().unwrap().to_owned()
}

/// The bytes of a cosigner's public key, behind its type.
fn tagged(key: &SigningKey) -> Vec<u8> {
    [&[4], key.verifying_key().as_bytes().as_slice()].concat()
}

impl Witness {
    pub fn start(mood: Mood, is_encrypted: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let secret = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], secret)
            .unwrap();
        let shared = Arc::new(Shared {
            mood: Mutex::new(mood),
            logs: Mutex::default(),
            signed: Mutex::default(),
            asked: Mutex::default(),
            stopped: AtomicBool::new(false),
            tls: is_encrypted.then(|| Arc::new(tls)),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || serve(&listener, &serving));
        let scheme = if is_encrypted { "https" } else { "http" };
        let id = signed_note::key_id(NAME, &tagged(&key()));
        Self {
            url: format!("{scheme}://localhost:{}/prefix", address.port()),
            key: format!("{NAME}+{id:08x}+{}", base64(&tagged(&key()))),
            ca: made.cert.pem(),
            address,
            shared,
        }
    }

    pub fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// Tells it the key of a log.
    pub fn learn(&self, log: &str) {
        self.shared.logs.lock().unwrap().push(log.to_owned());
    }

    /// How far it has signed a log.
    pub fn signed(&self, origin: &str) -> Option<u64> {
        self.shared.signed.lock().unwrap().get(origin).map(|signed| signed.size)
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            let stream = stream?;
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            match &shared.tls {
                None => attend(stream, &shared),
                Some(tls) => {
                    let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                    let mut stream = StreamOwned::new(connection, stream);
                    attend(&mut stream, &shared)?;
                    stream.conn.send_close_notify();
                    stream.flush()
                }
            }
        });
    }
}

fn attend(mut stream: impl Read + Write, shared: &Shared) -> io::Result<()> {
    let mood = *shared.mood.lock().unwrap();
    let (head, body) = request(&mut stream)?;
    let mut told = head.lines().next().unwrap_or_default().to_owned();
    if let Some(old) = body.lines().next() {
        told = format!("{told} {old}");
    }
    shared.asked.lock().unwrap().push(told);
    match mood {
        Mood::Garbage => stream.write_all(b"\x16\x03\x01 220 mail.example ESMTP\r\n\r\n"),
        Mood::Nonsense => reply(&mut stream, 200, "neither a note nor a signature\n", false),
        Mood::Huge => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            (0..1 << 12).try_for_each(|_| stream.write_all(&[b'x'; 4096]))
        }
        Mood::Slow => {
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".iter().cycle() {
                stream.write_all(&[*byte])?;
                stream.flush()?;
                thread::sleep(Duration::from_millis(30));
            }
            Ok(())
        }
        Mood::Silent => {
            thread::sleep(Duration::from_secs(20));
            Ok(())
        }
        Mood::Dead => Ok(()),
        Mood::Broken => reply(&mut stream, 500, "out of order\n", false),
        Mood::Redirects => stream.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n",
        ),
        Mood::Stale(size) if head.starts_with("POST") => {
            reply(&mut stream, 409, &format!("{size}\n"), false)
        }
        Mood::Refuses if head.starts_with("POST") => reply(&mut stream, 422, "", false),
        _ => {
            let (status, text) = match head.strip_prefix("POST /prefix/add-checkpoint ") {
                Some(_) => add(&body, shared, mood),
                None => serve_checkpoint(&head, shared, mood),
            };
            reply(&mut stream, status, &text, mood == Mood::Chunked)
        }
    }
}

fn request(stream: &mut impl Read) -> io::Result<(String, String)> {
    let (mut bytes, mut room) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Ok((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut room)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&room[..count]),
        }
    }
}

fn reply(stream: &mut impl Write, status: u16, text: &str, chunked: bool) -> io::Result<()> {
    let kind = if status == 409 { "text/x.tlog.size" } else { "text/plain" };
    let mut answer = format!("HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\n");
    match chunked {
        false => answer += &format!("Content-Length: {}\r\n\r\n{text}", text.len()),
        true => {
            answer += "Transfer-Encoding: chunked\r\n\r\n";
            for chunk in text.as_bytes().chunks(50) {
                let chunk = String::from_utf8_lossy(chunk);
                answer += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
            }
            answer += "0\r\n\r\n";
        }
    }
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

/// The checks in the order in which the specification has them.
fn add(body: &str, shared: &Shared, mood: Mood) -> (u16, String) {
    let refuse = |status| (status, String::new());
    let Some((head, note)) = body.split_once("\n\n") else { return refuse(400) };
    let mut lines = head.lines();
    let old = lines.next().and_then(|line| line.strip_prefix("old ")?.parse::<u64>().ok());
    let proof: Result<Vec<Hash>, _> = lines.map(Hash::parse_hash).collect();
    let (Some(old), Ok(proof), Ok(note)) = (old, proof, Note::from_bytes(note.as_bytes())) else {
        return refuse(400);
    };
    let Ok(checkpoint) = Checkpoint::from_bytes(note.text()) else { return refuse(403) };
    let logs = shared.logs.lock().unwrap();
    let known: Vec<StandardVerifier> = logs
        .iter()
        .filter(|log| log.split('+').next() == Some(checkpoint.origin()))
        .map(|log| StandardVerifier::new(log).unwrap())
        .collect();
    if known.is_empty() {
        return refuse(404);
    }
    let known = known.into_iter().map(|one| Box::new(one) as Box<dyn signed_note::Verifier>);
    if note.verify(&VerifierList::new(known.collect())).is_err() {
        return refuse(403);
    }
    if old > checkpoint.size() {
        return refuse(400);
    }
    let mut all = shared.signed.lock().unwrap();
    let last = all.get(checkpoint.origin()).cloned();
    let size = last.as_ref().map_or(0, |last| last.size);
    if old != size {
        return (409, format!("{size}\n"));
    }
    let holds = match &last {
        None => proof.is_empty(),
        Some(last) if last.size == checkpoint.size() => {
            proof.is_empty() && last.root == *checkpoint.hash()
        }
        Some(last) => {
            check_tree(&proof, checkpoint.size(), *checkpoint.hash(), last.size, last.root).is_ok()
        }
    };
    if !holds {
        return refuse(422);
    }
    let line = cosignature(note.text(), mood);
    let text = String::from_utf8(note.to_bytes()).unwrap();
    let signed =
        Signed { size: checkpoint.size(), root: *checkpoint.hash(), note: format!("{text}{line}") };
    match (mood, last) {
        (Mood::Delayed, Some(last)) => {
            all.insert(checkpoint.origin().to_owned(), Signed { note: last.note, ..signed })
        }
        _ => all.insert(checkpoint.origin().to_owned(), signed),
    };
    (200, line)
}

fn cosignature(text: &[u8], mood: Mood) -> String {
    let time = match mood {
        Mood::Timeless => 0,
        _ => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
    };
    let (signer, shown) = match mood {
        Mood::WrongKey => (SigningKey::from_bytes(&[0x78; 32]), text.to_vec()),
        Mood::WrongRoot => (key(), [text, b"A"].concat()),
        _ => (key(), text.to_vec()),
    };
    let message = [format!("cosignature/v1\ntime {time}\n").into_bytes(), shown].concat();
    let signature = signer.sign(&message).to_bytes();
    let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
    // The key's id is claimed, whoever signs.
    let id = signed_note::key_id(NAME, &tagged(&key()));
    let line = signed_note::Signature::new(NAME.to_owned(), id, bytes).unwrap();
    String::from_utf8(line.to_bytes()).unwrap()
}

fn serve_checkpoint(head: &str, shared: &Shared, mood: Mood) -> (u16, String) {
    use sha2::Digest;
    let path = head.strip_prefix("GET /prefix/").and_then(|rest| rest.split_once("/checkpoint "));
    let Some((wanted, _)) = path else { return (404, String::new()) };
    let hash = |origin: &str| -> String {
        sha2::Sha256::digest(origin.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let all = shared.signed.lock().unwrap();
    let Some((_, signed)) = all.iter().find(|(origin, _)| hash(origin) == wanted) else {
        return (404, String::new());
    };
    match mood {
        Mood::WrongRoot => (200, signed.note.replacen('\n', "\n1", 1)),
        _ => (200, signed.note.clone()),
    }
}
