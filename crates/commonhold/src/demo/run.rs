//! The course of events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::{NodeId, encode};
use community::Descriptor;
use indicatif::{ProgressBar, ProgressStyle};
use question::{ConsentRule, Question};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout};

use crate::cli::DemoOptions;
use crate::counted::counted;
use crate::daemon::shows;
use crate::demo::crew::Crew;
use crate::demo::founding::{Founded, found};
use crate::demo::owners::{Owner, became, owners};
use crate::demo::people::People;
use crate::demo::showing::Scene;
use crate::demo::telling::Told;
use crate::demo::{DemoError, clear};
use crate::lines::{Draw, Order, Word};
use crate::output::{doing, tell};
use crate::report::Report;

/// The question unless told otherwise.
const QUESTION: &str = "SELECT AVG(sleep_hours) FROM nhanes_2017_2018";
/// Where the proof goes.
const OUTPUT: &str = "commonhold-demo";
/// Its name there.
const PROOF: &str = "proof.cbor";
/// Longest time for the nodes to start and to meet.
const MEETING: Duration = Duration::from_secs(60);
/// Added for each node beyond [`FEW`]: those of a large community make some hundred connections each.
const MEETING_MORE: Duration = Duration::from_millis(750);
/// How many join at once. Guess; on the simulated internet 400 take 10 s so, and 32 s all at once.
const JOIN_AT_ONCE: usize = 64;
/// Longest time for the contributions of a few to arrive. All of it passes only when somebody is away.
const COLLECT: Duration = Duration::from_secs(5);
/// Added for each node beyond [`FEW`]. Guess; on 2 busy cores [`COLLECT`] alone was too short for 140 people in 2 runs of 3
/// and for 200 in 4 of 4, with this it was enough in 3 of 3 each.
const COLLECT_MORE: Duration = Duration::from_millis(100);
/// How long owners who are asked have to decide.
const DECIDE: Duration = Duration::from_secs(2);
/// Most people who have a process each.
const PROCESSES_MAX: u16 = 200;
/// Nodes for whom [`COLLECT`] is enough.
const FEW: u32 = 41;
/// Longest time from question to answer: the draw with all its attempts, the collection, the agreement.
const ANSWER: Duration = Duration::from_secs(90);

/// Runs the demo; when this returns, no process and no folder but the output is left.
pub async fn run(options: &DemoOptions) -> Result<Told, DemoError> {
    let machine = |why: std::io::Error| DemoError::Machine(why.to_string());
    let mut interrupt = signal(SignalKind::interrupt()).map_err(machine)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(machine)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(machine)?;
    let folder = tempfile::Builder::new()
        .prefix("commonhold-demo-")
        .tempdir()
        .map_err(machine)?;
    let mut crew = Crew::new();
    let progress = progress();
    // From when on Ctrl-C is how it ends, and what there was to tell.
    let mut shown = None;
    let performance = perform(options, folder.path(), &mut crew, &progress, &mut shown);
    let result = tokio::select! {
        result = performance => result,
        _ = interrupt.recv() => Err(DemoError::Interrupted),
        _ = terminate.recv() => Err(DemoError::Interrupted),
        _ = hangup.recv() => Err(DemoError::Interrupted),
    };
    let result = match (result, shown) {
        (Err(DemoError::Interrupted), Some(told)) => Ok(told),
        (result, _) => result,
    };
    progress.finish_and_clear();
    crew.dismiss().await;
    folder.close().map_err(machine)?;
    result
}

fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}").expect("the template is constant");
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Says what is done now: on the bar, and to those who wait without one.
fn step(progress: &ProgressBar, what: impl Into<String>) {
    let what = what.into();
    doing(what.as_str());
    progress.set_message(what);
}

