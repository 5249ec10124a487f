//! What is promised of proofs, and what liars try.
