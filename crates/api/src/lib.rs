//! The local API: one HTTP server on the loopback interface, by which a person's programs speak to their node.
//!
//! It knows nothing of networks, vaults or communities. Whoever runs it gets typed [`Request`]s out of a channel, each with
//! its own place to reply, and tells [`Event`]s to all who listen. [`Client`] is the other end, for the command line.
//!
//! | file | idea |
//! |---|---|
//! | `words` | what is said: the JSON of every request and reply |
//! | `fault` | what is said when something cannot be done |
//! | `errors` | a page for each code of an error |
//! | `request` | what the node is asked, with the place to reply |
//! | `routes` | paths and methods, and the OpenAPI document made from them |
//! | `guard` | who may speak: Host, Origin, bearer token |
//! | `token` | the secret that says so |
//! | `session` | how a browser gets in: a code that works once |
//! | `page` | the page's files, and what a browser may do with them |
//! | `serve` | connections, their number and their deadlines |
//! | `client` | the other end |
//!
//! # Who can speak to it
//!
//! Every program on the machine can reach a loopback port, and so can every page in a browser. A page is kept out twice:
//! its name is not in the Host header that we accept (which also defeats names that are made to point to 127.0.0.1), and its
//! Origin is not ours. Other accounts' programs are kept out by the token, which lies in a file that its owner alone can
//! read. Nothing keeps out the owner's own programs: they could read the vault's key as well.

mod client;
mod errors;
mod fault;
mod guard;
mod page;
mod request;
mod routes;
mod serve;
mod session;
mod token;
mod words;

pub use client::{Client, ClientError, Events};
pub use errors::errors_document;
pub use fault::{Fault, Kind};
pub use request::{Reply, Request};
pub use routes::{Api, BODY_BYTES_MAX, FILE_BYTES_MAX, STREAMS_MAX, document};
pub use serve::{CONNECTIONS_MAX, serve};
pub use session::{CODE_WITHIN, CODES_MAX, SESSIONS_MAX};
pub use token::{Token, TokenError};
pub use words::{
    About, Answer, Backup, Beginning, Budget, Calendar, Check, Checked, Column, ColumnKind,
    Community, ConsentEntry, ConsentLog, ConsentLogged, ConsentRule, ConsentStep, Counted, Counts,
    DayRows, Days, Decision, Doctor, Event, EventKind, Flow, HeldTable, Helper, Helping,
    HelpingRole, HelpingStep, Holdings, Import, ImportReport, InboxEntry, InboxState, Joined,
    Limit, NewBackup, NewBeginning, NewBudget, NewDefault, NewImport, NewKey, NewMember,
    NewProfile, NewQuestion, NewRestore, NewRule, NewSession, PageCode, Places, Preview,
    PreviewOutcome, PreviewValue, Problem, ProfileField, Published, Question, QuestionState, Reach,
    ReachState, RecoveryWords, Removed, Restored, Revoke, Revoked, Ring, Rows, Rule, Rules, Seat,
    Secret, Session, ShowWords, Status, Table, TableDays, TooLate, Traffic, Verdict, Word,
};
