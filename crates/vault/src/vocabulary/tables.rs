//! The tables that imports fill.

use super::{Field, Holds, Shape};

/// From 1900 to 2200: no file tells of other times.
const TIMES: Holds = Holds::Number {
    decimals: 0,
    min: -2_208_988_800,
    max: 7_258_118_400,
};

/// From 1980 to 2200: devices that have lost their clock tell of 1901 or 1970.
const MEASURED: Holds = Holds::Number {
    decimals: 0,
    min: 315_532_800,
    max: 7_258_118_400,
};

const SINCE: Field = Field::new(
    "start_utc_s",
    MEASURED,
    "beginning, seconds since 1970 in UTC",
)
.required();
const UNTIL: Field = Field::new("end_utc_s", MEASURED, "end, seconds since 1970 in UTC").required();
const THEN: Field =
    Field::new("at_utc_s", MEASURED, "moment, seconds since 1970 in UTC").required();
const START: Field =
    Field::new("start_utc_s", TIMES, "beginning, seconds since 1970 in UTC").required();
const END: Field = Field::new("end_utc_s", TIMES, "end, seconds since 1970 in UTC").required();
const AT: Field = Field::new("at_utc_s", TIMES, "moment, seconds since 1970 in UTC").required();
const OFFSET: Field = number(
    "utc_offset_min",
    0,
    -1080,
    1080,
    "minutes that local time was ahead of UTC; missing where the file does not tell",
);
const SOURCE: Field = Field::new("source", Holds::Text, "device or program that measured");

const fn number(
    name: &'static str,
    decimals: u8,
    min: i64,
    max: i64,
    about: &'static str,
) -> Field {
    Field::new(name, Holds::Number { decimals, min, max }, about)
}

const fn latitude(name: &'static str, about: &'static str) -> Field {
    number(name, 7, -900_000_000, 900_000_000, about)
}

const fn longitude(name: &'static str, about: &'static str) -> Field {
    number(name, 7, -1_800_000_000, 1_800_000_000, about)
}

const fn text(name: &'static str, about: &'static str) -> Field {
    Field::new(name, Holds::Text, about)
}

