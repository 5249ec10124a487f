//! Files that are whole or not there, for their owner's account alone.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

/// Nobody takes so long to write a file of some kilobytes; whoever does is told that it could not be written.
const WRITING: Duration = Duration::from_secs(60);
/// Longest file that is looked at beside another one.
const BESIDE_MAX: usize = 16 << 10;

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

/// Erases what [`replace`] has left in a folder when its process was killed: longer ago than anybody takes to write a file.
pub fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if left_of(&entry.file_name()).is_some() && is_old(&entry.metadata()?)? {
            erase(&entry.path())?;
        }
    }
    Ok(())
}

/// Erases what [`replace`] has left beside this one file, in a folder that has other uses: what `is_ours` says of its content.
/// Younger files too, if `all`.
pub fn tidy_beside(path: &Path, all: bool, is_ours: impl Fn(&[u8]) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let (name, about) = (entry.file_name(), entry.metadata()?);
        let is_left = about.is_file() && left_of(&name).map(OsStr::new) == path.file_name();
        if is_left && (all || is_old(&about)?) && is_ours(&read(&entry.path(), BESIDE_MAX)?) {
            erase(&entry.path())?;
        }
    }
    Ok(())
}

/// What [`replace`] was to replace by a file of this name.
fn left_of(name: &OsStr) -> Option<&str> {
    let (stem, process) = name.to_str()?.strip_suffix(".new")?.rsplit_once('.')?;
    let is_number = !process.is_empty() && process.bytes().all(|it| it.is_ascii_digit());
    is_number.then_some(stem)
}

fn is_old(about: &fs::Metadata) -> io::Result<bool> {
    Ok(about.modified()?.elapsed().unwrap_or_default() > WRITING)
}

/// Writes zeros over all that a file holds, and removes it. One that is not there is no failure.
pub fn erase(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        opened => blank(&opened?)?,
    }
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

/// Replaces a file, and writes zeros over what it held.
pub fn replace_and_erase(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = OpenOptions::new().write(true).open(path)?;
    replace(path, bytes)?;
    blank(&before)
}

fn blank(mut file: &File) -> io::Result<()> {
    let mut left = file.metadata()?.len();
    let zeros = [0; 4096];
    while left > 0 {
        let some = left.min(zeros.len() as u64);
        file.write_all(&zeros[..some as usize])?;
        left -= some;
    }
    file.sync_all()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a new file. Nothing is left of one that could not be written: it would be in the way of the next try.
pub fn write_new<T, E>(
    path: &Path,
    lost: impl Fn(io::Error) -> E,
    write: impl FnOnce(&File) -> Result<T, E>,
) -> Result<T, E> {
    let file = create(path).map_err(&lost)?;
    let written = write(&file).and_then(|written| {
        file.sync_all().map_err(&lost)?;
        Ok(written)
    });
    if written.is_err() {
        // The cause is told anyway.
        let _ = fs::remove_file(path);
    }
    written
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
        // Of a new one nothing is left either, and one that is there stays.
        let new = inner.join("new");
        let failing = |mut file: &File| {
            file.write_all(b"half")?;
            Err::<(), _>(io::Error::other("full"))
        };
        assert!(write_new(&new, |why| why, failing).is_err() && !new.exists());
        let whole = |mut file: &File| file.write_all(b"whole");
        write_new(&new, |why| why, whole).unwrap();
        assert!(write_new(&new, |why| why, failing).is_err());
        assert_eq!(fs::read(&new).unwrap(), b"whole");
        fs::remove_file(new).unwrap();
        // Nor is a device replaced, or what else is no file; a socket stands for it, which needs no rights.
        let device = inner.join("device");
        let _socket = std::os::unix::net::UnixListener::bind(&device).unwrap();
        assert!(replace(&device, b"x").is_err());
        assert!(!fs::metadata(&device).unwrap().is_file());
    }

    #[test]
    fn beside_a_file_in_a_folder_with_other_uses_only_what_is_ours_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("k");
        let age = |name: &str, content: &str, is_old: bool| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            if is_old {
                let file = OpenOptions::new().write(true).open(&path).unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                    .unwrap();
            }
            path
        };
        let left = age("k.12.new", "ours", true);
        let second_name = folder.path().join("same bytes");
        fs::hard_link(&left, &second_name).unwrap();
        let fresh = age("k.13.new", "ours", false);
        let others = [
            age("k", "ours", true),
            age("k.1a.new", "ours", true),
            age("k..new", "ours", true),
            age("k2.12.new", "ours", true),
            age("k.14.new", "a letter", true),
            age("k.12.new.txt", "ours", true),
        ];
        let is_ours = |bytes: &[u8]| bytes == b"ours";
        tidy_beside(&file, false, is_ours).unwrap();
        assert!(!left.exists() && fresh.exists());
        assert_eq!(fs::read(second_name).unwrap(), [0; 4]);
        tidy_beside(&file, true, is_ours).unwrap();
        assert!(!fresh.exists() && others.iter().all(|path| path.exists()));
    }
}
