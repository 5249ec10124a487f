//! Who gets in, how a browser does, whether every route says what the document says that it does, and a whole conversation.

mod bench;
mod conversation;
mod document;
mod guard;
mod holding;
mod page;
mod part;
