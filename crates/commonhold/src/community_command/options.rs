//! What can be typed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use community::Member;
use zeroize::Zeroizing;

use super::Failure;
use super::folder::Folder;
use crate::budget::Written;
use crate::passphrase::{Given, OF_AUTHORITY, PassphraseError, STDIN};

/// The commands about a community.
#[derive(Debug, Subcommand)]
pub enum CommunityCommand {
    /// Found a community: make its authority's key and its descriptor
    ///
    /// The key is locked under a passphrase. Back up the folder, above all authority.locked: without it nobody can change
    /// the community any more.
    Create(CreateOptions),
    /// Print a ticket with which somebody can join
    ///
    /// One line of text. Whoever has it can use it, so send it as you would send a key.
    Invite(InviteOptions),
    /// Join, by a ticket
    ///
    /// Makes the node's keys and asks the members that the ticket names; only they are contacted. With --offline it writes a
    /// request that you bring to who gave the ticket, and the answer is for install. Exit code: 0 done, 4 refused, 5 nobody
    /// answered.
    Join(JoinOptions),
    /// Certify who asks to join by a ticket of ours
    ///
    /// Exit code: 0 certified, 4 refused: no such ticket, expired, used up.
    Certify(CertifyOptions),
    /// Take what the community's authority sent: the answer to a request, a renewed certificate, later descriptors
    Install(InstallOptions),
    /// Take a node out of the community for good
    Revoke(RevokeOptions),
    /// Certify a node's keys for longer, at the same place
    ///
    /// For a node with new keys, revoke the old one and invite its owner again: invite --replaces does both.
    Renew(RenewOptions),
    /// Hand the community to a new authority key, for which the old one vouches
    Rotate(RotateOptions),
    /// Make a second key that can certify people, but not change the community
    ///
    /// From then on it does the certifying here, and the authority's key can be kept elsewhere.
    Delegate(DelegateOptions),
    /// Take a key that certifies people off the list; what it certified holds no longer
    Unlist(UnlistOptions),
    /// Change the community's numbers or its vocabulary, and say what follows from that
    Amend(AmendOptions),
    /// Say what the community has agreed on
    Show(ShowOptions),
    /// List every certificate that was issued, and check that the list holds
    ///
    /// Exit code: 0 it holds, 1 it does not, 4 an issuer keeps two logs.
    Log(LogOptions),
}

/// Where the passphrase comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct Secret {
    /// A file that holds the passphrase, or - for a line of the standard input [default: the variable COMMONHOLD_PASSPHRASE,
    /// or asked for on the terminal]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

impl Secret {
    /// The file that can be read again; the standard input cannot.
    pub fn kept(&self) -> Option<&Path> {
        let file = self.passphrase_file.as_deref();
        file.filter(|file| file.as_os_str() != STDIN)
    }

    /// The passphrase, if nobody need type it and it can be had again.
    pub fn again(&self) -> Result<Option<Zeroizing<String>>, PassphraseError> {
        match self.passphrase_file.is_some() && self.kept().is_none() {
            true => Ok(None),
            false => self.given().found(),
        }
    }

    /// Where it may be found.
    pub fn given(&self) -> Given<'_> {
        Given {
            option: "--passphrase-file",
            file: self.passphrase_file.as_deref(),
            variable: OF_AUTHORITY,
        }
    }
}

/// Of every command with a key of the community.
#[derive(Debug, Args)]
pub struct Authority {
    /// Folder of the authority [default: the only one in your data folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub secret: Secret,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Authority {
    /// The folder that is meant.
    pub fn folder(&self) -> Result<Folder, Failure> {
        Folder::find(self.dir.as_deref())
    }

    /// The passphrase of the key of this name.
    pub fn passphrase(&self, of: &str) -> Result<Zeroizing<String>, Failure> {
        Ok(self.secret.given().known(of)?)
    }
}

