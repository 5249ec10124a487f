//! Sums over many people's data, computed by helpers of whom none sees a value (design: aggregation).
//!
//! | module | idea |
//! |---|---|
//! | [`sizes`] | how many committees, lanes and replicas are needed, what can then go wrong with which chance, and what it costs |
//! | [`agreement`] | replicas agree on one value although some lie, crash or are cut off |
//! | [`committee`] | the engine: shares in, one signed total out |
//! | [`suppression`] | which cells of a grouped total may be opened |
//! | [`validity`] | proofs that a contribution is in range |
//! | [`statistic`] | what the numbers in a vector mean: from one person's rows to a vector, from totals to figures |
//!
//! Everything here is a pure state machine or a function. What the numbers mean is no business of the engine's: to it, a
//! statistic is a sum of vectors that begin with how many people match, in each group.

pub mod agreement;
pub mod committee;
pub mod sizes;
pub mod statistic;
pub mod suppression;
pub mod validity;
