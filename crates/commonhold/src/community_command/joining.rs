//! `community join` and `install`: what a newcomer and a member do.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base::{Instant, decode, encode};
use community::{
    Community, JOIN_ANSWER_BYTES_MAX, JoinAnswer, JoinError, JoinRequest, Joined, Member,
    SignedDescriptor, TICKET_TEXT_MAX, Ticket, TicketError, Welcome, draw_keys,
};
use crypto::{CertificateRequest, SigningKey, VrfSecretKey};
use minicbor::{Decode, Encode};
use net::{Clock, HostConfig, KnockError, Limits, Relays, knock};
use serde_json::json;
use vault::Vault;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::folder::{self, Folder};
use super::issuing::Desk;
use super::options::{InstallOptions, JoinOptions, Secret};
use super::places::{self, Role};
use super::{Failure, Told};
use crate::files;
use crate::home::{Home, HomeError, MEMBERS, system_rng};
use crate::output::{doing, warn};
use crate::verify::utc;

/// Keys that are not certified yet.
const JOINING: &str = "joining.cbor";
/// Longest file of them.
const JOINING_BYTES_MAX: usize = TICKET_TEXT_MAX + 256;

/// What a newcomer keeps until the answer is there.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
struct Joining {
    #[cbor(n(0), with = "minicbor::bytes")]
    signing: [u8; 32],
    #[cbor(n(1), with = "minicbor::bytes")]
    vrf: [u8; 32],
    #[n(2)]
    ticket: String,
}

impl Joining {
    /// The ticket was good when the request was made: whether the issuer still takes it is for the issuer to say.
    fn ticket(&self) -> Result<Ticket, Failure> {
        Ticket::parse(&self.ticket, Instant(0)).map_err(|why| Failure::Failed(why.to_string()))
    }

    fn keys(&self) -> (SigningKey, VrfSecretKey) {
        let key = SigningKey::from_seed(self.signing);
        (key, VrfSecretKey::from_seed(self.vrf))
    }

    fn request(&self, ticket: &Ticket) -> CertificateRequest {
        let (key, vrf) = self.keys();
        CertificateRequest::new(&key, &vrf.public(), &ticket.community)
    }
}

/// Somebody with a ticket who is no member yet.
pub struct Newcomer {
    home: Home,
    waiting: Joining,
    ticket: Ticket,
}

impl Newcomer {
    /// With a ticket's text: makes keys for the node that is to live in `home`, and keeps them until it is a member.
    pub fn begin(home: Home, text: &str) -> Result<Self, Failure> {
        Self::with(home, parsed(text)?)
    }

    fn with(home: Home, ticket: Ticket) -> Result<Self, Failure> {
        let path = home.path().to_path_buf();
        if home.is_inhabited() {
            return Err(Failure::Refused(format!(
                "a node lives in {} already; name another folder with --dir",
                path.display()
            )));
        }
        if home.is_wiped() {
            return Err(failed(&HomeError::Wiped(path)));
        }
        if home.is_orphaned() {
            return Err(Failure::Refused(HomeError::Orphaned(path).to_string()));
        }
        let joining = path.join(JOINING);
        let waiting = if joining.exists() {
            // Asked before: the same keys again, so that no use of a ticket is lost.
            let mut waiting: Joining = folder::read(&joining, JOINING_BYTES_MAX)?;
            if waiting.ticket()?.community != ticket.community {
                return Err(Failure::Refused(format!(
                    "{} waits for another community; name another folder with --dir",
                    path.display()
                )));
            }
            waiting.ticket = ticket.text().to_string();
            waiting
        } else {
            let (key, vrf, _) = draw_keys(&ticket.community, &mut system_rng());
            Joining {
                signing: *key.seed(),
                vrf: *vrf.seed(),
                ticket: ticket.text().to_string(),
            }
        };
        files::make_folder(&path).map_err(|why| folder::cannot("make", &path, &why))?;
        folder::write(&joining, &Zeroizing::new(encode(&waiting)))?;
        Ok(Self {
            home,
            waiting,
            ticket,
        })
    }

    /// What the community is called.
    pub fn community(&self) -> &str {
        &self.ticket.name
    }

    fn request(&self) -> JoinRequest {
        self.ticket.request(self.waiting.request(&self.ticket))
    }

