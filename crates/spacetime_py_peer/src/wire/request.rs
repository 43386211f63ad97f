//! What clients ask for, whatever version of the protocol they speak.

#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    Subscribe {
        request: u32,
        set: u32,
        queries: Vec<&'a str>,
        form: Form,
    },
    Unsubscribe {
        request: u32,
        set: u32,
        form: Form,
        send_rows: bool,
    },
    OneOff {
        id: Vec<u8>,
        query: &'a str,
    },
    /// `quiet`: the client does not want to hear of its success.
    CallReducer {
        request: u32,
        name: &'a str,
        args: &'a [u8],
        quiet: bool,
    },
    CallProcedure {
        request: u32,
        name: &'a str,
        args: &'a [u8],
    },
}

/// The kinds of subscriptions. All but `Set` are of version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Set,
    /// One query under a number of its own.
    Single,
    /// The one that replaces all others of its kind.
    Legacy,
}
