//! Which curve is which: at the right of a plot, over no data.

use super::pen::{self, Area, Drawn, INK, Spot, px};
use super::{Look, Panel, words};

/// Font size.
const SIZE: i32 = px(12);
/// Height of a line.
const LINE: i32 = px(16);
/// Between two names.
const APART: i32 = px(6);
/// Length of the piece of curve, and from it to the name.
const SAMPLE: i32 = px(30);
const SAMPLE_GAP: i32 = px(8);
/// Widest names; longer ones take several lines.
const NAME_MAX: i32 = px(200);

/// The names of a panel's curves, in lines.
pub struct Legend(Vec<(Look, Vec<String>)>);

impl Legend {
    /// Of all series that have a name.
    pub fn of(panel: &Panel) -> Self {
        let named = panel.series.iter().map(|series| {
            let name = words::lines(&series.name, SIZE, NAME_MAX);
            (series.look, name)
        });
        Self(named.filter(|(_, name)| !name.is_empty()).collect())
    }

    /// Zero without any name.
    pub fn width(&self) -> i32 {
        let names = self.0.iter().flat_map(|(_, name)| name);
        let widest = names.map(|line| words::width(line, SIZE)).max();
        widest.map_or(0, |names| SAMPLE + SAMPLE_GAP + names)
    }

    /// With half the gap above and below.
    pub fn height(&self) -> i32 {
        let entries = self.0.iter();
        entries
            .map(|(_, name)| name.len() as i32 * LINE + APART)
            .sum()
    }

    /// Draws it to the right of `corner` and below.
    pub fn draw(&self, sheet: &Area<'_>, (x, top): Spot) -> Drawn {
        let mut y = top + APART / 2 + LINE / 2;
        for (look, name) in &self.0 {
            pen::curve(sheet, *look, &[(x, y), (x + SAMPLE, y)])?;
            pen::mark(sheet, *look, (x + SAMPLE / 2, y))?;
            for line in name {
                pen::write(
                    sheet,
                    line,
                    &pen::font(SIZE, INK),
                    (x + SAMPLE + SAMPLE_GAP, y),
                )?;
                y += LINE;
            }
            y += APART;
        }
        Ok(())
    }
}