/// Of `community create`.
#[derive(Debug, Args)]
pub struct CreateOptions {
    /// What people call the community; cannot be changed later
    pub name: String,
    /// Folder of the authority; made if it is not there [default: in your data folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// N: how many nodes there will be, rounded up
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub nodes: u64,
    /// C: how many of them may conspire [default: 1 % of the nodes, at least 3]
    #[arg(long, value_name = "C")]
    pub colluders: Option<u64>,
    /// Smallest crowd whose total may be given
    #[arg(long, value_name = "M", default_value_t = 5)]
    pub min_crowd: u64,
    /// How often one member may have helpers drawn [default: 16/hour]
    #[arg(long, value_name = "N/PERIOD")]
    pub draws: Option<Written>,
    /// What the community calls its data, in TOML [default: nothing yet]
    #[arg(long, value_name = "FILE.toml")]
    pub vocabulary: Option<PathBuf>,
    #[command(flatten)]
    pub secret: Secret,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What members may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RightOption {
    /// Ask questions.
    Ask,
}

/// Of `community invite`.
#[derive(Debug, Args)]
pub struct InviteOptions {
    /// What holders of the ticket may do beside answering questions
    #[arg(long, value_enum)]
    pub rights: Vec<RightOption>,
    /// How many nodes the ticket lets in, up to 1000
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub uses: u32,
    /// How long the ticket is good: 30d, 12h, 45m
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = time)]
    pub expires: Duration,
    /// How long certificates are in force, up to five years
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = time)]
    pub valid: Duration,
    /// A member whom newcomers can ask for the way; up to four
    #[arg(long, value_name = "NODE@ADDRESS", value_parser = member)]
    pub member: Vec<Member>,
    /// The same person's node so far, which is revoked: for somebody who lost a device
    #[arg(long, value_name = "NODE")]
    pub replaces: Option<String>,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community join`.
#[derive(Debug, Args)]
pub struct JoinOptions {
    /// The ticket, or - to read it from standard input
    pub ticket: String,
    /// Contact nobody: write the request to this file, to be brought to who gave the ticket
    #[arg(long, value_name = "REQUEST_FILE")]
    pub offline: Option<PathBuf>,
    /// Folder of the node; made if it is not there [default: in your data folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `community certify`.
#[derive(Debug, Args)]
pub struct CertifyOptions {
    /// The request
    pub file: PathBuf,
    /// Write the answer to this file
    #[arg(long, value_name = "ANSWER_FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community install`.
