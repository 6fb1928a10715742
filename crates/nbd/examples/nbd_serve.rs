//! Serves a raw image or a disk in memory over NBD, until it is told to stop.
//!
//! ```text
//! nbd_serve --unix PATH (--file IMAGE | --memory BYTES) [--read-only]
//! nbd_serve --tcp ADDRESS:PORT (--file IMAGE | --memory BYTES) [--read-only]
//! ```
//!
//! Prints `listening on …` when it is ready. Ends, answering what it has received, when its
//! standard input ends or says `stop`.

use cairn_nbd::{
    Address, BlockDevice, Server,
    devices::{FileDevice, MemoryDevice},
};
use std::{env, error::Error, io, path::Path, sync::Arc};

const USAGE: &str =
    "nbd_serve (--unix PATH | --tcp ADDRESS:PORT) (--file IMAGE | --memory BYTES) [--read-only]";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let read_only = words.iter().any(|word| word == "--read-only");
    let server = Server::bind(address(&words)?)?;
    server.exports().insert("", device(&words, read_only)?)?;
    announce(server.address());
    wait_for_stop()?;
    server.shutdown();
    Ok(())
}

/// The word after `name`.
fn value<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| word == name)?;
    words.get(at + 1).map(String::as_str)
}

fn address(words: &[String]) -> Result<Address, Box<dyn Error>> {
    match (value(words, "--unix"), value(words, "--tcp")) {
        (Some(path), None) => Ok(Address::unix(path)),
        (None, Some(address)) => Ok(Address::Tcp(address.parse()?)),
        _ => Err(USAGE.into()),
    }
}

fn device(words: &[String], read_only: bool) -> Result<Arc<dyn BlockDevice>, Box<dyn Error>> {
    match (value(words, "--file"), value(words, "--memory")) {
        (Some(path), None) if read_only => {
            Ok(Arc::new(FileDevice::open_read_only(Path::new(path))?))
        }
        (Some(path), None) => Ok(Arc::new(FileDevice::open(Path::new(path))?)),
        (None, Some(size)) => Ok(Arc::new(MemoryDevice::new(size.parse()?))),
        _ => Err(USAGE.into()),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started this waits for the line"
)]
fn announce(address: &Address) {
    println!("listening on {address}");
}

fn wait_for_stop() -> io::Result<()> {
    for line in io::stdin().lines() {
        if line?.trim() == "stop" {
            break;
        }
    }
    Ok(())
}