const fn words(name: &'static str, words: &'static [&'static str], about: &'static str) -> Field {
    Field::new(name, Holds::Words(words), about)
}

const fn filled(name: &'static str, about: &'static str, columns: &'static [Field]) -> Shape {
    Shape {
        name,
        about,
        columns,
        computed: None,
        single: false,
    }
}

/// How people get about.
pub(super) const MODES: &[&str] = &[
    "walking",
    "running",
    "cycling",
    "car",
    "motorcycle",
    "bus",
    "tram",
    "subway",
    "train",
    "ferry",
    "plane",
    "other",
    "unknown",
];

/// What flows through a meter.
pub(super) const COMMODITIES: &[&str] = &["electricity", "gas", "heat"];

/// Which way.
pub(super) const FLOWS: &[&str] = &["used", "given"];

const SYSTEM: Field = text("code_system", "where the code is explained");

/// In the order in which the documentation has them.
pub(super) const FILLED: &[Shape] = &[
    filled(
        "steps",
        "Steps counted by one device in a span of time.",
        &[
            SINCE,
            UNTIL,
            OFFSET,
            number("steps_count", 0, 0, 1_000_000, "steps").required(),
            SOURCE,
        ],
    ),
    filled(
        "sleep",
        "A span of sleep, or of lying in bed, as one device saw it.",
        &[
            SINCE,
            UNTIL,
            OFFSET,
            words(
                "stage",
                &["in_bed", "asleep", "awake", "light", "deep", "rem"],
                "what kind of sleep",
            )
            .required(),
            SOURCE,
        ],
    ),
    filled(
        "heart_rate",
        "Heartbeats per minute at a moment.",
        &[
            THEN,
            OFFSET,
            number("heart_rate_bpm", 1, 0, 4000, "beats per minute").required(),
            SOURCE,
        ],
    ),
    filled(
        "positions",
        "Where somebody was at a moment (WGS 84).",
        &[
            THEN,
            OFFSET,
            latitude("latitude_deg", "degrees north").required(),
            longitude("longitude_deg", "degrees east").required(),
            number("altitude_m", 1, -120_000, 1_000_000, "metres above the sea"),
            number(
                "accuracy_m",
                1,
                0,
                100_000_000,
                "radius in which the true place lies",
            ),
            number("speed_m_s", 2, 0, 10_000_000, "metres per second"),
            SOURCE,
        ],
    ),
    filled(
        "trips",
        "A way from one place to another.",
        &[
            SINCE,
            UNTIL,
            OFFSET,
            words("mode", MODES, "by which means").required(),
            number("distance_m", 0, 0, 50_000_000, "metres"),
            latitude("start_latitude_deg", "degrees north where it began"),
            longitude("start_longitude_deg", "degrees east where it began"),
            latitude("end_latitude_deg", "degrees north where it ended"),
            longitude("end_longitude_deg", "degrees east where it ended"),
            SOURCE,
        ],
    ),
    filled(
        "activities",
        "A sports session.",
        &[
            SINCE,
            UNTIL,
            OFFSET,
            text("activity", "such as running, in small letters").required(),
            number(
                "duration_s",
                0,
                0,
                31_622_400,
                "seconds of movement, without pauses",
            ),
            number("distance_m", 0, 0, 50_000_000, "metres"),
            number("energy_kcal", 1, 0, 1_000_000, "kilocalories burnt"),
            number(
                "average_heart_rate_bpm",
                1,
                0,
                4000,
                "beats per minute, on average",
            ),
            SOURCE,
        ],
    ),
    filled(
        "energy",
        "What a meter of a household counted in a span of time.",
        &[
            SINCE,
            UNTIL,
            OFFSET,
            words("commodity", COMMODITIES, "what").required(),
            words("flow", FLOWS, "to the household, or from it").required(),
            number("energy_wh", 3, 0, 1_000_000_000_000_000, "watt-hours").required(),
            number(
                "cost",
                5,
                -1_000_000_000_000,
                1_000_000_000_000,
                "in units of the currency",
            ),
            text(
                "currency",
                "three letters (ISO 4217), or the number of the currency",
            ),
            SOURCE,
        ],
    ),
    filled(
        "ratings",
        "What somebody thinks of a film or another work.",
        &[
            text("title", "name of the work").required(),
            number("release_year", 0, 1800, 2200, "year in which it came out"),
            text("work", "such as film or tv series"),
            number(
                "rating_of_10",
                1,
                0,
                100,
                "0 to 10, whatever the scale of the file",
            )
            .required(),
            number(
                "rated_day",
                0,
                -25_567,
                84_006,
                "day of the rating, days since 1970",
            ),
            text("reference", "name of the work in its catalogue"),
            SOURCE,
        ],
    ),
    filled(
        "conditions",
        "A diagnosis or a health problem.",
        &[
            text("name", "in words").required(),
            text("code", "as medicine names it"),
            SYSTEM,
            text("status", "such as active or resolved"),
            Field::new(
                "onset_utc_s",
                TIMES,
                "when it began, seconds since 1970 in UTC",
            ),
            Field::new(
                "end_utc_s",
                TIMES,
                "when it ended, seconds since 1970 in UTC",
            ),
            OFFSET,
            text("reference", "name of the record in its file"),
            SOURCE,
        ],
    ),
    filled(
        "observations",
        "A measurement of the body or by a laboratory.",
        &[
            AT,
            OFFSET,
            text("name", "in words").required(),
            text("code", "as medicine or the device names it"),
            SYSTEM,
            number(
                "value",
                4,
                -1_000_000_000_000_000,
                1_000_000_000_000_000,
                "in the unit of this row",
            ),
            text("unit", "of the value"),
            text("answer", "where it is no number"),
            text("reference", "name of the record in its file"),
            SOURCE,
        ],
    ),
    filled(
        "events",
        "An entry of a calendar.",
        &[
            START,
            END,
            OFFSET,
            words(
                "all_day",
                &["yes", "no"],
                "whether it has days and no times",
            )
            .required(),
            text("title", "in words"),
            text("category", "as the calendar has it"),
            text("place", "in words"),
            text("reference", "name of the entry in its calendar"),
        ],
    ),
    filled(
        "transactions",
        "Money that came or went.",
        &[
            AT,
            OFFSET,
            number(
                "amount",
                4,
                -1_000_000_000_000_000,
                1_000_000_000_000_000,
                "in units of the currency; what went is negative",
            )
            .required(),
            text("currency", "three letters (ISO 4217)"),
            text("kind", "such as debit, as the bank has it"),
            text("party", "to or from whom"),
            text("memo", "what was written to it"),
            text("account", "which account"),
            text("reference", "name of the transaction at the bank"),
        ],
    ),
    Shape {
        name: "profile",
        about: "The owner, in one row; most of it is typed in.",
        columns: &[
            number("birth_year", 0, 1850, 2200, "year of birth"),
            words("sex", &["female", "male", "other"], "as papers have it"),
            text("job", "what the owner does"),
            text("town", "where the owner lives"),
            text("country", "two letters (ISO 3166)"),
            text("education", "highest school or degree"),
            number("household_people", 0, 1, 100, "people in the household"),
            number(
                "income_per_year",
                0,
                0,
                1_000_000_000_000,
                "before taxes, in units of the country's currency",
            ),
            number("height_cm", 0, 20, 300, "centimetres"),
            number("weight_kg", 1, 0, 10_000, "kilograms"),
        ],
        computed: None,
        single: true,
    },
];

/// What tells days apart.
pub(super) const DAY: Field = number(
    "day",
    0,
    -25_567,
    84_006,
    "local day (in UTC where the offset is missing), days since 1970",
)
.required();

/// For sums of a day.
pub(super) const fn total(name: &'static str, decimals: u8, about: &'static str) -> Field {
    number(name, decimals, 0, 1_000_000_000_000_000, about).required()
}

/// For words of a day.
pub(super) const fn kind(
    name: &'static str,
    all: &'static [&'static str],
    about: &'static str,
) -> Field {
    words(name, all, about).required()
}

/// For corners of cells.
pub(super) const fn corner(name: &'static str, max: i64, about: &'static str) -> Field {
    number(name, 2, -max, max, about).required()
}
