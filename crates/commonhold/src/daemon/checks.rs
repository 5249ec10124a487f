//! What can be wrong with a node, each with what to do about it. `status` tells what is not well, `doctor` all of it.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use api::{Check, Verdict};
use base::{Duration, Instant};
use crypto::Certificate;
use node::CLOCK_SKEW;

use crate::daemon::folder::{TOKEN, disk_free};

/// A certificate that ends within this is worth a warning.
const RENEW_WITHIN: Duration = Duration::from_secs(14 * 86_400);
/// What may be read by its owner alone.
const SECRETS: [&str; 3] = ["keys.cbor", "vault.db", TOKEN];

/// All is well.
fn ok(name: &str, found: impl Into<String>) -> Check {
    Check {
        name: name.into(),
        verdict: Verdict::Ok,
        found: found.into(),
        what_to_do: String::new(),
    }
}

/// Something is not.
fn bad(
    verdict: Verdict,
    name: &str,
    found: impl Into<String>,
    what_to_do: impl Into<String>,
) -> Check {
    Check {
        name: name.into(),
        verdict,
        found: found.into(),
        what_to_do: what_to_do.into(),
    }
}

/// Something that did not work, from a text that says after its last semicolon what to do.
pub fn failed(name: &str, why: &str) -> Check {
    let (found, what_to_do) = why.rsplit_once("; ").unwrap_or((why, "see the log"));
    bad(Verdict::Fail, name, found, what_to_do)
}

/// Something that works.
pub fn works(name: &str, found: &str) -> Check {
    ok(name, found)
}

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
    let found = format!("{} MiB are free", free / MIB);
    // A few megabytes more, and the vault cannot be written.
    let verdict = if free < 16 * MIB {
        Verdict::Fail
    } else {
        Verdict::Warn
    };
    if free / MIB < least_mib {
        let what_to_do =
            "delete what you do not need, or move the folder; a node that cannot write stops";
        return bad(verdict, NAME, found, what_to_do);
    }
    ok(NAME, found)
}

/// Whether the clock can be right: the node's certificate is in force, and the clock (`wall`) has not been set, nor has the
/// machine slept, since the node started, whose time (`now`) goes on by itself.
pub fn clock(now: Instant, wall: Instant, certificate: &Certificate) -> Check {
    const NAME: &str = "clock";
    let (from, until) = (certificate.valid_from(), certificate.valid_until());
    let said = crate::verify::utc(now.as_secs());
    if now < from {
        let found = format!("it says {said}, which is before your certificate begins");
        return bad(
            Verdict::Fail,
            NAME,
            found,
            "set the clock: timedatectl set-ntp true",
        );
    }
    if now >= until {
        let found = format!("it says {said}, which is after your certificate has ended");
        let what_to_do = "set the clock if it is wrong; else ask your community's authority for a new certificate";
        return bad(Verdict::Fail, NAME, found, what_to_do);
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
    let left = until.since(now);
    let days = left.as_secs() / 86_400;
    let found = format!("it says {said}; your certificate ends in {days} days");
    // One that was made for a short time ends soon from its first day on.
    if left < RENEW_WITHIN.min(until.since(from) / 4) {
        return bad(
            Verdict::Warn,
            NAME,
            found,
            "ask your community's authority for a new certificate",
        );
    }
    ok(NAME, found)
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

/// Whether others can reach a node that is told of so.
pub fn reach(announced: &[SocketAddr]) -> Check {
    const NAME: &str = "reach";
    let list: Vec<_> = announced.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    if announced.iter().all(|address| address.ip().is_loopback()) {
        let found = format!("others are told {list}, which only this machine can reach");
        let what_to_do = "set the keys listen and announce of config.toml, unless the whole community is on this machine";
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    ok(NAME, format!("others are told {list}"))
}

/// Whether anybody is known.
pub fn peers(others: u64, community: u64, asked_to_join: bool) -> Check {
    const NAME: &str = "peers";
    let expected = community.saturating_sub(1);
    if others > 0 || expected == 0 {
        return ok(
            NAME,
            format!("{others} of {expected} other members are known"),
        );
    }
    let what_to_do = if asked_to_join {
        "wait a little; then check the addresses in the key peers of config.toml, and that those nodes run"
    } else {
        "set the key peers of config.toml, unless others join through you"
    };
    bad(Verdict::Warn, NAME, "no other member is known", what_to_do)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use base::Rng;
    use community::{Descriptor, Terms, draw_keys, enrol};
    use crypto::{Rights, SigningKey};

    use super::*;

    fn certificate(from: u64, until: u64) -> Certificate {
        let rng = &mut Rng::from_number(1);
        let authority = SigningKey::generate(rng);
        let descriptor = Descriptor {
            epoch: 1,
            name: "example".into(),
            community: Descriptor::community_of("example", authority.node()),
            authority: authority.node(),
            enrolment: Vec::new(),
            nodes: 13,
            colluders: 3,
            alpha: 1e-6,
            offline_permille: 50,
            min_crowd: 4,
            padding_allowance: 1,
            draws_per_period: 16,
            cache_size: 512,
            period_secs: 3600,
            vocabulary: Vec::new(),
            revoked: Vec::new(),
        };
        let (_, _, request) = draw_keys(&descriptor.community, rng);
        let terms = Terms {
            rights: Rights { ask: true },
            valid_from: Instant::from_secs(from),
            valid_until: Instant::from_secs(until),
        };
        enrol(&authority, &descriptor, &request, terms, rng).expect("certified")
    }

    #[test]
    fn a_clock_outside_the_certificate_is_wrong() {
        let (day, start) = (86_400, 1_800_000_000);
        let certificate = certificate(start, start + 365 * day);
        let verdict = |secs| {
            let now = Instant::from_secs(secs);
            clock(now, now, &certificate).verdict
        };
        assert_eq!(verdict(0), Verdict::Fail);
        assert_eq!(verdict(start), Verdict::Ok);
        assert_eq!(verdict(start + 350 * day), Verdict::Ok);
        assert_eq!(verdict(start + 352 * day), Verdict::Warn);
        assert_eq!(verdict(start + 365 * day), Verdict::Fail);
        let (now, slept) = (Instant::from_secs(start), Instant::from_secs(start + 3));
        for (now, wall) in [(now, slept), (slept, now)] {
            let found = clock(now, wall, &certificate);
            assert_eq!(found.verdict, Verdict::Warn);
            assert!(found.found.contains("3 s apart"), "{found:?}");
        }
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
        assert_eq!(peers(0, 12, true).verdict, Verdict::Warn);
        assert_eq!(peers(1, 12, true).verdict, Verdict::Ok);
        assert_eq!(peers(0, 1, false).verdict, Verdict::Ok);
        let at = |text: &str| reach(&[text.parse().expect("an address")]).verdict;
        assert_eq!(
            (at("127.0.0.1:1"), at("192.0.2.1:1")),
            (Verdict::Warn, Verdict::Ok)
        );
    }
}
