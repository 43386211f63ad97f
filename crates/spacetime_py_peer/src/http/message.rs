//! Requests and responses of HTTP/1.1, as much of it as clients here use.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::store::Map;

const MAX_HEAD: usize = 64 << 10;
const MAX_BODY: usize = 64 << 20;

#[derive(Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Map<String, String>,
    /// Names in lower case.
    pub headers: Map<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether a header that is a list of words has this one.
    pub fn has_word(&self, header: &str, word: &str) -> bool {
        self.header(header).is_some_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
    }
}

/// The next request of a connection; None at its end. Errors are connections that are not worth an answer.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> io::Result<Option<Request>> {
    let mut request = loop {
        if let Some((mut request, size)) = parse_head(buffer)? {
            buffer.advance(size);
            request.body = Vec::new();
            break request;
        }
        if buffer.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    };
    let length = request.header("content-length").map_or(Ok(0), str::parse).unwrap_or(usize::MAX);
    if length > MAX_BODY || request.headers.contains_key("transfer-encoding") {
        return Err(io::ErrorKind::InvalidData.into());
    }
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    request.body = buffer.split_to(length).to_vec();
    Ok(Some(request))
}

/// A request without its body, and the size of its head.
fn parse_head(buffer: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(buffer).map_err(|_| io::ErrorKind::InvalidData)?;
    let httparse::Status::Complete(size) = status else { return Ok(None) };
    let target = parsed.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |header: &httparse::Header<'_>| {
        (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned())
    };
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: decoded(path),
        query: query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect(),
        headers: parsed.headers.iter().map(header).collect(),
        body: Vec::new(),
    };
    Ok(Some((request, size)))
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name), decoded(&value.replace('+', " ")))
}

/// `%41` is `A`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn text(status: u16, text: impl Into<String>) -> Response {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Response { status, headers, body: text.into().into_bytes() }
    }

    pub fn json(text: impl Into<String>) -> Response {
        let headers = vec![("content-type", "application/json".to_owned())];
        Response { status: 200, headers, body: text.into().into_bytes() }
    }

    pub fn empty(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Vec::new() }
    }

    /// All of it as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut head = self.head();
        if self.status >= 200 {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "access-control-allow-origin: *\r\n"
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        415 => "Unsupported Media Type",
        426 => "Upgrade Required",
        500 => "Internal Server Error",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_parsed() {
        let head = b"GET /a%20b?x=1&token=a%2Eb&y HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\n\r\nrest";
        let (request, size) = parse_head(head).unwrap().unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str(), size), ("GET", "/a b", head.len() - 4));
        assert_eq!((request.query["x"].as_str(), request.query["token"].as_str()), ("1", "a.b"));
        assert!(request.has_word("connection", "upgrade"));
        assert!(parse_head(b"GET / HTTP/1.1\r\n").unwrap().is_none());
        assert!(parse_head(b"\0\0\0").is_err());
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%é1"), "%é1");
    }
}
