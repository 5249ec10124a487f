//! The whole, by real processes. Most of it waits, so that two at a time take hardly longer than one.

mod apart;
mod beginning;
mod community;
mod gateway;
mod kills;
mod living;
mod pilots;
mod python;
mod reach;
mod trouble;
mod verify;
mod wire;
