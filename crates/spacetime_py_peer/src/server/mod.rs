//! The listening socket and what comes in on it: HTTP requests, and WebSockets that grow out of them.

mod session;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::host::Host;
use crate::http;

/// Serves a host until the future is dropped. Runs inside of a `LocalSet`: everything happens on one thread.
pub async fn serve(listener: TcpListener, host: Rc<Host>) -> io::Result<()> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(spawn_local(connection(stream, host.clone()))),
            // Too many open files, for example: those that are there go on.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

/// Listens on an address (port 0: any that is free) and gives the one that it got.
pub async fn listen(address: &str) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// A connection that breaks in the middle of a request is nobody's business.
async fn connection(stream: TcpStream, host: Rc<Host>) {
    let _ = requests(stream, host).await;
}

async fn requests(mut stream: TcpStream, host: Rc<Host>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::new();
    while let Some(request) = http::read(&mut stream, &mut buffer).await? {
        let response = match http::upgrade(&host, &request) {
            Some(Ok(upgrade)) => {
                stream.write_all(&upgrade.response.encode()).await?;
                session::run(stream, buffer, upgrade, &host.settings).await;
                return Ok(());
            }
            Some(Err(refusal)) => refusal,
            None => http::answer(&host, &request).await,
        };
        stream.write_all(&response.encode()).await?;
        if request.has_word("connection", "close") {
            break;
        }
    }
    Ok(())
}
