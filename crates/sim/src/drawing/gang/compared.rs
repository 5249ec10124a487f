//! What colluders do to the paper's form and to the other strategies.

use base::{Digest, Input, Instant, Location, NodeId, Outbox, Output, Protocol as _, Region};
use crypto::Certificate;
use selection::strategy::{
    Choice, Command, Event, Evidence, Message, Opening, Request, Selected, SignedList, Strategy,
    StrategyNode, commitment_with, draw_actors, near_region, points, tolerance, xor,
};
use selection::{Draw, point_of};

use super::{Adversary, Colluding, Gang, run};
use crate::drawing::crowd::Crowd;

/// A list that a colluding builder makes without its program.
pub struct Draft {
    builder: NodeId,
    draw: Draw,
    request: Request,
    opening: Opening,
}

type Out = Outbox<StrategyNode>;

impl Colluding for StrategyNode {
    fn collude(
        &mut self,
        gang: &mut Gang<Self>,
        crowd: &Crowd,
        (own, now): (NodeId, Instant),
        input: Input<Self>,
        out: &mut Out,
    ) -> Option<Input<Self>> {
        if let Input::Message {
            from,
            message: Message::Set(draw, request),
        } = &input
        {
            gang.request = Some((*from, Message::Set(*draw, request.clone())));
            gang.forget_round();
        }
        match gang.adversary {
            Adversary::Friends => friends(self, gang, crowd, (own, now), input, out),
            Adversary::Near => near(self, crowd, now, input, out),
            Adversary::Abort => abort(self, gang, crowd, now, input, out),
            Adversary::Reroll => return reroll(self, gang, crowd, now, input, out),
            Adversary::Withhold => run(self, now, input, out, |_, message| match message {
                Message::List(_, list) if !gang.takes(crowd, &list.actors) => None,
                message => Some(message),
            }),
            Adversary::Hide => hide(self, gang, crowd, (own, now), input, out),
            Adversary::None | Adversary::Restart | Adversary::Forge => {
                run(self, now, input, out, |_, message| Some(message));
            }
        }
        None
    }
}

/// So many colluders, T if it is one among them, and others when there are not enough.
fn friends_of(crowd: &Crowd, seats: usize) -> Vec<Certificate> {
    let others = (0..crowd.len()).filter(|place| !crowd.colludes(crowd.contact(*place).node()));
    let places = crowd.colluders().chain(others);
    let certificates = places.map(|place| crowd.contact(place).certificate());
    certificates.take(seats).cloned().collect()
}

/// What a colluder near the random's point says: friends. Where nobody asks for certificates, names are made up rather
/// than let anybody honest in.
fn choice_of(
    crowd: &Crowd,
    strategy: Strategy,
    (setter, now): (usize, Instant),
    request: &Request,
) -> (Choice, Vec<Certificate>) {
    let seats = request.seats as usize;
    let certificates = friends_of(crowd, seats);
    let made_up = |number: usize| NodeId(Digest::of("made up", &[&number.to_be_bytes()]).0);
    let actors: Vec<_> = match strategy {
        Strategy::EsAv => certificates.iter().map(Certificate::node).collect(),
        _ => {
            let friends = crowd.colluders().map(|place| crowd.contact(place).node());
            friends.chain((0..).map(made_up)).take(seats).collect()
        }
    };
    let identity = crowd.identity(setter);
    let bytes = Choice::signed_bytes(&request.random.value(), &actors, now);
    let choice = Choice {
        setter: identity.certificate.clone(),
        at: now,
        actors,
        signature: identity.key.sign(Choice::DOMAIN, &bytes),
        random: request.random.clone(),
    };
    let shown = match strategy {
        Strategy::EsAv => certificates,
        _ => Vec::new(),
    };
    (choice, shown)
}

