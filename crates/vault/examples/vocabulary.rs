//! Prints the tables of the vocabulary as docs/vocabulary.md has them.

fn main() {
    print!("{}", vault::describe());
}
