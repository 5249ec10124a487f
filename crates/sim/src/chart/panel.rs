//! One panel: its layout, axes and grid. The y axis is labelled above it, where text need not be turned.

use plotters::prelude::*;

use super::curves::Plot;
use super::labels::Rect;
use super::legend::Legend;
use super::pen::{self, Area, Drawn, FAINT, GRID, INK, px};
use super::ruler::Ruler;
use super::sheet::{MARGIN, WIDTH};
use super::{Panel, Point, Scale, words};

/// Height of a plot; a long legend makes it higher.
const PLOT: i32 = px(316);
/// Font sizes of the labels of axes, and of numbers there.
const LABEL: i32 = px(13);
const NUMBER: i32 = px(12);
/// Height of a line of a label, and of numbers.
const LABEL_LINE: i32 = px(18);
const NUMBER_LINE: i32 = px(16);
/// Length of the small lines at ticks; numbers stand twice as far away.
const TICK: i32 = px(4);
/// Between labels and what they are for: above the plot, and below the numbers.
const LABEL_GAP: (i32, i32) = (px(3), px(5));
/// From plot to legend.
const LEGEND_GAP: i32 = px(24);
/// Least distance of two ticks at the y axis, and at the x axis; and there, between their numbers.
const ROW: i32 = px(34);
const COLUMN: i32 = px(48);
const NUMBER_GAP: i32 = px(14);
/// Free above the highest tick: for labels of points up there.
const HEADROOM: i32 = px(16);
/// Free at both ends of a logarithmic x axis.
const INSET: i32 = px(14);
/// Thickness of axes and grid.
const HAIR: u32 = 8;

/// A panel with everything decided but where it begins.
pub struct Laid<'a> {
    panel: &'a Panel,
    x: Ruler,
    y: Ruler,
    x_label: Vec<String>,
    y_label: Vec<String>,
    legend: Legend,
    /// Left and right edge of the plot.
    sides: (i32, i32),
    plot_height: i32,
}

impl<'a> Laid<'a> {
    /// Lays out the panels of a figure, with one left and one right edge for all.
    pub fn all(panels: &'a [Panel]) -> Vec<Self> {
        let part = |panel: &'a Panel| {
            let legend = Legend::of(panel);
            let height = PLOT.max(legend.height());
            (panel, legend, height, upright(panel, height))
        };
        let parts: Vec<_> = panels.iter().map(part).collect();

        let names = parts.iter().map(|(_, legend, ..)| legend.width()).max();
        let beside = names
            .filter(|width| *width > 0)
            .map_or(0, |width| LEGEND_GAP + width);
        let numbers = parts.iter().flat_map(|(.., y)| y.labels(0));
        let numbers = numbers
            .map(|(_, number)| words::width(number, NUMBER))
            .max();
        let left = MARGIN + numbers.unwrap_or_default() + 2 * TICK;
        let right = WIDTH - MARGIN - beside;