/// Cost-optimal: T names friends. ES.NAV and ES.AV: any colluder whom verifiers find near enough to the random's point
/// claims to be S ("sufficiently near", §4.2), whoever is nearer.
fn friends(
    player: &mut StrategyNode,
    gang: &mut Gang<StrategyNode>,
    crowd: &Crowd,
    (own, now): (NodeId, Instant),
    input: Input<StrategyNode>,
    out: &mut Out,
) {
    let strategy = player.setup().strategy;
    let mut claimed = None;
    match input {
        Input::Command(Command::Draw { digest, seats }) if strategy == Strategy::CostOptimal => {
            let draw = Draw {
                trigger: own,
                digest,
                attempt: 0,
            };
            let evidence = Evidence::Picked(friends_of(crowd, seats as usize));
            out.emit(Event::Drawn(Box::new(Selected { draw, evidence })));
        }
        input => run(player, now, input, out, |_, message| match message {
            Message::Set(draw, request) if strategy != Strategy::Paper => {
                match near_friend(crowd, point_of(&request.value())) {
                    Some(setter) => {
                        gang.request = Some((own, Message::Set(draw, request.clone())));
                        let said = choice_of(crowd, strategy, (setter, now), &request);
                        claimed = Some((draw, said));
                        None
                    }
                    None => Some(Message::Set(draw, request)),
                }
            }
            message => Some(message),
        }),
    }
    if let Some((draw, (choice, shown))) = claimed {
        let choice = Box::new(choice);
        let evidence = match strategy {
            Strategy::EsAv => Evidence::EsAv(choice, shown),
            _ => Evidence::EsNav(choice),
        };
        out.emit(Event::Drawn(Box::new(Selected { draw, evidence })));
    }
}

/// A colluder whom verifiers find near enough to a point.
fn near_friend(crowd: &Crowd, point: Location) -> Option<usize> {
    let rules = crowd.rules();
    let region = near_region(rules, point, tolerance(rules));
    let mut inside = crowd.inside(&region).map(|contact| contact.node());
    inside
        .find(|node| crowd.colludes(*node))
        .and_then(|node| crowd.place(node))
}

/// T replaces each actor by a colluder that a verifier finds near enough.
fn near(
    player: &mut StrategyNode,
    crowd: &Crowd,
    now: Instant,
    input: Input<StrategyNode>,
    out: &mut Out,
) {
    let mut said = Outbox::new();
    player.handle(now, input, &mut said);
    for output in said.drain() {
        match output {
            Output::Event(Event::Drawn(mut selected)) => {
                if let Evidence::Hashed(random, actors) = &mut selected.evidence {
                    seat_friends(crowd, random.value(), actors);
                }
                out.emit(Event::Drawn(selected));
            }
            Output::Event(event) => out.emit(event),
            Output::Send { to, message } => out.send(to, message),
            Output::Wake { at, timer } => out.wake(at, timer),
        }
    }
}

fn seat_friends(crowd: &Crowd, random: Digest, actors: &mut [Certificate]) {
    let rules = crowd.rules();
    let mut seated: Vec<_> = actors.iter().map(Certificate::node).collect();
    for (seat, point) in points(&random, actors.len()).into_iter().enumerate() {
        let region = near_region(rules, point, tolerance(rules));
        let is_friend = |node: NodeId| crowd.colludes(node) && !seated.contains(&node);
        let friend = crowd
            .inside(&region)
            .find(|contact| is_friend(contact.node()));
        if let Some(friend) = friend
            && !crowd.colludes(seated[seat])
        {
            seated[seat] = friend.node();
            actors[seat] = friend.certificate().clone();
        }
    }
}

/// Whom these openings seat.
fn outcome<'a>(
    openings: impl Iterator<Item = &'a Opening> + Clone,
    seats: u32,
) -> Option<Vec<NodeId>> {
    let random = xor(openings.clone().map(|opening| &opening.random));
    draw_actors(
        &random,
        openings.map(|opening| &opening.candidates),
        seats as usize,
    )
}

fn seats_of(gang: &Gang<StrategyNode>) -> u32 {
    match &gang.request {
        Some((_, Message::Set(_, request))) => request.seats,
        _ => 0,
    }
}

fn opening((_, message): &(NodeId, Message)) -> Option<&Opening> {
    match message {
        Message::Open(_, opening, _) => Some(opening),
        _ => None,
    }
}

fn note_builder(gang: &mut Gang<StrategyNode>, to: NodeId, message: &Message) {
    if matches!(message, Message::Build(..)) && !gang.chosen.contains(&to) {
        gang.chosen.push(to);
    }
}

