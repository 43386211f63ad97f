//! What is to be sent on one connection, from whoever makes it to the task that writes it.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::wire::envelope::Compression;
use crate::wire::frame;

/// A client that lets more messages than this pile up is cut off, as the real server does it.
const LIMIT: usize = 16_384;

/// A message for one client or for many: compressed and framed once per kind of compression.
pub struct Message {
    pub body: Vec<u8>,
    frames: [OnceCell<Vec<u8>>; 3],
}

impl Message {
    pub fn new(body: Vec<u8>) -> Rc<Message> {
        Rc::new(Message { body, frames: Default::default() })
    }

    /// The bytes for the socket.
    pub fn frames(&self, compression: Compression) -> &[u8] {
        self.frames[compression as usize].get_or_init(|| frame::message(&compression.pack(&self.body)))
    }
}

pub enum Item {
    Message(Rc<Message>),
    /// A frame that is no message: a ping or a pong.
    Control(Vec<u8>),
    /// A close frame with this body, the last thing that is sent.
    Close(Vec<u8>),
}

#[derive(Default)]
pub struct Outbox {
    items: RefCell<VecDeque<Item>>,
    /// Nothing more is sent, not even what is here.
    dropped: Cell<bool>,
    changed: Notify,
}

impl Outbox {
    pub fn push(&self, item: Item) {
        let mut items = self.items.borrow_mut();
        if items.len() >= LIMIT {
            self.dropped.set(true);
        } else {
            items.push_back(item);
        }
        self.changed.notify_one();
    }

    pub fn message(&self, body: Vec<u8>) {
        self.push(Item::Message(Message::new(body)));
    }

    pub fn close(&self, code: u16, reason: &str) {
        self.push(Item::Close(frame::close_body(code, reason)));
    }

    /// Ends the connection without a word.
    pub fn drop_connection(&self) {
        self.dropped.set(true);
        self.changed.notify_one();
    }

    /// All there is to send by now.
    pub fn take_now(&self) -> VecDeque<Item> {
        std::mem::take(&mut *self.items.borrow_mut())
    }

    /// All there is to send, as soon as there is something; None when the connection is to be dropped.
    pub async fn take(&self) -> Option<VecDeque<Item>> {
        loop {
            if self.dropped.get() {
                return None;
            }
            let items = self.take_now();
            if !items.is_empty() {
                return Some(items);
            }
            self.changed.notified().await;
        }
    }
}
