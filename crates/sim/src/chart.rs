//! Figures: panels of curves as one SVG document, and their numbers as CSV.
//!
//! A [`Figure`] says what is to be seen, never where: ranges, ticks, legend and labels find their places by themselves,
//! so figures of one evaluation look alike. Everything is laid out in integers, and logarithms are our own: the same
//! figure is the same bytes on every machine, and a figure that changed in the repository is a result that changed.
//!
//! ```
//! use sim::chart::{Axis, Colour, Figure, Look, Mark, Panel, Point, Scale, Series, Ticks};
//!
//! let points = [(0.01, 2.3), (0.1, 2.9), (1.0, 3.8)];
//! let points = points.map(|(x, y)| Point { x, y, label: None, spread: None });
//! let look = Look { colour: Colour::Palette(0), mark: Mark::Circle, hollow: false, dashed: false };
//! let figure = Figure {
//!     name: "figure-6".into(),
//!     title: "Average k against the share of colluding nodes".into(),
//!     setting: "N = 100 000, α = 10⁻⁶".into(),
//!     panels: vec![Panel {
//!         x: Axis { label: "Colluding nodes".into(), scale: Scale::Log, ticks: Ticks::Percent },
//!         y: Axis { label: "Average k".into(), scale: Scale::Linear, ticks: Ticks::Plain },
//!         series: vec![Series { name: "SEP2P".into(), look, points: points.to_vec() }],
//!     }],
//! };
//! assert!(figure.to_svg().starts_with("<svg"));
//! assert!(figure.to_csv().contains("Average k,SEP2P,0.01,2.3,,,"));
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `number` | how a number is written at an axis |
//! | `ticks` | which range an axis covers, and where its ticks may be |
//! | `ruler` | the axis that was chosen, as a coordinate |
//! | `words` | how wide text is, and where it breaks |
//! | `pen` | lines, marks and text on the sheet |
//! | `labels` | where there is room for the label of a point |
//! | `curves` | what is inside the axes |
//! | `legend` | which curve is which |
//! | `panel` | layout, axes and grid of one panel |
//! | `sheet` | title and panels below each other |
//! | `table` | CSV |

mod curves;
mod labels;
mod legend;
mod number;
mod panel;
mod pen;
mod ruler;
mod sheet;
mod table;
mod ticks;
mod words;

#[cfg(test)]
mod tests;

/// A figure: panels below each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The stem of its files: "figure-6".
    pub name: String,
    /// What it shows.
    pub title: String,
    /// Under which parameters: N = …, α = ….
    pub setting: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// Curves over the same two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The order of the legend; later ones are drawn over earlier ones.
    pub series: Vec<Series>,
}

/// What is measured along one side of a panel. The range follows from the points.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Quantity and unit.
    pub label: String,
    /// How values become lengths.
    pub scale: Scale,
    /// How numbers are written.
    pub ticks: Ticks,
}

/// How values become lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal lengths. Begins at zero unless that would waste half of the panel.
    Linear,
    /// Equal ratios are equal lengths. Shows positive values only.
    Log,
}

/// How the numbers at an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticks {
    /// 12, 0.5, 10 000; powers of ten when one of them is very large or small.
    Plain,
    /// Values are in percent already: 0.001 %.
    Percent,
    /// At powers of two: 8, 16 … 512, 1K … 32K.
    Binary,
    /// Values are in hours: 1 h, 12 h, 1 d, 5 d.
    Hours,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// In the legend; without a name it is not there.
    pub name: String,
    /// Of its line and marks.
    pub look: Look,
    /// In the order in which they are joined. One that an axis cannot show leaves a gap.
    pub points: Vec<Point>,
}

/// How a curve looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Of line, marks and labels.
    pub colour: Colour,
    /// At each point.
    pub mark: Mark,
    /// Marks are outlines.
    pub hollow: bool,
    /// The line is broken.
    pub dashed: bool,
}

/// A colour that people with any kind of colour vision can tell from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// One of eight; counting goes round.
    Palette(usize),
    /// For what is there to be compared with.
    Grey,
}

/// The sign at each point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
}

/// A measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Along the x axis, in its unit.
    pub x: f64,
    /// Along the y axis, in its unit.
    pub y: f64,
    /// Written beside the mark, small.
    pub label: Option<String>,
    /// When `y` is a mean. The deviation is drawn as a thin line through the mark.
    pub spread: Option<Spread>,
}

/// How much the values behind a mean differ: in SEP2P §4, over all setters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The largest of them.
    pub largest: f64,
    /// Their standard deviation.
    pub deviation: f64,
}

impl Figure {
    /// One SVG document, the same bytes on every machine.
    ///
    /// Points that an axis cannot show are left out: not a number, infinite, or not positive on a logarithmic axis.
    pub fn to_svg(&self) -> String {
        sheet::drawn(self)
    }

    /// A header, then a line for each point: panel (the label of its y axis), series, x, y, largest, deviation, label.
    ///
    /// All points are there. Numbers have the fewest digits that read back as the same; fields are quoted as in RFC
    /// 4180; lines end with a line feed alone.
    pub fn to_csv(&self) -> String {
        table::written(self)
    }
}
