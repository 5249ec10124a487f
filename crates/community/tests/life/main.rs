//! A community's life from founding on, with everybody who might cheat in it.

#[cfg(test)]
mod amending;
#[cfg(test)]
mod joining;
#[cfg(test)]
mod logging;
#[cfg(test)]
mod replacing;
#[cfg(test)]
mod ticket;
#[cfg(test)]
mod world;
