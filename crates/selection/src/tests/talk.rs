//! Words that several tests use.

use base::{Instant, NodeId};
use community::Contact;

use super::world::{START, people};
use crate::{Message, Misbehaviour, Refusal};

/// What somebody does to something good, and the check that this fails.
pub type Change<T> = (fn(&mut T), Misbehaviour);

/// The one answer.
pub fn only(mut answers: Vec<Message>) -> Message {
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

/// Why it is a refusal.
pub fn why(answer: Message) -> Refusal {
    match answer {
        Message::Refused(_, why) => why,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// The contact that all know.
pub fn contact(node: NodeId) -> Contact {
    (**people().contact(node)).clone()
}

/// Another's signature under this node's address.
pub fn forged(node: NodeId) -> Contact {
    forged_at(node, START)
}

/// The same, of another moment.
pub fn forged_at(node: NodeId, issued: Instant) -> Contact {
    let certificate = people().identity(node).certificate.clone();
    let at = vec![([192, 0, 2, 1], 1).into()];
    Contact::new(&people().identities[3].key, certificate, at, issued)
}