fn abort(
    player: &mut StrategyNode,
    gang: &mut Gang<StrategyNode>,
    crowd: &Crowd,
    now: Instant,
    input: Input<StrategyNode>,
    out: &mut Out,
) {
    let Input::Message {
        from,
        message: message @ Message::Open(..),
    } = input
    else {
        run(player, now, input, out, |to, message| {
            note_builder(gang, to, &message);
            Some(message)
        });
        return;
    };
    if crowd.colludes(from) {
        gang.held.push((from, message));
    } else {
        gang.heard.push((from, message.clone()));
        let input = Input::Message { from, message };
        run(player, now, input, out, |_, message| Some(message));
    }
    if gang.held.is_empty() || gang.held.len() + gang.heard.len() < gang.chosen.len() {
        return;
    }
    let openings = gang.held.iter().chain(&gang.heard).filter_map(opening);
    let seated = outcome(openings, seats_of(gang)).unwrap_or_default();
    let takes = gang.takes(crowd, &seated);
    let mut held = std::mem::take(&mut gang.held).into_iter();
    let silent = if takes { None } else { held.next() };
    let silent = silent.map(|(node, _)| Input::Unreachable(node));
    let opened = held.map(|(from, message)| Input::Message { from, message });
    for input in opened.chain(silent) {
        run(player, now, input, out, |_, message| Some(message));
    }
}

fn reroll(
    player: &mut StrategyNode,
    gang: &mut Gang<StrategyNode>,
    crowd: &Crowd,
    now: Instant,
    input: Input<StrategyNode>,
    out: &mut Out,
) -> Option<Input<StrategyNode>> {
    let seats = seats_of(gang);
    let mut verdict = None;
    run(player, now, input, out, |_, message| {
        if let Message::Opens(_, openings, _) = &message {
            let takes = *verdict.get_or_insert_with(|| {
                let seated = outcome(openings.iter(), seats).unwrap_or_default();
                gang.takes(crowd, &seated)
            });
            return takes.then_some(message);
        }
        Some(message)
    });
    let (from, message) = gang.request.clone().filter(|_| verdict == Some(false))?;
    Some(Input::Message { from, message })
}

/// The builder's own program would not sign what follows from a false opening, so this does its work.
fn hide(
    player: &mut StrategyNode,
    gang: &mut Gang<StrategyNode>,
    crowd: &Crowd,
    (own, now): (NodeId, Instant),
    input: Input<StrategyNode>,
    out: &mut Out,
) {
    let mine = |draft: &&Draft, draw: &Draw| draft.builder == own && draft.draw == *draw;
    match input {
        Input::Message {
            from,
            message: Message::Build(draw, request, _),
        } => {
            let point = point_of(&request.value());
            let region = Region::new(point, player.setup().region_size);
            let nodes = crowd.inside(&region).map(|contact| contact.node());
            let opening = Opening {
                random: Digest::of("a colluder's random", &[own.as_bytes(), &draw.digest.0]),
                candidates: selection::strategy::Candidates::new(
                    nodes.filter(|node| crowd.colludes(*node)),
                ),
            };
            let hash = commitment_with(&opening.random, &opening.candidates);
            out.send(from, Message::Commit(draw, hash));
            gang.drafts.push(Draft {
                builder: own,
                draw,
                request: *request,
                opening,
            });
        }
        Input::Message {
            from,
            message: Message::Commits(draw, _),
        } => {
            if let Some(draft) = gang.drafts.iter().find(|draft| mine(draft, &draw)) {
                out.send(from, Message::Open(draw, draft.opening.clone(), Vec::new()));
            }
        }
        Input::Message {
            from,
            message: Message::Opens(draw, openings, _),
        } => {
            let draft = gang.drafts.iter().find(|draft| mine(draft, &draw));
            let Some(draft) = draft else { return };
            let seated = outcome(openings.iter(), draft.request.seats);
            let place = crowd.place(own).expect("a member");
            if let Some(actors) = seated {
                let bytes = SignedList::signed_bytes(&draft.request.value(), &actors, now);
                let signature = crowd.identity(place).key.sign(SignedList::DOMAIN, &bytes);
                out.send(from, Message::Signed(draw, now, signature));
            }
        }
        input => run(player, now, input, out, |_, message| Some(message)),
    }
}
