//! aggregation

pub mod agreement;
