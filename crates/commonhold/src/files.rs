//! Files that are whole or not there, for their owner's account alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

/// Nobody takes so long to write a file of some kilobytes; whoever does is told that it could not be written.
const WRITING: Duration = Duration::from_secs(60);

/// Makes a folder with those above it, if they are not there.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file beside, then puts it into place: whoever reads it finds the old or the new content, whatever happens in
/// between.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        // A device would be a file from then on, for everybody on the machine.
        return Err(io::Error::other("what is there is no file"));
    }
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("this is not the name of a file"))?;
    let mut beside = name.to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is left of it is of no use; the cause is told anyway.
        let _ = fs::remove_file(&beside);
        return written;
    }
    // So that it is there after the power has failed.
    File::open(folder_of(path))?.sync_all()
}

/// Removes what [`replace`] has left in a folder when its process was killed: longer ago than anybody takes to write a file.
pub fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let stem = name
            .strip_suffix(".new")
            .and_then(|stem| stem.rsplit_once('.'));
        let is_left =
            stem.is_some_and(|(_, process)| process.bytes().all(|it| it.is_ascii_digit()));
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if is_left && age > WRITING {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new file.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// The content of a file of at most `limit` bytes.
pub fn read(path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::other("it is longer than any such file"));
    }
    Ok(bytes)
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_replaced_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        make_folder(&inner).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner), 0o700);
        let file = inner.join("file");
        for content in [&b"first"[..], b"second, longer", b"3"] {
            replace(&file, content).unwrap();
            assert_eq!(read(&file, 100).unwrap()[..], *content);
            assert_eq!(mode(&file), 0o600);
        }
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
        assert!(read(&file, 0).is_err());
        // What a killed process has left goes when nobody can be writing it any more.
        let (fresh, old) = (inner.join("file.12.new"), inner.join("file.7.new"));
        fs::write(&fresh, b"half").unwrap();
        let file_of_old = File::create(&old).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        file_of_old.set_modified(long_ago).unwrap();
        tidy(&inner).unwrap();
        assert!(fresh.exists() && file.exists() && !old.exists());
        fs::remove_file(&fresh).unwrap();
        // Nothing is left beside what cannot be written.
        assert!(replace(&inner.join("missing/file"), b"x").is_err());
        fs::create_dir(inner.join("folder")).unwrap();
        assert!(replace(&inner.join("folder"), b"x").is_err());
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 2);
        // Nor is a device replaced, or what else is no file; a socket stands for it, which needs no rights.
        let device = inner.join("device");
        let _socket = std::os::unix::net::UnixListener::bind(&device).unwrap();
        assert!(replace(&device, b"x").is_err());
        assert!(!fs::metadata(&device).unwrap().is_file());
    }
}
