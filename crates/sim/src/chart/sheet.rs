//! The whole figure: title and panels below each other.

use plotters::prelude::*;

use super::panel::Laid;
use super::pen::{self, Area, Drawn, FAINT, INK, px};
use super::{Figure, words};

/// Width of every figure.
pub const WIDTH: i32 = px(860);
/// Around everything.
pub const MARGIN: i32 = px(24);

const TITLE: i32 = px(17);
const SETTING: i32 = px(13);
/// Height of a line of the title, and of the setting.
const LINES: (i32, i32) = (px(23), px(18));
/// Between the head and the first panel, and between panels.
const APART: i32 = px(22);

/// See [`Figure::to_svg`].
pub fn drawn(figure: &Figure) -> String {
    let room = WIDTH - 2 * MARGIN;
    // Bold letters are wider.
    let titles = words::lines(&figure.title, TITLE, room * 9 / 10);
    let settings = words::lines(&figure.setting, SETTING, room);
    let panels = Laid::all(&figure.panels);
    let head = titles.len() as i32 * LINES.0 + settings.len() as i32 * LINES.1;
    let below: i32 = panels.iter().map(|panel| APART + panel.height()).sum();
    let height = 2 * MARGIN + head + below;

    let mut svg = String::new();
    let sheet = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32));
    drawn_on(&sheet.into_drawing_area(), &titles, &settings, &panels)
        .expect("a document in memory takes all there is");
    in_pixels(&svg, height)
}

fn drawn_on(
    sheet: &Area<'_>,
    titles: &[String],
    settings: &[String],
    panels: &[Laid<'_>],
) -> Drawn {
    sheet.fill(&WHITE)?;
    let mut y = MARGIN;
    for title in titles {
        pen::write(
            sheet,
            title,
            &pen::bold(TITLE, INK),
            (MARGIN, y + LINES.0 / 2),
        )?;
        y += LINES.0;
    }
    for setting in settings {
        pen::write(
            sheet,
            setting,
            &pen::font(SETTING, FAINT),
            (MARGIN, y + LINES.1 / 2),
        )?;
        y += LINES.1;
    }
    for panel in panels {
        panel.draw(sheet, y + APART)?;
        y += APART + panel.height();
    }
    sheet.present()
}

/// The document as large as it should appear; its view box stays in tenths of pixels.
fn in_pixels(svg: &str, height: i32) -> String {
    let tenths = format!("width=\"{WIDTH}\" height=\"{height}\"");
    let pixels = format!("width=\"{}\" height=\"{}\"", WIDTH / px(1), height / px(1));
    svg.replacen(&tenths, &pixels, 1)
}
