//! A blocking WebSocket client, and HTTP requests, for the peer under test.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::{CloseFrame, WebSocket};
use tungstenite::{Message, client};

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    socket: WebSocket<TcpStream>,
    pub chosen: String,
    /// Payloads as they came, and their messages that nobody has asked for yet.
    pub waiting: VecDeque<serde_json::Value>,
    pub token: String,
}

/// What comes in on a connection.
#[derive(Debug)]
pub enum Event {
    Payload(Vec<u8>),
    Close(Option<(u16, String)>),
    Drop,
}

impl Client {
    /// The error is the status and the body of a refusal.
    pub fn connect(
        address: SocketAddr,
        target: &str,
        offered: &str,
        token: Option<&str>,
    ) -> Result<Client, (u16, String)> {
        let mut request = format!("ws://{address}{target}").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", offered.parse().unwrap());
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match client(request, stream) {
            Ok((socket, response)) => {
                let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
                let chosen = header("sec-websocket-protocol");
                let token = header("spacetime-identity-token");
                Ok(Client { socket, chosen, waiting: VecDeque::new(), token })
            }
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub fn send(&mut self, message: Message) {
        self.socket.send(message).unwrap();
    }

    pub fn is_v1(&self) -> bool {
        self.chosen.starts_with("v1")
    }

    /// Nothing happens where the other side has closed.
    pub fn close(&mut self, frame: Option<CloseFrame>) {
        let _ = self.socket.close(frame);
    }

    pub fn receive(&mut self) -> Event {
        loop {
            match self.socket.read() {
                Ok(Message::Binary(payload)) => return Event::Payload(payload.to_vec()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(frame)) => {
                    return Event::Close(frame.map(|frame| (frame.code.into(), frame.reason.to_string())));
                }
                Ok(other) => panic!("{other:?}"),
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("nothing came in time")
                }
                Err(_) => return Event::Drop,
            }
        }
    }
}

/// (status, body).
pub fn http(address: SocketAddr, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-type: application/json\r\n{token}\
         content-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
