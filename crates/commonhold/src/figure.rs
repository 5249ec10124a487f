//! `commonhold simulate figure`: the evaluation of the SEP2P paper, drawn again.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use sim::chart::Figure;
use sim::figures::{Dht, Evaluation, Options, Which};

use crate::cli::{ANSWERED, FAILED, USAGE, fail};
use crate::files::folder_of;
use crate::output::tell;
use crate::simulate::options::{FigureChoice, FigureOptions, OverlayOption};

/// Runs the command.
pub fn main(options: &FigureOptions) -> ExitCode {
    match draw(options) {
        Ok(drawn) => {
            if options.json {
                tell(format_args!(
                    "{:#}",
                    json!({ "seed": options.seed, "figures": drawn })
                ));
            }
            ExitCode::from(ANSWERED)
        }
        Err(why) => {
            let (code, why) = match why {
                Failure::Usage(why) => (USAGE, why),
                Failure::Disk(why) => (FAILED, why),
            };
            fail(options.json, &why, code)
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
    let of_the_paper = Options {
        seed: options.seed,
        ..Options::default()
    };
    let is_the_papers = options.figure == FigureChoice::All && chosen(options) == of_the_paper;
    if options.page.is_some() && !is_the_papers {
        let why = "the page compares all figures in the paper's own settings; with --page give all, and of the other options --seed alone";
        return Err(usage(&why));
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
        let bar = bar(which, evaluation.steps(which));
        let figure = evaluation.figure(which, &|nodes| bar.inc(nodes));
        let seconds = bar.elapsed().as_secs_f64();
        bar.finish_and_clear();
        let figure = figure.map_err(|why| usage(&format!("{why}; give another --colluders")))?;
        let files = write(&options.out, &figure)?;
        if !options.json {
            tell(format_args!(
                "{:<7} {:6.1} s  {}",
                which.to_string(),
                seconds,
                files[0].display()
            ));
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
            tell(format_args!("page              {}", page.display()));
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Command, Program};
    use crate::simulate::options::SimulateCommand;

    fn options(out: &Path, typed: &str) -> FigureOptions {
        let plain = ["commonhold", "simulate", "figure", "--out"];
        let plain = plain.into_iter().map(Into::into);
        let typed = typed.split_whitespace().map(Into::into);
        let all = plain.chain([out.as_os_str().to_owned()]).chain(typed);
        match Program::try_parse_from(all).unwrap().command {
            Command::Simulate {
                command: SimulateCommand::Figure(options),
            } => options,
            _ => unreachable!("it was typed"),
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let all = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = all
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_figure_is_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new/folder");
        let drawn = draw(&options(&out, "4 --nodes 600 --cache 64 --actors 8")).unwrap();
        assert_eq!(files(&out), ["figure-4.csv", "figure-4.svg"]);
        assert_eq!(drawn[0]["figure"], "4");
        let svg = fs::read_to_string(out.join("figure-4.svg")).unwrap();
        assert!(svg.ends_with("</svg>\n"));
        // Again, over the old ones.
        draw(&options(
            &out,
            "4 --nodes 600 --cache 64 --actors 8 --seed 2",
        ))
        .unwrap();
        assert_ne!(fs::read_to_string(out.join("figure-4.svg")).unwrap(), svg);
        assert_eq!(files(&out).len(), 2);
    }

    #[test]
    fn nonsense_says_what_to_change_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        for (typed, flag) in [
            ("3 --nodes 1", "--nodes"),
            ("3 --cache 16", "--cache"),
            ("3 --nodes 100", "--cache"),
            ("3 --colluders 120", "--colluders"),
            ("3 --colluders 0", "--colluders"),
            ("3 --actors 0", "--actors"),
            ("3 --page a.md", "--page"),
            ("all --nodes 5000 --page a.md", "--page"),
            ("8 --colluders 99.9", "--colluders"),
        ] {
            match draw(&options(&out, typed)) {
                Err(Failure::Usage(why)) => {
                    assert!(why.contains(flag) && !why.contains('\n'), "{why}");
                }
                other => panic!("{typed}: {other:?}"),
            }
            assert!(!out.exists() || files(&out).is_empty(), "{typed}");
        }
    }

    #[test]
    fn an_unwritable_folder_is_found_and_nothing_lost() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "not a folder").unwrap();
        match draw(&options(&file.join("out"), "all")) {
            Err(Failure::Disk(why)) => {
                assert!(why.contains("--out") && !why.contains('\n'), "{why}")
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "not a folder");
    }

    #[test]
    fn pages_find_their_figures() {
        let folder = tempfile::tempdir().unwrap();
        let (page, out) = (
            folder.path().join("docs"),
            folder.path().join("docs/figures"),
        );
        fs::create_dir_all(&out).unwrap();
        assert_eq!(link(&page, &out, "a.svg"), "figures/a.svg");
        assert_eq!(link(&out, &page, "a.svg"), "../a.svg");
        assert_eq!(link(&page, &page, "a.svg"), "a.svg");
    }
}
