//! What colluders do to the hardened protocol.

use base::{Digest, Input, Instant, NodeId, Outbox};
use selection::{Message, Opening, Selection, SetterRequest, Step, draw_actors};

use super::{Adversary, Colluding, Gang, run};
use crate::drawing::crowd::Crowd;

/// What a colluding builder has committed to instead of what its program would have.
pub struct Pledge {
    builder: NodeId,
    step: Step,
    own: Digest,
    false_one: Digest,
    /// What its program has opened.
    opened: Vec<NodeId>,
    candidates: Vec<NodeId>,
}

type Out = Outbox<Selection>;

impl Colluding for Selection {
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
            message: Message::Setter(request),
        } = &input
        {
            gang.request = Some((*from, Message::Setter(request.clone())));
            gang.forget_round();
        }
        match gang.adversary {
            Adversary::Abort => abort(self, gang, crowd, (own, now), input, out),
            Adversary::Reroll => return reroll(self, gang, crowd, (own, now), input, out),
            Adversary::Withhold => run(self, now, input, out, |_, message| match message {
                Message::List(list) if !gang.takes(crowd, list.actors()) => None,
                message => Some(message),
            }),
            Adversary::Hide => hide(self, gang, crowd, (own, now), input, out),
            Adversary::None
            | Adversary::Friends
            | Adversary::Near
            | Adversary::Restart
            | Adversary::Forge => run(self, now, input, out, |_, message| Some(message)),
        }
        None
    }
}

/// Whom a round of this setter would seat.
fn outcome(
    gang: &Gang<Selection>,
    crowd: &Crowd,
    (setter, now): (NodeId, Instant),
    openings: &[(NodeId, Step, Opening)],
) -> Option<Vec<NodeId>> {
    let Some((_, Message::Setter(request))) = &gang.request else {
        return None;
    };
    let SetterRequest { random, seats, .. } = &**request;
    let random = random.verify(crowd.rules(), now).ok()?;
    let in_order = |node: &NodeId| openings.iter().find(|(builder, ..)| builder == node);
    let mut values = Vec::new();
    let mut opened = Vec::new();
    for node in &gang.chosen {
        let (_, step, opening) = in_order(node)?;
        let vrf = crowd.contact(crowd.place(*node)?).certificate().vrf();
        let input = step.setter_input(*node, &random, setter);
        values.push(vrf.verify(&input, &opening.proof).ok()?);
        opened.push(opening);
    }
    draw_actors(&random, &values, opened.into_iter(), *seats as usize)
}

/// Notes whom S asks to build.
fn note_builders(gang: &mut Gang<Selection>, message: &Message) {
    if let Message::Build(request) = message {
        gang.chosen.clone_from(&request.chosen);
        gang.held.clear();
        gang.heard.clear();
    }
}

fn opening((node, message): &(NodeId, Message)) -> Option<(NodeId, Step, Opening)> {
    match message {
        Message::Open(step, opening) => Some((*node, *step, opening.clone())),
        _ => None,
    }
}

fn abort(
    player: &mut Selection,
    gang: &mut Gang<Selection>,
    crowd: &Crowd,
    (own, now): (NodeId, Instant),
    input: Input<Selection>,
    out: &mut Out,
) {
    match input {
        // Whoever let itself be passed over keeps looking as if it were away.
        Input::Message {
            message: Message::Probe,
            ..
        } if gang.spoilt > 0 => {}
        Input::Message {
            from,
            message: Message::Open(step, opened),
        } => {
            let message = Message::Open(step, opened);
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
            let all: Vec<_> = gang
                .held
                .iter()
                .chain(&gang.heard)
                .filter_map(opening)
                .collect();
            let seated = outcome(gang, crowd, (own, now), &all).unwrap_or_default();
            let takes = gang.takes(crowd, &seated);
            let mut held = std::mem::take(&mut gang.held).into_iter();
            let silent = if takes { None } else { held.next() };
            let silent = silent.map(|(node, _)| Input::Unreachable(node));
            let opened = held.map(|(from, message)| Input::Message { from, message });
            for input in opened.chain(silent) {
                run(player, now, input, out, |_, message| {
                    note_builders(gang, &message);
                    Some(message)
                });
            }
        }
        input => run(player, now, input, out, |_, message| {
            note_builders(gang, &message);
            Some(message)
        }),
    }
}

