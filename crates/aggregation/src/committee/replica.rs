//! A replica's part: hold one lane's shares, agree on the set, add up, and give or refuse.
//!
//! | file | step |
//! |---|---|
//! | `keys` | 1, the lane's key |
//! | `holding` | 2, contributions |
//! | `passing` | 2, from the first replica to all |
//! | `adding` | 2 and 5 in a tree: sums from below, and to above |
//! | `closing` | 3, say and hear what is held |
//! | `agreeing` | 3, agree |
//! | `supporting` | 3, the reasons for sets |
//! | `proving` | 3, check proofs and agree on those that hold |
//! | `giving` | 4 and 5, count, then give or refuse |

mod adding;
mod agreeing;
mod closing;
mod giving;
mod holding;
mod keys;
mod passing;
mod proving;
mod supporting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Digest, Duration, Instant, NodeId, Outbox};
use crypto::SealingKey;
pub use giving::CERTIFIERS;

use crate::agreement::{Agreement, Config, QuorumCertificate, value_digest};
use crate::committee::calling::Calling;
use crate::committee::contribution::{Bundle, Item, LaneShare, longest_item, longest_sealed};
use crate::committee::expected::Expected;
use crate::committee::fault::Misbehaviour;
use crate::committee::holdings::Holdings;
use crate::committee::inclusion::{Entry, Inclusion, SetBody, Sets};
use crate::committee::lanes::LaneKey;
use crate::committee::message::{Message, Sum};
use crate::committee::opening::Tally;
use crate::committee::place::Below;
use crate::committee::protocol::{Committee, Context, Event, Service, Timer};
use crate::committee::statement::{LaneCount, Signed, Statement};
use crate::committee::support::{Reasons, Support};
use crate::committee::terms::Terms;

/// How often what may be lost is sent again, and how long a lane waits for its next member to make a key.
const REPEAT: Duration = Duration::from_secs(1);
/// How long a leaf's next caller waits for the one before it. Guess: until a call has come back to it.
const CALL_PATIENCE: Duration = Duration::from_millis(1500);
/// How long contributions wait for others before they are passed on together.
const BATCH: Duration = Duration::from_millis(25);
/// How long to wait for the others' word once enough of every lane have spoken.
const GRACE: Duration = Duration::from_millis(300);
/// In so many views a leader must use more statements than it takes, lest it choose who is left out. Guess: where too many are
/// away for that, two views are soon over, since nobody waits for what is not valid.
const AMPLE_VIEWS: u64 = 2;
/// How far a proposed set's time may be from ours.
const TOLERANCE: Duration = Duration::from_secs(120);
/// First view of the agreement. Guess: several round trips and the waiting for stragglers.
const FIRST_VIEW: Duration = Duration::from_millis(1500);
/// Longest view.
const LONGEST_VIEW: Duration = Duration::from_secs(6);
/// Longest encoding of a [`SetBody`].
const SET_BYTES: usize = 256;
/// Most contributions in one message.
const BATCH_MAX: usize = 256;
/// Longest message of contributions, unless a single one is longer. Guess: a quarter of what hosts carry.
const BATCH_BYTES: usize = 1 << 20;
/// Most sets that a replica found valid and keeps the support of: there is at most one in each view.
const BACKED_MAX: usize = 16;