    /// Asks the members that the ticket names over the network.
    pub async fn ask(&self) -> Result<JoinAnswer, Failure> {
        let config = HostConfig {
            key: self.waiting.keys().0,
            bind: ([0, 0, 0, 0], 0).into(),
            limits: Limits::default(),
            door: None,
            relays: Relays::default(),
        };
        let members = self.ticket.members.iter();
        let members = members.map(|member| (member.node, member.addresses.clone()));
        let answer = knock(config, members.collect(), encode(&self.request())).await;
        let answer = answer.map_err(|why| match why {
            KnockError::Bind(_) => Failure::Failed(why.to_string()),
            KnockError::Nobody | KnockError::NoAnswer { .. } => silence(&why),
        })?;
        decode(&answer, JOIN_ANSWER_BYTES_MAX).map_err(|_| {
            Failure::Failed("what the member answered cannot be read; update the program".into())
        })
    }

    /// Lets the node live in its folder. Gives what there is to say.
    pub fn settle(&self, answer: JoinAnswer) -> Result<String, Failure> {
        settled(&self.home, answer, Path::new("the answer"))
    }
}

fn silence(why: &KnockError) -> Failure {
    Failure::Silence(format!("{why}; or join by file: --offline REQUEST_FILE"))
}

fn parsed(text: &str) -> Result<Ticket, Failure> {
    Ticket::parse(text.trim(), Clock::start().now()).map_err(|why| match why {
        TicketError::Expired | TicketError::Forged => Failure::Refused(why.to_string()),
        _ => Failure::Usage(why.to_string()),
    })
}

/// Makes keys and a request.
pub fn join(options: &JoinOptions) -> Result<Told, Failure> {
    let ticket = parsed(&ticket_text(&options.ticket)?)?;
    let reachable = |member: &Member| !member.addresses.is_empty();
    let desk = match &options.offline {
        Some(file) => {
            folder::must_be_new(file)?;
            None
        }
        None if ticket.members.iter().any(reachable) => None,
        // Nothing is begun that cannot be asked for.
        None => Some(founders_desk(&ticket)?.ok_or_else(|| silence(&KnockError::Nobody))?),
    };
    let named = options.dir.as_deref();
    let path = places::make(named, &ticket.name, &ticket.community, Role::Node)?;
    let newcomer = Newcomer::with(Home::at(&path), ticket)?;
    let settle = |answer| {
        let settled = newcomer.settle(answer);
        let line = settled.inspect_err(|_| leave_no_empty_folder(&path, named.is_none()))?;
        told_member(&newcomer.home, vec![line])
    };
    if let Some(mut desk) = desk {
        return settle(match desk.redeem(&newcomer.request())? {
            Ok(certificate) => desk.welcome(certificate),
            Err(why) => JoinAnswer::Refused(why),
        });
    }
    let Some(offline) = &options.offline else {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| Failure::Failed(format!("cannot start: {why}")))?;
        let name = newcomer.community();
        warn(format_args!("Asking to be let into \"{name}\" …"));
        doing(format!("asking to be let into \"{name}\""));
        return settle(runtime.block_on(newcomer.ask())?);
    };
    let (ticket, request) = (&newcomer.ticket, newcomer.request());
    folder::write_new(offline, &encode(&request))?;
    let (node, file) = (request.request.node, offline.display());
    Ok(Told {
        json: json!({
            "name": ticket.name,
            "community": ticket.community.to_string(),
            "node": node.to_string(),
            "folder": path,
            "request": offline,
            "expires": ticket.expires.as_secs(),
        }),
        lines: vec![
            format!(
                "Node {node} asks to join \"{}\"; its keys are in {}.",
                ticket.name,
                path.display()
            ),
            format!(
                "Send {file} to who gave you the ticket before {}; the answer is for: commonhold community install FILE",
                utc(ticket.expires.as_secs())
            ),
        ],
    })
}

/// The key that certifies for the ticket's community, if it is on this machine: who founds a community lets its first node in
/// without the network.
fn founders_desk(ticket: &Ticket) -> Result<Option<Desk>, Failure> {
    let folders = places::known(Role::Authority)?;
    let mut folders = folders.iter().map(|path| Folder::at(path));
    let is_ours = |folder: &Folder| {
        let community = folder.community();
        community.is_ok_and(|it| it.descriptor().community == ticket.community)
    };
    let Some(folder) = folders.find(is_ours) else {
        return Ok(None);
    };
    let passphrase = Secret::default().given().known("the key that certifies")?;
    Desk::open(folder, &passphrase).map(Some)
}

