//! A peer from its start to its end.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread::JoinHandle;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::host::{Host, Settings};
use crate::server;
use crate::token::Keys;

/// What a peer starts with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Host and port; port 0 is any that is free.
    pub listen: String,
    /// Names of databases, and the names of their modules.
    pub databases: Vec<(String, String)>,
    /// The schema (JSON) of the module `generic`, where it is not that of the load tests.
    pub generic_schema: Option<String>,
    /// Peers with the same text take each other's tokens; without one they are random.
    pub key: Option<String>,
    pub settings: Settings,
}

/// Runs a peer on this thread, and tells its address once it listens. Ends when `end` does.
pub fn run(options: Options, ready: impl FnOnce(SocketAddr), end: impl Future<Output = ()>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let host = Rc::new(host(&options)?);
        let (listener, address) = server::listen(&options.listen).await?;
        ready(address);
        tokio::select! {
            served = server::serve(listener, host) => served,
            () = end => Ok(()),
        }
    })
}

fn host(options: &Options) -> io::Result<Host> {
    let keys = options.key.as_deref().map_or_else(Keys::random, Keys::from_text);
    let host = Host::new(keys, options.settings.clone(), options.generic_schema.clone());
    let owner = host.keys.mint().identity;
    for (name, module) in &options.databases {
        let published = host.publish(name, module, owner, false);
        published.map_err(|refusal| io::Error::other(String::from_utf8_lossy(&refusal.body).into_owned()))?;
    }
    Ok(host)
}

/// A peer on a thread of its own, which ends when this is dropped.
pub struct Running {
    pub address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Returns when the peer listens.
    pub fn start(options: Options) -> io::Result<Running> {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let ready = move |address| {
                let _ = tell.send(address);
            };
            run(options, ready, async { drop(ended.await) })
        });
        match told.recv() {
            Ok(address) => Ok(Running { address, end: Some(end), thread: Some(thread) }),
            Err(_) => Err(thread.join().ok().and_then(Result::err).unwrap_or_else(|| io::ErrorKind::Other.into())),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
