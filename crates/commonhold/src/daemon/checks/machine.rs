//! Of the machine: its disk, its clock, its ports.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use api::{Check, Verdict};
use base::{Duration, Instant};
use crypto::Certificate;
use net::Apart;
use node::CLOCK_SKEW;

use super::{bad, ok};
use crate::daemon::folder::{TOKEN, disk_free};
use crate::daemon::shown;
use crate::home::KEY_FILE;

/// How far the middle of others' clocks may be from ours. Guess: a clock that is kept right is off by less than a second, and
/// draws fail beyond two minutes.
const APART_MAX: Duration = Duration::from_secs(30);

/// What may be read by its owner alone.
const SECRETS: [&str; 4] = ["keys.cbor", KEY_FILE, "vault.db", TOKEN];

/// Whether the folder and the secrets in it are the owner's alone.
pub fn permissions(folder: &Path) -> Check {
    const NAME: &str = "permissions";
    let mut open = Vec::new();
    let files = SECRETS.iter().map(|name| folder.join(name));
    for path in std::iter::once(folder.to_path_buf()).chain(files) {
        match fs::metadata(&path) {
            Ok(found) if found.mode() & 0o077 != 0 => open.push(path.display().to_string()),
            Ok(_) => {}
            // The token is made at the first start.
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
            Err(why) => {
                let found = format!("cannot look at {}: {why}", path.display());
                return bad(
                    Verdict::Fail,
                    NAME,
                    found,
                    "run this as the account that owns the folder",
                );
            }
        }
    }
    if open.is_empty() {
        return ok(NAME, "the folder and its secrets are yours alone");
    }
    let open = open.join(" ");
    let found = format!("other accounts may use {open}");
    bad(Verdict::Warn, NAME, found, format!("run: chmod go= {open}"))
}

/// Whether there is space.
pub fn disk(folder: &Path, least_mib: u64) -> Check {
    const NAME: &str = "disk";
    const MIB: u64 = 1 << 20;
    let Some(free) = disk_free(folder) else {
        let what_to_do = "see to it that the folder's disk can be looked at";
        return bad(
            Verdict::Warn,
            NAME,
            "the free space cannot be told",
            what_to_do,
        );
    };
    let found = format!("{} are free", shown::bytes(free));
    // A few megabytes more, and the vault cannot be written.
    let verdict = if free < 16 * MIB {
        Verdict::Fail
    } else {
        Verdict::Warn
    };
    if free / MIB < least_mib {
        let what_to_do = "delete what you do not need, or move the folder; a node that cannot write takes no part";
        return bad(verdict, NAME, found, what_to_do);
    }
    ok(NAME, found)
}

