//! What nodes do and send, by kind.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Write};
use std::rc::Rc;

use base::{Input, Instant, NodeId, Outbox, Output, Protocol};
use crypto::Operations;
use overlay::{Command, Event, Message, Overlay, Timer};

/// What all nodes have done since it was emptied.
#[derive(Debug, Default)]
pub struct Tally {
    /// By node and what it was handed: a command, a timer, or the kind of a message.
    done: BTreeMap<(NodeId, String), Operations>,
    /// By sender, receiver and kind.
    sent: BTreeMap<(NodeId, NodeId, String), u64>,
}

impl Tally {
    /// What nodes have done when handed what `keep` keeps.
    pub fn done(&self, keep: impl Fn(NodeId, &str) -> bool) -> Operations {
        let done = self.done.iter();
        let done = done.filter(|((node, handed), _)| keep(*node, handed));
        done.fold(Operations::default(), |sum, (_, done)| sum + *done)
    }

    /// How many messages `keep` keeps, by sender, receiver and kind.
    pub fn sent(&self, keep: impl Fn(NodeId, NodeId, &str) -> bool) -> u64 {
        let sent = self.sent.iter();
        let sent = sent.filter(|((from, to, kind), _)| keep(*from, *to, kind));
        sent.map(|(_, count)| count).sum()
    }
}

/// A node whose work is tallied.
pub struct Watched {
    pub overlay: Overlay,
    pub tally: Rc<RefCell<Tally>>,
}

impl Protocol for Watched {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        let (handed, input) = match input {
            Input::Command(command) => ("Command".into(), Input::Command(command)),
            Input::Message { from, message } => {
                (kind(&message, 2), Input::Message { from, message })
            }
            Input::Timer(timer) => (format!("Timer {}", kind(&timer, 1)), Input::Timer(timer)),
            Input::Unreachable(node) => ("Unreachable".into(), Input::Unreachable(node)),
        };
        let mut said = Outbox::new();
        let ((), done) = Operations::of(|| self.overlay.handle(now, input, &mut said));
        let mut tally = self.tally.borrow_mut();
        let own = self.overlay.own().node();
        let entry = tally.done.entry((own, handed)).or_default();
        *entry = *entry + done;
        for output in said.drain() {
            match output {
                Output::Send { to, message } => {
                    let mut kind = kind(&message, 2);
                    // Those found gone are pinged now and then.
                    if kind == "Ping" && self.overlay.view().get(to).is_none() {
                        kind += " of somebody unknown";
                    }
                    *tally.sent.entry((own, to, kind)).or_default() += 1;
                    out.send(to, message);
                }
                Output::Wake { at, timer } => out.wake(at, timer),
                Output::Event(event) => out.emit(event),
            }
        }
    }
}

/// The last of the names that nest in what this prints, down to `depth`: `Hello` of `Ring(Membership(Hello(…)))` at depth 2.
fn kind(of: &impl Debug, depth: u8) -> String {
    let mut names = Names(String::new(), depth);
    // It refuses more when it has enough.
    let _ = write!(names, "{of:?}");
    let Names(text, _) = names;
    text.trim_end()
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .into()
}

/// What was printed, with spaces for brackets, and how many more of these.
struct Names(String, u8);

impl Write for Names {
    fn write_str(&mut self, printed: &str) -> fmt::Result {
        let Self(text, depth) = self;
        for c in printed.chars() {
            match c {
                '(' if *depth > 0 => {
                    *depth -= 1;
                    text.push(' ');
                }
                c if c.is_alphabetic() => text.push(c),
                _ => return Err(fmt::Error),
            }
        }
        Ok(())
    }
}
