//! `spacetime-py-peer`: the peer as a program.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use spacetime_py_peer::wire::Protocol;
use spacetime_py_peer::{Options, run};

const USAGE: &str = "\
usage: spacetime-py-peer [--listen HOST:PORT] [--database NAME=MODULE]... [--schema FILE] [--key TEXT]
                         [--protocols LIST] [--until-eof] [--ping-first] [--ping-seconds N]
                         [--coalesce-ms N]

Prints `listening on http://HOST:PORT` and serves until it is ended.

--listen HOST:PORT      default 127.0.0.1:0, where 0 is any free port
--database NAME=MODULE  a database from the start; modules: all_types, chat, generic, mod28
--schema FILE           the schema (JSON, version 9 or 10) of the module `generic`
--key TEXT              peers with the same key take each other's tokens
--protocols LIST        the versions to speak, default v1,v2,v3
--until-eof             end when the standard input ends
--ping-first            a ping before the greeting too
--ping-seconds N        time between pings, default 15
--coalesce-ms N         wait before sending, so that messages of version 3 go together";

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)) {
        Ok((options, until_eof)) => serve(options, until_eof),
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn serve(options: Options, until_eof: bool) -> ExitCode {
    let ready = |address| {
        println!("listening on http://{address}");
        let _ = std::io::stdout().flush();
    };
    if until_eof {
        std::thread::spawn(|| {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(0);
        });
    }
    match run(options, ready, std::future::pending()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The options, and whether to end with the standard input.
fn arguments(mut given: impl Iterator<Item = String>) -> Result<(Options, bool), String> {
    let mut options = Options { listen: "127.0.0.1:0".into(), ..Options::default() };
    let mut until_eof = false;
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--listen" => options.listen = value()?,
            "--database" => {
                let pair = value()?;
                let (database, module) = pair.split_once('=').ok_or("--database needs NAME=MODULE")?;
                options.databases.push((database.into(), module.into()));
            }
            "--schema" => {
                let file = value()?;
                let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
                options.generic_schema = Some(text);
            }
            "--key" => options.key = Some(value()?),
            "--protocols" => options.settings.protocols = protocols(&value()?)?,
            "--until-eof" => until_eof = true,
            "--ping-first" => options.settings.ping_first = true,
            "--ping-seconds" => options.settings.ping_every = Duration::from_secs(number(&value()?)?.max(1)),
            "--coalesce-ms" => options.settings.coalesce = Duration::from_millis(number(&value()?)?),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok((options, until_eof))
}

fn protocols(text: &str) -> Result<Vec<Protocol>, String> {
    let known = |name| Protocol::from_short_name(name).ok_or_else(|| format!("{name} is not a protocol"));
    text.split(',').map(known).collect()
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}
