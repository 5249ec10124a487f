//! `commonhold simulate figure`: the evaluation of the SEP2P paper, drawn again.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use sim::chart::Figure;
use sim::figures::{Dht, Evaluation, Options, Which};

use crate::cli::{ANSWERED, FAILED, FigureChoice, FigureOptions, OverlayOption, USAGE};

/// Runs the command.
pub fn main(options: &FigureOptions) -> ExitCode {
    match draw(options) {
        Ok(drawn) => {
            if options.json {
                println!("{:#}", json!({ "seed": options.seed, "figures": drawn }));
            }
            ExitCode::from(ANSWERED)
        }
        Err(why) => {
            let (code, why) = match why {
                Failure::Usage(why) => (USAGE, why),
                Failure::Disk(why) => (FAILED, why),
            };
            if options.json {
                println!("{:#}", json!({ "why": why }));
            }
            eprintln!("error: {why}");
            ExitCode::from(code)
        }
    }
}

/// Why there are no figures.
#[derive(Debug)]
enum Failure {
    /// What was asked for makes no sense.
    Usage(String),
    /// They cannot be written.
    Disk(String),
}

fn draw(options: &FigureOptions) -> Result<Vec<Value>, Failure> {
    let usage = |why: &dyn std::fmt::Display| Failure::Usage(why.to_string());
    let mut evaluation = Evaluation::new(chosen(options)).map_err(|why| usage(&why))?;
    if options.page.is_some() && options.figure != FigureChoice::All {
        return Err(usage(
            &"the page compares all figures; give all, or no --page",
        ));
    }
    // Before minutes of counting.
    prepare(&options.out)?;
    if let Some(page) = &options.page {
        prepare(folder_of(page))?;
    }
    let wanted: Vec<_> = match options.figure {
        FigureChoice::All => Which::ALL.to_vec(),
        FigureChoice::One(which) => vec![which],
    };
    let (mut drawn, mut figures) = (Vec::new(), Vec::new());
    for which in wanted {
        let began = Instant::now();
        let bar = bar(which, evaluation.steps(which));
        let figure = evaluation.figure(which, &|nodes| bar.inc(nodes));
        bar.finish_and_clear();
        let figure = figure.map_err(|why| usage(&format!("{why}; give another --colluders")))?;
        let files = write(&options.out, &figure)?;
        let seconds = began.elapsed().as_secs_f64();
        if !options.json {
            println!(
                "{:<7} {:6.1} s  {}",
                which.to_string(),
                seconds,
                files[0].display()
            );
        }
        drawn.push(json!({
            "figure": which.to_string(),
            "title": figure.title,
            "setting": figure.setting,
            "svg": files[0],
            "csv": files[1],
            "seconds": seconds,
        }));
        figures.push(figure);
    }
    if let Some(page) = &options.page {
        let link = |file: &str| link(folder_of(page), &options.out, file);
        let text = evaluation.page(&figures, link).map_err(|why| usage(&why))?;
        write_whole(page, &text).map_err(|why| cannot_write(page, &why))?;
        if !options.json {
            println!("page              {}", page.display());
        }
    }
    Ok(drawn)
}

fn chosen(options: &FigureOptions) -> Options {
    Options {
        nodes: options.nodes,
        dht: match options.overlay {
            OverlayOption::Chord => Dht::Chord,
            OverlayOption::Can => Dht::Can {
                dimensions: u32::from(options.dimensions),
            },
        },
        form: options.form.into(),
        colluders: options.colluders,
        alpha: options.alpha,
        cache: options.cache,
        seats: options.actors,
        seed: options.seed,
    }
}

fn bar(which: Which, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} %, {eta} left");
    let style = style.expect("the template is constant");
    ProgressBar::new(length)
        .with_style(style)
        .with_message(format!("figure {which}"))
}

/// Makes the folder, and sees whether files can be made in it.
fn prepare(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder).map(drop))
        .map_err(|why| cannot_write(folder, &why))
}

fn cannot_write(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let path = path.display();
    Failure::Disk(format!(
        "cannot write to {path}: {why}; give another folder with --out"
    ))
}

/// SVG and CSV.
fn write(folder: &Path, figure: &Figure) -> Result<[PathBuf; 2], Failure> {
    let file = |extension: &str, text: String| {
        let path = folder.join(format!("{}.{extension}", figure.name));
        write_whole(&path, &text).map_err(|why| cannot_write(&path, &why))?;
        Ok(path)
    };
    Ok([file("svg", figure.to_svg())?, file("csv", figure.to_csv())?])
}

fn folder_of(file: &Path) -> &Path {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// How a page in one folder names a file in another.
fn link(page: &Path, out: &Path, file: &str) -> String {
    let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (page, out) = (whole(page), whole(out));
    let shared = page
        .components()
        .zip(out.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = page.components().skip(shared).map(|_| "..".to_owned());
    let down = out
        .components()
        .skip(shared)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<_> = up.chain(down).chain([file.to_owned()]).collect();
    parts.join("/")
}

/// A file appears complete or not at all, and an older one stays until then.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = folder_of(path);
    let mut file = tempfile::Builder::new()
        .prefix(".figure")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    make_readable(file.path())?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are for their owner's eyes; figures are not.
#[cfg(unix)]
fn make_readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
