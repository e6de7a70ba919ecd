//! The shop as a server on this machine: it sends its catalog, as it is or packed, or says that
//! nothing has changed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// What the shop's catalog is called now, and how it is called when it is packed.
pub const PLAIN: &str = "now.xml";
pub const PACKED: &str = "now.xml.gz";

/// Serves what `folder` holds under its two names, until the process ends; answers the port.
///
/// # Errors
/// When no port is to be had.
pub fn open(folder: &Path) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for visitor in listener.incoming().flatten() {
            let folder = folder.clone();
            // A visitor who leaves early breaks nothing.
            std::thread::spawn(move || serve(visitor, &folder).ok());
        }
    });
    Ok(port)
}

fn serve(mut visitor: TcpStream, folder: &Path) -> io::Result<()> {
    let mut reader = BufReader::new(visitor.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let is_packed = line.split(' ').nth(1).is_some_and(|path| path.ends_with("gz"));
        let mut known = None;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("if-none-match") {
                known = Some(value.to_owned());
            }
        }
        answer(&mut visitor, folder.join(if is_packed { PACKED } else { PLAIN }), known)?;
    }
}

fn answer(visitor: &mut TcpStream, path: PathBuf, known: Option<String>) -> io::Result<()> {
    let is_packed = path.ends_with(PACKED);
    let bytes = fs::metadata(&path)?.len();
    let changed = fs::metadata(&path)?.modified()?;
    let mark = format!("\"{bytes}-{:?}\"", changed.duration_since(std::time::UNIX_EPOCH));
    let mark = mark.replace(['(', ')', ' '], "");
    if known.is_some_and(|known| known == mark) {
        return write!(visitor, "HTTP/1.1 304 Not Modified\r\nETag: {mark}\r\n\r\n");
    }
    let coding = if is_packed { "Content-Encoding: gzip\r\n" } else { "" };
    write!(
        visitor,
        "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n{coding}ETag: {mark}\r\n\
         Content-Length: {bytes}\r\n\r\n"
    )?;
    io::copy(&mut File::open(path)?, visitor).map(drop)
}