fn ticket_text(typed: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(typed.to_owned());
    if typed == "-" {
        text.clear();
        io::stdin()
            .take(TICKET_TEXT_MAX as u64 + 1)
            .read_to_string(&mut text)
            .map_err(|why| Failure::Failed(format!("cannot read the ticket: {why}")))?;
    }
    Ok(text)
}

/// Takes what the authority sent.
pub fn install(options: &InstallOptions) -> Result<Told, Failure> {
    let is_for = |folder: &Path| options.files.iter().any(|file| is_for(file, folder));
    let path = places::find_for(options.dir.as_deref(), &[Role::Node], is_for)?;
    let home = Home::at(&path).with_passphrase_file(options.key_passphrase_file.clone());
    let mut said = Vec::new();
    for file in &options.files {
        let bytes = files::read(file, JOIN_ANSWER_BYTES_MAX)
            .map_err(|why| folder::cannot("read", file, &why))?;
        let answer = decode::<JoinAnswer>(&bytes, JOIN_ANSWER_BYTES_MAX);
        let descriptor = decode::<SignedDescriptor>(&bytes, JOIN_ANSWER_BYTES_MAX);
        let line = match (answer, descriptor) {
            (Ok(answer), _) if home.is_inhabited() => renewed(&home, answer, file)?,
            (Ok(answer), _) => settled(&home, answer, file)
                .inspect_err(|_| leave_no_empty_folder(&path, options.dir.is_none()))?,
            (_, Ok(descriptor)) if home.is_inhabited() => followed(&home, descriptor, file)?,
            (_, Ok(_)) => {
                return Err(Failure::Usage(format!(
                    "{} is a descriptor, but no node lives in {} yet; install the answer to its request first",
                    file.display(),
                    path.display()
                )));
            }
            _ => {
                return Err(Failure::Failed(format!(
                    "{} is neither an answer nor a descriptor; ask for it again",
                    file.display()
                )));
            }
        };
        said.push(line);
    }
    told_member(&home, said)
}

/// Whether a file is the answer to whom this folder is for: a node, or keys that wait.
fn is_for(file: &Path, folder: &Path) -> bool {
    let answer = files::read(file, JOIN_ANSWER_BYTES_MAX).ok();
    let answer = answer.and_then(|bytes| decode(&bytes, JOIN_ANSWER_BYTES_MAX).ok());
    let Some(JoinAnswer::Welcome(welcome)) = answer else {
        return false;
    };
    let node = Home::at(folder).node().or_else(|| {
        let waiting: Joining = folder::read(&folder.join(JOINING), JOINING_BYTES_MAX).ok()?;
        Some(waiting.keys().0.node())
    });
    node == Some(welcome.certificate.node())
}

/// Whom the newcomer's ticket named: where its node finds the others.
pub fn members(folder: &Path) -> Vec<Member> {
    files::read(&folder.join(MEMBERS), JOINING_BYTES_MAX)
        .ok()
        .and_then(|bytes| decode(&bytes, JOINING_BYTES_MAX).ok())
        .unwrap_or_default()
}

fn told_member(home: &Home, said: Vec<String>) -> Result<Told, Failure> {
    let path = home.path();
    let (certificate, community) = home.membership().map_err(|why| failed(&why))?;
    let until = certificate.valid_until().as_secs();
    let (protection, _) = home.protection().map_err(|why| failed(&why))?;
    Ok(Told {
        json: json!({
            "node": certificate.node().to_string(),
            "name": community.descriptor().name,
            "community": community.descriptor().community.to_string(),
            "epoch": community.descriptor().epoch,
            "valid_until": until,
            "valid_until_utc": utc(until),
            "folder": path,
            "key_kept_by": protection.kind(),
        }),
        lines: said,
    })
}