        let laid = parts
            .into_iter()
            .map(|(panel, legend, plot_height, y)| Self {
                panel,
                x: level(panel, right - left),
                y,
                x_label: words::lines(&panel.x.label, LABEL, right - left),
                y_label: words::lines(&panel.y.label, LABEL, WIDTH - 2 * MARGIN),
                legend,
                sides: (left, right),
                plot_height,
            });
        laid.collect()
    }

    /// From the label of the y axis to that of the x axis.
    pub fn height(&self) -> i32 {
        self.above() + self.plot_height + self.below()
    }

    fn above(&self) -> i32 {
        self.y_label.len() as i32 * LABEL_LINE + LABEL_GAP.0
    }

    fn below(&self) -> i32 {
        2 * TICK + NUMBER_LINE + LABEL_GAP.1 + self.x_label.len() as i32 * LABEL_LINE
    }

    /// Draws it from `top` down.
    pub fn draw(&self, sheet: &Area<'_>, top: i32) -> Drawn {
        let (left, right) = self.sides;
        let upper = top + self.above();
        let rect = Rect {
            from: (left, upper),
            to: (right, upper + self.plot_height),
        };
        self.draw_labels(sheet, top)?;
        self.draw_axes(sheet, rect)?;
        let (x, y) = (&self.x, &self.y);
        Plot { rect, x, y }.draw(sheet, &self.panel.series)?;
        self.legend.draw(sheet, (right + LEGEND_GAP, upper))
    }

    fn draw_labels(&self, sheet: &Area<'_>, top: i32) -> Drawn {
        let style = pen::font(LABEL, INK);
        for (line, text) in (0..).zip(&self.y_label) {
            let y = top + line * LABEL_LINE + LABEL_LINE / 2;
            pen::write(sheet, text, &style, (MARGIN, y))?;
        }
        let middle = (self.sides.0 + self.sides.1) / 2;
        for (line, text) in (0..).zip(self.x_label.iter().rev()) {
            let y = top + self.height() - line * LABEL_LINE - LABEL_LINE / 2;
            pen::write_centred(sheet, text, &style, (middle, y))?;
        }
        Ok(())
    }

    /// Grid, axes, ticks and numbers.
    fn draw_axes(&self, sheet: &Area<'_>, plot: Rect) -> Drawn {
        let (beside, below) = (plot.from.0 - MARGIN, 2 * TICK + NUMBER_LINE);
        // The library ends a plot one unit early.
        let size = (plot.to.0 - MARGIN + 1, self.plot_height + below + 1);
        let area = sheet.clone().shrink((MARGIN, plot.from.1), size);
        ChartBuilder::on(&area)
            .y_label_area_size(beside)
            .x_label_area_size(below)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(pen::line(GRID, HAIR))
            .axis_style(pen::line(FAINT, HAIR))
            .set_all_tick_mark_size(TICK)
            .label_style(pen::font(NUMBER, INK))
            .draw()
    }
}

/// The y axis: numbers in rows.
fn upright(panel: &Panel, height: i32) -> Ruler {
    // Deviations are drawn as well; downwards they end at the axis.
    let deviation = |point: &Point| point.spread.map_or(0.0, |spread| spread.deviation.max(0.0));
    let ends = |point: &Point| [point.y, point.y + deviation(point)];
    let values = shown_points(panel).flat_map(ends);
    Ruler::new(&panel.y, values, (0, HEADROOM), |ruler| {
        let rows: Vec<_> = ruler.labels(height).map(|(place, _)| place).collect();
        rows.windows(2).all(|pair| pair[1] - pair[0] >= ROW)
    })
}

/// The x axis: numbers side by side.
fn level(panel: &Panel, width: i32) -> Ruler {
    let values = shown_points(panel).map(|point| point.x);
    // A logarithmic axis begins nowhere in particular: its first points need not sit on the other axis.
    let inset = match panel.x.scale {
        Scale::Linear => (0, 0),
        Scale::Log => (INSET, INSET),
    };
    Ruler::new(&panel.x, values, inset, |ruler| {
        let labels = ruler.labels(width);
        let labels = labels.map(|(place, number)| (place, words::width(number, NUMBER) / 2));
        let labels: Vec<_> = labels.collect();
        labels.windows(2).all(|pair| {
            let between = pair[1].0 - pair[0].0;
            between >= COLUMN.max(pair[0].1 + pair[1].1 + NUMBER_GAP)
        })
    })
}

/// The points that are on the panel: an axis need not cover what the other one cannot show.
fn shown_points(panel: &Panel) -> impl Iterator<Item = &Point> {
    let shown = |point: &&Point| {
        super::ticks::shows(panel.x.scale, point.x) && super::ticks::shows(panel.y.scale, point.y)
    };
    panel
        .series
        .iter()
        .flat_map(|series| &series.points)
        .filter(shown)
}
