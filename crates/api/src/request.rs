//! What the node is asked, with the place to reply.

use std::fs::File;

use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::words::{
    Backup, Beginning, Budget, Calendar, Checked, ConsentLog, Days, Decision, Doctor, Helping,
    Holdings, Import, ImportReport, InboxEntry, Joined, NewBackup, NewBeginning, NewBudget,
    NewDefault, NewImport, NewKey, NewMember, NewProfile, NewQuestion, NewRestore, NewRule, Places,
    Preview, ProfileField, Published, Question, RecoveryWords, Removed, Restored, Revoke, Revoked,
    Rows, Rule, Rules, ShowWords, Status, Table,
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
    /// Tell the others that it goes, and stop; the reply comes when they are told.
    Leave(Reply<()>),
    /// Put a question; the reply comes when it is announced or refused.
    Ask(NewQuestion, Reply<Question>),
    /// Which were put, the latest first?
    Questions(Reply<Vec<Question>>),
    /// How far is this one?
    Question(String, Reply<Question>),
    /// Take it back.
    Cancel(String, Reply<Question>),
    /// Its proof file, or that of a published answer.
    Proof(String, Reply<Vec<u8>>),
    /// Show its answer to the whole community; the reply comes when others are told.
    Publish(String, Reply<Question>),
    /// Which answers are published, the latest first?
    Published(Reply<Vec<Published>>),
    /// What does this node do for others' questions, the latest first?
    Helping(Reply<Vec<Helping>>),
    /// Which questions came from others, the latest first?
    Inbox(Reply<Vec<InboxEntry>>),
    /// The owner's word on one of them.
    Decide(String, Decision, Reply<InboxEntry>),
    /// What is answered without asking the owner?
    Rules(Reply<Rules>),
    /// This as well.
    AddRule(NewRule, Reply<Rule>),
    /// The rule with this number no longer.
    RemoveRule(u32, Reply<Rules>),
    /// This to all questions that no rule is about.
    SetDefault(NewDefault, Reply<Rules>),
    /// What does the consent log say, from this number on?
    ConsentLog(Option<u64>, Reply<ConsentLog>),
    /// Take this back; the reply comes when the node has stopped acting on it.
    Revoke(Revoke, Reply<Revoked>),
    /// How many questions do the owner's data go into?
    Budget(Reply<Budget>),
    /// From now on so many.
    SetBudget(NewBudget, Reply<Budget>),
    /// What is wrong with it?
    Doctor(Reply<Doctor>),
    /// Which tables may questions be about?
    Vocabulary(Reply<Vec<Table>>),
    /// What would the owner's data say to this question of the inbox?
    Preview(String, Reply<Preview>),
    /// Does the proof of this answer hold?
    Check(String, Reply<Checked>),
    /// What does the vault hold?
    Holdings(Reply<Holdings>),
    /// What can the owner's profile say, and what does it?
    Profile(Reply<Vec<ProfileField>>),
    /// From now on it says this.
    SetProfile(NewProfile, Reply<Vec<ProfileField>>),
    /// What was imported, the latest first?
    Imports(Reply<Vec<Import>>),
    /// Read this file into the vault, or say what it would bring.
    Import(NewImport, Vec<u8>, Reply<ImportReport>),
    /// Take the import of this number back.
    Undo(i64, Reply<Removed>),
    /// The rows of this table, as CSV.
    Export(String, Reply<Vec<u8>>),
    /// Forget the rows of this table.
    Forget(String, Reply<Removed>),
    /// How many rows fall on which of these days?
    Calendar(Days, Reply<Calendar>),
    /// Where was the owner?
    Places(Reply<Places>),
    /// The rows of this table after the first so many, at most so many.
    Rows(String, u64, usize, Reply<Rows>),
    /// How far is the owner with the first steps?
    Beginning(Reply<Beginning>),
    /// This is done of them.
    Begin(NewBeginning, Reply<Beginning>),
    /// Join a community; the reply comes when the node is a member.
    Join(NewMember, Reply<Joined>),
    /// Where a backup can be written to that is to be restored; what was brought before is gone.
    Receive(Reply<File>),
    /// Be what this backup holds.
    Restore(NewRestore, Reply<Restored>),
    /// Which are the recovery words?
    Words(ShowWords, Reply<RecoveryWords>),
    /// Give the vault another key.
    Rotate(NewKey, Reply<Beginning>),
    /// Make a backup.
    Backup(NewBackup, Reply<Backup>),
}

impl Request {
    /// Replies that it is not done, whatever it is.
    pub fn refuse(self, fault: Fault) {
        macro_rules! refuse {
            ($($name:ident($($other:tt),*)),* $(,)?) => {
                match self {
                    $(Self::$name($($other,)* reply) => drop(reply.send(Err(fault)))),*
                }
            };
        }
        refuse! {
            Status(), Shutdown(), Leave(), Ask(_), Questions(), Question(_), Cancel(_), Proof(_), Publish(_), Published(),
            Helping(), Inbox(), Decide(_, _), Rules(), AddRule(_), RemoveRule(_), SetDefault(_), ConsentLog(_), Revoke(_),
            Budget(), SetBudget(_), Doctor(), Vocabulary(), Preview(_), Check(_), Holdings(), Profile(), SetProfile(_), Imports(), Import(_, _), Undo(_),
            Export(_), Forget(_), Calendar(_), Places(), Rows(_, _, _), Beginning(), Begin(_), Join(_), Receive(), Restore(_),
            Words(_), Rotate(_),
            Backup(_),
        }
    }
}