/// Of somebody who was not let in, unless there is something to keep for another try; where nobody named a folder, with the
/// community's and the program's.
fn leave_no_empty_folder(path: &Path, is_ours: bool) {
    let folders = path.ancestors().take(if is_ours { 3 } else { 1 });
    for folder in folders {
        // One with anything in it stays, and so do those that it is in.
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// A newcomer's answer: from here on there is a node.
fn settled(home: &Home, answer: JoinAnswer, file: &Path) -> Result<String, Failure> {
    let joining: PathBuf = home.path().join(JOINING);
    let waiting: Joining = folder::read(&joining, JOINING_BYTES_MAX)?;
    let ticket = waiting.ticket()?;
    let request = waiting.request(&ticket);
    let joined = ticket
        .accept(answer, &request, Clock::start().now())
        .map_err(|why| {
            if let JoinError::Refused(_) = why {
                // Nobody certifies these keys. If they cannot be removed, they are tried again, and nothing is lost.
                drop(std::fs::remove_file(&joining));
            }
            not_joined(file, &why)
        })?;
    let Joined {
        community,
        certificate,
        ..
    } = joined;
    let (key, vrf) = waiting.keys();
    let identity = community::Identity {
        key,
        vrf,
        certificate,
    };
    folder::write(&home.path().join(MEMBERS), &encode(&ticket.members))?;
    home.found(&identity, community.signed(), &mut system_rng())
        .map_err(|why| failed(&why))?;
    std::fs::remove_file(&joining).map_err(|why| folder::cannot("remove", &joining, &why))?;
    let (_, kept_by) = home.protection().map_err(|why| failed(&why))?;
    Ok(format!(
        "Node {} is a member of \"{}\" until {}; it lives in {}.\n\
         Its key is kept by {kept_by}: whoever reads it opens your data. For a passphrase: commonhold key rotate --passphrase\n\
         Write down the 24 words with which you get back in: commonhold key show --words",
        identity.node(),
        community.descriptor().name,
        utc(identity.certificate.valid_until().as_secs()),
        home.path().display()
    ))
}

/// A member's new certificate.
fn renewed(home: &Home, answer: JoinAnswer, file: &Path) -> Result<String, Failure> {
    let (identity, known, mut vault) = home.open().map_err(|why| failed(&why))?;
    let welcome: Box<Welcome> = match answer {
        JoinAnswer::Welcome(welcome) => welcome,
        JoinAnswer::Refused(why) => return Err(not_joined(file, &why.into())),
    };
    let asked = (identity.node(), identity.vrf.public());
    let id = known.descriptor().community;
    let joined = welcome
        .check(id, asked, Clock::start().now())
        .map_err(|why| not_joined(file, &why))?;
    let old = &identity.certificate;
    if joined.certificate.location() != old.location() {
        return Err(Failure::Refused(format!(
            "{} would move the node to another place, which no renewal does; tell the other members",
            file.display()
        )));
    }
    let community = follow(&known, joined.community.signed().clone(), file)?;
    // One whose issuer is not listed any more holds no longer, whenever it would have expired.
    let holds = community.descriptor().issuers().contains(&old.issuer());
    if holds && joined.certificate.valid_until() < old.valid_until() {
        return Err(Failure::Refused(format!(
            "the certificate in {} expires before the one that is installed, which holds; nothing was changed",
            file.display()
        )));
    }
    remember(&mut vault, [&known, &community])?;
    home.update(Some(joined.certificate.clone()), community.signed())
        .map_err(|why| failed(&why))?;
    Ok(format!(
        "Node {} is certified until {}.",
        identity.node(),
        utc(joined.certificate.valid_until().as_secs())
    ))
}

/// The community's next epoch.
fn followed(home: &Home, descriptor: SignedDescriptor, file: &Path) -> Result<String, Failure> {
    let (_, known, mut vault) = home.open().map_err(|why| failed(&why))?;
    let next = follow(&known, descriptor, file)?;
    remember(&mut vault, [&known, &next])?;
    home.update(None, next.signed())
        .map_err(|why| failed(&why))?;
    Ok(format!(
        "\"{}\" is in epoch {} now.",
        next.descriptor().name,
        next.descriptor().epoch
    ))
}

/// The node hands epochs on to those who know earlier ones.
fn remember(vault: &mut Vault, epochs: [&Community; 2]) -> Result<(), Failure> {
    for community in epochs {
        let (key, value) = node::entry_of_epoch(community.signed());
        let put = vault.journal_put(&key, &value);
        put.map_err(|why| Failure::Failed(why.to_string()))?;
    }
    Ok(())
}

/// What is known, or what follows it.
fn follow(known: &Community, offered: SignedDescriptor, file: &Path) -> Result<Community, Failure> {
    if offered == *known.signed() {
        return Ok(known.clone());
    }
    known
        .succeed(offered)
        .map_err(|why| Failure::Refused(format!("{} was not taken: {why}", file.display())))
}

fn not_joined(file: &Path, why: &JoinError) -> Failure {
    if let JoinError::Refused(why) = why {
        return Failure::Refused(format!("this node is not let in: {why}"));
    }
    Failure::Refused(format!("{} was not taken: {why}", file.display()))
}

fn failed(why: &HomeError) -> Failure {
    Failure::Failed(why.to_string())
}