async fn perform(
    options: &DemoOptions,
    folder: &Path,
    crew: &mut Crew,
    progress: &ProgressBar,
    shown: &mut Option<Told>,
) -> Result<Told, DemoError> {
    let began = Instant::now();
    if options.people > PROCESSES_MAX && !options.together {
        return Err(DemoError::Usage(format!(
            "{} people are too many to give each a process; add --together, or take at most {PROCESSES_MAX}",
            options.people
        )));
    }
    step(progress, "reading the data");
    let people = People::read(
        options.data.as_deref(),
        options.person.as_deref(),
        usize::from(options.people),
    )?;
    let sql = question(options, &people)?;
    let asks = options.no + options.away > 0;
    if options.no + options.away > options.people {
        return Err(DemoError::Usage(format!(
            "{} cannot say no or be away: there are {} people",
            counted(options.no + options.away, "owner", "owners"),
            options.people
        )));
    }
    let (no, away) = (usize::from(options.no), usize::from(options.away));
    let owners = owners(usize::from(options.people), no, away);
    let rule = if asks {
        ConsentRule::Ask
    } else {
        ConsentRule::Yes
    };
    let founded = found(
        &people,
        options.min_crowd,
        rule,
        options.open,
        folder,
        |done| {
            step(
                progress,
                format!("filling vaults: {done} of {}", options.people),
            );
        },
    )?;
    let parsed = check(&sql, &founded.descriptor)?;
    let output = output(&founded)?;
    step(progress, "starting the nodes");
    let within = MEETING + MEETING_MORE * few_more(founded.homes.len() + 1);
    let meeting = meet(crew, &founded, options.together, progress);
    let addresses = timeout(within, meeting).await.map_err(|_| {
        DemoError::TimedOut(format!(
            "the nodes did not meet within {} s; is the machine very busy?",
            within.as_secs()
        ))
    })??;
    let asked = Instant::now();
    let collect = collect_for(crew.len());
    let people_table = people.table.clone();
    let proof = output.join(PROOF);
    let order = Order::Ask {
        sql: sql.clone(),
        purpose: "to show how it works".into(),
        consent_ms: if asks { DECIDE.as_millis() as u64 } else { 0 },
        collect_ms: collect.as_millis() as u64,
        proof: proof.clone(),
    };
    let asker = founded.asker.0;
    crew.order(asker, &order).await?;
    step(
        progress,
        if asks {
            "owners decide"
        } else {
            "drawing helpers"
        },
    );
    let names = founded.homes.iter().map(|(node, _)| *node);
    let says: BTreeMap<_, _> = names.clone().zip(owners.iter().copied()).collect();
    let course = follow(crew, asker, options.kill, &says, progress);
    let course = timeout(ANSWER, course).await.map_err(|_| {
        DemoError::TimedOut("no answer in time: too many helpers are away".into())
    })??;
    let answered_in = asked.elapsed();
    let collected_in = course.called.elapsed();
    let included: Vec<_> = founded
        .homes
        .iter()
        .zip(&people.taken)
        .filter(|((node, _), _)| course.set.contains(node))
        .map(|(_, file)| file.as_slice())
        .collect();
    let was = became(&owners, names, &course.set, &course.killed);
    let clear = clear::figures(&people.table, &parsed, &included).map_err(DemoError::Machine)?;
    let told = Told {
        people: options.people,
        was,
        decide: asks.then_some(DECIDE),
        columns: people.table.columns,
        is_own: options.data.is_some(),
        source: people.source,
        column: people.column,
        several: people.several,
        in_file: people.total,
        nodes: founded.descriptor.nodes,
        colluders: founded.descriptor.colluders,
        draw: course.draw,
        killed: course
            .killed
            .iter()
            .map(|node| format!("{node:?}"))
            .collect(),
        report: course.report,
        clear,
        clear_by: clear::by(&parsed),
        inner: parsed.inner().is_some(),
        answered_in,
        collected_in,
        memory: crew.memory().filter(|_| options.together),
        all_in: began.elapsed(),
        proof_bytes: fs::metadata(&proof).map_or(0, |file| file.len()),
        proof,
    };
    if !options.open {
        return Ok(told);
    }
    progress.suspend(|| tell(told.lines().join("\n")));
    let peer = founded.homes.last().map_or(asker, |(node, _)| *node);
    let person = &founded.homes[0];
    let known = founded.to_know.get(&person.0).copied().unwrap_or(0);
    let mut scene = Scene {
        others: known.saturating_sub(1) as u64,
        crew,
        person,
        asker,
        says: &says,
        peer: (peer, addresses[&peer]),
        table: &people_table,
        sql: &sql,
        collect,
    };
    step(progress, "starting a node with a page");
    let node = scene.begin().await?;
    step(progress, "questions for the page are answered");
    scene.ask(&node).await?;
    let page = node.page().await?;
    progress.finish_and_clear();
    tell_page(&page, person.1.path()).await;
    *shown = Some(told);
    Err(scene.attend().await)
}

/// Opens the page, and says where it is.
async fn tell_page(page: &str, folder: &Path) {
    let opened = match shows(page).await {
        true => "opened in your browser; ",
        false => "",
    };
    tell(format_args!(
        "page       {page}\n           {opened}the link works once; for another one: commonhold open --dir {}\n           Ctrl-C stops everything",
        folder.display()
    ));
}

