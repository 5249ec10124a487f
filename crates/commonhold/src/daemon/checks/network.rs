//! Of the way to the others and back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use api::{Check, Reach, ReachState, Verdict};
use base::NodeId;

use super::{bad, ok};
use crate::counted::counted;
use crate::daemon::reach::words;

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
    /// Members who were reached and do not admit this node.
    pub refusing: u64,
    /// Other members who were known at some time within a day, or are told of by others and do not answer.
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
        refusing,
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
    // Fewer than half: single ones are away everywhere. With one or two nothing can be asked, whoever reaches this node.
    let is_alone = is_cut_off || others <= 2;
    if others > 0 && is_alone && others * 2 < met {
        let known = counted(others, "is known", "are known");
        let found = format!("of {met} other members of whom this node has heard lately {known}");
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
    if refusing > 0 {
        let found = format!(
            "no other member is known, and this node is not admitted by {} reached",
            counted(refusing, "member who was", "members who were")
        );
        let what_to_do = "if it stays so for some minutes, its certificate holds no longer (revoked, or by an issuer who is not listed any \
                          more) in an epoch that this node has not heard of: ask who keeps the community for a new certificate, or for the \
                          descriptor (commonhold community install FILE)";
        return bad(Verdict::Fail, NAME, found, what_to_do);
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
    use super::*;

    #[test]
    fn whoever_knows_nobody_few_or_too_many_is_told() {
        let all = Peers {
            others: 11,
            nodes: 12,
            tried: 3,
            connected: 3,
            refusing: 1,
            met: 11,
            is_cut_off: false,
        };
        let nobody = Peers {
            others: 0,
            connected: 0,
            refusing: 0,
            ..all
        };
        assert_eq!(peers(all).verdict, Verdict::Ok);
        for (others, verdict) in [(1, Verdict::Warn), (2, Verdict::Warn), (3, Verdict::Ok)] {
            assert_eq!(peers(Peers { others, ..all }).verdict, verdict);
        }
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
        let refused = peers(Peers {
            refusing: 2,
            ..nobody
        });
        assert_eq!(refused.verdict, Verdict::Fail);
        assert!(
            refused.found.contains("2 members who were reached"),
            "{refused:?}"
        );
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
    fn members_of_another_version_are_named() {
        assert_eq!(versions(&[]).verdict, Verdict::Ok);
        let found = versions(&[NodeId([0xab; 32])]);
        assert_eq!(found.verdict, Verdict::Warn);
        assert!(found.found.contains("commonhold/2"), "{found:?}");
        assert!(found.found.contains("abababab"), "{found:?}");
    }
}