/// One computation at one of its replicas.
pub struct Replica {
    terms: Arc<Terms>,
    seat: usize,
    lane: usize,
    expected: Expected,
    served_at: Instant,
    /// Longest ciphertext that a contributor may send.
    longest_sealed: usize,
    secrets: BTreeMap<LaneKey, SealingKey>,
    /// The one that this replica made.
    own_key: Option<LaneKey>,
    /// Seats of the lane that gave a secret: one each.
    givers: BTreeSet<usize>,
    signed_keys: Vec<Signed<LaneKey>>,
    calling: Calling,
    /// When to call people, and with which keys.
    to_call: Option<(Instant, Vec<Signed<LaneKey>>)>,
    /// The keys of all lanes, once the querier calls for contributions, or the candidates are agreed on.
    lanes: Option<Vec<Signed<LaneKey>>>,
    held: BTreeMap<NodeId, Held>,
    /// Who signed two headers, and has been named for it.
    doubles: BTreeSet<NodeId>,
    /// Whose contributions this replica was handed by their authors.
    passed: BTreeSet<NodeId>,
    /// What the next batch takes along.
    batch: Vec<Bundle>,
    flush_at: Option<Instant>,
    /// What was passed on, and is not yet held by all seats.
    handing: BTreeMap<NodeId, passing::Handing>,
    /// Seats that did not say in time that they hold what was passed on.
    silent: BTreeSet<usize>,
    closed: Option<Signed<Holdings>>,
    /// What was held then.
    list: Vec<Entry>,
    /// What came from below.
    parts: BTreeMap<Digest, adding::Part>,
    /// By child and seat, sums over sets that are not known to be signed yet.
    unsigned: BTreeMap<(Digest, usize), Sum>,
    /// The sets of children.
    below: Sets,
    /// Supports of which something is lacking here, the latest of each seat.
    lacking: BTreeMap<usize, supporting::Incomplete>,
    ask_at: Option<Instant>,
    /// To whom above this replica still has to give its lane's sum.
    untaken: BTreeSet<NodeId>,
    /// By seat: what others say that they hold.
    heard: BTreeMap<u16, Signed<Holdings>>,
    /// The lists that these name, as far as this replica, which leads, knows them.
    lists: BTreeMap<Digest, Vec<Entry>>,
    /// Under which it asks for the others.
    list_salt: Option<[u8; 32]>,
    /// By seat that asked, when this replica last told its list.
    listed: Answered,
    propose_at: Option<Instant>,
    proposed_in: Option<u64>,
    told_in: Option<u64>,
    /// The latest support that each seat sent.
    offered: BTreeMap<usize, Arc<Supported>>,
    /// Supports of sets that this replica voted for or that are decided: others may need them.
    backed: Vec<Arc<Supported>>,
    agreement: Agreement,
    asked_valid: Option<(u64, Digest, SetBody)>,
    candidates: Option<Candidates>,
    /// Where contributions come with a proof.
    proving: Option<proving::Proving>,
    settlement: Option<Agreement>,
    /// States that both agreements want stored, by our number.
    storing: BTreeMap<u64, (Matter, u64)>,
    stored: u64,
    decided: Option<Decided>,
    counts: Tally<LaneCount>,
    count_at: Option<Instant>,
    outcome: Option<Message>,
    next_repeat: Instant,
    over: bool,
}

/// When seats were last answered something that they may ask again and again.
#[derive(Debug, Default)]
struct Answered(BTreeMap<usize, Instant>);

impl Answered {
    /// Whether a seat is to be answered now: at most twice in the time after which an honest one repeats itself.
    fn is_due(&mut self, seat: usize, now: Instant) -> bool {
        let recently = |last: &Instant| now < *last + REPEAT / 2;
        let is_due = !self.0.get(&seat).is_some_and(recently);
        if is_due {
            self.0.insert(seat, now);
        }
        is_due
    }
}

/// One contribution at this replica, or one child's lane sum.
struct Held {
    entry: Entry,
    /// What a person sent; nothing for a child.
    item: Option<Item>,
    /// Once opened; zeros are not told from values.
    share: Option<LaneShare>,
}

/// What replicas agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// Whose shares are held: the candidates, or the final set where nothing has to be proved.
    Held,
    /// Of the candidates, whose proofs hold: the final set.
    Proved,
}

impl Held {
    fn is_complete(&self) -> bool {
        self.share.is_some() || self.entry.declines
    }
}

/// A set with the reasons for it.
struct Supported {
    support: Support,
    /// [`Support::name`].
    name: Digest,
    reasons: Reasons,
    inclusion: Inclusion,
}

/// After the agreement on who holds what.
struct Candidates {
    body: SetBody,
    digest: Digest,
    entries: Option<Vec<Entry>>,
}

/// After the last agreement: whose shares are added up.
struct Decided {
    body: SetBody,
    digest: Digest,
    certificate: QuorumCertificate,
    entries: Option<Vec<Entry>>,
    total: Option<Vec<u64>>,
}

