//! The server's side of HTTP 1.1: one request, one reply.

use std::io::{self, BufRead, Read, Write};

/// The longest head of a request, in bytes.
const HEAD: usize = 1 << 14;
/// The longest body, in bytes.
const BODY: usize = 1 << 26;

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    /// Whether the client may send another request on the same connection.
    pub(crate) keep_alive: bool,
}

/// Why there is no request.
#[derive(Debug)]
pub(crate) enum NoRequest {
    /// The connection ended or broke.
    Gone,
    /// The request cannot be read; the reply is this status with this message.
    Bad(u16, &'static str),
}

impl From<io::Error> for NoRequest {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Reads a request. `out` gets the go-ahead for clients that wait for it before they send a long body.
pub(crate) fn read(input: &mut impl BufRead, out: &mut impl Write) -> Result<Request, NoRequest> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        let room = HEAD.saturating_sub(head.len()) as u64;
        if room == 0 {
            return Err(NoRequest::Bad(431, "the head of the request is too long"));
        }
        if input.take(room).read_until(b'\n', &mut head)? == 0 {
            return Err(NoRequest::Gone);
        }
        if head == b"\r\n" || head == b"\n" {
            // Some clients send an empty line between requests.
            head.clear();
        }
    }
    let malformed = NoRequest::Bad(400, "the head of the request is malformed");
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    if !parsed.parse(&head).is_ok_and(|status| status.is_complete()) {
        return Err(malformed);
    }
    let (Some(method), Some(path)) = (parsed.method, parsed.path) else { return Err(malformed) };
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
    };
    if header("transfer-encoding").is_some() {
        return Err(NoRequest::Bad(411, "send the body with Content-Length"));
    }
    let length = match header("content-length").map(|length| length.parse::<usize>()) {
        None => 0,
        Some(Ok(length)) if length <= BODY => length,
        Some(Ok(_)) => return Err(NoRequest::Bad(413, "the body is too long")),
        Some(Err(_)) => return Err(malformed),
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    let keep_alive = match header("connection") {
        Some(connection) => connection.contains("keep-alive"),
        None => parsed.version == Some(1),
    };
    if header("expect").is_some_and(|expect| expect.contains("100-continue")) {
        out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    // Grows with what arrives, not with what is promised.
    let mut body = Vec::new();
    if input.take(length as u64).read_to_end(&mut body)? < length {
        return Err(NoRequest::Gone);
    }
    Ok(Request { method, path, body, keep_alive })
}

/// Writes a reply with JSON, in one piece.
pub(crate) fn write(
    out: &mut impl Write,
    status: u16,
    body: &[u8],
    keep_alive: bool,
) -> io::Result<()> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Error",
    };
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let mut reply = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    reply.extend_from_slice(body);
    out.write_all(&reply)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Result<Request, NoRequest>, String) {
        let mut out = Vec::new();
        let request = read(&mut io::Cursor::new(text), &mut out);
        (request, String::from_utf8(out).unwrap())
    }

    #[test]
    fn requests_are_read() {
        let (request, out) = read_text("\r\nGET /Info HTTP/1.1\r\nHost: a\r\n\r\n");
        let request = request.unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/Info"));
        assert!(request.keep_alive && request.body.is_empty() && out.is_empty());
        let (request, out) = read_text(
            "POST /E HTTP/1.1\r\ncontent-LENGTH: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nabcd",
        );
        let request = request.unwrap();
        assert_eq!(request.body, b"abc");
        assert!(!request.keep_alive && out.contains("100 Continue"));
        assert!(!read_text("GET / HTTP/1.0\r\n\r\n").0.unwrap().keep_alive);
    }

    #[test]
    fn bad_requests_have_a_status() {
        let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(HEAD));
        for (text, status) in [
            ("nonsense\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
            (long.as_str(), 431),
        ] {
            assert!(
                matches!(read_text(text).0, Err(NoRequest::Bad(s, _)) if s == status),
                "{text}"
            );
        }
        for text in ["", "GET / HT", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc"] {
            assert!(matches!(read_text(text).0, Err(NoRequest::Gone)), "{text}");
        }
    }
}
