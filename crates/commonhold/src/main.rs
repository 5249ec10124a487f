//! The one program of the project.

fn main() {}