fn question(options: &DemoOptions, people: &People) -> Result<String, DemoError> {
    match (&options.ask, &options.data) {
        (Some(sql), _) => Ok(sql.clone()),
        (None, None) => Ok(QUESTION.into()),
        (None, Some(_)) => {
            let names: Vec<_> = people
                .table
                .columns
                .iter()
                .map(|c| c.name.as_str())
                .collect();
            let table = &people.table.name;
            Err(DemoError::Usage(format!(
                "what is the question? Add for example --ask \"SELECT COUNT(*) FROM {table}\"; the columns are {}",
                names.join(", ")
            )))
        }
    }
}

/// Says what is wrong with a question before anything is started for it.
fn check(sql: &str, descriptor: &Descriptor) -> Result<Question, DemoError> {
    Question::parse(sql, &descriptor.vocabulary, descriptor.nodes)
        .map_err(|why| DemoError::Usage(why.to_string()))
}

fn output(founded: &Founded) -> Result<PathBuf, DemoError> {
    let folder = std::env::current_dir()
        .map(|current| current.join(OUTPUT))
        .and_then(|folder| fs::create_dir_all(&folder).map(|()| folder));
    let failed = |why: std::io::Error| {
        DemoError::Machine(format!(
            "cannot write to ./{OUTPUT}: {why}; run the demo in a folder where you may write"
        ))
    };
    let folder = folder.map_err(failed)?;
    // An earlier demo's proof is about another community, whose descriptor is about to be replaced.
    match fs::remove_file(folder.join(PROOF)) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(failed(why)),
        _ => {}
    }
    fs::write(folder.join("descriptor.cbor"), encode(&founded.signed)).map_err(failed)?;
    Ok(folder)
}

/// Starts all processes and waits until everybody knows those around, in a small community everybody. Gives where each
/// listens.
async fn meet(
    crew: &mut Crew,
    founded: &Founded,
    together: bool,
    progress: &ProgressBar,
) -> Result<BTreeMap<NodeId, SocketAddr>, DemoError> {
    let everybody = founded.homes.iter().chain([&founded.asker]);
    let everybody: Vec<_> = everybody.cloned().collect();
    for nodes in everybody.chunks(if together { everybody.len() } else { 1 }) {
        crew.start(nodes)?;
    }
    let all = crew.len();
    let first = founded.homes[0].0;
    let mut ready = BTreeMap::new();
    let mut arriving = Arriving::default();
    let mut complete = BTreeSet::new();
    while complete.len() < all {
        match crew.hear().await? {
            (node, Word::Ready { address, .. }) => {
                ready.insert(node, address);
                if ready.len() == all {
                    let others = ready.keys().copied().filter(|node| *node != first);
                    arriving.waiting = others.collect();
                    arriving.inside.push(first);
                    arriving.order(crew, first, first, &ready).await?;
                    arriving.go_on(crew, first, &ready).await?;
                }
            }
            (node, Word::Known(nodes)) => {
                if founded.to_know.get(&node) == Some(&nodes) {
                    complete.insert(node);
                }
                arriving.go_on(crew, node, &ready).await?;
            }
            _ => {}
        }
        let met = complete.len();
        step(
            progress,
            format!("{} of {all} nodes run, {met} know the others", ready.len()),
        );
    }
    Ok(ready)
}

/// Who is on the way into the community. Hundreds of nodes on one machine that all begin at once find no time to answer each
/// other before they give up.
#[derive(Default)]
struct Arriving {
    waiting: VecDeque<NodeId>,
    joining: BTreeSet<NodeId>,
    inside: Vec<NodeId>,
}

impl Arriving {
    /// This node knows somebody: the next ones join, in turn through those who are inside.
    async fn go_on(
        &mut self,
        crew: &mut Crew,
        node: NodeId,
        ready: &BTreeMap<NodeId, SocketAddr>,
    ) -> Result<(), DemoError> {
        if self.joining.remove(&node) {
            self.inside.push(node);
        }
        while self.joining.len() < JOIN_AT_ONCE
            && let Some(next) = self.waiting.pop_front()
        {
            let through = self.inside[self.waiting.len() % self.inside.len()];
            self.order(crew, next, through, ready).await?;
            self.joining.insert(next);
        }
        Ok(())
    }

    async fn order(
        &self,
        crew: &mut Crew,
        node: NodeId,
        through: NodeId,
        ready: &BTreeMap<NodeId, SocketAddr>,
    ) -> Result<(), DemoError> {
        let order = Order::Join {
            node: through.to_string(),
            address: ready[&through],
        };
        crew.order(node, &order).await
    }
}

