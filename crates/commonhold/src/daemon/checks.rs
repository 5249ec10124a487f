//! What can be wrong with a node, each with what to do about it. `status` tells what is not well, `doctor` all of it.

mod machine;
mod membership;
mod network;

use api::{Check, Verdict};
use vault::VaultError;

pub use self::machine::{clock, disk, is_clock_sure, permissions, port};
pub use self::membership::{certificate, community, enrolling, is_member};
pub use self::network::{Peers, mapping, namesake, peers, reach, relay, versions};
use crate::counted::counted;
use crate::witness::{ConsentLogError, Examined};

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
