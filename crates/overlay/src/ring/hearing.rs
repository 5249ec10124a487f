//! What the ring makes of what peers say.

use base::{Instant, NodeId, Outbox};

use super::{Message, Ring, say};
use crate::membership::{self, Membership};
use crate::routing;

/// What peers say.
impl Ring {
    pub(super) fn on_message(
        &mut self,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Outbox<Self>,
    ) {
        if !is_said_by_newcomers(&message) {
            self.membership.liveness.heard(now, from);
        }
        match message {
            Message::Membership(message) => self.on_membership(now, from, message, out),
            Message::Routing(message) => self.on_routing(now, from, message, out),
        }
    }

    fn on_routing(
        &mut self,
        now: Instant,
        from: NodeId,
        message: routing::Message,
        out: &mut Outbox<Self>,
    ) {
        match message {
            routing::Message::Near(target) if self.is_member() => {
                self.routing.on_near(from, target, &self.view, out);
            }
            routing::Message::Near(target) => {
                self.joining.on_newcomer(now, from, out);
                let newcomer = routing::Message::Newcomer(target);
                out.send(from, Message::Routing(newcomer));
            }
            routing::Message::Nodes(target, nodes) => {
                let (nodes, view) = (nodes.into_inner(), &self.view);
                let over = self.routing.on_nodes(now, from, target, nodes, view, out);
                self.over(now, over, out);
            }
            routing::Message::Newcomer(target) => {
                let over = self.routing.on_newcomer(now, from, target, out);
                self.over(now, over, out);
            }
        }
    }

    fn on_membership(
        &mut self,
        now: Instant,
        from: NodeId,
        message: membership::Message,
        out: &mut Outbox<Self>,
    ) {
        use membership::Message as Said;
        let is_member = self.is_member();
        let (view, membership) = (&mut self.view, &mut self.membership);
        match message {
            // A newcomer is not up yet: who remembers it as it was before must not take it for a member.
            Said::Ping if is_member => out.send(from, say(Said::Pong)),
            Said::Pong => {
                self.joining.on_pong(now, from, view, out);
                self.settle(now, out);
                if self.is_member() {
                    let view = &mut self.view;
                    self.membership.on_pong(now, from, view, out);
                }
            }
            Said::Attested(attested) => {
                self.joining.on_attested(now, from, &attested, view, out);
                self.settle(now, out);
            }
            Said::Members(contacts) => {
                let contacts = contacts.into_inner();
                let joining = &mut self.joining;
                if joining.awaits(from) {
                    joining.on_members(now, from, contacts, view, membership, out);
                    self.settle(now, out);
                } else if joining.standing().is_some() {
                    membership.on_members(now, from, contacts, view, out);
                }
            }
            said if self.is_member() => self.on_member(now, from, said, out),
            Said::Sign(listing) => out.send(from, say(Said::Differs(listing.at))),
            _ => {}
        }
    }

    /// What only a member answers.
    fn on_member(
        &mut self,
        now: Instant,
        from: NodeId,
        said: membership::Message,
        out: &mut Outbox<Self>,
    ) {
        use membership::Message as Said;
        let (view, membership) = (&mut self.view, &mut self.membership);
        match said {
            Said::Hello(contact, stretch) => {
                membership.on_hello(now, from, *contact, stretch, view, out);
            }
            Said::Farewell(farewell, stretch) => {
                membership.on_farewell(now, from, farewell, stretch, view, out);
            }
            Said::Gone(node) => membership.on_gone(now, node, view, out),
            Said::Unknown => Membership::hello_to(view, [from], out),
            Said::Compare(theirs) => membership.on_compare(from, theirs, view, out),
            Said::Have(theirs) => membership.on_have(now, from, &theirs, view, out),
            Said::Want(names) => membership.on_want(from, &names, view, out),
            Said::Ask => self.attesting.on_ask(now, from, view, out),
            Said::Sign(listing) => {
                self.attesting
                    .on_sign(now, from, &listing, view, membership, out);
            }
            Said::Signed(at, signature) => self.attesting.on_signed(from, at, signature, out),
            Said::Differs(at) => self.attesting.on_differs(now, from, at, out),
            Said::Members(_) | Said::Ping | Said::Pong | Said::Attested(_) => {}
        }
    }

    pub(super) fn on_unreachable(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Self>) {
        let liveness = &mut self.membership.liveness;
        liveness.on_unreachable(now, node, &self.view, out);
        let over = self.routing.on_unreachable(now, node, out);
        self.over(now, over, out);
    }
}

/// Whether a node that starts again may say this before it is a member: no sign that the member is there whose word others
/// wait for. Two that start again at once would keep each other's past alive, and neither be taken in.
fn is_said_by_newcomers(message: &Message) -> bool {
    use membership::Message as Said;
    use routing::Message as Asked;
    matches!(
        message,
        Message::Routing(Asked::Near(_) | Asked::Newcomer(_))
            | Message::Membership(Said::Ask | Said::Differs(_))
    )
}
