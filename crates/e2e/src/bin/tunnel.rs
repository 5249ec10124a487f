//! The end of a wire in a host's network namespace: a network device whose packets go to a router's socket, and come from one.
//!
//! `tunnel FOLDER ADDRESS`: the sockets lie in the folder, the router's as `router`, each host's under its address. It says
//! `up` once the device `wire` is there, and ends when its standard input does.

use std::io::{Read, Write, stdin, stdout};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, io, thread};

use tappers::{Interface, Tun};

/// Longer than what a device carries.
const PACKET_MAX: usize = 2048;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder: PathBuf = arguments.next().expect("a folder").into();
    let address = arguments.next().expect("an address");
    let mut device = Tun::new_named(Interface::new("wire")?)?;
    device.set_nonblocking(false)?;
    let device = Arc::new(device);
    let socket = UnixDatagram::bind(folder.join(address))?;
    socket.connect(folder.join("router"))?;
    let (from_host, to_router) = (Arc::clone(&device), socket.try_clone()?);
    thread::spawn(move || {
        let mut packet = [0; PACKET_MAX];
        while let Ok(length) = from_host.recv(&mut packet) {
            // A router that has gone, or is behind, loses packets, as routers do.
            to_router.send(&packet[..length]).ok();
        }
    });
    thread::spawn(move || {
        let mut packet = [0; PACKET_MAX];
        while let Ok(length) = socket.recv(&mut packet) {
            device.send(&packet[..length]).ok();
        }
    });
    println!("up");
    stdout().flush()?;
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
