//! Verifiable random selection of helpers: SEP2P §3.4 to §3.6, hardened as the design's section "Selection" says.
//!
//! A trigger (T) wants actors that no colluders could influence. The k nodes nearest to it (TL) each give the one value
//! that their VRF key has for this draw; together they displace the draw to a random point of the ring. The node nearest
//! to that point (S) has the k nodes nearest to it (SL) commit to the candidates they know, add their own values, and sign
//! the list that follows. Anyone checks the result with 2k signature checks: [`ActorList::verify`].
//!
//! | file | idea |
//! |---|---|
//! | `protocol` | the three roles of a draw in one [`Selection`] |
//! | `message` | what they say to each other, step by step |
//! | `opened` | what all builders have opened, in little space: [`Opened`] |
//! | `trigger` | T: attempts, the random, and what to do about silence and lies |
//! | `trigger/setters` | T: setters and their lists |
//! | `setting` | one committee, as T sees it |
//! | `witness` | TL: whether a request is in order, and who is really away |
//! | `setter` | S: one round of builders after the other |
//! | `builder` | SL: commit, open, check, sign |
//! | `random` | the evidence for a random: [`VerifiableRandom`] |
//! | `list` | the result: [`ActorList`] |
//! | `site` | the points that a random names: [`Site`] |
//! | `relocation` | the evidence that too few nodes are near a point: [`Sparse`] |
//! | `rules` | the k-table of one community: [`Rules`] |
//! | `tally` | how often a witness takes part |
//! | `context` | whom a node knows, which questions are open |
//! | `limit` | how long a list from a peer may be |
//! | `fault` | what a peer can do wrong: [`Misbehaviour`], [`Refusal`] |
//! | [`strategy`] | the paper's own protocols, to compare this one with |
//!
//! # What nobody can choose
//!
//! * **The witnesses.** They are the k nearest nodes, in order of distance, for the smallest k that the table has there. Each
//!   of them would have chosen the same ones. A nearer node may be left out only if it is away, and every witness asks it. Who
//!   does not know its neighbours yet is to be away, too: its host hands it no messages until it is a member.
//! * **The values.** A VRF key has one value for a draw, and for a round of a setter. Withholding it costs an attempt of T or
//!   a round of S, and gives another value to everyone.
//! * **The number of tries.** Every honest witness, of which there is one among k but for a chance of α, counts. One attempt
//!   has one set of witnesses; a trigger has so many attempts per period, whatever they are for; a draw has at most 8 rounds,
//!   whoever sets it up, each of them once. So the chance stated for one draw is to be multiplied by these.
//! * **The candidates.** They are committed to before any builder's value is known, and the honest builder's are among them.
//! * **The plan.** Its digest is bound by each value and signature, and nobody witnesses a draw for a plan that was not
//!   announced or is still open for consent.
//!
//! # What a liar can do
//!
//! Refuse. A witness that answers probes and gives bad parts cannot be left out, so that its trigger cannot draw: it is seen
//! ([`Event::Misbehaved`]), and what follows is for people to decide. A bad setter or builder costs one attempt: the next one
//! is at another point of the ring. Every draw ends within about a minute, and [`Failure`] says why.
//!
//! It deliberately does not spread the question, keep the node cache up to date or decide who may ask: that is done above
//! and below. It has no randomness of its own: the same inputs at the same times give the same list.
//!
//! # Example
//!
//! ```
//! use std::collections::{BTreeMap, VecDeque};
//! use std::sync::Arc;
//!
//! use base::{Digest, Duration, Input, Instant, Outbox, Output, Protocol, Rng};
//! use community::{
//!     Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
//! };
//! use crypto::{Rights, SigningKey};
//! use selection::{Announced, Command, Event, Rules, Selection, Wanted};
//!
//! let mut rng = Rng::from_number(1);
//! let authority = SigningKey::generate(&mut rng);
//! let descriptor = Descriptor::founding("choir", authority.node(), 13);
//! let signed = SignedDescriptor::sign(&descriptor, &authority)?;
//! let rules = Rules::new(Arc::new(Community::open(signed)?))?;
//!
//! // Thirteen members, all certified.
//! let now = Instant::from_secs(1_800_000_000);
//! let terms = Terms {
//!     rights: Rights { ask: true },
//!     valid_from: now,
//!     valid_until: now + Duration::from_secs(3600),
//! };
//! let (mut nodes, mut contacts) = (BTreeMap::new(), Vec::new());
//! for _ in 0..13 {
//!     let (key, vrf, request) = draw_keys(&descriptor.community, &mut rng);
//!     let certificate = enrol(&authority, &descriptor, &request, terms, &mut rng)?;
//!     contacts.push(Arc::new(Contact::new(&key, certificate.clone(), vec![], now)));
//!     let identity = Arc::new(Identity { key, vrf, certificate });
//!     nodes.insert(identity.node(), Selection::new(identity, rules.clone()));
//! }
//!
//! // They know each other and have heard of a plan. One of them draws five helpers for it.
//! let (trigger, plan) = (contacts[0].node(), Digest::of("plan", &[b"how many sing alto?"]));
//! let announced = Announced { trigger, seats: 5, committees: 1, opens_at: now };
//! let mut inputs = VecDeque::new();
//! for node in nodes.keys() {
//!     let known = contacts.iter().map(|contact| Command::Know(Arc::clone(contact)));
//!     let commands = known.chain([Command::Announce(plan, announced)]);
//!     inputs.extend(commands.map(|command| (*node, Input::Command(command))));
//! }
//! let wanted = Wanted { digest: plan, seats: 5, committees: 1 };
//! inputs.push_back((trigger, Input::Command(Command::Draw(wanted))));
//!
//! // A network on which nothing is late or lost.
//! let mut drawn = None;
//! while let Some((node, input)) = inputs.pop_front() {
//!     let mut out = Outbox::new();
//!     let selection = nodes.get_mut(&node).ok_or("not a member")?;
//!     selection.handle(now, input, &mut out);
//!     for output in out.drain() {
//!         match output {
//!             Output::Send { to, message } => {
//!                 inputs.push_back((to, Input::Message { from: node, message }));
//!             }
//!             Output::Event(Event::Drawn(lists)) => drawn = lists.into_iter().next(),
//!             Output::Event(_) | Output::Wake { .. } => {}
//!         }
//!     }
//! }
//!
//! // C = 3, so that four builders include an honest one. Whoever has the list is convinced by eight signature checks.
//! let list = drawn.ok_or("no list")?;
//! assert_eq!(list.verify(&rules, now, plan), Ok(()));
//! assert_eq!((list.actors().len(), list.checks()), (5, 8));
//! assert_eq!(list.seat(trigger), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod context;
mod fault;
mod limit;
mod list;
mod message;
mod opened;
mod protocol;
mod random;
mod relocation;
mod rules;
mod setter;
mod setting;
mod site;
pub mod strategy;
mod tally;
mod trigger;
mod witness;

pub use builder::draw_actors;
pub use context::Announced;
pub use fault::{Misbehaviour, Refusal};
pub use limit::{SEATS_MAX, WITNESSES_MAX};
pub use list::{ActorList, Builder, ListBody};
pub use message::{BuildRequest, Message, Opening, SetterRequest, Step, TriggerRequest};
pub use opened::Opened;
pub use protocol::{Command, Event, Failure, Help, Selection, Timer, Wanted};
pub use random::{DRAW_TOLERANCE, Draw, TriggerPart, VerifiableRandom};
pub use relocation::{Sparse, SparseBody};
pub use rules::Rules;
pub use site::{COMMITTEES_MAX, MOVES_MAX, Site, point_of};
pub use tally::DrawLimit;

#[cfg(test)]
mod tests;
