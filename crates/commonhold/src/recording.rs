//! Recordings of a node on the disk: encrypted under a key that only the node's own folder gives.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use base::{Rng, decode, encode};
use community::Identity;
use crypto::Stream;
use node::recording::{PIECE_MAX, Replay, Sink, Start};
use tokio::sync::mpsc;

use crate::cli::{ANSWERED, FAILED, fail};
use crate::files;
use crate::output::tell;
use crate::simulate::options::ReplayOptions;

/// What every recording begins with. A later format has another number.
const MAGIC: &[u8] = b"commonhold recording 2\n";
const PURPOSE: &str = "recording";
/// Inputs that wait for the disk; then the node waits.
const WAITING: usize = 4096;
/// What encryption adds to a piece.
const TAG: usize = 16;

/// Begins a recording in a new file. What goes wrong later ends it and is told to `notes`; the node runs on.
pub fn begin(
    path: &Path,
    identity: &Identity,
    start: &Start,
    rng: &mut Rng,
    notes: mpsc::Sender<String>,
) -> std::io::Result<Sink> {
    let mut file = files::create(path)?;
    let salt = rng.bytes32();
    file.write_all(MAGIC)?;
    file.write_all(&salt)?;
    let mut stream = Stream::new(identity.key.seed(), PURPOSE, &salt);
    let mut file = BufWriter::new(file);
    write(&mut file, &stream.seal(&encode(start)))?;
    file.flush()?;
    let (pieces, waiting) = sync_channel::<Vec<u8>>(WAITING);
    let shown = path.display().to_string();
    std::thread::spawn(move || {
        while let Ok(piece) = waiting.recv() {
            let mut written = write(&mut file, &stream.seal(&piece));
            for piece in waiting.try_iter() {
                written = written.and_then(|()| write(&mut file, &stream.seal(&piece)));
            }
            if let Err(why) = written.and_then(|()| file.flush()) {
                let note = format!("the recording ends, as {shown} cannot be written: {why}");
                drop(notes.blocking_send(note));
                return;
            }
        }
    });
    Ok(Box::new(move |piece| drop(pieces.send(piece))))
}

fn write(file: &mut impl Write, sealed: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(sealed.len()).map_err(std::io::Error::other)?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(sealed)
}

/// Runs `commonhold simulate replay`.
pub fn replay(options: &ReplayOptions) -> ExitCode {
    match play(options) {
        Ok(told) if options.json => {
            let json = serde_json::json!({
                "inputs": told.inputs,
                "outputs": told.outputs,
                "whole": told.is_whole,
            });
            tell(format_args!("{json:#}"));
            ExitCode::from(ANSWERED)
        }
        Ok(told) => {
            let end = match told.is_whole {
                true => "",
                false => "; the file ends in the middle of a piece, as after a crash",
            };
            tell(format_args!(
                "The same: {} inputs, and {} things said to them{end}.",
                told.inputs, told.outputs
            ));
            ExitCode::from(ANSWERED)
        }
        Err(why) => fail(options.json, &why, FAILED),
    }
}

struct Told {
    inputs: u64,
    outputs: u64,
    is_whole: bool,
}

fn play(options: &ReplayOptions) -> Result<Told, String> {
    let home = options.place.home().map_err(|why| why.to_string())?;
    let identity = home.identity().map_err(|why| why.to_string())?;
    let shown = options.file.display();
    let unread = |why: std::io::Error| format!("cannot read {shown}: {why}");
    let mut file = BufReader::new(File::open(&options.file).map_err(unread)?);
    let none = || format!("{shown} is no recording of this program");
    let mut head = [0; MAGIC.len() + 32];
    file.read_exact(&mut head).map_err(|_| none())?;
    let (magic, salt) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(none());
    }
    let salt = salt.try_into().expect("32 bytes follow the magic");
    let mut stream = Stream::new(identity.key.seed(), PURPOSE, salt);
    let foreign = || {
        format!(
            "{shown} cannot be decrypted with the keys in {}; name the folder of the node that was recorded with --dir",
            home.path().display()
        )
    };
    let first = read(&mut file).map_err(unread)?.ok_or_else(none)?;
    let first = stream.open(&first).map_err(|_| foreign())?;
    let start: Start = decode(&first, PIECE_MAX).map_err(|_| none())?;
    let mut replay = Replay::new(Arc::new(identity), start).map_err(|why| why.to_string())?;
    let mut is_whole = true;
    loop {
        match read(&mut file) {
            Ok(Some(piece)) => {
                let damaged = |why| format!("{shown}, input {}: {why}", replay.inputs() + 1);
                let piece = stream.open(&piece).map_err(damaged)?;
                replay.play(&piece).map_err(|why| why.to_string())?;
            }
            Ok(None) => break,
            Err(why) if why.kind() == ErrorKind::UnexpectedEof => {
                is_whole = false;
                break;
            }
            Err(why) => return Err(unread(why)),
        }
    }
    Ok(Told {
        inputs: replay.inputs(),
        outputs: replay.outputs(),
        is_whole,
    })
}

/// The next piece, still encrypted; nothing at the end.
fn read(file: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while filled < length.len() {
        match file.read(&mut length[filled..])? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => filled += more,
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > PIECE_MAX + TAG {
        return Err(std::io::Error::other(
            "a piece is longer than any that is written",
        ));
    }
    let mut piece = vec![0; length];
    file.read_exact(&mut piece)?;
    Ok(Some(piece))
}
