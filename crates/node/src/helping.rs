//! What this node does for others' questions, for its owner to see.

use aggregation::committee::Service;
use base::{Digest, Outbox};
use selection::Help;

use crate::composition::{Event, Node};

/// A part in somebody else's question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Gives a part of the random by which helpers are drawn, as one of the nodes nearest to the asker (TL).
    Witness,
    /// Sets the draw up, as the node nearest to the random point (S).
    Setter,
    /// Builds the list of helpers with others near that point (SL).
    Builder,
    /// Computes, in this lane.
    Replica(usize),
}

/// How far a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// It is taken.
    Begun,
    /// People are called to contribute.
    Collecting,
    /// Nothing more is taken.
    Closed,
    /// Whose contributions are added up is agreed on.
    Agreed,
    /// Nothing is left to do.
    Done,
}

impl Node {
    pub(crate) fn helps(&self, question: Digest, help: Help, out: &mut Outbox<Self>) {
        let (role, progress) = match help {
            Help::GavePart => (Role::Witness, Progress::Done),
            Help::SetsUp => (Role::Setter, Progress::Begun),
            Help::HasSetUp => (Role::Setter, Progress::Done),
            Help::Builds => (Role::Builder, Progress::Begun),
            Help::HasSigned => (Role::Builder, Progress::Done),
        };
        self.tell_help(question, role, progress, out);
    }

    pub(crate) fn serves(&self, round: Digest, service: Service, out: &mut Outbox<Self>) {
        let progress = match service {
            Service::Seated => Progress::Begun,
            Service::Collecting => Progress::Collecting,
            Service::Closed => Progress::Closed,
            Service::Gave => Progress::Done,
        };
        self.tell_service(round, progress, out);
    }

    pub(crate) fn tell_service(&self, round: Digest, progress: Progress, out: &mut Outbox<Self>) {
        let Some((question, terms)) = self.questions.in_round(round) else {
            return;
        };
        if let Some(seat) = terms.seat(self.own()) {
            let role = Role::Replica(terms.sizes.lane_of(seat));
            self.tell_help(question, role, progress, out);
        }
    }

    fn tell_help(&self, question: Digest, role: Role, progress: Progress, out: &mut Outbox<Self>) {
        // Whoever helps has heard of the question.
        if let Some(known) = self.questions.get(question) {
            out.emit(Event::Helps {
                question,
                asker: known.plan.plan.asker,
                role,
                progress,
            });
        }
    }
}