/// What was seen on the way to the answer.
struct Course {
    draw: Draw,
    killed: Vec<NodeId>,
    /// When people were called to contribute.
    called: Instant,
    /// Whose contributions are added up: the demo owns all nodes; the asker is not told.
    set: BTreeSet<NodeId>,
    report: Report,
}

async fn follow(
    crew: &mut Crew,
    asker: NodeId,
    kill: usize,
    owners: &BTreeMap<NodeId, Owner>,
    progress: &ProgressBar,
) -> Result<Course, DemoError> {
    let mut draw = None;
    let mut killed = Vec::new();
    let mut called = Instant::now();
    let mut set = None;
    let mut report = None;
    loop {
        match crew.hear().await? {
            (node, Word::Asked(question)) => {
                let yes = match owners.get(&node) {
                    Some(Owner::Yes) => true,
                    Some(Owner::No) => false,
                    Some(Owner::Away) | None => continue,
                };
                crew.order(node, &Order::Consent { question, yes }).await?;
            }
            (_, Word::Drawn(drawn)) => {
                step(progress, "helpers make their keys");
                draw = Some(drawn);
            }
            (node, Word::Collecting) if node == asker => {
                step(progress, "collecting");
                called = Instant::now();
                for victim in victims(draw.as_ref(), kill) {
                    crew.kill(victim).await;
                    killed.push(victim);
                }
            }
            (_, Word::Set(members)) => {
                step(progress, "adding up");
                set = Some(members.iter().filter_map(|it| it.parse().ok()).collect());
            }
            (_, Word::Answered(answer)) => report = Some(*answer),
            (_, Word::Ended { why, refused: true }) => return Err(DemoError::Refused(why)),
            (_, Word::Ended { why, .. }) => return Err(DemoError::TimedOut(why)),
            _ => {}
        }
        if let (Some(draw), Some(set), Some(report)) = (&draw, &set, &report) {
            return Ok(Course {
                draw: draw.clone(),
                killed,
                called,
                set: BTreeSet::clone(set),
                report: Report::clone(report),
            });
        }
    }
}

/// Helpers to kill. They are listed lane by lane, so equal steps take as many of each lane, give or take one.
fn victims(draw: Option<&Draw>, kill: usize) -> Vec<NodeId> {
    let seats: Vec<NodeId> = draw
        .iter()
        .flat_map(|draw| &draw.seats)
        .filter_map(|name| name.parse().ok())
        .collect();
    let kill = kill.min(seats.len());
    (0..kill)
        .map(|victim| seats[victim * seats.len() / kill])
        .collect()
}

/// Longest time for the contributions of so many nodes to arrive.
fn collect_for(nodes: usize) -> Duration {
    COLLECT + COLLECT_MORE * few_more(nodes)
}

/// By how many nodes these are more than a few.
fn few_more(nodes: usize) -> u32 {
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    nodes.saturating_sub(FEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seats: u8) -> Draw {
        Draw {
            k: 4,
            checks: 8,
            setter: String::new(),
            seats: (0..seats)
                .map(|seat| NodeId([seat; 32]).to_string())
                .collect(),
        }
    }

    #[test]
    fn victims_are_spread_over_the_lanes() {
        for (lanes, replicas) in [(4, 3), (4, 9), (5, 7)] {
            let seats = lanes * replicas;
            for kill in 0..=seats {
                let mut of_lane = vec![0; lanes];
                for victim in victims(Some(&draw(seats as u8)), kill) {
                    of_lane[usize::from(victim.0[0]) / replicas] += 1;
                }
                assert_eq!(of_lane.iter().sum::<usize>(), kill);
                let (least, most) = (of_lane.iter().min(), of_lane.iter().max());
                let spread = most.unwrap() - least.unwrap();
                assert!(
                    spread <= 1,
                    "{kill} of {lanes} lanes of {replicas}: {of_lane:?}"
                );
            }
        }
    }

    #[test]
    fn no_more_are_killed_than_help() {
        assert_eq!(victims(Some(&draw(12)), usize::MAX).len(), 12);
        assert!(victims(None, 3).is_empty());
    }

    #[test]
    fn many_have_more_time_to_contribute() {
        assert_eq!(collect_for(13), COLLECT);
        assert_eq!(collect_for(41), COLLECT);
        assert_eq!(collect_for(201), Duration::from_secs(21));
    }
}
