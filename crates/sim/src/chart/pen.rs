//! Lines, marks and text on the sheet.
//!
//! Lengths are in tenths of a pixel, so that integers are fine enough for smooth curves.

use std::io;

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::FontDesc;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Colour, Look, Mark, words};

/// Where drawing happens: the sheet or a part of it.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Of every act of drawing. A document in memory takes all there is.
pub type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;
/// Right and down from the corner of the sheet.
pub type Spot = (i32, i32);

/// A length in pixels.
pub const fn px(pixels: i32) -> i32 {
    pixels * 10
}

/// Text and axes.
pub const INK: RGBColor = RGBColor(34, 34, 34);
/// Text that stands back.
pub const FAINT: RGBColor = RGBColor(105, 105, 105);
/// Lines that the eye follows without seeing them.
pub const GRID: RGBColor = RGBColor(225, 225, 225);

/// The palette of Okabe and Ito (2008), its light colours darkened until thin lines and small text keep a contrast of
/// about 3 to 1 on white.
const PALETTE: [RGBColor; 8] = [
    RGBColor(0, 98, 168),
    RGBColor(202, 80, 0),
    RGBColor(0, 128, 94),
    RGBColor(178, 72, 138),
    RGBColor(190, 128, 0),
    RGBColor(42, 146, 206),
    RGBColor(130, 118, 0),
    RGBColor(40, 40, 40),
];
const GREY: RGBColor = RGBColor(140, 140, 140);

const FAMILY: &str = "Helvetica, Arial, sans-serif";
/// The library divides sizes by this before it writes them.
const FONT_SCALE: f64 = 1.24;

/// Thickness of curves.
const CURVE: u32 = 17;
/// Thickness of hollow marks, and of the rim around full ones that parts them from other curves.
const RIM: u32 = 15;
/// Half the width of a mark.
pub const MARK: i32 = 40;
const DASH: i32 = px(6);
const GAP: i32 = px(4);

/// What a [`Colour`] stands for.
pub fn colour(colour: Colour) -> RGBColor {
    match colour {
        Colour::Palette(number) => PALETTE[number % PALETTE.len()],
        Colour::Grey => GREY,
    }
}

/// Halfway to white: for what is behind.
pub fn pale(RGBColor(r, g, b): RGBColor) -> RGBColor {
    let half = |part: u8| part / 2 + 128;
    RGBColor(half(r), half(g), half(b))
}

/// A line of this thickness.
pub fn line(colour: RGBColor, thickness: u32) -> ShapeStyle {
    colour.stroke_width(thickness)
}

/// The font of everything, in this size (tenths of a pixel).
pub fn font<'a>(size: i32, colour: RGBColor) -> TextStyle<'a> {
    styled(size, colour, FontStyle::Normal)
}

/// The same, bold.
pub fn bold<'a>(size: i32, colour: RGBColor) -> TextStyle<'a> {
    styled(size, colour, FontStyle::Bold)
}

fn styled<'a>(size: i32, colour: RGBColor, style: FontStyle) -> TextStyle<'a> {
    let size = f64::from(size) * FONT_SCALE;
    FontDesc::new(FontFamily::Name(FAMILY), size, style).color(&colour)
}

/// Writes from `at` to the right, around the height of `at`.
pub fn write(area: &Area<'_>, text: &str, style: &TextStyle<'_>, at: Spot) -> Drawn {
    aligned(area, text, style, at, HPos::Left)
}

/// Writes around `at`.
pub fn write_centred(area: &Area<'_>, text: &str, style: &TextStyle<'_>, at: Spot) -> Drawn {
    aligned(area, text, style, at, HPos::Center)
}

fn aligned(area: &Area<'_>, text: &str, style: &TextStyle<'_>, at: Spot, side: HPos) -> Drawn {
    let style = style.pos(Pos::new(side, VPos::Center));
    area.draw_text(&words::clean(text), &style, at)
}

/// The line of a curve.
pub fn curve(area: &Area<'_>, look: Look, path: &[Spot]) -> Drawn {
    let style = line(colour(look.colour), CURVE);
    if look.dashed {
        area.draw(&DashedPathElement::new(
            path.iter().copied(),
            DASH,
            GAP,
            style,
        ))
    } else {
        area.draw(&PathElement::new(path, style))
    }
}

/// The sign at a point.
pub fn mark(area: &Area<'_>, look: Look, at: Spot) -> Drawn {
    let colour = colour(look.colour);
    let (inside, rim) = if look.hollow {
        (WHITE, colour)
    } else {
        (colour, WHITE)
    };
    let rim = line(rim, if look.hollow { RIM } else { RIM / 2 });
    if look.mark == Mark::Circle {
        area.draw(&Circle::new(at, MARK, inside.filled()))?;
        return area.draw(&Circle::new(at, MARK, rim));
    }
    let corners = corners(look.mark);
    let spot = |(x, y): &Spot| (at.0 + x, at.1 + y);
    area.draw(&Polygon::new(
        corners.iter().map(spot).collect::<Vec<_>>(),
        inside.filled(),
    ))?;
    // Around once and on to the second corner, so that the last one is as sharp as the others.
    let around = corners.iter().chain(&corners[..2]);
    area.draw(&PathElement::new(around.map(spot).collect::<Vec<_>>(), rim))
}

/// Shapes that look equally large beside the circle.
fn corners(mark: Mark) -> Vec<Spot> {
    match mark {
        Mark::Circle => Vec::new(),
        Mark::Square => vec![(-36, -36), (36, -36), (36, 36), (-36, 36)],
        Mark::Triangle => vec![(0, -50), (46, 34), (-46, 34)],
        Mark::Diamond => vec![(0, -52), (52, 0), (0, 52), (-52, 0)],
    }
}