/// Whether the clock can be right: the node's certificate has begun, and the clock (`wall`) has not been set, nor has the
/// machine slept, since the node started, whose time (`now`) goes on by itself, and it says what `others` say.
pub fn clock(now: Instant, wall: Instant, own: &Certificate, others: Option<Apart>) -> Check {
    const NAME: &str = "clock";
    let said = crate::verify::utc(now.as_secs());
    if now < own.valid_from() {
        let found = format!("it says {said}, which is before your certificate begins");
        return bad(
            Verdict::Fail,
            NAME,
            found,
            "set the clock: timedatectl set-ntp true",
        );
    }
    let apart = now.distance(wall);
    if apart > CLOCK_SKEW {
        let secs = apart.as_secs();
        let found = format!(
            "the node's time and the clock are {secs} s apart: the clock was set, or the machine slept"
        );
        let what_to_do = "start the node again: commonhold down, commonhold up";
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    if let Some(others) = others.filter(|others| others.members > 1 && others.by > APART_MAX) {
        let (secs, members) = (others.by.as_secs(), others.members);
        let way = if others.behind { "behind" } else { "ahead of" };
        let found = format!(
            "it says {said}, which is {secs} s {way} the clocks of {members} other members; such a node takes no part"
        );
        let what_to_do = "set the clock: timedatectl set-ntp true; then start the node again: commonhold down, commonhold up";
        return bad(Verdict::Fail, NAME, found, what_to_do);
    }
    ok(NAME, format!("it says {said}"))
}

/// Whether nothing speaks against the clock: of two that are apart, when only one other member is known, either may be wrong.
pub fn is_clock_sure(
    now: Instant,
    wall: Instant,
    certificate: &Certificate,
    others: Option<Apart>,
) -> bool {
    (certificate.valid_from()..certificate.valid_until()).contains(&now)
        && now.distance(wall) <= CLOCK_SKEW
        && others.is_none_or(|others| others.by <= APART_MAX)
}

/// Whether the port can be had.
pub fn port(listen: SocketAddr) -> Check {
    const NAME: &str = "port";
    match UdpSocket::bind(listen) {
        Ok(_) => ok(NAME, format!("{listen} is free")),
        Err(why) => {
            let found = format!("cannot listen on {listen}: {why}");
            let what_to_do = "stop what uses it, or set another address: key listen of config.toml";
            bad(Verdict::Fail, NAME, found, what_to_do)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::membership::tests::certified;
    use super::*;

    #[test]
    fn a_clock_an_hour_from_those_of_others_is_wrong() {
        let start = 1_800_000_000;
        let certificate = certified(start - 86_400, start + 365 * 86_400);
        let now = Instant::from_secs(start);
        let told = |members, secs, behind| {
            let by = Duration::from_secs(secs);
            let others = Apart {
                members,
                by,
                behind,
            };
            clock(now, now, &certificate, Some(others))
        };
        for (behind, way) in [(true, "3600 s behind"), (false, "3600 s ahead of")] {
            let found = told(2, 3600, behind);
            assert_eq!(found.verdict, Verdict::Fail);
            assert!(found.found.contains(way), "{found:?}");
            assert!(found.what_to_do.starts_with("set the clock"));
        }
        let sure = |wall, members, secs| {
            let by = Duration::from_secs(secs);
            let others = Apart {
                members,
                by,
                behind: true,
            };
            is_clock_sure(now, wall, &certificate, Some(others))
        };
        assert!(sure(now, 1, 5) && sure(now, 9, 5));
        assert!(!sure(now, 1, 3600) && !sure(now, 9, 3600));
        assert!(
            !sure(now + Duration::from_secs(3), 9, 5),
            "the machine slept"
        );
        assert!(!is_clock_sure(Instant(0), Instant(0), &certificate, None));
        // One alone may be the one that is wrong, and a moment is on the way.
        assert_eq!(told(1, 3600, true).verdict, Verdict::Ok);
        assert_eq!(told(9, 5, true).verdict, Verdict::Ok);
    }

    #[test]
    fn open_folders_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("set");
        fs::write(path.join(TOKEN), "").expect("written");
        fs::set_permissions(path.join(TOKEN), fs::Permissions::from_mode(0o600)).expect("set");
        assert_eq!(permissions(path).verdict, Verdict::Ok);
        fs::set_permissions(path.join(TOKEN), fs::Permissions::from_mode(0o644)).expect("set");
        let found = permissions(path);
        assert_eq!(found.verdict, Verdict::Warn);
        assert!(found.what_to_do.ends_with(TOKEN), "{found:?}");
    }

    #[test]
    fn a_port_in_use_is_found() {
        let taken = UdpSocket::bind("127.0.0.1:0").expect("bound");
        let address = taken.local_addr().expect("an address");
        assert_eq!(port(address).verdict, Verdict::Fail);
        drop(taken);
        assert_eq!(port(address).verdict, Verdict::Ok);
    }

    #[test]
    fn little_space_and_nobody_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(disk(folder.path(), 0).verdict, Verdict::Ok);
        assert_eq!(disk(folder.path(), 1 << 40).verdict, Verdict::Warn);
    }
}