/// Start and end.
impl Replica {
    /// Takes this node's seat. `None` when it has none, or the terms cannot work.
    pub fn start(
        context: &mut Context,
        now: Instant,
        terms: Arc<Terms>,
        expected: Expected,
        out: &mut Outbox<Committee>,
    ) -> Option<Self> {
        let own = context.identity.node();
        let seat = terms.seat(own).filter(|_| terms.are_possible())?;
        let agreement = |instance| {
            let config = Config {
                instance,
                replicas: terms.seats.clone(),
                quorum: terms.quorum(),
                max_value: SET_BYTES,
                name: value_digest,
                first_timeout: FIRST_VIEW,
                longest_timeout: LONGEST_VIEW,
            };
            Agreement::new(config, own, context.identity.key.clone(), None).ok()
        };
        let round = terms.round();
        let (first, mut settlement) = (agreement(round)?, None);
        if terms.proof.is_some() {
            settlement = Some(agreement(terms.final_instance())?);
        }
        out.emit(Event::Serves(round, Service::Seated));
        out.wake(terms.closes_at, Timer::Replica(round));
        out.wake(terms.ends_at(), Timer::Replica(round));
        let (mut expected, mut lanes) = (expected, None);
        if !terms.place.is_leaf() {
            // Nothing is sealed to who adds up others' sums.
            let children: BTreeSet<_> = terms.place.below.iter().map(Below::name).collect();
            expected = children.into();
            lanes = Some(Vec::new());
        }
        let mut replica = Self {
            lane: terms.sizes.lane_of(seat),
            seat,
            expected,
            served_at: now,
            longest_sealed: longest_sealed(&terms),
            secrets: BTreeMap::new(),
            own_key: None,
            givers: BTreeSet::new(),
            signed_keys: Vec::new(),
            calling: Calling::default(),
            to_call: None,
            lanes,
            held: BTreeMap::new(),
            doubles: BTreeSet::new(),
            passed: BTreeSet::new(),
            batch: Vec::new(),
            flush_at: None,
            handing: BTreeMap::new(),
            silent: BTreeSet::new(),
            closed: None,
            list: Vec::new(),
            parts: BTreeMap::new(),
            unsigned: BTreeMap::new(),
            below: Sets::new(),
            lacking: BTreeMap::new(),
            ask_at: None,
            untaken: BTreeSet::new(),
            heard: BTreeMap::new(),
            lists: BTreeMap::new(),
            list_salt: None,
            listed: Answered::default(),
            propose_at: None,
            proposed_in: None,
            told_in: None,
            offered: BTreeMap::new(),
            backed: Vec::new(),
            agreement: first,
            asked_valid: None,
            candidates: None,
            proving: terms.validity().map(proving::Proving::new),
            settlement,
            storing: BTreeMap::new(),
            stored: 0,
            decided: None,
            counts: Tally::default(),
            count_at: None,
            outcome: None,
            next_repeat: now,
            over: false,
            terms,
        };
        replica.repeat(context, now, out);
        Some(replica)
    }

