//! Where holders of a ticket are let in: nodes on this machine that run beside the key that certifies.

use std::fs;
use std::path::Path;
use std::time::Duration;

use community::{Member, TICKET_ADDRESSES_MAX, TICKET_MEMBERS_MAX, Ticket};
use tokio::time::timeout;

use super::places::{self, Role};
use crate::daemon::client;

/// For a node on this machine to say how it is.
const STATUS_WITHIN: Duration = Duration::from_secs(5);

/// The nodes on this machine that let people in with the key in this folder.
pub fn open(folder: &Path) -> Vec<Member> {
    let same = |other: &str| {
        let (one, other) = (fs::canonicalize(folder), fs::canonicalize(other));
        one.ok()
            .zip(other.ok())
            .is_some_and(|(one, other)| one == other)
    };
    let door = async |home: &Path| {
        let client = client(home).ok()?;
        let status = timeout(STATUS_WITHIN, client.status()).await.ok()?.ok()?;
        status.enrol.filter(|key| same(key))?;
        let addresses = status.announces.iter().filter_map(|it| it.parse().ok());
        Some(Member {
            node: status.node.parse().ok()?,
            addresses: addresses.take(TICKET_ADDRESSES_MAX).collect(),
        })
    };
    let homes = places::known(Role::Node).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // A ticket is good without: whoever cannot be asked is not named.
    let Ok(runtime) = runtime else {
        return vec![];
    };
    runtime.block_on(async {
        let mut doors: Vec<Member> = vec![];
        for home in homes {
            let new = door(&home).await;
            doors.extend(new.filter(|it| doors.iter().all(|one| one.node != it.node)));
        }
        doors.truncate(TICKET_MEMBERS_MAX);
        doors
    })
}

/// How whoever has the ticket gets in.
pub fn way_in(ticket: &Ticket, folder: &Path) -> String {
    let named = ticket.members.iter().flat_map(|it| {
        let name = it.node;
        it.addresses
            .iter()
            .map(move |address| format!("{name}@{address}"))
    });
    let named: Vec<_> = named.collect();
    match named.is_empty() {
        true => format!(
            "nobody on this machine lets people in now, so the ticket names nobody to ask: its holders join by files \
             (community join --offline); or first: commonhold up --detach --enrol {}",
            folder.display()
        ),
        false => format!("its holders ask {}", named.join(", ")),
    }
}
