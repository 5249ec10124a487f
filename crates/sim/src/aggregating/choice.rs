//! What a run is given, or left to draw for itself.

/// One thing for all runs, or another for each, drawn from its seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<T> {
    /// The same for all.
    This(T),
    /// Drawn anew for each.
    Any,
}

impl<T> From<T> for Choice<T> {
    fn from(this: T) -> Self {
        Self::This(this)
    }
}
