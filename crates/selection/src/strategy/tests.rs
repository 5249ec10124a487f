//! Draws by each strategy on a network of their own: one queue, real encodings, no real time. Nodes die, relocate and lie.

mod choices;
mod codecs;
mod draws;
mod failures;
mod liars;
mod lists;
mod network;
mod randoms;
mod setters;
mod weaknesses;
mod world;
