//! What can be wrong with a node, each with what to do about it. `status` tells what is not well, `doctor` all of it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use api::{Check, Reach, ReachState, Verdict};
use base::{Duration, Instant, NodeId};
use community::Community;
use crypto::Certificate;
use net::Apart;
use node::CLOCK_SKEW;
use vault::VaultError;

use crate::community_command::Standing;
use crate::counted::counted;
use crate::daemon::folder::{TOKEN, disk_free};
use crate::daemon::reach::words;
use crate::daemon::shown;
use crate::home::KEY_FILE;
use crate::witness::{ConsentLogError, Examined};

/// A certificate that ends within this is worth a warning.
const RENEW_WITHIN: Duration = Duration::from_secs(14 * 86_400);
/// How far the middle of others' clocks may be from ours. Guess: a clock that is kept right is off by less than a second, and
/// draws fail beyond two minutes.
const APART_MAX: Duration = Duration::from_secs(30);
/// What may be read by its owner alone.
const SECRETS: [&str; 4] = ["keys.cbor", KEY_FILE, "vault.db", TOKEN];

/// What there is to say before there is a community, and what to do about it.
pub const NO_COMMUNITY: (&str, &str) = (
    "this node belongs to no community yet",
    "join one on the node's page (commonhold open), or with: commonhold community join TICKET",
);

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

