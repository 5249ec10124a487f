//! What is inside the axes: lines, deviations, marks, and labels beside them.

use plotters::coord::ranged1d::Ranged as _;
use plotters::prelude::*;

use super::labels::{Line, Place, Rect, Room};
use super::pen::{self, Area, Drawn, Spot, px};
use super::ruler::Ruler;
use super::{Point, Series, words};

/// Font size and height of labels.
const LABEL: i32 = px(10);
const LABEL_LINE: i32 = px(12);
/// Thickness of the line that shows a deviation, and of that which leads to a label.
const DEVIATION: u32 = 10;
const LEADER: u32 = 5;

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

impl Run<'_> {
    fn colour(&self) -> RGBColor {
        pen::colour(self.series.look.colour)
    }
}

/// A label that has found its place.
struct Label<'a> {
    text: &'a str,
    colour: RGBColor,
    place: Place,
}

impl Plot<'_> {
    /// Draws these series: what explains behind what it explains, and later series over earlier ones.
    pub fn draw(&self, sheet: &Area<'_>, series: &[Series]) -> Drawn {
        let runs: Vec<_> = series.iter().flat_map(|one| self.runs(one)).collect();
        let labels = self.labels(&runs);
        for run in &runs {
            let style = pen::line(pen::pale(run.colour()), DEVIATION);
            for (low, high) in self.deviations(run) {
                sheet.draw(&PathElement::new([low, high], style))?;
            }
        }
        for run in &runs {
            pen::curve(sheet, run.series.look, &run.spots)?;
        }
        for Label { colour, place, .. } in &labels {
            if let Some((from, to)) = place.leader {
                sheet.draw(&PathElement::new([from, to], pen::line(*colour, LEADER)))?;
            }
        }
        for run in &runs {
            for spot in &run.spots {
                pen::mark(sheet, run.series.look, *spot)?;
            }
        }
        for Label {
            text,
            colour,
            place,
        } in &labels
        {
            pen::write_centred(sheet, text, &pen::font(LABEL, *colour), place.rect.middle())?;
        }
        Ok(())
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

    /// From a deviation below to one above; below an axis, that axis.
    fn deviations(&self, run: &Run<'_>) -> Vec<Line> {
        let one = |point: &Point| {
            let deviation = point.spread?.deviation;
            let ends = || [point.y - deviation, point.y + deviation].map(|y| self.spot(point.x, y));
            (deviation > 0.0 && self.y.shows(point.y + deviation)).then(ends)
        };
        run.points
            .iter()
            .filter_map(one)
            .map(|[low, high]| (low, high))
            .collect()
    }

    /// All labels that find a place.
    fn labels<'a>(&self, runs: &[Run<'a>]) -> Vec<Label<'a>> {
        let lines = runs.iter().flat_map(|run| {
            let curve = run.spots.windows(2).map(|pair| (pair[0], pair[1]));
            curve.chain(self.deviations(run))
        });
        let room = Room {
            plot: self.rect,
            marks: runs.iter().flat_map(|run| &run.spots).copied().collect(),
            lines: lines.collect(),
        };
        let points = runs.iter().flat_map(|run| {
            let points = run.points.iter().zip(&run.spots);
            points.map(|(point, spot)| (point.label.as_deref(), *spot, run.colour()))
        });
        let texts = points.filter_map(|(text, spot, colour)| Some((text?.trim(), spot, colour)));
        let texts: Vec<_> = texts.filter(|(text, ..)| !text.is_empty()).collect();
        let size = |text| (words::width(text, LABEL), LABEL_LINE);
        let sizes: Vec<_> = texts
            .iter()
            .map(|(text, spot, _)| (*spot, size(text)))
            .collect();
        let placed = texts.into_iter().zip(room.places(&sizes));
        let label = |((text, _, colour), place): (_, Option<Place>)| {
            place.map(|place| Label {
                text,
                colour,
                place,
            })
        };
        placed.filter_map(label).collect()
    }
}
