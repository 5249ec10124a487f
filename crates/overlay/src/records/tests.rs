//! Records: none.