#[derive(Debug, Args)]
pub struct InstallOptions {
    /// Answers and descriptors, the oldest first
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Folder of the node [default: the only one in your data folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// A file with the passphrase of the node's key, or - for standard input, where a passphrase keeps it [default: the
    /// variable COMMONHOLD_KEY_PASSPHRASE, or asked for on the terminal]
    #[arg(long, value_name = "FILE")]
    pub key_passphrase_file: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `community revoke`.
#[derive(Debug, Args)]
pub struct RevokeOptions {
    /// The node, or the beginning of its name as in the log
    pub node: String,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community renew`.
#[derive(Debug, Args)]
pub struct RenewOptions {
    /// The node, or the beginning of its name as in the log
    pub node: String,
    /// Write the new certificate to this file, for the node to install
    #[arg(long, value_name = "ANSWER_FILE")]
    pub out: PathBuf,
    /// How long it is in force, up to five years
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = time)]
    pub valid: Duration,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community rotate`.
#[derive(Debug, Args)]
pub struct RotateOptions {
    /// Somebody else may have the old key: no certificate that it issued holds any longer
    #[arg(long)]
    pub distrust_old: bool,
    /// A file that holds the passphrase of the new key [default: the old passphrase]
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community delegate`.
#[derive(Debug, Args)]
pub struct DelegateOptions {
    /// A file that holds the passphrase of the new key [default: the authority's passphrase]
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community unlist`.
#[derive(Debug, Args)]
pub struct UnlistOptions {
    /// The key, or the beginning of its name as in community show
    pub key: String,
    /// Only say what would change
    #[arg(long)]
    pub preview: bool,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community amend`.
#[derive(Debug, Args)]
pub struct AmendOptions {
    /// N: how many nodes there will be, rounded up
    #[arg(long, value_name = "N")]
    pub nodes: Option<u64>,
    /// C: how many of them may conspire
    #[arg(long, value_name = "C")]
    pub colluders: Option<u64>,
    /// Smallest crowd whose total may be given
    #[arg(long, value_name = "M")]
    pub min_crowd: Option<u64>,
    /// Added to it, against colluders who take part to lift it [default: follows C, if it was C]
    #[arg(long, value_name = "P")]
    pub padding: Option<u64>,
    /// How often one member may have helpers drawn, such as 16/hour
    #[arg(long, value_name = "N/PERIOD")]
    pub draws: Option<Written>,
    /// What the community calls its data, in TOML: in place of all that it called so before
    #[arg(long, value_name = "FILE.toml")]
    pub vocabulary: Option<PathBuf>,
    /// Only say what would change
    #[arg(long)]
    pub preview: bool,
    #[command(flatten)]
    pub authority: Authority,
}

/// Of `community show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// Folder of the authority or of a node [default: the only one in your data folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `community log`.
#[derive(Debug, Args)]
pub struct LogOptions {
    /// Somebody else's logs.cbor: take what it knows more, and find out who keeps two logs
    #[arg(long, value_name = "FILE")]
    pub compare: Vec<PathBuf>,
    /// Folder of the authority [default: the only one in your data folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// A number of weeks, days, hours or minutes.
fn time(text: &str) -> Result<Duration, String> {
    let units = [
        ("y", 365 * 86_400),
        ("w", 7 * 86_400),
        ("d", 86_400),
        ("h", 3600),
        ("m", 60),
        ("s", 1),
    ];
    let read = |(unit, secs): &(&str, u64)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*secs)
    };
    let secs = units.iter().find_map(read).filter(|secs| *secs > 0);
    // Far beyond any certificate, far below the end of time.
    let secs = secs.filter(|secs| *secs <= 100 * 365 * 86_400);
    let time = secs.map(Duration::from_secs);
    time.ok_or_else(|| "give a time such as 30d, 12h or 45m".into())
}

fn member(text: &str) -> Result<Member, String> {
    let read = || {
        let (node, address) = text.split_once('@')?;
        Some(Member {
            node: node.parse().ok()?,
            addresses: vec![address.parse().ok()?],
        })
    };
    read().ok_or_else(|| {
        "give a node's name of 64 letters, @, its address and port: 12ab…@192.0.2.1:4000".into()
    })
}

#[cfg(test)]
mod tests {
    use base::NodeId;

    use super::*;

    #[test]
    fn times_have_a_unit() {
        let days = |days: u64| Ok(Duration::from_secs(days * 86_400));
        assert_eq!(time("30d"), days(30));
        assert_eq!(time("2w"), days(14));
        assert_eq!(time("48h"), days(2));
        assert_eq!(time("1440m"), days(1));
        assert_eq!(time("1y"), days(365));
        for wrong in [
            "",
            "d",
            "30",
            "-1d",
            "0d",
            "1.5d",
            "30 d",
            "999999999999999999d",
            "101y",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn members_have_a_name_and_an_address() {
        let node = NodeId([7; 32]);
        let read = member(&format!("{node}@192.0.2.1:4000")).unwrap();
        assert_eq!((read.node, read.addresses.len()), (node, 1));
        for wrong in ["", "@", "192.0.2.1:4000", "07@192.0.2.1:4000"] {
            assert!(member(wrong).is_err(), "{wrong}");
        }
        assert!(member(&format!("{node}@example.org")).is_err());
    }
}
