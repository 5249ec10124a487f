//! The routes between a node's children: an event of one becomes a command of another only here.

use aggregation::committee::{self, Committee};
use base::{Input, Instant, NodeId, Outbox, Output, Protocol};
use overlay::Overlay;
use selection::Selection;

use crate::asking::Failure;
use crate::composition::{Command, Event, Node, Timer};
use crate::helping::Progress;
use crate::journal::Entry;
use crate::message::Message;
use crate::recording::Recorder;

impl Node {
    pub(crate) fn drive_overlay(
        &mut self,
        now: Instant,
        input: Input<Overlay>,
        out: &mut Outbox<Self>,
    ) {
        let (mut said, epoch) = (Outbox::new(), self.community.descriptor().epoch);
        self.overlay.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Overlay(epoch, message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Overlay(timer)),
                Output::Event(overlay::Event::Known(contact)) => {
                    let know = selection::Command::Know(contact);
                    self.selection(now, Input::Command(know), out);
                    out.emit(Event::Known(self.overlay.cache().len()));
                }
                Output::Event(overlay::Event::Gone(node)) => {
                    let forget = selection::Command::Forget(node);
                    self.selection(now, Input::Command(forget), out);
                    out.emit(Event::Known(self.overlay.cache().len()));
                }
                Output::Event(overlay::Event::Namesake(contact)) => {
                    out.emit(Event::Namesake(Box::new((*contact).clone())));
                }
                // Members hear of an epoch one after the other: who is behind speaks of those who were members before it.
                Output::Event(overlay::Event::Refused { from, why }) => {
                    if !why.is_outdated() {
                        Self::misbehaved(from, why, out);
                    }
                }
                Output::Event(overlay::Event::Misbehaved { node, what }) => {
                    if !what.is_outdated() {
                        Self::misbehaved(node, what, out);
                    }
                }
                Output::Event(overlay::Event::Found(point, contacts)) => {
                    let found = selection::Command::Found(point, contacts);
                    self.selection(now, Input::Command(found), out);
                }
                Output::Event(overlay::Event::Joined(_)) => self.joined(now, out),
                Output::Event(overlay::Event::Heard { from, payload }) => {
                    self.on_broadcast(now, from, &payload, out);
                }
                Output::Event(overlay::Event::BroadcastFailed(why)) => self.broadcast_failed(why),
                Output::Event(overlay::Event::Located(number)) => self.located(now, number, out),
                // A draw whose point is not found tries another; nothing here keeps records yet.
                Output::Event(
                    overlay::Event::NotFound(_)
                    | overlay::Event::Stored { .. }
                    | overlay::Event::Got(..)
                    | overlay::Event::RecordFailed(_),
                ) => {}
            }
        }
    }

    pub(crate) fn selection(
        &mut self,
        now: Instant,
        input: Input<Selection>,
        out: &mut Outbox<Self>,
    ) {
        let mut said = Outbox::new();
        self.selection.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Selection(message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Selection(timer)),
                Output::Event(selection::Event::Drawn(lists)) => {
                    for list in lists {
                        self.drawn(now, list, out);
                    }
                }
                Output::Event(selection::Event::Find(point)) => {
                    let find = overlay::Command::Find(point);
                    self.drive_overlay(now, Input::Command(find), out);
                }
                Output::Event(selection::Event::Failed(question, why)) => {
                    self.ended(question, Failure::Draw(why), out);
                    self.tell_cancelled(now, question, out);
                }
                Output::Event(selection::Event::Heard(contact)) => {
                    let know = overlay::Command::Know(vec![*contact]);
                    self.drive_overlay(now, Input::Command(know), out);
                }
                Output::Event(selection::Event::Unheard(question, node)) => {
                    self.pass_on(question, node, out);
                }
                Output::Event(selection::Event::Helps(question, help)) => {
                    self.helps(question, help, out);
                }
                Output::Event(selection::Event::Misbehaved { node, what }) => {
                    Self::misbehaved(node, what, out);
                }
            }
        }
    }

    pub(crate) fn committee(
        &mut self,
        now: Instant,
        input: Input<Committee>,
        out: &mut Outbox<Self>,
    ) {
        let mut said = Outbox::new();
        self.committee.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Committee(message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Committee(timer)),
                Output::Event(event) => self.on_committee(now, event, out),
            }
        }
    }

    fn on_committee(&mut self, now: Instant, event: committee::Event, out: &mut Outbox<Self>) {
        match event {
            committee::Event::LanesReady(round, keys) => self.lanes_ready(now, round, keys, out),
            committee::Event::Opened(round, evidence) => self.opened(round, *evidence, out),
            committee::Event::Failed(round, why) => {
                if let Some(question) = self.asked_in(round) {
                    self.ended(question, Failure::Committee(why), out);
                }
            }
            committee::Event::Accepted(round) => {
                if let Some((question, _)) = self.questions.in_round(round) {
                    out.emit(Event::Contributed(question));
                }
            }
            // The vault's numbers are brought into range before; a lane's false key is a helper's fault, and it cannot be
            // said whose.
            committee::Event::Unfit(..) => {}
            committee::Event::Persist {
                round,
                number,
                state,
            } => self.store(now, Entry::Voted(round, number), state, out),
            committee::Event::Serves(round, service) => self.serves(round, service, out),
            committee::Event::SetAgreed(round, members) => {
                self.tell_service(round, Progress::Agreed, out);
                out.emit(Event::SetAgreed(round, members));
            }
            committee::Event::Misbehaved { node, what } => Self::misbehaved(node, what, out),
        }
    }

    fn command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        match command {
            Command::Join(told) => {
                let others = told.iter().map(|(node, _)| *node).collect::<Vec<_>>();
                let join = overlay::Command::Join(told);
                self.drive_overlay(now, Input::Command(join), out);
                self.begin_epochs(now, others, out);
                self.resume(now, out);
            }
            Command::Echo => out.emit(Event::Echo),
            Command::Contacts => out.emit(Event::Contacts(self.contacts())),
            Command::Ask(ask) => self.ask(now, ask, out),
            Command::SetConsent(rules) => {
                self.consent = rules;
                self.consider_again(now, out);
            }
            Command::SetBudget(budget) => {
                self.budget = budget;
                self.tell_budget(now, out);
            }
            Command::Cancel(question) => self.cancel(now, question, out),
            Command::Consent { question, yes } => self.consented(now, question, yes, out),
            Command::Publish { question, proof } => self.publish(now, question, proof, out),
            Command::Measured { question, row } => self.measured(now, question, &row, out),
            Command::Stored(number) => self.stored(now, number, out),
            Command::Amend(later) => {
                if let Err(why) = self.amend(now, later, out) {
                    out.emit(Event::NotAmended(why));
                }
            }
            Command::Leave => {
                self.drive_overlay(now, Input::Command(overlay::Command::Leave), out);
                out.emit(Event::Left);
            }
        }
    }

    pub(crate) fn receive(
        &mut self,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Outbox<Self>,
    ) {
        match message {
            Message::Overlay(epoch, _) if epoch != self.community.descriptor().epoch => {
                self.on_other_epoch(now, from, epoch, out);
            }
            Message::Overlay(_, message) => {
                self.drive_overlay(now, Input::Message { from, message }, out);
            }
            // Who has just started knows too few to witness a draw. It counts as away, so that the draw goes on with others:
            // its refusals would use up the attempts.
            Message::Selection(_) if self.overlay.standing().is_none() => {}
            Message::Selection(message) => {
                self.selection(now, Input::Message { from, message }, out);
            }
            Message::Committee(message) => {
                self.committee(now, Input::Message { from, message }, out);
            }
            Message::Announce(plan) => self.on_announce(now, from, *plan, out),
            Message::Heard(question) => self.on_heard(from, question),
            Message::Seat(drawn, asker) => {
                if let Err(fault) = self.take_seat(now, from, *drawn, asker, out) {
                    Self::misbehaved(from, fault, out);
                }
            }
            Message::Open(named) => self.on_open(now, from, &named, out),
            Message::Cancelled(cancelled) => {
                if let Err(fault) = self.on_cancelled(now, cancelled, out) {
                    Self::misbehaved(from, fault, out);
                }
            }
            Message::Published(offered) => self.on_published(now, from, &offered, out),
            Message::Fetch(question) => self.on_fetch(now, from, question, out),
            Message::Publication(publication) => {
                self.on_publication(now, from, *publication, out);
            }
            Message::Epoch(epoch, digest) => self.on_epoch(now, from, (epoch, digest), out),
            Message::Later(given) => {
                if let Err(why) = self.amend(now, given, out) {
                    Self::misbehaved(from, why, out);
                }
            }
            Message::Collect(drawn, keys) => {
                if let Err(fault) = self.called(now, from, *drawn, keys, out) {
                    Self::misbehaved(from, fault, out);
                }
            }
        }
    }
}

impl Protocol for Node {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        let begun = self.recorder.as_ref().map(|_| Recorder::begin(&input));
        self.take(now, input, out);
        if let (Some(recorder), Some(begun)) = (&mut self.recorder, begun) {
            recorder.end(now, begun, out);
        }
    }
}

impl Node {
    fn take(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(command) => self.command(now, command, out),
            Input::Message { from, message } => self.receive(now, from, message, out),
            Input::Timer(Timer::Overlay(timer)) => {
                self.drive_overlay(now, Input::Timer(timer), out);
            }
            Input::Timer(Timer::Selection(timer)) => self.selection(now, Input::Timer(timer), out),
            Input::Timer(Timer::Committee(timer)) => self.committee(now, Input::Timer(timer), out),
            Input::Timer(Timer::Asking(question)) => self.asking_timer(now, question, out),
            Input::Timer(Timer::Compare) => self.compare_timer(now, out),
            Input::Timer(Timer::Fetch) => self.fetch_timer(now, out),
            Input::Unreachable(node) => {
                self.drive_overlay(now, Input::Unreachable(node), out);
                self.selection(now, Input::Unreachable(node), out);
                self.committee(now, Input::Unreachable(node), out);
            }
        }
    }
}
