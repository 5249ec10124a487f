//! What the node is asked, with the place to reply.

use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::words::{
    Consent, Decision, Doctor, InboxEntry, NewConsent, NewQuestion, Question, Status,
};

/// Where a reply goes. Dropping it is a reply as well: the node could not.
pub type Reply<T> = oneshot::Sender<Result<T, Fault>>;

/// One thing that a program asks of the node. Names of questions are as they were typed: they may be nobody's.
#[derive(Debug)]
pub enum Request {
    /// How is it?
    Status(Reply<Status>),
    /// Stop.
    Shutdown(Reply<()>),
    /// Put a question; the reply comes when it is announced or refused.
    Ask(NewQuestion, Reply<Question>),
    /// Which were put, the latest first?
    Questions(Reply<Vec<Question>>),
    /// How far is this one?
    Question(String, Reply<Question>),
    /// Take it back.
    Cancel(String, Reply<Question>),
    /// Its proof file.
    Proof(String, Reply<Vec<u8>>),
    /// Which questions came from others, the latest first?
    Inbox(Reply<Vec<InboxEntry>>),
    /// The owner's word on one of them.
    Decide(String, Decision, Reply<InboxEntry>),
    /// What is answered without asking the owner?
    Consent(Reply<Consent>),
    /// From now on this.
    SetConsent(NewConsent, Reply<Consent>),
    /// What is wrong with it?
    Doctor(Reply<Doctor>),
}
