//! Answers as servers write them, cut anywhere, and answers that no server should write.

use super::*;

/// Gives a few bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(room.len()).min(self.0.len());
        room[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn read(text: &str) -> Result<(u16, String), String> {
    let mut found = None;
    for step in [1, 7, 4096] {
        let one = answer(&mut Drip(text.as_bytes(), step))
            .map(|answer| (answer.status, String::from_utf8(answer.body).unwrap()))
            .map_err(|error| error.to_string());
        assert!(
            found.as_ref().is_none_or(|found| *found == one),
            "steps of {step} differ: {one:?}"
        );
        found = Some(one);
    }
    found.unwrap()
}

fn body(text: &str) -> String {
    read(text).map(|(_, body)| body).unwrap()
}

#[test]
fn a_body_ends_by_its_length_by_chunks_or_with_the_connection() {
    assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), Ok((200, "hi".into())));
    assert_eq!(
        read("HTTP/1.1 409 Conflict\r\ncontent-length:2\r\n\r\n5\n!"),
        Ok((409, "5\n".into()))
    );
    assert_eq!(body("HTTP/1.0 200 OK\r\n\r\nall of it"), "all of it");
    let chunks = "2\r\nhi\r\n3;x=y\r\n th\r\nA\r\n0123456789\r\n0\r\n\r\n";
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n{chunks}");
    assert_eq!(body(&chunked), "hi th0123456789");
    assert_eq!(body("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), "");
}

#[test]
fn answers_that_are_cut_or_no_answers_are_refused() {
    let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    // The blank line after the last chunk is not waited for.
    for end in 0..whole.len() - 2 {
        assert!(read(&whole[..end]).is_err(), "{:?}", &whole[..end]);
    }
    for text in [
        "",
        "\u{0}\u{1}\u{2}",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi!!0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nhi",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
}

#[test]
fn answers_without_an_end_are_given_up() {
    struct Endless(Vec<u8>, u8, usize);
    impl Read for Endless {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let count = room.len().min(1000);
            for place in &mut room[..count] {
                *place = if self.0.is_empty() { self.1 } else { self.0.remove(0) };
            }
            self.2 += count;
            Ok(count)
        }
    }
    for begin in [
        "",
        "HTTP/1.1 200 OK\r\nX: ",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
    ] {
        let mut stream = Endless(begin.as_bytes().to_vec(), b'0', 0);
        assert!(answer(&mut stream).is_err(), "{begin:?}");
        assert!(stream.2 <= 16 * LONGEST_ANSWER, "{begin:?}: {} bytes were read", stream.2);
    }
}

#[test]
fn random_answers_never_panic() {
    let good = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..5000 {
        let mut bytes = good.to_vec();
        for _ in 0..=next() % 4 {
            let at = usize::try_from(next() % bytes.len() as u64).unwrap();
            bytes[at] = u8::try_from(next() % 256).unwrap();
        }
        let _ = answer(&mut Drip(&bytes, 9));
    }
}

#[test]
fn urls_are_taken_apart() {
    let url = Url::parse("https://witness.example:8443/a/b").unwrap();
    assert_eq!((url.host, url.port, url.path), ("witness.example", 8443, "/a/b"));
    let url = Url::parse("http://[::1]:80/x").unwrap();
    assert_eq!((url.host, url.authority, url.is_encrypted), ("::1", "[::1]:80", false));
    assert_eq!(Url::parse("https://a").unwrap().path, "/");
    assert_eq!(Url::parse("https://a").unwrap().port, 443);
    for bad in ["", "a", "ftp://a/", "https://", "https://a:x/", "https://[::1", "https://a:99999/"]
    {
        assert_eq!(Url::parse(bad), None, "{bad}");
    }
}
