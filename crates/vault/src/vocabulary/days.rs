//! The tables that the vault computes from the others, by day.
//!
//! They are tables and no views: a question may open one table and nothing else (see `allowed`), and a person's day has
//! thousands of rows behind it.

use super::Shape;
use super::tables::{COMMODITIES, DAY, FLOWS, MODES, corner, kind, total};

const fn computed(
    name: &'static str,
    about: &'static str,
    columns: &'static [super::Field],
    sql: &'static str,
) -> Shape {
    Shape {
        name,
        about,
        columns,
        computed: Some(sql),
        single: false,
    }
}

/// `(… + 4000000000000) / 86400 - …` rounds down before 1970 too: SQLite rounds towards zero.
macro_rules! day {
    ($moment:literal) => {
        concat!(
            "(",
            $moment,
            " + 60 * COALESCE(utc_offset_min, 0) + 86400 * 100000) / 86400 - 100000"
        )
    };
}

/// A hundredth of a degree, in which a place of seven decimals lies.
macro_rules! cell {
    ($place:literal) => {
        concat!("(", $place, " + 2000000000) / 100000 - 20000")
    };
}

/// In the order in which they are computed.
pub(super) const COMPUTED: &[Shape] = &[
    computed(
        "daily_steps",
        "Steps of a day, by the device that counted most: a telephone and a watch count the same steps.",
        &[DAY, total("steps_count", 0, "steps")],
        concat!(
            "SELECT day, MAX(n) FROM (SELECT ",
            day!("start_utc_s"),
            " AS day, SUM(steps_count) AS n FROM steps ",
            "GROUP BY day, source) GROUP BY day"
        ),
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
        concat!(
            "SELECT ",
            day!("start_utc_s"),
            " AS day, commodity, flow, SUM(energy_wh) FROM energy ",
            "GROUP BY day, commodity, flow"
        ),
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
        concat!(
            "SELECT ",
            day!("start_utc_s"),
            " AS day, mode, COUNT(*), SUM(COALESCE(distance_m, 0)), ",
            "SUM(end_utc_s - start_utc_s) FROM trips GROUP BY day, mode"
        ),
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
        concat!(
            "SELECT ",
            day!("at_utc_s"),
            " AS day, ",
            cell!("latitude_deg"),
            " AS south, ",
            cell!("longitude_deg"),
            " AS west, COUNT(*) FROM positions GROUP BY day, south, west"
        ),
    ),
];
