//! The tables that the vault computes from the others, by day.
//!
//! They are tables and no views: a question may open one table and nothing else (see `allowed`), and a person's day has
//! thousands of rows behind it.

use super::Shape;
use super::tables::{COMMODITIES, DAY, FLOWS, MODES, corner, kind, total};

/// How the rows of a table are told by day. What is said here is computed in two ways, by SQLite from all rows of a day
/// ([`Self::select`]), and by an import from the rows that it adds (`import::added`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Daily {
    /// The table whose rows are told.
    pub(crate) from: &'static str,
    /// What tells rows of one day apart; the columns after the day.
    pub(crate) by: &'static [By],
    /// What is told of them; the columns after those.
    pub(crate) totals: &'static [Total],
    /// The column of which the value with the largest total counts alone. Then there is one total, and nothing but the day
    /// tells rows apart.
    pub(crate) most_of: Option<&'static str>,
}

/// What tells rows of one day apart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// The word in this column.
    Word(&'static str),
    /// The hundredth of a degree in which the place in this column lies, which has seven decimals.
    Cell(&'static str),
}

/// What is told of the rows of a day.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Total {
    /// How many there are.
    Rows,
    /// The sum of this column.
    Sum(&'static str),
    /// The time from the first of these columns to the second.
    Span(&'static str, &'static str),
}

/// Units of a place in a hundredth of a degree.
pub(crate) const CELL: i64 = 100_000;

impl Daily {
    /// The local day of a row, whose moment is in this column. `(… + 100000 days) / 86400 - 100000` rounds down before 1970
    /// too: SQLite rounds towards zero.
    pub(crate) fn day(moment: &str) -> String {
        format!("({moment} + 60 * COALESCE(utc_offset_min, 0) + 86400 * 100000) / 86400 - 100000")
    }

    /// The statement that computes the rows of the days from `?3` until before `?4`, which lie between the moments `?1` and
    /// `?2`.
    pub(crate) fn select(&self, moment: &str) -> String {
        let Self { from, by, .. } = self;
        let day = Self::day(moment);
        let these = format!(
            "FROM {from} WHERE {moment} >= ?1 AND {moment} < ?2 AND day >= ?3 AND day < ?4"
        );
        let totals: Vec<_> = self.totals.iter().map(Total::sql).collect();
        let totals = totals.join(", ");
        if let Some(column) = self.most_of {
            return format!(
                "SELECT day, MAX(total) FROM (SELECT {day} AS day, {totals} AS total {these} GROUP BY day, {column})
                 GROUP BY day"
            );
        }
        let by: String = by.iter().map(|by| format!("{}, ", by.sql())).collect();
        let keys: String = (0..self.by.len())
            .map(|at| format!(", {}", at + 2))
            .collect();
        format!("SELECT {day} AS day, {by}{totals} {these} GROUP BY 1{keys}")
    }
}

impl By {
    fn sql(&self) -> String {
        match self {
            Self::Word(column) => (*column).into(),
            // Rounding down, as for days: no place is 20,000 cells south.
            Self::Cell(column) => format!("({column} + 20000 * {CELL}) / {CELL} - 20000"),
        }
    }
}

impl Total {
    fn sql(&self) -> String {
        match self {
            Self::Rows => "COUNT(*)".into(),
            Self::Sum(column) => format!("SUM(COALESCE({column}, 0))"),
            Self::Span(start, end) => format!("SUM({end} - {start})"),
        }
    }
}

const fn computed(
    name: &'static str,
    about: &'static str,
    columns: &'static [super::Field],
    daily: Daily,
) -> Shape {
    Shape {
        name,
        about,
        columns,
        computed: Some(daily),
        single: false,
    }
}

/// In the order in which the documentation has them.
pub(super) const COMPUTED: &[Shape] = &[
    computed(
        "daily_steps",
        "Steps of a day, by the device that counted most: a telephone and a watch count the same steps.",
        &[DAY, total("steps_count", 0, "steps")],
        Daily {
            from: "steps",
            by: &[],
            totals: &[Total::Sum("steps_count")],
            most_of: Some("source"),
        },
    ),
    computed(
        "daily_energy",
        "What the household's meters counted on a day.",
        &[
            DAY,
            kind("commodity", COMMODITIES, "what"),
            kind("flow", FLOWS, "to the household, or from it"),
            total("energy_wh", 3, "watt-hours"),
        ],
        Daily {
            from: "energy",
            by: &[By::Word("commodity"), By::Word("flow")],
            totals: &[Total::Sum("energy_wh")],
            most_of: None,
        },
    ),
    computed(
        "daily_trips",
        "Trips that began on a day, by mode.",
        &[
            DAY,
            kind("mode", MODES, "by which means"),
            total("trips_count", 0, "trips"),
            total(
                "distance_m",
                0,
                "metres, of the trips whose distance is known",
            ),
            total("duration_s", 0, "seconds"),
        ],
        Daily {
            from: "trips",
            by: &[By::Word("mode")],
            totals: &[
                Total::Rows,
                Total::Sum("distance_m"),
                Total::Span("start_utc_s", "end_utc_s"),
            ],
            most_of: None,
        },
    ),
    computed(
        "daily_cells",
        "Cells of a grid of 0.01 degrees that were visited on a day, by positions.",
        &[
            DAY,
            corner(
                "south_deg",
                9_000,
                "degrees north of the cell's southern edge",
            ),
            corner(
                "west_deg",
                18_000,
                "degrees east of the cell's western edge",
            ),
            total("positions_count", 0, "positions in it"),
        ],
        Daily {
            from: "positions",
            by: &[By::Cell("latitude_deg"), By::Cell("longitude_deg")],
            totals: &[Total::Rows],
            most_of: None,
        },
    ),
];