    /// Whether everything can be forgotten.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn round(&self) -> Digest {
        self.terms.round()
    }

    /// Tells the application who of these seats did what no honest one does.
    fn accuse(
        &self,
        seats: impl IntoIterator<Item = usize>,
        what: Misbehaviour,
        out: &mut Outbox<Committee>,
    ) {
        for seat in seats {
            let node = self.terms.seats[seat];
            out.emit(Event::Misbehaved { node, what });
        }
    }

    /// Whether a lane mate says something else than this replica. What both speak of leaves a lane no choice, so it lies.
    fn is_contradicted<T: Statement>(&self, tally: &Tally<T>, said: &Signed<T>) -> bool {
        let own = tally.of(self.seat);
        own.is_some_and(|own| own.body != said.body)
            && self.terms.lane(self.lane).contains(&said.index())
    }

    fn mates(&self) -> impl Iterator<Item = NodeId> + '_ {
        let own = self.terms.seats[self.seat];
        let lane = self.terms.replicas(self.lane).iter().copied();
        lane.filter(move |mate| *mate != own)
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + '_ {
        let own = self.terms.seats[self.seat];
        let seats = self.terms.seats.iter().copied();
        seats.filter(move |seat| *seat != own)
    }

    /// What is due at `now`.
    pub fn handle_timer(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if now >= self.terms.ends_at() {
            self.over = true;
            return;
        }
        self.call(now, out);
        if self.flush_at.is_some_and(|at| now >= at) {
            self.flush(context, now, out);
        }
        self.hand_over(now, out);
        if self.propose_at.is_some_and(|at| now >= at) {
            self.propose(context, now, out);
        }
        if self.ask_at.is_some_and(|at| now >= at) {
            self.ask_at = None;
            self.want_support(context, now, true, out);
        }
        self.prove(context, now, out);
        if self.count_at.is_some_and(|at| now >= at) {
            self.conclude(context, now, out);
        }
        if now >= self.terms.closes_at {
            self.close(context, now, out);
        } else {
            self.close_if_complete(context, now, out);
        }
        if now >= self.next_repeat {
            self.repeat(context, now, out);
        }
    }

    /// What has just been said need not be said again soon.
    fn put_off_repeat(&mut self, now: Instant, out: &mut Outbox<Committee>) {
        self.next_repeat = now + REPEAT;
        out.wake(self.next_repeat, Timer::Replica(self.round()));
    }

    /// Sends again what the others may have missed.
    fn repeat(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        self.put_off_repeat(now, out);
        if self.candidates.is_some() {
            self.advance(context, now, out);
            self.prove_again(context, now, out);
            self.want_support(context, now, true, out);
            self.tell_again(out);
        } else if self.closed.is_some() {
            self.told_in = None;
            self.follow_leader(context, now, out);
            self.want_lists(context, out);
            self.want_support(context, now, true, out);
        } else if self.lanes.is_none() {
            self.offer_keys(context, now, out);
        }
        self.want_secret(out);
    }

    /// Takes a message of the querier, a contributor or another replica.
    ///
    /// # Errors
    ///
    /// The check that it failed.
    pub fn receive(
        &mut self,
        context: &mut Context,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        match message {
            Message::Bundle(_, bundle) => return self.on_bundle(context, now, from, *bundle, out),
            Message::Part(_, part) => return self.on_part(context, now, from, *part, out),
            Message::Taken(_) => {
                self.untaken.remove(&from);
                return Ok(());
            }
            Message::Done(_) if from == self.terms.querier => {
                self.over = true;
                return Ok(());
            }
            _ => {}
        }
        let seat = self.terms.seat(from).ok_or(Misbehaviour::Seat)?;
        match message {
            Message::LaneKey(signed) => self.on_key(from, signed, out),
            Message::LaneSecret(_, secret) => self.on_secret(context, now, seat, secret, out),
            Message::SecretWanted(_) => self.on_secret_wanted(seat, from, out),
            Message::Forward(_, items, way) => self.on_forward(context, now, seat, items, way, out),
            Message::Held(_, names) => {
                self.on_held(now, seat, &names, out);
                Ok(())
            }
            Message::Holdings(holdings) => self.on_holdings(context, now, seat, *holdings, out),
            Message::ListWanted(wanted) => self.on_list_wanted(now, seat, &wanted, out),
            Message::List(list) => self.on_list(context, now, *list, out),
            Message::Support(support) => self.on_support(context, now, seat, *support, out),
            Message::SupportWanted(_, set) => {
                self.on_support_wanted(from, set, out);
                Ok(())
            }
            Message::ReasonsWanted(_, name, lacking) => {
                self.on_reasons_wanted(from, name, &lacking, out)
            }
            Message::Supplement(_, name, supplement) => {
                self.on_supplement(context, now, name, *supplement, out)
            }
            Message::Agreement(_, message) => {
                self.on_word(context, now, from, Matter::Held, *message, out);
                Ok(())
            }
            Message::Settlement(_, message) => {
                self.on_word(context, now, from, Matter::Proved, *message, out);
                Ok(())
            }
            Message::Seed(_, seed) => self.on_seed(context, now, seat, seed, out),
            Message::Checked(checked) => self.on_checked(context, now, seat, *checked, out),
            Message::Verifiers(_, part, verifiers) => {
                self.on_verifiers(context, now, seat, part, verifiers, out)
            }
            Message::VerifiersWanted(_, parts) => self.on_verifiers_wanted(now, seat, &parts, out),
            Message::SharesWanted(_, names) => self.on_shares_wanted(seat, from, &names, out),
            Message::Count(count) => self.on_count(context, now, seat, *count, out),
            _ => Err(Misbehaviour::Seat),
        }
    }
}

#[cfg(test)]
impl Replica {
    /// How many entries each map and list has: what a flood could make grow.
    pub fn footprint_for_tests(&self) -> [(&'static str, usize); 15] {
        [
            ("secrets", self.secrets.len()),
            ("signed keys", self.signed_keys.len()),
            ("held", self.held.len()),
            ("passed", self.passed.len()),
            ("batch", self.batch.len()),
            ("handing", self.handing.len()),
            ("silent", self.silent.len()),
            ("heard", self.heard.len()),
            ("lists", self.lists.len()),
            ("listed", self.listed.0.len()),
            ("lacking", self.lacking.len()),
            ("offered", self.offered.len()),
            ("backed", self.backed.len()),
            ("counts", self.counts.len_for_tests()),
            ("verifiers", self.proving_footprint_for_tests()),
        ]
    }
}