/// The node is yet to come.
pub fn no_community() -> Check {
    bad(Verdict::Warn, "community", NO_COMMUNITY.0, NO_COMMUNITY.1)
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

/// Whether the node's certificate is in force, and for how long.
pub fn certificate(now: Instant, own: &Certificate) -> Check {
    const NAME: &str = "certificate";
    let (from, until) = (own.valid_from(), own.valid_until());
    let ends = crate::verify::utc(until.as_secs());
    let renew = "ask your community's authority for a new certificate: commonhold community renew";
    if now >= until {
        let found = format!("this node's certificate ended on {ends}: nobody speaks to it");
        let what_to_do = format!("{renew}; or set the clock, if that is wrong");
        return bad(Verdict::Fail, NAME, found, what_to_do);
    }
    let left = until.since(now);
    let soon = match left.as_secs() / 86_400 {
        0 => "within a day".into(),
        days => format!("in {}", counted(days, "day", "days")),
    };
    let found = format!("it ends {soon}, on {ends}");
    // One that was made for a short time ends soon from its first day on.
    if left < RENEW_WITHIN.min(until.since(from) / 4) {
        return bad(Verdict::Warn, NAME, found, renew);
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

/// Whether the vault of a node that runs can be written.
pub fn vault(unwritten: Option<&str>) -> Check {
    const NAME: &str = "vault";
    let Some(why) = unwritten else {
        return ok(NAME, "it is open");
    };
    let why = why.split("; ").next().unwrap_or(why);
    let found = format!(
        "it cannot be written: {why}. The node takes no part in questions, and what you say to it now may be forgotten when it stops"
    );
    let what_to_do = "free some space on its disk, and say again what you said since: commonhold question rule list";
    bad(Verdict::Fail, NAME, found, what_to_do)
}

/// Whether every page of the vault is as it was written.
pub fn pages(checked: &Result<(), VaultError>) -> Check {
    const NAME: &str = "data";
    match checked {
        Ok(()) => ok(NAME, "every page of the vault is as it was written"),
        Err(why) => failed(NAME, &why.to_string()),
    }
}

/// Whether the consent log is as it was written.
pub fn consent_log(examined: &Result<Examined, ConsentLogError>) -> Check {
    const NAME: &str = "consent";
    match examined {
        Ok(Examined::Holds(end)) => ok(
            NAME,
            format!(
                "the log is as it was written, with {}",
                counted(end.entries, "entry", "entries")
            ),
        ),
        Ok(Examined::Unwitnessed(end)) if end.entries == 0 => ok(NAME, "nothing is in the log yet"),
        Ok(Examined::Unwitnessed(end)) => bad(
            Verdict::Warn,
            NAME,
            format!(
                "the log holds together, with {}, but the file that says where it ended is not there: some may have been cut off",
                counted(end.entries, "entry", "entries")
            ),
            "start the node, which notes that in the log; as after a restored backup",
        ),
        Err(why) => failed(NAME, &why.to_string()),
    }
}

/// The vault has other things to do.
pub fn unread() -> Check {
    let found = "neither its pages nor the consent log were checked: the vault is busy";
    let what_to_do = "try again when the import that is running has ended";
    bad(Verdict::Warn, "data", found, what_to_do)
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

/// Whether others can reach a node at the addresses that they are told, and whether they do.
pub fn reach(announced: &[SocketAddr], told: &Reach) -> Check {
    const NAME: &str = "reach";
    let list: Vec<_> = announced.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    if announced.iter().all(|address| address.ip().is_loopback()) {
        let found = format!("others are told {list}, which only this machine can reach");
        let what_to_do = "set the keys listen and announce of config.toml, unless the whole community is on this machine";
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    let port = announced.first().map_or(0, SocketAddr::port);
    let words = words(told);
    if told.reached == ReachState::No {
        let found = format!("others do not reach {list}: {words}");
        let what_to_do = format!(
            "let UDP port {port} in: in the firewall of this machine, and in your router, which must forward it to this machine (the key map_port of config.toml asks it to)"
        );
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    let is_told = |seen: &String| announced.iter().any(|at| at.ip().to_string() == *seen);
    if told.reached == ReachState::Unknown
        && let Some(seen) = told.seen.first().filter(|_| !told.seen.iter().any(is_told))
    {
        let found = format!("others are told {list}, but called from {seen}");
        let what_to_do = format!(
            "if that is your router's address, have it forward UDP port {port} to this machine, and set the key announce of config.toml to [\"{}\"]",
            SocketAddr::new(
                seen.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                port
            )
        );
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    ok(NAME, format!("others are told {list}; reached: {words}"))
}

/// Whether the router, which was asked for a port, has given one that others are told.
pub fn mapping(external: Option<SocketAddr>, announced: &[SocketAddr]) -> Check {
    const NAME: &str = "mapping";
    match external {
        None => {
            let what_to_do = "allow PCP or NAT-PMP in the router, or forward the port there by hand and set the key announce of config.toml";
            bad(Verdict::Warn, NAME, "the router gives no port", what_to_do)
        }
        Some(external) if !announced.contains(&external) => bad(
            Verdict::Warn,
            NAME,
            format!("the router gives {external} now, which others are not told"),
            "start the node again: commonhold down, commonhold up",
        ),
        Some(external) => ok(
            NAME,
            format!("the router listens on {external} for this node"),
        ),
    }
}

/// Whether one of the relays that this node was given serves it; `None` when it was given none.
pub fn relay(relays: &[SocketAddr], is_served: bool) -> Option<Check> {
    const NAME: &str = "relay";
    let list: Vec<_> = relays.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    if relays.is_empty() {
        return None;
    }
    if is_served {
        return Some(ok(NAME, format!("a relay serves this node, of {list}")));
    }
    let found = format!("no relay serves this node, though it is to use {list}");
    let what_to_do = "have the member who keeps it start it again (commonhold relay), or name another in the key relays of \
                      config.toml; until then only members who reach this node directly, or whom it reaches, hear it";
    Some(bad(Verdict::Warn, NAME, found, what_to_do))
}

/// Whether members speak to this node at all.
pub fn is_member(community: &Community, own: &Certificate) -> bool {
    let descriptor = community.descriptor();
    descriptor.issuers().contains(&own.issuer()) && !descriptor.is_revoked(own.node())
}

/// Whether this node is a member still, of a community that is one; `epoch` has two descriptors.
pub fn community(community: &Community, own: &Certificate, contradiction: Option<u64>) -> Check {
    const NAME: &str = "community";
    let descriptor = community.descriptor();
    if let Some(epoch) = contradiction {
        let found = format!("its authority has signed two descriptors of epoch {epoch}");
        let what_to_do = format!(
            "talk to the other members, and show them epoch-{epoch}-a.cbor and epoch-{epoch}-b.cbor in the node's folder: who has \
             the authority's key has given some of you other rules than others"
        );
        return bad(Verdict::Fail, NAME, found, what_to_do);
    }
    if !descriptor.issuers().contains(&own.issuer()) {
        return bad(
            Verdict::Fail,
            NAME,
            "who certified this node is not listed any more, so that its certificate holds no longer: nobody speaks to it",
            "have it certified anew by who certifies now: commonhold community renew",
        );
    }
    if descriptor.is_revoked(own.node()) {
        let what_to_do = "ask who keeps the community's authority; to take part again you need a new ticket and join with new keys";
        return bad(
            Verdict::Fail,
            NAME,
            "this node is revoked: nobody speaks to it",
            what_to_do,
        );
    }
    let found = format!("\"{}\" is in epoch {}", descriptor.name, descriptor.epoch);
    ok(NAME, found)
}

/// Whether a node that lets people in from this folder can.
pub fn enrolling(folder: &Path, standing: Standing) -> Check {
    const NAME: &str = "enrol";
    let Standing {
        key,
        counts,
        trouble,
    } = standing;
    let folder = folder.display();
    let Some(why) = trouble else {
        if counts {
            let found = format!("people with tickets are let in by the key {key:?}");
            return ok(NAME, found);
        }
        let found =
            format!("nobody can be let in: the key {key:?} in {folder} is not listed any more");
        let what_to_do = "ask who keeps the community's authority for another; the node itself goes on without: commonhold up";
        return bad(Verdict::Fail, NAME, found, what_to_do);
    };
    let (verdict, done) = match counts {
        true => (Verdict::Warn, "people are let in by the old one"),
        false => (Verdict::Fail, "nobody can be let in"),
    };
    let found = format!(
        "another key has taken the place of {key:?}, and this node could not unlock it: {why}. Meanwhile {done}"
    );
    let what_to_do =
        format!("start the node again: commonhold down, commonhold up --enrol {folder}");
    bad(verdict, NAME, found, what_to_do)
}

/// Whether another node runs under this one's name.
pub fn namesake(elsewhere: Option<&str>) -> Check {
    const NAME: &str = "namesake";
    match elsewhere {
        None => ok(NAME, "nobody else is known to run under this node's name"),
        Some(elsewhere) => bad(
            Verdict::Fail,
            NAME,
            format!("the same node was started at {elsewhere} as well"),
            "stop one of the two for good: members hear now this one, now that one, and each gives away what the other does \
             not know of",
        ),
    }
}

/// Whether members speak another version of the protocol.
pub fn versions(others: &[NodeId]) -> Check {
    const NAME: &str = "versions";
    let protocol = String::from_utf8_lossy(net::ALPN);
    if others.is_empty() {
        return ok(
            NAME,
            format!("all members who were dialled speak {protocol}"),
        );
    }
    let names: Vec<_> = others.iter().map(|node| format!("{node:?}")).collect();
    let names = names.join(", ");
    let found = format!("these members do not speak {protocol} as this program does: {names}");
    let what_to_do =
        "have them and you run the same version of the program; until then they are not reached";
    bad(Verdict::Warn, NAME, found, what_to_do)
}

/// Whom this node knows of its community.
#[derive(Debug, Clone, Copy)]
pub struct Peers {
    /// Other members who are known now.
    pub others: u64,
    /// As many as the community is sized for, this node among them.
    pub nodes: u64,
    /// Addresses of others that are tried.
    pub tried: usize,
    /// Members to whom there is a connection.
    pub connected: u64,
    /// Other members who were known at some time within a day.
    pub met: u64,
    /// Whether nobody is known to get through to this node, though it has been up for a while.
    pub is_cut_off: bool,
}

/// Whether so many are known as there should be.
pub fn peers(peers: Peers) -> Check {
    const NAME: &str = "peers";
    let Peers {
        others,
        nodes,
        tried,
        connected,
        met,
        is_cut_off,
    } = peers;
    let expected = nodes.saturating_sub(1);
    let relayed = "have a member whom all reach serve a relay (commonhold relay), and have both sides name it in the key relays of config.toml";
    if others > expected {
        let found = format!(
            "{} known, and the community is sized for {nodes} nodes, this one among them: no question is put to more",
            counted(others, "other member is", "other members are")
        );
        let what_to_do =
            "have who keeps the community raise that number: commonhold community amend --nodes N";
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    // Fewer than half: single ones are away everywhere.
    if others > 0 && is_cut_off && others * 2 < met {
        let found = format!("of {met} other members who were there within a day {others} known");
        let what_to_do = format!(
            "if the others are up, they and this node do not get through to each other: {relayed}"
        );
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    if others > 0 || expected == 0 {
        return ok(
            NAME,
            format!(
                "{others} of {} known",
                counted(expected, "other member is", "other members are")
            ),
        );
    }
    if connected > 0 {
        let found =
            "others are connected, but no member is known by whom a question could be answered";
        let what_to_do = format!(
            "wait a minute after a start; if it stays so, the others do not get through to this node: {relayed}"
        );
        return bad(Verdict::Warn, NAME, found, what_to_do);
    }
    if tried == 0 {
        let what_to_do = "set the key peers of config.toml, unless others join through you";
        return bad(Verdict::Warn, NAME, "no other member is known", what_to_do);
    }
    let found = format!(
        "no other member is known; {} tried again and again, at most a minute and a quarter apart",
        counted(tried, "address of theirs is", "addresses of theirs are")
    );
    let what_to_do = "wait until one of them is back, check this machine's network, or name another member in the key peers of config.toml";
    bad(Verdict::Warn, NAME, found, what_to_do)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use base::Rng;
    use community::{Descriptor, Retired, SignedDescriptor, Terms, draw_keys, enrol};
    use crypto::{Rights, SigningKey};

    use super::*;

    fn certified(from: u64, until: u64) -> Certificate {
        let rng = &mut Rng::from_number(1);
        let authority = SigningKey::generate(rng);
        let descriptor = Descriptor::founding("example", authority.node(), 13);
        let (_, _, request) = draw_keys(&descriptor.community, rng);
        let terms = Terms {
            rights: Rights { ask: true },
            valid_from: Instant::from_secs(from),
            valid_until: Instant::from_secs(until),
        };
        enrol(&authority, &descriptor, &request, terms, rng).expect("certified")
    }

    #[test]
    fn a_certificate_that_ends_is_not_the_clocks_fault() {
        let (day, start) = (86_400, 1_800_000_000);
        let own = certified(start, start + 365 * day);
        let verdicts = |secs| {
            let now = Instant::from_secs(secs);
            (
                certificate(now, &own).verdict,
                clock(now, now, &own, None).verdict,
            )
        };
        assert_eq!(verdicts(0).1, Verdict::Fail);
        for (days, of_certificate) in [
            (0, Verdict::Ok),
            (350, Verdict::Ok),
            (352, Verdict::Warn),
            (365, Verdict::Fail),
        ] {
            let expected = (of_certificate, Verdict::Ok);
            assert_eq!(verdicts(start + days * day), expected, "{days}");
        }
        let certificate = own;
        let (now, slept) = (Instant::from_secs(start), Instant::from_secs(start + 3));
        for (now, wall) in [(now, slept), (slept, now)] {
            let found = clock(now, wall, &certificate, None);
            assert_eq!(found.verdict, Verdict::Warn);
            assert!(found.found.contains("3 s apart"), "{found:?}");
        }
    }

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

    #[test]
    fn whoever_knows_nobody_few_or_too_many_is_told() {
        let all = Peers {
            others: 11,
            nodes: 12,
            tried: 3,
            connected: 3,
            met: 11,
            is_cut_off: false,
        };
        let nobody = Peers {
            others: 0,
            connected: 0,
            ..all
        };
        assert_eq!(peers(all).verdict, Verdict::Ok);
        assert_eq!(peers(Peers { others: 1, ..all }).verdict, Verdict::Ok);
        assert_eq!(peers(Peers { tried: 0, ..nobody }).verdict, Verdict::Warn);
        let tried = peers(nobody);
        assert!(
            tried.found.contains("3 addresses of theirs are tried"),
            "{tried:?}"
        );
        let alone = peers(Peers {
            connected: 1,
            ..nobody
        });
        assert!(alone.what_to_do.contains("commonhold relay"), "{alone:?}");
        let few = peers(Peers {
            others: 5,
            is_cut_off: true,
            ..all
        });
        assert!(
            few.found.starts_with("of 11") && few.what_to_do.contains("commonhold relay"),
            "{few:?}"
        );
        let half = Peers {
            others: 6,
            is_cut_off: true,
            ..all
        };
        assert_eq!(peers(half).verdict, Verdict::Ok);
        let many = peers(Peers { others: 12, ..all });
        assert!(many.what_to_do.contains("amend --nodes"), "{many:?}");
        let only = Peers { nodes: 1, ..nobody };
        assert_eq!(peers(only).verdict, Verdict::Ok);
    }

    #[test]
    fn a_relay_that_serves_no_more_is_found() {
        let at = ["192.0.2.1:9".parse().expect("an address")];
        assert_eq!(relay(&[], false), None);
        let verdict = |is_served| relay(&at, is_served).map(|check| check.verdict);
        assert_eq!(verdict(true), Some(Verdict::Ok));
        assert_eq!(verdict(false), Some(Verdict::Warn));
    }

    #[test]
    fn who_is_not_reached_is_told_which_port_to_open() {
        let told = |reached, seen: &[&str]| Reach {
            reached,
            asked_at: Some(1),
            asked: 3,
            yes: 0,
            no: 2,
            seen: seen.iter().map(ToString::to_string).collect(),
        };
        let at = |text: &str, told: &Reach| reach(&[text.parse().expect("an address")], told);
        let unsure = told(ReachState::Unknown, &[]);
        assert_eq!(at("127.0.0.1:1", &unsure).verdict, Verdict::Warn);
        assert_eq!(at("192.0.2.1:1", &unsure).verdict, Verdict::Ok);
        let yes = told(ReachState::Yes, &["192.0.2.1"]);
        assert_eq!(at("192.0.2.1:1", &yes).verdict, Verdict::Ok);
        let no = at("192.0.2.1:77", &told(ReachState::No, &["192.0.2.1"]));
        assert_eq!(no.verdict, Verdict::Warn);
        assert!(no.what_to_do.contains("UDP port 77"), "{no:?}");
        // At home, without having said what the router's address is.
        let home = at("10.0.0.2:77", &told(ReachState::Unknown, &["192.0.2.1"]));
        assert_eq!(home.verdict, Verdict::Warn);
        assert!(home.what_to_do.contains("[\"192.0.2.1:77\"]"), "{home:?}");
    }

    #[test]
    fn a_port_that_the_router_does_not_give_or_has_changed_is_found() {
        let [old, new] = ["192.0.2.1:7", "192.0.2.1:8"].map(|at| at.parse().expect("an address"));
        assert_eq!(mapping(None, &[]).verdict, Verdict::Warn);
        assert_eq!(mapping(Some(old), &[old]).verdict, Verdict::Ok);
        let changed = mapping(Some(new), &[old]);
        assert_eq!(changed.verdict, Verdict::Warn);
        assert!(changed.what_to_do.contains("start the node again"));
    }

    #[test]
    fn who_is_revoked_or_certified_by_nobody_any_more_is_no_member() {
        let rng = &mut Rng::from_number(1);
        let authority = SigningKey::generate(rng);
        let descriptor = Descriptor::founding("example", authority.node(), 13);
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("signed");
        let community = Community::open(signed).expect("a community");
        let own = certified(1_800_000_000, 1_800_086_400);
        let verdict = |community: &Community| {
            let check = super::community(community, &own, None);
            (is_member(community, &own), check.verdict)
        };
        assert_eq!(verdict(&community), (true, Verdict::Ok));
        let revoked = community.revoke(&authority, own.node()).expect("revoked");
        assert_eq!(verdict(&revoked), (false, Verdict::Fail));
        let next = SigningKey::generate(rng);
        let rotated = community.rotate(&authority, &next, Retired::Distrusted);
        let rotated = rotated.expect("rotated");
        assert_eq!(verdict(&rotated), (false, Verdict::Fail));
    }

    #[test]
    fn a_key_that_lets_nobody_in_is_found() {
        let told = |counts, trouble: Option<&str>| {
            let standing = Standing {
                key: NodeId([0xab; 32]),
                counts,
                trouble: trouble.map(Into::into),
            };
            enrolling(Path::new("desk"), standing)
        };
        assert_eq!(told(true, None).verdict, Verdict::Ok);
        let unlisted = told(false, None);
        assert_eq!(unlisted.verdict, Verdict::Fail);
        assert!(unlisted.found.contains("abababab"), "{unlisted:?}");
        for (counts, verdict) in [(true, Verdict::Warn), (false, Verdict::Fail)] {
            let locked = told(counts, Some("wrong passphrase"));
            assert_eq!(locked.verdict, verdict);
            assert!(locked.found.contains("wrong passphrase"), "{locked:?}");
            assert!(locked.what_to_do.ends_with("up --enrol desk"));
        }
    }

    #[test]
    fn members_of_another_version_are_named() {
        assert_eq!(versions(&[]).verdict, Verdict::Ok);
        let found = versions(&[NodeId([0xab; 32])]);
        assert_eq!(found.verdict, Verdict::Warn);
        assert!(found.found.contains("commonhold/2"), "{found:?}");
        assert!(found.found.contains("abababab"), "{found:?}");
    }
}
