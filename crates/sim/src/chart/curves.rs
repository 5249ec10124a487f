//! What is inside the axes: lines, deviations, marks, and labels beside them.

use plotters::coord::ranged1d::Ranged as _;
use plotters::prelude::*;

use super::labels::{Rect, Room};
use super::pen::{self, Area, Drawn, Spot, px};
use super::ruler::Ruler;
use super::{Point, Series, words};

/// Font size and height of labels.
const LABEL: i32 = px(10);
const LABEL_LINE: i32 = px(12);
/// Thickness of the line that shows a deviation.
const DEVIATION: u32 = 10;

/// The rectangle inside the axes.
pub struct Plot<'a> {
    /// Where it is on the sheet.
    pub rect: Rect,
    /// From its left to its right.
    pub x: &'a Ruler,
    /// From its bottom to its top.
    pub y: &'a Ruler,
}

/// Points that are joined: all of a series between two gaps.
struct Run<'a> {
    series: &'a Series,
    spots: Vec<Spot>,
    points: &'a [Point],
}

impl Plot<'_> {
    /// Draws these series: what explains behind what it explains, and later series over earlier ones.
    pub fn draw(&self, sheet: &Area<'_>, series: &[Series]) -> Drawn {
        let runs: Vec<_> = series.iter().flat_map(|one| self.runs(one)).collect();
        for run in &runs {
            self.draw_deviations(sheet, run)?;
        }
        for run in &runs {
            pen::curve(sheet, run.series.look, &run.spots)?;
        }
        for run in &runs {
            for spot in &run.spots {
                pen::mark(sheet, run.series.look, *spot)?;
            }
        }
        self.draw_labels(sheet, &runs)
    }

    fn spot(&self, x: f64, y: f64) -> Spot {
        let Rect { from, to } = self.rect;
        (
            self.x.map(&x, (from.0, to.0)),
            self.y.map(&y, (to.1, from.1)),
        )
    }

    /// The points that both axes can show.
    fn runs<'a>(&self, series: &'a Series) -> impl Iterator<Item = Run<'a>> {
        let shown = |point: &Point| self.x.shows(point.x) && self.y.shows(point.y);
        let runs = series.points.split(move |point| !shown(point));
        runs.filter(|run| !run.is_empty()).map(|points| Run {
            series,
            spots: points
                .iter()
                .map(|point| self.spot(point.x, point.y))
                .collect(),
            points,
        })
    }

    fn draw_deviations(&self, sheet: &Area<'_>, run: &Run<'_>) -> Drawn {
        let style = pen::line(pen::pale(pen::colour(run.series.look.colour)), DEVIATION);
        for point in run.points {
            let Some(deviation) = point.spread.map(|spread| spread.deviation) else {
                continue;
            };
            if deviation > 0.0 && deviation.is_finite() {
                let ends = [point.y - deviation, point.y + deviation];
                sheet.draw(&PathElement::new(
                    ends.map(|y| self.spot(point.x, y)),
                    style,
                ))?;
            }
        }
        Ok(())
    }

    fn draw_labels(&self, sheet: &Area<'_>, runs: &[Run<'_>]) -> Drawn {
        let marks: Vec<_> = runs.iter().flat_map(|run| &run.spots).copied().collect();
        let lines = runs.iter().flat_map(|run| run.spots.windows(2));
        let lines = lines.map(|pair| (pair[0], pair[1])).collect();
        let mut room = Room::new(self.rect, &marks, lines);
        for run in runs {
            let style = pen::font(LABEL, pen::colour(run.series.look.colour));
            for (point, spot) in run.points.iter().zip(&run.spots) {
                let Some(label) = point.label.as_deref().filter(|it| !it.trim().is_empty()) else {
                    continue;
                };
                let size = (words::width(label, LABEL), LABEL_LINE);
                if let Some(place) = room.place(*spot, size) {
                    pen::write_centred(sheet, label, &style, place.middle())?;
                }
            }
        }
        Ok(())
    }
}