fn reroll(
    player: &mut Selection,
    gang: &mut Gang<Selection>,
    crowd: &Crowd,
    (own, now): (NodeId, Instant),
    input: Input<Selection>,
    out: &mut Out,
) -> Option<Input<Selection>> {
    if let Input::Message { from, message } = &input
        && matches!(message, Message::Open(..))
    {
        gang.heard.push((*from, message.clone()));
    }
    let mut verdict = None;
    run(player, now, input, out, |_, message| {
        note_builders(gang, &message);
        if matches!(message, Message::Opens(..)) {
            let takes = *verdict.get_or_insert_with(|| {
                let all: Vec<_> = gang.heard.iter().filter_map(opening).collect();
                let seated = outcome(gang, crowd, (own, now), &all).unwrap_or_default();
                gang.takes(crowd, &seated)
            });
            return takes.then_some(message);
        }
        Some(message)
    });
    let (from, message) = gang.request.clone().filter(|_| verdict == Some(false))?;
    gang.forget_round();
    Some(Input::Message { from, message })
}

/// A false commitment is shown to the others only: the program sees what it would have said.
fn hide(
    player: &mut Selection,
    gang: &mut Gang<Selection>,
    crowd: &Crowd,
    (own, now): (NodeId, Instant),
    mut input: Input<Selection>,
    out: &mut Out,
) {
    let mut candidates = None;
    if let Input::Message { message, .. } = &mut input {
        match message {
            Message::Build(request) => {
                let (setting, trigger) = (&request.request, request.request.random.draw.trigger);
                if let Ok(random) = setting.random.verify(crowd.rules(), now) {
                    let point = setting.site.point(&random);
                    let region = crowd.rules().candidates(point, setting.site.committees);
                    let nodes = crowd.inside(&region).map(|contact| contact.node());
                    let friends = nodes.filter(|node| crowd.colludes(*node) && *node != trigger);
                    let mut friends: Vec<_> = friends.collect();
                    friends.sort();
                    candidates = Some(friends);
                }
            }
            Message::Commits(step, commitments) => {
                if let Some(pledge) = pledge_of(gang, own, *step) {
                    for commitment in commitments.iter_mut() {
                        if *commitment == pledge.false_one {
                            *commitment = pledge.own;
                        }
                    }
                }
            }
            Message::Opens(step, opened) => {
                if let Some(pledge) = pledge_of(gang, own, *step) {
                    for opening in &mut opened.openings {
                        if opening.candidates == pledge.candidates {
                            opening.candidates.clone_from(&pledge.opened);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    run(player, now, input, out, |_, message| match message {
        Message::Commit(step, commitment) => {
            let candidates = candidates.take().unwrap_or_default();
            let false_one = Opening::commitment(&candidates);
            gang.pledges.push(Pledge {
                builder: own,
                step,
                own: commitment,
                false_one,
                opened: Vec::new(),
                candidates,
            });
            Some(Message::Commit(step, false_one))
        }
        Message::Open(step, mut opening) => {
            if let Some(pledge) = pledge_of(gang, own, step) {
                pledge.opened =
                    std::mem::replace(&mut opening.candidates, pledge.candidates.clone());
            }
            Some(Message::Open(step, opening))
        }
        message => Some(message),
    });
}

fn pledge_of(gang: &mut Gang<Selection>, own: NodeId, step: Step) -> Option<&mut Pledge> {
    let mut pledges = gang.pledges.iter_mut();
    pledges.find(|pledge| pledge.builder == own && pledge.step == step)
}
