//! Statistics against a plain model, known numbers, bad input and lying totals.
